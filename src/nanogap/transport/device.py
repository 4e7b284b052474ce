"""A junction as the matrices that transport needs: leads, channel, and what couples them.

The channel is cut into slices that couple only to the next one, from both leads towards the
narrowest place, so that the matrices to be inverted are as small as the structure allows.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.spatial import cKDTree

from nanogap.errors import StructureError
from nanogap.transport.hamiltonian import (
    RealSpaceMatrices,
    TightBindingModel,
    real_space_matrices,
)
from nanogap.transport.leads import Lead, LeadUnit, get_lead, lead_unit
from nanogap.transport.slater_koster import N_ORBITALS

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.intp]

#: Atoms that agree to this continue a lead, angstrom.
_SAME_PLACE = 1e-5


@dataclass(frozen=True)
class BlochBlock:
    """H and S between two groups of atoms as functions of the wave vector.

    Attributes
    ----------
    hamiltonian, overlap : scipy.sparse.csr_array, shape (n_rows * n_columns, n_translations)
        One column per lattice translation; eV, and no unit.
    shape : tuple of int
        Orbitals of the two groups.
    """

    hamiltonian: csr_array
    overlap: csr_array
    shape: tuple[int, int]

    @classmethod
    def between(
        cls, matrices: RealSpaceMatrices, rows: IntArray, columns: IntArray
    ) -> "BlochBlock":
        """Take the block between two groups of atoms."""
        r, c = _orbitals(rows), _orbitals(columns)
        flat = [
            vstack([m[r][:, c].reshape((1, len(r) * len(c))) for m in operators]).T.tocsr()
            for operators in (matrices.hamiltonian, matrices.overlap)
        ]
        return cls(flat[0], flat[1], (len(r), len(c)))

    def at(self, phases: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        """H(k) and S(k) from the Bloch phases of the translations."""
        h, s = (operator @ phases for operator in (self.hamiltonian, self.overlap))
        return h.reshape(self.shape), s.reshape(self.shape)


def _orbitals(atoms: IntArray) -> IntArray:
    """Return the orbitals of atoms, in the atoms' order."""
    return np.asarray((atoms[:, None] * N_ORBITALS + np.arange(N_ORBITALS)).ravel())


@dataclass(frozen=True)
class Branch:
    """The way from a lead to the middle of the channel.

    Attributes
    ----------
    lead : Lead
    coupling : BlochBlock
        From the first slice (rows) to the principal layer of the lead.
    own : list of BlochBlock
        Each slice with itself, from the lead inwards.
    onward : list of BlochBlock
        From the next slice (rows) to each slice; the last one from `landing`.
    landing : ndarray
        Orbitals of the middle that the branch couples to, numbered within the middle.
    """

    lead: Lead
    coupling: BlochBlock
    own: list[BlochBlock]
    onward: list[BlochBlock]
    landing: IntArray


@dataclass(frozen=True)
class Device:
    """A junction in the tight-binding model.

    Attributes
    ----------
    leads : tuple of Lead
        Left and right.
    translations : ndarray, shape (n_t, 2)
        Lattice translations in the plane, in cell vectors.
    middle : BlochBlock or None
        The slice in which both branches meet; None if no orbitals couple from lead to lead.
    branches : tuple of Branch
        From the left and from the right lead; empty if they do not couple.
    """

    leads: tuple[Lead, Lead]
    translations: IntArray
    middle: BlochBlock | None
    branches: tuple[Branch, ...]

    @property
    def fermi_energy(self) -> float:
        """Fermi energy: the mean of the two leads', eV on the Hamiltonian's scale."""
        return (self.leads[0].fermi_energy + self.leads[1].fermi_energy) / 2.0

    @property
    def slice_sizes(self) -> list[int]:
        """Orbitals of the slices from left to right."""
        if self.middle is None:
            return []
        left, right = ([own.shape[0] for own in branch.own] for branch in self.branches)
        return [*left, self.middle.shape[0], *right[::-1]]


def build_device(junction: Atoms, model: TightBindingModel) -> Device:
    """Assemble the matrices of a junction.

    Parameters
    ----------
    junction : ase.Atoms
        A validated junction (`nanogap.structure.junction`).
    model : TightBindingModel

    Returns
    -------
    Device

    Raises
    ------
    StructureError
        If a lead cannot conduct, or atoms are so close that orbitals depend on each other.
    """
    foreign = sorted(set(junction.get_chemical_symbols()) - {model.element})
    if foreign:
        raise StructureError(
            f"the junction has {foreign[0]} atoms, but the Hamiltonian is one of {model.element}: "
            f"give a junction of {model.element} atoms only"
        )
    cell, periodic = _in_plane(junction)
    regions, positions = junction.arrays["region"], junction.positions
    sides = []
    for name, direction in (("left", -1), ("right", 1)):
        period = float(junction.info[f"{name}_period"])
        unit, origin = lead_unit(positions[regions == name], cell, periodic, period, direction)
        sides.append(_Side(get_lead(unit, model), origin))
    return _assemble(sides, positions[regions == "channel"], model)


