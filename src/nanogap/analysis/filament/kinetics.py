"""Waiting times of an ensemble, some of them cut off: survival, rates, and what they depend on.

A run that ends without the event says only that the event would have come later (it is
right-censored; Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002,
doi:10.1002/9781118032985).
"""

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import CensoredData, chi2, ecdf, norm

from nanogap.errors import DataFormatError
from nanogap.typing import BoolArray, FloatArray

#: Members that a 95 % interval needs which takes no law of their values: so few all lie on one side
#: of the median with a probability of 1/32, five still with 1/16.
FEWEST_MEMBERS = 6

#: Steps of Newton's method; one that has not settled by then has no maximum to settle at.
_STEPS = 50


class WaitingTimes:
    """Times until an event, or until a run ended without it.

    Parameters
    ----------
    time : array_like, shape (n,)
        Positive, any unit.
    observed : array_like of bool, shape (n,)
        Whether the event came; otherwise the time is when the run ended.

    Raises
    ------
    DataFormatError
        If the shapes differ or a time is not positive.
    """

    def __init__(self, time: ArrayLike, observed: ArrayLike) -> None:
        self.time: FloatArray = np.asarray(time, dtype=np.float64)
        self.observed: BoolArray = np.asarray(observed, dtype=bool)
        if self.time.shape != self.observed.shape or self.time.ndim != 1:
            raise DataFormatError(
                f"{self.time.size} waiting times come with {self.observed.size} marks of events"
            )
        if not (np.isfinite(self.time).all() and (self.time > 0.0).all()):
            raise DataFormatError("a waiting time is not positive: leave out what never waited")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def events(self) -> int:
        """Number of events."""
        return int(self.observed.sum())

    @property
    def exposure(self) -> float:
        """Time waited, all runs together."""
        return float(self.time.sum())

    def of(self, chosen: ArrayLike) -> "WaitingTimes":
        """Return some of the runs."""
        rows = np.asarray(chosen)
        return WaitingTimes(self.time[rows], self.observed[rows])


@dataclass(frozen=True)
class Survival:
    """The share of runs still without the event (product-limit estimate).

    Attributes
    ----------
    time : ndarray, shape (n,)
        At which it falls, in order.
    share, low, high : ndarray, shape (n,)
        From that time on, and its pointwise interval; NaN where that is not defined, and everywhere
        with fewer than `FEWEST_MEMBERS` runs.
    median : float
        First time at which the share is a half or less; infinite if it stays above.
    median_interval : tuple of float
        Times at which a share of a half lies within the interval; infinite if it ends later.
        Without any event, it begins where so many runs have waited that the median is later.
        (0, infinity), which says nothing, with fewer than `FEWEST_MEMBERS` runs.
    last : float
        Longest time waited, with the event or without: where the curve ends.
    """

    time: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    median: float
    median_interval: tuple[float, float]
    last: float


def survival(times: WaitingTimes, level: float = 0.95) -> Survival:
    """Estimate how many runs are still without the event.

    Kaplan and Meier, J. Am. Stat. Assoc. 53, 457 (1958), doi:10.1080/01621459.1958.10501452, with
    the log-log interval by Greenwood's variance; the interval of the median inverts it (Brookmeyer
    and Crowley, Biometrics 38, 29 (1982), doi:10.2307/2530286).

    Parameters
    ----------
    times : WaitingTimes
    level : float
        Probability inside the interval.
    """
    last, never = float(times.time.max(initial=0.0)), float("inf")
    if not times.events:
        nothing = np.zeros(0)
        interval_of_none = (_at_least(times, level), never)
        return Survival(nothing, nothing, nothing, nothing, never, interval_of_none, last)
    data = CensoredData(times.time[times.observed], right=times.time[~times.observed])
    function = ecdf(data).sf
    with warnings.catch_warnings():  # there is no log-log interval where the share is 0 or 1
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = function.confidence_interval(level, method="log-log")
    moments = np.asarray(function.quantiles, dtype=np.float64)
    share = np.asarray(function.probabilities, dtype=np.float64)
    falls = np.isin(moments, times.time[times.observed])
    moments, share = moments[falls], share[falls]
    low = np.asarray(interval.low.probabilities, dtype=np.float64)[falls]
    high = np.asarray(interval.high.probabilities, dtype=np.float64)[falls]

    def first(below: FloatArray) -> float:
        places = np.flatnonzero(below <= 0.5 + 1e-12)
        return float(moments[places[0]]) if len(places) else never

    if len(times) < FEWEST_MEMBERS:
        unknown = np.full(len(moments), np.nan)
        return Survival(moments, share, unknown, unknown, first(share), (0.0, never), last)
    return Survival(
        moments,
        share,
        low,
        high,
        median=first(share),
        # an interval that ends at 0 share has no lower limit: the share itself takes its place
        median_interval=(
            first(np.where(np.isnan(low), share, low)),
            first(np.where(np.isnan(high), 1.0, high)),
        ),
        last=last,
    )


