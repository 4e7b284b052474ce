"""One run made by hand, and every place that tells its first contact.

The tips are connected metal a snapshot before they are bonded, and the snapshot in which they are
first bonded has no transmission.
"""

import numpy as np
import pytest
import xarray as xr
from docs.build import kinetics_gather
from tests import hand_made_frames

from nanogap.analysis import Stage, bridge_events, classify_stages, first_contact, landmarks
from nanogap.analysis.filament.contact import first_contacts
from nanogap.campaign.collect import collect, open_ensemble
from nanogap.campaign.kinetics import dataset_kinetics
from nanogap.campaign.member import keep_trajectory, packed, steps_and_transmissions
from nanogap.campaign.page import draw_all
from nanogap.campaign.state import CampaignState
from nanogap.campaign.statistics import ensemble_statistics
from nanogap.io import write_dataset, write_json
from nanogap.observables import OBSERVABLES
from nanogap.report.result import RunResult
from nanogap.runs import RunDirectory
from nanogap.runs.directory import DynamicsState
from nanogap.runs.summary import planned_end
from nanogap.structure import analyse_connection, analyse_gap

#: Connected, whether the tips are bonded, transmission.
SNAPSHOTS = [
    (False, False, 0.01),
    (True, False, 0.2),
    (True, True, None),
    (True, True, 0.9),
]
CONTACT, INTERVAL = 2, 500.0


def snapshot(number, *, connected, bonded):
    maker = hand_made_frames.contact if bonded else hand_made_frames.drift
    atoms = hand_made_frames.frame(*maker(number))
    connection = analyse_connection(atoms, 4.0)
    atoms.info.update(dict.fromkeys(OBSERVABLES, 0.0))
    atoms.info.update(
        step=100 * number,
        time=INTERVAL * number,
        connected=connected,
        minimax_gap=connection.minimax_gap,
        bottleneck_atoms=len(connection.bottleneck),
        **analyse_gap(atoms, connection).observables,
    )
    assert bool(len(connection.bottleneck)) == bonded
    return atoms


@pytest.fixture
def folder(make_folder):
    return make_folder()


@pytest.fixture
def run(folder):
    entry = folder.entries[0]
    run = RunDirectory.create(folder.run_path(entry), folder.settings(entry), "by hand", {})
    frames = [
        snapshot(number, connected=connected, bonded=bonded)
        for number, (connected, bonded, _) in enumerate(SNAPSHOTS)
    ]
    commit = run.trajectory.append(frames, run.dynamics.commit)
    run.dynamics = DynamicsState(step=1000, end_step=2000, commit=commit)
    for number, (_, _, value) in enumerate(SNAPSHOTS):
        if value is None:
            write_json(run.failure_path(number), {"error": "it does not converge"})
            continue
        part = xr.Dataset(
            {"transmission_average": (("snapshot", "energy"), [[value]])},
            coords={"energy": [0.0]},
            attrs={"backend": "by hand", "kpoints": "1 1", "wall_time": 1.0},
        )
        write_dataset(part, run.transmission_path(number))
    return run


def test_all_places_tell_the_same_first_contact_of_a_run(run):
    observables = run.observables()
    assert first_contact(observables) == CONTACT
    first = bridge_events(observables)[0]
    assert (first.kind, first.snapshot, first.time) == ("first contact", CONTACT, 1000.0)
    assert landmarks(observables)["first_contact"] == CONTACT
    assert classify_stages(observables).index(Stage.CONTACT) == CONTACT
    result = RunResult.gather(
        settings=run.settings,
        observables=observables,
        transmission=run.transmission_averages(),
        spectra=None,
        frames=[],
        failures=run.failures(),
        planned_end=planned_end(run),
    )
    assert result.first_contact == CONTACT
    assert result.time[result.first_contact] == 1.0
    # the observable that the status lists is another thing, and earlier
    assert int(np.argmax(observables["connected"].to_numpy())) == CONTACT - 1


def test_all_places_tell_the_same_first_contact_of_a_campaign(folder, run):
    """Its time is that of the bonds; no later conductance takes the place of the unknown one."""
    result = packed(run, run.settings)
    assert np.isnan(result.attrs["first_contact"])
    result.attrs |= {"core_seconds": 1.0, "peak_memory": 1.0, "run_directory_bytes": 1}
    write_dataset(result, folder.result_path(folder.entries[0]))
    collect(folder)
    with open_ensemble(folder.dataset) as dataset:
        contacts = first_contacts(dataset)
        times = dataset_kinetics(dataset).times
        statistics = ensemble_statistics(dataset)
    assert contacts.snapshot.tolist() == [CONTACT]
    assert contacts.time.tolist() == [1000.0]
    assert np.isnan(contacts.conductance).all()
    assert contacts.made.tolist() == [True]
    assert contacts.median_time() == 1000.0
    assert (times.time.tolist(), times.observed.tolist()) == ([1.0], [True])
    summary = statistics.summary()
    assert summary.first_contact.members_in_contact == summary.kinetics.contacts == 1
    assert summary.first_contact.median_time == 1000.0 * summary.kinetics.points[0].median
    assert summary.first_contact.count == 0
    assert CampaignState(folder).describe().first_contact.members == 0
    assert "first-contact" not in draw_all(statistics)


def test_the_state_and_the_count_of_attempts_ask_the_run_directory(folder, run):
    entry = folder.entries[0]
    # 1000 steps, three transmissions and one that failed
    assert steps_and_transmissions(folder, entry) == 1004
    with folder.lock(entry):
        (member,) = CampaignState(folder).describe().running
    assert (member.step, member.end_step) == (1000, 2000)
    assert member.transmission == [0.01, 0.2, 0.9]
    (run.path / "run.json").write_text("{")
    assert steps_and_transmissions(folder, entry) == 0


def test_the_data_of_the_kinetics_page_take_the_same_contact(folder, run, monkeypatch):
    entry = folder.entries[0]
    result = packed(run, run.settings)
    result.attrs |= {"core_seconds": 1.0, "peak_memory": 1.0, "run_directory_bytes": 1}
    write_dataset(result, folder.result_path(entry))
    folder.trajectory_path(entry).parent.mkdir()
    keep_trajectory(run, folder.trajectory_path(entry), every=10)
    monkeypatch.setattr(kinetics_gather, "forces_of_voltages", lambda _: [])
    # frames made by hand have different numbers of atoms
    monkeypatch.setattr(kinetics_gather, "_origins", lambda *given: {"contact_snapshot": given[-1]})
    (told,) = kinetics_gather.content_of([folder])["runs"]
    assert (told["time"], told["contact"]) == (1.0, True)
    assert told["contact_snapshot"] == CONTACT
