"""Meshes of wave vectors in the plane, and what they leave uncertain."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.errors import SettingsError, StructureError
from nanogap.typing import FloatArray

#: Points times cell width of the automatic mesh, angstrom: 6 x 6 for a 3 x 3 cell of silver, whose
#: k-points then cost less than 0.03 G0 (docs/transport.md).
AUTOMATIC_LENGTH = 50.0
#: A mesh of 135 independent k-points, as many as doi:10.1039/d3nh00476g used for a 3 x 3 cell. It
#: does not say which ones; T(k) = T(-k) leaves 135 of 15 x 18.
PAPER_MESH = (15, 18)


@dataclass(frozen=True)
class PlaneMesh:
    """Mesh of the in-plane zone, and the points of it that time reversal leaves to compute.

    Without spin-orbit coupling and magnetic field T(k) = T(-k).

    Attributes
    ----------
    counts : tuple of int
        Points along the two reciprocal vectors.
    periodic : tuple of bool
        Axes along which the junction is periodic.
    points : ndarray, shape (n_k, 2)
        All points, fractions of the reciprocal cell, the second index fastest.
    computed : ndarray of int, shape (n_computed,)
        Points to compute.
    source : ndarray of int, shape (n_k,)
        Place of every point's value among the computed ones.
    """

    counts: tuple[int, int]
    periodic: tuple[bool, bool]
    points: FloatArray
    computed: NDArray[np.intp]
    source: NDArray[np.intp]

    @property
    def description(self) -> str:
        """Size of the mesh and its place, in words."""
        centred = bool((np.abs(self.points).sum(axis=1) < 1e-9).any())
        return (
            f"{self.counts[0]} x {self.counts[1]}, {'centred on' if centred else 'shifted off'} Γ"
        )

    def error(self, values: FloatArray) -> float:
        """Estimate how far the mean over the mesh is from that over all wave vectors.

        T(k) is a sum of waves exp(2 pi i k.R) with the periods R of the junction. A mesh of N
        points mistakes those of R = N, 2N, ... for the mean; the longest that it resolves have R
        near N/2. The estimate is half the root of the sum of squares of these: several times the
        typical error, above the true one in about 95 of 100 junctions (docs/transport.md).

        Parameters
        ----------
        values : ndarray, shape (n_k,)
            At all points.

        Returns
        -------
        float
            Same unit as the values; NaN if there is one point only along a periodic axis, which
            says nothing about its neighbours.
        """
        if any(axis and count == 1 for axis, count in zip(self.periodic, self.counts, strict=True)):
            return math.nan
        waves = np.abs(np.fft.fft2(np.reshape(values, self.counts))) / len(values)
        longest = np.zeros(self.counts, dtype=bool)
        for axis, count in enumerate(self.counts):
            if count > 1:
                lengths = np.abs(np.fft.fftfreq(count, 1.0 / count))
                longest |= np.expand_dims(lengths == lengths.max(), 1 - axis)
        return float(np.sqrt((waves[longest] ** 2).sum()) / 2.0)


def common_mesh(
    junctions: Sequence[Atoms], kpoints: tuple[int, int] | str, *, gamma_centred: bool = False
) -> PlaneMesh:
    """Make the mesh of several junctions.

    Parameters
    ----------
    junctions : sequence of ase.Atoms
        At least one.
    kpoints : tuple of int or str
        See `mesh_counts`.
    gamma_centred : bool
        Put a point on Gamma; otherwise the mesh is shifted by half a step off it.

    Raises
    ------
    StructureError
        If they differ in their in-plane periodicity.
    SettingsError
        If `kpoints` is no mesh.
    """
    found = {(bool(junction.pbc[0]), bool(junction.pbc[1])) for junction in junctions}
    if len(found) > 1:
        raise StructureError("the junctions differ in their in-plane periodicity: split the file")
    periodic = found.pop()
    counts = mesh_counts(kpoints, [junction.cell.array for junction in junctions], periodic)
    return plane_mesh(counts, gamma_centred=gamma_centred, periodic=periodic)


def mesh_counts(
    kpoints: tuple[int, int] | str, cells: Sequence[FloatArray], periodic: tuple[bool, bool]
) -> tuple[int, int]:
    """Count the k-points along the two reciprocal vectors.

    Parameters
    ----------
    kpoints : tuple of int or str
        As it is; or ``auto``: `AUTOMATIC_LENGTH` over the cell's width, rounded up; or ``paper``.
    cells : sequence of ndarray, each of shape (3, 3)
        Of the junctions that share the mesh; the narrowest counts.
    periodic : tuple of bool

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if isinstance(kpoints, str) and kpoints == "paper":
        wanted = PAPER_MESH
    elif isinstance(kpoints, str) and kpoints == "auto":
        widths = np.min([_widths(cell) for cell in cells], axis=0)
        first, second = (max(1, math.ceil(AUTOMATIC_LENGTH / width - 1e-6)) for width in widths)
        wanted = (first, second)
    else:
        wanted = _two_numbers(kpoints)
    if min(wanted) < 1:
        raise SettingsError(f"kpoints = {wanted[0]} {wanted[1]}: there must be at least 1 x 1")
    return (wanted[0] if periodic[0] else 1, wanted[1] if periodic[1] else 1)


def _two_numbers(kpoints: object) -> tuple[int, int]:
    numbers = list(kpoints) if isinstance(kpoints, Iterable) else []
    whole = [isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers]
    if len(numbers) != 2 or not all(whole):
        raise SettingsError(f"kpoints = {kpoints!r}: give two whole numbers, 'auto' or 'paper'")
    return int(numbers[0]), int(numbers[1])


def _widths(cell: FloatArray) -> FloatArray:
    """Lengths of the in-plane cell vectors, shape (2,), angstrom."""
    lengths: FloatArray = np.linalg.norm(np.asarray(cell)[:2, :2], axis=1)
    return np.where(lengths > 0.0, lengths, np.inf)


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
    return PlaneMesh(
        (len(axes[0]), len(axes[1])), periodic, points, computed, source.astype(np.intp)
    )


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
    return replace(mesh, computed=computed, source=source.astype(np.intp))


def _place(point: FloatArray) -> tuple[float, float]:
    """Name a wave vector, the same for all that differ by reciprocal vectors."""
    first, second = np.round(point % 1.0, 9) % 1.0
    return float(first), float(second)
