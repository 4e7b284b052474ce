"""The two periodic cells that PWCOND needs: the lead's, and the scattering region's.

Choi & Ihm, Phys. Rev. B 59, 2267 (1999), doi:10.1103/PhysRevB.59.2267; Smogunov, Dal Corso &
Tosatti, Phys. Rev. B 70, 045417 (2004), doi:10.1103/PhysRevB.70.045417.

PWCOND takes the scattering region from a supercell that repeats along z. So that its potential is
the lead's at both ends, the supercell ends where the right lead repeats the planes that the left
lead begins with: the repeated crystal is perfect across the boundary.
"""

import math
from dataclasses import dataclass

import numpy as np
import spglib
from ase import Atoms
from numpy.typing import NDArray

from nanogap.errors import StructureError
from nanogap.structure.junction import LEFT, RIGHT
from nanogap.structure.plane_cell import reduced_plane
from nanogap.transport.espresso.pw import BOHR, Grid, PlaneWaveSettings
from nanogap.typing import FloatArray, Int64Array

spglib.error.OLD_ERROR_HANDLING = False  # raise, not return None


#: Atoms at the same height to this are one plane; atoms of a lead that repeats agree to
#: this, angstrom.
_PLANE, _SAME_PLACE = 0.05, 0.02
#: Denser meshes along wires, by this factor.
_WIRE_DENSITY = 2.0
#: Primes that FFT grids are made of.
_PRIMES = (2, 3, 5)


@dataclass(frozen=True)
class ScatteringCells:
    """Cells of a PWCOND calculation, both with their first plane at z = 0.

    Attributes
    ----------
    lead : ase.Atoms
        One period of the lead.
    scattering : ase.Atoms
        The scattering region, which begins and ends in the lead.
    periodic : tuple of bool
        In the plane; along other axes the cell has empty space.
    matrix : ndarray of int, shape (2, 2)
        Their in-plane vectors, the shortest of their lattice, are this times the junction's.
    """

    lead: Atoms
    scattering: Atoms
    periodic: tuple[bool, bool]
    matrix: Int64Array

    def grids(self, settings: PlaneWaveSettings) -> tuple[tuple[Grid, Grid], tuple[Grid, Grid]]:
        """Dense and smooth FFT grid of the lead, and those of the scattering region.

        PWCOND needs the same grids in the plane. Along z, the spacing of the scattering region's
        is as near to that of the lead as can be.
        """
        lead, scattering = [], []
        for cutoff in (settings.density_cutoff, 4.0 * settings.wave_cutoff):
            sides = [float(np.linalg.norm(vector)) for vector in self.lead.cell.array]
            own = [_grid_points(_least_points(side, cutoff)) for side in sides]
            length = float(self.scattering.cell.array[2, 2])
            least = max(_least_points(length, cutoff), own[2] * length / sides[2] - 1e-6)
            lead.append((own[0], own[1], own[2]))
            scattering.append((own[0], own[1], _grid_points(math.ceil(least))))
        return (lead[0], lead[1]), (scattering[0], scattering[1])

    def meshes(self, density: float) -> tuple[Grid, Grid]:
        """Gamma-centred meshes of the lead and of the scattering region.

        PWCOND joins the two at their Fermi energies, so these must have the same error: the meshes
        are equal in the plane and as equal as can be along z. Wires need twice the density, for
        want of other directions to average over.

        Parameters
        ----------
        density : float
            Length that the supercell of the points spans, angstrom.
        """
        sides = np.linalg.norm(self.lead.cell.array, axis=1)
        first, second = (
            max(1, round(density / float(side))) if axis else 1
            for side, axis in zip(sides, self.periodic, strict=False)
        )
        length = float(self.scattering.cell.array[2, 2])
        along = math.ceil(density * (1.0 if all(self.periodic) else _WIRE_DENSITY) / length)
        return (
            (first, second, max(1, round(along * length / float(sides[2])))),
            (first, second, along),
        )

    def symmetries(self) -> list[NDArray[np.int64]]:
        """Matrices W such that T(k) = T(k W), k as a row in fractions of the reciprocal cell.

        Rotations and reflections of the scattering region that keep z or turn it round; where
        they turn it, T(k) of left to right is that of right to left at k W, which by time reversal
        is that of left to right at -k W. The inversion of k is among them.
        """
        found = spglib.get_symmetry(
            (
                self.scattering.cell.array,
                self.scattering.get_scaled_positions(),
                self.scattering.numbers,
            ),
            symprec=1e-3,
        )
        result = []
        for rotation in found["rotations"]:
            if abs(rotation[2, 2]) == 1 and not rotation[2, :2].any() and not rotation[:2, 2].any():
                result += [rotation[:2, :2], -rotation[:2, :2]]
        return result


