"""Noise of the plateaus of a campaign."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nanogap.analysis import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace


@dataclass
class NoiseRow:
    """Noise of one trace.

    Attributes
    ----------
    trace : Trace
    interval : float
        Between samples, s.
    noise : NoiseAnalysis
    fluctuation : DetrendedFluctuation
    telegraph : TelegraphModel or None
        None if the trace does not vary.
    """

    trace: Trace
    interval: float
    noise: NoiseAnalysis
    fluctuation: DetrendedFluctuation
    telegraph: TelegraphModel | None


@dataclass
class NoiseCampaign:
    """Noise of every file."""

    rows: list[NoiseRow] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(row.trace.synthetic for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {"traces": [_row(row) for row in self.rows], "synthetic": self.synthetic}


def _row(row: NoiseRow) -> dict[str, Any]:
    noise, model = row.noise, row.telegraph
    content: dict[str, Any] = {
        "file": row.trace.name,
        "device": row.trace.device,
        "interval": row.interval,
        "mean": noise.mean,
        "deviation": noise.deviation,
        "relative": noise.relative,
        "exponent": noise.exponent,
        "exponent_uncertainty": noise.exponent_uncertainty,
        "white_floor": noise.floor,
        "frequency": noise.frequency.tolist(),
        "density": noise.density.tolist(),
        "detrended_fluctuation_exponent": row.fluctuation.exponent,
        "telegraph": None,
    }
    if model is not None and model.is_telegraph:
        content["telegraph"] = {
            "levels": model.levels.tolist(),
            "amplitude": model.amplitude,
            "dwell_times": model.dwell_times.tolist(),
            "dwell_uncertainties": model.dwell_uncertainties.tolist(),
            "relaxation_time": model.relaxation_time,
            "transitions": model.n_transitions,
        }
    return content


def noise_campaign(
    files: DataFiles,
    *,
    interval: float | None = None,
    band: tuple[float, float] | None = None,
) -> NoiseCampaign:
    """Analyse the fluctuations in every file.

    Parameters
    ----------
    files : DataFiles
    interval : float, optional
        Between samples, s. Default: that of the time column.
    band : tuple of float, optional
        Frequencies of the fit, Hz.
    """
    result = NoiseCampaign()
    for trace in files.traces():
        step = trace.interval(interval)
        values = np.where(trace.usable, trace.gap, np.nan)
        known = np.isfinite(values)
        try:
            noise = NoiseAnalysis(step, band=band).compute(values)
            values = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
            fluctuation = DetrendedFluctuation().compute(values)
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
        try:
            telegraph = TelegraphModel(step).compute(values)
        except DataFormatError:
            telegraph = None
        result.rows.append(NoiseRow(trace, step, noise, fluctuation, telegraph))
    return result
