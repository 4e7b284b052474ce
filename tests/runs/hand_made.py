"""Snapshots and transmissions of runs that were made by hand."""

import xarray as xr
from tests import hand_made_frames

from nanogap.observables import OBSERVABLES
from nanogap.structure import analyse_connection, analyse_gap

STORY = (hand_made_frames.drift, hand_made_frames.islands, hand_made_frames.contact)


def snapshot(place):
    atoms = hand_made_frames.frame(*STORY[place](place), jitter=0.03, seed=place)
    connection = analyse_connection(atoms, 4.0)
    atoms.info.update(dict.fromkeys(OBSERVABLES, 0.0))
    atoms.info.update(
        time=500.0 * place,
        connected=connection.connected,
        bottleneck_atoms=len(connection.bottleneck),
        **analyse_gap(atoms, connection).observables,
    )
    return atoms


def transmission(value):
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), [[value]])},
        coords={"snapshot": [0], "energy": [0.0]},
    )
