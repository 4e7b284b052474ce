"""Energies and rates written as plainly as can be, and metals made up for tests."""

from types import SimpleNamespace

import numpy as np

from nanogap.device.lattice import EMPTY, ION, METAL, SHARED
from nanogap.units import BOLTZMANN

#: Least barrier downhill, eV.
LEAST = 0.01


def made_up_metal(seed=0, prefactor=1e12):
    """Return a metal with bonds that saturate, and barriers without pattern but symmetric."""
    random = np.random.default_rng(seed)
    n = np.arange(13)
    phi = np.round(-2.85 * (0.4 * n / 12 + 0.6 * np.sqrt(n / 12)), 3)
    saddle = random.uniform(0.05, 0.6, (12, 12, 7))
    saddle = np.round((saddle + saddle.transpose(1, 0, 2)) / 2, 3)
    return SimpleNamespace(phi=phi, saddle=saddle, prefactor=prefactor)


def free_metal(barrier=0.2, phi=0.0, prefactor=1e12):
    """Return a metal whose barriers are all alike, with linear bonds."""
    return SimpleNamespace(
        phi=phi * np.arange(13.0), saddle=np.full((12, 12, 7), barrier), prefactor=prefactor
    )


def coordination(lattice, states, site):
    return sum(states[other] == METAL for other in lattice.neighbours[site] if other >= 0)


def energy(lattice, states, phi):
    """Energy of the metal, eV: the sum of phi over its atoms."""
    return sum(phi[coordination(lattice, states, s)] for s in np.flatnonzero(states == METAL))


def shared_class(lattice, states, site, direction):
    """Class of the four shared sites, from their distances."""
    around = [lattice.neighbours[site, d] for d in SHARED[direction]]
    metal = [place for place, s in enumerate(around) if s >= 0 and states[s] == METAL]
    if len(metal) != 2:
        return {0: 0, 1: 1, 3: 5, 4: 6}[len(metal)]
    apart = lattice.positions[around[metal[0]]] - lattice.positions[around[metal[1]]]
    apart[:2] -= lattice.cell[:2] * np.round(apart[:2] / lattice.cell[:2])
    bonds = (np.linalg.norm(apart) / lattice.bond) ** 2
    return {1: 2, 2: 3, 3: 4}[round(bonds)]


def hop_rate(lattice, states, site, direction, metal, temperature, cap=np.inf):  # noqa: PLR0917
    """Rate of an atom's hop, from whole energies before and after."""
    end = lattice.neighbours[site, direction]
    if end < 0 or states[end] != EMPTY:
        return 0.0
    after = states.copy()
    after[site], after[end] = EMPTY, METAL
    at_start, at_end = coordination(lattice, states, site), coordination(lattice, after, end)
    if at_start < 1 or at_end < 1:
        return 0.0
    change = energy(lattice, after, metal.phi) - energy(lattice, states, metal.phi)
    part = metal.saddle[at_start, at_end, shared_class(lattice, states, site, direction)]
    beta = 1.0 / (BOLTZMANN * temperature)
    forward, back = (
        metal.prefactor
        * np.exp(-beta * max(part + sign * change / 2, max(0, sign * change) + LEAST))
        for sign in (1, -1)
    )
    return forward * min(1.0, cap / min(forward, back))


def random_states(lattice, seed, filling=0.4, ions=0.0):
    """Full first and last layers, and sites filled at random between."""
    random = np.random.default_rng(seed)
    drawn = random.random(len(lattice))
    states = np.where(drawn < filling, METAL, np.where(drawn > 1.0 - ions, ION, EMPTY))
    ends = (lattice.layer == 0) | (lattice.layer == lattice.shape[2] - 1)
    return np.where(ends, METAL, states).astype(np.uint8), ends
