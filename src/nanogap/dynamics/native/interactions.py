"""Loops over pairs: the matrix of charge equilibration, forces, energies.

With s the square of a distance d = x_i - x_j, total bond orders n_i and charges q_i,

    E = sum_pairs [V(s) + K H(s) q_i q_j + E_bond(s)] + sum_i [F(n_i) + E_charge(q_i)],
    n_i = sum_j B(s_ij),
    force on i = -2 sum_j d [V' + K H' q_i q_j + E_bond' + (F'(n_i) + F'(n_j)) B'].

A step selects the pairs within the cut-off, fills in H and finds the bonds with their total bond
orders; when the charges are known, it adds up the forces. Rows of fixed atoms are selected once,
and no force is computed for their pairs.
"""

import numpy as np
from numba import njit

from nanogap.dynamics.native.pairs import AtomArray
from nanogap.dynamics.native.terms import atom_energy
from nanogap.typing import FloatArray, Int64Array


@njit(cache=True)  # type: ignore[untyped-decorator]
def select_pairs(
    positions: FloatArray,
    first: int,
    rows: Int64Array,
    others: AtomArray,
    numbers: FloatArray,
    table: FloatArray,
    starts: Int64Array,
    neighbours: AtomArray,
    squares: FloatArray,
    matrix: FloatArray,
    bonds: AtomArray,
    bond_squares: FloatArray,
) -> int:
    """Select the pairs within the cut-off from a list.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    first : int
        The first row of the list; `starts` is known up to it.
    rows, others : ndarray of int
        See `nanogap.dynamics.native.pairs.PairList`.
    numbers, table : ndarray
        `PairTables.numbers` and `matrix` of `nanogap.dynamics.native.tables`.
    starts : ndarray of int, shape (n_atoms + 1,)
        Filled in: where the row of each atom begins, and the last one ends.
    neighbours, squares, matrix : ndarray
        Filled in: the other atom of every pair, the square of the distance, and H, eV. They have
        room for one pair more than the list has.
    bonds : ndarray of int, shape (n, 2)
        Filled in: the pairs that are bonds.
    bond_squares : ndarray, shape (n,)
        Filled in: squares of their distances.

    Returns
    -------
    int
        How many bonds there are, which may be more than there is room for; -1 if two atoms are
        nearer than the tables go.
    """
    cutoff, bond_end, origin, scale = numbers[0], numbers[1], numbers[2], numbers[3]
    last, most = np.int32(len(table) - 1), len(bonds) - 1
    place, count = starts[first], 0
    nearest = cutoff
    for atom in range(first, first + len(rows) - 1):
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        begin = place
        for candidate in range(rows[atom - first], rows[atom - first + 1]):
            other = others[candidate]
            dx = px - positions[other, 0]
            dy = py - positions[other, 1]
            dz = pz - positions[other, 2]
            square = dx * dx + dy * dy + dz * dz
            neighbours[place] = other
            squares[place] = square
            place += square < cutoff
        starts[atom + 1] = place
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
            row = np.uint32(piece)
            matrix[pair] = table[row, 0] + x * (
                table[row, 1] + x * (table[row, 2] + x * table[row, 3])
            )
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_bond_orders(
    bonds: AtomArray,
    squares: FloatArray,
    numbers: FloatArray,
    table: FloatArray,
    slopes: FloatArray,
    totals: FloatArray,
) -> None:
    """Compute the orders of bonds, and add up those of every atom.

    Parameters
    ----------
    bonds, squares : ndarray
        See `select_pairs`.
    numbers, table : ndarray
        `PairTables.numbers` and `bonds`.
    slopes : ndarray, shape (n_bonds, 2)
        Filled in: derivatives of the order and of the energy of a bond by s.
    totals : ndarray, shape (n_atoms,)
        Added to.
    """
    bond_end, scale = numbers[1], numbers[4]
    last = np.int32(len(table) - 1)
    for bond in range(len(bonds)):
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


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_forces(
    positions: FloatArray,
    charges: FloatArray,
    first: int,
    starts: Int64Array,
    neighbours: AtomArray,
    squares: FloatArray,
    numbers: FloatArray,
    slopes: FloatArray,
    forces: FloatArray,
) -> None:
    """Add the non-bonded forces of the pairs in the rows from one on.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    first : int
    starts, neighbours, squares : ndarray
        See `select_pairs`.
    numbers, slopes : ndarray
        See `nanogap.dynamics.native.tables.PairTables`.
    forces : ndarray, shape (n_atoms, 3)
        Added to, eV/angstrom.
    """
    origin, scale = numbers[2], numbers[3]
    last = np.int32(len(slopes) - 1)
    factors = np.empty(len(positions))
    for atom in range(first, len(positions)):
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        charge = charges[atom]
        begin, end = starts[atom], starts[atom + 1]
        for pair in range(begin, end):
            x = (squares[pair] - origin) * scale
            piece = min(np.int32(x), last)
            x -= piece
            row = np.uint32(piece)
            coulomb = slopes[row, 0] + x * (
                slopes[row, 1] + x * (slopes[row, 2] + x * slopes[row, 3])
            )
            dispersion = slopes[row, 4] + x * (
                slopes[row, 5] + x * (slopes[row, 6] + x * slopes[row, 7])
            )
            factors[pair - begin] = -2.0 * (
                charge * charges[neighbours[pair]] * coulomb + dispersion
            )
        fx = fy = fz = 0.0
        for pair in range(begin, end):
            other = neighbours[pair]
            factor = factors[pair - begin]
            dx = factor * (px - positions[other, 0])
            dy = factor * (py - positions[other, 1])
            dz = factor * (pz - positions[other, 2])
            fx += dx
            fy += dy
            fz += dz
            forces[other, 0] -= dx
            forces[other, 1] -= dy
            forces[other, 2] -= dz
        forces[atom, 0] += fx
        forces[atom, 1] += fy
        forces[atom, 2] += fz


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_bond_forces(
    positions: FloatArray,
    bonds: AtomArray,
    slopes: FloatArray,
    totals: FloatArray,
    coefficients: FloatArray,
    forces: FloatArray,
) -> None:
    """Add the forces of bonds, and of the energies of atoms, which depend on bond orders.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    bonds, slopes, totals : ndarray
        See `add_bond_orders`.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    forces : ndarray, shape (n_atoms, 3)
        Added to, eV/angstrom.
    """
    by_order = np.empty(len(totals))
    for atom in range(len(totals)):
        _, by_order[atom] = atom_energy(totals[atom], coefficients)
    for bond in range(len(bonds)):
        one, other = bonds[bond, 0], bonds[bond, 1]
        factor = -2.0 * (slopes[bond, 1] + (by_order[one] + by_order[other]) * slopes[bond, 0])
        for axis in range(3):
            force = factor * (positions[one, axis] - positions[other, axis])
            forces[one, axis] += force
            forces[other, axis] -= force


