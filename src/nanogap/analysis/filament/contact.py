"""First contacts of an ensemble: their conductance, when they come, and what moves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap, kruskal, spearmanr, t

from nanogap.analysis.filament.ensemble import EnsemblePoints
from nanogap.analysis.filament.kinetics import WaitingTimes, survival
from nanogap.errors import DataFormatError
from nanogap.typing import FloatArray

#: A standard deviation, or an interval, needs so many values.
_FEWEST = 3


@dataclass(frozen=True)
class FirstContacts:
    """The first contact of every member.

    Attributes
    ----------
    conductance : ndarray, shape (n_members,)
        Of the first snapshot with bonds from tip to tip, G0; NaN if there is none.
    time : ndarray, shape (n_members,)
        Of that snapshot, fs; NaN if there is none.
    last : ndarray, shape (n_members,)
        Last moment that was simulated, fs.
    """

    conductance: FloatArray
    time: FloatArray
    last: FloatArray

    @property
    def made(self) -> NDArray[np.bool_]:
        """Whether a member made contact, shape (n_members,)."""
        return np.isfinite(self.conductance)

    def median_time(self, chosen: ArrayLike | None = None) -> float:
        """Median time of the first contact, fs; infinite if over half of the members have none.

        Members without a contact count as ones that would come later than their last moment, see
        `nanogap.analysis.filament.kinetics.survival`; those in contact from the beginning are left
        out.
        """
        inside = np.ones(len(self.time), bool) if chosen is None else np.asarray(chosen)
        ended = np.where(self.made, self.time, self.last)
        inside = inside & (ended > 0.0)
        return survival(WaitingTimes(ended[inside], self.made[inside])).median


def first_contacts(points: EnsemblePoints) -> FirstContacts:
    """Find the first contact of every member."""
    conductance = np.full(points.n_members, np.nan)
    time, last = conductance.copy(), conductance.copy()
    bonded = np.flatnonzero(points.bottleneck >= 1)
    who, where = np.unique(points.member[bonded], return_index=True)
    conductance[who] = points.conductance[bonded[where]]
    time[who] = points.time[bonded[where]]
    np.fmax.at(last, points.member, points.time)
    return FirstContacts(conductance, time, last)


@dataclass(frozen=True)
class Distribution:
    """Independent values in a nutshell.

    Attributes
    ----------
    count : int
    mean, deviation, median : float
        Deviation: standard deviation of a sample; NaN where there are too few values.
    mean_interval : tuple of float
        95 % by Student's t.
    deviation_interval : tuple of float
        95 % by the bias-corrected and accelerated bootstrap (Efron, J. Am. Stat. Assoc. 82, 171
        (1987), doi:10.1080/01621459.1987.10478410).
    """

    count: int
    mean: float
    deviation: float
    median: float
    mean_interval: tuple[float, float]
    deviation_interval: tuple[float, float]


def described(values: ArrayLike, seed: int = 0) -> Distribution:
    """Describe values, one of each member; those that are not finite are left out."""
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    nothing = (float("nan"), float("nan"))
    if not len(x):
        return Distribution(0, float("nan"), float("nan"), float("nan"), nothing, nothing)
    mean, median = float(x.mean()), float(np.median(x))
    if len(x) < _FEWEST or np.ptp(x) == 0.0:
        deviation = float(x.std(ddof=1)) if len(x) > 1 else float("nan")
        return Distribution(len(x), mean, deviation, median, nothing, nothing)
    deviation = float(x.std(ddof=1))
    half = float(t.ppf(0.975, len(x) - 1)) * deviation / np.sqrt(len(x))
    # a deviation of equal values has no logarithm; BCa needs none, but values that vary
    result = bootstrap(
        (x,),
        lambda sample, axis: np.std(sample, axis=axis, ddof=1),
        n_resamples=999,
        rng=np.random.default_rng(seed),
        vectorized=True,
    )
    interval = result.confidence_interval
    return Distribution(
        len(x),
        mean,
        deviation,
        median,
        (mean - half, mean + half),
        (float(interval.low), float(interval.high)),
    )


@dataclass(frozen=True)
class AxisDependence:
    """How first contacts depend on one axis of a campaign.

    Attributes
    ----------
    values : list
        Of the axis, in order.
    members, made : list of int
        Members and those that made contact, at each value.
    conductance : list of Distribution
        Of the first contact, G0.
    median_time : list of float
        Of the first contact, fs; see `FirstContacts.median_time`.
    p_value : float
        Of equal conductances at all values (Kruskal and Wallis, J. Am. Stat. Assoc. 47, 583
        (1952), doi:10.1080/01621459.1952.10483441); NaN with fewer than two values of three
        contacts each.
    effect : float
        Part of the variance of the ranks that the axis explains, from 0 to 1: H / (n - 1).
    trend : float
        Spearman's rank correlation with the axis, where it is a number.
    """

    values: list[Any]
    members: list[int]
    made: list[int]
    conductance: list[Distribution]
    median_time: list[float]
    p_value: float
    effect: float
    trend: float


def axis_dependence(contacts: FirstContacts, axis: Sequence[Any]) -> AxisDependence:
    """Group first contacts by an axis.

    Parameters
    ----------
    contacts : FirstContacts
    axis : sequence, length n_members
        Value of the axis of every member.

    Raises
    ------
    DataFormatError
        If the axis has not one value per member.
    """
    if len(axis) != len(contacts.conductance):
        raise DataFormatError(
            f"the axis has {len(axis)} values for {len(contacts.conductance)} members"
        )
    values = sorted(set(axis))
    rows = [np.array([one == value for one in axis]) for value in values]
    groups = [contacts.conductance[row & contacts.made] for row in rows]
    testable = [group for group in groups if len(group) >= _FEWEST]
    p_value = effect = float("nan")
    pooled = np.concatenate(testable) if testable else np.zeros(0)
    if len(testable) >= 2 and np.ptp(pooled) > 0.0:
        test = kruskal(*testable)
        p_value, effect = float(test.pvalue), float(test.statistic / (len(pooled) - 1))
    return AxisDependence(
        values=values,
        members=[int(row.sum()) for row in rows],
        made=[len(group) for group in groups],
        conductance=[described(group) for group in groups],
        median_time=[contacts.median_time(row) for row in rows],
        p_value=p_value,
        effect=effect,
        trend=_trend(contacts, axis),
    )


def _trend(contacts: FirstContacts, axis: Sequence[Any]) -> float:
    if not all(isinstance(value, int | float | np.number) for value in axis):
        return float("nan")
    x = np.asarray(axis, dtype=np.float64)[contacts.made]
    y = contacts.conductance[contacts.made]
    if len(x) < _FEWEST or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    return float(spearmanr(x, y).statistic)
