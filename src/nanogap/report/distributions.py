"""Figures of states over cycles and time, and of their distributions (Figs. 2b-2e)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nanogap.analysis import RetentionDrift, WeibullFit
from nanogap.report.marks import (
    CYCLE_COLOURS,
    quantum_lines,
    resistance_text,
    resistance_ticks,
    thinned,
)
from nanogap.report.style import EVENT_COLOURS, HIGH_STATE, INK, LOW_STATE, QUIET, WIDTH
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM


def endurance(table: xr.Dataset, series_resistance: float = 0.0) -> Figure:
    """Draw both states per cycle, and the low one in G0 (Figs. 2b, 2d).

    Parameters
    ----------
    table : xarray.Dataset
        ``high_resistance`` and ``low_resistance`` (ohm) over ``cycle``.
    series_resistance : float
        Subtracted for the conductance of the gap, ohm.
    """
    figure = Figure(figsize=(WIDTH, 3.8))
    left, right = figure.subplots(1, 2)
    cycle = table["cycle"].to_numpy()
    for key, name, colour in (
        ("high_resistance", "high (HRS)", HIGH_STATE),
        ("low_resistance", "low (LRS)", LOW_STATE),
    ):
        values = table[key].to_numpy()
        left.plot(cycle, values, "o", color=colour, markersize=3, label=f"{name}")
        known = values[np.isfinite(values)]
        if len(known):
            left.axhline(float(np.median(known)), color=colour, linewidth=0.8, linestyle="--")
            left.annotate(
                f"median {resistance_text(float(np.median(known)))}",
                (cycle[-1], float(np.median(known))),
                xytext=(0, 6),
                textcoords="offset points",
                ha="right",
                fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
    left.set_yscale("log")
    low, high = left.get_ylim()
    left.set_ylim(low / 2.0, high * 3.0)
    resistance_ticks(left)
    left.legend(loc="center right")
    left.set_xlabel("cycle")
    left.set_ylabel(f"resistance read at {abs(table.attrs.get('read_voltage', np.nan)):g} V")
    left.set_title("Endurance")
    gap = table["low_resistance"].to_numpy() - series_resistance
    level = 1.0 / (gap * CONDUCTANCE_QUANTUM)
    known = level[np.isfinite(level)]
    top = 1.15 * float(known.max(initial=1.2))
    quantum_lines(right, top)
    right.plot(cycle, level, "o", color=LOW_STATE, markersize=3)
    right.set_ylim(0.0, top)
    right.set_xlabel("cycle")
    right.set_ylabel("conductance of the low state (G$_0$)")
    subtracted = f", {series_resistance:g} Ω subtracted" if series_resistance else ""
    right.set_title(f"The low state in quanta{subtracted}")
    return figure


def retention(
    traces: Sequence[tuple[str, FloatArray, FloatArray, RetentionDrift]],
) -> Figure:
    """Draw states over time: as resistance, in G0 (Figs. 2c, 2e), and the drift.

    Parameters
    ----------
    traces : sequence of (str, ndarray, ndarray, RetentionDrift)
        Name, time (s), conductance of the gap (G0) and its drift.
    """
    figure = Figure(figsize=(1.25 * WIDTH, 3.8))
    left, middle, right = figure.subplots(1, 3)
    largest = 1.2
    colours = _state_colours([float(np.nanmedian(gap)) for _, _, gap, _ in traces])
    for (name, time, gap, drift), colour in zip(traces, colours, strict=True):
        thin = thinned(len(time))
        resistance = 1.0 / (gap[thin] * CONDUCTANCE_QUANTUM)
        left.plot(time[thin], resistance, color=colour, linewidth=0.8, label=name)
        middle.plot(time[thin], gap[thin], color=colour, linewidth=0.8)
        right.plot(time[thin], gap[thin], color=colour, linewidth=0.6, alpha=0.6)
        grid = np.geomspace(max(time[time > 0.0].min(), 1e-12), time.max(), 100)
        right.plot(
            grid,
            drift.extrapolate(grid),
            color=colour,
            linewidth=2.0,
            label=rf"$\nu$ = {drift.exponent:+.4f} ± {drift.exponent_uncertainty:.4f}",
        )
        largest = max(largest, float(np.nanquantile(gap, 0.999)))
    left.set_yscale("log")
    low, high = left.get_ylim()
    if high < 10.0 * low:
        left.set_ylim(low / 3.0, high * 3.0)
    resistance_ticks(left)
    left.legend(loc="best", fontsize=8)
    left.set_xlabel("time (s)")
    left.set_ylabel("resistance of the gap")
    left.set_title("Retention")
    quantum_lines(middle, 1.1 * largest)
    middle.set_ylim(0.0, 1.15 * largest)
    middle.set_xlabel("time (s)")
    middle.set_ylabel("G/G$_0$")
    middle.set_title("In quanta of conductance")
    quantum_lines(right, 1.1 * largest)
    right.set_xscale("log")
    right.set_ylim(0.0, 1.15 * largest)
    right.set_xlabel("time (s)")
    right.set_ylabel("conductance of the gap (G$_0$)")
    right.set_title(r"Drift: G(t) = G(1 s) (t / 1 s)$^\nu$")
    right.legend(loc="best", fontsize=8)
    return figure


def _state_colours(conductances: Sequence[float]) -> list[str]:
    """Choose the colours of the two states where there are two, else one per trace.

    Up to two traces are states: below half a G0, or below the other one by a factor of three, it
    is the high resistance.
    """
    if len(conductances) > 2:
        return [CYCLE_COLOURS[place % len(CYCLE_COLOURS)] for place in range(len(conductances))]
    low, high = min(conductances), max(conductances)
    border = np.sqrt(low * high) if high > 3.0 * low > 0.0 else 0.5
    chosen = [HIGH_STATE if value < border else LOW_STATE for value in conductances]
    same = len(chosen) == 2 and chosen[0] == chosen[1]
    return list(CYCLE_COLOURS[:2]) if same else chosen


def weibull_plot(samples: Sequence[tuple[str, FloatArray]]) -> Figure:
    """Draw switching voltages on quantile and Weibull axes, where a Weibull law is a line.

    Parameters
    ----------
    samples : sequence of (str, ndarray)
        Name and positive values, V.
    """
    figure = Figure(figsize=(WIDTH, 3.8))
    left, right = figure.subplots(1, 2)
    for place, (name, values) in enumerate(samples):
        colour = EVENT_COLOURS.get(name.casefold(), CYCLE_COLOURS[place % len(CYCLE_COLOURS)])
        fit = WeibullFit().compute(values)
        low, high = fit.shape_interval
        left.plot(fit.values, fit.ranks, "o", color=colour, markersize=3, label=name)
        grid = np.linspace(0.005, 0.995, 200)
        left.plot(fit.quantile(grid), grid, color=colour, linewidth=1.2)
        right.plot(fit.values, _weibit(fit.ranks), "o", color=colour, markersize=3)
        right.plot(
            fit.quantile(grid),
            _weibit(grid),
            color=colour,
            linewidth=1.2,
            label=f"{name}: shape {fit.shape:.1f} ({low:.1f} to {high:.1f}), "
            f"scale {fit.scale:.3g} V",
        )
    left.set_xlabel("|voltage| (V)")
    left.set_ylabel("part of the events below")
    left.set_title("Quantiles (lines: fitted Weibull law)")
    left.legend(loc="lower right")
    right.set_xscale("log")
    right.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    right.tick_params(axis="x", which="both", labelsize=8)
    marks = np.array([0.01, 0.05, 0.1, 0.3, 0.632, 0.9, 0.99])
    right.set_yticks(_weibit(marks), [f"{100 * mark:g} %" for mark in marks])
    right.grid(visible=True, color=QUIET, alpha=0.3, linewidth=0.6)
    right.set_xlabel("|voltage| (V)")
    right.set_title("Weibull plot")
    right.legend(loc="upper left", bbox_to_anchor=(0.0, -0.16), fontsize=8, labelcolor=INK)
    return figure


def _weibit(probability: FloatArray) -> FloatArray:
    return np.asarray(np.log(-np.log1p(-probability)), dtype=np.float64)
