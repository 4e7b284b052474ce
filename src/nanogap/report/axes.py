"""Figures of what depends on an axis of a campaign: quantities of devices, histograms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis.grouping import AxisValue, Grouping, GroupRow, axis_words
from nanogap.printing import counted
from nanogap.report.marks import quantum_lines, stepped_band
from nanogap.report.style import BLUE, INK, ORANGE, QUIET
from nanogap.typing import FloatArray

#: Panels beside each other, and histograms below each other.
_COLUMNS, _MOST_HISTOGRAMS = 3, 12

#: Numbers of an axis are drawn on a logarithmic scale where they span more than this.
_WIDE = 8.0


def axis_panels(grouping: Grouping, label: str = "") -> Figure:
    """Draw every quantity of a grouping: each device, and the mean at each value of the axis.

    Parameters
    ----------
    grouping : Grouping
    label : str
        Of the axis; default: its name.
    """
    names = grouping.quantities
    columns = min(_COLUMNS, len(names)) or 1
    rows = -(-len(names) // columns) or 1
    figure = Figure(figsize=(max(5.0, 3.6 * columns), 3.5 * rows + 0.9))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    scale = _AxisScale(grouping.values)
    for axes, name in zip(panels, names, strict=False):
        _draw_quantity(axes, grouping, name, scale)
        axes.set_xlabel(label or grouping.axis)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3 if columns > 2 else 1)
    return figure


class _AxisScale:
    """Places of the values of an axis in a figure.

    Parameters
    ----------
    values : list of float or str
    """

    def __init__(self, values: Sequence[AxisValue]) -> None:
        self.values = list(values)
        self.numbers = [value for value in values if not isinstance(value, str)]
        self.is_numeric = len(self.numbers) == len(self.values) > 1
        low, high = min(self.numbers, default=0.0), max(self.numbers, default=0.0)
        self.is_logarithmic = self.is_numeric and low > 0.0 and high >= _WIDE * low

    def of(self, value: AxisValue) -> float:
        """Return the place of a value."""
        if self.is_numeric and not isinstance(value, str):
            return value
        return float(self.values.index(value))

    def apply(self, axes: Axes) -> None:
        """Set scale, ticks and limits."""
        places = [self.of(value) for value in self.values]
        if self.is_logarithmic:
            axes.set_xscale("log")
            axes.set_xlim(min(places) / 1.6, max(places) * 1.6)
        else:
            span = max(places) - min(places) or 1.0
            axes.set_xlim(min(places) - 0.25 * span, max(places) + 0.25 * span)
        words = [axis_words(value) for value in self.values]
        if len(places) <= 8:
            axes.set_xticks(places, words)
            axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
            if sum(map(len, words)) > 30:
                axes.tick_params(axis="x", labelrotation=30)


def _draw_quantity(axes: Axes, grouping: Grouping, name: str, scale: _AxisScale) -> None:
    """Draw one quantity against the axis."""
    groups = [row for row in grouping.groups if row.quantity == name]
    known = [
        (scale.of(row.value), row.mean)
        for row in grouping.devices
        if row.quantity == name and row.mean is not None
    ]
    axes.plot(
        [place for place, _ in known], [mean for _, mean in known], "o", color=BLUE, alpha=0.45,
        markersize=5, markeredgewidth=0, label="one device (mean of its cycles)",
    )  # fmt: skip
    means = [(scale.of(row.value), row.mean) for row in groups if row.mean is not None]
    axes.plot(
        [place for place, _ in means], [mean for _, mean in means], "D", color=INK, markersize=5,
        label="mean of the devices", zorder=4,
    )  # fmt: skip
    _draw_intervals(axes, groups, scale, grouping.fewest)
    scale.apply(axes)
    axes.margins(y=0.2)
    low, high = axes.get_ylim()
    least = 0.1 * max((abs(mean) for _, mean in known), default=0.0)
    if high - low < least:  # not a picture of rounding
        low, high = 0.5 * (low + high - least), 0.5 * (low + high + least)
    axes.set_ylim(min(low, 0.0) if low < 0.25 * high else low, high + 0.14 * (high - low))
    for row in groups:
        axes.annotate(
            f"{row.known} of {row.devices}",
            (scale.of(row.value), 0.985),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            fontsize=7.5,
            color=QUIET,
        )
    unit = {"G0": " (G$_0$)", "": ""}.get(groups[0].unit, f" ({groups[0].unit})")
    axes.set_ylabel(name.replace("G0", "G$_0$") + unit)
    p_value = grouping.p_values.get(name)
    axes.set_title("" if p_value is None else f"equal at all values: p = {p_value:.2g}", fontsize=9)


def _draw_intervals(axes: Axes, groups: Sequence[GroupRow], scale: _AxisScale, fewest: int) -> None:
    """Draw the intervals of the means, where the devices are enough."""
    bars = [
        (scale.of(row.value), row.mean, row.low, row.high)
        for row in groups
        if row.mean is not None and row.low is not None and row.high is not None
    ]
    label = f"95 % of the mean (none with fewer than {fewest} devices)"
    place, mean, low, high = np.array(bars, dtype=np.float64).reshape(-1, 4).T
    axes.errorbar(
        place, mean, yerr=[mean - low, high - mean], fmt="none", ecolor=INK, capsize=5,
        elinewidth=1.6, label=label, zorder=3,
    )  # fmt: skip


@dataclass(frozen=True)
class HistogramPanel:
    """A conductance histogram to draw.

    Attributes
    ----------
    title : str
    edges : ndarray, shape (n_bins + 1,)
        G0.
    counts : ndarray, shape (n_bins,)
    band : tuple of ndarray or None
        Lower and upper end at every bin.
    peaks : sequence of float
        Places to mark, G0.
    """

    title: str
    edges: FloatArray
    counts: FloatArray
    band: tuple[FloatArray, FloatArray] | None = None
    peaks: Sequence[float] = ()


def histogram_panels(panels: Sequence[HistogramPanel]) -> Figure:
    """Draw histograms below each other on one axis of conductance, each as parts of its counts.

    The open gap, which outnumbers every contact, may leave a panel at its top.
    """
    every = -(-len(panels) // _MOST_HISTOGRAMS)
    shown = panels[:: max(1, every)]
    figure = Figure(figsize=(7.0, 1.9 * len(shown) + 0.8))
    rows = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    far = max(_far(panel) for panel in shown)
    logarithmic = shown[0].edges[0] > 0.0
    for axes, panel in zip(rows, shown, strict=True):
        _draw_panel(axes, panel, logarithmic=logarithmic)
        if not logarithmic:
            quantum_lines(axes, far, vertical=True)
            axes.set_xlim(0.0, far)
    left_out = len(panels) - len(shown)
    more = f"    ({counted(left_out, 'further value')} not drawn)" if left_out else ""
    rows[-1].set_xlabel(f"conductance (G$_0$){more}")
    return figure


def _draw_panel(axes: Axes, panel: HistogramPanel, *, logarithmic: bool) -> None:
    """Draw one histogram, its band and its peaks."""
    total = max(float(panel.counts.sum()), 1.0)
    share = panel.counts / total
    axes.stairs(share, panel.edges, fill=True, color=BLUE, alpha=0.75)
    top = share
    if panel.band is not None:
        low, high = (one / total for one in panel.band)
        stepped_band(axes, panel.edges, (low, high), INK)
        top = high
    inside = panel.edges[:-1] >= (0.0 if logarithmic else 0.3)
    height = float(top[inside].max(initial=0.0)) or float(top.max(initial=1.0))
    if logarithmic:
        axes.set_xscale("log")
    for place in panel.peaks:
        axes.plot([place], [1.12 * height], "v", color=ORANGE, markersize=5)
        axes.annotate(f"{place:.2f}", (place, 1.16 * height), ha="center", va="bottom", fontsize=8)
    axes.set_ylim(0.0, 1.4 * height)
    axes.set_ylabel("part of\nthe readings")
    axes.set_title(panel.title, fontsize=9.5)


def _far(panel: HistogramPanel) -> float:
    """Return the conductance below which all but 0.1 % of the counts lie."""
    total = np.cumsum(panel.counts)
    if not total[-1] > 0.0:
        return 1.2
    place = int(np.searchsorted(total, 0.999 * total[-1]))
    return max(1.2, float(panel.edges[min(place + 1, len(panel.edges) - 1)]))
