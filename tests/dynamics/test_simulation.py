import re

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st

from nanogap.dynamics.schedule import FineSchedule, FineWindow, Schedule
from nanogap.dynamics.simulation import Simulation
from nanogap.errors import EngineError, NanogapError, SettingsError
from nanogap.observables import OBSERVABLES
from nanogap.settings import DynamicsSettings, Settings, VoltageSettings, load_settings
from nanogap.units import BOLTZMANN

DYNAMICS = DynamicsSettings(
    temperature=600.0,
    time_step=4.0,
    equilibration_time=80.0,
    production_time=480.0,
    sampling_interval=160.0,
    contact_sampling_interval=40.0,
    contact_sampling_time=120.0,
)
SETTINGS = Settings(dynamics=DYNAMICS, voltage=VoltageSettings(applied=8.0))


def walk(schedule):
    """Visit all events of a schedule; return the steps of updates and samples."""
    step, events = 0, []
    while step < schedule.end:
        end = schedule.chunk_end(step)
        while step < end:
            step = schedule.next_event(step, end)
            events.append(step)
    return events


@given(
    sampling=st.integers(1, 60),
    dense=st.integers(0, 60),
    update=st.integers(1, 50),
    intervals=st.integers(1, 8),
    equilibration=st.integers(0, 70),
)
def test_schedule_meets_every_sample_and_update(sampling, dense, update, intervals, equilibration):
    dense = min(dense, sampling)
    schedule = Schedule(
        DynamicsSettings(
            time_step=1.0,
            equilibration_time=equilibration,
            production_time=sampling * intervals,
            sampling_interval=sampling,
            contact_sampling_interval=dense,
        ),
        VoltageSettings(update_interval=update),
    )
    events = walk(schedule)
    assert events == sorted(set(events))
    regular = {equilibration + sampling * i for i in range(1, intervals + 1)}
    assert regular <= set(events)
    assert events[-1] == schedule.end == equilibration + sampling * intervals
    assert np.diff([0, *events]).max() <= update
    if dense:
        wanted = {s for s in range(equilibration + 1, schedule.end + 1) if schedule.is_dense(s)}
        assert wanted <= set(events)


@given(
    rhythm=st.tuples(*[st.integers(*limits) for limits in [(1, 60), (0, 60), (1, 50), (0, 70)]]),
    begin=st.integers(1, 200),
    every=st.integers(1, 30),
    count=st.integers(1, 50),
)
def test_fine_sampling_keeps_the_rhythm_of_the_run(rhythm, begin, every, count):
    """Samples are where asked for; chunks and updates of the potential where the run has them."""
    sampling, dense, update, equilibration = rhythm
    dense = min(dense, sampling)
    times = {
        "time_step": 1.0,
        "equilibration_time": equilibration,
        "production_time": sampling * 10,
    }
    coarse = DynamicsSettings(**times, sampling_interval=sampling, contact_sampling_interval=dense)
    voltage = VoltageSettings(update_interval=update)
    schedule = FineSchedule(
        coarse, voltage, FineWindow(begin, every, every * count, sampling, dense)
    )
    run = Schedule(coarse.model_copy(update={"production_time": 1e6 * sampling}), voltage)
    assert schedule.end == equilibration + begin + every * count
    step, samples, updates, chunks, pauses = 0, [], [], [], []
    while step < schedule.end:
        chunks += [step] if schedule.begins_chunk(step) else []
        pause = schedule.pause(step)
        assert step < pause <= schedule.chunk_end(step)
        while step < pause:
            step = schedule.next_event(step, pause)
            updates += [step] if schedule.updates(step) else []
            samples += [step] if schedule.is_candidate(step) else []
        pauses.append(step)
    assert samples == [equilibration + begin + every * place for place in range(count + 1)]
    assert len(samples) == schedule.planned(None)
    theirs, step = [0], 0
    while step < schedule.end:
        end = run.chunk_end(step)
        while step < end:
            step = run.next_event(step, end)
            theirs.append(step)
    assert updates == [event for event in theirs[1:] if event <= schedule.end]
    assert chunks == [event for event in theirs if run.begins_chunk(event) and event < schedule.end]


