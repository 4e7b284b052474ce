"""A protocol that breaks a wire: readings, and the wire at chosen moments."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.random import SeedSequence

from nanogap.electrical import OperatingPoint, Reading, Segment, Source
from nanogap.settings.wire import WireSettings
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM
from nanogap.wire.evolution import Evolution, Shape
from nanogap.wire.gap import Gap, gap_of
from nanogap.wire.heat import Circuit
from nanogap.wire.wire import make_wire

#: Wires are kept each time the thinnest radius has fallen by this share of what it was before.
_KEPT_AT = 0.88


@dataclass(frozen=True)
class WireReading:
    """One reading.

    Attributes
    ----------
    time : float
        At its end, s.
    voltage, current : float
        As read at the source, V and A.
    wire_voltage : float
        True mean between the contacts, V; after the breakdown that across the gap.
    cycle : int
    compliance : bool
    parted : bool
        Whether the wire has parted by its end.
    resistance : float
        Of the wire between its contacts, ohm; infinite once it has parted.
    temperature, radius : float
        The highest one, K, and the smallest one, m, at its end.
    """

    time: float
    voltage: float
    current: float
    wire_voltage: float
    cycle: int
    compliance: bool
    parted: bool
    resistance: float
    temperature: float
    radius: float


@dataclass(frozen=True, eq=False)
class Moment:
    """The wire at a moment.

    Attributes
    ----------
    time : float
        s.
    voltage, current : float
        True ones at the source, V and A.
    positions, radii, temperature : ndarray, shape (n_cells,)
        Along the wire, m, m and K.
    density : ndarray, shape (n_cells,)
        Current density, A/m^2.
    """

    time: float
    voltage: float
    current: float
    positions: FloatArray
    radii: FloatArray
    temperature: FloatArray
    density: FloatArray


@dataclass(frozen=True, eq=False)
class Breakdown:
    """Outcome of a breakdown.

    Attributes
    ----------
    settings : WireSettings
        Of this wire.
    readings : tuple of WireReading
    moments : tuple of Moment
        The first, each time the wire has become thinner by an eighth, and that of the breakdown.
    gap : Gap or None
        None if the wire has not parted.
    voltage, current : float
        At the source when it parted: the voltage then, and the largest current before, V and A.
    density : float
        That current over the mean cross-section at the start, A/m^2.
    time : float
        When it parted, s.
    hottest : float
        Highest temperature at any time, K.
    melted : bool
        Whether the melting point was reached before it parted: the last shapes are then those of
        a solid at the melting point.
    volume_change : float
        Relative change of the volume from the beginning to the end.
    evaluations : int
        Of the rates, by the integrator.
    """

    settings: WireSettings
    readings: tuple[WireReading, ...]
    moments: tuple[Moment, ...]
    gap: Gap | None
    voltage: float
    current: float
    density: float
    time: float
    hottest: float
    melted: bool
    volume_change: float
    evaluations: int


def break_wire(
    settings: WireSettings, watch: Callable[[int], object] = lambda _: None
) -> Breakdown:
    """Drive a wire with its protocol until it parts, or to the end of the protocol.

    Parameters
    ----------
    settings : WireSettings
        Of one wire (`WireSettings.members`).
    watch : callable
        Called with the number of readings so far.

    Raises
    ------
    EngineError
        If temperature or shape cannot be followed.

    Examples
    --------
    >>> from nanogap.settings.wire import load_wire_settings
    >>> short = {"protocol.turning_points": [0.0, 0.05], "protocol.interval": 1.0}
    >>> done = break_wire(load_wire_settings("wire-breakdown", short))
    >>> done.gap is None, len(done.readings)
    (True, 3)
    """
    measured = _Measured(settings)
    for reading in measured:
        measured.readings.append(reading)
        watch(len(measured.readings))
    return measured.result()


@dataclass
class _Measured:
    """A measurement of a wire under way."""

    settings: WireSettings
    readings: list[WireReading] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.settings
        self.wire: Evolution = make_wire(settings)
        self.source: Source = settings.make_source()
        self.begin_volume = self.wire.shape.volume
        length = float(self.wire.shape.mesh.faces[-1])
        self.area = self.begin_volume / length
        seeds = SeedSequence(settings.seed, spawn_key=(1,)).spawn(2)
        self.voltmeter = settings.source.make_meter("voltage", seeds[0])
        self.ammeter = settings.source.make_meter("current", seeds[1])
        self.gap: Gap | None = None
        self.hottest, self.largest = settings.surroundings.temperature, 0.0
        self.parted_at, self.voltage = math.inf, math.nan
        self.elapsed, self.kept_radius = 0.0, math.inf

    def __iter__(self) -> Iterator[WireReading]:
        """Yield the readings."""
        last: list[Reading | None] = []
        while (segment := self.settings.protocol.next_segment(last)) is not None:
            found: Reading | None = None
            for reading in self._segment(segment):
                found = Reading(reading.voltage, reading.current)
                yield reading
                if self._is_over():
                    return
            last.append(found)
            self.elapsed += segment.duration

    def _is_over(self) -> bool:
        after = sum(1 for one in self.readings if one.parted)
        return after > self.settings.readings_after

    def _segment(self, segment: Segment) -> Iterator[WireReading]:
        """Yield the readings of a segment."""
        windows = segment.windows(self.settings.source.aperture)
        times = {float(one) for one in windows.ravel()} | {segment.duration}
        reached = self._follow(segment, sorted(times - {0.0}))
        done = 0.0
        for begin, end in windows.tolist():
            yield self._read(segment, reached, (begin, end), end - done)
            done = end

    def _follow(self, segment: Segment, times: list[float]) -> dict[float, Shape]:
        """Follow the wire through a segment; return its shape at the times until it parts."""
        wire, found = self.wire, dict[float, Shape]()
        if wire.parted:
            return found

        def circuit(time: float) -> Circuit:
            level = segment.level(time)
            return lambda ohms: self._point(segment, level, ohms).current

        def seen(time: float, shape: Shape) -> None:
            found[time] = shape
            self.hottest = max(self.hottest, float(shape.thermal.temperature.max()))
            self.largest = max(self.largest, abs(shape.thermal.current))
            if shape.radii.min() < _KEPT_AT * self.kept_radius:
                self._keep(segment, time, shape)

        seen(0.0, wire.settle(circuit(0.0)))
        end = wire.advance(0.0, times, circuit, seen)
        if wire.parted:
            self.kept_radius = math.inf  # the last wire is kept in any case
            seen(end, wire.shape)
            self.gap = gap_of(wire.shape, wire.matter, self.settings.conduction.heat_capacity)
            self.parted_at = self.elapsed + end
            ohms = wire.shape.thermal.resistance
            self.voltage = self._point(segment, segment.level(end), ohms).voltage
        return found

    def _keep(self, segment: Segment, time: float, shape: Shape) -> None:
        """Keep the wire at a moment."""
        thermal = shape.thermal
        self.kept_radius = float(shape.radii.min())
        self.moments.append(
            Moment(
                time=self.elapsed + time,
                voltage=self._point(segment, segment.level(time), thermal.resistance).voltage,
                current=thermal.current,
                positions=shape.mesh.centres,
                radii=shape.radii,
                temperature=thermal.temperature,
                density=thermal.current / (np.pi * shape.squares),
            )
        )

    def _point(self, segment: Segment, level: float, ohms: float) -> OperatingPoint:
        """Return the circuit at a level, with a wire of a resistance."""
        return self.source.operating_point(segment, level, 1.0 / (ohms * CONDUCTANCE_QUANTUM))

    def _read(
        self,
        segment: Segment,
        reached: dict[float, Shape],
        window: tuple[float, float],
        interval: float,
    ) -> WireReading:
        """Read both meters at the end of an averaging time: the mean of its two ends."""
        begin, end = window
        shapes = [reached.get(time) for time in window]
        points = [
            self._point(
                segment,
                segment.level(time),
                math.inf if shape is None else shape.thermal.resistance,
            )
            for time, shape in zip(window, shapes, strict=True)
        ]
        first, last = points
        current = (first.current + last.current) / 2.0
        if shapes[0] is not None and shapes[1] is None:  # it parted on the way
            share = (self.parted_at - self.elapsed - begin) / (end - begin)
            current = share * first.current + (1.0 - share) * last.current
        shape, ambient = shapes[1], self.settings.surroundings.temperature
        return WireReading(
            time=self.elapsed + end,
            voltage=self.voltmeter.read((first.voltage + last.voltage) / 2.0, interval),
            current=self.ammeter.read(current, interval),
            wire_voltage=(first.gap_voltage + last.gap_voltage) / 2.0,
            cycle=segment.cycle,
            compliance=last.in_compliance,
            parted=shape is None,
            resistance=math.inf if shape is None else shape.thermal.resistance,
            temperature=ambient if shape is None else float(shape.thermal.temperature.max()),
            radius=0.0 if shape is None else float(shape.radii.min()),
        )

    def result(self) -> Breakdown:
        """Return what became of the wire."""
        shape = self.wire.shape
        return Breakdown(
            settings=self.settings,
            readings=tuple(self.readings),
            moments=tuple(self.moments),
            gap=self.gap,
            voltage=self.voltage,
            current=self.largest,
            density=self.largest / self.area,
            time=self.parted_at,
            hottest=self.hottest,
            melted=self.hottest >= self.settings.conduction.melting_point,
            volume_change=shape.volume / self.begin_volume - 1.0,
            evaluations=self.wire.steps,
        )
