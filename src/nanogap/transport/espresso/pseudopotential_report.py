"""Make or check a pseudopotential, and say how good it is."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nanogap.io import write_atomically
from nanogap.settings import FirstPrinciplesSettings
from nanogap.transport.espresso.programs import Programs
from nanogap.transport.espresso.pseudopotential import find_pseudopotential
from nanogap.transport.espresso.pseudopotential_check import AtomCheck, CrystalCheck


def pseudopotential_report(
    element: str,
    *,
    settings: FirstPrinciplesSettings,
    output: Path | None,
    crystal: bool,
    watch: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, Any], AtomCheck]:
    """Make, or take, the pseudopotential of an element, and check it.

    Parameters
    ----------
    element : str
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
    report : dict
        ``file``, ``element``, ``kind``, ``valence``, ``wave_cutoff`` and ``density_cutoff`` (Ry);
        ``transferability``, a list of ``occupations``, ``energy_error`` and ``level_errors`` (mRy);
        ``worst_error`` (mRy), ``worst_phase_error`` (radian), ``ghosts``; with `crystal` also
        ``lattice_constant`` (angstrom), ``bulk_modulus`` (GPa) and ``all_electron`` (both).
    atom : AtomCheck
        With the logarithmic derivatives.

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
    report: dict[str, Any] = {
        "file": str(found.path),
        "element": found.element,
        "kind": found.kind,
        "valence": found.valence,
        "functional": found.functional,
        "wave_cutoff": found.wave_cutoff,
        "density_cutoff": found.density_cutoff,
        "transferability": [
            {
                "occupations": entry.occupations,
                "energy_error": round(1e3 * entry.energy_error, 3),
                "level_errors": {
                    name: round(1e3 * error, 3) for name, error in entry.level_errors.items()
                },
            }
            for entry in atom.configurations
        ],
        "worst_error": round(1e3 * atom.worst_error, 3),
        "worst_phase_error": atom.worst_phase_error,
        "ghosts": atom.ghosts,
    }
    if crystal:
        watch("pw.x: equation of state of the crystal")
        with tempfile.TemporaryDirectory() as folder:
            bulk = CrystalCheck(programs, Path(folder)).compute(found)
        report["lattice_constant"], report["bulk_modulus"] = (
            bulk.lattice_constant,
            bulk.bulk_modulus,
        )
        report["all_electron"] = {
            "lattice_constant": bulk.reference[0],
            "bulk_modulus": bulk.reference[1],
        }
    if output is not None:
        write_atomically(output, lambda path: shutil.copyfile(found.path, path))
        report["file"] = str(output)
    return report, atom


def describe(report: dict[str, Any]) -> str:
    """Put a report of `pseudopotential_report` into lines of text."""
    names = list(report["transferability"][0]["level_errors"])
    columns = "".join(f"{name:>9}" for name in ("energy", *names))
    lines = [f"{report['element']}, {report['kind']}, {report['functional']}"]
    lines += [f"{'errors, mRy':<20}{columns}"]
    for entry in report["transferability"]:
        label = " ".join(f"{name.lower()}{n:g}" for name, n in entry["occupations"].items())
        errors = (entry["energy_error"], *entry["level_errors"].values())
        lines.append(f"{label:<20}" + "".join(f"{error:>+9.2f}" for error in errors))
    lines.append(f"scattering phases    within {report['worst_phase_error']:.4f} rad")
    lines.append("ghost states         " + ("; ".join(report["ghosts"]) or "none"))
    if "lattice_constant" in report:
        exact = report["all_electron"]
        lines.append(
            f"fcc crystal          a = {report['lattice_constant']:.3f} Å, "
            f"B = {report['bulk_modulus']:.0f} GPa (all-electron PBE: "
            f"{exact['lattice_constant']:.3f} Å, {exact['bulk_modulus']:.0f} GPa)"
        )
    lines.append(
        f"cut-offs             {report['wave_cutoff']:g} / {report['density_cutoff']:g} Ry"
    )
    lines.append(f"file                 {report['file']}")
    return "\n".join(lines) + "\n"
