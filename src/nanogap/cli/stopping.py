"""Ends from outside: signals, and what to say after them."""

import contextlib
import shlex
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

#: Commands that go on where they were when they are given once more.
_GO_ON = (
    "resume",
    "sample",
    "reference",
    "fit-hamiltonian",
    "campaign resume",
    "campaign collect",
    "device resume",
    "wire resume",
    "measure",
)
#: The backend whose transmissions go on where they were.
_RESTARTABLE = "pwcond"
#: What says that the folder of a command holds something to go on with.
_MEASURED = "measure.json"
_BEGUN = {
    "run": "run.json",
    "campaign run": "campaign.toml",
    "device run": "device.json",
    "wire run": "wire.json",
}


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


@contextlib.contextmanager
def first_interrupt() -> Iterator[None]:
    """Let the first Ctrl-C end what is within, and let those that follow not disturb that end.

    On the way out outputs are switched off and threads are waited for. Later ones are ignored to
    the end of the process: its interpreter, too, would end with a traceback of its threads.
    """
    number = signal.SIGINT

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    usual = signal.getsignal(number)
    # a job in the background of a shell has it ignored
    heeded = usual == signal.default_int_handler
    heeded = heeded and threading.current_thread() is threading.main_thread()
    if heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if heeded and signal.getsignal(number) == stop:
            signal.signal(number, usual)


def how_to_go_on(arguments: Sequence[str]) -> str:
    """Say which command goes on after an end from outside.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line that was ended.

    Examples
    --------
    >>> how_to_go_on(["run", "quick", "-o", "my run"])  # nothing was made yet
    'give the same command again'
    >>> how_to_go_on(["reference", "run"])
    'what is finished is on disk, and the same command goes on'
    >>> how_to_go_on(["histogram", "data.csv"])
    'give the same command again'
    """
    words = [word for word in arguments if not word.startswith("-")]
    command = (
        " ".join(words[:2])
        if words[:1] in (["campaign"], ["device"], ["wire"])
        else "".join(words[:1])
    )
    kept = "what is finished is on disk, and"
    if command in _BEGUN:
        folder = Path(_output(arguments))
        if not (folder / _BEGUN[command]).is_file():
            return "give the same command again"  # ended before there was anything to go on with
        again = command.replace("run", "resume")
        return f"{kept} nanogap {again} {shlex.quote(str(folder))} goes on"
    nothing_yet = command == "measure" and not (Path(_output(arguments)) / _MEASURED).is_file()
    if "--check" in arguments or nothing_yet:
        return "give the same command again"
    if command in _GO_ON or (command == "transmission" and _RESTARTABLE in _values(arguments)):
        return f"{kept} the same command goes on"
    return "give the same command again"


def _values(arguments: Sequence[str]) -> set[str]:
    """Words of a command line, and what follows an equals sign."""
    return {word.partition("=")[2] or word for word in arguments}


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
