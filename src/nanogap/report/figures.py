"""The figures of the report; each function draws one and returns it."""

from collections.abc import Callable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, MultipleLocator
from numpy.typing import ArrayLike

from nanogap.analysis import ConductanceHistogram, Stage, represented_time, stage_spans
from nanogap.report.result import RunResult
from nanogap.report.style import (
    BLUE,
    GREEN,
    INK,
    LANDMARK_COLOURS,
    ORANGE,
    PURPLE,
    QUIET,
    STAGE_COLOURS,
    WIDTH,
)
from nanogap.report.words import number
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

_TIME = "time under voltage (ps)"
_MICRO = 1e6

# times that differ by less are the same, ps
_NEAR = 1e-6


def conductance_trace(result: RunResult) -> Figure:
    """Draw T(t) with its G0 grid and stages, and a close-up of the first contact if it is short."""
    window = close_up(result)
    figure = Figure(figsize=(WIDTH, 6.4 if window else 3.6))
    rows = figure.subplots(2 if window else 1, 1, squeeze=False)[:, 0]
    _trace(rows[0], result)
    rows[0].set_title("The whole run")
    if window:
        _trace(rows[1], result, window)
        rows[1].set_title(
            f"Close-up of the first contact, {number(window[0])} to {number(window[1])} ps "
            "(black bar above)"
        )
        rows[0].axvspan(*window, ymax=0.025, color=INK, linewidth=0, zorder=5)
    handles: list[Artist] = [
        Patch(facecolor=STAGE_COLOURS[stage], label=stage.value)
        for stage in STAGE_COLOURS
        if stage in result.stages
    ]
    if result.cell_moved.any():
        handles.append(
            Line2D([], [], color=PURPLE, marker="v", linestyle="", label="the cell moved")
        )
    if not np.isfinite(result.transmission).all():
        handles.append(Line2D([], [], color=ORANGE, marker="x", linestyle="", label="T not known"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def close_up(result: RunResult) -> tuple[float, float] | None:
    """Time window of the dense samples around the first contact, ps; None if it is no close-up."""
    contact, times = result.first_contact, result.time
    if contact is None or len(times) < 5:
        return None
    dynamics = result.settings.dynamics
    before = dynamics.contact_sampling_interval * dynamics.contact_history / 1000.0
    after = dynamics.contact_sampling_time / 1000.0
    if before + after <= 0.0:
        # no dense sampling: ten snapshots on either side
        before = times[contact] - times[max(0, contact - 10)]
        after = times[min(len(times) - 1, contact + 10)] - times[contact]
    inside = times[
        (times >= times[contact] - before - _NEAR) & (times <= times[contact] + after + _NEAR)
    ]
    low, high = float(inside.min()), float(inside.max())
    short = high - low < 0.6 * (times[-1] - times[0])
    return (low, high) if short and high > low else None


def _trace(axes: Axes, result: RunResult, window: tuple[float, float] | None = None) -> None:
    """Draw T(t) within a time window."""
    time, transmission = result.time, result.transmission
    shown = np.ones(len(time), dtype=bool)
    if window:
        shown = (time >= window[0]) & (time <= window[1])
    known = shown & np.isfinite(transmission)
    top = max(1.25, 1.12 * float(transmission[known].max(initial=0.0)))
    shade_stages(axes, result)
    _quantum_grid(axes, top)
    axes.plot(time[known], transmission[known], color=INK, linewidth=0.9, alpha=0.6, zorder=3)
    axes.plot(time[known], transmission[known], "o", color=BLUE, markersize=3.4, zorder=4)
    moves = shown & result.cell_moved
    axes.plot(
        time[moves],
        np.full(int(moves.sum()), 0.985),
        "v",
        color=PURPLE,
        markersize=5,
        transform=axes.get_xaxis_transform(),
        zorder=6,
    )
    for place in np.flatnonzero(moves & np.isfinite(result.in_cell_before)):
        both = [result.in_cell_before[place], transmission[place]]
        axes.plot([time[place]] * 2, both, color=PURPLE, linewidth=1.0, zorder=3)
        axes.plot(time[place], both[0], "o", color=PURPLE, fillstyle="none", markersize=5, zorder=5)
    missing = shown & ~np.isfinite(transmission)
    if missing.any():
        axes.plot(
            time[missing], np.zeros(int(missing.sum())), "x", color=ORANGE, markersize=5, zorder=4
        )
    contact = result.first_contact
    if contact is not None:
        axes.axvline(time[contact], color=ORANGE, linewidth=1.2, linestyle=(0, (4, 2)), zorder=2)
        axes.annotate(
            f"first contact, {number(time[contact])} ps",
            (time[contact], 0.97 * top),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            color=INK,
            fontsize=9,
        )
    axes.set_ylim(-0.06 * top, top)
    axes.set_xlim(*time_limits(time[shown]))
    axes.set_xlabel(_TIME)
    axes.set_ylabel("transmission T\n= conductance (G$_0$)")
    _siemens_axis(axes)


def shade_stages(axes: Axes, result: RunResult) -> None:
    """Colour the background by stage; borders lie midway between two snapshots."""
    time = result.time
    if len(time) < 2:
        return
    borders = np.concatenate([time[:1], (time[:-1] + time[1:]) / 2.0, time[-1:]])
    spans: dict[Stage, list[tuple[float, float]]] = {}
    for stage, first, last in stage_spans(result.stages):
        width = float(borders[last + 1] - borders[first])
        spans.setdefault(stage, []).append((float(borders[first]), width))
    # one patch for each stage: a filament that flickers has thousands of spans
    for stage, parts in spans.items():
        axes.broken_barh(
            parts,
            (0.0, 1.0),
            transform=axes.get_xaxis_transform(),
            color=STAGE_COLOURS[stage],
            linewidth=0,
            zorder=0,
        )


def _quantum_grid(axes: Axes, top: float) -> None:
    """Draw lines at integer G0, thinned where they would crowd."""
    step = max(1, int(np.ceil(top / 10.0)))
    for level in range(step, int(top) + 1, step):
        axes.axhline(level, color=INK, alpha=0.6, linewidth=0.8, linestyle=":", zorder=1)
    axes.yaxis.set_major_locator(MultipleLocator(step))


def _siemens_axis(axes: Axes) -> None:
    """Add the conductance in microsiemens on the right."""
    factor = CONDUCTANCE_QUANTUM * _MICRO
    right = axes.secondary_yaxis("right", functions=(_scaled(factor), _scaled(1.0 / factor)))
    right.set_ylabel("conductance (µS)")
    right.spines["right"].set_visible(True)


def _scaled(factor: float) -> Callable[[ArrayLike], FloatArray]:
    """Return a function that multiplies."""
    return lambda value: np.asarray(value, dtype=np.float64) * factor


def time_limits(values: FloatArray) -> tuple[float, float]:
    """Return limits of an axis that shows all the values and is never empty."""
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not low < high:
        middle = low if np.isfinite(low) else 0.0
        return middle - 0.5, middle + 0.5
    return low - 0.01 * (high - low), high + 0.01 * (high - low)


def histogram_of(result: RunResult) -> ConductanceHistogram:
    """Count the time spent at every conductance, ps in bins of 0.05 G0."""
    known = np.isfinite(result.transmission)
    # rounding can leave the T of an open gap a trifle below zero
    values = np.maximum(result.transmission[known], 0.0)
    return ConductanceHistogram(bin_width=0.05).compute(
        values, represented_time(result.time)[known]
    )


def conductance_histogram(result: RunResult) -> Figure:
    """Draw the time spent at every conductance, in bins of 0.05 G0, and the single snapshots."""
    known = np.isfinite(result.transmission)
    values = np.maximum(result.transmission[known], 0.0)
    histogram = histogram_of(result)
    edges, counts = histogram.edges, histogram.counts
    figure = Figure(figsize=(WIDTH, 3.3))
    axes = figure.subplots()
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.85)
    height = max(float(counts.max()), 1e-9)
    axes.plot(values, np.full(len(values), -0.04 * height), "|", color=INK, markersize=6, alpha=0.6)
    for level in range(1, int(edges[-1]) + 1):
        axes.axvline(level, color=QUIET, linewidth=0.7, linestyle=":", zorder=0)
    axes.set_ylim(-0.08 * height, 1.08 * height)
    axes.set_xlim(-0.05, max(1.25, edges[-1] + 0.05))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("transmission T = conductance (G$_0$)")
    axes.set_ylabel("time spent there (ps)\nper 0.05 G$_0$" if len(values) > 1 else "snapshots")
    return figure


def transmission_spectra(result: RunResult) -> Figure | None:
    """Draw T(E) of the landmarks; None if there are no spectra."""
    spectra = result.spectra
    if spectra is None or "energy" not in spectra.dims or "transmission_average" not in spectra:
        return None
    values = spectra["transmission_average"]
    if "snapshot" not in values.dims:
        values = values.expand_dims("snapshot")
    if not np.isfinite(values.to_numpy()).any():
        return None
    titles = {mark.number: mark.title for mark in result.landmarks}
    energies = spectra["energy"].to_numpy()
    numbers = np.atleast_1d(spectra["snapshot"].to_numpy()) if "snapshot" in spectra else [0]
    figure = Figure(figsize=(WIDTH, 3.5))
    axes = figure.subplots()
    top = max(1.25, 1.1 * float(np.nanmax(values.to_numpy())))
    _quantum_grid(axes, top)
    for place, snapshot in enumerate(numbers):
        index = np.flatnonzero(result.numbers == snapshot)
        when = f", {number(result.time[index[0]])} ps" if len(index) else ""
        axes.plot(
            energies,
            values.isel(snapshot=place).to_numpy(),
            color=LANDMARK_COLOURS[place % len(LANDMARK_COLOURS)],
            linewidth=2.0,
            marker="o" if len(energies) < 60 else None,
            label=titles.get(int(snapshot), f"Snapshot {snapshot}") + when,
        )
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.annotate("E$_F$", (0.0, top), xytext=(4, -2), textcoords="offset points", va="top")
    axes.set_ylim(-0.04 * top, top)
    axes.set_xlabel("energy from the Fermi energy (eV)")
    axes.set_ylabel("transmission T(E)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def geometry_and_charge(result: RunResult) -> Figure:
    """Draw gap, atoms in it, charge, temperature and energies over time, under one time axis."""
    balanced = bool(np.isfinite(result.series("energy_balance")).any())
    heights = [1.3, 1.3, *[1.2] * result.charged, 0.8, 0.8, *[1.1] * balanced]
    figure = Figure(figsize=(WIDTH, 1.8 * len(heights)))
    rows = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    axes_of_energies = rows.pop() if balanced else None
    axes_of_charges = rows.pop(2) if result.charged else None
    time, contact = result.time, result.first_contact
    cutoff = result.settings.voltage.cutoff
    rows[0].plot(time, result.series("minimax_gap"), ".-", color=BLUE)
    rows[0].axhline(cutoff, color=QUIET, linestyle=":")
    rows[0].annotate(
        f"touching below {cutoff:g} Å",
        (1.0, cutoff),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=INK,
    )
    rows[0].set_ylabel("minimax gap (Å)")
    rows[1].plot(time, result.series("atoms_in_gap"), ".-", color=PURPLE, label="in the gap")
    rows[1].plot(
        time, result.series("bottleneck_atoms"), ".-", color=GREEN, label="in the constriction"
    )
    rows[1].set_ylabel("atoms")
    rows[1].yaxis.set_major_locator(MaxNLocator(integer=True))
    rows[1].legend(loc="best")
    rows[2].plot(time, result.series("temperature"), ".-", color=INK)
    rows[2].axhline(result.settings.dynamics.temperature, color=QUIET, linestyle=":")
    rows[2].set_ylabel("temperature (K)")
    rows[3].plot(time, result.series("potential_energy"), ".-", color=INK)
    rows[3].set_ylabel("potential\nenergy (eV)")
    rows[3].ticklabel_format(axis="y", useOffset=False)
    _without_switch_on(rows[3], result, result.series("potential_energy"))
    if axes_of_charges is not None:
        _tip_charges(axes_of_charges, result)
    if axes_of_energies is not None:
        _energy_balance(axes_of_energies, result)
    figure.axes[-1].set_xlabel(_TIME)
    figure.axes[-1].set_xlim(*time_limits(time))
    for axes in figure.axes:
        shade_stages(axes, result)
        if contact is not None:
            axes.axvline(time[contact], color=ORANGE, linewidth=1.0, linestyle=(0, (4, 2)))
    figure.align_ylabels(figure.axes)
    return figure


def _without_switch_on(axes: Axes, result: RunResult, values: FloatArray) -> None:
    """Choose the range of an axis by what follows the jump at which the voltage comes on."""
    later = values[result.after_switch_on :]
    later = later[np.isfinite(later)]
    if len(later) and np.ptp(later) > 0.0:
        margin = 0.06 * float(np.ptp(later))
        axes.set_ylim(float(later.min()) - margin, float(later.max()) + margin)


def _tip_charges(axes: Axes, result: RunResult) -> None:
    axes.plot(result.time, result.series("charge_top"), ".-", color=ORANGE, label="top tip")
    axes.plot(result.time, result.series("charge_bottom"), ".-", color=BLUE, label="bottom tip")
    axes.axhline(0.0, color=QUIET, linewidth=0.7)
    axes.set_ylabel("charge (e)")
    axes.legend(loc="center right")


def _energy_balance(axes: Axes, result: RunResult) -> None:
    """Draw where energy comes from and goes to, and the sum that is conserved."""
    time, heat = result.time, result.series("thermostat_energy")
    conserved = result.series("energy_balance") + heat
    begin = result.after_switch_on
    shown = time[begin:]
    if result.charged:
        work = result.series("bias_work")[begin:]
        axes.plot(shown, work - work[0], ".-", color=ORANGE, label="work of the source")
    axes.plot(shown, heat[begin:] - heat[begin], ".-", color=BLUE, label="heat to the thermostat")
    axes.plot(
        shown,
        conserved[begin:] - conserved[begin],
        ".-",
        color=INK,
        label="conserved sum, change",
    )
    axes.set_ylabel("energy (eV)")
    axes.legend(loc="best")


def network_against_transmission(result: RunResult) -> Figure | None:
    """Draw T against the classical conductance of the metal network; None if T is unknown."""
    classical = result.series("network_conductance")
    known = np.isfinite(result.transmission) & np.isfinite(classical)
    if not known.any():
        return None
    figure = Figure(figsize=(6.4, 4.0))
    axes = figure.subplots()
    points = axes.scatter(
        classical[known],
        result.transmission[known],
        c=result.time[known],
        cmap="viridis",
        s=22,
        zorder=3,
    )
    top = max(1.25, 1.1 * float(result.transmission[known].max()))
    _quantum_grid(axes, top)
    axes.set_ylim(-0.04 * top, top)
    axes.set_xlabel("classical conductance of the metal network (bonds)")
    axes.set_ylabel("transmission T (G$_0$)")
    figure.colorbar(points, ax=axes, label=_TIME)
    return figure
