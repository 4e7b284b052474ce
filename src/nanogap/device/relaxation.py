"""Relaxation of the atoms of a neck by the embedded-atom functions, its crystals held."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms
from ase.optimize import FIRE

from nanogap.device.neck import CRYSTAL_LAYERS
from nanogap.dynamics.embedded_functions import Functions, evaluate
from nanogap.structure.tips import layer_spacing
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: A neck is relaxed where no atom feels more than this, eV/angstrom.
LARGEST_FORCE = 0.02
#: Longest way of all atoms together in one step, angstrom.
_LONGEST_STEP = 0.2
#: Pairs this much beyond the cutoff are remembered until an atom has moved by half of it, angstrom.
_SKIN = 1.5


@dataclass(frozen=True, eq=False)
class RelaxedNeck:
    """Junction whose neck was relaxed.

    Attributes
    ----------
    junction : ase.Atoms
    steps : int
        Steps that were made.
    force : float
        Largest force on an atom that is left, eV/angstrom.
    """

    junction: Atoms
    steps: int
    force: float

    @property
    def converged(self) -> bool:
        """Whether the largest force is below `LARGEST_FORCE`."""
        return self.force <= LARGEST_FORCE


class EmbeddedAtomCalculator(Calculator):  # type: ignore[misc]
    """Energy and forces of the embedded-atom method for ASE, periodic where the atoms are.

    Parameters
    ----------
    functions : Functions
    """

    implemented_properties = ("energy", "free_energy", "forces")

    def __init__(self, functions: Functions) -> None:
        super().__init__()
        self._functions = functions
        self._made_for: FloatArray | None = None
        self._pairs: Int64Array = np.empty((0, 2), dtype=np.int64)
        self._shifts: FloatArray = np.empty((0, 3))

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: tuple[str, ...] = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy (eV) and forces (eV/angstrom)."""
        super().calculate(atoms, properties, system_changes)
        positions = np.ascontiguousarray(self.atoms.positions)
        self._follow(self.atoms)
        functions, forces = self._functions, np.empty_like(positions)
        energy = evaluate(
            positions,
            np.empty((0, 3)),
            np.empty(0),
            self._pairs,
            (functions.density, functions.pair, functions.embedding),
            (functions.step, functions.density_step, functions.cutoff),
            forces,
            np.empty((len(self._pairs), 6)),
            self._shifts,
        )
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}

    def _follow(self, atoms: Atoms) -> None:
        """Find the pairs anew where an atom has moved by half the skin."""
        before = self._made_for
        if before is not None and before.shape == atoms.positions.shape:
            moved = np.linalg.norm(atoms.positions - before, axis=1).max()
            if moved < _SKIN / 2.0:
                return
        found = find_neighbours(atoms, self._functions.cutoff + _SKIN)
        # of the two directions of a pair one; of an atom and its own image, the one ahead
        ahead = found.translations @ np.array([1_000_000, 1_000, 1]) > 0
        once = (found.first < found.second) | ((found.first == found.second) & ahead)
        self._pairs = np.column_stack([found.first, found.second])[once].astype(np.int64)
        self._shifts = found.translations[once] @ np.asarray(atoms.cell.complete())
        self._made_for = atoms.positions.copy()


def relax_neck(
    junction: Atoms, lattice_constant: float, functions: Functions, steps: int
) -> RelaxedNeck:
    """Relax the atoms between the crystals of a junction (`nanogap.device.neck.neck_junction`).

    The minimiser is FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006),
    doi:10.1103/PhysRevLett.97.170201).

    Parameters
    ----------
    junction : ase.Atoms
        It stays as it is.
    lattice_constant : float
        Angstrom.
    functions : Functions
        Of the metal.
    steps : int
        At most; fewer where the forces vanish before.

    Returns
    -------
    RelaxedNeck
    """
    relaxed = junction.copy()
    relaxed.set_constraint(FixAtoms(mask=_held(junction, lattice_constant)))
    relaxed.calc = EmbeddedAtomCalculator(functions)
    minimiser = FIRE(relaxed, maxstep=_LONGEST_STEP, logfile=None)
    minimiser.run(fmax=LARGEST_FORCE, steps=steps)
    force = float(np.linalg.norm(relaxed.get_forces(), axis=1).max(initial=0.0))
    made = int(minimiser.get_number_of_steps())
    relaxed.calc = None
    relaxed.set_constraint()
    return RelaxedNeck(relaxed, made, force)


def _held(junction: Atoms, lattice_constant: float) -> BoolArray:
    """Tell the atoms of the perfect crystals."""
    spacing, height = layer_spacing(lattice_constant), junction.positions[:, 2]
    edge = (CRYSTAL_LAYERS - 0.5) * spacing
    top = height.max()
    return np.asarray((height < edge) | (height > top - edge))
