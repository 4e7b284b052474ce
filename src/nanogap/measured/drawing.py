"""The figure of every kind of campaign."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.grouping import Grouping, axis_words
from nanogap.electrical import level_displacement
from nanogap.errors import SettingsError
from nanogap.io.sweeps import current_swept
from nanogap.measured.breakdown import BreakdownCampaign
from nanogap.measured.files import Trace
from nanogap.measured.fluctuations import NoiseCampaign, NoiseRow
from nanogap.measured.histogram_rows import HistogramGroup
from nanogap.measured.levels import CAUTIONS, HistogramCampaign
from nanogap.measured.plateaus import PlateauCampaign
from nanogap.measured.retention import RetentionCampaign
from nanogap.measured.states import SwitchingCampaign
from nanogap.printing import counted
from nanogap.report import axes as by_axis
from nanogap.report import curves, distributions, fluctuations, histograms
from nanogap.report.marks import mark
from nanogap.report.style import house_style


def chosen_row(
    rows: Sequence[tuple[str, int]], file: str | None = None, cycle: int | None = None
) -> int:
    """Return the place of the row of a file and a cycle; the first one that fits.

    Parameters
    ----------
    rows : sequence of (str, int)
        Name of the file and cycle of every row.
    file : str, optional
        Default: any.
    cycle : int, optional
        Default: any.

    Raises
    ------
    SettingsError
        If there is none.
    """
    names = list(dict.fromkeys(name for name, _ in rows))
    if file is not None and file not in names:
        shown = ", ".join(names[:8]) + (" and others" if len(names) > 8 else "")
        raise SettingsError(f"`file={file}`: there is no result of that file; there are {shown}")
    for place, (name, number) in enumerate(rows):
        if file in {None, name} and cycle in {None, number}:
            return place
    there = [number for name, number in rows if file in {None, name}]
    raise SettingsError(
        f"`cycle={cycle}`: there is no result of that cycle; cycles go from {min(there)} to "
        f"{max(there)}"
    )


def _noted(trace: Trace) -> list[str]:
    """Sentence on the series resistance that a figure's conductances are without."""
    series = trace.series
    if not series.resistance:
        return []
    error = np.format_float_positional(series.uncertainty, 2, fractional=False, trim="-")
    ohms = f"{series.resistance:.4g}" + (f" ± {error}" if series.uncertainty else "")
    sentence = f"{ohms} Ω in series subtracted"
    return [f"{sentence} ({series.origin})." if series.origin else f"{sentence}."]


def draw_histogram(result: HistogramCampaign) -> Figure:
    """Draw the histograms: raw and subtracted, or measured and simulated on one axis."""
    with house_style():
        synthetic = bool(result.synthetic)
        if result.gap is not None and result.simulated is not None:
            named: list[tuple[str, ConductanceHistogram]] = [
                ("measured", result.gap),
                ("simulated", result.simulated),
            ]
            figure = histograms.compared_histograms(named)
            return mark(figure, synthetic=synthetic, footnotes=CAUTIONS[:2])
        subtracted = any(one.resistance > 0.0 for one in result.resistances.values())
        # a thin space groups the digits
        points = f"{result.n_points:,}".replace(",", "\N{THIN SPACE}")
        title = f"{points} point{'' if result.n_points == 1 else 's'}, "
        title += f"{counted(result.cycles, 'cycle')}, {counted(len(set(result.devices)), 'device')}"
        if result.gap is None:
            figure = histograms.conductance_histograms(result.main, title=title)
            return mark(figure, synthetic=synthetic, footnotes=CAUTIONS[1:2])
        sensitivity = None
        if result.low is not None and result.high is not None:
            sensitivity = result.low.peaks, result.high.peaks
        raw = result.raw if result.raw is not None else result.gap
        figure = histograms.conductance_histograms(
            raw, result.gap if subtracted else None, sensitivity, title
        )
        notes = [
            f"{name}: {one.resistance:.4g} Ω subtracted ({one.origin})."
            for name, one in list(result.resistances.items())[:6]
            if one.origin and one.resistance
        ]
        footnotes = [*CAUTIONS[: 3 if subtracted else 2], *notes]
        return mark(figure, synthetic=synthetic, footnotes=footnotes)


def draw_aligned(result: HistogramCampaign) -> Figure:
    """Draw conductance against time since first contact."""
    if result.aligned is None or not result.aligned.n_aligned:
        raise SettingsError("no cycle made contact: there is nothing to lay over each other")
    with house_style():
        figure = histograms.aligned_histogram(result.aligned, result.aligned_unit)
        return mark(figure, synthetic=bool(result.synthetic))


def draw_plateaus(result: PlateauCampaign, row: int = 0) -> Figure:
    """Draw one cycle with its plateaus."""
    trace, number, plateaus = result.rows[row]
    inside = np.flatnonzero(trace.cycle == number)
    begin = int(inside[0])
    data = trace.dataset.isel(point=slice(begin, int(inside[-1]) + 1))
    gap = np.where(trace.usable, trace.gap, np.nan)[begin : int(inside[-1]) + 1]
    moved = [
        type(p)(p.first - begin, p.last - begin, p.level, p.deviation, p.uncertainty, p.step)
        for p in plateaus
    ]
    with house_style():
        if "conductance" in data or not np.ptp(data["voltage"].to_numpy()) > 0.0:
            figure = curves.level_trace(trace.time[inside], gap, moved)
        elif current_swept(data):
            figure = curves.current_sweep(data, gap, moved)
        else:
            figure = curves.slow_sweep(data, gap, moved, f"{trace.name}, cycle {number}")
        return mark(figure, synthetic=bool(trace.synthetic), footnotes=_noted(trace))


