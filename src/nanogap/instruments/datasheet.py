"""Data sheets of source-measure units, range by range: limits, steps, digits, noise, errors.

The numbers are data files, each with where it is from. A reading of a true value x in a range is

    x (1 + gain) + offset + sigma n,    rounded to the digit of the range

Gain and offset are drawn once per unit and range, normal with a third of the data sheet's error; n
is normal, and sigma is the peak-to-peak noise over 6.6 (its three standard deviations to either
side, and a little) at one period of the mains, falls as the root of longer integration, and has a
third of the data sheet's error of short integrations added in square.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.random import Generator

from nanogap.arguments import shown
from nanogap.electrical.segments import Quantity
from nanogap.errors import SettingsError

#: Units that are served, by the name that asks for one.
UNITS = {"keithley-2614b": "keithley_2614b.toml", "keithley-4200": "keithley_4200.toml"}
#: Reading beyond a range that is fixed.
OVERFLOW = 9.9e37
#: Peak-to-peak noise in standard deviations.
_PEAK_TO_PEAK = 6.6
#: Part of the data sheet's largest error that is one standard deviation.
_PART_OF_ERROR = 1.0 / 3.0


def other(quantity: Quantity) -> Quantity:
    """Return the quantity that is limited where one is set."""
    return "current" if quantity == "voltage" else "voltage"


@dataclass(frozen=True)
class Range:
    """A range of a source-measure unit, in V or A.

    Attributes
    ----------
    range : float
    source_step : float
        Of the source.
    digit : float
        Last digit of a reading.
    noise : float
        Peak to peak, at one period of the mains.
    gain_error, offset_error : float
        Largest errors of a reading: share of it, and fixed.
    settling : float
        Time after a step to 0.1 %, s.
    """

    range: float
    source_step: float
    digit: float
    noise: float
    gain_error: float
    offset_error: float
    settling: float


@dataclass(frozen=True)
class DataSheet:
    """Data sheet of a unit.

    Attributes
    ----------
    name, identity : str
        In words, and as ``*IDN?`` answers.
    line_frequency : float
        Hz.
    nplc : tuple of float
        Shortest and longest integration, periods of the mains.
    source_overrange, measure_overrange : float
        Largest level and reading, as parts of the range.
    least_limit : dict
        Smallest limit of either quantity, V and A.
    off_limit : float
        Largest current while the output is off, A.
    settling : float
        Time of a voltage step to 0.1 %, s.
    boundary : dict
        Above this voltage no more than this current is given, V and A.
    voltage, current : tuple of Range
        Ascending.
    short_integration : dict
        ``nplc`` and ``error``, a share of the range.
    """

    name: str
    identity: str
    line_frequency: float
    nplc: tuple[float, float]
    source_overrange: float
    measure_overrange: float
    least_limit: dict[str, float]
    off_limit: float
    settling: float
    boundary: dict[str, float]
    voltage: tuple[Range, ...]
    current: tuple[Range, ...]
    short_integration: dict[str, list[float]]

    def ranges(self, quantity: Quantity) -> tuple[Range, ...]:
        """Return the ranges of a quantity, ascending."""
        return self.voltage if quantity == "voltage" else self.current

    def largest(self, quantity: Quantity) -> float:
        """Return the largest level of a quantity, V or A."""
        return self.ranges(quantity)[-1].range * self.source_overrange

    def range_for(self, quantity: Quantity, value: float) -> Range:
        """Return the lowest range that holds a value; the highest where none does."""
        for one in self.ranges(quantity):
            # a value that was computed in steps may lie above a range by a rounding
            if abs(value) <= one.range * (1.0 + 1e-9):
                return one
        return self.ranges(quantity)[-1]

    @property
    def bandwidth(self) -> float:
        """Bandwidth of the control loops, from their settling to 0.1 %, Hz."""
        return math.log(1000.0) / (2.0 * math.pi * self.settling)

    def noise_of(self, used: Range, nplc: float) -> float:
        """Return the standard deviation of a reading, V or A."""
        noise = used.noise / _PEAK_TO_PEAK / math.sqrt(max(nplc, 1.0))
        if nplc >= 1.0:
            return noise
        known = self.short_integration
        logs = np.interp(
            math.log(nplc), np.log([*known["nplc"], 1.0]), np.log([*known["error"], 1e-9])
        )
        return math.hypot(noise, math.exp(float(logs)) * used.range * _PART_OF_ERROR)


@cache
def data_sheet(unit: str) -> DataSheet:
    """Read the data sheet of a unit.

    Parameters
    ----------
    unit : str
        ``keithley-2614b`` or ``keithley-4200``.

    Raises
    ------
    SettingsError
        If there is no such unit.

    Examples
    --------
    >>> data_sheet("keithley-2614b").range_for("current", 2e-5).range
    0.0001
    """
    if unit not in UNITS:
        raise SettingsError(f"unit = {shown(unit)}: there is {' and '.join(UNITS)}")
    resource = files("nanogap.instruments") / "data" / UNITS[unit]
    table = tomllib.loads(resource.read_text(encoding="utf-8"))
    for key in ("voltage", "current"):
        table[key] = tuple(Range(**one) for one in table[key])
    table["nplc"] = tuple(table["nplc"])
    return DataSheet(**table)


class Errors:
    """Gains and offsets of one specimen of a unit, and the noise of its readings.

    Parameters
    ----------
    sheet : DataSheet
    random : numpy.random.Generator
    """

    def __init__(self, sheet: DataSheet, random: Generator) -> None:
        self._sheet, self._random = sheet, random
        self._errors = {
            (quantity, one.range): tuple(_PART_OF_ERROR * random.standard_normal(2).clip(-3.0, 3.0))
            for quantity, ranges in (("voltage", sheet.voltage), ("current", sheet.current))
            for one in ranges
        }

    def read(self, quantity: Quantity, value: float, used: Range, nplc: float) -> float:
        """Return the reading of a true value in a range, V or A."""
        gain, offset = self._errors[quantity, used.range]
        reading = value * (1.0 + gain * used.gain_error) + offset * used.offset_error
        reading += self._sheet.noise_of(used, nplc) * self._random.standard_normal()
        return float(round(reading / used.digit) * used.digit)
