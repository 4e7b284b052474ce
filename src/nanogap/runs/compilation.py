"""Compilation by numba that can be seen and stopped.

On a first run the event loop is compiled for a minute. An exception that a signal raises meanwhile
is lost, or leaves numba half-way: LLVM calls back into Python, where exceptions are ignored. So
signals wait for the end of the function that is being compiled, which is then stored as usual.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from numba.core import event as events

#: Signals that end a process in an orderly way.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
#: Time between two sentences, s.
_PAUSE = 30.0
_UNDER_WAY: list["_Watched"] = []
#: Filled when it was said that the event loop is compiled.
_TOLD: set[bool] = set()


@contextmanager
def watched_compilation(tell: Callable[[str], object] | None = None) -> Iterator[None]:
    """Let signals wait while a function is compiled, and say that it takes its time.

    Within another one this does nothing.

    Parameters
    ----------
    tell : callable, optional
        Called with a sentence when the first function is compiled, now and then while that goes
        on, and when a signal waits.

    Examples
    --------
    >>> with watched_compilation():
    ...     pass
    """
    if _UNDER_WAY:
        yield
        return
    watched = _Watched(tell or _silent)
    _UNDER_WAY.append(watched)
    ticking = threading.Thread(target=watched.tick, daemon=True)
    ticking.start()
    try:
        with (
            events.install_listener("numba:compiler_lock", watched),
            events.install_listener("numba:compile", watched.first),
        ):
            yield
    finally:
        _UNDER_WAY.clear()
        watched.over.set()


@contextmanager
def clock_without_compilation() -> Iterator[Callable[[], float]]:
    """Give a clock of the processor time that stands still while the main thread compiles, s."""
    passed = _Passed()
    with events.install_listener("numba:compiler_lock", passed):
        yield lambda: time.process_time() - passed.seconds


class _Outermost(events.Listener):  # type: ignore[misc]
    """Hears when the main thread begins and ends to compile; not functions within others."""

    def __init__(self) -> None:
        self.depth = 0

    def on_start(self, _event: events.Event) -> None:
        """Begin with the outermost function."""
        if threading.current_thread() is threading.main_thread():
            self.depth += 1
            if self.depth == 1:
                self.begin()

    def on_end(self, _event: events.Event) -> None:
        """End with the outermost function."""
        if threading.current_thread() is threading.main_thread() and self.depth:
            self.depth -= 1
            if not self.depth:
                self.end()

    def begin(self) -> None:
        """Do what is to be done before."""

    def end(self) -> None:
        """Do what is to be done after."""


class _Passed(_Outermost):
    """Adds up the processor time of compilations."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self._begun = 0.0, 0.0

    def begin(self) -> None:
        """Note when one begins."""
        self._begun = time.process_time()

    def end(self) -> None:
        """Add it."""
        self.seconds += time.process_time() - self._begun


class _Watched(_Outermost):
    """Holds signals while numba's lock of the compiler is held by the main thread."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__()
        self._tell = tell
        self._held: dict[int, Any] = {}
        self._pending: list[int] = []
        self._begun = 0.0
        self.first = _First(self.told)
        self.over = threading.Event()

    def begin(self) -> None:
        """Hold signals."""
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            usual = signal.getsignal(number)
            if usual is not None and usual != signal.SIG_IGN:
                self._held[number] = usual
                signal.signal(number, self._wait)

    def end(self) -> None:
        """Let go of signals, and do what one asked for."""
        for number, usual in self._held.items():
            signal.signal(number, usual)
        self._held.clear()
        pending, self._pending = self._pending, []
        for number in pending[:1]:
            signal.raise_signal(number)

    def _wait(self, number: int, _frame: FrameType | None) -> None:
        """Take note of a signal."""
        if not self._pending:
            self._tell(f"{signal.Signals(number).name}: stops when this function is compiled")
        self._pending.append(number)

    def told(self) -> None:
        """Say once that there is something to compile."""
        if not self._begun:
            self._begun = time.monotonic()
            again = "what else it needs (seconds" if _TOLD else "the event loop (about a minute"
            _TOLD.add(True)
            self._tell(f"compiling {again}, once per installation)")

    def tick(self) -> None:
        """Say now and then that it goes on."""
        while not self.over.wait(_PAUSE):
            if self.depth and self._begun:
                passed = time.monotonic() - self._begun
                with contextlib.suppress(Exception):  # a closed stream is no reason to stop
                    self._tell(f"still compiling, {passed:.0f} s so far")


class _First(events.Listener):  # type: ignore[misc]
    """Tells of every function that is compiled, not loaded."""

    def __init__(self, told: Callable[[], object]) -> None:
        self._told = told

    def on_start(self, _event: events.Event) -> None:
        """Tell."""
        self._told()

    def on_end(self, _event: events.Event) -> None:
        """Do nothing."""


def _silent(_sentence: str) -> None:
    """Tell nobody."""
