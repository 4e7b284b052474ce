"""Campaign files, and the members that they mean."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.campaign.file import EXAMPLE, campaign_from_text, read_campaign_file
from nanogap.campaign.keys import settings_key
from nanogap.campaign.plan import base_settings, members
from nanogap.errors import SettingsError
from nanogap.settings import Settings, settings_from_table

HERE = Path()

#: Settings that may name a file of one's own.
FILES = ["dynamics.force_field", "transport.hamiltonian"]

#: Another allowed value for every default that is text.
OTHER_TEXT = {
    "Ag": "Au",
    "equilibrium": 4.2,
    "steady": "relaxation",
    "terrace": "paper",
    "full": "paper",
    "paper": "full",
    "auto": "paper",
    "0": "0,0.1",
    "-1:1:0.1": "",
    "none": "coordination",
    "reaxff": "eam",
    "packaged": __file__,
    "": "-sf omp",
}


def planned(text):
    campaign = campaign_from_text(text, "c.toml")
    return list(members(campaign, base_settings(campaign, HERE)))


def test_the_example_is_a_campaign_of_all_combinations():
    found = planned(EXAMPLE)
    assert len(found) == 16
    assert [member.number for member in found] == list(range(16))
    assert {member.settings.voltage.applied for member in found} == {0.0, 8.0}
    assert all(member.settings.dynamics.production_time == 10_000.0 for member in found)
    assert len({member.key for member in found}) == 16
    assert len({member.settings.seed for member in found}) == 16


def test_axes_make_a_full_product_and_a_list_makes_none():
    product = 'base = "quick"\n[axes]\nvoltage.applied = [1.0, 2.0]\nstructure.gap = [6.0, 7.0]'
    assert len(planned(product)) == 4
    listed = (
        'base = "quick"\n[[members]]\nvoltage.applied = 1.0\nstructure.gap = 6.0\n'
        "[[members]]\nvoltage.applied = 2.0\nstructure.gap = 7.0"
    )
    found = planned(listed)
    assert [member.axes["structure.gap"] for member in found] == [6.0, 7.0]
    # a list and a product mean the same run where they say the same
    assert {member.key for member in found} < {member.key for member in planned(product)}


@given(fewer=st.integers(1, 5), more=st.integers(0, 5), seed=st.integers(0, 2**63 - 1))
def test_more_repeats_leave_the_members_that_were_there(fewer, more, seed):
    text = 'base = "quick"\nseed = {}\nrepeats = {}'
    small = {member.key for member in planned(text.format(seed, fewer))}
    large = {member.key for member in planned(text.format(seed, fewer + more))}
    assert len(large) == fewer + more
    assert small <= large


def test_further_values_of_an_axis_leave_the_members_that_were_there():
    text = 'base = "quick"\nrepeats = 3\n[axes]\nvoltage.applied = [{}]'
    assert {m.key for m in planned(text.format("2.0"))} < {
        m.key for m in planned(text.format("1.0, 2.0"))
    }


def test_another_seed_gives_other_members():
    text = 'base = "quick"\nseed = {}\nrepeats = 20'
    assert not {m.key for m in planned(text.format(1))} & {m.key for m in planned(text.format(2))}


def test_the_key_depends_on_every_setting_but_title_workers_and_threads():
    plain = Settings()
    same = plain.model_copy(update={"name": "another"})
    assert settings_key(plain) == settings_key(same)
    workers = plain.transport.model_copy(update={"workers": 4})
    assert settings_key(plain) == settings_key(plain.model_copy(update={"transport": workers}))
    threads = plain.dynamics.model_copy(update={"threads": 2})
    assert settings_key(plain) == settings_key(plain.model_copy(update={"dynamics": threads}))
    for section in ("structure", "dynamics", "voltage", "junction", "transport"):
        inner = getattr(plain, section)
        for name, value in inner.model_dump().items():
            if name in {"workers", "threads"}:
                continue
            if isinstance(value, bool):
                changed = not value
            else:
                changed = OTHER_TEXT[value] if isinstance(value, str) else value + 1
            model = inner.model_copy(update={name: changed})
            assert settings_key(plain.model_copy(update={section: model})) != settings_key(plain)


def test_an_explicit_default_gives_the_key_of_an_absent_setting():
    plain = settings_key(Settings())
    table = Settings().model_dump(mode="json")
    assert settings_key(settings_from_table({}, "nothing", {})) == plain
    assert settings_key(settings_from_table(table, "everything", {})) == plain
    for section in ("structure", "dynamics", "voltage", "junction", "transport"):
        for name, value in table[section].items():
            explicit = settings_from_table({section: {name: value}}, "one", {})
            assert settings_key(explicit) == plain, name
    # and however a number is written
    (integer,), (real,) = (
        planned(f'base = "quick"\n[axes]\nvoltage.applied = [{number}]') for number in (2, 2.0)
    )
    assert integer.key == real.key


def test_the_key_is_the_same_in_another_process():
    """It hashes content: no address in memory, no order of a set."""
    program = (
        "from nanogap.campaign.plan import settings_key; from nanogap.settings import Settings; "
        "print(settings_key(Settings()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == settings_key(Settings())


def test_every_setting_that_may_name_a_file_has_its_content_in_the_key():
    """A new one must join those of the test below, and `kinds.named_files`."""
    naming = {
        f"{section}.{name}"
        for section, part in Settings.model_fields.items()
        for name, field in getattr(part.annotation, "model_fields", {}).items()
        if "the path of" in (field.description or "")
    }
    assert naming == set(FILES)


@pytest.mark.parametrize("key", FILES)
def test_the_key_depends_on_what_a_file_of_ones_own_says(tmp_path, key):
    path = tmp_path / "own"
    section, name = key.split(".")
    settings = Settings()
    inner = getattr(settings, section).model_copy(update={name: str(path)})
    settings = settings.model_copy(update={section: inner})
    with pytest.raises(SettingsError, match=f"{key} = .* cannot be read"):
        settings_key(settings)
    keys = set()
    for content in ("one", "other"):
        path.write_text(content)
        keys.add(settings_key(settings))
    assert len(keys) == 2


def test_a_settings_file_is_found_beside_the_campaign_file(tmp_path):
    (tmp_path / "mine.toml").write_text("[voltage]\napplied = 3.5\n")
    path = tmp_path / "c.toml"
    path.write_text('base = "mine.toml"')
    campaign, text = read_campaign_file(path)
    assert text == 'base = "mine.toml"'
    assert base_settings(campaign, tmp_path).voltage.applied == 3.5


BASE = 'base = "quick"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["base", "missing"]),
        ("base = 3", ["base = 3", "text"]),
        (BASE + "repeats = 0", ["repeats = 0", "from 1 to 1000000"]),
        (BASE + "colour = 1", ["unknown key 'colour'", "repeats"]),
        (BASE + "axes = 3", ["axes = 3", "section"]),
        (BASE + "[axes]\nvoltage.applied = 2.0", ["voltage.applied = 2.0", "list"]),
        (BASE + "[axes]\nvoltage.applied = []", ["voltage.applied = []", "list"]),
        (BASE + "[axes]\nvoltage.applied = [1.0, 1.0]", ["voltage.applied", "twice"]),
        (BASE + "[axes]\nvoltage.aplied = [1.0]", ["unknown key 'voltage.aplied'", "applied"]),
        (BASE + "[axes]\nvoltage.applied = [1e3]", ["voltage.applied = 1000.0", "-100 to 100"]),
        (BASE + '[set]\nname = "x"', ["name", "top"]),
        (
            BASE + "[set]\nvoltage.applied = 1.0\n[axes]\nvoltage.applied = [2.0]",
            ["'voltage.applied'", "[set]"],
        ),
        (BASE + "repeats = 2\n[axes]\nseed = [1, 2]", ["repeats = 2", "seed"]),
        (
            BASE + "[axes]\nseed = [1]\n[[members]]\nseed = 1",
            ["[axes] or [[members]]", "not both"],
        ),
        (BASE + "[[members]]\nseed = 1\n[[members]]\nvoltage.applied = 1.0", ["member 2", "same"]),
        (BASE + "[[members]]\nseed = 1\n[[members]]\nseed = 1", ["member 2", "twice"]),
        (BASE + '[keep]\ntrajectories = "some"', ["keep.trajectories = 'some'", "'none'"]),
        (BASE + '[executor]\nkind = "fast"', ["executor.kind = 'fast'", "'local'", "'slurm'"]),
        (
            BASE + '[executor]\nkind = "single-node"',
            ["executor.kind = 'single-node'", "kind = 'local'", "results that are there stay"],
        ),
        (
            BASE + '[executor]\nkind = "test-cluster"',
            ["executor.kind = 'test-cluster'", "kind = 'local'", "'slurm'"],
        ),
        (BASE + "[executor]\nworkers = 0", ["executor.workers = 0", "from 1"]),
        ('base = "nowhere"', ["nowhere", "presets"]),
        ('base = "nowhere.toml"', ["nowhere.toml", "No such file"]),
        ("base = ", ["not valid TOML"]),
    ],
)
def test_a_bad_campaign_is_one_sentence_that_names_the_fault(text, words):
    with pytest.raises(SettingsError) as caught:
        planned(text)
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence, sentence
    assert not re.search(r"Traceback|ValidationError|pydantic", sentence)


@given(every=st.integers(1, 50), number=st.integers(0, 1000))
def test_trajectories_are_kept_of_every_nth_member(every, number):
    campaign = campaign_from_text(BASE + f"[keep]\ntrajectories = {every}", "c")
    assert campaign.keep.keeps(number) == (number % every == 0)
    for word, kept in (("none", False), ("all", True)):
        campaign = campaign_from_text(BASE + f'[keep]\ntrajectories = "{word}"', "c")
        assert campaign.keep.keeps(number) is kept
