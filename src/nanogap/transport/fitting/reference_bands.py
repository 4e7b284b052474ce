"""What the tight-binding model is fitted to: first-principles bands, and guards of the overlap."""

import json
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

from nanogap.errors import DataFormatError
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS, angular_blocks
from nanogap.typing import ComplexArray, FloatArray

#: Density of the meshes that fill the bands of small and of large cells.
_MESH, _LARGE_MESH, _LARGE = 14.0, 6.0, 4
#: Weight of the Fermi energy of a structure with a gap.
_GAPPED = 0.05


@dataclass(frozen=True)
class Reference:
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
    importance : float
        Weight of the structure.
    shift_importance : float
        Weight of its Fermi energy: small where bands do not cross it, so that it is anywhere in
        a gap.
    mesh_density : float
        Of the mesh that fills its bands, see `nanogap.transport.tight_binding.bands.fermi_energy`.
    """

    name: str
    atoms: Atoms
    kpoints: FloatArray
    bands: FloatArray
    k_weights: FloatArray
    importance: float = 1.0
    shift_importance: float = 1.0
    mesh_density: float = 14.0


def load_references(content: dict[str, Any], name: str = "reference bands") -> list[Reference]:
    """Read reference bands.

    Parameters
    ----------
    content : dict
        A parsed file in the layout of ``data/dft_bands_ag.json``: ``element``, ``semicore`` (how
        many of the lowest bands per atom to drop), optionally ``importance`` (structure to
        weight) and ``gapped`` (structures without bands at E_F), and ``structures``: name to
        ``cell``, ``positions`` (angstrom), ``kpoints`` (fractions of the reciprocal cell),
        ``weights``, ``bands`` and ``fermi_energy`` (eV on one scale).
    name : str
        What error messages call it.

    Raises
    ------
    DataFormatError
        If something is missing or of another shape.
    """
    try:
        element, semicore = str(content["element"]), int(content["semicore"])
        weights, gapped = content.get("importance", {}), content.get("gapped", ())
        return [
            replace(
                _reference(structure, entry, element, semicore),
                importance=float(weights.get(structure, 1.0)),
                shift_importance=_GAPPED if structure in gapped else 1.0,
            )
            for structure, entry in content["structures"].items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataFormatError(
            f"{name} is not in the layout of reference bands: {type(error).__name__}: {error} "
            "(docs/hamiltonian.md shows the layout)"
        ) from None


def packaged_contents(element: str) -> list[tuple[str, dict[str, Any]]]:
    """Read the files of reference bands that come with the package: name and content."""
    folder = files("nanogap.transport") / "data"
    prefix = f"dft_bands_{element.lower()}"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.startswith(prefix))
    return [(name, json.loads((folder / name).read_text("utf-8"))) for name in found]


def packaged_references(element: str) -> list[Reference]:
    """Read all reference bands that come with the package."""
    return [
        reference
        for name, content in packaged_contents(element)
        for reference in load_references(content, name)
    ]


def _reference(name: str, entry: dict[str, Any], element: str, semicore: int) -> Reference:
    positions, kpoints = np.array(entry["positions"]), np.array(entry["kpoints"])
    n_atoms = len(positions)
    bands = np.array(entry["bands"]).reshape(len(kpoints), -1)
    bands = bands[:, semicore * n_atoms :][:, : N_ORBITALS * n_atoms] - entry["fermi_energy"]
    # points of high symmetry weigh little in the zone, but much in the shape of the bands
    weights = np.array(entry["weights"]) / np.sum(entry["weights"]) + 1.0 / len(kpoints)
    atoms = Atoms(f"{element}{n_atoms}", positions=positions, cell=entry["cell"], pbc=True)
    mesh = _MESH if n_atoms <= _LARGE else _LARGE_MESH
    return Reference(name, atoms, kpoints, bands, weights / weights.sum(), mesh_density=mesh)


def crowded_clusters(least: float, seed: int = 0, count: int = 12) -> list[Reference]:
    """Make disordered clusters with bonds down to a least distance, to guard the overlap.

    Points thrown into a ball are pushed apart until no pair is closer than ``least``; the balls
    range from about the density of the crystal to that of a compressed one.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 20, count)
    return [
        _guard(f"crowded {n}", _pushed_apart(int(size), least, rng.uniform(1.5, 1.75), rng))
        for n, size in enumerate(sizes)
    ]


def _pushed_apart(size: int, least: float, radius: float, rng: np.random.Generator) -> FloatArray:
    """Positions of a random cluster, (size, 3), no pair closer than ``least``."""
    ball = radius * np.cbrt(size)
    while True:
        points = rng.normal(size=(size, 3))
        points *= (ball * np.cbrt(rng.random(size)) / np.linalg.norm(points, axis=1))[:, None]
        for _ in range(2000):
            vectors = points[:, None] - points[None]
            distances = np.linalg.norm(vectors, axis=2) + 100.0 * np.eye(size)
            if distances.min() >= least:
                return points
            push = np.maximum(least * 1.001 - distances, 0.0) / distances
            points = points + 0.5 * np.einsum("ij,ijk->ik", push, vectors)
            outside = np.maximum(np.linalg.norm(points, axis=1) / ball, 1.0)
            points /= outside[:, None]
        ball *= 1.03


