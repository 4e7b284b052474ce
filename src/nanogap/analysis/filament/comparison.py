"""Distance between two samples of conductance, and its significance.

The Wasserstein distance is the mean way in G0 that counts must be moved to turn one distribution
into the other, the area between the two cumulative distributions (Ramdas, Garcia Trillos and
Cuturi, Entropy 19, 47 (2017), doi:10.3390/e19020047); the energy distance is that of Szekely and
Rizzo (J. Stat. Plan. Inference 143, 1249 (2013), doi:10.1016/j.jspi.2013.03.018). Points within a
member, or a cycle, are correlated: whole ones are drawn, and whole ones change sides in the test.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.computed import Analysis, after_compute
from nanogap.errors import DataFormatError, SettingsError
from nanogap.typing import FloatArray

#: Width of the bins that both samples are counted in, G0: the error of a distance is below it.
_RESOLUTION = 0.01

#: Groups on a side that dealing them anew needs; an interval needs `FEWEST_MEMBERS`.
_FEWEST_GROUPS = 2


@dataclass(frozen=True)
class GroupedSample:
    """Points and the groups that they come in.

    Attributes
    ----------
    values : ndarray, shape (n_points,)
        G0.
    group : ndarray of int, shape (n_points,)
        Member or cycle, from 0.
    weight : ndarray, shape (n_points,), optional
        Default: 1 each.

    Raises
    ------
    DataFormatError
        If the shapes differ.
    """

    values: ArrayLike
    group: ArrayLike
    weight: ArrayLike | None = None

    def __post_init__(self) -> None:
        weight = self.values if self.weight is None else self.weight
        shapes = {np.shape(one) for one in (self.values, self.group, weight)}
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            raise DataFormatError(
                "a sample needs one group (and weight) for every value, each in one dimension; "
                f"the shapes are {np.shape(self.values)}, {np.shape(self.group)} and "
                f"{np.shape(weight)}"
            )

    def counts(self, low: float, high: float) -> FloatArray:
        """Count in fine bins; shape (n_groups, n_bins), groups without a point in range left out.

        Raises
        ------
        DataFormatError
            If no point lies in the range.
        """
        values = np.asarray(self.values, dtype=np.float64)
        group = np.asarray(self.group, dtype=np.int64)
        weight = np.ones(len(values)) if self.weight is None else np.asarray(self.weight, float)
        inside = np.isfinite(values) & (values >= low) & (values <= high)
        if not inside.any():
            raise DataFormatError(f"no point lies between {low:g} and {high:g} G0")
        bins = max(1, round((high - low) / _RESOLUTION))
        place = np.minimum(
            ((values[inside] - low) / (high - low) * bins).astype(np.int64), bins - 1
        )
        names, row = np.unique(group[inside], return_inverse=True)
        flat = np.bincount(row * bins + place, weights=weight[inside], minlength=len(names) * bins)
        return np.asarray(flat.reshape(len(names), bins), dtype=np.float64)


class SampleComparison(Analysis):
    """Distances of two samples, their intervals, and whether chance alone explains them.

    Parameters
    ----------
    low, high : float
        Only points between them are compared, G0.
    level : float
        Probability inside the intervals.
    n_resamples, seed : int

    Attributes
    ----------
    range : tuple of float
        As given, G0.

    Raises
    ------
    SettingsError
        If the range is empty or the level is no probability.
    """

    def __init__(
        self,
        low: float = 0.3,
        high: float = 10.0,
        level: float = 0.95,
        n_resamples: int = 400,
        seed: int = 0,
    ) -> None:
        if not (np.isfinite([low, high]).all() and 0.0 <= low < high):
            raise SettingsError(f"the range to compare is {low:g} to {high:g} G0; it must ascend")
        if not 0.0 < level < 1.0:
            raise SettingsError(f"confidence level is {level}; it must lie between 0 and 1")
        self.range = low, high
        self._level = level
        self._resamples = n_resamples
        self._seed = seed

    def compute(self, first: GroupedSample, second: GroupedSample) -> Self:
        """Compare two samples.

        Returns
        -------
        SampleComparison
            Itself.

        Raises
        ------
        DataFormatError
            If a sample has no point in the range.
        """
        one, other = first.counts(*self.range), second.counts(*self.range)
        random = np.random.default_rng(self._seed)
        self._distances = _distances(one.sum(axis=0), other.sum(axis=0))
        self._enough = min(len(one), len(other)) >= _FEWEST_GROUPS
        self._known = min(len(one), len(other)) >= FEWEST_MEMBERS
        drawn = np.array(
            [
                _distances(_resampled(one, random), _resampled(other, random))
                for _ in range(self._resamples)
            ]
        )
        tail = (1.0 - self._level) / 2.0
        self._intervals = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
        # equal totals, so that a group weighs on one side as much as on the other
        pooled = np.concatenate([one / one.sum(), other / other.sum()])
        chance = np.array(
            [_distances(*_split(pooled, len(one), random)) for _ in range(self._resamples)]
        )
        self._floor = np.quantile(chance, self._level, axis=0)
        self._p_value = (1 + int((chance[:, 0] >= self._distances[0]).sum())) / (
            1 + self._resamples
        )
        return self

    @property
    @after_compute
    def wasserstein(self) -> float:
        """Wasserstein distance, G0."""
        return float(self._distances[0])

    @property
    @after_compute
    def wasserstein_interval(self) -> tuple[float, float]:
        """Interval of the Wasserstein distance, G0; NaN with fewer than six groups on a side."""
        return self._interval(0)

    @property
    @after_compute
    def energy(self) -> float:
        """Energy distance, square root of G0."""
        return float(self._distances[1])

    @property
    @after_compute
    def energy_interval(self) -> tuple[float, float]:
        """Interval of the energy distance; NaN with fewer than six groups on a side."""
        return self._interval(1)

    @property
    @after_compute
    def wasserstein_by_chance(self) -> float:
        """Distance that groups dealt to both sides at random seldom exceed (`level`), G0."""
        return float(self._floor[0]) if self._enough else float("nan")

    @property
    @after_compute
    def p_value(self) -> float:
        """Share of random deals of groups that are as far apart; NaN with one group on a side."""
        return self._p_value if self._enough else float("nan")

    def _interval(self, place: int) -> tuple[float, float]:
        if not self._known:
            return float("nan"), float("nan")
        return float(self._intervals[0, place]), float(self._intervals[1, place])


def _distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """Wasserstein and energy distance of two counts on one grid."""
    gap = np.cumsum(first / first.sum() - second / second.sum())
    area = np.abs(gap).sum() * _RESOLUTION
    return np.array([area, np.sqrt(2.0 * (gap**2).sum() * _RESOLUTION)])


def _resampled(groups: FloatArray, random: np.random.Generator) -> FloatArray:
    share = np.full(len(groups), 1.0 / len(groups))
    return np.asarray(random.multinomial(len(groups), share) @ groups, dtype=np.float64)


def _split(
    pooled: FloatArray, size: int, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    order = random.permutation(len(pooled))
    return pooled[order[:size]].sum(axis=0), pooled[order[size:]].sum(axis=0)
