"""Noise of the plateaus of a campaign."""

from dataclasses import dataclass, field

import numpy as np

from nanogap.analysis import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.measured.steady import steady_trace


@dataclass(frozen=True)
class TelegraphRow:
    """Telegraph noise of one trace.

    Attributes
    ----------
    levels : list of float, length 2
        Lower and upper conductance, G0.
    amplitude : float
        Their difference, G0.
    dwell_times, dwell_uncertainties : list of float, length 2
        s.
    relaxation_time : float
        s.
    transitions : int
    """

    levels: list[float]
    amplitude: float
    dwell_times: list[float]
    dwell_uncertainties: list[float]
    relaxation_time: float
    transitions: int


@dataclass(frozen=True)
class FluctuationRow:
    """Fluctuations of one file.

    Attributes
    ----------
    file, device : str
    interval : float
        Between samples, s.
    mean, deviation : float
        G0.
    relative : float
        Deviation over mean.
    exponent, exponent_uncertainty : float
        alpha of S(f) ~ f^-alpha; NaN for a telegraph, whose spectrum is no power law.
    white_floor : float
        G0^2/Hz.
    frequency, density : list of float, length n_frequencies
        Hz and G0^2/Hz.
    detrended_fluctuation_exponent : float
    telegraph : TelegraphRow or None
        None where two states do not tell more than one.
    """

    file: str
    device: str
    interval: float
    mean: float
    deviation: float
    relative: float
    exponent: float
    exponent_uncertainty: float
    white_floor: float
    frequency: list[float]
    density: list[float]
    detrended_fluctuation_exponent: float
    telegraph: TelegraphRow | None


@dataclass(frozen=True)
class NoiseSummary:
    """Fluctuations of a campaign.

    Attributes
    ----------
    traces : list of FluctuationRow
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed.
    series_resistance : dict of str to SeriesResistance
        What was subtracted of each device, ohm.
    """

    traces: list[FluctuationRow]
    synthetic: bool
    notes: list[str]
    series_resistance: dict[str, SeriesResistance]


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
    """

    trace: Trace
    interval: float
    noise: NoiseAnalysis
    fluctuation: DetrendedFluctuation

    @property
    def telegraph(self) -> TelegraphModel | None:
        """Telegraph noise of the trace; None if there is none."""
        return self.noise.telegraph


@dataclass
class NoiseCampaign:
    """Noise of every file.

    Attributes
    ----------
    rows : list of NoiseRow
    reading : Reading
        What reading left out or assumed.
    constant : list of str
        Sentences on traces that do not vary, which have no row.
    """

    rows: list[NoiseRow] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    constant: list[str] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(row.trace.synthetic for row in self.rows)

    def summary(self) -> NoiseSummary:
        """Return the result as plain numbers."""
        return NoiseSummary(
            traces=[_row(row) for row in self.rows],
            synthetic=self.synthetic,
            notes=self.reading.notes + self.constant,
            series_resistance=self.reading.series.by_device,
        )


def _row(row: NoiseRow) -> FluctuationRow:
    noise = row.noise
    telegraph = _telegraph(row.telegraph)
    return FluctuationRow(
        file=row.trace.name,
        device=row.trace.device,
        interval=row.interval,
        mean=noise.mean,
        deviation=noise.deviation,
        relative=noise.relative,
        exponent=noise.exponent,
        exponent_uncertainty=noise.exponent_uncertainty,
        white_floor=noise.floor,
        frequency=noise.frequency.tolist(),
        density=noise.density.tolist(),
        detrended_fluctuation_exponent=row.fluctuation.exponent,
        telegraph=telegraph,
    )


def _telegraph(model: TelegraphModel | None) -> TelegraphRow | None:
    if model is None:
        return None
    return TelegraphRow(
        levels=model.levels.tolist(),
        amplitude=model.amplitude,
        dwell_times=model.dwell_times.tolist(),
        dwell_uncertainties=model.dwell_uncertainties.tolist(),
        relaxation_time=model.relaxation_time,
        transitions=model.n_transitions,
    )


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
    result = NoiseCampaign(reading=files.new_reading())
    for trace in files.traces():
        trace = steady_trace(trace, "noise")  # noqa: PLW2901 the read alone from here on
        result.reading.add_file(trace)
        step = trace.interval(interval)
        values = np.where(trace.usable, trace.gap, np.nan)
        known = np.isfinite(values)
        if known.any() and not np.ptp(values[known]):
            result.constant.append(f"{trace.name} does not vary: there is no noise in it")
            continue
        try:
            noise = NoiseAnalysis(step, band=band).compute(values)
            values = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
            fluctuation = DetrendedFluctuation().compute(values)
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
        result.rows.append(NoiseRow(trace, step, noise, fluctuation))
    if not result.rows:
        raise DataFormatError("; ".join(result.constant) or "the files hold no trace")
    return result
