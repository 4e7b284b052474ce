"""Compilation that is told of, and during which signals wait."""

import signal
import time

import numba
import pytest
from numba.core.compiler_lock import global_compiler_lock

from nanogap.runs import compilation
from nanogap.runs.compilation import clock_without_compilation, watched_compilation


class Ended(BaseException):
    pass


@pytest.fixture(params=["SIGTERM", "SIGINT"])
def number(request):
    number = getattr(signal, request.param)

    def end(*_):
        raise Ended

    usual = signal.signal(number, end)
    yield number
    signal.signal(number, usual)


def test_a_signal_waits_for_the_end_of_the_compilation(number):
    done, told = [], []

    def compile_something():
        with global_compiler_lock:
            with global_compiler_lock:
                signal.raise_signal(number)
                signal.raise_signal(number)
            done.append("stored")
        done.append("lost")

    with pytest.raises(Ended), watched_compilation(told.append):
        compile_something()
    assert done == ["stored"]
    assert told == [f"{signal.Signals(number).name}: stops when this function is compiled"]
    with pytest.raises(Ended):  # as before
        signal.raise_signal(number)


def test_a_signal_elsewhere_is_not_held(number):
    with pytest.raises(Ended), watched_compilation():
        signal.raise_signal(number)


def test_a_signal_that_is_ignored_stays_so():
    usual = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with watched_compilation(), global_compiler_lock:
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_a_clock_stands_still_while_there_is_compilation():
    """Else a first run, whose trial compiles for a minute, would be estimated to take hours."""

    def work():
        begun = time.process_time()
        while time.process_time() < begun + 0.2:
            pass

    with clock_without_compilation() as clock:
        begun = clock()
        with global_compiler_lock, global_compiler_lock:
            work()
        assert clock() - begun < 0.1
        work()
        assert 0.2 <= clock() - begun < 0.3


def test_what_is_compiled_is_told_once(monkeypatch):
    monkeypatch.setattr(compilation, "_TOLD", set())
    told = []
    first, second = (numba.njit(lambda x, by=by: x + by) for by in (1, 2))
    with watched_compilation(told.append), watched_compilation(told.append):
        assert first(1) == 2
        assert second(1) == 3
        assert first(1) == 2
    assert told == ["compiling the event loop (about a minute, once per installation)"]
    with watched_compilation(told.append):
        assert first(1) == 2
    assert len(told) == 1
    third = numba.njit(lambda x: x + 3)
    with watched_compilation(told.append):
        assert third(1) == 4
    assert told[1:] == ["compiling what else it needs (seconds, once per installation)"]
