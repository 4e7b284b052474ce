"""A virtual Keithley 4200-SCS under external control (KXCI, 4200A-901-01 section 9).

Over Ethernet every message is answered: with what it asks for, else with ``ACK``, or with the
error. The words of the errors are those of this program; those of the real one are not known to it.
"""

import re
from collections.abc import Callable

from nanogap.electrical.segments import Quantity
from nanogap.instruments.channel import Bench
from nanogap.instruments.datasheet import Range
from nanogap.instruments.faults import CommandError, ErrorQueue
from nanogap.instruments.kxci_pages import (
    ILLEGAL,
    OUT_OF_RANGE,
    UNKNOWN,
    Pages,
    Run,
    held_limit,
    status,
)

#: Commands, the page that they belong to (blank: any), and what they do.
COMMANDS = {
    "US": ("", "user mode"),
    "DE": ("", "page of the channel definitions"),
    "SS": ("", "page of the sources"),
    "SM": ("", "page of the measurement"),
    "MD": ("", "page of the measurement control"),
    "ID": ("", "identity"),
    "*IDN?": ("", "identity"),
    "*OPT?": ("", "units that are there"),
    "*RST": ("", "the defaults, outputs off"),
    "SP": ("", "status byte: 1 data ready, 2 syntax error, 64 service requested"),
    "BC": ("", "empties the buffer"),
    "DR": ("", "1: data ready requests service, 0: not"),
    "IT": ("", "integration: 1 short (0.1 periods), 2 medium (1), 3 long (10)"),
    "RS": ("", "digits of a reading, 3 to 7; 5 at first"),
    "EM": ("", "kept: 4145 or 4200 emulation"),
    "EC": ("", "kept: whether a limit ends a test"),
    ":ERROR:LAST:GET": ("", "the last error, empty if there is none"),
    ":ERROR:LAST:CLEAR": ("", "forgets it"),
    "DV": ("US", "channel, range, voltage, current limit: on; channel: off"),
    "DI": ("US", "channel, range, current, voltage limit: on; channel: off"),
    "TV": ("US", "measures the voltage of a channel"),
    "TI": ("US", "measures the current of a channel"),
    "RI": ("US", "channel, current, limit: fixes the range of the meter"),
    "RV": ("US", "channel, voltage, limit: fixes the range of the meter"),
    "CH": ("DE", "channel, name of the voltage, name of the current, source, function"),
    "VR": ("SS", "VAR1, voltage: kind, start, stop, step, limit"),
    "IR": ("SS", "VAR1, current: kind, start, stop, step, limit"),
    "VP": ("SS", "VAR2, voltage: start, step, number, limit"),
    "IP": ("SS", "VAR2, current: start, step, number, limit"),
    "VC": ("SS", "constant voltage: channel, level, limit"),
    "IC": ("SS", "constant current: channel, level, limit"),
    "HT": ("SS", "hold time before the first point, s"),
    "DT": ("SS", "delay before every point, s"),
    "ST": ("SS", "kept: standby"),
    "WT": ("SM", "wait before the first reading without VAR1, s"),
    "IN": ("SM", "interval of readings without VAR1, s"),
    "NR": ("SM", "readings without VAR1"),
    "DM": ("SM", "does nothing: display"),
    "LI": ("SM", "does nothing: list"),
    "XN": ("SM", "does nothing: graph"),
    "XT": ("SM", "does nothing: graph"),
    "YA": ("SM", "does nothing: graph"),
    "YB": ("SM", "does nothing: graph"),
    "ME": ("MD", "1: measures anew, 3: goes on, 4: stops"),
    "DO": ("", "all readings of a name; of 'CH1T' its times"),
    "RD": ("", "one reading of a name, by its number; 0 if there is none yet"),
}
_NPLC = {1: 0.1, 2: 1.0, 3: 10.0}
#: Source ranges by their codes, V and A; those of a preamplifier or another unit are not had.
_RANGES: dict[str, dict[int, float]] = {
    "voltage": {1: 20.0, 2: 200.0, 3: 200.0},
    "current": {3: 1e-7, 4: 1e-6, 5: 1e-5, 6: 1e-4, 7: 1e-3, 8: 1e-2, 9: 1e-1},
}
_DATA_READY, _SYNTAX, _SERVICE = 1, 2, 64
_LETTERS = {"voltage": "V", "current": "I"}
_COMMAND = re.compile(r"(:ERROR:LAST:(?:GET|CLEAR)|\*[A-Z]+\??|[A-Z]{2})\s*(.*)", re.ASCII)
_LONGEST_ANSWER = 8_000_000


