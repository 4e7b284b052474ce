"""The lattice constant of bulk fcc metal without charges, at a temperature and zero pressure."""

import numpy as np
from numba import njit
from scipy.optimize import minimize_scalar

from nanogap.dynamics.native.motion import (
    CHAIN,
    MASS_UNIT,
    Thermostat,
    degrees_of_freedom,
    start_velocities,
)
from nanogap.dynamics.native.parameters import MetalParameters
from nanogap.dynamics.native.tables import PairTables, make_tables
from nanogap.dynamics.native.terms import atom_coefficients, atom_energy
from nanogap.typing import FloatArray, Int64Array
from nanogap.units import BOLTZMANN

#: Cells along an edge: the cube must be wider than the cut-off.
_CELLS = 3
_PAIRS_PER_ATOM = 150
_TIME_STEP, _DAMPING = 4.0, 100.0
_EQUILIBRATION_STEPS, _STEPS = 400, 2000
#: Time steps between two tries to change the volume, and the largest relative change of the edge.
_TRIAL_INTERVAL, _LARGEST_CHANGE = 5, 0.005


class Crystal:
    """A cube of cells of four atoms that repeats in all directions.

    Parameters
    ----------
    parameters : MetalParameters
    cells : int
        Along an edge; the cube must be wider than the cut-off.
    """

    def __init__(self, parameters: MetalParameters, cells: int = _CELLS) -> None:
        self._tables: PairTables = make_tables(parameters)
        self._coefficients = atom_coefficients(parameters)
        corners = np.array(list(np.ndindex(cells, cells, cells)), dtype=np.float64)
        basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        #: Sites of the lattice, in units of the lattice constant.
        self.sites: FloatArray = (corners[:, None] + basis).reshape(-1, 3)
        self.cells = cells
        self._reserve(_PAIRS_PER_ATOM * len(self.sites))

    def _reserve(self, room: int) -> None:
        self._pairs: Int64Array = np.empty((room, 2), dtype=np.int64)
        self._vectors = np.empty((room, 3))

    def energy(self, positions: FloatArray, edge: float) -> tuple[float, FloatArray]:
        """Compute the energy of the cube, eV, and the forces, shape (n_atoms, 3), eV/angstrom.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3)
            Angstrom.
        edge : float
            Of the cube, angstrom.
        """
        forces = np.zeros_like(positions)
        tables = self._tables
        while True:
            count = _periodic_pairs(positions, edge, tables.cutoff, self._pairs, self._vectors)
            if count <= len(self._pairs):
                break
            self._reserve(int(1.1 * count))
        energy = _periodic_energy(
            len(positions),
            self._pairs[:count],
            self._vectors[:count],
            tables,
            self._coefficients,
            forces,
        )
        return float(energy), forces

    def static_lattice_constant(self, guess: float) -> float:
        """Minimise the energy of the perfect lattice; return its lattice constant, angstrom."""

        def energy(lattice_constant: float) -> float:
            return self.energy(lattice_constant * self.sites, lattice_constant * self.cells)[0]

        bounds = (0.9 * guess, 1.2 * guess)
        found = minimize_scalar(energy, bounds=bounds, method="bounded", options={"xatol": 1e-6})
        return float(found.x)

    def thermal_lattice_constant(self, static: float, mass: float, temperature: float) -> float:
        """Average over a run at zero pressure; return the mean lattice constant, angstrom.

        Molecular dynamics with a Nosé-Hoover chain, and between its steps tries to change the
        volume, accepted as in Wood, J. Chem. Phys. 48, 415 (1968), doi:10.1063/1.1667938, with
        steps in its logarithm. The seed is fixed.

        Parameters
        ----------
        static : float
            Lattice constant to begin with, angstrom.
        mass : float
            u.
        temperature : float
            K.
        """
        positions, edge = static * self.sites, static * self.cells
        velocities = start_velocities(positions, 0, mass, 2.0 * temperature, seed=1)
        thermostat = Thermostat(
            temperature,
            _DAMPING,
            degrees_of_freedom(len(positions)),
            np.zeros(CHAIN),
            np.zeros(CHAIN),
        )
        random = np.random.default_rng(1)
        heavy, half = mass * MASS_UNIT, 0.5 * _TIME_STEP
        energy, forces = self.energy(positions, edge)
        edges = []
        for step in range(_EQUILIBRATION_STEPS + _STEPS):
            velocities *= thermostat.act(heavy * float((velocities**2).sum()), half)
            velocities += half / heavy * forces
            positions += _TIME_STEP * velocities
            energy, forces = self.energy(positions, edge)
            velocities += half / heavy * forces
            velocities *= thermostat.act(heavy * float((velocities**2).sum()), half)
            if step % _TRIAL_INTERVAL == 0:
                change = random.uniform(-_LARGEST_CHANGE, _LARGEST_CHANGE)
                factor = np.exp(change)
                tried, tried_forces = self.energy(factor * positions, factor * edge)
                gain = (energy - tried) / (BOLTZMANN * temperature)
                gain += 3.0 * (len(positions) + 1) * change
                if random.uniform() < np.exp(min(gain, 0.0)):
                    positions, edge, forces = factor * positions, factor * edge, tried_forces
            if step >= _EQUILIBRATION_STEPS:
                edges.append(edge)
        return float(np.mean(edges)) / self.cells


