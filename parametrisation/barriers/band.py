"""Relaxation and the nudged elastic band with a climbing image, compiled.

Henkelman, Uberuaga & Jonsson, J. Chem. Phys. 113, 9901 (2000), doi:10.1063/1.1329672 (climbing
image), and 9978, doi:10.1063/1.1323224 (tangents); minimiser: FIRE, Bitzek et al., Phys. Rev. Lett.
97, 170201 (2006), doi:10.1103/PhysRevLett.97.170201.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.dynamics.embedded_functions import Functions, evaluate
from nanogap.typing import FloatArray, Int64Array

#: Largest force component at the end of a relaxation, and of a band, eV/angstrom.
FORCE, BAND_FORCE = 0.004, 0.03
#: Movable images of a band.
IMAGES = 5
_SPRING = 2.0
_MAX_MOVE = 0.12


@dataclass(frozen=True)
class Region:
    """Free atoms and the fixed ones that they feel.

    Attributes
    ----------
    functions : Functions
        The metal.
    fixed : FloatArray
        (m, 3) positions, angstrom.
    background : FloatArray
        (m,) density at the fixed atoms by all that stays fixed.
    pairs : Int64Array
        (p, 2) that may interact; see `potential.evaluate`.
    """

    functions: Functions
    fixed: FloatArray
    background: FloatArray
    pairs: Int64Array

    @property
    def arguments(self) -> tuple[object, ...]:
        """Arguments of the compiled functions behind the positions."""
        found = self.functions
        return (
            self.fixed,
            self.background,
            self.pairs,
            (found.density, found.pair, found.embedding),
            (found.step, found.density_step, found.cutoff),
        )

    def energy_and_forces(self, free: FloatArray) -> tuple[float, FloatArray]:
        """Compute the energy (eV) and forces (eV/angstrom) of the free atoms."""
        forces = np.empty_like(free)
        work = np.empty((len(self.pairs), 6))
        return float(evaluate(free, *self.arguments, forces, work)), forces

    def relax(self, free: FloatArray) -> tuple[FloatArray, float, bool]:
        """Move the free atoms to the nearest minimum.

        Returns
        -------
        tuple
            Positions, energy (eV), whether the forces vanished.
        """
        path = free[None].copy()
        energies, converged = descend(path, *self.arguments, FORCE, 600, False, 0.0)
        return path[0], float(energies[0]), bool(converged)

    def band(self, first: FloatArray, last: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
        """Compute the band of lowest energy between two relaxed ends.

        Returns
        -------
        tuple
            Energies (IMAGES + 2,) in eV, positions (IMAGES + 2, n, 3), whether it converged.
        """
        weights = np.linspace(0, 1, IMAGES + 2)[:, None, None]
        path = first * (1 - weights) + last * weights
        descend(path, *self.arguments, 6 * BAND_FORCE, 150, False, _SPRING)
        energies, converged = descend(path, *self.arguments, BAND_FORCE, 700, True, _SPRING)
        return energies, path, bool(converged)


@njit(cache=True)  # type: ignore[untyped-decorator]
def descend(  # noqa: PLR0917 compiled: no keywords
    path: FloatArray,
    fixed: FloatArray,
    background: FloatArray,
    pairs: Int64Array,
    functions: tuple[FloatArray, FloatArray, FloatArray],
    steps: tuple[float, float, float],
    tolerance: float,
    max_steps: int,
    climb: bool,
    spring: float,
) -> tuple[FloatArray, bool]:
    """Minimise one image, or nudge a band whose ends stay, in place; one FIRE for all of it.

    Returns
    -------
    tuple
        Energies of the images, whether the largest force component fell below the tolerance.
    """
    n_images, n_atoms = path.shape[0], path.shape[1]
    first, last = (0, 1) if n_images == 1 else (1, n_images - 1)
    work = np.empty((len(pairs), 6))
    energies = np.empty(n_images)
    forces = np.zeros_like(path)
    velocity = np.zeros_like(path)
    for image in range(n_images):
        energies[image] = evaluate(
            path[image], fixed, background, pairs, functions, steps, forces[image], work
        )
    time_step, mixing, since = 0.1, 0.1, 0
    tangent = np.empty((n_atoms, 3))
    for _ in range(max_steps):
        if n_images > 1:
            top = 1 + np.argmax(energies[1 : n_images - 1])
            for image in range(first, last):
                nudge(path, energies, forces, image, tangent, spring, climb and image == top)
        worst = np.abs(forces[first:last]).max()
        if worst < tolerance:
            return energies, True
        power = (forces[first:last] * velocity[first:last]).sum()
        if power > 0:
            norm_v = np.sqrt((velocity[first:last] ** 2).sum())
            norm_f = np.sqrt((forces[first:last] ** 2).sum())
            velocity[first:last] *= 1 - mixing
            velocity[first:last] += mixing * norm_v / norm_f * forces[first:last]
            since += 1
            if since > 5:
                time_step = min(time_step * 1.1, 0.35)
                mixing *= 0.99
        else:
            velocity[:] = 0.0
            time_step *= 0.5
            mixing, since = 0.1, 0
        velocity[first:last] += time_step * forces[first:last]
        move = np.abs(velocity[first:last]).max() * time_step
        scale = min(1.0, _MAX_MOVE / move)
        path[first:last] += scale * time_step * velocity[first:last]
        for image in range(first, last):
            energies[image] = evaluate(
                path[image], fixed, background, pairs, functions, steps, forces[image], work
            )
    return energies, False


@njit(cache=True)  # type: ignore[untyped-decorator]
def nudge(  # noqa: PLR0917 compiled: no keywords
    path: FloatArray,
    energies: FloatArray,
    forces: FloatArray,
    image: int,
    tangent: FloatArray,
    spring: float,
    climbs: bool,
) -> None:
    """Replace the force along the band by that of the springs, or turn it round."""
    before = path[image] - path[image - 1]
    after = path[image + 1] - path[image]
    here = energies[image]
    up, down = energies[image + 1] - here, energies[image - 1] - here
    if up > 0 > down:
        tangent[:] = after
    elif up < 0 < down:
        tangent[:] = before
    else:
        large, small = max(abs(up), abs(down)), min(abs(up), abs(down))
        if energies[image + 1] > energies[image - 1]:
            tangent[:] = after * large + before * small
        else:
            tangent[:] = after * small + before * large
    tangent /= np.sqrt((tangent**2).sum())
    along = (forces[image] * tangent).sum()
    if climbs:
        forces[image] -= 2 * along * tangent
    else:
        lengths = np.sqrt((after**2).sum()) - np.sqrt((before**2).sum())
        forces[image] += (spring * lengths - along) * tangent
