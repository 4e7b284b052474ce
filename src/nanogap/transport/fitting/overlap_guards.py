"""Structures without bands, on which the overlap must stay positive definite in a fit."""

import numpy as np
from ase import Atoms
from ase.build import bulk

from nanogap.transport.fitting.metal_size import relative_size
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.typing import FloatArray


def overlap_guards(element: str) -> list[ReferenceBands]:
    """Return structures without bands whose overlap must stay positive definite.

    Their lengths are those of silver times the relative size of the element's atoms.

    Raises
    ------
    SettingsError
        If that size is not known.
    """
    nothing = (np.zeros((1, 3)), np.zeros((1, 0)), np.ones(1))
    pairs = [
        ReferenceBands(f"pair {d:.1f}", Atoms("Ag2", [(0, 0, 0), (0, 0, d)]), *nothing)
        for d in (2.2, 2.5, 3.0, 4.0, 5.0, 6.0)
    ]
    size = relative_size(element)
    guards = [*pairs, *crowded_clusters(2.2, seed=0, count=10), *crowded_crystals()]
    for guard in guards:
        guard.atoms.symbols[:] = element
        guard.atoms.positions *= size
        guard.atoms.cell *= size
    return guards


def crowded_clusters(least: float, seed: int = 0, count: int = 12) -> list[ReferenceBands]:
    """Make disordered clusters with bonds down to a least distance, to guard the overlap.

    Points thrown into a ball are pushed apart until no pair is closer than ``least``; the balls
    range from about the density of the crystal to that of a compressed one.

    Parameters
    ----------
    least : float
        Angstrom.
    seed : int
        Of the random numbers.
    count : int
        How many clusters, of 2 to 19 atoms each.

    Returns
    -------
    list of ReferenceBands
        At the zone centre, without bands.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 20, count)
    return [
        _guard(f"crowded {n}", _pushed_apart(int(size), least, rng.uniform(1.5, 1.75), rng))
        for n, size in enumerate(sizes)
    ]


def _pushed_apart(size: int, least: float, radius: float, rng: np.random.Generator) -> FloatArray:
    """Positions of a random cluster, (size, 3), no pair closer than ``least``."""
    ball = radius * np.cbrt(size)
    while True:
        points = rng.normal(size=(size, 3))
        points *= (ball * np.cbrt(rng.random(size)) / np.linalg.norm(points, axis=1))[:, None]
        for _ in range(2000):
            vectors = points[:, None] - points[None]
            distances = np.linalg.norm(vectors, axis=2) + 100.0 * np.eye(size)
            if distances.min() >= least:
                return points
            push = np.maximum(least * 1.001 - distances, 0.0) / distances
            points = points + 0.5 * np.einsum("ij,ijk->ik", push, vectors)
            outside = np.maximum(np.linalg.norm(points, axis=1) / ball, 1.0)
            points /= outside[:, None]
        ball *= 1.03


def _guard(name: str, positions: FloatArray) -> ReferenceBands:
    atoms = Atoms(f"Ag{len(positions)}", positions=positions)
    return ReferenceBands(name, atoms, np.zeros((1, 3)), np.zeros((1, 0)), np.ones(1))


def crowded_crystals(seed: int = 0) -> list[ReferenceBands]:
    """Make compressed and disordered crystals, to guard the overlap.

    Atoms inside a dense metal have more short bonds than those of any cluster: the overlap of a
    compressed crystal is the first to lose its positive definiteness.
    """
    rng = np.random.default_rng(seed)
    corners = np.array([(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0.25, 0.75)])
    crystals = [
        *(bulk("Ag", "fcc", a=a) for a in (3.4, 3.55, 3.7, 3.85)),
        *(bulk("Ag", "bcc", a=a) for a in (2.75, 2.95)),
        *(bulk("Ag", "sc", a=a) for a in (2.3, 2.5)),
    ]
    for scale in (3.7, 3.9):
        atoms = bulk("Ag", "fcc", a=scale, cubic=True)
        atoms.positions += rng.normal(0.0, 0.15, (4, 3))
        crystals.append(atoms)
    guards = []
    for number, atoms in enumerate(crystals):
        points = np.concatenate([corners, rng.uniform(-0.5, 0.5, (4, 3))])
        n_k = len(points) if len(atoms) == 1 else 3
        points = points[:n_k]
        empty = np.zeros((n_k, 0))
        guards.append(ReferenceBands(f"crystal {number}", atoms, points, empty, np.ones(n_k)))
    return guards
