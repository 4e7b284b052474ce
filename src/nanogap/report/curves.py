"""Figures of curves: breakdown, loops, slow sweeps, current sweeps (Figs. 1b, 2a, 2f-2h, 3a)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis import BreakdownAnalysis, SwitchingAnalysis
from nanogap.analysis.traces.plateaus import Plateau
from nanogap.printing import counted
from nanogap.report.marks import CYCLE_COLOURS, quantum_lines, thinned, unit_for
from nanogap.report.style import BLUE, EVENT_COLOURS, INK, ORANGE, QUIET, WIDTH
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Plateaus above it are those of contacts, G0.
_CONTACT = 0.3


def breakdown_curves(curves: Sequence[tuple[str, xr.Dataset, BreakdownAnalysis]]) -> Figure:
    """Draw current against voltage of pristine wires until they break (Fig. 1b).

    Parameters
    ----------
    curves : sequence of (str, xarray.Dataset, BreakdownAnalysis)
        Device, its sweep with ``voltage`` and ``current``, and what was found in it.
    """
    figure = Figure(figsize=(6.4, 4.2))
    axes = figure.subplots()
    largest = max(
        float(np.nanmax(np.abs(data["current"].to_numpy()), initial=0.0)) for _, data, _ in curves
    )
    factor, unit = unit_for(largest, "A")
    broken = 0
    for place, (name, data, analysis) in enumerate(curves):
        colour = CYCLE_COLOURS[place % len(CYCLE_COLOURS)]
        volts, amperes = data["voltage"].to_numpy(), data["current"].to_numpy() * factor
        label = name if len(curves) <= 12 else None
        # where colours come round again the lines are dashed
        style = ("-", "--", ":")[place // len(CYCLE_COLOURS) % 3]
        axes.plot(volts, amperes, style, color=colour, linewidth=1.1, label=label)
        if analysis.found:
            broken += 1
            axes.plot(analysis.voltage, analysis.current * factor, "o", color=colour, markersize=5)
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel(f"current ({unit})")
    axes.set_title(f"{broken} of {len(curves)} sweeps broke a wire (dots: last point before)")
    if len(curves) <= 12:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return figure


def switching_loops_figure(data: xr.Dataset, analysis: SwitchingAnalysis) -> Figure:
    """Draw all loops of a device, with its SET and RESET events (Fig. 2a, 2f).

    Parameters
    ----------
    data : xarray.Dataset
        ``voltage``, ``current`` and ``cycle`` over ``point``.
    analysis : SwitchingAnalysis
        Of the same data.
    """
    figure = Figure(figsize=(WIDTH, 4.0))
    linear, logarithmic = figure.subplots(1, 2)
    volts, amperes = data["voltage"].to_numpy(), data["current"].to_numpy()
    cycles = data["cycle"].to_numpy()
    numbers = np.unique(cycles)
    factor, unit = unit_for(float(np.nanmax(np.abs(amperes), initial=0.0)), "A")
    for axes, scale in ((linear, "linear"), (logarithmic, "log")):
        for number in numbers:
            inside = cycles == number
            shown = amperes[inside] * factor
            last = number == numbers[-1]
            axes.plot(
                volts[inside],
                np.abs(shown) if scale == "log" else shown,
                color=INK if last else QUIET,
                linewidth=1.3 if last else 0.5,
                alpha=1.0 if last else 0.35,
                zorder=3 if last else 1,
            )
        for kind, symbol in (("set", "^"), ("forming", "D"), ("reset", "v")):
            found = [event for event in analysis.events if event.kind == kind]
            if found:
                heights = np.array([event.current for event in found]) * factor
                axes.plot(
                    [event.voltage for event in found],
                    np.abs(heights) if scale == "log" else heights,
                    symbol,
                    color=EVENT_COLOURS[kind],
                    markersize=4.5,
                    zorder=4,
                    label={"set": "SET", "reset": "RESET", "forming": "forming"}[kind]
                    + f" ({len(found)})",
                )
        axes.set_xlabel("voltage (V)")
        axes.set_ylabel(f"{'|current|' if scale == 'log' else 'current'} ({unit})")
    ceiling = analysis.compliance_current
    if ceiling is not None:
        linear.axhline(ceiling * factor, color=INK, linewidth=0.8, linestyle="--")
        linear.annotate(
            f"compliance {ceiling * factor:.3g} {unit}",
            (float(np.nanmin(volts)), ceiling * factor),
            xytext=(0, -3),
            textcoords="offset points",
            va="top",
            fontsize=8,
        )
    logarithmic.set_yscale("log")
    _mark_level(logarithmic, volts, factor)
    sizes = np.abs(amperes[np.isfinite(amperes) & (amperes != 0.0)]) * factor
    if len(sizes):
        # readings at zero volts say nothing and would take half of the picture
        logarithmic.set_ylim(bottom=0.3 * float(np.quantile(sizes, 0.02)))
    linear.set_title("1 loop" if len(numbers) == 1 else f"{len(numbers)} loops, the last in black")
    handles, _ = linear.get_legend_handles_labels()
    if handles:
        # above the axes: loops fill them
        logarithmic.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0.2, fontsize=8
        )
    return figure


def _mark_level(axes: Axes, volts: FloatArray, factor: float) -> None:
    """Mark the current through one quantum of conductance, as in Fig. 2f."""
    largest = float(np.nanmax(np.abs(volts), initial=0.0))
    grid = np.linspace(-largest, largest, 401)
    inside = (grid >= np.nanmin(volts)) & (grid <= np.nanmax(volts)) & (grid != 0.0)
    level = np.where(inside, np.abs(grid) * CONDUCTANCE_QUANTUM * factor, np.nan)
    axes.plot(grid, level, color=QUIET, linewidth=0.9, linestyle=":", zorder=2, label="1 G$_0$")


def slow_sweep(
    data: xr.Dataset, gap: FloatArray, plateaus: Sequence[Plateau], title: str = ""
) -> Figure:
    """Draw one slow voltage sweep and the steps of its conductance (Figs. 2g, 2h).

    Parameters
    ----------
    data : xarray.Dataset
        ``voltage`` and ``current`` of the sweep.
    gap : ndarray, shape (n_points,)
        Conductance, G0.
    plateaus : sequence of Plateau
        Of `gap`.
    """
    volts = data["voltage"].to_numpy()
    figure = Figure(figsize=(WIDTH, 3.8))
    span = _steps_span(volts, plateaus)
    left, right, *beside = figure.subplots(1, 2 if span is None else 3)
    _current_against_voltage(left, data)
    left.set_title(title)
    _stepped(right, volts, gap, plateaus, "voltage (V)")
    if span is not None:
        _steps(beside[0], volts, gap, plateaus, span)
        left.axvspan(*span, facecolor="none", edgecolor=ORANGE, linewidth=1.0, linestyle="--")
    return figure


def _steps_span(volts: FloatArray, plateaus: Sequence[Plateau]) -> tuple[float, float] | None:
    """Find the voltages between the first and the last contact level; None if there are none."""
    levels = [plateau for plateau in plateaus if plateau.level > _CONTACT]
    if len(plateaus) < 2 or not levels:
        return None
    ends = np.clip([levels[0].first, levels[-1].last - 1], 0, len(volts) - 1)
    first, last = float(volts[ends].min()), float(volts[ends].max())
    return (first, last) if last > first else None


def _steps(
    axes: Axes,
    volts: FloatArray,
    gap: FloatArray,
    plateaus: Sequence[Plateau],
    span: tuple[float, float],
) -> None:
    """Draw the steps of a range of voltages, as the insets of Figs. 2g, 2h; beside the curve."""
    thin = thinned(len(gap))
    axes.plot(volts[thin], gap[thin], color=BLUE, linewidth=0.7)
    levels = [plateau.level for plateau in plateaus if plateau.level > _CONTACT]
    top = 1.15 * max(1.2, *levels)
    quantum_lines(axes, top)
    axes.set_xlim(*span)
    axes.set_ylim(0.0, top)
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel("conductance of the gap (G$_0$)")
    axes.set_title("Within the dashed frame")


def current_sweep(data: xr.Dataset, gap: FloatArray, plateaus: Sequence[Plateau]) -> Figure:
    """Draw a current sweep: voltage drops and the steps of the conductance (Fig. 3a).

    Parameters
    ----------
    data : xarray.Dataset
        ``voltage`` and ``current`` of one sweep.
    gap : ndarray, shape (n_points,)
        Conductance, G0.
    plateaus : sequence of Plateau
        Of `gap`.
    """
    amperes = data["current"].to_numpy()
    factor, unit = unit_for(float(np.nanmax(np.abs(amperes), initial=0.0)), "A")
    figure = Figure(figsize=(WIDTH, 3.8))
    left, right = figure.subplots(1, 2)
    left.plot(amperes * factor, data["voltage"].to_numpy(), color=BLUE, linewidth=1.0)
    left.set_xlabel(f"current ({unit})")
    left.set_ylabel("voltage (V)")
    left.set_title("The voltage drops at every step")
    _stepped(right, amperes * factor, gap, plateaus, f"current ({unit})")
    return figure


def level_trace(time: FloatArray, gap: FloatArray, plateaus: Sequence[Plateau]) -> Figure:
    """Draw a conductance over time with its plateaus, measured or simulated (Figs. 3b, 5a).

    Parameters
    ----------
    time, gap : ndarray, shape (n_points,)
        s, or NaN where it is unknown, and G0.
    plateaus : sequence of Plateau
        Of `gap`.
    """
    figure = Figure(figsize=(WIDTH, 3.6))
    axes = figure.subplots()
    if not np.isfinite(time).all():
        _stepped(axes, np.arange(len(gap), dtype=np.float64), gap, plateaus, "point")
    elif np.ptp(time) < 1e-6:
        _stepped(axes, time * 1e12, gap, plateaus, "time (ps)")
    else:
        _stepped(axes, time, gap, plateaus, "time (s)")
    return figure


def _current_against_voltage(axes: Axes, data: xr.Dataset) -> None:
    amperes = data["current"].to_numpy()
    factor, unit = unit_for(float(np.nanmax(np.abs(amperes), initial=0.0)), "A")
    axes.plot(data["voltage"].to_numpy(), amperes * factor, color=BLUE, linewidth=1.0)
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel(f"current ({unit})")


def _name_levels(axes: Axes, abscissa: FloatArray, plateaus: Sequence[Plateau], top: float) -> None:
    """Write the levels of long plateaus over them, the longest first, none over another."""
    width = float(np.ptp(abscissa[np.isfinite(abscissa)])) if len(abscissa) else 0.0
    named: list[tuple[float, float]] = []
    for plateau in sorted(plateaus, key=lambda one: -one.length):
        if plateau.length <= 0.04 * len(abscissa) or not plateau.level > _CONTACT:
            continue
        ends = [plateau.first, min(plateau.last, len(abscissa)) - 1]
        place = float(abscissa[ends].mean())
        if any(
            abs(place - x) < 0.1 * width and abs(plateau.level - y) < 0.06 * top for x, y in named
        ):
            continue
        named.append((place, plateau.level))
        axes.annotate(
            f"{plateau.level:.2f}",
            (place, plateau.level),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )


def _stepped(
    axes: Axes, abscissa: FloatArray, gap: FloatArray, plateaus: Sequence[Plateau], name: str
) -> None:
    """Draw a conductance with its plateaus over it."""
    thin = thinned(len(gap))
    levels = [plateau.level for plateau in plateaus if np.isfinite(plateau.level)]
    known = gap[np.isfinite(gap)]
    robust = float(np.quantile(known, 0.995)) if len(known) else 1.0
    top = 1.1 * max(1.2, robust, *levels) if levels else 1.1 * max(1.2, robust)
    axes.plot(abscissa[thin], gap[thin], ".", color=QUIET, markersize=1.5, zorder=1)
    for plateau in plateaus:
        ends = [plateau.first, min(plateau.last, len(abscissa)) - 1]
        axes.plot(abscissa[ends], [plateau.level] * 2, color=ORANGE, linewidth=2.2, zorder=3)
    _name_levels(axes, abscissa, plateaus, top)
    quantum_lines(axes, top)
    axes.set_ylim(-0.03 * top, top)
    axes.set_xlabel(name)
    axes.set_ylabel("conductance of the gap (G$_0$)")
    axes.set_title(counted(len(plateaus), "plateau"))
