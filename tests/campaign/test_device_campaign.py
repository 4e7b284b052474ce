"""Campaigns of simulated devices: the file, members, the measurement of all; devices by hand."""

import json
import os
import sys
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made_device import READINGS, make

from nanogap import cli
from nanogap.campaign import device_member, member
from nanogap.campaign.collect import collect
from nanogap.campaign.estimate import estimate
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import complete_member, steps_and_transmissions
from nanogap.campaign.state import CampaignState
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import read_measurements
from nanogap.io.data_folders import measurement_files
from nanogap.runs.device_run import DeviceRun

AXES = """
repeats = 2
[axes]
"circuit.wire" = [100.0, 300.0]
"""
#: Needles as small as they can be.
SET = """
[set]
"conductance.cache" = "none"
"geometry.base_width" = 12.0
"geometry.height" = 5.0
"geometry.gap" = 5.0
"geometry.fixed_layers" = 1
"geometry.upper_apex_width" = "same"
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return a function that plans a campaign of devices from the lines of a file.

    The reports of members, which take seconds each, are a word.
    """
    monkeypatch.setattr(member, "report_device", lambda _, path: path.write_text("a report"))

    def make_folder(text=AXES + SET, name="camp", base="device-quick"):
        file = tmp_path / f"{name}.toml"
        file.write_text(f'name = "wires"\nbase = "{base}"\n' + text)
        return CampaignFolder.plan(tmp_path / name, file)

    return make_folder


def finish(folder, entries=None):
    """Complete members whose readings are made by hand."""
    for entry in folder.entries if entries is None else entries:
        make(folder.run_path(entry), settings=folder.device_settings(entry))
        assert complete_member(folder, entry)


def run(*arguments):
    """Return the exit status of a command."""
    with mock.patch.object(sys, "argv", ["nanogap", *map(str, arguments)]):
        try:
            cli.main()
        except SystemExit as ended:
            return ended.code
    return 0


def test_a_base_of_devices_makes_devices(plan):
    folder = plan()
    assert folder.kind == "device"
    settings = [folder.device_settings(entry) for entry in folder.entries]
    assert [one.circuit.wire for one in settings] == [100.0, 100.0, 300.0, 300.0]
    assert len({one.seed for one in settings}) == 4
    assert [one.seed for one in settings] == [entry.seed for entry in folder.entries]
    assert len({entry.key for entry in folder.entries}) == 4
    with pytest.raises(DataFormatError, match="its members are no runs"):
        folder.settings(folder.entries[0])
    grown = plan(AXES.replace("2", "3", 1) + SET)
    assert {entry.key for entry in folder.entries} < {entry.key for entry in grown.entries}


def test_a_settings_file_decides_by_its_sections(plan, tmp_path):
    (tmp_path / "mine.toml").write_text("[circuit]\nwire = 250.0\n")
    folder = plan('[axes]\n"protocol.compliance" = [[1e-4, 0.1], [3e-4, 0.1]]', base="mine.toml")
    settings = [folder.device_settings(entry) for entry in folder.entries]
    assert [one.protocol.compliance[0] for one in settings] == [1e-4, 3e-4]
    assert settings[0].circuit.wire == 250.0
    (tmp_path / "bare.toml").write_text("seed = 5\n")
    assert plan("", "silent", base="bare.toml").kind == "run"
    assert plan('kind = "device"', "said", base="bare.toml").kind == "device"


@pytest.mark.parametrize("kind", ["current-sweep", "endurance", "constant-read"])
def test_another_protocol_leaves_nothing_of_the_one_of_the_base(plan, kind):
    folder = plan(f'[axes]\n"protocol.kind" = ["{kind}"]')
    assert folder.device_settings(folder.entries[0]).protocol.kind == kind


def test_the_place_of_the_cache_is_no_other_device(plan, tmp_path):
    one = plan('[set]\n"conductance.cache" = "none"', "one")
    other = plan(f'[set]\n"conductance.cache" = "{tmp_path / "necks"}"', "other")
    assert one.entries[0].key == other.entries[0].key
    assert one.entries[0].seed == other.entries[0].seed


