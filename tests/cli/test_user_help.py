"""What a user is told: settings files that explain themselves, moments, hints, progress."""

import inspect
import io

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from nanogap.analysis import NoiseAnalysis
from nanogap.analysis.traces.noise import DetrendedFluctuation
from nanogap.cli import common, dynamics
from nanogap.errors import SettingsError
from nanogap.runs.sample import moment
from nanogap.settings import (
    Settings,
    load_settings,
    preset_names,
    settings_document,
    settings_from_text,
)
from nanogap.settings.allowed import allowed_values


@pytest.mark.parametrize("preset", preset_names())
def test_the_document_of_a_preset_explains_every_key_and_loads_to_it(preset):
    text = settings_document(load_settings(preset), "A head.")
    assert settings_from_text(text, "mine") == load_settings(preset)
    flat = " ".join(line.removeprefix("# ") for line in text.splitlines())
    for section in Settings.model_fields.values():
        fields = getattr(section.annotation, "model_fields", {"": section})
        for field in fields.values():
            assert " ".join(field.description[1:].split()) in flat
            assert allowed_values(field) in flat
    assert max(map(len, text.splitlines())) < 101


def test_texts_of_settings_survive_the_document():
    name = 'a "b" \\ \u00e4 #'
    settings = load_settings("quick").model_copy(update={"name": name})
    assert settings_from_text(settings_document(settings), "mine") == settings


class _Run:
    path = "run"

    def __init__(self, bottleneck):
        self._bottleneck = bottleneck

    def observables(self):
        n = len(self._bottleneck)
        return xr.Dataset(
            {
                "bottleneck_atoms": ("snapshot", self._bottleneck),
                "time": ("snapshot", np.arange(n) * 500.0),
            }
        )


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("26000", 26000.0),
        ("26.0ps", 26000.0),
        ("2.6e4 fs", 26000.0),
        ("0.001ns", 1000.0),
        ("contact", 1000.0),
        ("contact+3ps", 4000.0),
        ("Contact - 500", 500.0),
    ],
)
def test_moments_are_read_as_people_type_them(text, time):
    assert moment(text, _Run([0, 0, 1, 1])) == pytest.approx(time)


@pytest.mark.parametrize("text", ["", "ps", "26 s", "contact3ps", "nan", "1,5ps", "contact+"])
def test_a_moment_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="for example"):
        moment(text, _Run([0, 1]))


def test_a_run_without_contact_has_no_moment_after_it():
    with pytest.raises(SettingsError, match="no first contact"):
        moment("contact+1ps", _Run([0, 0]))


def test_progress_without_a_terminal_is_lines_with_the_time_left(monkeypatch):
    clock = iter([0.0, 0.0, 31.0, 32.0])
    monkeypatch.setattr(common.time, "monotonic", lambda: next(clock))
    out = io.StringIO()
    monkeypatch.setattr(common, "log", Console(file=out))
    lines = common.ProgressLines()
    for done in (0, 10, 11):
        lines.update([("files", done, 40)])
    assert out.getvalue() == "files 10 of 40 (25 %), about 93 s left\n".replace("93 s", "2 min")


def test_noise_accepts_what_a_fine_sampling_writes_by_default():
    count = int(dynamics.SAMPLING_TIME / 20.0) + 1
    values = 1.0 + 0.01 * np.random.default_rng(1).normal(size=count)
    assert np.isfinite(NoiseAnalysis(20e-15).compute(values).exponent)
    assert np.isfinite(DetrendedFluctuation().compute(values).exponent)
    assert inspect.signature(dynamics.sample).parameters["every"].default == 20.0
