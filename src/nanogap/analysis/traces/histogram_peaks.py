"""Peaks of a conductance histogram: which are real, where they are and how surely."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from nanogap.typing import FloatArray

#: Standard deviation of the smoothing before peaks are sought, bins.
_SMOOTHING = 1.5

#: Empty bins put on either side, so that the first and the last bin can be peaks.
_PADDING = 6

#: Least prominence of a peak, as a part of its own height.
_PROMINENCE = 0.1

#: Least excess of a peak over its saddle, in standard deviations, at one place.
_SIGNIFICANCE = 3.0


#: Standard deviations by which a saddle is raised, at least.
_SADDLE = 2.0

#: Bins that the smoothing averages over: 2 sqrt(pi) of its standard deviations.
_KERNEL = 2.0 * np.sqrt(np.pi) * _SMOOTHING


#: Conductance below which no contact conducts, G0: a single silver atom has about 1, contaminated
#: ones 0.3.
OPEN_GAP = 0.1


#: Distance below which two peaks are one: the full width at half maximum of the smoothing, bins.
_RESOLUTION = 2.355 * _SMOOTHING


@dataclass(frozen=True)
class Peak:
    """A peak of a conductance histogram.

    Attributes
    ----------
    position : float
        Mean of the counts that rise above half the prominence, G0.
    uncertainty : float
        Standard error of that mean, from the scatter between cycles where they are known, and the
        resolution of a bin, ``width/sqrt(12)``, added in quadrature, G0.
    counts : float
        Counts within the half-prominence width.
    """

    position: float
    uncertainty: float
    counts: float

    @property
    def nearest_level(self) -> int:
        """The integer multiple of G0 that is nearest."""
        return int(np.floor(self.position + 0.5))

    @property
    def deviation(self) -> float:
        """Position less the nearest integer, G0."""
        return self.position - self.nearest_level

    @property
    def is_open_gap(self) -> bool:
        """Whether the position is below a tenth of G0, where the gap is open."""
        return self.position < OPEN_GAP


def conductance_peaks(edges: FloatArray, groups: FloatArray, points: FloatArray) -> list[Peak]:
    """Find the peaks.

    The counts are smoothed by a Gaussian of 1.5 bins. A local maximum is a peak if its prominence
    is at least a tenth of its height and its counts N within the half-prominence width exceed the
    counts B that its saddle, raised by ``sqrt(2 ln M)`` standard deviations, has there by the
    deviations of the likelihood ratio for Poisson counts, ``2 (N ln(N/B) - N + B) >= 9 + 2 ln M``
    for the M places at which a chance maximum could be (Li and Ma, Astrophys. J. 272, 317 (1983),
    doi:10.1086/161295, for a known background). Points in one cycle are correlated, so N and B are
    divided by the ratio of the scatter between cycles to that of Poisson counts.

    Parameters
    ----------
    edges : ndarray, shape (n_bins + 1,)
        G0; equal widths in G0 or in decades.
    groups : ndarray, shape (n_groups, n_bins)
        Sum of the weights per cycle, or one row for all of them.
    points : ndarray, shape (n_bins,)
        Number of points.
    """
    counts = groups.sum(axis=0)
    smooth = gaussian_filter1d(np.pad(counts, _PADDING), _SMOOTHING, mode="constant")
    top = float(smooth.max(initial=0.0))
    if not top > 0.0:
        return []
    # rounding in the smoothing gives empty stretches prominences of 1e-17
    found, shape = find_peaks(smooth, prominence=1e-9 * top)
    _, level, left, right = peak_widths(smooth, found, rel_height=0.5)
    # a chance maximum somewhere among many bins is likelier than at one place
    chances = 2.0 * np.log(max(1.0, len(counts) / _KERNEL))
    least = np.sqrt(_SIGNIFICANCE**2 + chances)
    peaks = []
    for i, place in enumerate(found):
        if shape["prominences"][i] < _PROMINENCE * smooth[place]:
            continue
        first = max(0, int(np.ceil(left[i])) - _PADDING)
        last = max(first, min(len(counts) - 1, int(np.floor(right[i])) - _PADDING))
        saddle = float(smooth[place] - shape["prominences"][i])
        raised = max(_SADDLE, float(np.sqrt(chances)))
        if _significance(groups[:, first : last + 1], saddle, raised) < least:
            continue
        # beyond the first or last bin too: the smoothing is symmetric only there
        inside = np.arange(int(np.ceil(left[i])), int(np.floor(right[i])) + 1)
        centre = np.average(inside - _PADDING + 0.5, weights=smooth[inside] - level[i])
        position = float(np.interp(centre, np.arange(len(edges)), edges))
        peak = _described(edges, groups, points, slice(first, last + 1), position)
        if peak is not None:
            peaks.append(peak)
    return _apart(peaks, edges)


def _apart(peaks: list[Peak], edges: FloatArray) -> list[Peak]:
    """Join peaks that the smoothing cannot tell apart: of each group the highest remains.

    Data of few different values, such as those of a coarse converter, leave empty bins between
    the counts of one peak.
    """
    kept: list[Peak] = []
    for peak in peaks:
        place = np.interp(peak.position, edges, np.arange(len(edges)))
        before = np.interp(kept[-1].position, edges, np.arange(len(edges))) if kept else -np.inf
        if place - before >= _RESOLUTION:
            kept.append(peak)
        elif peak.counts > kept[-1].counts:
            kept[-1] = peak
    return kept


def _significance(groups: FloatArray, saddle: float, raised: float) -> float:
    """Excess of the counts of a peak over those of its saddle, standard deviations."""
    per_group = groups.sum(axis=1)
    total = float(per_group.sum())
    if total <= 0.0:
        return 0.0
    correlation = 1.0
    if len(per_group) > 1:
        scatter = len(per_group) * float(per_group.var(ddof=1))
        correlation = max(1.0, scatter / total)
    number = total / correlation
    # a saddle is the least of several bins: some of its standard deviations are added. Half a
    # count is the median of what an empty stretch could have had
    level = saddle / correlation
    # (sqrt(level K) + raised/2)^2 / K: the square root of a Poisson count has a scatter of 1/2
    level += raised * np.sqrt(level / _KERNEL) + raised**2 / (4.0 * _KERNEL)
    expected = max(level * groups.shape[1], 0.5)
    if number <= expected:
        return 0.0
    return float(np.sqrt(2.0 * (number * np.log(number / expected) - number + expected)))


def _described(
    edges: FloatArray,
    groups: FloatArray,
    points: FloatArray,
    inside: slice,
    position: float,
) -> Peak | None:
    """Uncertainty and counts of the peak at a position, in a range of bins."""
    counts = groups[:, inside].sum(axis=0)
    total = float(counts.sum())
    if total <= 0.0:
        return None
    centres = ((edges[:-1] + edges[1:]) / 2.0)[inside]
    width = float(np.mean(np.diff(edges)[inside]))
    variance = float(np.average((centres - position) ** 2, weights=counts))
    error = variance / max(1, int(points[inside].sum()))
    if len(groups) > 1:
        # delta method over cycles: the mean is a ratio of sums
        moments = groups[:, inside] @ (centres - position)
        error = len(groups) * float(moments.var(ddof=1)) / total**2
    return Peak(position, float(np.sqrt(error + width**2 / 12.0)), total)
