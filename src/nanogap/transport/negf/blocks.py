"""Matrices between groups of atoms at a wave vector, straight from the pairs of atoms.

The Hamiltonian and the overlap of a structure are real 9 x 9 blocks between pairs of atoms, each
with a lattice translation. E S - H of a group at a wave vector is a sum of them with Bloch phases;
it is done by compiled loops, which hold no interpreter lock.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from nanogap.transport.tight_binding.matrices import RealSpaceMatrices
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray, IntArray


@dataclass(frozen=True)
class PairBlocks:
    """Blocks of H and S between pairs of atoms.

    Attributes
    ----------
    first, second : ndarray of int, shape (n_pairs,)
        Atoms; an atom is a pair with itself.
    translation : ndarray of int, shape (n_pairs,)
        Number of the lattice translation of the second atom.
    hamiltonian, overlap : ndarray, shape (n_pairs, 9, 9)
        Rows are orbitals of the first atom; eV, and no unit.
    """

    first: IntArray
    second: IntArray
    translation: IntArray
    hamiltonian: FloatArray
    overlap: FloatArray

    @classmethod
    def of(cls, matrices: RealSpaceMatrices) -> "PairBlocks":
        """Take the blocks out of sparse matrices."""
        size = (N_ORBITALS, N_ORBITALS)
        blocked = [
            (h.tobsr(size), s.tobsr(size))
            for h, s in zip(matrices.hamiltonian, matrices.overlap, strict=True)
        ]
        n_atoms = blocked[0][0].shape[0] // N_ORBITALS
        counts = [len(h.indices) for h, _ in blocked]
        rows = [np.repeat(np.arange(n_atoms), np.diff(h.indptr)) for h, _ in blocked]
        return cls(
            first=np.concatenate(rows),
            second=np.concatenate([h.indices for h, _ in blocked]).astype(np.intp),
            translation=np.repeat(np.arange(len(blocked)), counts),
            hamiltonian=np.concatenate([h.data for h, _ in blocked]),
            overlap=np.concatenate([s.data for _, s in blocked]),
        )

    def __len__(self) -> int:
        return len(self.first)

    def taken(self, which: IntArray) -> "PairBlocks":
        """Return some of the pairs."""
        return PairBlocks(
            self.first[which],
            self.second[which],
            self.translation[which],
            self.hamiltonian[which],
            self.overlap[which],
        )

    def renumbered(self, numbers: IntArray) -> "PairBlocks":
        """Return the same pairs with other numbers of their atoms."""
        return replace(self, first=numbers[self.first], second=numbers[self.second])

    def at(self, energy: float) -> FloatArray:
        """Return E S - H of all pairs, shape (n_pairs, 9, 9), eV."""
        return np.asarray(energy * self.overlap - self.hamiltonian)


@dataclass(frozen=True)
class Placement:
    """Places of the blocks of some pairs in a dense matrix.

    Attributes
    ----------
    start, stop : int
        The pairs, as a range of those of the device.
    rows, columns : ndarray of int, shape (stop - start,)
        First row and column of each block.
    """

    start: int
    stop: int
    rows: IntArray
    columns: IntArray


@dataclass(frozen=True)
class BlochSum:
    """Bloch sum of E S - H: blocks of all pairs at one energy, phases of one wave vector.

    Attributes
    ----------
    blocks : ndarray, shape (n_pairs, 9, 9)
        eV.
    translation : ndarray of int, shape (n_pairs,)
        Number of the lattice translation of each.
    phases : ndarray, shape (n_t,)
        Bloch phases of the translations.
    """

    blocks: FloatArray
    translation: IntArray
    phases: ComplexArray

    def add_to(self, target: ComplexArray, placement: Placement) -> None:
        """Add the blocks of a placement to a dense matrix."""
        part = slice(placement.start, placement.stop)
        _add_pairs(
            target,
            placement.rows,
            placement.columns,
            self.blocks[part],
            self.translation[part],
            self.phases,
        )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_pairs(  # noqa: PLR0917 the arrays of one loop
    target: ComplexArray,
    rows: IntArray,
    columns: IntArray,
    blocks: FloatArray,
    translation: IntArray,
    phases: ComplexArray,
) -> None:
    for pair in range(len(rows)):
        phase = phases[translation[pair]]
        for a in range(blocks.shape[1]):
            for b in range(blocks.shape[2]):
                target[rows[pair] + a, columns[pair] + b] += phase * blocks[pair, a, b]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def mirror(target: ComplexArray, size: int) -> None:
    """Fill the columns of the first `size` of a Hermitian matrix from their rows."""
    for column in range(size, target.shape[0]):
        for row in range(size):
            target[column, row] = np.conj(target[row, column])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def subtract_at(target: ComplexArray, block: ComplexArray, places: IntArray) -> None:
    """Subtract a matrix from a larger one, atom by atom, where its atoms stand in that."""
    n = len(places)
    size = block.shape[0] // max(n, 1)
    for i in range(n):
        for a in range(size):
            for j in range(n):
                for b in range(size):
                    target[places[i] + a, places[j] + b] -= block[i * size + a, j * size + b]
