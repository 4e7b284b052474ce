"""Report of a device directory: gathers what is on disk for `nanogap.report.device`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from nanogap.arguments import shown
from nanogap.device.medium import load_medium
from nanogap.errors import DataFormatError, SettingsError
from nanogap.report.device import MOST_DEVICES, write_device_report
from nanogap.report.device_content import DeviceContent, OneDevice, ParameterRow
from nanogap.runs.device_frames import DeviceFrames
from nanogap.runs.device_part import PartCost, read_cost
from nanogap.runs.device_run import DeviceRun
from nanogap.settings.atoms import AtomsSettings
from nanogap.settings.device import DeviceSettings

#: Steps whose atoms a page carries, of all devices together.
_MOST_STEPS = 300
#: Metal, and its ions, that the fitted numbers and those of the media were chosen for.
_CHOSEN_FOR = "Ag"


def report_device(
    run: DeviceRun, output: Path | None = None, measured: Sequence[xr.Dataset] = ()
) -> Path:
    """Write the report of a device directory, finished or not.

    Parameters
    ----------
    run : DeviceRun
    output : Path, optional
        The HTML file. Default: ``report.html`` in the directory.
    measured : sequence of xarray.Dataset
        Measurements to draw beside it, as `nanogap.io.read_measurement` returns them; or one.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataFormatError
        If there is no reading yet.
    SettingsError
        If what is to be drawn beside it is no measurement.
    """
    beside = _checked_measured(measured)
    begun = [number for number in range(len(run.members)) if run.points_of(number)]
    if not begun:
        raise DataFormatError(
            f"{run.path} has no reading yet: wait for the first ones, or go on with "
            f"'nanogap device resume {run.path}'"
        )
    target = output or run.files.report
    content = DeviceContent(
        settings=run.settings,
        state=run.status.state,
        planned=max(member.total_duration for member in run.members),
        devices=[_device(run, number, place, len(begun)) for place, number in enumerate(begun)],
        parameters=_parameters(run.settings),
        making=_making(run),
        measured=beside,
    )
    write_device_report(target, content)
    return target


def _checked_measured(measured: Any) -> Sequence[xr.Dataset]:
    """Refuse what is no measurement to draw beside a device."""
    given = [measured] if isinstance(measured, xr.Dataset) else measured
    if not isinstance(given, list | tuple):
        given = [given]
    for one in given:
        if not (isinstance(one, xr.Dataset) and {"voltage", "current"} <= set(one)):
            raise SettingsError(
                f"measured = {shown(one)}: give measurements with voltage and current as "
                "read_measurement returns them"
            )
    return given


def _device(run: DeviceRun, number: int, place: int, count: int) -> OneDevice:
    """Gather the readings of a device, and its frames if it has figures on the page."""
    member = run.members[number]
    data = run.of_device(number)
    name = str(data["device_name"].to_numpy()[0])
    series = member.circuit.series.parasitic
    if place >= MOST_DEVICES:
        return OneDevice(name, series, data, [], capacitance=member.circuit.capacitance)
    frames = DeviceFrames(run.files.part(number), member)
    ends = [frames.atoms(frame) for frame in (*frames.frames[:1], *frames.frames[1:][-1:])]
    return OneDevice(
        name=name,
        series_resistance=series,
        data=data,
        steps=frames.steps(_MOST_STEPS // min(count, MOST_DEVICES)),
        first=ends[0] if ends else None,
        last=ends[1] if len(ends) > 1 else None,
        capacitance=member.circuit.capacitance,
        steps_kept=frames.n_steps,
        steps_left_out=frames.steps_left_out,
    )


def _parameters(settings: DeviceSettings) -> list[ParameterRow]:
    """List what the simulation rests on, and where each number is from."""
    atoms, changes = settings.atoms, settings.medium.changes
    rows = [
        ParameterRow(
            "energies and barriers of the metal",
            settings.geometry.element if atoms.energetics == "packaged" else atoms.energetics,
            "computed" if atoms.energetics == "packaged" else "set",
            "nudged elastic bands with embedded atoms (parametrisation/)"
            if atoms.energetics == "packaged"
            else "a file of the user",
        ),
        ParameterRow(
            "surface condition",
            f"{atoms.surface_condition:g} eV",
            _kind("surface_condition", atoms.surface_condition, off=0.0, default="fitted"),
            "so that atoms of the surface are slower than ions; adsorbates and oxide of a "
            "surface in air (docs/device-results.md)",
        ),
        ParameterRow(
            "scaling of the binding energies",
            f"{atoms.bond_scaling:g}",
            _kind("bond_scaling", atoms.bond_scaling, off=1.0, default="not fitted"),
            "0.2 is the line tension of steps of silver in an electrolyte; 2 brings the surface "
            "energy to that measured in vacuum",
        ),
    ]
    element = settings.geometry.element
    if element != _CHOSEN_FOR:
        rows.append(
            ParameterRow(
                "metal of the numbers below and of the two above",
                _CHOSEN_FOR,
                "not fitted",
                f"chosen for {_CHOSEN_FOR} and its ions, and taken over for {element}",
            )
        )
    medium = load_medium(settings.medium.name)
    for one in () if medium is None else medium.parameters:
        value = changes.get(one.name, one.value)
        where = f" (the named medium: {one.value:g} {one.unit})" if one.name in changes else ""
        rows.append(
            ParameterRow(
                f"{settings.medium.name}: {one.name.replace('_', ' ')}",
                f"{value:g} {one.unit}; allowed {one.least:g} to {one.most:g}",
                "set" if one.name in changes else "fitted" if one.fit else "not fitted",
                one.source + where,
            )
        )
    return rows


def _kind(name: str, value: float, off: float, default: str) -> str:
    """Say where a number of the atoms is from: the default, this run, or it has no effect."""
    if value == off:
        return "off"
    return default if value == AtomsSettings.model_fields[name].default else "set"


def _making(run: DeviceRun) -> list[tuple[str, str]]:
    """List cost, cache and versions."""
    cost = PartCost()
    for number in range(len(run.members)):
        cost += read_cost(run.files.part(number))
    rows = [("settings from", run.source)]
    if cost.cpu_time:
        share = 100.0 * cost.transport_time / cost.cpu_time
        rows += [
            ("CPU time, all devices", f"{cost.cpu_time:.3g} s"),
            ("of it for conductances", f"{cost.transport_time:.3g} s ({share:.3g} %)"),
            ("updates of potential and conductance", str(cost.updates)),
        ]
    if cost.asked:
        known = 100.0 * cost.known / cost.asked
        rows.append(
            (
                "conductances known to the cache",
                f"{cost.known} of {cost.asked} ({known:.4g} %); computed: {cost.computed}",
            )
        )
    if cost.unconverged:
        share = 100.0 * cost.unconverged / cost.asked
        rows.append(
            (
                "conductances of necks not relaxed to the end (conductance.relaxation_steps)",
                f"{cost.unconverged} of {cost.asked} ({share:.4g} %)",
            )
        )
    description = json.loads(run.files.description.read_text(encoding="utf-8"))
    return rows + [(name, str(found)) for name, found in description.get("versions", {}).items()]
