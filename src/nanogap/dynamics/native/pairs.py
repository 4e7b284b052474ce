"""Lists of the pairs of atoms that interact, with a skin, without periodic images.

Every pair stands once, in the row of the atom of the lower number. Atoms that move come first in
the numbering, so the rows of fixed atoms hold pairs that never change.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nanogap.typing import FloatArray, Int64Array

Int32Array = NDArray[np.int32]

#: Pairs are listed this far beyond the cut-off; the list is good until an atom has moved by half
#: of it, angstrom.
SKIN = 0.6
#: Cells on the way of one list distance: narrow ones leave less to look at in vain.
_DIVISIONS = 2
_MOST_CELLS = 64
_FIRST_GUESS = 160


class PairList:
    """Pairs within a cut-off and a skin.

    Parameters
    ----------
    cutoff : float
        Angstrom.
    skin : float
        Angstrom.
    """

    def __init__(self, cutoff: float, skin: float = SKIN) -> None:
        self._reach = cutoff + skin
        self._limit = (skin / 2.0) ** 2
        self._reference: FloatArray | None = None
        self.starts: Int64Array = np.zeros(1, dtype=np.int64)
        self.candidates: Int32Array = np.empty(0, dtype=np.int32)

    def update(self, positions: FloatArray) -> bool:
        """List the pairs anew if an atom has moved too far, or there is no list yet.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Returns
        -------
        bool
            Whether there is a new list: `starts`, where the row of each atom begins and the last
            one ends, and `candidates`, the other atom of every pair.
        """
        reference = self._reference
        if reference is not None and not _has_moved(positions, reference, self._limit):
            return False
        self._reference = positions.copy()
        first, following, shape, places = _cells(positions, self._reach / _DIVISIONS)
        n = len(positions)
        self.starts = np.empty(n + 1, dtype=np.int64)
        room = max(len(self.candidates), _FIRST_GUESS * n)
        while True:
            candidates = np.empty(room, dtype=np.int32)
            count = _list_pairs(
                positions, self._reach, first, following, shape, places, self.starts, candidates
            )
            if count <= room:
                break
            room = count
        self.candidates = candidates
        return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _has_moved(positions: FloatArray, reference: FloatArray, limit: float) -> bool:
    """Whether the square of a displacement is above a limit, or no number."""
    for atom in range(len(positions)):
        square = 0.0
        for axis in range(3):
            square += (positions[atom, axis] - reference[atom, axis]) ** 2
        if not square <= limit:
            return True
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cells(
    positions: FloatArray, width: float
) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Sort atoms into cells no narrower than a width.

    Returns
    -------
    first : ndarray of int, shape (n_cells,)
        First atom of every cell, or -1.
    following : ndarray of int, shape (n_atoms,)
        The next atom of the same cell, or -1, in ascending order.
    shape : ndarray of int, shape (3,)
    places : ndarray of int, shape (n_atoms, 3)
        Cell of every atom.
    """
    shape = np.empty(3, dtype=np.int64)
    places = np.empty(positions.shape, dtype=np.int64)
    for axis in range(3):
        origin = positions[:, axis].min()
        extent = positions[:, axis].max() - origin
        shape[axis] = max(1, min(int(extent / width), _MOST_CELLS))
        scale = shape[axis] / max(extent, width)
        for atom in range(len(positions)):
            place = int((positions[atom, axis] - origin) * scale)
            places[atom, axis] = max(0, min(place, shape[axis] - 1))
    first = np.full(shape[0] * shape[1] * shape[2], -1, dtype=np.int64)
    following = np.empty(len(positions), dtype=np.int64)
    for atom in range(len(positions) - 1, -1, -1):
        x, y, z = places[atom]
        cell = (x * shape[1] + y) * shape[2] + z
        following[atom] = first[cell]
        first[cell] = atom
    return first, following, shape, places


@njit(cache=True)  # type: ignore[untyped-decorator]
def _list_pairs(
    positions: FloatArray,
    reach: float,
    first: Int64Array,
    following: Int64Array,
    shape: Int64Array,
    places: Int64Array,
    starts: Int64Array,
    candidates: Int32Array,
) -> int:
    """Fill in the rows as far as there is room; return how many pairs there are."""
    count = 0
    for atom in range(len(positions)):
        starts[atom] = count
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        x, y, z = places[atom, 0], places[atom, 1], places[atom, 2]
        for cx in range(max(0, x - _DIVISIONS), min(shape[0], x + _DIVISIONS + 1)):
            for cy in range(max(0, y - _DIVISIONS), min(shape[1], y + _DIVISIONS + 1)):
                for cz in range(max(0, z - _DIVISIONS), min(shape[2], z + _DIVISIONS + 1)):
                    other = first[(cx * shape[1] + cy) * shape[2] + cz]
                    while other >= 0:
                        if other > atom:
                            dx = px - positions[other, 0]
                            dy = py - positions[other, 1]
                            dz = pz - positions[other, 2]
                            if dx * dx + dy * dy + dz * dz <= reach * reach:
                                if count < len(candidates):
                                    candidates[count] = other
                                count += 1
                        other = following[other]
    starts[len(positions)] = count
    return count
