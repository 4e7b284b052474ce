"""A virtual Keithley 2614B: the messages that drivers send, answered as the unit answers them."""

import struct
from collections.abc import Callable
from typing import Any

from nanogap.instruments.channel import Bench
from nanogap.instruments.faults import CommandError, ErrorQueue
from nanogap.instruments.tsp_channel import TspChannel
from nanogap.instruments.tsp_grammar import SYNTAX, parse
from nanogap.instruments.tsp_interpreter import Interpreter
from nanogap.instruments.tsp_objects import INVALID, RUNTIME, Buffer, Function, Node, Readings
from nanogap.instruments.tsp_sweeps import COMMAND_EVENT, Trigger, add_factory_sweeps

#: Severity of an error that can be recovered, and the node of a unit by itself.
_RECOVERABLE, _NODE = 10.0, 1.0
#: Longest script, bytes, and longest answer to one message, bytes.
_LONGEST_SCRIPT, _LONGEST_ANSWER = 1_000_000, 8_000_000
_ASCII, _REAL32, _REAL64 = 1, 2, 3
_BLENDERS = 6

#: Commands of IEEE 488.2, and what they do.
COMMON = {
    "*IDN?": "maker, model, serial number, firmware",
    "*RST": "the defaults, outputs off",
    "*CLS": "empties the error queue",
    "*OPC": "sets bit 0 of the event register",
    "*OPC?": "1",
    "*ESR?": "event register, which is cleared: 32 after an error of syntax, 16 after another",
    "*ESE": "kept",
    "*ESE?": "what is kept",
    "*SRE": "kept",
    "*SRE?": "what is kept",
    "*STB?": "4: there is an error in the queue",
    "*TRG": "the event that a sweep may wait for",
    "*TST?": "0",
    "*WAI": "nothing: a command is done before the next",
}


