"""Connected metal: neighbours, clusters, the gap between the tips, its bottleneck.

Tips stand free in vacuum, so all distances are plain ones: no bond crosses the box.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import (
    breadth_first_order,
    connected_components,
    maximum_flow,
    minimum_spanning_tree,
)
from scipy.spatial import cKDTree

from nanogap.structure.tips import BOTTOM, MOBILE, TOP, nearest_neighbour_distance
from nanogap.typing import FloatArray, Int64Array

#: A bond of the filament is shorter than this many nearest-neighbour distances: about halfway to
#: the second neighbours of fcc, at sqrt(2).
BOND_FACTOR = 1.2

#: Length of the links that join a fixed base to one piece, angstrom; a graph knows no length 0.
_NO_LENGTH = 1e-9


def neighbour_pairs(positions: FloatArray, cutoff: float) -> tuple[Int64Array, FloatArray]:
    """Find all pairs of atoms within a cut-off, ascending, by a tree.

    `nanogap.dynamics.neighbours` finds the same ones faster in atoms that move a little;
    `nanogap.transport.tight_binding.neighbours` finds those across periodic cells.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    cutoff : float
        Angstrom.

    Returns
    -------
    pairs : ndarray of int, shape (n_pairs, 2)
    distances : ndarray, shape (n_pairs,)
        Angstrom.
    """
    pairs = cKDTree(positions).query_pairs(cutoff, output_type="ndarray").astype(np.int64)
    # a fixed order makes every later sum, and so a resumed run, reproducible to the bit
    keys = np.sort(pairs[:, 0] * len(positions) + pairs[:, 1])
    pairs = np.stack(np.divmod(keys, max(len(positions), 1)), axis=1)
    return pairs, np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)


def bonded_pairs(atoms: Atoms) -> tuple[Int64Array, FloatArray]:
    """Find all bonds of a snapshot: pairs within `BOND_FACTOR` nearest-neighbour distances.

    Parameters
    ----------
    atoms : ase.Atoms
        With ``info["lattice_constant"]``.

    Returns
    -------
    pairs, distances : ndarray
        See `neighbour_pairs`.
    """
    longest = BOND_FACTOR * nearest_neighbour_distance(float(atoms.info["lattice_constant"]))
    return neighbour_pairs(np.asarray(atoms.positions, dtype=np.float64), longest)


def clusters(n_atoms: int, pairs: Int64Array) -> Int64Array:
    """Label the connected clusters of a set of pairs; shape (n_atoms,)."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n_atoms, n_atoms))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True)
class Connection:
    """Connection of two tips in one snapshot.

    Attributes
    ----------
    connected : bool
        Whether a chain of neighbours within the cut-off leads from one fixed base to the other.
    minimax_gap : float
        The longest step of the path of atoms between the bases whose longest step is shortest:
        the width of the open gap, or the longest bond of the filament, angstrom.
    bottleneck : ndarray of int
        The fewest mobile atoms whose removal parts the tips (bonds up to `BOND_FACTOR`
        nearest-neighbour distances); empty if no bonds connect them.
    position : ndarray, shape (3,)
        The constriction, angstrom: the middle of the bottleneck, or of the minimax gap if the
        tips are not bonded.
    """

    connected: bool
    minimax_gap: float
    bottleneck: Int64Array
    position: FloatArray

    @property
    def axis(self) -> FloatArray:
        """In-plane position of the constriction, shape (2,), angstrom."""
        return self.position[:2]


