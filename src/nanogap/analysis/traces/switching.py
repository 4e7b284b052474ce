"""SET and RESET events in current-voltage loops, and the two states between them.

A loop is cut into legs: outward, away from zero volts, and back. On an outward leg the conductance
I/V rises suddenly at a SET and falls suddenly at a RESET; the change has to last to the end of the
leg. The voltage of an event is that of the first point in the new state.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from nanogap.analysis.traces.compliance import Compliance, find_compliance
from nanogap.analysis.traces.legs import BESIDE, Leg, lasting_step, legs, need_sweep
from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, quantity
from nanogap.typing import BoolArray, FloatArray

#: Part of the largest voltage below which I/V is noise.
_NEAR_ZERO = 0.05

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
        Compliance current, A. Default: as flagged in the data, or found; see
        `nanogap.analysis.traces.compliance`.
    """

    _has_figure = True

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
        limit: Compliance | None = None,
    ) -> Self:
        """Analyse the loops.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A, in order of time.
        cycle : array_like of int, shape (n_points,)
        compliance : array_like of bool, shape (n_points,), optional
            Points that the instrument limited.
        limit : Compliance, optional
            The same where it was found before; then nothing is sought.

        Raises
        ------
        DataFormatError
            If the voltage was not swept, no current is known, or the lengths differ.
        """
        volts, amperes, numbers = as_traces(voltage=voltage, current=current, cycle=cycle)
        if not np.isfinite(numbers).all():
            raise DataFormatError("switching needs the cycle of every point; some have none")
        cycles = numbers.astype(np.int64)
        need_sweep(volts)
        if not np.isfinite(amperes).any():
            raise DataFormatError("switching needs currents; no current here is a number")
        if limit is None:
            limit = find_compliance(volts, amperes, cycles, compliance, self._given)
        self._ceiling, self._limited = limit.current, limit.limited
        self._floor = floor = _current_noise(amperes)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log10(np.maximum(np.abs(amperes), floor) / np.abs(volts))
        near = _NEAR_ZERO * float(np.nanmax(np.abs(volts)))
        events: list[SwitchingEvent] = []
        for number in np.unique(cycles):
            places = np.flatnonzero((cycles == number) & np.isfinite(volts) & np.isfinite(amperes))
            for leg in legs(volts, places, near):
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

    def _found(self) -> Rows:
        yield "loops", counted(self._states.sizes["cycle"], "cycle")
        for event in self._events:
            if event.kind == "forming":
                yield "forming", quantity(event.voltage, "V")
        for name, volts in (("SET", self.set_voltages), ("RESET", self.reset_voltages)):
            yield name, f"{len(volts)}, median {_median(volts, 'V')}" if len(volts) else "none"
        for name, key in (("high state", "high_resistance"), ("low state", "low_resistance")):
            told = _median(self._states[key].to_numpy(), "ohm")
            yield name, f"median {told} at {quantity(self._read, 'V')}"
        limit = self._ceiling
        yield "compliance", "none seen" if limit is None else quantity(limit, "A")

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
        """``high_resistance`` and ``low_resistance`` at the read voltage over ``cycle``, ohm.

        NaN where a state was not read. A low state that the compliance of the SET hides is read at
        the opposite voltage, before the RESET.
        """
        return self._states

    @property
    @after_compute
    def orientation(self) -> str:
        """Way the loop is run through at positive voltage: clockwise, anticlockwise or none."""
        if abs(self._area) < _NARROW:
            return "none"
        return "anticlockwise" if self._area > 0.0 else "clockwise"

    def _of_leg(
        self, leg: Leg, volts: FloatArray, amperes: FloatArray, logs: FloatArray, cycle: int
    ) -> list[SwitchingEvent]:
        """Find the largest lasting rise and fall of an outward leg."""
        y = logs[leg.points]
        if len(y) < 2 * BESIDE:
            return []
        found = []
        for kind, sign in (("set", 1.0), ("reset", -1.0)):
            step = lasting_step(sign * y, self._decades)
            if step is None:
                continue
            place, before, after = step[0], sign * step[1], sign * step[2]
            conducting = slice(place, place + BESIDE) if kind == "set" else slice(0, place)
            if np.median(np.abs(amperes[leg.points[conducting][-BESIDE:]])) <= self._floor:
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

    def _moved(self, kind: str, leg: Leg, y: FloatArray, place: int, middle: float) -> int:
        """Place of the event by the chosen method."""
        if self._method == "compliance" and kind == "set":
            limited = np.flatnonzero(self._limited[leg.points])
            return int(limited[0]) if len(limited) else place
        if self._method == "threshold":
            side = y > middle if kind == "set" else y < middle
            around = np.flatnonzero(side[max(0, place - BESIDE) :])
            return max(0, place - BESIDE) + int(around[0]) if len(around) else place
        return place

    def _read_states(
        self, volts: FloatArray, amperes: FloatArray, cycles: NDArray[np.int64], near: float
    ) -> xr.Dataset:
        """Resistances at the read voltage on the two legs of the side of the SET."""
        sets = [event.voltage for event in self._events if event.kind != "reset"]
        side = -1 if sets and float(np.median(sets)) < 0.0 else 1
        numbers = np.unique(cycles)
        # rows: outward and return leg on the side of the SET, then those of the other side
        table = np.full((4, len(numbers)), np.nan)
        for row, number in enumerate(numbers):
            places = np.flatnonzero((cycles == number) & np.isfinite(volts) & np.isfinite(amperes))
            for leg in legs(volts, places, min(near, 0.5 * self._read)):
                points = leg.points[~self._limited[leg.points]]
                if len(points) < 2:
                    continue
                v, i = np.abs(volts[points]), np.abs(amperes[points])
                order = np.argsort(v, kind="stable")
                if not v[order[0]] <= self._read <= v[order[-1]]:
                    continue
                at_read = float(np.interp(self._read, v[order], i[order]))
                place = (0 if leg.outward else 1) + (0 if leg.polarity == side else 2)
                table[place, row] = self._read / at_read if at_read else np.inf
        high, low = self._told_apart(table[:2], numbers, side)
        if self._limited.any():
            # the limit of the SET hides the low state, which is there until the RESET
            other = np.fmin(table[2], table[3])
            lower = np.isnan(low) & ~(other >= high)
            low[lower] = other[lower]
        return xr.Dataset(
            {
                "high_resistance": ("cycle", _finite(high), {"units": "ohm"}),
                "low_resistance": ("cycle", _finite(low), {"units": "ohm"}),
            },
            coords={"cycle": numbers},
            attrs={"read_voltage": side * self._read},
        )

    def _told_apart(
        self, table: FloatArray, numbers: NDArray[np.int64], side: int
    ) -> tuple[FloatArray, FloatArray]:
        """High and low resistances from those of the outward and the return leg.

        Where one of them could not be read the other is that of the high state on the way out and
        of the low one on the way back, unless a RESET was found between them.
        """
        high, low = np.fmax(*table), np.fmin(*table)
        reset = {
            event.cycle
            for event in self._events
            if event.kind == "reset" and event.voltage * side > 0.0
        }
        for row in np.flatnonzero(np.isnan(table).sum(axis=0) == 1):
            outward = bool(np.isnan(table[1, row]))
            is_high = outward != (int(numbers[row]) in reset)
            (low if is_high else high)[row] = np.nan
        return high, low


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)


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


def _median(values: FloatArray, unit: str) -> str:
    """Write the median of the values that are known."""
    known = values[np.isfinite(values)]
    return quantity(float(np.median(known)) if len(known) else None, unit)