def _in_plane(junction: Atoms) -> tuple[FloatArray, tuple[bool, bool]]:
    """Cell in the plane, shape (2, 2), and along which of its vectors it is periodic."""
    periodic = (bool(junction.pbc[0]), bool(junction.pbc[1]))
    cell = np.array(junction.cell.array[:2], dtype=np.float64)
    if np.abs(cell[list(periodic), 2]).max(initial=0.0) > _SAME_PLACE:
        raise StructureError("the periodic cell vectors of a junction must lie in the xy plane")
    plane = cell[:, :2]
    for axis in (0, 1):
        if not periodic[axis]:  # any vector that is independent of the other will do
            other = plane[1 - axis] if periodic[1 - axis] else np.array([0.0, 1.0])[:: 1 - 2 * axis]
            plane[axis] = 1e3 * np.array([other[1], -other[0]]) / np.linalg.norm(other)
    return plane, periodic


@dataclass
class _Side:
    """A lead, where it stands, and how many of its units are taken into the channel."""

    lead: Lead
    origin: FloatArray
    taken: int = 0

    def units(self, first: int, count: int) -> FloatArray:
        """Positions of some units, numbered from the given one into the lead."""
        unit = self.lead.unit
        step = np.array([0.0, 0.0, unit.direction * unit.period])
        copies = [
            unit.positions + self.origin + number * step for number in range(first, first + count)
        ]
        return np.concatenate(copies) if copies else np.zeros((0, 3))

    @property
    def face(self) -> float:
        """Height of the atoms of the surface unit that are nearest the channel."""
        heights = self.units(self.taken, 1)[:, 2]
        return float(heights.max() if self.lead.unit.direction < 0 else heights.min())


def _assemble(sides: list[_Side], channel: FloatArray, model: TightBindingModel) -> Device:
    left, right = sides
    for side, other in ((left, right), (right, left)):
        _take_what_is_not_bulk(side, channel, other, model.cutoff)
    while right.face - left.face < model.cutoff:  # no coupling from lead to lead past the channel
        left.taken += 1
    surfaces = [side.units(side.taken, side.lead.layers) for side in sides]
    inside = np.concatenate([left.units(0, left.taken), channel, right.units(0, right.taken)])
    positions = np.concatenate([surfaces[0], inside, surfaces[1]])
    densities = np.full((len(left.lead.densities), len(positions)), np.nan)
    densities[:, : len(surfaces[0])] = np.tile(left.lead.densities, left.lead.layers)
    densities[:, len(positions) - len(surfaces[1]) :] = np.tile(
        right.lead.densities, right.lead.layers
    )
    unit = left.lead.unit
    box = np.zeros((3, 3))
    box[:2, :2], box[2, 2] = unit.cell, np.ptp(positions[:, 2]) + 1.0
    atoms = Atoms(
        f"{model.element}{len(positions)}", positions, cell=box, pbc=(*unit.periodic, False)
    )
    matrices = real_space_matrices(atoms, model, densities)
    groups = np.split(np.arange(len(positions)), np.cumsum([len(surfaces[0]), len(inside)]))
    return _slice(matrices, groups, (left.lead, right.lead))


def _take_what_is_not_bulk(side: _Side, channel: FloatArray, other: _Side, cutoff: float) -> None:
    """Take units into the channel unless it goes on as the lead does, as far as atoms see."""
    unit, face = side.lead.unit, side.face
    n_seen = math.ceil(cutoff / unit.period)
    expected = side.units(-n_seen, n_seen)
    n_other = math.ceil(cutoff / other.lead.unit.period) + 1
    found = np.concatenate([channel, other.units(0, n_other)])

    def near(points: FloatArray) -> FloatArray:
        return points[unit.direction * (points[:, 2] - face) > -cutoff - _SAME_PLACE]

    if not _same_points(near(expected), near(found), unit):
        depth = float(np.ptp(unit.positions[:, 2]))
        side.taken = math.ceil((cutoff + depth) / unit.period)


