"""Retention: how a state that is only read drifts with time.

The drift is fitted as a power law G(t) = G(1 s) t^nu, the form that ageing of disordered contacts
takes; points are first averaged in equal steps of ln t, because fluctuations are correlated and
most points are late.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from nanogap.analysis.traces.noise import NoiseAnalysis
from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, number, quantity
from nanogap.typing import FloatArray


class RetentionDrift(Analysis):
    """Drift of a state.

    Parameters
    ----------
    tolerance : float
        The state is lost when its conductance has changed by this factor for good, above 1.
    bins : int
        Averages per trace.
    """

    _has_figure = True

    def __init__(self, tolerance: float = 2.0, bins: int = 24) -> None:
        if not (np.isfinite(tolerance) and tolerance > 1.0):
            raise SettingsError(f"tolerance is {tolerance}; it must be a factor above 1")
        if bins < 4:
            raise SettingsError(f"{bins} averages are too few for a drift; take four or more")
        self._tolerance, self._bins = tolerance, bins

    def compute(self, time: ArrayLike, conductance: ArrayLike) -> Self:
        """Fit the drift.

        Parameters
        ----------
        time, conductance : array_like, shape (n_points,)
            s since the state was written, positive; G0, of one sign.

        Raises
        ------
        DataFormatError
            If fewer than eight points have a positive time and a positive conductance.
        """
        t, g = as_traces(time=time, conductance=conductance)
        used = np.isfinite(t) & np.isfinite(g) & (t > 0.0) & (g > 0.0)
        if used.sum() < 8 or not np.ptp(t[used]) > 0.0:
            raise DataFormatError(
                "retention needs eight points at positive times with a positive conductance; "
                f"there are {int(used.sum())}"
            )
        t, g = t[used], g[used]
        x, y = np.log(t), np.log(g)
        place = np.digitize(x, np.linspace(x.min(), x.max(), self._bins + 1)[1:-1])
        centres = np.array([x[place == k].mean() for k in np.unique(place)])
        means = np.array([y[place == k].mean() for k in np.unique(place)])
        design = np.stack([np.ones_like(centres), centres], axis=1)
        solution, *_ = np.linalg.lstsq(design, means, rcond=None)
        rest = y - solution[0] - solution[1] * x
        averages, member = np.unique(place, return_inverse=True)
        per_average = np.linalg.pinv(design)[1] / np.bincount(member, minlength=len(averages))
        error = _slope_error(t, rest, per_average[member])
        if error is None:
            scatter = means - design @ solution
            variance = float(scatter @ scatter) / max(1, len(means) - 2)
            error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1]))
        self._fit = float(np.exp(solution[0])), float(solution[1]), error
        self._relative = float(np.std(rest))
        self._lost = _lost_at(t, g, self._tolerance)
        self._points = t, g
        return self

    def _found(self) -> Rows:
        first, last = float(self.time.min()), float(self.time.max())
        points = counted(len(self.time), "point")
        yield "trace", f"{points} from {quantity(first, 's')} to {quantity(last, 's')}"
        yield "after 1 s", number(self.conductance_after_one_second, "G0")
        drift = number(self.exponent, "", self.exponent_uncertainty)
        yield "drift", f"G ~ t^nu, nu = {drift}"
        yield "lost at", "not lost" if self.lost_at is None else quantity(self.lost_at, "s")

    @property
    @after_compute
    def time(self) -> FloatArray:
        """Times of the points that were used, s."""
        return self._points[0]

    @property
    @after_compute
    def conductance(self) -> FloatArray:
        """Conductances of the points that were used, G0."""
        return self._points[1]

    @property
    @after_compute
    def conductance_after_one_second(self) -> float:
        """Prefactor of the drift, G0."""
        return self._fit[0]

    @property
    @after_compute
    def exponent(self) -> float:
        """Exponent nu: negative for a conductance that fades."""
        return self._fit[1]

    @property
    @after_compute
    def exponent_uncertainty(self) -> float:
        """Standard error of nu.

        From the spectrum of the fluctuations about the drift where the sampling is even, so that
        slow 1/f noise, which resembles a drift, counts; else from the scatter of the averages.
        """
        return self._fit[2]

    @property
    @after_compute
    def relative_fluctuation(self) -> float:
        """Standard deviation of ln G about the drift."""
        return self._relative

    @property
    @after_compute
    def lost_at(self) -> float | None:
        """Time at which the state was left for good, s; None if it lasted."""
        return self._lost

    @after_compute
    def extrapolate(self, time: ArrayLike) -> FloatArray:
        """Conductance that the drift gives at other times (s), G0."""
        prefactor, exponent, _ = self._fit
        seconds = np.asarray(time, dtype=np.float64)
        return np.asarray(prefactor * seconds**exponent, dtype=np.float64)


def _slope_error(time: FloatArray, rest: FloatArray, weights: FloatArray) -> float | None:
    """Estimate the standard error of sum(weights * rest) for noise with the spectrum of `rest`.

    The variance is the integral of S(f) |W(f)|^2, with W the Fourier transform of the weights.
    None if the sampling is uneven or the trace too short for a spectrum.
    """
    steps = np.diff(time)
    interval = float(np.median(steps))
    if interval <= 0.0 or np.abs(steps - interval).max() > 0.05 * interval:
        return None
    try:
        noise = NoiseAnalysis(interval).compute(rest)
    except DataFormatError:
        return None
    padded = 4 * len(rest)
    frequency = np.fft.rfftfreq(padded, interval)[1:]
    response = np.abs(np.fft.rfft(weights, padded)[1:]) ** 2
    variance = np.sum(noise.model(frequency) * response) / (padded * interval)
    return float(np.sqrt(variance))


def _lost_at(time: FloatArray, conductance: FloatArray, tolerance: float) -> float | None:
    """Time after which the conductance stays away from its beginning by more than a factor."""
    beginning = float(np.median(conductance[: max(3, len(conductance) // 100)]))
    away = np.abs(np.log(conductance / beginning)) > np.log(tolerance)
    if not away[-1]:
        return None
    inside = np.flatnonzero(~away)
    last = int(inside[-1]) + 1 if len(inside) else 0
    # a few readings at the very end are no loss
    return float(time[last]) if len(away) - last >= 3 else None
