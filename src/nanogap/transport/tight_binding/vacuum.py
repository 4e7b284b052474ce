"""Coupling across vacuum: the tail that a finite cut-off would take from tunnelling.

Beyond the last occupied orbitals a wave function of energy E_F decays as exp(-kappa r)/r, with
kappa = sqrt(2 m W)/hbar for the work function W, and the coupling of two surfaces is a surface
integral over both tails (Bardeen, Phys. Rev. Lett. 6, 57 (1961), doi:10.1103/PhysRevLett.6.57).
For s orbitals it is proportional to the tail itself, and every p orbital turns it into a
derivative along its axis (Chen, Phys. Rev. B 42, 8841 (1990), doi:10.1103/PhysRevB.42.8841):

    ss = -a_s^2 Y,  sp_sigma = -a_s a_p Y'/kappa,  pp_sigma = a_p^2 Y''/kappa^2,
    pp_pi = a_p^2 Y'/(kappa^2 R),  Y(R) = (R1/R) exp(-kappa (R - R1) + delta lambda (1 - e))

with e = exp(-(R - R1)/lambda). Summed over a plane of atoms, exp(-kappa R)/R gives waves of
in-plane wave vector k the decay sqrt(kappa^2 + k^2): that of a barrier. The term with delta is
the lower barrier of a narrow gap, whose middle is not yet vacuum: the decay begins at
kappa - delta and reaches kappa over a distance lambda. Such a coupling is one through empty
space: it is there only between atoms that face vacuum, and where no third atom stands between.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from nanogap.transport.tight_binding.slater_koster import INTEGRALS
from nanogap.typing import FloatArray, IntArray

#: Neighbours of an atom in a (111) plane.
_PLANE = 9.0


def smooth_step(values: FloatArray, start: float, end: float) -> FloatArray:
    """Rise from 0 at `start` to 1 at `end` with two continuous derivatives; any shape."""
    x = np.clip((values - start) / (end - start), 0.0, 1.0)
    result: FloatArray = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    return result


@dataclass(frozen=True)
class VacuumTail:
    """Coupling through empty space of one element.

    Attributes
    ----------
    decay : float
        kappa, 1/angstrom.
    s, p : float
        a_s and a_p, square roots of the coupling at `onset[1]`, eV^(1/2).
    relief, relief_range : float
        delta, 1/angstrom, and lambda, angstrom.
    protrusion : float
        beta: the amplitude of an atom of n < 9 neighbours is 1 + beta (1 - n/9) times that of one
        in a (111) plane, for waves spill out farther from what sticks out.
    onset : tuple of float
        Distances between which the tail takes over from the two-centre integrals, angstrom.
    end : tuple of float
        Distances between which the tail is faded out, angstrom.
    bond : tuple of float
        A neighbour nearer than the first length counts as one, one farther than the second does
        not, angstrom: about the middle between first and second neighbours.
    exposed : tuple of float
        Number of neighbours up to which an atom faces vacuum, and from which it does not (12 in
        the crystal, 9 on its (111) surface).
    between : tuple of float
        An atom nearer to the line between two others than the first length blocks it; one
        farther than the second does not, angstrom.
    """

    decay: float
    s: float
    p: float
    relief: float = 0.0
    relief_range: float = 2.0
    protrusion: float = 0.0
    onset: tuple[float, float] = (4.8, 6.0)
    end: tuple[float, float] = (12.0, 15.0)
    bond: tuple[float, float] = (3.3, 4.1)
    exposed: tuple[float, float] = (9.3, 11.3)
    between: tuple[float, float] = (1.6, 2.8)

    def two_centre(self, distances: FloatArray) -> FloatArray:
        """Compute the two-centre integrals of the tail, as `INTEGRALS`, shape (n, 10), eV."""
        x, beyond = self.decay * distances, distances - self.onset[1]
        relieved = self.relief * self.relief_range * -np.expm1(-beyond / self.relief_range)
        tail = self.onset[1] / distances * np.exp(relieved - self.decay * beyond)
        slope = -tail * (1.0 + 1.0 / x)  # Y'/kappa
        curvature = tail * (1.0 + 2.0 / x + 2.0 / x**2)  # Y''/kappa^2
        values = np.zeros((len(distances), len(INTEGRALS)))
        values[:, 0] = -(self.s**2) * tail
        values[:, 1] = -self.s * self.p * slope
        values[:, 2] = self.p**2 * curvature
        values[:, 3] = self.p**2 * slope / x
        return values

    def bond_count(self, distances: FloatArray) -> FloatArray:
        """Count neighbours by their distances, 0 to 1 each; any shape."""
        return 1.0 - smooth_step(distances, *self.bond)

    def exposure(self, coordination: FloatArray) -> FloatArray:
        """Compute how far atoms face vacuum, 0 to 1, from numbers of neighbours; any shape."""
        return 1.0 - smooth_step(coordination, *self.exposed)

    def amplitude(self, coordination: FloatArray) -> FloatArray:
        """Compute the amplitude relative to that of an atom in a (111) plane; any shape."""
        result: FloatArray = 1.0 + self.protrusion * np.maximum(1.0 - coordination / _PLANE, 0.0)
        return result

    def weight(self, distances: FloatArray) -> FloatArray:
        """Compute the weight of the tail at distances, 0 to 1; any shape."""
        return smooth_step(distances, *self.onset) * (1.0 - smooth_step(distances, *self.end))


def surroundings(atoms: Atoms, positions: FloatArray, reach: float) -> tuple[FloatArray, IntArray]:
    """Return positions in the cell and their images within a reach of them, and whose they are.

    Returns
    -------
    positions : ndarray, shape (n, 3)
    atoms : ndarray of int, shape (n,)
    """
    cell = np.asarray(atoms.cell.complete())
    inverse = np.linalg.inv(cell)
    counts = np.where(atoms.pbc, np.ceil(reach * np.linalg.norm(inverse, axis=0)), 0).astype(int)
    ranges = [range(-n - 1, n + 2) if n else range(1) for n in counts]
    shifts = np.array(list(itertools.product(*ranges)))
    everywhere = (positions[None] + (shifts @ cell)[:, None]).reshape(-1, 3)
    low, high = positions.min(axis=0) - reach, positions.max(axis=0) + reach
    kept = np.flatnonzero(np.all((everywhere > low) & (everywhere < high), axis=1))
    return everywhere[kept], kept % len(positions)
