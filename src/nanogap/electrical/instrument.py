"""Model of an instrument: noise, ranges, averaging."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray


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
    resolution : float
        Step of the digits of a reading as a part of its range; 0: none.
    """

    noise: float = 3e-5
    gain_error: float = 2e-4
    spike: float = 0.05
    lowest_range: float = 1e-3
    resolution: float = 0.0

    def __post_init__(self) -> None:
        for name in ("noise", "gain_error", "spike", "resolution"):
            value = getattr(self, name)
            if not (np.isfinite(value) and 0.0 <= value < 1.0):
                raise SettingsError(f"{name} is {value}; it must be from 0 to below 1")
        if not (np.isfinite(self.lowest_range) and self.lowest_range > 0.0):
            raise SettingsError(f"lowest_range is {self.lowest_range}; it must be above 0")

    def decades(self, values: ArrayLike) -> FloatArray:
        """Return by how many decades the range of every value lies above the lowest range."""
        sizes = np.maximum(np.abs(np.asarray(values, dtype=np.float64)), 1e-300)
        return np.asarray(np.ceil(np.log10(sizes / self.lowest_range)).clip(0.0), dtype=np.float64)

    def rounded(self, readings: FloatArray, decades: ArrayLike) -> FloatArray:
        """Round readings to the digits of their ranges."""
        if self.resolution == 0.0:
            return readings
        step = self.resolution * self.lowest_range * 10.0 ** np.asarray(decades)
        return np.asarray(np.round(readings / step) * step, dtype=np.float64)

    def read(self, true: ArrayLike, random: Generator) -> FloatArray:
        """Read true values: noise of the range in use, its gain, a spike where it changes.

        Parameters
        ----------
        true : array_like, shape (n_points,)
            V or A.
        random : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n_points,)
            V or A.
        """
        values = np.asarray(true, dtype=np.float64)
        decades = self.decades(values)
        gains = 1.0 + self.gain_error * random.normal(size=16)
        reading = values * gains[decades.astype(np.int64).clip(0, 15)]
        reading += self.noise * self.lowest_range * 10.0**decades * random.normal(size=values.shape)
        changed = np.flatnonzero(np.diff(decades)) + 1
        reading[changed] *= 1.0 + self.spike * random.uniform(-1.0, 1.0, len(changed))
        return self.rounded(np.asarray(reading, dtype=np.float64), decades)


def averaged_over(time: ArrayLike, values: ArrayLike, duration: float) -> FloatArray:
    """Apply an averaging time: the mean of the signal over the time before every sample.

    The signal is taken as straight lines between the samples, which may be unevenly spaced.

    Parameters
    ----------
    time : array_like, shape (n_samples,)
        Ascending, s.
    values : array_like, shape (n_samples,)
    duration : float
        Averaging time, s.

    Returns
    -------
    ndarray, shape (n_samples,)
        Samples earlier than one averaging time are means over what there is.

    Raises
    ------
    SettingsError
        If the duration is not positive, or the times do not ascend.
    """
    if not (np.isfinite(duration) and duration > 0.0):
        raise SettingsError(f"averaging time is {duration} s; it must be positive")
    t = np.asarray(time, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if len(t) < 2:
        return y.copy()
    if not (np.isfinite(t).all() and (np.diff(t) > 0.0).all()):
        raise SettingsError("an averaging time needs a trace with ascending times")
    area = np.concatenate([[0.0], np.cumsum(np.diff(t) * (y[1:] + y[:-1]) / 2.0)])
    begin = np.maximum(t - duration, t[0])
    # the integral at a time between two samples, with the straight line between them
    place = np.clip(np.searchsorted(t, begin, side="right") - 1, 0, len(t) - 2)
    part = begin - t[place]
    slope = (y[place + 1] - y[place]) / (t[place + 1] - t[place])
    start = area[place] + part * (y[place] + 0.5 * slope * part)
    span = t - begin
    mean = np.divide(area - start, span, out=y.copy(), where=span > 0.0)
    return np.asarray(mean, dtype=np.float64)