def scattering_cells(junction: Atoms, planes: int, vacuum: float) -> ScatteringCells:
    """Make the cells of a junction.

    Parameters
    ----------
    junction : ase.Atoms
        In the junction format; both leads are parts of one crystal.
    planes : int
        Perfect planes to keep on either side of what is not crystal, at most: a junction may come
        with more than PWCOND needs. If it has fewer, all are kept.
    vacuum : float
        Empty space along axes of the plane that are not periodic, angstrom.

    Raises
    ------
    StructureError
        If the leads are not parts of one crystal, or not in register.
    """
    periodic = (bool(junction.pbc[0]), bool(junction.pbc[1]))
    cell, matrix = reduced_plane(_plane_cell(junction, periodic, vacuum), periodic)
    left = _Crystal.of(junction, LEFT, cell)
    right = _Crystal.of(junction, RIGHT, cell)
    if abs(left.period - right.period) > _SAME_PLACE or len(left.positions) != len(right.positions):
        raise StructureError(
            f"the leads differ (periods {left.period:.3f} and {right.period:.3f} Å, "
            f"{len(left.positions)} and {len(right.positions)} atoms): this backend needs two "
            "leads of one crystal; use the tight-binding backend"
        )
    made_of = [
        str(junction[junction.arrays["region"] == region].symbols.formula.reduce()[0])
        for region in (LEFT, RIGHT)
    ]
    if made_of[0] != made_of[1]:
        raise StructureError(
            f"the leads differ (of {made_of[0]} and of {made_of[1]}): this backend needs two leads "
            "of one crystal"
        )
    positions = _rows(junction)
    first = max(0, left.count(positions) - max(planes, 1))
    last = max(0, right.count(positions) - max(planes, 1))
    if right.planes(-last, 1 - last)[0][0, 2] < left.planes(first, first + 1)[0][0, 2]:
        first = last = 0  # one perfect crystal
    begin = left.planes(first, first + left.n_planes)
    bottom = float(begin[0][:, 2].min())
    for extra in range(right.n_planes):
        following = right.planes(-last + 1 + extra, -last + 1 + extra + right.n_planes)
        if _same(begin, following, cell):
            break
    else:
        raise StructureError(
            "the leads are parts of one crystal that are not in register (shifted against each "
            "other in the plane, or stacked the other way round): this backend needs a right lead "
            "that is the left one moved by lattice vectors; use the tight-binding backend"
        )
    top = float(following[0][:, 2].min())
    kept = positions[
        (positions[:, 2] > bottom - _PLANE)
        & (positions[:, 2] < right.planes(-last, -last + 1)[0][0, 2] + _PLANE)
    ]
    added = [right.planes(n, n + 1)[0] for n in range(-last + 1, -last + 1 + extra)]
    lead = _cell(np.concatenate(begin), cell, bottom, left.period)
    scattering = _cell(np.concatenate([kept, *added]), cell, bottom, top - bottom)
    _list_as_lead(scattering, lead, left.starts)
    return ScatteringCells(lead, scattering, periodic, matrix)


def _rows(atoms: Atoms) -> FloatArray:
    """Positions and atomic numbers in the order of height, (n, 4): equal atoms have equal rows."""
    rows = np.column_stack([atoms.positions, atoms.numbers])
    return np.asarray(rows[np.argsort(rows[:, 2], kind="stable")])


def _list_as_lead(scattering: Atoms, lead: Atoms, starts: tuple[int, ...]) -> None:
    """Put the outer planes of the scattering region into the lead's order and images.

    PWCOND joins the projectors that cross a boundary by their numbers: in another order, or an
    image away, it returns wrong transmissions with the flux conserved.
    """
    cell = lead.cell.array[:2, :2]
    inverse = np.linalg.inv(cell)
    planes = np.split(lead.positions, starts[1:])
    numbers = np.split(lead.numbers, starts[1:])
    for rise in (0.0, float(scattering.cell.array[2, 2] - lead.cell.array[2, 2])):
        for plane, number in zip(planes, numbers, strict=True):
            wanted = plane + np.array([0.0, 0.0, rise])
            at = np.flatnonzero(np.abs(scattering.positions[:, 2] - wanted[0, 2]) < _PLANE)
            if len(at) != len(wanted):
                continue
            fractions = (scattering.positions[at, None, :2] - wanted[None, :, :2]) @ inverse
            apart = np.linalg.norm((fractions - np.rint(fractions)) @ cell, axis=-1)
            if apart.min(axis=0).max() < _SAME_PLACE:
                scattering.positions[at] = wanted
                scattering.numbers[at] = number


