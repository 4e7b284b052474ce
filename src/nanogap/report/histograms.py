"""Figures of conductance histograms and their shift by a resistance (Figs. 4a, 4b, S4)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis import AlignedHistogram, ConductanceHistogram, Peak
from nanogap.printing import counted
from nanogap.report.marks import CYCLE_COLOURS, quantum_lines, stepped_band
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, QUIET, WIDTH
from nanogap.typing import FloatArray


def conductance_histograms(
    raw: ConductanceHistogram,
    gap: ConductanceHistogram | None = None,
    sensitivity: tuple[Sequence[Peak], Sequence[Peak]] | None = None,
    title: str = "",
) -> Figure:
    """Draw a histogram as measured and with the series resistance subtracted (Figs. 4a, 4b).

    Parameters
    ----------
    raw, gap : ConductanceHistogram
        As measured; without the series resistance, or None if nothing was subtracted.
    sensitivity : tuple of sequences of Peak, optional
        Peaks for the series resistance lower and higher by its uncertainty.
    title : str
        Says how many points of what.
    """
    panels = [(raw, "as measured" if gap is not None else "conductance")]
    if gap is not None:
        panels.append((gap, "series resistance subtracted"))
    by_cycle = raw.n_cycles >= 5
    figure = Figure(figsize=(7.0, 0.8 + 2.6 * len(panels)))
    rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (histogram, name) in zip(rows, panels, strict=True):
        _bars(axes, histogram)
        axes.set_title(name)
    if gap is not None and sensitivity is not None:
        _bands(rows[-1], gap.peaks, sensitivity)
    rows[0].set_title(f"{title}{': ' if title else ''}{panels[0][1]}")
    band = "bootstrap over cycles" if by_cycle else "Poisson counts"
    rows[-1].set_xlabel(f"conductance (G$_0$)    (grey: 68 % confidence, {band})")
    return figure


def _bars(axes: Axes, histogram: ConductanceHistogram) -> None:
    """Draw the counts, their confidence band and the peaks."""
    edges, counts = histogram.edges, histogram.counts
    low, high = histogram.band()
    axes.stairs(counts, edges, fill=True, color=BLUE, alpha=0.75)
    stepped_band(axes, edges, (low, high), INK)
    filled = np.flatnonzero(counts)
    top = float(edges[filled[-1] + 1]) if len(filled) else 1.0
    inside = edges[:-1] > 0.3
    # the open gap before contact outnumbers all contacts: it may leave the picture at the top
    contact = float(high[inside].max(initial=0.0)) if inside.any() else 0.0
    height = 1.25 * (contact or float(high.max(initial=1.0)))
    if edges[0] > 0.0:
        axes.set_xscale("log")
        height = 1.1 * float(high.max(initial=1.0))
    else:
        quantum_lines(axes, top, vertical=True)
        axes.set_xlim(0.0, min(top, 1.15 * _far(edges, counts)))
    for peak in histogram.peaks:
        if peak.position > axes.get_xlim()[1]:
            continue
        place = min(len(counts) - 1, int(np.searchsorted(edges, peak.position)) - 1)
        tall = min(float(high[max(0, place - 1) : place + 2].max()), 0.9 * height)
        axes.annotate(
            "open gap" if peak.is_open_gap else f"{peak.position:.2f}",
            (peak.position, tall),
            xytext=(0, 3),
            textcoords="offset points",
            ha="left" if peak.is_open_gap and edges[0] <= 0.0 else "center",
            fontsize=8,
            color=INK,
        )
    axes.set_ylim(0.0, height)
    axes.set_ylabel("counts")


def _far(edges: FloatArray, counts: FloatArray) -> float:
    """Return the conductance below which 99.9% of the counts lie."""
    total = np.cumsum(counts)
    place = int(np.searchsorted(total, 0.999 * total[-1])) if total[-1] > 0.0 else len(counts) - 1
    return max(1.2, float(edges[min(place + 1, len(edges) - 1)]))


def _bands(
    axes: Axes, peaks: Sequence[Peak], sensitivity: tuple[Sequence[Peak], Sequence[Peak]]
) -> None:
    """Draw the shift of every peak with the series resistance."""
    shown = False
    for peak in peaks:
        near = [
            min(side, key=lambda other: abs(other.position - peak.position)).position
            for side in sensitivity
            if side
        ]
        if len(near) < 2 or peak.position < 0.3:
            continue
        axes.plot(
            near,
            [0.965 * axes.get_ylim()[1]] * 2,
            color=ORANGE,
            linewidth=3.0,
            solid_capstyle="butt",
            label=None if shown else "peaks for R$_s$ ∓ its uncertainty",
        )
        shown = True
    if shown:
        # above the axes, where there are no bars
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def compared_histograms(named: Sequence[tuple[str, ConductanceHistogram]]) -> Figure:
    """Draw several histograms on one axis, each with area one: measured and simulated."""
    figure = Figure(figsize=(7.0, 3.8))
    axes = figure.subplots()
    top = far = 0.0
    for place, (name, histogram) in enumerate(named):
        edges, counts = histogram.edges, histogram.counts
        density = counts / max(float(np.sum(counts * np.diff(edges))), 1e-300)
        colour = CYCLE_COLOURS[place % len(CYCLE_COLOURS)]
        axes.stairs(density, edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(density, edges, color=colour, linewidth=1.3, label=name)
        inside = edges[:-1] > 0.3
        top = max(top, float(density[inside].max(initial=0.0)) or float(density.max(initial=1.0)))
        far = max(far, _far(edges, counts))
    quantum_lines(axes, far, vertical=True)
    axes.set_xlim(0.0, 1.05 * far)
    axes.set_ylim(0.0, 1.1 * top)
    axes.set_xlabel("conductance (G$_0$)")
    axes.set_ylabel("density (1/G$_0$)")
    # above the axes, where there are no bars
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
    return figure


def aligned_histogram(histogram: AlignedHistogram, unit: str = "s") -> Figure:
    """Draw conductance against time since first contact, all cycles laid over each other."""
    figure = Figure(figsize=(7.0, 4.0))
    axes = figure.subplots()
    counts = np.where(histogram.counts > 0.0, histogram.counts, np.nan)
    image = axes.pcolormesh(
        histogram.abscissa_edges,
        histogram.conductance_edges,
        np.log10(counts),
        cmap="viridis",
        rasterized=True,
    )
    filled = np.flatnonzero(np.nansum(histogram.counts, axis=1))
    top = float(histogram.conductance_edges[filled[-1] + 1]) if len(filled) else 1.0
    quantum_lines(axes, top)
    axes.axvline(0.0, color=ORANGE, linewidth=1.0, linestyle="--")
    axes.set_ylim(0.0, top)
    name = f"time since first contact ({unit})" if unit == "s" else f"{unit} since first contact"
    axes.set_xlabel(name)
    axes.set_ylabel("conductance of the gap (G$_0$)")
    axes.set_title(f"{counted(histogram.n_aligned, 'cycle')} that made contact")
    figure.colorbar(image, ax=axes, label="log$_{10}$ counts")
    return figure


def level_displacement_figure(
    table: xr.Dataset, marked: float | None = None, shown: Sequence[float] | None = None
) -> Figure:
    """Draw where the levels n G0 show behind a series resistance (Fig. S4).

    Parameters
    ----------
    table : xarray.Dataset
        ``measured`` over (``resistance``, ``level``), as `nanogap.electrical.level_displacement`
        gives it.
    marked : float, optional
        A resistance to point at, ohm.
    shown : sequence of float, optional
        Resistances whose displacement is drawn, ohm. Default: five over the whole range.
    """
    figure = Figure(figsize=(WIDTH, 3.8))
    left, right = figure.subplots(1, 2)
    ohms, levels = table["resistance"].to_numpy(), table["level"].to_numpy()
    for place, level in enumerate(levels):
        colour = CYCLE_COLOURS[place % len(CYCLE_COLOURS)]
        left.plot(ohms, table["measured"].to_numpy()[:, place], color=colour)
        left.annotate(
            f"{level:g} G$_0$",
            (float(ohms[-1]), float(table["measured"].to_numpy()[-1, place])),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    quantum_lines(left, float(levels.max()) + 0.2)
    left.set_xlabel("series resistance (Ω)")
    left.set_ylabel("level as measured (G$_0$)")
    left.set_title("Where the levels show")
    few = ohms if len(ohms) <= 5 else ohms[np.linspace(0, len(ohms) - 1, 5).round().astype(int)]
    for place, value in enumerate(few if shown is None else shown):
        row = int(np.argmin(np.abs(ohms - value)))
        right.plot(
            levels,
            table["displacement"].to_numpy()[row],
            "o-",
            color=CYCLE_COLOURS[place % len(CYCLE_COLOURS)],
            label=f"{value:g} Ω",
        )
    if marked is not None:
        left.axvline(marked, color=GREEN, linewidth=1.2, linestyle="--")
    right.axhline(0.0, color=QUIET, linewidth=0.8)
    right.set_xlabel("level of the gap (G$_0$)")
    right.set_ylabel("displacement (G$_0$)")
    right.set_title("The higher the level, the further it moves")
    right.legend(title="series resistance", fontsize=8)
    return figure
