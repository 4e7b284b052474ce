"""The figure of a fine sampling: conductance over time, its distribution, its spectrum."""

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis import NoiseAnalysis
from nanogap.errors import DataFormatError
from nanogap.report.fluctuations import fluctuation
from nanogap.report.style import BLUE, INK, WIDTH
from nanogap.typing import FloatArray

_SECONDS_PER_FS = 1e-15
_FS_PER_PS = 1000.0


def noise_of(time: FloatArray, transmission: FloatArray) -> NoiseAnalysis | None:
    """Analyse the fluctuation of equally spaced samples.

    Parameters
    ----------
    time, transmission : ndarray, shape (n_samples,)
        fs and G0; NaN where the transmission is not known.

    Returns
    -------
    NoiseAnalysis or None
        None if there are too few samples for a spectrum.
    """
    if len(time) < 2:
        return None
    try:
        return NoiseAnalysis(float(time[1] - time[0]) * _SECONDS_PER_FS).compute(transmission)
    except DataFormatError:
        return None


def sample_figure(time: FloatArray, transmission: FloatArray, *, title: str = "") -> Figure:
    """Draw the transmission of a fine sampling, its distribution, and its spectrum if it has one.

    Parameters
    ----------
    time, transmission : ndarray, shape (n_samples,)
        fs and G0; NaN where the transmission is not known.
    title : str
    """
    noise = noise_of(time, transmission)
    if noise is not None:
        return fluctuation(time * _SECONDS_PER_FS, transmission, noise, title=title)
    figure = Figure(figsize=(WIDTH, 3.2))
    trace, spread = figure.subplots(1, 2, sharey=True, width_ratios=[3.0, 1.0])
    known = np.isfinite(transmission)
    trace.plot(time[known] / _FS_PER_PS, transmission[known], ".-", color=BLUE, linewidth=0.9)
    trace.set_xlabel("time under voltage (ps)")
    trace.set_ylabel("transmission T\n= conductance (G$_0$)")
    trace.set_title(title)
    if known.any():
        mean = float(transmission[known].mean())
        spread.hist(transmission[known], bins=20, color=BLUE, alpha=0.8, orientation="horizontal")
        for axes in (trace, spread):
            axes.axhline(mean, color=INK, linewidth=1.0)
        spread.set_title(f"mean {mean:.3g} G$_0$")
    spread.set_xlabel("samples")
    return figure
