"""The fit of a model to one cycle, and which of its coordinates the data say.

Least squares of ln(I/V) over the readings, by the trust-region method of scipy with a robust loss
(a reading beside a step may be anywhere on it). The start is that of the curve at a glance, moved
to the best of a few places along the coordinates that say when the gap switches: there the sum of
squares is no smooth function, since readings are discrete.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import OptimizeResult, least_squares

from nanogap.compact.cycles import Cycle
from nanogap.compact.model import CompactModel
from nanogap.typing import BoolArray, FloatArray

#: Steps of the derivatives: V, or of a logarithm.
_STEP = 3e-3

#: Scale of a residual of ln G above which it counts less.
_ROBUST = 0.3

#: A coordinate is not said by a cycle if its standard error exceeds this: V, or of a logarithm.
_LARGEST_ERROR = (0.1, 0.7)

#: How far a profile likelihood goes, standard errors.
PROFILE_REACH = 6.0

#: Cycles that are looked at to find out which coordinates the data say.
_LOOKED_AT = 4


@dataclass(frozen=True)
class CycleFit:
    """A model fitted to one cycle.

    Attributes
    ----------
    cycle : Cycle
    model : CompactModel
    places, errors : ndarray, shape (n_coordinates,)
        Of the coordinates and their standard errors; infinite where they are not said.
    cost : float
        Half the robust sum of squares of ln G.
    remaining : float
        Part of the variance of ln G that is left.
    """

    cycle: Cycle
    model: CompactModel
    places: FloatArray
    errors: FloatArray
    cost: float
    remaining: float


def fit_cycle(
    cycle: Cycle, begin: CompactModel, free: BoolArray, scan: float = 1.0, rounds: int = 2
) -> CycleFit:
    """Fit a model to one cycle.

    Parameters
    ----------
    cycle : Cycle
    begin : CompactModel
        Where to start; coordinates that are not free stay there.
    free : ndarray of bool, shape (n_coordinates,)
    scan : float
        Multiplies the offsets at which a start is looked for; 0 for none.
    rounds : int
        How often they are gone through.
    """
    coordinates = begin.coordinates
    low = np.array([one.place(one.low) for one in coordinates])[free]
    high = np.array([one.place(one.high) for one in coordinates])[free]
    base = begin.places()

    def model_at(places: FloatArray) -> CompactModel:
        all_places = base.copy()
        all_places[free] = places
        return begin.moved(all_places)

    def residuals(places: FloatArray) -> FloatArray:
        beyond = cycle.predicted(model_at(places)) - cycle.log_conductance
        return np.asarray((beyond * _weights(cycle))[cycle.used])

    def slopes(places: FloatArray) -> FloatArray:
        here = residuals(places)
        columns = []
        for place in range(len(places)):
            step = _STEP if places[place] + _STEP <= high[place] else -_STEP
            moved = places.copy()
            moved[place] += step
            columns.append((residuals(moved) - here) / step)
        return np.stack(columns, axis=1)

    if not free.any():  # all is held: there is nothing to move, as in a profile of the only one
        cost = _ROBUST**2 * _robust(residuals(base[free]))
        return _described(cycle, begin, np.full(len(free), np.inf), cost)
    start = np.clip(base[free], low + 1e-9, high - 1e-9)
    for _ in range(rounds if scan > 0.0 else 0):
        for place, number in enumerate(np.flatnonzero(free)):
            tried = [start]
            for offset in coordinates[number].scan:
                moved = start.copy()
                moved[place] = np.clip(start[place] + scan * offset, low[place], high[place])
                tried.append(moved)
            if len(tried) > 1:
                start = min(tried, key=lambda one: _robust(residuals(one)))
        scan /= 8.0
    start = np.clip(start, low + 1e-9, high - 1e-9)
    found = least_squares(
        residuals, start, slopes, (low, high), loss="soft_l1", f_scale=_ROBUST, max_nfev=25,
        xtol=1e-4, ftol=1e-5,
    )  # fmt: skip
    return _described(cycle, model_at(found.x), _errors(found, free, low, high), found.cost)


def _described(cycle: Cycle, model: CompactModel, errors: FloatArray, cost: float) -> CycleFit:
    """Say how well a model describes a cycle."""
    left = (cycle.predicted(model) - cycle.log_conductance)[cycle.used]
    weight = _weights(cycle)[cycle.used] ** 2
    spread = cycle.known - np.average(cycle.known, weights=weight)
    remaining = float(np.sum(weight * left**2) / np.sum(weight * spread**2))
    return CycleFit(cycle, model, model.places(), errors, cost, remaining)


def _weights(cycle: Cycle) -> FloatArray:
    """Weights of the readings: 1 where the current is far above its noise."""
    return np.asarray(0.02 / cycle.error)


def _robust(residuals: FloatArray) -> float:
    return float(np.sum(np.sqrt(1.0 + (residuals / _ROBUST) ** 2) - 1.0))


def _errors(
    found: OptimizeResult, free: BoolArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return standard errors of all coordinates; infinite for those that are not said."""
    errors = np.full(len(free), np.inf)
    jacobian = np.asarray(found.jac)
    count = max(len(jacobian) - jacobian.shape[1], 1)
    variance = max(2.0 * found.cost / count, 1e-6)
    left, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    del left
    least = 1e-8 * max(float(sizes.max(initial=0.0)), 1e-300)
    inverse = np.where(sizes > least, 1.0 / np.maximum(sizes, least), 1e8)
    own = np.sqrt(variance * np.sum((right.T * inverse) ** 2, axis=1))
    at_end = (found.x < low + 1e-3) | (found.x > high - 1e-3)
    errors[free] = np.where(at_end, np.inf, own)
    return errors


