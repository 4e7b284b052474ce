"""Histogram of conductance and its peaks, in units of G0.

Metallic contacts of a few atoms prefer conductances near integer multiples of G0 = 2e^2/h, which
shows as peaks in the histogram of many traces; see the review of Agrait, Levy Yeyati and van
Ruitenbeek, Phys. Rep. 377, 81 (2003), doi:10.1016/S0370-1573(02)00633-6.
"""

from typing import Literal, Self

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.stats import chi2

from nanogap.analysis.traces.histogram_peaks import Peak, conductance_peaks
from nanogap.computed import Analysis, after_compute, as_trace, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, listed, number
from nanogap.typing import FloatArray, Int64Array

#: Resamples of a bootstrap, at most.
_MOST_RESAMPLES = 100_000

#: More bins than this is a slip in the bin width or a point that is no conductance.
_MOST_BINS = 1_000_000

#: Cycles that are kept apart; more share a row, which leaves a bootstrap over rows valid.
_MOST_GROUPS = 4096

#: Numbers kept for cycles times bins, at most: 256 MB.
_MOST_CELLS = 32_000_000


class ConductanceHistogram(Analysis):
    """Counts of conductance in bins of equal width, of any number of points.

    Points are counted as they come, so that the memory does not grow with their number: `compute`
    begins anew, `add` goes on. Points that are not finite are ignored, and so are points below or
    above the range; `n_missing` and `n_outside` tell how many, and `n_negative` how many of these
    are negative.

    Parameters
    ----------
    bin_width : float, optional
        G0, or decades on a logarithmic scale. Default: 0.05 G0, or 0.01 decades, which keep the
        levels up to 5 G0 apart.
    maximum : float, optional
        Upper end of the range, rounded up to whole bins, G0. Default: the range ends at the
        first edge above the highest point.
    scale : {"linear", "logarithmic"}
        Linear bins start at zero.
    minimum : float
        Lower end of a logarithmic range, G0.

    Examples
    --------
    >>> histogram = ConductanceHistogram(bin_width=0.5).compute([0.1, 0.9, 1.1, float("nan")])
    >>> histogram.edges.tolist(), histogram.counts.tolist(), histogram.n_missing
    ([0.0, 0.5, 1.0, 1.5], [1.0, 1.0, 1.0], 1)
    >>> histogram
    ConductanceHistogram
      counts   3 in 3 bins from 0 to 1.5 G0 (1 missing, 0 outside)
      peaks    none
      results  .edges, .counts, .n_cycles, .n_missing, .n_outside, .n_negative, .peaks
      figure   nanogap.plot(...)
    """

    _has_figure = True

    def __init__(
        self,
        bin_width: float | None = None,
        maximum: float | None = None,
        *,
        scale: Literal["linear", "logarithmic"] = "linear",
        minimum: float = 1e-6,
    ) -> None:
        if bin_width is None:
            bin_width = 0.01 if scale == "logarithmic" else 0.05
        if not (np.isfinite(bin_width) and bin_width > 0.0):
            raise SettingsError(f"bin width is {bin_width}; it must be a positive number of G0")
        if maximum is not None and not (np.isfinite(maximum) and maximum > 0.0):
            raise SettingsError(f"maximum is {maximum}; it must be a positive number of G0")
        if scale not in {"linear", "logarithmic"}:
            raise SettingsError(f"scale is {scale!r}; it must be 'linear' or 'logarithmic'")
        if not (np.isfinite(minimum) and minimum > 0.0):
            raise SettingsError(f"minimum is {minimum}; it must be a positive number of G0")
        self._width = float(bin_width)
        self._logarithmic = scale == "logarithmic"
        self._origin = float(np.log10(minimum)) if self._logarithmic else 0.0
        self._maximum = maximum
        self._reset()

    def _found(self) -> Rows:
        edges = self.edges
        bins = counted(len(edges) - 1, "bin")
        bins += f" from {number(edges[0])} to {number(edges[-1], 'G0')}"
        left = f"{self.n_missing} missing, {self.n_outside} outside"
        yield "counts", f"{number(float(self.counts.sum()))} in {bins} ({left})"
        if self.n_cycles > 1:
            yield "cycles", f"{self.n_cycles}"
        peaks = [number(one.position, "G0", one.uncertainty) for one in self.peaks]
        yield "peaks", listed(peaks)

    def _reset(self) -> None:
        self._begun = False
        self._groups: FloatArray = np.zeros((1, 0))
        #: memory for `_groups`, with room for rows to come
        self._room: FloatArray = self._groups
        self._points: Int64Array = np.zeros(0, dtype=np.int64)
        self._missing = self._outside = self._negative = 0
        self._by_cycle = False

    def compute(
        self,
        conductance: ArrayLike,
        weights: ArrayLike | None = None,
        cycle: ArrayLike | None = None,
    ) -> Self:
        """Count the points, forgetting earlier ones; see `add`.

        Returns
        -------
        ConductanceHistogram
            Itself.
        """
        self._reset()
        return self.add(conductance, weights, cycle)

    def add(
        self,
        conductance: ArrayLike,
        weights: ArrayLike | None = None,
        cycle: ArrayLike | None = None,
    ) -> Self:
        """Count further points.

        Parameters
        ----------
        conductance : array_like, shape (n_points,)
            G0.
        weights : array_like, shape (n_points,), optional
            What a point counts, for example the time it represents; see `represented_time`.
            Default: 1 each.
        cycle : array_like of int, shape () or (n_points,), optional
            Cycle of every point, from 0, numbered through all calls. Either all calls give it or
            none does.

        Returns
        -------
        ConductanceHistogram
            Itself.

        Raises
        ------
        DataFormatError
            If the conductances are no numbers in one dimension, or weights or cycles are not as
            many.
        SettingsError
            If the bins are far too many, or only some calls give cycles.
        """
        values = np.ascontiguousarray(as_trace(conductance))
        weight = np.ones(1)
        if weights is not None:
            values, weight = as_traces(conductance=values, weights=weights)
        if self._begun and self._by_cycle != (cycle is not None):
            raise SettingsError("a histogram needs the cycles of all points or of none")
        self._by_cycle = cycle is not None
        numbers = np.zeros(1, dtype=np.int64)
        if cycle is not None:
            numbers = np.atleast_1d(np.asarray(cycle, dtype=np.int64)) % _MOST_GROUPS
            if np.ndim(cycle) and numbers.shape != values.shape:
                raise DataFormatError(
                    f"there are {len(values)} of conductance and {len(numbers)} of cycle: give "
                    "every point its cycle, or one for all"
                )
        self._grow(values, int(numbers.max(initial=0)) + 1)
        self._begun = True
        edges = self._edges_in_units()
        x = values
        if self._logarithmic:
            with np.errstate(divide="ignore", invalid="ignore"):
                x = np.log10(values)
        missing, outside = _count(x, weight, numbers, edges, self._groups, self._points)
        if self._logarithmic:
            # a conductance that is not positive has no logarithm but is no missing reading
            lost = int((np.isfinite(values) & ~np.isfinite(x)).sum())
            missing, outside = missing - lost, outside + lost
        self._missing += int(missing)
        self._outside += int(outside)
        self._negative += int(np.count_nonzero(values < 0.0))
        return self

    @property
    @after_compute
    def edges(self) -> FloatArray:
        """Bin edges, shape (n_bins + 1,), G0."""
        units = self._edges_in_units()
        return np.asarray(10.0**units) if self._logarithmic else units

    @property
    @after_compute
    def counts(self) -> FloatArray:
        """Sum of the weights in every bin, shape (n_bins,)."""
        return np.asarray(self._groups.sum(axis=0), dtype=np.float64)

    @property
    @after_compute
    def n_cycles(self) -> int:
        """Number of cycles that are kept apart; 0 if they were not given."""
        return len(self._groups) if self._by_cycle else 0

    @property
    @after_compute
    def n_missing(self) -> int:
        """Number of points that were not finite."""
        return self._missing

    @property
    @after_compute
    def n_outside(self) -> int:
        """Number of finite points below or above the range."""
        return self._outside

    @property
    @after_compute
    def n_negative(self) -> int:
        """Number of finite points below zero, where the current is against the voltage."""
        return self._negative

    @property
    @after_compute
    def peaks(self) -> list[Peak]:
        """Peaks in order of position; see `nanogap.analysis.traces.histogram_peaks`."""
        groups = self._groups
        return conductance_peaks(self.edges, groups, self._points.astype(np.float64))

    @after_compute
    def band(
        self,
        level: float = 0.68,
        method: Literal["bootstrap", "poisson"] | None = None,
        n_resamples: int = 400,
        seed: int = 0,
    ) -> tuple[FloatArray, FloatArray]:
        """Confidence band of the counts.

        Parameters
        ----------
        level : float
            Probability inside, between 0 and 1.
        method : {"bootstrap", "poisson"}, optional
            Bootstrap draws whole cycles, because the points in a cycle are correlated. Poisson
            takes the points as independent (Garwood, Biometrika 28, 437 (1936),
            doi:10.1093/biomet/28.3-4.437). Default: bootstrap if there are five cycles.
        n_resamples, seed : int
            Of the bootstrap.

        Returns
        -------
        low, high : ndarray, shape (n_bins,)

        Raises
        ------
        SettingsError
            If the level is not a probability, a bootstrap has fewer than two cycles, or there is
            no such number of resamples or seed.
        """
        groups = self._groups
        if not 0.0 < level < 1.0:
            raise SettingsError(f"confidence level is {level}; it must lie between 0 and 1")
        if not 1 <= n_resamples <= _MOST_RESAMPLES or seed < 0:
            raise SettingsError(
                f"n_resamples is {n_resamples} and seed {seed}; give 1 to {_MOST_RESAMPLES} "
                "resamples and a seed from 0"
            )
        tail = (1.0 - level) / 2.0
        if method is None:
            method = "bootstrap" if self.n_cycles >= 5 else "poisson"
        if method == "bootstrap":
            if self.n_cycles < 2:
                raise SettingsError("a bootstrap by cycle needs two cycles or more")
            random = np.random.default_rng(seed)
            share = np.full(len(groups), 1.0 / len(groups))
            drawn = random.multinomial(len(groups), share, size=n_resamples).astype(np.float64)
            low, high = np.quantile(drawn @ groups, [tail, 1.0 - tail], axis=0)
            return low, high
        number = self._points.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean_weight = np.where(number > 0.0, self.counts / number, 1.0)
        low = np.nan_to_num(chi2.ppf(tail, 2.0 * number) / 2.0)
        high = chi2.ppf(1.0 - tail, 2.0 * number + 2.0) / 2.0
        return low * mean_weight, high * mean_weight

    def _edges_in_units(self) -> FloatArray:
        """Return the edges in G0 or in decades."""
        steps = np.arange(self._groups.shape[1] + 1, dtype=np.float64)
        return np.asarray(self._origin + self._width * steps, dtype=np.float64)

    def _grow(self, values: FloatArray, rows: int) -> None:
        """Make room for the bins and the cycles of new points."""
        bins = max(self._groups.shape[1], self._bins(values))
        rows = max(len(self._groups), min(rows, max(1, _MOST_CELLS // max(1, bins))))
        if (rows, bins) == self._groups.shape:
            return
        if rows > len(self._room) or bins > self._room.shape[1]:
            # twice the rows, so that many files with a cycle each are not copied over and over
            grown = np.zeros((max(rows, min(2 * len(self._room), _MOST_GROUPS)), bins))
            grown[: len(self._groups), : self._groups.shape[1]] = self._groups
            self._room = grown
            self._points = np.pad(self._points, (0, bins - len(self._points)))
        self._groups = self._room[:rows, :bins]

    def _bins(self, values: FloatArray) -> int:
        """Return the number of bins that the range needs."""
        if self._maximum is not None:
            end = np.log10(self._maximum) if self._logarithmic else self._maximum
            bins = np.ceil((end - self._origin) / self._width - 1e-9)
        else:
            highest = _highest(values)
            if self._logarithmic:
                highest = np.log10(highest) if highest > 0.0 else self._origin
            bins = np.floor(max(0.0, highest - self._origin) / self._width) + 1.0
        if bins > _MOST_BINS:
            raise SettingsError(
                f"a bin width of {self._width:g} G0 gives {bins:.3g} bins, above the limit of "
                f"{_MOST_BINS}; choose wider bins or a maximum"
            )
        return max(1, int(bins))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _highest(values: FloatArray) -> float:  # pragma: no cover
    """Largest finite value; 0 if there is none above."""
    highest = 0.0
    for value in values:
        if np.isfinite(value) and value > highest:
            highest = value
    return highest


@njit(cache=True)  # type: ignore[untyped-decorator]
def _count(  # noqa: PLR0917  # pragma: no cover
    values: FloatArray,
    weights: FloatArray,
    rows: Int64Array,
    edges: FloatArray,
    groups: FloatArray,
    points: Int64Array,
) -> tuple[int, int]:
    """Add the points to their bins; return how many were not finite and how many outside."""
    missing = outside = 0
    last = len(edges) - 2
    scale = 1.0 / (edges[1] - edges[0])
    one_weight, one_row = len(weights) == 1, len(rows) == 1
    for i in range(len(values)):
        value = values[i]
        if not np.isfinite(value):
            missing += 1
            continue
        if value < edges[0] or value > edges[last + 1]:
            outside += 1
            continue
        k = min(int((value - edges[0]) * scale), last)
        # rounding may put a value on an edge into the bin beside its own
        if value < edges[k]:
            k -= 1
        elif k < last and value >= edges[k + 1]:
            k += 1
        row = (rows[0] if one_row else rows[i]) % len(groups)
        groups[row, k] += weights[0] if one_weight else weights[i]
        points[k] += 1
    return missing, outside


def represented_time(time: ArrayLike) -> FloatArray:
    """Return the time that each of unequally spaced samples represents.

    A sample represents the time that is nearer to it than to any other sample.

    Parameters
    ----------
    time : array_like, shape (n_samples,)
        Ascending, fs.

    Returns
    -------
    ndarray, shape (n_samples,)
        fs; they add up to the time between the first and the last sample. A lone sample
        represents 1.
    """
    times = np.asarray(time, dtype=np.float64)
    if len(times) < 2:
        return np.ones(len(times))
    borders = np.concatenate([times[:1], (times[:-1] + times[1:]) / 2.0, times[-1:]])
    return np.asarray(np.diff(borders), dtype=np.float64)
