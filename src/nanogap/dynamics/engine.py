"""The LAMMPS engine: reactive molecular dynamics of a metal under a per-atom potential.

The potential enters charge equilibration without a patched LAMMPS: ``fix qeq/reaxff`` adds the
potential of a ``fix efield`` to the electronegativity of each atom, and that fix can take it from
an atom-style variable, here a ``fix property/atom`` vector that Python writes. The work of a
source at potential phi on a charge q is phi q, so the electronegativity shift is -phi, and an
atom at positive potential becomes positively charged.
"""

import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.dynamics.box import CHECK_INTERVAL, refuse_lost_atoms
from nanogap.dynamics.interaction import Interaction
from nanogap.dynamics.lammps import FOLDER, POTENTIAL
from nanogap.dynamics.ranks import Ranks, open_ranks
from nanogap.errors import EngineError
from nanogap.settings import DynamicsSettings
from nanogap.structure.tips import MOBILE
from nanogap.typing import FloatArray, Int64Array
from nanogap.units import KCAL_PER_MOL


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

    #: Name of a restart file.
    restart = "restart.lammps"

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
        self._folder = folder.absolute()
        self._pair_commands = interaction.pair_commands(folder, fast=settings.fast_control)
        self._n_atoms = len(atoms)
        self._mobile = np.flatnonzero(atoms.arrays["electrode"] == MOBILE)
        options = shlex.split(settings.lammps_options)
        self._ranks = open_ranks(settings.processes, folder / "engine.log", options)
        self._styles = _choose_styles(self._ranks, options, charged=interaction.charged)
        self._prepared = False
        self._unchecked = 0
        self._begin()
        self._create(atoms, seed)

    @property
    def version(self) -> str:
        """LAMMPS version, as a date number."""
        return str(self._ask("version"))

    @property
    def step(self) -> int:
        """Time steps since the start."""
        return int(self._ask("step"))

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
        return float(self._ask("thermo", "pe")) * KCAL_PER_MOL

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy of the atoms, eV."""
        return float(self._ask("thermo", "ke")) * KCAL_PER_MOL

    @property
    def thermostat_energy(self) -> float:
        """Energy that the thermostat has taken from the atoms since the start, eV."""
        return float(self._ask("thermo", "ecouple")) * KCAL_PER_MOL

    @property
    def prepared(self) -> bool:
        """Whether charges and forces are those of the present positions."""
        return self._prepared

    @property
    def temperature(self) -> float:
        """Temperature of the mobile atoms, K."""
        return float(self._ask("compute", "mobile_temperature"))

    @property
    def potential_shift(self) -> FloatArray:
        """Rise of floating pieces beyond the potential that was set, V: none here."""
        return np.zeros(self._n_atoms)

    def set_potential(
        self,
        potential: FloatArray,
        pieces: Int64Array | None = None,  # noqa: ARG002 charge flows to pieces that float, too
    ) -> None:
        """Set the electrochemical potential of every atom.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            V.
        pieces : ndarray of int, shape (n_atoms,), optional
            For `nanogap.dynamics.native_engine.NativeEngine`.
        """
        self._ranks.ask("set_shift", -potential)

    def advance(self, steps: int) -> None:
        """Run a number of time steps.

        Raises
        ------
        EngineError
            If the engine stops or atoms have left the box.
        """
        again = "pre no post no" if self._prepared else "post no"
        self._command(f"run {steps} {again}")
        self._prepared = True
        self._unchecked += steps
        if self._unchecked >= CHECK_INTERVAL:
            self._check_atoms()

    def free_motion(self) -> None:
        """Take the thermostat away, up to the next `load`."""
        self._command("unfix motion")
        self._command("fix motion mobile nve")
        self._prepared = False

    def save(self, path: Path) -> None:
        """Write a LAMMPS restart file: positions, velocities and thermostat to the bit.

        Raises
        ------
        EngineError
            If atoms have left the box.
        """
        self._check_atoms()
        self._command(f"write_restart {FOLDER}/{path.name}", path.parent)

    def load(self, path: Path) -> None:
        """Go on from a restart file; the potential must be set again after it."""
        self._command("clear")
        self._begin(boundary=False)
        self._command(f"read_restart {FOLDER}/{path.name}", path.parent)
        self._prepare_physics()

    def close(self) -> None:
        """Free the engine."""
        self._ranks.close()

    def _begin(self, *, boundary: bool = True) -> None:
        for command in self._styles.first:
            self._command(command)
        self._command("units real")
        self._command("atom_style charge")
        self._command("atom_modify map array sort 0 0.0")
        if boundary:
            self._command("boundary p p f")
        # the tips lie one above the other: a cut between them shares out the atoms evenly, and
        # parts few neighbours
        self._command("processors * * " + ("2" if self._settings.processes % 2 == 0 else "*"))

    def _create(self, atoms: Atoms, seed: int) -> None:
        lengths = np.diag(atoms.cell.array)
        bounds = " ".join(f"0.0 {length!r}" for length in lengths.tolist())
        self._command(f"region box block {bounds} units box")
        self._command("create_box 1 box")
        created = self._ask("create_atoms", atoms.positions)
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
        for command in self._pair_commands:
            self._command(command, self._folder)
        for command in (
            "neighbor 0.5 bin",
            "neigh_modify every 1 delay 0 check yes",
            f"group mobile id {mobile}",
            f"fix potential all property/atom d_{POTENTIAL} ghost yes",
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
        style, dual = self._styles.charges, self._styles.dual
        tolerance = self._settings.charge_tolerance
        return (
            f"variable shift atom d_{POTENTIAL}",
            "variable none atom 0.0",
            "fix field all efield 0.0 0.0 v_none potential v_shift",
            f"fix charges all {style} 1 0.0 10.0 {tolerance} reaxff {dual}maxiter 1000",
        )

    def _command(self, command: str, folder: Path | None = None) -> None:
        """Run a command on all processes, in which `FOLDER` stands for a folder."""
        self._ranks.ask("command", command, folder and folder.absolute())

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Ask for what all processes know alike."""
        return self._ranks.ask(method, *arguments)[0]

    def _gather(self, name: str) -> FloatArray:
        values: FloatArray = self._ask("gather", name)
        return values

    def _check_atoms(self) -> None:
        """Refuse to go on when atoms have left the box, through any side."""
        self._unchecked = 0
        lost = self._n_atoms - sum(self._ranks.ask("inside"))
        refuse_lost_atoms(lost, self._n_atoms, self.step * self._settings.time_step)