def analyse_connection(atoms: Atoms, cutoff: float) -> Connection:
    """Analyse how the two tips of a snapshot are connected.

    Parameters
    ----------
    atoms : ase.Atoms
        A snapshot with the array ``electrode`` and ``info["lattice_constant"]``.
    cutoff : float
        Neighbours within this distance are connected metal, angstrom.

    Returns
    -------
    Connection
    """
    positions = np.asarray(atoms.positions, dtype=np.float64)
    electrode = atoms.arrays["electrode"]
    pairs, distances = bonded_pairs(atoms)
    width, ends = _minimax_gap(positions, electrode, pairs, distances)
    bottleneck = minimum_vertex_cut(pairs, electrode)
    constriction = bottleneck if len(bottleneck) else ends
    return Connection(
        connected=width <= cutoff,
        minimax_gap=width,
        bottleneck=bottleneck,
        position=np.asarray(positions[constriction].mean(axis=0), dtype=np.float64),
    )


def are_bonded(atoms: Atoms) -> bool:
    """Tell whether bonds lead from one tip of a snapshot to the other.

    That is what a bottleneck with atoms in it needs, in a tenth of the time.

    Parameters
    ----------
    atoms : ase.Atoms
        See `analyse_connection`.
    """
    pairs, _ = bonded_pairs(atoms)
    labels, electrode = clusters(len(atoms), pairs), atoms.arrays["electrode"]
    return bool(np.isin(labels[electrode == TOP], labels[electrode == BOTTOM]).any())


def bottleneck_bonds(atoms: Atoms, bottleneck: Int64Array) -> tuple[float, float]:
    """Describe the bonds of the atoms in a bottleneck.

    Parameters
    ----------
    atoms : ase.Atoms
        A snapshot with ``info["lattice_constant"]``.
    bottleneck : ndarray of int
        See `Connection`.

    Returns
    -------
    coordination : float
        Neighbours within `BOND_FACTOR` nearest-neighbour distances, mean over the bottleneck.
    length : float
        Mean length of these bonds, angstrom. Both are NaN if the bottleneck is empty.
    """
    if not len(bottleneck):
        return float("nan"), float("nan")
    pairs, distances = bonded_pairs(atoms)
    ends = np.isin(pairs, bottleneck).sum(axis=1)  # 2 for a bond within the bottleneck
    if not ends.any():
        return 0.0, float("nan")
    return float(ends.sum() / len(bottleneck)), float(np.average(distances, weights=ends))


def _minimax_gap(
    positions: FloatArray, electrode: NDArray[np.str_], pairs: Int64Array, distances: FloatArray
) -> tuple[float, Int64Array]:
    """Return the longest step of the minimax path between the bases, and its two atoms.

    The pairs are those within any one distance, the clusters between which steps are looked for.
    """
    bottom = np.flatnonzero(electrode == BOTTOM)
    top = np.flatnonzero(electrode == TOP)
    labels = clusters(len(positions), pairs)
    # a fixed base is one piece: no way between its atoms, through others or not, is a step
    for base in (bottom, top):
        labels[np.isin(labels, labels[base])] = labels[base[0]]
    if labels[bottom[0]] == labels[top[0]]:
        step = _longest_bond(positions, electrode, pairs, distances)
    else:
        step = _longest_step(positions, labels, labels[bottom[0]], labels[top[0]])
    return float(np.linalg.norm(positions[step[0]] - positions[step[1]])), step


def _longest_step(positions: FloatArray, labels: Int64Array, start: int, end: int) -> Int64Array:
    """Return the two atoms of the longest step between clusters on the minimax path.

    Prim's algorithm: the cluster that is nearest to all that was reached is reached next, until
    the end is; the longest of these steps is the one (Prim, Bell Syst. Tech. J. 36, 1389 (1957),
    doi:10.1002/j.1538-7305.1957.tb01515.x).
    """
    reached = labels == start
    longest, step = -1.0, np.zeros(2, dtype=np.int64)
    while not reached[labels == end].any():
        inside, outside = np.flatnonzero(reached), np.flatnonzero(~reached)
        distances, nearest = cKDTree(positions[outside]).query(positions[inside])
        place = int(np.argmin(distances))
        near, far = inside[place], outside[nearest[place]]
        if distances[place] > longest:
            longest, step = float(distances[place]), np.array([near, far])
        reached |= labels == labels[far]
    return np.sort(step).astype(np.int64)


