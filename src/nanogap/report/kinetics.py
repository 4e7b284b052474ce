"""Figures of waiting times: survival curves."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.analysis.filament.kinetics import Survival
from nanogap.report.marks import stepped_band

#: Curves above this number share one figure no longer legibly: their bands are left out.
_MANY = 4


def survival_figure(curves: Sequence[tuple[str, Survival, float]]) -> Figure:
    """Draw survival curves in one figure; see `draw_survival`."""
    figure = Figure(figsize=(7.0, 3.8))
    draw_survival(figure.subplots(), curves)
    return figure


def draw_survival(axes: Axes, curves: Sequence[tuple[str, Survival, float]]) -> None:
    """Draw the share of runs that are still without contact.

    Parameters
    ----------
    axes : Axes
    curves : sequence of (str, Survival, float)
        Label, curve (ps) and the longest time waited (ps).
    """
    colours = colormaps["viridis"](np.linspace(0.0, 0.88, max(len(curves), 2)))
    # thinner ones above thicker ones: curves that coincide are all seen
    widths = np.linspace(4.0 if len(curves) > 1 else 1.6, 1.6, max(len(curves), 2))
    for colour, width, (label, curve, end) in zip(colours, widths, curves, strict=False):
        time = np.concatenate([[0.0], curve.time, [max(end, *curve.time, 0.0)]])
        share = np.concatenate([[1.0], curve.share])
        axes.stairs(share, time, baseline=None, color=colour, linewidth=width, label=label)
        if len(curves) <= _MANY and len(curve.time):
            low, high = (
                np.concatenate([[1.0], np.where(np.isnan(side), curve.share, side)])
                for side in (curve.low, curve.high)
            )
            stepped_band(axes, time, (low, high), colour, alpha=0.15)
    axes.set_ylim(0.0, 1.03)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("time under voltage (ps)")
    axes.set_ylabel("share without contact")
    axes.legend()