def determined(cycles: Sequence[Cycle], begin: CompactModel) -> tuple[BoolArray, CompactModel]:
    """Find which coordinates the data say: the least certain is held until the rest is certain.

    Parameters
    ----------
    cycles : sequence of Cycle
        A few of them, evenly, are fitted.
    begin : CompactModel
        Numbers that no curve says.

    Returns
    -------
    free : ndarray of bool, shape (n_coordinates,)
    typical : CompactModel
        Where the fits of the other cycles begin.
    """
    chosen = [cycles[int(place)] for place in np.unique(
        np.linspace(0, len(cycles) - 1, _LOOKED_AT).round()
    )]  # fmt: skip
    limits = np.array(
        [_LARGEST_ERROR[1] if one.logarithmic else _LARGEST_ERROR[0] for one in begin.coordinates]
    )
    free = np.ones(len(limits), dtype=bool)
    starts = [begin.guess(cycle.features(), begin) for cycle in chosen]
    scan = 1.0
    while True:
        fits = [
            fit_cycle(cycle, start, free, scan) for cycle, start in zip(chosen, starts, strict=True)
        ]
        badness = np.median([fit.errors / limits for fit in fits], axis=0)
        badness[~free] = 0.0
        worst = int(np.argmax(badness))
        places = np.median([fit.places for fit in fits], axis=0)
        if badness[worst] <= 1.0 or free.sum() == 1:
            return free, fits[0].model.moved(places)
        free[worst] = False
        # what is held is alike in all cycles, so that their other coordinates can be compared
        held = float(np.median([start.places()[worst] for start in starts]))
        moved = [start.places() for start in starts]
        for one in moved:
            one[worst] = held
        starts = [start.moved(place) for start, place in zip(starts, moved, strict=True)]


def noise_variance(fit: CycleFit, free: BoolArray) -> float:
    """Return the variance of ln G about a fit, times what correlation over readings makes of it."""
    count = int(fit.cycle.used.sum())
    return 2.0 * fit.cost / max(count - int(free.sum()), 1) * _inflation(fit)


def _inflation(fit: CycleFit) -> float:
    """Return how much more the mean of a block of ten readings varies than of independent ones."""
    residual = (fit.cycle.predicted(fit.model) - fit.cycle.log_conductance)[fit.cycle.used]
    blocks = residual[: len(residual) // 10 * 10].reshape(-1, 10).mean(axis=1)
    return float(np.clip(10.0 * np.mean(blocks**2) / np.mean(residual**2), 1.0, 10.0))


@dataclass(frozen=True)
class Profile:
    """Profile likelihood of a coordinate in a typical cycle.

    Attributes
    ----------
    name : str
    places : list of float
        Where the coordinate was held, as the fit counts it (logarithms of logarithmic ones).
    rise : list of float
        Twice the fall of ln L there, of the other coordinates at their best.
    interval : tuple of float or None
        Places between which it stays below the 95 % quantile of chi squared; None where it does
        not rise above that on an end.
    """

    name: str
    places: list[float]
    rise: list[float]
    interval: tuple[float | None, float | None]


def profiles(fit: CycleFit, free: BoolArray, points: int = 8) -> list[Profile]:
    """Compute the profile likelihoods of the free coordinates of a fitted cycle.

    The variance of ln G is that of the residuals of the fit, and their correlation over readings
    is allowed for by the ratio of the standard errors of means of blocks of ten.
    """
    variance, inflation = noise_variance(fit, free), _inflation(fit)
    limit = float(stats.chi2.ppf(0.95, 1))
    found = []
    for number in np.flatnonzero(free):
        others = free.copy()
        others[number] = False
        error = float(np.clip(fit.errors[number], 1e-4, 1.0)) * np.sqrt(inflation)
        places, rise = [float(fit.places[number])], [0.0]
        for sign in (-1.0, 1.0):
            again = fit
            for step in range(1, points + 1):
                place = again.places.copy()
                place[number] = fit.places[number] + sign * error * PROFILE_REACH * step / points
                again = fit_cycle(fit.cycle, fit.model.moved(place), others, scan=0.0)
                places.append(float(place[number]))
                rise.append(2.0 * (again.cost - fit.cost) / variance)
        order = np.argsort(places)
        # readings are discrete: the least sum of squares may lie beside that of the fit
        x, y = np.array(places)[order], np.array(rise)[order] - min(rise)
        middle = int(np.argmin(y))
        left = np.flatnonzero(y[:middle] > limit)
        right = np.flatnonzero(y[middle:] > limit)
        ends = (
            float(np.interp(limit, y[[left[-1] + 1, left[-1]]], x[[left[-1] + 1, left[-1]]]))
            if len(left)
            else None,
            float(np.interp(limit, y[[middle + right[0] - 1, middle + right[0]]],
                            x[[middle + right[0] - 1, middle + right[0]]]))
            if len(right)
            else None,
        )  # fmt: skip
        found.append(Profile(fit.model.coordinates[number].name, x.tolist(), y.tolist(), ends))
    return found