class Keithley2614B:
    r"""A virtual 2614B.

    Parameters
    ----------
    bench : Bench
        With the channels ``smua`` and ``smub``.

    Attributes
    ----------
    bench : Bench
    errors : ErrorQueue
    root : Node
        All names that are understood.

    Examples
    --------
    >>> from nanogap.instruments.datasheet import data_sheet
    >>> from nanogap.instruments.loads import load_named
    >>> sheet = data_sheet("keithley-2614b")
    >>> loads = {"smua": load_named("resistor", 1e4), "smub": load_named("open", 1e4)}
    >>> unit = Keithley2614B(Bench(sheet, loads))
    >>> unit.handle(b"smua.source.levelv = 0.5 print(smua.source.levelv)")
    b'5.00000e-01\n'
    """

    terminators = b"\n"
    longest = 65_536

    def __init__(self, bench: Bench) -> None:
        self.bench, self.errors = bench, ErrorQueue()
        self.root = Node("")
        self.channels = {
            name: TspChannel(bench, name, self.root.node(name)) for name in bench.channels
        }
        self._interpreter = Interpreter(self.root, self.complain)
        self._answer = bytearray()
        self._script: list[str] | None = None
        self._script_length = 0
        self._begun: list[Callable[[], None]] = []
        self._waiting: list[Callable[[], None]] = []
        self._format = {"data": _ASCII, "byteorder": 1, "asciiprecision": 6}
        self._event, self._kept = 0, {"*ESE": 0, "*SRE": 0}
        self._timer = 0.0
        self._common_calls: dict[str, Callable[[], object]] = {
            "*IDN?": lambda: self._say(self.bench.sheet.identity),
            "*RST": self._reset,
            "*CLS": self._clear_status,
            "*OPC": self._opc,
            "*OPC?": lambda: self._say("1"),
            "*ESR?": self._say_event,
            "*STB?": lambda: self._say(str(4 if len(self.errors) else 0)),
            "*TRG": self._trigger,
            "*TST?": lambda: self._say("0"),
            "*WAI": tuple,
        }
        add_factory_sweeps(self.root)
        for channel in self.channels.values():
            Trigger(channel, self._ready)
        self._add_system()
        self._add_status()
        self._add_display()

    def handle(self, message: bytes) -> bytes:
        """Carry out one line.

        Parameters
        ----------
        message : bytes
            Without its end.

        Returns
        -------
        bytes
            The answer; empty where there is none.
        """
        self._answer = bytearray()
        text = message.decode("latin-1").strip("\r\n\t ")
        try:
            self._line(text)
        except CommandError as fault:
            self.complain(fault)
        return bytes(self._answer)

    def forget(self) -> None:
        """Forget the half of a script."""
        self._script = None

    def complain(self, fault: CommandError) -> bytes:
        """Put an error into the queue."""
        self._event |= 32 if fault.code == SYNTAX else 16
        self.errors.put(fault)
        return b""

    def _line(self, text: str) -> None:
        """Carry out a line, or collect it for a script."""
        word = next(iter(text.split(maxsplit=1)), "")  # there may be control characters alone
        if word in {"loadscript", "loadandrunscript"}:
            if text != "loadandrunscript":
                raise CommandError(SYNTAX, "only scripts that run at once, without a name, are had")
            self._script, self._script_length = [], 0
        elif self._script is not None:
            if word == "endscript":
                script, self._script = "\n".join(self._script), None
                self._finish_sweeps()
                self._interpreter.run(parse(script))
                return
            self._script.append(text)
            self._script_length += len(text) + 1
            if self._script_length > _LONGEST_SCRIPT:
                self._script = None
                raise CommandError(-363, "Input buffer over-run: the script is too long")
        elif text.startswith("*"):
            self._common(text.upper())
        elif text:
            statements = parse(text)
            if "sweeping" not in text:  # whoever asks whether a sweep goes on is told that it does
                self._finish_sweeps()
            self._interpreter.run(statements)

    def _common(self, text: str) -> None:
        """Carry out a command of IEEE 488.2."""
        word, _, argument = text.partition(" ")
        if word not in COMMON or (argument and word not in self._kept):
            raise CommandError(SYNTAX, f"TSP Syntax error: {text} is not known")
        if word in self._kept:
            if not (argument.isdecimal() and int(argument) < 256):
                raise CommandError(INVALID, f"Parameter is invalid: {word} takes 0 to 255")
            self._kept[word] = int(argument)
        elif word.removesuffix("?") in self._kept:
            self._say(str(self._kept[word.removesuffix("?")]))
        else:
            self._finish_sweeps()
            self._common_calls[word]()

    def _trigger(self) -> None:
        """Begin the sweeps that wait for it."""
        self._begun, self._waiting = [*self._begun, *self._waiting], []

    def _clear_status(self) -> None:
        self.errors.clear()
        self._event = 0

    def _say_event(self) -> None:
        """Answer with the event register, and clear it."""
        self._say(str(self._event))
        self._event = 0

    def _ready(self, sweep: Callable[[], None], waits: bool) -> None:
        (self._waiting if waits else self._begun).append(sweep)

    def _finish_sweeps(self) -> None:
        """Carry out the sweeps that have begun: before anything else can be seen of them."""
        begun, self._begun = self._begun, []
        for sweep in begun:
            sweep()

    def _sweeping(self) -> float:
        """Say whether a sweep goes on, then let it come to its end."""
        going = 6.0 if len(self._begun) > 1 else 2.0 * bool(self._begun)
        self._finish_sweeps()
        return going

    def _reset(self) -> tuple[Any, ...]:
        self._begun, self._waiting = [], []
        for channel in self.channels.values():
            channel.reset()
        self._format.update(data=_ASCII, byteorder=1, asciiprecision=6)
        return ()

    def _say(self, text: str) -> None:
        self._send(text.encode("latin-1", "replace") + b"\n")

    def _send(self, content: bytes) -> None:
        if len(self._answer) + len(content) > _LONGEST_ANSWER:
            raise CommandError(RUNTIME, "TSP Runtime error: the answer is too long")
        self._answer += content

    def _shown(self, value: Any) -> str:
        """Return a value as print shows it."""
        if value is None:
            return "nil"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return f"{value:.{self._format['asciiprecision'] - 1}e}"
        if isinstance(value, str):
            return value
        return f"{'function' if isinstance(value, Function) else 'table'}: 0x0"

    def _print(self, *values: Any) -> tuple[Any, ...]:
        self._say("\t".join(map(self._shown, values)))
        return ()

    def _print_buffer(self, first: Any, last: Any, *given: Any) -> tuple[Any, ...]:
        """Print numbers of buffers, one after the other of each."""
        columns = [one.readings if isinstance(one, Buffer) else one for one in given]
        if not columns or not all(isinstance(one, Readings) for one in columns):
            raise CommandError(INVALID, "Parameter is invalid: printbuffer takes buffers")
        if not (isinstance(first, float) and isinstance(last, float) and 1 <= first <= last):
            raise CommandError(INVALID, "Parameter is invalid: printbuffer counts from 1")
        rows = zip(*(one[int(first) - 1 : int(last)] for one in columns), strict=False)
        numbers = [value for row in rows for value in row]
        kind = self._format["data"]
        if kind == _ASCII:
            self._say(", ".join(map(self._shown, numbers)))
            return ()
        order = "<" if self._format["byteorder"] else ">"
        letter = "f" if kind == _REAL32 else "d"
        self._send(b"#0" + struct.pack(f"{order}{len(numbers)}{letter}", *numbers) + b"\n")
        return ()

    def _add_system(self) -> None:
        """Add the names that belong to no channel."""
        root = self.root
        root.function("print", self._print, "answers with the values, tabs between them")
        root.function("printbuffer", self._print_buffer, "answers with numbers of buffers")
        root.function("delay", self._delay, "lets so many seconds pass")
        root.function("reset", self._reset, "the defaults, outputs off")
        root.function("opc", self._opc, "sets bit 0 of the event register")
        root.silent("nothing: a command is done before the next", "waitcomplete", "collectgarbage")
        queue = root.node("errorqueue")
        queue.function("next", self._next_error, "code, message, severity, node")
        queue.function("clear", self._clear_errors, "empties the queue")
        queue.reads("count", lambda: float(len(self.errors)), "errors in the queue")
        local = root.node("localnode")
        parts = [one.strip() for one in self.bench.sheet.identity.split(",")]
        local.reads("model", lambda: parts[1].removeprefix("Model "), "model")
        local.reads("serialno", lambda: parts[2], "serial number")
        local.reads("revision", lambda: parts[3], "firmware")
        local.reads("linefreq", lambda: self.bench.sheet.line_frequency, "mains, Hz")
        local.kept("prompts", 0.0, (0,))
        local.kept("showerrors", 0.0, (0,))
        timer = root.node("timer")
        timer.function("reset", self._reset_timer, "sets the timer to zero")
        timer.node("measure").function(
            "t", lambda: (self.bench.time - self._timer,), "time of the timer, s"
        )
        beeper = root.node("beeper")
        beeper.kept("enable", 1.0)
        beeper.silent("does nothing here", "beep")
        form = root.node("format")
        form.constants(ASCII=1.0, SREAL=2.0, REAL32=2.0, REAL=3.0, REAL64=3.0, DREAL=3.0)
        form.constants(NORMAL=0.0, NETWORK=0.0, BIGENDIAN=0.0, SWAPPED=1.0, LITTLEENDIAN=1.0)
        form.choice(
            "data",
            lambda: self._format["data"],
            lambda value: self._format.update(data=value),
            "printbuffer in text, or in binary numbers of 32 or 64 bits",
            (1, 2, 3),
        )
        form.choice(
            "byteorder",
            lambda: self._format["byteorder"],
            lambda value: self._format.update(byteorder=value),
            "of binary numbers: 1: the lowest byte first",
        )
        form.choice(
            "asciiprecision",
            lambda: self._format["asciiprecision"],
            lambda value: self._format.update(asciiprecision=value),
            "digits of numbers in text",
            tuple(range(1, 17)),
        )

    def _add_status(self) -> None:
        """Add registers, and the event blenders of the trigger model."""
        root = self.root
        status = root.node("status")
        status.reads("condition", lambda: float(4 if len(self.errors) else 0), "as *STB? answers")
        status.function("reset", tuple, "does nothing here")
        status.node("operation").node("sweeping").reads(
            "condition", self._sweeping, "2: a sweep goes on, 6: on both channels"
        )
        measured = status.node("measurement").node("instrument")
        for name, channel in self.channels.items():
            measured.node(name).reads(
                "condition", channel.condition, "1: at the limit of the voltage, 2: of the current"
            )
        trigger = root.node("trigger")
        trigger.constants(EVENT_ID=COMMAND_EVENT)
        for number in range(1, _BLENDERS + 1):
            blender = trigger.node("blender").node(str(number))
            blender.constants(EVENT_ID=COMMAND_EVENT + number)
            blender.kept("orenable", 0.0)
            for input_number in range(1, 5):
                blender.node("stimulus").kept(str(input_number), 0.0, tuple(range(61)))

    def _add_display(self) -> None:
        """Add what drivers send to the display, which does nothing."""
        display = self.root.node("display")
        display.silent("does nothing here", "clear", "settext", "setcursor", "sendkey")
        display.constants(SMUA=0.0, SMUB=1.0, SMUA_SMUB=2.0, USER=3.0)
        display.constants(MEASURE_DCAMPS=0.0, MEASURE_DCVOLTS=1.0, MEASURE_OHMS=2.0)
        display.kept("screen", 2.0, (0, 1, 2, 3))
        for name in self.channels:
            display.node(name).node("measure").kept("func", 1.0, (0, 1, 2, 3))
            display.node(name).kept("digits", 5.0, (4, 5, 6))

    def _delay(self, seconds: Any) -> tuple[Any, ...]:
        if not isinstance(seconds, float) or seconds < 0.0:
            raise CommandError(INVALID, "Parameter is invalid: delay takes seconds")
        self.bench.wait(seconds)
        return ()

    def _opc(self) -> tuple[Any, ...]:
        self._event |= 1
        return ()

    def _next_error(self) -> tuple[Any, ...]:
        fault = self.errors.next()
        severity = _RECOVERABLE if fault.code else 0.0
        return float(fault.code), fault.message, severity, _NODE

    def _clear_errors(self) -> tuple[Any, ...]:
        self.errors.clear()
        return ()

    def _reset_timer(self) -> tuple[Any, ...]:
        self._timer = self.bench.time
        return ()
