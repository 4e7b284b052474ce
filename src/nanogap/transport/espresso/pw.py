"""Self-consistent plane-wave calculations with pw.x: input, run, result.

Perdew-Burke-Ernzerhof functional, Phys. Rev. Lett. 77, 3865 (1996),
doi:10.1103/PhysRevLett.77.3865.
"""

import io
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import numpy as np
from ase import Atoms
from ase.io.espresso import write_espresso_in
from scipy import constants

from nanogap.errors import EngineError
from nanogap.io import copy_atomically, write_text
from nanogap.settings import FirstPrinciplesSettings
from nanogap.settings.first_principles import LEAST_DENSITY_CUTOFF, LEAST_WAVE_CUTOFF
from nanogap.transport.espresso.programs import Programs, run_program
from nanogap.transport.espresso.pseudopotential import Pseudopotential
from nanogap.typing import FloatArray

Grid = tuple[int, int, int]

#: Energy units of Quantum ESPRESSO, eV (CODATA, as all of `nanogap.units`).
RYDBERG: float = constants.value("Rydberg constant times hc in eV")
HARTREE: float = 2.0 * RYDBERG
#: Its length unit, angstrom.
BOHR: float = constants.value("Bohr radius") * 1e10
#: Folder of the saved states of the calculations in a folder.
STATE = "state"
_NOT_CONVERGED = "convergence NOT achieved"


@dataclass(frozen=True)
class PlaneWaveSettings:
    """Accuracy of a self-consistent calculation.

    Attributes
    ----------
    wave_cutoff, density_cutoff : float
        Kinetic-energy cut-offs of the waves and of the density, Ry.
    smearing : float
        Gaussian width of the occupation, Ry.
    convergence : float
        Estimated error of the total energy at which the density counts as converged, Ry.
    mixing : float
        Part of the new density that is mixed in.
    most_steps : int
        Iterations after which it counts as not converging.
    """

    wave_cutoff: float = 28.0
    density_cutoff: float = 280.0
    smearing: float = 0.01
    convergence: float = 1e-8
    mixing: float = 0.4
    most_steps: int = 150

    @classmethod
    def chosen(
        cls, settings: FirstPrinciplesSettings, pseudopotentials: Iterable[Pseudopotential]
    ) -> Self:
        """Return the accuracy asked for.

        Cut-offs that are not set are parts of the largest that the elements recommend; the density
        has at least four times that of the waves, whose squares it holds.
        """
        elements = tuple(pseudopotentials)
        wave, density = settings.wave_cutoff, settings.density_cutoff
        if wave is None:
            recommended = max(one.wave_cutoff for one in elements)
            wave = max(LEAST_WAVE_CUTOFF, _part(settings.wave_fraction, recommended))
        if density is None:
            recommended = max(one.density_cutoff for one in elements)
            part = _part(settings.density_fraction, recommended)
            density = max(LEAST_DENSITY_CUTOFF, part, 4.0 * wave)
        return cls(
            wave_cutoff=wave,
            density_cutoff=density,
            smearing=settings.smearing,
            convergence=settings.convergence,
            mixing=settings.mixing,
        )


def _part(fraction: float, cutoff: float) -> float:
    """Part of a cut-off; other than the whole, in whole Ry."""
    return cutoff if fraction == 1.0 else float(round(fraction * cutoff))


@dataclass(frozen=True)
class PlaneWaveResult:
    """Results of a finished pw.x run, from its XML file.

    Attributes
    ----------
    fermi_energy : float
        eV, on the calculation's own scale.
    energy : float
        Total energy, eV.
    kpoints : ndarray, shape (n_k, 3)
        Fractions of the reciprocal cell.
    weights : ndarray, shape (n_k,)
        They sum to one.
    bands : ndarray, shape (n_k, n_bands)
        eV, on the calculation's own scale.
    dense_grid, smooth_grid : tuple of int
        Points of the FFT grids along the three cell vectors.
    iterations : int
        Steps to self-consistency.
    version : str
        Version of Quantum ESPRESSO.
    """

    fermi_energy: float
    energy: float
    kpoints: FloatArray
    weights: FloatArray
    bands: FloatArray
    dense_grid: Grid
    smooth_grid: Grid
    iterations: int
    version: str


def pw_input(
    atoms: Atoms,
    pseudopotentials: Path | Mapping[str, Path],
    settings: PlaneWaveSettings,
    mesh: tuple[int, int, int],
    *,
    name: str = "pw",
    grids: tuple[Grid, Grid] | None = None,
    n_bands: int | None = None,
) -> str:
    """Write the input of a self-consistent calculation.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic in all directions.
    pseudopotentials : Path or mapping
        As seen from the folder of the calculation, all in one folder; by chemical symbol if there
        are several elements.
    settings : PlaneWaveSettings
    mesh : tuple of int
        Gamma-centred Monkhorst-Pack mesh.
    name : str
        What the files of the calculation are called.
    grids : tuple, optional
        Points of the dense and of the smooth FFT grid; without it pw.x chooses.
    n_bands : int, optional
        Number of bands; without it pw.x chooses.

    Returns
    -------
    str
        The whole input file.
    """
    if isinstance(pseudopotentials, Path):
        pseudopotentials = {str(atoms.symbols[0]): pseudopotentials}
    names = ("nr1", "nr2", "nr3", "nr1s", "nr2s", "nr3s")
    keywords: dict[str, dict[str, Any]] = {
        "control": {
            "calculation": "scf",
            "prefix": name,
            "outdir": f"./{STATE}",
            "pseudo_dir": str(next(iter(pseudopotentials.values())).parent),
            "verbosity": "high",
        },
        "system": {
            "ecutwfc": settings.wave_cutoff,
            "ecutrho": settings.density_cutoff,
            "occupations": "smearing",
            "smearing": "gaussian",
            "degauss": settings.smearing,
            **({"nbnd": n_bands} if n_bands else {}),
            **(dict(zip(names, sum(grids, ()), strict=True)) if grids else {}),
        },
        "electrons": {
            "conv_thr": settings.convergence,
            # metal beside empty space: plain mixing sloshes charge to and fro over long cells
            "mixing_mode": "local-TF",
            "mixing_beta": settings.mixing,
            "electron_maxstep": settings.most_steps,
        },
    }
    stream = io.StringIO()
    write_espresso_in(
        stream,
        Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True),
        input_data=keywords,
        pseudopotentials={symbol: path.name for symbol, path in pseudopotentials.items()},
        kpts=mesh,
    )
    return stream.getvalue()


