"""Recursive Green's function of a junction by block elimination, at one wave vector and energy.

Landauer transmission T = Tr[Gamma_L G Gamma_R G^+] (Caroli, Combescot, Nozieres & Saint-James,
J. Phys. C 4, 916 (1971), doi:10.1088/0022-3719/4/8/018). The broadening of a lead has as many
non-zero eigenvalues as the lead has open channels, Gamma = F F^+, so that t = F_L^+ G F_R is a
small matrix of amplitudes; its squared singular values are the eigenchannels (Paulsson &
Brandbyge, Phys. Rev. B 76, 115117 (2007), doi:10.1103/PhysRevB.76.115117).

Atoms are eliminated from both leads towards a central block. With D = E S - H - Sigma, elimination
of a group g gives its front f the self-energy Sigma_ff + D_fg D_gg^-1 D_gf and turns F_f into
F_f - D_fg D_gg^-1 F_g. Gamma = F F^+ stays true: with P = (-D_fg D_gg^-1, 1) the new D is P D P^+.
"""

import threading
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from nanogap.transport.negf.block_arrangement import FrontalMatrix
from nanogap.transport.negf.blocks import BlochSum, mirror, subtract_at
from nanogap.transport.negf.device import Device
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray, IntArray


@dataclass(frozen=True)
class TransmissionAmplitudes:
    """Transmission amplitudes of a junction at one wave vector and energy.

    Attributes
    ----------
    matrix : ndarray, shape (n_left, n_right)
        t = F_L^+ G F_R between the open channels of the leads.
    """

    matrix: ComplexArray

    @property
    def transmission(self) -> float:
        """Transmission from lead to lead, Tr(t t^+)."""
        return float(np.vdot(self.matrix, self.matrix).real)

    @property
    def eigenchannels(self) -> FloatArray:
        """Transmissions of the eigenchannels, largest first; they add up to the transmission."""
        if not self.matrix.size:
            return np.zeros(0)
        values: FloatArray = scipy.linalg.svdvals(self.matrix, check_finite=False) ** 2
        return values


@dataclass(frozen=True)
class EliminatedGroup:
    """Matrices that give a wave function in an eliminated group from that on its front.

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
class Branch:
    """A lead and the atoms eliminated from its side.

    Attributes
    ----------
    self_energy : ndarray, shape (n_front, n_front)
        Of all of them on the last front, eV.
    waves : ndarray, shape (n_front, n_open)
        F there, with the broadening F F^+, eV^(1/2).
    groups : list of EliminatedGroup
        From the lead to the front; empty if they were not asked for.
    """

    self_energy: ComplexArray
    waves: ComplexArray
    groups: list[EliminatedGroup]


@dataclass(frozen=True)
class CentralBlock:
    """The atoms of the channel that are left between two eliminated branches.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
        E S - H - Sigma_L - Sigma_R, eV.
    branches : tuple of Branch
        Left and right.
    sources : tuple of ndarray, each of shape (n, n_open)
        F of the left and of the right branch on the orbitals of the block.
    """

    matrix: ComplexArray
    branches: tuple[Branch, Branch]
    sources: tuple[ComplexArray, ComplexArray]


def transmission_amplitudes(device: Device, k: FloatArray, energy: float) -> TransmissionAmplitudes:
    """Compute the transmission amplitudes of a junction at one wave vector and energy.

    Parameters
    ----------
    device : Device
    k : ndarray, shape (2,)
        Fractions of the reciprocal cell.
    energy : float
        eV on the Hamiltonian's scale.

    Returns
    -------
    TransmissionAmplitudes
        An empty matrix if no orbitals couple from lead to lead.
    """
    if not device.arrangement.connected:
        return TransmissionAmplitudes(np.zeros((0, 0), dtype=complex))
    central = eliminate_branches(device, k, energy)
    left, _ = central.branches
    solution = np.linalg.solve(central.matrix, central.sources[1])
    rows = _orbitals_at(device.arrangement.last_fronts[0])
    return TransmissionAmplitudes(np.asarray(left.waves.conj().T @ solution[rows]))


def eliminate_branches(
    device: Device, k: FloatArray, energy: float, *, keep_groups: bool = False
) -> CentralBlock:
    """Eliminate all atoms but the central block, from both leads inwards.

    Parameters
    ----------
    device : Device
    k : ndarray, shape (2,)
        Fractions of the reciprocal cell.
    energy : float
        eV on the Hamiltonian's scale.
    keep_groups : bool
        Return what is needed to go back to the eliminated atoms.

    Returns
    -------
    CentralBlock
    """
    k = np.asarray(k, dtype=np.float64)
    arrangement = device.arrangement
    blochs = BlochSum(
        blocks=device.blocks(energy),
        translation=arrangement.pairs.translation,
        phases=np.exp(2j * np.pi * (device.translations @ k)),
    )
    branches = []
    for contact, fronts in zip(arrangement.contacts, arrangement.branches, strict=True):
        surface = contact.lead.surface(k, energy)
        sigma, waves = contact.self_energy(surface, k, blochs, arrangement.pairs.overlap)
        lead = Branch(sigma, waves, [])
        branches.append(_eliminate_branch(lead, fronts, blochs, keep_groups=keep_groups))
    size = N_ORBITALS * len(arrangement.order.central)
    matrix = np.zeros((size, size), dtype=complex)
    blochs.add_to(matrix, arrangement.central)
    sources = []
    for branch, places in zip(branches, arrangement.last_fronts, strict=True):
        subtract_at(matrix, branch.self_energy, places)
        source = np.zeros((size, branch.waves.shape[1]), dtype=complex)
        source[_orbitals_at(places)] = branch.waves
        sources.append(source)
    return CentralBlock(matrix, (branches[0], branches[1]), (sources[0], sources[1]))


def _orbitals_at(places: IntArray) -> IntArray:
    """Return all orbitals of atoms from their first ones."""
    return np.asarray((places[:, None] + np.arange(N_ORBITALS)).ravel())


def _eliminate_branch(
    lead: Branch, fronts: list[FrontalMatrix], blochs: BlochSum, *, keep_groups: bool
) -> Branch:
    """Eliminate a branch, group by group, from its lead to the central block."""
    sigma, waves = lead.self_energy, lead.waves
    groups = []
    for number, front in enumerate(fronts):
        g, n = (N_ORBITALS * len(atoms) for atoms in (front.step.group, front.step.front))
        # the last self-energy is a part of the buffer that is not used now
        matrix = _BUFFERS.take(number % 2, (g + n, g + n))
        matrix.fill(0.0)
        blochs.add_to(matrix, front.pairs)
        mirror(matrix, g)
        subtract_at(matrix, sigma, front.inherited)
        source = np.zeros((g + n, waves.shape[1]), dtype=complex)
        source[_orbitals_at(front.inherited)] = waves
        # products are faster than solving for many right-hand sides
        known = np.concatenate([matrix[:g, g:], source[:g]], axis=1)
        solved = np.linalg.inv(matrix[:g, :g]) @ known
        change = _BUFFERS.take(2, (n, solved.shape[1]))
        np.matmul(matrix[g:, :g], solved, out=change)
        # pairs within the front come later: it holds minus the self-energy so far
        sigma = np.subtract(change[:, :n], matrix[g:, g:], out=matrix[g:, g:])
        waves = source[g:] - change[:, n:]
        if keep_groups:
            groups.append(EliminatedGroup(solved[:, :n], solved[:, n:]))
    return Branch(sigma.copy(), waves, groups)


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
