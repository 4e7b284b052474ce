"""The kinetics page says what its data say, and a run of the data can be repeated."""

import json
from pathlib import Path

import numpy as np
import pytest
from docs.build import kinetics_forces, kinetics_page, kinetics_runs, page_tables

from nanogap.analysis.filament.kinetics import event_rate
from nanogap.campaign.file import read_campaign_file
from nanogap.campaign.plan import base_settings, members
from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.start import build_tips
from nanogap.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def runs():
    path = ROOT / "docs" / "data" / "kinetics.json"
    return kinetics_runs.Runs(json.loads(path.read_text(encoding="utf-8")))


def settings_of(content, run):
    """Settings of one run of the data file."""
    table = json.loads(json.dumps(content["settings"])) | {"seed": run["seed"], "name": "again"}
    table["structure"] |= {"gap": run["gap"], "lattice_constant": run["lattice_constant"]}
    table["dynamics"] |= {"temperature": run["temperature"]}
    table["voltage"] |= {"applied": run["voltage"]}
    return Settings.model_validate(table)


def test_the_tables_of_the_page_are_those_of_the_data(runs):
    page = (ROOT / "docs" / "kinetics.md").read_text(encoding="utf-8")
    tables = kinetics_page.TABLES
    assert page.count("<!-- table ") == len(tables)
    assert page_tables.filled(page, tables, runs) == page


def test_the_conclusion_is_that_of_the_data(runs):
    """Higher is faster, the sign does not matter, and the counts in the first paragraph."""
    found = kinetics_runs.findings(runs)
    assert found["voltage"].low > 0.0
    assert found["voltage"].log_rank == pytest.approx(8e-9, rel=0.1)
    interval = np.exp([found["polarity"].low, found["polarity"].high])
    assert interval == pytest.approx([0.54, 3.4], abs=0.05)
    axis = {"gap": 6.0, "temperature": 800.0}
    counts = [
        (sum(run["contact"] for run in some), len(some))
        for some in (runs.where(**axis, voltage=v) for v in ((0.0, 1.0, 2.0), 4.0, (8.0, -8.0)))
    ]
    assert counts == [(3, 30), (2, 10), (18, 20)]


def test_every_run_has_a_seed_of_its_own_and_ends_when_it_says(runs):
    assert len({run["seed"] for run in runs.all}) == len(runs.all)
    limit = runs.content["settings"]["dynamics"]["production_time"] / 1000.0
    for run in runs.all:
        assert 0.0 <= run["time"] <= limit
        assert run["contact"] or run["time"] == limit


def test_every_point_has_ten_runs(runs):
    points = runs.points()
    assert len(points) == 18
    assert all(len(group) >= 10 for group in points.values())


@pytest.mark.parametrize("name", ["voltage", "gap", "temperature"])
def test_the_campaign_files_are_those_of_the_runs(runs, name):
    """Same points; and the same settings, but for keys that came later."""
    path = ROOT / "docs" / "data" / f"kinetics-{name}.toml"
    campaign, _ = read_campaign_file(path)
    planned = list(members(campaign, base_settings(campaign, path.parent)))
    points = {
        (m.settings.dynamics.temperature, m.settings.structure.gap, m.settings.voltage.applied)
        for m in planned
    }
    made = [run for run in runs.all if run["campaign"] == campaign.name]
    assert made
    assert {(run["temperature"], run["gap"], run["voltage"]) for run in made} <= points
    for member in planned[:1]:
        dynamics = member.settings.model_dump(mode="json")["dynamics"]
        stored = runs.content["settings"]["dynamics"]
        assert {key: dynamics[key] for key in stored if key in dynamics} | {
            "temperature": None
        } == stored | {"temperature": None}


@pytest.mark.validation
def test_forces_of_a_voltage_go_as_its_square_whatever_its_sign(runs):
    """As between the plates of a capacitor: eps0 E^2 / 2."""
    at_gap = {row["voltage"]: row for row in runs.content["forces"] if row["gap"] == 6.0}
    for voltage, row in at_gap.items():
        assert row["pull"] == pytest.approx(at_gap[1.0]["pull"] * voltage**2, rel=1e-3)
        assert row["charge_top"] == pytest.approx(at_gap[1.0]["charge_top"] * voltage, rel=1e-4)
        # 8.854e-12 F/m / 2 (1e10 V/m)^2 = 4.427e8 Pa at 1 V/Å
        assert row["plate_pressure"] == pytest.approx(0.4427 * (voltage / 6.0) ** 2, rel=1e-3)


@pytest.mark.engine
def test_the_measured_pull_can_be_measured_again(runs):
    run = runs.where(gap=6.0, temperature=800.0)[0]
    (row,) = kinetics_forces.pulls(settings_of(runs.content, run), (8.0,))
    stored = next(r for r in runs.content["forces"] if (r["gap"], r["voltage"]) == (6.0, 8.0))
    assert row == pytest.approx(stored, rel=1e-3)


@pytest.mark.engine
def test_the_fastest_run_can_be_repeated(runs, tmp_path):
    """Within a picosecond or two, rounding has no time to grow into another contact."""
    run = min((run for run in runs.all if run["contact"] and run["time"]), key=lambda r: r["time"])
    settings = settings_of(runs.content, run)
    simulation = Simulation(build_tips(settings), settings, folder=tmp_path)
    while simulation.progress.first_contact_step is None and not simulation.finished:
        simulation.advance()
        checkpoint = tmp_path / f"step-{simulation.progress.step}"
        checkpoint.mkdir()
        simulation.save(checkpoint)
    contact = simulation.progress.first_contact_step
    simulation.close()
    dynamics = settings.dynamics
    time = contact * dynamics.time_step - dynamics.equilibration_time
    assert time == pytest.approx(1000.0 * run["time"], abs=dynamics.contact_sampling_interval)


def test_rates_of_the_points_hold_the_contacts_that_were_seen(runs):
    """Expected contacts at the rate found are those seen: maximum likelihood, point by point."""
    for group in runs.points().values():
        times = kinetics_runs.waiting(group)
        rate = event_rate(times)
        assert rate.value * times.exposure == pytest.approx(times.events)
        assert rate.low <= rate.value <= rate.high
        assert np.isfinite(rate.high)
