"""Plateaus and steps of a conductance trace: a piecewise constant model.

The trace is taken as constant levels with white noise. Steps are found by the exact minimum of

    sum (G - level)^2 + (number of steps) * 3 sigma^2 ln n

over all segmentations (PELT: Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107, 1590 (2012),
doi:10.1080/01621459.2012.737745), with the penalty of three logarithms per step of the modified
information criterion (Zhang and Siegmund, Biometrics 63, 22 (2007),
doi:10.1111/j.1541-0420.2006.00662.x) and sigma from the differences of neighbouring points. Noise
differs from plateau to plateau, so every step then has to pass the same criterion with the noise
of its two neighbours, the weakest first.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import median_filter

from nanogap.computed import Analysis, after_compute, as_trace, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, listed, number
from nanogap.typing import FloatArray

#: Points that are segmented at once; borders between windows are tested like any step.
_WINDOW = 8192

#: Median absolute deviation to standard deviation of a Gaussian.
_MAD = 1.4826

#: A reading further from its neighbours is a spike of the instrument, standard deviations.
_SPIKE = 6.0


@dataclass(frozen=True)
class Plateau:
    """A stretch of constant conductance.

    Attributes
    ----------
    first, last : int
        Points of the trace, `last` exclusive.
    level : float
        Mean, G0.
    deviation : float
        Standard deviation within the plateau, G0.
    uncertainty : float
        Standard error of the level, for white noise, G0.
    step : float
        Level less that of the plateau before, G0; NaN for the first of a cycle.
    """

    first: int
    last: int
    level: float
    deviation: float
    uncertainty: float
    step: float

    @property
    def length(self) -> int:
        """Number of points."""
        return self.last - self.first

    @property
    def nearest_level(self) -> int:
        """The integer multiple of G0 that is nearest."""
        return int(np.floor(self.level + 0.5))

    @property
    def offset(self) -> float:
        """Level less the nearest integer, G0."""
        return self.level - self.nearest_level


class PlateauDetection(Analysis):
    """Cut a trace into plateaus.

    Parameters
    ----------
    minimum_length : int
        Points of the shortest plateau; shorter stretches between two steps are passages and belong
        to none.
    minimum_step : float
        Smaller steps are none, G0.
    strictness : float
        Multiplies the penalty per step; 1 is the information criterion.

    Examples
    --------
    >>> trace = np.repeat([1.0, 2.0], 50) + np.tile([0.01, -0.01], 50)
    >>> [(p.first, p.last, round(p.level, 3)) for p in PlateauDetection().compute(trace).plateaus]
    [(0, 50, 1.0), (50, 100, 2.0)]
    """

    _has_figure = True

    def __init__(
        self, minimum_length: int = 8, minimum_step: float = 0.0, strictness: float = 1.0
    ) -> None:
        if minimum_length < 2:
            raise SettingsError(f"minimum length is {minimum_length} points; it must be 2 or more")
        if not (np.isfinite(minimum_step) and minimum_step >= 0.0):
            raise SettingsError(f"minimum step is {minimum_step} G0; it must be zero or positive")
        if not (np.isfinite(strictness) and strictness > 0.0):
            raise SettingsError(f"strictness is {strictness}; it must be positive")
        self._shortest, self._least, self._strictness = minimum_length, minimum_step, strictness

    def compute(self, conductance: ArrayLike, cycle: ArrayLike | None = None) -> Self:
        """Find the plateaus.

        Parameters
        ----------
        conductance : array_like, shape (n_points,)
            G0, in order of time or of the sweep; points that are not finite are passed over.
        cycle : array_like of int, shape (n_points,), optional
            Cycle of every point: each is cut apart from the others, and cycles that are too short
            are passed over. Default: all points are one cycle.

        Returns
        -------
        PlateauDetection
            Itself.

        Raises
        ------
        DataFormatError
            If no cycle has as many finite points as two shortest plateaus.
        """
        values = as_trace(conductance)
        numbers = np.zeros(len(values))
        if cycle is not None:
            values, numbers = as_traces(conductance=values, cycle=cycle)
        finite = np.isfinite(values)
        parts = [np.flatnonzero(finite & (numbers == one)) for one in np.unique(numbers)]
        long_enough = [places for places in parts if len(places) >= 2 * self._shortest]
        if not long_enough:
            raise DataFormatError(
                f"a trace of {max(map(len, parts), default=0)} finite points is too short for "
                f"plateaus of {self._shortest} points"
            )
        found = [self._of_cycle(values[places], places) for places in long_enough]
        self._plateaus = [plateau for plateaus, _ in found for plateau in plateaus]
        self._level_of_noise = float(np.median([noise for _, noise in found]))
        self._conductance = values
        self._skipped = len(parts) - len(long_enough)
        return self

    def _of_cycle(
        self, trace: FloatArray, places: NDArray[np.int64]
    ) -> tuple[list[Plateau], float]:
        """Plateaus and noise of one cycle."""
        self._noise = _noise(trace)
        clean = _without_spikes(trace, self._noise)
        borders = self._segment(clean)
        borders = self._merged(clean, borders)
        borders = self._sharpened(clean, borders)
        borders = self._without_short(clean, borders)
        return _described(clean, borders, places, self._shortest), self._noise

    def _found(self) -> Rows:
        longest = sorted(self.plateaus, key=lambda one: -one.length)
        yield "plateaus", f"{len(longest)} in {counted(len(self.conductance), 'point')}"
        yield "longest at", listed([number(one.level, "G0", one.uncertainty) for one in longest])
        yield "noise", number(self.noise, "G0")

    @property
    @after_compute
    def conductance(self) -> FloatArray:
        """Conductance that the plateaus were found in, shape (n_points,), G0."""
        return self._conductance

    @property
    @after_compute
    def n_skipped(self) -> int:
        """Number of cycles that are too short for plateaus."""
        return self._skipped

    @property
    @after_compute
    def plateaus(self) -> list[Plateau]:
        """Plateaus in order, each of `minimum_length` points or more."""
        return self._plateaus

    @property
    @after_compute
    def steps(self) -> list[int]:
        """First point of every plateau but the first of a cycle."""
        return [plateau.first for plateau in self.plateaus if not np.isnan(plateau.step)]

    @property
    @after_compute
    def noise(self) -> float:
        """Standard deviation of the noise over a whole cycle, the median of all cycles, G0."""
        return self._level_of_noise

    def _segment(self, trace: FloatArray) -> list[int]:
        """Candidate borders, the ends among them."""
        import ruptures  # noqa: PLC0415  # half a second that other analyses need not wait for

        borders = [0]
        # a noise of exactly zero would make every rounding error a step
        variance = max(self._noise**2, (1e-9 * float(np.ptp(trace))) ** 2, 1e-300)
        for begin in range(0, len(trace), _WINDOW):
            window = trace[begin : begin + _WINDOW]
            if len(window) >= 2 * self._shortest:
                penalty = max(3.0 * self._strictness * variance * np.log(len(trace)), 1e-300)
                search = ruptures.KernelCPD(kernel="linear", min_size=self._shortest)
                found = search.fit((window - window.mean())[:, None]).predict(pen=penalty)
                borders += [begin + int(place) for place in found]
            else:
                borders.append(begin + len(window))
        return sorted(set(borders))

    def _merged(self, trace: FloatArray, borders: list[int]) -> list[int]:
        """Drop the weakest step until all pass the criterion with their neighbours' noise."""
        sums = np.concatenate([[0.0], np.cumsum(trace)])
        needed = 3.0 * self._strictness * np.log(len(trace))
        inner = list(borders)
        score = [self._score(trace, sums, inner, i) for i in range(1, len(inner) - 1)]
        while score:
            weakest = int(np.argmin(score))
            if score[weakest] >= needed:
                break
            del inner[weakest + 1], score[weakest]
            for i in (weakest - 1, weakest):
                if 0 <= i < len(score):
                    score[i] = self._score(trace, sums, inner, i + 1)
        return inner

    def _score(self, trace: FloatArray, sums: FloatArray, borders: list[int], i: int) -> float:
        """Squared step in units of its standard error; 0 for a step below the least."""
        a, b, c = borders[i - 1], borders[i], borders[i + 1]
        if min(b - a, c - b) < self._shortest:
            return 0.0
        left, right = (sums[b] - sums[a]) / (b - a), (sums[c] - sums[b]) / (c - b)
        # a difference of rounding is none, and its square may be zero
        if abs(right - left) <= max(self._least, 1e-12 * max(abs(left), abs(right)), 1e-150):
            return 0.0
        noise = np.hypot(
            _noise(trace[max(a, b - _WINDOW) : b]), _noise(trace[b : min(c, b + _WINDOW)])
        ) / np.sqrt(2.0)
        # few points know their noise badly: the whole trace is a witness too
        noise = max(noise, 0.3 * self._noise, 1e-9 * abs(right - left))
        return float((right - left) ** 2 / (noise**2 * (1.0 / (b - a) + 1.0 / (c - b))))

    def _sharpened(self, trace: FloatArray, borders: list[int]) -> list[int]:
        """Move every step to where the two levels beside it fit best."""
        moved = list(borders)
        for i in range(1, len(moved) - 1):
            a, b, c = moved[i - 1], moved[i], moved[i + 1]
            low, high = max(a + 1, b - self._shortest), min(c - 1, b + self._shortest)
            left, right = trace[a:b].mean(), trace[b:c].mean()
            window = trace[low:high]
            gain = np.cumsum((window - right) ** 2 - (window - left) ** 2)
            moved[i] = low + int(np.argmax(np.concatenate([[0.0], gain])))
        return moved

    def _without_short(self, trace: FloatArray, borders: list[int]) -> list[int]:
        """Join stretches that became too short to a neighbour of the same level."""
        kept = list(borders)
        i = 0
        while i + 1 < len(kept) and len(kept) > 2:
            if kept[i + 1] - kept[i] >= self._shortest:
                i += 1
                continue
            middle = float(np.median(trace[kept[i] : kept[i + 1]]))
            # the border to remove, by the difference of the levels beside it
            beside = [
                (abs(float(trace[kept[j - 1] : kept[j]].mean()) - middle), i)
                if j == i
                else (abs(float(trace[kept[j] : kept[j + 1]].mean()) - middle), i + 1)
                for j in (i, i + 1)
                if 0 < j < len(kept) - 1
            ]
            difference, border = min(beside)
            if difference > max(3.0 * self._noise, self._least, 1e-9 * abs(middle)):
                i += 1
                continue
            del kept[border]
            i = max(0, i - 1)
        return kept


