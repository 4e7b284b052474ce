"""Distributions of a model's coordinates over cycles and devices.

One-way random effects: a place of a coordinate is mean + device + cycle. The mean is that of the
device means, its 95 % interval Student's over devices where there are three or more, else over
cycles (Searle, Casella and McCulloch, Variance Components (1992), doi:10.1002/9780470316856). What
is said of one device is so said of no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nanogap.compact.held import HeldRange
from nanogap.compact.model import CompactModel
from nanogap.typing import FloatArray

#: From so many devices on, intervals are over devices.
FEWEST_DEVICES = 3


@dataclass(frozen=True)
class Distribution:
    """A coordinate over cycles and devices; places are logarithms of logarithmic coordinates.

    Attributes
    ----------
    name, unit : str
    determined : bool
        Whether the data say it; if not, it was held at the value.
    logarithmic : bool
    value : float
        At the mean place.
    interval : tuple of float or None
        95 % interval of that value, widened by how far it goes with coordinates that were held;
        None if it was held itself, or there are too few cycles.
    allowed : tuple of float or None
        Of one that was held: values that cycles do not contradict, as far as it was moved.
    cycle_spread, device_spread : float or None
        Standard deviations of the places over the cycles of a device, and over devices; None where
        there are too few.
    """

    name: str
    unit: str
    determined: bool
    logarithmic: bool
    value: float
    interval: tuple[float, float] | None = None
    allowed: tuple[float, float] | None = None
    cycle_spread: float | None = None
    device_spread: float | None = None


@dataclass(frozen=True)
class Population:
    """Places of the coordinates of many cycles.

    Attributes
    ----------
    mean : ndarray, shape (n_coordinates,)
    covariance : ndarray, shape (n_coordinates, n_coordinates)
        Of one cycle of any device; zero for coordinates that were held.
    distributions : list of Distribution
    by_device : bool
        Whether the intervals are over devices.
    """

    mean: FloatArray
    covariance: FloatArray
    distributions: list[Distribution]
    by_device: bool


def population(
    model: CompactModel,
    places: FloatArray,
    devices: Sequence[str],
    free: Sequence[bool],
    held: Sequence[HeldRange] = (),
) -> Population:
    """Describe the places of fitted cycles.

    Parameters
    ----------
    model : CompactModel
        Whose coordinates they are.
    places : ndarray, shape (n_cycles, n_coordinates)
    devices : sequence of str
        Of every cycle.
    free : sequence of bool
        Whether a coordinate was fitted.
    held : sequence of HeldRange
        What those that were not do to the others.
    """
    names = list(dict.fromkeys(devices))
    own = [places[[one == name for one in devices]] for name in names]
    means = np.array([one.mean(axis=0) for one in own])
    by_device = len(names) >= FEWEST_DEVICES
    grand = means.mean(axis=0) if by_device else places.mean(axis=0)
    freedom = sum(len(one) - 1 for one in own)
    within = np.zeros((places.shape[1], places.shape[1]))
    if freedom > 0:
        off = np.concatenate([one - one.mean(axis=0) for one in own])
        within = off.T @ off / freedom
    between = np.zeros_like(within)
    if len(names) > 1:
        harmonic = len(own) / sum(1.0 / len(one) for one in own)
        between = _nonnegative(np.cov(means.T) - within / harmonic)
    rows = means if by_device else places
    half = np.zeros(places.shape[1])
    ranges = {one.number: one for one in held}
    # an interval beside a coordinate that was held and not moved would hold for its value alone
    has_intervals = len(rows) > 1 and all(one or n in ranges for n, one in enumerate(free))
    if has_intervals:
        quantile = float(stats.t.ppf(0.975, len(rows) - 1))
        half = quantile * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
        half += sum((one.shift for one in held), np.zeros_like(half))
    found = []
    for number, one in enumerate(model.coordinates):
        if not free[number]:
            moved = ranges.get(number)
            ends = None if moved is None else (one.value(moved.low), one.value(moved.high))
            found.append(
                Distribution(
                    one.name,
                    one.unit,
                    False,
                    one.logarithmic,
                    one.value(float(grand[number])),
                    allowed=ends,
                )
            )
            continue
        low, high = grand[number] - half[number], grand[number] + half[number]
        found.append(
            Distribution(
                one.name,
                one.unit,
                True,
                one.logarithmic,
                one.value(float(grand[number])),
                (one.value(float(low)), one.value(float(high))) if has_intervals else None,
                None,
                float(np.sqrt(within[number, number])) if freedom > 0 else None,
                float(np.sqrt(between[number, number])) if len(names) > 1 else None,
            )
        )
    mask = np.asarray(free, dtype=bool)
    covariance = np.where(np.outer(mask, mask), within + between, 0.0)
    return Population(grand, covariance, found, by_device)


def _nonnegative(matrix: FloatArray) -> FloatArray:
    """Return the nearest matrix that is a covariance."""
    values, vectors = np.linalg.eigh(np.atleast_2d(matrix))
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def square_root(covariance: FloatArray) -> FloatArray:
    """Return L of a covariance L L^T, of which rows and columns may be zero.

    Standard normal deviates z give places as mean + L z, one deviate for each coordinate.
    """
    used = np.diag(covariance) > 0.0
    root = np.zeros_like(covariance)
    if used.any():
        part = covariance[np.ix_(used, used)]
        scale = np.sqrt(np.diag(part))
        correlation = part / np.outer(scale, scale)
        # a little of the identity, where coordinates are one another's copies
        lower = np.linalg.cholesky((1.0 - 1e-9) * correlation + 1e-9 * np.eye(len(part)))
        root[np.ix_(used, used)] = scale[:, None] * lower
    return root
