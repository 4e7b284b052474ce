"""Charges of a metal that hold its atoms at given potentials, in an open box.

Siepmann & Sprik, J. Chem. Phys. 102, 511 (1995), doi:10.1063/1.469429, with Gaussian charges, as
Reed, Lanning & Madden, J. Chem. Phys. 126, 084704 (2007), doi:10.1063/1.2464084, write it:

    E(q) = 1/2 sum_ij A_ij q_i q_j,   A_ij = C erf(r_ij / (2 w)) / r_ij,   A_ii = C / (sqrt(pi) w),

C = e^2/(4 pi epsilon_0) and w the width (standard deviation) of a charge. The charges minimise
E(q) - sum_i phi_i q_i at given sums over groups of atoms: all that is wired to the source is one
group, a piece that floats is another. Every pair counts, without cut-off and without images.

The method of conjugate gradients runs within the charges of these sums, where E is positive
definite. Loops are over shares of the rows (`nanogap.dynamics.native.shares`).
"""

import math

import numpy as np
from numba import njit, prange

from nanogap.dynamics.native.charges import HISTORY, MOST_ITERATIONS, extrapolated
from nanogap.dynamics.native.shares import SHARES, rows_below, share_out
from nanogap.errors import EngineError
from nanogap.typing import FloatArray, Int64Array
from nanogap.units import COULOMB

#: Twice the width times this is where the error function of a pair is 1 to rounding.
_FAR = 6.0
#: Sums may be taken in any order, one for all: that of the compiled loop. Together with a division
#: that raises nothing (``error_model``) it lets the loops take several pairs at once.
_FREE_ORDER = {"reassoc", "contract", "nsz"}


