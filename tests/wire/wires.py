"""Wires of plain numbers, whose answers are known in closed form."""

import numpy as np

from nanogap.wire.conduction import Conduction
from nanogap.wire.evolution import Matter
from nanogap.wire.heat import HeatBalance, Surroundings, Thermal
from nanogap.wire.mesh import uniform_mesh
from nanogap.wire.surface import Surface

LENGTH, RADIUS, AMBIENT, LORENZ = 5e-6, 40e-9, 300.0, 2.44e-8
#: Resistivity of the plain wires at 293.15 K, ohm m.
RHO = 4e-8


def conduction(alpha=0.0, kappa=200.0):
    return Conduction(RHO, alpha, 0.0, 1.0, np.inf, 0.0, LORENZ, kappa)


def surroundings(**changes):
    plain = {
        "temperature": AMBIENT,
        "substrate": 0.0,
        "contact_resistance": 0.0,
        "contact_thermal_resistance": 0.0,
        "contact_heat": 0.0,
    }
    return Surroundings(**plain | changes)


def surface(**changes):
    plain = {
        "prefactor": 1e-7,
        "activation_energy": 0.7 * 1.602176634e-19,
        "site_density": 1.38e19,
        "atomic_volume": 1.706e-29,
        "surface_energy": 1.25,
        "effective_valence": 0.0,
        "heat_of_transport": 0.0,
        "melting_point": 1235.0,
    }
    return Surface(**plain | changes)


def matter(**changes):
    plain = {
        "conduction": conduction(),
        "surface": surface(),
        "surroundings": surroundings(),
        "parting_radius": 1e-9,
    }
    return Matter(**plain | changes)


def cold(count):
    return Thermal(np.full(count, AMBIENT), 0.0, 1.0)


def uniform(conduct, around=None, cells=400):
    """Heat balance of a straight wire, the squares of its radii, and a cold beginning."""
    mesh = uniform_mesh(LENGTH, LENGTH / cells)
    heat = HeatBalance(mesh, conduct, around or surroundings())
    return heat, np.full(cells, RADIUS**2), cold(cells)
