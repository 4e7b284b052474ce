"""A moment of a device as atoms, each with the electrode that it belongs to."""

from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap import observables
from nanogap.device.labels import bottleneck, electrodes, label_metal
from nanogap.device.lattice import (
    BRIDGED,
    FLOATING,
    ION,
    METAL,
    UPPER,
    Lattice,
    SiteStates,
    to_atoms,
)
from nanogap.device.needles import Tips
from nanogap.typing import BoolArray, Int64Array


def labelled_atoms(
    tips: Tips, states: SiteStates, element: str, *, constriction: bool = True
) -> Atoms:
    """Return the atoms on the sites, metal first.

    Parameters
    ----------
    tips : Tips
    states : ndarray of uint8, shape (n_sites,)
    element : str
    constriction : bool
        Count the atoms of the constriction, which takes tens of milliseconds.

    Returns
    -------
    ase.Atoms
        With the arrays ``kind``, metal of the lower (0) and of the upper electrode (1; in a bridge
        what fewer bonds lead to from there), metal without electrode (2) and ions (3), and
        ``site``; ``info`` has ``lattice_constant`` (angstrom), ``bridged``, ``n_ions`` and, if
        counted, ``constriction``.
    """
    lattice = tips.lattice
    lower, upper = electrodes(lattice, tips.fixed)
    clusters = label_metal(lattice, states, lower, upper)
    metal, ions = np.flatnonzero(states == METAL), np.flatnonzero(states == ION)
    sites = np.concatenate([metal, ions])
    kinds = np.full(len(lattice), observables.LOWER)
    kinds[clusters.labels == UPPER] = observables.UPPER
    kinds[clusters.labels == FLOATING] = observables.FLOATING
    kinds[ions] = observables.ION
    if clusters.bridged:
        nearer = _bonds(lattice, states == METAL, upper) < _bonds(lattice, states == METAL, lower)
        kinds[(clusters.labels == BRIDGED) & nearer] = observables.UPPER
    atoms = to_atoms(lattice, states, element)
    atoms.new_array("kind", kinds[sites].astype(np.int64))
    atoms.new_array("site", sites.astype(np.int64))
    atoms.info["bridged"] = clusters.bridged
    if constriction:
        atoms.info["constriction"] = len(bottleneck(lattice, clusters, lower, upper))
    return atoms


def _bonds(lattice: Lattice, metal: BoolArray, start: BoolArray) -> Int64Array:
    """Count the bonds from the nearest site of an electrode to every metal site."""
    count = np.full(len(metal), np.iinfo(np.int64).max)
    front: NDArray[np.integer[Any]] = np.flatnonzero(start & metal)
    steps = 0
    while len(front):
        count[front] = steps
        reached = np.unique(lattice.neighbours[front])
        reached = reached[reached >= 0]
        front = reached[metal[reached] & (count[reached] > steps + 1)]
        steps += 1
    return count
