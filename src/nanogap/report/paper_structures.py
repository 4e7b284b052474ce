"""Figures of numbered structures: stages, growth of a filament, contacts of many trajectories.

After Figs. 1i, 3c, 4c and 5d of doi:10.1039/d3nh00476g.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis import Stage
from nanogap.analysis.filament.structures import (
    fluctuation_points,
    growth_structures,
    single_atom_contacts,
)
from nanogap.errors import DataFormatError
from nanogap.printing import counted
from nanogap.report.atoms import gap_scale_bar, gap_shape
from nanogap.report.paper import (
    PaperFigure,
    Trajectory,
    badge,
    fullest,
    need_transmission,
)
from nanogap.report.stages import stage_caption, stage_examples
from nanogap.report.style import STAGE_COLOURS, WIDTH
from nanogap.report.words import number, transmission_text, value_or_none

#: Contacts that a gallery shows at most.
_MOST_CONTACTS = 12
_COLUMNS = 4
#: Width of a picture, and height of its title, inches.
_PICTURE, _TITLE = 2.4, 0.6


def stages_in_pictures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the start and a snapshot of every stage (Fig. 1i).

    Raises
    ------
    DataFormatError
        If no atoms are kept.
    """
    one = fullest(trajectories)
    result, first = one.result, one.first
    examples = [
        (stage, index)
        for stage, index in stage_examples(result.stages, one.there.tolist())
        if stage is not Stage.RUPTURE
    ]
    start = int(one.with_atoms[0])
    pictures: list[tuple[str, Stage, int]] = [("start", result.stages[start], start)]
    pictures += [(stage.value, stage, index) for stage, index in examples if index != start]
    extent = np.ptp(first.positions, axis=0)
    figure, panels = _panels(len(pictures), len(pictures), float((extent[2] + 6) / (extent[0] + 6)))
    for place, (axes, (name, stage, index)) in enumerate(zip(panels, pictures, strict=True)):
        one.draw(axes, index, first, whole=True)
        axes.set_title(
            f"{name}, {number(result.time[index])} ps\n{stage_caption(result, stage, index)}",
            loc="center",
            fontsize=9,
            linespacing=1.35,
            backgroundcolor=STAGE_COLOURS[stage],
            pad=9,
        )
        badge(axes, str(place + 1))
    limits = np.array([[*axes.get_xlim(), *axes.get_ylim()] for axes in panels])
    low, high = limits.min(axis=0), limits.max(axis=0)
    for axes in panels:  # one scale
        axes.set_xlim(low[0], high[1])
        axes.set_ylim(low[2], high[3])
    gap_scale_bar(panels[0])
    _head(figure, one, "no contact" if result.first_contact is None else "")
    return PaperFigure(
        figure,
        ("picture", "name", "stage", *_COLUMNS_OF_STRUCTURES),
        [
            (place + 1, name, stage.value, *structure_row(one, index))
            for place, (name, stage, index) in enumerate(pictures)
        ],
    )


def growth_in_pictures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the numbered structures of a rewiring (Fig. 3c).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = growth_of(trajectories)
    figure, panels = _panels(len(chosen), min(3, len(chosen)), gap_shape(one.first))
    draw_numbered(panels, one, chosen)
    _head(figure, one, "no contact" if one.result.first_contact is None else "")
    return PaperFigure(figure, ("structure", *_COLUMNS_OF_STRUCTURES), numbered_rows(one, chosen))