@njit(cache=True)  # type: ignore[untyped-decorator]
def _periodic_pairs(
    positions: FloatArray, edge: float, cutoff: float, pairs: Int64Array, vectors: FloatArray
) -> int:
    """Fill in all pairs within a distance, also of an atom with its own images; count them.

    Images are those next to the nearest one: the cube must be wider than the cut-off.
    """
    count, nearest = 0, np.empty(3)
    for one in range(len(positions)):
        for other in range(one + 1):
            for axis in range(3):
                d = positions[one, axis] - positions[other, axis]
                nearest[axis] = d - edge * np.round(d / edge)
            for x in (nearest[0] - edge, nearest[0], nearest[0] + edge):
                for y in (nearest[1] - edge, nearest[1], nearest[1] + edge):
                    for z in (nearest[2] - edge, nearest[2], nearest[2] + edge):
                        square = x * x + y * y + z * z
                        if square < cutoff and (one != other or square > 0.0):
                            if count < len(pairs):
                                pairs[count, 0], pairs[count, 1] = one, other
                                vectors[count, 0] = x
                                vectors[count, 1] = y
                                vectors[count, 2] = z
                            count += 1
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _periodic_energy(
    n_atoms: int,
    pairs: Int64Array,
    vectors: FloatArray,
    tables: PairTables,
    coefficients: FloatArray,
    forces: FloatArray,
) -> float:
    """Return the energy of some pairs, and add their forces."""
    bond_end, origin, scale = tables.bond_end, tables.origin, tables.scale
    dispersion, bond_scale, bond_table = tables.energies[:, 5:], tables.bond_scale, tables.bonds
    totals, by_order = np.zeros(n_atoms), np.empty(n_atoms)
    # derivatives of energies and bond orders of pairs by the square of the distance
    slopes, order_slopes = np.empty(len(pairs)), np.zeros(len(pairs))
    energy = 0.0
    for pair in range(len(pairs)):
        one, other = pairs[pair, 0], pairs[pair, 1]
        square = max((vectors[pair] ** 2).sum(), origin)
        # an atom and its image: the half of the pair that is in this cube
        share = 0.5 if one == other else 1.0
        x = (square - origin) * scale
        piece = min(int(x), len(dispersion) - 1)
        value, slope = _value_and_slope(dispersion[piece], x - piece)
        energy += share * value
        slopes[pair] = slope * scale
        if square < bond_end:
            fourth = np.sqrt(np.sqrt(bond_end - square))
            x = fourth * bond_scale
            piece = min(int(x), len(bond_table) - 1)
            order, order_slope = _value_and_slope(bond_table[piece, :6], x - piece)
            value, slope = _value_and_slope(bond_table[piece, 6:], x - piece)
            by_place = -0.25 * bond_scale / fourth**3
            energy += share * value
            slopes[pair] += by_place * slope
            order_slopes[pair] = by_place * order_slope
            totals[one] += order
            if one != other:
                totals[other] += order
    for atom in range(n_atoms):
        own, by_order[atom] = atom_energy(totals[atom], coefficients)
        energy += own
    for pair in range(len(pairs)):
        one, other = pairs[pair, 0], pairs[pair, 1]
        slope = slopes[pair] + (by_order[one] + by_order[other]) * order_slopes[pair]
        for axis in range(3):
            force = -2.0 * slope * vectors[pair, axis]
            forces[one, axis] += force
            forces[other, axis] -= force
    return energy


@njit(cache=True)  # type: ignore[untyped-decorator]
def _value_and_slope(coefficients: FloatArray, x: float) -> tuple[float, float]:
    """Value and derivative of a polynomial of ascending coefficients."""
    value = slope = 0.0
    for power in range(len(coefficients) - 1, -1, -1):
        slope = slope * x + value
        value = value * x + coefficients[power]
    return value, slope
