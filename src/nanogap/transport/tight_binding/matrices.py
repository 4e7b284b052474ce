"""Hamiltonian and overlap matrices of a structure in the tight-binding model.

Orbitals are atom-major; on each atom s; x, y, z; xy, yz, 3z^2 - r^2, zx, x^2 - y^2.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
from ase import Atoms
from numpy.typing import ArrayLike
from scipy.sparse import bsr_array, csr_array

from nanogap.errors import StructureError
from nanogap.transport.tight_binding.line_of_sight import openness
from nanogap.transport.tight_binding.model import TightBindingModel, one_element
from nanogap.transport.tight_binding.neighbours import Neighbours, find_neighbours
from nanogap.transport.tight_binding.slater_koster import (
    INTEGRALS,
    N_ORBITALS,
    onsite_blocks,
    orbitals_of,
    two_centre_blocks,
)
from nanogap.transport.tight_binding.vacuum import VacuumTail, surroundings
from nanogap.typing import FloatArray, IntArray

#: The overlap is checked in every structure with a bond shorter than this, angstrom.
_SAFE_BOND = 2.5
#: Couplings through vacuum that are weaker than this part of the full one are left out.
_LEAST_WEIGHT = 1e-6
#: Radius of the surroundings of a short bond in which the overlap is checked, angstrom.
_CHECK_RADIUS = 6.0
#: Structures of at most so many atoms are checked as a whole.
_CHECK_WHOLE = 320


@dataclass(frozen=True)
class RealSpaceMatrices:
    """Hamiltonian and overlap between the cell and its translations.

    Attributes
    ----------
    translations : ndarray, shape (n_t, 3)
        Lattice translations R in cell vectors; 0 along axes that are not periodic.
    hamiltonian, overlap : list of scipy.sparse.csr_array, each (n_orb, n_orb)
        ``<0, i| H |R, j>`` in eV, and the same of the overlap.
    """

    translations: IntArray
    hamiltonian: list[csr_array]
    overlap: list[csr_array]

    def at(self, k_fractional: ArrayLike) -> tuple[csr_array, csr_array]:
        """Sum up the Bloch matrices H(k), S(k) = sum_R exp(2 pi i k.R) (H_R, S_R), complex.

        Parameters
        ----------
        k_fractional : array_like, shape (3,)
            In units of the reciprocal cell vectors.
        """
        phases = np.exp(2j * np.pi * (self.translations @ np.asarray(k_fractional, dtype=float)))
        indices, starts, places = self._union
        h, s = np.zeros((2, len(indices)), dtype=complex)
        for phase, place, h_r, s_r in zip(
            phases, places, self.hamiltonian, self.overlap, strict=True
        ):
            h[place] += phase * h_r.data
            s[place] += phase * s_r.data
        shape = self.hamiltonian[0].shape
        return csr_array((h, indices, starts), shape=shape), csr_array((s, indices, starts), shape)

    @functools.cached_property
    def _union(self) -> tuple[IntArray, IntArray, list[IntArray]]:
        """Column indices and row starts of all translations together, and each one's places."""
        patterns = [
            csr_array((np.ones(m.nnz, dtype=np.int64), m.indices, m.indptr), shape=m.shape)
            for m in self.hamiltonian
        ]
        union = functools.reduce(lambda a, b: a + b, patterns).copy()
        union.sort_indices()
        # numbered from 1: a product of patterns would drop a 0
        union.data = np.arange(1, union.nnz + 1)
        places = [union.multiply(pattern).tocsr().data - 1 for pattern in patterns]
        return union.indices, union.indptr, places


