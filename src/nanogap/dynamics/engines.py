"""The engines that move atoms: by LAMMPS, or by the native kernel."""

from pathlib import Path
from typing import Protocol

from ase import Atoms

from nanogap.dynamics.engine import Engine
from nanogap.dynamics.interaction import Interaction
from nanogap.dynamics.native_engine import NativeEngine
from nanogap.settings import DynamicsSettings
from nanogap.typing import FloatArray, Int64Array


class DynamicsEngine(Protocol):
    """Engine that a simulation asks; `nanogap.dynamics.engine.Engine` says what each member is."""

    #: Name of a restart file.
    restart: str

    @property
    def version(self) -> str:
        """Version, in words."""

    @property
    def step(self) -> int:
        """Time steps since the start."""

    @property
    def positions(self) -> FloatArray:
        """Positions, shape (n_atoms, 3), angstrom."""

    @property
    def velocities(self) -> FloatArray:
        """Velocities, shape (n_atoms, 3), angstrom/fs."""

    @property
    def forces(self) -> FloatArray:
        """Forces, shape (n_atoms, 3), eV/angstrom."""

    @property
    def charges(self) -> FloatArray:
        """Charges, shape (n_atoms,), elementary charges."""

    @property
    def potential_energy(self) -> float:
        """Potential energy of the atoms, eV."""

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy of the atoms, eV."""

    @property
    def thermostat_energy(self) -> float:
        """Energy that the thermostat has taken from the atoms since the start, eV."""

    @property
    def prepared(self) -> bool:
        """Whether charges and forces are those of the present positions."""

    @property
    def temperature(self) -> float:
        """Temperature of the mobile atoms, K."""

    @property
    def potential_shift(self) -> FloatArray:
        """Rise of floating pieces beyond the potential that was set, shape (n_atoms,), V."""

    def set_potential(self, potential: FloatArray, pieces: Int64Array | None = None) -> None:
        """Set the electrochemical potential of every atom, and tell the pieces that float."""

    def advance(self, steps: int) -> None:
        """Run a number of time steps."""

    def free_motion(self) -> None:
        """Take the thermostat away, up to the next `load`."""

    def save(self, path: Path) -> None:
        """Write a restart file."""

    def load(self, path: Path) -> None:
        """Go on from a restart file; the potential must be set again after it."""

    def close(self) -> None:
        """Free the engine."""


def open_engine(
    atoms: Atoms,
    settings: DynamicsSettings,
    interaction: Interaction,
    folder: Path,
    seed: int,
    *,
    constant_potential: bool = False,
) -> DynamicsEngine:
    """Start the engine that the settings name.

    Parameters
    ----------
    atoms : ase.Atoms
        The tips, with the array ``electrode``.
    settings : DynamicsSettings
    interaction : Interaction
    folder : Path
        Where LAMMPS' files and log are written.
    seed : int
        Of the starting velocities.
    constant_potential : bool
        Whether embedded atoms have the charges of a conductor.

    Returns
    -------
    DynamicsEngine

    Raises
    ------
    SettingsError
        If the interaction has a term that the native kernel does not compute.
    EngineError
        If LAMMPS does not start, or an atom lies outside the box.
    """
    if settings.engine == "native" or constant_potential:
        return NativeEngine(atoms, settings, interaction, seed)
    return Engine(atoms, settings, interaction, folder, seed)