@njit(cache=True)  # type: ignore[untyped-decorator]
def sum_energies(
    charges: FloatArray,
    starts: Int64Array,
    neighbours: AtomArray,
    squares: FloatArray,
    bonds: AtomArray,
    bond_squares: FloatArray,
    numbers: FloatArray,
    table: FloatArray,
    bond_table: FloatArray,
    coefficients: FloatArray,
    energies: FloatArray,
) -> None:
    """Sum the energies of all pairs, and of the total bond orders of all atoms.

    Parameters
    ----------
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    starts, neighbours, squares, bonds, bond_squares : ndarray
        See `select_pairs`.
    numbers, table, bond_table : ndarray
        `PairTables.numbers`, `energies` and `bonds`.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    energies : ndarray, shape (4,)
        Filled in: bonds, atoms, van der Waals, Coulomb, eV.
    """
    bond_end, origin, scale, bond_scale = numbers[1], numbers[2], numbers[3], numbers[4]
    totals = np.zeros(len(charges))
    energies[:] = 0.0
    for atom in range(len(charges)):
        for pair in range(starts[atom], starts[atom + 1]):
            x = (squares[pair] - origin) * scale
            piece = min(int(x), len(table) - 1)
            x -= piece
            product = charges[atom] * charges[neighbours[pair]]
            energies[2] += _value(table[piece, 5:], x)
            energies[3] += product * _value(table[piece, :5], x)
    for bond in range(len(bonds)):
        x = np.sqrt(np.sqrt(bond_end - bond_squares[bond])) * bond_scale
        piece = min(int(x), len(bond_table) - 1)
        order = _value(bond_table[piece, :6], x - piece)
        energies[0] += _value(bond_table[piece, 6:], x - piece)
        totals[bonds[bond, 0]] += order
        totals[bonds[bond, 1]] += order
    for total in totals:
        energies[1] += atom_energy(total, coefficients)[0]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _value(coefficients: FloatArray, x: float) -> float:
    """Value of a polynomial of ascending coefficients."""
    value = 0.0
    for power in range(len(coefficients) - 1, -1, -1):
        value = value * x + coefficients[power]
    return value
