"""Campaigns of the real engines, through the command line, disturbed and undisturbed."""

import json
import os
import random
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
from validation.slurm import single_node

from nanogap.campaign.folder import CampaignFolder
from nanogap.runs import start_run

pytestmark = pytest.mark.engine

PROGRAM = (sys.executable, "-c", "from nanogap.cli.app import main; main()", "campaign")
SETTINGS = """
[structure]
base_width = 12.0
height = 5.0
apex_width = 6.0
gap = 4.5
fixed_layers = 1
lattice_constant = 4.2
vacuum = 12.0

[dynamics]
time_step = 4.0
equilibration_time = 80.0
production_time = 400.0
sampling_interval = 100.0

[junction]
cut = "paper"
lead_repeats = 2

[transport]
kpoints = [2, 2]
spectrum_energies = ""
"""
CAMPAIGN = """
base = "tiny.toml"
repeats = 2
[keep]
trajectories = 2
snapshots = 4
[executor]
workers = 2
"""


def call(*arguments):
    command = [*PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    (folder / "tiny.toml").write_text(SETTINGS)
    (folder / "c.toml").write_text(CAMPAIGN)
    return folder / "c.toml"


@pytest.fixture(scope="module")
def whole(file):
    """An undisturbed campaign."""
    path = file.parent / "whole"
    content = json.loads(call("run", file, "-o", path, "--yes", "--json"))
    assert content["state"] == "finished"
    call("collect", path)
    return path


def collected(path):
    with xr.open_dataset(path / "dataset.nc", engine="h5netcdf") as dataset:
        return dataset.load()


def test_results_are_packed_and_the_rest_is_cleared_away(whole):
    folder = CampaignFolder(whole)
    assert len(folder.finished()) == 2
    assert not list((whole / "members").iterdir())
    assert not list((whole / "locks").iterdir())
    kept = list((whole / "trajectories").iterdir())
    assert [path.name for path in kept] == [f"{folder.entries[0].key}.extxyz.xz"]
    numbers = [frame.info["snapshot"] for frame in read(kept[0], ":")]
    assert {0, 4} <= set(numbers)
    dataset = collected(whole)
    assert dataset.sizes == {"member": 2, "snapshot": 5, "energy": 1}
    assert (dataset["core_seconds"] > 1.0).all()
    assert np.isfinite(dataset["transmission"]).all()
    bonded = dataset["bottleneck_atoms"].to_numpy() > 0
    assert bonded.any()
    length = dataset["bottleneck_bond_length"].to_numpy()
    assert ((length[bonded] > 2.4) & (length[bonded] < 3.6)).all()
    assert np.isnan(length[~bonded]).all()


def test_a_member_is_the_run_that_its_settings_say(whole, tmp_path):
    folder = CampaignFolder(whole)
    entry = folder.entries[1]
    run = start_run(tmp_path / "run", folder.settings(entry), "test", lambda _: None)
    alone = run.transmission()["transmission_average"].to_numpy()
    member = collected(whole)["transmission"].isel(member=1).to_numpy()
    assert member.tobytes() == alone.astype(np.float64).tobytes()


def test_kills_change_nothing(file, whole):
    """Kill the driver, and members, at random: the same conductances to the bit."""
    path = file.parent / "disturbed"
    dice = random.Random(3)  # noqa: S311 no secret
    for kill_driver in (True, False):
        driver = subprocess.Popen(
            [*PROGRAM, "run", str(file), "-o", str(path), "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + dice.uniform(4.0, 9.0)
        while time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.1)
        if kill_driver:
            driver.send_signal(signal.SIGKILL)
        else:
            for pid in workers_of(driver.pid):
                os.kill(pid, signal.SIGKILL)
            time.sleep(1.0)
            driver.send_signal(signal.SIGINT)
        driver.wait()
    content = json.loads(call("run", file, "-o", path, "--yes", "--json"))
    assert content["state"] == "finished"
    assert content["given_up"] == {}
    call("collect", path)
    disturbed, calm = collected(path), collected(whole)
    for name in ("transmission", "time", "bottleneck_atoms", "stage", "charge_top"):
        assert disturbed[name].to_numpy().tobytes() == calm[name].to_numpy().tobytes()
    assert disturbed["key"].to_numpy().tolist() == calm["key"].to_numpy().tolist()


def workers_of(driver):
    """Return the processes of members that a driver has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent == driver:
                found.append(int(folder.name))
    return found


def test_a_cluster_gives_the_same_dataset(file, whole, tmp_path):
    """Run one more member of the same campaign as a job of a SLURM of one node."""
    other = file.parent / "cluster.toml"
    other.write_text(CAMPAIGN.replace("workers = 2", 'workers = 2\nkind = "slurm"'))
    path = file.parent / "cluster"
    # a result that is there is not computed again, wherever it was made
    folder, made = CampaignFolder.plan(path, other), CampaignFolder(whole)
    shutil.copy(made.result_path(made.entries[0]), folder.result_path(folder.entries[0]))
    with single_node(tmp_path / "slurm"):
        content = json.loads(call("run", other, "-o", path, "--yes", "--json"))
    assert content["state"] == "finished"
    call("collect", path)
    clustered, calm = collected(path), collected(whole)
    assert (
        clustered["transmission"].to_numpy().tobytes() == calm["transmission"].to_numpy().tobytes()
    )
    assert clustered["key"].to_numpy().tolist() == calm["key"].to_numpy().tolist()


def test_status_collect_and_report_of_a_campaign(whole):
    content = json.loads(call("status", whole, "--json"))
    assert (content["state"], content["finished"], content["points"]) == ("finished", 2, 10)
    assert "2 of 2" in (whole / "status.html").read_text()
    table = whole / "table.csv"
    assert (
        json.loads(call("collect", whole, "--export", table, "--json"))["tables"][str(table)] == 10
    )
    report = json.loads(call("report", whole, "--figures", whole / "figures", "--json"))
    assert (report["members"], report["points"]) == (2, 10)
    assert "10 conductances of 2 members" in (whole / "report.html").read_text()
    assert (whole / "figures" / "histogram.pdf").read_bytes().startswith(b"%PDF")
