"""The subcommands for campaigns: what they print, and what they refuse."""

import json

import pytest
from tests.campaign.synthetic import rewiring

from nanogap.campaign import drive as driving
from nanogap.campaign.costs import Outcome
from nanogap.campaign.estimate import Estimate
from nanogap.campaign.folder import CampaignFolder
from nanogap.io import write_dataset


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
    made = Outcome(1.0, 1, 0.9)
    monkeypatch.setattr("nanogap.campaign.state.result_outcome", lambda *_: made)
    monkeypatch.setattr("nanogap.campaign.estimate.estimate", lambda *_: needs)
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


def _needs(monkeypatch, hours):
    """Let a campaign of three have one finished member, and need so many hours for the rest."""
    needs = Estimate(2, 2.0 * hours, hours, 3e6, 2e8, 1)
    begun = []
    monkeypatch.setattr(driving, "estimate", lambda *_: needs)
    monkeypatch.setattr(driving, "_run", lambda *_: begun.append(True))
    monkeypatch.setattr(CampaignFolder, "finished", lambda self: self.entries[:1])
    made = Outcome(1.0, 1, 0.9)
    monkeypatch.setattr("nanogap.campaign.state.result_outcome", lambda *_: made)
    monkeypatch.setattr("nanogap.campaign.estimate.estimate", lambda *_: needs)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    return begun


@pytest.mark.parametrize("as_json", [False, True])
def test_hours_of_work_do_not_begin_unasked_without_a_terminal(
    nanogap, workplace, monkeypatch, as_json
):
    (workplace / "c.toml").write_text('base = "quick"\nrepeats = 3')
    begun = _needs(monkeypatch, 5.0)
    arguments = ("campaign", "run", "c.toml", "-o", "camp", *(["--json"] if as_json else []))
    outcome = nanogap(*arguments)
    assert outcome.status == 2
    assert begun == []
    last = outcome.err.splitlines()[-1]
    assert last.startswith("nanogap: this takes about 5.0 h, and there is no terminal to ask")
    assert last.endswith("give --yes")
    assert "2 members are left" in outcome.err
    if as_json:
        assert json.loads(outcome.out)["finished"] == 1
    assert nanogap(*arguments, "--yes").status == 0
    assert begun == [True]


def test_minutes_of_work_begin_without_a_terminal(nanogap, workplace, monkeypatch):
    (workplace / "c.toml").write_text('base = "quick"\nrepeats = 3')
    begun = _needs(monkeypatch, 0.1)
    assert nanogap("campaign", "run", "c.toml", "-o", "camp").status == 0
    assert begun == [True]


def test_a_first_member_of_hours_does_not_begin_unasked(nanogap, workplace, monkeypatch):
    (workplace / "c.toml").write_text('base = "paper-8v"\nrepeats = 3')
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr(driving, "_run", lambda *_: pytest.fail("it began"))
    outcome = nanogap("campaign", "run", "c.toml", "-o", "camp")
    assert outcome.status == 2
    assert "The first member alone will take about" in outcome.err
    assert "give --yes" in outcome.err.splitlines()[-1]


def test_the_report_goes_where_it_is_asked_for(nanogap, workplace):
    (workplace / "c.toml").write_text('base = "quick"')
    folder = CampaignFolder.plan(workplace / "camp", workplace / "c.toml")
    write_dataset(rewiring(0, length=6), folder.result_path(folder.entries[0]))
    outcome = nanogap("campaign", "report", "camp", "-o", "page.html", "--json")
    assert outcome.status == 0
    assert json.loads(outcome.out)["report"] == "page.html"
    assert (workplace / "page.html").is_file()
    assert not folder.report.exists()
    alone = nanogap("campaign", "report", "camp/dataset.nc", "--json")
    assert json.loads(alone.out)["report"] == "report.html"
    assert json.loads(alone.out)["members"] == 1
