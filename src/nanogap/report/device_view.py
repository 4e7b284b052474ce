"""Interactive view of a device: curves, and the atoms before and after each step, compact.

Sites of the lattice that hold an atom in any frame travel once; a frame is a byte per site, as the
exclusive or with the frame before it, so that what did not change compresses to nothing.
"""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from nanogap.report.atoms import atom_radius
from nanogap.report.device_content import DeviceContent, OneDevice
from nanogap.report.device_figures import KINDS, moment_text
from nanogap.report.viewer import Packed, packed
from nanogap.typing import FloatArray, Int64Array

#: Readings of a curve at most; of more, each stretch keeps its first, lowest and highest.
_MOST_READINGS = 6000


@dataclass(frozen=True)
class StepView:
    """A step of the conductance.

    Attributes
    ----------
    time, conductance, voltage, current : float
        Of the reading after it, s, G0 (its mean or its end, whichever is farther from the frame
        before), V at the source, A.
    labels : tuple of str
        What the frames before and after it show.
    frame : int
        Of the frame before it; the one after it follows.
    """

    time: float
    conductance: float
    voltage: float
    current: float
    labels: tuple[str, str]
    frame: int


@dataclass(frozen=True)
class CurveView:
    """Curves and steps of one device; None where a number is not known.

    Attributes
    ----------
    name : str
    time, voltage, gap_voltage, current, conductance, seen : list of float or None
        s, V, V, A, G0, G0.
    steps : list of StepView
    positions : Packed
        Sites that hold an atom in a frame, about the middle, x y z, angstrom.
    radius : float
        Angstrom.
    frames : str
        Kind + 1 of the atom at every site of every frame, 0 where there is none; see the module;
        compressed, in base64.
    """

    name: str
    time: list[float | None]
    voltage: list[float | None]
    gap_voltage: list[float | None]
    current: list[float | None]
    conductance: list[float | None]
    seen: list[float | None]
    steps: list[StepView]
    positions: Packed
    radius: float
    frames: str


@dataclass(frozen=True)
class DeviceView:
    """Content of the interactive view, which the page carries as JSON.

    Attributes
    ----------
    devices : list of CurveView
    kinds : list of (str, str)
        Colour and meaning of kinds of atoms.
    """

    devices: list[CurveView]
    kinds: list[tuple[str, str]]


def device_view(content: DeviceContent) -> DeviceView | None:
    """Gather what the interactive view shows; None if no device has a step."""
    devices = [_curve(device) for device in content.devices if device.steps]
    return DeviceView(devices, list(KINDS.values())) if devices else None


def _curve(device: OneDevice) -> CurveView:
    """Gather the curves and the steps of one device."""
    kept = _chosen(device.column("gap_conductance"))
    frames = [frame for step in device.steps for frame in (step.before, step.after)]
    sites, positions = _sites(frames)
    shown = np.zeros((len(frames), len(sites)), dtype=np.uint8)
    for row, frame in zip(shown, frames, strict=True):
        row[np.searchsorted(sites, frame.arrays["site"])] = frame.arrays["kind"] + 1
    changes = shown.copy()
    changes[1:] ^= shown[:-1]
    return CurveView(
        name=device.name,
        time=_numbers(device.column("time")[kept]),
        voltage=_numbers(device.column("voltage")[kept]),
        gap_voltage=_numbers(device.column("gap_voltage")[kept]),
        current=_numbers(device.column("current")[kept]),
        conductance=_numbers(device.column("gap_conductance")[kept]),
        seen=_numbers(device.seen[kept]),
        steps=[_step(device, place) for place in range(len(device.steps))],
        positions=packed(positions),
        radius=atom_radius(frames[0]),
        frames=base64.b64encode(gzip.compress(changes.tobytes(), mtime=0)).decode(),
    )


def _step(device: OneDevice, place: int) -> StepView:
    """Describe a step."""
    step = device.steps[place]
    time = float(step.after.info["time"])
    reading = int(np.argmin(np.abs(device.column("time") - time)))
    before = float(step.before.info["conductance"])
    # what came and went within the reading shows in its mean, a lasting step at its end
    told = float(device.column("gap_conductance")[reading]), float(step.after.info["conductance"])
    return StepView(
        time=time,
        conductance=max(told, key=lambda value: abs(value - before)),
        voltage=float(device.column("voltage")[reading]),
        current=float(device.column("current")[reading]),
        labels=(_label(step.before), _label(step.after)),
        frame=2 * place,
    )


def _label(frame: Atoms) -> str:
    """Say in a line what a frame is."""
    return moment_text(frame).replace("\n", ", ").replace("G$_0$", "G₀")


def _sites(frames: Sequence[Atoms]) -> tuple[Int64Array, FloatArray]:
    """Sites that hold an atom in any frame, and where they are, about the middle."""
    numbers = np.concatenate([frame.arrays["site"] for frame in frames])
    sites, first = np.unique(numbers, return_index=True)
    positions = np.concatenate([frame.positions for frame in frames])[first]
    middle = (positions.min(axis=0) + positions.max(axis=0)) / 2.0
    return sites.astype(np.int64), np.asarray(positions - middle, dtype=np.float64)


def _chosen(values: FloatArray) -> Int64Array:
    """Choose the readings that are drawn, in order."""
    if len(values) <= _MOST_READINGS:
        return np.arange(len(values), dtype=np.int64)
    chosen = {0, len(values) - 1}
    for part in np.array_split(np.arange(len(values)), _MOST_READINGS // 3):
        inside = np.nan_to_num(values[part])
        chosen |= {int(part[0]), int(part[np.argmin(inside)]), int(part[np.argmax(inside)])}
    return np.array(sorted(chosen), dtype=np.int64)


def _numbers(values: FloatArray) -> list[float | None]:
    """Write numbers to six digits; None where one is not known."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values.tolist()]
