"""A device directory made by hand: a loop in which metal bridges the gap, thickens and breaks."""

import dataclasses

import numpy as np

from nanogap.device.lattice import ION, METAL
from nanogap.device.measurement import Point
from nanogap.device.parts import make_energetics, make_tips
from nanogap.io import write_json, write_text
from nanogap.runs.device_part import Frame, PartCost, _packed
from nanogap.runs.device_run import DeviceRun
from nanogap.settings.device import load_device_settings

READINGS, SIEMENS, SERIES = 120, 7.748091729e-5, 500.0
#: Reading from which on the conductance, G0, is this.
LEVELS = {0: 1e-3, 30: 1.0, 45: 2.0, 85: 1e-3}
COST = PartCost(12.5, 4.0, 240, 228, 12, 240, 30)


def level(place):
    return [value for begin, value in LEVELS.items() if begin <= place][-1]


def point(place, steady=None, series=SERIES):
    """Reading of a triangle of 1 V up and down, or of a steady voltage, at 50 per second."""
    volts = steady or 1.0 - 2.0 * abs((place + 1) / READINGS - 0.5)
    gap, true = level(place) * SIEMENS, level(place)
    current = volts / (series + 1.0 / gap)
    if steady:
        current *= 1.0 + 1e-3 * np.sin(place**2)
    return Point(
        time=(place + 1) / 50.0,
        voltage=volts,
        current=current,
        gap_voltage=current / gap,
        electronic_current=current,
        ionic_current=0.0,
        conductance=true,
        cycle=0,
        compliance=False,
        bridged=true > 0.5,
        continued=true < 0.5,
        read=steady is not None,
        atoms_cut_off=0,
        n_ions=3,
        events=(100 * place, 10 * place, place // 10, place // 20, 0, 0),
        charge=(0, place // 10),
    )


def states(tips, place):
    """Sites at a reading: a column of atoms across the gap while it is bridged, and three ions."""
    lattice = tips.lattice
    found = np.where(tips.metal, METAL, 0).astype(np.uint8)
    empty = np.flatnonzero(found == 0)
    axis = lattice.positions[tips.metal, :2].mean(axis=0)
    radius = np.linalg.norm(lattice.positions[:, :2] - axis, axis=1)
    width = {1e-3: 0.0, 1.0: 3.5, 2.0: 5.0}[level(place)]
    found[empty[radius[empty] < width]] = METAL
    far = np.flatnonzero((found == 0) & (radius > 8.0))
    found[far[[5, 40, 90]]] = ION
    return found


def make(folder, readings=READINGS, *, finished=True, settings=None, steady=None):
    """Write the directory with so many readings."""
    settings = settings or load_device_settings("device-quick")
    run = DeviceRun.create(folder, settings, "device-quick")
    for number, member in enumerate(run.members):
        files = run.files.part(number)
        files.folder.mkdir()
        if not readings:
            continue
        series = member.circuit.series.parasitic
        points = [point(place, steady, series) for place in range(readings)]
        np.array([one.numbers for one in points]).tofile(files.points)
        tips = make_tips(member, make_energetics(member).lattice_constant)
        kept = sorted({0, *(n for begin in LEVELS if begin for n in (begin - 1, begin))})
        with files.frames.open("wb") as pictures:
            for place in (place for place in kept if place < readings):
                now = Frame(place, points[place].time, level(place), states(tips, place))
                pictures.write(_packed(now))
        files.checkpoint(readings).mkdir()
        write_json(files.checkpoint(readings) / "cost.json", dataclasses.asdict(COST))
        if finished:
            write_text(files.done, f"{readings} readings\n")
    if readings:
        run.write()
    return run
