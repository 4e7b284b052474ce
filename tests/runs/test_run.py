"""Whole runs of the real engines on tips of about a hundred atoms, through the command line."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ase.io import read

import nanogap.runs
from nanogap.cli.common import finite
from nanogap.runs import RunDirectory
from validation import random_kills

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-c", "from nanogap.cli.app import main; main()")
CONTRACT = {
    "state",
    "snapshots",
    "snapshots_planned",
    "time",
    "transmission",
    "connected",
    "report",
}


def heed_interrupts():
    """Undo what a shell does to the programs it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments, **options):
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        preexec_fn=heed_interrupts,  # noqa: PLW1509 no threads here
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process, patience=300):
    out, err = process.communicate(timeout=patience)
    return process.returncode, out, err


def call(*arguments, **options):
    return finish(start(*arguments, **options))


def status(folder):
    """What the command prints (see test_a_run_is_complete), without a process of its own."""
    return json.loads(json.dumps(finite(nanogap.runs.status(RunDirectory(folder)))))


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    text = (ROOT / "validation" / "tiny.toml").read_text()
    path.write_text(text.replace("production_time = 4000.0", "production_time = 2000.0"))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, settings_file):
    """A run that nothing interrupted, in a folder that LAMMPS would stumble over."""
    folder = tmp_path_factory.mktemp("whole") / "my läufe #$(1+1)'"
    code, out, err = call("run", settings_file, "-o", folder, "--json")
    assert code == 0, err
    assert json.loads(out) == status(folder)
    return folder


def snapshots(folder):
    return read(folder / "trajectory.extxyz", ":")


