"""Plans that last: what a campaign needs lies in its folder, and later versions go on with it."""

import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydantic import Field

from nanogap.campaign import kinds
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import joined_versions
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_dataset
from nanogap.settings import Settings
from nanogap.settings import load as loading
from nanogap.settings.models import DynamicsSettings

BASE = "[voltage]\napplied = 3.5\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a campaign file, its base and a Hamiltonian; the current one is another."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "tiny.toml").write_text(BASE)
    packaged = files("nanogap.transport") / "data" / "hamiltonian_ag.toml"
    (folder / "h.toml").write_text(packaged.read_text())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


def write(place, text, name="c.toml"):
    path = place / name
    path.write_text(text)
    return path


def finish(folder, entry):
    """Store a result as a member would, with the settings that made it."""
    made = xr.Dataset({"time": ("snapshot", np.zeros(1))})
    made.attrs["settings"] = folder.settings(entry).model_dump_json()
    write_dataset(made, folder.result_path(entry))


class TestPaths:
    """Paths in a campaign file count from its folder, in jobs too."""

    @pytest.mark.parametrize(
        "text",
        [
            '[set]\n"transport.hamiltonian" = "h.toml"',
            '[axes]\n"transport.hamiltonian" = ["h.toml", "packaged"]',
            '[[members]]\n"transport.hamiltonian" = "h.toml"',
        ],
    )
    def test_a_member_has_a_copy_in_the_campaign_folder(self, place, text):
        folder = CampaignFolder.plan(
            place / "camp", write(place, f'base = "tiny.toml"\nrepeats = 2\n{text}')
        )
        (place / "h.toml").unlink()  # it is no longer needed
        moved = place / "moved"
        shutil.move(folder.path, moved)
        folder = CampaignFolder(moved)
        named = folder.settings(folder.entries[0]).transport.hamiltonian
        assert named.startswith(str(moved))
        assert "element" in Path(named).read_text()

    def test_so_do_those_of_a_base(self, place):
        (place / "tiny.toml").write_text(BASE + '[transport]\nhamiltonian = "h.toml"')
        folder = CampaignFolder.plan(place / "camp", write(place, 'base = "tiny.toml"'))
        assert folder.settings(folder.entries[0]).transport.hamiltonian.startswith(str(place))

    def test_a_missing_file_is_named_with_the_place_where_it_is_looked_for(self, place):
        file = write(place, 'base = "tiny.toml"\n[set]\n"transport.hamiltonian" = "no.toml"')
        with pytest.raises(SettingsError, match=r"transport.hamiltonian = 'no.toml'.*a b/no.toml"):
            CampaignFolder.plan(place / "camp", file)
        assert not (place / "camp").exists()

    def test_another_content_is_another_member(self, place):
        file = write(place, 'base = "tiny.toml"\n[set]\n"transport.hamiltonian" = "h.toml"')
        first = CampaignFolder.plan(place / "one", file).entries[0].key
        (place / "h.toml").write_text((place / "h.toml").read_text() + "\n# another\n")
        assert CampaignFolder.plan(place / "two", file).entries[0].key != first


class TestRefusedWhenPlanned:
    """What would fail in every member, days later."""

    @pytest.mark.usefixtures("only_silver")
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[set]\n"structure.element" = "Au"', r"no Hamiltonian of Au \(only of Ag\)"),
            ('[axes]\n"structure.element" = ["Ag", "Au"]', "structure.element = 'Au'"),
            ('[set]\n"structure.element" = "AgPt"', "one metal, that of both tips"),
            ('[axes]\n"structure.element" = ["Ag", "AgPt"]', "one metal, that of both tips"),
            ('[set]\n"transport.hamiltonian" = "tiny.toml"', "tiny.toml"),
            ('[set]\n"dynamics.force_field" = "tiny.toml"', "tiny.toml"),
            (
                '[set]\n"structure.element" = "Au"\n"transport.hamiltonian" = "h.toml"',
                "one of Ag",
            ),
        ],
    )
    def test_no_hamiltonian_or_force_field(self, place, text, words):
        with pytest.raises(SettingsError, match=words) as caught:
            CampaignFolder.plan(place / "camp", write(place, f'base = "tiny.toml"\n{text}'))
        assert "\n" not in str(caught.value)
        assert not (place / "camp").exists()

    def test_times_alone_need_none(self, place):
        text = '[set]\n"structure.element" = "Au"\n"transport.hamiltonian" = "none"'
        folder = CampaignFolder.plan(place / "camp", write(place, f'base = "tiny.toml"\n{text}'))
        assert len(folder.entries) == 1


@pytest.fixture
def upgrade(monkeypatch):
    """Return a function that adds a setting with a default to this version of nanogap."""

    def add(default):
        class NewDynamics(DynamicsSettings):
            novelty: float = Field(default, description="of a later version")

        class NewSettings(Settings):
            dynamics: NewDynamics = NewDynamics()

        for module in (kinds, loading):
            monkeypatch.setattr(module, "Settings", NewSettings)
        kinds.setting_defaults.cache_clear()  # as in a new process
        return NewSettings

    yield add
    monkeypatch.undo()
    kinds.setting_defaults.cache_clear()


