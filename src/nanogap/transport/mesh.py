"""Meshes of wave vectors in the plane, and what they leave uncertain."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.arguments import shown
from nanogap.errors import SettingsError, StructureError
from nanogap.structure.plane_cell import reduced_plane
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: Points times cell width of the automatic mesh, angstrom: 6 x 6 for a 3 x 3 cell of silver, whose
#: k-points then cost less than 0.03 G0 (docs/transport.md).
AUTOMATIC_LENGTH = 50.0
#: A mesh of 135 independent k-points, as many as doi:10.1039/d3nh00476g used for a 3 x 3 cell. It
#: does not say which ones; T(k) = T(-k) leaves 135 of 15 x 18.
PAPER_MESH = (15, 18)
#: A mesh of fewer points along an axis, or that spans less, sees too little of T(k) to say what it
#: leaves out; its error is then taken as this length over what it spans, angstrom, times the lesser
#: of T and its root, an envelope of the junctions in docs/transport.md.
_FEW_POINTS, _SHORT_SPAN, _ENVELOPE = 3, 25.0, 6.0


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
    cell : ndarray, shape (2, 2), optional
        Cell of the junction along whose reciprocal vectors the points are counted, angstrom.
    """

    counts: tuple[int, int]
    periodic: tuple[bool, bool]
    points: FloatArray
    computed: NDArray[np.intp]
    source: NDArray[np.intp]
    cell: FloatArray | None = None

    @property
    def description(self) -> str:
        """Size of the mesh and its place, in words."""
        centred = bool((np.abs(self.points).sum(axis=1) < 1e-9).any())
        return (
            f"{self.counts[0]} x {self.counts[1]}, {'centred on' if centred else 'shifted off'} Γ"
        )

    def error(self, values: FloatArray) -> float:
        """Estimate how far the mean over the mesh is from that over all wave vectors.

        T(k) is a sum of waves exp(2 pi i k.R) with the periods R of the junction. A mesh mistakes
        those of the supercell that it spans (R = N along either vector) for the mean; it resolves
        R up to half of that, but of the longest of these, half a step off Gamma, those along one
        vector alone vanish on its points by time reversal. The estimate is half the root of the
        sum of squares of those that are so long or one shorter. Coarse meshes, which
        have none to show, get an envelope of the errors of such meshes (docs/transport.md).

        Parameters
        ----------
        values : ndarray, shape (n_k,)
            At all points.

        Returns
        -------
        float
            Same unit as the values; 0 if there is nothing to average over.
        """
        if not any(self.periodic):
            return 0.0
        waves = np.abs(np.fft.fft2(np.reshape(values, self.counts))) / len(values)
        estimate = float(np.sqrt((waves[self._longest] ** 2).sum()) / 2.0)
        span = self._span
        fewest = min(n for n, axis in zip(self.counts, self.periodic, strict=True) if axis)
        if fewest < _FEW_POINTS or 0.0 < span < _SHORT_SPAN:
            mean = abs(float(np.mean(values)))
            part = min(1.0, _ENVELOPE / span) if span else 1.0
            estimate = max(estimate, part * min(mean, math.sqrt(mean)))
        return estimate

    @property
    def _span(self) -> float:
        """Shortest period of the supercell that the points span, angstrom; 0 if not known."""
        if self.cell is None:
            return 0.0
        spanned = np.array(self.counts)[:, None] * self.cell
        reduced, _ = reduced_plane(spanned, self.periodic)
        return float(np.linalg.norm(reduced, axis=1)[list(self.periodic)].min())

    @property
    def _longest(self) -> BoolArray:
        """Waves that are nearly too long for the mesh, by their place in a Fourier transform."""
        steps = [np.fft.fftfreq(count) for count in self.counts]
        fractions = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1)
        counts = np.array(self.counts, dtype=np.float64)
        if self.cell is not None:
            spanned = np.array(self.counts)[:, None] * self.cell
            _, matrix = reduced_plane(spanned, self.periodic)
            if not np.array_equal(matrix, np.eye(2)):
                # a long wave of a skewed supercell may be a short one along its shortest periods
                fractions = fractions @ np.linalg.inv(matrix)
                fractions -= np.rint(fractions)
                counts[:] = math.sqrt(math.prod(self.counts))
        least = np.floor((counts - 1.0) / 2.0) / counts
        longest: BoolArray = ((np.abs(fractions) > least - 1e-9) & (counts > 1.0)).any(axis=-1)
        longest[0, 0] = False
        return longest

    def in_cell(self, matrix: Int64Array) -> "PlaneMesh":
        """Return the same wave vectors as fractions of another cell of the same lattice.

        Parameters
        ----------
        matrix : ndarray of int, shape (2, 2)
            The other cell is this matrix times the cell of the fractions.
        """
        return replace(self, points=_folded(self.points @ matrix.T))


