"""Statistics over the devices of a campaign: histogram, switching, what depends on the axes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.analysis.grouping import AxisValue, Grouping, axis_words, ordered
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.campaign.collect import Collected
from nanogap.campaign.device_summary import DeviceCampaignSummary
from nanogap.campaign.file import campaign_from_text
from nanogap.campaign.plan import combinations
from nanogap.errors import DataFormatError, SettingsError
from nanogap.measured import (
    DataFiles,
    DeviceResistances,
    noise_campaign,
    plateau_campaign,
    retention_campaign,
    switching_campaign,
)
from nanogap.measured.axes import HistogramsByAxis, axis_value, plain_value, varied_axes
from nanogap.measured.histogram_rows import HistogramGroup
from nanogap.printing import counted, listed

#: Upper end of the histogram, and the least step between plateaus, G0.
_MAXIMUM, _STEP = 10.0, 0.1

#: Analyses that the readings of a protocol allow.
_ANALYSES = {
    "voltage-sweep": ("switching",),
    "endurance": ("switching",),
    "current-sweep": ("plateaus",),
    "staircase": ("plateaus",),
    "constant-read": ("retention", "noise"),
}


def device_statistics(
    dataset: xr.Dataset, collected: Collected, read_voltage: float = 0.4
) -> DeviceCampaignSummary:
    """Compute the statistics of a collected measurement.

    What the circuit of each device says is in series with its gap is subtracted.

    Parameters
    ----------
    dataset : xarray.Dataset
        Attributes and coordinates of the measurement.
    collected : Collected
        Where it lies, and which members are in it.
    read_voltage : float
        Where the states of loops are read, V.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    files = DataFiles([Path(collected.dataset)], resistances=DeviceResistances.chosen("circuit"))
    axes = varied_axes(dataset)
    protocol = _protocol(dataset.attrs)
    notes = list(collected.notes)
    pooled, by_axis, values = _histograms(files, axes)
    analyses: dict[str, list[Grouping]] = {}
    for name in _analyses(protocol, dataset):
        try:
            analyses[name] = _groupings(name, files, axes, read_voltage)
        except (DataFormatError, SettingsError) as error:
            notes.append(f"{name}: {error}")
    summary = DeviceCampaignSummary(
        members=collected.members,
        planned=collected.planned,
        given_up=collected.given_up,
        devices=dataset.sizes["source"],
        readings=dataset.sizes["point"],
        protocol=protocol,
        axes=_planned_values(dataset.attrs, values),
        statement="",
        histogram=pooled,
        histograms=by_axis,
        analyses=analyses,
        read_voltage=read_voltage,
        notes=notes,
    )
    return replace(summary, statement=_statement(summary))


def _protocol(attrs: Mapping[Any, Any]) -> str:
    """Return the kind of the protocol of the first member; all but its kind may be varied."""
    try:
        settings = json.loads(str(attrs.get("settings_of_first", "{}")))
        return str(settings["protocol"]["kind"])
    except (ValueError, KeyError, TypeError):
        return "unknown"


def _analyses(protocol: str, dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the analyses that the readings allow; a current that was swept, whatever its shape."""
    if dataset.attrs.get("driven") == "current":
        return _ANALYSES["current-sweep"]
    return _ANALYSES.get(protocol, ())


def _planned_values(
    attrs: Mapping[Any, Any], finished: dict[str, list[AxisValue]]
) -> dict[str, list[AxisValue]]:
    """Return all values that the campaign file gives the axes; else those of finished devices."""
    try:
        rows = combinations(campaign_from_text(str(attrs["campaign_file"]), "campaign.toml"))
        return {axis: ordered([plain_value(row[axis]) for row in rows]) for axis in finished}
    except (KeyError, SettingsError):
        return finished


def _histograms(
    files: DataFiles, axes: list[str]
) -> tuple[HistogramGroup, dict[str, list[HistogramGroup]], dict[str, list[AxisValue]]]:
    """Count the conductances of all devices: together, and by the values of each axis."""
    new = partial(ConductanceHistogram, None, _MAXIMUM)
    together, apart = HistogramsByAxis(None, new), {one: HistogramsByAxis(one, new) for one in axes}
    values: dict[str, list[AxisValue]] = {axis: [] for axis in axes}
    for trace in files.traces():
        gap = trace.gap[trace.usable]
        for counts in (together, *apart.values()):
            counts.add(trace.dataset, trace.device, gap)
        for axis in axes:
            values[axis].append(axis_value(trace.dataset, axis))
    (pooled,) = together.groups()
    return (
        pooled,
        {axis: counts.groups() for axis, counts in apart.items()},
        {axis: ordered(found) for axis, found in values.items()},
    )


def _groupings(name: str, files: DataFiles, axes: list[str], read_voltage: float) -> list[Grouping]:
    """Run an analysis, and group what it finds by every axis, or all devices together."""
    grouping: Callable[[str | None], Grouping]
    if name == "switching":
        grouping = switching_campaign(files, read_voltage=read_voltage).grouping
    elif name == "plateaus":
        grouping = plateau_campaign(files, PlateauDetection(minimum_step=_STEP)).grouping
    elif name == "retention":
        grouping = retention_campaign(files).grouping
    else:
        grouping = noise_campaign(files).grouping
    return [grouping(axis) for axis in axes] or [grouping(None)]


def _at(axis: str, value: AxisValue) -> str:
    return axis if axis == value else f"{axis} = {axis_words(value)}"


def _statement(summary: DeviceCampaignSummary) -> str:
    """Say the campaign in a few sentences."""
    varied = "; ".join(
        f"{axis} ({listed([axis_words(one) for one in values])})"
        for axis, values in summary.axes.items()
    )
    what = f"{counted(summary.devices, 'device')}, {counted(summary.readings, 'reading')}"
    parts = [
        f"{summary.members} of {counted(summary.planned, 'member')} are finished: {what}",
        f"the protocol is {summary.protocol}",
        f"varied: {varied or 'nothing but the seed'}",
    ]
    for groupings in summary.analyses.values():
        parts += [
            f"SET in {row.known} of {counted(row.devices, 'device')} at "
            f"{_at(groupings[0].axis, row.value)}, in the mean at {row.mean:.3g} V"
            for row in groupings[0].groups
            if row.quantity.startswith("SET voltage") and row.mean is not None
        ][:4]
    if summary.devices < FEWEST_MEMBERS:
        parts.append(
            f"{counted(summary.devices, 'device')} are too few for intervals, which need "
            f"{FEWEST_MEMBERS}"
        )
    return ". ".join(part[:1].upper() + part[1:] for part in parts) + "."
