"""Histogram of conductance and its peaks, in units of G0.

Metallic contacts of a few atoms prefer conductances near integer multiples of G0 = 2e^2/h, which
shows as peaks in the histogram of many traces; see the review of Agrait, Levy Yeyati and van
Ruitenbeek, Phys. Rep. 377, 81 (2003), doi:10.1016/S0370-1573(02)00633-6.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from nanogap.errors import SettingsError

FloatArray = NDArray[np.float64]

#: More bins than this is a slip in the bin width or a point that is no conductance.
_MOST_BINS = 1_000_000

#: Standard deviation of the smoothing before peaks are sought, bins.
_SMOOTHING = 1.5

#: Least prominence of a peak, as a part of the highest smoothed bin.
_PROMINENCE = 0.1


@dataclass(frozen=True)
class Peak:
    """A peak of a conductance histogram.

    Attributes
    ----------
    position : float
        Mean of the counts within the half-prominence width, G0.
    uncertainty : float
        Standard error of that mean and the resolution of a bin, ``width/sqrt(12)``, added in
        quadrature, G0.
    counts : float
        Counts within the half-prominence width.
    """

    position: float
    uncertainty: float
    counts: float


class ConductanceHistogram:
    """Counts of conductance in bins of equal width that start at zero.

    Points that are not finite are ignored, and so are points below zero or above the last edge;
    `n_missing` and `n_outside` tell how many.

    Parameters
    ----------
    bin_width : float
        G0.
    maximum : float, optional
        Upper end of the range, rounded up to whole bins, G0. Default: the range ends at the
        first edge above the highest point.

    Examples
    --------
    >>> histogram = ConductanceHistogram(bin_width=0.5).compute([0.1, 0.9, 1.1, float("nan")])
    >>> histogram.edges.tolist(), histogram.counts.tolist(), histogram.n_missing
    ([0.0, 0.5, 1.0, 1.5], [1.0, 1.0, 1.0], 1)
    """

    def __init__(self, bin_width: float = 0.05, maximum: float | None = None) -> None:
        if not (np.isfinite(bin_width) and bin_width > 0.0):
            raise SettingsError(f"bin width is {bin_width}; it must be a positive number of G0")
        if maximum is not None and not (np.isfinite(maximum) and maximum > 0.0):
            raise SettingsError(f"maximum is {maximum}; it must be a positive number of G0")
        self._width = float(bin_width)
        self._maximum = maximum
        self._counts: FloatArray | None = None
        self._points: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._edges: FloatArray = np.zeros(0)
        self._missing = self._outside = 0

    def compute(self, conductance: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Count the points.

        Parameters
        ----------
        conductance : array_like, shape (n_points,)
            G0.
        weights : array_like, shape (n_points,), optional
            What a point counts, for example the time it stands for; see `represented_time`.
            Default: 1 each.

        Returns
        -------
        ConductanceHistogram
            Itself.

        Raises
        ------
        SettingsError
            If the bins are far too many.
        """
        values = np.asarray(conductance, dtype=np.float64).ravel()
        weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
        finite = np.isfinite(values)
        self._missing = int((~finite).sum())
        values, weight = values[finite], weight.ravel()[finite]
        self._edges = self._width * np.arange(self._bins(values) + 1, dtype=np.float64)
        inside = (values >= 0.0) & (values <= self._edges[-1])
        self._outside = int((~inside).sum())
        self._points = np.histogram(values, self._edges)[0].astype(np.int64)
        self._counts = np.histogram(values, self._edges, weights=weight)[0].astype(np.float64)
        return self

    @property
    def edges(self) -> FloatArray:
        """Bin edges, shape (n_bins + 1,), G0."""
        self._computed()
        return self._edges

    @property
    def counts(self) -> FloatArray:
        """Sum of the weights in every bin, shape (n_bins,)."""
        return self._computed()

    @property
    def n_missing(self) -> int:
        """Number of points that were not finite."""
        self._computed()
        return self._missing

    @property
    def n_outside(self) -> int:
        """Number of finite points below zero or above the last edge."""
        self._computed()
        return self._outside

    @property
    def peaks(self) -> list[Peak]:
        """Peaks in order of position.

        A peak is a local maximum of the counts, smoothed by a Gaussian of 1.5 bins, whose
        prominence is at least a tenth of the highest smoothed bin.
        """
        counts = self._computed()
        # an empty bin on either side lets the first and the last bin be peaks
        padded = np.concatenate([np.zeros(6), counts, np.zeros(6)])
        smooth = gaussian_filter1d(padded, _SMOOTHING, mode="constant")
        if not smooth.max() > 0.0:
            return []
        found, _ = find_peaks(smooth, prominence=_PROMINENCE * smooth.max())
        _, _, left, right = peak_widths(smooth, found, rel_height=0.5)
        return [
            peak
            for low, high in zip(left - 6.0, right - 6.0, strict=True)
            if (peak := self._peak(low, high)) is not None
        ]

    def _computed(self) -> FloatArray:
        if self._counts is None:
            raise AttributeError("call compute() first: this histogram has no data yet")
        return self._counts

    def _bins(self, values: FloatArray) -> int:
        """Return the number of bins that the range needs."""
        if self._maximum is not None:
            bins = np.ceil(self._maximum / self._width - 1e-9)
        else:
            bins = np.floor(max(0.0, values.max(initial=0.0)) / self._width) + 1.0
        if bins > _MOST_BINS:
            raise SettingsError(
                f"a bin width of {self._width:g} G0 gives {bins:.3g} bins, above the limit of "
                f"{_MOST_BINS}; choose wider bins or a maximum"
            )
        return max(1, int(bins))

    def _peak(self, low: float, high: float) -> Peak | None:
        """Describe the peak between two positions, in bins."""
        counts = self._computed()
        first = max(0, int(np.ceil(low)))
        inside = slice(first, max(first, int(np.floor(high))) + 1)
        total = float(counts[inside].sum())
        if total <= 0.0:
            return None
        centres = ((self._edges[:-1] + self._edges[1:]) / 2.0)[inside]
        position = float(np.average(centres, weights=counts[inside]))
        variance = float(np.average((centres - position) ** 2, weights=counts[inside]))
        points = max(1, int(self._points[inside].sum()))
        uncertainty = np.sqrt(variance / points + self._width**2 / 12.0)
        return Peak(position, float(uncertainty), total)


def represented_time(time: ArrayLike) -> FloatArray:
    """Time that every one of unequally spaced samples stands for.

    A sample stands for the time that is nearer to it than to any other sample.

    Parameters
    ----------
    time : array_like, shape (n_samples,)
        Ascending, fs.

    Returns
    -------
    ndarray, shape (n_samples,)
        fs; they add up to the time between the first and the last sample. A lone sample stands
        for 1.
    """
    times = np.asarray(time, dtype=np.float64)
    if len(times) < 2:
        return np.ones(len(times))
    borders = np.concatenate([times[:1], (times[:-1] + times[1:]) / 2.0, times[-1:]])
    return np.asarray(np.diff(borders), dtype=np.float64)
