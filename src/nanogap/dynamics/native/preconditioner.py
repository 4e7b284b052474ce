"""Preconditioner of charge equilibration: charges of bonded atoms nearly make up for each other.

The inverse of the matrix H is as local as H is not: next to its diagonal it has a negative entry
for every bond, and little else. So the residual r of the iteration is smoothed over bonds,

    z_i = r_i - sum_j B_ij r_j / (1.05 max_k n_k),   n_k = sum_j B_kj,

the first two terms of a Neumann series (Dubois, Greenbaum & Rodrigue, Computing 22, 257 (1979),
doi:10.1007/BF02243566) with bond orders B in the place of H. No row of B sums to more than
max n, so this is positive definite, and charges are the same with any such preconditioner.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from nanogap.dynamics.native.selection import Bonds
from nanogap.dynamics.native.shares import SHARES
from nanogap.typing import FloatArray

#: Above 1, or two bonded atoms alone would be taken for a conductor.
_MARGIN = 1.05


class Preconditioner(NamedTuple):
    """Bonds that smooth, and how much.

    Attributes
    ----------
    fixed, moving : Bonds
        Between fixed atoms, and the others.
    factor : float
        Of a bond order.
    """

    fixed: Bonds
    moving: Bonds
    factor: float


def bond_preconditioner(fixed: Bonds, moving: Bonds, fixed_totals: FloatArray) -> Preconditioner:
    """Make the preconditioner of some bonds.

    Parameters
    ----------
    fixed, moving : Bonds
        Between fixed atoms, and the others.
    fixed_totals : ndarray, shape (n_atoms,)
        Sums of the bond orders of every atom over `fixed`.

    Returns
    -------
    Preconditioner
    """
    largest = float(_largest_total(fixed_totals, moving.totals))
    return Preconditioner(fixed, moving, 1.0 / (_MARGIN * largest) if largest > 0.0 else 0.0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _largest_total(fixed: FloatArray, totals: FloatArray) -> float:
    largest = 0.0
    for atom in range(len(fixed)):
        total = fixed[atom]
        for share in range(SHARES):
            total += totals[share, atom]
        largest = max(largest, total)
    return largest


@njit(cache=True)  # type: ignore[untyped-decorator]
def multiply_bonds(
    begin: int, end: int, vector: FloatArray, fixed: Bonds, moving: Bonds, products: FloatArray
) -> None:
    """Multiply a vector by the shares of the bond orders.

    Parameters
    ----------
    begin, end : int
        Shares.
    vector : ndarray, shape (n_atoms,)
    fixed, moving : Bonds
        Between fixed atoms, and the others.
    products : ndarray, shape (SHARES, n_atoms)
        Filled in; their sum over the shares is the product.
    """
    for share in range(begin, end):
        products[share] = 0.0
        _add_bonds(share, vector, fixed, products[share])
        _add_bonds(share, vector, moving, products[share])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add_bonds(share: int, vector: FloatArray, bonds: Bonds, product: FloatArray) -> None:
    for bond in range(bonds.counts[share]):
        one, other = bonds.atoms[share, bond, 0], bonds.atoms[share, bond, 1]
        order = bonds.orders[share, bond]
        product[one] += order * vector[other]
        product[other] += order * vector[one]


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def multiply_bonds_in_threads(
    vector: FloatArray, fixed: Bonds, moving: Bonds, products: FloatArray
) -> None:
    """Do `multiply_bonds` for all shares."""
    for number in prange(SHARES):
        share = np.int64(number)
        multiply_bonds(share, share + 1, vector, fixed, moving, products)
