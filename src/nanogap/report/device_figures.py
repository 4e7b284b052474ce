"""Figures of a simulated device: sweep, time traces, filament, events, measured curves."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nanogap.analysis import SwitchingAnalysis
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.errors import DataFormatError
from nanogap.observables import FLOATING, ION, LOWER, UPPER
from nanogap.printing import counted
from nanogap.report.atoms import draw_atoms
from nanogap.report.curves import current_sweep, switching_loops_figure
from nanogap.report.device_content import OneDevice
from nanogap.report.device_switching import sweep_points
from nanogap.report.marks import CYCLE_COLOURS, quantum_lines, thinned, unit_for
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, WIDTH
from nanogap.report.words import number
from nanogap.typing import FloatArray

#: Colour and meaning of the kinds of atoms.
KINDS = {
    LOWER: (BLUE, "metal, lower electrode"),
    UPPER: (ORANGE, "metal, upper electrode"),
    FLOATING: (QUIET, "metal without electrode"),
    ION: (GREEN, "ion in the medium"),
}
_BINS = 200
_SMALLEST = 1e-12


def loop_figure(device: OneDevice, analysis: SwitchingAnalysis) -> Figure:
    """Draw current against voltage, linear and logarithmic, with SET and RESET.

    Parameters
    ----------
    device : OneDevice
    analysis : SwitchingAnalysis
        Its loops, as `nanogap.report.device_switching.device_switching` returns them.
    """
    return switching_loops_figure(device.data.isel(point=sweep_points(device)), analysis)


def current_figure(device: OneDevice) -> Figure | None:
    """Draw voltage and conductance against current.

    Returns
    -------
    Figure or None
        None if there are too few readings.
    """
    points = sweep_points(device)
    data = device.data.isel(point=points)
    if data.sizes["point"] < 3 or not np.ptp(data["current"].to_numpy()) > 0.0:
        return None
    gap = device.seen[points]
    known = np.isfinite(gap)
    if known.sum() < 10:
        return None
    try:
        plateaus = PlateauDetection().compute(gap[known]).plateaus
    except DataFormatError:
        plateaus = []
    return current_sweep(data.isel(point=known), gap[known], plateaus)


def time_figure(device: OneDevice) -> Figure:
    """Draw voltages, current and the conductance of the gap over time."""
    thin = thinned(device.data.sizes["point"])
    time = device.column("time")[thin]
    figure = Figure(figsize=(WIDTH, 9.0))
    volts, current, linear, logarithmic = figure.subplots(
        4, 1, sharex=True, height_ratios=[1, 1, 1.5, 1.5]
    )
    volts.plot(time, device.column("voltage")[thin], color=QUIET, label="at the source")
    volts.plot(time, device.column("gap_voltage")[thin], color=BLUE, label="across the gap")
    volts.set_ylabel("voltage (V)")
    ionic = current.twinx()  # by many powers of ten smaller
    parts = (
        (current, "current", INK, "read by the instrument"),
        (ionic, "ionic_current", GREEN, "carried by ions (true), right axis"),
    )
    for axes, name, colour, label in parts:
        amperes = device.column(name)[thin]
        factor, unit = unit_for(float(np.nanmax(np.abs(amperes), initial=0.0)), "A")
        axes.plot(time, amperes * factor, color=colour, linewidth=1.0)
        current.plot([], [], color=colour, linewidth=1.0, label=label)
        axes.set_ylabel(f"current ({unit})", color=colour)
    current.set_zorder(ionic.get_zorder() + 1)
    current.patch.set_visible(False)
    true, seen = device.column("gap_conductance")[thin], device.seen[thin]
    top = 1.1 * max(1.1, float(np.nanmax(true, initial=0.0)))
    contact = device.data["bridged"].to_numpy().astype(bool)[thin]
    for axes in (linear, logarithmic):
        if contact.any():
            axes.fill_between(
                time, 0.0, 1.0, where=contact.tolist(), transform=axes.get_xaxis_transform(),
                color=GREEN, alpha=0.13, linewidth=0, step="mid",
                label="contact: metal joins the tips",
            )  # fmt: skip
        axes.plot(time, seen, ".", color=ORANGE, markersize=2.5, label="from the readings")
        axes.plot(time, true, color=BLUE, linewidth=1.2, label="true, of the gap")
        axes.set_ylabel("conductance (G$_0$)")
    quantum_lines(linear, top)
    linear.set_ylim(-0.05 * top, top)
    logarithmic.set_yscale("log")
    logarithmic.set_ylim(0.3 * float(max(_SMALLEST, np.nanmin(true))), 2.0 * top)
    _mark_continued(logarithmic, device, time, thin)
    for axes in (volts, current, linear):
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, markerscale=2)
    logarithmic.set_xlabel("time since the beginning of the protocol (s)")
    return figure


def _mark_continued(axes: Axes, device: OneDevice, time: FloatArray, thin: slice) -> None:
    """Mark readings whose conductance was continued beyond what Green's functions resolve."""
    continued = device.data["continued"].to_numpy().astype(bool)[thin]
    if continued.any():
        low = np.full(int(continued.sum()), 0.02)
        axes.plot(
            time[continued], low, "|", color=PURPLE, transform=axes.get_xaxis_transform(),
            label="continued",
        )  # fmt: skip


