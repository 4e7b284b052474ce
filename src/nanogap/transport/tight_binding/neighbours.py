"""Pairs of atoms within a distance, periodic images included."""

import itertools
from dataclasses import dataclass, fields

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanogap.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Neighbours:
    """Pairs of atoms within the cut-off, each in both directions.

    Attributes
    ----------
    first, second : ndarray, shape (n_pairs,)
        Atom numbers.
    translations : ndarray, shape (n_pairs, 3)
        Lattice translation of the second atom, in cell vectors.
    vectors : ndarray, shape (n_pairs, 3)
        From the first atom to the second, angstrom.
    distances : ndarray, shape (n_pairs,)
    """

    first: IntArray
    second: IntArray
    translations: IntArray
    vectors: FloatArray
    distances: FloatArray

    def only(self, chosen: NDArray[np.bool_]) -> "Neighbours":
        """Return some of the pairs."""
        return Neighbours(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def joined(self, others: "Neighbours") -> "Neighbours":
        """Return these pairs and others after them."""
        return Neighbours(
            *(
                np.concatenate([getattr(self, field.name), getattr(others, field.name)])
                for field in fields(self)
            )
        )

    def places_in(self, others: "Neighbours") -> IntArray:
        """Place of every pair among other pairs, -1 where it is not there; shape (n_pairs,)."""
        both = self.joined(others)
        base = 2 * int(np.abs(both.translations).max(initial=0)) + 1
        size = int(max(both.first.max(initial=0), both.second.max(initial=0))) + 1
        code = both.first * size + both.second
        for axis in range(3):
            code = code * base + both.translations[:, axis] + base // 2
        own, theirs = np.split(code, [len(self.first)])
        order = np.argsort(theirs)
        found = np.searchsorted(theirs, own, sorter=order)
        place = order[np.minimum(found, len(order) - 1)] if len(order) else np.zeros_like(found)
        there = (theirs[place] == own) if len(order) else np.zeros(len(own), dtype=bool)
        return np.where(there, place, -1)


def find_neighbours(atoms: Atoms, cutoff: float) -> Neighbours:
    """Find all pairs of atoms within a cut-off, periodic images included."""
    periodic = np.asarray(atoms.pbc, dtype=bool)
    cell = np.asarray(atoms.cell.complete())
    inverse = np.linalg.inv(cell)
    positions = atoms.get_positions()
    home = np.where(periodic, np.floor(positions @ inverse), 0.0).astype(np.intp)
    wrapped = positions - home @ cell
    # distance of the planes of the cell decides how many images can be in reach
    reach = np.where(periodic, np.ceil(cutoff * np.linalg.norm(inverse, axis=0)), 0).astype(int)
    shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))), dtype=np.intp)
    images = (wrapped[None] + (shifts @ cell)[:, None]).reshape(-1, 3)
    low, high = wrapped.min(axis=0) - cutoff, wrapped.max(axis=0) + cutoff
    near = np.flatnonzero(np.all((images > low) & (images < high), axis=1))
    tree = cKDTree(wrapped)
    found = tree.sparse_distance_matrix(cKDTree(images[near]), cutoff, output_type="ndarray")
    first, image = found["i"], near[found["j"]]
    number, second = np.divmod(image, len(atoms))
    itself = (second == first) & (shifts[number] == 0).all(axis=1)
    first, second, number, image = (a[~itself] for a in (first, second, number, image))
    return Neighbours(
        first=first,
        second=second,
        translations=shifts[number] - home[second] + home[first],
        vectors=images[image] - wrapped[first],
        distances=found["v"][~itself],
    )
