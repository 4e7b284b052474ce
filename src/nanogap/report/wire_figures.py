"""Figures of breakdowns: curves with moments, the wire at them, profiles, and many wires."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nanogap.report.style import BLUE, GREEN, INK, ORANGE, QUIET, WIDTH
from nanogap.wire import Moment
from nanogap.wire.result import stored_moments, stored_result

#: Moments that are drawn at most; the last one is that of the breakdown.
MOST_MOMENTS = 5
#: Colours of temperatures.
_MAP = "inferno"


def chosen_moments(part: xr.Dataset) -> list[Moment]:
    """Choose the moments that are drawn: the first, the last, and those evenly between in radius.

    Parameters
    ----------
    part : xarray.Dataset
        By `nanogap.wire.breakdown_dataset`.
    """
    every = stored_moments(part)
    if len(every) <= MOST_MOMENTS:
        return every
    thinnest = np.array([one.radii.min() for one in every])
    wanted = np.linspace(thinnest[0], thinnest[-1], MOST_MOMENTS)
    places = sorted({int(np.argmin(np.abs(thinnest - one))) for one in wanted})
    return [every[place] for place in places]


def curve_figure(part: xr.Dataset, moments: Sequence[Moment]) -> Figure:
    """Draw current over voltage with the moments as numbers, and the thinnest radius in time.

    Parameters
    ----------
    part : xarray.Dataset
        By `nanogap.wire.breakdown_dataset`.
    moments : sequence of Moment
        Those that are numbered.
    """
    figure = Figure(figsize=(WIDTH, 4.2))
    curve, thin = figure.subplots(1, 2, width_ratios=[1.3, 1])
    curve.plot(part["voltage"], 1e3 * part["current"], ".-", color=BLUE, markersize=2.5)
    for number, one in enumerate(moments, 1):
        place = (one.voltage, 1e3 * one.current)
        curve.plot(*place, "o", color=ORANGE, markersize=5)
        curve.annotate(
            str(number), place, xytext=(-9.0, 6.0), textcoords="offset points", color=ORANGE
        )
    curve.set_xlabel("voltage at the source (V)")
    curve.set_ylabel("current (mA)")
    whole = ~part["parted"].to_numpy().astype(bool)
    time, radius = part["time"].to_numpy()[whole], part["radius"].to_numpy()[whole]
    # between two readings the wire may go a long way
    later = [one for one in moments if one.time > (time[-1] if len(time) else 0.0)]
    time = np.append(time, [one.time for one in later])
    radius = np.append(radius, [one.radii.min() for one in later])
    thin.plot(time, 1e9 * radius, color=INK)
    thin.set_ylabel("smallest radius (nm)")
    thin.set_xlabel("time (s)")
    thin.set_ylim(bottom=0.0)
    hot = thin.twinx()
    warmth = np.append(
        part["temperature"].to_numpy()[whole], [one.temperature.max() for one in later]
    )
    hot.plot(time, warmth, color=ORANGE)
    hot.set_ylabel("highest temperature (K)", color=ORANGE)
    return figure


def shape_figure(moments: Sequence[Moment]) -> Figure:
    """Draw the wire at some moments: whole, its width stretched, and its neck to scale.

    Parameters
    ----------
    moments : sequence of Moment
        At least one.
    """
    figure = Figure(figsize=(WIDTH, 1.0 + 1.15 * len(moments)))
    rows = figure.subplots(len(moments), 2, squeeze=False, width_ratios=[2.2, 1])
    hottest = max(one.temperature.max() for one in moments)
    scale = Normalize(min(one.temperature.min() for one in moments), max(hottest, 310.0))
    last = moments[-1]
    neck = float(last.positions[np.argmin(last.radii)]) * 1e9
    wide = 1e9 * max(one.radii.max() for one in moments)
    for number, (one, (whole, near)) in enumerate(zip(moments, rows, strict=True), 1):
        x, radius = 1e9 * one.positions, 1e9 * one.radii
        for axes in (whole, near):
            edges = np.concatenate([[x[0]], (x[1:] + x[:-1]) / 2.0, [x[-1]]])
            mesh = axes.pcolormesh(
                edges,
                [-1.2 * wide, 1.2 * wide],
                one.temperature[None, :],
                cmap=_MAP,
                norm=scale,
                rasterized=True,  # hundreds of strips would make the page slow
            )
            for sign in (-1.0, 1.0):
                axes.fill_between(x, sign * radius, sign * 1.25 * wide, color="white", linewidth=0)
            axes.set_ylim(-1.2 * wide, 1.2 * wide)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        whole.set_xlim(0.0, x[-1])
        near.set_xlim(neck - 2.2 * wide, neck + 2.2 * wide)
        near.set_aspect("equal")
        whole.set_title(
            f"{number}: {one.voltage:.3g} V, {1e3 * one.current:.3g} mA, "
            f"{one.temperature.max():.0f} K",
            color=ORANGE,
        )
        if one is not last:
            whole.set_xticklabels([])
            near.set_xticklabels([])
    rows[-1][0].set_xlabel("position from the cathode of a positive voltage (nm), width stretched")
    rows[-1][1].set_xlabel("near the neck, to scale (nm)")
    figure.colorbar(mesh, ax=rows.ravel().tolist(), label="temperature (K)", fraction=0.03)
    return figure


def profile_figure(moments: Sequence[Moment]) -> Figure:
    """Draw radius, temperature and current density along the wire at some moments."""
    figure = Figure(figsize=(WIDTH, 7.0))
    panels = figure.subplots(3, 1, sharex=True)
    shades = [BLUE, GREEN, QUIET, ORANGE, INK]
    for number, one in enumerate(moments):
        x, colour = 1e6 * one.positions, shades[number % len(shades)]
        panels[0].plot(x, 1e9 * one.radii, color=colour, label=f"{number + 1}")
        panels[1].plot(x, one.temperature, color=colour)
        panels[2].plot(x, np.abs(one.density), color=colour)
    panels[0].set_ylabel("radius (nm)")
    panels[0].legend(title="moment", ncols=MOST_MOMENTS, loc="lower right")
    panels[1].set_ylabel("temperature (K)")
    panels[2].set_ylabel("current density (A/m²)")
    if any(one.density.any() for one in moments):
        panels[2].set_yscale("log")
    panels[2].set_xlabel("position from the cathode of a positive voltage (µm)")
    return figure


def ensemble_figure(parts: Sequence[xr.Dataset]) -> Figure:
    """Draw the curves of several wires over each other, and their breakdown voltages and gaps.

    Parameters
    ----------
    parts : sequence of xarray.Dataset
        By `nanogap.wire.breakdown_dataset`.
    """
    figure = Figure(figsize=(WIDTH, 4.4))
    curves, volts, gaps = figure.subplots(1, 3, width_ratios=[2.2, 1, 1])
    for part in parts:
        curves.plot(part["voltage"], 1e3 * part["current"], linewidth=1.1)
    curves.set_xlabel("voltage at the source (V)")
    curves.set_ylabel("current (mA)")
    parted = [one for one in map(stored_result, parts) if one.parted]
    if parted:
        found = np.sort([one.breakdown_voltage for one in parted])
        share = (np.arange(len(found)) + 0.5) / len(found)
        volts.plot(found, share, "o", color=BLUE)
        widths = np.sort([max(one.gap or 0.0, 1e-2) for one in parted])
        gaps.plot(widths, share, "o", color=BLUE)
        gaps.set_xscale("log")
    for axes, words in ((volts, "breakdown voltage (V)"), (gaps, "gap (nm)")):
        axes.set_xlabel(words)
        axes.set_ylim(0.0, 1.0)
    volts.set_ylabel("share of the wires below")
    return figure