def _guard(name: str, positions: FloatArray) -> Reference:
    atoms = Atoms(f"Ag{len(positions)}", positions=positions)
    return Reference(name, atoms, np.zeros((1, 3)), np.zeros((1, 0)), np.ones(1))


def crowded_crystals(seed: int = 0) -> list[Reference]:
    """Make compressed and disordered crystals, to guard the overlap.

    Atoms inside a dense metal have more short bonds than those of any cluster: the overlap of a
    compressed crystal is the first to lose its positive definiteness.
    """
    rng = np.random.default_rng(seed)
    corners = np.array([(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0.25, 0.75)])
    crystals = [
        *(bulk("Ag", "fcc", a=a) for a in (3.4, 3.55, 3.7, 3.85)),
        *(bulk("Ag", "bcc", a=a) for a in (2.75, 2.95)),
        *(bulk("Ag", "sc", a=a) for a in (2.3, 2.5)),
    ]
    for scale in (3.7, 3.9):
        atoms = bulk("Ag", "fcc", a=scale, cubic=True)
        atoms.positions += rng.normal(0.0, 0.15, (4, 3))
        crystals.append(atoms)
    guards = []
    for number, atoms in enumerate(crystals):
        points = np.concatenate([corners, rng.uniform(-0.5, 0.5, (4, 3))])
        n_k = len(points) if len(atoms) == 1 else 3
        points = points[:n_k]
        empty = np.zeros((n_k, 0))
        guards.append(Reference(f"crystal {number}", atoms, points, empty, np.ones(n_k)))
    return guards


class BlochSums:
    """Angular parts of one reference, summed by shell of neighbours, ready for repeated evaluation.

    A shell is all bonds from one atom of the cell to the images of one other at one distance:
    they share their two-centre integrals.
    """

    def __init__(self, reference: Reference, model: TightBindingModel) -> None:
        self.reference = reference
        self.n_atoms = len(reference.atoms)
        pairs = find_neighbours(reference.atoms, model.cutoff)
        self.bond_centres, self.bond_distances = pairs.first, pairs.distances
        keys = np.column_stack([pairs.first, pairs.second, np.round(pairs.distances, 6)])
        shells, member = np.unique(keys, axis=0, return_inverse=True)
        self.centre, self.other = shells[:, :2].T.astype(np.intp)
        self.distances = shells[:, 2]
        blocks = angular_blocks(pairs.vectors / pairs.distances[:, None])
        phases = np.exp(2j * np.pi * (reference.kpoints @ pairs.translations.T))
        sums = np.empty((len(reference.kpoints), len(shells), *blocks.shape[1:]), dtype=complex)
        for shell in range(len(shells)):
            bonds = np.flatnonzero(member.ravel() == shell)
            total = phases[:, bonds] @ blocks[bonds].reshape(len(bonds), -1)
            sums[:, shell] = total.reshape(-1, *blocks.shape[1:])
        pair = self.centre * self.n_atoms + self.other
        self.groups = [
            (p // self.n_atoms, p % self.n_atoms, members, sums[:, members])
            for p in np.unique(pair)
            for members in [np.flatnonzero(pair == p)]
        ]

    def bond_means(self, potentials: FloatArray) -> FloatArray:
        """Mean of the potentials of the two atoms of each shell, (n_shells,)."""
        result: FloatArray = (potentials[self.centre] + potentials[self.other]) / 2.0
        return result

    def matrices(self, values: FloatArray, only: int | None = None) -> ComplexArray:
        """Bloch matrices; values (n_shells, 10, m) -> (n_k, m, n_orb, n_orb).

        With ``only``, of one of the ten integrals.
        """
        chosen = slice(None) if only is None else slice(only, only + 1)
        n_k, m, size = len(self.reference.kpoints), values.shape[2], self.n_atoms * N_ORBITALS
        result = np.zeros((n_k, m, size, size), dtype=np.complex128)
        for i, j, members, sums in self.groups:
            weights = values[members][:, chosen].reshape(-1, m).T
            part = sums[:, :, chosen].reshape(n_k, -1, N_ORBITALS**2)
            total = (weights + 0j) @ part
            result[:, :, atom_slice(i), atom_slice(j)] = total.reshape(
                n_k, m, N_ORBITALS, N_ORBITALS
            )
        return result


def atom_slice(number: int) -> slice:
    """Return the orbitals of an atom."""
    return slice(number * N_ORBITALS, (number + 1) * N_ORBITALS)
