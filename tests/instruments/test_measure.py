"""Measurements with the virtual units: values, limits, resume, and the output off on every exit."""

import errno
import json
import os
import socket
import time
import warnings

import numpy as np
import pytest

import nanogap as ng
from nanogap.errors import InstrumentError, NanogapError, SettingsError
from nanogap.instruments import Server, make_unit, output_off, parse_address, source_meter
from nanogap.instruments.channel import Channel
from nanogap.instruments.loads import Resistor
from nanogap.instruments.measuring import MeasurementRun
from nanogap.io.measurement_files import COLUMNS, MeasurementFiles, sessions_of
from nanogap.settings.device import load_device_settings

STAIRS = {
    "protocol.kind": "staircase",
    "protocol.stop": 1.0,
    "protocol.steps": 5,
    "protocol.dwell": 0.04,
    "protocol.both_ways": False,
    "protocol.compliance": 6.5e-4,
}
READ = {
    "protocol.kind": "constant-read",
    "protocol.voltage": 0.2,
    "protocol.duration": 0.4,
    "protocol.interval": 0.04,
}
UNITS = ("keithley-2614b", "keithley-4200")


@pytest.fixture(autouse=True)
def quiet_drivers():
    """The drivers and their VISA warn about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def serving():
    """Return a function that serves a unit and gives its server."""
    servers = []

    def serve(load="resistor:1000", unit="keithley-2614b", port=0):
        server = Server(make_unit(unit, load, seed=1), port).in_background()
        servers.append(server.__enter__())
        server.address = f"{unit}@127.0.0.1:{server.port}"
        return server

    yield serve
    for server in servers:
        server.__exit__(None, None, None)


class StopError(Exception):
    """An end in the middle."""


def measured(server, folder, changes, stop_after=None, **options):
    """Measure; with `stop_after`, to an exception after so many readings of this session."""
    settings = load_device_settings({}, changes)
    run = MeasurementRun(folder, settings, "test", parse_address(server.address), **options)
    taken = []

    def watch(progress):
        taken.append(progress)
        if len(taken) == stop_after:
            raise StopError

    if stop_after is None:
        run.run(watch)
    else:
        with pytest.raises(StopError):
            run.run(watch)
    return run


def column(folder, name):
    return MeasurementFiles(folder).rows()[:, COLUMNS.index(name)]


@pytest.mark.parametrize("unit", UNITS)
def test_ohms_law_limits_and_what_is_written(serving, tmp_path, unit):
    server, folder = serving(unit=unit), tmp_path / "run"
    run = measured(server, folder, {**STAIRS, "protocol.cycles": 2})
    found = ng.read_measurements(folder)
    levels = np.tile(np.linspace(0.0, 1.0, 6), 2)
    assert found["current"].to_numpy() == pytest.approx(
        np.minimum(levels * 1e-3, 6.5e-4), abs=3e-6, rel=2e-3
    )
    assert found["voltage"].to_numpy() == pytest.approx(np.minimum(levels, 0.65), abs=8e-3)
    assert found["compliance"].to_numpy().tolist() == (levels > 0.7).tolist()
    assert found["time"].to_numpy() == pytest.approx(0.04 * np.arange(1, 13))
    assert found["cycle"].to_numpy().tolist() == [0] * 6 + [1] * 6
    assert found.attrs["unit"] == unit
    assert "series_resistance" not in found.coords
    assert run.state.state == "finished"
    assert run.state.virtual
    about = MeasurementFiles(folder).description_content()
    assert about["largest"]["power"] == pytest.approx(6.5e-4)
    (session,) = sessions_of(MeasurementFiles(folder))
    assert (session["why"], session["output"], session["readings"]) == ("finished", "off", 12)
    assert not server.unit.bench.record.is_on
    # again: nothing is left to do, and the unit is not asked
    asked = server.served.clients
    measured(server, folder, {**STAIRS, "protocol.cycles": 2})
    assert server.served.clients == asked


def test_a_copy_of_the_table_is_read_like_any_file(serving, tmp_path):
    measured(serving(), tmp_path / "run", STAIRS)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(MeasurementFiles(tmp_path / "run").table.read_bytes())
    assert "read" not in ng.read_measurement(copy)
    for name in ("time", "voltage", "current", "cycle", "compliance"):
        own = ng.read_measurements(tmp_path / "run")[name].to_numpy()
        assert np.array_equal(ng.read_measurement(copy)[name].to_numpy(), own)


def test_a_current_sweep_with_resets_on_a_gap(serving, tmp_path):
    server = serving("levels")
    changes = {
        "protocol.kind": "current-sweep",
        "protocol.rate": 1e-4,
        "protocol.interval": 0.02,
        "protocol.reset_voltage": -1.0,
        "protocol.reset_rate": 5.0,
        "protocol.cycles": 3,
    }
    measured(server, tmp_path / "run", changes)
    found = ng.read_measurements(tmp_path / "run")
    assert len(server.unit.bench.channels["smua"].load.switch.taken) >= 5
    assert found["cycle"].to_numpy().tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert found.attrs["driven"] == "current"
    put_out = server.unit.bench.record.settings
    assert min(one.level for one in put_out if one.output) == -1.0
    assert {one.limit for one in put_out if one.output and one.quantity == "current"} == {2.0}
    assert not server.unit.bench.record.is_on


def test_pulses_are_timed_in_the_unit(serving, tmp_path):
    server = serving()
    changes = {
        "protocol.kind": "pulses",
        "protocol.width": 2e-3,
        "protocol.period": 0.03,
        "protocol.cycles": 3,
        "protocol.compliance": 1e-2,
    }
    measured(server, tmp_path / "run", changes)
    put_out = server.unit.bench.record.settings
    pulses = [(one, put_out[number + 1]) for number, one in enumerate(put_out) if one.level == 1.0]
    assert len(pulses) == 3
    for high, low in pulses:
        assert low.level == 0.0
        assert low.time - high.time == pytest.approx(2e-3)
    currents = column(tmp_path / "run", "current (A)")
    assert currents == pytest.approx([1e-3, 1e-4] * 3, rel=2e-2)


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"source.voltage_limit": 0.5, "protocol.kind": "program-to-level"}, {}, "0.5"),
        ({"source.voltage_limit": 300.0, **STAIRS, "protocol.stop": 250.0}, {}, "100"),
        ({"source.current_limit": 2.0, **STAIRS, "protocol.compliance": 2.0}, {}, "1.515 A"),
        (
            {"source.voltage_limit": 50.0, "source.current_limit": 1.0, **STAIRS}
            | {"protocol.stop": 30.0, "protocol.compliance": 0.5},
            {},
            "above 20.2 V it has 0.101 A",
        ),
        ({**STAIRS, "protocol.compliance": 1e-9}, {}, "a limit of 1e-09 A"),
        (STAIRS, {"power_limit": 1e-4}, "more than the power limit of 0.0001 W"),
        (STAIRS, {"power_limit": -1.0}, "must be above 0"),
        ({"protocol.kind": "pulses", "protocol.width": 1e-4}, {}, "shorter than the 0.001 s"),
        ({**STAIRS, "source.power_line_cycles": 30.0, "protocol.dwell": 2.0}, {}, "0.001 to 25"),
        ({"devices.number": 2, **STAIRS}, {}, "one device is measured at a time"),
    ],
)
def test_limits_are_refused_before_the_unit_is_asked(serving, tmp_path, changes, options, words):
    server = serving()
    with pytest.raises(SettingsError, match=words):
        measured(server, tmp_path / "run", changes, **options)
    assert server.served.clients == 0
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol.kind": "pulses"}, "shorter than the 0.1 s"),
        ({**STAIRS, "protocol.dwell": 0.03}, "two integrations"),
        ({**STAIRS, "source.power_line_cycles": 2.0, "protocol.dwell": 1.0}, "0.1, 1, 10 periods"),
    ],
)
def test_what_a_4200_cannot_do(serving, tmp_path, changes, words):
    server = serving(unit="keithley-4200")
    with pytest.raises(SettingsError, match=words):
        measured(server, tmp_path / "run", changes)
    assert not (tmp_path / "run").exists()


def test_a_limit_that_is_not_taken_is_found_before_the_first_volt(serving, tmp_path, monkeypatch):
    server = serving()
    monkeypatch.setattr(Channel, "set_limit", lambda *_: None)
    with pytest.raises(InstrumentError, match=r"set to 0\.00065 and is read back as 0\.1"):
        measured(server, tmp_path / "run", STAIRS)
    assert not any(one.output for one in server.unit.bench.record.settings)
    assert not (tmp_path / "run").exists()


def test_a_unit_that_complains_ends_the_measurement(serving, tmp_path, monkeypatch):
    def check(_, segment):
        if segment.start > 0.5:
            raise SettingsError("too much for it")

    monkeypatch.setattr(Resistor, "check", check)
    server = serving()
    with pytest.raises(InstrumentError, match=r"complains: 1101 .*too much for it"):
        measured(server, tmp_path / "run", STAIRS)
    assert len(column(tmp_path / "run", "cycle")) == 3
    assert not server.unit.bench.record.is_on


def test_a_constant_read_goes_on_with_the_next_reading(serving, tmp_path):
    server, folder = serving(), tmp_path / "run"
    measured(server, folder, READ, stop_after=4)
    assert not server.unit.bench.record.is_on
    files = MeasurementFiles(folder)
    before = files.table.read_bytes()
    files.table.write_bytes(before + b"0.2,0.2,2e-4,0,0")  # a line that a crash cut off
    assert len(files.rows()) == 4
    run = measured(server, folder, READ)
    assert files.table.read_bytes().startswith(before)
    assert column(folder, "sample").tolist() == list(range(1, 11))
    assert column(folder, "session").tolist() == [0] * 4 + [1] * 6
    assert (np.diff(column(folder, "time (s)")) > 0.0).all()
    assert set(column(folder, "cycle")) == {0}
    assert run.state.readings == 10
    assert sessions_of(files)[0]["why"] == "StopError"
    assert sessions_of(files)[1]["readings_before"] == 4


def test_an_interrupted_cycle_is_begun_anew(serving, tmp_path):
    server, folder = serving(), tmp_path / "run"
    changes = {**STAIRS, "protocol.cycles": 3}
    measured(server, folder, changes, stop_after=8)  # in the second cycle
    measured(server, folder, changes, stop_after=2)  # and again
    run = measured(server, folder, changes)
    assert column(folder, "cycle").tolist() == [0] * 6 + [1] * 2 + [2] * 2 + [3] * 6 + [4] * 6
    assert column(folder, "segment")[-12:].tolist() == list(range(6, 18))
    assert run.state.sessions == 3
    found = ng.read_measurements(folder)
    whole = found["current"].to_numpy()[-6:]
    assert whole == pytest.approx(np.minimum(np.linspace(0, 1e-3, 6), 6.5e-4), abs=3e-6, rel=2e-3)


def test_programming_ends_at_the_level_and_reads_again_after_a_break(serving, tmp_path):
    server, folder = serving("levels"), tmp_path / "run"
    changes = {
        "protocol.kind": "program-to-level",
        "protocol.first_compliance": 2e-5,
        "protocol.rate": 5.0,
        "protocol.series_resistance": 500.0,
        "protocol.level": 1.6,
    }
    run = measured(server, folder, changes, stop_after=3)
    measured(server, folder, changes)
    rows = column(folder, "segment")
    assert rows[3] == -1
    assert column(folder, "read")[3] == 1
    assert len(rows) < run.plan.readings
    last = MeasurementFiles(folder).rows()[-1]
    assert 1.0 / (last[1] / last[2] - 500.0) / 7.748e-5 >= 1.6
    assert run.state.state == "finished"


def test_only_the_same_measurement_goes_on(serving, tmp_path):
    server, folder = serving(), tmp_path / "run"
    measured(server, folder, READ, stop_after=2)
    with pytest.raises(SettingsError, match=r"protocol.voltage = 0.2, and it is 0.3 now"):
        measured(server, folder, {**READ, "protocol.voltage": 0.3})
    with pytest.raises(SettingsError, match="begun with unit keithley-2614b"):
        measured(serving(unit="keithley-4200"), folder, READ)
    server.unit.bench.sheet.__dict__["identity"] = "Keithley Instruments Inc., Model 2614B, 7, 1"
    try:
        with pytest.raises(SettingsError, match="was begun with the unit Keithley"):
            measured(server, folder, READ)
    finally:
        server.unit.bench.sheet.__dict__["identity"] = (
            "Keithley Instruments Inc., Model 2614B, 0000000, 3.4.0"
        )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="exists and is not empty"):
        measured(server, tmp_path / "full", READ)
    assert len(column(folder, "cycle")) == 2


def test_a_lost_connection_is_told_and_the_watchdog_goes_on(serving, tmp_path, monkeypatch):
    monkeypatch.setattr(output_off, "ANSWER", 0.3)
    server, folder = serving(), tmp_path / "run"
    settings = load_device_settings({}, READ)
    run = MeasurementRun(folder, settings, "test", parse_address(server.address))

    def watch(progress):
        if progress.points == 3:
            server.__exit__(None, None, None)  # the unit goes

    with pytest.raises(InstrumentError, match="switch it off by hand"):
        run.run(watch)
    assert len(column(folder, "cycle")) == 3
    files = MeasurementFiles(folder)
    assert "left to the watchdog" in sessions_of(files)[0]["output"]
    again = serving(port=server.port)
    again.unit.handle(b"smua.source.levelv = 0.2 smua.source.output = 1")
    for _ in range(200):
        if files.watchdog.is_file() and files.watchdog.read_text():
            break
        time.sleep(0.05)
    assert json.loads(files.watchdog.read_text())["output"] == "off"
    assert not again.unit.bench.record.is_on


def test_a_full_disk_is_told_and_leaves_the_output_off(serving, tmp_path, monkeypatch):
    server, folder = serving(), tmp_path / "run"
    sync, left = os.fsync, [6]

    def full(number):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(number)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        # also the end of the session finds no room: it does not hide what ended it
        with pytest.raises(NanogapError, match=r"measurement.csv cannot be written: No space left"):
            measured(server, folder, STAIRS)
    assert not server.unit.bench.record.is_on
    assert len(MeasurementFiles(folder).rows()) >= 3
    measured(server, folder, STAIRS)
    assert sessions_of(MeasurementFiles(folder))[-1]["why"] == "finished"


def test_the_command_says_what_comes_and_ends_well(serving, tmp_path, call):
    server = serving()
    file = tmp_path / "read.toml"
    file.write_text(
        '[protocol]\nkind = "constant-read"\nvoltage = 0.2\nduration = 0.4\ninterval = 0.04\n'
    )
    words = ("measure", file, "--instrument", server.address, "-o", tmp_path / "run")
    out, err = call(*words, "--json")
    assert json.loads(out)["readings"] == 10
    assert "At most 0.2 V, 0.1 A and 0.02 W" in err
    out, err = call(*words, "--set", "protocol.voltage=0.3", status=2)
    assert "goes on with the same settings only" in err
    words = ("measure", file, "-o", tmp_path / "none", "--instrument")
    out, err = call(*words, "keithley-2614b@127.0.0.1:1", status=2)
    assert "no connection to keithley-2614b@127.0.0.1:1: Connection refused" in err
    out, err = call(*words, "keithley@nowhere", status=2)
    assert "give UNIT@ADDRESS" in err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("unit", UNITS)
def test_a_busy_unit_and_another_unit_are_told_soon(serving, tmp_path, monkeypatch, unit):
    server = serving(unit=unit)
    with socket.create_connection(("127.0.0.1", server.port)), monkeypatch.context() as hurried:
        hurried.setattr(source_meter, "_BUSY_PATIENCE", 0.3)
        while not server.served.clients:
            time.sleep(0.01)
        with pytest.raises(InstrumentError, match="it says 'busy: this unit serves one client"):
            measured(server, tmp_path / "run", READ)
    other = serving(unit=UNITS[1 - UNITS.index(unit)])
    other.address = f"{unit}@127.0.0.1:{other.port}"
    with pytest.raises(InstrumentError, match="it may be another unit"):
        measured(other, tmp_path / "run", READ)
    assert not any(one.output for one in other.unit.bench.record.settings)
    assert not (tmp_path / "run").exists()


def test_a_unit_that_our_own_look_made_busy_is_not_called_busy(tmp_path, serving, monkeypatch):
    other, said = serving(unit="keithley-4200"), ["busy: this unit serves one client at a time"]
    other.address = f"keithley-2614b@127.0.0.1:{other.port}"
    monkeypatch.setattr(source_meter, "greeting", lambda *_place: said.pop() if said else "")
    with pytest.raises(InstrumentError, match="it may be another unit"):
        measured(other, tmp_path / "run", READ)
    assert not said


def test_missing_drivers_are_named(tmp_path, monkeypatch, serving):
    monkeypatch.setitem(__import__("sys").modules, "qcodes.instrument_drivers.Keithley", None)
    with pytest.raises(InstrumentError, match=r"pip install 'nanogap\[instruments\]'"):
        measured(serving(), tmp_path / "run", READ)
    assert not (tmp_path / "run").exists()
