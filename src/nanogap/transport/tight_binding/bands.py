"""Band energies and Fermi energies of periodic structures."""

import functools
from pathlib import Path

import numpy as np
import scipy.linalg
import spglib
import xarray as xr
from ase import Atoms
from ase.build import bulk
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import erfc, expit

from nanogap.arguments import checked, shown
from nanogap.errors import SettingsError, StructureError
from nanogap.transport.tight_binding.files import load_model, model_of
from nanogap.transport.tight_binding.matrices import overlap_error, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel, one_element
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.typing import FloatArray, IntArray

spglib.error.OLD_ERROR_HANDLING = False  # raise, not return None

#: Width of the occupation that finds a Fermi energy, eV, by number of periodic axes. First-order
#: Methfessel & Paxton, Phys. Rev. B 40, 3616 (1989), doi:10.1103/PhysRevB.40.3616: wide enough to
#: smooth the mesh, without the shift that a wide Fermi function would give.
_WIDTHS = (0.02, 0.05, 0.15, 0.3)
#: Points per axis of the mesh of `bulk_fermi_energy`: 24 to 72 agree within 4 meV.
_MESH = 48
#: Width of the occupation that gives the charges of atoms, eV: smooths the discrete levels of the
#: finite pieces that they are computed in.
_POPULATION_WIDTH = 0.1
#: Longest path and densest mesh, points per 1/angstrom: beyond, memory ends before the bands do.
_MOST_POINTS, _DENSEST = 1_000_000, 100.0
#: Bloch matrices are solved in batches of about so many elements.
BATCH = 4_000_000


@checked
def bands(
    atoms: Atoms | None = None,
    path: str | None = None,
    *,
    n_points: int = 100,
    model: TightBindingModel | str | Path | None = None,
) -> xr.Dataset:
    """Compute the bands of a periodic structure along a path through its Brillouin zone.

    Parameters
    ----------
    atoms : ase.Atoms, optional
        Its cell and periodic axes are used; default: the fcc crystal of the Hamiltonian's element,
        or, without a Hamiltonian, of silver.
    path : str, optional
        Special points, for example ``"GXWLG"``, as in `ase.cell.Cell.bandpath`; default: the
        standard path of the lattice.
    n_points : int
        Points along the path.
    model : TightBindingModel, str or Path, optional
        The Hamiltonian, or its file; default: the packaged one of the structure's element.

    Returns
    -------
    xarray.Dataset
        ``energy`` over (``k``, ``band``), ascending, eV from the Fermi energy; 9 bands per atom.
        Coordinates over ``k``: ``distance`` along the path, 1/angstrom (2 pi included), ``k1``,
        ``k2`` and ``k3``, fractions of the reciprocal cell, and ``label``, the name of a special
        point or "". Attributes: ``path``, ``fermi_energy`` (eV on the Hamiltonian's scale).

    Raises
    ------
    nanogap.errors.StructureError
        If `atoms` is no periodic structure, has another element, or its atoms are too close.
    nanogap.errors.SettingsError
        If the path or the number of points is none, or there is no such Hamiltonian.
    nanogap.errors.DataFormatError
        If the file of the Hamiltonian cannot be read.

    Examples
    --------
    >>> from nanogap.transport.tight_binding.bands import bands
    >>> silver = bands(path="GXWLG", n_points=20)
    >>> dict(silver.sizes)
    {'k': 20, 'band': 9}
    >>> lines = silver["energy"].plot.line(x="distance", add_legend=False)
    """
    atoms, chosen = _crystal(atoms, model)
    if not any(atoms.pbc):
        raise StructureError(
            "the structure is periodic along no axis, so it has levels and no bands: set pbc and "
            "the cell of the ase.Atoms"
        )
    if not 1 <= n_points <= _MOST_POINTS:
        raise SettingsError(
            f"n_points = {shown(n_points)}: give a whole number from 1 to {_MOST_POINTS}"
        )
    try:
        line = atoms.cell.bandpath(path, npoints=int(n_points), pbc=atoms.pbc)
    except Exception as error:  # ASE has no error of its own for an impossible path
        raise SettingsError(
            f"path = {shown(path)} is none through the Brillouin zone of the structure "
            f"({' '.join(str(error).split())[:80]}): give "
            f"special points, for example {'GXWLG'!r}, or leave it out"
        ) from None
    if not line.path.strip(","):
        raise SettingsError(f"path = {path!r} names no point: give, for example, {'GXWLG'!r}")
    distance, places, names = line.get_linear_kpoint_axis()
    labels = np.full(len(line.kpts), "", dtype="U8")
    for place, name in zip(places, names, strict=True):
        labels[int(np.abs(distance - place).argmin())] = name
    level = fermi_energy(atoms, model=chosen)
    attributes = {"units": "eV", "long_name": "energy from the Fermi energy"}
    fractions = {
        f"k{axis + 1}": ("k", line.kpts[:, axis], {"units": "reciprocal cell vector"})
        for axis in range(3)
    }
    return xr.Dataset(
        {"energy": (("k", "band"), band_energies(atoms, line.kpts, chosen) - level, attributes)},
        coords={
            "distance": ("k", distance, {"units": "1/angstrom", "long_name": "wave vector"}),
            "label": ("k", labels),
            **fractions,
        },
        attrs={"path": line.path, "fermi_energy": level, "element": chosen.element},
    )


