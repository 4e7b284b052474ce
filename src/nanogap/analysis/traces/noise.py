"""Fluctuations of a plateau: size, spectrum and its exponent, detrended fluctuation.

Spectra are averaged over half-overlapping Hann windows (Welch, IEEE Trans. Audio Electroacoust. 15,
70 (1967), doi:10.1109/TAU.1967.1161901). S(f) = A f^-alpha, with a white floor where the data ask
for one, is fitted by the likelihood of averaged periodograms (Whittle; see Barret and Vaughan,
Astrophys. J. 746, 131 (2012), doi:10.1088/0004-637X/746/2/131). Detrended fluctuation analysis is
that of Peng et al., Phys. Rev. E 49, 1685 (1994), doi:10.1103/PhysRevE.49.1685: F(n) ~ n^h with
alpha = 2 h - 1.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.signal import welch

from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.computed import Analysis, after_compute, as_trace
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, number, quantity
from nanogap.typing import FloatArray

_FEWEST = 64

#: Lowest frequencies that the window and the subtraction of the mean distort, bins.
_DISTORTED = 3

#: Gain of the log-likelihood that a white floor must bring; in pure power laws it stays below.
_FLOOR_GAIN = 12.0

#: Neighbouring frequencies of a Hann window share information: its noise bandwidth, bins.
_BANDWIDTH = 1.5


#: Shortest time between two samples that has a frequency, s.
_SHORTEST = 1e-30


#: A smaller relative scatter is that of rounding.
_LEAST_SCATTER = 1e-12


class NoiseAnalysis(Analysis, arrays=("band",)):
    """Fluctuation of a trace at equal times.

    Parameters
    ----------
    interval : float
        Between two samples, s.
    segment : int, optional
        Samples of a Welch window. Default: an eighth of the trace, at least 64.
    band : tuple of float, optional
        Frequencies between which the exponent is fitted, Hz. Default: all that the window and the
        sampling leave undistorted.

    Attributes
    ----------
    interval : float
        As given, s.
    """

    _has_figure = True

    def __init__(
        self,
        interval: float,
        segment: int | None = None,
        band: tuple[float, float] | None = None,
    ) -> None:
        if not _SHORTEST <= interval < np.inf:
            raise SettingsError(f"sampling interval is {interval} s; it must be positive")
        if segment is not None and segment < 16:
            raise SettingsError(
                f"a Welch window of {segment} samples is too short; take 16 or more"
            )
        if band is not None and not 0.0 < band[0] < band[1]:
            raise SettingsError(f"band is {band} Hz; it must be two ascending positive frequencies")
        self.interval, self._segment, self._band = float(interval), segment, band

    def compute(self, conductance: ArrayLike) -> Self:
        """Analyse a trace.

        Parameters
        ----------
        conductance : array_like, shape (n_samples,)
            G0; samples that are not finite are replaced by interpolation if they are few.

        Raises
        ------
        DataFormatError
            If there are fewer than 64 samples, more than a tenth of them are missing, or the trace
            does not vary.
        """
        values = as_trace(conductance)
        known = np.isfinite(values)
        if known.sum() < _FEWEST or known.mean() < 0.9:
            raise DataFormatError(
                f"noise analysis needs {_FEWEST} samples with few gaps; {int(known.sum())} of "
                f"{len(values)} are finite"
            )
        if not known.all():
            values = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
        if not values.std() > _LEAST_SCATTER * abs(values.mean()):
            raise DataFormatError(
                f"the trace does not vary: all {len(values)} samples are {values.mean():.4g} G0, "
                "and there is no noise in them"
            )
        length = self._segment or max(_FEWEST, len(values) // 8)
        length = min(length, len(values))
        frequency, density = welch(
            values, fs=1.0 / self.interval, nperseg=length, window="hann", detrend="linear"
        )
        self._frequency, self._density = frequency[1:], density[1:]
        # half-overlapping Hann windows are worth about 1.8 independent ones per window length
        self._averages = max(1.0, 0.95 * (2.0 * len(values) / length - 1.0))
        self._values = values
        self._telegraph: list[TelegraphModel | None] = []
        self._fit()
        return self

    def _found(self) -> Rows:
        samples = counted(len(self._values), "sample")
        yield "trace", f"{samples}, one every {quantity(self.interval, 's')}"
        yield "mean", number(self.mean, "G0")
        yield "deviation", f"{number(self.deviation, 'G0')} ({100.0 * self.relative:.3g} %)"
        yield "spectrum", f"S ~ f^-a, a = {number(self.exponent, '', self.exponent_uncertainty)}"

    @property
    @after_compute
    def conductance(self) -> FloatArray:
        """Samples, with those that were missing interpolated, shape (n_samples,), G0."""
        return self._values

    @property
    @after_compute
    def mean(self) -> float:
        """Mean conductance, G0."""
        return float(self._values.mean())

    @property
    @after_compute
    def deviation(self) -> float:
        """Standard deviation, G0."""
        return float(self._values.std(ddof=1))

    @property
    @after_compute
    def relative(self) -> float:
        """Standard deviation over mean."""
        return self.deviation / abs(self.mean)

    @property
    @after_compute
    def frequency(self) -> FloatArray:
        """Frequencies of the spectrum without zero, Hz."""
        return np.asarray(self._frequency, dtype=np.float64)

    @property
    @after_compute
    def density(self) -> FloatArray:
        """One-sided power spectral density, G0^2/Hz."""
        return np.asarray(self._density, dtype=np.float64)

    @property
    @after_compute
    def exponent(self) -> float:
        """Fitted alpha of S(f) ~ f^-alpha; NaN for a telegraph, whose spectrum is no power law."""
        return self._exponent if self.telegraph is None else float("nan")

    @property
    @after_compute
    def exponent_uncertainty(self) -> float:
        """Standard error of the exponent; NaN for a telegraph."""
        return self._exponent_error if self.telegraph is None else float("nan")

    @property
    @after_compute
    def telegraph(self) -> TelegraphModel | None:
        """Two states that tell more than one, with their dwell times; None if there are none."""
        if not self._telegraph:
            try:
                model = TelegraphModel(self.interval).compute(self._values)
            except DataFormatError:
                self._telegraph = [None]
            else:
                self._telegraph = [model if model.is_telegraph else None]
        return self._telegraph[0]

    @property
    @after_compute
    def floor(self) -> float:
        """White floor of the fit, G0^2/Hz; 0 where the data ask for none."""
        return self._floor

    @property
    @after_compute
    def fitted(self) -> FloatArray:
        """Fitted density at `frequency`, G0^2/Hz."""
        return self.model(self.frequency)

    @after_compute
    def model(self, frequency: ArrayLike) -> FloatArray:
        """Fitted density at other frequencies (Hz), G0^2/Hz."""
        f = np.asarray(frequency, dtype=np.float64)
        return np.asarray(self._amplitude * f**-self._exponent + self._floor, dtype=np.float64)

    def _fit(self) -> None:
        """Maximize the Whittle likelihood of a power law, without and with a floor."""
        f, s = self._frequency, self._density
        used = np.arange(len(f)) >= _DISTORTED - 1
        used &= f < 0.8 * f[-1]
        if self._band is not None:
            used &= (f >= self._band[0]) & (f <= self._band[1])
        used &= s > 0.0
        if used.sum() < 5:
            raise DataFormatError(
                "fewer than five frequencies of the spectrum lie in the band; widen the band or "
                "take longer windows"
            )
        f, s = f[used], s[used]
        middle = float(np.exp(np.log(f).mean()))
        x = np.log(f / middle)

        def cost(p: FloatArray) -> float:
            model = np.exp(p[0] - p[1] * x)
            if len(p) > 2:
                model = model + np.exp(p[2])
            return float(self._averages * np.sum(s / model + np.log(model)))

        slope, level = np.polyfit(x, np.log(s), 1)
        plain = minimize(cost, [level, -slope], method="Nelder-Mead", options=_FINE)
        best = plain
        low = float(np.log(np.median(s[-max(3, len(s) // 10) :])))
        for start in (low, low - 1.5):
            guess = [level, max(0.5, -slope), start]
            floored = minimize(cost, guess, method="Nelder-Mead", options=_FINE)
            if floored.fun < best.fun - _FLOOR_GAIN and floored.x[1] > 0.0:
                best = floored
        self._exponent = float(best.x[1])
        self._amplitude = float(np.exp(best.x[0]) * middle**self._exponent)
        self._floor = float(np.exp(best.x[2])) if len(best.x) > 2 else 0.0
        # curvature of the likelihood where the power law rises above the floor
        share = np.exp(best.x[0] - best.x[1] * x)
        share = share / (share + self._floor)
        moment = np.sum((share * x) ** 2) - np.sum(share**2 * x) ** 2 / np.sum(share**2)
        self._exponent_error = float(np.sqrt(_BANDWIDTH / max(self._averages * moment, 1e-300)))


_FINE = {"xatol": 1e-5, "fatol": 1e-6, "maxiter": 4000, "maxfev": 4000}


class DetrendedFluctuation(Analysis):
    """Detrended fluctuation analysis of first order.

    Parameters
    ----------
    shortest : int
        Samples of the shortest window.
    scales : int
        Number of window lengths, in equal ratios up to a quarter of the trace.
    """

    def __init__(self, shortest: int = 16, scales: int = 16) -> None:
        if shortest < 4 or scales < 3:
            raise SettingsError("windows need four samples or more, and three lengths or more")
        self._shortest, self._scales = shortest, scales

    def compute(self, values: ArrayLike) -> Self:
        """Compute F(n).

        Raises
        ------
        DataFormatError
            If the trace is shorter than eight of the shortest windows, or has gaps.
        """
        trace = as_trace(values, "values")
        if len(trace) < 8 * self._shortest or not np.isfinite(trace).all():
            raise DataFormatError(
                f"detrended fluctuation needs {8 * self._shortest} samples without gaps; there "
                f"are {int(np.isfinite(trace).sum())}"
            )
        profile = np.cumsum(trace - trace.mean())
        lengths = np.unique(
            np.geomspace(self._shortest, len(trace) // 4, self._scales).astype(np.int64)
        )
        self._lengths = np.asarray(lengths, dtype=np.int64)
        self._fluctuation = np.array([_fluctuation(profile, int(n)) for n in lengths])
        return self

    @property
    @after_compute
    def lengths(self) -> NDArray[np.int64]:
        """Window lengths n, samples."""
        return self._lengths

    @property
    @after_compute
    def fluctuation(self) -> FloatArray:
        """F(n), in the unit of the trace."""
        return self._fluctuation

    @property
    @after_compute
    def exponent(self) -> float:
        """Exponent h: 0.5 for white noise, 1 for 1/f, 1.5 for a random walk."""
        return float(np.polyfit(np.log(self._lengths), np.log(self._fluctuation), 1)[0])


def _fluctuation(profile: FloatArray, length: int) -> float:
    """Root mean square of the profile about straight lines in windows of one length."""
    count = len(profile) // length
    windows = profile[: count * length].reshape(count, length)
    x = np.arange(length) - (length - 1) / 2.0
    slope = windows @ x / float(x @ x)
    rest = windows - windows.mean(axis=1, keepdims=True) - slope[:, None] * x
    return float(np.sqrt(np.mean(rest**2)))
