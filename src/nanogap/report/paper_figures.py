"""The figures of a paper, each drawn from trajectories in the paper's form, with its numbers.

The paper is doi:10.1039/d3nh00476g. Its measured figures (1b to 2h, 3a, 4a, 4b, 5a, 5b) are those
of the commands for measured data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nanogap.analysis.filament.contact import bonded
from nanogap.errors import DataFormatError
from nanogap.printing import counted
from nanogap.report.atoms import gap_shape
from nanogap.report.figures import shade_stages, time_limits
from nanogap.report.marks import CYCLE_COLOURS, quantum_lines
from nanogap.report.paper import PaperFigure, Trajectory
from nanogap.report.paper_structures import (
    contacts_of_trajectories,
    draw_numbered,
    fluctuation_in_pictures,
    fluctuation_of,
    growth_in_pictures,
    growth_of,
    stages_in_pictures,
)
from nanogap.report.style import BLUE, INK, ORANGE, WIDTH
from nanogap.report.words import number, value_or_none
from nanogap.typing import FloatArray

_TIME = "time under voltage (ps)"
_T = "transmission T = G / G$_0$"
#: A part of the trace below which its numbered points are drawn once more, spread out.
_CROWDED = 0.15
#: Structures of Fig. 3b whose T(E) the panels d to f show: contact and growth.
_SPECTRA = (3, 4, 5)


def growth_trace(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw T(t) of a rewiring with its numbered structures (Fig. 3b).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = growth_of(trajectories)
    windows = _windows(one, chosen)
    figure = Figure(figsize=(0.75 * WIDTH, 3.4 * len(windows)))
    rows = figure.subplots(len(windows), 1, squeeze=False)[:, 0].tolist()
    _growth(rows, one, chosen, windows)
    return PaperFigure(figure, _TRACE_COLUMNS, _trace_rows(one, chosen))


def growth_with_structures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw T(t) of a rewiring, and beside it its numbered structures (Figs. 3b and 3c).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = growth_of(trajectories)
    windows = _windows(one, chosen)
    columns = min(3, len(chosen))
    lines = -(-len(chosen) // columns)
    height = lines * (2.2 * gap_shape(one.first) + 0.6)
    figure = Figure(figsize=(5.0 + 2.2 * columns, max(height, 2.4 * len(windows), 3.4)))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[5.0, 2.2 * columns])[0]
    rows = left.subplots(len(windows), 1, squeeze=False)[:, 0].tolist()
    _growth(rows, one, chosen, windows)
    panels = right.subplots(lines, columns, squeeze=False).ravel().tolist()
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    draw_numbered(panels[: len(chosen)], one, chosen)
    return PaperFigure(figure, _TRACE_COLUMNS, _trace_rows(one, chosen))


def _windows(one: Trajectory, chosen: Sequence[int]) -> list[tuple[float, float] | None]:
    """Spans of time to draw, ps: all, and what is crowded once more."""
    time = one.result.time
    contact = one.result.first_contact
    later = [float(time[index]) for index in chosen if contact is not None and index >= contact]
    if len(later) < 2 or later[-1] - later[0] >= _CROWDED * float(time[-1] - time[0]):
        return [None]
    span = later[-1] - later[0]
    return [None, (later[0] - 0.4 * span, later[-1] + 0.4 * span)]


def _growth(
    rows: Sequence[Axes],
    one: Trajectory,
    chosen: Sequence[int],
    windows: Sequence[tuple[float, float] | None],
) -> None:
    """Draw T(t) in one or two spans of time."""
    settings = one.result.settings
    for axes, window in zip(rows, windows, strict=True):
        # where a second panel spreads the points out, the first one has those outside it
        crowded = windows[-1] if window is None and len(windows) > 1 else None
        shade_stages(axes, one.result)
        _trace(axes, one, chosen, window, crowded)
    head = [one.name, f"{settings.voltage.applied:g} V", one.so_far]
    rows[0].set_title(", ".join(filter(None, head)))
    if len(rows) > 1:
        rows[1].set_title("around the contact (black bar above)")


def _trace(
    axes: Axes,
    one: Trajectory,
    chosen: Sequence[int],
    window: tuple[float, float] | None = None,
    elsewhere: tuple[float, float] | None = None,
) -> None:
    """Draw T(t) and its numbered points, but for those drawn elsewhere."""
    time, values = one.result.time, one.result.transmission
    low, high = window or (-np.inf, np.inf)
    known = np.isfinite(values) & (time >= low) & (time <= high)
    axes.plot(time[known], values[known], "o-", color=BLUE, markersize=2.6, linewidth=0.8)
    for place, index in enumerate(chosen, start=1):
        inside = low <= time[index] <= high
        if not inside or (elsewhere and elsewhere[0] <= time[index] <= elsewhere[1]):
            continue
        axes.plot(time[index], values[index], "o", color=ORANGE, markersize=5.5, zorder=5)
        axes.annotate(
            str(place),
            (time[index], values[index]),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
            color=INK,
            zorder=6,
        )
    if elsewhere is not None:
        axes.axvspan(*elsewhere, ymax=0.03, color=INK, linewidth=0, zorder=5)
    top = max(1.25, 1.2 * float(values[known].max(initial=0.0)))
    quantum_lines(axes, top)
    axes.set_ylim(-0.05 * top, top)
    axes.set_xlim(*time_limits(time if window is None else np.array(window)))
    axes.set_xlabel(_TIME)
    axes.set_ylabel(_T)


_TRACE_COLUMNS = (
    "snapshot", "time_ps", "transmission_G0", "stage", "bottleneck_atoms", "structure",
)  # fmt: skip


def _trace_rows(one: Trajectory, chosen: Sequence[int]) -> list[tuple[object, ...]]:
    """Give T(t) with the numbers of the structures."""
    result = one.result
    named = {index: place for place, index in enumerate(chosen, start=1)}
    return [
        (
            int(result.numbers[index]),
            float(result.time[index]),
            value_or_none(float(result.transmission[index])),
            result.stages[index].value,
            result.bottleneck(index),
            named.get(index),
        )
        for index in range(len(result.time))
    ]


def spectra_of_structures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw T(E) of the contact and of two structures of its growth (Fig. 3d-f).

    Raises
    ------
    DataFormatError
        If there is no contact, or T(E) can't be computed.
    """
    one, chosen = growth_of(trajectories)
    touching = bonded(one.result.observables)
    found = [(place, index) for place, index in enumerate(chosen, start=1) if touching[index]]
    if not found:
        raise DataFormatError(
            f"{one.name}: no contact so far, and the figure shows T(E) of structures in contact: "
            "wait, or simulate with a smaller gap or a higher voltage"
        )
    found = found[: len(_SPECTRA)]
    if one.spectra is None:
        raise DataFormatError(
            f"{one.name}: T(E) is computed from a run directory: give that of a run, or set "
            "keep.run_directories = true in the campaign file"
        )
    dataset = one.spectra([int(one.result.numbers[index]) for _, index in found])
    energies = dataset["energy"].to_numpy()
    values = dataset["transmission_average"].transpose("snapshot", "energy").to_numpy()
    figure = Figure(figsize=(3.6 * len(found) + 0.3, 3.1))
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for (place, index), axes, row in zip(found, panels, values, strict=True):
        top = max(1.25, 1.15 * float(np.nanmax(row)))
        quantum_lines(axes, top)
        axes.plot(energies, row, "o-", color=BLUE, markersize=3.0)
        axes.axvline(0.0, color=INK, linewidth=0.8)
        axes.set_ylim(-0.03 * top, top)
        axes.set_title(f"structure {place}, {number(one.result.time[index], 4)} ps")
    panels[0].set_ylabel("transmission T(E)")
    figure.supxlabel("energy from the Fermi energy (eV)", fontsize=10)
    return PaperFigure(
        figure,
        ("energy_eV", *(f"transmission_of_structure_{place}_G0" for place, _ in found)),
        [
            (float(energy), *map(value_or_none, values[:, column].tolist()))
            for column, energy in enumerate(energies)
        ],
    )


