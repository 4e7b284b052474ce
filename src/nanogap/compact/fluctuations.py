"""Noise and jumps of the state, from what a fitted model leaves of the conductance.

The remaining g is a Wiener process plus errors of reading, so that the variance of its increments
is sigma^2 t + 2 s^2: a line through those over a few times, of a robust variance, tells sigma from
s. Increments beyond five standard deviations are jumps; the exponent of their sizes is Hill's
(Ann. Stat. 3, 1163 (1975), doi:10.1214/aos/1176343247).
"""

from collections.abc import Sequence

import numpy as np

from nanogap.compact.fitting import CycleFit
from nanogap.compact.potentiation import Fluctuations, PotentiationDepression

_LAGS = np.arange(1, 6)
_FEWEST_INCREMENTS, _FEWEST_JUMPS = 100, 10


def find_fluctuations(fits: Sequence[CycleFit]) -> Fluctuations | None:
    """Estimate noise and jumps of fitted cycles; None where the readings do not say them.

    Parameters
    ----------
    fits : sequence of CycleFit
        Of `PotentiationDepression`.
    """
    increments: list[list[float]] = [[] for _ in _LAGS]
    jumps, duration, steps = [], 0.0, []
    for fit in fits:
        if not isinstance(fit.model, PotentiationDepression):
            return None
        cycle, span = fit.cycle, fit.model.high_conductance - fit.model.low_conductance
        total = np.exp(np.where(cycle.used, cycle.log_conductance, np.nan))
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = 1.0 / (1.0 / total - cycle.resistance)
        run = cycle.run(fit.model)
        rest = (seen - fit.model.low_conductance) / span - run.state
        # only where the state itself hardly moves, and in the low resistance, where g is seen
        quiet = (np.abs(np.gradient(run.state)) < 1e-3) & (run.state > 0.5)
        rest = np.where(quiet, rest, np.nan)
        steps.append(float(np.median(np.diff(cycle.time))))
        for place, lag in enumerate(_LAGS):
            found = rest[lag:] - rest[:-lag]
            increments[place].extend(found[np.isfinite(found)].tolist())
        first = rest[1:] - rest[:-1]
        first = first[np.isfinite(first)]
        if len(first) > 10:
            scale = np.median(np.abs(first)) / 0.6745
            jumps.extend(np.abs(first[np.abs(first) > 5.0 * scale]).tolist())
            duration += len(first) * steps[-1]
    if min(len(one) for one in increments) < _FEWEST_INCREMENTS:
        return None
    variance = np.array([(np.median(np.abs(one)) / 0.6745) ** 2 for one in increments])
    times = _LAGS * float(np.median(steps))
    line, covariance = np.polyfit(times, variance, 1, cov="unscaled")
    error = np.sqrt(covariance[0, 0]) * np.sqrt(2.0 / len(increments[0])) * variance.mean() * 3.0
    noise = float(np.sqrt(line[0])) if line[0] > 2.0 * error else 0.0
    if len(jumps) < _FEWEST_JUMPS:
        return Fluctuations(noise=noise) if noise > 0.0 else None
    smallest, largest = min(jumps), min(max(jumps) * 1.001, 1.0)
    exponent = 1.0 + len(jumps) / max(float(np.sum(np.log(np.array(jumps) / smallest))), 1e-9)
    return Fluctuations(noise, len(jumps) / duration, exponent, smallest, largest)
