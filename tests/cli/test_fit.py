"""The command that fits a Hamiltonian, with a fit that takes no time."""

import json
import shutil
from importlib import resources

import numpy as np
import pytest

from nanogap.transport.fitting import hamiltonian_checks, stages, vacuum_tail
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model_file import model_to_toml, read_model

DATA = resources.files("nanogap.transport") / "data"


@pytest.fixture
def quick_fit(monkeypatch):
    """Return the list of the models that fits started from; a fit returns the packaged one."""
    started = []

    def fit(model, references, **_):
        started.append(model)
        return load_model(), list(references)[:2]

    monkeypatch.setattr(stages, "fit_in_stages", fit)
    monkeypatch.setattr(vacuum_tail, "fit_vacuum", lambda model, *_: model)
    return started


def test_a_fit_writes_its_model_and_tells_its_errors(nanogap, workplace, quick_fit):
    outcome = nanogap("fit-hamiltonian", "-o", "mine.toml", "--json")
    assert outcome.status == 0
    content = json.loads(outcome.out)
    assert content["parameters"] == "mine.toml"
    assert list(content["errors"]) == ["fcc, a=3.95", "fcc, a=4.09"]
    assert all(len(errors) == 3 for errors in content["errors"].values())
    assert content["errors"]["fcc, a=4.09"][0] < 0.03
    model = read_model(workplace / "mine.toml")
    assert (model.hamiltonian == load_model().hamiltonian).all()
    assert quick_fit[0].electrons_per_atom == 11.0
    assert "fcc, a=4.09" in (workplace / "mine.toml").read_text()


@pytest.mark.usefixtures("quick_fit")
def test_an_interrupted_fit_goes_on_and_clears_its_progress(nanogap, workplace, monkeypatch):
    found, whole = [], stages.fit_in_stages

    def stopped(model, references, *, begun: stages.Progress | None, keep, **_):
        found.append(begun)
        keep(stages.Progress(len(found), 1.0 / len(found), model, np.zeros(len(references))))
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "fit_in_stages", stopped)
    assert nanogap("fit-hamiltonian", "-o", "mine.toml").status != 0
    assert not (workplace / "mine.toml").exists()
    outcome = nanogap("fit-hamiltonian", "-o", "mine.toml", "--restarts", "3")
    assert "Goes on from mine.part.json, 1 stage finished" in " ".join(outcome.err.split())
    assert (found[0], found[1].sum_of_squares) == (None, 1.0)
    outcome = nanogap("fit-hamiltonian", "-o", "mine.toml", "--seed", "5")
    assert outcome.status == 2
    assert "mine.part.json is the progress of a fit of other bands" in outcome.err
    monkeypatch.setattr(stages, "fit_in_stages", whole)
    assert nanogap("fit-hamiltonian", "-o", "mine.toml").status == 0
    assert sorted(path.name for path in workplace.iterdir()) == ["mine.toml"]