def real_space_matrices(
    atoms: Atoms,
    model: TightBindingModel,
    densities: FloatArray | None = None,
    shifts: FloatArray | None = None,
    parts: FloatArray | None = None,
) -> RealSpaceMatrices:
    """Assemble the Hamiltonian and overlap of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        Its cell and periodic axes are used.
    model : TightBindingModel
    densities : ndarray, shape (3 or 84, n_atoms), optional
        See `atom_densities`; for atoms whose surroundings the structure does not hold whole, NaN
        where its own neighbours set them.
    shifts : ndarray, shape (n_atoms,), optional
        Added to the potential of every atom, eV.
    parts : ndarray, shape (n_atoms,), optional
        Part of its couplings that each atom has, 0 to 1
        (`nanogap.structure.junction.couplings`): of both matrices between two atoms, of what each
        does to the levels of the other, and of how far it stands between others. Default: all.

    Raises
    ------
    nanogap.errors.StructureError
        If the structure is empty, has another element or several, or its atoms are so close that
        the overlap is not positive definite.
    """
    found = one_element(atoms)
    if found != model.element:
        raise StructureError(
            f"the structure has {found} atoms, but the Hamiltonian is one of {model.element}: "
            f"give a structure of {model.element} atoms"
        )
    pairs = find_neighbours(atoms, model.cutoff)
    _check_distances(pairs)
    own = atom_densities(pairs, len(atoms), model, parts)
    densities = own if densities is None else np.where(np.isnan(densities), own, densities)
    integrals = model.two_centre(pairs.distances)
    if model.vacuum is not None:
        pairs, integrals = _through_vacuum(
            atoms, model.vacuum, densities[2], pairs, integrals, parts=parts
        )
    # the two directions of a pair are each other's transpose: both are evaluated, in one sweep
    blocks = two_centre_blocks(pairs.vectors / pairs.distances[:, None], integrals)
    potentials = densities[1]
    if shifts is not None:
        potentials = potentials + shifts
    mean = (potentials[pairs.first] + potentials[pairs.second]) / 2.0
    blocks[0] += mean[:, None, None] * blocks[1]
    if parts is not None:
        blocks *= (parts[pairs.first] * parts[pairs.second])[:, None, None]
    onsite = np.zeros((2, len(atoms), N_ORBITALS, N_ORBITALS))
    diagonal = np.arange(N_ORBITALS)
    onsite[0][:, diagonal, diagonal] = model.onsite_energies(densities[0]) + potentials[:, None]
    if model.splits_levels:
        onsite[0] += densities[3:].T.reshape(-1, N_ORBITALS, N_ORBITALS)
    onsite[1][:, diagonal, diagonal] = 1.0
    matrices = _collect(pairs, np.concatenate([blocks, onsite], axis=1), len(atoms))
    _check_overlap(atoms, pairs, matrices)
    return matrices


def atom_densities(
    pairs: Neighbours, n_atoms: int, model: TightBindingModel, parts: FloatArray | None = None
) -> FloatArray:
    """Sum what all neighbours contribute at every atom.

    Parameters
    ----------
    pairs : Neighbours
    n_atoms : int
    model : TightBindingModel
    parts : ndarray, shape (n_atoms,), optional
        See `real_space_matrices`.

    Returns
    -------
    ndarray, shape (3 or 84, n_atoms)
        The density of neighbours that sets the onsite energies, the potential, eV, and the number
        of neighbours, which tells whether an atom faces vacuum; of a model with a crystal field
        then the 9 x 9 elements of its block, eV.
    """
    share = np.ones(len(pairs.first)) if parts is None else parts[pairs.second]
    onsite = model.density(pairs.first, pairs.distances, n_atoms, model.density_decay, share)
    potential = model.potentials(pairs.first, pairs.distances, n_atoms, share)
    bonds = np.zeros(len(share))
    if model.vacuum is not None:
        bonds = share * model.vacuum.bond_count(pairs.distances)
    counts = np.bincount(pairs.first, bonds, n_atoms)
    densities = np.array([onsite, potential, counts])
    if not model.splits_levels:
        return densities
    integrals = model.field_integrals(pairs.distances)
    blocks = onsite_blocks(pairs.vectors / pairs.distances[:, None], integrals)
    of_pairs = (share, (pairs.first, np.arange(len(share))))
    at_atoms = csr_array(of_pairs, shape=(n_atoms, len(share)))
    return np.concatenate([densities, (at_atoms @ blocks.reshape(-1, N_ORBITALS**2)).T])


