"""Figures of an ensemble of simulated runs."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis.filament.bottleneck import PARTS, BottleneckClass
from nanogap.analysis.filament.comparison import SampleComparison
from nanogap.analysis.filament.contact import AxisDependence, Distribution, FirstContacts
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS, Survival
from nanogap.analysis.traces.histogram import ConductanceHistogram
from nanogap.report.marks import quantum_lines, stepped_band
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET
from nanogap.typing import FloatArray

_PART_COLOURS = dict(zip(PARTS, (BLUE, PURPLE, GREEN, ORANGE), strict=True))

_PART_NAMES = {
    "bottleneck": "number of atoms in the bottleneck",
    "member": "which member, for one number of atoms",
    "plateau": "which plateau of a member",
    "thermal": "fluctuation within plateaus",
}

#: With more survival curves than this in one figure their bands are no longer legible.
_MOST_BANDS = 4

#: Plateaus drawn as points at most; more are drawn thinner.
_MANY = 2000


def ensemble_histogram_figure(histogram: ConductanceHistogram, *, banded: bool) -> Figure:
    """Draw the histogram of bridges, and where members are enough its band and its peaks."""
    figure = Figure(figsize=(7.0, 3.8))
    axes = figure.subplots()
    edges, counts = histogram.edges, histogram.counts
    axes.stairs(counts, edges, fill=True, color=BLUE, alpha=0.75)
    top = float(counts.max(initial=0.0))
    high = counts
    if banded:
        low, high = histogram.band(level=0.95, method="bootstrap")
        stepped_band(axes, edges, (low, high), INK, label="95 %, members drawn")
        top = max(top, float(high.max(initial=0.0)))
        axes.legend()
    for peak in histogram.peaks if banded else []:
        place = min(len(counts) - 1, int(np.searchsorted(edges, peak.position)) - 1)
        near = high[max(0, place - 2) : place + 3]
        height = float(near.max(initial=0.0))
        axes.annotate(
            f"{peak.position:.2f}",
            (peak.position, height),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    _conductance_axis(axes, _far(edges, counts))
    axes.set_ylim(0.0, 1.15 * top or 1.0)
    axes.set_ylabel("counts (points of equal weight)")
    return figure


def _far(edges: FloatArray, counts: FloatArray) -> float:
    """Choose the upper end of the axis: all but 0.1 % of the counts lie below."""
    total = np.cumsum(counts)
    if not total[-1] > 0.0:
        return 1.2
    return max(1.2, 1.1 * float(edges[int(np.searchsorted(total, 0.999 * total[-1])) + 1]))


def _conductance_axis(axes: Axes, far: float) -> None:
    quantum_lines(axes, far, vertical=True)
    axes.set_xlim(0.0, far)
    axes.set_xlabel("conductance (G$_0$)")


def first_contact_figure(contacts: FirstContacts, described: Distribution) -> Figure:
    """Draw conductance and time of the first contacts."""
    figure = Figure(figsize=(9.0, 3.6))
    left, right = figure.subplots(1, 2)
    values = contacts.conductance[np.isfinite(contacts.conductance)]
    bins = np.arange(0.0, max(1.5, float(values.max(initial=0.0))) + 0.1, 0.1)
    left.hist(values, bins=bins, color=BLUE, alpha=0.75)
    left.plot(
        values,
        np.full(len(values), -0.02),
        "|",
        color=INK,
        clip_on=False,
        transform=left.get_xaxis_transform(),
    )
    low, high = described.mean_interval
    if np.isfinite(low):
        left.axvspan(low, high, color=ORANGE, alpha=0.25, linewidth=0)
    left.axvline(
        described.mean,
        color=ORANGE,
        label=f"mean {described.mean:.2f} G$_0$" + (", 95 % interval" if np.isfinite(low) else ""),
    )
    _conductance_axis(left, float(bins[-1]))
    left.set_ylabel("members")
    left.set_title("Conductance of the first contact")
    left.legend()
    _arrivals(right, contacts)
    return figure


def _arrivals(axes: Axes, contacts: FirstContacts) -> None:
    """Draw how many members have made contact by when."""
    times = np.sort(contacts.time[contacts.made]) / 1000.0
    members = len(contacts.time)
    end = float(np.nanmax(contacts.last, initial=0.0)) / 1000.0
    axes.step(
        np.concatenate([[0.0], times, [end]]),
        np.concatenate([[0], np.arange(1, len(times) + 1), [len(times)]]) / members,
        where="post",
        color=BLUE,
    )
    axes.set_ylim(0.0, 1.05)
    axes.set_xlim(0.0, end or 1.0)
    axes.set_xlabel("time under the voltage (ps)")
    axes.set_ylabel("part of the members in contact")
    axes.set_title("Arrival of the first contact")


def survival_figure(curves: Sequence[tuple[str, Survival]]) -> Figure:
    """Draw survival curves in one figure; see `draw_survival`."""
    figure = Figure(figsize=(7.0, 3.8))
    draw_survival(figure.subplots(), curves)
    return figure


def draw_survival(axes: Axes, curves: Sequence[tuple[str, Survival]]) -> None:
    """Draw the share of runs that are still without contact, to the longest time waited.

    Parameters
    ----------
    axes : Axes
    curves : sequence of (str, Survival)
        Label and curve (ps).
    """
    colours = colormaps["viridis"](np.linspace(0.0, 0.88, max(len(curves), 2)))
    # thinner ones above thicker ones: curves that coincide are all seen
    widths = np.linspace(4.0 if len(curves) > 1 else 1.6, 1.6, max(len(curves), 2))
    for colour, width, (label, curve) in zip(colours, widths, curves, strict=False):
        time = np.concatenate([[0.0], curve.time, [curve.last]])
        share = np.concatenate([[1.0], curve.share])
        axes.stairs(share, time, baseline=None, color=colour, linewidth=width, label=label)
        known = np.isfinite(curve.low) & np.isfinite(curve.high)
        if len(curves) <= _MOST_BANDS and known.any():
            low, high = (
                np.concatenate([[1.0], np.where(known, side, np.nan)])
                for side in (curve.low, curve.high)
            )
            stepped_band(axes, time, (low, high), colour, alpha=0.15)
    axes.set_ylim(0.0, 1.03)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("time under voltage (ps)")
    axes.set_ylabel("share without contact")
    axes.legend()


def bottleneck_figure(plateaus: xr.Dataset, classes: Sequence[BottleneckClass]) -> Figure:
    """Draw every plateau by the atoms in its bottleneck, and the means of the numbers."""
    figure = Figure(figsize=(7.0, 4.2))
    axes = figure.subplots()
    random = np.random.default_rng(0)  # the same figure every time
    atoms = plateaus["bottleneck_atoms"].to_numpy()
    g, weight = plateaus["conductance"].to_numpy(), plateaus["weight"].to_numpy()
    sizes = 8.0 + 60.0 * weight / max(float(weight.max(initial=0.0)), 1e-300)
    axes.scatter(
        atoms + random.uniform(-0.22, 0.22, len(atoms)),
        g,
        s=sizes,
        color=BLUE,
        alpha=min(0.5, 0.5 * _MANY / max(len(g), 1)),
        linewidths=0,
        label="a plateau, area by its time",
    )
    some_known = any(np.isfinite(one.mean_low) for one in classes)
    name = "mean, 95 % interval by members" if some_known else "mean; too few members for intervals"
    for number, one in enumerate(classes):
        known = np.isfinite(one.mean_low)
        axes.errorbar(
            [one.atoms],
            [one.mean],
            yerr=[[one.mean - one.mean_low], [one.mean_high - one.mean]] if known else None,
            fmt="D",
            color=ORANGE,
            capsize=4,
            label=None if number else name,
        )
    top = float(g.max(initial=1.0)) + 0.3
    quantum_lines(axes, top)
    axes.set_ylim(0.0, top)
    axes.set_xticks([one.atoms for one in classes])
    axes.set_xlabel("atoms in the bottleneck")
    axes.set_ylabel("conductance of the plateau (G$_0$)")
    axes.legend()
    return figure


def variance_figure(shares: FloatArray, low: FloatArray, high: FloatArray) -> Figure:
    """Draw the parts of the variance and their intervals.

    Parameters
    ----------
    shares, low, high : ndarray, shape (4,)
        In the order of `nanogap.analysis.filament.bottleneck.PARTS`.
    """
    figure = Figure(figsize=(7.0, 2.4))
    axes = figure.subplots()
    for place, name in enumerate(PARTS):
        axes.barh(place, 100.0 * shares[place], color=_PART_COLOURS[name], alpha=0.8)
        end = shares[place]
        if np.isfinite(low[place]):
            axes.plot([100.0 * low[place], 100.0 * high[place]], [place, place], color=INK)
            end = high[place]
        axes.annotate(
            f"{100.0 * shares[place]:.1f} %" if np.isfinite(end) else "too few",
            (100.0 * end if np.isfinite(end) else 0.0, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(PARTS)), [_PART_NAMES[name] for name in PARTS])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 112.0)
    axes.set_xlabel("part of the variance (%); lines: 95 %")
    return figure


def axis_figure(dependence: AxisDependence, name: str) -> Figure:
    """Draw conductance and arrival of the first contact against one axis of the campaign."""
    figure = Figure(figsize=(9.0, 3.4))
    left, right = figure.subplots(1, 2)
    numbers = all(isinstance(value, int | float | np.number) for value in dependence.values)
    places = dependence.values if numbers else list(range(len(dependence.values)))
    for place, one in zip(places, dependence.conductance, strict=True):
        if one.count:
            low, high = one.mean_interval
            known = np.isfinite(low)
            error = [[one.mean - low], [high - one.mean]] if known else None
            left.errorbar([place], [one.mean], yerr=error, fmt="o", color=BLUE, capsize=4)
    made = np.array(dependence.made) / np.array(dependence.members)
    right.plot(places, made, "o-", color=GREEN)
    right.set_ylim(-0.05, 1.05)
    right.set_ylabel("part of the members that made contact")
    left.set_ylabel("first contact (G$_0$), mean and 95 %")
    left.axhline(1.0, color=QUIET, linewidth=0.8, linestyle=":")
    for axes in (left, right):
        axes.set_xlabel(name)
        if not numbers:
            axes.set_xticks(places, [str(value) for value in dependence.values])
    return figure


def beside_measured_figure(
    simulated: ConductanceHistogram,
    measured: ConductanceHistogram,
    comparison: SampleComparison,
    label: str = "simulated",
) -> Figure:
    """Draw the simulated histogram and a measured one on one axis, each with its band.

    Parameters
    ----------
    simulated, measured : ConductanceHistogram
        With the same bins.
    comparison : SampleComparison
        Comparison of the same points.
    label : str
        Name of the simulated one.
    """
    figure = Figure(figsize=(7.0, 4.0))
    axes = figure.subplots()
    far = top = 0.0
    for histogram, colour, name in ((measured, ORANGE, "measured"), (simulated, BLUE, label)):
        edges, counts = histogram.edges, histogram.counts
        inside = edges[:-1] >= comparison.range[0] - 1e-9
        area = float((counts * np.diff(edges))[inside].sum()) or 1.0
        axes.stairs(counts / area, edges, color=colour, linewidth=1.3, label=name)
        if histogram.n_cycles >= FEWEST_MEMBERS:
            low, high = histogram.band(level=0.95, method="bootstrap")
            stepped_band(axes, edges, (low / area, high / area), colour)
            top = max(top, float((high / area)[inside].max(initial=0.0)))
        top = max(top, float((counts / area)[inside].max(initial=0.0)))
        far = max(far, _far(edges, counts))
    _conductance_axis(axes, far)
    axes.set_ylim(0.0, 1.1 * top or 1.0)
    axes.set_ylabel(f"density above {comparison.range[0]:g} G$_0$ (1/G$_0$)")
    low_distance, high_distance = comparison.wasserstein_interval
    words = f"Wasserstein distance {comparison.wasserstein:.3f} G$_0$"
    if np.isfinite(low_distance):
        words += f", 95 % {low_distance:.3f} to {high_distance:.3f}"
    axes.set_title(words)
    axes.legend()
    return figure
