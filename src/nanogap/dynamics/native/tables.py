"""Tables of the pair functions.

Non-bonded functions are tabulated in the square of the distance, so that no root is taken: the
derivatives of the energies as cubic splines, and the energies as what these integrate to, so that
the force is the derivative of the energy to rounding. A bond ends with an energy that goes as a
fractional power of what is left to its end (equation 6 of doi:10.1021/jp709896w with p_be2 below
1), so bonds are tabulated, by splines of fifth order, in the fourth root of s_end - s, s the square
of the distance, in which they are smooth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PPoly, make_interp_spline

from nanogap.dynamics.native.parameters import COULOMB_CHARGES, COULOMB_ENERGY, MetalParameters
from nanogap.dynamics.native.terms import (
    bond_energy,
    bond_order,
    coulomb,
    longest_bond,
    van_der_waals,
)
from nanogap.typing import FloatArray

#: Nearest distance of the tables, angstrom: no two atoms come so close.
CLOSEST = 0.5
#: Pieces of the tables of non-bonded functions and of bonds. The errors of a force are below
#: 6e-9 eV/angstrom from 2.2 angstrom on, and below 4e-7 from 1.5 on.
PIECES, BOND_PIECES = 4000, 500
#: Energy of two charges over their entry in the matrix of charge equilibration.
ENERGY_PER_MATRIX = COULOMB_ENERGY / COULOMB_CHARGES

_FIFTH, _CUBIC = 5, 3


class PairTables(NamedTuple):
    """Tables of the pair functions of one metal; coefficients are those of ascending powers.

    Attributes
    ----------
    cutoff, bond_end : float
        Squares of the distances at which non-bonded terms and bonds end, angstrom^2.
    origin, scale : float
        The place in the non-bonded tables of a square of a distance s is (s - `origin`) `scale`.
    bond_scale : float
        The place in `bonds` of s is (`bond_end` - s)^(1/4) `bond_scale`.
    matrix : ndarray, shape (PIECES, 4)
        H of charge equilibration, eV.
    slopes : ndarray, shape (PIECES, 8)
        Derivatives by s of the energy of two unit charges, 4 coefficients, and of the van der
        Waals energy, 4, eV/angstrom^2.
    energies : ndarray, shape (PIECES, 10)
        The energy of two unit charges, 5 coefficients, and the van der Waals energy, 5, eV.
    bonds : ndarray, shape (BOND_PIECES, 12)
        Bond order, 6 coefficients, and energy of a bond, 6, eV.
    """

    cutoff: float
    bond_end: float
    origin: float
    scale: float
    bond_scale: float
    matrix: FloatArray
    slopes: FloatArray
    energies: FloatArray
    bonds: FloatArray


def make_tables(
    metal: MetalParameters, pieces: int = PIECES, bond_pieces: int = BOND_PIECES
) -> PairTables:
    """Make the tables of a metal.

    Parameters
    ----------
    metal : MetalParameters
    pieces, bond_pieces : int
        Pieces of the tables of non-bonded functions and of bonds.

    Returns
    -------
    PairTables
    """
    begin, end = CLOSEST**2, metal.cutoff**2
    distances = np.sqrt(np.linspace(begin, end, pieces + 1))
    matrix = _spline(coulomb(distances, metal), _FIFTH)
    dispersion = _spline(van_der_waals(distances, metal), _FIFTH)
    knots = np.arange(pieces + 1)
    derivatives = [_spline(of(knots, nu=1), _CUBIC) for of in (matrix, dispersion)]
    scale = pieces / (end - begin)
    slopes = [_coefficients(one) * scale for one in derivatives]
    energies = [
        # the integral ends at 0, where the taper does
        _coefficients(_shifted(one.antiderivative()))
        for one in derivatives
    ]
    for columns in (slopes, energies):
        columns[0] *= ENERGY_PER_MATRIX
    bond_end = longest_bond(metal) ** 2
    longest = (bond_end - begin) ** 0.25
    places = np.linspace(0.0, longest, bond_pieces + 1)
    orders = bond_order(np.sqrt(np.maximum(bond_end - places**4, begin)), metal)
    orders[0] = 0.0
    bonds = [_spline(values, _FIFTH) for values in (orders, bond_energy(orders, metal))]
    return PairTables(
        cutoff=end,
        bond_end=bond_end,
        origin=begin,
        scale=scale,
        bond_scale=bond_pieces / longest,
        matrix=_coefficients(_spline(matrix(knots), _CUBIC)),
        slopes=_aligned(np.hstack(slopes)),
        energies=np.hstack(energies),
        bonds=np.hstack([_coefficients(one) for one in bonds]),
    )


def _spline(values: FloatArray, order: int) -> PPoly:
    """Interpolate values at whole numbers."""
    return PPoly.from_spline(make_interp_spline(np.arange(len(values)), values, k=order))


def _shifted(function: PPoly) -> PPoly:
    """Subtract the value at the end."""
    function.c[-1] -= function(function.x[-1])
    return function


def _coefficients(function: PPoly) -> FloatArray:
    """Coefficients between whole numbers, ascending, shape (n, order + 1)."""
    order, places = function.c.shape[0] - 1, np.arange(int(function.x[-1]))
    result, factorial = np.empty((len(places), order + 1)), 1.0
    for power in range(order + 1):
        factorial *= max(power, 1)
        result[:, power] = function(places, nu=power) / factorial
    return result


def _aligned(table: FloatArray) -> FloatArray:
    """Copy a table so that each row of 64 bytes is one line of the processor's cache."""
    room: NDArray[np.float64] = np.empty(table.size + 8)
    begin = -(room.ctypes.data // room.itemsize) % 8
    result: FloatArray = room[begin : begin + table.size].reshape(table.shape)
    result[:] = table
    return result