def _same_points(first: FloatArray, second: FloatArray, unit: LeadUnit) -> bool:
    """Whether two sets of atoms are the same but for lattice translations."""
    if len(first) != len(second):
        return False
    inverse = np.linalg.inv(unit.cell)
    steps = [(-1.0, 0.0, 1.0) if axis else (0.0,) for axis in unit.periodic]
    images = np.array([(i, j) for i in steps[0] for j in steps[1]]) @ unit.cell
    wrapped = []
    for points in (first, second):
        fractional = points[:, :2] @ inverse
        fractional -= np.where(unit.periodic, np.floor(fractional), 0.0)
        wrapped.append(np.column_stack([fractional @ unit.cell, points[:, 2]]))
    everywhere = wrapped[1][None] + np.column_stack([images, np.zeros(len(images))])[:, None]
    distance, _ = cKDTree(everywhere.reshape(-1, 3)).query(wrapped[0])
    return bool(distance.max(initial=0.0) < _SAME_PLACE)


def _slice(matrices: RealSpaceMatrices, groups: list[IntArray], leads: tuple[Lead, Lead]) -> Device:
    """Cut the channel into slices from both leads, and take the blocks between them."""
    pattern = _neighbour_pattern(matrices)
    translations = np.asarray(matrices.translations[:, :2])
    surfaces, inside = (groups[0], groups[2]), groups[1]
    levels = [_levels(pattern, surface, inside) for surface in surfaces]
    reached = inside[(levels[0][inside] > 0) & (levels[1][inside] > 0)]
    if not len(reached):
        return Device(leads, translations, None, ())
    depths = _cheapest_depths(levels, inside)
    in_branch = [(levels[side] > 0) & (levels[side] <= depths[side]) for side in (0, 1)]
    middle = reached[~(in_branch[0] | in_branch[1])[reached]]
    branches = []
    for side, lead in enumerate(leads):
        level = levels[side]
        slices = [np.flatnonzero(level == number + 1) for number in range(depths[side])]
        landing = np.flatnonzero(level[middle] == depths[side] + 1)
        steps = [*slices, middle[landing]]
        branches.append(
            Branch(
                lead=lead,
                coupling=BlochBlock.between(matrices, steps[0], surfaces[side]),
                own=[BlochBlock.between(matrices, atoms, atoms) for atoms in slices],
                onward=[
                    BlochBlock.between(matrices, after, before) for before, after in pairwise(steps)
                ],
                landing=_orbitals(landing),
            )
        )
    return Device(leads, translations, BlochBlock.between(matrices, middle, middle), (*branches,))


def _neighbour_pattern(matrices: RealSpaceMatrices) -> csr_array:
    """Which atoms couple, at any translation; shape (n_atoms, n_atoms)."""
    total = sum(abs(m[::N_ORBITALS][:, ::N_ORBITALS]) for m in matrices.hamiltonian)
    return csr_array(total)


def _levels(pattern: csr_array, surface: IntArray, inside: IntArray) -> IntArray:
    """Count steps from the lead to every atom of the channel; -1: never reached, 0: elsewhere."""
    levels = np.zeros(pattern.shape[0], dtype=np.intp)
    levels[inside] = -1
    front, number = surface, 0
    while len(front):
        number += 1
        touched = np.unique(pattern[front].indices)
        front = touched[levels[touched] == -1]
        levels[front] = number
    return levels


def _cheapest_depths(levels: list[IntArray], inside: IntArray) -> tuple[int, int]:
    """How many slices each branch has, so that the work is least.

    Branches must not touch: no atom of one is a neighbour of one of the other.
    """
    left, right = levels[0][inside], levels[1][inside]
    both = (left > 0) & (right > 0)
    left, right = left[both], right[both]
    counts = [np.bincount(level, minlength=int(level.max()) + 2)[1:] for level in (left, right)]
    work = [np.concatenate([[0.0], np.cumsum((9.0 * c.astype(float)) ** 3 * 2.0)]) for c in counts]
    best, chosen = math.inf, (0, 0)
    for m in range(int(left.max()) + 1):
        for n in range(int(right.max()) + 1):
            # level 0 is the lead itself, which touches level 1
            if np.any((left <= m) & (right <= n + 1)) or np.any((left <= m + 1) & (right <= n)):
                break
            rest = np.count_nonzero((left > m) & (right > n))
            if not rest:
                break
            total = work[0][m] + work[1][n] + 6.0 * (9.0 * rest) ** 3
            if total < best:
                best, chosen = total, (m, n)
    return chosen
