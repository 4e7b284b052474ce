"""EChemDID: the local electrochemical potential of metal under an applied voltage.

Onofrio & Strachan, J. Chem. Phys. 143, 054109 (2015), doi:10.1063/1.4927562. Each atom carries a
potential; the fixed bases hold the applied one, and it equilibrates through connected metal:

    dphi_i/dt = (k / n) sum_j w(r_ij) (phi_j - phi_i) / r_ij^2,   w(r) = (1 - (r/r_c)^2)^2

for r < r_c, with a diffusion constant k (angstrom^2/fs) and a normalisation n. In a cubic crystal
the sum tends to n_lattice times the Laplacian, n_lattice = sum_j w(r_ij) / 6, so n = n_lattice
makes k the diffusion constant; the authors' published n = 0.629967 is that of their bcc test.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

from nanogap.dynamics.laplace import (
    cluster_labels,
    diffuse,
    graph_laplacian,
    largest_diagonal,
    solve_laplace,
)
from nanogap.structure.connectivity import neighbour_pairs
from nanogap.structure.tips import BOTTOM, TOP, nearest_neighbour_distance
from nanogap.typing import FloatArray

#: Largest change of a sub-step relative to the distance from equilibrium; above 1 it overshoots.
_STABLE_FRACTION = 0.5
_SOLVER_TOLERANCE = 1e-10


def bond_weight(distance: FloatArray | float, cutoff: float) -> FloatArray:
    """Weight of a neighbour, w(r) = (1 - (r/r_c)^2)^2 and 0 beyond r_c.

    Parameters
    ----------
    distance : ndarray or float
        Angstrom.
    cutoff : float
        r_c, angstrom.

    Returns
    -------
    ndarray
        Dimensionless, shape of `distance`.
    """
    ratio = np.asarray(distance, dtype=np.float64) / cutoff
    weight: FloatArray = (1.0 - np.minimum(ratio * ratio, 1.0)) ** 2
    return weight


def lattice_normalisation(lattice_constant: float, cutoff: float) -> float:
    """Normalisation that makes k the diffusion constant in bulk fcc, sum_j w(r_ij) / 6."""
    shells = ((12, 0.5), (6, 1.0), (24, 1.5), (12, 2.0))
    total = sum(
        count * float(bond_weight(lattice_constant * square**0.5, cutoff))
        for count, square in shells
    )
    return total / 6.0


@dataclass(frozen=True)
class MetalNetwork:
    """The network of connected metal of one geometry.

    Attributes
    ----------
    laplacian : csr_array, shape (n_atoms, n_atoms)
        Graph Laplacian of the bond conductances w(r)/r^2, 1/angstrom^2; rows sum to 0.
    pairs : ndarray of int, shape (n_pairs, 2)
        Every bond once.
    bottom, top : ndarray of bool, shape (n_atoms,)
        The fixed bases.
    """

    laplacian: csr_array
    pairs: NDArray[np.int64]
    bottom: NDArray[np.bool_]
    top: NDArray[np.bool_]

    @classmethod
    def from_positions(
        cls, positions: FloatArray, electrode: NDArray[np.str_], cutoff: float
    ) -> "MetalNetwork":
        """Find the network.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        electrode : ndarray of str, shape (n_atoms,)
            ``bottom``, ``top`` or ``mobile``.
        cutoff : float
            Neighbours within this distance are connected, angstrom.

        Returns
        -------
        MetalNetwork
        """
        pairs, distances = neighbour_pairs(positions, cutoff)
        return cls.from_pairs(pairs, distances, electrode, cutoff)

    @classmethod
    def from_pairs(
        cls,
        pairs: NDArray[np.int64],
        distances: FloatArray,
        electrode: NDArray[np.str_],
        cutoff: float,
    ) -> "MetalNetwork":
        """Make the network of given pairs of neighbours, for example of a periodic crystal.

        Parameters
        ----------
        pairs : ndarray of int, shape (n_pairs, 2)
            Every pair once.
        distances : ndarray, shape (n_pairs,)
            Angstrom, within `cutoff`.
        electrode : ndarray of str, shape (n_atoms,)
            ``bottom``, ``top`` or ``mobile``.
        cutoff : float
            Angstrom.

        Returns
        -------
        MetalNetwork
        """
        n = len(electrode)
        laplacian = graph_laplacian(n, pairs, bond_weight(distances, cutoff) / distances**2)
        return cls(laplacian, pairs, electrode == BOTTOM, electrode == TOP)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Cluster of each atom, by the first atom of it, shape (n_atoms,)."""
        found: NDArray[np.int64] = cluster_labels(len(self.bottom), self.pairs)
        return found

    @property
    def connected(self) -> bool:
        """Whether connected metal leads from one base to the other."""
        return bool(np.isin(self.labels[self.top], self.labels[self.bottom]).any())

    @property
    def pieces(self) -> NDArray[np.int64]:
        """Piece of every atom, shape (n_atoms,): 0 is metal with a base, others float."""
        holds = np.zeros(self.labels.max(initial=-1) + 1, dtype=bool)
        holds[self.labels[self.bottom | self.top]] = True
        floats = ~holds[self.labels]
        pieces = np.zeros(len(self.labels), dtype=np.int64)
        pieces[floats] = 1 + np.unique(self.labels[floats], return_inverse=True)[1]
        return pieces

    def steady(self, potential: FloatArray, voltage: float) -> FloatArray:
        """Solve the discrete Laplace equation with the bases at -V/2 and +V/2.

        A cluster without a base takes the mean of its last potential: what diffusion within it
        comes to.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            Last potential, V; a first guess on clusters with a base.
        voltage : float
            Of the top base against the bottom one, V.

        Returns
        -------
        ndarray, shape (n_atoms,)
            V.
        """
        result = self._with_bases(potential, voltage)
        held, based = self.bottom | self.top, self.pieces == 0
        if not based.all():
            sizes = np.maximum(np.bincount(self.labels), 1)
            result[~based] = (np.bincount(self.labels, result) / sizes)[self.labels[~based]]
        free = based & ~held
        if free.any() and not solve_laplace(self.laplacian, free, result, _SOLVER_TOLERANCE):
            source = -(self.laplacian[free][:, held] @ result[held])
            result[free] = spsolve(self.laplacian[free][:, free].tocsc(), source)
        return result

    def relax(
        self, potential: FloatArray, voltage: float, *, time: float, steps: int, mobility: float
    ) -> FloatArray:
        """Let the potential diffuse for a time, as published.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            Potential at the start, V.
        voltage : float
            Of the top base against the bottom one, V.
        time : float
            fs.
        steps : int
            Sub-steps at the least; more are made where the diffusion would overshoot.
        mobility : float
            k / n, angstrom^2/fs.

        Returns
        -------
        ndarray, shape (n_atoms,)
            V.
        """
        result = self._with_bases(potential, voltage)
        moves = ~(self.bottom | self.top)
        fastest = mobility * time * largest_diagonal(self.laplacian, moves)
        steps = max(steps, int(np.ceil(fastest / _STABLE_FRACTION)))
        diffuse(self.laplacian, moves, result, mobility * time / steps, steps)
        return result

    def base_fluxes(self, potential: FloatArray) -> tuple[float, float]:
        """Flux of the classical current at the two bases.

        In the steady state they are equal. While the potential relaxes, mobility times their
        difference is the rate at which the sum of the potential over the free atoms grows.

        Parameters
        ----------
        potential : ndarray, shape (n_atoms,)
            V, with the bases at theirs.

        Returns
        -------
        top, bottom : float
            From the top base into the metal, and from the metal into the bottom base,
            V/angstrom^2; in V times bonds after division by `reference_bond`.
        """
        flux = self.laplacian @ potential
        return float(flux[self.top].sum()), -float(flux[self.bottom].sum())

    def conductance(self) -> float:
        """Classical conductance: flux into the top base per unit of voltage.

        From a unit-bias solve, so it is defined at 0 V too.

        Returns
        -------
        float
            1/angstrom^2, the unit of w(r)/r^2; `reference_bond` is one bond of the perfect
            crystal. 0 if the tips are not connected.
        """
        if not self.connected:
            return 0.0
        potential = self.steady(np.zeros(len(self.labels)), 1.0)
        return self.base_fluxes(potential)[0]

    def _with_bases(self, potential: FloatArray, voltage: float) -> FloatArray:
        result = np.array(potential, dtype=np.float64)
        result[self.bottom] = -voltage / 2.0
        result[self.top] = voltage / 2.0
        return result


def reference_bond(lattice_constant: float, cutoff: float) -> float:
    """Conductance w(r)/r^2 of one nearest-neighbour bond of the crystal, 1/angstrom^2."""
    distance = nearest_neighbour_distance(lattice_constant)
    return float(bond_weight(distance, cutoff)) / distance**2
