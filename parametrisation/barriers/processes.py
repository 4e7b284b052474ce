"""Barriers of hops and exchanges on the lattice, with relaxed surroundings."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial.distance import cdist

from nanogap.dynamics.embedded_functions import Functions, spline_values
from nanogap.typing import BoolArray, FloatArray, Int64Array
from parametrisation.barriers.band import Region
from parametrisation.barriers.sites import HALF, Hop

#: Atoms within this distance of an end of a hop are free, angstrom.
FREE = 8.0
#: An atom of an end that is farther than this from its site, in distances of nearest neighbours,
#: has left it.
LEFT = 0.4
#: A minimum between the ends counts if it is deeper than this, eV.
DEPTH = 0.015
#: Pairs farther than the cutoff and this are never in range, angstrom.
_SKIN, _SKIN_OF_MOVERS = 0.6, 1.0


@dataclass(frozen=True)
class Barrier:
    """Energies of one process, relative to the relaxed start, eV.

    Attributes
    ----------
    outcome : str
        ``"ok"``, or why there is no barrier: ``"start left"`` (an atom left its site when the start
        was relaxed), ``"end left"``, ``"returns"`` (the end relaxed back to the start),
        ``"not converged"``, ``"other minimum"`` (the path passes through a state more stable than
        both ends).
    forward : float
        Energy of the highest saddle; of the higher end where there is none between.
    change : float
        Energy of the end.
    removal : float
        Energy to take the atom at the start away into vacuum as a single atom.
    intermediate : bool
        Whether the path passes through a minimum between the ends (a hollow that is no site).
    """

    outcome: str
    forward: float = np.nan
    change: float = np.nan
    removal: float = np.nan
    intermediate: bool = False


@dataclass(frozen=True)
class Cut:
    """Atoms around a hop.

    Attributes
    ----------
    region : Region
        Fixed atoms and pairs.
    start, end : FloatArray
        (n, 3) sites of the free atoms before and after, angstrom; those that move come first.
    """

    region: Region
    start: FloatArray
    end: FloatArray


@lru_cache(maxsize=4)
def _offsets(functions: Functions) -> tuple[Int64Array, FloatArray]:
    """Return the lattice vectors within the cutoff, and the density at each."""
    points = np.argwhere(np.ones((9, 9, 9), dtype=bool)) - 4
    points = points[(points.sum(axis=1) % 2 == 0) & (points != 0).any(axis=1)]
    lengths = np.linalg.norm(points, axis=1) * functions.lattice_constant / 2
    near = lengths < functions.cutoff
    densities = spline_values(functions.density, lengths / functions.step)
    return points[near].astype(np.int64), densities[near]


def cut(
    grid: BoolArray, movers: Int64Array, targets: Int64Array, functions: Functions, free: float
) -> Cut:
    """Cut the atoms around some movers from a grid.

    Parameters
    ----------
    grid : BoolArray
        Occupation with the movers at their start.
    movers, targets : Int64Array
        (k, 3) sites of the movers before and after.
    functions : Functions
        The metal.
    free : float
        Atoms within this distance of a site of a mover are free, angstrom.
    """
    half = functions.lattice_constant / 2
    atoms = np.argwhere(grid) - HALF
    ends = np.concatenate([movers, targets])
    atoms = atoms[(np.abs(atoms - ends[0]) * half < free + 2 * functions.cutoff).all(axis=1)]
    away = cdist(atoms, ends).min(axis=1) * half
    moving = (atoms[:, None] == movers).all(axis=-1).any(axis=1)
    loose = np.concatenate([movers, atoms[(away < free) & ~moving]])
    near = atoms[(away >= free) & (away < free + functions.cutoff + _SKIN) & ~moving]
    rest = grid.copy()
    rest[tuple((loose + HALF).T)] = False
    offsets, densities = _offsets(functions)
    around = (near[:, None] + offsets + HALF).reshape(-1, 3)
    background = rest[tuple(around.T)].reshape(len(near), len(offsets)) @ densities
    start, fixed = loose * half, near * half
    end = start.copy()
    end[: len(movers)] = targets * half
    reach = np.full(len(start), functions.cutoff + _SKIN)
    reach[: len(movers)] += _SKIN_OF_MOVERS
    everything = np.concatenate([start, fixed])
    before = cdist(start, everything) < reach[:, None]
    after = cdist(end, np.concatenate([end, fixed])) < reach[:, None]
    pairs = np.argwhere(np.triu(before | after, 1)).astype(np.int64)
    return Cut(Region(functions, fixed, background, pairs), start, end)


def _stayed(positions: FloatArray, sites: FloatArray, functions: Functions) -> bool:
    """Return whether all atoms are near their sites."""
    limit = LEFT * functions.lattice_constant / np.sqrt(2)
    return bool(np.linalg.norm(positions - sites, axis=1).max() < limit)


def barrier(
    grid: BoolArray,
    movers: Int64Array,
    targets: Int64Array,
    functions: Functions,
    *,
    free: float = FREE,
) -> Barrier:
    """Compute the barrier of some atoms' moving at once.

    Parameters
    ----------
    grid : BoolArray
        Occupation before, as of `Hop`.
    movers, targets : Int64Array
        (k, 3) sites before and after.
    functions : Functions
        The metal.
    free : float
        Atoms within this distance of a site of a mover are free, angstrom.
    """
    found = cut(grid, movers, targets, functions, free)
    region = found.region
    first, energy, converged = region.relax(found.start)
    if not converged or not _stayed(first, found.start, functions):
        return Barrier("start left")
    removal = _removal(found, first, energy)
    last, energy_after, converged = region.relax(found.end)
    if not converged or not _stayed(last, found.end, functions):
        back = converged and _stayed(last, found.start, functions)
        return Barrier("returns" if back else "end left", removal=removal)
    energies, _, converged = region.band(first, last)
    profile = energies - energy
    forward, change = float(profile.max()), energy_after - energy
    if not converged:
        return Barrier("not converged", forward, change, removal)
    inside = np.flatnonzero((profile[1:-1] < profile[:-2]) & (profile[1:-1] < profile[2:])) + 1
    depths = [min(profile[: k + 1].max(), profile[k:].max()) - profile[k] for k in inside]
    deepest = max(depths, default=0.0)
    lowest = float(profile[1:-1].min())
    outcome = "other minimum" if lowest < min(0.0, change) - DEPTH else "ok"
    return Barrier(outcome, forward, change, removal, bool(deepest > DEPTH))


def _removal(found: Cut, relaxed: FloatArray, energy: float) -> float:
    """Compute the energy to take the first mover away, the others relaxed again, eV."""
    region = found.region
    pairs = region.pairs[region.pairs[:, 0] != 0] - 1
    rest = Region(region.functions, region.fixed, region.background, pairs)
    return rest.relax(relaxed[1:])[1] - energy


def hop_barrier(hop: Hop, functions: Functions, *, free: float = FREE) -> Barrier:
    """Compute the barrier of a hop."""
    return barrier(hop.grid, hop.start[None], hop.end[None], functions, free=free)


def exchange_barrier(
    hop: Hop, target: Int64Array, functions: Functions, *, free: float = FREE
) -> Barrier:
    """Compute the barrier of an exchange: an atom pushes a neighbour out and takes its place.

    Parameters
    ----------
    hop : Hop
        From the site of the first atom to the (occupied) site of the second.
    target : Int64Array
        (3,) empty site that the second goes to; a neighbour of its own.
    """
    movers = np.array([hop.start, hop.end])
    return barrier(hop.grid, movers, np.array([hop.end, target]), functions, free=free)
