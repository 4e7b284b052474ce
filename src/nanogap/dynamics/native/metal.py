"""Atoms of one metal: charges, forces and energy at given positions and potentials."""

from dataclasses import dataclass

import numpy as np

from nanogap.dynamics.native.charges import HISTORY, equilibrate, extrapolated
from nanogap.dynamics.native.interactions import (
    differentiate_atoms,
    differentiate_atoms_in_threads,
    sum_energies,
    sum_forces,
    sum_forces_in_threads,
)
from nanogap.dynamics.native.pairs import SKIN, PairList
from nanogap.dynamics.native.parameters import ELECTRONVOLT, MetalParameters
from nanogap.dynamics.native.preconditioner import bond_preconditioner
from nanogap.dynamics.native.selection import (
    Bonds,
    room_for_bonds,
    room_for_pairs,
    select_pairs,
    select_pairs_in_threads,
)
from nanogap.dynamics.native.shares import SHARES, rows_below, share_out
from nanogap.dynamics.native.tables import CLOSEST, make_tables
from nanogap.dynamics.native.terms import atom_coefficients
from nanogap.errors import EngineError
from nanogap.typing import FloatArray

_BONDS_PER_ATOM = 12


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
    """Atoms of one metal, of which the first ones may be fixed.

    Parameters
    ----------
    parameters : MetalParameters
    n_atoms, n_fixed : int
        Number of atoms, and how many of them, the first ones, never move.
    tolerance : float
        Relative tolerance of charge equilibration.
    skin : float
        Of the list of pairs, angstrom.
    threads : int
        That share the work; results are the same to the bit with any number. With more than one,
        calls belong into `nanogap.dynamics.native.shares.numba_threads`.

    Attributes
    ----------
    potential : ndarray, shape (n_atoms,)
        Electrochemical potential of every atom, V.
    history : ndarray, shape (n_steps, n_atoms)
        Charges of the last positions, and of the steps before, elementary charges.
    forces : ndarray, shape (n_atoms, 3)
        On atoms that move, at the last positions, eV/angstrom.
    iterations : int
        That the last charges took.
    """

    def __init__(
        self,
        parameters: MetalParameters,
        n_atoms: int,
        n_fixed: int,
        tolerance: float,
        *,
        skin: float = SKIN,
        threads: int = 1,
    ) -> None:
        self._parameters = parameters
        self._tables = make_tables(parameters)
        self._coefficients = atom_coefficients(parameters)
        self._tolerance = tolerance
        self._n_fixed = n_fixed
        self._threads = threads
        self._list = PairList(parameters.cutoff, n_fixed, skin, threads)
        self._begun = False
        self._pairs = room_for_pairs(n_atoms, 0)
        self._fixed_bonds = room_for_bonds(n_atoms, 0)
        self._fixed_totals: FloatArray = np.zeros(n_atoms)
        self._bonds = room_for_bonds(n_atoms, _BONDS_PER_ATOM * n_atoms // SHARES)
        self._by_order, self._shared_forces = np.empty(n_atoms), np.empty((SHARES, n_atoms, 3))
        self.potential: FloatArray = np.zeros(n_atoms)
        self.history: FloatArray = np.zeros((1, n_atoms))
        self.forces: FloatArray = np.zeros((n_atoms, 3))
        self.iterations = 0

    @property
    def charges(self) -> FloatArray:
        """Charges of the last positions, shape (n_atoms,), elementary charges."""
        charges: FloatArray = self.history[0]
        return charges

    def compute(self, positions: FloatArray, *, again: bool = False) -> None:
        """Compute the charges, and the forces on the atoms that move.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        again : bool
            Whether the positions are the last ones, of which the charges are known already and
            begin with those; else it is a further time step.

        Raises
        ------
        EngineError
            If two atoms are too close, or the charges do not converge.
        """
        self._find_pairs(positions)
        self._equilibrate(again=again)
        share_out(
            self._threads,
            differentiate_atoms,
            differentiate_atoms_in_threads,
            self._fixed_totals,
            self._bonds.totals,
            self._coefficients,
            self._by_order,
        )
        self.forces = self._sum_forces(positions, self._n_fixed, self._bonds)

    def all_forces(self, positions: FloatArray) -> FloatArray:
        """Compute the forces on fixed atoms too, at the positions of the last `compute`.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            eV/angstrom.
        """
        forces = self._sum_forces(positions, 0, self._bonds)
        # no further pairs, only bonds
        return forces + self._sum_forces(positions, len(positions), self._fixed_bonds)

    def energy(self, positions: FloatArray) -> float:
        """Compute the potential energy at some positions with the last charges, eV."""
        return self.energies(positions).total

    def energies(self, positions: FloatArray) -> Energies:
        """Compute the energies at some positions with the last charges.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        """
        self._find_pairs(positions)
        charges, sums = self.charges, np.empty(4)
        bonds = (self._fixed_bonds, self._bonds)
        sum_energies(charges, self._tables, self._pairs, bonds, self._coefficients, sums)
        own = self._parameters.chi * charges + 0.5 * self._parameters.eta * charges**2
        return Energies(
            bonds=float(sums[0]),
            atoms=float(sums[1]),
            dispersion=float(sums[2]),
            coulomb=float(sums[3]),
            charges=ELECTRONVOLT * float(own.sum()),
        )

    def _find_pairs(self, positions: FloatArray) -> None:
        """Select the pairs, and find the bonds."""
        if not self._begun:
            self._begin(positions[: self._n_fixed])
            self._begun = True
        if self._list.update(positions):
            self._reserve(self._list)
        self._bonds = self._select(positions, self._n_fixed, self._list, self._bonds)

    def _begin(self, fixed: FloatArray) -> None:
        """Select the pairs of fixed atoms, once."""
        if not len(fixed):
            return
        pairs = PairList(self._parameters.cutoff)
        pairs.update(fixed)
        self._reserve(pairs)
        room = room_for_bonds(len(self.forces), _BONDS_PER_ATOM * len(fixed) // SHARES)
        self._fixed_bonds = self._select(fixed, 0, pairs, room)
        self._fixed_totals = self._fixed_bonds.totals.sum(axis=0)

    def _reserve(self, pairs: PairList) -> None:
        """Make room for the pairs of a list behind those of fixed atoms."""
        before, listed = self._pairs, pairs.candidates.starts[:, -1]
        rows = [rows_below(share, self._n_fixed) for share in range(SHARES)]
        fixed = before.starts[np.arange(SHARES), rows]
        room = int((fixed + listed).max())
        # one more, for a loop writes before it knows
        if room < before.matrix.shape[1]:
            return
        self._pairs = room_for_pairs(len(self.forces), room + int(listed.max()) // 10 + 1)
        kept = int(fixed.max())
        self._pairs.starts[:] = before.starts
        self._pairs.neighbours[:, :kept] = before.neighbours[:, :kept]
        self._pairs.squares[:, :kept] = before.squares[:, :kept]
        self._pairs.matrix[:, :kept] = before.matrix[:, :kept]

    def _select(self, positions: FloatArray, first: int, pairs: PairList, bonds: Bonds) -> Bonds:
        while True:
            share_out(
                self._threads,
                select_pairs,
                select_pairs_in_threads,
                positions,
                first,
                pairs.candidates,
                self._tables,
                self._pairs,
                bonds,
            )
            if bonds.counts.min() < 0:
                raise EngineError(
                    f"two atoms are closer than {CLOSEST:g} Å: lower dynamics.temperature or "
                    "dynamics.time_step"
                )
            longest = int(bonds.counts.max())
            if longest < bonds.atoms.shape[1]:
                return bonds
            bonds = room_for_bonds(len(self.forces), int(1.1 * longest))

    def _equilibrate(self, *, again: bool) -> None:
        history = self.history
        charges, self.iterations = equilibrate(
            history[0] if again else extrapolated(history),
            self._parameters.chi - self.potential,
            self._parameters.eta,
            self._pairs,
            bond_preconditioner(self._fixed_bonds, self._bonds, self._fixed_totals),
            self._tolerance,
            self._threads,
        )
        self.history = np.vstack([charges, history[1:] if again else history[: HISTORY - 1]])

    def _sum_forces(self, positions: FloatArray, first: int, bonds: Bonds) -> FloatArray:
        """Sum the forces of the pairs in the rows from one on, and of some bonds."""
        share_out(
            self._threads,
            sum_forces,
            sum_forces_in_threads,
            positions,
            self.charges,
            self._by_order,
            first,
            self._tables,
            self._pairs,
            bonds,
            self._shared_forces,
        )
        forces: FloatArray = self._shared_forces.sum(axis=0)
        return forces
