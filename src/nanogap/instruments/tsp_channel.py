"""The tables ``smua`` and ``smub`` of a 2600: source, meter, buffers."""

from collections.abc import Callable
from typing import Any, Literal

from nanogap.electrical.segments import Quantity
from nanogap.instruments.channel import Bench, Channel, ChannelReading, Ranging
from nanogap.instruments.datasheet import OVERFLOW
from nanogap.instruments.faults import CommandError
from nanogap.instruments.tsp_objects import INVALID, RUNTIME, Buffer, Node

#: Letters of the quantities in names of attributes.
LETTERS: dict[str, Quantity] = {"v": "voltage", "i": "current"}
_MEASURED = {
    "v": "the voltage, V",
    "i": "the current, A",
    "r": "voltage over current, ohm",
    "p": "voltage times current, W",
}
_CONSTANTS = {
    "OUTPUT_OFF": 0.0,
    "OUTPUT_ON": 1.0,
    "OUTPUT_DCAMPS": 0.0,
    "OUTPUT_DCVOLTS": 1.0,
    "OUTPUT_NORMAL": 0.0,
    "AUTORANGE_OFF": 0.0,
    "AUTORANGE_ON": 1.0,
    "AUTOZERO_OFF": 0.0,
    "AUTOZERO_ONCE": 1.0,
    "AUTOZERO_AUTO": 2.0,
    "DELAY_OFF": 0.0,
    "DELAY_AUTO": -1.0,
    "SENSE_LOCAL": 0.0,
    "SENSE_REMOTE": 1.0,
    "FILTER_MOVING_AVG": 0.0,
    "FILTER_REPEAT_AVG": 1.0,
    "FILTER_MEDIAN": 2.0,
    "DISABLE": 0.0,
    "ENABLE": 1.0,
}


