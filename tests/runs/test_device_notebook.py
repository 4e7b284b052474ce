"""Devices in folders from Python: run, interrupted, resumed, opened, and what they give."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from tests.device.test_bench import SMALL
from tests.runs.hand_made_device import LEVELS, READINGS, make

import nanogap as ng
from nanogap.device.measurement import point_columns
from nanogap.electrical import ConstantRead
from nanogap.io import write_json


def settings(**changes):
    return ng.load_device_settings("device-quick", SMALL | {"medium.name": "vacuum"} | changes)


def test_an_interrupted_measurement_goes_on_to_the_same_readings(tmp_path):
    whole = ng.run_device(settings(), tmp_path / "whole")
    assert whole.status.state == "finished"
    assert whole.report.is_file()

    def stop(done, _):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ng.run_device(settings(), tmp_path / "parts", progress=stop)
    assert ng.open_device(tmp_path / "parts").status.state == "interrupted"
    seen = []
    parts = ng.resume_device(tmp_path / "parts", progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (40, 40)
    for name in ("time", "voltage", "current", "gap_conductance", "events"):
        assert (parts.dataset()[name] == whole.dataset()[name]).all()
    memory = ng.Device(settings()).measure()
    assert (memory["current"] == whole.dataset()["current"]).all()


def test_a_directory_gives_readings_frames_and_a_report_and_prints_itself(tmp_path):
    run = ng.open_device(make(tmp_path / "dev").path)
    assert run.dataset().sizes["point"] == READINGS
    frames = list(run.frames())
    assert [one.info["conductance"] for one in frames][-1] == list(LEVELS.values())[-1]
    assert {"time", "voltage", "current", "bridged", "device"} <= set(frames[0].info)
    assert run.report is None
    assert run.write_report() == run.report == run.files.report
    beside = run.write_report(tmp_path / "both.html", measured=run.dataset())
    assert beside.is_file()
    assert repr(run).splitlines()[:3] == [
        f"DeviceRun {str(run.path)!r}",
        "  state        finished",
        "  readings     120 of 400",
    ]


def test_analyses_take_the_directory_and_what_stands_for_it(tmp_path):
    run = make(tmp_path / "dev")
    events = ng.switching(run).events
    assert [event.kind for event in events] == [
        event.kind for event in ng.switching(run.dataset()).events
    ]
    levels = [[one.level for one in ng.plateaus(data).plateaus] for data in (run, run.dataset())]
    assert levels[0] == levels[1]
    assert ng.histogram([run, run.dataset()]).counts.sum() == 2 * ng.histogram(run).counts.sum()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda _: ng.open_device("nowhere"), "nowhere is no device directory"),
        (lambda _: ng.resume_device("nowhere"), "nowhere is no device directory"),
        (lambda _: ng.open_device(5), "open_device: path = 5: give a path"),
        (lambda _: ng.DeviceRun(None), "DeviceRun: path = None: give a path"),
        (lambda _: ng.run_device("quick", "new"), "'quick' is a preset of molecular dynamics"),
        (lambda _: ng.run_device("device-quick", 5), "run_device: directory = 5: give a path"),
        (
            lambda _: ng.run_device("device-quick", "new", processes=0),
            "processes = 0: must be from 1 to 256",
        ),
        (
            lambda run: ng.run_device("device-quick", run.path),
            "{path} exists and is not",
        ),
        (lambda run: ng.open_run(run.path), "{path} holds simulated devices"),
        (lambda run: run.write_report(5), "DeviceRun.write_report: output = 5: give a path or"),
        (lambda run: run.write_report(measured="nw1.csv"), "measured = 'nw1.csv': give measure"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, monkeypatch, call, sentence):
    monkeypatch.chdir(tmp_path)
    run = make(tmp_path / "dev")
    with pytest.raises(ng.NanogapError) as caught:
        call(run)
    assert str(caught.value).startswith(sentence.format(path=run.path))
    assert len(str(caught.value).splitlines()) == 1


def test_a_run_of_molecular_dynamics_is_no_device(tmp_path):
    write_json(tmp_path / "run.json", {})
    with pytest.raises(ng.DataFormatError, match="is a run of molecular dynamics and no device"):
        ng.open_device(tmp_path)


def test_a_script_without_a_guard_ends_with_one_sentence(tmp_path):
    """Processes that start afresh read the script again, and would each start devices."""
    changes = SMALL | {"medium.name": "vacuum", "devices.number": 2}
    script = tmp_path / "script.py"
    script.write_text(
        "import nanogap as ng\n"
        f"settings = ng.load_device_settings('device-quick', {changes!r})\n"
        "ng.run_device(settings, 'two', processes=2)\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("nanogap.errors.NanogapError")
    assert "__main__" in last


PREPARED = {
    "preparation.kind": "voltage-sweep",
    "preparation.turning_points": [0.0, 0.1, 0.0],
    "preparation.cycles": 2,
    "preparation.rate": 10.0,
    "preparation.interval": 0.01,
    "protocol.kind": "current-sweep",
    "protocol.turning_points": [0.0, 1e-9],
    "protocol.rate": 5e-8,
    "protocol.interval": 0.01,
    "conductance.cache": "none",
}


def test_the_cycles_of_a_preparation_come_before_those_of_the_protocol():
    device = ng.Device(
        ng.load_device_settings("device-quick", SMALL | {"medium.name": "vacuum"} | PREPARED)
    )
    first, again = device.measure(), device.measure()
    for data in (first, again):
        assert data["cycle"].to_numpy().tolist() == [-2, -2, -1, -1, 0, 0]
        assert data["preparation"].to_numpy().tolist() == [True] * 4 + [False] * 2
        assert data.attrs["driven"] == "current"  # by the protocol, not by what prepares
    device.apply(0.05, 0.01)
    assert device.dataset()["cycle"].to_numpy().tolist() == [
        *(-2, -2, -1, -1, 0, 0),
        *(-2, -2, -1, -1, 1, 1, 1),
    ]
    plain = device.measure(ConstantRead(duration=0.02, interval=0.01))
    assert "preparation" not in plain
    assert plain["cycle"].to_numpy().tolist() == [0, 0]


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ([0, 0, 1, -1, 0, 0], [-2, -2, -1, -1, 0, 0]),  # begun when both were counted from 0
        ([-2, -2, -1, -1, 0, 0], [-2, -2, -1, -1, 0, 0]),
        ([0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0]),  # of then altogether: as it was
    ],
)
def test_directories_tell_the_preparation_and_old_ones_stay_readable(tmp_path, stored, seen):
    run = make(tmp_path / "dev", 6, settings=ng.load_device_settings("device-quick", PREPARED))
    points = run.files.part(0).points
    rows = np.fromfile(points).reshape(6, -1)
    rows[:, point_columns().index("cycle")] = stored
    rows.tofile(points)
    run.table = True
    run.write()
    data = ng.open_device(run.path).dataset()
    assert data["cycle"].to_numpy().tolist() == seen
    assert "counts for neither" in data["charge"].attrs["long_name"]
    table = pd.read_csv(run.files.table)
    assert table["cycle"].tolist() == seen
    assert ("preparation" in data) is ("preparation" in table) is (min(seen) < 0)
    if min(seen) < 0:
        assert table["preparation"].tolist() == [int(one < 0) for one in seen]
        assert ng.read_measurement(run.files.table)["cycle"].to_numpy().tolist() == seen