@pytest.mark.usefixtures("only_silver")
@pytest.mark.parametrize(
    ("text", "base", "sentence"),
    [
        ('[axes]\n"structure.gap" = [5.0]', "device-quick", "has members of one kind"),
        ('[set]\n"protocol.rate" = 2.0', "quick", "has members of one kind"),
        ('[axes]\n"base" = ["quick", "device-quick"]', "quick", "members of one kind"),
        ('kind = "run"', "device-quick", "is of simulated devices"),
        ('kind = "device"', "quick", "is of runs of molecular dynamics"),
        ("", "both.toml", r"sections of runs \(structure\) and of devices \(circuit\)"),
        ("[keep]\nsnapshots = 3", "device-quick", "keep.snapshots = 3 is not for devices"),
        ('[set]\n"conductance.cache" = "here"', "device-quick", "give an absolute path"),
        ('[set]\n"medium.name" = "honey"', "device-quick", "honey"),
        ('[set]\n"atoms.energetics" = "mine.json"', "device-quick", "atoms.energetics"),
        ('[set]\n"devices.resistance_spread" = 0.3', "device-quick", "devices.number = 1"),
        ('[axes]\n"geometry.element" = ["Ag", "Pt"]', "device-quick", "Pt"),
        ('[axes]\n"geometry.element" = ["Ag", "Cu"]', "device-quick", "Hamiltonian"),
        ('[set]\n"geometry.element" = "Ag, Pt"', "device-quick", "one metal, that of both tips"),
        ('[axes]\n"geometry.gap" = [7.0, -1.0]', "device-quick", r"geometry.gap = -1.0: must be"),
        (
            '[axes]\n"medium.name" = ["water film", "vacuum"]\n[set]\n"medium.bulk_level" = 0.5',
            "device-quick",
            "medium.bulk_level = 0.5 is given",
        ),
        ('[axes]\n"geometry.apex_width" = [6.0, 60.0]', "device-quick", "must not be above"),
        ('[axes]\n"geometry.roughness" = [0.0, 1.0]', "device-quick", "geometry.roughness"),
        ('[axes]\n"protocol.colour" = [1.0, 2.0]', "device-quick", "protocol.colour"),
        ('[set]\n"protocol.rate" = -2.0', "device-quick", r"protocol.rate = -2.0: must be"),
        ("", "wires", "those of devices device-quick"),
    ],
)
def test_what_cannot_be_a_campaign_of_one_kind_is_refused(plan, tmp_path, text, base, sentence):
    (tmp_path / "both.toml").write_text("[structure]\ngap = 5.0\n[circuit]\nwire = 3.0\n")
    with pytest.raises(SettingsError, match=sentence) as refused:
        plan(text, base=base)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "camp").exists()


def test_a_folder_has_members_of_one_kind(plan):
    plan("", "camp", base="quick")
    with pytest.raises(SettingsError, match=r"is a campaign of runs, and .* is one of devices"):
        plan("", "camp")


def test_a_member_is_packed_and_its_directory_cleared_away(plan):
    folder = plan(f"{AXES}{SET}[keep]\ntrajectories = 2")
    entry = folder.entries[0]
    run = make(folder.run_path(entry), settings=folder.device_settings(entry))
    assert steps_and_transmissions(folder, entry) == READINGS
    alone = run.dataset()
    assert complete_member(folder, entry)
    assert not folder.run_path(entry).exists()
    with xr.open_dataset(folder.result_path(entry), engine="h5netcdf") as result:
        for name in ("time", "voltage", "current", "gap_conductance"):
            assert result[name].to_numpy().tobytes() == alone[name].to_numpy().tobytes()
        assert (result.attrs["member"], result.attrs["points"]) == (entry.key, READINGS)
        assert result.attrs["core_seconds"] > 12.0  # those of the readings made before
        assert "numba" in json.loads(result.attrs["versions"])
    assert folder.trajectory_path(entry).read_bytes().startswith(b"\xfd7zXZ")
    kept = list((folder.path / "trajectories").iterdir())
    assert kept == [folder.trajectory_path(entry)]


def test_a_kept_directory_is_a_whole_one(plan):
    folder = plan(f"{SET}[keep]\nrun_directories = true")
    finish(folder)
    kept = DeviceRun(folder.run_path(folder.entries[0]))
    assert kept.status.state == "finished"
    assert kept.files.measurement.is_file()
    assert kept.files.report.is_file()


def test_a_member_killed_before_its_directory_was_whole_begins_anew(plan, monkeypatch):
    folder = plan(SET)
    entry = folder.entries[0]
    folder.run_path(entry).mkdir()
    begun = []
    monkeypatch.setattr(member, "compute_alone", begun.append)
    monkeypatch.setattr(member, "packed_device", lambda run: run.dataset())
    monkeypatch.setattr(device_member.DeviceRun, "dataset", lambda _: xr.Dataset())
    complete_member(folder, entry)
    assert begun[0].settings == folder.device_settings(entry)


def test_devices_are_told_of_without_what_only_runs_have(plan):
    folder = plan()
    finish(folder, folder.entries[:1])
    running = folder.entries[1]
    make(folder.run_path(running), 50, settings=folder.device_settings(running), finished=False)
    with folder.lock(running):
        content = CampaignState(folder).describe()
    assert (content.kind, content.state, content.finished) == ("device", "running", 1)
    assert content.points == READINGS + 50
    assert content.points_planned == READINGS + 3 * 400
    assert content.time == pytest.approx(8.0 + 1.0)
    assert content.time_planned == pytest.approx(4 * 8.0)
    assert content.hours_left > 0.0
    assert content.first_contact is None
    assert (content.running[0].points, content.running[0].points_planned) == (50, 400)
    assert content.running[0].conductance == [2.0]
    words = content.running[0].words()
    assert words[:2] == ["reading 50 of 400", "1 of 8 s in the laboratory"]
    assert "left" in words[2]
    # one that was interrupted counts with what is on disk
    stopped = CampaignState(folder).describe()
    assert (stopped.state, stopped.points) == ("interrupted", READINGS + 50)
    assert content.dataset is None
    needs = estimate(folder, 2)
    assert (needs.members, needs.measured_on) == (3, 1)
    assert needs.core_hours > 0.0
    assert needs.wall_hours == pytest.approx(needs.core_hours / 2.0)