def draw_switching(result: SwitchingCampaign, row: int = 0) -> Figure:
    """Draw the loops of one file."""
    trace, analysis = result.rows[row]
    with house_style():
        figure = curves.switching_loops_figure(trace.dataset, analysis)
        return mark(figure, synthetic=bool(trace.synthetic))


def draw_endurance(result: SwitchingCampaign, row: int = 0) -> Figure:
    """Draw both states of one file over its cycles."""
    trace, analysis = result.rows[row]
    with house_style():
        figure = distributions.endurance(analysis.endurance, trace.series.resistance)
        return mark(figure, synthetic=bool(trace.synthetic), footnotes=_noted(trace))


def draw_weibull(result: SwitchingCampaign) -> Figure | None:
    """Draw the distributions of the switching voltages; None if there are too few."""
    named = [
        (name, np.abs(result.voltages(kind))) for kind, name in (("set", "SET"), ("reset", "RESET"))
    ]
    samples = [(name, values) for name, values in named if len(np.unique(values)) >= 3]
    if not samples:
        return None
    with house_style():
        return mark(distributions.weibull_plot(samples), synthetic=result.synthetic)


def all_of_switching(result: SwitchingCampaign) -> Iterator[tuple[str, Figure]]:
    """Yield the name and the figure of the loops and the states of every file, and the laws."""
    for row, (trace, _) in enumerate(result.rows):
        stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(trace.name).stem)
        yield f"{stem}-loops", draw_switching(result, row)
        yield f"{stem}-endurance", draw_endurance(result, row)
    weibull = draw_weibull(result)
    if weibull is not None:
        yield "distributions", weibull


def draw_displacement(resistances: Sequence[float], levels: Sequence[int]) -> Figure:
    """Draw where levels show behind series resistances from zero to the largest given."""
    largest = max(resistances)
    with house_style():
        grid = np.unique(np.concatenate([np.linspace(0.0, largest or 1.0, 41), resistances]))
        table = level_displacement(grid, levels)
        return histograms.level_displacement_figure(table, shown=sorted({0.0, *resistances}))


def draw_retention(result: RetentionCampaign) -> Figure:
    """Draw all states over time."""
    with house_style():
        figure = distributions.retention(
            [(trace.name, drift.time, drift.conductance, drift) for trace, drift in result.rows]
        )
        notes = list(dict.fromkeys(note for trace, _ in result.rows for note in _noted(trace)))
        return mark(figure, synthetic=result.synthetic, footnotes=notes[:3])


def draw_noise(row: NoiseRow) -> Figure:
    """Draw the fluctuations of one trace."""
    trace = row.trace
    gap = np.where(trace.usable, trace.gap, np.nan)
    time = np.arange(len(gap), dtype=np.float64) * row.interval
    with house_style():
        figure = fluctuations.fluctuation(
            time, gap, row.noise, row.telegraph, title=trace.name if not trace.simulated else ""
        )
        return mark(figure, synthetic=bool(trace.synthetic), footnotes=_noted(trace))


def draw_all_noise(result: NoiseCampaign) -> Figure:
    """Draw the first trace; a figure has room for one."""
    return draw_noise(result.rows[0])


def draw_breakdown(result: BreakdownCampaign) -> Figure:
    """Draw all sweeps."""
    rows = []
    for trace, number, analysis in result.rows:
        data = trace.dataset.isel(point=np.flatnonzero(trace.cycle == number))
        rows.append((trace.device, data, analysis))
    with house_style():
        return mark(curves.breakdown_curves(rows), synthetic=result.synthetic)


def draw_grouping(grouping: Grouping, *, synthetic: bool = False, label: str = "") -> Figure:
    """Draw what was found in every device against what was varied, labelled so.

    Raises
    ------
    SettingsError
        If nothing was found in any device.
    """
    if not grouping.groups:
        raise SettingsError(f"nothing was found in any device to draw against {grouping.axis}")
    with house_style():
        return mark(by_axis.axis_panels(grouping, label), synthetic=synthetic)


def draw_histogram_groups(
    axis: str, groups: Sequence[HistogramGroup], *, synthetic: bool = False
) -> Figure:
    """Draw the conductance histogram at each value of what was varied; '' is no axis."""
    with house_style():
        panels = [
            by_axis.HistogramPanel(
                title=f"{axis}{' = ' if axis else ''}{axis_words(one.value)}: "
                f"{counted(one.devices, 'device')}, {counted(one.n_points, 'reading')}",
                edges=np.array(one.edges),
                counts=np.array(one.counts),
                band=None
                if one.low is None or one.high is None
                else (np.array(one.low), np.array(one.high)),
                peaks=[peak.position for peak in one.peaks if not peak.open_gap],
            )
            for one in groups
        ]
        told = "grey: 95 %, devices drawn; no band and no peaks with fewer than six devices."
        figure = by_axis.histogram_panels(panels)
        return mark(figure, synthetic=synthetic, footnotes=[told.capitalize()])