@checked
def fermi_energy(
    atoms: Atoms | None = None,
    *,
    kpoints_density: float = 18.0,
    model: TightBindingModel | str | Path | None = None,
) -> float:
    """Compute the Fermi energy of a structure (crystal, film, wire, cluster) by filling its bands.

    Parameters
    ----------
    atoms : ase.Atoms, optional
        Default: the fcc crystal of the Hamiltonian's element, or, without one, of silver.
    kpoints_density : float
        Points along each periodic axis per 1/angstrom of its reciprocal vector (2 pi included);
        18 gives 48 for the primitive cell of fcc silver.
    model : TightBindingModel, str or Path, optional
        The Hamiltonian, or its file; default: the packaged one of the structure's element.

    Returns
    -------
    float
        eV on the scale of the Hamiltonian.

    Raises
    ------
    nanogap.errors.StructureError
        If `atoms` is no structure, has another element, or its atoms are too close.
    nanogap.errors.SettingsError
        If the density is not above 0, or there is no such Hamiltonian.
    nanogap.errors.DataFormatError
        If the file of the Hamiltonian cannot be read.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from nanogap.transport.tight_binding.bands import fermi_energy
    >>> level = fermi_energy(bulk("Ag", a=4.09), kpoints_density=9.0)
    >>> round(level, 1) + 0.0
    0.0
    """
    atoms, chosen = _crystal(atoms, model)
    if not 0.0 < kpoints_density <= _DENSEST:
        raise SettingsError(
            f"kpoints_density = {shown(kpoints_density)}: give a number above 0, up to {_DENSEST:g}"
        )
    lengths = 2.0 * np.pi * np.linalg.norm(atoms.cell.complete().reciprocal(), axis=1)
    counts = np.where(atoms.pbc, np.ceil(kpoints_density * lengths), 1).astype(int)
    return _filled(atoms, tuple(int(n) for n in counts), chosen)


def bulk_fermi_energy(lattice_constant: float, model: TightBindingModel | None = None) -> float:
    """Compute the Fermi energy of the fcc metal on a 48 x 48 x 48 mesh; remembered.

    Parameters
    ----------
    lattice_constant : float
        Of the cubic cell, angstrom.
    model : TightBindingModel, optional
        Default: the packaged one of silver.

    Returns
    -------
    float
        eV on the scale of the Hamiltonian, converged to about 1 meV in the mesh.
    """
    return _bulk_fermi_energy(float(lattice_constant), model or load_model())