@given(
    sampling=st.integers(1, 60),
    dense=st.integers(0, 60),
    stop=st.integers(0, 500),
    contact=st.none() | st.integers(0, 400),
    equilibration=st.integers(0, 70),
)
def test_a_run_stops_with_the_first_regular_snapshot_after_the_contact(
    sampling, dense, stop, contact, equilibration
):
    schedule = Schedule(
        DynamicsSettings(
            time_step=1.0,
            equilibration_time=equilibration,
            production_time=400 // sampling * sampling,
            sampling_interval=sampling,
            contact_sampling_interval=min(dense, sampling),
            contact_sampling_time=30.0,
            stop_after_contact=stop,
        ),
        VoltageSettings(),
    )
    step = None if contact is None else min(equilibration + contact, schedule.end)
    last = schedule.last(step)
    if contact is None or not stop:
        assert last == schedule.end
        return
    assert (last - equilibration) % sampling == 0
    assert last == schedule.end or step + stop <= last < step + stop + sampling
    assert last <= schedule.end
    if not schedule.dense:
        assert schedule.planned(step) == (last - equilibration) // sampling + 1


@given(
    interval=st.integers(0, 200),
    contact=st.none() | st.integers(1, 400),
    equilibration=st.integers(0, 50),
)
def test_kept_checkpoints(interval, contact, equilibration):
    """One in every interval, the last before the first contact, the last: found on the way."""
    schedule = Schedule(
        DynamicsSettings(
            time_step=1.0,
            equilibration_time=equilibration,
            production_time=500,
            sampling_interval=10,
            checkpoint_interval=interval,
        ),
        VoltageSettings(),
    )
    there, everyone, step = set(), set(), 0
    while step < schedule.end:
        step = schedule.chunk_end(step)
        seen = contact if contact is not None and step >= contact else None
        everyone.add(step)
        there = schedule.kept_checkpoints(there | {step}, seen)
        assert max(there) == step
    if not interval:
        assert there == {schedule.end}
        return
    biased = [step - equilibration for step in sorted(there) if step >= equilibration]
    assert equilibration in there or not equilibration
    assert len({step // interval for step in biased}) >= len(biased) - 2
    assert {step // interval for step in biased} == {
        (step - equilibration) // interval for step in everyone
    }
    earlier = {step for step in everyone if contact is not None and step < contact}
    assert not earlier or max(earlier) in there


@pytest.fixture
def simulation(small_tips, tmp_path):
    folder = tmp_path / "engine"
    folder.mkdir()
    simulation = Simulation(small_tips, SETTINGS, folder=folder, seed=11)
    yield simulation
    simulation.close()


@pytest.mark.engine
def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(simulation, small_tips, tmp_path):
    whole = simulation.run(checkpoints=tmp_path)
    for interrupted_at in (20, 60, 100):
        folder = tmp_path / f"again-{interrupted_at}"
        folder.mkdir()
        again = Simulation(small_tips, SETTINGS, folder=folder, seed=11)
        again.load(tmp_path / f"step-{interrupted_at}")
        rest = again.run(checkpoints=folder)
        again.close()
        expected = [frame for frame in whole if frame.info["step"] > interrupted_at]
        assert len(rest) == len(expected) > 0
        for ours, theirs in zip(rest, expected, strict=True):
            assert ours.info["time"] == theirs.info["time"]
            np.testing.assert_array_equal(ours.positions, theirs.positions)
            np.testing.assert_array_equal(ours.get_charges(), theirs.get_charges())


@pytest.mark.engine
def test_a_snapshot_answers_where_ase_asks(simulation):
    """Kinetic energy in eV: that of the engine, and 3/2 N k T of the mobile atoms."""
    frame = simulation.advance()[0]
    mobile = frame.arrays["electrode"] == "mobile"
    thermal = 1.5 * mobile.sum() * units.kB * frame.info["temperature"]
    assert frame.info["temperature"] > 100.0
    assert frame.get_kinetic_energy() == pytest.approx(frame.info["kinetic_energy"], rel=1e-6)
    assert frame.get_kinetic_energy() == pytest.approx(thermal, rel=0.02)
    assert frame.get_potential_energy() == frame.info["potential_energy"]
    upper = frame.positions[:, 2] > frame.cell[2, 2] / 2.0
    assert frame.get_charges()[upper].sum() == pytest.approx(frame.info["charge_top"], abs=1e-9)
    assert OBSERVABLES.keys() <= frame.info.keys()
    np.testing.assert_array_equal(simulation.atoms.get_charges(), frame.get_charges())
    assert simulation.observables.keys() == OBSERVABLES.keys()


@pytest.mark.engine
def test_the_first_snapshot_is_unbiased_and_the_rest_are_biased(simulation, tmp_path):
    frames = simulation.run(checkpoints=tmp_path)
    first, *rest = frames
    assert first.info["time"] == 0.0
    assert abs(first.info["charge_top"]) < 1e-6
    assert all(frame.info["charge_top"] > 0.1 for frame in rest)
    assert all(np.abs(frame.arrays["potential"]).max() == pytest.approx(4.0) for frame in rest)
    times = [frame.info["time"] for frame in frames]
    assert times == sorted(set(times))
    assert {0.0, 160.0, 320.0, 480.0} <= set(times)


@pytest.mark.engine
def test_a_checkpoint_that_is_loaded_between_two_updates_is_the_same_one(small_tips, tmp_path):
    """The time since the last update of the potential is that of the checkpoint, none."""
    settings = load_settings(SETTINGS, {"voltage.mode": "relaxation", "voltage.update_interval": 4})
    with Simulation(small_tips, settings, seed=11) as simulation:
        whole = simulation.run(60, checkpoints=tmp_path)
        simulation.load(tmp_path / "step-20")
        simulation.run(7)
        simulation.load(tmp_path / "step-20")
        again = simulation.run(40)
    expected = [frame for frame in whole if frame.info["step"] > 20]
    assert len(again) == len(expected) > 0
    for ours, theirs in zip(again, expected, strict=True):
        np.testing.assert_array_equal(ours.positions, theirs.positions)
        np.testing.assert_array_equal(ours.arrays["potential"], theirs.arrays["potential"])


@pytest.mark.engine
def test_contact_is_sampled_densely(small_tips, tmp_path):
    """An adatom between the terraces, 4.6 A apart, is pulled in and seen on the way."""
    centre = small_tips.cell.lengths() / 2
    small_tips.append("Ag")
    small_tips.positions[-1] = centre
    small_tips.arrays["electrode"][-1] = "mobile"
    folder = tmp_path / "engine"
    folder.mkdir()
    simulation = Simulation(small_tips, SETTINGS, folder=folder, seed=3)
    frames = simulation.run(checkpoints=tmp_path)
    simulation.close()
    contact = simulation.progress.first_contact_step
    assert contact is not None
    # as nanogap.analysis.first_contact finds it afterwards; these tips touch at time 0 too
    later = [frame for frame in frames if frame.info["time"] > 0.0]
    assert next(one.info["step"] for one in later if one.info["bottleneck_atoms"]) == contact
    times = [frame.info["time"] for frame in frames]
    spacing = np.diff(times)
    assert spacing.min() == 40.0
    assert len(frames) == simulation.schedule.planned(contact) == simulation.progress.snapshots


@pytest.mark.engine
def test_fine_samples_lie_on_the_trajectory_of_the_run(simulation, small_tips, tmp_path):
    whole = simulation.run(checkpoints=tmp_path)
    window = FineWindow(200.0, 8.0, 200.0, DYNAMICS.sampling_interval, 40.0)
    folder = tmp_path / "fine"
    folder.mkdir()
    schedule = FineSchedule(DYNAMICS, SETTINGS.voltage, window)
    fine = Simulation(small_tips, SETTINGS, folder=folder, seed=11, schedule=schedule)
    fine.load(tmp_path / "step-60")
    frames = fine.run(checkpoints=folder)
    fine.close()
    times = [frame.info["time"] for frame in frames]
    assert times == [200.0 + 8.0 * place for place in range(26)]
    common = [frame for frame in whole if frame.info["time"] in times]
    assert common
    for frame in common:
        ours = frames[times.index(frame.info["time"])]
        np.testing.assert_array_equal(ours.positions, frame.positions)
        np.testing.assert_array_equal(ours.get_velocities(), frame.get_velocities())
        np.testing.assert_array_equal(ours.get_charges(), frame.get_charges())
        assert ours.info["potential_energy"] == frame.info["potential_energy"]


@pytest.mark.engine
def test_a_run_that_stops_after_its_contact_is_the_beginning_of_the_whole_run(small_tips, tmp_path):
    """The adatom between the tips again: the run ends with the chunk of its contact."""
    small_tips.append("Ag")
    small_tips.positions[-1] = small_tips.cell.lengths() / 2
    small_tips.arrays["electrode"][-1] = "mobile"
    runs = []
    for stop in (0.0, 40.0):
        folder = tmp_path / f"stop-{stop:g}"
        folder.mkdir()
        settings = load_settings(SETTINGS, {"dynamics.stop_after_contact": stop})
        simulation = Simulation(small_tips, settings, folder=folder, seed=3)
        frames = simulation.run(checkpoints=folder)
        schedule, progress = simulation.schedule, simulation.progress
        runs.append((frames, progress.first_contact_step, progress.step))
        assert len(frames) == schedule.planned(progress.first_contact_step)
        simulation.load(folder / f"step-{progress.step}")
        assert simulation.finished
        simulation.close()
    (whole, contact, end), (short, same, last) = runs
    assert contact is not None
    assert contact == same
    assert contact + 10 <= last < contact + 10 + 40
    assert last < end
    common = [frame for frame in whole if frame.info["step"] <= last]
    assert [f.info["step"] for f in short] == [f.info["step"] for f in common]
    np.testing.assert_array_equal(short[-1].positions, common[-1].positions)


@pytest.mark.engine
def test_stops_of_the_caller_leave_the_trajectory_as_it_is(simulation, small_tips):
    """In odd pieces, looked at in between: the snapshots are those of one go, to the bit."""
    whole = simulation.run()
    with Simulation(small_tips, SETTINGS, seed=11) as pieces:
        frames = []
        while not pieces.finished:
            frames += pieces.run(7)
            assert pieces.atoms.info["step"] == pieces.progress.step
            charged = np.abs(pieces.atoms.get_charges()).max() > 1e-2
            assert charged == (pieces.progress.step > 20)
        assert [f.info["step"] for f in frames] == [f.info["step"] for f in whole]
        for ours, theirs in zip(frames, whole, strict=True):
            np.testing.assert_array_equal(ours.positions, theirs.positions)
            np.testing.assert_array_equal(ours.arrays["momenta"], theirs.arrays["momenta"])
            np.testing.assert_array_equal(ours.arrays["potential"], theirs.arrays["potential"])
            assert ours.info["bias_work"] == pytest.approx(theirs.info["bias_work"], abs=1e-9)
        np.testing.assert_array_equal(pieces.atoms.positions, whole[-1].positions)
        with pytest.raises(EngineError, match="at its end, step 140: raise dynamics"):
            pieces.run(1)


@pytest.mark.engine
def test_a_look_at_the_start_changes_nothing(simulation, small_tips):
    (first, *_) = simulation.run()
    with Simulation(small_tips, SETTINGS, seed=11) as looked_at:
        start = looked_at.atoms
        np.testing.assert_array_equal(start.positions, looked_at.atoms.positions)
        assert start.info["step"] == 0
        np.testing.assert_array_equal(looked_at.run(20)[0].positions, first.positions)


@pytest.mark.engine
def test_velocities_and_charges_are_in_the_places_and_units_of_ase(small_tips):
    """Kinetic energy: what ASE computes is what LAMMPS does, and 3/2 kT per mobile atom."""
    settings = load_settings(SETTINGS, {"dynamics.equilibration_time": 0.0})
    with Simulation(small_tips, settings) as simulation:
        atoms = simulation.atoms
        mobile = int((atoms.arrays["electrode"] == "mobile").sum())
        # the start has the temperature exactly, but for the motion of the centre
        expected = 1.5 * (mobile - 1) * BOLTZMANN * settings.dynamics.temperature
        assert atoms.get_kinetic_energy() == pytest.approx(expected, rel=1e-5)
        for _ in range(3):
            assert atoms.get_kinetic_energy() == pytest.approx(
                atoms.info["kinetic_energy"], rel=1e-6
            )
            top = atoms.positions[:, 2] > atoms.cell[2, 2] / 2.0
            charge = atoms.get_charges()[top].sum()
            assert charge == pytest.approx(atoms.info["charge_top"], abs=1e-9)
            assert atoms.get_potential_energy() == atoms.info["potential_energy"]
            assert OBSERVABLES.keys() <= atoms.info.keys()
            assert charge > 0.1
            simulation.run(10)
            atoms = simulation.atoms
        observables = simulation.observables
        assert observables["kinetic_energy"] == atoms.info["kinetic_energy"]
        assert observables["step"] == 30
        assert observables.keys() == OBSERVABLES.keys()
        assert all(isinstance(value, float | int | np.generic) for value in observables.values())


@pytest.mark.parametrize(
    ("tips", "settings", "words"),
    [
        ([], SETTINGS, "tips is of type list: give tips of nanogap.build_tips or a frame"),
        (bulk("Ag"), SETTINGS, "tips has no info value 'lattice_constant': give tips of nanogap"),
        (bulk("Ag"), "quickest", "no preset or file named 'quickest'"),
        (bulk("Ag"), 7, "settings = 7: give the name of a preset"),
    ],
)
def test_what_cannot_be_simulated_is_named(tips, settings, words):
    with pytest.raises(NanogapError, match=re.escape(words)):
        Simulation(tips, settings)


@pytest.mark.engine
def test_no_steps_are_refused(simulation):
    with pytest.raises(SettingsError, match="steps = 0: give at least 1"):
        simulation.run(0)
