"""Matter between two tips: adatoms, islands, the bridge and its cross-section.

An adatom is an atom beyond the plane of a terrace by more than half a layer. It belongs to the tip
that fewer bonds lead to. An island is a cluster of bonded adatoms of one tip.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from nanogap.observables import GAP_OBSERVABLES
from nanogap.structure.connectivity import (
    Connection,
    bonded_pairs,
    clusters,
)
from nanogap.structure.tips import (
    BOTTOM,
    TOP,
    layer_spacing,
    nearest_neighbour_distance,
)
from nanogap.typing import FloatArray, Int64Array

Mask = NDArray[np.bool_]

#: Fewest bonded adatoms that are called an island: the dimer, the smallest cluster there is.
SMALLEST_ISLAND = 2

#: Grid points along the radius of a disc whose area is counted: 1 % of one disc.
_FINENESS = 12


@dataclass(frozen=True)
class Gap:
    """Matter between the terraces of a snapshot.

    Attributes
    ----------
    bottom, top, loose : tuple of int
        Sizes of the clusters of adatoms of the bottom tip, of the top tip, and of those that no
        bonds lead to; largest first, single adatoms included.
    tip_distance : float
        Shortest distance between the tips, each with all that is bonded to it; once bonds connect
        them, the longest bond of the best path. Angstrom.
    bridge_atoms : int
        Adatoms of clusters that are bonded to both tips: the filament.
    cross_section : float
        Area that the bottleneck covers, seen along the axis: discs of the area of an atom in a
        (111) plane, overlaps counted once. 0 if no bonds connect the tips. Angstrom^2.
    bottleneck_coordination : float
        Mean number of bonds of the atoms of the bottleneck; 0 without one.
    constriction_height : float
        Height of the constriction over the middle of the gap, angstrom.
    """

    bottom: tuple[int, ...]
    top: tuple[int, ...]
    loose: tuple[int, ...]
    tip_distance: float
    bridge_atoms: int
    cross_section: float
    bottleneck_coordination: float
    constriction_height: float

    @property
    def largest_island(self) -> int:
        """Atoms of the largest cluster of adatoms; 1 for a single one, 0 if there is none."""
        return max(chain(self.bottom, self.top, self.loose), default=0)

    @property
    def adatoms_bottom(self) -> int:
        """Adatoms of the bottom tip."""
        return sum(self.bottom)

    @property
    def adatoms_top(self) -> int:
        """Adatoms of the top tip."""
        return sum(self.top)

    @property
    def atoms_in_gap(self) -> int:
        """Adatoms of both tips, and those that no bonds lead to."""
        return self.adatoms_bottom + self.adatoms_top + sum(self.loose)

    @property
    def islands_bottom(self) -> int:
        """Islands of the bottom tip."""
        return sum(size >= SMALLEST_ISLAND for size in self.bottom)

    @property
    def islands_top(self) -> int:
        """Islands of the top tip."""
        return sum(size >= SMALLEST_ISLAND for size in self.top)

    @property
    def observables(self) -> dict[str, float]:
        """The scalars that are kept with every snapshot: `nanogap.observables`."""
        return {name: getattr(self, name) for name in GAP_OBSERVABLES}


def analyse_gap(atoms: Atoms, connection: Connection) -> Gap:
    """Describe what lies between the terraces of a snapshot.

    Parameters
    ----------
    atoms : ase.Atoms
        A snapshot with the array ``electrode`` and ``info`` of `nanogap.structure.build_pyramids`.
    connection : Connection
        Of the same snapshot, from `nanogap.structure.analyse_connection`.

    Returns
    -------
    Gap
    """
    positions = np.asarray(atoms.positions, dtype=np.float64)
    lattice_constant = float(atoms.info["lattice_constant"])
    pairs, _ = bonded_pairs(atoms)
    middle = _middle(atoms)
    adatoms = adatom_mask(atoms)
    owner = _owners(atoms, adatoms, pairs)
    n = len(positions)
    bottom, top, loose = (
        _cluster_sizes(n, pairs, adatoms & (owner == label)) for label in (BOTTOM, TOP, "")
    )
    degree = np.bincount(pairs.ravel(), minlength=n)
    bottleneck = connection.bottleneck
    return Gap(
        bottom=bottom,
        top=top,
        loose=loose,
        tip_distance=_tip_distance(atoms, pairs, connection),
        bridge_atoms=_bridge_atoms(adatoms, positions[:, 2] < middle, pairs),
        cross_section=_covered_area(
            positions[bottleneck, :2], nearest_neighbour_distance(lattice_constant)
        ),
        bottleneck_coordination=float(degree[bottleneck].mean()) if len(bottleneck) else 0.0,
        constriction_height=float(connection.position[2] - middle),
    )


def adatom_mask(atoms: Atoms) -> Mask:
    """Tell which atoms lie between the terraces, beyond their planes by half a layer.

    Parameters
    ----------
    atoms : ase.Atoms
        See `analyse_gap`.

    Returns
    -------
    ndarray of bool, shape (n_atoms,)
    """
    heights = atoms.positions[:, 2]
    margin = layer_spacing(float(atoms.info["lattice_constant"])) / 2.0
    mask: Mask = (heights > atoms.info["bottom_terrace"] + margin) & (
        heights < atoms.info["top_terrace"] - margin
    )
    return mask


def _owners(atoms: Atoms, adatoms: Mask, pairs: Int64Array) -> NDArray[np.str_]:
    """Tell which tip every adatom belongs to: the one that fewer bonds lead to, else the nearer.

    Parameters
    ----------
    atoms : ase.Atoms
        See `analyse_gap`.
    adatoms : ndarray of bool, shape (n_atoms,)
    pairs : ndarray of int, shape (n_pairs, 2)
        Every bond once.

    Returns
    -------
    ndarray of str, shape (n_atoms,)
        ``bottom``, ``top``, or empty for adatoms that no bonds lead to; other atoms belong to the
        tip on whose side of the gap they are.
    """
    lower = atoms.positions[:, 2] < _middle(atoms)
    n = len(atoms)
    graph = csr_array(coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n)))
    bonds = [
        dijkstra(graph, directed=False, indices=np.flatnonzero(tip), unweighted=True, min_only=True)
        for tip in (lower & ~adatoms, ~lower & ~adatoms)
    ]
    below = (bonds[0] < bonds[1]) | ((bonds[0] == bonds[1]) & lower)
    owners = np.where(below, BOTTOM, TOP)
    owners[~np.isfinite(bonds[0]) & ~np.isfinite(bonds[1])] = ""
    return np.asarray(owners)


def _middle(atoms: Atoms) -> float:
    return float(atoms.info["bottom_terrace"] + atoms.info["top_terrace"]) / 2.0


def _cluster_sizes(n_atoms: int, pairs: Int64Array, chosen: Mask) -> tuple[int, ...]:
    """Sizes of the clusters of some atoms, largest first."""
    labels = clusters(n_atoms, pairs[chosen[pairs].all(axis=1)])
    sizes = np.bincount(labels[chosen])
    return tuple(sorted((int(size) for size in sizes if size), reverse=True))


def _tip_distance(atoms: Atoms, pairs: Int64Array, connection: Connection) -> float:
    if len(connection.bottleneck):
        return connection.minimax_gap
    labels = clusters(len(atoms), pairs)
    electrode = atoms.arrays["electrode"]
    bottom = np.isin(labels, labels[electrode == BOTTOM])
    top = np.isin(labels, labels[electrode == TOP])
    distances, _ = cKDTree(atoms.positions[bottom]).query(atoms.positions[top])
    return float(distances.min())


def _bridge_atoms(adatoms: Mask, lower: Mask, pairs: Int64Array) -> int:
    """Count the adatoms of clusters that are bonded to both tips."""
    labels = clusters(len(adatoms), pairs[adatoms[pairs].all(axis=1)])
    edges = np.concatenate([pairs, pairs[:, ::-1]])
    edges = edges[adatoms[edges[:, 0]] & ~adatoms[edges[:, 1]]]
    below = labels[edges[lower[edges[:, 1]], 0]]
    above = labels[edges[~lower[edges[:, 1]], 0]]
    return int(np.isin(labels[adatoms], np.intersect1d(below, above)).sum())


def _covered_area(points: FloatArray, distance: float) -> float:
    """Area of a union of discs that each have the area of an atom in a (111) plane."""
    if not len(points):
        return 0.0
    # sqrt(3)/2 d^2 is the area of an atom in the plane
    radius = distance * np.sqrt(np.sqrt(3.0) / 2.0 / np.pi)
    step = radius / _FINENESS
    low, high = points.min(axis=0) - radius, points.max(axis=0) + radius
    axes = [np.arange(start, end, step) for start, end in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2) + step / 2.0
    distances, _ = cKDTree(points).query(grid, distance_upper_bound=radius)
    return float(np.isfinite(distances).sum() * step**2)
