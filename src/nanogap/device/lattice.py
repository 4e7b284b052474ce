"""The sites on which the atoms of a device sit: fcc, [111] along z, periodic in the plane.

A site has twelve nearest neighbours in fixed directions, so that what happens around a bond is a
matter of whole numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanogap.errors import StructureError
from nanogap.structure.tips import (
    layer_spacing,
    nearest_neighbour_distance,
    stacking_shift,
    surface_vectors,
)
from nanogap.typing import BoolArray, FloatArray

SiteIndices = NDArray[np.int32]
SiteStates = NDArray[np.uint8]

#: States of a site.
EMPTY, METAL, ION = 0, 1, 2
#: Labels of a site: no metal; metal of the lower electrode, of the upper one, of both, of none.
NO_METAL, LOWER, UPPER, BRIDGED, FLOATING = range(5)

#: The twelve nearest neighbours in whole steps of the two in-plane vectors and of the stacking
#: vector (`nanogap.structure.tips`): six in the plane, three above, three below.
_STEPS = np.array(
    [
        *[(1, 0, 0), (0, 1, 0), (-1, 1, 0), (-1, 0, 0), (0, -1, 0), (1, -1, 0)],
        *[(0, 0, 1), (-1, 0, 1), (0, -1, 1)],
        *[(0, 0, -1), (1, 0, -1), (0, 1, -1)],
    ],
    dtype=np.int32,
)
_STACKING = 3


def _unit_vectors() -> FloatArray:
    """Vectors to the nearest neighbours for a lattice constant of 1, shape (12, 3)."""
    in_plane = _STEPS[:, :2] @ surface_vectors(1.0) + _STEPS[:, 2:] * stacking_shift(1.0)
    return np.column_stack([in_plane, _STEPS[:, 2] * layer_spacing(1.0)])


def _opposites() -> SiteIndices:
    """Index of the reverse of each direction, shape (12,)."""
    return np.array(
        [int(np.flatnonzero((-step == _STEPS).all(axis=1))[0]) for step in _STEPS], dtype=np.int32
    )


def _shared_directions() -> SiteIndices:
    """Directions to the four sites that neighbour both ends of a bond, shape (12, 4).

    They form a rectangle around the bond: the first and second are nearest neighbours of each
    other, as are the third and fourth; the second and third, fourth and first are sides of a
    square of the (100) plane.
    """
    bond = nearest_neighbour_distance(1.0)
    rings = np.empty((12, 4), dtype=np.int32)
    for direction, end in enumerate(_VECTORS):
        common = np.flatnonzero(np.isclose(np.linalg.norm(_VECTORS - end, axis=1), bond))
        first = common[0]
        apart = np.linalg.norm(_VECTORS[common] - _VECTORS[first], axis=1)
        # the first itself, its neighbour, and then round the rectangle
        near, side, across = (int(place) for place in np.argsort(apart)[1:])
        rings[direction] = common[[0, near, across, side]]
    return rings


def _flank_directions() -> SiteIndices:
    """Directions, from either end, to the flanks of a bond, shape (12, 2).

    A flank neighbours one end and is a second neighbour of the other. The first direction is to
    the side of the first and last shared site, the second to the other side.
    """
    flanks = np.empty((12, 2), dtype=np.int32)
    for direction, (bond, ring) in enumerate(zip(_VECTORS, SHARED, strict=True)):
        for side, (one, other) in enumerate(((ring[0], ring[3]), (ring[1], ring[2]))):
            wanted = _VECTORS[one] + _VECTORS[other] - bond
            flanks[direction, side] = np.argmin(np.linalg.norm(_VECTORS - wanted, axis=1))
    return flanks


_VECTORS = _unit_vectors()
#: Unit vectors to the twelve nearest neighbours, shape (12, 3).
NEIGHBOUR_VECTORS: FloatArray = _VECTORS * math.sqrt(2.0)
#: Index of the reverse of each direction, shape (12,).
OPPOSITE: SiteIndices = _opposites()
#: Directions, from the start, of the four sites shared by both ends of a bond, shape (12, 4).
SHARED: SiteIndices = _shared_directions()
#: Directions, from either end, to the flanks of a bond on its two sides, shape (12, 2).
FLANKS: SiteIndices = _flank_directions()


@dataclass(frozen=True, eq=False)
class Lattice:
    """Sites of an fcc crystal in a box that is periodic in the plane and ends along z.

    Attributes
    ----------
    lattice_constant : float
        Angstrom.
    shape : tuple of int
        Sites along x, rows along y (even), layers along z.
    positions : ndarray, shape (n_sites, 3)
        Angstrom; site ``(layer * rows + row) * columns + column``.
    neighbours : ndarray of int32, shape (n_sites, 12)
        Sites in the directions of `NEIGHBOUR_VECTORS`; -1 below the first and above the last layer.
    layer : ndarray of int32, shape (n_sites,)
        Layer of each site, from 0 at the bottom.
    cell : ndarray, shape (3,)
        Edges of the box, angstrom; along z, layers times their spacing.

    Examples
    --------
    >>> from nanogap.device.lattice import build_lattice
    >>> lattice = build_lattice(4.09, 20.0, 20.0, 6)
    >>> lattice.shape, int((lattice.neighbours[lattice.layer == 2] >= 0).sum(axis=1).min())
    ((7, 8, 6), 12)
    """

    lattice_constant: float
    shape: tuple[int, int, int]
    positions: FloatArray
    neighbours: SiteIndices
    layer: SiteIndices
    cell: FloatArray

    def __len__(self) -> int:
        """Return the number of sites."""
        return len(self.positions)

    @property
    def bond(self) -> float:
        """Nearest-neighbour distance, angstrom."""
        return nearest_neighbour_distance(self.lattice_constant)

    @property
    def spacing(self) -> float:
        """Distance of the layers, angstrom."""
        return layer_spacing(self.lattice_constant)

    @property
    def site_volume(self) -> float:
        """Volume of a site, a^3/4, cubic angstrom."""
        return self.lattice_constant**3 / 4.0


def build_lattice(lattice_constant: float, width: float, depth: float, layers: int) -> Lattice:
    """Build the sites of a box.

    Parameters
    ----------
    lattice_constant : float
        Angstrom.
    width, depth : float
        Least edges of the box along x and y, angstrom; whole rows fit in.
    layers : int
        (111) layers along z.

    Returns
    -------
    Lattice

    Raises
    ------
    StructureError
        If a site would neighbour itself across the box.
    """
    bond, spacing = nearest_neighbour_distance(lattice_constant), layer_spacing(lattice_constant)
    columns = math.ceil(width / bond - 1e-9)
    rows = 2 * math.ceil(depth / (math.sqrt(3.0) * bond) - 1e-9)
    least = 4  # three would make a neighbour of two sides one site
    if columns < least or rows < least or layers < 2:
        raise StructureError(
            f"a box of {width:g} x {depth:g} Å and {layers} layers is too small: it needs "
            f"{least * bond:.1f} x {least * bond * math.sqrt(3.0) / 2.0:.1f} Å and 2 layers"
        )
    layer, row, column = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(layers), np.arange(rows), np.arange(columns), indexing="ij"
        )
    )
    primitive = np.column_stack([column - row // 2, row])
    shift = (layer % _STACKING)[:, None] * stacking_shift(lattice_constant)
    positions = np.column_stack(
        [primitive @ surface_vectors(lattice_constant) + shift, layer * spacing]
    )
    cell = np.array([columns * bond, rows * bond * math.sqrt(3.0) / 2.0, layers * spacing])
    positions[:, :2] = _wrapped(positions[:, :2], cell)
    # three layers on, the stacking has gone one step along both vectors
    whole = primitive - (layer // _STACKING)[:, None]
    neighbours = np.empty((len(layer), len(_STEPS)), dtype=np.int32)
    for direction, (first, second, up) in enumerate(_STEPS):
        above = layer + up
        turned = whole + (first, second) + (above // _STACKING)[:, None]
        at_row, at_column = turned[:, 1] % rows, (turned[:, 0] + turned[:, 1] // 2) % columns
        site = (above * rows + at_row) * columns + at_column
        neighbours[:, direction] = np.where((above >= 0) & (above < layers), site, -1)
    return Lattice(
        float(lattice_constant),
        (columns, rows, layers),
        positions,
        neighbours,
        layer.astype(np.int32),
        cell,
    )


def _wrapped(plane: FloatArray, cell: FloatArray) -> FloatArray:
    """Places in the plane, shape (n, 2), moved into the box."""
    inside = plane % cell[:2]
    return np.asarray(np.where(inside >= cell[:2] - 1e-9, 0.0, inside), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Occupation:
    """Atoms of a structure on the sites of a lattice.

    Attributes
    ----------
    metal : ndarray of bool, shape (n_sites,)
    sites : ndarray of int32, shape (n_atoms,)
        Site of each atom.
    residue : float
        Root mean square distance of the atoms from their sites, angstrom.
    farthest : float
        Largest distance, angstrom.
    """

    metal: BoolArray
    sites: SiteIndices
    residue: float
    farthest: float


def map_atoms(lattice: Lattice, positions: FloatArray) -> Occupation:
    """Put atoms on the nearest sites.

    Parameters
    ----------
    lattice : Lattice
    positions : ndarray, shape (n_atoms, 3)
        Angstrom, in the frame of the lattice; periodic in the plane.

    Returns
    -------
    Occupation

    Raises
    ------
    StructureError
        If two atoms share a nearest site, or one is farther than half a bond from any.
    """
    places = np.array(positions, dtype=np.float64)
    places[:, :2] = _wrapped(places[:, :2], lattice.cell)
    tree = cKDTree(lattice.positions, boxsize=[*lattice.cell[:2], 0.0])
    distances, sites = tree.query(places)
    farthest = float(distances.max(initial=0.0))
    if farthest > lattice.bond / 2.0:
        raise StructureError(
            f"an atom is {farthest:.2f} Å from the nearest site of the lattice: the structure is "
            f"no fcc crystal with [111] along z and a lattice constant of "
            f"{lattice.lattice_constant:g} Å"
        )
    if len(np.unique(sites)) < len(sites):
        raise StructureError(
            "two atoms share one site of the lattice: relax the structure, or give its own "
            "lattice constant"
        )
    metal = np.zeros(len(lattice), dtype=np.bool_)
    metal[sites] = True
    residue = float(np.sqrt(np.mean(distances**2))) if len(distances) else 0.0
    return Occupation(metal, sites.astype(np.int32), residue, farthest)


def to_atoms(lattice: Lattice, states: SiteStates, element: str) -> Atoms:
    """Return the atoms on the sites, metal first, then ions (``info["n_ions"]`` of them)."""
    metal, ions = np.flatnonzero(states == METAL), np.flatnonzero(states == ION)
    atoms = Atoms(
        f"{element}{len(metal) + len(ions)}",
        positions=lattice.positions[np.concatenate([metal, ions])],
        cell=lattice.cell,
        pbc=(True, True, False),
    )
    atoms.info.update(lattice_constant=lattice.lattice_constant, n_ions=len(ions))
    return atoms
