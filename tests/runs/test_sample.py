"""Fine sampling of a tiny run, through the command line and with interruptions."""

import json
import shutil
import sys

import numpy as np
import pytest

from nanogap import cli
from nanogap.analysis import NoiseAnalysis
from nanogap.dynamics.schedule import FineSchedule
from nanogap.dynamics.simulation import Simulation
from nanogap.errors import SettingsError
from nanogap.report.sample import noise_of, sample_figure
from nanogap.runs import RunDirectory
from nanogap.runs.dynamics_process import _advance, simulate
from nanogap.runs.sample import (
    SampleRequest,
    _create,
    _prepare,
    _window,
    available_times,
    sample_run,
)
from nanogap.settings import Settings

SETTINGS = {
    "name": "tiny",
    "seed": 3,
    "dynamics": {
        "time_step": 4.0,
        "equilibration_time": 40.0,
        "production_time": 480.0,
        "sampling_interval": 120.0,
        "checkpoint_interval": 240.0,
    },
    "junction": {"cut": "paper", "lead_repeats": 2},
    "transport": {"kpoints": [1, 1], "spectrum_energies": ""},
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory, small_tips_of):
    """A run of which the dynamics is done; its transport is not needed."""
    path = tmp_path_factory.mktemp("sample") / "run"
    run = RunDirectory.create(path, Settings.model_validate(SETTINGS), "here", {"lammps": "any"})
    run.tips = small_tips_of(gap=5.0)
    simulate(run)
    return run


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "samples" not in path.parts and path.name != ".lock"
    }


@pytest.mark.engine
def test_a_run_keeps_checkpoints_to_sample_from(origin):
    assert available_times(origin) == [0.0, 240.0, 480.0]


@pytest.mark.engine
def test_the_command_samples_and_leaves_the_run_as_it_is(origin, monkeypatch, capfd):
    before = files(origin.path)
    command = ["nanogap", "sample", str(origin.path), "--at", "336", "--every", "12"]
    monkeypatch.setattr(sys, "argv", [*command, "--for", "24", "--json"])
    cli.main()
    content = json.loads(capfd.readouterr().out)
    assert files(origin.path) == before
    assert content["time"] == [336.0, 348.0, 360.0]
    assert all(value is not None and value >= 0.0 for value in content["transmission"])
    assert content["mean"] == pytest.approx(np.mean(content["transmission"]))
    sample = RunDirectory(origin.path / "samples" / "336-fs-every-12")
    assert content["directory"] == str(sample.path)
    assert (sample.path / "fluctuation.png").is_file()
    assert "fine sampling of" in sample.report.read_text(encoding="utf-8")
    # the run's own snapshot at 360 fs, and the sample of that time
    ours = sample.trajectory.frame(sample.records()[-1])
    theirs = origin.trajectory.frame(origin.records()[3])
    assert ours.info["time"] == theirs.info["time"] == 360.0
    np.testing.assert_array_equal(ours.positions, theirs.positions)


def fresh_sample(origin, path):
    request = SampleRequest(begin=260.0, every=4.0, duration=200.0)
    _create(origin, _window(origin, request), path, replay=False)
    return RunDirectory(path)


@pytest.mark.engine
def test_an_interrupted_sampling_goes_on_to_the_same_end(origin, tmp_path):
    """Interrupted after a pause between two checkpoints: nothing is lost, nothing comes twice."""
    whole = fresh_sample(origin, tmp_path / "whole")
    simulate(whole)
    parted = fresh_sample(origin, tmp_path / "parted")
    settings, tips = parted.settings, parted.tips
    schedule = FineSchedule(settings.dynamics, settings.voltage, parted.window)
    simulation = Simulation(
        tips,
        settings,
        folder=parted.logs,
        schedule=schedule,
    )
    simulation.load(parted.path / "checkpoints" / parted.dynamics.checkpoint)
    state = parted.dynamics
    while state.commit.snapshots < 21:
        state = _advance(parted, simulation, state)
    assert not simulation.at_checkpoint
    simulation.close()
    simulate(parted)
    times = [record.observables["time"] for record in parted.records()]
    assert times == [260.0 + 4.0 * place for place in range(51)]
    assert parted.trajectory.path.read_bytes() == whole.trajectory.path.read_bytes()