def growth_of(trajectories: Sequence[Trajectory]) -> tuple[Trajectory, list[int]]:
    """Choose the trajectory and the structures of Fig. 3b-f.

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one = fullest(trajectories)
    need_transmission(one)
    return one, growth_structures(one.result.observables, one.result.transmission, one.usable)


def contacts_of_trajectories(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw single-atom contacts of different trajectories, each with its T (Fig. 4c).

    Of several trajectories the first contact that a single atom makes; of one alone, that of each
    bridge that formed.

    Raises
    ------
    DataFormatError
        If there is none.
    """
    found = _contacts(trajectories)
    if not found:
        touched = sum(one.result.first_contact is not None for one in trajectories)
        raise DataFormatError(
            f"no single-atom contact whose atoms and T are known: {touched} of "
            f"{counted(len(trajectories), 'run')} "
            "came to a contact at all: wait, or simulate with a smaller gap or a higher voltage"
        )
    shown = found[:_MOST_CONTACTS]
    figure, panels = _panels(
        len(shown), min(_COLUMNS, len(shown)), max(gap_shape(one.first) for one, _ in shown)
    )
    several = len(trajectories) > 1
    for place, (axes, (one, index)) in enumerate(zip(panels, shown, strict=True)):
        one.draw(axes, index, one.first)
        when = f"{number(one.result.time[index])} ps"
        axes.set_title(
            f"{transmission_text(float(one.result.transmission[index]))}\n"
            + (f"{one.name}, {when}" if several else when),
            loc="center",
            fontsize=9,
            linespacing=1.35,
        )
        badge(axes, chr(ord("a") + place))
    gap_scale_bar(panels[0])
    values = np.array([one.result.transmission[index] for one, index in found])
    spread = f" ± {number(values.std(ddof=1), 2)}" if len(values) > 1 else ""
    where = (
        f"{counted(len(trajectories), 'run')}" if several else f"one run, {trajectories[0].name}"
    )
    figure.suptitle(
        f"{counted(len(found), 'single-atom contact')} of {where}: "
        f"T = {number(values.mean())}{spread} G$_0$"
        + (f", the first {len(shown)} drawn" if len(shown) < len(found) else ""),
        fontsize=10,
        x=0.01,
        ha="left",
    )
    return PaperFigure(
        figure,
        ("trajectory", "voltage_V", *_COLUMNS_OF_STRUCTURES),
        [
            (one.name, one.result.settings.voltage.applied, *structure_row(one, index))
            for one, index in found
        ],
    )


def _contacts(trajectories: Sequence[Trajectory]) -> list[tuple[Trajectory, int]]:
    found = []
    for one in trajectories:
        places = single_atom_contacts(one.result.observables, one.result.transmission, one.usable)
        found += [(one, index) for index in (places[:1] if len(trajectories) > 1 else places)]
    return found


def fluctuation_in_pictures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the atoms at the numbered points of a fluctuating conductance (Fig. 5d).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = fluctuation_of(trajectories)
    figure, panels = _panels(len(chosen), len(chosen), gap_shape(one.first))
    draw_numbered(panels, one, chosen)
    _head(figure, one)
    return PaperFigure(figure, ("structure", *_COLUMNS_OF_STRUCTURES), numbered_rows(one, chosen))


def fluctuation_of(trajectories: Sequence[Trajectory]) -> tuple[Trajectory, list[int]]:
    """Choose the fine sampling and the points of Fig. 5c and 5d.

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one = fullest(trajectories)
    need_transmission(one)
    return one, fluctuation_points(one.result.transmission, one.usable)


def draw_numbered(panels: Sequence[Axes], one: Trajectory, chosen: Sequence[int]) -> None:
    """Draw structures with their numbers, T and time."""
    for place, (axes, index) in enumerate(zip(panels, chosen, strict=True)):
        one.draw(axes, index, one.first)
        axes.set_title(
            f"{transmission_text(float(one.result.transmission[index]))}\n"
            f"{number(one.result.time[index], 4)} ps",
            loc="center",
            fontsize=9,
            linespacing=1.35,
        )
        badge(axes, str(place + 1))
    gap_scale_bar(panels[0])


_COLUMNS_OF_STRUCTURES = (
    "snapshot",
    "time_ps",
    "transmission_G0",
    "bottleneck_atoms",
    "cross_section_A2",
    "tip_distance_A",
    "atoms_in_gap",
)


def structure_row(one: Trajectory, index: int) -> tuple[object, ...]:
    """Give the numbers of a structure, in the order of the columns of a table of structures."""
    result = one.result
    return (
        int(result.numbers[index]),
        float(result.time[index]),
        value_or_none(float(result.transmission[index])),
        *(
            value_or_none(float(result.series(name)[index]))
            for name in ("bottleneck_atoms", "cross_section", "tip_distance", "atoms_in_gap")
        ),
    )


def numbered_rows(one: Trajectory, chosen: Sequence[int]) -> list[tuple[object, ...]]:
    """Give the table of numbered structures."""
    return [(place, *structure_row(one, index)) for place, index in enumerate(chosen, start=1)]


def _panels(count: int, columns: int, shape: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many pictures of a shape; those left over of the last row are empty."""
    rows = -(-count // columns)
    width = min(1.2 * WIDTH, max(_PICTURE * columns, 2.0 * _PICTURE))
    height = min(width / columns, 1.5 * _PICTURE) * shape + _TITLE
    figure = Figure(figsize=(width, height * rows + 0.4))
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def _head(figure: Figure, one: Trajectory, note: str = "") -> None:
    """Name the run, its voltage, and how much of it there is."""
    settings = one.result.settings
    parts = [
        one.name,
        f"{settings.voltage.applied:g} V, gap {settings.structure.gap:g} Å",
        one.so_far,
        note,
    ]
    figure.suptitle(", ".join(filter(None, parts)), fontsize=10, x=0.01, ha="left")
