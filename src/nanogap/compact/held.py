"""Ranges of coordinates that were held, and what they do to those that were fitted.

A held coordinate is moved away from its value, the others are fitted again, and how far they go
with it widens their intervals. It is moved as far as single cycles do not contradict, by the
likelihood ratio, and no further than `FURTHEST`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nanogap.compact.fitting import CycleFit, fit_cycle, noise_variance
from nanogap.typing import BoolArray, FloatArray

#: Steps by which a coordinate is moved: of a logarithm, and V.
_STEPS = (tuple(np.log(10.0) * np.array([0.5, 1.0, 2.0, 3.0])), (0.1, 0.3, 1.0))
#: The same in words.
FURTHEST = "a factor of 1000, or 1 V"
#: Cycles that are fitted again.
_LOOKED_AT = 4


@dataclass(frozen=True)
class HeldRange:
    """A held coordinate, moved.

    Attributes
    ----------
    number : int
        Of the coordinate.
    low, high : float
        Places between which the cycles that were looked at do not contradict it.
    shift : ndarray, shape (n_coordinates,)
        How far the others went with it at most; of their places.
    """

    number: int
    low: float
    high: float
    shift: FloatArray


def held_ranges(fits: Sequence[CycleFit], free: BoolArray) -> list[HeldRange]:
    """Move each held coordinate and fit a few cycles again.

    Parameters
    ----------
    fits : sequence of CycleFit
    free : ndarray of bool, shape (n_coordinates,)
    """
    chosen = [
        fits[int(place)]
        for place in np.unique(np.linspace(0, len(fits) - 1, _LOOKED_AT).round())
    ]  # fmt: skip
    return [_moved(chosen, free, int(number)) for number in np.flatnonzero(~free)]


def _moved(fits: Sequence[CycleFit], free: BoolArray, number: int) -> HeldRange:
    """Move one coordinate both ways as far as the cycles allow."""
    coordinate = fits[0].model.coordinates[number]
    bounds = coordinate.place(coordinate.low), coordinate.place(coordinate.high)
    begin = float(fits[0].places[number])
    variances = [noise_variance(fit, free) for fit in fits]
    limit = float(stats.chi2.ppf(0.95, 1))
    ends, shift = {-1.0: begin, 1.0: begin}, np.zeros(len(free))
    for sign in ends:
        now = list(fits)
        for step in _STEPS[0 if coordinate.logarithmic else 1]:
            place = begin + sign * step
            if not bounds[0] <= place <= bounds[1]:
                break
            now = [_again(fit, free, number, place) for fit in now]
            worse = [2.0 * (a.cost - b.cost) for a, b in zip(now, fits, strict=True)]
            if np.median(np.array(worse) / variances) > limit:
                break
            ends[sign] = place
            went = np.mean([a.places - b.places for a, b in zip(now, fits, strict=True)], axis=0)
            shift = np.maximum(shift, np.abs(went))
    shift[~free] = 0.0
    return HeldRange(number, ends[-1.0], ends[1.0], shift)


def _again(fit: CycleFit, free: BoolArray, number: int, place: float) -> CycleFit:
    """Fit a cycle once more with a held coordinate elsewhere."""
    places = fit.places.copy()
    places[number] = place
    return fit_cycle(fit.cycle, fit.model.moved(places), free, scan=0.1, rounds=1)
