"""Cut a snapshot of two tips into a junction: semi-infinite fcc (111) leads and a channel.

The fixed bases of a snapshot are perfect crystal, so they define both lattices: planes of the
leads are their continuation, periodic in the plane.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import ArrayLike, NDArray

from nanogap.arguments import checked, shown
from nanogap.errors import ONE_METAL, SettingsError, StructureError
from nanogap.settings import JunctionSettings, Settings, VoltageSettings
from nanogap.structure.connectivity import analyse_connection
from nanogap.structure.junction import CHANNEL, COUPLING, LEFT, RIGHT, validate_junction
from nanogap.structure.tips import (
    BOTTOM,
    TOP,
    check_tips,
    layer_spacing,
    nearest_neighbour_distance,
    plane_width,
    stacking_shift,
    surface_vectors,
)
from nanogap.typing import FloatArray

#: A site of the last plane is filled unless an atom of the snapshot is within so many bonds of it.
_OWN_SITE = 0.8
#: Atoms of the snapshot nearer than so many bonds to a perfect plane, or to each other across the
#: periodic boundary, overlap.
_OVERLAP = 0.7
_PRINCIPAL_LAYERS = 3
#: An atom of the cut `terrace` begins to couple so many bonds from the nearest site of a perfect
#: plane, more than any place within the crystal is (the octahedral one: 0.7071), and couples wholly
#: so many bonds away: in between it comes and goes without a jump.
_FADE = (0.71, 0.85)
#: Perfect planes in the channel: more than the interactions reach, so that leads see bulk.
_CHANNEL_LAYERS = 3
#: Least distance between periodic images of the filament in the plane, angstrom.
_IMAGE_DISTANCE = 4.0

_REMEDY = (
    "a junction is cut from tips of nanogap.build_tips or a frame of a nanogap trajectory, or is "
    "given with the per-atom array 'region'"
)


_CutSettings = Annotated[
    Settings | JunctionSettings | None,
    "those of a run, as nanogap.load_settings returns them, or their section junction",
]


@dataclass(frozen=True)
class _Side:
    """The crystal of one tip: planes at ``surface + sign * depth * spacing``, depth >= 0 inward."""

    anchor: FloatArray  # one lattice site, angstrom
    terrace: float  # height of the terrace plane
    base: float  # height of the fixed plane nearest the gap
    sign: float  # direction from the terrace into the tip

    def sites(self, height: float, lattice_constant: float, cell: FloatArray) -> FloatArray:
        """Lattice sites of the plane at a height within one in-plane cell, shape (n, 3)."""
        layers = round((height - self.anchor[2]) / layer_spacing(lattice_constant))
        origin = self.anchor[:2] + layers * stacking_shift(lattice_constant)
        vectors = surface_vectors(lattice_constant)
        corners = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]) @ cell
        steps = corners @ np.linalg.inv(vectors)
        low, high = np.floor(steps.min(axis=0)) - 1.0, np.ceil(steps.max(axis=0)) + 1.0
        reach = [np.arange(first, last + 1.0) for first, last in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*reach, indexing="ij"), axis=-1).reshape(-1, 2) @ vectors
        fractional = points @ np.linalg.inv(cell)
        points = points[np.all((fractional > -1e-6) & (fractional < 1.0 - 1e-6), axis=1)]
        return np.column_stack([origin + points, np.full(len(points), height)])


@checked
def cut_junction(
    snapshot: Atoms,
    settings: _CutSettings = None,
    cutoff: float | None = None,
    name: str = "the snapshot",
    *,
    axis: ArrayLike | None = None,
) -> Atoms:
    """Cut a junction from a snapshot.

    ``paper``: a hexagonal cell of `lead_repeats` x `lead_repeats` around the filament axis,
    perfect planes up to the terraces, and the snapshot's atoms within the cell from terrace to
    terrace, as in doi:10.1039/d3nh00476g. ``terrace``: a hexagonal cell around the middle of the
    tips, as wide as the terraces and 4 angstrom, perfect planes up to the layer below the
    terraces, and all atoms of the snapshot from there on. It follows from the tips and not from
    what became of them, so every snapshot of a run is in the same cell, and the transmission is
    a continuous function of the positions. ``full``: a rectangular cell that holds the terraces
    and all atoms between them, 4 angstrom from their periodic images, within `max_repeats` bond
    lengths; the perfect planes end where the tip no longer fills the cell.

    In ``paper`` and ``full`` the last plane of each side consists of the snapshot's own atoms,
    where heat has put them, and of perfect sites where it has none. In a cell narrower than the
    filament, the outer of two atoms that overlap across the periodic boundary is left out.

    Parameters
    ----------
    snapshot : ase.Atoms
        With the array ``electrode`` and the ``info`` of `nanogap.structure.build_pyramids`, which
        frames of a trajectory and `nanogap.dynamics.simulation.Simulation.atoms` have.
    settings : Settings or JunctionSettings, optional
        Those of a run, or their section ``junction``; default: the defaults of that section.
    cutoff : float, optional
        Neighbours within this distance are connected metal, angstrom; it defines the axis.
        Default: that of the settings, else of `nanogap.settings.VoltageSettings`.
    name : str
        What error messages call the snapshot.
    axis : array_like, shape (2,), optional
        Centre of the cell of ``paper``, angstrom; default: the constriction of the snapshot.
        `nanogap.structure.axis` says which one a run takes.

    Returns
    -------
    ase.Atoms
        A junction (`nanogap.structure.junction`); ``info["atoms_cut_off"]`` counts the atoms of
        the gap that the cell does not hold. That of ``terrace`` has the array ``coupling``: an
        atom that sinks into a perfect plane, or comes out of one, does so without a jump.

    Raises
    ------
    StructureError
        If the snapshot has atoms of several elements or no bulk-like layers at an end, atoms
        overlap, or what tips carry is missing.

    Examples
    --------
    >>> from nanogap.dynamics.start import build_tips
    >>> junction = cut_junction(build_tips("quick", lattice_constant=4.216))
    >>> {name: junction.arrays["region"].tolist().count(name) for name in (LEFT, CHANNEL, RIGHT)}
    {'left': 108, 'channel': 262, 'right': 108}
    """
    lattice_constant = float(check_tips(snapshot, name, _REMEDY).info["lattice_constant"])
    elements = sorted(set(snapshot.get_chemical_symbols()))
    if len(elements) > 1:
        raise StructureError(
            f"{name} has {' and '.join(elements)} atoms: a junction is cut from tips of one "
            f"element, for {ONE_METAL}; for others, label the atoms in an array 'region', and "
            "compute with the backend 'pwcond', which takes a pseudopotential of each "
            "(docs/first-principles.md)"
        )
    if isinstance(settings, Settings):
        cutoff = settings.voltage.cutoff if cutoff is None else cutoff
        settings = settings.junction
    settings = settings or JunctionSettings()
    cutoff = VoltageSettings().cutoff if cutoff is None else _cutoff(cutoff)
    axis = None if axis is None else _axis(axis)
    sides = [_side(snapshot, label, lattice_constant, name) for label in (BOTTOM, TOP)]
    if settings.cut == "paper":
        cell = settings.lead_repeats * surface_vectors(lattice_constant)
        centre = analyse_connection(snapshot, cutoff).axis if axis is None else axis
    elif settings.cut == "terrace":
        cell, centre = _terrace_cell(snapshot, settings, lattice_constant)
    else:
        cell, centre = _wide_cell(snapshot, settings, lattice_constant)
    junction = _assemble(snapshot, sides, cell, centre, settings.cut)
    validate_junction(junction, name)
    return junction


def _cutoff(given: float) -> float:
    """Return a cut-off that the settings would take too."""
    return VoltageSettings(cutoff=float(given)).cutoff


def _axis(given: ArrayLike) -> FloatArray:
    """Return the in-plane position of an axis, or say what is none."""
    try:
        place = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        place = np.full(1, np.nan)
    if place.shape != (2,) or not np.isfinite(place).all():
        raise SettingsError(f"axis = {shown(given)}: give two finite numbers, x and y in Å")
    return place


def check_terraces(tips: Atoms, settings: JunctionSettings) -> None:
    """Refuse terraces that are smaller than the planes that the cut ``paper`` puts up to them.

    Parameters
    ----------
    tips : ase.Atoms
        As `nanogap.structure.build_pyramids` makes them.
    settings : JunctionSettings

    Raises
    ------
    StructureError
        If the cut would add atoms to a terrace.
    """
    plane = settings.lead_repeats**2
    heights = tips.positions[:, 2]
    terraces = (tips.info["bottom_terrace"], tips.info["top_terrace"])
    found = min(int((np.abs(heights - height) < 0.1).sum()) for height in terraces)
    if settings.cut == "paper" and found < plane:
        raise StructureError(
            f"junction.cut = 'paper' puts planes of {plane} atoms up to the terraces, which have "
            f"{found}: widen structure.apex_width, lower junction.lead_repeats = "
            f"{settings.lead_repeats}, or set junction.cut = 'terrace' or 'full'"
        )


def _terrace_cell(
    snapshot: Atoms, settings: JunctionSettings, lattice_constant: float
) -> tuple[FloatArray, FloatArray]:
    """Hexagonal in-plane cell that holds the terraces, and the middle of the fixed bases."""
    fixed = [snapshot.positions[snapshot.arrays["electrode"] == label] for label in (BOTTOM, TOP)]
    # frames of earlier versions do not say how wide their terraces were: no wider than the bases
    width = snapshot.info.get("terrace_width")
    width = max(map(plane_width, fixed)) if width is None else float(width)
    bond = nearest_neighbour_distance(lattice_constant)
    wanted = math.ceil((width + _IMAGE_DISTANCE) / bond - 1e-6)
    repeats = min(max(wanted, settings.lead_repeats), settings.max_repeats)
    centre = np.concatenate(fixed)[:, :2].mean(axis=0)
    return repeats * surface_vectors(lattice_constant), centre


def _wide_cell(
    snapshot: Atoms, settings: JunctionSettings, lattice_constant: float
) -> tuple[FloatArray, FloatArray]:
    """Rectangular in-plane cell around the terraces and what is between them, and its centre."""
    margin = layer_spacing(lattice_constant) / 2.0
    heights = snapshot.positions[:, 2]
    facing = snapshot.positions[
        (heights > snapshot.info["bottom_terrace"] - margin)
        & (heights < snapshot.info["top_terrace"] + margin),
        :2,
    ]
    bond = nearest_neighbour_distance(lattice_constant)
    edges = bond * np.array([1.0, np.sqrt(3.0)])
    least = np.ceil(settings.lead_repeats * bond / edges - 1e-6)
    most = np.maximum(least, np.floor(settings.max_repeats * bond / edges + 1e-6))
    wanted = np.ceil((np.ptp(facing, axis=0) + _IMAGE_DISTANCE) / edges)
    centre = (facing.max(axis=0) + facing.min(axis=0)) / 2.0
    return np.diag(np.clip(wanted, least, most) * edges), centre


def _side(snapshot: Atoms, label: str, lattice_constant: float, name: str) -> _Side:
    """Read the crystal of one tip off its fixed base, and check that it is crystal."""
    base = snapshot.positions[snapshot.arrays["electrode"] == label]
    sign = -1.0 if label == BOTTOM else 1.0
    if not len(base):
        raise StructureError(f"{name} has no fixed atoms labelled '{label}' to continue as a lead")
    inner = base[:, 2].max() if label == BOTTOM else base[:, 2].min()
    plane = base[np.abs(base[:, 2] - inner) < layer_spacing(lattice_constant) / 4.0]
    anchor = plane[np.argmin(np.linalg.norm(plane[:, :2] - plane[:, :2].mean(axis=0), axis=1))]
    vectors = surface_vectors(lattice_constant)
    steps = (plane[:, :2] - anchor[:2]) @ np.linalg.inv(vectors)
    if np.abs(steps - np.rint(steps)).max() > 0.1 or np.ptp(plane[:, 2]) > 0.1:
        raise StructureError(
            f"{name}: the '{label}' end has no bulk-like (111) layer of lattice constant "
            f"{lattice_constant:g} Å to continue as a lead"
        )
    terrace = snapshot.info["bottom_terrace" if label == BOTTOM else "top_terrace"]
    return _Side(anchor=anchor, terrace=float(terrace), base=float(inner), sign=sign)


def _assemble(
    snapshot: Atoms,
    sides: list[_Side],
    cell: FloatArray,
    centre: FloatArray,
    cut: str,
) -> Atoms:
    """Put planes and the snapshot's atoms together in a cell."""
    lattice_constant = float(snapshot.info["lattice_constant"])
    spacing = layer_spacing(lattice_constant)
    lasts = [
        _last_full_plane(snapshot, side, cell, centre) if cut == "full" else side.terrace
        for side in sides
    ]
    low, high = lasts[0] - spacing / 2.0, lasts[1] + spacing / 2.0
    heights = snapshot.positions[:, 2]
    between = snapshot.positions[(heights > low) & (heights < high)]
    last, perfect, regions = [], [], []
    for side, height, region in zip(sides, lasts, (LEFT, RIGHT), strict=True):
        last.append(side.sites(height, lattice_constant, cell))
        for layer in range(1, 1 + _CHANNEL_LAYERS + _PRINCIPAL_LAYERS):
            plane = side.sites(height + side.sign * layer * spacing, lattice_constant, cell)
            perfect.append(plane)
            label = region if layer > _CHANNEL_LAYERS else CHANNEL
            regions += [label] * len(plane)
    planes = np.concatenate(perfect)
    corner = centre - cell.sum(axis=0) / 2.0
    bond = nearest_neighbour_distance(lattice_constant)
    if cut == "terrace":
        kept = between[_presence(between, planes, cell, bond) > 0.0]
        kept = _without_wrapped(kept, cell, centre, _OVERLAP * bond)
        filling = np.zeros((0, 3))
    else:
        fractional = (between[:, :2] - centre) @ np.linalg.inv(cell)
        kept = between[np.all((fractional >= -0.5) & (fractional < 0.5), axis=1)]
        kept = _without_wrapped(kept, cell, centre, _OVERLAP * bond)
        kept = _apart_from(kept, planes, cell, _OVERLAP * bond)
        filling = _apart_from(np.concatenate(last), kept, cell, _OWN_SITE * bond)
    positions = np.concatenate([planes, filling, kept])
    wrapped = ((positions[:, :2] - corner) @ np.linalg.inv(cell)) % 1.0
    positions = np.column_stack([wrapped @ cell, positions[:, 2] - positions[:, 2].min()])
    order = np.argsort(positions[:, 2], kind="stable")
    labels = np.array(regions + [CHANNEL] * (len(filling) + len(kept)))
    box = np.zeros((3, 3))
    box[:2, :2] = cell
    box[2, 2] = float(np.ptp(positions[:, 2])) + spacing
    junction = Atoms(
        f"{snapshot.symbols[0]}{len(positions)}",
        positions=positions[order],
        cell=box,
        pbc=(True, True, False),
    )
    junction.new_array("region", labels[order])
    if cut == "terrace":
        parts = np.ones(len(positions))
        parts[len(planes) :] = _presence(kept, planes, cell, bond)
        junction.new_array(COUPLING, parts[order])
    junction.info.update(
        left_period=_PRINCIPAL_LAYERS * spacing,
        right_period=_PRINCIPAL_LAYERS * spacing,
        atoms_cut_off=_in_gap(between, sides, spacing) - _in_gap(kept, sides, spacing),
    )
    return junction


