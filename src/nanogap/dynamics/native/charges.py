"""Charge equilibration: the charges of lowest energy at a total charge of 0.

Rappe & Goddard, J. Phys. Chem. 95, 3358 (1991), doi:10.1021/j100161a070, with ReaxFF's shielded
interaction. With electronegativities chi_i - phi_i, phi the electrochemical potential,

    E(q) = sum_i (chi_i - phi_i) q_i + 1/2 sum_ij H_ij q_i q_j,   sum_i q_i = 0.

LAMMPS solves two systems for it, H s = -chi and H t = -1, and takes q = s - t sum(s) / sum(t).
Here the method of conjugate gradients runs within the charges of sum 0, where E is positive
definite: one system, whose gradient is H q + chi - phi without its mean. The diagonal of H is the
same for all atoms of one metal, so dividing by it would change nothing.
"""

from math import comb

import numpy as np
from numba import njit

from nanogap.dynamics.native.pairs import AtomArray
from nanogap.errors import EngineError
from nanogap.typing import FloatArray, Int64Array

#: Charges of so many steps are extrapolated by a polynomial through all of them.
HISTORY = 5
#: Iterations after which the charges are taken not to converge, as in LAMMPS.
MOST_ITERATIONS = 1000


def extrapolated(history: FloatArray) -> FloatArray:
    """Extrapolate to the next step by the polynomial through the charges of the last ones.

    Parameters
    ----------
    history : ndarray, shape (n_steps, n_atoms)
        The last first.

    Returns
    -------
    ndarray, shape (n_atoms,)
    """
    count = len(history)
    weights = [(-1.0) ** k * comb(count, k + 1) for k in range(count)]
    # no matrix product: its order of sums is the library's
    result: FloatArray = weights[0] * history[0]
    for weight, charges in zip(weights[1:], history[1:], strict=True):
        result += weight * charges
    return result


def equilibrate(
    guess: FloatArray,
    electronegativity: FloatArray,
    hardness: float,
    starts: Int64Array,
    neighbours: AtomArray,
    matrix: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, int]:
    """Equilibrate the charges.

    Parameters
    ----------
    guess : ndarray, shape (n_atoms,)
        First charges, elementary charges.
    electronegativity : ndarray, shape (n_atoms,)
        chi - phi, eV.
    hardness : float
        Diagonal of H, eV.
    starts, neighbours, matrix : ndarray
        Pairs; see `nanogap.dynamics.native.interactions.select_pairs`.
    tolerance : float
        Largest norm of the gradient relative to that of the electronegativities.

    Returns
    -------
    charges : ndarray, shape (n_atoms,)
        Elementary charges; their sum is 0 to rounding.
    iterations : int

    Raises
    ------
    EngineError
        If they do not converge.
    """
    charges = guess - guess.mean()
    iterations = _minimise(
        charges, electronegativity, hardness, starts, neighbours, matrix, tolerance
    )
    if iterations < 0:
        raise EngineError(
            f"charges do not converge to {tolerance:g} in {MOST_ITERATIONS} iterations: raise "
            "dynamics.charge_tolerance, or lower dynamics.time_step"
        )
    return charges, iterations


@njit(cache=True)  # type: ignore[untyped-decorator]
def _multiply(
    vector: FloatArray,
    hardness: float,
    starts: Int64Array,
    neighbours: AtomArray,
    matrix: FloatArray,
    product: FloatArray,
) -> None:
    """Fill in the product of H and a vector."""
    for atom in range(len(vector)):
        product[atom] = hardness * vector[atom]
    for atom in range(len(vector)):
        own, begin, end = vector[atom], starts[atom], starts[atom + 1]
        # two sums, for one would wait for itself
        even = odd = 0.0
        paired = begin + (end - begin) // 2 * 2
        for pair in range(begin, paired, 2):
            one, other = neighbours[pair], neighbours[pair + 1]
            even += matrix[pair] * vector[one]
            odd += matrix[pair + 1] * vector[other]
            product[one] += matrix[pair] * own
            product[other] += matrix[pair + 1] * own
        if paired < end:
            even += matrix[paired] * vector[neighbours[paired]]
            product[neighbours[paired]] += matrix[paired] * own
        product[atom] += even + odd


@njit(cache=True)  # type: ignore[untyped-decorator]
def _minimise(
    charges: FloatArray,
    electronegativity: FloatArray,
    hardness: float,
    starts: Int64Array,
    neighbours: AtomArray,
    matrix: FloatArray,
    tolerance: float,
) -> int:
    """Improve charges of sum 0 up to a tolerance; return the iterations, or -1."""
    n = len(charges)
    product, direction = np.empty(n), np.empty(n)
    _multiply(charges, hardness, starts, neighbours, matrix, product)
    scale = mean = 0.0
    for atom in range(n):
        scale += electronegativity[atom] ** 2
        product[atom] += electronegativity[atom]
        mean += product[atom]
    mean /= n
    square = 0.0
    residual = np.empty(n)
    for atom in range(n):
        residual[atom] = mean - product[atom]
        direction[atom] = residual[atom]
        square += residual[atom] ** 2
    limit = tolerance * tolerance * scale
    iterations = 0
    while square > limit:
        if iterations == MOST_ITERATIONS:
            return -1
        iterations += 1
        _multiply(direction, hardness, starts, neighbours, matrix, product)
        curvature = mean = 0.0
        for atom in range(n):
            curvature += direction[atom] * product[atom]
            mean += product[atom]
        mean /= n
        length = square / curvature
        before, square = square, 0.0
        for atom in range(n):
            charges[atom] += length * direction[atom]
            residual[atom] -= length * (product[atom] - mean)
            square += residual[atom] ** 2
        growth = square / before
        for atom in range(n):
            direction[atom] = residual[atom] + growth * direction[atom]
    # what rounding has made of their sum
    mean = charges.sum() / n
    for atom in range(n):
        charges[atom] -= mean
    return iterations
