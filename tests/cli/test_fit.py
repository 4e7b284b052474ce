"""The command that fits a Hamiltonian, with a fit that takes no time."""

import json
import shutil
from importlib import resources

import pytest

from nanogap.transport.fitting import stages, vacuum_tail
from nanogap.transport.tight_binding.files import load_model, model_to_toml, read_model

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
