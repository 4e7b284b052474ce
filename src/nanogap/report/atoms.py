"""Snapshots drawn as spheres, seen from the side."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure

from nanogap.printing import counted
from nanogap.report.result import Landmark, RunResult
from nanogap.report.style import (
    BLUE,
    CHARGE_MAP,
    GREEN,
    INK,
    ORANGE,
    POTENTIAL_MAP,
    QUIET,
    WIDTH,
)
from nanogap.report.words import number, transmission_text
from nanogap.structure import analyse_connection
from nanogap.structure.connectivity import neighbour_pairs
from nanogap.structure.gap import adatom_mask
from nanogap.structure.tips import nearest_neighbour_distance
from nanogap.typing import FloatArray

#: How far a picture of the gap reaches beyond the terraces and to the sides, angstrom.
_DEPTH, _ASIDE = 5.5, 13.0


@dataclass(frozen=True)
class Colouring:
    """A per-atom quantity as colours, centred at zero.

    Attributes
    ----------
    title, unit : str
    colour_map : str
    limit : float
        Value of the full colour.
    """

    title: str
    unit: str
    colour_map: str
    limit: float


def atom_charges(frame: Atoms) -> FloatArray:
    """Charges of a frame, e: those of ``get_charges()``, or none."""
    results = frame.calc.results if frame.calc is not None else {}
    return np.asarray(results.get("charges", np.zeros(len(frame))), dtype=np.float64)


def atom_potentials(frame: Atoms) -> FloatArray:
    """Electrochemical potentials of a frame, V."""
    return np.asarray(frame.arrays.get("potential", np.zeros(len(frame))), dtype=np.float64)


def atom_radius(frame: Atoms) -> float:
    """Radius at which neighbours of the perfect crystal touch, angstrom."""
    return nearest_neighbour_distance(float(frame.info.get("lattice_constant", 4.2))) / 2.0


def colourings(
    frames: Sequence[Atoms], *, charged: bool
) -> list[tuple[Colouring, list[FloatArray]]]:
    """Ways to colour the atoms: scales that all frames share, and the values in every frame.

    By charge and potential; atoms without charges by their height in the first frame.
    """

    def limit(values: list[FloatArray], percentile: float) -> float:
        found = float(np.percentile(np.abs(np.concatenate(values)), percentile)) if values else 0.0
        return found if found > 1e-3 else 1.0

    if not charged:
        heights = frames[0].positions[:, 2] if frames else np.zeros(0)
        values = [np.asarray(heights - np.mean(heights), dtype=np.float64)] * len(frames)
        title = "height at first"
        return [(Colouring(title, "Å", POTENTIAL_MAP, limit(values, 100.0)), values)]
    charges = [atom_charges(frame) for frame in frames]
    potentials = [atom_potentials(frame) for frame in frames]
    # a few extreme atoms must not pale the rest: charges beyond the scale keep the full colour
    return [
        (Colouring("charge", "e", CHARGE_MAP, limit(charges, 99.0)), charges),
        (Colouring("potential", "V", POTENTIAL_MAP, limit(potentials, 100.0)), potentials),
    ]


def landmark_pictures(result: RunResult) -> Figure | None:
    """Draw the landmarks side by side, a row for every way to colour the atoms."""
    marks = [mark for mark in result.landmarks if mark.number in result.frames]
    if not marks:
        return None
    frames = [result.frames[mark.number] for mark in marks]
    ways = colourings(frames, charged=result.charged)
    width = min(WIDTH, 2.2 + 2.6 * len(marks))
    height = _height(frames[0], (width - 2.2) / len(marks), len(ways))
    figure = Figure(figsize=(width, height))
    rows = figure.subplots(len(ways), len(marks), squeeze=False, sharex=True, sharey=True)
    for axes, mark in zip(rows[0], marks, strict=True):
        axes.set_title(_caption(result, mark), linespacing=1.35)
    for row, (scale, values) in zip(rows, ways, strict=True):
        for axes, frame, value in zip(row, frames, values, strict=True):
            norm = Normalize(-scale.limit, scale.limit)
            colours = mpl.colormaps[scale.colour_map](norm(value))
            draw_atoms(axes, frame, colours, result.settings.voltage.cutoff)
        _label_electrodes(row[0], frames[0], result.settings.voltage.applied)
        figure.colorbar(
            ScalarMappable(Normalize(-scale.limit, scale.limit), scale.colour_map),
            ax=list(row),
            label=f"{scale.title} of the atom ({scale.unit})" if result.charged else "height (Å)",
            extend="both" if scale.unit == "e" else "neither",
            shrink=0.75,
            aspect=28,
        )
    _scale_bar(rows[-1][-1], frames[-1])
    return figure


def _height(frame: Atoms, width: float, rows: int) -> float:
    """Height of rows of pictures so wide, with their titles, inches."""
    extent = np.ptp(frame.positions, axis=0) + 6.0
    return float(np.clip(1.4 + rows * width * extent[2] / extent[0], 2.0 * rows, 5.0 * rows))


def draw_atoms(axes: Axes, frame: Atoms, colours: FloatArray, cutoff: float) -> None:
    """Draw the atoms as discs from back to front; far ones pale, the bottleneck outlined.

    Parameters
    ----------
    axes : Axes
    frame : ase.Atoms
    colours : ndarray, shape (n_atoms, 4)
        Red, green, blue and opacity of every atom.
    cutoff : float
        Neighbours within this distance are connected metal, angstrom.
    """
    positions = np.asarray(frame.positions, dtype=np.float64)
    order = np.argsort(-positions[:, 1])
    depth = positions[order, 1]
    nearness = 1.0 - (depth - depth.min()) / max(float(np.ptp(depth)), 1e-9)
    colours = np.array(colours[order])
    # fog: the farthest atoms are 45% white
    fog = (0.45 * (1.0 - nearness))[:, None]
    colours[:, :3] = colours[:, :3] * (1.0 - fog) + fog
    outlines = np.full_like(colours, 0.25)
    outlines[:, 3] = 0.35 + 0.4 * nearness
    diameter = np.full(len(order), 2.0 * atom_radius(frame))
    axes.add_collection(
        EllipseCollection(
            diameter,
            diameter,
            np.zeros(len(order)),
            units="x",
            offsets=positions[order][:, [0, 2]],
            offset_transform=axes.transData,
            facecolors=colours,
            edgecolors=outlines,
            linewidths=0.4,
        )
    )
    _draw_narrowest(axes, frame, cutoff, diameter[0])
    low, high = positions[:, [0, 2]].min(axis=0) - 3.0, positions[:, [0, 2]].max(axis=0) + 3.0
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_axis_off()


def draw_gap(axes: Axes, frame: Atoms, first: Atoms, cutoff: float) -> None:
    """Draw the surroundings of the gap, see `tip_colours` and `draw_atoms`.

    Parameters
    ----------
    axes : Axes
    frame, first : ase.Atoms
        The snapshot, and the first one of its run.
    cutoff : float
        Neighbours within this distance are connected metal, angstrom.
    """
    draw_atoms(axes, frame, tip_colours(frame, first), cutoff)
    middle = float(frame.positions[:, 0].min() + frame.positions[:, 0].max()) / 2.0
    axes.set_xlim(middle - _ASIDE, middle + _ASIDE)
    axes.set_ylim(frame.info["bottom_terrace"] - _DEPTH, frame.info["top_terrace"] + _DEPTH)


def gap_shape(frame: Atoms) -> float:
    """Height over width of a picture of the gap."""
    height = frame.info["top_terrace"] - frame.info["bottom_terrace"] + 2.0 * _DEPTH
    return float(height / (2.0 * _ASIDE))


def tip_colours(frame: Atoms, first: Atoms) -> FloatArray:
    """Colour tips grey, adatoms by the tip that they came from: blue below, orange above.

    Parameters
    ----------
    frame, first : ase.Atoms
        The snapshot, and the first one of its run.

    Returns
    -------
    ndarray, shape (n_atoms, 4)
        Red, green, blue and opacity.
    """
    colours = np.tile(to_rgba("#c9d1d9"), (len(frame), 1))
    adatoms = adatom_mask(frame)
    # by the first frame: which tip an adatom hangs on by more bonds changes at every moment
    if len(first) != len(frame):
        first = frame
    middle = (first.info["bottom_terrace"] + first.info["top_terrace"]) / 2.0
    above = first.positions[:, 2] > middle
    colours[adatoms & ~above] = to_rgba(BLUE)
    colours[adatoms & above] = to_rgba(ORANGE)
    return np.asarray(colours, dtype=np.float64)


def gap_scale_bar(axes: Axes) -> None:
    """Draw a bar of 5 angstrom in the lower right corner of a picture of the gap."""
    right, low = axes.get_xlim()[1] - 2.0, axes.get_ylim()[0] + 1.0
    axes.plot([right - 5.0, right], [low, low], color=INK, linewidth=2.0, zorder=9)
    axes.annotate("5 Å", (right - 2.5, low + 0.4), ha="center", va="bottom", fontsize=8, zorder=9)


def _draw_narrowest(axes: Axes, frame: Atoms, cutoff: float, diameter: float) -> None:
    """Outline the atoms of the bottleneck; without one, draw the minimax gap."""
    if "electrode" not in frame.arrays or "lattice_constant" not in frame.info:
        return
    connection = analyse_connection(frame, cutoff)
    positions = np.asarray(frame.positions, dtype=np.float64)
    if len(connection.bottleneck):
        sizes = np.full(len(connection.bottleneck), diameter)
        axes.add_collection(
            EllipseCollection(
                sizes,
                sizes,
                np.zeros(len(sizes)),
                units="x",
                offsets=positions[connection.bottleneck][:, [0, 2]],
                offset_transform=axes.transData,
                facecolors="none",
                edgecolors=INK,
                linewidths=1.6,
            )
        )
        return
    pairs, distances = neighbour_pairs(positions, connection.minimax_gap + 1e-6)
    ends = positions[pairs[np.argmax(distances)]]
    axes.plot(ends[:, 0], ends[:, 2], "o-", color=GREEN, linewidth=2.4, markersize=4)


def _caption(result: RunResult, mark: Landmark) -> str:
    """Title of a landmark: what, when, open or bridged, T."""
    connected = bool(result.series("connected")[mark.index])
    gap, atoms = result.series("minimax_gap"), result.bottleneck(mark.index)
    if not connected:
        state = f"open, minimax gap {number(gap[mark.index])} Å"
    elif atoms < 1:
        state = f"touching, stretched to {number(gap[mark.index])} Å"
    else:
        state = f"bridged, {counted(atoms, 'atom')} wide"
    value = transmission_text(float(result.transmission[mark.index]))
    return f"{mark.title}, {number(result.time[mark.index])} ps\n{state}\n{value}"


def _label_electrodes(axes: Axes, frame: Atoms, voltage: float) -> None:
    """Write beside the picture what the ends are and what they are held at."""
    heights = frame.positions[:, 2]
    kinds = ("anode", "cathode") if voltage > 0 else ("cathode", "anode")
    for height, kind, half in zip(
        (heights.max(), heights.min()), kinds, (voltage / 2, -voltage / 2), strict=True
    ):
        axes.annotate(
            f"{kind}, {'+' if half > 0 else ''}{number(half)} V" if voltage else "0 V",
            (0.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            rotation=90,
            va="top" if height == heights.max() else "bottom",
            ha="right",
            fontsize=9,
            color=INK,
        )


def _scale_bar(axes: Axes, frame: Atoms) -> None:
    """Draw a bar of one nanometre under the picture."""
    low = frame.positions.min(axis=0)
    right = float(frame.positions[:, 0].max())
    axes.plot([right - 10.0, right], [low[2] - 2.4] * 2, color=INK, linewidth=2.0, clip_on=False)
    axes.annotate(
        "1 nm", (right - 5.0, low[2] - 3.0), ha="center", va="top", color=QUIET, fontsize=9,
        annotation_clip=False,
    )  # fmt: skip
