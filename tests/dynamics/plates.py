"""Plates of a capacitor: infinite ones by sums over the reciprocal lattice, and finite discs."""

import numpy as np
from scipy.special import erf, erfc

from nanogap.units import COULOMB

#: Reciprocal lattice vectors along an axis, to either side.
_VECTORS = 8


class Plates:
    """Two infinite fcc plates, (111) planes one by one, whose Gaussian charges are one per plane.

    Independent of nanogap's kernel: Parry, Surf. Sci. 49, 433 (1975),
    doi:10.1016/0039-6028(75)90362-3, sums charges that repeat in a plane; with Gaussians on both
    sides none of it is left in real space.
    """

    def __init__(self, lattice_constant, width, gap, layers=4):
        bond = lattice_constant / np.sqrt(2.0)
        self.area, self.gap, self.layers = bond**2 * np.sqrt(3.0) / 2.0, gap, layers
        lattice = bond * np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
        spacing = lattice_constant / np.sqrt(3.0)
        numbers = np.arange(2 * layers)
        heights = np.where(
            numbers < layers, numbers - (layers - 1), numbers - layers
        ) * spacing + np.where(numbers < layers, 0.0, gap)
        shifts = numbers[:, None] * lattice.sum(axis=0) / 3.0
        steps = np.arange(-_VECTORS, _VECTORS + 1)
        whole = np.array([(i, j) for i in steps for j in steps if i or j])
        vectors = whole @ (2.0 * np.pi * np.linalg.inv(lattice).T)
        z = np.abs(heights[:, None] - heights)
        even = z * erf(z / (2.0 * width))
        even += 2.0 * width / np.sqrt(np.pi) * np.exp(-((z / (2.0 * width)) ** 2))
        self.matrix = -even
        phases = np.cos((shifts[:, None] - shifts) @ vectors.T)
        length = np.linalg.norm(vectors, axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            grown = np.exp(length * z[:, :, None])
            grown = grown * erfc(length * width + z[:, :, None] / (2.0 * width))
        decayed = np.exp(-length * z[:, :, None])
        decayed = decayed * erfc(length * width - z[:, :, None] / (2.0 * width))
        self.matrix += (phases * (np.nan_to_num(grown) + decayed) / (2.0 * length)).sum(axis=2)
        self.matrix *= 2.0 * np.pi * COULOMB / self.area

    def charges(self, voltage):
        """Charges of the planes, of one atom each, the lowest first."""
        n = len(self.matrix)
        potential = np.where(np.arange(n) < self.layers, -voltage / 2.0, voltage / 2.0)
        bordered = np.ones((n + 1, n + 1))
        bordered[:n, :n], bordered[n, n] = self.matrix, 0.0
        return np.linalg.solve(bordered, [*potential, 0.0])[:n]

    def ideal_charge(self, voltage):
        """Charge of an atom's area of a plate capacitor whose plates are the outermost planes."""
        return voltage * self.area / (4.0 * np.pi * COULOMB * self.gap)

    def ideal_force(self, voltage):
        """Force on it, epsilon_0 E^2 / 2."""
        return (voltage / self.gap) ** 2 * self.area / (8.0 * np.pi * COULOMB)


def discs(lattice_constant, gap, radius, layers=2):
    """Positions of two discs, plane by plane as `Plates` has them, and the plane of each atom."""
    bond = lattice_constant / np.sqrt(2.0)
    reach = int(1.3 * radius / bond) + 2
    steps = np.arange(-reach, reach + 1)
    sites = np.array([(i, j) for i in steps for j in steps])
    lattice = bond * np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    positions, planes = [], []
    for plane in range(2 * layers):
        below = plane < layers
        step = plane - (layers - 1) if below else plane - layers
        height = step * lattice_constant / np.sqrt(3.0) + (0.0 if below else gap)
        places = sites @ lattice + plane * lattice.sum(axis=0) / 3.0
        places = places[np.hypot(*places.T) < radius]
        positions.append(np.column_stack([places, np.full(len(places), height)]))
        planes.append(np.full(len(places), plane))
    return np.vstack(positions), np.concatenate(planes)