def test_all_devices_are_one_measurement(plan, capsys):
    folder = plan()
    finish(folder, folder.entries[:3])
    table = folder.path / "table.csv"
    with pytest.raises(DataFormatError, match="campaign collect"):
        measurement_files(folder.path)
    assert run("campaign", "collect", folder.path, "--export", table, "--json") == 0
    collected = json.loads(capsys.readouterr().out)
    assert (collected["members"], collected["planned"]) == (3, 4)
    assert collected["tables"] == {str(table): 3 * READINGS}
    assert measurement_files(folder.path) == [folder.path / "measurement.nc"]
    whole = read_measurements(folder.path)
    assert whole["device_name"].to_numpy().tolist() == ["wires-1", "wires-2", "wires-3"]
    assert np.unique(whole["device"]).tolist() == [1, 2, 3]
    assert whole["circuit.wire"].to_numpy().tolist() == [100.0, 100.0, 300.0]
    assert whole["series_resistance"].to_numpy().tolist() == [400.0, 400.0, 600.0]
    assert whole["series_resistance"].attrs == {"units": "ohm"}
    assert whole["seed"].to_numpy().tolist() == [entry.seed for entry in folder.entries[:3]]
    assert whole["key"].to_numpy().tolist() == [entry.key for entry in folder.entries[:3]]
    assert whole.sizes == {**whole.sizes, "point": 3 * READINGS, "source": 3}
    assert {"circuit.wire", "device_name"} <= set(table.read_text().splitlines()[0].split(","))
    # a member that finishes later is not left out in silence
    finish(folder, folder.entries[3:])
    os.utime(folder.result_path(folder.entries[3]), ns=(2**62, 2**62))
    with pytest.raises(DataFormatError, match="1 member has finished since"):
        measurement_files(folder.path)


def test_members_of_several_devices_are_devices_each(plan):
    folder = plan(f'{AXES}{SET}"devices.number" = 2\n"devices.resistance_spread" = 0.3\n')
    finish(folder, folder.entries[:2])
    collect(folder)
    whole = read_measurements(folder.path)
    names = ["wires-1-1", "wires-1-2", "wires-2-1", "wires-2-2"]
    assert whole["device_name"].to_numpy().tolist() == names
    found = whole["series_resistance"].to_numpy()
    members = [
        one for entry in folder.entries[:2] for one in folder.device_settings(entry).members()
    ]
    assert found.tolist() == [one.circuit.series.parasitic for one in members]
    assert len(set(found)) == 4


def test_axes_of_lists_are_words(plan):
    folder = plan('[axes]\n"protocol.compliance" = [[1e-4, 0.1], [3e-4, 0.1]]\n' + SET)
    finish(folder)
    collect(folder)
    values = read_measurements(folder.path)["protocol.compliance"].to_numpy().tolist()
    assert values == ["[0.0001, 0.1]", "[0.0003, 0.1]"]


@pytest.mark.parametrize(
    "command", [("histogram",), ("switching",), ("plateaus",), ("retention",), ("noise",)]
)
def test_the_commands_for_measured_data_read_it(plan, tmp_path, capsys, command):
    steady = 0.1 if command[0] in ("retention", "noise") else None
    readings = 200 if steady else READINGS  # noise needs 128
    folder = plan()
    for entry in folder.entries[::2]:
        settings = folder.device_settings(entry)
        make(folder.run_path(entry), readings, settings=settings, steady=steady)
        complete_member(folder, entry)
    assert run("campaign", "collect", folder.path) == 0
    capsys.readouterr()
    assert run(*command, folder.path, "--json") == 0
    told = capsys.readouterr().out
    assert "wires-1" in told
    assert "wires-3" in told
    # each with the resistance of its own circuit
    assert run(*command, folder.path, "--series-resistance", "circuit", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    found = {name: one["resistance"] for name, one in content["series_resistance"].items()}
    assert found == {"wires-1": 400.0, "wires-3": 600.0}
    # beside another measurement
    other = make(tmp_path / "other", readings, steady=steady)
    other.write()
    assert run(*command, folder.path, tmp_path / "other", "--json") == 0


def test_status_in_words(plan, capsys):
    folder = plan()
    finish(folder, folder.entries[:1])
    assert run("campaign", "status", folder.path) == 0
    told = "".join(capsys.readouterr())
    page = folder.state_page.read_text()
    for text in (told, page):
        assert "readings so far" in text
        assert f"{READINGS} of {READINGS + 3 * 400}" in text
        assert "8 of 32 s in the laboratory" in text
        assert "first contact" not in text
        assert "snapshot" not in text
        assert "conductances so far" not in text
