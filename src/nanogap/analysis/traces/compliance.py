"""Points at which the instrument limited the current, where the file does not flag them.

A source-measure unit in compliance holds the current at its limit although the programmed voltage
goes on rising, so V/I there is no resistance of the device. Such a limit is a plateau of the
current at its largest value, over a range of voltages in which the current of any contact would
change, and with sharp ends: a rounded maximum widens as the square root of the tolerance with
which it is looked for, a plateau hardly.

Every excursion of the voltage from zero and back is looked at by itself, so that a RESET above the
limit of the SET does not hide it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
_FEWEST = 4

#: Path of the voltage over a plateau against its range: up and back is 2, noise is more.
_LONGEST_PATH = 2.5

#: A reading above a stated limit by more than this part shows that it was not in force.
_ABOVE = 0.05

#: Part of a stated limit from which a current is at it.
_AT_LIMIT = 0.99


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
    origin: Literal["given", "file", "curve", "none"]


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
        Points that the file says were limited. If there are any, they are the answer.
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
    if given is not None and not (np.isfinite(given) and given > 0.0):
        raise SettingsError(f"compliance is {given} A; it must be a positive current")
    volts, amperes = as_traces(voltage=voltage, current=current)
    numbers = np.zeros(len(volts)) if cycle is None else as_traces(voltage=volts, cycle=cycle)[1]
    marked = np.zeros(len(volts), dtype=bool)
    if flags is not None:
        marked |= as_traces(voltage=volts, compliance=flags)[1].astype(bool)
    if given is not None:
        for points in _excursions(volts, amperes, numbers):
            marked[points] |= _at(np.abs(amperes[points]), given)
        return Compliance(marked, given if marked.any() else None, "given")
    if marked.any():
        return Compliance(marked, _lower(volts, amperes, marked), "file")
    limited = _seen(volts, amperes, numbers)
    if not limited.any():
        return Compliance(limited, None, "none")
    return Compliance(limited, _lower(volts, amperes, limited), "curve")


def _at(amperes: FloatArray, limit: float) -> BoolArray:
    """Points at a stated limit; none where more than overshoots exceed it, as in a free RESET."""
    reached = amperes >= _AT_LIMIT * limit
    above = int((amperes > (1.0 + _ABOVE) * limit).sum())
    if above > max(2, 0.1 * reached.sum()):
        return np.zeros(len(amperes), dtype=bool)
    return reached


def _lower(volts: FloatArray, amperes: FloatArray, limited: BoolArray) -> float | None:
    """Return the limit; of two polarities the lower one."""
    size = np.abs(amperes)
    known = limited & np.isfinite(size)
    sides = [size[known & (side * volts > 0.0)] for side in (1.0, -1.0)]
    enough = [side for side in sides if len(side) >= _FEWEST] or [size[known]]
    return min((float(np.median(side)) for side in enough if len(side)), default=None)


def _excursions(
    volts: FloatArray, amperes: FloatArray, cycles: FloatArray
) -> list[NDArray[np.int64]]:
    """Cut where the cycle or the sign of the voltage changes, and where it jumps back."""
    used = np.flatnonzero(np.isfinite(volts) & np.isfinite(amperes) & (volts != 0.0))
    if not len(used):
        return []
    size, sign = np.abs(volts[used]), np.sign(volts[used])
    fall = -np.diff(size)
    cut = (np.diff(cycles[used]) != 0) | (np.diff(sign) != 0)
    cut |= (fall > 0.5 * float(size.max())) | (np.diff(used) > 1) & (size[1:] < 0.05 * size.max())
    return np.split(used, np.flatnonzero(cut) + 1)


def _seen(volts: FloatArray, amperes: FloatArray, cycles: FloatArray) -> BoolArray:
    """Points on plateaus, and points of other excursions that end at the same limit."""
    limited = np.zeros(len(volts), dtype=bool)
    if _current_driven(volts, amperes):
        return limited
    levels: dict[float, list[tuple[float, float]]] = {1.0: [], -1.0: []}
    without: list[NDArray[np.int64]] = []
    for points in _excursions(volts, amperes, cycles):
        size = np.abs(amperes[points])
        found = _plateau(np.abs(volts[points]), size)
        if found is None:
            without.append(points)
            continue
        level, tolerance = found
        limited[points] = size >= level * (1.0 - tolerance)
        levels[float(np.sign(volts[points[0]]))].append(found)
    for points in without:
        # a sweep that reaches the limit at its very end has too few points for a plateau
        size = np.abs(amperes[points])
        top = float(size.max())
        for level, tolerance in levels[float(np.sign(volts[points[0]]))]:
            if abs(top - level) <= tolerance * level:
                limited[points] |= size >= level * (1.0 - tolerance)
                break
    return limited


def _plateau(volts: FloatArray, amperes: FloatArray) -> tuple[float, float] | None:
    """Level of the plateau at the top of one excursion and its tolerance; None if there is none.

    Both arrays are sizes.
    """
    if len(volts) < _FEWEST or not amperes.max() > 0.0:
        return None
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
            len(inside) >= _FEWEST
            and extent >= least
            and wide - extent <= allowed
            and float(np.abs(np.diff(inside)).sum()) <= _LONGEST_PATH * extent
            and len(np.unique(np.round(inside / extent * 50.0))) >= _FEWEST
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


def _current_driven(volts: FloatArray, amperes: FloatArray) -> bool:
    """Whether the current was the programmed quantity: it turns far more rarely."""
    known = np.isfinite(volts) & np.isfinite(amperes)
    return _turns(volts[known]) > 5 * (_turns(amperes[known]) + 2)


def _turns(values: FloatArray) -> int:
    """Count the changes of direction, but for steps of a ten thousandth of the range."""
    if len(values) < 3:
        return 0
    steps = np.diff(values)
    way = np.sign(steps[np.abs(steps) > 1e-4 * float(np.ptp(values))])
    return int(np.count_nonzero(np.diff(way)))
