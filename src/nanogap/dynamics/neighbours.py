"""Neighbours of atoms that move a little from call to call: a Verlet list.

The potential of the applied voltage is updated every few time steps, so its bonds are searched
for in a list of candidates a skin beyond the cut-off (Verlet, Phys. Rev. 159, 98 (1967),
doi:10.1103/PhysRev.159.98), which is made anew, by cells, once an atom has moved by half the skin.
Pairs and distances are to the bit those of `nanogap.structure.connectivity.neighbour_pairs`, which
makes a tree of one geometry and takes several times as long; bonds across a periodic cell, with the
vectors along them, are the matter of `nanogap.transport.tight_binding.neighbours`.
"""

import numpy as np
from numba import njit

from nanogap.typing import BoolArray, FloatArray, Int64Array

#: Pairs this much beyond the cut-off are remembered, angstrom: they serve until an atom has moved
#: by half of it, some 70 fs at 800 K.
_SKIN = 1.6

#: Cells of the grid along an axis at the most.
_MOST_CELLS = 200

#: Room for pairs that is made at first; silver has 27 within 5.6 angstrom.
_PAIRS_PER_ATOM = 32


class NeighbourList:
    """Verlet list of the pairs of neighbours in positions that change little from call to call.

    Parameters
    ----------
    cutoff : float
        Angstrom.
    held : ndarray of bool, shape (n_atoms,), optional
        Atoms among which no pairs are listed.
    """

    def __init__(self, cutoff: float, held: BoolArray | None = None) -> None:
        self._cutoff = cutoff
        self._held = held
        self._reference: FloatArray | None = None
        self._candidates: Int64Array = np.empty((0, 2), dtype=np.int64)

    def pairs(self, positions: FloatArray) -> tuple[Int64Array, FloatArray]:
        """Find all pairs within the cut-off, ascending.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Returns
        -------
        pairs : ndarray of int, shape (n_pairs, 2)
        distances : ndarray, shape (n_pairs,)
            Angstrom.
        """
        found: tuple[Int64Array, FloatArray] = _select_pairs(
            positions, self.candidates(positions), self._cutoff
        )
        return found

    def candidates(self, positions: FloatArray) -> Int64Array:
        """List all pairs that may be within the cut-off, ascending: the same array for many calls.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Returns
        -------
        ndarray of int, shape (n_pairs, 2)
        """
        reference = self._reference
        if (
            reference is None
            or _largest_displacement_squared(positions, reference) > (_SKIN / 2.0) ** 2
        ):
            self._reference = positions.copy()
            self._candidates = _pairs_by_cells(positions, self._cutoff + _SKIN)
            if self._held is not None:
                between = self._held[self._candidates].all(axis=1)
                self._candidates = self._candidates[~between]
        return self._candidates


@njit(cache=True)  # type: ignore[untyped-decorator]
def _largest_displacement_squared(positions: FloatArray, reference: FloatArray) -> float:
    """Return the largest square of a displacement."""
    largest = 0.0
    for atom in range(len(positions)):
        square = 0.0
        for axis in range(3):
            square += (positions[atom, axis] - reference[atom, axis]) ** 2
        # a position that is not a number counts as moved
        if not square <= largest:
            largest = square
    return largest


@njit(cache=True)  # type: ignore[untyped-decorator]
def _assign_cells(positions: FloatArray, reach: float) -> tuple[Int64Array, Int64Array]:
    """Sort atoms into a grid of cells no narrower than a distance; return its shape and places."""
    shape = np.empty(3, dtype=np.int64)
    places = np.empty(positions.shape, dtype=np.int64)
    for axis in range(3):
        origin = positions[:, axis].min()
        extent = positions[:, axis].max() - origin
        shape[axis] = max(1, min(int(extent / reach), _MOST_CELLS))
        scale = shape[axis] / max(extent, reach)
        for atom in range(len(positions)):
            # also of a position that is not a number
            place = int((positions[atom, axis] - origin) * scale)
            places[atom, axis] = max(0, min(place, shape[axis] - 1))
    return shape, places


def _pairs_by_cells(positions: FloatArray, reach: float) -> Int64Array:
    """Find the pairs within a distance, in ascending order."""
    shape, places = _assign_cells(positions, reach)
    # chains through the atoms of a cell; a rim of empty cells around the grid
    first = np.full(tuple(shape + 2), -1, dtype=np.int64)
    following = np.full(len(positions), -1, dtype=np.int64)
    _link_cells(places, first, following)
    pairs = np.empty((_PAIRS_PER_ATOM * len(positions), 2), dtype=np.int64)
    count = _list_pairs(positions, reach, places, first, following, pairs)
    if count > len(pairs):
        pairs = np.empty((count, 2), dtype=np.int64)
        _list_pairs(positions, reach, places, first, following, pairs)
    return pairs[:count]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _link_cells(places: Int64Array, first: Int64Array, following: Int64Array) -> None:
    """Fill in the first atom of every cell and the one after each atom, in descending order."""
    for atom in range(len(places)):
        x, y, z = places[atom]
        following[atom] = first[x + 1, y + 1, z + 1]
        first[x + 1, y + 1, z + 1] = atom


@njit(cache=True)  # type: ignore[untyped-decorator]
def _list_pairs(  # noqa: PLR0917 the arrays of one loop
    positions: FloatArray,
    reach: float,
    places: Int64Array,
    first: Int64Array,
    following: Int64Array,
    pairs: Int64Array,
) -> int:
    """Fill in the pairs as far as there is room; return how many there are."""
    count = 0
    for atom in range(len(positions)):
        begin = count
        x, y, z = places[atom]
        for cell in range(27):
            other = first[x + cell // 9, y + cell // 3 % 3, z + cell % 3]
            while other > atom:  # a chain descends
                square = 0.0
                for axis in range(3):
                    square += (positions[atom, axis] - positions[other, axis]) ** 2
                if square <= reach * reach:
                    place = count
                    count += 1
                    if count <= len(pairs):
                        while place > begin and pairs[place - 1, 1] > other:
                            pairs[place, 1] = pairs[place - 1, 1]
                            place -= 1
                        pairs[place, 1] = other
                        pairs[count - 1, 0] = atom
                other = following[other]
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _select_pairs(
    positions: FloatArray, candidates: Int64Array, cutoff: float
) -> tuple[Int64Array, FloatArray]:
    """Select the candidates within the cut-off, and return their distances too."""
    pairs = np.empty_like(candidates)
    distances = np.empty(len(candidates))
    count = 0
    for candidate in range(len(candidates)):
        a, b = candidates[candidate]
        x = positions[a, 0] - positions[b, 0]
        y = positions[a, 1] - positions[b, 1]
        z = positions[a, 2] - positions[b, 2]
        distance = np.sqrt(x * x + y * y + z * z)
        if distance <= cutoff:
            pairs[count, 0], pairs[count, 1] = a, b
            distances[count] = distance
            count += 1
    return pairs[:count], distances[:count]
