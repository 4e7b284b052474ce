"""Cycles of sweeps that are too long for memory: as `nanogap.io.sweeps`, piece by piece."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from nanogap.io.sweeps import (
    CONSTANT,
    MERE_NOISE,
    REVERSAL,
    cycle_starts,
    new_turns,
    roughness,
    scatter_of,
    zigzag,
)
from nanogap.spool import Spool, median, quantile
from nanogap.typing import FloatArray, Int64Array


def swept(voltage: Spool, current: Spool) -> Spool:
    """Return the voltage or the current, whichever was swept; see `sweeps.sweep_source`."""
    spreads = [_spread(one) for one in (voltage, current)]
    measures = spreads if min(spreads) <= CONSTANT else [_roughness(voltage), _roughness(current)]
    return voltage if measures[0] <= measures[1] else current


def cycles_of(source: Spool) -> Int64Array:
    """Places where the second and later cycles of a sweep begin; see `direction_and_cycle`."""
    none = np.zeros(0, dtype=np.int64)
    lowest, highest = _ends(source)
    if len(source) < 3 or not np.isfinite(lowest):
        return none
    extent = highest - lowest
    steady = extent <= CONSTANT * max(abs(lowest), abs(highest))
    filled = _filled(source)
    if steady or extent < MERE_NOISE * _scatter(filled):
        return none
    turns = [np.zeros(1, dtype=np.int64)]
    state = new_turns(float(filled.read(0, 1)[0]))
    begin = 0
    for piece in filled.pieces():
        turns.append(zigzag(piece, begin, REVERSAL * extent, *state))
        begin += len(piece)
    places = np.unique(np.concatenate([*turns, [len(filled) - 1]]).astype(np.int64))
    return np.asarray(cycle_starts(filled.read, places, extent)[1:], dtype=np.int64)


def _finite(source: Spool) -> Iterator[FloatArray]:
    for piece in source.pieces():
        yield piece[np.isfinite(piece)]


def _ends(source: Spool) -> tuple[float, float]:
    """Lowest and highest finite value; infinite if there is none."""
    lowest, highest = np.inf, -np.inf
    for piece in _finite(source):
        lowest = min(lowest, float(piece.min(initial=np.inf)))
        highest = max(highest, float(piece.max(initial=-np.inf)))
    return lowest, highest


def _spread(source: Spool) -> float:
    """Range against the largest absolute value."""
    lowest, highest = _ends(source)
    largest = max(abs(lowest), abs(highest))
    return (highest - lowest) / largest if np.isfinite(largest) and largest > 0.0 else np.inf


def _roughness(source: Spool) -> float:
    """Sum of absolute second differences against the range; see `sweeps.roughness`."""
    lowest, highest = _ends(source)
    count = sum(len(piece) for piece in _finite(source)) - 2
    if count < 1 or not highest > lowest:
        return np.inf

    def second() -> Iterator[FloatArray]:
        for values in _differences(lambda: _finite(source), 2):
            yield np.abs(values) / (highest - lowest)

    mean = sum(float(values.sum()) for values in second()) / count
    return roughness(quantile(second, count, 0.75), mean)


def _differences(pieces: Callable[[], Iterator[FloatArray]], order: int) -> Iterator[FloatArray]:
    """Yield the differences of neighbours, also of those in different pieces."""
    last = np.zeros(0)
    for piece in pieces():
        joined = np.concatenate([last, piece])
        yield np.diff(joined, order)
        last = joined[-order:]


def _scatter(filled: Spool) -> float:
    """Estimate white noise on top of a ramp; see `sweeps.scatter_of`."""
    count = len(filled) - 1
    middle = median(lambda: _differences(filled.pieces, 1), count)
    deviation = median(
        lambda: (np.abs(steps - middle) for steps in _differences(filled.pieces, 1)), count
    )
    return scatter_of(deviation)


def _filled(source: Spool) -> Spool:
    """Replace values that are not finite by the one before, the first ones by the first finite."""
    filled = Spool(length=source.length)
    last = next(float(piece[0]) for piece in _finite(source) if len(piece))
    for piece in source.pieces():
        filled.append(_carried(piece, last))
        last = float(filled.read(len(filled) - 1, len(filled))[0])
    return filled


def _carried(piece: NDArray[np.float64], last: float) -> FloatArray:
    known = np.isfinite(piece)
    if known.all():
        return piece
    places = np.maximum.accumulate(np.where(known, np.arange(1, len(piece) + 1), 0))
    return np.asarray(np.concatenate([[last], piece])[places], dtype=np.float64)
