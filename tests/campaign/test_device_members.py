"""Two tiny devices as a campaign: on this machine, interrupted, and as jobs of a cluster."""

import json
import shutil
import subprocess
import sys

import pytest
import xarray as xr
from validation.slurm import single_node

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import complete_member
from nanogap.io import read_measurements
from nanogap.runs import device_alone, device_part
from nanogap.runs.device_run import DeviceRun, start_device

pytestmark = pytest.mark.engine

PROGRAM = (sys.executable, "-c", "from nanogap.cli.app import main; main()", "campaign")
CAMPAIGN = """
name = "tiny"
base = "device-quick"
[set]
"geometry.base_width" = 12.0
"geometry.height" = 5.0
"geometry.gap" = 5.0
"geometry.fixed_layers" = 1
"geometry.margin" = 4.0
"geometry.upper_apex_width" = "same"
"conductance.cell_widths" = [4]
"conductance.kpoints" = 1
"conductance.cache" = "{cache}"
"medium.exchange_rate" = 0.05
"protocol.turning_points" = [0.0, 0.2]
[axes]
"circuit.wire" = [100.0, 300.0]
"""
SLURM = '[executor]\nkind = "slurm"\nworkers = 1\n'


def call(*arguments):
    command = [*PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    text = CAMPAIGN.format(cache=folder / "necks.sqlite")
    (folder / "c.toml").write_text(text)
    (folder / "cluster.toml").write_text(text + SLURM)
    return folder


@pytest.fixture(scope="module")
def whole(place):
    """An undisturbed campaign, through the command line."""
    content = call("run", place / "c.toml", "-o", place / "whole", "--yes", "--json")
    assert (content["state"], content["kind"], content["points"]) == ("finished", "device", 20)
    assert call("collect", place / "whole", "--json")["members"] == 2
    return place / "whole"


def same_bits(found, expected):
    """Whether two campaigns have the same readings."""
    ours, theirs = CampaignFolder(found), CampaignFolder(expected)
    assert [entry.key for entry in ours.entries] == [entry.key for entry in theirs.entries]
    for entry in ours.entries:
        with (
            xr.open_dataset(ours.result_path(entry), engine="h5netcdf") as one,
            xr.open_dataset(theirs.result_path(entry), engine="h5netcdf") as other,
        ):
            if not one.drop_attrs().identical(other.drop_attrs()):
                return False
    return True


def test_a_member_is_the_device_that_its_settings_say(whole, tmp_path):
    folder = CampaignFolder(whole)
    alone = start_device(
        tmp_path / "alone", folder.device_settings(folder.entries[1]), "test", lambda *_: None
    ).dataset()
    collected = read_measurements(whole)
    mine = collected.isel(point=collected["file"] == 1)
    for name in ("time", "voltage", "current", "gap_conductance", "events", "charge"):
        assert mine[name].to_numpy().tobytes() == alone[name].to_numpy().tobytes()


def test_interruptions_change_nothing(place, whole, monkeypatch):
    """Members that stop in the middle, a state kept after every reading, then the driver."""
    folder = CampaignFolder.plan(place / "disturbed", place / "c.toml")
    monkeypatch.setattr(device_part, "_PAUSE", 0.0)
    stops = [7, 4]

    def stop(points):
        if stops and points == stops[-1]:
            stops.pop()
            raise KeyboardInterrupt

    monkeypatch.setattr(device_alone, "_silent", stop)
    first = folder.entries[0]
    for kept in (3, 6):
        with pytest.raises(KeyboardInterrupt):
            complete_member(folder, first)
        assert DeviceRun(folder.run_path(first)).points == kept
    content = call("resume", folder.path, "--yes", "--json")
    assert content["state"] == "finished"
    assert same_bits(folder.path, whole)


def test_a_cluster_gives_the_same_devices(place, whole, tmp_path):
    """One member as a job of a SLURM of one node; the other is there already."""
    folder, made = (
        CampaignFolder.plan(place / "cluster", place / "cluster.toml"),
        CampaignFolder(whole),
    )
    shutil.copy(made.result_path(made.entries[0]), folder.result_path(folder.entries[0]))
    with single_node(tmp_path / "slurm"):
        content = call("resume", folder.path, "--yes", "--json")
    assert content["state"] == "finished"
    assert same_bits(folder.path, whole)
