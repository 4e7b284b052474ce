"""Atoms of one metal: charges, forces and energy at given positions and potentials."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanogap.dynamics.native.charges import ChargeHistory, equilibrate
from nanogap.dynamics.native.interactions import (
    add_bond_forces,
    add_forces,
    select_pairs,
    sum_energies,
)
from nanogap.dynamics.native.pairs import SKIN, PairList
from nanogap.dynamics.native.parameters import ELECTRONVOLT, MetalParameters
from nanogap.dynamics.native.tables import CLOSEST, make_tables
from nanogap.dynamics.native.terms import atom_coefficients
from nanogap.errors import EngineError
from nanogap.typing import FloatArray


@dataclass(frozen=True)
class Energies:
    """Energies of a frame, eV.

    Attributes
    ----------
    bonds, atoms : float
        Of bonds, and of total bond orders: over- and under-coordination, lone pairs.
    dispersion, coulomb : float
        Van der Waals, and between charges.
    charges : float
        Of the charges themselves: electronegativity and hardness, without the potential.
    """

    bonds: float
    atoms: float
    dispersion: float
    coulomb: float
    charges: float

    @property
    def total(self) -> float:
        """Potential energy, eV."""
        return self.bonds + self.atoms + self.dispersion + self.coulomb + self.charges


class Metal:
    """Atoms of one metal, of which the first ones may move.

    Parameters
    ----------
    parameters : MetalParameters
    n_atoms, n_moving : int
        Number of atoms, and how many of them, from the first on, move.
    tolerance : float
        Relative tolerance of charge equilibration.
    skin : float
        Of the list of pairs, angstrom.
    """

    def __init__(
        self,
        parameters: MetalParameters,
        n_atoms: int,
        n_moving: int,
        tolerance: float,
        skin: float = SKIN,
    ) -> None:
        self._parameters = parameters
        self._tables = make_tables(parameters)
        self._numbers = self._tables.numbers
        self._coefficients = atom_coefficients(parameters)
        self._tolerance = tolerance
        self._n_moving = n_moving
        self._list = PairList(parameters.cutoff, skin)
        self._totals, self._fixed_totals = np.zeros(n_atoms), np.zeros(n_atoms)
        self._lengths = np.zeros(n_atoms, dtype=np.int64)
        self._slopes = np.empty(n_atoms)
        self._bond_count = 0
        self._reserve(0)
        self.potential: FloatArray = np.zeros(n_atoms)
        self.history = ChargeHistory(np.zeros((1, n_atoms)))
        self.forces: FloatArray = np.zeros((n_atoms, 3))
        self.iterations = 0

    @property
    def charges(self) -> FloatArray:
        """Charges of the last positions, shape (n_atoms,), elementary charges."""
        charges: FloatArray = self.history.charges[0]
        return charges

    def compute(self, positions: FloatArray) -> None:
        """Compute the charges, and the forces on the atoms that move.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.

        Raises
        ------
        EngineError
            If two atoms are too close, or the charges do not converge.
        """
        pairs, moving = self._list, self._n_moving
        if pairs.update(positions):
            self._reserve(len(pairs.candidates))
            self._fixed_totals[:] = 0.0
            # pairs of fixed atoms: once for a list
            self._select(positions, moving, len(positions), self._fixed_totals)
        self._totals[:] = self._fixed_totals
        self._bond_count = self._select(positions, 0, moving, self._totals)
        self._equilibrate()
        self.forces = np.zeros_like(positions)
        self._add_forces(positions, moving, self.forces)

    def all_forces(self, positions: FloatArray) -> FloatArray:
        """Compute forces on fixed atoms too, at the positions of the last `compute`.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            eV/angstrom.
        """
        n = len(positions)
        totals, forces = np.zeros(n), np.zeros((n, 3))
        self._bond_count = self._select(positions, 0, n, totals)
        self._add_forces(positions, n, forces)
        return forces

    def energies(self, positions: FloatArray) -> Energies:
        """Compute the energies of the last charges at positions near those of the last `compute`.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom, within the skin of those.
        """
        tables, charges = self._tables, self.charges
        sums = np.empty(4)
        sum_energies(
            positions,
            charges,
            self._list.starts,
            self._list.candidates,
            self._numbers,
            tables.matrix,
            tables.dispersion,
            tables.bonds,
            self._coefficients,
            sums,
        )
        own = self._parameters.chi * charges + 0.5 * self._parameters.eta * charges**2
        return Energies(
            bonds=float(sums[0]),
            atoms=float(sums[1]),
            dispersion=float(sums[2]),
            coulomb=float(sums[3]),
            charges=ELECTRONVOLT * float(own.sum()),
        )

    def _reserve(self, room: int) -> None:
        """Make room for some number of pairs."""
        self._neighbours: NDArray[np.int32] = np.empty(room, dtype=np.int32)
        self._matrix = np.empty(room)
        self._bonds: NDArray[np.int32] = np.empty((room, 2), dtype=np.int32)
        self._bond_slopes = np.empty((room, 2))

    def _select(self, positions: FloatArray, first: int, last: int, totals: FloatArray) -> int:
        count = select_pairs(
            positions,
            first,
            last,
            self._list.starts,
            self._list.candidates,
            self._numbers,
            self._tables.matrix,
            self._tables.bonds,
            self._lengths,
            self._neighbours,
            self._matrix,
            self._bonds,
            self._bond_slopes,
            totals,
            0,
        )
        if count < 0:
            raise EngineError(
                f"two atoms are closer than {CLOSEST:g} Å: lower dynamics.temperature or "
                "dynamics.time_step"
            )
        return int(count)

    def _equilibrate(self) -> None:
        charges, self.iterations = equilibrate(
            self.history.guess(),
            self._parameters.chi - self.potential,
            self._parameters.eta,
            self._list.starts,
            self._lengths,
            self._neighbours,
            self._matrix,
            self._tolerance,
        )
        self.history.add(charges)

    def _add_forces(self, positions: FloatArray, rows: int, forces: FloatArray) -> None:
        add_forces(
            positions,
            self.charges,
            rows,
            self._list.starts,
            self._lengths,
            self._neighbours,
            self._numbers,
            self._tables.slopes,
            forces,
        )
        add_bond_forces(
            positions,
            self._bonds,
            self._bond_slopes,
            self._bond_count,
            self._totals,
            self._coefficients,
            self._slopes,
            forces,
        )