def band_energies(
    atoms: Atoms, kpoints: ArrayLike, model: TightBindingModel | None = None
) -> FloatArray:
    """Compute the band energies of a structure at wave vectors.

    Solves H(k) c = E S(k) c, reduced by the Cholesky factor of S(k).

    Parameters
    ----------
    atoms : ase.Atoms
        Its cell and periodic axes are used.
    kpoints : array_like, shape (n_k, 3)
        In units of the reciprocal cell vectors.
    model : TightBindingModel, optional
        Default: the packaged one of the structure's element.

    Returns
    -------
    ndarray, shape (n_k, n_bands)
        Ascending at each k-point, eV on the scale of the Hamiltonian; 9 bands per atom.

    Raises
    ------
    nanogap.errors.StructureError
        If the overlap is not positive definite (atoms too close), or there are several elements.
    nanogap.errors.SettingsError
        If the k-points have another shape, or no Hamiltonian of the element is packaged.
    """
    model = model or model_of(None, one_element(atoms))
    points = np.asarray(kpoints, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3:
        raise SettingsError(f"k-points have shape {points.shape}: give (n_k, 3), fractional")
    matrices = real_space_matrices(atoms, model)
    size = model.orbitals_per_atom * len(atoms)
    energies = np.empty((len(points), size))
    phases = np.exp(2j * np.pi * (points @ matrices.translations.T))
    step = max(1, BATCH // size**2)
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
    parts: FloatArray | None = None,
) -> FloatArray:
    """Count the electrons of every atom, both spins (Mulliken, doi:10.1063/1.1740588).

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
    parts : ndarray, shape (n_atoms,), optional
        See `nanogap.transport.tight_binding.matrices.real_space_matrices`.

    Returns
    -------
    ndarray, shape (n_atoms,)
    """
    matrices = real_space_matrices(atoms, model, shifts=shifts, parts=parts)
    electrons = np.zeros(model.orbitals_per_atom * len(atoms))
    for k, weight in zip(kpoints, weights, strict=True):
        h, s = (matrix.toarray() for matrix in matrices.at(k))
        energies, states = scipy.linalg.eigh(h, s, overwrite_a=True, check_finite=False)
        filled = states[:, energies < level + 30.0 * _POPULATION_WIDTH]
        occupation = 2.0 * expit((level - energies[: filled.shape[1]]) / _POPULATION_WIDTH)
        electrons += weight * ((filled.conj() * (s @ filled)).real @ occupation)
    return np.asarray(electrons.reshape(len(atoms), -1).sum(axis=1))


@functools.lru_cache(maxsize=256)
def _bulk_fermi_energy(lattice_constant: float, model: TightBindingModel) -> float:
    atoms = bulk(model.element, "fcc", a=lattice_constant)
    return _filled(atoms, (_MESH,) * 3, model)


def _crystal(
    atoms: Atoms | None, model: TightBindingModel | str | Path | None
) -> tuple[Atoms, TightBindingModel]:
    """Return the structure and the Hamiltonian that are meant, or say what is none."""
    if atoms is None:
        chosen = model_of(model)
        return bulk(chosen.element, "fcc"), chosen
    if not isinstance(atoms, Atoms):
        raise StructureError(
            f"{shown(atoms)} is no structure: give an ase.Atoms, for example "
            "ase.build.bulk('Ag', a=4.09)"
        )
    element = one_element(atoms)
    if any(atoms.pbc) and not np.asarray(atoms.cell.lengths())[atoms.pbc].all():
        raise StructureError(
            "the structure is periodic along an axis on which its cell has no length: set the "
            "cell of the ase.Atoms"
        )
    return atoms, model_of(model, element)


def _filled(atoms: Atoms, mesh: tuple[int, ...], model: TightBindingModel) -> float:
    """Find the level below which the electrons of the neutral structure fit."""
    points, source = irreducible_mesh(atoms, mesh)
    weights = np.bincount(source) / len(source)
    energies = band_energies(atoms, points, model)
    electrons = model.electrons_per_atom * len(atoms)
    width = _WIDTHS[int(np.sum(atoms.pbc))]

    def excess(level: float) -> float:
        x = (energies - level) / width
        occupation = 0.5 * erfc(x) - x * np.exp(-np.minimum(x * x, 500.0)) / np.sqrt(4.0 * np.pi)
        return float(weights @ (2.0 * occupation).sum(axis=1)) - electrons

    return float(brentq(excess, energies.min() - 1.0, energies.max() + 1.0, xtol=1e-7))


def irreducible_mesh(atoms: Atoms, mesh: tuple[int, ...]) -> tuple[FloatArray, IntArray]:
    """Make the points of a mesh around Gamma that symmetry leaves.

    All symmetries of a lattice with one atom in its cell, otherwise that of k and -k.

    Parameters
    ----------
    atoms : ase.Atoms
    mesh : tuple of int
        Points along the three reciprocal vectors.

    Returns
    -------
    points : ndarray, shape (n, 3)
        In units of the reciprocal cell vectors.
    source : ndarray of int, shape (product of the mesh,)
        Which of them stands for each point of the mesh, the last axis fastest.
    """
    # spglib counts the first axis fastest, and represents equal points by that of lowest number
    counts = np.asarray(mesh)[::-1]
    if len(atoms) == 1 and all(atoms.pbc) and len(set(mesh)) == 1:
        cell = (atoms.cell[::-1], atoms.get_scaled_positions()[:, ::-1], atoms.numbers)
        lowest, _ = spglib.get_ir_reciprocal_mesh(counts, cell)
    else:
        identity = np.eye(3, dtype="intc")[None]
        lowest, _ = spglib.get_stabilized_reciprocal_mesh(counts, identity)
    kept, source = np.unique(lowest, return_inverse=True)
    points = np.stack(np.unravel_index(kept, mesh), axis=1)
    return points / np.array(mesh), source
