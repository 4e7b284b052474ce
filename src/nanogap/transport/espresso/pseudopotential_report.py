"""Make or check a pseudopotential, and say how good it is."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nanogap.io import copy_atomically
from nanogap.settings import FirstPrinciplesSettings
from nanogap.transport.espresso.programs import Programs
from nanogap.transport.espresso.pseudopotential import Pseudopotential, find_pseudopotential
from nanogap.transport.espresso.pseudopotential_check import (
    AtomCheck,
    Configuration,
    CrystalCheck,
    ScatteringPhases,
)


@dataclass(frozen=True)
class CrystalProperties:
    """Lattice constant and bulk modulus of an fcc crystal.

    Attributes
    ----------
    lattice_constant : float
        Of the cubic cell, angstrom.
    bulk_modulus : float
        GPa.
    """

    lattice_constant: float
    bulk_modulus: float


@dataclass(frozen=True)
class CrystalComparison:
    """The fcc crystal with a pseudopotential, and without one.

    Attributes
    ----------
    computed : CrystalProperties
        With the pseudopotential.
    all_electron : CrystalProperties
        The all-electron reference, see `CrystalCheck`.
    """

    computed: CrystalProperties
    all_electron: CrystalProperties


@dataclass(frozen=True)
class PseudopotentialReport:
    """A pseudopotential and its errors.

    Attributes
    ----------
    pseudopotential : Pseudopotential
        The file that was checked; its path is that of the copy, if one was asked for.
    configurations : tuple of Configuration
        Errors in several configurations of the atom, Ry; the first is the one that the
        pseudopotential was made for.
    worst_error : float
        Largest of these errors, Ry.
    scattering : ScatteringPhases
        Scattering phases, with those of the all-electron atom.
    ghosts : tuple of str
        Sentences on ghost states; empty if there are none.
    crystal : CrystalComparison or None
        None if the crystal was not computed.
    """

    pseudopotential: Pseudopotential
    configurations: tuple[Configuration, ...]
    worst_error: float
    scattering: ScatteringPhases
    ghosts: tuple[str, ...]
    crystal: CrystalComparison | None


def pseudopotential_report(
    element: str,
    *,
    settings: FirstPrinciplesSettings,
    output: Path | None,
    crystal: bool,
    watch: Callable[[str], None] = lambda _: None,
) -> PseudopotentialReport:
    """Make, or take, the pseudopotential of an element, and check it.

    Parameters
    ----------
    element : str
        Chemical symbol.
    settings : FirstPrinciplesSettings
        Its pseudopotential, if any, is checked instead of nanogap's own.
    output : Path or None
        Where to put a copy.
    crystal : bool
        Also compute the lattice constant and the bulk modulus, about two minutes.
    watch : callable
        Is told what is being done.

    Returns
    -------
    PseudopotentialReport
        The pseudopotential with all its errors.

    Raises
    ------
    DataFormatError
        If there is no usable pseudopotential.
    EngineError
        If a program is missing or fails.
    """
    programs = Programs(settings.programs, settings.processes)
    watch("ld1.x: pseudopotential")
    found = find_pseudopotential(element, programs, settings.pseudopotential)
    watch("ld1.x: tests")
    atom = AtomCheck(programs).compute(found)
    comparison = None
    if crystal:
        watch("pw.x: equation of state of the crystal")
        comparison = _compare_crystal(programs, found)
    if output is not None:
        copy_atomically(found.path, output)
        found = replace(found, path=output)
    return PseudopotentialReport(
        pseudopotential=found,
        configurations=tuple(atom.configurations),
        worst_error=atom.worst_error,
        scattering=atom.scattering,
        ghosts=tuple(atom.ghosts),
        crystal=comparison,
    )


def _compare_crystal(programs: Programs, pseudopotential: Pseudopotential) -> CrystalComparison:
    with tempfile.TemporaryDirectory() as folder:
        check = CrystalCheck(programs, Path(folder)).compute(pseudopotential)
    return CrystalComparison(
        computed=CrystalProperties(check.lattice_constant, check.bulk_modulus),
        all_electron=CrystalProperties(*check.reference),
    )


def describe(report: PseudopotentialReport) -> str:
    """Put a report into lines of text.

    Returns
    -------
    str
        A table of the errors by configuration in mRy, then one line for every other fact.
    """
    found = report.pseudopotential
    columns = "".join(f"{name:>9}" for name in ("energy", *report.configurations[0].level_errors))
    lines = [f"{found.element}, {found.kind}, {found.functional}"]
    lines += [f"{'errors, mRy':<20}{columns}"]
    for entry in report.configurations:
        label = " ".join(f"{name.lower()}{n:g}" for name, n in entry.occupations.items())
        errors = (entry.energy_error, *entry.level_errors.values())
        lines.append(f"{label:<20}" + "".join(f"{1e3 * error:>+9.2f}" for error in errors))
    lines.append(f"scattering phases    within {report.scattering.worst_error:.4f} rad")
    lines.append("ghost states         " + ("; ".join(report.ghosts) or "none"))
    if report.crystal is not None:
        ours, exact = report.crystal.computed, report.crystal.all_electron
        lines.append(
            f"fcc crystal          a = {ours.lattice_constant:.3f} Å, "
            f"B = {ours.bulk_modulus:.0f} GPa (all-electron PBE: "
            f"{exact.lattice_constant:.3f} Å, {exact.bulk_modulus:.0f} GPa)"
        )
    lines.append(f"cut-offs             {found.wave_cutoff:g} / {found.density_cutoff:g} Ry")
    lines.append(f"file                 {found.path}")
    return "\n".join(lines) + "\n"