def changed(workplace, source, name, old, new):
    text = (DATA / source).read_text("utf-8")
    assert old in text
    (workplace / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.json",), "absent.json cannot be read as JSON"),
        (("gold.json", "silver.json"), "silver.json is of Ag, the reference bands are of Au"),
        (("silver.json", "--start", "gold.toml"), "gold.toml is of Au, the reference bands are of"),
        (("--transmissions", "gold-t.json"), "gold-t.json is of Au, the reference bands are of Ag"),
        (("--transmissions", "silver.json"), "silver.json is not in the layout of reference trans"),
        (("--element", "W"), "nanogap has no reference bands of W (only of Ag"),
        (
            ("silver.json", "--element", "Ag"),
            "--element would change nothing beside files of bands",
        ),
        (("-o", "mine.json"), "mine.json: the name must end in .toml"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_the_work(
    nanogap, workplace, quick_fit, arguments, message
):
    shutil.copyfile(DATA / "dft_bands_ag.json", workplace / "silver.json")
    silver, gold = '"element": "Ag"', '"element": "Au"'
    changed(workplace, "dft_bands_ag.json", "gold.json", silver, gold)
    changed(workplace, "pwcond_calibration_ag.json", "gold-t.json", silver, gold)
    text = model_to_toml(load_model(), "").replace('element = "Ag"', 'element = "Au"')
    (workplace / "gold.toml").write_text(text)
    outcome = nanogap("fit-hamiltonian", *arguments, "--json")
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert quick_fit == []


def check_of(monkeypatch, *checks):
    """Stand in for the checks; returns what they were called with."""
    called = []

    def checked(model, references, **options):
        called.append((model, [reference.name for reference in references], options))
        options["report"]("bands")
        return list(checks)

    monkeypatch.setattr(hamiltonian_checks, "check_hamiltonian", checked)
    return called


GOOD = hamiltonian_checks.Check("leads", "Sharvin", 0.01, "", 0.03, note="0.81 channels")
BAD = hamiltonian_checks.Check("bands", "fcc, occupied", 31.0, "meV", 30.0)
TOLD = hamiltonian_checks.Check("bands", "chain, near E_F", 99.0, "meV")


@pytest.mark.parametrize(("checks", "status"), [((GOOD, TOLD), 0), ((GOOD, BAD, TOLD), 3)])
def test_checks_end_with_another_status_if_one_fails(nanogap, monkeypatch, checks, status):
    called = check_of(monkeypatch, *checks)
    outcome = nanogap("fit-hamiltonian", "--check", "Ag", "--json")
    assert outcome.status == status
    content = json.loads(outcome.out)
    assert content["passed"] is (status == 0)
    assert (content["element"], content["junctions"]) == ("Ag", 34)
    assert [one["passed"] for one in content["checks"]] == [one.passed for one in checks]
    assert content["checks"][0]["note"] == "0.81 channels"
    model, names, options = called[0]
    assert model is load_model("Ag")
    assert len(names) == 27
    assert options["transmissions"].element == "Ag"
    outcome = nanogap("fit-hamiltonian", "--check", "Ag")
    assert outcome.status == status
    assert ("fcc, occupied" in outcome.out) is (BAD in checks)
    assert ("Failed: fcc, occupied" in outcome.err) is (BAD in checks)
    assert "Sharvin: 0.81 channels" in outcome.err
    assert "No structure was held out" in outcome.err


def test_a_file_is_checked_against_files(nanogap, workplace, monkeypatch):
    called = check_of(monkeypatch, GOOD)
    content = json.loads((DATA / "dft_bands_ag.json").read_text("utf-8"))
    (workplace / "bands.json").write_text(json.dumps(content | {"held_out": ["zigzag chain"]}))
    (workplace / "mine.toml").write_text(model_to_toml(load_model(), ""))
    command = ("fit-hamiltonian", "bands.json", "--check", "mine.toml", "--json")
    outcome = nanogap(*command, "--hold-out", "three-layer fcc film")
    assert outcome.status == 0
    _, names, options = called[0]
    assert len(names) == 14
    assert options["held_out"] == ("zigzag chain", "three-layer fcc film")
    assert options["transmissions"] is None
    assert "No transmissions were given" in outcome.err
    assert json.loads(outcome.out)["junctions"] == 0


@pytest.mark.usefixtures("quick_fit")
def test_structures_that_the_files_hold_out_are_not_fitted(nanogap, workplace):
    content = json.loads((DATA / "dft_bands_ag.json").read_text("utf-8"))
    (workplace / "bands.json").write_text(json.dumps(content | {"held_out": ["fcc, a=4.09"]}))
    assert nanogap("fit-hamiltonian", "bands.json", "-o", "mine.toml").status == 0
    (line,) = [one for one in (workplace / "mine.toml").read_text().splitlines() if "held" in one]
    assert line.startswith("# fcc, a=4.09 ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--check", "W"), "no tight-binding Hamiltonian for element 'W'"),
        (("--check", "aG"), "element 'aG' is no chemical symbol: write 'Ag'"),
        (("--figure", "bands.txt"), "--figure bands.txt: figures end in"),
        (("--check", "absent.toml"), "absent.toml is no Hamiltonian"),
        (("--check", "Ag", "-o", "new.toml"), "-o would change nothing beside --check"),
        (("--check", "Ag", "--seed", "0"), "--seed would change nothing beside --check"),
        (("--check", "Ag", "--element", "Ag"), "--element would change nothing beside --check"),
        (("--check", "Ag", "--hold-out", "none such"), "no structure is named 'none such'"),
        (("--check", "tungsten.toml"), "nanogap has no reference bands of W (only of Ag"),
        (
            ("silver.json", "--check", "tungsten.toml"),
            "tungsten.toml is of W, the reference bands are of",
        ),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(nanogap, workplace, arguments, message):
    shutil.copyfile(DATA / "dft_bands_ag.json", workplace / "silver.json")
    text = model_to_toml(load_model(), "").replace('element = "Ag"', 'element = "W"')
    (workplace / "tungsten.toml").write_text(text)
    outcome = nanogap("fit-hamiltonian", *arguments, "--json")
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())
    assert outcome.out == ""
    assert not (workplace / "new.toml").exists()
