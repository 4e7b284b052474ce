"""Lists of the pairs of atoms that may interact, with a skin, without periodic images.

Fixed atoms come first in the numbering, and every pair stands once, in the row of the atom of the
higher number: the rows of fixed atoms hold pairs that never change.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nanogap.typing import FloatArray, Int64Array

#: Numbers of atoms; without a sign, so that compiled functions need not ask for it.
AtomArray = NDArray[np.uint32]

#: Pairs are listed this far beyond the cut-off; the list is good until an atom has moved by half
#: of it, angstrom.
SKIN = 0.8
#: Cells on the way of one list distance: narrow ones leave less to look at in vain.
_DIVISIONS = 2
_MOST_CELLS = 64
_FIRST_GUESS = 128


class PairList:
    """Pairs of atoms within a cut-off and a skin.

    Parameters
    ----------
    cutoff : float
        Angstrom.
    first : int
        Rows from this atom on are listed.
    skin : float
        Angstrom.
    """

    def __init__(self, cutoff: float, first: int = 0, skin: float = SKIN) -> None:
        self._reach = cutoff + skin
        self._limit = (skin / 2.0) ** 2
        self._first = first
        self._reference: FloatArray | None = None
        self.rows: Int64Array = np.zeros(1, dtype=np.int64)
        self.others: AtomArray = np.empty(0, dtype=np.uint32)

    @property
    def count(self) -> int:
        """Number of pairs."""
        return int(self.rows[-1])

    def update(self, positions: FloatArray) -> bool:
        """List the pairs anew if an atom has moved too far, or there is no list yet.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Returns
        -------
        bool
            Whether there is a new list: `rows`, where the row of each atom begins and the last
            one ends, and `others`, the other atom of every pair.
        """
        reference = self._reference
        if reference is not None and not _has_moved(positions, reference, self._limit):
            return False
        self._reference = positions.copy()
        shape, begins, order = _cells(positions, self._reach / _DIVISIONS)
        self.rows = np.empty(len(positions) - self._first + 1, dtype=np.int64)
        room = max(len(self.others), _FIRST_GUESS * len(positions))
        while True:
            if room > len(self.others):
                # one more, for the loop writes before it knows
                self.others = np.empty(room + 1, dtype=np.uint32)
            count = _list_pairs(
                positions,
                self._first,
                self._reach,
                shape,
                begins,
                order,
                np.ascontiguousarray(positions[order].T),
                self.rows,
                self.others,
            )
            if count < len(self.others):
                return True
            room = int(1.1 * count)


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
def _place(coordinate: float, width: float, count: int) -> int:
    """Cell of a distance from the lowest atom."""
    return max(0, min(int(coordinate / width), count - 1))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cells(positions: FloatArray, width: float) -> tuple[FloatArray, Int64Array, Int64Array]:
    """Sort atoms into cells no narrower than a width.

    Returns
    -------
    grid : ndarray, shape (3, 3)
        Origin, width and number of cells along every axis.
    begins : ndarray of int, shape (n_cells + 1,)
        Where the atoms of every cell begin in `order`.
    order : ndarray of int, shape (n_atoms,)
        Atoms by cell, along z first.
    """
    n = len(positions)
    grid = np.empty((3, 3))
    for axis in range(3):
        grid[axis, 0] = positions[:, axis].min()
        extent = max(positions[:, axis].max() - grid[axis, 0], width)
        grid[axis, 2] = min(int(extent / width), _MOST_CELLS)
        grid[axis, 1] = extent / grid[axis, 2]
    ny, nz = int(grid[1, 2]), int(grid[2, 2])
    cells = np.empty(n, dtype=np.int64)
    begins = np.zeros(int(grid[0, 2]) * ny * nz + 1, dtype=np.int64)
    for atom in range(n):
        x = _place(positions[atom, 0] - grid[0, 0], grid[0, 1], int(grid[0, 2]))
        y = _place(positions[atom, 1] - grid[1, 0], grid[1, 1], ny)
        z = _place(positions[atom, 2] - grid[2, 0], grid[2, 1], nz)
        cells[atom] = (x * ny + y) * nz + z
        begins[cells[atom] + 1] += 1
    begins = np.cumsum(begins)
    filled = begins.copy()
    order = np.empty(n, dtype=np.int64)
    for atom in range(n):
        order[filled[cells[atom]]] = atom
        filled[cells[atom]] += 1
    return grid, begins, order


@njit(cache=True)  # type: ignore[untyped-decorator]
def _list_pairs(
    positions: FloatArray,
    first: int,
    reach: float,
    grid: FloatArray,
    begins: Int64Array,
    order: Int64Array,
    sorted_positions: FloatArray,
    rows: Int64Array,
    others: AtomArray,
) -> int:
    """Fill in the rows as far as there is room; return how many pairs there are."""
    limit, last = reach * reach, len(others) - 1
    nx, ny, nz = int(grid[0, 2]), int(grid[1, 2]), int(grid[2, 2])
    xs, ys, zs = sorted_positions[0], sorted_positions[1], sorted_positions[2]
    low, high = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    count = 0
    for atom in range(first, len(positions)):
        rows[atom - first] = count
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        for axis in range(3):
            place = positions[atom, axis] - grid[axis, 0]
            low[axis] = _place(place - reach, grid[axis, 1], int(grid[axis, 2]))
            high[axis] = _place(place + reach, grid[axis, 1], int(grid[axis, 2]))
        for cx in range(max(low[0], 0), min(high[0] + 1, nx)):
            for cy in range(max(low[1], 0), min(high[1] + 1, ny)):
                column = (cx * ny + cy) * nz
                for place in range(begins[column + low[2]], begins[column + high[2] + 1]):
                    dx, dy, dz = px - xs[place], py - ys[place], pz - zs[place]
                    other = order[place]
                    others[min(count, last)] = other
                    near = dx * dx + dy * dy + dz * dz <= limit
                    count += near & (other < atom)
    rows[len(positions) - first] = count
    return count
