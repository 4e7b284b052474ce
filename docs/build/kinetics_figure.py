"""The figure of docs/kinetics.md."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.build.kinetics_runs import GAP, STRONG, TEMPERATURE, Runs, findings, waiting
from nanogap.analysis.filament.kinetics import event_rate, survival
from nanogap.report.ensemble import draw_survival
from nanogap.report.style import BLUE, INK, ORANGE


def figure_of(runs: Runs) -> Figure:
    """Draw survival against voltage, and rates against voltage, gap and temperature."""
    figure = Figure(figsize=(10.0, 7.4))
    (first, second), (third, fourth) = figure.subplots(2, 2)
    axis = runs.where(gap=GAP, temperature=TEMPERATURE)
    sizes = sorted({abs(run["voltage"]) for run in axis})
    curves = []
    for size in sizes:
        times = waiting([run for run in axis if abs(run["voltage"]) == size])
        curves.append((f"{size:g} V", survival(times)))
    draw_survival(first, curves)
    first.set_title(f"{GAP:g} Å, {TEMPERATURE:g} K; 8 V: both signs")

    trend = findings(runs)["voltage"]
    voltages = sorted({run["voltage"] for run in axis})
    _rates(second, voltages, [[r for r in axis if r["voltage"] == v] for v in voltages], INK)
    second.set_xlabel("voltage (V)")
    second.set_title(
        f"rate: factor {np.exp(trend.slope):.2f} per volt "
        f"({np.exp(trend.low):.2f} to {np.exp(trend.high):.2f})"
    )
    for voltage, colour in ((STRONG, ORANGE), (0.0, BLUE)):
        some = runs.where(temperature=TEMPERATURE, voltage=voltage)
        gaps = sorted({run["gap"] for run in some})
        shift = 0.03 if voltage else -0.03
        _rates(
            third,
            [gap + shift for gap in gaps],
            [[r for r in some if r["gap"] == gap] for gap in gaps],
            colour,
            f"{voltage:g} V",
        )
        some = runs.where(gap=GAP, voltage=voltage)
        kelvins = sorted({run["temperature"] for run in some})
        _rates(
            fourth,
            [1000.0 / one + shift / 4.0 for one in kelvins],
            [[r for r in some if r["temperature"] == one] for one in kelvins],
            colour,
            f"{voltage:g} V",
        )
    third.set_xlabel("gap (Å)")
    third.set_title(f"{TEMPERATURE:g} K")
    third.legend()
    fourth.set_xlabel("1000 K / temperature")
    fourth.set_title(f"{GAP:g} Å")
    fourth.legend()
    return figure


def _rates(
    axes: Axes,
    places: list[float],
    groups: list[list[dict[str, Any]]],
    colour: str,
    label: str | None = None,
) -> None:
    """Draw rates with their intervals; an upper limit where there was no contact."""
    for place, group in zip(places, groups, strict=True):
        rate = event_rate(waiting(group))
        low, middle, high = (1000.0 * value for value in (rate.low, rate.value, rate.high))
        if rate.events:
            axes.errorbar(
                [place],
                [middle],
                yerr=[[middle - low], [high - middle]],
                fmt="o",
                color=colour,
                capsize=4,
                label=label,
            )
        else:
            axes.errorbar(
                [place],
                [high],
                yerr=[[0.6 * high], [0.0]],
                uplims=True,
                fmt="_",
                color=colour,
                capsize=3,
                label=label,
            )
        label = None
    axes.set_yscale("log")
    axes.set_ylabel("first contacts (1/ns)")