def self_consistent(
    text: str, programs: Programs, folder: Path, name: str = "pw"
) -> tuple[PlaneWaveResult, float]:
    """Run pw.x to self-consistency, or take what a finished run of the same input left.

    Parameters
    ----------
    text : str
        From `pw_input`, of the same name.
    programs : Programs
    folder : Path
        Holds ``NAME.in``, ``NAME.out``, ``NAME.xml`` and the folder ``state``; made if missing.
    name : str

    Returns
    -------
    result : PlaneWaveResult
    wall_time : float
        s; of the run that finished it.

    Raises
    ------
    EngineError
        If pw.x stops, or does not converge.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished, source, taken = (folder / f"{name}.{end}" for end in ("xml", "in", "seconds"))
    saved = folder / STATE / f"{name}.save"
    there = all(path.exists() for path in (finished, source, taken, saved))
    if there and source.read_text(encoding="utf-8") == text:
        return read_result(finished), float(taken.read_text(encoding="utf-8"))
    finished.unlink(missing_ok=True)
    shutil.rmtree(saved, ignore_errors=True)
    started = time.perf_counter()
    try:
        run_program(programs, "pw.x", text, folder, name)
    except EngineError:
        _refuse_unconverged(folder / f"{name}.out")
        raise
    _refuse_unconverged(folder / f"{name}.out")
    seconds = time.perf_counter() - started
    write_text(taken, f"{seconds:.3f}")
    # the file whose presence says that all is there comes last
    copy_atomically(saved / "data-file-schema.xml", finished)
    return read_result(finished), seconds


def _refuse_unconverged(output: Path) -> None:
    printed = output.read_text(encoding="utf-8", errors="replace") if output.is_file() else ""
    if _NOT_CONVERGED in printed:
        accuracy = re.findall(r"estimated scf accuracy\s*<\s*(\S+)", printed)
        reached = f", reached {accuracy[-1]} Ry" if accuracy else ""
        raise EngineError(
            f"pw.x did not converge the density (see {output}){reached}: lower 'mixing' (try "
            "half), or raise 'smearing'"
        )


def read_result(path: Path) -> PlaneWaveResult:
    """Read the XML file of a finished pw.x run.

    Raises
    ------
    EngineError
        If it is missing, truncated or of a run that did not converge.
    """
    try:
        root = ET.parse(path).getroot()  # noqa: S314 (written by the program we started)
        output = root.find("output")
        assert output is not None  # noqa: S101 (for the type checker; a fault is caught below)
        return _result(root, output)
    except (OSError, ET.ParseError, AssertionError, AttributeError, KeyError, ValueError) as error:
        raise EngineError(
            f"{path} is not the XML file of a finished pw.x run ({type(error).__name__}): remove "
            "it and start again"
        ) from None


def _text(node: ET.Element, place: str) -> str:
    found = node.find(place)
    if found is None or found.text is None:
        raise ValueError(place)
    return found.text


def _numbers(node: ET.Element, place: str) -> FloatArray:
    return np.array(_text(node, place).split(), dtype=np.float64)


def _result(root: ET.Element, output: ET.Element) -> PlaneWaveResult:
    structure = output.find("atomic_structure")
    basis = output.find("basis_set")
    if structure is None or basis is None:
        raise ValueError("structure")
    alat = float(structure.attrib["alat"]) * BOHR
    cell = np.array([_numbers(structure, f"cell/a{i}") for i in (1, 2, 3)]) * BOHR
    points, weights, bands = [], [], []
    for entry in output.findall("band_structure/ks_energies"):
        point = entry.find("k_point")
        if point is None:
            raise ValueError("k_point")
        cartesian = _numbers(entry, "k_point") / alat  # 2 pi / angstrom
        points.append(cell @ cartesian)
        weights.append(float(point.attrib["weight"]))
        bands.append(_numbers(entry, "eigenvalues") * HARTREE)

    def grid(name: str) -> Grid:
        found = basis.find(name) if basis is not None else None
        if found is None:  # pw.x leaves out a smooth grid that is the dense one
            return grid("fft_grid")
        return (int(found.attrib["nr1"]), int(found.attrib["nr2"]), int(found.attrib["nr3"]))

    creator = root.find("general_info/creator")
    return PlaneWaveResult(
        fermi_energy=float(_text(output, "band_structure/fermi_energy")) * HARTREE,
        energy=float(_text(output, "total_energy/etot")) * HARTREE,
        kpoints=np.array(points),
        weights=np.array(weights) / np.sum(weights),
        bands=np.array(bands),
        dense_grid=grid("fft_grid"),
        smooth_grid=grid("fft_smooth"),
        iterations=int(_text(output, "convergence_info/scf_conv/n_scf_steps")),
        version="" if creator is None else creator.attrib.get("VERSION", ""),
    )