def _through_vacuum(
    atoms: Atoms,
    tail: VacuumTail,
    coordination: FloatArray,
    pairs: Neighbours,
    integrals: FloatArray,
    *,
    parts: FloatArray | None,
) -> tuple[Neighbours, FloatArray]:
    """Replace two-centre integrals by the coupling through vacuum where there is nothing between.

    Returns the pairs, farther ones added, and their integrals, shape (2, n_pairs, 10).
    """
    exposure = tail.exposure(coordination)
    facing = np.flatnonzero(exposure > 0.0)
    if not len(facing):
        return pairs, integrals
    far = find_neighbours(atoms[facing], tail.end[1])
    far = far.only(far.distances > tail.onset[0])
    if not len(far.distances):
        return pairs, integrals
    far = replace(far, first=facing[far.first], second=facing[far.second])
    weight = exposure[far.first] * exposure[far.second] * tail.weight(far.distances)
    far, weight = far.only(weight > _LEAST_WEIGHT), weight[weight > _LEAST_WEIGHT]
    # all in one cell, so that a few images surround every line
    home = atoms.get_positions(wrap=True)
    reach = tail.end[1] + tail.between[1]
    obstacles, whose = surroundings(atoms, home, reach)
    there = None if parts is None else parts[whose]
    weight = weight * openness(home[far.first], far.vectors, obstacles, tail.between, there)
    kept = weight > _LEAST_WEIGHT
    far, weight = far.only(kept), weight[kept]
    near = far.places_in(pairs)  # where the pair is within the cut-off, too
    tails = np.zeros((2, len(weight), len(INTEGRALS)))
    amplitude = tail.amplitude(coordination)
    scale = weight * amplitude[far.first] * amplitude[far.second]
    tails[0] = scale[:, None] * tail.two_centre(far.distances)
    both = near >= 0
    taken = np.ones(len(pairs.distances))
    taken[near[both]] -= weight[both]
    integrals = integrals * taken[:, None]
    integrals[:, near[both]] += tails[:, both]
    return pairs.joined(far.only(~both)), np.concatenate([integrals, tails[:, ~both]], axis=1)


def _collect(pairs: Neighbours, blocks: FloatArray, n_atoms: int) -> RealSpaceMatrices:
    """Sort the blocks of all pairs, then of all atoms, into one sparse matrix per translation."""
    own = np.arange(n_atoms)
    rows = np.concatenate([pairs.first, own])
    columns = np.concatenate([pairs.second, own])
    shifts = np.concatenate([pairs.translations, np.zeros((n_atoms, 3), dtype=np.intp)])
    # one number per translation, and then per block, sorts faster than rows of numbers
    base = 2 * int(np.abs(shifts).max()) + 1
    codes, which = np.unique(
        (shifts + base // 2) @ np.array([base**2, base, 1]), return_inverse=True
    )
    translations = np.column_stack(np.unravel_index(codes, (base,) * 3)) - base // 2
    order = np.argsort((which * n_atoms + rows) * n_atoms + columns)
    ends = np.cumsum(np.bincount(which, minlength=len(translations)))
    result: tuple[list[csr_array], list[csr_array]] = ([], [])
    for members in np.split(order, ends[:-1]):
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows[members], minlength=n_atoms))])
        shape = (n_atoms * N_ORBITALS, n_atoms * N_ORBITALS)
        for operator, target in enumerate(result):
            data = blocks[operator][members]
            target.append(bsr_array((data, columns[members], starts), shape=shape).tocsr())
    return RealSpaceMatrices(translations, *result)


def _closest(pairs: Neighbours) -> str:
    """Say which two atoms are closest."""
    n = int(np.argmin(pairs.distances))
    return f"atoms {pairs.first[n]} and {pairs.second[n]} ({pairs.distances[n]:.3f} angstrom apart)"


def _check_distances(pairs: Neighbours) -> None:
    if pairs.distances.size and pairs.distances.min() < 1.0:
        raise StructureError(
            f"{_closest(pairs)} overlap: bonds must be at least about 2.3 angstrom; "
            "relax the structure or remove one of the atoms"
        )


def _check_overlap(atoms: Atoms, pairs: Neighbours, matrices: RealSpaceMatrices) -> None:
    """Refuse structures whose overlap is not positive definite at the centre of the zone."""
    short = pairs.distances < _SAFE_BOND
    if not short.any():
        return
    overlap = functools.reduce(lambda a, b: a + b, matrices.overlap)
    if len(atoms) <= _CHECK_WHOLE:
        groups = [np.arange(len(atoms))]
    else:
        # a principal block has larger eigenvalues than the whole: what fails here fails there,
        # and the eigenvectors of the least ones sit on short bonds
        close = pairs.distances < _CHECK_RADIUS
        groups = [
            np.unique(np.append(pairs.second[close & (pairs.first == i)], i))
            for i in np.unique(pairs.first[short])
        ]
    for group in groups:
        orbitals = orbitals_of(group)
        try:
            scipy.linalg.cholesky(overlap[orbitals][:, orbitals].toarray(), check_finite=False)
        except np.linalg.LinAlgError:
            raise overlap_error(pairs) from None


def overlap_error(pairs: Neighbours) -> StructureError:
    """Make the error of a structure whose overlap is not positive definite."""
    return StructureError(
        f"the orbitals are linearly dependent (overlap not positive definite): {_closest(pairs)} "
        "are the closest pair, bonds must be at least about 2.3 angstrom; relax the structure"
    )
