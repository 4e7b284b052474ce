"""The structures that figures number: those that tell how a filament forms and fluctuates.

After Figs. 3b, 4c and 5c of doi:10.1039/d3nh00476g, which number points of T(t) and draw the atoms.
"""

import numpy as np
import xarray as xr

from nanogap.analysis.filament.contact import bonded
from nanogap.analysis.filament.stages import bridge_events
from nanogap.typing import BoolArray, FloatArray

#: Structures that follow the first contact in Fig. 3b of the paper.
_GROWTH = 3
#: Transmission of an open gap: what tunnels across a nearly closed one is more, G0.
_OPEN = 0.1
#: A rise of the transmission below this is no growth of a filament, G0.
_LEAST_RISE = 0.2


def growth_structures(
    observables: xr.Dataset, transmission: FloatArray, usable: BoolArray
) -> list[int]:
    """Choose the structures of a rewiring: two of the open gap, the first contact, its growth.

    The second one is the last before the first contact with a transmission below 0.1 G0. That of
    the contact has the median transmission of the snapshots in a row with as many atoms in the
    bottleneck as the first one: where sampling is dense, a bond forms over several. Those of growth
    are the first whose transmission has risen by one, two and three thirds of the way to its
    largest value.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time, with ``bottleneck_atoms`` and ``tip_distance``.
    transmission : ndarray, shape (n_snapshots,)
        G0; NaN where it is not known.
    usable : ndarray of bool, shape (n_snapshots,)
        Snapshots that may be chosen: those whose atoms and transmission are known.

    Returns
    -------
    list of int
        Indices in order of time. Without a contact, those of the first snapshot and of the one
        whose tips are nearest.
    """
    touching = bonded(observables)
    opened = np.flatnonzero(usable & ~touching)
    contacts = np.flatnonzero(usable & touching)
    if not len(contacts):
        distance = observables["tip_distance"].to_numpy()[opened]
        nearest = opened[[int(np.argmin(distance))]] if len(opened) else opened
        return sorted({*opened[:1].tolist(), *nearest.tolist()})
    contact = _typical_of_stretch(observables, transmission, int(contacts[0]), usable)
    before = opened[opened < contacts[0]]
    apart = before[1:][transmission[before[1:]] < _OPEN]
    second = apart if len(apart) else before[1:]
    chosen = [*before[:1].tolist(), *second[-1:].tolist(), contact]
    later = contacts[contacts > contact]
    rise = float(transmission[later].max(initial=-np.inf) - transmission[contact])
    for part in range(1, _GROWTH + 1) if rise >= _LEAST_RISE else ():
        # rounding must not lose the largest value
        threshold = transmission[contact] + rise * part / _GROWTH - 1e-9
        risen = later[(transmission[later] >= threshold) & (later > chosen[-1])]
        if len(risen):
            chosen.append(int(risen[0]))
    return chosen


def _typical_of_stretch(
    observables: xr.Dataset, transmission: FloatArray, begin: int, usable: BoolArray
) -> int:
    """Choose of the usable snapshots in a row with one width that with the median transmission."""
    atoms = observables["bottleneck_atoms"].to_numpy()
    changed = np.flatnonzero(atoms[begin:] != atoms[begin])
    end = begin + int(changed[0]) if len(changed) else len(atoms)
    row = begin + np.flatnonzero(usable[begin:end])
    order = np.argsort(transmission[row], kind="stable")
    return int(row[order[(len(row) - 1) // 2]])


def single_atom_contacts(
    observables: xr.Dataset, transmission: FloatArray, usable: BoolArray
) -> list[int]:
    """Find the single-atom contacts of a run, one of every bridge that formed.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time: ``time``, ``connected`` and ``bottleneck_atoms``.
    transmission : ndarray, shape (n_snapshots,)
        G0; NaN where it is not known.
    usable : ndarray of bool, shape (n_snapshots,)
        Snapshots that may be chosen.

    Returns
    -------
    list of int
        Indices in order of time: of every bridge, before it breaks again, the one with the median
        transmission of its first snapshots in a row whose bottleneck is a single atom.
    """
    numbers = observables["snapshot"].to_numpy().tolist()
    places = [numbers.index(event.snapshot) for event in bridge_events(observables)]
    single = usable & (observables["bottleneck_atoms"].to_numpy() == 1)
    found = []
    # a contact and a rupture follow each other: every second event is a bridge that forms
    for begin, end in zip(places[::2], [*places[1::2], len(numbers)], strict=False):
        inside = np.flatnonzero(single[begin:end])
        if len(inside):
            place = begin + int(inside[0])
            found.append(_typical_of_stretch(observables, transmission, place, single))
    return found


def fluctuation_points(transmission: FloatArray, usable: BoolArray, count: int = 4) -> list[int]:
    """Choose points of a fluctuating trace: in equal parts of it, those farthest from the mean.

    Parameters
    ----------
    transmission : ndarray, shape (n_samples,)
        G0; NaN where it is not known.
    usable : ndarray of bool, shape (n_samples,)
        Samples that may be chosen.
    count : int
        Parts.

    Returns
    -------
    list of int
        Indices in order of time, one for every part that has a usable sample.
    """
    chosen = np.flatnonzero(usable & np.isfinite(transmission))
    if not len(chosen):
        return []
    away = np.abs(transmission - float(transmission[chosen].mean()))
    parts = np.array_split(chosen, min(count, len(chosen)))
    return [int(part[np.argmax(away[part])]) for part in parts]
