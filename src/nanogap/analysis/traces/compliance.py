"""Points at which the instrument limited the current, where the file does not flag them.

A source-measure unit in compliance holds the current at its limit although the programmed voltage
goes on rising, so V/I there is no resistance of the device. Such a limit is a plateau of the
current at its largest value, over a range of voltages in which the current of any contact would
change, and with sharp ends: a rounded maximum widens as the square root of the tolerance with
which it is looked for, a plateau hardly.

Every excursion of the voltage from zero and back is looked at by itself, so that a RESET above the
limit of the SET does not hide it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nanogap.analysis.traces.excursions import (
    AT_LIMIT,
    CurvePieces,
    Cutter,
    Excursion,
    excursions,
)
from nanogap.computed import as_traces
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray, FloatArray

#: Scatter of the current on a plateau that is tried, as a part of the limit.
_TOLERANCES = (0.002, 0.01, 0.03)

#: Least range of voltages of a plateau, as a part of its largest voltage, ...
_LEAST_RANGE = 0.05

#: ... and in units of the tolerance: the current of a resistor changes by as much as the voltage.
_RANGE_PER_TOLERANCE = 8.0

#: A plateau may widen by this part when the tolerance is ``_WIDER`` times as large.
_WIDENING = 0.2
_WIDER = 4.0

#: Fewest points of a plateau, and of different voltages on it.
FEWEST_POINTS = 4

#: Path of the voltage over a plateau against its range: up and back is 2, noise is more.
_LONGEST_PATH = 2.5

#: A smaller step is no change of direction, as a part of the range.
_STEP = 1e-4


#: Who says that points were limited.
Origin = Literal["given", "file", "curve", "none"]


@dataclass(frozen=True)
class Compliance:
    """Points at which the instrument limited the current.

    Attributes
    ----------
    limited : ndarray of bool, shape (n_points,)
    current : float or None
        The limit, A; the lower one where the two polarities differ, which is that of the SET.
        None if no point was limited.
    origin : {"given", "file", "curve", "none"}
        Who says so: the user, flags in the file, or a plateau of the curve.
    """

    limited: BoolArray
    current: float | None
    origin: Origin


def find_compliance(
    voltage: ArrayLike,
    current: ArrayLike,
    cycle: ArrayLike | None = None,
    flags: ArrayLike | None = None,
    given: float | None = None,
) -> Compliance:
    """Find the points at which the instrument limited the current.

    Parameters
    ----------
    voltage, current : array_like, shape (n_points,)
        V and A, in order of time; points that are not finite are never limited.
    cycle : array_like of int, shape (n_points,), optional
        Default: all points are one cycle.
    flags : array_like of bool, shape (n_points,), optional
        Points that the file says were limited. They are the answer, also where there are none; by
        default the file does not say.
    given : float, optional
        The limit, A. It holds in every excursion of the voltage whose current does not exceed it.

    Raises
    ------
    DataFormatError
        If the lengths differ.
    SettingsError
        If the limit is not positive.

    Examples
    --------
    >>> volts = np.concatenate([np.linspace(0.0, 1.0, 51), np.linspace(0.98, 0.0, 50)])
    >>> found = find_compliance(volts, np.minimum(volts / 1000.0, 4e-4))
    >>> float(found.current), int(found.limited.sum()), found.origin
    (0.0004, 61, 'curve')
    >>> find_compliance(volts, volts / 1000.0).current is None
    True
    """
    volts, amperes = as_traces(voltage=voltage, current=current)
    numbers = np.zeros(len(volts)) if cycle is None else as_traces(voltage=volts, cycle=cycle)[1]
    marked = np.zeros(len(volts), dtype=bool)
    if flags is not None:
        marked |= as_traces(voltage=volts, compliance=flags)[1].astype(bool)
    need_limit(given)
    if given is None and flags is not None:
        limit = _lower(volts, amperes, marked) if marked.any() else None
        return Compliance(marked, limit, "file" if marked.any() else "none")
    thresholds = limit_thresholds(lambda: [(volts, amperes, numbers)], given)
    (limited,) = limited_pieces(lambda: [(volts, amperes, numbers)], thresholds)
    if given is not None:
        marked |= limited
        return Compliance(marked, given if marked.any() else None, "given")
    if not limited.any():
        return Compliance(limited, None, "none")
    return Compliance(limited, _lower(volts, amperes, limited), "curve")


def need_limit(given: float | None) -> None:
    """Refuse a limit that is no positive current.

    Raises
    ------
    SettingsError
        If it is none.
    """
    if given is not None and not (np.isfinite(given) and given > 0.0):
        raise SettingsError(f"compliance is {given} A; it must be a positive current")


@dataclass(frozen=True)
class LimitThresholds:
    """Size of the current from which the points of a curve are limited.

    Attributes
    ----------
    largest_voltage : float
        Size of the largest voltage of the curve, V.
    current : ndarray, shape (nexcursions,)
        For every excursion of the voltage, A; infinite where nothing is limited.
    """

    largest_voltage: float
    current: FloatArray


def limit_thresholds(pieces: CurvePieces, given: float | None = None) -> LimitThresholds:
    """Find from which current on the points of a curve are limited, in any number of pieces.

    Parameters
    ----------
    pieces : callable
        Yields voltage (V), current (A) and cycle, in order of time.
    given : float, optional
        The limit, A; see `find_compliance`.
    """
    largest = 0.0
    for volts, amperes, _ in pieces():
        known = np.isfinite(volts) & np.isfinite(amperes)
        largest = max(largest, float(np.abs(volts[known]).max(initial=0.0)))
    if given is not None:
        current = np.array(
            [_stated(one, given) for one in excursions(pieces, largest, given)], dtype=np.float64
        )
        return LimitThresholds(largest, current)
    if _current_driven(pieces):
        return LimitThresholds(largest, np.zeros(0))
    return LimitThresholds(largest, _seen(excursions(pieces, largest)))


def limited_pieces(pieces: CurvePieces, thresholds: LimitThresholds) -> Iterator[BoolArray]:
    """Yield which points of every piece are limited."""
    cutter = Cutter(thresholds.largest_voltage)
    none = not len(thresholds.current) or not np.isfinite(thresholds.current).any()
    number = -1
    for volts, amperes, cycles in pieces():
        limited = np.zeros(len(volts), dtype=bool)
        if not none:
            used, begins = cutter.cut(volts, amperes, cycles)
            numbers = number + np.cumsum(begins)
            number = int(numbers[-1]) if len(numbers) else number
            limited[used] = np.abs(amperes[used]) >= thresholds.current[numbers]
        yield limited


def _stated(excursion: Excursion, limit: float) -> float:
    """Return the current from which a stated limit holds; none if it is plainly exceeded."""
    free = excursion.above > max(2, 0.1 * excursion.reached)
    return np.inf if free else AT_LIMIT * limit


def _lower(volts: FloatArray, amperes: FloatArray, limited: BoolArray) -> float | None:
    """Return the limit; of two polarities the lower one."""
    size = np.abs(amperes)
    known = limited & np.isfinite(size)
    sides = [size[known & (side * volts > 0.0)] for side in (1.0, -1.0)]
    enough = [side for side in sides if len(side) >= FEWEST_POINTS] or [size[known]]
    return min((float(np.median(side)) for side in enough if len(side)), default=None)


def _seen(found_excursions: Iterable[Excursion]) -> FloatArray:
    """Thresholds of excursions with a plateau, and of others that end at the same limit."""
    thresholds: list[float] = []
    levels: dict[float, dict[tuple[float, float], None]] = {1.0: {}, -1.0: {}}
    without: list[tuple[int, float, float]] = []
    for number, excursion in enumerate(found_excursions):
        found = _plateau(*excursion.sizes())
        thresholds.append(np.inf)
        if found is None:
            without.append((number, excursion.side, excursion.top))
            continue
        level, tolerance = found
        thresholds[-1] = level * (1.0 - tolerance)
        levels[excursion.side][found] = None
    known = {side: np.array(list(found)).reshape(-1, 2) for side, found in levels.items()}
    for number, side, top in without:
        # a sweep that reaches the limit at its very end has too few points for a plateau
        sizes, tolerances = known[side].T
        near = np.abs(top - sizes) <= tolerances * sizes
        if near.any():
            first = int(np.argmax(near))
            thresholds[number] = float(sizes[first] * (1.0 - tolerances[first]))
    return np.array(thresholds, dtype=np.float64)


def _plateau(volts: FloatArray, amperes: FloatArray) -> tuple[float, float] | None:
    """Level of the plateau at the top of one excursion and its tolerance; None if there is none.

    Both arrays are sizes.
    """
    if len(volts) < FEWEST_POINTS or not amperes.max() > 0.0:
        return None
    if float(np.ptp(volts)) < _LEAST_RANGE * float(volts.min()):
        return None  # constant
    for tolerance in _TOLERANCES:
        level = _crowded(amperes, tolerance)
        run = _longest_run(volts, amperes >= level * (1.0 - tolerance))
        wider = _longest_run(volts, amperes >= level * (1.0 - _WIDER * tolerance))
        inside = volts[run]
        extent, wide = float(np.ptp(inside)), float(np.ptp(volts[wider]))
        least = max(_LEAST_RANGE, _RANGE_PER_TOLERANCE * tolerance) * float(inside.max())
        # an ohmic contact that leaves the limit falls by the tolerance within as much of a voltage
        allowed = max(_WIDENING * extent, 2.0 * _WIDER * tolerance * float(inside.min()))
        if (
            len(inside) >= FEWEST_POINTS
            and extent >= least
            and wide - extent <= allowed
            and float(np.abs(np.diff(inside)).sum()) <= _LONGEST_PATH * extent
            and len(np.unique(np.round(inside / extent * 50.0))) >= FEWEST_POINTS
            and extent > 3.0 * _longest_tread(volts, amperes, level * (1.0 - _WIDER * tolerance))
        ):
            return level, tolerance
    return None


def _crowded(amperes: FloatArray, tolerance: float) -> float:
    """Median of the current that most of the largest readings share.

    The first readings of a SET may overshoot the limit.
    """
    ordered = np.sort(amperes)[::-1]
    tops = ordered[: max(3, len(ordered) // 50)]
    ends = np.searchsorted(-ordered, -tops * (1.0 - tolerance), side="right")
    first = int(np.argmax(ends - np.arange(len(tops))))
    return float(np.median(ordered[first : ends[first]]))


def _longest_run(volts: FloatArray, inside: BoolArray) -> slice:
    """Stretch of consecutive points inside that spans the most volts."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    runs = [slice(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
    return max(runs, key=lambda run: float(np.ptp(volts[run])))


