"""Charge equilibration: the charges of lowest energy at a total charge of 0.

Rappe & Goddard, J. Phys. Chem. 95, 3358 (1991), doi:10.1021/j100161a070, with ReaxFF's shielded
interaction. With electronegativities chi_i - phi_i, phi the electrochemical potential,

    E(q) = sum_i (chi_i - phi_i) q_i + 1/2 sum_ij H_ij q_i q_j,   sum_i q_i = 0.

LAMMPS solves two systems for it, H s = -chi and H t = -1, and takes q = s - t sum(s) / sum(t).
Here the method of conjugate gradients runs within the charges of sum 0, where E is positive
definite: one system, whose gradient is H q + chi - phi without its mean, with a preconditioner
(`nanogap.dynamics.native.preconditioner`). The diagonal of H is the same for all atoms of one
metal, so dividing by it would change nothing.
"""

import numpy as np
from numba import njit, prange

from nanogap.dynamics.native.pairs import AtomArray
from nanogap.dynamics.native.preconditioner import (
    Preconditioner,
    multiply_bonds,
    multiply_bonds_in_threads,
)
from nanogap.dynamics.native.selection import Pairs
from nanogap.dynamics.native.shares import SHARES, share_out
from nanogap.errors import EngineError
from nanogap.typing import FloatArray, Int64Array

#: Charges of so many steps are kept; polynomials go through all of them but one at the most.
HISTORY = 6
#: Iterations after which the charges are taken not to converge, as in LAMMPS.
MOST_ITERATIONS = 1000


def extrapolated(history: FloatArray) -> FloatArray:
    """Extrapolate to the next step by the polynomial that would have foreseen the last one best.

    The polynomial through the last k charges sums up their backward differences below the k-th,
    which is its error; potentials that jump from step to step make those of high order large.

    Parameters
    ----------
    history : ndarray, shape (n_steps, n_atoms)
        The last first.

    Returns
    -------
    ndarray, shape (n_atoms,)

    Examples
    --------
    >>> import numpy as np
    >>> from nanogap.dynamics.native.charges import extrapolated
    >>> extrapolated(np.array([[9.0], [4.0], [1.0], [0.0]]))  # squares
    array([16.])
    """
    guess: FloatArray = _extrapolate(history)
    return guess


@njit(cache=True)  # type: ignore[untyped-decorator]
def _extrapolate(history: FloatArray) -> FloatArray:
    differences = history.copy()
    foreseen = history[0].copy()
    best: FloatArray = history[0].copy()
    smallest = np.inf
    for order in range(1, len(history)):
        for row in range(len(history) - order):
            for atom in range(history.shape[1]):
                differences[row, atom] -= differences[row + 1, atom]
        error = _dot(differences[0], differences[0])
        if error < smallest:
            best[:] = foreseen
            smallest = error
        foreseen += differences[0]
    return best


