"""Self-energy of a lead in the channel, Sigma = V g V^+, and its broadening F F^+.

A lead is cut where its crystal still goes on, so the atoms that touch it are copies of a few, moved
by the lead's own translations: their couplings differ only by the potentials of the atoms, H_ij
having the term S_ij (v_i + v_j)/2. One set of small matrices for each Bloch wave q of the lead then
gives the whole self-energy (with the potentials v of the copies put in at the end),

    Sigma = sum_q P_q (V_q - v S_q/2) g_q (V_q - v S_q/2)^+ P_q^+,  P_q = exp(2 pi i q.T)

where the direct sum over all atoms would cost as much as all the rest. That the atoms are such
copies is checked to rounding errors when the contact is made; otherwise the direct sum is done.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from nanogap.transport.negf.blocks import BlochSum, PairBlocks, Placement
from nanogap.transport.negf.lead_unit import SAME_PLACE, LeadUnit
from nanogap.transport.negf.leads import Lead, Surface
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray, IntArray

#: Couplings of copies agree to this part of the largest.
_SAME_COUPLING = 1e-11
#: A wave vector without any symmetry, to compare couplings at.
_SOME_K = np.array([0.2371, 0.3119])


@dataclass(frozen=True)
class Copies:
    """Atoms at a lead, written as translated copies of a few originals.

    Attributes
    ----------
    originals : ndarray of int, shape (n_originals,)
        Places of the few among the atoms.
    kind : ndarray of int, shape (n_atoms,)
        Number of the original of each.
    moved : ndarray, shape (n_atoms, 2)
        From the original, fractions of the in-plane cell.
    potential : ndarray, shape (n_atoms,)
        Less that of the original, eV.
    translation : ndarray of int, shape (n_atoms, n_atoms)
        Number of the lead's translation from the second atom to the first, kinds aside.
    lattice : ndarray, shape (n_atoms, n_atoms, 2)
        The same in lattice translations that come on top, cell vectors.
    """

    originals: IntArray
    kind: IntArray
    moved: FloatArray
    potential: FloatArray
    translation: IntArray
    lattice: FloatArray


@dataclass(frozen=True)
class Contact:
    """Contact of a lead and the channel: the coupling that gives the self-energy.

    Attributes
    ----------
    lead : Lead
    touched : ndarray of int
        Atoms of the channel that couple to the lead.
    orbitals : ndarray of int
        Orbitals of a principal layer's motif that couple to the channel.
    coupling : Placement
        To the lead, in stacked matrices of one translation of the lead each; rows are those of
        `touched`, or of the originals of `copies`.
    copies : Copies or None
        None if the atoms are no copies.
    """

    lead: Lead
    touched: IntArray
    orbitals: IntArray
    coupling: Placement
    copies: Copies | None

    @property
    def operations(self) -> float:
        """Floating-point operations on real numbers, of the largest matrix products."""
        n_q, m = len(self.lead.unit.translations), len(self.orbitals)
        if self.copies is None:
            n = N_ORBITALS * len(self.touched)
            return 8.0 * n_q * (n * m**2 + n**2 * m)
        n = 2 * N_ORBITALS * len(self.copies.originals)
        return 8.0 * n_q * (n * m**2 + n**2 * m + n**2 * n_q)

    def self_energy(
        self, surface: Surface, k: FloatArray, blochs: BlochSum, overlap: FloatArray
    ) -> tuple[ComplexArray, ComplexArray]:
        """Compute the self-energy of the lead on the atoms of the channel that couple to it.

        Parameters
        ----------
        surface : Surface
            Of the lead at k and the energy.
        k : ndarray, shape (2,)
        blochs : BlochSum
            E S - H.
        overlap : ndarray, shape (n_pairs, 9, 9)
            S of the same pairs.

        Returns
        -------
        sigma : ndarray, shape (n, n)
            Retarded self-energy, eV; n = 9 len(touched).
        waves : ndarray, shape (n, n_open)
            F, with the broadening F F^+, eV^(1/2).
        """
        green = surface.green[:, self.orbitals[:, None], self.orbitals]
        open_waves = [wave[self.orbitals] for wave in surface.waves]
        if self.copies is not None:
            return self._of_copies(self.copies, green, open_waves, k, (blochs, overlap))
        n = N_ORBITALS * len(self.touched)
        couplings = self._waves(k, blochs, n)
        left = (couplings @ green).swapaxes(0, 1).reshape(n, -1)
        right = couplings.swapaxes(0, 1).reshape(n, -1)
        waves = [part @ wave for part, wave in zip(couplings, open_waves, strict=True)]
        return left @ right.conj().T, np.concatenate(waves, axis=1)

    def _waves(self, k: FloatArray, blochs: BlochSum, n: int) -> ComplexArray:
        """Couplings of n orbitals to the Bloch waves of the lead, shape (n_q, n, n_orbitals)."""
        basis, m = self.lead.bloch_basis(k), len(self.orbitals)
        stacked = np.zeros((len(basis) * n, m), dtype=complex)
        blochs.add_to(stacked, self.coupling)
        return np.asarray((basis.T @ stacked.reshape(len(basis), n * m)).reshape(-1, n, m))

    def _of_copies(
        self,
        copies: Copies,
        green: ComplexArray,
        open_waves: list[ComplexArray],
        k: FloatArray,
        matrices: tuple[BlochSum, FloatArray],
    ) -> tuple[ComplexArray, ComplexArray]:
        """Compute the self-energy of the originals, and translate it to all copies."""
        n = N_ORBITALS * len(copies.originals)
        blochs, overlap = matrices
        parts = [self._waves(k, bloch, n) for bloch in (blochs, replace(blochs, blocks=overlap))]
        both = np.concatenate([parts[0], -0.5 * parts[1]], axis=1)
        small = both @ green @ both.conj().swapaxes(1, 2)
        wave_vectors, lead_translations = self.lead.wave_vectors(k), self.lead.unit.translations
        moves = np.exp(2j * np.pi * (lead_translations @ wave_vectors.T))
        by_translation = (moves @ small.reshape(len(small), -1)).reshape(-1, 2 * n, 2 * n)
        phases = np.exp(2j * np.pi * (copies.lattice @ k))
        sigma = np.zeros((N_ORBITALS * len(self.touched),) * 2, dtype=complex)
        _spread(sigma, by_translation, copies.translation, phases, copies.kind, copies.potential)
        places = np.exp(2j * np.pi * (copies.moved @ wave_vectors.T))
        rows = N_ORBITALS * copies.kind[:, None] + np.arange(N_ORBITALS)
        waves = []
        for number, (part, wave) in enumerate(zip(both, open_waves, strict=True)):
            arriving = part @ wave
            values = arriving[rows] + copies.potential[:, None, None] * arriving[rows + n]
            waves.append(
                (places[:, number, None, None] * values).reshape(len(sigma), -1 if wave.size else 0)
            )
        return sigma, np.concatenate(waves, axis=1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _spread(  # noqa: PLR0917 the arrays of one loop
    target: ComplexArray,
    small: ComplexArray,
    translation: IntArray,
    phases: ComplexArray,
    kind: IntArray,
    potential: FloatArray,
) -> None:
    n = small.shape[1] // 2
    size = target.shape[0] // len(kind)
    for i in range(len(kind)):
        for j in range(len(kind)):
            block, phase = small[translation[i, j]], phases[i, j]
            v, w = potential[i], potential[j]
            for a in range(size):
                row = kind[i] * size + a
                for b in range(size):
                    column = kind[j] * size + b
                    target[i * size + a, j * size + b] = phase * (
                        block[row, column]
                        + v * block[row + n, column]
                        + w * block[row, column + n]
                        + v * w * block[row + n, column + n]
                    )


@dataclass(frozen=True)
class ContactPairs:
    """Pairs of atoms between a channel and a lead.

    Attributes
    ----------
    pairs : PairBlocks
    rows : ndarray of int, shape (n_pairs,)
        Place of the channel's atom among those that touch the lead.
    translation, column : ndarray of int, shape (n_pairs,)
        Translation of the lead, and place in its motif, of the lead's atom.
    lattice : ndarray, shape (n_t, 2)
        In-plane lattice translations of `pairs`.
    """

    pairs: PairBlocks
    rows: IntArray
    translation: IntArray
    column: IntArray
    lattice: IntArray


def find_copies(lead: Lead, positions: FloatArray, contact: ContactPairs) -> Copies | None:
    """Find the originals that the atoms at a lead are translated copies of.

    Parameters
    ----------
    lead : Lead
    positions : ndarray, shape (n_atoms, 3)
        Of the atoms that touch the lead, angstrom.
    contact : ContactPairs

    Returns
    -------
    Copies or None
        None if they are not, or if the lead has no translations within its cell.
    """
    unit = lead.unit
    if len(unit.translations) == 1:
        return None
    originals, kind, moved = _sorted_into_copies(positions, unit)
    if len(originals) * len(unit.translations) != len(positions):
        return None
    waves = _coupling_waves(lead, len(positions), contact)
    potential = _potentials_of_copies(
        waves.reshape(2, -1, len(positions), N_ORBITALS, waves.shape[-1]),
        np.exp(-2j * np.pi * (lead.wave_vectors(_SOME_K) @ moved.T)),
        originals[kind],
    )
    if potential is None:
        return None
    # few of the atoms are moved differently
    steps, which = np.unique(np.round(moved, 6), axis=0, return_inverse=True)
    difference = steps[:, None] - steps[None, :]
    fractional = difference[:, :, None] - unit.translations
    away = np.abs(fractional - np.rint(fractional)).sum(axis=-1)
    number = np.argmin(away, axis=-1)
    number_of_cells = np.rint(difference - unit.translations[number])
    pairs = np.ix_(which.ravel(), which.ravel())
    translation, lattice = number[pairs], number_of_cells[pairs]
    return Copies(originals, kind, moved, potential, translation, lattice)


def _potentials_of_copies(
    waves: ComplexArray, phases: ComplexArray, original: IntArray
) -> FloatArray | None:
    """Potentials by which H of copies differs from that of their originals, eV; None if not so.

    Parameters
    ----------
    waves : ndarray, shape (2, n_q, n_atoms, 9, m)
        H and S between the atoms and the Bloch waves of the lead.
    phases : ndarray, shape (n_q, n_atoms)
        Those that move a copy back.
    original : ndarray of int, shape (n_atoms,)
        Place of the original of each atom.
    """
    potential = np.zeros(len(original))
    allowed = (_SAME_COUPLING * _largest(waves)) ** 2
    for source in np.unique(original):
        back = phases[None, :, source, None, None]
        reference, overlap = waves[:, :, source] * back
        norm = float((overlap.real**2 + overlap.imag**2).sum())
        for atom in np.flatnonzero(original == source):
            h, s = waves[:, :, atom] * phases[None, :, atom, None, None]
            h -= reference
            s -= overlap
            # without overlap potentials change nothing here
            shift = 2.0 * float(np.vdot(overlap, h).real) / norm if norm else 0.0
            h -= 0.5 * shift * overlap
            if not max(_largest(h), _largest(s)) ** 2 <= allowed:
                return None
            potential[atom] = shift
    return potential


def _largest(values: ComplexArray) -> float:
    """Largest absolute value."""
    return math.sqrt(float((values.real**2 + values.imag**2).max(initial=0.0)))


def _sorted_into_copies(
    positions: FloatArray, unit: LeadUnit
) -> tuple[IntArray, IntArray, FloatArray]:
    """Originals, which of them each atom is a copy of, and how far it is from that one."""
    fractional = positions[:, :2] @ np.linalg.inv(unit.cell)
    originals: list[int] = []
    kind = np.full(len(positions), -1)
    moved = np.zeros((len(positions), 2))
    for atom, position in enumerate(positions):
        if kind[atom] >= 0:
            continue
        steps = fractional - fractional[atom]
        left = steps[:, None] - unit.translations
        left -= np.where(unit.periodic, np.rint(left), 0.0)
        away = np.linalg.norm(left @ unit.cell, axis=-1).min(axis=1)
        same = (np.hypot(away, positions[:, 2] - position[2]) < SAME_PLACE) & (kind < 0)
        kind[same], moved[same] = len(originals), steps[same]
        originals.append(atom)
    return np.array(originals), kind, moved


def _coupling_waves(lead: Lead, n_atoms: int, contact: ContactPairs) -> ComplexArray:
    """H and S between the atoms and the Bloch waves of the lead, (2, n_q, 9 n_atoms, m)."""
    basis = lead.bloch_basis(_SOME_K) * math.sqrt(len(lead.unit.translations))
    n, m = N_ORBITALS * n_atoms, N_ORBITALS * (int(contact.column.max()) + 1)
    placement = Placement(
        0,
        len(contact.pairs),
        N_ORBITALS * (contact.translation * n_atoms + contact.rows),
        N_ORBITALS * contact.column,
    )
    phases = np.exp(2j * np.pi * (contact.lattice @ _SOME_K))
    result = []
    for blocks in (contact.pairs.hamiltonian, contact.pairs.overlap):
        stacked = np.zeros((len(basis) * n, m), dtype=complex)
        BlochSum(blocks, contact.pairs.translation, phases).add_to(stacked, placement)
        result.append((basis.T @ stacked.reshape(len(basis), n * m)).reshape(-1, n, m))
    return np.array(result)
