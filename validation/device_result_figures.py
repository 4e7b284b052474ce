"""Figures of docs/device-results.md; see `validation.device_results`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from nanogap.io import write_bytes
from nanogap.report.style import BLUE, GREEN, ORANGE, PURPLE, QUIET, house_style, png
from validation.device_conductance import DOCS

if TYPE_CHECKING:
    from validation.device_results import Decay, Lifetime

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
#: Interlaboratory positions of the first two levels (Nat. Nanotechnol. 2025), G0.
INTERLABORATORY = (0.962, 2.012)
#: Below this a current is the ammeter's noise, A.
_LEAST_CURRENT = 1e-11

Runs = dict[str, dict[str, NDArray[np.float64]]]


def _write(figure: Figure, name: str) -> None:
    write_bytes(DOCS / "images" / name, png(figure, 100))


def draw_loops(found: Runs, evaluated: Any) -> None:
    """Draw current against voltage, low state against limit, SET voltage against rate."""
    with house_style():
        figure = Figure(figsize=(11.0, 3.6))
        curves, limits, rates = figure.subplots(1, 3)
        members = [name.split("-") for name in found if name.startswith("compliance")]
        device = min(seed for _, _, seed in members)
        limits_of_one = sorted(int(limit) for _, limit, seed in members if seed == device)
        for colour, limit in zip(COLOURS, limits_of_one, strict=False):
            run = found[f"compliance-{limit}-{device}"]
            current = np.maximum(np.abs(run["current"]), _LEAST_CURRENT)
            curves.semilogy(run["voltage"], current, color=colour, lw=0.7, label=f"{limit} µA")
        curves.legend(loc="lower right", fontsize=8, title="current limit")
        curves.set_xlabel("voltage of the source (V)")
        curves.set_ylabel("current (A)")
        curves.set_title("loops of one device at 0.1 V/s")
        _means(limits, evaluated, "compliance-", "low_state")
        limits.set_ylim(bottom=0.0)
        limits.set_xlabel("current limit (µA)")
        limits.set_ylabel("conductance at 0.1 V (G₀)")
        limits.set_title("after loops with current limits")
        _means(rates, evaluated, "rate-", "set_voltage")
        rates.set_xscale("log")
        rates.set_xlabel("sweep rate (V/s)")
        rates.set_ylabel("SET voltage (V)")
        rates.set_title("faster sweep, later SET")
        _write(figure, "device-loops.png")


def _means(axes: Any, evaluated: Any, prefix: str, key: str) -> None:
    """Draw single devices and their means over a setting that is part of the names."""
    for group, values in evaluated.items():
        if group.startswith(prefix) and values[key]["number"]:
            setting = float(group.removeprefix(prefix))
            single = values[key]["values"]
            axes.plot([setting] * len(single), single, "o", color=QUIET, ms=4)
            axes.errorbar(
                setting,
                values[key]["mean"],
                yerr=values[key]["error"],
                fmt="s",
                color=BLUE,
                capsize=3,
            )


def draw_steps(found: Runs) -> None:
    """Draw slow sweeps and current sweeps, in units of G0: a panel for each that was run."""
    kinds = {
        "slow-set": "SET at 2.6 mV/s",
        "slow-reset": "RESET at 4.5 mV/s",
        "statistics": "three current sweeps of one device, 90 nA/s",
    }
    run_kinds = [kind for kind in kinds if any(name.startswith(kind) for name in found)]
    with house_style():
        figure = Figure(figsize=(1.5 + 4.5 * len(run_kinds), 3.6))
        panels = figure.subplots(1, len(run_kinds), squeeze=False)[0]
        for axes, kind in zip(panels, run_kinds, strict=True):
            members = [run for name, run in found.items() if name.startswith(kind)]
            _steps(axes, members, kind)
            axes.set_title(kinds[kind])
            axes.set_ylabel("conductance (G₀)")
            _levels(axes, horizontal=True)
        _write(figure, "device-steps.png")


def _steps(axes: Any, members: list[dict[str, NDArray[np.float64]]], kind: str) -> None:
    """Draw conductance against the quantity that was swept."""
    if kind == "statistics":
        run = members[0]
        for cycle, colour in zip(
            np.unique(run["cycle"][run["cycle"] >= 0])[:3], COLOURS, strict=False
        ):
            own = run["cycle"] == cycle
            axes.plot(run["current"][own] * 1e6, run["conductance"][own], color=colour, lw=1)
        axes.set_xlabel("current (µA)")
        return
    for colour, run in zip(COLOURS, members, strict=False):
        # of a RESET only the sweep, not the SET before it
        own = run["voltage"] < 0.0 if kind == "slow-reset" else run["voltage"] > 0.0
        axes.plot(np.abs(run["voltage"][own]), run["conductance"][own], color=colour, lw=1)
    axes.set_xlabel("|voltage| (V)")


def _levels(axes: Any, *, horizontal: bool) -> None:
    """Mark the multiples of G0 that are in view."""
    low, high = axes.get_ylim() if horizontal else axes.get_xlim()
    draw = axes.axhline if horizontal else axes.axvline
    for level in range(1, min(int(high), 12) + 1):
        if level > low:
            draw(level, color=QUIET, lw=0.5, ls=":", zorder=0)


def draw_histogram(evaluated: Any, other: Any) -> None:
    """Draw the histogram of all readings with the band of its devices, and of another tension."""
    if not evaluated:
        return
    edges = np.array(evaluated["edges"])
    counts = np.array(evaluated["by_device"], dtype=float)
    centres = (edges[1:] + edges[:-1]) / 2.0
    shares = counts / counts.sum(axis=1, keepdims=True) * 100.0
    mean = shares.mean(axis=0)
    error = shares.std(axis=0, ddof=1) / np.sqrt(len(shares)) if len(shares) > 2 else 0.0 * mean
    shown = centres > 0.1
    with house_style():
        figure = Figure(figsize=(9.0, 4.0))
        axes = figure.subplots()
        axes.fill_between(
            centres[shown],
            (mean - error)[shown],
            (mean + error)[shown],
            step="mid",
            color=BLUE,
            alpha=0.25,
            lw=0,
            label="standard error over devices",
        )
        axes.step(centres[shown], mean[shown], where="mid", color=BLUE, lw=1.2, label="simulated")
        metal = np.array(evaluated["joined"]) / counts.sum() * 100.0
        label = "of these: metal joins the tips"
        axes.step(centres[shown], metal[shown], where="mid", color=GREEN, lw=1.2, label=label)
        total = np.sum(other["by_device"], axis=0)
        twice = total / total.sum() * 100.0
        label = "all, with twice the line tension"
        axes.step(centres[shown], twice[shown], where="mid", color=QUIET, lw=0.8, label=label)
        for place, position in enumerate(INTERLABORATORY):
            axes.axvline(
                position,
                color=ORANGE,
                lw=1,
                ls="--",
                label="" if place else "levels measured between laboratories",
            )
        axes.set_xlim(0.0, 6.0)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("conductance (G₀)")
        axes.set_ylabel("share of the readings (%)")
        axes.set_title(
            f"{evaluated['points']} readings of {evaluated['sweeps']} current sweeps, "
            f"{evaluated['devices']} devices; readings below 0.1 G₀ are not shown"
        )
        _levels(axes, horizontal=False)
        axes.legend()
        _write(figure, "device-histogram.png")


#: Conditions of the reads, in the order and words of the figure.
_CONDITIONS = {
    "300": "300 K",
    "315": "315 K",
    "330": "330 K",
    "fast": "300 K, exchange rate 10⁻³/s",
    "surface-0.8": "300 K, surface condition 0.8 eV",
    "surface-0.7": "300 K, surface condition 0.7 eV",
}


def draw_lifetimes(lasted: "Sequence[Lifetime]", lost: "Sequence[Decay]") -> None:
    """Draw how long levels lasted, and the mean of each condition."""
    if not lasted:
        return
    shown = [name for name in _CONDITIONS if any(one.condition == name for one in lasted)]
    with house_style():
        figure = Figure(figsize=(11.0, 3.8))
        single, means = figure.subplots(1, 2, width_ratios=(2, 1))
        for name, colour in zip(shown, (*COLOURS, QUIET, "black"), strict=False):
            for censored in (False, True):
                own = [one for one in lasted if one.condition == name and one.censored is censored]
                single.semilogy(
                    [one.start for one in own],
                    [one.time for one in own],
                    "^" if censored else "o",
                    ms=4,
                    color=colour,
                    mfc="none" if censored else colour,
                    label="" if censored else _CONDITIONS[name],
                )
        single.set_xlabel("conductance of the level (G₀)")
        single.set_ylabel("time until it is left by 0.4 G₀ (s)")
        single.set_title("levels at 0.1 V; open triangles: still there at the end")
        single.legend(fontsize=8)
        for place, name in enumerate(shown):
            decay = next(one for one in lost if one.condition == name and one.level is None)
            low, high = decay.interval
            if decay.lost:
                mean = 1.0 / decay.rate
                bars = [[mean - 1.0 / high], [1.0 / low - mean]]
                means.errorbar([mean], [place], xerr=bars, fmt="s", color=BLUE, capsize=3)
        means.set_xscale("log")
        means.set_xlim(3.0, 1000.0)
        means.set_ylim(len(shown) - 0.5, -0.5)
        means.set_yticks(range(len(shown)), [_CONDITIONS[name] for name in shown], fontsize=8)
        means.set_xlabel("mean lifetime of all levels (s)")
        means.set_title("bars: 90 %")
        means.xaxis.set_minor_formatter(NullFormatter())
        _write(figure, "device-lifetimes.png")