def equilibrate(
    guess: FloatArray,
    electronegativity: FloatArray,
    hardness: float,
    pairs: Pairs,
    preconditioner: Preconditioner,
    tolerance: float,
    threads: int = 1,
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
    pairs : Pairs
    preconditioner : Preconditioner
    tolerance : float
        Largest norm of the gradient relative to that of the electronegativities.
    threads : int

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
    products = np.empty((SHARES, len(charges)))
    residual, direction = np.empty_like(charges), np.zeros_like(charges)
    limit = tolerance**2 * _dot(electronegativity, electronegativity)
    share_out(threads, multiply, _multiply_in_threads, charges, pairs, products)
    square = _begin(charges, electronegativity, hardness, products, residual)
    slope, iterations = np.inf, 0
    # written so that a square that is no number goes on
    while not square <= limit:
        if iterations == MOST_ITERATIONS:
            raise EngineError(
                f"charges do not converge to {tolerance:g} in {MOST_ITERATIONS} iterations: raise "
                "dynamics.charge_tolerance, or lower dynamics.time_step"
            )
        share_out(
            threads,
            multiply_bonds,
            multiply_bonds_in_threads,
            residual,
            preconditioner.fixed,
            preconditioner.moving,
            products,
        )
        slope = _turn(residual, preconditioner.factor, products, direction, slope)
        share_out(threads, multiply, _multiply_in_threads, direction, pairs, products)
        square = _improve(charges, hardness, products, residual, direction, slope)
        iterations += 1
    return charges - charges.mean(), iterations


@njit(cache=True)  # type: ignore[untyped-decorator]
def multiply(begin: int, end: int, vector: FloatArray, pairs: Pairs, products: FloatArray) -> None:
    """Multiply a vector by the shares of H without its diagonal.

    Parameters
    ----------
    begin, end : int
        Shares.
    vector : ndarray, shape (n_atoms,)
    pairs : Pairs
    products : ndarray, shape (SHARES, n_atoms)
        Filled in; their sum over the shares is the product.
    """
    for share in range(begin, end):
        products[share] = 0.0
        _multiply_rows(
            share,
            vector,
            pairs.starts[share],
            pairs.neighbours[share],
            pairs.matrix[share],
            products[share],
        )


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _multiply_in_threads(vector: FloatArray, pairs: Pairs, products: FloatArray) -> None:
    for number in prange(SHARES):
        share = np.int64(number)
        multiply(share, share + 1, vector, pairs, products)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _multiply_rows(
    share: int,
    vector: FloatArray,
    starts: Int64Array,
    neighbours: AtomArray,
    matrix: FloatArray,
    product: FloatArray,
) -> None:
    """Add the product of the rows of one share."""
    for row in range(len(starts) - 1):
        begin, end = starts[row], starts[row + 1]
        if begin == end:
            continue
        atom = share + SHARES * row
        own = vector[atom]
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
def _begin(
    charges: FloatArray,
    electronegativity: FloatArray,
    hardness: float,
    products: FloatArray,
    residual: FloatArray,
) -> float:
    """Fill in the first residual; return its square."""
    _sum_products(charges, hardness, products)
    mean = 0.0
    for atom in range(len(charges)):
        products[0, atom] += electronegativity[atom]
        mean += products[0, atom]
    mean /= len(charges)
    for atom in range(len(charges)):
        residual[atom] = mean - products[0, atom]
    square: float = _dot(residual, residual)
    return square


@njit(cache=True)  # type: ignore[untyped-decorator]
def _turn(
    residual: FloatArray,
    factor: float,
    products: FloatArray,
    direction: FloatArray,
    slope: float,
) -> float:
    """Turn to the direction conjugate to the last one; return the slope along it, downwards."""
    n = len(residual)
    smoothed = products[0]
    mean = 0.0
    for atom in range(n):
        product = 0.0
        for share in range(SHARES):
            product += products[share, atom]
        smoothed[atom] = residual[atom] - factor * product
        mean += smoothed[atom]
    mean /= n
    steep: float = _dot(residual, smoothed)
    growth = steep / slope
    for atom in range(n):
        direction[atom] = smoothed[atom] - mean + growth * direction[atom]
    return steep


@njit(cache=True)  # type: ignore[untyped-decorator]
def _improve(
    charges: FloatArray,
    hardness: float,
    products: FloatArray,
    residual: FloatArray,
    direction: FloatArray,
    slope: float,
) -> float:
    """Go along the direction to the minimum; return the square of the residual that is left."""
    n = len(charges)
    mean = _sum_products(direction, hardness, products) / n
    product = products[0]
    length = slope / _dot(direction, product)
    for atom in range(n):
        charges[atom] += length * direction[atom]
        residual[atom] -= length * (product[atom] - mean)
    left: float = _dot(residual, residual)
    return left


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sum_products(vector: FloatArray, hardness: float, products: FloatArray) -> float:
    """Add the shares of a product, and the diagonal, to the first share; return their sum."""
    total = 0.0
    for atom in range(len(vector)):
        product = hardness * vector[atom]
        for share in range(SHARES):
            product += products[share, atom]
        products[0, atom] = product
        total += product
    return total


@njit(cache=True)  # type: ignore[untyped-decorator]
def _dot(one: FloatArray, other: FloatArray) -> float:
    """Scalar product by four sums, for one would wait for itself."""
    a = b = c = d = 0.0
    whole = len(one) // 4 * 4
    for k in range(0, whole, 4):
        a += one[k] * other[k]
        b += one[k + 1] * other[k + 1]
        c += one[k + 2] * other[k + 2]
        d += one[k + 3] * other[k + 3]
    for k in range(whole, len(one)):
        a += one[k] * other[k]
    return (a + b) + (c + d)
