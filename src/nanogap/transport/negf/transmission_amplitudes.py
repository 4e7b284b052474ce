"""Transmission of a junction at one wave vector.

Landauer transmission T = Tr[Gamma_L G Gamma_R G^+] (Caroli, Combescot, Nozieres & Saint-James,
J. Phys. C 4, 916 (1971), doi:10.1088/0022-3719/4/8/018). The broadening of a lead has as many
non-zero eigenvalues as the lead has open channels, Gamma = F F^+, so that t = F_L^+ G F_R is a
small matrix of amplitudes; its squared singular values are the eigenchannels (Paulsson &
Brandbyge, Phys. Rev. B 76, 115117 (2007), doi:10.1103/PhysRevB.76.115117).

Atoms are eliminated from both leads towards the middle of the channel. Elimination of a group g
turns D and F of its front f into D_ff - D_fg D_gg^-1 D_gf and F_f - D_fg D_gg^-1 F_g, and
Gamma = F F^+ stays true: with P = (-D_fg D_gg^-1, 1) the new matrix is P D P^+.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from nanogap.transport.negf.blocks import BlochSum, add_front, mirror
from nanogap.transport.negf.device import Device, FrontPlan
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray


@dataclass(frozen=True)
class FoldedJunction:
    """A junction at one wave vector and energy.

    Attributes
    ----------
    amplitudes : ndarray, shape (n_left, n_right)
        F_L^+ G F_R between the open channels of the leads.
    """

    amplitudes: ComplexArray

    @property
    def transmission(self) -> float:
        """Transmission from lead to lead."""
        return float(np.vdot(self.amplitudes, self.amplitudes).real)

    @property
    def eigenchannels(self) -> FloatArray:
        """Transmissions of the eigenchannels, largest first; they add up to the transmission."""
        if not self.amplitudes.size:
            return np.zeros(0)
        values: FloatArray = scipy.linalg.svdvals(self.amplitudes, check_finite=False) ** 2
        return values


@dataclass(frozen=True)
class Eliminated:
    """What is needed to go back from a front to the group that was eliminated before it.

    Attributes
    ----------
    response : ndarray, shape (n_group, n_front)
        D_gg^-1 D_gf.
    source : ndarray, shape (n_group, n_open)
        D_gg^-1 F_g.
    """

    response: ComplexArray
    source: ComplexArray


@dataclass(frozen=True)
class FoldedBranch:
    """A lead and the atoms eliminated from its side, as the middle sees them.

    Attributes
    ----------
    effect : ndarray, shape (n_front, n_front)
        What the branch adds to D of its front: minus its self-energy, eV.
    waves : ndarray, shape (n_front, n_open)
        F, with the broadening F F^+, eV^(1/2).
    eliminated : list of Eliminated
        Of all steps if they were to be kept.
    """

    effect: ComplexArray
    waves: ComplexArray
    eliminated: list[Eliminated]


def fold(device: Device, k: FloatArray, energies: Sequence[float]) -> list[FoldedJunction]:
    """Compute the amplitudes of a junction at one wave vector.

    Parameters
    ----------
    device : Device
    k : ndarray, shape (2,)
        Fractions of the reciprocal cell.
    energies : sequence of float
        eV on the Hamiltonian's scale.

    Returns
    -------
    list of FoldedJunction
        One for each energy; their transmission is zero if no orbitals couple from lead to lead.
    """
    return [fold_at(device, k, energy) for energy in energies]


def fold_at(device: Device, k: FloatArray, energy: float) -> FoldedJunction:
    """Compute the amplitudes at one energy; see `fold`."""
    if not device.connected:
        return FoldedJunction(np.zeros((0, 0), dtype=complex))
    branches, matrix = middle_of(device, k, energy)
    left, right = branches
    source = landed(device, 1, right.waves)
    solution = np.linalg.solve(matrix, source)
    rows = orbitals_at(device.landings[0])
    return FoldedJunction(np.asarray(left.waves.conj().T @ solution[rows]))


def middle_of(
    device: Device, k: FloatArray, energy: float, *, keep: bool = False
) -> tuple[list[FoldedBranch], ComplexArray]:
    """Fold both branches, and return them with D of the middle.

    Parameters
    ----------
    device : Device
    k : ndarray, shape (2,)
    energy : float
    keep : bool
        Keep what is needed to go back to the eliminated atoms.
    """
    k = np.asarray(k, dtype=np.float64)
    blochs = BlochSum(
        blocks=device.blocks(energy),
        translation=device.pairs.translation,
        phases=np.exp(2j * np.pi * (device.translations @ k)),
    )
    branches = []
    for contact, fronts in zip(device.contacts, device.branches, strict=True):
        surface = contact.lead.surface(k, energy)
        effect, waves = contact.effect(surface, k, blochs, device.pairs.overlap)
        branches.append(_fold_branch(FoldedBranch(effect, waves, []), fronts, blochs, keep=keep))
    size = N_ORBITALS * len(device.plan.middle)
    matrix = np.zeros((size, size), dtype=complex)
    blochs.add_to(matrix, device.middle)
    for branch, landing in zip(branches, device.landings, strict=True):
        add_front(matrix, branch.effect, landing)
    return branches, matrix


def landed(device: Device, side: int, waves: ComplexArray) -> ComplexArray:
    """Vectors on the last front of a branch as vectors on the middle."""
    result = np.zeros((N_ORBITALS * len(device.plan.middle), waves.shape[1]), dtype=complex)
    result[orbitals_at(device.landings[side])] = waves
    return result


def orbitals_at(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """All orbitals of atoms from their first ones."""
    return np.asarray((places[:, None] + np.arange(N_ORBITALS)).ravel())


def _fold_branch(
    lead: FoldedBranch, fronts: list[FrontPlan], blochs: BlochSum, *, keep: bool
) -> FoldedBranch:
    """Eliminate a branch, group by group, from its lead to the middle."""
    effect, waves = lead.effect, lead.waves
    eliminated = []
    for number, plan in enumerate(fronts):
        g, n = (N_ORBITALS * len(atoms) for atoms in (plan.step.group, plan.step.front))
        # the last effect is a part of the buffer that is not used now
        matrix = _BUFFERS.take(number % 2, (g + n, g + n))
        matrix.fill(0.0)
        blochs.add_to(matrix, plan.pairs)
        mirror(matrix, g)
        add_front(matrix, effect, plan.inherited)
        source = np.zeros((g + n, waves.shape[1]), dtype=complex)
        source[orbitals_at(plan.inherited)] = waves
        # products are faster than solving for many right-hand sides
        known = np.concatenate([matrix[:g, g:], source[:g]], axis=1)
        solved = np.linalg.inv(matrix[:g, :g]) @ known
        change = _BUFFERS.take(2, (n, solved.shape[1]))
        np.matmul(matrix[g:, :g], solved, out=change)
        effect = matrix[g:, g:]
        effect -= change[:, :n]
        waves = source[g:] - change[:, n:]
        if keep:
            eliminated.append(Eliminated(solved[:, :n], solved[:, n:]))
    return FoldedBranch(effect.copy(), waves, eliminated)


class _Buffers(threading.local):
    """Memory of one thread that is used again: fresh memory costs as much as the arithmetic."""

    def __init__(self) -> None:
        self._kept: dict[int, ComplexArray] = {}

    def take(self, number: int, shape: tuple[int, int]) -> ComplexArray:
        """Return one of the buffers in a shape, with whatever it holds."""
        size = shape[0] * shape[1]
        kept = self._kept.get(number)
        if kept is None or kept.size < size:
            kept = self._kept[number] = np.empty(size, dtype=complex)
        return kept[:size].reshape(shape)


_BUFFERS = _Buffers()
