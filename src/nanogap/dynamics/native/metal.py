"""Atoms of one metal: charges, forces and energy at given positions and potentials."""

from dataclasses import dataclass

import numpy as np

from nanogap.dynamics.native.charges import HISTORY, equilibrate, extrapolated
from nanogap.dynamics.native.interactions import (
    add_bond_forces,
    add_bond_orders,
    add_forces,
    select_pairs,
    sum_energies,
)
from nanogap.dynamics.native.pairs import SKIN, AtomArray, PairList
from nanogap.dynamics.native.parameters import ELECTRONVOLT, MetalParameters
from nanogap.dynamics.native.tables import CLOSEST, make_tables
from nanogap.dynamics.native.terms import atom_coefficients
from nanogap.errors import EngineError
from nanogap.typing import FloatArray, Int64Array

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
        skin: float = SKIN,
    ) -> None:
        self._parameters = parameters
        self._tables = make_tables(parameters)
        self._numbers = self._tables.numbers
        self._coefficients = atom_coefficients(parameters)
        self._tolerance = tolerance
        self._n_fixed = n_fixed
        self._list = PairList(parameters.cutoff, n_fixed, skin)
        self._starts: Int64Array = np.zeros(n_atoms + 1, dtype=np.int64)
        self._neighbours: AtomArray = np.empty(0, dtype=np.uint32)
        self._squares, self._matrix = np.empty(0), np.empty(0)
        self._fixed_bonds = _Bonds.room_for(0)
        self._bonds = _Bonds.room_for(_BONDS_PER_ATOM * n_atoms)
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
        self.forces = self._sum_forces(positions, self._n_fixed, (self._bonds,))

    def all_forces(self, positions: FloatArray) -> FloatArray:
        """Compute the forces on fixed atoms too, at the positions of the last `compute`.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            eV/angstrom.
        """
        return self._sum_forces(positions, 0, (self._fixed_bonds, self._bonds))

    def energies(self, positions: FloatArray) -> Energies:
        """Compute the energies at some positions with the last charges.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        """
        self._find_pairs(positions)
        charges, tables, sums = self.charges, self._tables, np.empty(4)
        sum_energies(
            charges,
            self._starts,
            self._neighbours,
            self._squares,
            np.vstack([self._fixed_bonds.pairs, self._bonds.pairs]),
            np.concatenate([self._fixed_bonds.squares, self._bonds.squares]),
            self._numbers,
            tables.energies,
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

    def _find_pairs(self, positions: FloatArray) -> None:
        """Select the pairs, and find the bonds."""
        begins = not len(self._matrix)
        if begins:
            self._begin(positions[: self._n_fixed])
        if self._list.update(positions) or begins:
            self._reserve(int(self._starts[self._n_fixed]), self._list.count)
        self._bonds = self._select(positions, self._n_fixed, self._list, self._bonds)

    def _begin(self, fixed: FloatArray) -> None:
        """Select the pairs of fixed atoms, once."""
        if not len(fixed):
            return
        pairs = PairList(self._parameters.cutoff, 0, SKIN)
        pairs.update(fixed)
        self._reserve(0, pairs.count)
        room = _Bonds.room_for(_BONDS_PER_ATOM * len(fixed))
        self._fixed_bonds = self._select(fixed, 0, pairs, room)

    def _reserve(self, kept: int, more: int) -> None:
        """Make room for further pairs behind some that stay."""
        # one more, for a loop writes before it knows
        room = kept + more + 1
        if room <= len(self._matrix):
            return
        room += more // 10
        for name in ("_neighbours", "_squares", "_matrix"):
            before = getattr(self, name)
            array = np.empty(room, dtype=before.dtype)
            array[:kept] = before[:kept]
            setattr(self, name, array)

    def _select(
        self, positions: FloatArray, first: int, pairs: PairList, bonds: "_Bonds"
    ) -> "_Bonds":
        while True:
            count = select_pairs(
                positions,
                first,
                pairs.rows,
                pairs.others,
                self._numbers,
                self._tables.matrix,
                self._starts,
                self._neighbours,
                self._squares,
                self._matrix,
                bonds.room,
                bonds.room_squares,
            )
            if count < 0:
                raise EngineError(
                    f"two atoms are closer than {CLOSEST:g} Å: lower dynamics.temperature or "
                    "dynamics.time_step"
                )
            if count <= len(bonds.room):
                return _Bonds(bonds.room, bonds.room_squares, int(count))
            bonds = _Bonds.room_for(int(1.1 * count))

    def _equilibrate(self, *, again: bool) -> None:
        history = self.history
        charges, self.iterations = equilibrate(
            history[0] if again else extrapolated(history),
            self._parameters.chi - self.potential,
            self._parameters.eta,
            self._starts,
            self._neighbours,
            self._matrix,
            self._tolerance,
        )
        self.history = np.vstack([charges, history[1:] if again else history[: HISTORY - 1]])

    def _sum_forces(
        self, positions: FloatArray, first: int, summed: tuple["_Bonds", ...]
    ) -> FloatArray:
        """Sum the forces of the pairs in the rows from one on, and of some bonds."""
        forces, totals = np.zeros_like(positions), np.zeros(len(positions))
        add_forces(
            positions,
            self.charges,
            first,
            self._starts,
            self._neighbours,
            self._squares,
            self._numbers,
            self._tables.slopes,
            forces,
        )
        slopes = []
        for bonds in (self._fixed_bonds, self._bonds):
            slopes.append(np.empty((bonds.count, 2)))
            add_bond_orders(
                bonds.pairs, bonds.squares, self._numbers, self._tables.bonds, slopes[-1], totals
            )
        for bonds in summed:
            add_bond_forces(
                positions,
                bonds.pairs,
                slopes[0 if bonds is self._fixed_bonds else 1],
                totals,
                self._coefficients,
                forces,
            )
        return forces


@dataclass(frozen=True)
class _Bonds:
    """Pairs that are bonds, in arrays that may have room for more."""

    room: AtomArray
    room_squares: FloatArray
    count: int

    @classmethod
    def room_for(cls, count: int) -> "_Bonds":
        return cls(np.empty((count + 1, 2), dtype=np.uint32), np.empty(count + 1), 0)

    @property
    def pairs(self) -> AtomArray:
        return self.room[: self.count]

    @property
    def squares(self) -> FloatArray:
        """Squares of their distances, angstrom^2."""
        return self.room_squares[: self.count]
