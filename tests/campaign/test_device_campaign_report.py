"""The report of a campaign of devices, and its analyses by what was varied; devices by hand."""

import csv
import json
import re

import numpy as np
import pytest
import xarray as xr
from tests.campaign.test_device_campaign import AXES, SET, finish, plan, run
from tests.runs.hand_made_device import READINGS, make

from nanogap.campaign.device_page import write_device_campaign_report
from nanogap.campaign.device_statistics import _analyses
from nanogap.campaign.folder import CampaignFolder
from nanogap.errors import SettingsError

__all__ = ["plan"]


def test_one_page_of_all_devices(plan, capsys):
    folder = plan()
    finish(folder, folder.entries[:3])
    assert run("campaign", "report", folder.path, "--figures", folder.path / "pdf", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["members"], content["planned"], content["devices"]) == (3, 4, 3)
    assert content["protocol"] == "voltage-sweep"
    assert content["axes"] == {"circuit.wire": [100.0, 300.0]}
    # what is in series is subtracted, so that the levels are those of the gap
    counts, edges = (
        np.array(content["histogram"]["counts"]),
        np.array(content["histogram"]["edges"]),
    )
    centres = 0.5 * (edges[:-1] + edges[1:])[(counts > 0) & (edges[:-1] > 0.5)]
    assert centres == pytest.approx([1.0, 2.0], abs=0.03)
    assert content["histogram"]["low"] is None  # three devices are too few
    (groups,) = content["analyses"]["switching"]
    voltages = [one for one in groups["groups"] if one["quantity"] == "SET voltage, positive"]
    assert [(one["value"], one["devices"], one["low"]) for one in voltages] == [
        (100.0, 2, None),
        (300.0, 1, None),
    ]
    page = folder.report.read_text()
    for text in ("3 of 4", "circuit.wire", "too few", "campaign run campaign.toml", "wires-3"):
        assert text in page
    # links lead to files that are there
    links = [one for one in re.findall('href="([^"#]+)"', page) if not one.startswith("http")]
    assert len([one for one in links if one.endswith(".html")]) == 3
    assert all((folder.path / one).is_file() for one in links)
    with (folder.path / "report-curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * READINGS
    assert {row["device_name"] for row in rows} == {"wires-1", "wires-2", "wires-3"}
    assert {row["circuit.wire"] for row in rows} == {"100.0", "300.0"}
    with (folder.path / "report-numbers.csv").open() as file:
        numbers = list(csv.DictReader(file))
    assert {row["device"] for row in numbers} == {"all", "wires-1", "wires-2", "wires-3"}
    assert {path.suffix for path in (folder.path / "pdf").iterdir()} == {".pdf"}


def test_a_driven_current_is_cut_into_plateaus_whatever_its_shape():
    swept = xr.Dataset(attrs={"driven": "current"})
    assert _analyses("waveform", swept) == _analyses("current-sweep", swept) == ("plateaus",)
    assert _analyses("waveform", xr.Dataset(attrs={"driven": "voltage"})) == ()


def test_intervals_and_bands_need_six_devices(plan):
    folder = plan(AXES.replace("2", "6", 1) + SET)
    finish(folder)
    written = write_device_campaign_report(folder.path)
    assert len(written.summary.histogram.low) == len(written.summary.histogram.counts)
    assert "too few for" not in written.path.read_text()


def test_a_campaign_that_varies_nothing_has_one_group(plan):
    folder = plan(SET)
    finish(folder)
    (grouping,) = write_device_campaign_report(folder.path).summary.analyses["switching"]
    assert grouping.values == ["all devices"]


@pytest.mark.parametrize("kept", ["none", "all"])
def test_reports_of_devices_are_kept_as_asked(plan, kept):
    folder = plan(f'{SET}[keep]\nreports = "{kept}"')
    finish(folder)
    assert (folder.member_report(folder.entries[0].key) is not None) == (kept == "all")
    page = write_device_campaign_report(folder.path).path.read_text()
    assert ("report of this device" in page) == (kept == "all")


def test_the_measurement_alone_has_a_report(plan, tmp_path, capsys):
    folder = plan()
    finish(folder)
    assert run("campaign", "collect", folder.path) == 0
    alone = tmp_path / "alone.nc"
    alone.write_bytes(folder.dataset.read_bytes())
    capsys.readouterr()
    assert run("campaign", "report", alone, "-o", tmp_path / "page.html", "--json") == 0
    assert json.loads(capsys.readouterr().out)["members"] == 4
    assert (tmp_path / "page-curves.csv").is_file()


@pytest.mark.parametrize("option", [("--measured", "x.csv"), ("--add-resistance", "5")])
def test_a_report_of_devices_refuses_what_is_for_runs(plan, capsys, option):
    folder = plan()
    assert run("campaign", "report", folder.path, *option) == 2
    assert f"{option[0]} would change nothing" in capsys.readouterr().err


def test_reports_are_kept_of_devices_only(plan):
    with pytest.raises(SettingsError, match=r"keep\.reports = 'all' is for devices"):
        plan('[keep]\nreports = "all"', base="quick")


STEADY = ("retention", "noise")


@pytest.mark.parametrize("command", ["histogram", "switching", "plateaus", "retention", "noise"])
def test_analyses_group_by_what_was_varied(plan, tmp_path, capsys, command):
    folder = plan()
    for entry in folder.entries:
        steady = 0.1 if command in STEADY else None
        settings = folder.device_settings(entry)
        make(folder.run_path(entry), 200 if steady else READINGS, settings=settings, steady=steady)
        finish_made(folder, entry)
    assert run("campaign", "collect", folder.path) == 0
    capsys.readouterr()
    by = ("--by", "circuit.wire")
    figure, table = tmp_path / "by.png", tmp_path / "by.csv"
    assert run(command, folder.path, *by, "-o", figure, "--export", table, "--json") == 0
    grouping = json.loads(capsys.readouterr().out)["by"]
    assert grouping["values"] == [100.0, 300.0]
    assert {one["devices"] for one in grouping["groups"]} == {2}
    assert {one["device"] for one in grouping["devices"]} == {f"wires-{n}" for n in (1, 2, 3, 4)}
    assert figure.read_bytes().startswith(b"\x89PNG")
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["value"] for row in rows} == {"100.0", "300.0"}
    assert run(command, folder.path, *by) == 0
    assert "By circuit.wire" in "".join(capsys.readouterr())
    assert run(command, folder.path, "--by", "protocol.rate") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--by protocol.rate" in told
    assert "it varied circuit.wire" in told


