"""Direction and cycle of every point of a sweep, from what the source did."""

from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from nanogap.typing import FloatArray, Int64Array

#: A reversal smaller than this part of the range is noise.
_REVERSAL = 0.1

#: A source that varies by less than this part of its largest value is constant.
_CONSTANT = 0.05


#: The range of white noise is about ten of its standard deviations, even in a million points.
_MERE_NOISE = 12.0


def sweep_source(voltage: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return the voltage or the current: whichever was swept, the other being the answer.

    A source follows its programme: it turns rarely. A reading has noise and jumps.
    """
    volts, amperes = np.asarray(voltage, dtype=float), np.asarray(current, dtype=float)
    measure = _spread if min(_spread(volts), _spread(amperes)) <= _CONSTANT else _roughness
    return volts if measure(volts) <= measure(amperes) else amperes


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
    # one jump back at the end of every sweep is no roughness: ask the middle of the distribution
    return float(np.quantile(second, 0.75) + 1e-3 * second.mean())


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
    return np.asarray(_zigzag(values, _REVERSAL * float(np.ptp(values))), dtype=np.int64)


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
    steady = extent <= _CONSTANT * float(np.abs(values).max(initial=0.0))
    if count < 3 or steady or extent < _MERE_NOISE * _scatter(values):
        return direction, np.zeros(count, dtype=np.int64)
    turns = turning_points(values)
    tolerance = 0.5 * _REVERSAL * extent
    first_way = np.sign(values[turns[1]] - values[turns[0]])
    starts = []
    begin = 0
    for low, high in pairwise(turns):
        way = np.sign(values[high] - values[low])
        if high - low > 1 or high == turns[-1]:
            # a jump back within one point belongs to the ramp that follows
            direction[begin : high + 1] = way
            begin = int(high) + 1
        else:
            begin = int(high)
        if way != first_way:
            continue
        start = _start(values[low : high + 1] * way, float(values[0] * way), tolerance)
        if start is not None:
            starts.append(int(low) + start)
    # a sweep that ends where it began has not begun again
    while len(starts) > 1 and np.ptp(values[starts[-1] :]) <= tolerance:
        starts.pop()
    return direction, np.searchsorted(starts[1:], np.arange(count), side="right")


def _scatter(values: FloatArray) -> float:
    """Estimate white noise on top of a ramp from the differences of neighbours."""
    steps = np.diff(values)
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2.0))


def _start(rising: FloatArray, beginning: float, tolerance: float) -> int | None:
    """Place where a rising run passes the beginning of the cycle; None if it does not."""
    if rising[0] >= beginning - tolerance:
        return 0 if rising[0] <= beginning + tolerance else None
    passed = np.flatnonzero(rising >= beginning)
    return int(passed[0]) if len(passed) else None


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


@njit(cache=True)  # type: ignore[untyped-decorator]
def _zigzag(values: FloatArray, reversal: float) -> list[int]:  # pragma: no cover
    """Extremes that are followed by a reversal."""
    turns = [0]
    low = high = 0
    way = 0
    for i in range(1, len(values)):
        if values[i] > values[high]:
            high = i
        if values[i] < values[low]:
            low = i
        if way >= 0 and values[high] - values[i] > reversal:
            if way > 0 or high > 0:
                turns.append(high)
            way = -1
            low = i
            high = i
        elif way <= 0 and values[i] - values[low] > reversal:
            if way < 0 or low > 0:
                turns.append(low)
            way = 1
            low = i
            high = i
    if turns[-1] != len(values) - 1:
        turns.append(len(values) - 1)
    return turns
