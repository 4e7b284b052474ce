"""The figure of one computed analysis."""

from functools import singledispatch
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis import (
    AlignedHistogram,
    BreakdownAnalysis,
    ConductanceHistogram,
    NoiseAnalysis,
    RetentionDrift,
    SwitchingAnalysis,
    WeibullFit,
)
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.errors import SettingsError
from nanogap.report import curves, distributions, fluctuations, histograms
from nanogap.report.marks import mark
from nanogap.report.style import house_style


def plot(result: Any) -> Figure:
    """Draw a computed analysis.

    Parameters
    ----------
    result : ConductanceHistogram, PlateauDetection, SwitchingAnalysis, NoiseAnalysis, ...
        What a call of `nanogap.measured.notebook` returned, or any computed analysis of traces.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it; ``figure.savefig("name.pdf")`` writes it.

    Raises
    ------
    AttributeError
        If it was not computed.
    SettingsError
        If nothing is known to draw of it.

    Examples
    --------
    >>> figure = plot(ConductanceHistogram().compute([0.98, 1.01, 1.02, 2.03]))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['conductance']
    """
    with house_style():
        return mark(_drawn(result), synthetic=bool(getattr(result, "synthetic", False)))


@singledispatch
def _drawn(result: Any) -> Figure:
    raise SettingsError(
        f"there is no figure of {type(result).__name__!r}: give the result of histogram, plateaus, "
        "switching, noise, retention or breakdown"
    )


@_drawn.register
def _(result: ConductanceHistogram) -> Figure:
    return histograms.conductance_histograms(result)


@_drawn.register
def _(result: AlignedHistogram) -> Figure:
    return histograms.aligned_histogram(result)


@_drawn.register
def _(result: PlateauDetection) -> Figure:
    values = result.conductance
    return curves.level_trace(np.full(len(values), np.nan), values, result.plateaus)


@_drawn.register
def _(result: SwitchingAnalysis) -> Figure:
    return curves.switching_loops_figure(result.loops, result)


@_drawn.register
def _(result: NoiseAnalysis) -> Figure:
    values = result.conductance
    time = np.arange(len(values), dtype=np.float64) * result.interval
    return fluctuations.fluctuation(time, values, result, result.telegraph)


@_drawn.register
def _(result: RetentionDrift) -> Figure:
    return distributions.retention([("state", result.time, result.conductance, result)])


@_drawn.register
def _(result: BreakdownAnalysis) -> Figure:
    return curves.breakdown_curves([("wire", result.sweep, result)])


@_drawn.register
def _(result: WeibullFit) -> Figure:
    return distributions.weibull_plot([("values", result.values)])
