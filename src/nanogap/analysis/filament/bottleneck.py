"""Conductance of a bridge by the number of atoms in its bottleneck, and its variance beyond that.

A plateau is a stretch of successive snapshots of one member with a bridge and the same number of
atoms in the bottleneck. The variance of the conductance is split, as in a nested analysis of
variance (Searle, Casella and McCulloch, Variance Components, 1992, doi:10.1002/9780470316856),
into four parts that add up to it exactly:

    V = sum_c W_c (g_c - g)^2 / W            between numbers of atoms c
      + sum_cm W_cm (g_cm - g_c)^2 / W       between members m of one number
      + sum_p W_p (g_p - g_cm)^2 / W         between plateaus p of one member and number
      + sum_i w_i (g_i - g_p)^2 / W          within plateaus

with weighted means g and sums of weights W. Rearrangement of the structure makes the first three,
thermal motion the last; a mean over a short plateau holds some thermal motion too, so the last is
a lower bound, the closer the longer the plateaus.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import xarray as xr
from scipy.stats import rankdata, spearmanr

from nanogap.analysis.filament.ensemble import EnsemblePoints, bootstrap_interval
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.computed import Analysis, after_compute
from nanogap.errors import DataFormatError, SettingsError
from nanogap.typing import FloatArray, Int64Array

#: The parts of the variance, in the order of the sum.
PARTS = ("bottleneck", "member", "plateau", "thermal")

#: A standard deviation needs so many values.
_FEWEST = 2


@dataclass(frozen=True)
class BottleneckClass:
    """The plateaus with one number of atoms in the bottleneck.

    Attributes
    ----------
    atoms : int
    plateaus, members : int
        How many, and of how many members.
    mean, mean_low, mean_high : float
        Mean of the plateaus, each by its weight, and its 95 % interval by members, G0; the interval
        is NaN with fewer than `FEWEST_MEMBERS` members.
    deviation : float
        Weighted standard deviation of the means of the plateaus, G0; NaN for one plateau.
    thermal : float
        Weighted root mean square of the fluctuation within a plateau, G0.
    from_integer : float
        Mean distance of a plateau from the nearest integer, G0; 0.25 is what chance gives.
    effect, effect_low, effect_high : float
        Against the next lower number that there is: difference of the means in units of the
        pooled standard deviation, corrected for small samples (Hedges, J. Educ. Stat. 6, 107
        (1981), doi:10.3102/10769986006002107), and its 95 % interval by members; NaN for the
        lowest, the interval also where either number has fewer than `FEWEST_MEMBERS` members.
    superiority : float
        Against the next lower number: how much oftener a plateau of this number conducts more than
        the reverse, from -1 to 1 (Cliff, Psychol. Bull. 114, 494 (1993),
        doi:10.1037/0033-2909.114.3.494).
    """

    atoms: int
    plateaus: int
    members: int
    mean: float
    mean_low: float
    mean_high: float
    deviation: float
    thermal: float
    from_integer: float
    effect: float
    effect_low: float
    effect_high: float
    superiority: float


class BottleneckAnalysis(Analysis):
    """Conductance by the number of atoms in the bottleneck.

    Parameters
    ----------
    minimum_length : int
        Plateaus of fewer snapshots are left out.
    n_resamples, seed : int
        Resamples of the bootstrap by members, and their seed.
    """

    def __init__(self, minimum_length: int = 3, n_resamples: int = 400, seed: int = 0) -> None:
        if minimum_length < 1:
            raise SettingsError(f"minimum length is {minimum_length}; it must be 1 or more")
        self._minimum = minimum_length
        self._resamples = n_resamples
        self._seed = seed

    def compute(self, points: EnsemblePoints) -> Self:
        """Find the plateaus and compute everything.

        Returns
        -------
        BottleneckAnalysis
            Itself.
        """
        bridged = points.of(points.bridged & (points.bottleneck >= 1))
        label = _stretches(bridged)
        lengths = np.bincount(label, minlength=1)
        chosen = lengths[label] >= self._minimum if len(label) else np.zeros(0, bool)
        self._n_left_out = int((~chosen).sum())
        self._points = bridged.of(chosen)
        self._label = np.unique(label[chosen], return_inverse=True)[1]
        self._plateaus = _plateau_table(self._points, self._label)
        return self

    @property
    @after_compute
    def n_left_out(self) -> int:
        """Points of bridges on plateaus that are too short."""
        return self._n_left_out

    @property
    @after_compute
    def plateaus(self) -> xr.Dataset:
        """All plateaus.

        Over ``plateau``: ``member``, ``first`` (snapshot), ``length``, ``bottleneck_atoms``,
        ``conductance`` (mean, G0), ``fluctuation`` (standard deviation, G0), ``weight``.
        """
        return self._plateaus

    @property
    @after_compute
    def labels(self) -> tuple[EnsemblePoints, Int64Array]:
        """The points on plateaus, and the number of the plateau of each."""
        return self._points, self._label

    @after_compute
    def parts(self, drawn: Int64Array | None = None) -> FloatArray:
        """Split the variance; shape (4,), G0^2, in the order of `PARTS`.

        Parameters
        ----------
        drawn : ndarray of int, shape (n_members,), optional
            How often a member counts.
        """
        table = self._plateaus
        atoms, member = table["bottleneck_atoms"].to_numpy(), table["member"].to_numpy()
        # a plateau lies in one member, so that all its points count alike in a resample
        weight = table["weight"].to_numpy() * (1 if drawn is None else drawn[member])
        total = weight.sum()
        if not total > 0.0:
            return np.full(len(PARTS), np.nan)
        g = table["conductance"].to_numpy()
        pair = member * (int(atoms.max()) + 1) + atoms
        levels = [
            np.full(len(g), np.average(g, weights=weight)),
            *(_means(np.unique(of, return_inverse=True)[1], g, weight) for of in (atoms, pair)),
            g,
        ]
        between = [weight @ (finer - coarser) ** 2 for coarser, finer in pairwise(levels)]
        within = weight @ table["fluctuation"].to_numpy() ** 2
        parts: FloatArray = np.array([*between, within]) / total
        return parts

    @after_compute
    def part_intervals(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Draw members for the interval of each share of the variance; low and high, shape (4,).

        NaN with fewer than `FEWEST_MEMBERS` members that have a plateau.
        """
        points = self._points
        nothing = np.full(len(PARTS), np.nan)
        if len(np.unique(points.member)) < FEWEST_MEMBERS:
            return nothing, nothing.copy()

        def shares(drawn: Int64Array) -> FloatArray:
            parts = self.parts(drawn)
            total = parts.sum()
            return parts / total if total > 0.0 else nothing

        return bootstrap_interval(shares, points.n_members, level, self._resamples, self._seed)

    @property
    @after_compute
    def classes(self) -> list[BottleneckClass]:
        """One entry for every number of atoms, in order."""
        points = self._points
        table = self._plateaus
        atoms = table["bottleneck_atoms"].to_numpy()
        numbers = np.unique(atoms)
        if not len(numbers):
            return []
        low, high = bootstrap_interval(
            lambda drawn: np.concatenate(_class_numbers(table, numbers, drawn)),
            points.n_members,
            n_resamples=self._resamples,
            seed=self._seed,
        )
        means, effects = _class_numbers(table, numbers, np.ones(points.n_members, np.int64))
        found = []
        members_before = 0
        for place, number in enumerate(numbers):
            part = table.isel(plateau=np.flatnonzero(atoms == number))
            g, w = part["conductance"].to_numpy(), part["weight"].to_numpy()
            members = len(np.unique(part["member"].to_numpy()))
            if members < FEWEST_MEMBERS:  # drawing the same few again tells little
                low[place] = high[place] = np.nan
            if min(members, members_before) < FEWEST_MEMBERS:
                low[len(numbers) + place] = high[len(numbers) + place] = np.nan
            members_before = members
            before = table["conductance"].to_numpy()[atoms == numbers[place - 1]]
            found.append(
                BottleneckClass(
                    atoms=int(number),
                    plateaus=len(g),
                    members=members,
                    mean=float(means[place]),
                    mean_low=float(low[place]),
                    mean_high=float(high[place]),
                    deviation=float(np.sqrt(np.average((g - means[place]) ** 2, weights=w)))
                    if len(g) >= _FEWEST
                    else float("nan"),
                    thermal=float(
                        np.sqrt(np.average(part["fluctuation"].to_numpy() ** 2, weights=w))
                    ),
                    from_integer=float(np.average(np.abs(g - np.rint(g)), weights=w)),
                    effect=float(effects[place]),
                    effect_low=float(low[len(numbers) + place]),
                    effect_high=float(high[len(numbers) + place]),
                    superiority=superiority(g, before) if place else float("nan"),
                )
            )
        return found

    @after_compute
    def geometry_correlation(self, descriptor: FloatArray) -> dict[int, tuple[float, int]]:
        """Compute the rank correlation of plateaus with a geometry, within every number of atoms.

        Parameters
        ----------
        descriptor : ndarray, shape (n_members, n_snapshots)
            A quantity of every snapshot, such as the mean bond length of the bottleneck.

        Returns
        -------
        dict
            Number of atoms to Spearman's correlation of the means of plateaus, and how many
            plateaus; numbers with fewer than five plateaus are left out.

        Raises
        ------
        DataFormatError
            If the descriptor has not one value for every snapshot of every member.
        """
        points = self._points
        last = (points.n_members, int(points.snapshot.max(initial=-1)) + 1)
        if descriptor.ndim != 2 or len(descriptor) != last[0] or descriptor.shape[1] < last[1]:
            raise DataFormatError(
                f"the geometry has the shape {descriptor.shape}; it needs a value for each of "
                f"{last[0]} members and at least {last[1]} snapshots"
            )
        values = descriptor[points.member, points.snapshot]
        mean = _group_means(self._label, values, points.weight)
        conductance = self._plateaus["conductance"].to_numpy()
        atoms = self._plateaus["bottleneck_atoms"].to_numpy()
        found = {}
        for number in np.unique(atoms):
            inside = (atoms == number) & np.isfinite(mean)
            x, y = mean[inside], conductance[inside]
            if inside.sum() >= 5 and np.ptp(x) > 0.0 and np.ptp(y) > 0.0:
                found[int(number)] = float(spearmanr(x, y).statistic), int(inside.sum())
        return found


