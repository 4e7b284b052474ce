"""The measuring process is killed: what was read is on disk, the output off, and it goes on."""

import multiprocessing
import os
import signal
import time
from contextlib import suppress

import numpy as np
import pytest
from tests.instruments.measuring_child import measure_into

from nanogap.instruments import Server, make_unit
from nanogap.io.measurement_files import COLUMNS, MeasurementFiles, sessions_of

CHANGES = (
    *("protocol.kind=staircase", "protocol.stop=1.0", "protocol.steps=19", "protocol.dwell=0.1"),
    *("protocol.both_ways=false", "protocol.compliance=0.01", "protocol.cycles=12"),
)
ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


@pytest.fixture
def processes():
    """Give processes that are forked from one that has loaded all, within milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.instruments.measuring_child", "qcodes.instrument_drivers.Keithley"]
    )
    return context


def waited(true, seconds=20.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_every_kill_leaves_data_and_the_output_off(tmp_path, processes):
    folder, random = tmp_path / "run", np.random.default_rng(3)
    files = MeasurementFiles(folder)
    unit = make_unit("keithley-2614b", "resistor:1000", seed=1)
    with Server(unit, 0).in_background() as server:
        arguments = (folder, f"keithley-2614b@127.0.0.1:{server.port}", CHANGES)
        for number in ENDS:
            begun = len(files.rows())
            child = processes.Process(target=measure_into, args=arguments)
            child.start()
            more = begun + int(random.integers(3, 30))
            waited(lambda more=more: len(files.rows()) >= more)
            time.sleep(random.uniform(0.0, 0.01))
            assert unit.bench.record.is_on
            os.killpg(child.pid, number)  # the watchdog is in no group of it
            if number == signal.SIGINT:  # a hand that is impatient
                time.sleep(0.02)
                with suppress(ProcessLookupError):  # the first one was quicker
                    os.killpg(child.pid, number)
            child.join(20.0)
            assert child.exitcode != 0
            waited(lambda: not unit.bench.record.is_on)
            rows = files.rows()
            assert len(rows) >= more
            levels = rows[:, COLUMNS.index("segment")] % 20 / 19.0
            assert rows[:, COLUMNS.index("current (A)")] == pytest.approx(1e-3 * levels, abs=4e-6)
        sessions = sessions_of(files)
        assert len(sessions) == len(ENDS)
        # a process that was killed wrote no end; its watchdog wrote what it did
        assert [one.get("output") for one in sessions] == [None, None, None, "off"]
        assert files.watchdog.read_text().count('"output": "off"') == 3
        child = processes.Process(target=measure_into, args=arguments)
        child.start()
        child.join(60.0)
        assert child.exitcode == 0
        assert not unit.bench.record.is_on
    rows = files.rows()
    segments = rows[rows[:, COLUMNS.index("session")] == len(ENDS), COLUMNS.index("segment")]
    assert segments[0] % 20 == 0  # at the beginning of a cycle
    assert segments[-1] == 12 * 20 - 1
    assert (np.diff(rows[:, COLUMNS.index("time (s)")]) > 0.0).all()
