"""The run directory, and runs as a notebook sees them."""

import os

import numpy as np
import pytest
from ase import units
from tests.runs.hand_made import snapshot, transmission

from nanogap.analysis import Stage, first_contact, landmarks
from nanogap.dynamics.schedule import Schedule
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import write_dataset, write_json
from nanogap.runs import Run, RunDirectory, open_run, resume
from nanogap.runs import run as start
from nanogap.runs.directory import DynamicsState
from nanogap.runs.sample import moment
from nanogap.runs.summary import planned_end
from nanogap.settings import DynamicsSettings, Settings
from nanogap.structure.tips import MOBILE


@pytest.fixture
def directory(tmp_path):
    """Three snapshots; the transmission of the second is impossible."""
    run = RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})
    commit = run.trajectory.append([snapshot(place) for place in range(3)], run.dynamics.commit)
    run.dynamics = DynamicsState(step=300, end_step=300, snapshots_planned=3, commit=commit)
    write_dataset(transmission(0.01), run.transmission_path(0))
    write_json(run.failure_path(1), {"error": "it cannot be cut"})
    write_dataset(transmission(0.9), run.transmission_path(2))
    return run


def test_a_run_is_opened_by_its_path_and_answers(directory):
    for path in (directory.path, str(directory.path)):
        run = open_run(path)
        assert isinstance(run, Run)
        assert len(run) == 3
        assert run.settings == Settings()
        assert run.status.state == "interrupted"
        assert run.status.failures == {1: "it cannot be cut"}
        assert run.report is None
        assert repr(run).splitlines() == [
            f"Run {str(directory.path)!r}",
            "  state            interrupted",
            "  snapshots        3 of 3, 0 to 1 ps under voltage",
            "  connected        1 of 3 snapshots",
            "  first contact    1 ps",
            "  transmission     of 2 snapshots: last 0.9, largest 0.9 G0",
            "  no transmission  1 snapshot",
            "  report           not written yet",
            f"  next             nanogap.resume({str(directory.path)!r})",
        ]
        assert repr(run.status).startswith("RunStatus\n  state            interrupted\n")


def test_status_report_and_sampling_have_one_first_contact(tmp_path):
    """Steps within voltage.cutoff led from base to base before bonds did: 37.00 and 37.08 ps."""
    run = RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})
    frames = [snapshot(place) for place in range(3)]
    frames[1].info["connected"] = True
    run.dynamics = DynamicsState(
        step=300,
        end_step=300,
        snapshots_planned=3,
        commit=run.trajectory.append(frames, run.dynamics.commit),
    )
    found = open_run(run.path).status
    assert found.connected == [False, False, True]
    observables = run.observables()
    assert first_contact(observables) == 2
    assert found.first_contact == moment("contact", run) == 1000.0
    assert landmarks(observables)["first_contact"] == 2


def test_the_conductance_of_a_run_is_a_trace_over_time(directory):
    trace = open_run(directory.path).conductance
    np.testing.assert_array_equal(trace, [0.01, np.nan, 0.9])
    assert trace["time"].to_numpy().tolist() == [0.0, 500.0, 1000.0]
    assert trace["stage"].to_numpy().tolist() == [Stage.DRIFT, Stage.ISLANDS, Stage.CONTACT]
    assert trace["connected"].to_numpy().tolist() == [False, False, True]
    assert trace.attrs["units"] == "G0"
    known = open_run(directory.path).transmission()
    assert known["snapshot"].to_numpy().tolist() == [0, 2]
    assert known["time"].to_numpy().tolist() == [0.0, 1000.0]


def test_frames_are_read_by_number_from_either_end(directory):
    run = open_run(directory.path)
    times = [frame.info["time"] for frame in run.frames()]
    assert times == [0.0, 500.0, 1000.0] == run.observables()["time"].to_numpy().tolist()
    assert [run.frame(number).info["time"] for number in (0, 2, -1, -3)] == [0, 1000, 1000, 0]
    for number in (3, -4):
        with pytest.raises(DataFormatError, match=rf"no snapshot {number}|has 3 snapshots"):
            run.frame(number)


def test_a_run_without_transmission_says_why(directory):
    directory.transmission_path(0).unlink()
    directory.transmission_path(2).unlink()
    run = open_run(directory.path)
    assert np.isnan(run.conductance).all()
    with pytest.raises(DataFormatError, match="no snapshot has a transmission: it cannot be cut"):
        run.transmission()


def test_what_is_settled_is_counted(directory):
    assert directory.settled == 3
    directory.failure_path(1).unlink()
    assert directory.settled == 2


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(DataFormatError, match="no run directory"):
        open_run(tmp_path / "absent")
    with pytest.raises(DataFormatError, match="no run directory"):
        resume(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="is not empty"):
        start("quick", tmp_path)
    with pytest.raises(SettingsError, match="no preset or file"):
        start("unheard-of", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_report_knows_the_end_that_the_dynamics_plans(directory):
    """The one after the contact that the dynamics goes by, also for tips that touch at once."""
    dynamics = DynamicsSettings(time_step=4.0, sampling_interval=400.0, stop_after_contact=300.0)
    settings = Settings(dynamics=dynamics)
    schedule = Schedule(settings.dynamics, settings.voltage)
    run = RunDirectory.create(directory.path.parent / "other", settings, "made by hand", {})
    run.dynamics = DynamicsState(step=0, end_step=schedule.last(schedule.equilibration + 100))
    assert planned_end(run) == 800.0


def test_one_process_at_a_time_works_in_a_run(directory):
    assert not directory.is_locked()
    with directory.lock():
        assert directory.is_locked()
        assert open_run(directory.path).status.state == "running"
        with pytest.raises(NanogapError, match="another nanogap process"), directory.lock():
            pass
    assert not directory.is_locked()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_run_that_cannot_be_written_says_so(directory):
    directory.path.chmod(0o500)
    with pytest.raises(NanogapError, match="cannot write to"), directory.lock():
        pass
    directory.path.chmod(0o700)


def test_frames_of_a_run_have_the_temperature_of_the_atoms_that_move(directory):
    for frame in (open_run(directory.path).frame(0), next(open_run(directory.path).frames())):
        moving = frame.arrays["electrode"] == MOBILE
        assert 0 < moving.sum() < len(frame)
        frame.set_velocities(np.full((len(frame), 3), 0.01))
        momenta = frame.get_momenta()
        assert not momenta[~moving].any()
        expected = frame.get_kinetic_energy() / (1.5 * units.kB * moving.sum())
        assert frame.get_temperature() == pytest.approx(expected)


def test_traces_over_time_are_drawn_against_it_by_one_word(directory):
    for trace in (
        open_run(directory.path).conductance,
        open_run(directory.path).transmission()["transmission_average"],
    ):
        (line,) = trace.plot(x="time")
        assert line.get_xdata().tolist() == trace["time"].to_numpy().tolist()
