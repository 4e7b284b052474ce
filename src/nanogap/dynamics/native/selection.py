"""Selection of the pairs of a step: those within the cut-off, and of these the bonds.

It fills in the matrix of charge equilibration and the bond orders. Rows of fixed atoms are
selected once. Loops are over shares of the rows (`nanogap.dynamics.native.shares`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from nanogap.dynamics.native.pairs import AtomArray, Candidates
from nanogap.dynamics.native.shares import SHARES, rows_below
from nanogap.dynamics.native.tables import PairTables
from nanogap.typing import FloatArray, Int64Array


class Pairs(NamedTuple):
    """Pairs within the cut-off, in arrays that may have room for more.

    Attributes
    ----------
    starts : ndarray of int, shape (SHARES, n_rows + 1)
        Where the row of each atom begins, and the last one ends.
    neighbours : ndarray of int, shape (SHARES, n)
        The other atom of every pair.
    squares : ndarray, shape (SHARES, n)
        Squares of the distances, angstrom^2.
    matrix : ndarray, shape (SHARES, n)
        H, eV.
    """

    starts: Int64Array
    neighbours: AtomArray
    squares: FloatArray
    matrix: FloatArray


class Bonds(NamedTuple):
    """Pairs that are bonds, in arrays that may have room for more.

    Attributes
    ----------
    counts : ndarray of int, shape (SHARES,)
        How many there are, which may be more than there is room for; -1 where two atoms are
        nearer than the tables go.
    atoms : ndarray of int, shape (SHARES, n, 2)
        The two atoms of every bond.
    squares : ndarray, shape (SHARES, n)
        Squares of the distances, angstrom^2.
    orders : ndarray, shape (SHARES, n)
        Bond orders.
    slopes : ndarray, shape (SHARES, n, 2)
        Derivatives of the order and of the energy of a bond by s.
    totals : ndarray, shape (SHARES, n_atoms)
        Sums of the bond orders of every atom.
    """

    counts: Int64Array
    atoms: AtomArray
    squares: FloatArray
    orders: FloatArray
    slopes: FloatArray
    totals: FloatArray


def room_for_pairs(n_atoms: int, count: int) -> Pairs:
    """Make arrays for so many pairs of a share.

    Parameters
    ----------
    n_atoms, count : int

    Returns
    -------
    Pairs
    """
    shape = (SHARES, count)
    return Pairs(
        np.zeros((SHARES, -(-n_atoms // SHARES) + 1), dtype=np.int64),
        np.empty(shape, dtype=np.uint32),
        np.empty(shape),
        np.empty(shape),
    )


def room_for_bonds(n_atoms: int, count: int) -> Bonds:
    """Make arrays for so many bonds of a share, and one more: a loop writes before it knows.

    Parameters
    ----------
    n_atoms, count : int

    Returns
    -------
    Bonds
    """
    return Bonds(
        np.zeros(SHARES, dtype=np.int64),
        np.empty((SHARES, count + 1, 2), dtype=np.uint32),
        np.empty((SHARES, count + 1)),
        np.empty((SHARES, count + 1)),
        np.empty((SHARES, count + 1, 2)),
        np.zeros((SHARES, n_atoms)),
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def select_pairs(
    begin: int,
    end: int,
    positions: FloatArray,
    first: int,
    candidates: Candidates,
    tables: PairTables,
    pairs: Pairs,
    bonds: Bonds,
) -> None:
    """Select the pairs within the cut-off from a list, and compute the orders of bonds.

    Parameters
    ----------
    begin, end : int
        Shares.
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    first : int
        The first atom of the list; pairs of the rows before are there already.
    candidates : Candidates
    tables : PairTables
    pairs : Pairs
        Filled in. It has room for one pair more than the list has.
    bonds : Bonds
        Filled in.
    """
    for share in range(begin, end):
        count = _select_rows(
            share,
            positions,
            rows_below(share, first),
            candidates.starts[share],
            candidates.others[share],
            tables,
            pairs.starts[share],
            pairs.neighbours[share],
            pairs.squares[share],
            pairs.matrix[share],
            bonds.atoms[share],
            bonds.squares[share],
        )
        bonds.counts[share] = count
        if count < bonds.atoms.shape[1]:
            bonds.totals[share] = 0.0
            _add_bond_orders(
                count,
                bonds.atoms[share],
                bonds.squares[share],
                tables,
                bonds.orders[share],
                bonds.slopes[share],
                bonds.totals[share],
            )


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def select_pairs_in_threads(
    positions: FloatArray,
    first: int,
    candidates: Candidates,
    tables: PairTables,
    pairs: Pairs,
    bonds: Bonds,
) -> None:
    """Do `select_pairs` for all shares."""
    for number in prange(SHARES):
        share = np.int64(number)
        select_pairs(share, share + 1, positions, first, candidates, tables, pairs, bonds)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _select_rows(
    share: int,
    positions: FloatArray,
    first_row: int,
    rows: Int64Array,
    others: AtomArray,
    tables: PairTables,
    starts: Int64Array,
    neighbours: AtomArray,
    squares: FloatArray,
    matrix: FloatArray,
    bonds: AtomArray,
    bond_squares: FloatArray,
) -> int:
    """Select the pairs of one share; return how many bonds there are, or -1."""
    cutoff, bond_end = tables.cutoff, tables.bond_end
    origin, scale, table = tables.origin, tables.scale, tables.matrix
    last, most = np.int32(len(table) - 1), len(bonds) - 1
    place, count = starts[first_row], 0
    nearest = cutoff
    for row in range(first_row, len(rows) - 1):
        atom = share + SHARES * row
        if atom >= len(positions):
            starts[row + 1] = place
            continue
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        begin = place
        for candidate in range(rows[row], rows[row + 1]):
            other = others[candidate]
            dx = px - positions[other, 0]
            dy = py - positions[other, 1]
            dz = pz - positions[other, 2]
            square = dx * dx + dy * dy + dz * dz
            neighbours[place] = other
            squares[place] = square
            place += square < cutoff
        starts[row + 1] = place
        for pair in range(begin, place):
            square = squares[pair]
            nearest = min(nearest, square)
            at = min(count, most)
            bonds[at, 0], bonds[at, 1], bond_squares[at] = atom, neighbours[pair], square
            count += square < bond_end
        if nearest < origin:
            return -1
        for pair in range(begin, place):
            x = (squares[pair] - origin) * scale
            piece = min(np.int32(x), last)
            x -= piece
            piece_row = np.uint32(piece)
            matrix[pair] = table[piece_row, 0] + x * (
                table[piece_row, 1] + x * (table[piece_row, 2] + x * table[piece_row, 3])
            )
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add_bond_orders(
    count: int,
    bonds: AtomArray,
    squares: FloatArray,
    tables: PairTables,
    orders: FloatArray,
    slopes: FloatArray,
    totals: FloatArray,
) -> None:
    """Compute the orders of bonds, and add up those of every atom."""
    bond_end, scale, table = tables.bond_end, tables.bond_scale, tables.bonds
    last = np.int32(len(table) - 1)
    for bond in range(count):
        left = bond_end - squares[bond]
        fourth = np.sqrt(np.sqrt(left))
        x = fourth * scale
        piece = min(np.int32(x), last)
        x -= piece
        r = np.uint32(piece)
        order = table[r, 0] + x * (
            table[r, 1]
            + x * (table[r, 2] + x * (table[r, 3] + x * (table[r, 4] + x * table[r, 5])))
        )
        orders[bond] = order
        by_place = -0.25 * scale * fourth / left
        slopes[bond, 0] = by_place * (
            table[r, 1]
            + x
            * (
                2.0 * table[r, 2]
                + x * (3.0 * table[r, 3] + x * (4.0 * table[r, 4] + x * 5.0 * table[r, 5]))
            )
        )
        slopes[bond, 1] = by_place * (
            table[r, 7]
            + x
            * (
                2.0 * table[r, 8]
                + x * (3.0 * table[r, 9] + x * (4.0 * table[r, 10] + x * 5.0 * table[r, 11]))
            )
        )
        totals[bonds[bond, 0]] += order
        totals[bonds[bond, 1]] += order