def _noise(trace: FloatArray) -> float:
    """Estimate the noise from the differences of neighbours, in which steps drop out."""
    if len(trace) < 3:
        return 0.0
    difference = np.diff(trace)
    return float(_MAD * np.median(np.abs(difference - np.median(difference))) / np.sqrt(2.0))


def _without_spikes(trace: FloatArray, noise: float) -> FloatArray:
    """Replace lone readings that stand far out by the median around them."""
    middle = median_filter(trace, size=5, mode="nearest")
    spike = np.abs(trace - middle) > _SPIKE * max(noise, 1e-12)
    # lone means lone: two in a row are the beginning of a step
    alone = spike & ~np.roll(spike, 1) & ~np.roll(spike, -1)
    return np.where(alone, middle, trace)


def _described(
    trace: FloatArray, borders: list[int], places: NDArray[np.int64], shortest: int
) -> list[Plateau]:
    """Level, noise and step of every segment that is long enough to be a plateau."""
    found: list[Plateau] = []
    for first, last in pairwise(borders):
        if last - first < shortest:
            continue
        part = trace[first:last]
        level = float(part.mean())
        deviation = float(part.std(ddof=1)) if len(part) > 1 else 0.0
        found.append(
            Plateau(
                first=int(places[first]),
                last=int(places[last - 1]) + 1,
                level=level,
                deviation=deviation,
                uncertainty=deviation / float(np.sqrt(len(part))),
                step=level - found[-1].level if found else float("nan"),
            )
        )
    return found
