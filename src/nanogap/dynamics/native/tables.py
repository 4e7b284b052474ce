"""Tables of the pair functions, in pieces of fifth order.

Non-bonded functions are tabulated in the square of the distance, so that no root is taken. A bond
ends with an energy that goes as a fractional power of what is left to its end (equation 6 of
doi:10.1021/jp709896w with p_be2 below 1), so bonds are tabulated in the fourth root of
s_end - s, s the square of the distance, in which they are smooth.

Energy and force come from the same pieces, so the force is the derivative of the energy to
rounding. The pieces join with four continuous derivatives.
"""

from dataclasses import dataclass

import numpy as np
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
#: Pieces of the tables of non-bonded functions and of bonds: errors of a force of 5e-10 eV/angstrom
#: above 2.2 angstrom.
PIECES, BOND_PIECES = 2000, 500
#: Order of the pieces.
ORDER = 5
#: Energy of two charges over their entry in the matrix of charge equilibration.
ENERGY_PER_MATRIX = COULOMB_ENERGY / COULOMB_CHARGES


@dataclass(frozen=True)
class PairTables:
    """Tables of the pair functions of one metal.

    Attributes
    ----------
    cutoff, bond_end : float
        Squares of the distances at which non-bonded terms and bonds end, angstrom^2.
    matrix, dispersion : ndarray, shape (PIECES, 6)
        H_ij of charge equilibration, eV, and the van der Waals energy, eV: coefficients of
        ascending powers of the place in a piece, from 0 to 1.
    slopes : ndarray, shape (PIECES, 10)
        Their derivatives by the square of the distance: of the energy of two unit charges, 5
        coefficients, and of the van der Waals energy, 5, eV/angstrom^2.
    origin, scale : float
        The place in these of a square of a distance s is (s - `origin`) `scale`.
    bonds : ndarray, shape (BOND_PIECES, 12)
        Bond order, 6 coefficients, and energy of a bond, 6, eV.
    bond_scale : float
        The place in `bonds` of s is (`bond_end` - s)^(1/4) `bond_scale`.
    """

    cutoff: float
    bond_end: float
    matrix: FloatArray
    dispersion: FloatArray
    slopes: FloatArray
    origin: float
    scale: float
    bonds: FloatArray
    bond_scale: float

    @property
    def numbers(self) -> FloatArray:
        """All that is no table, in the order of the compiled functions, shape (6,)."""
        return np.array(
            [
                self.cutoff,
                self.bond_end,
                self.origin,
                self.scale,
                self.bond_scale,
                ENERGY_PER_MATRIX,
            ]
        )


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
    matrix, dispersion = (_pieces(of(distances, metal)) for of in (coulomb, van_der_waals))
    scale = pieces / (end - begin)
    bond_end = longest_bond(metal) ** 2
    longest = (bond_end - begin) ** 0.25
    places = np.linspace(0.0, longest, bond_pieces + 1)
    orders = bond_order(np.sqrt(np.maximum(bond_end - places**4, begin)), metal)
    orders[0] = 0.0
    return PairTables(
        cutoff=end,
        bond_end=bond_end,
        matrix=matrix,
        dispersion=dispersion,
        slopes=scale
        * np.hstack([ENERGY_PER_MATRIX * _derivatives(matrix), _derivatives(dispersion)]),
        origin=begin,
        scale=scale,
        bonds=np.hstack([_pieces(orders), _pieces(bond_energy(orders, metal))]),
        bond_scale=bond_pieces / longest,
    )


def _derivatives(coefficients: FloatArray) -> FloatArray:
    """Coefficients of the derivatives by the place, shape (n, 5)."""
    return coefficients[:, 1:] * np.arange(1, ORDER + 1)


def _pieces(values: FloatArray) -> FloatArray:
    """Interpolate values at whole numbers; return coefficients, shape (n - 1, 6), ascending."""
    spline = make_interp_spline(np.arange(len(values)), values, k=ORDER)
    breaks = np.arange(len(values), dtype=np.float64)
    piecewise = PPoly.from_spline(spline)
    coefficients = np.empty((len(values) - 1, ORDER + 1))
    factorial = 1.0
    for power in range(ORDER + 1):
        factorial *= max(power, 1)
        coefficients[:, power] = piecewise(breaks[:-1], nu=power) / factorial
    return coefficients
