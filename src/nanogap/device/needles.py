"""Two needles on the lattice of a device, each on a full base, that face each other."""

from dataclasses import dataclass

import numpy as np

from nanogap.device.lattice import Lattice, build_lattice
from nanogap.errors import StructureError
from nanogap.structure.tips import layer_spacing, nearest_neighbour_distance
from nanogap.typing import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Tips:
    """Two needles on a lattice.

    Attributes
    ----------
    lattice : Lattice
    metal : ndarray of bool, shape (n_sites,)
        Sites with an atom.
    fixed : ndarray of bool, shape (n_sites,)
        Sites of the bases, whose atoms stay.
    gap : float
        Distance of the facing layers, angstrom: whole layers, so not quite what was asked for.
    bottom_terrace, top_terrace : int
        Facing layers.
    """

    lattice: Lattice
    metal: BoolArray
    fixed: BoolArray
    gap: float
    bottom_terrace: int
    top_terrace: int


def build_needles(
    *,
    lattice_constant: float,
    base_width: float,
    height: float,
    apex_width: float,
    gap: float,
    fixed_layers: int,
    margin: float,
    upper_apex_width: float | None = None,
) -> Tips:
    """Place two round needles on the lattice, each on a full base, that face each other.

    The radius of a layer falls linearly from the base of a needle to its apex; both are parts of
    one crystal.

    Parameters
    ----------
    lattice_constant : float
        Angstrom.
    base_width, height, apex_width, gap : float
        Diameter at the base, height of a needle, diameter of the facing layer, distance of the
        facing layers, angstrom. Heights are rounded to whole layers.
    fixed_layers : int
        Full layers under each needle whose atoms stay.
    margin : float
        Distance at the bases between a needle and its periodic image, angstrom.
    upper_apex_width : float, optional
        Another diameter of the facing layer of the upper needle, angstrom.

    Returns
    -------
    Tips

    Raises
    ------
    StructureError
        If the geometry cannot be: the gap closed, an apex wider than the base or below a bond.
    """
    bond, spacing = nearest_neighbour_distance(lattice_constant), layer_spacing(lattice_constant)
    upper_width = apex_width if upper_apex_width is None else upper_apex_width
    for width in (apex_width, upper_width):
        _check_needles(
            base_width=base_width,
            apex_width=width,
            gap=gap,
            fixed_layers=fixed_layers,
            bond=bond,
            spacing=spacing,
        )
    above = max(1, round(height / spacing))
    between = round(gap / spacing)
    bottom_terrace = fixed_layers + above - 1
    top_terrace = bottom_terrace + between
    layers = 2 * (fixed_layers + above) + between - 1
    lattice = build_lattice(lattice_constant, base_width + margin, base_width + margin, layers)
    depth = np.minimum(lattice.layer, layers - 1 - lattice.layer)  # from the nearer end
    fixed = depth < fixed_layers
    along = (depth - fixed_layers) / max(above - 1, 1)
    apex = np.where(lattice.layer < layers / 2, apex_width, upper_width)
    radius = (base_width + (apex - base_width) * along) / 2.0
    centre = _axis(lattice)
    aside = lattice.positions[:, :2] - centre
    aside -= lattice.cell[:2] * np.round(aside / lattice.cell[:2])
    # half a bond apart at the most: an apex of one bond holds a triangle of atoms
    inside = np.hypot(aside[:, 0], aside[:, 1]) <= radius + bond / 8.0
    needle = inside & ((lattice.layer <= bottom_terrace) | (lattice.layer >= top_terrace))
    return Tips(
        lattice, fixed | needle, fixed, float(between * spacing), bottom_terrace, top_terrace
    )


def _axis(lattice: Lattice) -> FloatArray:
    """Axis of the needles: through the middle of the box, shape (2,), angstrom."""
    middle = lattice.cell[:2] / 2.0
    first = lattice.positions[lattice.layer == lattice.shape[2] // 2, :2]
    nearest = first[np.argmin(np.linalg.norm(first - middle, axis=1))]
    return np.asarray(nearest, dtype=np.float64)


def _check_needles(
    *,
    base_width: float,
    apex_width: float,
    gap: float,
    fixed_layers: int,
    bond: float,
    spacing: float,
) -> None:
    """Refuse geometries that cannot be."""
    if apex_width > base_width:
        raise StructureError(
            f"an apex of {apex_width:g} Å is wider than its base of {base_width:g} Å: choose an "
            f"apex from {bond:.2f} Å to the base width"
        )
    if apex_width < bond:
        raise StructureError(
            f"an apex of {apex_width:g} Å is below one bond: choose at least {bond:.2f} Å"
        )
    if round(gap / spacing) < 2:
        raise StructureError(
            f"a gap of {gap:g} Å is closed at the start: choose at least {2 * spacing:.2f} Å, "
            "two layer spacings"
        )
    if fixed_layers < 1:
        raise StructureError(f"{fixed_layers} fixed layers hold no needle: choose at least 1")
