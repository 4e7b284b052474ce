"""Lists of the pairs of atoms that may interact, with a skin, without periodic images.

Fixed atoms come first in the numbering, and every pair stands once, in the row of the atom of the
higher number: the rows of fixed atoms hold pairs that never change. Rows are dealt out in turn:
row r of share s is that of atom s + r SHARES (`nanogap.dynamics.native.shares`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nanogap.dynamics.native.shares import SHARES, rows_below, share_out
from nanogap.errors import EngineError
from nanogap.typing import FloatArray, Int64Array

# Numbers of atoms; without a sign, so that compiled functions need not ask for it.
AtomArray = NDArray[np.uint32]

#: Pairs are listed this far beyond the cut-off; the list is good until an atom has moved by half
#: of it, angstrom.
SKIN = 0.8
#: Cells on the way of one list distance: narrow ones leave less to look at in vain.
_DIVISIONS = 2
_MOST_CELLS = 64
_FIRST_GUESS = 128


class Candidates(NamedTuple):
    """Pairs of a list.

    Attributes
    ----------
    starts : ndarray of int, shape (SHARES, n_rows + 1)
        Where the row of each atom begins, and the last one ends.
    others : ndarray of int, shape (SHARES, n)
        The other atom of every pair, as far as there are any.
    """

    starts: Int64Array
    others: AtomArray


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
    threads : int
    """

    def __init__(self, cutoff: float, first: int = 0, skin: float = SKIN, threads: int = 1) -> None:
        self._reach = cutoff + skin
        self._limit = (skin / 2.0) ** 2
        self._first = first
        self._threads = threads
        self._reference: FloatArray | None = None
        self.candidates = Candidates(
            np.zeros((SHARES, 1), dtype=np.int64), np.empty((SHARES, 0), dtype=np.uint32)
        )

    @property
    def count(self) -> int:
        """Number of pairs."""
        return int(self.candidates.starts[:, -1].sum())

    def update(self, positions: FloatArray) -> bool:
        """List the pairs anew if an atom has moved too far, or there is no list yet.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Returns
        -------
        bool
            Whether there are new `candidates`.

        Raises
        ------
        EngineError
            If a position is no number.
        """
        reference = self._reference
        if reference is not None and not _has_moved(positions, reference, self._limit):
            return False
        if not np.isfinite(positions).all():
            raise EngineError("the atoms have flown apart: lower dynamics.time_step")
        self._reference = positions.copy()
        grid, begins, order = _cells(positions, self._reach / _DIVISIONS)
        rows = -(-len(positions) // SHARES)
        starts = np.zeros((SHARES, rows + 1), dtype=np.int64)
        others = self.candidates.others
        room = max(others.shape[1], _FIRST_GUESS * rows)
        while True:
            if room > others.shape[1]:
                # one more, for the loop writes before it knows
                others = np.empty((SHARES, room + 1), dtype=np.uint32)
            self.candidates = Candidates(starts, others)
            share_out(
                self._threads,
                list_pairs,
                _list_pairs_in_threads,
                positions,
                self._first,
                self._reach,
                grid,
                begins,
                order,
                np.ascontiguousarray(positions[order].T),
                self.candidates,
            )
            longest = int(starts[:, -1].max())
            if longest < others.shape[1]:
                return True
            room = int(1.1 * longest)


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
def list_pairs(
    begin: int,
    end: int,
    positions: FloatArray,
    first: int,
    reach: float,
    grid: FloatArray,
    begins: Int64Array,
    order: Int64Array,
    sorted_positions: FloatArray,
    candidates: Candidates,
) -> None:
    """List the pairs of some shares, as far as there is room; the rows tell how many there are.

    Parameters
    ----------
    begin, end : int
        Shares.
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    first : int
        Rows from this atom on are listed.
    reach : float
        Largest distance, angstrom.
    grid, begins, order : ndarray
        Atoms sorted into cells.
    sorted_positions : ndarray, shape (3, n_atoms)
        In the order of the cells, angstrom.
    candidates : Candidates
        Filled in.
    """
    for share in range(begin, end):
        _list_rows(
            share,
            positions,
            rows_below(share, first),
            reach,
            grid,
            begins,
            order,
            sorted_positions,
            candidates.starts[share],
            candidates.others[share],
        )


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _list_pairs_in_threads(
    positions: FloatArray,
    first: int,
    reach: float,
    grid: FloatArray,
    begins: Int64Array,
    order: Int64Array,
    sorted_positions: FloatArray,
    candidates: Candidates,
) -> None:
    for number in prange(SHARES):
        share = np.int64(number)
        list_pairs(
            share,
            share + 1,
            positions,
            first,
            reach,
            grid,
            begins,
            order,
            sorted_positions,
            candidates,
        )


@njit(cache=True)  # type: ignore[untyped-decorator]
def _list_rows(
    share: int,
    positions: FloatArray,
    first_row: int,
    reach: float,
    grid: FloatArray,
    begins: Int64Array,
    order: Int64Array,
    sorted_positions: FloatArray,
    starts: Int64Array,
    others: AtomArray,
) -> None:
    """Fill in the rows of one share."""
    limit, last = reach * reach, len(others) - 1
    nx, ny, nz = int(grid[0, 2]), int(grid[1, 2]), int(grid[2, 2])
    xs, ys, zs = sorted_positions[0], sorted_positions[1], sorted_positions[2]
    low, high = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    count = 0
    for row in range(first_row, len(starts) - 1):
        starts[row] = count
        atom = share + SHARES * row
        if atom >= len(positions):
            continue
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
    starts[len(starts) - 1] = count
