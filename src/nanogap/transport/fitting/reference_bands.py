"""First-principles bands that the tight-binding model is fitted to, and their files.

A file is JSON (docs/hamiltonian.md): ``element``, ``electrons_per_atom``, ``semicore`` (how many of
the lowest bands per atom to drop), optionally ``importance`` (structure to weight), ``gapped``
(structures without bands at the Fermi energy) and ``held_out`` (structures that a fit leaves out,
so that they judge it), and ``structures``: name to ``cell``, ``positions`` (angstrom), ``kpoints``
(fractions of the reciprocal cell), ``weights``, ``bands`` and ``fermi_energy`` (eV on one scale).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import listed
from nanogap.transport.tight_binding.files import elements_of_files
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import FloatArray

#: Density of the meshes that fill the bands of small and of large cells.
_MESH, _LARGE_MESH, _LARGE = 14.0, 6.0, 4
#: Weight of the Fermi energy of a structure with a gap.
_GAPPED = 0.05
#: Cells with less have no volume, cubic angstrom.
_LEAST_VOLUME = 1e-3


@dataclass(frozen=True)
class ReferenceBands:
    """First-principles bands of one structure.

    Attributes
    ----------
    name : str
    atoms : ase.Atoms
    kpoints : ndarray, shape (n_k, 3)
        In units of the reciprocal vectors.
    bands : ndarray, shape (n_k, n_bands)
        From the Fermi energy, valence bands only, eV; no bands (0 columns): only the overlap is
        kept positive definite there.
    k_weights : ndarray, shape (n_k,)
        They sum to one.
    importance : float
        Weight of the structure.
    shift_importance : float
        Weight of its Fermi energy: small where bands do not cross it, so that it is anywhere in
        a gap.
    mesh_density : float
        Density of the mesh that fills its bands, see
        `nanogap.transport.tight_binding.bands.fermi_energy`.
    """

    name: str
    atoms: Atoms
    kpoints: FloatArray
    bands: FloatArray
    k_weights: FloatArray
    importance: float = 1.0
    shift_importance: float = 1.0
    mesh_density: float = 14.0


@dataclass(frozen=True)
class BandFile:
    """Content of a file of reference bands.

    Attributes
    ----------
    element : str
        Chemical symbol.
    electrons_per_atom : float
        Valence electrons.
    references : tuple of ReferenceBands
        One for each structure.
    held_out : tuple of str
        Names of those that a fit leaves out, so that they judge it.
    """

    element: str
    electrons_per_atom: float
    references: tuple[ReferenceBands, ...]
    held_out: tuple[str, ...] = ()


def read_band_file(path: Path) -> BandFile:
    """Read a file of reference bands.

    Raises
    ------
    DataFormatError
        If it cannot be read, or something is missing or of another shape.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as JSON: {error}") from None
    return _parse(content, str(path))


def packaged_band_files(element: str) -> list[BandFile]:
    """Read all files of reference bands that come with the package; none for most elements."""
    folder = files("nanogap.transport") / "data"
    # what follows the symbol tells C from Cu
    prefixes = tuple(f"dft_bands_{element.lower()}{end}" for end in "._")
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.startswith(prefixes))
    return [_parse(json.loads((folder / name).read_text("utf-8")), name) for name in found]


def need_band_files(element: str) -> list[BandFile]:
    """Read all files of reference bands that come with the package.

    Raises
    ------
    SettingsError
        If there are none of the element.
    """
    found = packaged_band_files(element)
    if not found:
        raise SettingsError(
            f"nanogap has no reference bands of {element} (only of "
            f"{listed(elements_of_files('dft_bands_', '.json'))}): give files of bands "
            "(docs/hamiltonian.md shows the layout, docs/your-own-metal.md how to make them)"
        )
    return found


def packaged_references(element: str) -> list[ReferenceBands]:
    """Read the reference bands of all structures that come with the package."""
    return [reference for file in packaged_band_files(element) for reference in file.references]