def event_figure(device: OneDevice) -> Figure:
    """Draw the rate of each kind of event, the ions, and the charge of metal of one electrode."""
    data, time = device.data, device.column("time")
    figure = Figure(figsize=(WIDTH, 7.2))
    rates, ions, charge = figure.subplots(3, 1, sharex=True, height_ratios=[1.6, 1, 1])
    # equal stretches of readings, so that a long measurement is not a black band
    edges = np.unique(np.linspace(0, len(time), min(_BINS, len(time)) + 1).astype(int))[1:] - 1
    times = np.concatenate([[0.0], time[edges]])
    for place, name in enumerate(data["event"].to_numpy().astype(str)):
        counts = np.concatenate([[0.0], data["events"].to_numpy()[edges, place]])
        rate = np.diff(counts) / np.maximum(np.diff(times), _SMALLEST)
        if rate.any():
            rates.stairs(
                np.where(rate > 0.0, rate, np.nan),
                times,
                baseline=None,
                color=CYCLE_COLOURS[place % len(CYCLE_COLOURS)],
                linewidth=1.3,
                label=f"{name} ({counts[-1]:,.0f} in all)".replace(",", "\N{THIN SPACE}"),
            )
    rates.set_yscale("log")
    rates.set_ylabel("events per second (1/s)")
    if rates.get_legend_handles_labels()[0]:
        rates.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    thin = thinned(len(time))
    ions.plot(time[thin], device.column("n_ions")[thin], color=GREEN)
    ions.set_ylabel("ions in the box")
    for name, colour in (("lower", BLUE), ("upper", ORANGE)):
        left = data["charge"].sel(electrode=name).to_numpy()[thin]
        charge.plot(time[thin], left, color=colour, label=f"{name} electrode alone")
    charge.set_ylabel("atoms dissolved\nless deposited")
    charge.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    charge.set_xlabel("time since the beginning of the protocol (s)")
    return figure


def filament_figure(moments: Sequence[tuple[str, Atoms]]) -> Figure:
    """Draw side views of the atoms at named moments.

    Parameters
    ----------
    moments : sequence of (str, ase.Atoms)
        Title and frame, as in `nanogap.report.device_content.Step`.
    """
    extent = np.ptp(moments[0][1].positions, axis=0) + 6.0
    # the page makes every figure as wide as itself: few pictures must not be giants
    columns = max(4, len(moments))
    height = float(np.clip(WIDTH / columns * extent[2] / extent[0] + 1.1, 2.5, 8.0))
    figure = Figure(figsize=(WIDTH, height))
    panels = figure.subplots(1, columns, squeeze=False, sharex=True, sharey=True)[0]
    for axes in panels[len(moments) :]:
        axes.set_axis_off()
    for axes, (title, frame) in zip(panels, moments, strict=False):
        colours = np.array([to_rgba(KINDS[kind][0]) for kind in frame.arrays["kind"].tolist()])
        draw_atoms(axes, frame, colours, 0.0)
        axes.set_title(f"{title}\n{moment_text(frame)}", fontsize=9, linespacing=1.3)
    present = sorted(
        {int(kind) for _, frame in moments for kind in np.unique(frame.arrays["kind"])}
    )
    figure.legend(
        handles=[Patch(facecolor=KINDS[kind][0], label=KINDS[kind][1]) for kind in present],
        loc="outside lower center",
        ncols=len(present),
    )
    return figure


def moment_text(frame: Atoms) -> str:
    """Say in two lines when a frame was, what it conducts, and whether metal joins the tips."""
    atoms = int(frame.info["constriction"])
    state = "contact" if frame.info["bridged"] else "open"
    if atoms:
        state += f", {counted(atoms, 'atom')} in the constriction"
    return f"{number(frame.info['time'])} s, G = {frame.info['conductance']:.3g} G$_0$\n{state}"


