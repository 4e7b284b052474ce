"""The 4145-style pages of KXCI: channels, sources, measurement; and what a sweep gives."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from nanogap.electrical.segments import Quantity
from nanogap.instruments.channel import Bench, Channel, ChannelReading
from nanogap.instruments.datasheet import OVERFLOW
from nanogap.instruments.faults import CommandError

#: "Undefined header", "Data out of range" and "Illegal parameter value" of IEEE 488.2.
UNKNOWN, OUT_OF_RANGE, ILLEGAL = -113, -222, -224
#: Most points of VAR1 (4200A-901-01, p. 9-17), and of all readings here.
_MOST_POINTS, _MOST_READINGS = 1024, 65_536
#: Voltages below count as zero (p. 9-17), V.
_LEAST_VOLTAGE = 1e-3
#: Points per decade of the logarithmic sweeps.
_PER_DECADE = {2: 10, 3: 25, 4: 50}
_VAR1, _VAR2, _CONSTANT = 1, 2, 3
_SOURCES: dict[int, Quantity | None] = {1: "voltage", 2: "current", 3: None}


@dataclass(frozen=True)
class Definition:
    """Definition of a channel.

    Attributes
    ----------
    voltage, current : str
        Names of what is measured.
    source : {'voltage', 'current'} or None
        None: the channel is the common one.
    function : int
        1: VAR1, 2: VAR2, 3: constant.
    """

    voltage: str
    current: str
    source: Quantity | None
    function: int


@dataclass
class Sweep:
    """Levels of VAR1 or VAR2, and the limit of the other quantity."""

    quantity: Quantity
    levels: list[float]
    limit: float


@dataclass
class Pages:
    """Content of the pages."""

    channels: dict[str, Definition] = field(default_factory=dict)
    first: Sweep | None = None
    second: Sweep | None = None
    constants: dict[str, tuple[Quantity, float, float]] = field(default_factory=dict)
    hold: float = 0.0
    delay: float = 0.0
    wait: float = 0.0
    interval: float = 0.01
    number: int = 1
    #: Readings by the names of the channel definitions.
    data: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)

    def define(self, name: str, words: list[str | float]) -> None:
        """Define a channel, or undefine it where nothing follows."""
        if not words:
            self.channels.pop(name, None)
            return
        if len(words) != 4 or not (isinstance(words[0], str) and isinstance(words[1], str)):
            raise CommandError(ILLEGAL, "CH takes a channel, two names, source and function")
        if words[2] not in _SOURCES or words[3] not in {_VAR1, _VAR2, _CONSTANT}:
            raise CommandError(
                ILLEGAL, "CH: the source is 1 to 3, the function 1 to 3 (VAR1' is not served)"
            )
        self.channels[name] = Definition(words[0], words[1], _SOURCES[int(words[2])], int(words[3]))

    def sweep(self, quantity: Quantity, shape: int, numbers: list[float]) -> None:
        """Set VAR1: start, stop, step and limit of a linear sweep; no step of another."""
        if shape == 1:
            if len(numbers) != 4:
                raise CommandError(ILLEGAL, "a linear sweep takes start, stop, step and limit")
            start, stop, step, limit = numbers
            if quantity == "voltage":
                start, step = (0.0 if abs(one) < _LEAST_VOLTAGE else one for one in (start, step))
            if step == 0.0:
                raise CommandError(ILLEGAL, "the step of a sweep is zero")
            count = int(min(abs((stop - start) / step), 1e9) + 1.5)
            step = math.copysign(step, stop - start)
            levels = [start + number * step for number in range(min(count, _MOST_POINTS + 1))]
        elif shape in _PER_DECADE and len(numbers) == 3:
            start, stop, limit = numbers
            if start * stop <= 0.0:
                raise CommandError(ILLEGAL, "a logarithmic sweep does not pass through zero")
            decades = abs(math.log10(stop / start))
            count = int(decades * _PER_DECADE[shape] + 1.5)
            levels = np.geomspace(start, stop, min(count, _MOST_POINTS + 1)).tolist()
        else:
            raise CommandError(ILLEGAL, "the kind of a sweep is 1 (linear) to 4")
        if count > _MOST_POINTS:
            raise CommandError(OUT_OF_RANGE, f"a sweep has {_MOST_POINTS} points at most")
        self.first = Sweep(quantity, levels, limit)

    def steps(self, quantity: Quantity, numbers: list[float]) -> None:
        """Set VAR2: start, step, number of steps and limit."""
        if len(numbers) not in {4, 5} or (len(numbers) == 5 and numbers[4] != 1.0):
            raise CommandError(ILLEGAL, "VAR2 takes start, step, number of steps and limit")
        start, step, count, limit = numbers[:4]
        if not (count.is_integer() and 1 <= count <= 128):
            raise CommandError(OUT_OF_RANGE, "VAR2 has 1 to 128 steps")
        levels = [start + number * step for number in range(int(count))]
        self.second = Sweep(quantity, levels, limit)

    def constant(self, name: str, quantity: Quantity, numbers: list[float]) -> None:
        """Set a constant source: level and limit."""
        if len(numbers) != 2:
            raise CommandError(ILLEGAL, "a constant source takes a channel, a level and a limit")
        self.constants[name] = (quantity, numbers[0], numbers[1])

    def forget_data(self) -> None:
        """Empty the buffer."""
        self.data.clear()
        self.times.clear()


class Run:
    """A measurement as the pages say.

    Parameters
    ----------
    bench : Bench
    pages : Pages
        Get the readings.
    """

    def __init__(self, bench: Bench, pages: Pages) -> None:
        self._bench, self._pages = bench, pages

    def run(self) -> None:
        """Measure; at the end, whatever it is, every output is off.

        Raises
        ------
        CommandError
            If the pages do not fit each other, or the unit cannot do what they say.
        """
        pages, bench = self._pages, self._bench
        active = {name: one for name, one in pages.channels.items() if one.source is not None}
        first = self._of(_VAR1, pages.first, active)
        second = self._of(_VAR2, pages.second, active)
        outer = second[1].levels if second else [0.0]
        inner = first[1].levels if first else [0.0] * pages.number
        if not active:
            raise CommandError(ILLEGAL, "no channel is defined that sources anything")
        if len(outer) * len(inner) > _MOST_READINGS:
            raise CommandError(OUT_OF_RANGE, f"{_MOST_READINGS} points at most are measured")
        begin = bench.time
        try:
            self._constants(active)
            bench.wait(0.0 if first else pages.wait)
            for step in outer:
                if second:
                    self._set(second, step)
                for place, level in enumerate(inner):
                    started = bench.time
                    if first:
                        self._set(first, level)
                        bench.wait(pages.hold if place == 0 else 0.0)
                        bench.wait(pages.delay)
                    self._keep(active, bench.measure(active), begin)
                    rest = pages.interval - (bench.time - started)
                    if not first and place + 1 < len(inner) and rest > 0.0:
                        bench.wait(rest)
        finally:
            bench.off()

    @staticmethod
    def _of(
        function: int, sweep: Sweep | None, active: dict[str, Definition]
    ) -> tuple[str, Sweep] | None:
        """Return the channel of VAR1 or VAR2 and its levels."""
        names = [name for name, one in active.items() if one.function == function]
        if not names:
            return None
        if len(names) > 1 or sweep is None or sweep.quantity != active[names[0]].source:
            raise CommandError(
                ILLEGAL, f"VAR{function} needs one channel, and levels of what that one sources"
            )
        return names[0], sweep

    def _constants(self, active: dict[str, Definition]) -> None:
        """Switch the constant sources on."""
        for name, one in active.items():
            if one.function != _CONSTANT:
                continue
            known = self._pages.constants.get(name)
            if known is None or known[0] != one.source:
                raise CommandError(ILLEGAL, f"the constant source of {name} has no level")
            quantity, level, limit = known
            self._drive(name, quantity, level, limit)

    def _set(self, sweep: tuple[str, Sweep], level: float) -> None:
        self._drive(sweep[0], sweep[1].quantity, level, sweep[1].limit)

    def _drive(self, name: str, quantity: Quantity, level: float, limit: float) -> None:
        channel = self._bench.channels[name]
        held = held_limit(channel, quantity, limit)
        channel.drive(quantity, level, held, None, self._bench.time)

    def _keep(
        self, active: dict[str, Definition], readings: list[ChannelReading], begin: float
    ) -> None:
        """Keep the readings of one point."""
        for name, reading in zip(active, readings, strict=True):
            for title, value in (
                (active[name].voltage, reading.voltage),
                (active[name].current, reading.current),
            ):
                one = (status(value, reading, readings), value)
                self._pages.data.setdefault(title, []).append(one)
            self._pages.times.setdefault(name, []).append(reading.time - begin)


def held_limit(channel: Channel, quantity: Quantity, limit: float) -> float:
    """Return the limit beside a source: a smaller one of the current is the smallest (p. 9-17)."""
    if quantity == "voltage":
        return max(abs(limit), channel.sheet.least_limit["current"])
    return limit


def status(value: float, reading: ChannelReading, readings: Iterable[ChannelReading]) -> str:
    """Return the letter of a value: V overflow, C this channel at its limit, T another one, N."""
    if abs(value) >= OVERFLOW:
        return "V"
    if reading.compliance:
        return "C"
    return "T" if any(one.compliance for one in readings) else "N"
