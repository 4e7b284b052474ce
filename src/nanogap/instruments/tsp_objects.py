"""The objects that a script of the 2600 names: tables, attributes, functions, buffers."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from nanogap.instruments.channel import TOO_BIG, TOO_SMALL, ChannelReading
from nanogap.instruments.faults import CommandError

#: "TSP Runtime error" of the 2600's manual, and "Parameter is invalid".
RUNTIME, INVALID = -286, 1401
#: Readings that a buffer holds (data sheet: above 60 000 with times and source values).
CAPACITY = 60_000


@dataclass(frozen=True)
class Attribute:
    """Attribute of a table.

    Attributes
    ----------
    get : callable
        Returns its value.
    set : callable or None
        Takes a new value; None: it can only be read.
    about : str
        What it does, for the list of commands.
    allowed : str
        Its values, for the list of commands.
    """

    get: Callable[[], Any]
    set: Callable[[Any], None] | None
    about: str
    allowed: str = ""


@dataclass(frozen=True)
class Function:
    """Function of a table.

    Attributes
    ----------
    call : callable
        Returns a tuple of values.
    about : str
    """

    call: Callable[..., tuple[Any, ...]]
    about: str

    @cached_property
    def signature(self) -> inspect.Signature:
        """Arguments that it takes; looked up once, for a script calls a function often."""
        return inspect.signature(self.call)


@dataclass
class Node:
    """A table of the unit's own.

    Attributes
    ----------
    name : str
        With those of the tables around it.
    members : dict
        Tables, attributes, functions and constants by name.
    thing : object
        What it stands for, as an argument of a function: a channel, a buffer.
    """

    name: str
    members: dict[str, Any] = field(default_factory=dict)
    thing: object = None

    def node(self, name: str) -> "Node":
        """Return a table within this one, made if it is new."""
        path = f"{self.name}.{name}" if self.name else name
        found = self.members.setdefault(name, Node(path))
        if not isinstance(found, Node):
            raise TypeError(path)
        return found

    def constants(self, **values: Any) -> None:
        """Add constants."""
        self.members.update(values)

    def function(self, name: str, call: Callable[..., tuple[Any, ...]], about: str) -> None:
        """Add a function."""
        self.members[name] = Function(call, about)

    def silent(self, about: str, *names: str) -> None:
        """Add functions that do nothing."""
        for name in names:
            self.function(name, _nothing, about)

    def reads(self, name: str, get: Callable[[], Any], about: str) -> None:
        """Add an attribute that can only be read."""
        self.members[name] = Attribute(get, None, about)

    def number(
        self,
        name: str,
        get: Callable[[], float],
        put: Callable[[float], None],
        about: str,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Add a number, with its limits unless `put` has its own."""

        def checked(value: Any) -> None:
            if not isinstance(value, float):
                raise _expected(f"{self.name}.{name}", "a number")
            if limits is not None and value > limits[1]:
                raise CommandError(TOO_BIG, f"Parameter too big: {self.name}.{name} = {value:g}")
            if limits is not None and value < limits[0]:
                raise CommandError(
                    TOO_SMALL, f"Parameter too small: {self.name}.{name} = {value:g}"
                )
            put(value)

        allowed = f"{limits[0]:g} to {limits[1]:g}" if limits else "a number in its ranges"
        self.members[name] = Attribute(get, checked, about, allowed)

    def choice(
        self,
        name: str,
        get: Callable[[], float],
        put: Callable[[int], None],
        about: str,
        allowed: tuple[int, ...] = (0, 1),
    ) -> None:
        """Add a whole number of a few; true and false are 1 and 0."""

        def checked(value: Any) -> None:
            given = float(value) if isinstance(value, bool | float) else None
            if given not in allowed:
                words = ", ".join(map(str, allowed))
                raise _expected(f"{self.name}.{name}", f"one of {words}")
            put(int(given))

        self.members[name] = Attribute(
            lambda: float(get()), checked, about, ", ".join(map(str, allowed))
        )

    def kept(self, name: str, value: float, allowed: tuple[int, ...] = (0, 1)) -> None:
        """Add a choice that is kept and given back, and changes nothing here."""
        held = [float(value)]

        def put(given: int) -> None:
            held[0] = float(given)

        self.choice(name, lambda: held[0], put, "kept; changes nothing here", allowed)


def _nothing(*_arguments: Any) -> tuple[Any, ...]:
    return ()


def _expected(name: str, what: str) -> CommandError:
    return CommandError(INVALID, f"Parameter is invalid: {name} takes {what}")


class Readings(list[float]):
    """Numbers of a buffer, as a script sees them: from 1 on."""


class Buffer(Node):
    """Reading buffer.

    Parameters
    ----------
    name : str
    capacity : int
    """

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        super().__init__(name)
        self.thing = self
        self.readings, self.timestamps, self.sourcevalues = Readings(), Readings(), Readings()
        self.appending, self._capacity, self._first = False, capacity, 0.0
        for one in ("readings", "timestamps", "sourcevalues"):
            self.reads(one, partial(getattr, self, one), "numbers of a buffer")
        self.reads("n", lambda: float(len(self.readings)), "readings in the buffer")
        self.reads("capacity", lambda: float(self._capacity), "readings that it can hold")
        self.reads("basetimestamp", lambda: self._first, "time of the first reading, s")
        self.choice(
            "appendmode",
            lambda: float(self.appending),
            self._append,
            "0: a measurement begins the buffer anew; 1: it goes on",
        )
        for one in ("collecttimestamps", "collectsourcevalues"):
            self.kept(one, 1.0, (1,))
        self.function("clear", self.clear, "empties the buffer")
        self.silent("does nothing here", "clearcache")

    def begin(self) -> None:
        """Make room for a measurement."""
        if not self.appending:
            self.clear()

    def add(self, value: float, reading: ChannelReading) -> None:
        """Add a reading."""
        if len(self.readings) >= self._capacity:
            raise CommandError(RUNTIME, f"TSP Runtime error: buffer {self.name} is full")
        if not self.readings:
            self._first = reading.time
        self.readings.append(value)
        self.timestamps.append(reading.time - self._first)
        self.sourcevalues.append(reading.level)

    def _append(self, value: int) -> None:
        self.appending = bool(value)

    def clear(self) -> tuple[Any, ...]:
        """Forget all."""
        for one in (self.readings, self.timestamps, self.sourcevalues):
            one.clear()
        return ()
