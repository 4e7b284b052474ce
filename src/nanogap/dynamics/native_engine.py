"""The native engine: molecular dynamics of one metal without LAMMPS.

ReaxFF, its charges and motion are those of `nanogap.dynamics.engine`, computed by the compiled
kernel of `nanogap.dynamics.native`; embedded atoms have the charges of a conductor
(`nanogap.dynamics.constant_potential`). The box has no periodic images: tips stand free in it.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase import Atoms

from nanogap.dynamics.box import CHECK_INTERVAL, refuse_lost_atoms
from nanogap.dynamics.constant_potential import ChargedEmbeddedAtoms
from nanogap.dynamics.embedded_atom import EmbeddedAtom
from nanogap.dynamics.embedded_functions import Functions, functions_of
from nanogap.dynamics.interaction import Interaction, metal_parameters
from nanogap.dynamics.native.metal import Metal
from nanogap.dynamics.native.motion import (
    CHAIN,
    Interacting,
    Motion,
    Thermostat,
    degrees_of_freedom,
    start_velocities,
)
from nanogap.dynamics.native.shares import check_threads, numba_threads
from nanogap.errors import DataFormatError
from nanogap.settings import DynamicsSettings
from nanogap.structure.tips import MOBILE
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: What a restart file holds, in the order of the starting structure where it is of atoms.
_ARRAYS = ("positions", "velocities", "history", "places", "rates", "step")


class NativeEngine:
    """One simulation of two tips by the compiled kernel.

    Parameters
    ----------
    atoms : ase.Atoms
        The tips, with the array ``electrode``; positions are the starting ones.
    settings : DynamicsSettings
    interaction : Interaction
        ReaxFF, or embedded atoms, which are then at constant potential.
    seed : int
        Of the starting velocities.

    Raises
    ------
    SettingsError
        If the interaction has a term that the kernel does not compute, or there are more threads
        than this process may use.
    EngineError
        If an atom lies outside the box.
    """

    #: Name of a restart file.
    restart = "restart.npz"

    def __init__(
        self, atoms: Atoms, settings: DynamicsSettings, interaction: Interaction, seed: int
    ) -> None:
        check_threads(settings.threads)
        self._settings = settings
        self._parameters = (
            functions_of(interaction)
            if isinstance(interaction, EmbeddedAtom)
            else metal_parameters(interaction)
        )
        self._mass = interaction.mass
        self._lengths: FloatArray = atoms.cell.lengths()
        mobile = atoms.arrays["electrode"] == MOBILE
        # the kernel numbers fixed atoms first
        self._order = np.argsort(mobile, kind="stable")
        self._places = np.argsort(self._order)
        self._n_fixed = int((~mobile).sum())
        self._step = self._unchecked = 0
        self._thermostatted, self._prepared = settings.temperature > 0.0, False
        positions = atoms.positions[self._order]
        velocities = start_velocities(
            positions, self._n_fixed, self._mass, settings.temperature, seed
        )
        self._begin(positions, velocities)
        self._check_atoms()

    @property
    def version(self) -> str:
        """Version of the kernel, which is that of nanogap."""
        return f"native {version('nanogap')}"

    @property
    def step(self) -> int:
        """Time steps since the start."""
        return self._step

    @property
    def positions(self) -> FloatArray:
        """Positions in the order of the starting structure, shape (n_atoms, 3), angstrom."""
        return self._in_order(self._motion.positions)

    @property
    def velocities(self) -> FloatArray:
        """Velocities, shape (n_atoms, 3), angstrom/fs."""
        return self._in_order(self._motion.velocities)

    @property
    def forces(self) -> FloatArray:
        """Forces, shape (n_atoms, 3), eV/angstrom; the engine must be prepared."""
        with numba_threads(self._settings.threads):
            return self._in_order(self._metal.all_forces(self._motion.positions))

    @property
    def charges(self) -> FloatArray:
        """Charges, shape (n_atoms,), elementary charges."""
        return self._in_order(self._metal.charges)

    @property
    def potential_energy(self) -> float:
        """Potential energy of the atoms, eV; the engine must be prepared."""
        with numba_threads(self._settings.threads):
            return self._metal.energy(self._motion.positions)

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy of the atoms, eV."""
        return self._motion.kinetic_energy

    @property
    def thermostat_energy(self) -> float:
        """Energy that the thermostat has taken from the atoms since the start, eV."""
        thermostat = self._motion.thermostat
        return 0.0 if thermostat is None else thermostat.energy

    @property
    def prepared(self) -> bool:
        """Whether charges and forces are those of the present positions."""
        return self._prepared

    @property
    def temperature(self) -> float:
        """Temperature of the mobile atoms, K."""
        return self._motion.temperature

    @property
    def potential_shift(self) -> FloatArray:
        """Rise of floating pieces beyond the potential that was set, V."""
        if isinstance(self._metal, ChargedEmbeddedAtoms):
            return self._in_order(self._metal.conductor.levels)
        return np.zeros(len(self._order))

    def set_potential(self, potential: FloatArray, pieces: Int64Array | None = None) -> None:
        """Set the electrochemical potential of every atom.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            V.
        pieces : ndarray of int, shape (n_atoms,), optional
            0 for what is wired to the source, a number of its own for each piece that floats: at
            constant potential its charge stays. Default: all is wired.
        """
        self._metal.potential = potential[self._order]
        if isinstance(self._metal, ChargedEmbeddedAtoms) and pieces is not None:
            self._metal.conductor.groups = pieces[self._order]

    def advance(self, steps: int) -> None:
        """Run a number of time steps.

        Raises
        ------
        EngineError
            If the charges do not converge, or atoms meet or have left the box.
        """
        with numba_threads(self._settings.threads):
            if not self._prepared:
                self._motion.prepare()
                self._prepared = True
            for _ in range(steps):
                self._motion.step()
                self._step += 1
                self._unchecked += 1
                if self._unchecked >= CHECK_INTERVAL:
                    self._check_atoms()

    def free_motion(self) -> None:
        """Take the thermostat away, up to the next `load`."""
        self._motion.thermostat = None

    def save(self, path: Path) -> None:
        """Write positions, velocities, charges and thermostat to the bit.

        Raises
        ------
        EngineError
            If atoms have left the box.
        """
        self._check_atoms()
        thermostat = self._motion.thermostat or self._new_thermostat()
        with path.open("wb") as file:
            np.savez(
                file,
                positions=self.positions,
                velocities=self.velocities,
                history=self._in_order(self._metal.history.T),
                places=thermostat.places,
                rates=thermostat.rates,
                step=np.array(self._step),
            )

    def load(self, path: Path) -> None:
        """Go on from a restart file; the potential must be set again after it.

        Raises
        ------
        DataFormatError
            If the file is none of these tips.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                found = [content[name] for name in _ARRAYS]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DataFormatError(
                f"{path} is no restart file of native dynamics: {error}"
            ) from None
        positions, velocities, history, places, rates, step = found
        if positions.shape != (len(self._order), 3):
            raise DataFormatError(f"{path} is a restart file of other tips")
        self._begin(positions[self._order], velocities[self._order])
        self._metal.history = np.ascontiguousarray(history[self._order].T)
        if self._motion.thermostat is not None:
            self._motion.thermostat.places[:] = places
            self._motion.thermostat.rates[:] = rates
        self._step = int(step)

    def close(self) -> None:
        """Free the engine."""

    def _begin(self, positions: FloatArray, velocities: FloatArray) -> None:
        """Make all that follows from positions and velocities."""
        settings = self._settings
        self._metal = self._interact(len(positions))
        self._motion = Motion(
            self._metal,
            positions,
            velocities,
            n_fixed=self._n_fixed,
            mass=self._mass,
            time_step=settings.time_step,
            thermostat=self._new_thermostat() if self._thermostatted else None,
        )
        self._prepared = False

    def _interact(self, n_atoms: int) -> Interacting:
        parameters, tolerance = self._parameters, self._settings.charge_tolerance
        threads = self._settings.threads
        if isinstance(parameters, Functions):
            return ChargedEmbeddedAtoms(
                parameters, n_atoms, self._n_fixed, tolerance, threads=threads
            )
        return Metal(parameters, n_atoms, self._n_fixed, tolerance, threads=threads)

    def _new_thermostat(self) -> Thermostat:
        return Thermostat(
            temperature=self._settings.temperature,
            damping=self._settings.thermostat_time,
            freedom=degrees_of_freedom(len(self._order) - self._n_fixed),
            places=np.zeros(CHAIN),
            rates=np.zeros(CHAIN),
        )

    def _in_order(self, values: FloatArray) -> FloatArray:
        """Bring values of atoms into the order of the starting structure."""
        ordered: FloatArray = values.take(self._places, axis=0)
        return ordered

    def _check_atoms(self) -> None:
        """Refuse to go on when atoms have left the box, through any side."""
        self._unchecked = 0
        positions = self._motion.positions
        # written so that a position that is no number counts as lost
        inside: BoolArray = np.all((positions >= 0.0) & (positions <= self._lengths), axis=1)
        refuse_lost_atoms(int((~inside).sum()), len(inside), self._step * self._settings.time_step)
