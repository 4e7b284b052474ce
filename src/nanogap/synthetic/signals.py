"""Signals whose every answer is known: coloured noise, telegraph noise, plateaus."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray


def coloured_noise(count: int, exponent: float, random: Generator) -> FloatArray:
    """Gaussian noise with a power spectral density that falls as f^-exponent.

    Amplitudes and phases of the Fourier components are drawn at random (Timmer and Koenig,
    Astron. Astrophys. 300, 707 (1995)), for a record eight times longer than is returned, so that
    its end does not join its beginning.

    Parameters
    ----------
    count : int
        Number of points.
    exponent : float
        alpha, from 0 (white) to below 3.
    random : numpy.random.Generator

    Returns
    -------
    ndarray, shape (count,)
        Mean zero, standard deviation one.
    """
    if not 0.0 <= exponent < 3.0:
        raise SettingsError(f"noise exponent is {exponent}; it must lie from 0 to below 3")
    if count < 2:
        raise SettingsError(f"{count} points are no noise; two are needed")
    longer = 8 * count
    frequency = np.fft.rfftfreq(longer)
    amplitude = np.zeros_like(frequency)
    amplitude[1:] = frequency[1:] ** (-exponent / 2.0)
    spectrum = amplitude * (
        random.normal(size=len(frequency)) + 1j * random.normal(size=len(frequency))
    )
    noise = np.fft.irfft(spectrum, n=longer)[:count]
    noise -= noise.mean()
    return np.asarray(noise / noise.std(), dtype=np.float64)


def telegraph_states(
    count: int, interval: float, dwell: tuple[float, float], random: Generator
) -> NDArray[np.int64]:
    """States of a two-level fluctuator with exponential dwell times.

    Parameters
    ----------
    count : int
        Number of samples.
    interval : float
        Between them, s.
    dwell : tuple of float
        Mean time in the lower and in the upper state, s.

    Returns
    -------
    ndarray of int, shape (count,)
        0 or 1.
    """
    if min(dwell) <= 0.0 or interval <= 0.0:
        raise SettingsError("dwell times and the sampling interval must be positive")
    total, state = 0.0, int(random.random() < dwell[1] / (dwell[0] + dwell[1]))
    ends, states = [], []
    while total <= count * interval:
        total += random.exponential(dwell[state])
        ends.append(total)
        states.append(state)
        state = 1 - state
    index = np.searchsorted(ends, np.arange(count) * interval, side="right")
    return np.asarray(states, dtype=np.int64)[index]


def plateau_trace(
    levels: ArrayLike, lengths: ArrayLike, noise: float, random: Generator
) -> FloatArray:
    """Piecewise constant signal with white noise.

    Parameters
    ----------
    levels : array_like, shape (n_plateaus,)
    lengths : array_like of int, shape (n_plateaus,)
        Points.
    noise : float
        Standard deviation.
    """
    steps = np.repeat(np.asarray(levels, dtype=np.float64), np.asarray(lengths, dtype=np.int64))
    return np.asarray(steps + noise * random.normal(size=steps.shape), dtype=np.float64)
