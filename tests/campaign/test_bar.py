"""Progress of a campaign at the command line."""

import io

import pytest
from rich.console import Console

import nanogap.campaign.drive
from nanogap.campaign.estimate import Estimate
from nanogap.campaign.executor import CampaignProgress
from nanogap.campaign.state import CampaignState
from nanogap.cli import campaign, common
from nanogap.errors import DataFormatError


@pytest.fixture
def shown(monkeypatch):
    """Text that goes to stderr, where that is no terminal."""
    out = io.StringIO()
    for module in (common, campaign):
        monkeypatch.setattr(module, "log", Console(file=out, width=200))
    return out


def test_the_bar_of_a_finished_campaign_says_nothing_runs(make_folder, shown, monkeypatch):
    clock = iter(range(0, 10**6, 31))
    monkeypatch.setattr(common.time, "monotonic", lambda: float(next(clock)))
    folder = make_folder("repeats = 4\n")
    with campaign.members_bar(folder, CampaignState(folder)) as (watch, bars):
        watch(CampaignProgress(4, 1, 2, 0))
        assert bars.tasks[0].description == "members (2 running)"
        watch(CampaignProgress(4, 3, 1, 1, 1))
        assert bars.tasks[0].description == "members (1 waiting in the queue, 1 given up)"
    assert bars.tasks[0].description == "members"
    assert "members: 3 of 4 (75 %)" in shown.getvalue()
    assert "running" not in shown.getvalue()


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataFormatError("no locks")])
def test_an_end_before_the_first_member_shows_no_bar(make_folder, shown, monkeypatch, error):
    """The error, and how to go on, are said by whoever called: once, below the cost alone."""

    def drive(*_):
        raise error

    monkeypatch.setattr(nanogap.campaign.drive, "drive", drive)
    folder = make_folder("repeats = 4\n")
    with pytest.raises((KeyboardInterrupt, DataFormatError)):
        campaign._drive(folder, retry_failed=False, yes=True, as_json=False)  # noqa: SLF001
    (told,) = shown.getvalue().splitlines()
    assert told.startswith("4 members will take about")


def test_needs_are_said_in_units_that_fit():
    needs = Estimate(3, 0.0045, 0.0022, 2.04e6, 0.36e9, 1)
    assert "about 0.0045 core-hours, 8 s here" in needs.sentence()