def _plane_cell(junction: Atoms, periodic: tuple[bool, bool], vacuum: float) -> FloatArray:
    """In-plane cell with empty space along axes that are not periodic, shape (2, 2)."""
    cell: FloatArray = junction.cell.array[:2, :2].copy()
    if all(periodic):
        return cell
    extent = np.ptp(junction.positions[:, :2], axis=0) + vacuum
    if not any(periodic):
        return np.asarray(np.diag(extent))
    axis = periodic.index(True)
    along = cell[axis] / np.linalg.norm(cell[axis])
    across = np.array([-along[1], along[0]])
    cell[1 - axis] = across * (float(np.ptp(junction.positions[:, :2] @ across)) + vacuum)
    return cell


def _cell(rows: FloatArray, cell: FloatArray, bottom: float, length: float) -> Atoms:
    """Build a periodic cell that begins at z = `bottom`."""
    box = np.zeros((3, 3))
    box[:2, :2], box[2, 2] = cell, length
    fractions = rows[:, :2] @ np.linalg.inv(cell)
    fractions -= np.floor(fractions + 1e-6)
    heights = np.round(rows[:, 2] - bottom, 9)
    return Atoms(
        rows[:, 3].astype(np.intp),
        positions=np.column_stack([fractions @ cell, heights]),
        cell=box,
        pbc=True,
    )


@dataclass(frozen=True)
class _Crystal:
    """A lead as an endless stack of planes, numbered along +z; 0 is the outermost of the unit."""

    positions: FloatArray  # rows of `_rows`
    period: float
    starts: tuple[int, ...]  # first atom of each plane
    sign: int  # +1: the crystal goes on into the junction along +z
    cell: FloatArray

    @classmethod
    def of(cls, junction: Atoms, region: str, cell: FloatArray) -> "_Crystal":
        positions = _rows(junction[junction.arrays["region"] == region])
        steps = np.flatnonzero(np.diff(positions[:, 2]) > _PLANE) + 1
        period = float(junction.info[f"{region}_period"])
        return cls(positions, period, (0, *steps.tolist()), 1 if region == LEFT else -1, cell)

    @property
    def n_planes(self) -> int:
        return len(self.starts)

    def planes(self, first: int, end: int) -> list[FloatArray]:
        """Planes `first` to `end` - 1, each (n, 4)."""
        offset = 0 if self.sign > 0 else self.n_planes - 1
        result = []
        for number in range(first + offset, end + offset):
            turns, plane = divmod(number, self.n_planes)
            stop = (*self.starts, len(self.positions))[plane + 1]
            moved = self.positions[self.starts[plane] : stop].copy()
            moved[:, 2] += turns * self.period
            result.append(moved)
        return result

    def count(self, positions: FloatArray) -> int:
        """Planes of the junction, from its end inwards, that are this crystal's."""
        matched = 0
        while True:
            number = self.sign * matched
            plane = self.planes(number, number + 1)[0]
            height = plane[0, 2]
            near = positions[np.abs(positions[:, 2] - height) < _PLANE]
            if len(near) != len(plane) or not _same([near], [plane], self.cell):
                return matched
            matched += 1
            if matched * len(plane) >= len(positions):
                return matched


def _same(one: list[FloatArray], other: list[FloatArray], cell: FloatArray) -> bool:
    """Whether two stacks of planes agree but for a shift along z and lattice vectors.

    Atoms of two elements differ by one or more in the last column, as if they were so far apart.
    """
    rise = other[0][0, 2] - one[0][0, 2]
    inverse = np.linalg.inv(cell)
    for a, b in zip(one, other, strict=True):
        if len(a) != len(b):
            return False
        difference = b[:, None, :] - a[None, :, :] - np.array([0.0, 0.0, rise, 0.0])
        fractions = difference[..., :2] @ inverse
        difference[..., :2] = (fractions - np.rint(fractions)) @ cell
        distance = np.linalg.norm(difference, axis=-1)
        if (distance.min(axis=0) > _SAME_PLACE).any() or (distance.min(axis=1) > _SAME_PLACE).any():
            return False
    return True


def _least_points(side: float, cutoff: float) -> int:
    """Points that a grid needs for a cut-off (Ry) of the density along a side (angstrom)."""
    return 2 * math.floor(math.sqrt(cutoff) * side / (2.0 * math.pi * BOHR)) + 1


def _grid_points(least: int) -> int:
    """Smallest number of small prime factors that is not below `least`."""
    number = least
    while True:
        rest = number
        for prime in _PRIMES:
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return number
        number += 1
