"""Direction and cycle of every point of a sweep, from what the source did."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import ArrayLike, NDArray

from nanogap.typing import FloatArray, Int64Array

#: A reversal smaller than this part of the range is noise.
REVERSAL = 0.1

#: A source that varies by less than this part of its largest value is constant.
CONSTANT = 0.05


#: Values looked at together.
_READ = 1_000_000

#: The range of white noise is about ten of its standard deviations, even in a million points.
MERE_NOISE = 12.0


def sweep_source(voltage: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return the voltage or the current: whichever was swept, the other being the answer.

    A source follows its programme: it turns rarely. A reading has noise and jumps.
    """
    volts, amperes = np.asarray(voltage, dtype=float), np.asarray(current, dtype=float)
    measures = _spread(volts), _spread(amperes)
    if min(measures) > CONSTANT:
        measures = _roughness(volts), _roughness(amperes)
    return volts if measures[0] <= measures[1] else amperes


def current_swept(dataset: xr.Dataset) -> bool:
    """Whether the current was swept and the voltage read, as the data say or the curves show.

    Parameters
    ----------
    dataset : xarray.Dataset
        With ``voltage`` and ``current``; the attribute ``driven`` of a simulated device decides.
    """
    if "driven" in dataset.attrs:
        return bool(dataset.attrs["driven"] == "current")
    volts, amperes = dataset["voltage"].to_numpy(), dataset["current"].to_numpy()
    return sweep_source(volts, amperes) is amperes


