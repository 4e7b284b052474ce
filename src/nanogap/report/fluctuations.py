"""Figures of fluctuations: trace and close-up, spectrum, distribution (Figs. 5a-5c)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from nanogap.analysis import NoiseAnalysis
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.report.marks import thinned
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, QUIET, WIDTH
from nanogap.typing import FloatArray


def fluctuation(
    time: FloatArray,
    gap: FloatArray,
    noise: NoiseAnalysis,
    telegraph: TelegraphModel | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw a fluctuating plateau, a close-up of it, its spectrum and its distribution.

    Parameters
    ----------
    time, gap : ndarray, shape (n_samples,)
        s and G0; the same for a measured and a simulated trace.
    noise : NoiseAnalysis
        Of `gap`.
    telegraph : TelegraphModel, optional
        Its two levels are drawn if it is a telegraph.
    title : str
        Name of the trace.
    """
    figure = Figure(figsize=(WIDTH, 6.0))
    (whole, close), (spectrum, spread) = figure.subplots(2, 2)
    thin = thinned(len(gap))
    factor, unit = _time_unit(float(np.ptp(time)))
    whole.plot(time[thin] * factor, gap[thin], color=BLUE, linewidth=0.5)
    whole.set_title(
        f"{title}{': ' if title else ''}mean {noise.mean:.3g} G$_0$, "
        rf"$\sigma$/G = {100.0 * noise.relative:.2g} %"
    )
    count = max(20, min(len(gap) // 20, 600))
    begin = (len(gap) - count) // 2
    part = slice(begin, begin + count)
    whole.axvspan(time[begin] * factor, time[begin + count - 1] * factor, color=ORANGE, alpha=0.3)
    close.plot(time[part] * factor, gap[part], ".-", color=BLUE, linewidth=0.8, markersize=3)
    close.set_title("Close-up of the shaded part")
    if telegraph is not None and telegraph.is_telegraph:
        levels = telegraph.levels
        close.step(
            time[part] * factor,
            levels[telegraph.states[part]],
            where="mid",
            color=ORANGE,
            linewidth=1.4,
        )
        low, high = telegraph.dwell_times
        close.set_title(f"Telegraph: dwell times {low:.3g} s (lower), {high:.3g} s (upper)")
    for axes in (whole, close):
        axes.set_xlabel(f"time ({unit})")
        axes.set_ylabel("conductance (G$_0$)")
        axes.ticklabel_format(axis="y", useOffset=False)
    spectrum.loglog(noise.frequency, noise.density, color=QUIET, linewidth=0.9)
    if telegraph is None or not telegraph.is_telegraph:
        # the spectrum of a telegraph is no power law
        name = (
            rf"f$^{{-\alpha}}$, $\alpha$ = {noise.exponent:.2f} ± {noise.exponent_uncertainty:.2f}"
        )
        if noise.floor:
            name += ", and a white floor"
        spectrum.loglog(noise.frequency, noise.fitted, color=ORANGE, linewidth=1.8, label=name)
    else:
        spectrum.loglog(
            noise.frequency,
            telegraph.density(noise.frequency),
            color=GREEN,
            linewidth=1.5,
            linestyle="--",
            label="of the telegraph's levels and dwell times",
        )
    spectrum.xaxis.set_minor_formatter(NullFormatter())
    spectrum.set_xlabel("frequency (Hz)")
    spectrum.set_ylabel("spectral density (G$_0^2$/Hz)")
    spectrum.set_title("Spectrum")
    spectrum.legend(loc="lower left", fontsize=8)
    known = gap[np.isfinite(gap)]
    spread.hist(known, bins=60, color=BLUE, alpha=0.8, orientation="horizontal")
    spread.axhline(noise.mean, color=INK, linewidth=1.0)
    spread.set_xlabel("samples")
    spread.set_ylabel("conductance (G$_0$)")
    spread.set_title("Distribution")
    return figure


def _time_unit(span: float) -> tuple[float, str]:
    """Choose s or, for simulated traces, ps."""
    return (1e12, "ps") if span < 1e-6 else (1.0, "s")