def comparison_figure(
    devices: Sequence[OneDevice], measured: Sequence[xr.Dataset]
) -> Figure | None:
    """Draw simulated and measured current against voltage on the same axes.

    Returns
    -------
    Figure or None
        None if no measured file holds a voltage and a current.
    """
    curves = [one for one in measured if "conductance" not in one]
    if not curves:
        return None
    simulated = []
    for device in devices:
        # a cycle does not begin where the last one ended, so no line joins them
        begins = np.flatnonzero(np.diff(device.column("cycle"))) + 1
        volts, amperes = (
            np.insert(device.column(name), begins, np.nan) for name in ("voltage", "current")
        )
        simulated.append((device.name, volts, amperes))
    real = [
        (
            str(one["file_name"].to_numpy()[0]),
            one["voltage"].to_numpy().astype(np.float64),
            one["current"].to_numpy().astype(np.float64),
        )
        for one in curves
    ]
    largest = max(
        float(np.nanmax(np.abs(amperes), initial=0.0)) for _, _, amperes in [*simulated, *real]
    )
    factor, unit = unit_for(largest, "A")
    figure = Figure(figsize=(WIDTH, 4.6))
    linear, logarithmic = figure.subplots(1, 2)
    for axes, size in ((linear, lambda value: value), (logarithmic, np.abs)):
        for place, (name, volts, amperes) in enumerate(real):
            thin = thinned(len(volts))
            shade = (QUIET, PURPLE, GREEN, INK)[place % 4]
            axes.plot(
                volts[thin], size(amperes[thin]) * factor, ".", color=shade, markersize=3.0,
                label=f"measured: {name}", zorder=2.5,
            )  # fmt: skip
        for place, (name, volts, amperes) in enumerate(simulated):
            thin = thinned(len(volts))
            colour = (BLUE, ORANGE)[place % 2]
            axes.plot(
                volts[thin], size(amperes[thin]) * factor, color=colour, linewidth=0.8,
                label=f"simulated: {name}",
            )  # fmt: skip
        axes.set_xlabel("voltage at the source (V)")
    linear.set_ylabel(f"current ({unit})")
    logarithmic.set_ylabel(f"|current| ({unit})")
    logarithmic.set_yscale("log")
    sizes = np.abs(np.concatenate([amperes for _, _, amperes in [*simulated, *real]])) * factor
    sizes = sizes[np.isfinite(sizes) & (sizes > 0.0)]
    if len(sizes):
        # readings at zero volts say nothing and would take half of the picture
        logarithmic.set_ylim(bottom=0.3 * float(np.quantile(sizes, 0.02)))
    handles, labels = linear.get_legend_handles_labels()
    figure.legend(handles[:8], labels[:8], loc="outside lower center", ncols=2, markerscale=3)
    return figure


def comparison_trace(devices: Sequence[OneDevice], measured: Sequence[xr.Dataset]) -> Figure | None:
    """Draw simulated and measured conductance over time, for files that hold a conductance.

    Returns
    -------
    Figure or None
        None if no measured file holds a conductance with times.
    """
    traces = [one for one in measured if "conductance" in one and np.isfinite(one["time"]).any()]
    if not traces:
        return None
    figure = Figure(figsize=(WIDTH, 3.8))
    axes = figure.subplots()
    for place, one in enumerate(traces):
        thin = thinned(one.sizes["point"])
        time = one["time"].to_numpy()[thin]
        axes.plot(
            time - np.nanmin(time), one["conductance"].to_numpy()[thin], ".", markersize=2.0,
            color=(QUIET, PURPLE, GREEN, INK)[place % 4],
            label=f"measured: {one['file_name'].to_numpy()[0]}",
        )  # fmt: skip
    for place, device in enumerate(devices):
        thin = thinned(device.data.sizes["point"])
        axes.plot(
            device.column("time")[thin], device.column("gap_conductance")[thin],
            color=(BLUE, ORANGE)[place % 2], label=f"simulated: {device.name}",
        )  # fmt: skip
    quantum_lines(axes, 1.1 * max(1.1, float(axes.dataLim.y1)))
    axes.set_xlabel("time since the beginning (s)")
    axes.set_ylabel("conductance (G$_0$)")
    figure.legend(loc="outside lower center", ncols=2, markerscale=3)
    return figure
