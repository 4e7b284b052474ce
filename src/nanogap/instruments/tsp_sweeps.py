"""Buffered sweeps of a 2600: the factory's scripts, and the trigger model as far as it is served.

Of the trigger model a sweep is source, delay, measurement, end of the pulse, point by point. It
begins with ``trigger.initiate()``, or with ``*trg`` where the arm layer waits for it; events of
timers, lines and other channels start nothing here.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nanogap.electrical.segments import Quantity
from nanogap.instruments.faults import CommandError
from nanogap.instruments.tsp_channel import LETTERS, TspChannel
from nanogap.instruments.tsp_objects import INVALID, Buffer, Node

#: Points of a sweep: what a buffer holds.
_MOST_POINTS = 60_000
#: Event of ``*trg``; the others are numbers that a client may hand around.
COMMAND_EVENT = 40.0
_EVENTS = (
    "SWEEPING",
    "ARMED",
    "SOURCE_COMPLETE",
    "MEASURE_COMPLETE",
    "PULSE_COMPLETE",
    "SWEEP_COMPLETE",
    "IDLE",
)


def add_factory_sweeps(root: Node) -> None:
    """Add the factory's sweeps to the names of a unit.

    Parameters
    ----------
    root : Node
    """

    def add(name: str, source: str, shape: str) -> None:
        def sweep(channel: object, *given: Any) -> tuple[Any, ...]:
            if not (isinstance(channel, Node) and isinstance(channel.thing, TspChannel)):
                raise _invalid(f"the first argument of {name} is a channel")
            levels, settle = _levels(name, shape, given)
            _factory_sweep(channel.thing, LETTERS[source], levels, settle)
            return ()

        meter = "current" if source == "v" else "voltage"
        root.function(
            name, sweep, f"{shape} sweep of the {LETTERS[source]}; the {meter} into nvbuffer1"
        )

    for source, meter in (("v", "I"), ("i", "V")):
        for shape, word in (("linear", "Lin"), ("logarithmic", "Log"), ("list", "List")):
            add(f"Sweep{source.upper()}{word}Measure{meter}", source, shape)


def _levels(name: str, shape: str, given: tuple[Any, ...]) -> tuple[list[float], float]:
    """Return levels and settling time of a factory's sweep."""
    if shape == "list":
        if len(given) != 3 or not isinstance(given[0], list):
            raise _invalid(f"{name} takes a channel, a list, a settling time and points")
        numbers = _numbers(name, [*given[0], *given[1:]])
        count = int(numbers[-1])
        if not 1 <= count <= len(given[0]):
            raise _invalid(f"{name}: {count} points of a list of {len(given[0])}")
        return numbers[:count], numbers[-2]
    numbers = _numbers(name, given)
    if len(numbers) not in ({4} if shape == "linear" else {4, 5}):
        raise _invalid(f"{name} takes a channel, start, stop, settling time and points")
    return _spread(name, shape, numbers[0], numbers[1], numbers[3]), numbers[2]


def _spread(name: str, shape: str, start: float, stop: float, points: float) -> list[float]:
    """Return levels between two."""
    if not 1 <= points <= _MOST_POINTS:
        raise _invalid(f"{name}: points must be from 1 to {_MOST_POINTS}")
    if shape == "linear":
        return [float(one) for one in np.linspace(start, stop, int(points))]
    if start * stop <= 0.0:
        raise _invalid(f"{name}: a logarithmic sweep does not pass through zero")
    return [float(one) for one in np.geomspace(start, stop, int(points))]


def _numbers(name: str, given: Any) -> list[float]:
    """Refuse what are no numbers."""
    for one in given:
        if not isinstance(one, float) or not math.isfinite(one):
            raise _invalid(f"{name} takes numbers")
    return list(given)


def _factory_sweep(
    channel: TspChannel, quantity: Quantity, levels: list[float], settle: float
) -> None:
    """Sweep with the output on, and leave it off at zero, as the factory's scripts do."""
    if settle < 0.0:
        raise _invalid("a settling time is zero or above")
    bench, buffer = channel.bench, channel.buffers[0]
    letter = "i" if quantity == "voltage" else "v"
    buffer.clear()
    unit = channel.channel
    unit.set_quantity(quantity, bench.time)
    unit.set_level(quantity, levels[0], bench.time)
    try:
        unit.set_output(True, bench.time)
        for level in levels:
            channel.set_level(quantity, level)
            bench.wait(settle)
            channel.measure(letter, (buffer,), count=1)
    finally:
        unit.set_output(False, bench.time)
        unit.set_level(quantity, 0.0, bench.time)