def _longest_tread(volts: FloatArray, amperes: FloatArray, below: float) -> float:
    """Longest range of voltages with equal readings below the plateau, V.

    Coarse digits make every curve a staircase, whose last tread is no limit.
    """
    inside = (amperes >= 0.5 * below) & (amperes < below)
    same = inside[1:] & inside[:-1] & (np.diff(amperes) == 0.0)
    if not same.any():
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], same.astype(np.int8), [0]])))
    return max(float(np.ptp(volts[begin : end + 1])) for begin, end in edges.reshape(-1, 2))


def _current_driven(pieces: CurvePieces) -> bool:
    """Whether the current was the programmed quantity: it turns far more rarely."""
    ranges = np.array([[np.inf, -np.inf], [np.inf, -np.inf]])
    for both in _known(pieces):
        if both.shape[1]:
            ranges[:, 0] = np.minimum(ranges[:, 0], both.min(axis=1))
            ranges[:, 1] = np.maximum(ranges[:, 1], both.max(axis=1))
    extent = ranges[:, 1] - ranges[:, 0]
    turns = np.zeros(2, dtype=np.int64)
    last, way = np.zeros((2, 0)), np.zeros(2)
    for both in _known(pieces):
        joined = np.concatenate([last, both], axis=1)
        last = joined[:, -1:]
        for i, steps in enumerate(np.diff(joined, axis=1)):
            ways = np.sign(steps[np.abs(steps) > _STEP * extent[i]])
            if len(ways):
                turns[i] += np.count_nonzero(np.diff(ways)) + bool(way[i] and way[i] != ways[0])
                way[i] = ways[-1]
    return bool(turns[0] > 5 * (turns[1] + 2))


def _known(pieces: CurvePieces) -> Iterator[FloatArray]:
    """Yield voltages and currents that are both finite, shape (2, n_points)."""
    for volts, amperes, _ in pieces():
        both = np.stack([volts, amperes])
        yield both[:, np.isfinite(both).all(axis=0)]