def common_mesh(
    junctions: Sequence[Atoms],
    kpoints: tuple[int, int] | str,
    *,
    gamma_centred: bool = False,
    along_shortest: bool = False,
) -> PlaneMesh:
    """Make the mesh of several junctions.

    Parameters
    ----------
    junctions : sequence of ase.Atoms
        At least one.
    kpoints : tuple of int or str
        See `mesh_counts`. Two numbers count along the reciprocal vectors of the junctions' cell,
        names along those of the shortest vectors of its lattice, however the cell is written.
    gamma_centred : bool
        Put a point on Gamma; otherwise the mesh is shifted by half a step off it.
    along_shortest : bool
        Count two numbers along the shortest vectors, too.

    Raises
    ------
    StructureError
        If they differ in their in-plane periodicity, or their cells are skewed differently.
    SettingsError
        If `kpoints` is no mesh.
    """
    found = {(bool(junction.pbc[0]), bool(junction.pbc[1])) for junction in junctions}
    if len(found) > 1:
        raise StructureError("the junctions differ in their in-plane periodicity: split the file")
    periodic = found.pop()
    cells = [np.asarray(junction.cell.array[:2, :2]) for junction in junctions]
    matrix: Int64Array = np.eye(2, dtype=np.int64)
    if along_shortest or isinstance(kpoints, str):
        reduced = [reduced_plane(cell, periodic) for cell in cells]
        matrix = reduced[0][1]
        if any(not np.array_equal(other, matrix) for _, other in reduced):
            raise StructureError(
                "the in-plane cells of the junctions are skewed differently: split the file, or "
                "write them with the shortest vectors of their lattices"
            )
        cells = [cell for cell, _ in reduced]
    counts = mesh_counts(kpoints, cells, periodic)
    narrowest = cells[int(np.argmin([abs(np.linalg.det(cell)) for cell in cells]))]
    mesh = plane_mesh(counts, gamma_centred=gamma_centred, periodic=periodic)
    back = np.rint(np.linalg.inv(matrix)).astype(np.int64)
    return replace(mesh, cell=narrowest).in_cell(back)


def mesh_counts(
    kpoints: tuple[int, int] | str, cells: Sequence[FloatArray], periodic: tuple[bool, bool]
) -> tuple[int, int]:
    """Count the k-points along the two reciprocal vectors.

    Parameters
    ----------
    kpoints : tuple of int or str
        As it is; or ``auto``: `AUTOMATIC_LENGTH` over the width of the cell, rounded up, with the
        shortest vectors of its lattice; or ``paper``.
    cells : sequence of ndarray, each of shape (2, 2)
        Of the junctions that share the mesh, angstrom; the narrowest counts.
    periodic : tuple of bool

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if isinstance(kpoints, str) and kpoints == "paper":
        wanted = PAPER_MESH
    elif isinstance(kpoints, str) and kpoints == "auto":
        reduced = [reduced_plane(cell, periodic)[0] for cell in cells]
        wanted = spanning_counts(reduced, AUTOMATIC_LENGTH)
    else:
        wanted = _two_numbers(kpoints)
    if min(wanted) < 1:
        raise SettingsError(f"kpoints = {wanted[0]} {wanted[1]}: there must be at least 1 x 1")
    return (wanted[0] if periodic[0] else 1, wanted[1] if periodic[1] else 1)


def _two_numbers(kpoints: object) -> tuple[int, int]:
    numbers = list(kpoints) if isinstance(kpoints, Iterable) else []
    whole = [isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers]
    if len(numbers) != 2 or not all(whole):
        raise SettingsError(
            f"kpoints = {shown(kpoints)}: give two whole numbers, 'auto' or 'paper'"
        )
    return int(numbers[0]), int(numbers[1])


def spanning_counts(cells: Sequence[FloatArray], length: float) -> tuple[int, int]:
    """Count the points of a mesh whose supercell spans a length along both vectors of a cell.

    Parameters
    ----------
    cells : sequence of ndarray, each of shape (2, 2)
        The narrowest counts, angstrom; with the shortest vectors of their lattices.
    length : float
        Angstrom.
    """
    sides = np.min([np.linalg.norm(np.asarray(cell)[:2, :2], axis=1) for cell in cells], axis=0)
    first, second = (
        max(1, math.ceil(length / side - 1e-6)) if side > 0.0 else 1 for side in sides.tolist()
    )
    return first, second


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
    points = _folded(points)
    keys = {tuple(np.round(point % 1.0, 9) % 1.0): n for n, point in enumerate(points)}
    partner = np.array([keys[tuple(np.round(-point % 1.0, 9) % 1.0)] for point in points])
    lowest = np.minimum(np.arange(len(points)), partner)
    computed, source = np.unique(lowest, return_inverse=True)
    return PlaneMesh(
        (len(axes[0]), len(axes[1])), periodic, points, computed, source.astype(np.intp)
    )


def _folded(points: FloatArray) -> FloatArray:
    """Move wave vectors into (-1/2, 1/2] by reciprocal vectors."""
    folded: FloatArray = points - np.ceil(points - 0.5 - 1e-12)
    return folded


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
