"""Bloch sums of the angular parts of two-centre integrals, for repeated evaluation in a fit."""

import numpy as np

from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS, angular_blocks
from nanogap.typing import ComplexArray, FloatArray


class BlochSums:
    """Angular parts of one reference, summed by shell of neighbours, ready for repeated evaluation.

    A shell is all bonds from one atom of the cell to the images of one other at one distance:
    they share their two-centre integrals.

    Parameters
    ----------
    reference : ReferenceBands
    model : TightBindingModel
        Its cut-off limits the bonds; its other parameters are not used.

    Attributes
    ----------
    reference : ReferenceBands
    n_atoms : int
    bond_centres : ndarray, shape (n_bonds,)
        First atom of every bond; every bond is there in both directions.
    bond_distances : ndarray, shape (n_bonds,)
        Angstrom.
    centre, other : ndarray, shape (n_shells,)
        The two atoms of every shell.
    distances : ndarray, shape (n_shells,)
        Angstrom.
    onsite : ndarray, shape (n_shells, 10, 9, 9)
        Angular parts of the crystal field, summed over the bonds of every shell.
    """

    def __init__(self, reference: ReferenceBands, model: TightBindingModel) -> None:
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
        field = angular_blocks(pairs.vectors / pairs.distances[:, None], onsite=True)
        self.onsite = np.empty((len(shells), *field.shape[1:]))
        for shell in range(len(shells)):
            bonds = np.flatnonzero(member.ravel() == shell)
            total = phases[:, bonds] @ blocks[bonds].reshape(len(bonds), -1)
            sums[:, shell] = total.reshape(-1, *blocks.shape[1:])
            self.onsite[shell] = field[bonds].sum(axis=0)
        pair = self.centre * self.n_atoms + self.other
        self._groups = [
            (p // self.n_atoms, p % self.n_atoms, members, sums[:, members])
            for p in np.unique(pair)
            for members in [np.flatnonzero(pair == p)]
        ]

    def bond_means(self, potentials: FloatArray) -> FloatArray:
        """Average the potentials (n_atoms,) over the two atoms of each shell, (n_shells,)."""
        result: FloatArray = (potentials[self.centre] + potentials[self.other]) / 2.0
        return result

    def onsite_blocks(self, values: FloatArray) -> FloatArray:
        """Sum the crystal field of all neighbours at every atom, by integral.

        Parameters
        ----------
        values : ndarray, shape (n_shells, 10, m)
            Its integrals at every shell, or m derivatives of them.

        Returns
        -------
        ndarray, shape (n_atoms, 10, m, 9, 9)
        """
        each = values[:, :, :, None, None] * self.onsite[:, :, None]
        result = np.zeros((self.n_atoms, *each.shape[1:]))
        np.add.at(result, self.centre, each)
        return result

    def matrices(self, values: FloatArray, only: int | None = None) -> ComplexArray:
        """Sum two-centre integrals to Bloch matrices.

        Parameters
        ----------
        values : ndarray, shape (n_shells, 10, m)
            Two-centre integrals of every shell, or m derivatives of them.
        only : int, optional
            Sum the contributions of this one of the ten integrals alone.

        Returns
        -------
        ndarray, shape (n_k, m, n_orbitals, n_orbitals)
        """
        chosen = slice(None) if only is None else slice(only, only + 1)
        n_k, m, size = len(self.reference.kpoints), values.shape[2], self.n_atoms * N_ORBITALS
        result = np.zeros((n_k, m, size, size), dtype=np.complex128)
        for i, j, members, sums in self._groups:
            weights = values[members][:, chosen].reshape(-1, m).T
            part = sums[:, :, chosen].reshape(n_k, -1, N_ORBITALS**2)
            total = (weights + 0j) @ part
            result[:, :, atom_slice(i), atom_slice(j)] = total.reshape(
                n_k, m, N_ORBITALS, N_ORBITALS
            )
        return result


def atom_slice(number: int) -> slice:
    """Return the places of an atom's orbitals."""
    return slice(number * N_ORBITALS, (number + 1) * N_ORBITALS)
