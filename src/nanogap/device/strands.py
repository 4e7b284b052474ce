"""Strands of a bridge: atoms that lead the current side by side, and which of them share a cell.

Strands nearer to each other than the widest cell share one, and what interferes between them is in
its transmission. Farther ones conduct as resistors side by side do: the conductances add.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanogap.device.lattice import Lattice
from nanogap.structure.connectivity import clusters
from nanogap.typing import BoolArray, FloatArray, Int64Array


@dataclass(frozen=True, eq=False)
class Strands:
    """Strands of a bridge that are computed in one cell.

    Attributes
    ----------
    atoms : ndarray of int, shape (n_atoms,)
        Sites of their atoms in the narrowest layer.
    others : ndarray of int, shape (n_others,)
        Sites of the constriction that belong to strands of other cells.
    """

    atoms: NDArray[np.intp]
    others: NDArray[np.intp]


def share_strands(
    lattice: Lattice, thin: NDArray[np.intp], narrowest: NDArray[np.intp], widest: float
) -> list[Strands]:
    """Share the strands of a constriction among cells.

    Parameters
    ----------
    lattice : Lattice
    thin : ndarray of int, shape (n_thin,)
        Sites of the atoms of the constriction, in all its layers. Each belongs to the strand that
        is the nearest in the plane.
    narrowest : ndarray of int, shape (n_narrowest,)
        Those in the narrowest layer; groups of neighbours are the strands.
    widest : float
        Extent that the strands of one cell stay below, angstrom. A strand that is wider itself has
        a cell alone.

    Returns
    -------
    list of Strands
        The cell with the largest strand first.
    """
    if extent_of(lattice, narrowest)[1] < widest:
        return [Strands(narrowest, narrowest[:0])]
    group = groups(lattice, narrowest)
    cells: list[list[int]] = []
    for one in np.argsort(-np.bincount(group), kind="stable"):
        for cell in cells:
            together = narrowest[np.isin(group, [*cell, one])]
            if extent_of(lattice, together)[1] < widest:
                cell.append(int(one))
                break
        else:
            cells.append([int(one)])
    owner = group[_nearest_in_plane(lattice, thin, narrowest)]
    return [Strands(narrowest[np.isin(group, cell)], thin[~np.isin(owner, cell)]) for cell in cells]


def extent_of(lattice: Lattice, atoms: NDArray[np.intp]) -> tuple[FloatArray, float]:
    """Return the middle of atoms in the plane, shape (2,), and their largest extent, angstrom."""
    places = lattice.positions[atoms, :2]
    aside = _shortest(lattice, places - places[0])
    middle = (aside.min(axis=0) + aside.max(axis=0)) / 2.0
    return np.asarray(places[0] + middle), float(np.ptp(aside, axis=0).max())


def groups(lattice: Lattice, atoms: NDArray[np.intp]) -> Int64Array:
    """Give the groups of neighbours among some atoms numbers; return that of each atom."""
    place = np.full(len(lattice) + 1, -1)  # the last is what lies beyond the box
    place[atoms] = np.arange(len(atoms))
    ends = place[lattice.neighbours[atoms]]
    start, direction = np.nonzero(ends >= 0)
    return clusters(len(atoms), np.column_stack([start, ends[start, direction]]))


def leads_through(lattice: Lattice, sites: NDArray[np.intp], occupied: BoolArray) -> bool:
    """Whether the metal of a cell leads from its first layer to its last, shape as of `Neck`."""
    group = groups(lattice, sites[occupied])
    layer = np.nonzero(occupied)[0]
    return bool(np.isin(group[layer == 0], group[layer == len(sites) - 1]).any())


def _nearest_in_plane(
    lattice: Lattice, atoms: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return which of the others is the nearest to each atom in the plane."""
    places = lattice.positions[:, :2]
    aside = _shortest(lattice, places[atoms][:, None] - places[others][None])
    return np.asarray(np.argmin((aside**2).sum(axis=-1), axis=1), dtype=np.intp)


def _shortest(lattice: Lattice, aside: FloatArray) -> FloatArray:
    """Return the shortest of the periodic images of distances in the plane."""
    cell = lattice.cell[:2]
    return np.asarray(aside - cell * np.round(aside / cell))