def assert_same_run(found, expected):
    ours, theirs = status(found), status(expected)
    assert ours["state"] == "finished"
    assert ours["time"] == theirs["time"]
    assert ours["snapshots"] == ours["snapshots_planned"] == len(ours["time"])
    for one, other in zip(snapshots(found), snapshots(expected), strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_allclose(ours["transmission"], theirs["transmission"], atol=1e-7)


def test_a_run_is_complete(whole):
    code, out, _ = call("status", whole, "--json")
    assert code == 0
    found = json.loads(out)
    assert found == status(whole)
    assert set(found) >= CONTRACT
    assert found["state"] == "finished"
    assert found["snapshots"] == found["snapshots_planned"] == len(found["time"])
    assert found["time"] == sorted(set(found["time"]))
    assert found["time"][0] == 0.0
    assert found["time"][-1] == 2000.0
    assert all(value is not None for value in found["transmission"])
    assert not found["connected"][0]
    assert found["connected"][-1]
    # four atoms face four across 5 angstrom: PWCOND has 0.064 for each
    assert 0.05 < found["transmission"][0] < 0.5
    assert found["transmission"][-1] > 0.5
    assert Path(found["report"]).stat().st_size > 100_000


def test_sampling_is_dense_around_the_first_bond(whole):
    found = status(whole)
    frames = snapshots(whole)
    first = next(frame.info["time"] for frame in frames if frame.info["bottleneck_atoms"])
    window = [t for t in found["time"] if first <= t <= first + 200.0]
    assert np.diff(window) == pytest.approx(20.0)
    assert first - 20.0 in found["time"]


def test_results_say_how_they_were_made(whole):
    with xr.open_dataset(whole / "transmission.nc", engine="h5netcdf") as dataset:
        attributes = dataset.attrs
        assert dataset["transmission"].dims == ("snapshot", "k", "energy")
        average = dataset["transmission"].mean("k")
        np.testing.assert_allclose(average, dataset["transmission_average"])
    assert attributes["backend"] == "tight-binding"
    assert attributes["seed"] == 3
    assert json.loads(attributes["settings"])["structure"]["gap"] == 5.0
    assert {"nanogap_version", "engine_version", "kpoints", "wall_time"} <= set(attributes)


def test_a_frame_of_the_trajectory_has_the_transmission_of_the_run(whole):
    code, out, err = call(
        "transmission", whole / "trajectory.extxyz", "--index", "-1", "--cut", "paper",
        "--kpoints", "2", "2", "--json", "--energies=-0.1,0",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert found["energies"] == [-0.1, 0.0]
    assert found["n_kpoints"] == 4
    # the command's cell is three bonds wide, the run's two
    assert 0.3 < found["transmission"][0][1] < 6.0


def test_a_finished_run_resumes_to_a_new_report(whole):
    (whole / "report.html").unlink()
    assert status(whole)["state"] == "interrupted"
    code, _, err = call("resume", whole)
    assert code == 0, err
    assert status(whole)["state"] == "finished"


def test_random_kills_change_nothing(whole, settings_file, tmp_path):
    """One in the build, in the dynamics, in transport and in the report each."""
    folder = tmp_path / "run"
    met = random_kills.kill_often(settings_file, folder, kills=4, seed=31)
    assert {kill.all_processes for kill in met} == {True, False}
    assert random_kills.differences(folder, whole) == []
    assert_same_run(folder, whole)


def test_an_interrupt_a_killed_engine_and_a_second_process(whole, settings_file, tmp_path):
    """One run that meets all three, goes on each time, and ends as if there had been nothing."""
    folder = tmp_path / "run"
    process = start("run", settings_file, "-o", folder)
    while not (folder / "snapshots.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process, patience=20)
    assert code == 130
    assert "nanogap resume" in err
    assert "Traceback" not in err
    assert status(folder)["state"] == "interrupted"

    process = start("resume", folder)
    victims = []
    while not victims:
        assert process.poll() is None
        victims = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _is_engine_of(entry, folder)
        ]
        time.sleep(0.05)
    assert len(victims) == 1
    os.kill(victims[0], signal.SIGKILL)
    code, _, err = finish(process)
    assert code == 2
    assert "the dynamics process was killed by signal 9" in err.replace("\n", " ")

    process = start("resume", folder)
    while status(folder)["state"] != "running":
        assert process.poll() is None
        time.sleep(0.05)
    code, _, err = call("resume", folder)
    assert code == 2
    assert "another nanogap process works in" in err.replace("\n", " ")
    assert finish(process)[0] == 0
    assert_same_run(folder, whole)


def test_a_full_disk_is_told_and_mended(whole, settings_file, tmp_path):
    # a disk of our own, in a mount namespace of our own: half a megabyte, then as much as needed
    script = f"""
        set -eu
        mkdir disk
        mount -t tmpfs -o size=500k tmpfs disk
        set +e
        {shlex.join(PROGRAM)} run {settings_file} -o disk/run 2> full.err
        echo $? > full.code
        {shlex.join(PROGRAM)} status disk/run --json > full.json
        set -e
        mount -o remount,size=100m disk
        {shlex.join(PROGRAM)} resume disk/run
        cp -r disk/run run
    """
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    code, _, err = finish(
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    )
    assert code == 0, err
    message = (tmp_path / "full.err").read_text()
    assert (tmp_path / "full.code").read_text() == "2\n"
    assert "No space left on device" in " ".join(message.split())
    assert "Traceback" not in message
    found = json.loads((tmp_path / "full.json").read_text())
    assert found["state"] in ("failed", "interrupted")
    assert 0 < found["snapshots"] < status(whole)["snapshots"]
    assert_same_run(tmp_path / "run", whole)


def _is_engine_of(entry, folder):
    try:
        line = (entry / "cmdline").read_bytes().decode()
    except OSError:
        return False
    return "dynamics_process" in line and str(folder) in line


def test_atoms_that_leave_the_box_are_an_error_that_says_so(settings_file, tmp_path):
    folder = tmp_path / "run"
    code, _, err = call(
        "run", settings_file, "-o", folder,
        "--set", "dynamics.temperature=5000", "--set", "dynamics.production_time=40000",
        "--set", "dynamics.time_step=8",
    )  # fmt: skip
    assert code == 2
    message = " ".join(err.split())
    assert "left the box by" in message
    assert "lower dynamics.temperature" in message
    assert status(folder)["state"] == "failed"


def test_zero_volts_leave_the_tips_uncharged(settings_file, tmp_path):
    folder = tmp_path / "run"
    code, _, err = call(
        "run", settings_file, "-o", folder,
        "--set", "voltage.applied=0", "--set", "dynamics.production_time=200",
    )  # fmt: skip
    assert code == 0, err
    frame = snapshots(folder)[-1]
    assert frame.info["applied_voltage"] == 0.0
    assert abs(frame.info["charge_bottom"] + frame.info["charge_top"]) < 1e-6


def test_a_run_that_cannot_begin_leaves_no_folder_behind(settings_file, tmp_path):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "a" / "b" / "run", tmp_path / "mine"):
        code, _, err = call("run", settings_file, "-o", folder, "--set", "structure.apex_width=50")
        assert code == 2
        assert "apex_width" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]
    assert not list((tmp_path / "mine").iterdir())


def test_damaged_files_of_a_run_are_named(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    (folder / "error.json").write_text("{")
    assert "is damaged" in status(folder)["error"]
    (folder / "error.json").unlink()
    (folder / "tips.extxyz").write_text("3\n\nAg 0 0")
    (folder / "dynamics.json").unlink()
    code, _, err = call("resume", folder)
    assert code == 2
    assert "tips.extxyz is damaged" in " ".join(err.split())


def test_transport_that_goes_on_gives_the_same_transmissions_to_the_bit(whole, tmp_path):
    """Leads are shared between snapshots, so what came first decides the last bits."""
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    paths = sorted((folder / "transmission").glob("[0-9]*.nc"))
    before = {path.name: transmissions(path) for path in paths}
    for path in paths[len(paths) // 2 :]:
        path.unlink()
    command = [sys.executable, "-m", "nanogap.runs.transport_process", str(folder), "0", "1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)  # it ends with its stdin
    assert process.wait(timeout=300) == 0
    process.stdin.close()
    assert {path.name: transmissions(path) for path in paths} == before


def transmissions(path):
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset["transmission"].to_numpy().tobytes()
