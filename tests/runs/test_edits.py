"""A run whose files are edited, damaged or lost between two sessions, or taken on by others."""

import json
import shutil

import pytest
from tests.runs.hand_made import snapshot, transmission

from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_dataset
from nanogap.runs import RunDirectory, driver
from nanogap.runs.dynamics_process import simulate
from nanogap.runs.notes import notes_of
from nanogap.runs.state import DynamicsState
from nanogap.settings import Settings, load_settings

SETTINGS = load_settings("quick")


@pytest.fixture
def run(tmp_path, small_tips):
    """A run with structure, three snapshots and a transmission; it has reached step 300."""
    run = RunDirectory.create(tmp_path / "run", SETTINGS, "made by hand", {"nanogap": "0.0.9"})
    run.tips = small_tips
    frames = [snapshot(place) for place in range(3)]
    for frame, step in zip(frames, (100, 200, 300), strict=True):
        frame.info.update(step=step, temperature=SETTINGS.dynamics.temperature)
    commit = run.trajectory.append(frames, run.dynamics.commit)
    run.dynamics = DynamicsState(step=300, end_step=900, snapshots_planned=9, commit=commit)
    write_dataset(transmission(0.01), run.transmission_path(0))
    driver.record_beginning(run.files, run.settings)
    return run


def edit(run, key, value):
    content = json.loads(run.files.description.read_text())
    *parts, last = f"settings.{key}".split(".")
    table = content
    for part in parts:
        table = table[part]
    table[last] = value
    run.files.description.write_text(json.dumps(content))
    return RunDirectory(run.path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("voltage.applied", 3.0, r"voltage.applied = 3.0 \(was .*put it back"),
        ("dynamics.temperature", 300.0, "begin another run"),
        ("dynamics.sampling_interval", 50.0, "begin another run"),
        ("dynamics.thermostat_time", 50.0, "begin another run"),
        ("structure.gap", 9.0, "begin another run"),
        ("seed", 77, "seed = 77"),
        ("transport.kpoints", [3, 3], "delete the folder transmission"),
        ("transport.energies", "0,0.1", "delete the folder transmission"),
        ("junction.lead_repeats", 4, "delete the folder transmission"),
        ("dynamics.production_time", 100.0, "it has reached"),
    ],
)
def test_a_setting_that_would_mix_results_is_refused(run, key, value, words):
    if key == "dynamics.production_time":
        run = edit_interval(run)
    with pytest.raises(SettingsError, match=words) as told:
        edit(run, key, value)
    assert "run.json has been edited since the run began" in str(told.value)


def edit_interval(run):
    """Let the sampling fit a production time that is short."""
    content = json.loads(run.files.description.read_text())
    content["settings"]["dynamics"].update(
        sampling_interval=50.0, contact_sampling_interval=20.0, equilibration_time=80.0
    )
    run.files.description.write_text(json.dumps(content))
    driver.record_beginning(run.files, Settings.model_validate(content["settings"]))
    return RunDirectory(run.path)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("name", "another", False),
        ("transport.workers", 3, False),
        ("dynamics.processes", 2, True),
        ("dynamics.production_time", 9e6, True),
        ("transport.spectrum_energies", "0", True),
    ],
)
def test_what_may_change_is_recorded(run, key, value, told):
    changed = edit(run, key, value)
    changed.begin_session({"nanogap": "0.0.9"})
    again = RunDirectory(run.path)
    notes = [note for note in notes_of(again) if key in note]
    assert bool(notes) == told
    again.begin_session({"nanogap": "0.0.9"})
    assert RunDirectory(run.path).changes == again.changes


def test_transport_may_change_before_there_is_any(run):
    shutil.rmtree(run.path / "transmission")
    assert edit(run, "transport.kpoints", [3, 3]).settings.transport.kpoints == (3, 3)


def test_everything_may_change_before_the_structure_is_built(tmp_path):
    run = RunDirectory.create(tmp_path / "run", SETTINGS, "made by hand", {})
    assert edit(run, "voltage.applied", 3.0).settings.voltage.applied == 3.0


def test_a_value_that_cannot_be_is_named(run):
    with pytest.raises(DataFormatError, match=r"run.json.*voltage.applied = 'much'"):
        edit(run, "voltage.applied", "much")


@pytest.mark.parametrize("name", ["tips", "hamiltonian", "force_field"])
def test_another_structure_or_force_field_is_refused(run, name):
    path = getattr(run.files, name)
    if name != "tips":
        path.write_text("as it was")
        driver.record_beginning(run.files, run.settings)
    driver.refuse_other_files(run.files)
    path.write_text(path.read_text() + " ")
    with pytest.raises(SettingsError, match=f"{path.name} is not the file"):
        driver.refuse_other_files(run.files)