class Conductor:
    """Charges of the atoms of a metal, of which the first ones may be fixed.

    Parameters
    ----------
    n_atoms, n_fixed : int
        Number of atoms, and how many of them, the first ones, never move.
    width : float
        Standard deviation of the Gaussian charges, angstrom.
    tolerance : float
        Largest norm of the gradient relative to that of the potentials.
    threads : int
        That share the work; results are the same to the bit with any number.

    Attributes
    ----------
    potential : ndarray, shape (n_atoms,)
        Potential of every atom, V; of a piece that floats, up to a constant.
    groups : ndarray of int, shape (n_atoms,)
        Group of every atom: 0 is wired to the source, others float.
    history : ndarray, shape (n_steps, n_atoms)
        Charges of the last positions, and of the steps before, elementary charges.
    levels : ndarray, shape (n_atoms,)
        What the potential of every atom is above `potential`: 0 of what is wired.
    iterations : int
        That the last charges took.
    """

    def __init__(
        self, n_atoms: int, n_fixed: int, width: float, tolerance: float, threads: int = 1
    ) -> None:
        self._n_fixed, self._width = n_fixed, width
        self._tolerance, self._threads = tolerance, threads
        self._matrix: FloatArray = np.zeros((n_atoms, n_atoms))
        self._diagonal = COULOMB / (math.sqrt(math.pi) * width)
        self._products = np.empty((SHARES, n_atoms))
        self._forces = np.empty((SHARES, 3, n_atoms))
        self._begun = False
        self.potential: FloatArray = np.zeros(n_atoms)
        self.groups: Int64Array = np.zeros(n_atoms, dtype=np.int64)
        self.history: FloatArray = np.zeros((1, n_atoms))
        self.levels: FloatArray = np.zeros(n_atoms)
        self.iterations = 0

    @property
    def charges(self) -> FloatArray:
        """Charges of the last positions, shape (n_atoms,), elementary charges."""
        charges: FloatArray = self.history[0]
        return charges

    @property
    def neutral(self) -> bool:
        """Whether there are no charges, and no potentials that would make some."""
        return not (self.potential.any() or self.history.any())

    def compute(self, positions: FloatArray, *, again: bool = False) -> None:
        """Compute the charges.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        again : bool
            Whether the positions are the last ones; else it is a further time step.

        Raises
        ------
        EngineError
            If the charges do not converge.
        """
        history = self.history
        if not self.neutral:
            self._fill(positions, 0 if not self._begun else self._n_fixed)
            self._begun = True
            charges = self._equilibrate(history[0] if again else extrapolated(history))
        else:
            charges = history[0]
        self.history = np.vstack([charges, history[1:] if again else history[: HISTORY - 1]])

    def forces(self, positions: FloatArray, first: int) -> FloatArray:
        """Compute the forces of the pairs in the rows from an atom on, at the last positions.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        first : int
            A pair is in the row of its later atom.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            eV/angstrom.
        """
        if self.neutral:
            return np.zeros_like(positions)
        share_out(
            self._threads,
            sum_coulomb_forces,
            _sum_forces_in_threads,
            np.ascontiguousarray(positions.T),
            self.charges,
            first,
            self._width,
            self._matrix,
            self._forces,
        )
        return np.ascontiguousarray(self._forces.sum(axis=0).T)

    def energy(self) -> float:
        """Compute the energy of the charges at the last positions, eV."""
        if self.neutral:
            return 0.0
        return 0.5 * float((self.charges * self._times(self.charges)).sum())

    def _fill(self, positions: FloatArray, first: int) -> None:
        share_out(
            self._threads,
            fill_rows,
            _fill_in_threads,
            np.ascontiguousarray(positions.T),
            first,
            self._width,
            self._matrix,
        )

    def _times(self, vector: FloatArray) -> FloatArray:
        """Multiply a vector by A."""
        share_out(
            self._threads, multiply_rows, _multiply_in_threads, vector, self._matrix, self._products
        )
        product: FloatArray = self._products.sum(axis=0) + self._diagonal * vector
        return product

    def _equilibrate(self, guess: FloatArray) -> FloatArray:
        groups, sizes = self.groups, np.bincount(self.groups)
        sums = np.bincount(groups, self.charges)

        def means(values: FloatArray) -> FloatArray:
            found: FloatArray = np.bincount(groups, values) / np.maximum(sizes, 1)
            return found

        charges = guess - (means(guess) - sums / np.maximum(sizes, 1))[groups]
        gradient = self.potential - self._times(charges)
        residual = gradient - means(gradient)[groups]
        # where no voltage is left, what would be one of a millivolt
        scale = max(float((self.potential**2).sum()), 1e-6 * len(charges))
        limit, square = self._tolerance**2 * scale, float((residual**2).sum())
        direction, iterations = residual, 0
        # written so that a square that is no number goes on
        while not square <= limit:
            if iterations == MOST_ITERATIONS:
                raise EngineError(
                    f"charges do not converge to {self._tolerance:g} in {MOST_ITERATIONS} "
                    "iterations: raise dynamics.charge_tolerance, or lower dynamics.time_step"
                )
            iterations += 1
            product = self._times(direction)
            length = square / float((direction * product).sum())
            charges = charges + length * direction
            gradient = gradient - length * product
            residual = gradient - means(gradient)[groups]
            before, square = square, float((residual**2).sum())
            direction = residual + square / before * direction
        self.iterations = iterations
        # dE/dq_i = potential_i - level: what is wired is at its potential up to one constant
        level = means(gradient)
        self.levels = (level[0] - level)[groups]
        return charges - (means(charges) - sums / np.maximum(sizes, 1))[groups]


@njit(cache=True, fastmath=_FREE_ORDER, error_model="numpy")  # type: ignore[untyped-decorator]
def fill_rows(
    begin: int, end: int, places: FloatArray, first: int, width: float, matrix: FloatArray
) -> None:
    """Fill in the rows of A from an atom on, left of the diagonal.

    Parameters
    ----------
    begin, end : int
        Shares.
    places : ndarray, shape (3, n_atoms)
        Positions, angstrom.
    first : int
    width : float
        Angstrom.
    matrix : ndarray, shape (n_atoms, n_atoms)
        eV per elementary charge squared.
    """
    n = places.shape[1]
    xs, ys, zs = places[0], places[1], places[2]
    near = COULOMB / (2.0 * width * _FAR)
    for share in range(begin, end):
        for atom in range(share + SHARES * rows_below(share, first), n, SHARES):
            row = matrix[atom]
            px, py, pz = xs[atom], ys[atom], zs[atom]
            for other in range(atom):
                dx, dy, dz = px - xs[other], py - ys[other], pz - zs[other]
                row[other] = COULOMB / np.sqrt(dx * dx + dy * dy + dz * dz)
            for other in range(atom):
                if row[other] > near:
                    row[other] *= math.erf(COULOMB / row[other] / (2.0 * width))


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _fill_in_threads(places: FloatArray, first: int, width: float, matrix: FloatArray) -> None:
    for number in prange(SHARES):
        share = np.int64(number)
        fill_rows(share, share + 1, places, first, width, matrix)