def _stretches(points: EnsemblePoints) -> Int64Array:
    """Return in which stretch of one member and one bottleneck every point lies."""
    if not len(points.member):
        return np.zeros(0, np.int64)
    begins = (
        (np.diff(points.member) != 0)
        | (np.diff(points.snapshot) != 1)
        | (np.diff(points.bottleneck) != 0)
    )
    return np.concatenate([[0], np.cumsum(begins)]).astype(np.int64)


def _group_means(label: Int64Array, values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted mean of every group; NaN for one without weight."""
    sums = np.bincount(label, weights=weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.bincount(label, weights=weight * values) / sums)


def _means(label: Int64Array, values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted mean of its group for every point; 0 where a group has no weight."""
    return np.nan_to_num(_group_means(label, values, weight))[label]


def _plateau_table(points: EnsemblePoints, label: Int64Array) -> xr.Dataset:
    first = np.unique(label, return_index=True)[1]
    g, w = points.conductance, points.weight
    mean = _group_means(label, g, w)
    variance = _group_means(label, (g - mean[label]) ** 2, w) if len(label) else mean
    columns = {
        "member": points.member[first],
        "first": points.snapshot[first],
        "length": np.bincount(label)[: len(first)],
        "bottleneck_atoms": points.bottleneck[first],
        "conductance": mean,
        "fluctuation": np.sqrt(variance),
        "weight": np.bincount(label, weights=w)[: len(first)],
    }
    return xr.Dataset({name: ("plateau", values) for name, values in columns.items()})


def _class_numbers(
    table: xr.Dataset, numbers: Int64Array, drawn: Int64Array
) -> tuple[FloatArray, FloatArray]:
    """Return weighted means of the classes, and the effect size of each against the one before."""
    atoms, g = table["bottleneck_atoms"].to_numpy(), table["conductance"].to_numpy()
    times = drawn[table["member"].to_numpy()]
    weight = table["weight"].to_numpy() * times
    means, effects = np.full((2, len(numbers)), np.nan)
    samples = []
    for place, number in enumerate(numbers):
        inside = atoms == number
        if weight[inside].sum() > 0.0:
            means[place] = np.average(g[inside], weights=weight[inside])
        samples.append(np.repeat(g[inside], times[inside]))
        if place:
            effects[place] = effect_size(samples[place], samples[place - 1])
    return means, effects


def effect_size(sample: FloatArray, other: FloatArray) -> float:
    """Compute Hedges' g of two samples; NaN without two values and scatter in each."""
    n, m = len(sample), len(other)
    if min(n, m) < _FEWEST:
        return float("nan")
    free = n + m - 2
    pooled = ((n - 1) * sample.var(ddof=1) + (m - 1) * other.var(ddof=1)) / free
    if not pooled > 0.0:
        return float("nan")
    correction = 1.0 - 3.0 / (4.0 * free - 1.0)
    return float(correction * (sample.mean() - other.mean()) / np.sqrt(pooled))


def superiority(sample: FloatArray, other: FloatArray) -> float:
    """Compute Cliff's delta, P(sample > other) - P(sample < other); NaN if either is empty."""
    n, m = len(sample), len(other)
    if not min(n, m):
        return float("nan")
    ranks = rankdata(np.concatenate([sample, other]))
    return float(2.0 * (ranks[:n].sum() - n * (n + 1) / 2.0) / (n * m) - 1.0)