@pytest.mark.engine
def test_a_sample_that_was_interrupted_while_made_is_made_anew(origin, tmp_path):
    sample = fresh_sample(origin, tmp_path / "sample")
    window = sample.window
    _prepare(origin, window, sample.path, replay=False)
    assert sample.dynamics.checkpoint == "step-70"
    (sample.path / "tips.extxyz").unlink()
    (sample.path / "dynamics.json").unlink()
    _prepare(origin, window, sample.path, replay=False)
    assert sample.tips is not None
    assert sample.dynamics.checkpoint == "step-70"


@pytest.mark.engine
def test_without_an_early_checkpoint_the_run_can_be_repeated(origin, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(origin.path, bare, ignore=shutil.ignore_patterns("samples"))
    run = RunDirectory(bare)
    run.drop_checkpoints([max(run.checkpoints())])
    request = SampleRequest(begin=120.0, every=20.0, duration=40.0)
    with pytest.raises(SettingsError, match=r"they stand at 480 fs: .*--replay"):
        sample_run(run, request, lambda _: None)
    _create(run, _window(run, request), tmp_path / "again", replay=True)
    sample = RunDirectory(tmp_path / "again")
    simulate(sample)
    assert [record.observables["time"] for record in sample.records()] == [120.0, 140.0, 160.0]
    ours = sample.trajectory.frame(sample.records()[0])
    theirs = origin.trajectory.frame(origin.records()[1])
    np.testing.assert_array_equal(ours.positions, theirs.positions)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SampleRequest(-1.0, 20.0, 100.0), "from 0 to 480 fs"),
        (SampleRequest(481.0, 20.0, 100.0), "from 0 to 480 fs"),
        (SampleRequest(float("nan"), 20.0, 100.0), "from 0 to 480 fs"),
        (SampleRequest(300.0, 2.0, 100.0), "--every 2: choose from one time step, 4 fs"),
        (SampleRequest(300.0, 200.0, 100.0), "to --for, 100 fs"),
        (SampleRequest(0.0, 20.0, 100.0), "no checkpoint of .* is before it"),
    ],
)
def test_times_that_cannot_be_are_refused(origin, tmp_path, request_, message):
    path = tmp_path / "sample"
    refused = SampleRequest(request_.begin, request_.every, request_.duration, path)
    with pytest.raises(SettingsError, match=message):
        sample_run(origin, refused, lambda _: None)
    assert not path.exists()


def test_a_folder_that_is_another_run_is_refused(origin, tmp_path):
    other = RunDirectory.create(tmp_path / "other", origin.settings, "here", {})
    request = SampleRequest(300.0, 20.0, 100.0, other.path)
    with pytest.raises(SettingsError, match="another run or sample"):
        sample_run(origin, request, lambda _: None)


def test_the_spectrum_is_that_of_the_samples():
    random = np.random.default_rng(1)
    time = 1000.0 + 20.0 * np.arange(400)
    values = 2.5 + 0.1 * random.normal(size=len(time))
    noise = noise_of(time, values)
    expected = NoiseAnalysis(20e-15).compute(values)
    assert noise.mean == expected.mean
    assert noise.frequency[-1] == pytest.approx(0.5 / 20e-15)
    assert len(sample_figure(time, values).axes) == 4


@pytest.mark.parametrize("count", [0, 1, 10])
def test_few_samples_have_a_figure_without_a_spectrum(count):
    time = 20.0 * np.arange(count)
    assert noise_of(time, np.ones(count)) is None
    assert len(sample_figure(time, np.ones(count)).axes) == 2
