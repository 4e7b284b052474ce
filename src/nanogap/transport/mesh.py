"""Meshes of wave vectors in the plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PlaneMesh:
    """A mesh of the in-plane zone, and the points of it that time reversal leaves to compute.

    Without spin-orbit coupling and magnetic field T(k) = T(-k).

    Attributes
    ----------
    points : ndarray, shape (n_k, 2)
        All points, fractions of the reciprocal cell, the second index fastest.
    computed : ndarray of int, shape (n_computed,)
        Points to compute.
    source : ndarray of int, shape (n_k,)
        Place of every point's value among the computed ones.
    """

    points: FloatArray
    computed: NDArray[np.intp]
    source: NDArray[np.intp]


def plane_mesh(
    counts: tuple[int, int], *, gamma_centred: bool = False, periodic: tuple[bool, bool]
) -> PlaneMesh:
    """Make a uniform mesh (Monkhorst & Pack, Phys. Rev. B 13, 5188 (1976)).

    doi:10.1103/PhysRevB.13.5188.

    Parameters
    ----------
    counts : tuple of int
        Points along the two reciprocal vectors; one along an axis that is not periodic.
    gamma_centred : bool
        Put a point on Gamma; otherwise the mesh is shifted by half a step off it.
    periodic : tuple of bool
        Axes of the junction that are periodic.
    """
    shift = 0.0 if gamma_centred else 0.5
    axes = [
        (np.arange(count) + shift) / count if axis else np.zeros(1)
        for count, axis in zip(counts, periodic, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    points -= np.ceil(points - 0.5 - 1e-12)  # into (-1/2, 1/2]
    keys = {tuple(np.round(point % 1.0, 9) % 1.0): n for n, point in enumerate(points)}
    partner = np.array([keys[tuple(np.round(-point % 1.0, 9) % 1.0)] for point in points])
    lowest = np.minimum(np.arange(len(points)), partner)
    computed, source = np.unique(lowest, return_inverse=True)
    return PlaneMesh(points, computed, source.astype(np.intp))


def reduced_mesh(mesh: PlaneMesh, symmetries: Sequence[NDArray[np.int64]]) -> PlaneMesh:
    """Compute fewer points of a mesh by symmetries of the junction.

    Parameters
    ----------
    mesh : PlaneMesh
    symmetries : sequence of ndarray, shape (2, 2)
        Matrices W with T(k) = T(k W), k a row of fractions; they form a group. Those that do not
        map the mesh onto itself are not used.

    Returns
    -------
    PlaneMesh
        The same points, with fewer to compute.
    """
    keys = {_place(point): number for number, point in enumerate(mesh.points)}
    first = np.arange(len(mesh.points))
    for matrix in symmetries:
        images = [keys.get(_place(point @ matrix)) for point in mesh.points]
        if None not in images:
            first = np.minimum(first, np.array(images, dtype=np.intp))
    while not np.array_equal(first, first[first]):
        first = first[first]
    computed, source = np.unique(first, return_inverse=True)
    return PlaneMesh(mesh.points, computed, source.astype(np.intp))


def _place(point: FloatArray) -> tuple[float, float]:
    """Name a wave vector, the same for all that differ by reciprocal vectors."""
    first, second = np.round(point % 1.0, 9) % 1.0
    return float(first), float(second)
