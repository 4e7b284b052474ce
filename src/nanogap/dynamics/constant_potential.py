"""Embedded atoms that are a metal under voltage: each is held at an electrochemical potential.

The energy is that of the embedded-atom method plus that of the charges of a conductor
(`nanogap.dynamics.native.conductor`); without a potential it is the embedded-atom method alone.
"""

import numpy as np

from nanogap.dynamics.embedded_functions import Functions, evaluate
from nanogap.dynamics.native.conductor import Conductor
from nanogap.dynamics.neighbours import NeighbourList
from nanogap.typing import FloatArray, Int64Array

#: Width of a charge in bonds of the crystal at which the plane of the charge of a (111) surface is
#: that of its outermost atoms; `tests/dynamics/test_conductor.py` derives it.
WIDTH_PER_BOND = 0.133903


def charge_width(functions: Functions) -> float:
    """Width (standard deviation) of the Gaussian charges of a metal, angstrom."""
    return WIDTH_PER_BOND * functions.lattice_constant / float(np.sqrt(2.0))


class ChargedEmbeddedAtoms:
    """Atoms of one metal by embedded-atom functions and charges at constant potential.

    Parameters
    ----------
    functions : Functions
    n_atoms, n_fixed : int
        Number of atoms, and how many of them, the first ones, never move.
    tolerance : float
        Relative tolerance of the charges.
    threads : int
        That share the work of the charges; results are the same to the bit with any number.

    Attributes
    ----------
    conductor : Conductor
        Their charges.
    forces : ndarray, shape (n_atoms, 3)
        On atoms that move, at the last positions, eV/angstrom.
    """

    def __init__(
        self,
        functions: Functions,
        n_atoms: int,
        n_fixed: int,
        tolerance: float,
        *,
        threads: int = 1,
    ) -> None:
        self.conductor = Conductor(
            n_atoms, n_fixed, charge_width(functions), tolerance, threads=threads
        )
        self._functions = functions
        self._n_fixed = n_fixed
        self._fixed_first = np.arange(n_atoms) < n_fixed
        self._list = NeighbourList(functions.cutoff, held=self._fixed_first)
        self._listed: Int64Array | None = None
        self._pairs: Int64Array = np.empty((0, 2), dtype=np.int64)
        self._work = np.empty((0, 6))
        self._background: FloatArray | None = None
        self.forces: FloatArray = np.zeros((n_atoms, 3))

    @property
    def potential(self) -> FloatArray:
        """Potential of every atom, shape (n_atoms,), V; a piece that floats has a shift of it."""
        return self.conductor.potential

    @potential.setter
    def potential(self, potential: FloatArray) -> None:
        self.conductor.potential = potential
        self.conductor.levels = np.zeros_like(potential)

    @property
    def history(self) -> FloatArray:
        """Charges of the last steps, shape (n_steps, n_atoms), elementary charges."""
        return self.conductor.history

    @history.setter
    def history(self, history: FloatArray) -> None:
        self.conductor.history = history

    @property
    def charges(self) -> FloatArray:
        """Charges of the last positions, shape (n_atoms,), elementary charges."""
        return self.conductor.charges

    def compute(self, positions: FloatArray, *, again: bool = False) -> None:
        """Compute the charges, and the forces on the atoms that move.

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
        self.conductor.compute(positions, again=again)
        self.forces = self.conductor.forces(positions, self._n_fixed)
        self.forces[self._n_fixed :] += self._embedded_forces(positions)

    def all_forces(self, positions: FloatArray) -> FloatArray:
        """Compute the forces on fixed atoms too, at the positions of the last `compute`.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            eV/angstrom.
        """
        _, embedded = self._embed(positions)
        return self.conductor.forces(positions, 0) + embedded

    def energy(self, positions: FloatArray) -> float:
        """Compute the potential energy at the positions of the last `compute`, eV."""
        embedded, _ = self._embed(positions)
        return embedded + self.conductor.energy()

    @property
    def _parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        functions = self._functions
        return functions.density, functions.pair, functions.embedding

    @property
    def _steps(self) -> tuple[float, float, float]:
        functions = self._functions
        return functions.step, functions.density_step, functions.cutoff

    def _embedded_forces(self, positions: FloatArray) -> FloatArray:
        """Compute the forces of embedded atoms on those that move, eV/angstrom."""
        n_fixed, n_free = self._n_fixed, len(positions) - self._n_fixed
        if self._background is None:
            self._background = self._density_among(positions[:n_fixed])
        listed = self._list.candidates(positions)
        if listed is not self._listed:
            # the function wants an atom that moves first, and fixed ones behind those
            numbers = np.where(self._fixed_first, n_free, -n_fixed) + np.arange(len(positions))
            moves_last = self._fixed_first[listed[:, 0]]
            ordered = np.where(moves_last[:, None], listed[:, ::-1], listed)
            self._pairs, self._listed = np.ascontiguousarray(numbers[ordered]), listed
            self._work = np.empty((len(listed), 6))
        forces = np.empty((n_free, 3))
        evaluate(
            positions[n_fixed:],
            positions[:n_fixed],
            self._background,
            self._pairs,
            self._parts,
            self._steps,
            forces,
            self._work,
        )
        return forces

    def _embed(self, positions: FloatArray) -> tuple[float, FloatArray]:
        """Compute the energy of all embedded atoms, eV, and the forces on all of them."""
        pairs = NeighbourList(self._functions.cutoff).candidates(positions)
        forces = np.empty_like(positions)
        energy = evaluate(
            positions,
            np.empty((0, 3)),
            np.empty(0),
            pairs,
            self._parts,
            self._steps,
            forces,
            np.empty((len(pairs), 6)),
        )
        return float(energy), forces

    def _density_among(self, positions: FloatArray) -> FloatArray:
        """Sum the density at some atoms by the others of them."""
        functions, density = self._functions, np.zeros(len(positions))
        if not len(positions):
            return density
        pairs, distances = NeighbourList(functions.cutoff).pairs(positions)
        pieces = np.minimum((distances / functions.step).astype(int), len(functions.density) - 2)
        part = np.minimum(distances / functions.step - pieces, 1.0)
        c = functions.density[pieces].T
        values = ((c[3] * part + c[2]) * part + c[1]) * part + c[0]
        for side in (0, 1):
            density += np.bincount(pairs[:, side], values, minlength=len(positions))
        return density
