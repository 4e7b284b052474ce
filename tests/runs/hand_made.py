"""Snapshots and transmissions of runs that were made by hand."""

import xarray as xr
from tests import hand_made_frames

from nanogap.io import write_dataset
from nanogap.observables import OBSERVABLES
from nanogap.runs import RunDirectory
from nanogap.runs.directory import DynamicsState
from nanogap.settings import Settings
from nanogap.structure import analyse_connection, analyse_gap

STORY = (hand_made_frames.drift, hand_made_frames.islands, hand_made_frames.contact)
#: A bridge that forms, grows, breaks and forms again, and its transmissions, G0.
WHOLE_STORY = (*STORY, hand_made_frames.lateral_growth, hand_made_frames.islands, STORY[2])
TRANSMISSIONS = (0.002, 0.03, 0.94, 2.1, 0.01, 0.88)


def snapshot(place, story=STORY, voltage=0.0):
    atoms = hand_made_frames.frame(*story[place](place), jitter=0.03, seed=place)
    connection = analyse_connection(atoms, 4.0)
    atoms.info.update(dict.fromkeys(OBSERVABLES, 0.0))
    atoms.info.update(
        time=500.0 * place,
        applied_voltage=voltage,
        connected=connection.connected,
        bottleneck_atoms=len(connection.bottleneck),
        constriction_x=connection.axis[0],
        constriction_y=connection.axis[1],
        **analyse_gap(atoms, connection).observables,
    )
    return atoms


def transmission(value):
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), [[value]])},
        coords={"snapshot": [0], "energy": [0.0]},
    )


def whole_run(path, values=TRANSMISSIONS, story=WHOLE_STORY, **settings):
    """A run directory with the whole story; None stands for a transmission that is not there."""
    run = RunDirectory.create(path, Settings.model_validate(settings), "made by hand", {})
    voltage = run.settings.voltage.applied
    frames = [snapshot(place, story, voltage) for place in range(len(story))]
    commit = run.trajectory.append(frames, run.dynamics.commit)
    run.dynamics = DynamicsState(step=1, end_step=2, commit=commit)
    for number, value in enumerate(values):
        if value is not None:
            write_dataset(transmission(value), run.transmission_path(number))
    return run
