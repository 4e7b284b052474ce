"""Motion of the atoms of one metal: velocity Verlet, with or without a Nosé-Hoover chain.

Swope, Andersen, Berens & Wilson, J. Chem. Phys. 76, 637 (1982), doi:10.1063/1.442716, with half
a step of the thermostat before and after, as Martyna, Tuckerman, Tobias & Klein, Mol. Phys. 87,
1117 (1996), doi:10.1080/00268979600100761, factorise it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit
from scipy import constants

from nanogap.typing import FloatArray
from nanogap.units import BOLTZMANN

#: One u (angstrom/fs)^2, eV.
MASS_UNIT = constants.atomic_mass * 1e10 / constants.e
#: Thermostats in a chain, as in LAMMPS.
CHAIN = 3


def degrees_of_freedom(n_moving: int) -> int:
    """Degrees of freedom of moving atoms, without three of the whole, as LAMMPS counts them."""
    return max(3 * n_moving - 3, 1)


def start_velocities(
    positions: FloatArray, n_fixed: int, mass: float, temperature: float, seed: int
) -> FloatArray:
    """Draw Gaussian velocities without momentum and rotation, of a temperature to rounding.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    n_fixed : int
        Atoms, from the first on, that do not move.
    mass : float
        u.
    temperature : float
        K.
    seed : int

    Returns
    -------
    ndarray, shape (n_atoms, 3)
        Angstrom/fs; 0 for atoms that do not move.
    """
    velocities, n_moving = np.zeros_like(positions), len(positions) - n_fixed
    if not n_moving or temperature <= 0.0:
        return velocities
    moving = np.random.default_rng(seed).normal(size=(n_moving, 3))
    moving -= moving.mean(axis=0)
    arms = positions[n_fixed:] - positions[n_fixed:].mean(axis=0)
    inertia = (arms**2).sum() * np.eye(3) - arms.T @ arms
    # a single atom, or a row of them, has axes without inertia
    turn = np.linalg.pinv(inertia) @ np.cross(arms, moving).sum(axis=0)
    moving -= np.cross(turn, arms)
    found = mass * MASS_UNIT * float((moving**2).sum())
    wanted = degrees_of_freedom(n_moving) * BOLTZMANN * temperature
    if found > 0.0:
        velocities[n_fixed:] = moving * np.sqrt(wanted / found)
    return velocities


@dataclass
class Thermostat:
    """A Nosé-Hoover chain.

    Attributes
    ----------
    temperature : float
        K.
    damping : float
        Time, fs.
    freedom : int
        Degrees of freedom that it is coupled to.
    places, rates : ndarray, shape (CHAIN,)
        Of the thermostats, and their rates, 1/fs.
    """

    temperature: float
    damping: float
    freedom: int
    places: FloatArray
    rates: FloatArray

    @property
    def energy(self) -> float:
        """Energy that the atoms have given to it, eV."""
        heat = BOLTZMANN * self.temperature
        potential = heat * (self.freedom * self.places[0] + self.places[1:].sum())
        return float(0.5 * (self._masses * self.rates**2).sum() + potential)

    @property
    def _masses(self) -> FloatArray:
        masses = np.full(CHAIN, BOLTZMANN * self.temperature * self.damping**2)
        masses[0] *= self.freedom
        return masses

    def act(self, twice_kinetic: float, half: float) -> float:
        """Advance the chain by half a step; return the factor of the velocities.

        Parameters
        ----------
        twice_kinetic : float
            Twice the kinetic energy of the atoms, eV.
        half : float
            Half a time step, fs.
        """
        heat = BOLTZMANN * self.temperature
        factor: float = _advance_chain(
            self.places, self.rates, self._masses, self.freedom * heat, heat, twice_kinetic, half
        )
        return factor


@njit(cache=True)  # type: ignore[untyped-decorator]
def _advance_chain(
    places: FloatArray,
    rates: FloatArray,
    masses: FloatArray,
    wanted: float,
    heat: float,
    twice_kinetic: float,
    half: float,
) -> float:
    """Advance a chain by half a step; return the factor of the velocities."""
    for k in range(len(rates) - 1, -1, -1):
        _push(k, rates, masses, twice_kinetic - wanted, heat, half)
    factor: float = np.exp(-half * rates[0])
    for k in range(len(rates)):
        places[k] += half * rates[k]
    for k in range(len(rates)):
        _push(k, rates, masses, twice_kinetic * factor**2 - wanted, heat, half)
    return factor


@njit(cache=True)  # type: ignore[untyped-decorator]
def _push(
    k: int, rates: FloatArray, masses: FloatArray, excess: float, heat: float, half: float
) -> None:
    """Change the rate of one thermostat by what drives it and by the next one."""
    drive = excess if k == 0 else masses[k - 1] * rates[k - 1] ** 2 - heat
    drag = np.exp(-0.25 * half * rates[k + 1]) if k + 1 < len(rates) else 1.0
    rates[k] = (rates[k] * drag + 0.5 * half * drive / masses[k]) * drag


class Interacting(Protocol):
    """Atoms that forces move; `nanogap.dynamics.native.metal.Metal` says what each member is."""

    potential: FloatArray
    history: FloatArray
    forces: FloatArray

    @property
    def charges(self) -> FloatArray:
        """Charges of the last positions, shape (n_atoms,), elementary charges."""

    def compute(self, positions: FloatArray, *, again: bool = False) -> None:
        """Compute the charges, and the forces on the atoms that move."""

    def all_forces(self, positions: FloatArray) -> FloatArray:
        """Compute the forces on fixed atoms too, at the positions of the last `compute`."""

    def energy(self, positions: FloatArray) -> float:
        """Compute the potential energy with the last charges, eV."""


class Motion:
    """Atoms of one metal that move.

    Parameters
    ----------
    metal : Interacting
    positions, velocities : ndarray, shape (n_atoms, 3)
        Angstrom, and angstrom/fs.
    n_fixed : int
        Atoms, from the first on, that do not move.
    mass : float
        u.
    time_step : float
        fs.
    thermostat : Thermostat or None
    """

    def __init__(
        self,
        metal: Interacting,
        positions: FloatArray,
        velocities: FloatArray,
        *,
        n_fixed: int,
        mass: float,
        time_step: float,
        thermostat: Thermostat | None,
    ) -> None:
        self.metal = metal
        self.positions, self.velocities = positions, velocities
        self._n_fixed = n_fixed
        self._mass = mass * MASS_UNIT
        self._time_step = time_step
        self.thermostat = thermostat

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy, eV."""
        return float(0.5 * self._mass * _sum_squares(self.velocities, self._n_fixed))

    @property
    def temperature(self) -> float:
        """Temperature of the atoms that move, K."""
        freedom = degrees_of_freedom(len(self.positions) - self._n_fixed)
        return 2.0 * self.kinetic_energy / (freedom * BOLTZMANN)

    def prepare(self) -> None:
        """Compute charges and forces of the present positions."""
        self.metal.compute(self.positions, again=True)

    def step(self) -> None:
        """Advance by a time step; charges and forces must be those of the present positions.

        Raises
        ------
        EngineError
            If the charges do not converge, or two atoms are too close.
        """
        half = 0.5 * self._time_step
        push = half / self._mass
        self._couple(half)
        _kick(self.velocities, self.metal.forces, self._n_fixed, push)
        _drift(self.positions, self.velocities, self._n_fixed, self._time_step)
        self.metal.compute(self.positions)
        _kick(self.velocities, self.metal.forces, self._n_fixed, push)
        self._couple(half)

    def _couple(self, half: float) -> None:
        if self.thermostat is not None:
            factor = self.thermostat.act(2.0 * self.kinetic_energy, half)
            self.velocities[self._n_fixed :] *= factor


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sum_squares(vectors: FloatArray, first: int) -> float:
    """Sum the squares of the vectors of the atoms from one on."""
    x = y = z = 0.0
    for atom in range(first, len(vectors)):
        x += vectors[atom, 0] ** 2
        y += vectors[atom, 1] ** 2
        z += vectors[atom, 2] ** 2
    return x + y + z


@njit(cache=True)  # type: ignore[untyped-decorator]
def _kick(velocities: FloatArray, forces: FloatArray, first: int, push: float) -> None:
    """Change the velocities of the atoms from one on by their forces."""
    for atom in range(first, len(velocities)):
        for axis in range(3):
            velocities[atom, axis] += push * forces[atom, axis]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _drift(positions: FloatArray, velocities: FloatArray, first: int, time: float) -> None:
    """Move the atoms from one on for a time."""
    for atom in range(first, len(positions)):
        for axis in range(3):
            positions[atom, axis] += time * velocities[atom, axis]