class Trigger:
    """Trigger model of one channel.

    Parameters
    ----------
    channel : TspChannel
    ready : callable
        Gets a sweep that waits for its event or runs now: the function, and whether it waits.
    """

    def __init__(
        self, channel: TspChannel, ready: Callable[[Callable[[], None], bool], object]
    ) -> None:
        self._channel, self._ready = channel, ready
        self._quantity: Quantity | None = None
        self._levels: list[float] = []
        self._letters = ""
        self._buffers: tuple[Buffer, ...] = ()
        self._kept: dict[str, float] = {}
        node = channel.node.node("trigger")
        for number, name in enumerate(_EVENTS, start=1):
            offset = 0 if channel.name == "smua" else len(_EVENTS)
            node.constants(**{f"{name}_EVENT_ID": float(number + offset)})
        channel.node.constants(SOURCE_IDLE=0.0, SOURCE_HOLD=1.0, LIMIT_AUTO=-1.0)
        self._number(node, "count", 1.0, "points of a sweep", (1.0, float(_MOST_POINTS)))
        self._number(node.node("arm"), "count", 1.0, "sweeps one after another", (1.0, 1000.0))
        for layer in ("arm", "source", "measure", "endpulse"):
            self._number(
                node.node(layer),
                "stimulus",
                0.0,
                "event that the layer waits for; only that of *trg in the arm layer counts here",
                (0.0, 60.0),
            )
        for layer in ("source", "measure"):
            self._number(node.node(layer), "action", 0.0, "0: none, 1: at every point", (0.0, 1.0))
        for layer, value in (("endpulse", 1.0), ("endsweep", 0.0)):
            about = "0: back to the level that is set, 1: stays"
            self._number(node.node(layer), "action", value, about, (0.0, 1.0))
        self._add_sweeps(node.node("source"))
        self._add_measurements(node.node("measure"))
        node.function("initiate", self._initiate, "begins the sweep, or waits for *trg")

    def _number(
        self, node: Node, name: str, value: float, about: str, limits: tuple[float, float]
    ) -> None:
        """Add a number that is kept."""
        key = f"{node.name}.{name}".partition(".trigger.")[2]
        self._kept[key] = value
        node.number(
            name,
            lambda: self._kept[key],
            lambda given: self._kept.__setitem__(key, given),
            about,
            limits,
        )

    def _add_sweeps(self, node: Node) -> None:
        for letter, quantity in LETTERS.items():
            for shape, word in (("linear", "linear"), ("logarithmic", "log")):
                node.function(
                    f"{word}{letter}",
                    lambda *given, q=quantity, shape=shape: self._sweep(q, shape, given),
                    f"a {shape} sweep of the {quantity}: start, stop, points",
                )
            node.function(
                f"list{letter}",
                lambda levels, q=quantity: self._list(q, levels),
                f"a list of levels of the {quantity}",
            )

    def _add_measurements(self, node: Node) -> None:
        for letters in ("v", "i", "iv"):
            node.function(
                letters,
                lambda *given, letters=letters: self._measure(letters, given),
                "what is measured at every point, and the buffers for it",
            )

    def _sweep(self, quantity: Quantity, shape: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(given) < 3:
            raise _invalid("a sweep of the trigger model takes start, stop and points")
        start, stop, points = _numbers("a sweep of the trigger model", given[:3])
        levels = _spread("a sweep of the trigger model", shape, start, stop, points)
        self._quantity, self._levels = quantity, levels
        return ()

    def _list(self, quantity: Quantity, levels: Any) -> tuple[Any, ...]:
        if not (isinstance(levels, list) and 1 <= len(levels) <= _MOST_POINTS):
            raise _invalid("a list of levels is expected")
        self._quantity, self._levels = quantity, _numbers("a list of levels", levels)
        return ()

    def _measure(self, letters: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(given) != len(letters):
            raise _invalid(f"{len(letters)} reading buffers are expected")
        self._buffers = tuple(self._channel.as_buffer(one) for one in given)
        self._letters = letters
        return ()

    def _initiate(self) -> tuple[Any, ...]:
        """Begin, or wait."""
        stimulus = self._kept["arm.stimulus"]
        if stimulus not in {0.0, COMMAND_EVENT}:
            raise _invalid(
                "the arm layer waits for an event that the virtual unit does not have; it has none "
                "(0) and trigger.EVENT_ID"
            )
        self._ready(self.run, stimulus == COMMAND_EVENT)
        return ()

    def run(self) -> None:
        """Sweep."""
        channel, kept = self._channel, self._kept
        unit, bench = channel.channel, channel.bench
        sweeping = kept["source.action"] and self._quantity is not None
        quantity = self._quantity or unit.set.quantity
        idle = unit.set.level[quantity]
        for buffer in self._buffers:
            buffer.begin()
        for _ in range(int(kept["arm.count"])):
            for point in range(int(kept["count"])):
                if sweeping:
                    unit.set_quantity(quantity, bench.time)
                    channel.set_level(quantity, self._levels[point % len(self._levels)])
                if kept["measure.action"] and self._letters:
                    channel.measure(self._letters, self._buffers, count=1)
                if sweeping and not kept["endpulse.action"]:
                    channel.set_level(quantity, idle)
            if sweeping and not kept["endsweep.action"]:
                channel.set_level(quantity, idle)


def _invalid(what: str) -> CommandError:
    return CommandError(INVALID, f"Parameter is invalid: {what}")
