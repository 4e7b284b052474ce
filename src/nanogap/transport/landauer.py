"""Transmission of a junction at one wave vector.

Landauer transmission T = Tr[Gamma_L G Gamma_R G^+] (Caroli, Combescot, Nozieres & Saint-James,
J. Phys. C 4, 916 (1971), doi:10.1088/0022-3719/4/8/018). Both leads are folded, slice by slice,
into the middle of the channel, where G is needed; the eigenvalues of the transmission matrix
there are the eigenchannels (Paulsson & Brandbyge, Phys. Rev. B 76, 115117 (2007),
doi:10.1103/PhysRevB.76.115117).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from nanogap.transport.device import BlochBlock, Branch, Device
from nanogap.transport.slater_koster import N_ORBITALS

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Eigenvalues of a broadening below this part of the largest carry no current.
_NO_CHANNEL = 1e-13


@dataclass(frozen=True)
class FoldedJunction:
    """A junction at one wave vector and energy, folded into the middle of its channel.

    Attributes
    ----------
    broadenings : tuple of ndarray, shapes (n_left, n_left) and (n_right, n_right)
        Gamma = i (Sigma - Sigma^+) of the left and the right side where they reach the middle, eV.
    propagator : ndarray, shape (n_left, n_right)
        Retarded Green's function between the two, 1/eV.
    """

    broadenings: tuple[ComplexArray, ComplexArray]
    propagator: ComplexArray

    @property
    def transmission(self) -> float:
        """Transmission from lead to lead."""
        left, right = self.broadenings
        G = self.propagator
        return float(np.vdot(G @ right, left @ G).real)

    @property
    def eigenchannels(self) -> FloatArray:
        """Transmissions of the eigenchannels, largest first; they add up to the transmission."""
        left, right = (_root(broadening) for broadening in self.broadenings)
        amplitudes = left.conj().T @ self.propagator @ right
        values: FloatArray = scipy.linalg.svdvals(amplitudes, check_finite=False) ** 2
        return values


def fold(device: Device, k: FloatArray, energies: Sequence[float]) -> list[FoldedJunction]:
    """Fold a junction at one wave vector.

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
    if device.middle is None:
        nothing = np.zeros((0, 0), dtype=complex)
        return [FoldedJunction((nothing, nothing), nothing) for _ in energies]
    phases = np.exp(2j * np.pi * (device.translations @ np.asarray(k, dtype=np.float64)))
    branches = [_FoldedBranch(branch, k, phases) for branch in device.branches]
    h, s = device.middle.at(phases)
    result = []
    for energy in energies:
        inverse = energy * s - h
        sigmas = [branch.self_energy(energy) for branch in branches]
        for branch, sigma in zip(device.branches, sigmas, strict=True):
            inverse[np.ix_(branch.landing, branch.landing)] -= sigma
        left, right = device.branches
        source = np.zeros((len(inverse), len(right.landing)), dtype=complex)
        source[right.landing, np.arange(len(right.landing))] = 1.0
        propagator = np.asarray(np.linalg.solve(inverse, source)[left.landing], dtype=complex)
        from_left, from_right = (1j * (sigma - sigma.conj().T) for sigma in sigmas)
        result.append(FoldedJunction((from_left, from_right), propagator))
    return result


class _FoldedBranch:
    """A branch at one wave vector."""

    def __init__(self, branch: Branch, k: FloatArray, phases: ComplexArray) -> None:
        def at(blocks: list[BlochBlock]) -> list[tuple[ComplexArray, ComplexArray]]:
            return [block.at(phases) for block in blocks]

        self._lead, self._k = branch.lead, k
        self._coupling = branch.coupling.at(phases)
        self._own, self._onward = at(branch.own), at(branch.onward)

    def self_energy(self, energy: float) -> ComplexArray:
        """Self-energy of the branch and its lead in the middle, eV."""
        sigma = self._lead_self_energy(energy)
        for (h, s), (h_next, s_next) in zip(self._own, self._onward, strict=True):
            onward = energy * s_next - h_next
            sigma = onward @ np.linalg.solve(energy * s - h - sigma, onward.conj().T)
        return sigma

    def _lead_self_energy(self, energy: float) -> ComplexArray:
        """Self-energy of the lead on the first slice, eV."""
        lead, (h, s) = self._lead, self._coupling
        basis = lead.bloch_basis(self._k)
        size = lead.unit.motif_size * N_ORBITALS
        coupling = (energy * s - h).reshape(-1, lead.layers, len(basis), size)
        waves = np.einsum("aljb,jq->qalb", coupling, basis, optimize=True)
        waves = waves.reshape(len(basis), len(coupling), -1)
        folded = waves @ lead.surface(self._k, energy) @ waves.conj().swapaxes(1, 2)
        return np.asarray(folded.sum(axis=0))


def _root(broadening: ComplexArray) -> ComplexArray:
    """Return F with F F^+ the broadening, as many columns as carry current."""
    if not broadening.size:
        return broadening
    values, vectors = np.linalg.eigh(broadening)
    kept = values > _NO_CHANNEL * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))