def _parse(content: Any, name: str) -> BandFile:
    """Check the layout of a parsed file; error messages call it by `name`."""
    where = ""
    try:
        element, semicore = str(content["element"]), int(content["semicore"])
        electrons = float(content["electrons_per_atom"])
        weights = content.get("importance", {})
        importance = {str(key): float(value) for key, value in weights.items()}
        gapped = _names(content, "gapped")
        held_out = _names(content, "held_out")
        references = []
        for structure, entry in content["structures"].items():
            where = f", structure {structure!r}"
            reference = _reference(structure, entry, element, semicore)
            references.append(
                replace(
                    reference,
                    importance=importance.get(structure, 1.0),
                    shift_importance=_GAPPED if structure in gapped else 1.0,
                )
            )
        where = ""
        _check_file(references, electrons, importance, (*gapped, *held_out), held_out)
    except KeyError as error:
        raise _no_layout(name, where, f"{error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise _no_layout(name, where, str(error)) from None
    return BandFile(element, electrons, tuple(references), held_out)


def _no_layout(name: str, where: str, reason: str) -> DataFormatError:
    return DataFormatError(
        f"{name}{where} is not in the layout of reference bands: {reason} "
        "(docs/hamiltonian.md shows the layout)"
    )


def _names(content: Any, key: str) -> tuple[str, ...]:
    found = content.get(key, ())
    if isinstance(found, str):
        raise ValueError(f"{key} must be a list of names")  # noqa: TRY004
    return tuple(str(one) for one in found)


def _need(condition: bool | np.bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def _check_file(
    references: Sequence[ReferenceBands],
    electrons: float,
    importance: Mapping[str, float],
    named: Iterable[str],
    held_out: Sequence[str],
) -> None:
    """Refuse numbers and names with which a fit would be meaningless or break."""
    known = {one.name for one in references}
    _need(bool(known), "structures is empty")
    most = 2 * N_ORBITALS
    _need(
        0.0 < electrons <= most,
        f"electrons_per_atom must be above 0 and at most {most}, not {electrons:g}",
    )
    for name in {*importance, *named} - known:
        raise ValueError(f"importance, gapped or held_out names {name!r}, which is no structure")
    for name, value in importance.items():
        _need(0.0 < value < np.inf, f"importance of {name!r} must be above 0, not {value:g}")
    _need(bool(known - set(held_out)), "held_out names every structure: none is left to fit")


def _reference(name: str, entry: dict[str, Any], element: str, semicore: int) -> ReferenceBands:
    positions, kpoints = np.array(entry["positions"]), np.array(entry["kpoints"])
    cell, energies = np.array(entry["cell"], dtype=np.float64), np.array(entry["bands"])
    given = np.array(entry["weights"], dtype=np.float64)
    for key, values in {"positions": positions, "kpoints": kpoints}.items():
        threes = values.ndim == 2 and len(values) > 0 and values.shape[1] == 3
        _need(threes, f"{key} must be rows of three numbers")
    n_atoms = len(positions)
    rows = energies.size > 0 and energies.size % len(kpoints) == 0
    _need(rows, "bands must have a row for every k-point, all as long")
    bands = energies.reshape(len(kpoints), -1)
    for key, values in {
        "positions": positions,
        "cell": cell,
        "kpoints": kpoints,
        "bands": bands,
        "weights": given,
        "fermi_energy": np.array(entry["fermi_energy"]),
    }.items():
        _need(np.issubdtype(values.dtype, np.number), f"{key} must be numbers")
        _need(np.isfinite(values).all(), f"{key} must be finite")
    _need(cell.shape == (3, 3) and abs(np.linalg.det(cell)) > _LEAST_VOLUME, "cell has no volume")
    _need(len(given) == len(kpoints), "weights must be as many as kpoints")
    _need(given.min() >= 0.0 and given.sum() > 0.0, "weights must not be negative")
    kept = 0 <= semicore * n_atoms < bands.shape[1]
    _need(kept, "semicore must not be negative, and must leave bands")
    bands = bands[:, semicore * n_atoms :][:, : N_ORBITALS * n_atoms] - entry["fermi_energy"]
    # points of high symmetry weigh little in the zone, but much in the shape of the bands
    weights = given / given.sum() + 1.0 / len(kpoints)
    atoms = Atoms(f"{element}{n_atoms}", positions=positions, cell=cell, pbc=True)
    mesh = _MESH if n_atoms <= _LARGE else _LARGE_MESH
    return ReferenceBands(name, atoms, kpoints, bands, weights / weights.sum(), mesh_density=mesh)