def test_every_version_that_had_a_part_is_named(run):
    for version in ("0.0.9", "0.1.0", "0.1.0"):
        RunDirectory(run.path).begin_session({"nanogap": version, "ase": "3"})
    found = RunDirectory(run.path)
    assert found.versions == {"nanogap": "0.0.9, 0.1.0", "ase": "3"}
    assert "several versions had a part: nanogap 0.0.9, 0.1.0" in notes_of(found)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text(""),
        lambda path: path.write_text("[1]"),
        lambda path: path.write_text(path.read_text().replace('"snapshots": 3', '"snapshots": 1')),
        lambda path: path.write_text(path.read_text().replace('"step": 300', '"step": "x"')),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
    ],
    ids=["lost", "empty", "other", "flipped", "nonsense", "cut"],
)
def test_a_lost_record_truncates_no_trajectory(run, damage):
    trajectory = run.trajectory.path.read_bytes()
    damage(run.files.dynamics)
    again = RunDirectory(run.path)
    assert len(again.records()) == 3
    assert again.dynamics.step == 300
    with again.lock():
        driver._recover(again)  # noqa: SLF001 the first part of a session
    assert "dynamics.json was lost or damaged" in notes_of(again)[0]
    commit = again.trajectory.append([], again.dynamics.commit)
    assert commit == run.trajectory.append([], again.dynamics.commit)
    assert run.trajectory.path.read_bytes() == trajectory


def test_half_a_line_of_the_index_does_not_count(run):
    index = run.files.index
    index.write_bytes(index.read_bytes()[:-5])
    run.files.dynamics.unlink()
    assert len(RunDirectory(run.path).records()) == 2


def test_a_trajectory_that_is_cut_is_not_filled_with_zeros(run):
    path = run.trajectory.path
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataFormatError, match=r"trajectory.extxyz is shorter"):
        run.trajectory.append([], run.dynamics.commit)


@pytest.mark.parametrize(("temperature", "told"), [(3655.0, True), (5.0, True), (850.0, False)])
def test_a_temperature_far_from_what_was_asked_is_told(tmp_path, temperature, told):
    run = RunDirectory.create(tmp_path / "run", SETTINGS, "made by hand", {})
    frame = snapshot(0)
    frame.info.update(temperature=temperature, kinetic_energy=1.3e-4 * 100 * temperature)
    run.dynamics = DynamicsState(commit=run.trajectory.append([frame], run.dynamics.commit))
    assert any(f"was {temperature:.0f} K" in note for note in notes_of(run)) == told


def test_a_voltage_far_above_all_is_told(tmp_path):
    settings = load_settings("quick", {"voltage.applied": 100.0})
    run = RunDirectory.create(tmp_path / "run", settings, "made by hand", {})
    assert any("far above" in note for note in notes_of(run))


@pytest.mark.engine
def test_a_damaged_checkpoint_and_a_later_end_change_no_trajectory(tmp_path):
    """From the checkpoint before the damaged one, the same snapshots come once more."""
    tiny = {
        "structure.lattice_constant": 4.216,
        "structure.base_width": 12.0,
        "structure.height": 5.0,
        "structure.apex_width": 6.0,
        "structure.gap": 6.0,
        "structure.fixed_layers": 1,
        "structure.vacuum": 12.0,
        "junction.cut": "full",
        "dynamics.equilibration_time": 40.0,
        "dynamics.sampling_interval": 40.0,
        "dynamics.contact_sampling_interval": 0.0,
    }

    def begun(name, duration):
        settings = load_settings("quick", tiny | {"dynamics.production_time": duration})
        run = RunDirectory.create(tmp_path / name, settings, "test", driver.program_versions())
        with run.lock():
            driver.prepare(run)
            simulate(run)
        return run

    whole, short = begun("whole", 160.0), begun("short", 80.0)
    (last,) = short.files.checkpoints.glob(short.dynamics.checkpoint)
    content = bytearray((last / "restart.lammps").read_bytes())
    content[len(content) // 2] ^= 1
    (last / "restart.lammps").write_bytes(content)
    longer = edit(short, "dynamics.production_time", 160.0)
    with longer.lock():
        driver.prepare(longer)
        simulate(longer)
    assert longer.trajectory.path.read_bytes() == whole.trajectory.path.read_bytes()
    assert longer.dynamics.finished
    (note,) = longer.dynamics.notes
    assert f"checkpoint {last.name} is damaged: restart.lammps" in note
    assert "repeated from step 10" in note
    # nor does the loss of all of them, and of the record beside
    shutil.rmtree(longer.files.checkpoints)
    longer.files.dynamics.unlink()
    last = edit(longer, "dynamics.production_time", 200.0)
    with last.lock():
        driver.prepare(last)
        simulate(last)
    stored = whole.trajectory.path.read_bytes()
    assert last.trajectory.path.read_bytes().startswith(stored)
    assert len(last.records()) == len(whole.records()) + 1