def fluctuation_trace(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the fine sampling of a conductance with its numbered points (Fig. 5c).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = fluctuation_of(trajectories)
    figure = Figure(figsize=(0.75 * WIDTH, 3.2))
    _fluctuation(figure.subplots(), one, chosen)
    return PaperFigure(figure, _TRACE_COLUMNS, _trace_rows(one, chosen))


def fluctuation_with_structures(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the fine sampling of a conductance, and below it its structures (Figs. 5c and 5d).

    Raises
    ------
    DataFormatError
        If no atoms are kept, or no transmission is known.
    """
    one, chosen = fluctuation_of(trajectories)
    height = WIDTH / len(chosen) * gap_shape(one.first) + 0.6
    figure = Figure(figsize=(WIDTH, 3.0 + height))
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.0, height])[:, 0]
    _fluctuation(upper.subplots(), one, chosen)
    draw_numbered(np.atleast_1d(lower.subplots(1, len(chosen))).tolist(), one, chosen)
    return PaperFigure(figure, _TRACE_COLUMNS, _trace_rows(one, chosen))


def _fluctuation(axes: Axes, one: Trajectory, chosen: Sequence[int]) -> None:
    """Draw T(t) about its mean, in a range that shows the fluctuation."""
    _trace(axes, one, chosen)
    values = one.result.transmission[np.isfinite(one.result.transmission)]
    mean = float(values.mean())
    axes.axhline(mean, color=INK, linewidth=0.9)
    reach = max(0.5, 1.35 * float(np.abs(values - mean).max()))
    axes.set_ylim(max(mean - reach, -0.05), mean + reach)
    # so narrow a range may have no multiple of G0 in it
    axes.yaxis.set_major_locator(MaxNLocator(5))
    spread = f" ± {number(values.std(ddof=1), 2)}" if len(values) > 1 else ""
    samples = len(one.result.time)
    known = "" if len(values) == samples else f", {len(values)} of {samples} known"
    axes.set_title(f"{one.name}: T = {number(mean)}{spread} G$_0${known}")


def kinetics_by_voltage(trajectories: Sequence[Trajectory]) -> PaperFigure:
    """Draw the approach of the tips, the atoms between them and T(t), by voltage (Fig. S3)."""
    ordered = sorted(trajectories, key=_conditions)
    kinds = list(dict.fromkeys(map(_conditions, ordered)))
    gaps = len({gap for _, gap in kinds}) > 1
    figure = Figure(figsize=(0.85 * WIDTH, 6.6))
    rows = figure.subplots(3, 1, sharex=True)
    series = ("tip_distance", "atoms_in_gap")
    labels = ("distance of the tips (Å)", "adatoms in the gap", _T)
    for kind in kinds:
        colour = CYCLE_COLOURS[kinds.index(kind) % len(CYCLE_COLOURS)]
        label = f"{kind[0]:g} V" + (f", gap {kind[1]:g} Å" if gaps else "")
        members = [one.result for one in ordered if _conditions(one) == kind]
        for result in members:
            curves: list[FloatArray] = [result.series(name) for name in series]
            for axes, values in zip(rows, [*curves, result.transmission], strict=True):
                known = np.isfinite(values)
                axes.plot(result.time[known], values[known], color=colour, linewidth=1.0, alpha=0.8)
            if result.first_contact is not None:
                place = result.first_contact
                rows[0].plot(result.time[place], curves[0][place], "v", color=colour)
        runs = f" ({counted(len(members), 'run')})"
        rows[0].plot([], [], color=colour, label=label + runs)
    for axes, words in zip(rows, labels, strict=True):
        axes.set_ylabel(words)
    rows[1].set_ylim(0.0, max(5.0, float(rows[1].get_ylim()[1])))
    rows[1].yaxis.set_major_locator(MaxNLocator(integer=True))
    quantum_lines(rows[2], max(1.25, float(rows[2].get_ylim()[1])))
    rows[2].set_ylim(bottom=-0.05)
    rows[2].set_xlabel(_TIME)
    rows[0].set_title("triangle: first contact")
    rows[0].legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(kinds), borderaxespad=0.1
    )
    figure.align_ylabels()
    return PaperFigure(
        figure,
        ("run", "voltage_V", "time_ps", "tip_distance_A", "atoms_in_gap", "transmission_G0"),
        [
            (
                one.name,
                one.result.settings.voltage.applied,
                float(time),
                *map(value_or_none, values),
            )
            for one in ordered
            for time, *values in zip(
                one.result.time,
                *(one.result.series(name) for name in series),
                one.result.transmission,
                strict=True,
            )
        ],
    )


def _conditions(one: Trajectory) -> tuple[float, float]:
    """Return voltage and gap of a run, by which its curve is coloured."""
    settings = one.result.settings
    return settings.voltage.applied, settings.structure.gap


@dataclass(frozen=True)
class PaperFigureKind:
    """A figure of the paper that can be drawn.

    Attributes
    ----------
    draw : callable
        Draws it from trajectories.
    about : str
        What it shows.
    sampled : bool
        Whether it shows a fine sampling, and not a run.
    """

    draw: Callable[[Sequence[Trajectory]], PaperFigure]
    about: str
    sampled: bool = False


#: The figures by their numbers in the paper, in its order.
PAPER_FIGURES = {
    "1i": PaperFigureKind(stages_in_pictures, "the stages of a filament, in pictures"),
    "3b": PaperFigureKind(growth_trace, "T(t) with numbered structures"),
    "3c": PaperFigureKind(growth_in_pictures, "the numbered structures of 3b"),
    "3bc": PaperFigureKind(growth_with_structures, "3b and 3c side by side"),
    "3d-f": PaperFigureKind(spectra_of_structures, "T(E) of structures in contact"),
    "4c": PaperFigureKind(contacts_of_trajectories, "single-atom contacts of runs, with T"),
    "5c": PaperFigureKind(fluctuation_trace, "T(t) of a fine sampling", sampled=True),
    "5d": PaperFigureKind(fluctuation_in_pictures, "the numbered structures of 5c", sampled=True),
    "5cd": PaperFigureKind(fluctuation_with_structures, "5c above 5d", sampled=True),
    "S3": PaperFigureKind(kinetics_by_voltage, "gap, adatoms and T over time, by voltage"),
}
