"""Signals whose every answer is known: coloured noise, telegraph noise, plateaus, an instrument."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from nanogap.errors import SettingsError

FloatArray = NDArray[np.float64]


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


@dataclass(frozen=True)
class Instrument:
    """Errors of a source-measure unit.

    Attributes
    ----------
    noise : float
        Standard deviation of a reading as a part of its range.
    gain_error : float
        Standard deviation of the gain from range to range.
    spike : float
        Size of the disturbed reading at a change of range, as a part of the reading.
    lowest_range : float
        V or A; ranges are decades above it.
    """

    noise: float = 3e-5
    gain_error: float = 2e-4
    spike: float = 0.05
    lowest_range: float = 1e-3

    def read(self, true: ArrayLike, random: Generator) -> FloatArray:
        """Read true values: noise of the range in use, its gain, a spike where it changes."""
        values = np.asarray(true, dtype=np.float64)
        decades = np.ceil(np.log10(np.maximum(np.abs(values), 1e-300) / self.lowest_range)).clip(
            0.0
        )
        gains = 1.0 + self.gain_error * random.normal(size=16)
        reading = values * gains[decades.astype(np.int64).clip(0, 15)]
        reading += self.noise * self.lowest_range * 10.0**decades * random.normal(size=values.shape)
        changed = np.flatnonzero(np.diff(decades)) + 1
        reading[changed] *= 1.0 + self.spike * random.uniform(-1.0, 1.0, len(changed))
        return np.asarray(reading, dtype=np.float64)


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


def averaged_over(values: ArrayLike, points: int) -> FloatArray:
    """Apply an instrument's averaging time: the mean of the last so many points.

    Parameters
    ----------
    values : array_like, shape (n_points,)
        At equal times.
    points : int
        Averaging time over sampling interval, at least 1.

    Returns
    -------
    ndarray, shape (n_points,)
        The first points average over what there is.
    """
    if points < 1:
        raise SettingsError(f"averaging over {points} points; it must be one or more")
    signal = np.asarray(values, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(signal)])
    end = np.arange(1, len(signal) + 1)
    begin = np.maximum(0, end - points)
    return np.asarray((sums[end] - sums[begin]) / (end - begin), dtype=np.float64)