def _longest_bond(
    positions: FloatArray, electrode: NDArray[np.str_], pairs: Int64Array, distances: FloatArray
) -> Int64Array:
    """Return the two atoms of the longest step on the minimax path through connected pairs.

    The path in a minimum spanning tree is a minimax path (Hu, Oper. Res. 9, 898 (1961),
    doi:10.1287/opre.9.6.898).
    """
    bottom = np.flatnonzero(electrode == BOTTOM)
    top = np.flatnonzero(electrode == TOP)
    n = len(positions)
    links = np.array([(base[0], atom) for base in (bottom, top) for atom in base[1:]])
    outside = ~_within_a_base(pairs, electrode)
    # scipy before 1.17.1 takes graphs with 32-bit indices only
    rows, columns = np.concatenate([pairs[outside], links.reshape(-1, 2)]).T.astype(np.int32)
    lengths = np.concatenate([distances[outside], np.full(len(links), _NO_LENGTH)])
    tree = minimum_spanning_tree(csr_array((lengths, (rows, columns)), shape=(n, n)))
    _, parent = breadth_first_order(tree, bottom[0], directed=False)
    path = [int(top[0])]
    while path[-1] != bottom[0]:
        path.append(int(parent[path[-1]]))
    steps = np.array([path[:-1], path[1:]]).T
    steps = steps[~_within_a_base(steps, electrode)]
    lengths = np.linalg.norm(positions[steps[:, 0]] - positions[steps[:, 1]], axis=1)
    longest: Int64Array = steps[int(np.argmax(lengths))].astype(np.int64)
    return longest


def _within_a_base(pairs: Int64Array, electrode: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tell which pairs are of two atoms of one fixed base; shape (n_pairs,)."""
    first, second = electrode[pairs].T
    return np.asarray((first == second) & (first != MOBILE))


def minimum_vertex_cut(pairs: Int64Array, electrode: NDArray[np.str_]) -> Int64Array:
    """Find the fewest mobile atoms whose removal parts the bases.

    Menger's theorem, by maximum flow: every mobile atom is an edge of capacity one from its entry
    to its exit node.

    Parameters
    ----------
    pairs : ndarray of int, shape (n_pairs, 2)
        Every bond once.
    electrode : ndarray of str, shape (n_atoms,)
        ``bottom``, ``top`` or ``mobile``.

    Returns
    -------
    ndarray of int
        Atoms, ascending; empty if the bases are not connected.
    """
    n = len(electrode)
    fixed = electrode != MOBILE
    source, sink = 2 * n, 2 * n + 1
    atoms = np.arange(n)
    unlimited = n
    rows = [atoms, n + pairs[:, 0], n + pairs[:, 1]]
    columns = [n + atoms, pairs[:, 1], pairs[:, 0]]
    capacities = [np.where(fixed, unlimited, 1), np.full(2 * len(pairs), unlimited)]
    bottom, top = np.flatnonzero(electrode == BOTTOM), np.flatnonzero(electrode == TOP)
    rows += [np.full(len(bottom), source), n + top]
    columns += [bottom, np.full(len(top), sink)]
    capacities.append(np.full(len(bottom) + len(top), unlimited))
    graph = csr_array(
        (
            np.concatenate(capacities).astype(np.int32),
            (np.concatenate(rows), np.concatenate(columns)),
        ),
        shape=(2 * n + 2, 2 * n + 2),
    )
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data[residual.data < 0] = 0
    residual.eliminate_zeros()
    reachable = np.zeros(2 * n + 2, dtype=bool)
    reachable[breadth_first_order(csr_array(residual), source, return_predecessors=False)] = True
    cut: Int64Array = np.flatnonzero(reachable[:n] & ~reachable[n : 2 * n])
    return cut
