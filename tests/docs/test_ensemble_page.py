"""The pages of the ensemble and of the first contact say what their data say."""

import json
from pathlib import Path

import numpy as np
import pytest
from docs.build import ensemble_page, page_tables

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.filament.contact import first_contacts
from nanogap.campaign.file import read_campaign_file
from nanogap.campaign.member import packed
from nanogap.campaign.plan import base_settings, members
from nanogap.runs.alone import open_or_create, run_alone

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = ROOT / "docs" / "data" / "ensemble.toml"
METALS = ROOT / "docs" / "data" / "first-contact-metals.toml"


@pytest.fixture(scope="module")
def found():
    return ensemble_page.Findings()


@pytest.mark.parametrize("name", ["ensemble.md", "first-contact.md"])
def test_the_tables_of_the_pages_are_those_of_the_data(found, name):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    tables = ensemble_page.TABLES[name]
    assert page.count("<!-- table ") == len(tables)
    assert page_tables.filled(page, tables, found) == page


def test_the_stored_metals_are_those_of_their_file(found):
    """Seeds are spawned from the settings, so that they tell one campaign from another."""
    campaign, _ = read_campaign_file(METALS)
    planned = list(members(campaign, base_settings(campaign, METALS.parent)))
    settings = {one.settings.seed: one.settings for one in planned}
    assert found.metals["seed"].to_numpy().tolist() == list(settings)
    elements = [one.structure.element for one in settings.values()]
    assert found.metals["structure.element"].to_numpy().tolist() == elements
    for one in found.thermopower["contacts"].values():
        assert settings[one["seed"]].structure.element == one["element"]


def test_what_is_said_of_the_bonds_in_contact_is_that_of_the_data(found):
    """Gold's bonds shorten and conduct more; both metals come near PWCOND's dimers."""
    length, g = ensemble_page.bonds_in_contact(found, "Au")
    near, nearer = (length >= 3.2) & (length < 3.4), length < 3.2
    assert g[near].mean() == pytest.approx(0.78, abs=0.01)
    assert g[nearer].mean() == pytest.approx(0.87, abs=0.01)
    assert g[near].std() == pytest.approx(0.04, abs=0.01)
    contacts = first_contacts(found.metals)
    rows = np.arange(len(contacts.snapshot))
    first = found.metals["minimax_gap"].to_numpy()[rows, contacts.snapshot]
    gold = found.metals["structure.element"].to_numpy() == "Au"
    assert first[gold].min() >= 3.35
    assert first[gold].max() < 3.6
    assert first[~gold] == pytest.approx(2.6, abs=0.1)


def test_conductances_for_the_thermopower_are_those_of_the_campaign(found):
    """T at the Fermi energy, computed anew from the atoms of the first contacts."""
    contacts = first_contacts(found.metals)
    of_campaign = dict(zip(found.metals["seed"].to_numpy(), contacts.conductance, strict=True))
    one_by_one = found.thermopower["contacts"].values()
    assert len(one_by_one) == contacts.made.sum()
    for one in one_by_one:
        at_fermi_energy = one["transmission"][one["energies"].index(0.0)]
        assert at_fermi_energy == pytest.approx(of_campaign[one["seed"]], abs=2e-3)
        assert one["conductance"] == pytest.approx(at_fermi_energy, abs=0.05)


def test_the_campaign_used_the_cores_and_made_more_points_than_promised(found):
    calm = found.trials["calm"]
    best = np.mean(calm["alone_core_seconds"]) * calm["members"] / calm["cores"]
    assert best / calm["wall_seconds"] == pytest.approx(calm["efficiency"])
    assert calm["efficiency"] >= 0.9
    assert np.isfinite(found.ensemble["transmission"]).sum() == calm["points"] > 20_000


@pytest.mark.parametrize(
    ("folder", "members"), [("killed", 32), ("slurm", 32), ("killed-often", 2), ("walltime", 2)]
)
def test_neither_kills_nor_a_cluster_changed_a_bit(found, folder, members):
    trial = found.trials[folder]
    assert trial["finished"] + len(trial["given_up"]) == members
    same = found.trials["same"][folder]
    assert same["different"] == []
    assert same["members"] == members
    if "killed" in folder:
        assert trial["kills"] == {"member": 10, "driver": 10}
    if folder == "walltime":
        assert trial["jobs_out_of_time"] >= members


def test_a_band_of_members_holds_one_peak_and_points_as_if_independent_six(found):
    assert len(found.statistics.peaks) == 1
    points = found.statistics.points.of(found.statistics.points.bridged)
    alone = ConductanceHistogram(0.05, 10.0).compute(
        points.conductance, points.weight, np.arange(len(points.conductance))
    )
    assert len(alone.peaks) == 6


def test_what_the_readme_says_of_bottlenecks_is_that_of_the_data(found):
    means = [one.mean for one in found.statistics.bottleneck.classes]
    assert means[0] == pytest.approx(1.19, abs=0.005)
    assert np.diff(means[:4]) == pytest.approx([0.7, 0.7, 0.65], abs=0.05)


def test_the_stored_campaign_is_the_one_of_its_file(found):
    campaign, _ = read_campaign_file(CAMPAIGN)
    planned = list(members(campaign, base_settings(campaign, CAMPAIGN.parent)))
    assert [one.settings.seed for one in planned] == found.ensemble["seed"].to_numpy().tolist()
    stored = json.loads(found.ensemble.attrs["settings_of_first"])
    now = planned[0].settings.model_dump(mode="json")
    for part in ("structure", "dynamics", "voltage", "transport"):
        shared = stored[part].keys() & now[part].keys()
        assert {key: now[part][key] for key in shared} == {key: stored[part][key] for key in shared}


@pytest.mark.engine
def test_the_beginning_of_a_member_can_be_repeated(found, tmp_path):
    """Ten snapshots: rounding has no time to grow."""
    campaign, _ = read_campaign_file(CAMPAIGN)
    first = next(iter(members(campaign, base_settings(campaign, CAMPAIGN.parent)))).settings
    dynamics = first.dynamics.model_copy(update={"production_time": 288.0})
    settings = first.model_copy(update={"dynamics": dynamics})
    run = open_or_create(tmp_path / "run", settings, "test")
    run_alone(run)
    again, stored = packed(run, settings), found.ensemble.isel(member=0)
    assert again.sizes["snapshot"] == 10
    for name, error in (("time", 1e-6), ("transmission", 1e-2)):
        assert again[name].to_numpy() == pytest.approx(stored[name].to_numpy()[:10], rel=error)