class TestUpgrades:
    """A later version goes on with a campaign, and knows its results."""

    def test_resume_and_plan_anew_after_a_new_setting(self, place, upgrade):
        file = write(place, 'base = "tiny.toml"\nrepeats = 3\n[axes]\nvoltage.applied = [1, 2.0]')
        folder = CampaignFolder.plan(place / "camp", file)
        finish(folder, folder.entries[0])
        before = [entry.key for entry in folder.entries]
        upgrade(0.0)
        resumed = CampaignFolder(place / "camp")
        assert resumed.settings(resumed.entries[1]).dynamics.novelty == 0.0
        (place / "tiny.toml").rename(place / "gone.toml")
        own = place / "camp" / "campaign.toml"
        again = CampaignFolder.plan(place / "camp", own)
        assert [entry.key for entry in again.entries] == before
        assert again.notes == []
        assert len(again.finished()) == 1
        own.write_text(own.read_text().replace("repeats = 3", "repeats = 4"))
        grown = CampaignFolder.plan(place / "camp", own)
        assert set(before) < {entry.key for entry in grown.entries}
        (place / "gone.toml").rename(place / "tiny.toml")
        assert [e.key for e in CampaignFolder.plan(place / "camp", file).entries] == before

    def test_the_new_setting_counts_where_it_is_used(self, place, upgrade):
        file = write(place, 'base = "tiny.toml"')
        folder = CampaignFolder.plan(place / "camp", file)
        before = folder.entries[0].key
        finish(folder, folder.entries[0])
        upgrade(0.0)
        write(place, 'base = "tiny.toml"\n[axes]\n"dynamics.novelty" = [0.0, 1.0]')
        keys_now = [entry.key for entry in CampaignFolder.plan(place / "camp", file).entries]
        assert keys_now[0] == before
        assert keys_now[1] != before

    def test_another_default_of_a_still_later_version_is_another_key(self, place, upgrade):
        file = write(place, 'base = "tiny.toml"')
        before = CampaignFolder.plan(place / "camp", file).entries[0].key
        upgrade(0.0)
        assert CampaignFolder.plan(place / "camp", file).entries[0].key == before
        upgrade(1.0)
        folder = CampaignFolder(place / "camp")  # it goes on as it began
        assert folder.settings(folder.entries[0]).dynamics.novelty == 0.0
        assert CampaignFolder.plan(place / "camp", file).entries[0].key != before

    def test_a_setting_that_is_gone_is_one_sentence(self, place, upgrade, monkeypatch):
        file = write(place, 'base = "tiny.toml"')
        upgrade(0.0)
        folder = CampaignFolder.plan(place / "camp", file)
        finish(folder, folder.entries[0])
        monkeypatch.undo()
        kinds.setting_defaults.cache_clear()
        folder = CampaignFolder(place / "camp")
        with pytest.raises(DataFormatError, match=r"dynamics.novelty.*the version that planned it"):
            folder.settings(folder.entries[0])
        note = CampaignFolder.plan(place / "camp", file).notes[0]
        assert "dynamics.novelty = 0.0 is no longer a setting" in note

    def test_a_campaign_of_version_0_1_goes_on(self, place, upgrade):
        """Its record has no word of what its keys count: all settings that its base has."""
        file = write(place, 'base = "tiny.toml"\nrepeats = 2')
        folder = CampaignFolder.plan(place / "camp", file)
        path = folder.path / "campaign.json"
        content = json.loads(path.read_text())
        path.write_text(json.dumps({key: content[key] for key in ("file", "base", "members")}))
        upgrade(0.0)
        old = CampaignFolder(place / "camp")
        assert old.settings(old.entries[0]).voltage.applied == 3.5
        again = CampaignFolder.plan(place / "camp", file)
        assert [e.key for e in again.entries] == [e.key for e in folder.entries]

    def test_every_version_that_had_a_part_is_named(self):
        sessions = [{"nanogap": "0.1", "ase": "3"}, {"nanogap": "0.2", "ase": "3", "new": "1"}]
        assert joined_versions(sessions) == {"nanogap": "0.1, 0.2", "ase": "3", "new": "1"}
        again = [{"nanogap": "0.1, 0.2"}, {"nanogap": "0.2"}, {"nanogap": "0.3"}]
        assert joined_versions(again) == {"nanogap": "0.1, 0.2, 0.3"}


class TestResultsOfOtherPlans:
    """They are never forgotten without a word."""

    def test_they_are_counted_and_the_reason_is_told(self, place):
        file = write(place, 'base = "tiny.toml"\nrepeats = 2')
        folder = CampaignFolder.plan(place / "camp", file)
        for entry in folder.entries:
            finish(folder, entry)
        write(place, 'base = "tiny.toml"\nrepeats = 2\n[set]\nvoltage.applied = 4.0')
        changed = CampaignFolder.plan(place / "camp", file)
        assert len(changed.notes) == 1
        assert "2 finished results" in changed.notes[0]
        assert "voltage.applied was 3.5, is 4.0" in changed.notes[0]
        assert changed.unmatched() == 2
        write(place, 'base = "tiny.toml"\nrepeats = 1')
        assert "seeds" in CampaignFolder.plan(place / "camp", file).notes[0]
        write(place, 'base = "tiny.toml"\nrepeats = 3')
        grown = CampaignFolder.plan(place / "camp", file)
        assert grown.notes == []
        assert len(grown.finished()) == 2
