"""Limits and times of a measurement, known and checked before the first volt."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nanogap.electrical import Segment
from nanogap.electrical.segments import Quantity
from nanogap.errors import SettingsError
from nanogap.instruments.datasheet import DataSheet, data_sheet, other
from nanogap.instruments.meter_4200 import INTEGRATIONS
from nanogap.settings.circuit import SourceSettings
from nanogap.settings.device import DeviceSettings

#: Shortest pulse by commands: timed within a 2614B, and by the program that drives a 4200, s.
SHORTEST_PULSE = {"keithley-2614b": 1.0e-3, "keithley-4200": 0.1}
#: Protocols of more cycles are alike in all but the last of them.
_DIFFERENT = 1000
#: Shortest and longest stair of a ramp without readings, and most of them, s.
_STAIR, _MOST_STAIRS = 0.05, 100
_UNITS = {"voltage": "V", "current": "A"}
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Plan:
    """Largest values of a measurement.

    Attributes
    ----------
    duration : float
        s; with feedback, the longest.
    readings : int
        With feedback, the largest number.
    voltage, current, power : float
        At the terminals of the unit, V, A and W: level or limit, whichever counts.
    """

    duration: float
    readings: int
    voltage: float
    current: float
    power: float


def limit_of(segment: Segment, level: float, source: SourceSettings) -> float:
    """Return the limit of the other quantity at a level, A or V.

    A unit has one limit for both signs: the one that the protocol has for the sign of the level,
    and never more than the settings of the source.

    Parameters
    ----------
    segment : Segment
    level : float
        V or A.
    source : SourceSettings
    """
    own = float(getattr(source, f"{other(segment.quantity)}_limit"))
    return min(segment.compliance[0 if level >= 0.0 else 1], own)


def integration(segment: Segment, source: SourceSettings) -> float:
    """Return the integration of the readings of a segment, s; cut to their distance."""
    return min(source.aperture, segment.duration / max(segment.samples, 1))


def levels_of(segment: Segment) -> list[tuple[float, float]]:
    """Return the stairs of a segment: times at which each ends, s, and levels, V or A.

    Parameters
    ----------
    segment : Segment
        A ramp has one stair per reading, and without readings stairs of its own.
    """
    if segment.samples:
        times = segment.sample_times.tolist()
    elif segment.start == segment.end:
        times = [segment.duration]
    else:
        count = max(1, min(round(segment.duration / _STAIR), _MOST_STAIRS))
        times = [segment.duration * number / count for number in range(1, count + 1)]
    return [(time, segment.level(time)) for time in times]


def make_plan(settings: DeviceSettings, unit: str, power_limit: float | None = None) -> Plan:
    """Check a measurement against its settings and the ranges of a unit.

    Parameters
    ----------
    settings : DeviceSettings
        Their protocol, preparation, source and circuit count.
    unit : str
        A key of `nanogap.instruments.UNITS`.
    power_limit : float, optional
        Largest product of level and limit, W. Default: that of the unit.

    Returns
    -------
    Plan

    Raises
    ------
    SettingsError
        If a level, a limit, a power or a time is beyond what is allowed.
    """
    sheet, source = data_sheet(unit), settings.source
    if settings.devices.number > 1:
        raise SettingsError(
            f"devices.number = {settings.devices.number}: one device is measured at a time: "
            "set it to 1, and measure each into a folder of its own"
        )
    if power_limit is not None and not 0.0 < power_limit < math.inf:
        raise SettingsError(f"power limit = {power_limit:g} W: it must be above 0")
    most = {"voltage": 0.0, "current": 0.0}
    power = 0.0
    for segment in _segments(settings):
        _check_times(segment, unit, sheet, source)
        for level in (segment.start, segment.end):
            limit = limit_of(segment, level, source)
            _check_level(segment.quantity, abs(level), limit, sheet, source)
            most[segment.quantity] = max(most[segment.quantity], abs(level))
            most[other(segment.quantity)] = max(most[other(segment.quantity)], limit)
            power = max(power, abs(level) * limit)
            if power_limit is not None and power > power_limit * (1.0 + _ROUNDING):
                raise SettingsError(
                    f"{abs(level):g} {_UNITS[segment.quantity]} with a limit of {limit:g} "
                    f"{_UNITS[other(segment.quantity)]} are up to {power:g} W, more than the "
                    f"power limit of {power_limit:g} W: lower the level or the compliance"
                )
    return Plan(
        settings.total_duration, settings.total_samples, most["voltage"], most["current"], power
    )


def _segments(settings: DeviceSettings) -> Iterator[Segment]:
    """Yield all segments that differ."""
    for protocol in settings.parts().values():
        count = protocol.n_cycles
        cycles = range(count) if count <= _DIFFERENT else (0, 1, count - 1)
        for cycle in cycles:
            yield from protocol.cycle_segments(cycle)


def _check_level(
    quantity: Quantity, level: float, limit: float, sheet: DataSheet, source: SourceSettings
) -> None:
    """Refuse a level or a limit beyond the settings or the unit."""
    within, unit = other(quantity), _UNITS[quantity]
    own = getattr(source, f"{quantity}_limit")
    if level > own:
        raise SettingsError(
            f"the protocol goes to {level:g} {unit}, beyond source.{quantity}_limit = {own:g} "
            f"{unit}: lower the protocol, or allow more"
        )
    for name, value, least in (
        (quantity, level, 0.0),
        (within, limit, sheet.least_limit[within]),
    ):
        if not least <= value <= sheet.largest(name):
            what = "level" if name == quantity else "limit"
            raise SettingsError(
                f"a {what} of {value:g} {_UNITS[name]} is none that a {sheet.name} has: from "
                f"{least:g} to {sheet.largest(name):g} {_UNITS[name]}"
            )
    sizes, edge = {quantity: level, within: limit}, sheet.boundary
    if sizes["voltage"] > edge["voltage"] and sizes["current"] > edge["current"]:
        raise SettingsError(
            f"{sizes['voltage']:g} V with {sizes['current']:g} A is more than a {sheet.name} "
            f"gives: above {edge['voltage']:g} V it has {edge['current']:g} A: lower the compliance"
        )


def _check_times(segment: Segment, unit: str, sheet: DataSheet, source: SourceSettings) -> None:
    """Refuse times that the unit cannot keep."""
    if segment.purpose == "pulse" and segment.duration < SHORTEST_PULSE[unit]:
        raise SettingsError(
            f"a pulse of {segment.duration:g} s is shorter than the {SHORTEST_PULSE[unit]:g} s "
            f"that a {sheet.name} does by commands (its pulses in hardware are not driven): choose "
            "a longer width"
        )
    if not segment.samples:
        return
    duration = integration(segment, source)
    periods = duration * source.line_frequency
    interval = segment.duration / segment.samples
    if unit == "keithley-4200":
        if round(periods, 6) not in INTEGRATIONS:
            raise SettingsError(
                f"source.power_line_cycles = {periods:g}: a {sheet.name} integrates "
                f"{', '.join(f'{one:g}' for one in INTEGRATIONS)} periods: choose one, and "
                "readings that are not closer"
            )
        if interval < 2.0 * duration * (1.0 - _ROUNDING):
            raise SettingsError(
                f"readings every {interval:g} s are closer than two integrations of {duration:g} "
                f"s: a {sheet.name} reads voltage and current one after the other: choose a longer "
                "interval, or fewer source.power_line_cycles"
            )
    elif not sheet.nplc[0] <= periods * (1.0 + _ROUNDING) <= sheet.nplc[1] * (1.0 + _ROUNDING):
        raise SettingsError(
            f"source.power_line_cycles = {periods:g}: a {sheet.name} integrates {sheet.nplc[0]:g} "
            f"to {sheet.nplc[1]:g} periods"
        )
