"""Ends from outside: signals, and what to say after them."""

import contextlib
import shlex
import signal
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

#: Commands that go on where they were when they are given once more.
_GO_ON = (
    "resume",
    "sample",
    "reference",
    "transmission",
    "campaign resume",
    "campaign collect",
    "device resume",
)


class Stopped(SystemExit):
    """An end by a signal; what is open is closed on the way, and children are ended.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


def heed_signals() -> None:
    """Turn the signals that end a process into an exception, once; later ones are ignored."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    with contextlib.suppress(ValueError):  # not the main thread
        for number in numbers:
            if signal.getsignal(number) == signal.SIG_DFL:  # nohup has SIGHUP ignored
                signal.signal(number, stop)


def how_to_go_on(arguments: Sequence[str]) -> str:
    """Say which command goes on after an end from outside.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line that was ended.

    Examples
    --------
    >>> how_to_go_on(["run", "quick", "-o", "my run"])
    "what is finished is on disk, and nanogap resume 'my run' goes on"
    >>> how_to_go_on(["reference", "run"])
    'what is finished is on disk, and the same command goes on'
    >>> how_to_go_on(["histogram", "data.csv"])
    'give the same command again'
    """
    words = [word for word in arguments if not word.startswith("-")]
    command = " ".join(words[:2]) if words[:1] in (["campaign"], ["device"]) else "".join(words[:1])
    kept = "what is finished is on disk, and"
    if command in {"run", "campaign run", "device run"}:
        again = command.replace("run", "resume")
        return f"{kept} nanogap {again} {shlex.quote(_output(arguments))} goes on"
    if command in _GO_ON:
        return f"{kept} the same command goes on"
    return "give the same command again"


def _output(arguments: Sequence[str]) -> str:
    """Find the value of ``-o``."""
    for number, word in enumerate(arguments):
        if word in {"-o", "--output"}:
            return "".join(arguments[number + 1 : number + 2])
        if word.startswith("--output="):
            return word.removeprefix("--output=")
        if word.startswith("-o"):
            return word.removeprefix("-o")
    return "DIR"