def _at_least(times: WaitingTimes, level: float) -> float:
    """Find the time that so many runs waited in vain that the median is later (binomial law)."""
    enough = int(np.ceil(np.log((1.0 - level) / 2.0) / np.log(0.5)))
    return float(np.sort(times.time)[-enough]) if len(times) >= enough else 0.0


@dataclass(frozen=True)
class Rate:
    """A constant rate of events.

    Attributes
    ----------
    events : int
    exposure : float
        Time waited, all runs together.
    value, low, high : float
        Maximum likelihood and interval, per unit of time; NaN without any exposure.
    shape : float
        Of a Weibull law fitted instead: 1 if the rate is constant, above if it rises while
        waiting; NaN with fewer than three events.
    p_value : float
        Of a constant rate, by the likelihood ratio of both laws.
    """

    events: int
    exposure: float
    value: float
    low: float
    high: float
    shape: float
    p_value: float


def event_rate(times: WaitingTimes, level: float = 0.95) -> Rate:
    """Estimate a constant rate, and test whether it is constant.

    The maximum of the likelihood is events per time waited; the interval is that of chi-square
    (Epstein and Sobel, J. Am. Stat. Assoc. 48, 486 (1953), doi:10.1080/01621459.1953.10483488),
    with two degrees of freedom more on its upper side because runs end at a fixed time: it holds at
    least `level`.

    Parameters
    ----------
    times : WaitingTimes
    level : float
    """
    events, exposure = times.events, times.exposure
    if not exposure > 0.0:
        unknown = float("nan")
        return Rate(events, exposure, unknown, unknown, unknown, unknown, unknown)
    tail = (1.0 - level) / 2.0
    low = float(chi2.ppf(tail, 2 * events)) / (2.0 * exposure) if events else 0.0
    high = float(chi2.ppf(1.0 - tail, 2 * events + 2)) / (2.0 * exposure)
    shape, p_value = _weibull(times)
    return Rate(events, exposure, events / exposure, low, high, shape, p_value)


def _weibull(times: WaitingTimes) -> tuple[float, float]:
    """Return the shape of the Weibull law of greatest likelihood, and the p-value of shape 1."""
    if times.events < 3 or np.ptp(times.time[times.observed]) == 0.0:
        return float("nan"), float("nan")
    t, n = times.time / times.time.max(), times.events
    logs = np.log(t)
    mean_log = float(logs[times.observed].mean())

    def slope(shape: float) -> float:
        power = t**shape
        return float(power @ logs / power.sum()) - 1.0 / shape - mean_log

    def likelihood(shape: float) -> float:
        scale = float(np.log(shape) - np.log((t**shape).sum()))
        return n * scale + (shape - 1.0) * n * mean_log

    shape = float(brentq(slope, 1e-3, 1e3))
    return shape, float(chi2.sf(2.0 * (likelihood(shape) - likelihood(1.0)), 1))


@dataclass(frozen=True)
class Trend:
    """Dependence of the rate of events on a number that belongs to every run.

    Attributes
    ----------
    slope, low, high : float
        Change of the logarithm of a constant rate per unit of the number, and its interval; NaN
        where the events do not determine it.
    p_value : float
        p-value of the slope, by likelihood ratio.
    log_rank : float
        p-value of the log-rank test for trend, which takes no law of the waiting times.
    """

    slope: float
    low: float
    high: float
    p_value: float
    log_rank: float