@dataclass(frozen=True)
class _Styles:
    """Styles of LAMMPS that a simulation computes with.

    Attributes
    ----------
    first : tuple of str
        Commands before everything else.
    charges : str
        Style of charge equilibration.
    dual : str
        Its option that solves both of its systems at once.
    """

    first: tuple[str, ...]
    charges: str
    dual: str


def _choose_styles(ranks: Ranks, options: list[str], *, charged: bool) -> _Styles:
    """Use the accelerated styles that the user asks for, else the best on one thread.

    Raises
    ------
    EngineError
        If this LAMMPS lacks the styles asked for, which it would pass over in silence.
    """
    suffixes = [b for a, b in pairwise(options) if a in {"-sf", "-suffix"}]
    needed = (("pair", "reaxff"), ("fix", "qeq/reaxff")) if charged else (("pair", "eam"),)
    for suffix in suffixes[-1:]:
        for category, style in needed:
            if not ranks.ask("has_style", category, f"{style}/{suffix}")[0]:
                raise EngineError(
                    f"dynamics.lammps_options asks for the suffix {suffix!r}, but the LAMMPS of "
                    f"this environment has no {style}/{suffix}: install one built with that "
                    "package, or leave the option out"
                )
        return _Styles((), "qeq/reaxff", "dual " if suffix in {"omp", "kk"} else "")
    if charged and ranks.ask("has_style", "fix", "qeq/reaxff/omp")[0]:
        return _Styles(("package omp 1",), "qeq/reaxff/omp", "dual ")
    return _Styles((), "qeq/reaxff", "")


def _ranges(identifiers: NDArray[np.int64]) -> str:
    """Write sorted identifiers as LAMMPS ranges, 1:5 9:12."""
    breaks = np.flatnonzero(np.diff(identifiers) != 1)
    starts = identifiers[np.concatenate([[0], breaks + 1])]
    ends = identifiers[np.concatenate([breaks, [len(identifiers) - 1]])]
    return " ".join(f"{a}:{b}" for a, b in zip(starts, ends, strict=True))
