"""Telegraph switching between two conductances, by a hidden Markov model.

Each state emits Gaussian readings; see `nanogap.analysis.traces.hidden_markov`. The sampled chain
with the probabilities p, q of leaving the lower and the upper state belongs to a process in
continuous time with the rates

    k_low = -p ln(1 - p - q) / ((p + q) dt),    k_high = -q ln(1 - p - q) / ((p + q) dt)

which allows for switches that came back between two samples.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanogap.analysis.traces.hidden_markov import TwoStateChain
from nanogap.computed import Analysis, after_compute, as_trace
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, number, quantity
from nanogap.typing import FloatArray

_FEWEST = 50

#: The fit ends when a step gains less of the logarithm of the likelihood.
_LEAST_GAIN = 1e-3

#: Correlation of neighbours within a state above which it is no state.
_MOST_MEMORY = 0.2


class TelegraphModel(Analysis):
    """Two levels, their dwell times and which of them holds when.

    Parameters
    ----------
    interval : float
        Between two samples, s.
    iterations : int
        At most so many steps of the fit.
    """

    def __init__(self, interval: float, iterations: int = 60) -> None:
        if not (np.isfinite(interval) and interval > 0.0):
            raise SettingsError(f"sampling interval is {interval} s; it must be positive")
        self._interval, self._iterations = float(interval), iterations

    def compute(self, conductance: ArrayLike) -> Self:
        """Fit the model.

        Parameters
        ----------
        conductance : array_like, shape (n_samples,)
            G0, at equal times.

        Raises
        ------
        DataFormatError
            If there are fewer than 50 samples, gaps, or no variation.
        """
        values = as_trace(conductance)
        if len(values) < _FEWEST or not np.isfinite(values).all():
            raise DataFormatError(
                f"telegraph analysis needs {_FEWEST} samples without gaps; there are "
                f"{int(np.isfinite(values).sum())} of {len(values)}"
            )
        centre, spread = float(values.mean()), float(values.std())
        if not spread > 1e-12 * abs(centre):
            raise DataFormatError("the trace does not vary: there is no telegraph noise in it")
        scaled = (values - centre) / spread
        chain = TwoStateChain.fitted(scaled, self._iterations, _LEAST_GAIN)
        self._states = chain.likeliest_states(scaled)
        self._levels = centre + spread * chain.means
        self._deviations = spread * np.sqrt(chain.variances)
        self._leave = 1.0 - np.diag(chain.transition)
        # a lone Gaussian has five parameters less
        alone = -0.5 * len(values) * (1.0 + np.log(2.0 * np.pi))
        self._memory = _memory(values - self._levels[self._states], self._states)
        self._gain = float(chain.log_likelihood(scaled) - alone - 2.5 * np.log(len(values)))
        return self

    def _found(self) -> Rows:
        yield "telegraph", "yes" if self.is_telegraph else "no: one level describes the trace"
        yield "levels", " and ".join(number(float(one), "G0") for one in self.levels)
        yield "dwell times", " and ".join(quantity(float(one), "s") for one in self.dwell_times)
        yield "transitions", f"{self.n_transitions}"

    @property
    @after_compute
    def levels(self) -> FloatArray:
        """Conductance of the lower and the upper state, G0."""
        return np.asarray(self._levels, dtype=np.float64)

    @property
    @after_compute
    def deviations(self) -> FloatArray:
        """Standard deviation of the readings in each state, G0."""
        return np.asarray(self._deviations, dtype=np.float64)

    @property
    @after_compute
    def amplitude(self) -> float:
        """Upper less lower level, G0."""
        return float(np.diff(self.levels)[0])

    @property
    @after_compute
    def dwell_times(self) -> FloatArray:
        """Mean time in the lower and in the upper state, s."""
        p, q = self._leave
        both = min(float(p + q), 1.0 - 1e-9)
        rate = -np.log1p(-both) / self._interval
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / (rate * np.array([p, q]) / both), dtype=np.float64)

    @property
    @after_compute
    def dwell_uncertainties(self) -> FloatArray:
        """Standard errors of the dwell times, from the number of dwells, s."""
        return np.asarray(self.dwell_times / np.sqrt(max(1.0, self.n_transitions / 2.0)))

    @property
    @after_compute
    def relaxation_time(self) -> float:
        """Time in which the noise forgets: 1/(1/tau_low + 1/tau_high), s."""
        return float(1.0 / np.sum(1.0 / self.dwell_times))

    @after_compute
    def density(self, frequency: ArrayLike) -> FloatArray:
        """Spectral density that the levels and the dwell times give, G0^2/Hz.

        ``S(f) = 4 A^2 / ((t_low + t_high) ((1/t_low + 1/t_high)^2 + (2 pi f)^2))``, one-sided
        (Machlup, J. Appl. Phys. 25, 341 (1954), doi:10.1063/1.1721637).

        Parameters
        ----------
        frequency : array_like
            Hz.
        """
        f = np.asarray(frequency, dtype=np.float64)
        rates = (1.0 / self.relaxation_time) ** 2 + (2.0 * np.pi * f) ** 2
        total = float(self.dwell_times.sum())
        return np.asarray(4.0 * self.amplitude**2 / (total * rates), dtype=np.float64)

    @property
    @after_compute
    def states(self) -> NDArray[np.int64]:
        """Most probable state of every sample, 0 lower and 1 upper."""
        return self._states

    @property
    @after_compute
    def n_transitions(self) -> int:
        """Number of switches in `states`."""
        return int(np.count_nonzero(np.diff(self.states)))

    @property
    @after_compute
    def is_telegraph(self) -> bool:
        """Whether two states tell more than one, by the Bayesian information criterion.

        The levels must also lie 1.8 standard deviations apart and be left ten times, and the
        readings of a state must not remember each other, as they do in 1/f noise that was cut in
        two.
        """
        apart = self.amplitude > 1.8 * float(self.deviations.mean())
        forgets = self._memory < _MOST_MEMORY
        return bool(self._gain > 0.0 and apart and forgets and self.n_transitions >= 10)


def _memory(rest: FloatArray, states: NDArray[np.int64]) -> float:
    """Correlation of neighbouring readings that belong to the same state."""
    same = states[1:] == states[:-1]
    if not same.any():
        return 0.0
    return float(np.mean(rest[1:][same] * rest[:-1][same]) / np.mean(rest**2))