def rate_trend(
    times: WaitingTimes,
    number: ArrayLike,
    strata: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Trend:
    """Estimate how the rate depends on a number: rate = c exp(slope number).

    Exponential regression (Glasser, J. Am. Stat. Assoc. 62, 561 (1967),
    doi:10.1080/01621459.1967.10482928) and the log-rank test for trend (Tarone, Biometrika 62,
    679 (1975), doi:10.1093/biomet/62.3.679).

    Parameters
    ----------
    times : WaitingTimes
    number : array_like, shape (n,)
    strata : sequence, length n, optional
        Runs are compared only with others of the same stratum; each has a c of its own.
    level : float

    Raises
    ------
    DataFormatError
        If there is not one number and one stratum for every run.
    """
    x = np.asarray(number, dtype=np.float64)
    labels = [None] * len(times) if strata is None else list(strata)
    if len(x) != len(times) or len(labels) != len(times):
        raise DataFormatError(f"{len(times)} waiting times come with {len(x)} numbers")
    groups = [
        np.array([label == one for label in labels], dtype=bool) for one in dict.fromkeys(labels)
    ]
    # a stratum without events, or of one number only, says nothing about the slope
    groups = [row for row in groups if times.observed[row].any() and np.ptp(x[row]) > 0.0]
    slope, deviation, ratio = _exponential_slope(times, x, groups)
    half = float(norm.ppf((1.0 + level) / 2.0)) * deviation
    return Trend(
        slope, slope - half, slope + half, float(chi2.sf(ratio, 1)), _log_rank(times, x, groups)
    )


def _exponential_slope(
    times: WaitingTimes, x: FloatArray, groups: list[BoolArray]
) -> tuple[float, float, float]:
    """Return slope, its standard deviation and twice the log-likelihood ratio to no slope.

    The constants of the strata are eliminated: each is events / sum(t exp(slope x)).
    """
    unknown = (float("nan"), float("nan"), float("nan"))
    scale = float(np.ptp(x)) if len(x) else 0.0
    if not groups or not scale > 0.0:
        return unknown
    parts = [
        (times.time[row], (x[row] - x[row].mean()) / scale, times.observed[row]) for row in groups
    ]

    def terms(slope: float) -> tuple[float, float, float]:
        value = gradient = curvature = 0.0
        for t, z, seen in parts:
            exponent = slope * z
            weight = t * np.exp(exponent - exponent.max())
            total, events = float(weight.sum()), int(seen.sum())
            mean = float(weight @ z) / total
            value += slope * float(z[seen].sum()) - events * (
                float(np.log(total)) + float(exponent.max())
            )
            gradient += float(z[seen].sum()) - events * mean
            curvature += events * float(weight @ (z - mean) ** 2) / total
        return value, gradient, curvature

    slope = 0.0
    for _ in range(_STEPS):
        _, gradient, curvature = terms(slope)
        if not curvature > 1e-12:
            return unknown
        step = float(np.clip(gradient / curvature, -2.0, 2.0))
        slope += step
        if abs(step) < 1e-10:
            break
    else:
        return unknown  # all events at one end: the likelihood rises for ever
    value, _, curvature = terms(slope)
    return (
        slope / scale,
        1.0 / (float(np.sqrt(curvature)) * scale),
        max(0.0, 2.0 * (value - terms(0.0)[0])),
    )


def _log_rank(times: WaitingTimes, x: FloatArray, groups: list[BoolArray]) -> float:
    score = variance = 0.0
    for row in groups:
        t, z, seen = times.time[row], x[row], times.observed[row]
        for moment in np.unique(t[seen]):
            at_risk, now = z[t >= moment], z[(t == moment) & seen]
            count, events = len(at_risk), len(now)
            score += float(now.sum()) - events * float(at_risk.mean())
            if count > 1:
                variance += events * (count - events) / (count - 1) * float(at_risk.var())
    return float(chi2.sf(score**2 / variance, 1)) if variance > 0.0 else float("nan")
