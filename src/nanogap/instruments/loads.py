"""Loads of a virtual unit: a resistor, a diode, a synthetic gap, a simulated device.

Every load brings the circuit of `nanogap.electrical.source` around it, so that the unit drives the
very object that `nanogap device run` drives.
"""

import math
from typing import Protocol

from nanogap.device.device import Device
from nanogap.device.measurement import STOPS, check_segment
from nanogap.electrical import Averager, Segment, Source, SourceState, SourceStep
from nanogap.errors import SettingsError
from nanogap.settings.device import DeviceSettings, NoPreparation, load_device_settings
from nanogap.synthetic.switch import Switch, SwitchRules
from nanogap.units import CONDUCTANCE_QUANTUM

#: Words for loads that are no device, and what each is.
LOADS = {
    "resistor": "a resistor, 10 kohm: 'resistor:470' is one of 470 ohm",
    "diode": "a silicon diode: 1 fA of saturation current behind 1 ohm",
    "levels": "a synthetic gap that closes through 1 to 5 G0 behind 500 ohm, and opens at -0.3 V",
    "open": "nothing",
}
_RESISTANCE = 1.0e4
#: Of the diode: A, V (at 300 K, ideality 1), ohm; its curve goes on straight from this voltage, in
#: parts of the second number, where silicon has burnt long before.
_SATURATION, _THERMAL, _DIODE_SERIES, _STRAIGHT = 1.0e-15, 0.02585, 1.0, 45.0
#: Voltage and time for which the kernels are tried, V and s.
_FIRST_TRIAL = 0.01, 1e-6
#: Parts, at least, of a time in which a gap may switch.
_PARTS = 20


class Load(Protocol):
    """Anything that a unit drives."""

    about: str

    def advance(self, segment: Segment, begin: float, end: float, averager: Averager) -> None:
        """Go from one time of a segment to another, s; `averager` takes what flowed."""

    def check(self, segment: Segment) -> None:
        """Raise a SettingsError if the load cannot be simulated with a segment."""


class Resistor:
    """A resistor.

    Parameters
    ----------
    resistance : float
        ohm; infinite: nothing is connected.
    bandwidth : float
        Of the source, Hz.
    """

    def __init__(self, resistance: float, bandwidth: float) -> None:
        if not resistance > 0.0:
            raise SettingsError(f"resistance = {resistance:g} ohm: it must be above 0")
        self.about = "nothing" if math.isinf(resistance) else f"a resistor of {resistance:g} ohm"
        # half of it stands for the series resistance, so that the sum is exact
        half = _RESISTANCE if math.isinf(resistance) else 0.5 * resistance
        self._conductance = 0.0 if math.isinf(resistance) else 1.0 / (half * CONDUCTANCE_QUANTUM)
        self._source = Source(half, bandwidth=bandwidth, loop_resistance=half)
        self._state = SourceState()

    def advance(self, segment: Segment, begin: float, end: float, averager: Averager) -> None:
        """Go from one time of a segment to another, s; `averager` takes what flowed."""
        if end <= begin:
            return
        step = self._source.advance(
            self._state, segment, begin, end - begin, conductance=self._conductance
        )
        self._state = step.state
        averager.add(step)

    def check(self, segment: Segment) -> None:
        """Do nothing: a resistor bears all."""


class Diode:
    """A diode, I = I_s (exp(V/V_T) - 1) behind a resistance, at its operating point."""

    about = "a diode"

    def __init__(self) -> None:
        self._source = Source(_DIODE_SERIES)

    def advance(self, segment: Segment, begin: float, end: float, averager: Averager) -> None:
        """Go from one time of a segment to another, s; `averager` takes what flowed."""
        duration = end - begin
        if duration <= 0.0:
            return
        point = self._source.operating_point(segment, segment.level(end), diode_current)
        averager.add(
            SourceStep(
                state=SourceState(point.voltage, point.gap_voltage),
                duration=duration,
                charge=point.current * duration,
                electronic_charge=point.current * duration,
                ionic_charge=0.0,
                displaced_charge=0.0,
                output_integral=point.voltage * duration,
                gap_integral=point.gap_voltage * duration,
                limited_time=duration if point.in_compliance else 0.0,
            )
        )

    def check(self, segment: Segment) -> None:
        """Do nothing: this diode bears all."""


