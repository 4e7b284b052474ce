"""Loops over pairs: the matrix of charge equilibration, forces, energies.

A step takes two loops. The first selects the pairs within the cut-off and fills in the matrix of
charge equilibration, the bonds and the total bond order of every atom; the second, when the charges
are known, adds up the forces. Forces are those on atoms that move: pairs of fixed atoms are left
out of both, where their part of the matrix stays as it is.

With s the square of a distance d = x_i - x_j, total bond orders n_i and charges q_i,

    E = sum_pairs [V(s) + K H(s) q_i q_j + E_bond(s)] + sum_i [F(n_i) + E_charge(q_i)],
    n_i = sum_j B(s_ij),
    force on i = -2 sum_j d [V' + K H' q_i q_j + E_bond' + (F'(n_i) + F'(n_j)) B'].
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nanogap.dynamics.native.terms import atom_energy
from nanogap.typing import FloatArray, Int64Array

Int32Array = NDArray[np.int32]


@njit(cache=True)  # type: ignore[untyped-decorator]
def select_pairs(
    positions: FloatArray,
    first: int,
    last: int,
    starts: Int64Array,
    candidates: Int32Array,
    numbers: FloatArray,
    table: FloatArray,
    bond_table: FloatArray,
    lengths: Int64Array,
    neighbours: Int32Array,
    matrix: FloatArray,
    bonds: Int32Array,
    bond_slopes: FloatArray,
    totals: FloatArray,
    bond_count: int,
) -> int:
    """Select the pairs within the cut-off from some rows of a list.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    first, last : int
        Rows from `first` up to, not including, `last`.
    starts, candidates : ndarray of int
        See `nanogap.dynamics.native.pairs.PairList`.
    numbers : ndarray, shape (6,)
        See `nanogap.dynamics.native.tables.PairTables.numbers`.
    table, bond_table : ndarray
        `PairTables.matrix` and `PairTables.bonds`.
    lengths : ndarray of int, shape (n_atoms,)
        Filled in: pairs of a row.
    neighbours, matrix : ndarray, shape (n_candidates,)
        Filled in: the other atom of every pair, and its H, eV, from the start of the row on.
    bonds : ndarray of int, shape (n_candidates, 2)
        Filled in: pairs that are bonds.
    bond_slopes : ndarray, shape (n_candidates, 2)
        Filled in: derivatives of the order and of the energy of a bond by s.
    totals : ndarray, shape (n_atoms,)
        Total bond orders, added to.
    bond_count : int
        Bonds that are there already.

    Returns
    -------
    int
        Bonds that are there now; -1 if two atoms are nearer than the tables go.
    """
    cutoff, bond_end, origin, scale, bond_scale = numbers[:5]
    pieces, bond_pieces = len(table), len(bond_table)
    for atom in range(first, last):
        start = starts[atom]
        place = start
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        total = 0.0
        for candidate in range(start, starts[atom + 1]):
            other = candidates[candidate]
            dx = px - positions[other, 0]
            dy = py - positions[other, 1]
            dz = pz - positions[other, 2]
            square = dx * dx + dy * dy + dz * dz
            if square >= cutoff:
                continue
            x = (square - origin) * scale
            if x < 0.0:
                return -1
            piece = min(int(x), pieces - 1)
            x -= piece
            row = table[piece]
            neighbours[place] = other
            matrix[place] = row[0] + x * (
                row[1] + x * (row[2] + x * (row[3] + x * (row[4] + x * row[5])))
            )
            place += 1
            if square < bond_end:
                left = bond_end - square
                root = np.sqrt(left)
                fourth = np.sqrt(root)
                x = fourth * bond_scale
                piece = min(int(x), bond_pieces - 1)
                x -= piece
                row = bond_table[piece]
                order = row[0] + x * (
                    row[1] + x * (row[2] + x * (row[3] + x * (row[4] + x * row[5])))
                )
                slope = -0.25 * bond_scale * fourth / left
                bonds[bond_count, 0], bonds[bond_count, 1] = atom, other
                bond_slopes[bond_count, 0] = slope * (
                    row[1]
                    + x
                    * (2.0 * row[2] + x * (3.0 * row[3] + x * (4.0 * row[4] + x * 5.0 * row[5])))
                )
                bond_slopes[bond_count, 1] = slope * (
                    row[7]
                    + x
                    * (2.0 * row[8] + x * (3.0 * row[9] + x * (4.0 * row[10] + x * 5.0 * row[11])))
                )
                bond_count += 1
                total += order
                totals[other] += order
        totals[atom] += total
        lengths[atom] = place - start
    return bond_count


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_forces(
    positions: FloatArray,
    charges: FloatArray,
    rows: int,
    starts: Int64Array,
    lengths: Int64Array,
    neighbours: Int32Array,
    numbers: FloatArray,
    slopes: FloatArray,
    forces: FloatArray,
) -> None:
    """Add the non-bonded forces of the pairs of the first rows.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    rows : int
    starts, lengths, neighbours : ndarray of int
        See `select_pairs`.
    numbers, slopes : ndarray
        See `nanogap.dynamics.native.tables.PairTables`.
    forces : ndarray, shape (n_atoms, 3)
        Added to, eV/angstrom.
    """
    origin, scale = numbers[2], numbers[3]
    last = len(slopes) - 1
    for atom in range(rows):
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        charge = charges[atom]
        fx = fy = fz = 0.0
        for place in range(starts[atom], starts[atom] + lengths[atom]):
            other = neighbours[place]
            dx = px - positions[other, 0]
            dy = py - positions[other, 1]
            dz = pz - positions[other, 2]
            x = (dx * dx + dy * dy + dz * dz - origin) * scale
            piece = min(int(x), last)
            x -= piece
            row = slopes[piece]
            slope = charge * charges[other] * (
                row[0] + x * (row[1] + x * (row[2] + x * (row[3] + x * row[4])))
            ) + (row[5] + x * (row[6] + x * (row[7] + x * (row[8] + x * row[9]))))
            slope *= -2.0
            fx += slope * dx
            fy += slope * dy
            fz += slope * dz
            forces[other, 0] -= slope * dx
            forces[other, 1] -= slope * dy
            forces[other, 2] -= slope * dz
        forces[atom, 0] += fx
        forces[atom, 1] += fy
        forces[atom, 2] += fz


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_bond_forces(
    positions: FloatArray,
    bonds: Int32Array,
    bond_slopes: FloatArray,
    bond_count: int,
    totals: FloatArray,
    coefficients: FloatArray,
    slopes: FloatArray,
    forces: FloatArray,
) -> None:
    """Add the forces of bonds, and of the energies of atoms, which depend on bond orders.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    bonds, bond_slopes : ndarray
    bond_count : int
    totals : ndarray, shape (n_atoms,)
        See `select_pairs`.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    slopes : ndarray, shape (n_atoms,)
        Room for the derivatives of the energies of atoms.
    forces : ndarray, shape (n_atoms, 3)
        Added to, eV/angstrom.
    """
    for atom in range(len(totals)):
        _, slopes[atom] = atom_energy(totals[atom], coefficients)
    for bond in range(bond_count):
        one, other = bonds[bond, 0], bonds[bond, 1]
        slope = -2.0 * (bond_slopes[bond, 1] + (slopes[one] + slopes[other]) * bond_slopes[bond, 0])
        for axis in range(3):
            force = slope * (positions[one, axis] - positions[other, axis])
            forces[one, axis] += force
            forces[other, axis] -= force


@njit(cache=True)  # type: ignore[untyped-decorator]
def sum_energies(
    positions: FloatArray,
    charges: FloatArray,
    starts: Int64Array,
    candidates: Int32Array,
    numbers: FloatArray,
    matrix: FloatArray,
    dispersion: FloatArray,
    bond_table: FloatArray,
    coefficients: FloatArray,
    energies: FloatArray,
) -> None:
    """Sum the energies of all pairs, and of the total bond orders of all atoms.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    starts, candidates : ndarray of int
        See `nanogap.dynamics.native.pairs.PairList`.
    numbers, matrix, dispersion, bond_table : ndarray
        See `nanogap.dynamics.native.tables.PairTables`.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    energies : ndarray, shape (4,)
        Filled in: bonds, atoms, van der Waals, Coulomb, eV.
    """
    cutoff, bond_end, origin, scale, bond_scale, ratio = numbers
    totals = np.zeros(len(positions))
    energies[:] = 0.0
    for atom in range(len(positions)):
        for candidate in range(starts[atom], starts[atom + 1]):
            other = candidates[candidate]
            square = 0.0
            for axis in range(3):
                square += (positions[atom, axis] - positions[other, axis]) ** 2
            if square >= cutoff:
                continue
            x = (square - origin) * scale
            piece = min(int(x), len(matrix) - 1)
            x -= piece
            energies[2] += _value(dispersion[piece], 0, x)
            energies[3] += ratio * charges[atom] * charges[other] * _value(matrix[piece], 0, x)
            if square < bond_end:
                x = np.sqrt(np.sqrt(bond_end - square)) * bond_scale
                piece = min(int(x), len(bond_table) - 1)
                energies[0] += _value(bond_table[piece], 6, x - piece)
                order = _value(bond_table[piece], 0, x - piece)
                totals[atom] += order
                totals[other] += order
    for total in totals:
        energies[1] += atom_energy(total, coefficients)[0]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _value(row: FloatArray, begin: int, x: float) -> float:
    """Value of a polynomial of fifth order whose coefficients begin at a place of a row."""
    value: float = row[begin] + x * (
        row[begin + 1]
        + x * (row[begin + 2] + x * (row[begin + 3] + x * (row[begin + 4] + x * row[begin + 5])))
    )
    return value
