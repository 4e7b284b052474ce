"""SET and RESET events in current-voltage loops, and the two states between them.

A loop is cut into legs: outward, away from zero volts, and back. On an outward leg the conductance
I/V rises suddenly at a SET and falls suddenly at a RESET; the change has to last to the end of the
leg. The voltage of an event is that of the first point in the new state.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.typing import BoolArray, FloatArray

#: Part of the largest voltage below which I/V is noise.
_NEAR_ZERO = 0.05

#: Points on either side of a step whose medians are compared.
_BESIDE = 4

#: Currents below so many standard deviations of the noise say nothing.
_NOISE = 5.0

#: A loop whose area is a smaller part of that under its curves is a line.
_NARROW = 0.02

#: A forming needs more voltage than the median SET by so many robust standard deviations.
_FORMING = 3.5


@dataclass(frozen=True)
class SwitchingEvent:
    """A switch.

    Attributes
    ----------
    kind : {"set", "reset", "forming"}
    cycle, index : int
        Cycle, and point of the data.
    voltage, current : float
        Of the first point in the new state, V and A.
    ratio : float
        Conductance after over conductance before.
    """

    kind: str
    cycle: int
    index: int
    voltage: float
    current: float
    ratio: float


@dataclass(frozen=True)
class _Leg:
    points: NDArray[np.int64]
    polarity: int
    outward: bool


class SwitchingAnalysis(Analysis):
    """Find the events and the states of current-voltage loops of one device.

    Parameters
    ----------
    read_voltage : float
        Where the states are read, V; its sign follows that of the SET.
    minimum_ratio : float
        Least ratio of conductances of an event, above 1.
    method : {"steepest", "threshold", "compliance"}
        Where in a change the event is: at its steepest point, where it crosses the geometric mean
        of the two states, or for a SET where the instrument enters compliance.
    compliance : float, optional
        Compliance current, A. Default: as flagged in the data, or found as a ceiling of the
        current that many points share.
    """

    def __init__(
        self,
        read_voltage: float = 0.4,
        minimum_ratio: float = 3.0,
        method: Literal["steepest", "threshold", "compliance"] = "steepest",
        compliance: float | None = None,
    ) -> None:
        if not (np.isfinite(read_voltage) and read_voltage != 0.0):
            raise SettingsError(f"read voltage is {read_voltage} V; it must not be zero")
        if not (np.isfinite(minimum_ratio) and minimum_ratio > 1.0):
            raise SettingsError(f"minimum ratio is {minimum_ratio}; it must be above 1")
        if method not in {"steepest", "threshold", "compliance"}:
            raise SettingsError(f"method {method!r} is none of steepest, threshold, compliance")
        if compliance is not None and not (np.isfinite(compliance) and compliance > 0.0):
            raise SettingsError(f"compliance is {compliance} A; it must be positive")
        self._read, self._decades = abs(float(read_voltage)), float(np.log10(minimum_ratio))
        self._method, self._given = method, compliance

    def compute(
        self,
        voltage: ArrayLike,
        current: ArrayLike,
        cycle: ArrayLike,
        compliance: ArrayLike | None = None,
    ) -> Self:
        """Analyse the loops.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A, in order of time.
        cycle : array_like of int, shape (n_points,)
        compliance : array_like of bool, shape (n_points,), optional
            Points that the instrument limited.

        Raises
        ------
        DataFormatError
            If the voltage was not swept, no current is known, or the lengths differ.
        """
        volts, amperes, numbers = as_traces(voltage=voltage, current=current, cycle=cycle)
        if not np.isfinite(numbers).all():
            raise DataFormatError("switching needs the cycle of every point; some have none")
        cycles = numbers.astype(np.int64)
        if not np.isfinite(volts).any() or not np.ptp(volts[np.isfinite(volts)]) > 0.0:
            raise DataFormatError("switching needs a voltage sweep; here the voltage is constant")
        if not np.isfinite(amperes).any():
            raise DataFormatError("switching needs currents; no current here is a number")
        flags = np.zeros(len(volts), dtype=bool)
        if compliance is not None:
            _, limited = as_traces(voltage=volts, compliance=compliance)
            flags |= limited.astype(bool)
        self._ceiling, self._limited = _compliance(amperes, flags, self._given)
        self._floor = floor = _current_noise(amperes)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log10(np.maximum(np.abs(amperes), floor) / np.abs(volts))
        near = _NEAR_ZERO * float(np.nanmax(np.abs(volts)))
        events: list[SwitchingEvent] = []
        for number in np.unique(cycles):
            places = np.flatnonzero((cycles == number) & np.isfinite(volts) & np.isfinite(amperes))
            for leg in _legs(volts, places, near):
                if leg.outward:
                    events += self._of_leg(leg, volts, amperes, logs, int(number))
        self._events = _with_forming(events)
        self._loops = xr.Dataset(
            {
                "voltage": ("point", volts, {"units": "V"}),
                "current": ("point", amperes, {"units": "A"}),
                "cycle": ("point", cycles),
            }
        )
        self._states = self._read_states(volts, amperes, cycles, near)
        self._area = _loop_area(volts, amperes, cycles)
        return self

    @property
    @after_compute
    def loops(self) -> xr.Dataset:
        """Data that were analysed: ``voltage`` (V), ``current`` (A), ``cycle`` over ``point``."""
        return self._loops

    @property
    @after_compute
    def events(self) -> list[SwitchingEvent]:
        """All events in order."""
        return self._events

    @property
    @after_compute
    def set_voltages(self) -> FloatArray:
        """Voltages of the SET events without the forming, V."""
        return np.array([event.voltage for event in self.events if event.kind == "set"])

    @property
    @after_compute
    def reset_voltages(self) -> FloatArray:
        """Voltages of the RESET events, V."""
        return np.array([event.voltage for event in self.events if event.kind == "reset"])

    @property
    @after_compute
    def compliance_current(self) -> float | None:
        """Current at which the instrument limited, A; None if it did not."""
        return self._ceiling

    @property
    @after_compute
    def in_compliance(self) -> BoolArray:
        """Points that the instrument limited, shape (n_points,)."""
        return self._limited

    @property
    @after_compute
    def endurance(self) -> xr.Dataset:
        """``high_resistance`` and ``low_resistance`` at the read voltage over ``cycle``, ohm."""
        return self._states

    @property
    @after_compute
    def orientation(self) -> str:
        """Way the loop is run through at positive voltage: clockwise, anticlockwise or none."""
        if abs(self._area) < _NARROW:
            return "none"
        return "anticlockwise" if self._area > 0.0 else "clockwise"

    def _of_leg(
        self, leg: _Leg, volts: FloatArray, amperes: FloatArray, logs: FloatArray, cycle: int
    ) -> list[SwitchingEvent]:
        """Find the largest lasting rise and fall of an outward leg."""
        y = logs[leg.points]
        if len(y) < 2 * _BESIDE:
            return []
        found = []
        for kind, sign in (("set", 1.0), ("reset", -1.0)):
            place = _lasting_step(sign * y, self._decades)
            if place is None:
                continue
            before = float(np.median(y[max(0, place - _BESIDE) : place]))
            after = float(np.median(y[place : place + _BESIDE]))
            conducting = slice(place, place + _BESIDE) if kind == "set" else slice(0, place)
            if np.median(np.abs(amperes[leg.points[conducting][-_BESIDE:]])) <= self._floor:
                # both states are noise around zero current
                continue
            place = self._moved(kind, leg, y, place, (before + after) / 2.0)
            index = int(leg.points[place])
            found.append(
                SwitchingEvent(
                    kind,
                    cycle,
                    index,
                    float(volts[index]),
                    float(amperes[index]),
                    10.0 ** (after - before),
                )
            )
        return found

    def _moved(self, kind: str, leg: _Leg, y: FloatArray, place: int, middle: float) -> int:
        """Place of the event by the chosen method."""
        if self._method == "compliance" and kind == "set":
            limited = np.flatnonzero(self._limited[leg.points])
            return int(limited[0]) if len(limited) else place
        if self._method == "threshold":
            side = y > middle if kind == "set" else y < middle
            around = np.flatnonzero(side[max(0, place - _BESIDE) :])
            return max(0, place - _BESIDE) + int(around[0]) if len(around) else place
        return place

    def _read_states(
        self, volts: FloatArray, amperes: FloatArray, cycles: NDArray[np.int64], near: float
    ) -> xr.Dataset:
        """Resistances at the read voltage on the two legs of the side of the SET."""
        sets = [event.voltage for event in self._events if event.kind != "reset"]
        side = -1 if sets and float(np.median(sets)) < 0.0 else 1
        numbers = np.unique(cycles)
        table = np.full((2, len(numbers)), np.nan)
        for row, number in enumerate(numbers):
            places = np.flatnonzero((cycles == number) & np.isfinite(volts) & np.isfinite(amperes))
            for leg in _legs(volts, places, min(near, 0.5 * self._read)):
                points = leg.points[~self._limited[leg.points]]
                if leg.polarity != side or len(points) < 2:
                    continue
                v, i = np.abs(volts[points]), np.abs(amperes[points])
                order = np.argsort(v, kind="stable")
                if not v[order[0]] <= self._read <= v[order[-1]]:
                    continue
                at_read = float(np.interp(self._read, v[order], i[order]))
                table[0 if leg.outward else 1, row] = self._read / at_read if at_read else np.inf
        known = np.where(np.isnan(table), [[-np.inf], [np.inf]], table)
        high, low = np.maximum(*known), np.minimum(*known)
        return xr.Dataset(
            {
                "high_resistance": ("cycle", _finite(high), {"units": "ohm"}),
                "low_resistance": ("cycle", _finite(low), {"units": "ohm"}),
            },
            coords={"cycle": numbers},
            attrs={"read_voltage": side * self._read},
        )


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)


def _legs(volts: FloatArray, places: NDArray[np.int64], near: float) -> list[_Leg]:
    """Cut a cycle where the voltage changes sign or turns; points near zero belong to none."""
    used = places[np.abs(volts[places]) >= near]
    if len(used) < 2:
        return []
    size = np.abs(volts[used])
    sign = np.sign(volts[used])
    legs = []
    cuts = np.flatnonzero((sign[1:] != sign[:-1]) | (np.diff(used) > 1)) + 1
    for part in np.split(np.arange(len(used)), cuts):
        peak = part[0] + int(np.argmax(size[part]))
        polarity = int(sign[part[0]])
        if peak - part[0] >= 1:
            legs.append(_Leg(used[part[0] : peak + 1], polarity, outward=True))
        if part[-1] - peak >= 1:
            legs.append(_Leg(used[peak : part[-1] + 1], polarity, outward=False))
    return legs


def _lasting_step(y: FloatArray, decades: float) -> int | None:
    """First point after the largest rise of a leg that lasts to its end; None if there is none."""
    count = len(y)
    windows = np.median(sliding_window_view(y, _BESIDE), axis=1)
    # a step between points k - 1 and k, with a whole window on either side, or less near the ends
    k = np.arange(1, count - 1)
    before = windows[np.clip(k - _BESIDE, 0, len(windows) - 1)]
    after = windows[np.clip(k, 0, len(windows) - 1)]
    for place in (*range(1, _BESIDE), *range(count - _BESIDE + 1, count - 1)):
        before[place - 1] = np.median(y[max(0, place - _BESIDE) : place])
        after[place - 1] = np.median(y[place : place + _BESIDE])
    end = max(_BESIDE, count // 4)
    last = np.full(len(k), np.median(y[-end:]))
    for place in range(count - end, count - 1):
        last[place - 1] = np.median(y[place:])
    rises = np.minimum(after - before, last - before + 0.5 * decades)
    best = int(np.argmax(rises))
    if rises[best] < decades:
        return None
    # the medians are level over a few points: the steepest single step among them is the event
    near = np.arange(max(1, best + 1 - _BESIDE), min(count, best + 2 + _BESIDE))
    return int(near[np.argmax(np.diff(y)[near - 1])])


def _current_noise(amperes: FloatArray) -> float:
    """Level below which a current is noise: five deviations of the weakest fifth of the points."""
    known = amperes[np.isfinite(amperes)]
    if len(known) < 10:
        return 1e-30
    weak = np.sort(np.abs(known))[: max(5, len(known) // 5)]
    difference = np.abs(np.diff(known))
    small = np.abs(known[:-1]) <= weak[-1]
    scatter = float(np.median(difference[small])) if small.any() else 0.0
    return max(float(_NOISE * 1.4826 * scatter / np.sqrt(2.0)), 1e-30)


def _compliance(
    amperes: FloatArray, flags: BoolArray, given: float | None
) -> tuple[float | None, BoolArray]:
    """Find the compliance current and the points at it."""
    size = np.abs(np.nan_to_num(amperes))
    if given is not None:
        return given, flags | (size >= 0.999 * given)
    if flags.any():
        return float(np.median(size[flags])), flags
    top = float(size.max(initial=0.0))
    if top == 0.0:
        return None, flags
    at_top = size >= 0.998 * top
    # a ceiling is held over several neighbouring points; a peak is passed
    runs = np.convolve(at_top.astype(int), np.ones(4, dtype=int), mode="valid")
    if not (runs == 4).any() or at_top.sum() < 8:
        return None, flags
    return float(np.median(size[at_top])), at_top


def _with_forming(events: list[SwitchingEvent]) -> list[SwitchingEvent]:
    """Rename the first SET of the device if it took far more voltage than the others."""
    sets = [event for event in events if event.kind == "set"]
    if len(sets) < 4:
        return events
    others = np.abs([event.voltage for event in sets[1:]])
    middle = float(np.median(others))
    scatter = 1.4826 * float(np.median(np.abs(others - middle)))
    first = sets[0]
    if abs(first.voltage) <= middle + _FORMING * max(scatter, 0.02 * middle):
        return events
    return [
        SwitchingEvent("forming", e.cycle, e.index, e.voltage, e.current, e.ratio)
        if e is first
        else e
        for e in events
    ]


def _loop_area(volts: FloatArray, amperes: FloatArray, cycles: NDArray[np.int64]) -> float:
    """Median over the cycles of the area of the loop at positive voltage over that below it."""
    areas = []
    for number in np.unique(cycles):
        inside = (cycles == number) & (volts > 0.0) & np.isfinite(amperes)
        v, i = volts[inside], amperes[inside]
        if len(v) > 2:
            below = float(np.sum(np.abs(i[1:] * np.diff(v))))
            areas.append(-float(np.trapezoid(i, v)) / below if below else 0.0)
    return float(np.median(areas)) if areas else 0.0