def _spread(values: FloatArray) -> float:
    """Range against the largest absolute value."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max(initial=0.0))
    return float(np.ptp(finite)) / largest if largest > 0.0 else np.inf


def _roughness(values: FloatArray) -> float:
    """Sum of absolute second differences against the range: small for straight ramps."""
    finite = values[np.isfinite(values)]
    if len(finite) < 3 or not np.ptp(finite) > 0.0:
        return np.inf
    second = np.abs(np.diff(finite, 2)) / np.ptp(finite)
    return roughness(float(np.quantile(second, 0.75)), float(second.mean()))


def roughness(upper_quartile: float, mean: float) -> float:
    """Combine what is known of the second differences.

    One jump back at the end of every sweep is no roughness: the middle of the distribution counts.
    """
    return upper_quartile + 1e-3 * mean


def turning_points(source: ArrayLike) -> Int64Array:
    """Find where a sweep turns, the first and the last point among them.

    Parameters
    ----------
    source : array_like, shape (n_points,)
        Voltage or current; NaN points are passed over.

    Returns
    -------
    ndarray of int
        Ascending; between two of them the source goes one way, but for noise below a tenth of
        its range.
    """
    values = _filled(np.asarray(source, dtype=np.float64))
    if len(values) < 2:
        return np.arange(len(values), dtype=np.int64)
    turns = zigzag(values, 0, REVERSAL * float(np.ptp(values)), *new_turns(float(values[0])))
    return np.unique(np.array([0, *turns, len(values) - 1], dtype=np.int64))


def direction_and_cycle(source: ArrayLike) -> tuple[NDArray[np.int8], Int64Array]:
    """Direction of the sweep and number of the cycle, of every point.

    A cycle begins where the source passes its first value in its first direction, whatever the
    shape: 0 to maximum and back, both polarities, or a jump back after every ramp.

    Parameters
    ----------
    source : array_like, shape (n_points,)

    Returns
    -------
    direction : ndarray of int8, shape (n_points,)
        1 up, -1 down, 0 for a constant source.
    cycle : ndarray of int, shape (n_points,)
        From 0.
    """
    values = _filled(np.asarray(source, dtype=np.float64))
    count = len(values)
    direction = np.zeros(count, dtype=np.int8)
    extent = float(np.ptp(values)) if count else 0.0
    steady = extent <= CONSTANT * float(np.abs(values).max(initial=0.0))
    if count < 3 or steady or extent < MERE_NOISE * _scatter(values):
        return direction, np.zeros(count, dtype=np.int64)
    turns = turning_points(values)
    begin = 0
    for low, high in pairwise(turns):
        if high - low > 1 or high == turns[-1]:
            # a jump back within one point belongs to the ramp that follows
            direction[begin : high + 1] = np.sign(values[high] - values[low])
            begin = int(high) + 1
        else:
            begin = int(high)
    starts = cycle_starts(lambda begin, end: values[begin:end], turns, extent)
    return direction, np.searchsorted(starts[1:], np.arange(count), side="right")


def cycle_starts(
    read: Callable[[int, int], FloatArray], turns: Int64Array, extent: float
) -> list[int]:
    """Find where cycles begin.

    Parameters
    ----------
    read : callable
        Returns the source from one place to before another.
    turns : ndarray of int
        See `turning_points`.
    extent : float
        Range of the source.
    """
    tolerance = 0.5 * REVERSAL * extent
    count = int(turns[-1]) + 1
    ends = np.array([float(read(int(place), int(place) + 1)[0]) for place in turns])
    first_way = np.sign(ends[1] - ends[0])
    starts = []
    for i in np.flatnonzero(np.sign(np.diff(ends)) == first_way):
        beginning, value = ends[0] * first_way, ends[i] * first_way
        if value >= beginning - tolerance:
            if value <= beginning + tolerance:
                starts.append(int(turns[i]))
            continue
        for begin in range(int(turns[i]), int(turns[i + 1]) + 1, _READ):
            rising = read(begin, min(begin + _READ, int(turns[i + 1]) + 1)) * first_way
            passed = np.flatnonzero(rising >= beginning)
            if len(passed):
                starts.append(begin + int(passed[0]))
                break
    # a sweep that ends where it began has not begun again
    low, high, end = np.inf, -np.inf, count
    while len(starts) > 1:
        for begin in range(starts[-1], end, _READ):
            part = read(begin, min(begin + _READ, end))
            low, high = min(low, float(part.min())), max(high, float(part.max()))
        if high - low > tolerance:
            break
        end = starts.pop()
    return starts


def _scatter(values: FloatArray) -> float:
    """Estimate white noise on top of a ramp from the differences of neighbours."""
    steps = np.diff(values)
    return scatter_of(float(np.median(np.abs(steps - np.median(steps)))))


def scatter_of(deviation: float) -> float:
    """Return the standard deviation of white noise with this median deviation of its steps."""
    return float(1.4826 * deviation / np.sqrt(2.0))


def _filled(values: FloatArray) -> FloatArray:
    """Replace NaN by the value before it."""
    finite = np.isfinite(values)
    if finite.all():
        return values
    if not finite.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(finite, np.arange(len(values)), -1))
    last[last < 0] = int(np.argmax(finite))
    return np.asarray(values[last], dtype=np.float64)


def new_turns(first: float) -> tuple[FloatArray, Int64Array]:
    """Return the state of `zigzag` before the first value.

    Returns
    -------
    extremes : ndarray, shape (2,)
        Lowest and highest value since the last turn.
    places : ndarray of int, shape (3,)
        Where they are, and the way of the sweep: 1, -1, or 0 if it is not known.
    """
    return np.array([first, first]), np.zeros(3, dtype=np.int64)


@njit(cache=True)  # type: ignore[untyped-decorator]
def zigzag(  # pragma: no cover
    values: FloatArray,
    begin: int,
    reversal: float,
    extremes: FloatArray,
    places: Int64Array,
) -> Int64Array:
    """Extremes that are followed by a reversal, in a piece that begins at some place.

    The state in `extremes` and `places` goes on with the next piece.
    """
    turns = np.empty(len(values), dtype=np.int64)
    count = 0
    for i in range(len(values)):
        value = values[i]
        if value > extremes[1]:
            extremes[1], places[1] = value, begin + i
        if value < extremes[0]:
            extremes[0], places[0] = value, begin + i
        way = places[2]
        turn = -1
        if way >= 0 and extremes[1] - value > reversal:
            turn = places[1]
            places[2] = -1
        elif way <= 0 and value - extremes[0] > reversal:
            turn = places[0]
            places[2] = 1
        if turn >= 0:
            if way != 0 or turn > 0:
                turns[count] = turn
                count += 1
            extremes[0] = extremes[1] = value
            places[0] = places[1] = begin + i
    return turns[:count]