def diode_current(voltage: float) -> float:
    """Return the current of the diode without its resistance, A.

    Parameters
    ----------
    voltage : float
        V.
    """
    x = voltage / _THERMAL
    if x <= _STRAIGHT:
        return _SATURATION * math.expm1(x)
    return _SATURATION * (math.exp(_STRAIGHT) * (1.0 + x - _STRAIGHT) - 1.0)


class Levels:
    """A synthetic gap behind a series resistance; see `nanogap.synthetic.switch.Switch`.

    Parameters
    ----------
    seed : int
    bandwidth : float
        Of the source, Hz.
    rules : SwitchRules, optional
    series_resistance : float
        ohm.
    """

    def __init__(
        self,
        seed: int,
        bandwidth: float,
        rules: SwitchRules | None = None,
        series_resistance: float = 500.0,
    ) -> None:
        self.about = f"a synthetic gap behind {series_resistance:g} ohm"
        self.switch = Switch(rules, seed)
        self._source = Source(series_resistance, bandwidth=bandwidth)
        self._state = SourceState()

    def advance(self, segment: Segment, begin: float, end: float, averager: Averager) -> None:
        """Go from one time of a segment to another, s; `averager` takes what flowed."""
        longest = max((end - begin) / _PARTS, self._source.response_time)
        elapsed = begin
        while elapsed < end * (1.0 - 1e-12):
            part = min(longest, end - elapsed)
            step = self._source.advance(
                self._state, segment, elapsed, part, conductance=self.switch.conductance
            )
            self._state = step.state
            averager.add(step)
            self.switch.apply(step.state.gap_voltage)
            elapsed = end if part >= end - elapsed else elapsed + part

    def check(self, segment: Segment) -> None:
        """Do nothing: a synthetic gap bears all."""


class SimulatedDevice:
    """A device of `nanogap.device`, with its own source and circuit.

    Parameters
    ----------
    settings : DeviceSettings
        Its preparation, if it has one, is done at once.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        # what must be compiled is compiled on another one: no client waits a minute for it
        Device(settings).apply(*_FIRST_TRIAL)
        self.device = prepared_device(settings)
        self.about = f"device {settings.name!r}"

    def advance(self, segment: Segment, begin: float, end: float, averager: Averager) -> None:
        """Go from one time of a segment to another, s; `averager` takes what flowed."""
        self.device.advance(segment, begin, end, averager, STOPS)

    def check(self, segment: Segment) -> None:
        """Raise a SettingsError beyond the limits of its source or of its rates."""
        check_segment(segment, self.device)


def prepared_device(settings: DeviceSettings) -> Device:
    """Make a device whose preparation, if it has one, is done."""
    device = Device(settings)
    if not isinstance(settings.preparation, NoPreparation):
        device.measure(settings.preparation)
    return device


def load_named(name: str, bandwidth: float, seed: int = 0, overrides: tuple[str, ...] = ()) -> Load:
    """Make a load by its name.

    Parameters
    ----------
    name : str
        One of `LOADS`, a preset of devices, or a TOML file of one.
    bandwidth : float
        Of the source, Hz; a device has its own.
    seed : int
        Of a synthetic gap.
    overrides : tuple of str
        ``section.key=value`` of a device.

    Raises
    ------
    SettingsError
        If there is no such load, or a setting is wrong.

    Examples
    --------
    >>> load_named("resistor:470", 1e4).about
    'a resistor of 470 ohm'
    """
    word, _, value = name.partition(":")
    if word not in LOADS or (value and word != "resistor"):
        return SimulatedDevice(load_device_settings(name, overrides))
    if word == "levels":
        return Levels(seed, bandwidth)
    if word == "diode":
        return Diode()
    if word == "open":
        return Resistor(math.inf, bandwidth)
    try:
        resistance = float(value) if value else _RESISTANCE
    except ValueError:
        raise SettingsError(f"{name}: give the resistance in ohm, as in resistor:470") from None
    if not (math.isfinite(resistance) and resistance > 0.0):
        raise SettingsError(f"{name}: the resistance must be finite and above 0 ohm")
    return Resistor(resistance, bandwidth)
