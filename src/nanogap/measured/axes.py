"""Axes along which the devices of a measurement differ, as their data say it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.analysis.grouping import AxisValue, ByAxis, Grouping, ordered
from nanogap.errors import SettingsError
from nanogap.measured.histogram_rows import HistogramGroup, peak_rows
from nanogap.typing import FloatArray

if TYPE_CHECKING:
    from nanogap.measured.files import Trace

#: Quantities of a device: name, unit and what was found, one number or several.
Quantities: TypeAlias = Iterable[tuple[str, str, ArrayLike]]

#: Value that stands for all devices together, where there is no axis.
ALL = "all devices"

#: Probability inside the bands of histograms by an axis.
_LEVEL = 0.95

#: Conductance from which on a reading is one of a contact, G0.
CONTACT = 0.5

#: Settings that the devices of one device directory do not share.
_OF_EACH = ("seed", "circuit", "protocol.cycles")


def varied_axes(dataset: xr.Dataset) -> list[str]:
    """Return the names of what a campaign varied between the devices of a measurement."""
    try:
        found = json.loads(str(dataset.attrs.get("axes", "[]")))
    except ValueError:
        return []
    names = [str(name) for name in found] if isinstance(found, list) else []
    return [name for name in names if _over_sources(dataset, name)]


def axis_value(dataset: xr.Dataset, axis: str | None) -> AxisValue:
    """Return the value of an axis for the one source of a measurement dataset.

    It is a coordinate of what a campaign collected; of a device directory any setting is. Without
    an axis it is `ALL`.

    Raises
    ------
    SettingsError
        If the data do not say it; the sentence names the axes that there are.
    """
    if axis is None:
        return ALL
    if axis in varied_axes(dataset):
        return plain_value(dataset[axis].to_numpy()[0].item())
    settings = _settings(dataset)
    found = _looked_up(settings, axis)
    if found is not None and not _differs(settings, axis):
        return plain_value(found)
    name = str(dataset["file_name"].to_numpy()[0])
    there = varied_axes(dataset)
    if there:
        raise SettingsError(
            f"`by={axis}`: the campaign of {name} did not vary that; it varied {', '.join(there)}"
        )
    if settings:
        raise SettingsError(
            f"`by={axis}`: {name} has no such setting for each of its devices; take one that its "
            "settings name, such as protocol.rate or medium.name"
        )
    raise SettingsError(
        f"`by={axis}`: {name} does not say what was varied; campaigns and device directories do"
    )


def _over_sources(dataset: xr.Dataset, name: str) -> bool:
    return name in dataset.coords and dataset[name].dims == ("source",)


def plain_value(value: Any) -> AxisValue:
    """Return a value of a setting as one of an axis: a number as such, anything else in words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, str) else json.dumps(value)


def _settings(dataset: xr.Dataset) -> Mapping[str, Any]:
    """Return the settings of a device directory as a nested table; empty where there are none."""
    try:
        found = json.loads(str(dataset.attrs.get("settings", "{}")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _looked_up(settings: Mapping[str, Any], axis: str) -> object:
    """Return a setting by its dotted key; None if there is none, or it is a section."""
    found: Any = settings
    for part in axis.split("."):
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    return None if isinstance(found, dict) else found


def _differs(settings: Mapping[str, Any], axis: str) -> bool:
    """Whether the devices of a directory of several may each have another value."""
    several = settings.get("devices", {}).get("number", 1) != 1
    return several and any(axis == one or axis.startswith(f"{one}.") for one in _OF_EACH)


class GroupedByAxis(ABC):
    """Results of many traces that can be grouped by what was varied between their devices.

    Attributes
    ----------
    axis : str or None
        What `by` groups by.
    """

    axis: str | None

    @abstractmethod
    def _quantities(self) -> Iterator[tuple["Trace", Quantities]]:
        """Yield each trace with what was found in it."""

    def grouping(self, axis: str | None = None) -> Grouping:
        """Group what was found by the values of an axis; without one, all devices together.

        Raises
        ------
        SettingsError
            If the data do not say the axis.
        """
        by = ByAxis(axis or ALL)
        for trace, quantities in self._quantities():
            value = axis_value(trace.dataset, axis)
            for quantity, unit, found in quantities:
                by.add(value, trace.device, quantity, unit, found)
        return by.grouping()

    @property
    def by(self) -> Grouping | None:
        """Groups by the values of `axis`; None without one."""
        return None if self.axis is None else self.grouping(self.axis)


class HistogramsByAxis:
    """Counts conductances by the values of an axis, device by device.

    Parameters
    ----------
    axis : str or None
        None: all devices together.
    new : callable
        Makes an empty histogram.
    """

    def __init__(self, axis: str | None, new: Callable[[], ConductanceHistogram]) -> None:
        self._axis, self._by, self._new = axis, ByAxis(axis or ALL), new
        self._histograms: dict[AxisValue, ConductanceHistogram] = {}
        self._devices: dict[AxisValue, int] = {}
        self._points: dict[AxisValue, int] = {}

    def add(self, dataset: xr.Dataset, name: str, conductance: FloatArray) -> None:
        """Count the conductances of one device, G0; NaN do not count.

        Raises
        ------
        SettingsError
            If its data do not say the value of the axis.
        """
        value = axis_value(dataset, self._axis)
        histogram = self._histograms.setdefault(value, self._new())
        device = self._devices.get(value, 0)
        self._devices[value] = device + 1
        known = conductance[np.isfinite(conductance)]
        self._points[value] = self._points.get(value, 0) + len(known)
        # a missing point of every device: one without a reading is a device all the same
        counted = np.append(known, np.nan)
        histogram.add(counted, cycle=np.full(len(counted), device))
        contact = known >= CONTACT
        share = [float(contact.mean())] if len(known) else []
        limit = f"{CONTACT:g} G0"
        self._by.add(value, name, f"part of the readings above {limit}", "", share)
        self._by.add(value, name, f"mean conductance above {limit}", "G0", known[contact])

    def grouping(self) -> Grouping:
        """Group the contacts of the devices."""
        return self._by.grouping()

    def groups(self) -> list[HistogramGroup]:
        """Return the histogram at each value."""
        return [self._group(value) for value in ordered(list(self._histograms))]

    def _group(self, value: AxisValue) -> HistogramGroup:
        histogram, devices = self._histograms[value], self._devices[value]
        low = high = None
        if devices >= FEWEST_MEMBERS:
            low, high = (one.tolist() for one in histogram.band(_LEVEL, method="bootstrap"))
        return HistogramGroup(
            value=value,
            devices=devices,
            n_points=self._points[value],
            edges=histogram.edges.tolist(),
            counts=histogram.counts.tolist(),
            low=low,
            high=high,
            peaks=peak_rows(histogram) if devices >= FEWEST_MEMBERS else [],
        )