def finish_made(folder, entry):
    """Complete a member whose readings are there."""
    from nanogap.campaign.member import complete_member

    assert complete_member(CampaignFolder(folder.path), entry)


def test_device_directories_group_by_any_setting(tmp_path, capsys):
    from nanogap.settings.device import load_device_settings

    small = ["geometry.base_width=12", "geometry.height=5", "geometry.fixed_layers=1"]
    small += ["geometry.upper_apex_width=same", "geometry.gap=5"]
    for rate in (1.0, 4.0):
        settings = load_device_settings("device-quick", [*small, f"protocol.rate={rate}"])
        make(tmp_path / f"d{rate:g}", settings=settings)
    folders = [tmp_path / "d1", tmp_path / "d4"]
    assert run("switching", *folders, "--by", "protocol.rate", "--json") == 0
    assert json.loads(capsys.readouterr().out)["by"]["values"] == [1.0, 4.0]
    assert run("switching", *folders, "--by", "protocol.colour") == 2
    assert "no such setting" in capsys.readouterr().err


def test_a_set_of_the_other_polarity_is_no_part_of_the_mean(plan, monkeypatch):
    from nanogap.analysis import SwitchingAnalysis

    volts = np.array([1.5, -1.2])
    monkeypatch.setattr(SwitchingAnalysis, "set_voltages", property(lambda _: volts))
    folder = plan(SET)
    finish(folder)
    (grouping,) = write_device_campaign_report(folder.path).summary.analyses["switching"]
    found = {row.quantity: row.mean for row in grouping.groups}
    assert found["SET voltage, positive"] == 1.5
    assert found["SET voltage, negative"] == -1.2