class Keithley4200:
    r"""A virtual 4200-SCS with two units.

    Parameters
    ----------
    bench : Bench
        With the channels ``SMU1`` and ``SMU2``.

    Attributes
    ----------
    bench : Bench
    errors : ErrorQueue

    Examples
    --------
    >>> from nanogap.instruments.datasheet import data_sheet
    >>> from nanogap.instruments.loads import load_named
    >>> sheet = data_sheet("keithley-4200")
    >>> loads = {"SMU1": load_named("resistor:1000", 1e4), "SMU2": load_named("open", 1e4)}
    >>> unit = Keithley4200(Bench(sheet, loads, seed=1))
    >>> unit.handle(b"US;DV1,0,0.5,0.01")
    b'ACK\x00'
    >>> unit.handle(b"US;TV1")[:3]
    b'NAV'
    """

    terminators = b"\0\n"
    longest = 16_384

    def __init__(self, bench: Bench) -> None:
        self.bench, self.errors = bench, ErrorQueue()
        self._pages, self._page = Pages(), ""
        self._status, self._service, self._digits = 0, False, 5
        self._last = ""
        self._calls: dict[str, Callable[[list[str | float]], str | None]] = {
            "ID": lambda _: self.bench.sheet.identity,
            "*IDN?": lambda _: self.bench.sheet.identity,
            "*OPT?": lambda _: ",".join(self.bench.channels),
            "*RST": self._reset,
            "SP": self._serial_poll,
            "BC": self._clear_buffer,
            "DR": self._data_ready_service,
            "IT": self._integration,
            "RS": self._resolution,
            ":ERROR:LAST:GET": lambda _: self._last,
            ":ERROR:LAST:CLEAR": self._clear_error,
            "DV": lambda words: self._direct("voltage", words),
            "DI": lambda words: self._direct("current", words),
            "TV": lambda words: self._trigger("voltage", words),
            "TI": lambda words: self._trigger("current", words),
            "RV": lambda words: self._meter_range("voltage", words),
            "RI": lambda words: self._meter_range("current", words),
            "CH": lambda words: self._pages.define(self._channel(words), words[1:]),
            "VR": lambda words: self._sweep("voltage", words),
            "IR": lambda words: self._sweep("current", words),
            "VP": lambda words: self._pages.steps("voltage", _numbers(words)),
            "IP": lambda words: self._pages.steps("current", _numbers(words)),
            "VC": lambda words: self._constant("voltage", words),
            "IC": lambda words: self._constant("current", words),
            "HT": lambda words: self._time("hold", words, 655.3),
            "DT": lambda words: self._time("delay", words, 6.553),
            "WT": lambda words: self._time("wait", words, 100.0),
            "IN": lambda words: self._time("interval", words, 10.0),
            "NR": self._number_of_readings,
            "ME": self._measure,
            "DO": self._all_readings,
            "RD": self._one_reading,
        }
        self._reset([])

    def handle(self, message: bytes) -> bytes:
        """Carry out one message.

        Parameters
        ----------
        message : bytes
            Commands with semicolons between them, without its end.

        Returns
        -------
        bytes
            The answer, with a NUL at its end.
        """
        text = message.decode("latin-1").strip("\r\n\t ")
        if not text:
            return b""
        answer = "ACK"
        try:
            for part in text.split(";"):
                if part.strip():
                    found = self._command(part.strip())
                    answer = answer if found is None else found
        except CommandError as fault:
            return self.complain(fault)
        return self._ended(answer)

    def forget(self) -> None:
        """Do nothing: a message is whole or it is not carried out."""

    def complain(self, fault: CommandError) -> bytes:
        """Put an error into the queue, and return it as an answer."""
        self.errors.put(fault)
        self._status |= _SYNTAX
        self._last = f"{fault.code}, ERROR: {fault}"
        return self._ended(self._last)

    @staticmethod
    def _ended(answer: str) -> bytes:
        return answer.encode("latin-1", "replace") + b"\0"

    def _command(self, text: str) -> str | None:
        """Carry out one command."""
        match = _COMMAND.fullmatch(text)
        if match is None or match[1] not in COMMANDS:
            raise CommandError(UNKNOWN, f"Undefined header: {text[:40]}")
        word, page = match[1], COMMANDS[match[1]][0]
        words = _words(match[2])
        if word in {"US", "DE", "SS", "SM", "MD"} and not words:
            self._page = word
            return None
        if page and page != self._page:
            raise CommandError(UNKNOWN, f"{word} belongs to the page {page}, not to {self._page}")
        call = self._calls.get(word)
        return call(words) if call else None  # the others do nothing here

    def _reset(self, _words: list[str | float]) -> None:
        self._pages, self._page, self._digits = Pages(), "", 5
        for channel in self.bench.channels.values():
            channel.reset(self.bench.time)
            channel.set.limit = {"voltage": 20.0, "current": 0.1}
        self._status, self._service = 0, False

    def _serial_poll(self, _words: list[str | float]) -> str:
        status = self._status
        if self._service and status & _DATA_READY:
            status |= _SERVICE
        self._status &= ~_SYNTAX
        return str(status)

    def _clear_buffer(self, _words: list[str | float]) -> None:
        self._pages.forget_data()
        self._status &= ~_DATA_READY

    def _clear_error(self, _words: list[str | float]) -> None:
        self._last = ""

    def _data_ready_service(self, words: list[str | float]) -> None:
        self._service = bool(_choice("DR", words, (0, 1)))

    def _integration(self, words: list[str | float]) -> None:
        nplc = _NPLC[_choice("IT", words, (1, 2, 3))]
        for channel in self.bench.channels.values():
            channel.set.nplc = nplc

    def _resolution(self, words: list[str | float]) -> None:
        self._digits = _choice("RS", words, (3, 4, 5, 6, 7))

    def _channel(self, words: list[str | float]) -> str:
        """Return the name of the channel that is the first word."""
        number = words[0] if words else None
        name = f"SMU{number:g}" if isinstance(number, float) else ""
        if name not in self.bench.channels:
            raise CommandError(OUT_OF_RANGE, f"there is {' and '.join(self.bench.channels)}")
        return name

    def _direct(self, quantity: Quantity, words: list[str | float]) -> None:
        """Set a level, or switch off."""
        channel, numbers = self.bench.channels[self._channel(words)], _numbers(words[1:])
        if not numbers:
            channel.set_output(False, self.bench.time)
            return
        if len(numbers) != 3:
            raise CommandError(ILLEGAL, "a channel, a range, a level and a limit are expected")
        code, level, limit = numbers
        fixed: Range | None = None
        if code != 0.0:
            size = _RANGES[quantity].get(int(code)) if code.is_integer() else None
            if size is None:
                raise CommandError(
                    OUT_OF_RANGE, f"range {code:g} is not had: this unit has no preamplifier"
                )
            fixed = self.bench.sheet.range_for(quantity, size)
        held = held_limit(channel, quantity, limit)
        channel.drive(quantity, level, held, fixed, self.bench.time)

    def _trigger(self, quantity: Quantity, words: list[str | float]) -> str:
        """Measure at once."""
        name = self._channel(words)
        readings = self.bench.measure([name, *(one for one in self.bench.channels if one != name)])
        letter = chr(ord("A") + list(self.bench.channels).index(name))
        value = readings[0].of(quantity)
        state = status(value, readings[0], readings)
        return f"{state}{letter}{_LETTERS[quantity]}{self._shown(value)}"

    def _meter_range(self, quantity: Quantity, words: list[str | float]) -> None:
        channel, numbers = self.bench.channels[self._channel(words)], _numbers(words[1:])
        if len(numbers) not in {1, 2}:
            raise CommandError(ILLEGAL, "a channel, a range and a limit are expected")
        channel.set_range(channel.set.meter, quantity, numbers[0])

    def _sweep(self, quantity: Quantity, words: list[str | float]) -> None:
        numbers = _numbers(words)
        if not (numbers and numbers[0].is_integer()):
            raise CommandError(ILLEGAL, "the kind of a sweep is 1 (linear) to 4")
        self._pages.sweep(quantity, int(numbers[0]), numbers[1:])

    def _constant(self, quantity: Quantity, words: list[str | float]) -> None:
        self._pages.constant(self._channel(words), quantity, _numbers(words[1:]))

    def _time(self, name: str, words: list[str | float], longest: float) -> None:
        numbers = _numbers(words)
        if len(numbers) != 1 or not 0.0 <= numbers[0] <= longest:
            raise CommandError(OUT_OF_RANGE, f"the {name} time is from 0 to {longest:g} s")
        setattr(self._pages, name, numbers[0])

    def _number_of_readings(self, words: list[str | float]) -> None:
        self._pages.number = _choice("NR", words, range(1, 4097))

    def _measure(self, words: list[str | float]) -> None:
        kind = _choice("ME", words, (1, 3, 4))
        if kind == 4:  # a measurement is done when its command is
            return
        if kind == 1:
            self._pages.forget_data()
        self._status &= ~_DATA_READY
        Run(self.bench, self._pages).run()
        self._status |= _DATA_READY

    def _named(self, words: list[str | float]) -> str:
        if not (words and isinstance(words[0], str)):
            raise CommandError(ILLEGAL, "a name in quotes is expected")
        return words[0]

    def _all_readings(self, words: list[str | float]) -> str:
        name = self._named(words)
        times = re.fullmatch(r"CH(\d)T", name)
        if times and f"SMU{times[1]}" in self._pages.times:
            return ",".join(f"{one:.6E}" for one in self._pages.times[f"SMU{times[1]}"])
        if name not in self._pages.data:
            raise CommandError(ILLEGAL, f"there are no data of the name {name[:40]}")
        self._status &= ~_DATA_READY
        return ",".join(f"{one}{self._shown(value)}" for one, value in self._pages.data[name])

    def _one_reading(self, words: list[str | float]) -> str:
        found, numbers = self._pages.data.get(self._named(words), []), _numbers(words[1:])
        if len(numbers) != 1 or not numbers[0].is_integer() or numbers[0] < 1:
            raise CommandError(ILLEGAL, "a name and a number from 1 are expected")
        place = int(numbers[0])
        return self._shown(found[place - 1][1]) if place <= len(found) else "0"

    def _shown(self, value: float) -> str:
        return f"{value:+.{self._digits - 1}E}"


