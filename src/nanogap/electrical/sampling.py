"""Sampling of a circuit as an instrument does it: averaging over the aperture, noise, digits.

Averages over the aperture come from the exact integrals of every step of the source
(`nanogap.electrical.source.SourceStep`). The noise is white, in parts of the range, as
`nanogap.electrical.instrument.Instrument` says, and optionally 1/f: a sum of Ornstein-Uhlenbeck
processes of equal variance whose correlation times are spread evenly over the decades (A. van
der Ziel, Physica 16, 359 (1950)), stepped exactly whatever the time between readings.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from nanogap.electrical.instrument import Instrument
from nanogap.electrical.source import SourceStep
from nanogap.errors import DataFormatError, SettingsError

#: Shortest and longest correlation time of 1/f noise, s, and processes per decade.
_SHORTEST, _LONGEST, _PER_DECADE = 1e-3, 1e5, 2


def aperture(power_line_cycles: float, line_frequency: float = 50.0) -> float:
    """Return the averaging time of a reading, s.

    Parameters
    ----------
    power_line_cycles : float
        NPLC, the averaging time in periods of the mains.
    line_frequency : float
        Hz.

    Examples
    --------
    >>> aperture(1.0)
    0.02
    """
    if not (math.isfinite(power_line_cycles) and power_line_cycles >= 0.0):
        raise SettingsError(f"power_line_cycles is {power_line_cycles}; it must be zero or above")
    if not (math.isfinite(line_frequency) and line_frequency > 0.0):
        raise SettingsError(f"line_frequency is {line_frequency} Hz; it must be above 0")
    return power_line_cycles / line_frequency


@dataclass(frozen=True)
class Sample:
    """True mean values over the aperture of one reading, before the noise.

    Attributes
    ----------
    voltage, gap_voltage : float
        At the source and across the gap, V.
    current : float
        Through the source, A: the sum of the next three.
    electronic_current, ionic_current, displacement_current : float
        Of electrons and of ions through the gap, and onto the capacitance beside it, A.
    compliance : bool
        Whether the source was at a limit for more than half of the time.
    """

    voltage: float
    gap_voltage: float
    current: float
    electronic_current: float
    ionic_current: float
    displacement_current: float
    compliance: bool


@dataclass
class Averager:
    """Mean over the steps of the source since it was begun.

    Its fields are its whole state, so that it may be stored in the middle of an aperture.
    """

    duration: float = 0.0
    charge: float = 0.0
    electronic_charge: float = 0.0
    ionic_charge: float = 0.0
    displaced_charge: float = 0.0
    output_integral: float = 0.0
    gap_integral: float = 0.0
    limited_time: float = 0.0

    def add(self, step: SourceStep) -> None:
        """Add a step of the source."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(step, name))

    def finish(self) -> Sample:
        """Return the means, and begin anew.

        Raises
        ------
        SettingsError
            If no time has passed since it was begun.
        """
        time = self.duration
        if time <= 0.0:
            raise SettingsError("a reading needs an averaging time above 0 s")
        sample = Sample(
            voltage=self.output_integral / time,
            gap_voltage=self.gap_integral / time,
            current=self.charge / time,
            electronic_current=self.electronic_charge / time,
            ionic_current=self.ionic_charge / time,
            displacement_current=self.displaced_charge / time,
            compliance=self.limited_time > 0.5 * time,
        )
        for name in self.__dataclass_fields__:
            setattr(self, name, 0.0)
        return sample


@dataclass(frozen=True)
class MeterState:
    """State of a meter between two readings.

    Attributes
    ----------
    random : str
        State of the random stream: two whole numbers, hexadecimal.
    range_number : int
        Decades of the range in use above the lowest; -1 before the first reading.
    flicker : tuple of float
        Of the processes that add up to the 1/f noise, standard deviations.
    """

    random: str
    range_number: int
    flicker: tuple[float, ...]


class Meter:
    """Reads one quantity again and again, with the noise of an instrument.

    Parameters
    ----------
    instrument : Instrument
        Noise, gain errors, spikes at a change of range, digits.
    seed : int or SeedSequence
        Same seed, same readings of the same values.
    flicker : float
        Standard deviation of the 1/f noise as a part of the range.

    Examples
    --------
    >>> meter = Meter(Instrument(), seed=1)
    >>> before = meter.state
    >>> reading = meter.read(0.1, interval=0.02)
    >>> meter.state = before
    >>> meter.read(0.1, interval=0.02) == reading
    True
    """

    def __init__(
        self, instrument: Instrument, seed: int | SeedSequence = 0, flicker: float = 0.0
    ) -> None:
        if not (math.isfinite(flicker) and 0.0 <= flicker < 1.0):
            raise SettingsError(f"flicker is {flicker}; it must be from 0 to below 1")
        self._instrument, self._flicker_size = instrument, flicker
        sequence = seed if isinstance(seed, SeedSequence) else SeedSequence(seed)
        self._bits = PCG64(sequence)
        self._random = Generator(self._bits)
        self._gains = 1.0 + instrument.gain_error * self._random.normal(size=16)
        count = round(_PER_DECADE * math.log10(_LONGEST / _SHORTEST)) + 1 if flicker else 0
        self._times = np.logspace(math.log10(_SHORTEST), math.log10(_LONGEST), count)
        self._flicker = self._random.normal(size=count)
        self._range = -1

    def read(self, value: float, interval: float) -> float:
        """Return a reading of a true value.

        Parameters
        ----------
        value : float
            V or A.
        interval : float
            Time since the reading before, s.
        """
        instrument = self._instrument
        decade = float(instrument.decades(value))
        full = instrument.lowest_range * 10.0**decade
        reading = value * self._gains[min(int(decade), 15)]
        reading += full * instrument.noise * self._random.normal()
        if len(self._times):
            kept = np.exp(-interval / self._times)
            fresh = np.sqrt(-np.expm1(-2.0 * interval / self._times))
            self._flicker = kept * self._flicker + fresh * self._random.normal(
                size=len(self._times)
            )
            reading += full * self._flicker_size * self._flicker.sum() / len(self._times) ** 0.5
        if self._range not in {-1, int(decade)}:
            reading *= 1.0 + instrument.spike * self._random.uniform(-1.0, 1.0)
        self._range = int(decade)
        return float(instrument.rounded(np.asarray(reading), decade))

    @property
    def state(self) -> MeterState:
        """State between two readings; may be set."""
        inner = self._bits.state["state"]
        words = f"{inner['state']:x} {inner['inc']:x}"
        return MeterState(words, self._range, tuple(self._flicker.tolist()))

    @state.setter
    def state(self, state: MeterState) -> None:
        if len(state.flicker) != len(self._times):
            raise DataFormatError("the state is of a meter with another 1/f noise")
        value, increment = (int(word, 16) for word in state.random.split())
        self._bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": value, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._range, self._flicker = state.range_number, np.asarray(state.flicker)
