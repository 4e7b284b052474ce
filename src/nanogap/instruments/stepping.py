"""A protocol driven through a source-measure unit, reading by reading."""

from collections.abc import Callable
from dataclasses import dataclass

from nanogap.electrical import Reading, Segment
from nanogap.electrical.protocols import limits
from nanogap.instruments.place import Place
from nanogap.instruments.plan import integration, levels_of, limit_of
from nanogap.instruments.source_meter import SourceMeter, Taken
from nanogap.settings.device import DeviceSettings

#: Segment number of a reading after a break, which belongs to no segment.
AFTER_BREAK = -1


@dataclass(frozen=True)
class Point:
    """A reading and its place in the protocol.

    Attributes
    ----------
    taken : Taken
        Its time is since the beginning of the measurement.
    cycle, segment, sample : int
        The sample counts from 1 within its segment.
    read, preparation : bool
    """

    taken: Taken
    cycle: int
    segment: int
    sample: int
    read: bool
    preparation: bool


class Stepper:
    """Drives a protocol from a place on.

    Parameters
    ----------
    meter : SourceMeter
        Its clock has just begun.
    settings : DeviceSettings
    place : Place
    origin : float
        Time since the beginning of the measurement at which the clock began, s.
    keep : callable
        Takes every point at once.
    """

    def __init__(
        self,
        meter: SourceMeter,
        settings: DeviceSettings,
        place: Place,
        origin: float,
        keep: Callable[[Point], object],
    ) -> None:
        self._meter, self._settings, self._place = meter, settings, place
        self._origin, self._keep = origin, keep
        self._due = 0.0

    def run(self) -> None:
        """Drive the protocol to its end."""
        protocol, readings = self._settings.make_protocol(), list(self._place.readings)
        if self._place.points and self._read_again():
            return
        sample = self._place.sample
        while (segment := protocol.next_segment(readings)) is not None:
            readings.append(self._segment(segment, len(readings), sample))
            sample = 0

    def _read_again(self) -> bool:
        """Read the state after a break; whether the protocol is at its end by that."""
        protocol = self._settings.protocol
        following = self._settings.make_protocol().next_segment(self._place.readings)
        voltage = float(getattr(protocol, "read_voltage", 0.0))
        if voltage == 0.0 or following is None or following.preparation:
            return False
        duration = float(getattr(protocol, "read_time", 0.0)) or self._settings.source.aperture * 2
        compliance = limits(getattr(protocol, "compliance", "none"))
        segment = Segment("voltage", voltage, voltage, duration, compliance, following.cycle, 1)
        reading = self._segment(segment, AFTER_BREAK, 0, read=True)
        reached = getattr(protocol, "reached", None)
        return bool(reached and reading is not None and reached(reading))

    def _segment(
        self, segment: Segment, number: int, first: int, *, read: bool | None = None
    ) -> Reading | None:
        """Drive a segment from one of its readings on; return the last."""
        meter, source = self._meter, self._settings.source
        if segment.samples:
            meter.integrate(integration(segment, source))
        last: Reading | None = None
        stairs = levels_of(segment)
        done = stairs[first - 1][0] if first else 0.0
        for place, (end, level) in enumerate(stairs[first:], first + 1):
            limit = limit_of(segment, level, source)
            until, done = self._due + end - done, end
            if not segment.samples:
                meter.drive(segment.quantity, level, limit)
                meter.wait(until)
                self._due = until
                continue
            if segment.purpose == "pulse":
                taken = meter.pulse(level, limit, until)
            else:
                meter.drive(segment.quantity, level, limit)
                taken = meter.read(segment.quantity, until)
            # what is late by more than a reading is not made up for in a hurry
            late = taken.time - until
            self._due = taken.time if late > segment.duration / segment.samples else until
            last = Reading(taken.voltage, taken.current)
            self._keep(self._point(segment, number, place, taken, segment.is_read or bool(read)))
        return last

    def _point(self, segment: Segment, number: int, sample: int, taken: Taken, read: bool) -> Point:
        moved = Taken(self._origin + taken.time, taken.voltage, taken.current, taken.compliance)
        prepares = segment.preparation
        cycle = segment.cycle if prepares else segment.cycle + self._place.shift
        return Point(moved, cycle, number, sample, read, prepares)
