"""The subcommands for campaigns: what they print, and what they refuse."""

import json

import pytest

from nanogap.campaign import drive as driving
from nanogap.campaign.collect import ResultAttributes
from nanogap.campaign.estimate import Estimate
from nanogap.campaign.folder import CampaignFolder


def test_a_new_campaign_file_is_a_campaign(nanogap, workplace):
    outcome = nanogap("campaign", "new", "mine.toml", "--json")
    assert json.loads(outcome.out) == {"campaign": "mine.toml"}
    folder = CampaignFolder.plan(workplace / "camp", workplace / "mine.toml")
    assert len(folder.entries) == 16
    assert nanogap("campaign", "new", "mine.toml").status == 2


def test_the_question_can_be_declined(nanogap, workplace, monkeypatch):
    """A campaign whose first member is there stops at the question, and says how to go on."""
    (workplace / "c.toml").write_text('base = "quick"\nrepeats = 3')
    needs = Estimate(2, 5.0, 2.5, 3e6, 2e8, 1)
    asked = []
    monkeypatch.setattr(driving, "estimate", lambda *_: needs)
    monkeypatch.setattr(CampaignFolder, "finished", lambda self: self.entries[:1])
    made = ResultAttributes("{}", "{}", 1.0, 0.5, 1e8, 1e6, 1, 0.9)
    monkeypatch.setattr("nanogap.campaign.state.result_attributes", lambda _: made)
    monkeypatch.setattr("nanogap.campaign.state.estimate", lambda *_: needs)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *words, **_: asked.append(words) or False)
    outcome = nanogap("campaign", "run", "c.toml", "-o", "camp")
    assert outcome.status == 0
    assert len(asked) == 1
    assert "5 core-hours" in " ".join(outcome.err.split())
    assert "campaign resume camp" in " ".join(outcome.err.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "none.toml", "-o", "camp"), ["none.toml", "campaign new"]),
        (("resume", "nowhere"), ["nowhere", "no campaign folder"]),
        (("status", "nowhere"), ["nowhere", "no campaign folder"]),
        (("collect", "nowhere"), ["nowhere", "no campaign folder"]),
        (("report", "nowhere"), ["nowhere", "no campaign folder"]),
        (("status", "camp", "--watch", "--json"), ["--watch", "--json"]),
        (("collect", "camp", "--export", "table.xls"), ["--export", ".csv"]),
        (("collect", "camp"), ["no member is finished"]),
        (("report", "camp", "--add-resistance", "10"), ["--measured"]),
        (
            ("report", "camp", "--add-resistance", "10", "--series-resistance", "5"),
            ["one of"],
        ),
        (("new", "file.txt"), [".toml"]),
        (("run", "bad.toml", "-o", "other"), ["bad.toml", "repeats = 0"]),
        (("run", "good.toml", "-o", "full"), ["full", "no campaign folder"]),
    ],
)
def test_a_wrong_input_is_one_sentence(nanogap, workplace, arguments, words):
    (workplace / "good.toml").write_text('base = "quick"')
    (workplace / "bad.toml").write_text('base = "quick"\nrepeats = 0')
    (workplace / "full").mkdir()
    (workplace / "full" / "mine").write_text("")
    CampaignFolder.plan(workplace / "camp", workplace / "good.toml")
    outcome = nanogap("campaign", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("nanogap: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err
    assert not (workplace / "other").exists()
