"""Two pyramidal tips, [111] along z, that face each other across a gap."""

import math

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanogap.errors import StructureError

#: Per-atom labels in the ``electrode`` array: fixed bases, and the atoms that move.
BOTTOM, TOP, MOBILE = "bottom", "top", "mobile"

_REMEDY = "give tips of nanogap.build_tips or a frame of a nanogap trajectory"


def nearest_neighbour_distance(lattice_constant: float) -> float:
    """Nearest-neighbour distance of an fcc crystal, a/sqrt(2), angstrom."""
    return lattice_constant / math.sqrt(2.0)


def layer_spacing(lattice_constant: float) -> float:
    """Spacing of fcc (111) layers, a/sqrt(3), angstrom."""
    return lattice_constant / math.sqrt(3.0)


def surface_vectors(lattice_constant: float) -> NDArray[np.float64]:
    """Primitive in-plane vectors of fcc (111), shape (2, 2), angstrom."""
    distance = nearest_neighbour_distance(lattice_constant)
    return distance * np.array([[1.0, 0.0], [0.5, math.sqrt(3.0) / 2.0]])


def stacking_shift(lattice_constant: float) -> NDArray[np.float64]:
    """In-plane shift from one (111) layer to the next towards +z, shape (2,), angstrom."""
    shift: NDArray[np.float64] = surface_vectors(lattice_constant).sum(axis=0) / 3.0
    return shift


def build_pyramids(
    *,
    lattice_constant: float,
    base_width: float,
    height: float,
    apex_width: float,
    gap: float,
    fixed_layers: int,
    vacuum: float,
    element: str = "Ag",
) -> Atoms:
    """Build two pyramids of an fcc crystal on fixed bases that face each other.

    `nanogap.dynamics.start.build_tips` builds those of given settings, with the lattice
    constant that belongs to the force field.

    A tip is `fixed_layers` full layers of ``base_width x base_width`` and a pyramid on them whose
    (111) layers narrow linearly from `base_width` to `apex_width`. The top tip is the bottom one
    inverted through the origin, so both are parts of crystals of one orientation.

    Parameters
    ----------
    lattice_constant : float
        fcc lattice constant, angstrom.
    base_width, height, apex_width, gap, vacuum : float
        Edge of the base, height of the pyramid (whole layers fit in it), edge of the terrace,
        distance of the facing terraces, empty margin on every side, angstrom.
    fixed_layers : int
        Layers of fixed atoms under each pyramid.
    element : str
        Chemical symbol.

    Returns
    -------
    ase.Atoms
        Periodic in the plane, open along z; array ``electrode`` (`BOTTOM`, `TOP`, `MOBILE`);
        ``info``: ``lattice_constant``; ``bottom_terrace`` and ``top_terrace``, the heights z
        of the facing layers (angstrom); ``terrace_width``, the width of the rhombus of lattice
        vectors that holds one of them (angstrom). The gap is in the middle of the box.

    Raises
    ------
    StructureError
        If the geometry cannot be.
    """
    distance, spacing = (
        nearest_neighbour_distance(lattice_constant),
        layer_spacing(lattice_constant),
    )
    layers = math.floor(height / spacing + 1e-6) + 1
    _check(
        base_width=base_width,
        apex_width=apex_width,
        gap=gap,
        height=height,
        layers=layers,
        distance=distance,
    )
    widths = np.concatenate(
        [
            np.full(fixed_layers, base_width),
            np.linspace(base_width, apex_width, layers) if layers > 1 else [apex_width],
        ]
    )
    parts, mobile = [], []
    for depth, width in enumerate(widths[::-1]):
        plane = _square_layer(width, -depth * stacking_shift(lattice_constant), lattice_constant)
        heights = np.full(len(plane), -gap / 2.0 - depth * spacing)
        parts.append(np.column_stack([plane, heights]))
        mobile.append(np.full(len(plane), depth < layers))
    bottom, moves = np.concatenate(parts), np.concatenate(mobile)
    positions = np.concatenate([bottom, -bottom])
    labels = np.concatenate([np.where(moves, MOBILE, BOTTOM), np.where(moves, MOBILE, TOP)])
    extent = np.ptp(positions, axis=0) + 2.0 * vacuum
    atoms = Atoms(
        f"{element}{len(positions)}",
        positions=positions + extent / 2.0,
        cell=extent,
        pbc=(True, True, False),
    )
    atoms.new_array("electrode", labels)
    centre = extent[2] / 2.0
    atoms.info.update(
        lattice_constant=float(lattice_constant),
        bottom_terrace=float(centre - gap / 2.0),
        top_terrace=float(centre + gap / 2.0),
        terrace_width=plane_width(parts[0]),
    )
    return atoms


