"""Small devices on the lattice for the tests of fields."""

import numpy as np

from nanogap.device.lattice import METAL, build_lattice
from nanogap.device.needles import build_needles

LATTICE_CONSTANT = 4.09
BOND = LATTICE_CONSTANT / np.sqrt(2.0)


def plates(layers=12, width=12.0, thickness=1):
    """Two full plates of fixed layers; return lattice, fixed sites and states."""
    lattice = build_lattice(LATTICE_CONSTANT, width, width, layers)
    fixed = (lattice.layer < thickness) | (lattice.layer >= layers - thickness)
    return lattice, fixed, np.where(fixed, METAL, 0).astype(np.uint8)


def needles(gap=9.5, base=26.0, height=14.0):
    """Two needles; return them and the states."""
    tips = build_needles(
        lattice_constant=LATTICE_CONSTANT,
        base_width=base,
        height=height,
        apex_width=6.0,
        gap=gap,
        fixed_layers=2,
        margin=10.0,
    )
    return tips, np.where(tips.metal, METAL, 0).astype(np.uint8)


def chain(lattice, states):
    """Sites of a chain of single atoms, one a layer, from the lower plate to the upper one."""
    site = int(np.flatnonzero(lattice.layer == 0)[len(states) // (2 * lattice.shape[2])])
    sites = []
    while lattice.neighbours[site, 6] >= 0:
        site = int(lattice.neighbours[site, 6])
        if states[site] != METAL:
            sites.append(site)
    return np.array(sites)


def centred(lattice, centre):
    """Vectors from a point to the sites, the nearest images in the plane."""
    apart = lattice.positions - centre
    apart[:, :2] -= lattice.cell[:2] * np.round(apart[:, :2] / lattice.cell[:2])
    return apart


def surface_radius(lattice, metal, r):
    """Radius of a surface of metal: of its atoms, each as often as it has bonds to the medium."""
    broken = (~metal[lattice.neighbours] & (lattice.neighbours >= 0)).sum(axis=1)
    return float(np.average(r[metal], weights=broken[metal]))
