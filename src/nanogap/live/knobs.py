"""The knobs of a device that is driven by hand: what they set, and how far each goes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from nanogap.arguments import shown
from nanogap.device.conditions import largest_voltage, rate_share
from nanogap.device.device import Device
from nanogap.electrical.segments import Quantity
from nanogap.errors import SettingsError

#: Readings in a second of the wall, if the kinetics keep up.
READINGS_PER_SECOND = 20
#: Largest voltage and current of the knobs, whatever the source could, V and A.
_MOST_VOLTAGE, _MOST_CURRENT = 10.0, 0.01
#: Temperatures of the knob, K: below nothing moves, above nearly all time goes into hops.
_TEMPERATURES = 200.0, 600.0
#: Limits where the protocol of the settings has none: of the current, A, and of the voltage, V.
_CURRENT_COMPLIANCE, _VOLTAGE_COMPLIANCE = 3.0e-4, 3.0


@dataclass(frozen=True)
class Range:
    """Values that a knob takes.

    Attributes
    ----------
    low, high : float
    unit : str
    """

    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Knobs:
    """Positions of all knobs.

    Attributes
    ----------
    quantity : {'voltage', 'current'}
        What the source sets.
    voltage, current : float
        Levels to which the source goes, V and A; the one of `quantity` counts.
    current_compliance : float
        Largest current while the voltage is set, A.
    voltage_compliance : float
        Largest voltage while the current is set, V.
    ramp : float
        Time in which the source goes to a new level, s of the device; 0: at once.
    temperature : float
        K.
    speed : float
        Seconds of the device in a second of the wall. A reading is taken every `interval`.
    """

    quantity: Quantity = "voltage"
    voltage: float = 0.0
    current: float = 0.0
    current_compliance: float = _CURRENT_COMPLIANCE
    voltage_compliance: float = _VOLTAGE_COMPLIANCE
    ramp: float = 1.0
    temperature: float = 300.0
    speed: float = 1.0

    @property
    def level(self) -> float:
        """Level to which the source goes, V or A."""
        return self.voltage if self.quantity == "voltage" else self.current

    @property
    def compliance(self) -> float:
        """Largest size of the other quantity, A or V."""
        return self.current_compliance if self.quantity == "voltage" else self.voltage_compliance

    @property
    def interval(self) -> float:
        """Time between two readings, s of the device."""
        return self.speed / READINGS_PER_SECOND


def first_knobs(device: Device) -> Knobs:
    """Return the knobs before anybody turns one: what the protocol limits, at rest.

    Parameters
    ----------
    device : Device
    """
    segment = device.settings.protocol.cycle_segments(0)[0]
    knobs = Knobs(quantity=segment.quantity, temperature=device.temperature)
    limit, ranges = segment.compliance[0], knob_ranges(device)
    other = "current_compliance" if segment.quantity == "voltage" else "voltage_compliance"
    changes = {"current_compliance": knobs.current_compliance}
    changes["voltage_compliance"] = knobs.voltage_compliance
    if math.isfinite(limit):
        changes[other] = limit
    for key, value in changes.items():
        changes[key] = min(max(value, ranges[key].low), ranges[key].high)
    return replace(
        knobs,
        current_compliance=changes["current_compliance"],
        voltage_compliance=changes["voltage_compliance"],
    )


def knob_ranges(device: Device) -> dict[str, Range]:
    """Return how far each knob of numbers goes, by its name.

    The voltage goes as far as the source, and as far as the rates hold at the lowest temperature
    of the knob, so that no order of turns leads to what cannot be simulated.

    Parameters
    ----------
    device : Device
    """
    source, given = device.settings.source, device.settings.atoms.temperature
    coldest, hottest = min(_TEMPERATURES[0], given), max(_TEMPERATURES[1], given)
    held = largest_voltage(coldest, rate_share(device.engine.medium))
    volts = math.floor(10.0 * min(_MOST_VOLTAGE, source.voltage_limit, held)) / 10.0
    amperes = min(_MOST_CURRENT, source.current_limit)
    return {
        "voltage": Range(-volts, volts, "V"),
        "current": Range(-amperes, amperes, "A"),
        "current_compliance": Range(1.0e-9, amperes, "A"),
        "voltage_compliance": Range(0.01, volts, "V"),
        "ramp": Range(0.0, 1000.0, "s"),
        "temperature": Range(coldest, hottest, "K"),
        "speed": Range(0.01, 100.0, "s/s"),
    }


def turned(knobs: Knobs, changes: Mapping[str, object], ranges: Mapping[str, Range]) -> Knobs:
    """Return the knobs after some were turned.

    Parameters
    ----------
    knobs : Knobs
    changes : mapping
        New positions by name.
    ranges : mapping
        By `knob_ranges`.

    Raises
    ------
    SettingsError
        If there is no such knob, or a value is out of its range; the message names it.

    Examples
    --------
    >>> turned(Knobs(), {"voltage": 1}, {"voltage": Range(-10.0, 10.0, "V")}).level
    1.0
    >>> turned(Knobs(), {"voltage": 11}, {"voltage": Range(-10.0, 10.0, "V")})
    Traceback (most recent call last):
    nanogap.errors.SettingsError: voltage = 11: give a number from -10 to 10 V
    """
    values: dict[str, object] = {}
    for key, value in changes.items():
        if key == "quantity":
            if value not in ("voltage", "current"):
                raise SettingsError(f"quantity = {shown(value)}: give 'voltage' or 'current'")
            values[key] = value
        elif key in ranges:
            values[key] = _number(key, value, ranges[key])
        else:
            names = ", ".join(["quantity", *ranges])
            raise SettingsError(f"{shown(key)} is no knob: the knobs are {names}")
    return Knobs(**{**asdict(knobs), **values})


def _number(key: str, value: object, allowed: Range) -> float:
    """Return a number in its range."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if allowed.low <= number <= allowed.high:
        return float(number)
    unit = "" if key == "speed" else f" {allowed.unit}"
    raise SettingsError(
        f"{key} = {shown(value)}: give a number from {allowed.low:g} to {allowed.high:g}{unit}"
    )
