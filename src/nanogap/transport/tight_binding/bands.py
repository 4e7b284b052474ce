"""Band energies and Fermi energies of periodic structures."""

import functools
import itertools

import numpy as np
import scipy.linalg
from ase import Atoms
from ase.build import bulk
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import erfc, expit

from nanogap.errors import SettingsError
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.matrices import overlap_error, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.typing import FloatArray

#: Width of the occupation that finds a Fermi energy, eV, by number of periodic axes. First-order
#: Methfessel & Paxton, Phys. Rev. B 40, 3616 (1989), doi:10.1103/PhysRevB.40.3616: wide enough to
#: smooth the mesh, without the shift that a wide Fermi function would give.
_WIDTHS = (0.02, 0.05, 0.15, 0.3)
#: Points per axis of the mesh of `fermi_energy`: 24 to 72 agree within 4 meV.
_MESH = 48
#: Width of the occupation that gives the charges of atoms, eV: smooths the discrete levels of the
#: finite pieces that they are computed in.
_POPULATION_WIDTH = 0.1
#: Bloch matrices are solved in batches of about so many elements.
_BATCH = 4_000_000


def bands(atoms: Atoms, kpoints: ArrayLike, model: TightBindingModel | None = None) -> FloatArray:
    """Band energies of a structure.

    Solves H(k) c = E S(k) c, reduced by the Cholesky factor of S(k).

    Parameters
    ----------
    atoms : ase.Atoms
        Its cell and periodic axes are used.
    kpoints : array_like, shape (n_k, 3)
        In units of the reciprocal cell vectors.
    model : TightBindingModel, optional
        Default: the packaged one of silver.

    Returns
    -------
    ndarray, shape (n_k, n_bands)
        Ascending at each k-point, eV on the scale of the Hamiltonian; 9 bands per atom.

    Raises
    ------
    nanogap.errors.StructureError
        If the overlap is not positive definite (atoms too close).
    nanogap.errors.SettingsError
        If the k-points have another shape.
    """
    model = model or load_model()
    points = np.asarray(kpoints, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3:
        raise SettingsError(f"k-points have shape {points.shape}: give (n_k, 3), fractional")
    matrices = real_space_matrices(atoms, model)
    size = model.orbitals_per_atom * len(atoms)
    energies = np.empty((len(points), size))
    phases = np.exp(2j * np.pi * (points @ matrices.translations.T))
    step = max(1, _BATCH // size**2)
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        h = np.zeros((len(phases[part]), size, size), dtype=complex)
        s = np.zeros_like(h)
        for phase, h_r, s_r in zip(
            phases[part].T, matrices.hamiltonian, matrices.overlap, strict=True
        ):
            h += phase[:, None, None] * h_r.toarray()
            s += phase[:, None, None] * s_r.toarray()
        try:
            inverse = np.linalg.inv(np.linalg.cholesky(s))
        except np.linalg.LinAlgError:
            raise overlap_error(find_neighbours(atoms, model.cutoff)) from None
        energies[part] = np.linalg.eigvalsh(inverse @ h @ inverse.conj().swapaxes(1, 2))
    return energies


def populations(
    atoms: Atoms,
    kpoints: FloatArray,
    weights: FloatArray,
    level: float,
    *,
    model: TightBindingModel,
    shifts: FloatArray | None = None,
) -> FloatArray:
    """Electrons of every atom of a structure, both spins (Mulliken, doi:10.1063/1.1740588).

    Parameters
    ----------
    atoms : ase.Atoms
    kpoints : ndarray, shape (n_k, 3)
        In units of the reciprocal cell vectors.
    weights : ndarray, shape (n_k,)
        They sum to 1.
    level : float
        Up to which states are filled, by a Fermi function of width 0.1 eV; eV.
    model : TightBindingModel
    shifts : ndarray, shape (n_atoms,), optional
        Added to the potential of every atom, eV.

    Returns
    -------
    ndarray, shape (n_atoms,)
    """
    matrices = real_space_matrices(atoms, model, shifts=shifts)
    electrons = np.zeros(model.orbitals_per_atom * len(atoms))
    for k, weight in zip(kpoints, weights, strict=True):
        h, s = (matrix.toarray() for matrix in matrices.at(k))
        energies, states = scipy.linalg.eigh(h, s, overwrite_a=True, check_finite=False)
        filled = states[:, energies < level + 30.0 * _POPULATION_WIDTH]
        occupation = 2.0 * expit((level - energies[: filled.shape[1]]) / _POPULATION_WIDTH)
        electrons += weight * ((filled.conj() * (s @ filled)).real @ occupation)
    return np.asarray(electrons.reshape(len(atoms), -1).sum(axis=1))


def fermi_energy(lattice_constant: float, model: TightBindingModel | None = None) -> float:
    """Fermi energy of the bulk fcc metal, by filling its bands on a 48 x 48 x 48 mesh.

    Parameters
    ----------
    lattice_constant : float
        Of the cubic cell, angstrom.
    model : TightBindingModel, optional
        Default: the packaged one of silver (then the result is remembered).

    Returns
    -------
    float
        eV on the scale of the Hamiltonian, converged to about 1 meV in the mesh.
    """
    if model is not None:
        return _bulk_fermi_energy(lattice_constant, model)
    return _silver_fermi_energy(float(lattice_constant))


@functools.lru_cache(maxsize=256)
def _silver_fermi_energy(lattice_constant: float) -> float:
    return _bulk_fermi_energy(lattice_constant, load_model())


def _bulk_fermi_energy(lattice_constant: float, model: TightBindingModel) -> float:
    atoms = bulk(model.element, "fcc", a=lattice_constant)
    return _filled(atoms, (_MESH,) * 3, model)


def fermi_energy_of(
    atoms: Atoms, kpoints_density: float = 18.0, model: TightBindingModel | None = None
) -> float:
    """Fermi energy of any structure (chain, film, lead, cluster), by filling its bands.

    Parameters
    ----------
    atoms : ase.Atoms
    kpoints_density : float
        Points along each periodic axis per 1/angstrom of its reciprocal vector (2 pi included);
        18 gives 48 for the primitive cell of fcc silver.
    model : TightBindingModel, optional
        Default: the packaged one of silver.

    Returns
    -------
    float
        eV on the scale of the Hamiltonian.
    """
    lengths = 2.0 * np.pi * np.linalg.norm(atoms.cell.complete().reciprocal(), axis=1)
    counts = np.where(atoms.pbc, np.ceil(kpoints_density * lengths), 1).astype(int)
    return _filled(atoms, tuple(int(n) for n in counts), model or load_model())


def _filled(atoms: Atoms, mesh: tuple[int, ...], model: TightBindingModel) -> float:
    """Find the level below which the electrons of the neutral structure fit."""
    points, weights = _irreducible(atoms, mesh)
    energies = bands(atoms, points, model)
    electrons = model.electrons_per_atom * len(atoms)
    width = _WIDTHS[int(np.sum(atoms.pbc))]

    def excess(level: float) -> float:
        x = (energies - level) / width
        occupation = 0.5 * erfc(x) - x * np.exp(-np.minimum(x * x, 500.0)) / np.sqrt(4.0 * np.pi)
        return float(weights @ (2.0 * occupation).sum(axis=1)) - electrons

    return float(brentq(excess, energies.min() - 1.0, energies.max() + 1.0, xtol=1e-7))


def _irreducible(atoms: Atoms, mesh: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Mesh around Gamma without symmetry copies: points (n, 3) and weights (n,) that sum to 1."""
    operations = [-np.eye(3, dtype=np.intp)]
    if len(atoms) == 1 and all(atoms.pbc) and len(set(mesh)) == 1:
        operations = _lattice_operations(atoms.cell[:])
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in mesh), indexing="ij"), axis=-1)
    grid = grid.reshape(-1, 3)
    own = np.arange(len(grid))
    lowest = own.copy()
    for operation in operations:
        copy = np.ravel_multi_index(tuple((grid @ operation.T % np.array(mesh)).T), mesh)
        lowest = np.minimum(lowest, copy)
    kept, counts = np.unique(lowest, return_counts=True)
    return grid[kept] / np.array(mesh), counts / len(grid)


def _lattice_operations(cell: FloatArray) -> list[NDArray[np.intp]]:
    """Integer matrices that map a lattice onto itself, for cells of short vectors.

    They turn fractional k-points, too: with one atom in the cell they are all symmetries.
    """
    candidates = np.array(list(itertools.product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    metric = cell @ cell.T
    moved = candidates @ metric @ candidates.swapaxes(1, 2)
    # coordinates of leads are rounded to 1e-7 angstrom
    kept = np.abs(moved - metric).max(axis=(1, 2)) < 1e-6 * np.trace(metric)
    return list(candidates[kept])
