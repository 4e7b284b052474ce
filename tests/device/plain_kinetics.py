"""Energies and rates written as plainly as can be, and metals made up for tests."""

from types import SimpleNamespace

import numpy as np

from nanogap.device.bonds import KINDS, bond_kind
from nanogap.device.lattice import EMPTY, ION, METAL, SHARED
from nanogap.units import BOLTZMANN

#: Least barrier downhill, eV.
LEAST = 0.01


def made_up_metal(seed=0, prefactor=1e12):
    """Return a metal with bonds that saturate, and barriers without pattern but symmetric."""
    random = np.random.default_rng(seed)
    n = np.arange(13)
    phi = np.round(-2.85 * (0.4 * n / 12 + 0.6 * np.sqrt(n / 12)), 3)
    saddle = random.uniform(0.05, 0.6, (12, 12, KINDS))
    saddle = np.round((saddle + saddle.transpose(1, 0, 2)) / 2, 3)
    return SimpleNamespace(phi=phi, saddle=saddle, prefactor=prefactor)


def free_metal(barrier=0.2, phi=0.0, prefactor=1e12):
    """Return a metal whose barriers are all alike, with linear bonds."""
    return SimpleNamespace(
        phi=phi * np.arange(13.0), saddle=np.full((12, 12, KINDS), barrier), prefactor=prefactor
    )


def coordination(lattice, states, site):
    return sum(states[other] == METAL for other in lattice.neighbours[site] if other >= 0)


def energy(lattice, states, phi):
    """Energy of the metal, eV: the sum of phi over its atoms."""
    return sum(phi[coordination(lattice, states, s)] for s in np.flatnonzero(states == METAL))


def _apart(lattice, one, other):
    """Distance of two sites in bonds."""
    apart = lattice.positions[one] - lattice.positions[other]
    apart[:2] -= lattice.cell[:2] * np.round(apart[:2] / lattice.cell[:2])
    return np.linalg.norm(apart) / lattice.bond


def surroundings(lattice, states, site, direction):
    """Kind of what surrounds a bond, the flanks found by their distances."""
    end = lattice.neighbours[site, direction]
    ring = [lattice.neighbours[site, d] for d in SHARED[direction]]
    flanks = [0, 0]
    for near, far in ((site, end), (end, site)):
        for other in lattice.neighbours[near]:
            if (
                other < 0
                or states[other] != METAL
                or abs(_apart(lattice, other, far) ** 2 - 2) > 0.1
            ):
                continue
            touches = [s >= 0 and abs(_apart(lattice, other, s) - 1) < 0.1 for s in ring]
            if sum(touches) == 2:  # a flank: the others touch one shared site
                flanks[0 if touches[0] or touches[3] else 1] += 1
    return bond_kind([int(s >= 0 and states[s] == METAL) for s in ring], tuple(flanks))


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
    part = metal.saddle[at_start, at_end, surroundings(lattice, states, site, direction)]
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
