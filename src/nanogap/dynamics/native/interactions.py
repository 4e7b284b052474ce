"""Loops over pairs: forces and energies.

With s the square of a distance d = x_i - x_j, total bond orders n_i and charges q_i,

    E = sum_pairs [V(s) + K H(s) q_i q_j + E_bond(s)] + sum_i [F(n_i) + E_charge(q_i)],
    n_i = sum_j B(s_ij),
    force on i = -2 sum_j d [V' + K H' q_i q_j + E_bond' + (F'(n_i) + F'(n_j)) B'].

No force is computed for pairs of fixed atoms. Loops are over shares of the rows
(`nanogap.dynamics.native.shares`).
"""

import numpy as np
from numba import njit, prange

from nanogap.dynamics.native.pairs import AtomArray
from nanogap.dynamics.native.selection import Bonds, Pairs
from nanogap.dynamics.native.shares import SHARES, rows_below
from nanogap.dynamics.native.tables import PairTables
from nanogap.dynamics.native.terms import atom_energy
from nanogap.typing import FloatArray, Int64Array


@njit(cache=True)  # type: ignore[untyped-decorator]
def differentiate_atoms(
    begin: int,
    end: int,
    fixed: FloatArray,
    totals: FloatArray,
    coefficients: FloatArray,
    by_order: FloatArray,
) -> None:
    """Compute the derivatives of the energies of atoms by their total bond orders.

    Parameters
    ----------
    begin, end : int
        Shares; here each is a block of atoms.
    fixed : ndarray, shape (n_atoms,)
        Bond orders between fixed atoms.
    totals : ndarray, shape (SHARES, n_atoms)
        The other bond orders.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    by_order : ndarray, shape (n_atoms,)
        Filled in, eV.
    """
    n = len(fixed)
    for atom in range(begin * n // SHARES, end * n // SHARES):
        total = fixed[atom]
        for share in range(SHARES):
            total += totals[share, atom]
        _, by_order[atom] = atom_energy(total, coefficients)


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def differentiate_atoms_in_threads(
    fixed: FloatArray, totals: FloatArray, coefficients: FloatArray, by_order: FloatArray
) -> None:
    """Do `differentiate_atoms` for all shares."""
    for number in prange(SHARES):
        share = np.int64(number)
        differentiate_atoms(share, share + 1, fixed, totals, coefficients, by_order)


@njit(cache=True)  # type: ignore[untyped-decorator]
def sum_forces(
    begin: int,
    end: int,
    positions: FloatArray,
    charges: FloatArray,
    by_order: FloatArray,
    first: int,
    tables: PairTables,
    pairs: Pairs,
    bonds: Bonds,
    forces: FloatArray,
) -> None:
    """Sum the forces of the pairs in the rows from an atom on, and of bonds.

    Parameters
    ----------
    begin, end : int
        Shares.
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    by_order : ndarray, shape (n_atoms,)
        See `differentiate_atoms`.
    first : int
        The first atom.
    tables : PairTables
    pairs : Pairs
    bonds : Bonds
    forces : ndarray, shape (SHARES, n_atoms, 3)
        Filled in, eV/angstrom; their sum over the shares is the force.
    """
    for share in range(begin, end):
        forces[share] = 0.0
        _add_pair_forces(
            share,
            positions,
            charges,
            rows_below(share, first),
            tables,
            pairs.starts[share],
            pairs.neighbours[share],
            pairs.squares[share],
            forces[share],
        )
        for bond in range(bonds.counts[share]):
            one, other = bonds.atoms[share, bond, 0], bonds.atoms[share, bond, 1]
            by_square = (by_order[one] + by_order[other]) * bonds.slopes[share, bond, 0]
            factor = -2.0 * (bonds.slopes[share, bond, 1] + by_square)
            for axis in range(3):
                force = factor * (positions[one, axis] - positions[other, axis])
                forces[share, one, axis] += force
                forces[share, other, axis] -= force


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def sum_forces_in_threads(
    positions: FloatArray,
    charges: FloatArray,
    by_order: FloatArray,
    first: int,
    tables: PairTables,
    pairs: Pairs,
    bonds: Bonds,
    forces: FloatArray,
) -> None:
    """Do `sum_forces` for all shares."""
    for number in prange(SHARES):
        share = np.int64(number)
        sum_forces(
            share, share + 1, positions, charges, by_order, first, tables, pairs, bonds, forces
        )


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add_pair_forces(
    share: int,
    positions: FloatArray,
    charges: FloatArray,
    first_row: int,
    tables: PairTables,
    starts: Int64Array,
    neighbours: AtomArray,
    squares: FloatArray,
    forces: FloatArray,
) -> None:
    """Add the non-bonded forces of the rows of one share."""
    origin, scale, slopes = tables.origin, tables.scale, tables.slopes
    last = np.int32(len(slopes) - 1)
    factors = np.empty(len(positions))
    for row in range(first_row, len(starts) - 1):
        begin, end = starts[row], starts[row + 1]
        if begin == end:
            continue
        atom = share + SHARES * row
        px, py, pz = positions[atom, 0], positions[atom, 1], positions[atom, 2]
        charge = charges[atom]
        for pair in range(begin, end):
            x = (squares[pair] - origin) * scale
            piece = min(np.int32(x), last)
            x -= piece
            r = np.uint32(piece)
            coulomb = slopes[r, 0] + x * (slopes[r, 1] + x * (slopes[r, 2] + x * slopes[r, 3]))
            dispersion = slopes[r, 4] + x * (slopes[r, 5] + x * (slopes[r, 6] + x * slopes[r, 7]))
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
def sum_energies(
    charges: FloatArray,
    tables: PairTables,
    pairs: Pairs,
    bonds: tuple[Bonds, Bonds],
    coefficients: FloatArray,
    energies: FloatArray,
) -> None:
    """Sum the energies of all pairs, and of the total bond orders of all atoms.

    Parameters
    ----------
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    tables : PairTables
    pairs : Pairs
    bonds : tuple of Bonds
        Those between fixed atoms, and the others.
    coefficients : ndarray
        See `nanogap.dynamics.native.terms.atom_coefficients`.
    energies : ndarray, shape (4,)
        Filled in: bonds, atoms, van der Waals, Coulomb, eV.
    """
    origin, scale, table = tables.origin, tables.scale, tables.energies
    energies[:] = 0.0
    for share in range(SHARES):
        starts = pairs.starts[share]
        for row in range(len(starts) - 1):
            for pair in range(starts[row], starts[row + 1]):
                x = (pairs.squares[share, pair] - origin) * scale
                piece = min(int(x), len(table) - 1)
                x -= piece
                other = pairs.neighbours[share, pair]
                product = charges[share + SHARES * row] * charges[other]
                energies[2] += _value(table[piece, 5:], x)
                energies[3] += product * _value(table[piece, :5], x)
    totals = np.zeros(len(charges))
    for group in bonds:
        for share in range(SHARES):
            count = group.counts[share]
            energies[0] += _bond_energy(group.squares[share, :count], tables)
            totals += group.totals[share]
    for total in totals:
        energies[1] += atom_energy(total, coefficients)[0]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _bond_energy(squares: FloatArray, tables: PairTables) -> float:
    """Energy of bonds of some squares of distances, eV."""
    energy = 0.0
    for square in squares:
        x = np.sqrt(np.sqrt(tables.bond_end - square)) * tables.bond_scale
        piece = min(int(x), len(tables.bonds) - 1)
        energy += _value(tables.bonds[piece, 6:], x - piece)
    return energy


@njit(cache=True)  # type: ignore[untyped-decorator]
def _value(coefficients: FloatArray, x: float) -> float:
    """Value of a polynomial of ascending coefficients."""
    value = 0.0
    for power in range(len(coefficients) - 1, -1, -1):
        value = value * x + coefficients[power]
    return value
