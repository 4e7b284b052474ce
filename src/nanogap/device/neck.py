"""The constriction of a device, cut from its lattice: what decides the conductance.

A neck is a stack of layers of one rhombic cell, periodic in the plane, between two perfect
crystals. What is the same but for a symmetry of the lattice is the same neck.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from ase import Atoms
from numba import njit
from numpy.typing import NDArray

from nanogap.device.lattice import BRIDGED, LOWER, UPPER, Lattice
from nanogap.device.strands import Strands, extent_of, leads_through, share_strands
from nanogap.errors import StructureError
from nanogap.structure.junction import CHANNEL, LEFT, RIGHT
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors
from nanogap.typing import BoolArray, FloatArray

#: Layers after which the stacking repeats.
_PERIOD = 3
#: Perfect planes in the channel on each side: more than the interactions reach.
_CHANNEL_LAYERS = 3
#: Layers of perfect crystal on each side of a neck in its junction: those, and a lead's period.
CRYSTAL_LAYERS = _CHANNEL_LAYERS + _PERIOD
#: Squared distances that differ by less are the same, square angstrom.
_SAME = 1e-3


@dataclass(frozen=True)
class NeckCut:
    """Rules by which a neck is cut.

    Attributes
    ----------
    widths : tuple of int
        Edges of the cell that may be taken, in bonds, rising; the first that holds the
        constriction is.
    depth : int
        Layers on each side of the constriction that keep their atoms.
    most_layers : int
        Most layers of a neck; the ones farthest from its middle are replaced by crystal.
    most_empty : int
        Most empty layers between two open ends; three more at a time are left out, and counted.
    """

    widths: tuple[int, ...] = (4, 6, 8)
    depth: int = 2
    most_layers: int = 14
    most_empty: int = 4


@dataclass(frozen=True, eq=False)
class Neck:
    """A constriction, or two ends with a gap between.

    Attributes
    ----------
    occupied : ndarray of bool, shape (n_layers, width, width)
        Sites of the cell: layer, steps along the two in-plane vectors from a column that follows
        the stacking.
    bridged : bool
    layers_left_out : int
        Empty layers of the gap that were left out: whole periods of the stacking.
    atoms_cut_off : int
        Atoms of the constriction outside the cell.
    """

    occupied: BoolArray
    bridged: bool
    layers_left_out: int
    atoms_cut_off: int

    @cached_property
    def key(self) -> bytes:
        """Canonical form: the same for all that symmetry maps on each other."""
        layers, width, _ = self.occupied.shape
        turned = self.occupied.ravel()[_symmetries(layers, width)]
        packed = np.packbits(turned, axis=1)
        least: bytes = min(row.tobytes() for row in packed)
        return bytes([layers, width]) + least

    @property
    def canonical(self) -> "Neck":
        """The one of all that symmetry maps on this neck that the key names."""
        bits = np.unpackbits(np.frombuffer(self.key[2:], dtype=np.uint8))
        occupied = bits[: self.occupied.size].reshape(self.occupied.shape).astype(np.bool_)
        return replace(self, occupied=occupied)


def cut_necks(
    lattice: Lattice,
    labels: NDArray[np.uint8],
    movable: tuple[int, int],
    cut: NeckCut | None = None,
    carrying: BoolArray | None = None,
) -> tuple[Neck, ...]:
    """Cut the neck from the atoms on a lattice; several where strands of a bridge are far apart.

    Parameters
    ----------
    lattice : Lattice
    labels : ndarray of uint8, shape (n_sites,)
        0 where there is no metal; else `LOWER`, `UPPER`, `BRIDGED`, `FLOATING`.
    movable : tuple of int
        First and last layer that is no fixed base.
    cut : NeckCut, optional
    carrying : ndarray of bool, shape (n_sites,), optional
        Atoms of a bridge that its current flows through
        (`nanogap.device.potential.PotentialField.carrying`): its constriction is sought among
        these, so that bumps beside it do not count. All, if not given.

    Returns
    -------
    tuple of Neck
        One, or one for each cell that the strands of a bridge need
        (`nanogap.device.strands.share_strands`): they conduct side by side.

    Raises
    ------
    StructureError
        If an electrode has no atom.
    """
    cut = cut or NeckCut()
    if not (labels == BRIDGED).any():
        low, high, atoms = _facing_ends(lattice, labels)
        layers = _layers(low, high, movable, cut)
        return (_cut(lattice, labels > 0, layers, cut, Strands(atoms, atoms[:0])),)
    inner = (lattice.layer >= movable[0]) & (lattice.layer <= movable[1])
    bridge = inner & (labels == BRIDGED)
    if carrying is not None:
        bridge &= carrying
    low, high, atoms = _constriction(lattice, bridge, movable)
    thin = np.flatnonzero(bridge & (lattice.layer >= low) & (lattice.layer <= high))
    widest = (cut.widths[-1] - 1) * lattice.bond
    layers = _layers(low, high, movable, cut)
    return tuple(
        _cut(lattice, labels > 0, layers, cut, strands, bridged=True)
        for strands in share_strands(lattice, thin, atoms, widest)
    )


def _layers(low: int, high: int, movable: tuple[int, int], cut: NeckCut) -> tuple[int, int]:
    """First and last layer of a neck whose constriction lies between two layers."""
    middle = (low + high) / 2.0
    half = max((cut.most_layers - 1) // 2, 1)
    return (
        max(low - cut.depth, movable[0], math.ceil(middle - half)),
        min(high + cut.depth, movable[1], math.floor(middle + half)),
    )


def _cut(
    lattice: Lattice,
    metal: BoolArray,
    layers: tuple[int, int],
    cut: NeckCut,
    strands: Strands,
    *,
    bridged: bool = False,
) -> Neck:
    """Cut one cell around the atoms of the narrowest layer, or of two ends."""
    centre, extent = extent_of(lattice, strands.atoms)
    wide = [w for w in cut.widths if (w - 1) * lattice.bond > extent] or [cut.widths[-1]]
    for width in wide:
        fitting = min(width, lattice.shape[0], lattice.shape[1] // 2 * 2)
        sites = _window(lattice, centre, fitting, *layers)
        occupied = metal[sites] & ~np.isin(sites, strands.others)
        # an oblique bridge leaves a narrow cell by its side
        leads = bridged and leads_through(lattice, sites, occupied)
        if leads or not bridged:
            break
    # of a strand that leaves the widest cell too nothing is held
    held = np.isin(strands.atoms, sites) & (leads or not bridged)
    occupied, left_out = _without_empty_layers(occupied, cut.most_empty)
    return Neck(occupied, bridged, left_out, int((~held).sum()))


def neck_junction(neck: Neck, lattice_constant: float, element: str) -> Atoms:
    """Put a neck between two perfect crystals.

    Parameters
    ----------
    neck : Neck
    lattice_constant : float
        Angstrom.
    element : str
        Chemical symbol.

    Returns
    -------
    ase.Atoms
        In the junction format (`nanogap.structure.junction`).
    """
    layers, width, _ = neck.occupied.shape
    outside = CRYSTAL_LAYERS
    stack = np.ones((layers + 2 * outside, width, width), dtype=np.bool_)
    stack[outside:-outside] = neck.occupied
    layer, first, second = np.nonzero(stack)
    vectors, spacing = surface_vectors(lattice_constant), layer_spacing(lattice_constant)
    # the column follows the stacking, the cell does not: fold it back
    steps = np.column_stack([first, second]) + layer[:, None] / _PERIOD
    plane = (steps % width) @ vectors
    cell = np.zeros((3, 3))
    cell[:2, :2] = width * vectors
    cell[2, 2] = len(stack) * spacing
    junction = Atoms(
        f"{element}{len(layer)}",
        positions=np.column_stack([plane, layer * spacing]),
        cell=cell,
        pbc=(True, True, False),
    )
    region = np.full(len(layer), CHANNEL, dtype="<U7")
    region[layer < _PERIOD] = LEFT
    region[layer >= len(stack) - _PERIOD] = RIGHT
    junction.new_array("region", region)
    junction.info.update(left_period=_PERIOD * spacing, right_period=_PERIOD * spacing)
    return junction


def _constriction(
    lattice: Lattice, bridge: BoolArray, movable: tuple[int, int]
) -> tuple[int, int, NDArray[np.intp]]:
    """First and last layer of the constriction, and the atoms of its narrowest layer.

    All layers count in which the bridge has at most twice the atoms of the narrowest.
    """
    counts = np.bincount(lattice.layer[bridge], minlength=lattice.shape[2])
    counts = counts[movable[0] : movable[1] + 1]
    least = int(counts.min())
    thin = np.flatnonzero(counts <= 2 * least) + movable[0]
    narrowest = int(np.argmin(counts)) + movable[0]
    atoms = np.flatnonzero(bridge & (lattice.layer == narrowest))
    return int(thin[0]), int(thin[-1]), atoms


def _facing_ends(lattice: Lattice, labels: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.intp]]:
    """Layers of the two atoms of the electrodes that are nearest to each other, and the atoms."""
    lower, upper = np.flatnonzero(labels == LOWER), np.flatnonzero(labels == UPPER)
    if not len(lower) or not len(upper):
        raise StructureError("an electrode has no atom: the device has dissolved")
    atoms = np.array(_nearest_pair(lattice.positions, lattice.cell, upper, lower), dtype=np.intp)
    low, high = sorted(int(lattice.layer[atom]) for atom in atoms)
    return low, high, atoms


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nearest_pair(
    positions: FloatArray, cell: FloatArray, upper: NDArray[np.intp], lower: NDArray[np.intp]
) -> tuple[int, int]:
    """Find the nearest two of two lists of sites; of equal pairs the first in both lists.

    Sites are numbered upwards, so no site further down than the nearest distance so far matters.
    """
    best, pair = np.inf, (upper[0], lower[0])
    for high in upper:
        if positions[high, 2] - positions[lower[-1], 2] > np.sqrt(best + _SAME):
            break
        for place in range(len(lower) - 1, -1, -1):
            low = lower[place]
            rise = positions[high, 2] - positions[low, 2]
            if rise > 0.0 and rise * rise > best + _SAME:
                break
            square = rise * rise
            for axis in range(2):
                aside = positions[high, axis] - positions[low, axis]
                aside -= cell[axis] * np.round(aside / cell[axis])
                square += aside * aside
            if square < best - _SAME or (square < best + _SAME and high == pair[0]):
                best, pair = square, (high, low)
    return pair


def _window(
    lattice: Lattice, centre: FloatArray, width: int, low: int, high: int
) -> NDArray[np.intp]:
    """Sites of a rhombic cell around a centre, shape (high - low + 1, width, width)."""
    columns, rows, _ = lattice.shape
    layer = np.arange(low, high + 1)
    inverse = np.linalg.inv(surface_vectors(lattice.lattice_constant))
    shift = stacking_shift(lattice.lattice_constant)
    # whole steps to the corner of the cell in each layer, then round the cell
    corner = (centre - (layer % _PERIOD)[:, None] * shift) @ inverse - width / 2.0
    start = np.ceil(corner - 1e-9).astype(np.int64)
    steps = np.arange(width)
    # numbered along the column that follows the stacking, so that layers fit each other
    along = layer // _PERIOD - low // _PERIOD
    first = _within(steps[None, :] + along[:, None] + start[:1, :1], start[:, :1], width)
    second = _within(steps[None, :] + along[:, None] + start[:1, 1:], start[:, 1:], width)
    row = second[:, None, :]
    column = first[:, :, None] + row // 2
    site = (layer[:, None, None] * rows + row % rows) * columns + column % columns
    return np.asarray(site, dtype=np.intp)


def _within(steps: NDArray[np.int64], start: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Move steps by whole cells into the one that begins at start."""
    return np.asarray(start + (steps - start) % width, dtype=np.int64)


