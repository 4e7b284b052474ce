"""Rough surfaces: atoms moved to random surface sites before a simulation begins."""

import numpy as np

from nanogap.device.labels import electrodes, label_metal
from nanogap.device.lattice import (
    EMPTY,
    LOWER,
    METAL,
    NO_METAL,
    UPPER,
    Lattice,
    SiteIndices,
    SiteStates,
)
from nanogap.device.needles import Tips
from nanogap.errors import StructureError
from nanogap.typing import BoolArray, IntArray

#: Neighbours of an atom in the crystal, and of an adatom on the closest-packed surface.
_FULL, _ADATOM = 12, 3


def roughen(tips: Tips, share: float, random: np.random.Generator) -> BoolArray:
    """Move some surface atoms of the needles to random surface sites of the same needle.

    A surface atom is one that is not fixed and has fewer than twelve metal neighbours; a surface
    site is an empty one with three or more. Atoms and sites are drawn one after the other, each
    atom at most once, among those that neither join the electrodes nor leave metal without one.

    Parameters
    ----------
    tips : Tips
    share : float
        Of the surface atoms, 0 to 1.
    random : numpy.random.Generator

    Returns
    -------
    ndarray of bool, shape (n_sites,)
        Sites with an atom; each needle has as many as before.

    Raises
    ------
    StructureError
        If there are not as many moves.

    Examples
    --------
    >>> import numpy as np
    >>> from nanogap.device.needles import build_needles
    >>> from nanogap.device.roughness import roughen
    >>> tips = build_needles(lattice_constant=4.09, base_width=20.0, height=10.0, apex_width=6.0,
    ...                      gap=9.4, fixed_layers=2, margin=6.0)
    >>> metal = roughen(tips, 0.1, np.random.default_rng(1))
    >>> int(metal.sum()) == int(tips.metal.sum()), bool(metal[tips.fixed].all())
    (True, True)
    """
    lattice = tips.lattice
    lower, upper = electrodes(lattice, tips.fixed)
    states = np.where(tips.metal, METAL, 0).astype(np.uint8)
    mobile = tips.metal & ~tips.fixed
    surface = np.flatnonzero(mobile & (coordination(lattice, tips.metal) < _FULL))
    count = round(share * len(surface))
    home = label_metal(lattice, states, lower, upper).labels
    moved = 0
    for atom in random.permutation(surface):
        if moved == count:
            break
        states[atom] = EMPTY
        clusters = label_metal(lattice, states, lower, upper)
        places = _surface_sites(lattice, clusters.labels, int(home[atom]), int(atom))
        # an atom that others hold on to, or that is buried by now, stays
        if len(clusters.sizes) or coordination(lattice, states == METAL)[atom] == _FULL:
            places = places[:0]
        if len(places):
            moved += 1
        states[random.choice(places) if len(places) else atom] = METAL
    if moved < count:
        raise StructureError(
            f"geometry.roughness = {share:g} moves {count} surface atoms, and only {moved} have a "
            "place to go to: choose a smaller one"
        )
    return np.asarray(states == METAL)


def coordination(lattice: Lattice, metal: BoolArray) -> IntArray:
    """Count the metal neighbours of every site; outside of the first and last layer all is metal.

    Parameters
    ----------
    lattice : Lattice
    metal : ndarray of bool, shape (n_sites,)

    Returns
    -------
    ndarray of int, shape (n_sites,)
    """
    beyond = lattice.neighbours < 0
    return np.asarray((beyond | metal[lattice.neighbours]).sum(axis=1))


def _surface_sites(lattice: Lattice, labels: SiteStates, electrode: int, own: int) -> SiteIndices:
    """Find the empty sites with three or more neighbours, all of one electrode, but one."""
    near = coordination(lattice, labels == electrode)
    other = labels == (UPPER if electrode == LOWER else LOWER)
    places = (labels == NO_METAL) & (near >= _ADATOM) & ~other[lattice.neighbours].any(axis=1)
    places[own] = False
    return np.flatnonzero(places).astype(np.int32)