def _last_full_plane(snapshot: Atoms, side: _Side, cell: FloatArray, centre: FloatArray) -> float:
    """Height of the plane nearest the gap in which the tip still fills the cell.

    A layer fills the cell if as many of its atoms lie within as the cell has sites; the fixed
    base counts as filling it, whatever its width.
    """
    heights = snapshot.positions[:, 2]
    spacing = layer_spacing(snapshot.info["lattice_constant"])
    inverse = np.linalg.inv(cell)
    sites = len(side.sites(side.base, snapshot.info["lattice_constant"], cell))
    for depth in range(round(abs(side.terrace - side.base) / spacing)):
        height = side.terrace + side.sign * depth * spacing
        layer = snapshot.positions[np.abs(heights - height) < spacing / 2.0, :2]
        fractional = (layer - centre) @ inverse + 0.5
        if np.all((fractional >= 0.0) & (fractional < 1.0), axis=1).sum() >= sites:
            return height
    return side.base


def _apart_from(
    atoms: FloatArray, others: FloatArray, cell: FloatArray, distance: float
) -> FloatArray:
    """Leave out atoms that are closer than a distance to others, periodic in the plane."""
    if not len(atoms) or not len(others):
        return atoms
    return atoms[_distance_to(atoms, others, cell) >= distance]