@njit(cache=True, fastmath=_FREE_ORDER, error_model="numpy")  # type: ignore[untyped-decorator]
def multiply_rows(
    begin: int, end: int, vector: FloatArray, matrix: FloatArray, products: FloatArray
) -> None:
    """Multiply a vector by the shares of A without its diagonal.

    Parameters
    ----------
    begin, end : int
        Shares.
    vector : ndarray, shape (n_atoms,)
    matrix : ndarray, shape (n_atoms, n_atoms)
        See `fill_rows`.
    products : ndarray, shape (SHARES, n_atoms)
        Filled in; their sum over the shares is the product.
    """
    for share in range(begin, end):
        product = products[share]
        product[:] = 0.0
        for atom in range(share, len(vector), SHARES):
            row, own, total = matrix[atom], vector[atom], 0.0
            for other in range(atom):
                total += row[other] * vector[other]
                product[other] += row[other] * own
            product[atom] += total


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _multiply_in_threads(vector: FloatArray, matrix: FloatArray, products: FloatArray) -> None:
    for number in prange(SHARES):
        share = np.int64(number)
        multiply_rows(share, share + 1, vector, matrix, products)


@njit(cache=True, fastmath=_FREE_ORDER, error_model="numpy")  # type: ignore[untyped-decorator]
def sum_coulomb_forces(
    begin: int,
    end: int,
    places: FloatArray,
    charges: FloatArray,
    first: int,
    width: float,
    matrix: FloatArray,
    forces: FloatArray,
) -> None:
    """Sum the forces between charges of the pairs in the rows from an atom on.

    Beyond the overlap of two charges A = C/r, so -2 dA/d(r^2) = A^3/C^2.

    Parameters
    ----------
    begin, end : int
        Shares.
    places : ndarray, shape (3, n_atoms)
        Positions, angstrom.
    charges : ndarray, shape (n_atoms,)
        Elementary charges.
    first : int
    width : float
        Angstrom.
    matrix : ndarray, shape (n_atoms, n_atoms)
        See `fill_rows`.
    forces : ndarray, shape (SHARES, 3, n_atoms)
        Filled in, eV/angstrom; their sum over the shares is the force.
    """
    n = places.shape[1]
    xs, ys, zs = places[0], places[1], places[2]
    near, inverse = COULOMB / (2.0 * width * _FAR), 1.0 / COULOMB**2
    factors = np.empty(n)
    for share in range(begin, end):
        forces[share] = 0.0
        fx, fy, fz = forces[share, 0], forces[share, 1], forces[share, 2]
        for atom in range(share + SHARES * rows_below(share, first), n, SHARES):
            row, own = matrix[atom], charges[atom]
            px, py, pz = xs[atom], ys[atom], zs[atom]
            for other in range(atom):
                factors[other] = own * charges[other] * inverse * row[other] ** 3
            for other in range(atom):
                # A of a pair that overlaps is below C/r, but above that of the far ones
                if row[other] > near:
                    dx, dy, dz = px - xs[other], py - ys[other], pz - zs[other]
                    square = dx * dx + dy * dy + dz * dz
                    slope = math.exp(-square / (4.0 * width**2)) / (math.sqrt(math.pi) * width)
                    factors[other] = own * charges[other] * (row[other] - COULOMB * slope) / square
            x = y = z = 0.0
            for other in range(atom):
                dx = factors[other] * (px - xs[other])
                dy = factors[other] * (py - ys[other])
                dz = factors[other] * (pz - zs[other])
                x += dx
                y += dy
                z += dz
                fx[other] -= dx
                fy[other] -= dy
                fz[other] -= dz
            fx[atom] += x
            fy[atom] += y
            fz[atom] += z


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _sum_forces_in_threads(
    places: FloatArray,
    charges: FloatArray,
    first: int,
    width: float,
    matrix: FloatArray,
    forces: FloatArray,
) -> None:
    for number in prange(SHARES):
        share = np.int64(number)
        sum_coulomb_forces(share, share + 1, places, charges, first, width, matrix, forces)
