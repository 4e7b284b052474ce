"""Distributions of switching parameters: quantiles and the Weibull law.

F(x) = 1 - exp(-(x/scale)^shape), fitted by maximum likelihood; intervals from the observed
information on the logarithms of both parameters (Lawless, Statistical Models and Methods for
Lifetime Data, 2003, doi:10.1002/9781118033005). Plotting positions are the median ranks
(i - 0.3)/(n + 0.4) of Benard and Bos-Levenbach, Stat. Neerl. 7, 163 (1953),
doi:10.1111/j.1467-9574.1953.tb00821.x.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from nanogap.computed import Analysis, after_compute, as_trace
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, number
from nanogap.typing import ABSENT_IF_NONE, FloatArray

_FEWEST = 3


class WeibullFit(Analysis):
    """Weibull law of positive values, such as the sizes of SET voltages.

    Parameters
    ----------
    level : float
        Probability inside the intervals, between 0 and 1.

    Examples
    --------
    >>> fit = WeibullFit().compute([1.0, 1.1, 1.2, 1.3, 1.4])
    >>> round(fit.shape, 2), round(fit.scale, 3)
    (9.69, 1.263)
    """

    _has_figure = True

    def __init__(self, level: float = 0.95) -> None:
        if not 0.0 < level < 1.0:
            raise SettingsError(f"confidence level is {level}; it must lie between 0 and 1")
        self._level = level

    def compute(self, values: ArrayLike) -> Self:
        """Fit the law.

        Parameters
        ----------
        values : array_like, shape (n_values,)
            Positive.

        Raises
        ------
        DataFormatError
            If fewer than three values are there, one is not positive, or all are equal.
        """
        x = np.sort(as_trace(values, "values"))
        if len(x) < _FEWEST or not (np.isfinite(x).all() and x[0] > 0.0) or x[0] == x[-1]:
            raise DataFormatError(
                f"a Weibull law needs {_FEWEST} positive values that are not all equal; there are "
                f"{len(x)}"
            )
        logs = np.log(x / x[-1])

        def slope(shape: float) -> float:
            power = np.exp(shape * logs)
            return float(power @ logs / power.sum() - 1.0 / shape - logs.mean())

        first = 1.2 / max(float(logs.std()), 1e-9)
        low = high = first
        while slope(low) > 0.0:
            low /= 2.0
        while slope(high) < 0.0:
            high *= 2.0
        self._shape = float(brentq(slope, low, high)) if low < high else first
        power = np.exp(self._shape * logs)
        self._scale = float(x[-1] * power.mean() ** (1.0 / self._shape))
        self._values = x
        self._covariance = np.linalg.inv(self._information(x))
        return self

    def _found(self) -> Rows:
        yield "values", counted(len(self.values), "value")
        for name, value, (low, high) in (
            ("shape", self.shape, self.shape_interval),
            ("scale (unit of the values)", self.scale, self.scale_interval),
        ):
            yield name, f"{number(value)} ({number(low)} to {number(high)}, {self._level:.0%})"

    @property
    @after_compute
    def shape(self) -> float:
        """Weibull slope: the larger, the narrower."""
        return self._shape

    @property
    @after_compute
    def scale(self) -> float:
        """Value that 63.2% stay below, in the unit of the values."""
        return self._scale

    @property
    @after_compute
    def shape_interval(self) -> tuple[float, float]:
        """Confidence interval of the shape."""
        return self._interval(self.shape, 0)

    @property
    @after_compute
    def scale_interval(self) -> tuple[float, float]:
        """Confidence interval of the scale."""
        return self._interval(self.scale, 1)

    @property
    @after_compute
    def values(self) -> FloatArray:
        """Values in ascending order, shape (n_values,)."""
        return self._values

    @property
    @after_compute
    def ranks(self) -> FloatArray:
        """Median rank of every value, shape (n_values,)."""
        count = len(self._values)
        return np.asarray((np.arange(1, count + 1) - 0.3) / (count + 0.4), dtype=np.float64)

    @after_compute
    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Value that a part of the law stays below."""
        p = np.asarray(probability, dtype=np.float64)
        return np.asarray(self.scale * (-np.log1p(-p)) ** (1.0 / self.shape), dtype=np.float64)

    def _information(self, x: FloatArray) -> FloatArray:
        """Negative second derivatives of the log-likelihood in (ln shape, ln scale)."""
        k = self._shape
        y = k * np.log(x / self._scale)
        e = np.exp(y)
        mixed = k * float(np.sum(1.0 - e - y * e))
        # the score vanishes at the maximum, so only the curvature is left
        first = len(x) + float(np.sum(y**2 * e)) + float(np.sum(y * e - y)) - len(x)
        return np.array([[first, mixed], [mixed, k**2 * float(e.sum())]])

    def _interval(self, value: float, place: int) -> tuple[float, float]:
        factor = float(
            np.exp(norm.ppf(0.5 + self._level / 2.0) * np.sqrt(self._covariance[place, place]))
        )
        return value / factor, value * factor


@dataclass(frozen=True)
class Spread:
    """A distribution in brief; all but the count are None where there is no value.

    Attributes
    ----------
    count : int
    mean, deviation : float
        Mean and standard deviation of the sample; 0 for a lone value.
    lower_quartile, median, upper_quartile : float
    """

    count: int
    mean: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    deviation: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    lower_quartile: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    median: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    upper_quartile: float | None = field(default=None, metadata=ABSENT_IF_NONE)


def spread(values: ArrayLike) -> Spread:
    """Summarize a distribution; values that are not finite are left out.

    Parameters
    ----------
    values : array_like, shape (n_values,)
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    if not len(x):
        return Spread(0)
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    return Spread(
        count=len(x),
        mean=float(x.mean()),
        deviation=float(x.std(ddof=1)) if len(x) > 1 else 0.0,
        lower_quartile=float(low),
        median=float(middle),
        upper_quartile=float(high),
    )