def _presence(atoms: FloatArray, planes: FloatArray, cell: FloatArray, bond: float) -> FloatArray:
    """Part of its couplings that each atom has by its distance from perfect planes; (n_atoms,)."""
    if not len(atoms):
        return np.zeros(0)
    begin, end = _FADE
    x = np.clip((_distance_to(atoms, planes, cell) / bond - begin) / (end - begin), 0.0, 1.0)
    parts: FloatArray = x**2 * (3.0 - 2.0 * x)
    return parts


def _without_wrapped(
    atoms: FloatArray, cell: FloatArray, centre: FloatArray, distance: float
) -> FloatArray:
    """Leave out the outer of two atoms that overlap across the cell's periodic boundary."""
    while len(atoms) > 1:
        first, second, separation = _pairs(atoms, cell, distance)
        direct = np.linalg.norm(atoms[first] - atoms[second], axis=1)
        across = separation < direct - 1e-9
        if not across.any():
            break
        clash = np.unique(np.concatenate([first[across], second[across]]))
        radius = np.linalg.norm(atoms[clash, :2] - centre, axis=1)
        atoms = np.delete(atoms, clash[np.argmax(radius)], axis=0)
    return atoms


def _in_gap(atoms: FloatArray, sides: list[_Side], spacing: float) -> int:
    """Count the atoms between the terraces, half a layer from each."""
    low, high = sides[0].terrace + spacing / 2.0, sides[1].terrace - spacing / 2.0
    return int(((atoms[:, 2] > low) & (atoms[:, 2] < high)).sum())


def _pairs(
    positions: FloatArray, cell: FloatArray, distance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    box = np.eye(3)
    box[:2, :2] = cell
    structure = Atoms(positions=positions, cell=box, pbc=(True, True, False))
    first, second, separation = neighbor_list("ijd", structure, distance)
    return first, second, separation


def _distance_to(atoms: FloatArray, planes: FloatArray, cell: FloatArray) -> FloatArray:
    """In-plane periodic distance of each atom to the nearest site, shape (n_atoms,)."""
    difference = atoms[:, None, :] - planes[None, :, :]
    fractional = difference[..., :2] @ np.linalg.inv(cell)
    nearest = np.full(difference.shape[:2], np.inf)
    base = fractional - np.rint(fractional)
    for shift in np.ndindex(3, 3):
        plane = (base + np.array(shift) - 1.0) @ cell
        nearest = np.minimum(nearest, (plane**2).sum(axis=-1))
    distances: FloatArray = np.sqrt((nearest + difference[..., 2] ** 2).min(axis=1))
    return distances
