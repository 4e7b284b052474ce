"""Energies and forces of the embedded-atom method, compiled, without LAMMPS.

The files are those of `nanogap.dynamics.embedded_atom`; the interpolation is the one of LAMMPS
(``pair_style eam``, file format funcfl), so both give the same energies to rounding. Method: Daw &
Baskes, Phys. Rev. B 29, 6443 (1984), doi:10.1103/PhysRevB.29.6443.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.dynamics.embedded_atom import EmbeddedAtom, load_embedded_atom
from nanogap.typing import FloatArray, Int64Array

#: Hartree times bohr as LAMMPS takes it for these files, eV angstrom.
_COULOMB = 27.2 * 0.529


@dataclass(frozen=True, eq=False)
class Functions:
    """The three functions of a metal as cubic splines.

    Attributes
    ----------
    element : str
        Chemical symbol.
    lattice_constant : float
        Of fcc, that the functions were fitted to, angstrom.
    cutoff : float
        Range of density and pair function, angstrom.
    density, pair : FloatArray
        (n, 4) coefficients against the distance in steps of `step`: density, and pair function
        times distance (eV angstrom).
    embedding : FloatArray
        (n, 4) coefficients against the density in steps of `density_step`, eV.
    step, density_step : float
        Distances between knots: angstrom; density.
    """

    element: str
    lattice_constant: float
    cutoff: float
    density: FloatArray
    pair: FloatArray
    embedding: FloatArray
    step: float
    density_step: float


def load_functions(element: str) -> Functions:
    """Load the packaged functions of an element.

    Raises
    ------
    SettingsError
        If there are none for the element.
    """
    return functions_of(load_embedded_atom(element))


def functions_of(table: EmbeddedAtom) -> Functions:
    """Make the splines of a table."""
    lines = table.table.splitlines()
    n_density, density_step, n_distance, step, cutoff = lines[2].split()[:5]
    values = np.array(" ".join(lines[3:]).split(), dtype=float)
    first, second = int(n_density), int(n_density) + int(n_distance)
    charge = values[first:second]
    return Functions(
        element=table.element,
        lattice_constant=table.lattice_constant,
        cutoff=float(cutoff),
        density=spline(values[second : second + int(n_distance)]),
        pair=spline(_COULOMB * charge**2),
        embedding=spline(values[:first]),
        step=float(step),
        density_step=float(density_step),
    )


def spline(values: FloatArray) -> FloatArray:
    """Make the cubic pieces of LAMMPS between equidistant knots.

    Slopes are five-point differences (three and two points at the ends).

    Parameters
    ----------
    values : FloatArray
        (n,) at the knots.

    Returns
    -------
    FloatArray
        (n, 4): value = ((c3 p + c2) p + c1) p + c0 with p from 0 to 1 behind knot k.
    """
    slopes = np.empty_like(values)
    slopes[0], slopes[-1] = values[1] - values[0], values[-1] - values[-2]
    slopes[1], slopes[-2] = (values[2] - values[0]) / 2, (values[-1] - values[-3]) / 2
    slopes[2:-2] = (values[:-4] - values[4:] + 8 * (values[3:-1] - values[1:-3])) / 12
    pieces = np.zeros((len(values), 4))
    pieces[:, 0], pieces[:, 1] = values, slopes
    rise = values[1:] - values[:-1]
    pieces[:-1, 2] = 3 * rise - 2 * slopes[:-1] - slopes[1:]
    pieces[:-1, 3] = slopes[:-1] + slopes[1:] - 2 * rise
    return pieces


def spline_values(pieces: FloatArray, places: FloatArray) -> FloatArray:
    """Evaluate the pieces of `spline`.

    Parameters
    ----------
    pieces : FloatArray
        (n, 4), from `spline`.
    places : FloatArray
        (m,) counted in knots, from 0 to n - 1.

    Returns
    -------
    FloatArray
        (m,).
    """
    knots = np.minimum(places.astype(int), len(pieces) - 1)
    result: FloatArray = (pieces[knots] * (places - knots)[:, None] ** np.arange(4)).sum(axis=1)
    return result


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def evaluate(  # noqa: PLR0917 compiled: no keywords
    free: FloatArray,
    fixed: FloatArray,
    background: FloatArray,
    pairs: Int64Array,
    functions: tuple[FloatArray, FloatArray, FloatArray],
    steps: tuple[float, float, float],
    forces: FloatArray,
    work: FloatArray,
    shifts: FloatArray | None = None,
) -> float:
    """Compute the energy of the free atoms among the fixed ones, and the forces on the free ones.

    Parameters
    ----------
    free, fixed : FloatArray
        (n, 3) and (m, 3) positions, angstrom.
    background : FloatArray
        (m,) density at the fixed atoms by other fixed atoms.
    pairs : Int64Array
        (p, 2) pairs that may interact: a free atom, then a free one, or n + a fixed one.
    functions : tuple of FloatArray
        Pieces of density, pair function and embedding.
    steps : tuple of float
        Distance and density between knots; cutoff.
    forces : FloatArray
        (n, 3), filled, eV/angstrom.
    work : FloatArray
        (p, 6), scratch.
    shifts : FloatArray, optional
        (p, 3) what is added to the second atom of a pair: the vector to its periodic image,
        angstrom.

    Returns
    -------
    float
        Energy of all that depends on the free atoms, eV.
    """
    density, pair, embedding = functions
    step, density_step, cutoff = steps
    n, m = len(free), len(fixed)
    rho = np.zeros(n + m)
    rho[n:] = background
    energy, near, last = 0.0, 0, len(density) - 2
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        if j < n:
            x, y, z = free[i, 0] - free[j, 0], free[i, 1] - free[j, 1], free[i, 2] - free[j, 2]
        else:
            f = j - n
            x, y, z = free[i, 0] - fixed[f, 0], free[i, 1] - fixed[f, 1], free[i, 2] - fixed[f, 2]
        if shifts is not None:
            x, y, z = x - shifts[t, 0], y - shifts[t, 1], z - shifts[t, 2]
        square = x * x + y * y + z * z
        if square >= cutoff * cutoff:
            continue
        r = np.sqrt(square)
        k = min(int(r / step), last)
        s = min(r / step - k, 1.0)
        value = ((density[k, 3] * s + density[k, 2]) * s + density[k, 1]) * s + density[k, 0]
        z2 = ((pair[k, 3] * s + pair[k, 2]) * s + pair[k, 1]) * s + pair[k, 0]
        energy += z2 / r
        rho[i] += value
        rho[j] += value
        # of the pairs in range: where, the vector, and both slopes over the distance
        work[near, 0] = t
        work[near, 1], work[near, 2], work[near, 3] = x, y, z
        slope = (3 * density[k, 3] * s + 2 * density[k, 2]) * s + density[k, 1]
        work[near, 4] = slope / (step * r)
        slope = (3 * pair[k, 3] * s + 2 * pair[k, 2]) * s + pair[k, 1]
        work[near, 5] = (slope / step - z2 / r) / square
        near += 1
    last = len(embedding) - 2
    for i in range(n + m):
        k = min(int(rho[i] / density_step), last)
        s = min(rho[i] / density_step - k, 1.0)
        a, b, c = embedding[k, 3], embedding[k, 2], embedding[k, 1]
        energy += ((a * s + b) * s + c) * s + embedding[k, 0]
        rho[i] = ((3 * a * s + 2 * b) * s + c) / density_step
    forces[:] = 0.0
    for t in range(near):
        i, j = pairs[int(work[t, 0]), 0], pairs[int(work[t, 0]), 1]
        strength = (rho[i] + rho[j]) * work[t, 4] + work[t, 5]
        x, y, z = strength * work[t, 1], strength * work[t, 2], strength * work[t, 3]
        forces[i, 0] -= x
        forces[i, 1] -= y
        forces[i, 2] -= z
        if j < n:
            forces[j, 0] += x
            forces[j, 1] += y
            forces[j, 2] += z
    return energy
