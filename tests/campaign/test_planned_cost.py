"""The campaign of the paper, and what it costs before it begins."""

import pytest
from tests.campaign.synthetic import rewiring

from nanogap.campaign.estimate import first_member_seconds, planned_cost
from nanogap.campaign.file import campaign_from_text, campaign_preset
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.plan import base_settings, members
from nanogap.io import write_dataset
from nanogap.settings import load_settings


def test_the_members_are_the_runs_of_the_paper_but_for_engine_and_time_step(tmp_path):
    campaign = campaign_from_text(campaign_preset("paper"), "preset")
    planned = [one.settings for one in members(campaign, base_settings(campaign, tmp_path))]
    assert len({settings.seed for settings in planned}) == len(planned) == 6
    changes = {"dynamics.engine": "native", "dynamics.time_step": 4.0}
    for settings in planned:
        preset = f"paper-{settings.voltage.applied:g}v"
        same = load_settings(preset, {**changes, "seed": settings.seed, "name": "paper"})
        assert settings == same


def test_a_campaign_of_the_papers_size_says_what_it_costs(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(campaign_preset("paper"))
    cost = planned_cost(CampaignFolder.plan(tmp_path / "camp", file))
    assert cost.members == 6
    assert cost.snapshots == pytest.approx(6 * 349.8, abs=1)
    # 762 500 steps of 2 774 atoms at 2.5 us
    assert cost.dynamics_hours == pytest.approx(6 * 762_500 * 2774 * 2.5e-6 / 3600.0, rel=0.02)
    assert "6 members will take about 9.4 core-hours (dynamics 8.8, 2099" in cost.sentence()


def test_what_is_measured_needs_no_guess(make_folder):
    folder = make_folder("repeats = 2\n")
    assert planned_cost(folder).members == 2
    write_dataset(rewiring(0, length=6), folder.result_path(folder.entries[0]))
    assert planned_cost(folder) is None


def test_without_a_transmission_the_dynamics_is_all(make_folder):
    folder = make_folder('[set]\n"transport.hamiltonian" = "none"\n')
    cost = planned_cost(folder)
    assert cost.transport_hours == 0.0
    assert "transmissions" not in cost.sentence()


def test_the_preset_is_written_and_its_cost_told_before_it_is_refused(call, tmp_path):
    file = tmp_path / "paper.toml"
    call("campaign", "new", file, "--preset", "paper")
    assert file.read_text() == campaign_preset("paper")
    told = call("campaign", "run", file, "-o", tmp_path / "camp", status=2).err
    assert "6 members will take about 9.4 core-hours" in told
    assert "--yes" in told
    failed = call("campaign", "new", tmp_path / "b.toml", "--preset", "none", status=2)
    assert "choose from paper" in failed.err


def test_pairs_at_constant_potential_cost_as_much_in_both_guesses(make_folder):
    changes = '"dynamics.engine" = "eam"\n"voltage.mode" = "constant-potential"\n'
    folder = make_folder(f'[set]\n"transport.hamiltonian" = "none"\n{changes}')
    hours = planned_cost(folder).dynamics_hours
    assert hours == pytest.approx(first_member_seconds(folder) / 3600.0)