def _without_empty_layers(occupied: BoolArray, most: int) -> tuple[BoolArray, int]:
    """Leave out whole periods of empty layers of a gap; returns how many layers."""
    empty = np.flatnonzero(~occupied.any(axis=(1, 2)))
    excess = len(empty) - most
    if excess <= 0:
        return occupied, 0
    left_out = _PERIOD * math.ceil(excess / _PERIOD)
    chosen = empty[:left_out]
    return np.delete(occupied, chosen, axis=0), left_out


@lru_cache(maxsize=64)
def _symmetries(layers: int, width: int) -> NDArray[np.intp]:
    """Where each site comes from under the symmetries of a cell, shape (12 width^2, n_sites).

    Three turns about [111], a mirror, inversion (which exchanges the electrodes), and all
    translations of the periodic cell.
    """
    layer, first, second = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(layers), np.arange(width), np.arange(width), indexing="ij"
        )
    )
    along, aside = (
        shift.reshape(-1, 1) for shift in np.meshgrid(np.arange(width), np.arange(width))
    )
    maps = []
    for inverted in (False, True):
        at_layer = layers - 1 - layer if inverted else layer
        sign = -1 if inverted else 1
        for p, q in ((sign * first, sign * second), (sign * second, sign * first)):
            for _ in range(3):
                rows, columns = (p + along) % width, (q + aside) % width
                maps.append((at_layer * width + rows) * width + columns)
                # the stacking turns with the plane: t1 -> t2 - t1, t2 -> -t1, s -> s - t1
                p, q = -p - q - at_layer, p  # noqa: PLW2901
    return np.concatenate(maps)