def plane_width(positions: NDArray[np.float64]) -> float:
    """Return how wide a cell of (111) surface vectors must be for atoms to fit into it.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.

    Returns
    -------
    float
        The larger of their extent along x and that along y over the height of the cell, which is
        sqrt(3)/2 of its width; angstrom.
    """
    along_x, along_y = np.ptp(positions[:, :2], axis=0)
    return float(max(along_x, along_y * 2.0 / math.sqrt(3.0)))


def check_tips(atoms: object, name: str, remedy: str = _REMEDY) -> Atoms:
    """Refuse what is not a frame of two tips with all that analyses of it need.

    Parameters
    ----------
    atoms : object
    name : str
        What the message calls it.
    remedy : str
        What the message advises.

    Returns
    -------
    ase.Atoms
        The frame itself.

    Raises
    ------
    StructureError
        If it is no ase.Atoms, or lacks an array or a value of `build_pyramids`.
    """
    if not isinstance(atoms, Atoms):
        raise StructureError(f"{name} is of type {type(atoms).__name__}: {remedy}")
    keys = ("lattice_constant", "bottom_terrace", "top_terrace")
    missing = [f"info value '{key}'" for key in keys if key not in atoms.info]
    if "electrode" not in atoms.arrays:
        missing.append("per-atom array 'electrode'")
    if missing:
        raise StructureError(f"{name} has no {missing[0]}: {remedy}")
    return atoms


def _square_layer(
    width: float, offset: NDArray[np.float64], lattice_constant: float
) -> NDArray[np.float64]:
    """Lattice points of one (111) layer within a centred square, shape (n, 2)."""
    # columns of atoms are half a bond apart: a quarter of that rounds to the nearest column
    edge = width / 2.0 + nearest_neighbour_distance(lattice_constant) / 8.0
    reach = math.ceil(width / nearest_neighbour_distance(lattice_constant)) + 12
    steps = np.arange(-reach, reach + 1)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    points = grid @ surface_vectors(lattice_constant) + offset
    inside: NDArray[np.bool_] = np.all(np.abs(points) <= edge, axis=1)
    kept: NDArray[np.float64] = points[inside]
    return kept


def _check(
    *, base_width: float, apex_width: float, gap: float, height: float, layers: int, distance: float
) -> None:
    """Refuse geometries that cannot be."""
    if apex_width > base_width:
        raise StructureError(
            f"structure.apex_width = {apex_width:g} Å is wider than structure.base_width = "
            f"{base_width:g} Å: choose an apex from {distance:.2f} Å to the base width"
        )
    if apex_width < distance:
        raise StructureError(
            f"structure.apex_width = {apex_width:g} Å is below one bond length: choose at least "
            f"{distance:.2f} Å (a one-atom apex collapses within picoseconds)"
        )
    if gap < distance:
        raise StructureError(
            f"structure.gap = {gap:g} Å is below one bond length: choose at least {distance:.2f} Å"
        )
    minimum_layers = 2  # the terrace alone would leave no pyramid to move
    if layers < minimum_layers:
        raise StructureError(
            f"structure.height = {height:g} Å holds fewer than one mobile layer below the "
            f"terrace: choose at least one layer spacing, {distance * math.sqrt(2 / 3):.2f} Å"
        )
