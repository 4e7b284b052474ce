"""A fit that was interrupted goes on to the same bits."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nanogap.errors import SettingsError
from nanogap.transport.fitting import stages
from nanogap.transport.fitting.fit_progress import (
    fit_key,
    progress_path,
    progress_text,
    read_progress,
)
from nanogap.transport.fitting.least_squares import fit
from nanogap.transport.fitting.parameters import pack
from nanogap.transport.fitting.reference_bands import packaged_references
from nanogap.transport.tight_binding.model import TightBindingModel

START = stages.first_guess("Ag", 11.0)


@pytest.fixture
def few():
    chosen = [
        one for one in packaged_references("Ag") if one.name in {"fcc, a=4.09", "bcc, a=3.27"}
    ]
    return [replace(one, mesh_density=5.0) for one in chosen]


@pytest.fixture
def short_fits(monkeypatch):
    """Shorten the search: what is asked is where a stage starts from."""
    monkeypatch.setattr(stages, "overlap_guards", lambda _: [])
    monkeypatch.setattr(
        stages, "fit", lambda *given, **options: fit(*given, **options | {"iterations": 1})
    )


def stages_of(references, **options) -> tuple[TightBindingModel, list, list[str]]:
    told = []
    model, aligned = stages.fit_in_stages(
        START, references, restarts=2, seed=3, report=told.append, **options
    )
    return model, aligned, told


@pytest.mark.usefixtures("short_fits")
def test_a_fit_goes_on_to_the_same_bits(few, tmp_path):
    path, key, kept = tmp_path / "mine.part.json", fit_key(START, few, (), 3), []
    whole, aligned, told = stages_of(few, keep=kept.append)
    assert [one.finished for one in kept] == list(range(1, 8))
    for progress in (kept[0], kept[4], kept[5], kept[6]):
        path.write_text(progress_text(progress, key))
        begun = read_progress(path, key, START, len(few))
        model, other, rest = stages_of(few, begun=begun)
        assert rest == told[progress.finished :]
        assert np.array_equal(pack(model), pack(whole))
        for one, same in zip(other, aligned, strict=True):
            assert np.array_equal(one.bands, same.bands)


@pytest.mark.usefixtures("short_fits")
def test_another_seed_looks_elsewhere(few):
    begun = stages.Progress(5, np.inf, START, np.zeros(2))
    told = []
    for seed in (3, 4, 3):
        stages.fit_in_stages(START, few, restarts=1, seed=seed, begun=begun, report=told.append)
    assert told[0] == told[2] != told[1]


def test_the_key_names_all_that_a_fit_depends_on(few):
    key = fit_key(START, few, (), 0)
    assert key == fit_key(START, few, [], 0)
    others = {
        fit_key(START, few[:1], (), 0),
        fit_key(START, few, ("bcc, a=3.27",), 0),
        fit_key(START, few, (), 1),
        fit_key(stages.first_guess("Au", 11.0), few, (), 0),
    }
    assert len(others | {key}) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fit": "another"}, "is the progress of a fit of other bands"),
        ({"parameters": [1.0]}, "cannot be read"),
        ({"parameters": [float("nan")] * 97}, "cannot be read"),
        ({"offsets": [0.0]}, "cannot be read"),
        ({"finished": 0}, "cannot be read"),
        ({"sum_of_squares": "much"}, "cannot be read"),
    ],
)
def test_progress_of_another_fit_or_broken_is_refused(few, tmp_path, change, words):
    path, key = progress_path(tmp_path / "mine.toml"), fit_key(START, few, (), 0)
    assert read_progress(path, key, START, 2) is None
    path.write_text(progress_text(stages.Progress(1, 2.0, START, np.zeros(2)), key))
    assert read_progress(path, key, START, 2).sum_of_squares == 2.0
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SettingsError, match=words):
        read_progress(path, key, START, 2)
    path.write_text("{")
    with pytest.raises(SettingsError, match="remove it to begin anew"):
        read_progress(path, key, START, 2)