def _words(text: str) -> list[str | float]:
    """Return what follows a command: texts in quotes, and numbers."""
    found: list[str | float] = []
    for part in text.split(",") if text.strip() else []:
        word = part.strip()
        if len(word) >= 2 and word[0] == word[-1] == "'":
            found.append(word[1:-1])
            continue
        try:
            number = float(word)
        except ValueError:
            raise CommandError(ILLEGAL, f"{word[:40]} is no number") from None
        if not abs(number) < 1e30:  # and no NaN
            raise CommandError(OUT_OF_RANGE, f"{word[:40]} is out of range")
        found.append(number)
    return found


def _numbers(words: list[str | float]) -> list[float]:
    """Refuse texts where numbers are expected."""
    numbers = [one for one in words if isinstance(one, float)]
    if len(numbers) < len(words):
        raise CommandError(ILLEGAL, "numbers are expected")
    return numbers


def _choice(name: str, words: list[str | float], allowed: tuple[int, ...] | range) -> int:
    numbers = _numbers(words)
    if len(numbers) != 1 or numbers[0] not in allowed:
        most = ", ".join(map(str, allowed)) if len(allowed) < 8 else f"1 to {allowed[-1]}"
        raise CommandError(OUT_OF_RANGE, f"{name} takes {most}")
    return int(numbers[0])
