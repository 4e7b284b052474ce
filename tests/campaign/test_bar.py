"""Progress of a campaign at the command line."""

import io

from rich.console import Console

from nanogap.campaign.executor import CampaignProgress
from nanogap.campaign.state import CampaignState
from nanogap.cli import campaign, common


def test_the_bar_of_a_finished_campaign_says_nothing_runs(make_folder, monkeypatch):
    clock = iter(range(0, 10**6, 31))
    monkeypatch.setattr(common.time, "monotonic", lambda: float(next(clock)))
    out = io.StringIO()
    for module in (common, campaign):
        monkeypatch.setattr(module, "log", Console(file=out, width=200))
    folder = make_folder("repeats = 4\n")
    with campaign.members_bar(folder, CampaignState(folder)) as (watch, bars):
        watch(CampaignProgress(4, 1, 2, 0))
        assert bars.tasks[0].description == "members (2 running)"
        watch(CampaignProgress(4, 3, 1, 1, 1))
        assert bars.tasks[0].description == "members (1 waiting in the queue, 1 given up)"
    assert bars.tasks[0].description == "members"
    assert "members: 3 of 4 (75 %)" in out.getvalue()
    assert "running" not in out.getvalue()
