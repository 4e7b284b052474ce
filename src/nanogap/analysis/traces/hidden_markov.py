"""A hidden Markov chain of two states with Gaussian readings: fit, likelihood, likeliest path.

The Baum-Welch algorithm with scaled probabilities and the Viterbi algorithm, as in Rabiner, Proc.
IEEE 77, 257 (1989), doi:10.1109/5.18626. The variance of a state has the weak prior
``variance -> variance + 0.01/n`` of n readings, for readings of unit variance: without it a
state of few readings collapses onto one of them.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.typing import FloatArray, Int64Array

#: Added to the sum of squares of the readings in a state, in units of the variance of all.
_PRIOR = 0.01


@dataclass(frozen=True)
class TwoStateChain:
    """A fitted chain, the state of the lower mean first.

    Attributes
    ----------
    start : ndarray, shape (2,)
        Probability of each state at the first reading.
    transition : ndarray, shape (2, 2)
        Probability of the column's state after the row's.
    means, variances : ndarray, shape (2,)
        Of the readings in each state.
    """

    start: FloatArray
    transition: FloatArray
    means: FloatArray
    variances: FloatArray

    @classmethod
    def fitted(cls, readings: FloatArray, iterations: int, tolerance: float) -> "TwoStateChain":
        """Maximize the likelihood, beginning at the lowest and the highest tenth of the readings.

        Parameters
        ----------
        readings : ndarray, shape (n_readings,)
            Of mean zero and variance one.
        iterations : int
            At most so many steps.
        tolerance : float
            The fit ends when a step gains less of the logarithm of the likelihood.
        """
        chain = cls(
            np.array([0.5, 0.5]),
            np.array([[0.95, 0.05], [0.05, 0.95]]),
            np.quantile(readings, [0.1, 0.9]),
            np.full(2, 0.1),
        )
        before = -np.inf
        for _ in range(iterations):
            likelihood, posterior, pairs = chain._expected(readings)
            weights = posterior.sum(axis=0)
            means = readings @ posterior / weights
            apart = readings**2 @ posterior - means**2 * weights
            variances = (_PRIOR + apart) / np.maximum(weights, 1e-5)
            transition = pairs / pairs.sum(axis=1)[:, None]
            chain = cls(posterior[0], transition, means, variances)
            if likelihood - before < tolerance:
                break
            before = likelihood
        order = np.argsort(chain.means)
        return cls(
            chain.start[order],
            chain.transition[np.ix_(order, order)],
            chain.means[order],
            chain.variances[order],
        )

    def log_likelihood(self, readings: FloatArray) -> float:
        """Logarithm of the likelihood of all readings."""
        return float(_forward(self.start, self.transition, *self._densities(readings))[0])

    def likeliest_states(self, readings: FloatArray) -> Int64Array:
        """Path of states of the largest probability, shape (n_readings,)."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                _viterbi(np.log(self.start), np.log(self.transition), self._log_density(readings))
            )

    def _expected(self, readings: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Likelihood, probabilities of the states (n_readings, 2), expected transitions (2, 2)."""
        density, top = self._densities(readings)
        likelihood, forward, scale = _forward(self.start, self.transition, density, top)
        backward = _backward(self.transition, density, scale)
        posterior = forward * backward
        ahead = density[1:] * backward[1:] / scale[1:, None]
        return float(likelihood), posterior, (forward[:-1].T @ ahead) * self.transition

    def _densities(self, readings: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Density in each state over the larger of both, and the logarithm of the larger.

        A spike far from both states would else underflow in both.
        """
        logs = self._log_density(readings)
        top = logs.max(axis=1)
        return np.exp(logs - top[:, None]), top

    def _log_density(self, readings: FloatArray) -> FloatArray:
        apart = (readings[:, None] - self.means) ** 2 / self.variances
        return np.asarray(-0.5 * (np.log(2.0 * np.pi * self.variances) + apart))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _forward(
    start: FloatArray, transition: FloatArray, density: FloatArray, top: FloatArray
) -> tuple[float, FloatArray, FloatArray]:  # pragma: no cover
    """Probabilities of the states after every reading, and their scales (Rabiner's section V.A)."""
    forward, scale = np.empty(density.shape), np.empty(len(density))
    likelihood = 0.0
    low, high = start[0], start[1]
    for t in range(len(density)):
        if t > 0:
            low, high = (
                low * transition[0, 0] + high * transition[1, 0],
                low * transition[0, 1] + high * transition[1, 1],
            )
        low, high = low * density[t, 0], high * density[t, 1]
        scale[t] = low + high
        low, high = low / scale[t], high / scale[t]
        forward[t, 0], forward[t, 1] = low, high
        likelihood += top[t] + np.log(scale[t])
    return likelihood, forward, scale


@njit(cache=True)  # type: ignore[untyped-decorator]
def _backward(
    transition: FloatArray, density: FloatArray, scale: FloatArray
) -> FloatArray:  # pragma: no cover
    """Scaled probability of the readings that follow, shape (n_readings, 2)."""
    backward = np.ones(density.shape)
    for t in range(len(density) - 1, 0, -1):
        low = density[t, 0] * backward[t, 0] / scale[t]
        high = density[t, 1] * backward[t, 1] / scale[t]
        backward[t - 1, 0] = transition[0, 0] * low + transition[0, 1] * high
        backward[t - 1, 1] = transition[1, 0] * low + transition[1, 1] * high
    return backward


@njit(cache=True)  # type: ignore[untyped-decorator]
def _viterbi(
    log_start: FloatArray, log_transition: FloatArray, log_density: FloatArray
) -> Int64Array:  # pragma: no cover
    """Most probable path (Rabiner's section III.B)."""
    count = len(log_density)
    came_from = np.zeros((count, 2), dtype=np.int64)
    low, high = log_start[0] + log_density[0, 0], log_start[1] + log_density[0, 1]
    for t in range(1, count):
        up, down = low + log_transition[0, 1], high + log_transition[1, 0]
        low, high = low + log_transition[0, 0], high + log_transition[1, 1]
        if down > low:
            low, came_from[t, 0] = down, 1
        if up < high:
            up, came_from[t, 1] = high, 1
        low, high = low + log_density[t, 0], up + log_density[t, 1]
    states = np.empty(count, dtype=np.int64)
    states[-1] = 0 if low >= high else 1
    for t in range(count - 1, 0, -1):
        states[t - 1] = came_from[t, states[t]]
    return states
