"""Devices at the command line: reports, frames, errors; killed and resumed to the bit."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import ase.io
import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made_device import COST, LEVELS, READINGS, SERIES, make

from nanogap.io.device_files import DeviceFiles
from nanogap.runs import device_cost
from nanogap.runs.device_cost import MeasurementCost, estimate_cost
from nanogap.runs.device_part import PartCost, read_cost, read_points
from nanogap.runs.device_run import start_device
from nanogap.runs.device_trial import GuessedNecks, Trial, try_device
from nanogap.settings import preset_names
from nanogap.settings.device import DeviceSettings, load_device_settings

TRIAL = Trial(
    readings=400, duration=8.0, share=1.0, cpu_time=2.0, per_reading=5e-3, new=90,
    neck_time=90.0,
)  # fmt: skip
SMALLEST = (
    "--set=geometry.base_width=12", "--set=geometry.height=7", "--set=geometry.gap=5",
    "--set=geometry.upper_apex_width=same",
    "--set=geometry.fixed_layers=1", "--set=geometry.margin=3", "--set=conductance.cell_widths=[4]",
    "--set=conductance.kpoints=1", "--set=medium.name=vacuum", "--set=protocol.rate=8",
)  # fmt: skip


def test_presets_are_a_table_and_one_is_told_at_length(call):
    names = preset_names("device")
    rows = call("device", "new", "--list").out
    assert [name for name in names if f"│ {name} " in rows] == names
    told = json.loads(call("device", "new", "--list", "--json").out)
    assert list(told) == names
    one = json.loads(call("device", "new", "wire-retention", "--list", "--json").out)
    assert (one["figure"], one["laboratory_time"], one["readings"]) == ("2c, 2e", 1040.0, 10400)
    assert one["about"] == told["wire-retention"]
    assert "no preset or file named 'wire'" in call("device", "new", "wire", "--list", status=2).err


def test_report_and_frames(call, tmp_path):
    run = make(tmp_path / "dev")
    found = json.loads(call("device", "report", run.path, "--json").out)
    assert found == {"report": str(run.files.report), "measured": 0}
    status = json.loads(call("device", "status", run.path, "--json").out)
    assert status["report"] == str(run.files.report)
    assert (status["state"], status["points"]) == ("finished", READINGS)
    written = tmp_path / "frames.extxyz"
    found = json.loads(call("device", "frames", run.path, "-o", written, "--json").out)
    frames = ase.io.read(written, ":")
    assert found == {"frames": len(frames), "trajectory": str(written)}
    begins = [begin for begin in LEVELS if begin]
    points = [0, *(place for begin in begins for place in (begin - 1, begin))]
    assert [one.info["point"] for one in frames] == points
    assert frames[2].info["time"] == pytest.approx((begins[0] + 1) / 50)
    assert frames[2].info["conductance"] == 1.0
    assert frames[2].info["bridged"]
    assert set(frames[2].arrays["kind"].tolist()) == {0, 1, 3}
    assert frames[2].info["device"] == 1
    assert frames[2].info["n_ions"] == 3


def test_measured_files_stand_beside(call, tmp_path):
    run = make(tmp_path / "dev", 60)
    (tmp_path / "nw1.csv").write_text("V (V),I (A)\n" + "\n".join(f"{k},{k}e-6" for k in range(9)))
    words = ("--measured", tmp_path / "nw1.csv", "-o", tmp_path / "out.html", "--json")
    found = json.loads(call("device", "report", run.path, *words).out)
    assert found == {"report": str(tmp_path / "out.html"), "measured": 1}
    missing = call("device", "report", run.path, "--measured", tmp_path / "no.csv", status=2)
    assert "no.csv" in missing.err


def test_faults_are_one_sentence(call, tmp_path):
    run = make(tmp_path / "dev", 0, finished=False)
    for words, told in (
        (("report", run.path), "has no reading yet"),
        (("frames", run.path, "-o", tmp_path / "f.extxyz"), "has no reading yet"),
        (("frames", run.path, "-o", tmp_path / "f.pdb"), "must end in .extxyz or .xyz"),
        (("report", run.path, "-o", tmp_path / "r.pdf"), "must end in .html"),
        (("report", tmp_path), "is no device directory"),
    ):
        error = call("device", *words, status=2).err
        assert told in " ".join(error.split())
        assert len(error.strip().split(". ")) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dev"]


def test_a_directory_of_other_columns_is_refused(call, tmp_path):
    run = make(tmp_path / "dev", 20)
    content = json.loads(run.files.description.read_text("utf-8"))
    content["columns"] = content["columns"][:-1]
    run.files.description.write_text(json.dumps(content))
    error = call("device", "report", run.path, status=2).err
    assert "written by another version of nanogap" in " ".join(error.split())


def test_the_flags_of_a_simulated_measurement_count(call, tmp_path):
    """A current that only charges the capacitance stays, and is no compliance."""
    run = make(tmp_path / "dev")
    dataset = xr.load_dataset(run.files.measurement)
    dataset["current"][:] = 4e-10
    dataset.to_netcdf(run.files.measurement)
    captured = call("histogram", run.path, "--json")
    assert json.loads(captured.out)["n_compliance"] == 0
    assert "not counted: limited" not in captured.err


def test_currents_against_the_voltage_are_counted_and_explained(call, tmp_path):
    """The capacitance beside the gap gives its charge back as the voltage falls."""
    run = make(tmp_path / "dev")
    dataset = xr.load_dataset(run.files.measurement)
    dataset["current"][100:110] = -1e-10  # C dV/dt of 100 pF at -0.83 V/s
    dataset["current"][112] = -1e-6
    dataset.to_netcdf(run.files.measurement)
    captured = call("histogram", run.path, "--json")
    found = json.loads(captured.out)
    assert (found["n_outside"], found["n_negative"], found["n_displacement"]) == (11, 11, 10)
    note = " ".join(captured.err.split())
    assert "11 of 120 points not counted: current against the voltage" in note
    assert "10 of them equal C dV/dt" in note
    assert "outside the range" not in note


def test_devices_of_one_measurement_are_analysed_apart(call, tmp_path):
    """Each has its name, its cycles and something in series with its gap."""
    settings = load_device_settings("device-quick", ["devices.number=2"])
    folder = make(tmp_path / "dev", settings=settings).path
    rows = json.loads(call("switching", folder, "--json").out)["endurance"]
    assert [row["device"] for row in rows] == ["device-quick-1", "device-quick-2"]
    raw, seen = (
        json.loads(call("histogram", folder, "--json", *words).out)
        for words in ((), ("--series-resistance", SERIES))
    )
    assert (raw["n_points"], seen["n_points"]) == (2 * READINGS, 2 * READINGS)
    for content, levels in ((raw, [0.96, 1.86]), (seen, [1.0, 2.0])):
        found = [peak["position"] for peak in content["peaks"]][1:]
        assert found == pytest.approx(levels, abs=0.05)  # a bin


@pytest.mark.parametrize("command", ["histogram", "switching", "plateaus", "noise", "retention"])
def test_the_analyses_accept_a_device_directory(call, tmp_path, command):
    steady = 0.1 if command in {"noise", "retention"} else None
    run = make(tmp_path / "dev", 160 if steady else 84, steady=steady)
    captured = call(command, run.path, "--json")
    assert json.loads(captured.out)


def test_costs_add(tmp_path):
    run = make(tmp_path / "dev", 20)
    assert read_cost(run.files.part(0)) == COST
    assert COST + PartCost(cpu_time=1.0, known=2) == PartCost(13.5, 4.0, 240, 230, 12, 240, 30)


def test_long_work_is_told_and_not_begun_unasked(call, tmp_path, monkeypatch):
    long = MeasurementCost(cpu_time=8000.0, wall_time=4000.0, per_reading=0.01, per_neck=0.5)
    asked = []
    monkeypatch.setattr(
        "nanogap.runs.device_cost.estimate_cost",
        lambda settings, processes: asked.append((settings.devices.number, processes)) or long,
    )
    words = ("device", "run", "device-quick", "-o", tmp_path / "dev", "--processes", "2")
    error = " ".join(call(*words, status=2).err.split())
    assert "About 67 min of computing" in error
    assert "10 ms per reading" in error
    assert "give --yes" in error
    assert asked == [(1, 2)]
    assert not list(tmp_path.iterdir())


def test_the_cost_of_a_measurement_is_that_of_its_first_readings():
    changes = {
        "geometry.base_width": 12.0,
        "geometry.height": 7.0,
        "geometry.gap": 5.0,
        "geometry.upper_apex_width": "same",
        "geometry.margin": 3.0,
        "conductance.kpoints": 1,
        "conductance.cache": "none",
        "medium.name": "vacuum",
        "medium.bulk_level": "neutral",
    }
    one, four = (
        estimate_cost(load_device_settings("device-quick", changes | {"devices.number": n}), 2)
        for n in (1, 4)
    )
    assert 0.0 < one.per_reading < 1.0
    assert one.wall_time == one.cpu_time
    assert four.wall_time == four.cpu_time / 2.0
    assert one.per_neck is not None
    assert one.per_neck > 0.0
    assert "one new shape of the neck" in one.sentence
    assert one.range[0] < one.wall_time < one.range[1]


def test_the_cost_of_thousands_of_devices_is_that_of_one(monkeypatch):
    """Only the first is tried, and none of the others is made."""
    monkeypatch.setattr(device_cost, "try_device", lambda _: TRIAL)
    many = {"devices.number": 10_000, "protocol.cycles": 20_000}
    asked = []
    member = DeviceSettings.member
    monkeypatch.setattr(
        DeviceSettings, "member", lambda self, number: asked.append(number) or member(self, number)
    )
    each = estimate_cost(load_device_settings("device-quick", many))
    assert set(asked) <= {0, 9_999}
    assert each.necks == 10_000 * 20_000 * 90
    shared = {"devices.number": 5, "devices.cycles": "shared", "protocol.cycles": 116}
    settings = load_device_settings("device-quick", shared)
    cost = estimate_cost(settings, 2)
    assert cost.necks == 116 * 90
    assert cost.cpu_time == pytest.approx(116 * (2.0 + 90.0))
    assert cost.wall_time == cost.cpu_time / 2
    assert cost.per_reading == pytest.approx(2.0 / 400)
    readings = sum(member.total_samples for member in settings.members())
    assert device_cost._total(settings) == readings  # noqa: SLF001 without making them


def test_a_trial_counts_what_will_be_computed(tmp_path):
    """With the conductances known, nothing; and what it guesses is not kept."""
    changes = [one.removeprefix("--set=") for one in SMALLEST]
    cache = tmp_path / "necks.sqlite"
    settings = load_device_settings("device-quick", [*changes, f"conductance.cache={cache}"])
    cold = try_device(settings)
    run = start_device(tmp_path / "dev", settings, "test", lambda *_: None)
    cost = read_cost(run.files.part(0))
    assert cold.new == 1
    assert cost.computed == 0  # the trial has kept it
    warm = estimate_cost(settings)
    assert (warm.necks, warm.per_neck) == (0, None)
    assert "all conductances of the trial are known" in warm.sentence
    assert cold.readings == settings.total_samples
    assert cold.share == 1.0


def test_guessed_conductances_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("nanogap.runs.device_trial._COMPUTED", 0)
    changes = [one.removeprefix("--set=") for one in SMALLEST]
    cache = tmp_path / "necks.sqlite"
    settings = load_device_settings("device-quick", [*changes, f"conductance.cache={cache}"])
    monkeypatch.setattr(GuessedNecks, "neck_time", 1.0)
    assert try_device(settings).new == 1
    with contextlib.closing(sqlite3.connect(cache)) as table:
        assert table.execute("SELECT count(*) FROM transmissions").fetchone() == (0,)


def test_a_long_cycle_is_tried_with_fewer_readings(monkeypatch):
    monkeypatch.setattr("nanogap.runs.device_trial._BUDGET", 1e-3)
    changes = [one.removeprefix("--set=") for one in SMALLEST]
    settings = load_device_settings(
        "device-quick", [*changes, "conductance.cache=none", "protocol.interval=0.001"]
    )
    trial = try_device(settings)
    assert 0 < trial.readings < 200


@pytest.mark.engine
def test_killed_and_resumed_to_the_bit(call, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    monkeypatch.setattr("nanogap.runs.device_part._PAUSE", 0.0)
    call("device", "run", "device-quick", "-o", whole, "--json", *SMALLEST)
    words = ["device", "run", "device-quick", "-o", str(killed), *SMALLEST]
    code = (
        "import sys; from nanogap import cli; from nanogap.runs import device_part; "
        f"device_part._PAUSE = 0.0; sys.argv = ['nanogap', *{words!r}]; cli.main()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(killed.glob("device-1/after-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    found = json.loads(call("device", "resume", killed, "--json").out)
    assert found["state"] == "finished"
    assert found["points"] == found["points_planned"]
    one, other = (xr.load_dataset(path / "measurement.nc") for path in (whole, killed))
    xr.testing.assert_identical(one.drop_attrs(deep=False), other.drop_attrs(deep=False))
    first, second = (path / "device-1" / "frames.bin" for path in (whole, killed))
    assert first.read_bytes() == second.read_bytes()
    assert (whole / "report.html").is_file()
    assert (killed / "report.html").is_file()
    assert np.isfinite(read_points(DeviceFiles(whole).part(0))["conductance"]).all()
