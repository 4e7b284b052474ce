"""Energies of ReaxFF as functions of a distance or of a total bond order, in eV.

Equations of the supporting information of Chenoweth et al., J. Phys. Chem. A 112, 1040 (2008),
doi:10.1021/jp709896w, for one metal; `nanogap.dynamics.native.parameters` says what is left of
them. What LAMMPS does otherwise than the paper is said with each.
"""

import numpy as np
from numba import njit

from nanogap.dynamics.native.parameters import COULOMB_CHARGES, MetalParameters
from nanogap.typing import FloatArray

#: LAMMPS adds it to the denominator of the over-coordination.
_TINY = 1e-8


def taper(distance: FloatArray, metal: MetalParameters) -> FloatArray:
    """Taper of the non-bonded terms: 1 to 0, with three derivatives 0 at both ends.

    The polynomial of seventh order of de Vos Burchart (1992), equation 21 of the paper.

    Parameters
    ----------
    distance : ndarray
        Angstrom.
    metal : MetalParameters

    Returns
    -------
    ndarray
        Dimensionless, shape of `distance`.
    """
    x = (distance - metal.taper_begin) / (metal.cutoff - metal.taper_begin)
    x = np.clip(x, 0.0, 1.0)
    result: FloatArray = 1.0 + x**4 * (-35.0 + x * (84.0 + x * (-70.0 + x * 20.0)))
    return result


def coulomb(distance: FloatArray, metal: MetalParameters) -> FloatArray:
    """Interaction of two charges in charge equilibration, H_ij = T(r) C / (r^3 + gamma^-3)^(1/3).

    Equation 24 of the paper, with C = 14.4 eV angstrom.

    Parameters
    ----------
    distance : ndarray
        Angstrom.
    metal : MetalParameters

    Returns
    -------
    ndarray
        eV per elementary charge squared, shape of `distance`.
    """
    shielded: FloatArray = np.cbrt(distance**3 + metal.gamma**-3)
    return COULOMB_CHARGES * taper(distance, metal) / shielded


def van_der_waals(distance: FloatArray, metal: MetalParameters) -> FloatArray:
    """Van der Waals energy of a pair with its taper, equations 23 of the paper.

    LAMMPS tapers the inner wall, exp(a_core (1 - r/r_core)), as well.

    Parameters
    ----------
    distance : ndarray
        Angstrom.
    metal : MetalParameters

    Returns
    -------
    ndarray
        eV, shape of `distance`.
    """
    power = metal.p_vdw
    shielded = distance
    if metal.gamma_w > 0.0:
        shielded = (distance**power + metal.gamma_w**-power) ** (1.0 / power)
    exponent = metal.alpha * (1.0 - shielded / metal.radius)
    energy = metal.depth * (np.exp(exponent) - 2.0 * np.exp(0.5 * exponent))
    if metal.core_energy:
        energy = energy + metal.core_energy * np.exp(
            metal.core_alpha * (1.0 - distance / metal.core_radius)
        )
    result: FloatArray = taper(distance, metal) * energy
    return result


def longest_bond(metal: MetalParameters) -> float:
    """Distance at which the bond order comes to 0, angstrom."""
    ratio = np.log((1.0 + metal.bond_cutoff) / metal.bond_cutoff) / -metal.p_bo1
    return float(metal.r_sigma * ratio ** (1.0 / metal.p_bo2))


def bond_order(distance: FloatArray, metal: MetalParameters) -> FloatArray:
    """Bond order of a pair, equation 2 of the paper without pi bonds.

    LAMMPS multiplies it by 1 + c and subtracts c, the cut-off of bond orders, so that it comes
    to 0 at a distance.

    Parameters
    ----------
    distance : ndarray
        Angstrom.
    metal : MetalParameters

    Returns
    -------
    ndarray
        Dimensionless, shape of `distance`.
    """
    decay = np.exp(metal.p_bo1 * (distance / metal.r_sigma) ** metal.p_bo2)
    return np.maximum((1.0 + metal.bond_cutoff) * decay - metal.bond_cutoff, 0.0)


def bond_energy(order: FloatArray, metal: MetalParameters) -> FloatArray:
    """Energy of a bond of some order, equation 6 of the paper without pi bonds.

    Parameters
    ----------
    order : ndarray
        Bond order.
    metal : MetalParameters

    Returns
    -------
    ndarray
        eV, shape of `order`.
    """
    result: FloatArray = (
        -metal.dissociation * order * np.exp(metal.p_be1 * (1.0 - order**metal.p_be2))
    )
    return result


def atom_coefficients(metal: MetalParameters) -> FloatArray:
    """Numbers that `atom_energy` takes, shape (10,)."""
    return np.array(
        [
            metal.valency,
            metal.p_ovun1 * metal.dissociation,
            metal.p_ovun2,
            metal.p_ovun5,
            metal.p_ovun6,
            # without pi bonds its exponential is 1
            metal.p_ovun7,
            metal.valency_e,
            metal.p_lp1,
            metal.p_lp2,
            0.5 * (metal.valency_e - metal.valency),
        ]
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def atom_energy(total: float, coefficients: FloatArray) -> tuple[float, float]:
    """Energy of an atom of some total bond order: over- and under-coordination, lone pairs.

    Equations 8 to 12 of the paper. An atom without bonds has none of these (LAMMPS).

    Parameters
    ----------
    total : float
        Sum of its bond orders.
    coefficients : ndarray, shape (10,)
        See `atom_coefficients`.

    Returns
    -------
    energy, derivative : float
        eV, and its derivative by the total bond order.
    """
    if total <= 0.0:
        return 0.0, 0.0
    energy, derivative = _coordination_energy(total, coefficients)
    return energy, derivative


@njit(cache=True)  # type: ignore[untyped-decorator]
def _coordination_energy(total: float, coefficients: FloatArray) -> tuple[float, float]:
    """Return the energy of `atom_energy` for an atom that has bonds, and its derivative."""
    excess = total - coefficients[0]
    strength, steepness = coefficients[1], coefficients[2]
    inverse = 1.0 / (excess + coefficients[0] + _TINY)
    growth = np.exp(steepness * excess)
    switch = 1.0 / (1.0 + growth)
    slope = -steepness * growth * switch * switch
    share = excess * inverse
    energy = strength * total * share * switch
    derivative = strength * (
        share * switch + total * ((inverse - share * inverse) * switch + share * slope)
    )
    if coefficients[3] != 0.0:
        # under-coordination; exp(-p_ovun2 excess) is the inverse of the growth above
        rise = np.exp(coefficients[4] * excess)
        opposite = 1.0 / (1.0 + 1.0 / growth)
        factor = -coefficients[3] / (1.0 + coefficients[5])
        energy += factor * (1.0 - rise) * opposite
        derivative += factor * (
            -coefficients[4] * rise * opposite
            + (1.0 - rise) * steepness * opposite * opposite / growth
        )
    if coefficients[8] != 0.0:
        electrons = total - coefficients[6]
        pairs = float(int(electrons / 2.0))
        odd = 2.0 + electrons - 2.0 * pairs
        own = np.exp(-coefficients[7] * odd * odd)
        missing = coefficients[9] - own + pairs
        broken = np.exp(-75.0 * missing)
        part = 1.0 / (1.0 + broken)
        energy += coefficients[8] * missing * part
        derivative += (
            coefficients[8]
            * (part + 75.0 * missing * broken * part * part)
            * (2.0 * coefficients[7] * odd * own)
        )
    return energy, derivative
