"""The stages of a filament: a picture of each, and the geometry that tells them apart.

After Fig. 1i of doi:10.1039/d3nh00476g: atoms drift, gather to islands, touch, grow sideways.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nanogap.analysis import BridgeEvent, Stage, typical_snapshots
from nanogap.printing import counted
from nanogap.report.atoms import draw_gap, gap_scale_bar
from nanogap.report.figures import shade_stages, time_limits
from nanogap.report.result import RunResult
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, STAGE_COLOURS, WIDTH
from nanogap.report.words import number

_EVENT_MARKS = {"first contact": "v", "re-contact": "v", "rupture": "x"}


def stages_figure(result: RunResult) -> Figure | None:
    """Draw a typical snapshot of every stage, and over time what tells the stages apart.

    Parameters
    ----------
    result : RunResult

    Returns
    -------
    Figure or None
        None if there are no frames or no geometry.
    """
    shown = stage_examples(result.stages, [int(one) in result.frames for one in result.numbers])
    if not shown or not np.isfinite(result.series("largest_island")).any():
        return None
    curves = len(result.time) > 1
    figure = Figure(figsize=(WIDTH, 8.2 if curves else 3.2))
    mosaic: list[Any] = [[f"picture {place}" for place in range(len(shown))]]
    names = ["adatoms", "distance", "section"] if curves else []
    mosaic += [[name] * len(shown) for name in names]
    panels = figure.subplot_mosaic(mosaic, height_ratios=[1.75, 1.0, 1.0, 1.0][: len(mosaic)])
    for place, (stage, index) in enumerate(shown):
        _picture(panels[f"picture {place}"], result, stage, index)
    if curves:
        _curves(result, [panels[name] for name in names])
        figure.align_ylabels([panels[name] for name in names])
    return figure


def stage_examples(stages: Sequence[Stage], there: Sequence[bool]) -> list[tuple[Stage, int]]:
    """Choose a snapshot of every stage, near the middle of its longest span.

    Parameters
    ----------
    stages : sequence of Stage
        Of every snapshot.
    there : sequence of bool
        Whether there is a frame of it.

    Returns
    -------
    list of (Stage, int)
        Stage and index of the snapshot, in order of time.
    """
    found = []
    for stage, index in typical_snapshots(stages).items():
        near = sorted(range(len(stages)), key=lambda other: abs(other - index))
        for other in near:
            if stages[other] is stage and there[other]:
                found.append((stage, other))
                break
    return sorted(found, key=lambda item: item[1])


def _picture(axes: Axes, result: RunResult, stage: Stage, index: int) -> None:
    """Draw the surroundings of the gap, adatoms in the colour of their tip."""
    frame = result.frames[int(result.numbers[index])]
    draw_gap(axes, frame, result.frames[min(result.frames)], result.settings.voltage.cutoff)
    axes.set_title(
        f"{stage.value}, {number(result.time[index])} ps\n{stage_caption(result, stage, index)}",
        linespacing=1.35,
        loc="center",
        fontsize=9,
        backgroundcolor=STAGE_COLOURS[stage],
    )
    if stage is result.stages[0]:
        gap_scale_bar(axes)


def stage_caption(result: RunResult, stage: Stage, index: int) -> str:
    """Say the number that matters in a stage."""
    if stage in (Stage.CONTACT, Stage.LATERAL_GROWTH):
        area = number(float(result.series("cross_section")[index]))
        return f"{counted(result.bottleneck(index), 'atom')}, {area} Å² wide"
    if stage is Stage.ISLANDS:
        largest = int(result.series("largest_island")[index])
        return f"largest of {counted(largest, 'atom')}"
    if stage is Stage.DRIFT:
        count = int(result.series("atoms_in_gap")[index])
        return f"{counted(count, 'adatom')}, none bonded"
    return f"open by {number(float(result.series('tip_distance')[index]))} Å"


def _curves(result: RunResult, rows: list[Axes]) -> None:
    """Draw adatoms and islands, distance of the tips and position, cross-section over time."""
    time = result.time
    for name, label, colour in (
        ("adatoms_bottom", "adatoms, bottom tip", BLUE),
        ("adatoms_top", "adatoms, top tip", ORANGE),
        ("largest_island", "largest island", PURPLE),
    ):
        rows[0].plot(time, result.series(name), ".-", color=colour, label=label)
    rows[0].set_ylabel("atoms")
    rows[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    rows[1].plot(time, result.series("tip_distance"), ".-", color=INK, label="between the tips")
    rows[1].plot(
        time,
        result.series("constriction_height"),
        ".",
        color=QUIET,
        label="constriction over the middle",
    )
    rows[1].set_ylabel("distance (Å)")
    area = result.series("cross_section")
    rows[2].plot(time, area, ".-", color=GREEN, label="cross-section (left)")
    rows[2].set_ylabel("area (Å²)")
    right = rows[2].twinx()
    right.plot(time, result.series("bridge_atoms"), ".-", color=PURPLE, linewidth=0.9)
    right.plot(time, result.series("bottleneck_coordination"), ".", color=QUIET)
    right.set_ylabel("atoms, bonds")
    right.spines["right"].set_visible(True)
    right.set_ylim(bottom=0.0)
    rows[2].set_ylim(bottom=0.0)
    handles = [
        *rows[2].get_legend_handles_labels()[0],
        Line2D([], [], color=PURPLE, marker=".", label="atoms of the bridge (right)"),
        Line2D([], [], color=QUIET, marker=".", linestyle="", label="coordination (right)"),
    ]
    for axes in rows:
        shade_stages(axes, result)
        axes.set_xlim(*time_limits(time))
        axes.legend(
            handles=handles if axes is rows[2] else None,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=3,
            borderaxespad=0.1,
        )
        axes.tick_params(labelbottom=axes is rows[2])
    rows[2].set_xlabel("time under voltage (ps)")
    _mark_events(rows[1], result.events)


def _mark_events(axes: Axes, events: list[BridgeEvent]) -> None:
    """Mark contacts and ruptures along the upper edge."""
    for event in events:
        axes.plot(
            event.time / 1000.0,
            0.94,
            _EVENT_MARKS[event.kind],
            color=ORANGE if event.kind == "first contact" else INK,
            markersize=6,
            transform=axes.get_xaxis_transform(),
            zorder=6,
        )
