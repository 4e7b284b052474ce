"""Potential on both sides of the surface: an atom's site as medium, an ion's site as metal.

The overpotential of a surface atom is that of the metal against the medium at its site, where there
is no medium. The site's own equation, with the potentials of its neighbours fixed, gives the change
of potential at the site if it became medium; in truth the neighbours give way, and the change is
larger by a factor that hardly depends on anything but the number of metal neighbours
(`docs/device-fields.md`).
"""

import math

import numpy as np
from numba import njit

from nanogap.device.lattice import SiteIndices
from nanogap.typing import BoolArray, FloatArray

#: Change of the potential of a metal site that becomes medium, against that with its neighbours'
#: potentials fixed, by the number of its metal neighbours: mean over surfaces of rough needles
#: (`docs/device-fields.md`); with none, 12 times the lattice's Green's function at the origin.
RELEASE: FloatArray = np.array(
    [1.345, 1.200, 1.150, 1.135, 1.114, 1.094, 1.073, 1.057, 1.042, 1.029, 1.017, 1.008, 1.0]
)

#: With the factor f = 1/(1 - p), p is the probability that a random walk from the site comes back
#: before it ends on metal or in the bulk; screening lowers it by (1 + kappa2 / scale)^(-power).
_RETURN_SCALE, _RETURN_POWER = 4.5, 1.4


def release_factors(strength: float) -> FloatArray:
    """Return `RELEASE` with screening: measured in `docs/device-fields.md`.

    Parameters
    ----------
    strength : float
        Conductance kappa2 from a site to the bulk (`nanogap.device.laplace.Screening`); 0: none.

    Returns
    -------
    ndarray, shape (13,)
    """
    if not strength:
        return RELEASE
    returning = (1.0 - 1.0 / RELEASE) * (1.0 + strength / _RETURN_SCALE) ** -_RETURN_POWER
    return np.asarray(1.0 / (1.0 - returning))


def potentials_at_surface(
    neighbours: SiteIndices,
    metal: BoolArray,
    potential: FloatArray,
    strength: float = 0.0,
    level: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Foresee the potential that sites would have as metal, and as medium.

    Parameters
    ----------
    neighbours : ndarray of int32, shape (n_sites, 12)
    metal : ndarray of bool, shape (n_sites,)
    potential : ndarray, shape (n_sites,)
        u or V of metal and medium.
    strength, level : float
        Of the screening (`nanogap.device.laplace.Screening`); a strength of 0: none.

    Returns
    -------
    on_metal : ndarray, shape (n_sites,)
        The potential itself, but the mean over the metal neighbours on sites of the medium that
        have some.
    in_medium : ndarray, shape (n_sites,)
        The potential itself on sites of the medium, and what metal sites would have as medium.
    """
    release = release_factors(strength)
    on_metal, in_medium = _both(neighbours, metal, potential, release, strength, strength * level)
    return np.asarray(on_metal), np.asarray(in_medium)


def layer_capacity(neighbours: SiteIndices, metal: BoolArray, strength: float) -> float:
    """Estimate the charge that screens a metal of unit potential, in units of one site's.

    At a (111) plate of three bonds per site the potential falls by exp(-q) from layer to layer,
    cosh q = 1 + kappa2 / 6, so that the layers of one site hold 1 / (exp(q) - 1).

    Parameters
    ----------
    neighbours : ndarray of int32, shape (n_sites, 12)
    metal : ndarray of bool, shape (n_sites,)
    strength : float
        Of the screening (`nanogap.device.laplace.Screening`), above 0.
    """
    bonds = float(_surface_bonds(neighbours, metal))
    return bonds / 3.0 / math.expm1(math.acosh(1.0 + strength / 6.0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _surface_bonds(neighbours: SiteIndices, metal: BoolArray) -> int:
    """Count the bonds between metal and medium."""
    bonds = 0
    for site in range(len(metal)):
        if metal[site]:
            for direction in range(12):
                end = neighbours[site, direction]
                bonds += end >= 0 and not metal[end]
    return bonds


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _both(  # noqa: PLR0917 the arrays of one loop
    neighbours: SiteIndices,
    metal: BoolArray,
    potential: FloatArray,
    release: FloatArray,
    strength: float,
    from_bulk: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the potential of the metal at every site, and that of the medium."""
    on_metal, in_medium = potential.copy(), potential.copy()
    for site in range(len(potential)):
        linked, existing, total, of_metal = 0, 0, 0.0, 0.0
        for direction in range(12):
            end = neighbours[site, direction]
            if end < 0:
                continue
            existing += 1
            total += potential[end]
            if metal[end]:
                linked += 1
                of_metal += potential[end]
        if metal[site]:
            change = (total + from_bulk) / (existing + strength) - potential[site]
            in_medium[site] = potential[site] + release[linked] * change
        elif linked:
            on_metal[site] = of_metal / linked
    return on_metal, in_medium