class TspChannel:
    """Names of one channel, and what they do.

    Parameters
    ----------
    bench : Bench
    name : str
        ``smua`` or ``smub``.
    node : Node
        Gets the names.
    """

    def __init__(self, bench: Bench, name: str, node: Node) -> None:
        self.bench, self.name, self.node = bench, name, node
        self.channel: Channel = bench.channels[name]
        self._count, self._interval = 1, 0.0
        self.buffers: list[Buffer] = []
        node.thing = self
        node.constants(**_CONSTANTS)
        for number in (1, 2):
            buffer = Buffer(f"{name}.nvbuffer{number}")
            node.members[f"nvbuffer{number}"] = buffer
            self.buffers.append(buffer)
        self._add_source(node.node("source"))
        self._add_measure(node.node("measure"))
        node.kept("sense", 0.0)
        node.function("reset", self.reset, "the defaults, output off")
        node.function("makebuffer", self._make_buffer, "a buffer for so many readings")
        node.silent("does nothing here", "abort", "savebuffer")
        for letter in ("v", "i", "r", "p", "iv"):
            node.function(
                f"measure{letter}andstep",
                lambda level, letter=letter: self._and_step(letter, level),
                "measures, then sets the level",
            )

    def reset(self) -> tuple[Any, ...]:
        """Go back to the defaults."""
        self.channel.reset(self.bench.time)
        self._count, self._interval = 1, 0.0
        for buffer in self.buffers:
            buffer.appending = False
        return ()

    def set_level(self, quantity: Quantity, value: float) -> None:
        """Set a level, and wait for the delay of the source."""
        self.channel.set_level(quantity, value, self.bench.time)
        if self.channel.set.output and quantity == self.channel.set.quantity:
            self.bench.wait(self._delay(self.channel.set.source_delay))

    def measure(
        self, letters: str, buffers: tuple[Buffer, ...], count: int | None = None
    ) -> tuple[float, ...]:
        """Measure into buffers, as often as is set, and return the last reading.

        Parameters
        ----------
        letters : str
            ``v``, ``i``, ``r``, ``p`` or ``iv``.
        buffers : tuple of Buffer
            One per letter, or none.
        count : int, optional
            Instead of what is set; then the buffers go on.
        """
        if count is None:
            for buffer in buffers:
                buffer.begin()
        values: tuple[float, ...] = ()
        for number in range(self._count if count is None else count):
            begin = self.bench.time
            delay = self._delay(self.channel.set.delay) if number == 0 or count else 0.0
            (reading,) = self.bench.measure([self.name], delay)
            values = tuple(_value(letter, reading) for letter in letters)
            for buffer, value in zip(buffers, values, strict=False):
                buffer.add(value, reading)
            rest = self._interval - (self.bench.time - begin)
            if number < self._count - 1 and count is None and rest > 0.0:
                self.bench.wait(rest)
        return values

    def condition(self) -> float:
        """Return the register: 1 at the limit of the voltage, 2 at that of the current."""
        if not self.channel.in_compliance:
            return 0.0
        return 1.0 if self.channel.set.quantity == "current" else 2.0

    def as_buffer(self, value: object) -> Buffer:
        """Return an argument as a buffer."""
        if not isinstance(value, Buffer):
            raise CommandError(INVALID, "Parameter is invalid: a reading buffer is expected")
        return value

    def _delay(self, value: float) -> float:
        """Return a delay, s; below 0: the automatic one."""
        return self.channel.settling() if value < 0.0 else value

    def _add_source(self, source: Node) -> None:
        """Add the names of the source."""
        channel, bench = self.channel, self.bench
        source.choice(
            "func",
            lambda: float(channel.set.quantity == "voltage"),
            lambda value: channel.set_quantity("voltage" if value else "current", bench.time),
            "0: sets the current, 1: the voltage",
        )
        source.choice(
            "output",
            lambda: float(channel.set.output),
            lambda value: channel.set_output(bool(value), bench.time),
            "0: off, held at 0 V; 1: on",
        )
        source.reads("compliance", lambda: channel.in_compliance, "whether the limit holds")
        for letter, quantity in LETTERS.items():
            self._add_level(source, letter, quantity)
        self._add_ranges(source, "source")
        source.number(
            "delay",
            lambda: channel.set.source_delay,
            lambda value: setattr(channel.set, "source_delay", value),
            "after a change of the level, s; -1: what the range takes to settle",
            (-1.0, 1.0e5),
        )
        source.kept("highc", 0.0)
        source.kept("settling", 0.0, (0, 1, 2, 3, 128))
        source.kept("sink", 0.0)
        source.kept("offmode", 0.0, (0,))

    def _add_measure(self, measure: Node) -> None:
        """Add the names of the meter."""
        channel = self.channel
        for letter, what in _MEASURED.items():
            measure.function(
                letter,
                lambda buffer=None, letter=letter: self._measured(letter, buffer),
                f"measures {what}, also into a buffer",
            )
        measure.function(
            "iv",
            lambda first=None, second=None: self._measured("iv", first, second),
            "measures current and voltage at the same time, also into two buffers",
        )
        for letter in (*_MEASURED, "iv"):
            measure.function(
                f"overlapped{letter}",
                lambda first, second=None, letter=letter: self._measured(letter, first, second)[:0],
                "measures into buffers; here it is done when the command is",
            )
        self._add_ranges(measure, "meter")
        measure.number(
            "nplc",
            lambda: channel.set.nplc,
            lambda value: setattr(channel.set, "nplc", value),
            "integration, periods of the mains",
            channel.sheet.nplc,
        )
        measure.number(
            "delay",
            lambda: channel.set.delay,
            lambda value: setattr(channel.set, "delay", value),
            "before a measurement, s; -1: what the range takes to settle",
            (-1.0, 1.0e5),
        )
        measure.number(
            "count",
            lambda: float(self._count),
            self._set_count,
            "readings of one command",
            (1, 6e4),
        )
        measure.number(
            "interval",
            lambda: self._interval,
            lambda value: setattr(self, "_interval", value),
            "from one reading of a command to the next, s",
            (0.0, 1.0e4),
        )
        measure.kept("autozero", 2.0, (0, 1, 2))
        self._add_filter(measure.node("filter"))

    def _add_filter(self, node: Node) -> None:
        """Add the names of the filter."""
        state: Callable[[], Any] = lambda: self.channel.set  # noqa: E731 it is new after a reset
        node.choice(
            "enable",
            lambda: float(state().filter_on),
            lambda value: setattr(state(), "filter_on", bool(value)),
            "whether readings are filtered",
        )
        node.choice(
            "type",
            lambda: float(state().filter_kind),
            lambda value: setattr(state(), "filter_kind", value),
            "0: mean of the last readings, 1: mean of new ones, 2: their median",
            (0, 1, 2),
        )
        node.number(
            "count",
            lambda: float(state().filter_count),
            lambda value: setattr(state(), "filter_count", int(value)),
            "readings of the filter",
            (1.0, 100.0),
        )

    def _add_ranges(self, node: Node, which: Literal["source", "meter"]) -> None:
        """Add range and automatic range of both quantities."""
        for letter, quantity in LETTERS.items():
            self._add_range(node, which, letter, quantity)

    def _add_range(
        self, node: Node, which: Literal["source", "meter"], letter: str, quantity: Quantity
    ) -> None:
        """Add range and automatic range of a quantity."""
        channel = self.channel

        def ranging() -> Ranging:
            found: Ranging = getattr(channel.set, which)
            return found

        def in_use() -> float:
            return channel.range_in_use(ranging(), quantity, channel.set.level[quantity]).range

        node.number(
            f"range{letter}",
            in_use,
            lambda value: channel.set_range(ranging(), quantity, value),
            f"fixes the range that holds this {quantity}",
        )
        node.choice(
            f"autorange{letter}",
            lambda: float(getattr(ranging(), quantity) is None),
            lambda value: channel.set_range(ranging(), quantity, None if value else in_use()),
            "1: the lowest range that holds the value",
        )

    def _add_level(self, source: Node, letter: str, quantity: Quantity) -> None:
        """Add level and limit of a quantity."""
        channel = self.channel
        source.number(
            f"level{letter}",
            lambda: channel.set.level[quantity],
            lambda value: self.set_level(quantity, value),
            f"level of the {quantity}",
        )
        source.number(
            f"limit{letter}",
            lambda: channel.set.limit[quantity],
            lambda value: channel.set_limit(quantity, value, self.bench.time),
            f"largest {quantity} of either sign, while the other quantity is set",
        )
        source.kept(f"lowrange{letter}", 0.0, (0,))

    def _set_count(self, value: float) -> None:
        self._count = int(value)

    def _measured(self, letters: str, *given: object) -> tuple[float, ...]:
        """Measure at a client's command."""
        buffers = tuple(self.as_buffer(one) for one in given if one is not None)
        return self.measure(letters, buffers)

    def _and_step(self, letters: str, level: object) -> tuple[float, ...]:
        """Measure, then set the level."""
        if not isinstance(level, float):
            raise CommandError(RUNTIME, "TSP Runtime error: a level is a number")
        values = self.measure(letters, ())
        self.set_level(self.channel.set.quantity, level)
        return values

    def _make_buffer(self, size: object) -> tuple[Buffer]:
        if not (isinstance(size, float) and 1.0 <= size <= 6e4):
            raise CommandError(INVALID, "Parameter is invalid: a buffer holds 1 to 60000 readings")
        return (Buffer("buffer", int(size)),)


def _value(letter: str, reading: ChannelReading) -> float:
    """Return what a letter asks for."""
    if letter in LETTERS:
        return reading.of(LETTERS[letter])
    voltage, current = reading.voltage, reading.current
    if OVERFLOW in {voltage, current} or (letter == "r" and current == 0.0):
        return OVERFLOW
    return voltage / current if letter == "r" else voltage * current
