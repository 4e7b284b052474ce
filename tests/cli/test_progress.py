"""Progress as a terminal and as a log show it: nothing is called done that is not."""

import io

import pytest
from rich.console import Console

from nanogap.cli import common
from nanogap.runs.driver import Progress


@pytest.fixture
def shown(monkeypatch):
    """Text that goes to stderr, where that is no terminal, a line at every call."""
    clock = iter(range(0, 10**6, 31))
    monkeypatch.setattr(common.time, "monotonic", lambda: float(next(clock)))
    out = io.StringIO()
    monkeypatch.setattr(common, "log", Console(file=out, width=200))
    return out


def test_no_time_is_left_out_while_spectra_are_computed(shown):
    """All steps and snapshots are done, but not the spectra: nothing says "about 0 s left"."""
    with common.show_progress() as watch:
        watch(Progress("Dynamics and transport", 500, 1000, 5, 10))
        watch(Progress("Dynamics and transport", 1000, 1000, 9, 10))
        watch(Progress("Spectra T(E)", 1000, 1000, 10, 10))
    lines = [line for line in shown.getvalue().splitlines() if "step" in line]
    assert "9 of 10 (90 %), about" in lines[-2]
    assert lines[-1].endswith("transmissions: 10 of 10 (100 %), now Spectra T(E)")
    assert " left" not in lines[-1]


@pytest.mark.parametrize(
    ("progress", "done"),
    [
        (Progress("", 10, 10, 4, 4), True),
        (Progress("", 9, 10, 4, 4), False),
        (Progress("", 10, 10, 3, 4), False),
        (Progress("", 0, 0, 0, 0), False),
    ],
)
def test_all_is_counted_when_steps_and_snapshots_are_done(progress, done):
    assert progress.all_counted is done
