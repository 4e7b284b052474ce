"""Checks of a pseudopotential against the all-electron atom and the all-electron crystal."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from ase import Atoms
from ase.collections import dcdft
from ase.eos import EquationOfState
from ase.units import GPa

from nanogap.computed import Analysis, after_compute
from nanogap.errors import EngineError
from nanogap.transport.espresso.programs import Programs, run_program
from nanogap.transport.espresso.pseudopotential import Pseudopotential, generation_input
from nanogap.transport.espresso.pw import PlaneWaveSettings, pw_input, self_consistent
from nanogap.typing import FloatArray

_LEVEL = re.compile(
    r"^\s+\d \d\s+(\d[SPD])\s+\d\(\s*([\d.]+)\)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s*$",
    re.MULTILINE,
)
_ENERGY = re.compile(r"dEtot_ae =\s+(\S+) Ry\s+dEtot_ps =\s+(\S+) Ry")
_RADIUS = re.compile(r"\brlderiv\s*=\s*([\d.]+)")
_CONFIGURATION = re.compile(r"zed=([\d.]+).*?config='([^']+)'", re.DOTALL)
_EIGENVALUE = re.compile(r"^\s+\d \d\s+(\d[SPD]) \d\(\s*[\d.]+\)\s+(-?[\d.]+)\s", re.MULTILINE)
_BESSEL = re.compile(r"E\(L=(\d)\) =\s+(\S+) Ry\s+(\S+) Ry\s+(\S+) Ry")
#: A state in the basis of Bessel functions so far below the atom's own is a ghost, Ry.
_GHOST = 0.02
#: Energies over which scattering is compared, Ry: well below the bands to 12 eV above them.
SCATTERING_RANGE = (-1.2, 0.8)
#: Strains of the lattice constant, and the mesh, of the equation of state.
_STRAINS = np.linspace(-0.025, 0.025, 7)
_MESH = 10


@dataclass(frozen=True)
class Configuration:
    """Errors of the pseudo-atom in one configuration of its electrons.

    Attributes
    ----------
    occupations : dict of str to float
        Electrons by valence state, for example ``4D``.
    energy_error : float
        Excitation energy of the pseudo-atom less that of the all-electron atom, Ry.
    level_errors : dict of str to float
        Eigenvalues of the pseudo-atom less those of the all-electron atom by valence state, Ry.
    """

    occupations: dict[str, float]
    energy_error: float
    level_errors: dict[str, float]


@dataclass(frozen=True)
class ScatteringPhases:
    """Scattering phases arctan(psi'/psi) of the all-electron atom and of the pseudo-atom.

    Attributes
    ----------
    energies : ndarray, shape (n,)
        From vacuum, Ry.
    all_electron, pseudo : ndarray, shape (n, 3)
        Phases of s, p and d, radian; continuous in energy.
    radius : float
        Where waves and derivatives are taken, bohr.
    """

    energies: FloatArray
    all_electron: FloatArray
    pseudo: FloatArray
    radius: float

    @property
    def errors(self) -> FloatArray:
        """Pseudo less all-electron, shape (n, 3), radian, between -pi/2 and pi/2."""
        difference = self.pseudo - self.all_electron
        errors: FloatArray = difference - np.pi * np.rint(difference / np.pi)
        return errors

    @property
    def worst_error(self) -> float:
        """Largest error within `SCATTERING_RANGE`, radian."""
        low, high = SCATTERING_RANGE
        within = (self.energies >= low) & (self.energies <= high)
        return float(np.abs(self.errors[within]).max())


class AtomCheck(Analysis):
    """Transferability, scattering and ghost states of a pseudopotential, by ld1.x.

    The pseudo-atom is compared with the all-electron one in configurations that it was not made
    for; logarithmic derivatives measure scattering, as phases arctan(psi'/psi). Ghost states are
    looked for in a basis of Bessel functions (Gonze, Stumpf & Scheffler, Phys. Rev. B 44, 8503
    (1991), doi:10.1103/PhysRevB.44.8503, describe them).

    Parameters
    ----------
    programs : Programs
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs.alone

    def compute(self, pseudopotential: Pseudopotential) -> Self:
        """Run the test input of the element.

        Raises
        ------
        DataFormatError
            If nanogap has no test input for the element.
        EngineError
            If ld1.x fails, or the pseudopotential has other valence electrons than the test.
        """
        source = generation_input(pseudopotential.element)
        if pseudopotential.valence != source.valence:
            raise EngineError(
                f"{pseudopotential.path} has {pseudopotential.valence:g} valence electrons, the "
                f"tests of the atom are for {source.valence:g}: check the crystal alone"
            )
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copyfile(pseudopotential.path, folder / "pseudopotential.UPF")
            printed = run_program(self._programs, "ld1.x", source.test, folder, "test")
            report = (folder / "atom.test").read_text(encoding="utf-8")
            self._configurations = _configurations(report)
            levels = _first_levels(report, len(self._configurations[0].level_errors))
            excited = self._excited_levels(source.test, levels, folder)
            exact = np.loadtxt(folder / "atom1.dlog")
            pseudo = np.loadtxt(folder / "atom1ps.dlog")
        self._scattering = ScatteringPhases(
            exact[:, 0], _phases(exact[:, 1:]), _phases(pseudo[:, 1:]), _radius(source.test)
        )
        self._ghosts = _ghosts(printed, levels, excited)
        return self

    def _excited_levels(
        self, test: str, levels: dict[str, float], folder: Path
    ) -> dict[str, float]:
        """Return the next empty levels of the all-electron atom that are bound, by label, Ry."""
        found = _CONFIGURATION.search(test)
        if found is None:
            raise EngineError("the test input of ld1.x names no zed and config")
        wanted = {f"{int(label[0]) + 1}{label[1]}" for label in levels}
        empty = " ".join(f"{label.lower()}0" for label in sorted(wanted))
        text = (
            f"&input title='excited', prefix='excited', zed={found[1]}, rel=1, iswitch=1, "
            f"dft='PBE', config='{found[2]} {empty}' /\n"
        )
        printed = run_program(self._programs, "ld1.x", text, folder, "excited")
        return {
            label: float(energy)
            for label, energy in _EIGENVALUE.findall(printed)
            if label in wanted and float(energy) < 0.0
        }

    @property
    @after_compute
    def configurations(self) -> list[Configuration]:
        """The transferability table; the first is the one the pseudopotential was made for."""
        return self._configurations

    @property
    @after_compute
    def worst_error(self) -> float:
        """Largest error of an excitation energy or an eigenvalue, Ry."""
        return max(
            abs(error)
            for entry in self.configurations
            for error in (entry.energy_error, *entry.level_errors.values())
        )

    @property
    @after_compute
    def scattering(self) -> ScatteringPhases:
        """Scattering phases of s, p and d, with those of the all-electron atom."""
        return self._scattering

    @property
    @after_compute
    def ghosts(self) -> list[str]:
        """Sentences on states that the all-electron atom does not have; empty if there are none."""
        return self._ghosts


def _radius(test: str) -> float:
    """Radius of the logarithmic derivatives of a test input, bohr."""
    found = _RADIUS.search(test)
    if found is None:
        raise EngineError("the test input of ld1.x names no rlderiv, where derivatives are taken")
    return float(found.group(1))


def _phases(derivatives: FloatArray) -> FloatArray:
    phases: FloatArray = np.unwrap(np.arctan(derivatives), axis=0, period=np.pi)
    return phases


def _configurations(report: str) -> list[Configuration]:
    rows = _LEVEL.findall(report)
    energies = [(0.0, 0.0), *((float(a), float(p)) for a, p in _ENERGY.findall(report))]
    # states that are not bound, the d states of aluminium, are not listed
    bound, left = divmod(len(rows), len(energies))
    if left or not bound:
        raise EngineError("the report of ld1.x on the pseudo-atom is incomplete: run it again")
    return [
        Configuration(
            occupations={label: float(occupation) for label, occupation, *_ in group},
            energy_error=pseudo - exact,
            level_errors={label: float(ps) - float(ae) for label, _, ae, ps, _ in group},
        )
        for group, (exact, pseudo) in zip(
            (rows[n : n + bound] for n in range(0, len(rows), bound)), energies, strict=True
        )
    ]


def _first_levels(report: str, bound: int) -> dict[str, float]:
    """All-electron eigenvalues of the first configuration, by label, Ry."""
    return {label: float(exact) for label, _, exact, *_ in _LEVEL.findall(report)[:bound]}


def _ghosts(printed: str, levels: dict[str, float], excited: dict[str, float]) -> list[str]:
    """Compare the lowest states in a basis of Bessel functions with the atom's."""
    exact = {"SPD".index(label[1]): energy for label, energy in levels.items()}
    following = {"SPD".index(label[1]): energy for label, energy in excited.items()}
    # the blocks of the first configuration come first; the last of them has the largest basis
    states = {
        int(momentum): (float(first), float(second))
        for momentum, first, second, _ in _BESSEL.findall(printed)[: 2 * len("SPD")]
    }
    found = []
    for momentum, (first, second) in sorted(states.items()):
        if momentum not in exact:
            if first < -_GHOST:
                found.append(f"l = {momentum}: a bound state at {first:.3f} Ry, the atom has none")
        elif first < exact[momentum] - _GHOST:
            found.append(
                f"l = {momentum}: a state at {first:.3f} Ry, the atom's lowest valence "
                f"state is at {exact[momentum]:.3f} Ry"
            )
        if second < following.get(momentum, 0.0) - _GHOST:
            found.append(f"l = {momentum}: a second bound state at {second:.3f} Ry")
    return found


class CrystalCheck(Analysis):
    """Lattice constant and bulk modulus of the fcc crystal against all-electron PBE.

    The reference is the WIEN2k column of Lejaeghere et al., Science 351, aad3000 (2016),
    doi:10.1126/science.aad3000, which ASE carries. Seven volumes, Birch-Murnaghan equation.

    Parameters
    ----------
    programs : Programs
    folder : Path
        Where pw.x runs.
    """

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs = programs
        self._folder = folder

    def compute(self, pseudopotential: Pseudopotential) -> Self:
        """Compute the energies and fit them.

        Raises
        ------
        EngineError
            If pw.x fails.
        """
        known = dcdft.data[pseudopotential.element]
        volume = float(known["wien2k_volume"])
        self._reference = ((4.0 * volume) ** (1.0 / 3.0), float(known["wien2k_B"]))
        settings = PlaneWaveSettings(
            pseudopotential.wave_cutoff, pseudopotential.density_cutoff, smearing=0.02
        )
        volumes, energies = [], []
        for number, strain in enumerate(_STRAINS):
            edge = self._reference[0] * (1.0 + strain)
            crystal = Atoms(
                pseudopotential.element, cell=edge / 2 * (np.ones((3, 3)) - np.eye(3)), pbc=True
            )
            text = pw_input(crystal, pseudopotential.path.absolute(), settings, 3 * (_MESH,))
            result, _ = self_consistent(text, self._programs, self._folder / f"volume{number}")
            volumes.append(crystal.get_volume())
            energies.append(result.energy)
        minimum, _, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
        self._lattice_constant = float((4.0 * float(minimum)) ** (1.0 / 3.0))
        self._bulk_modulus = float(modulus) / float(GPa)
        return self

    @property
    @after_compute
    def lattice_constant(self) -> float:
        """Lattice constant of the cubic cell, angstrom."""
        return self._lattice_constant

    @property
    @after_compute
    def bulk_modulus(self) -> float:
        """Bulk modulus, GPa."""
        return self._bulk_modulus

    @property
    @after_compute
    def reference(self) -> tuple[float, float]:
        """All-electron lattice constant (angstrom) and bulk modulus (GPa)."""
        return self._reference
