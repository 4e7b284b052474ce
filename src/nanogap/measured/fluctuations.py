"""Noise of the plateaus of a campaign."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nanogap.analysis import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.grouping import Grouping
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError
from nanogap.measured.axes import GroupedByAxis, Quantities, axis_value
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.measured.steady import steady_trace
from nanogap.typing import ABSENT_IF_NONE


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
    by : Grouping or None
        Fluctuations of each device by the values of an axis; None if none was asked for.
    """

    traces: list[FluctuationRow]
    synthetic: bool
    notes: list[str]
    series_resistance: dict[str, SeriesResistance]
    by: Grouping | None = field(default=None, metadata=ABSENT_IF_NONE)


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
class NoiseCampaign(GroupedByAxis):
    """Noise of every file.

    Attributes
    ----------
    rows : list of NoiseRow
    reading : Reading
        What reading left out or assumed.
    constant : list of str
        Sentences on traces that do not vary, which have no row.
    constant_traces : list of (Trace, float)
        These traces, and their conductance, G0.
    axis : str or None
        What was varied between the devices, if the results are to be grouped by it.
    """

    rows: list[NoiseRow] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    constant: list[str] = field(default_factory=list)
    constant_traces: list[tuple[Trace, float]] = field(default_factory=list)
    axis: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(row.trace.synthetic for row in self.rows)

    def _quantities(self) -> Iterator[tuple[Trace, Quantities]]:
        yield from ((row.trace, _found(row)) for row in self.rows)
        yield from ((trace, _found_constant(one)) for trace, one in self.constant_traces)

    def summary(self) -> NoiseSummary:
        """Return the result as plain numbers."""
        return NoiseSummary(
            traces=[_row(row) for row in self.rows],
            synthetic=self.synthetic,
            notes=self.reading.notes + self.constant,
            series_resistance=self.reading.series.by_device,
            by=self.by,
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
    by: str | None = None,
) -> NoiseCampaign:
    """Analyse the fluctuations in every file.

    Parameters
    ----------
    files : DataFiles
    interval : float, optional
        Between samples, s. Default: that of the time column.
    band : tuple of float, optional
        Frequencies of the fit, Hz.
    by : str, optional
        What was varied between the devices, to group by its values.

    Raises
    ------
    SettingsError
        If the data do not say it.
    """
    result = NoiseCampaign(reading=files.new_reading(), axis=by)
    for trace in files.traces():
        axis_value(trace.dataset, by)  # refused before the work
        trace = steady_trace(trace, "noise")  # noqa: PLW2901 the read alone from here on
        result.reading.add_file(trace)
        step = trace.interval(interval)
        values = np.where(trace.usable, trace.gap, np.nan)
        known = np.isfinite(values)
        if known.any() and not np.ptp(values[known]):
            result.constant.append(f"{trace.name} does not vary: there is no noise in it")
            result.constant_traces.append((trace, float(values[known][0])))
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


def _found(row: NoiseRow) -> Quantities:
    """Yield the fluctuations of a device; telegraph noise has no exponent."""
    noise = row.noise
    yield ("mean conductance", "G0", noise.mean)
    yield ("relative fluctuation", "", noise.relative)
    exponent = noise.exponent if noise.telegraph is None else np.nan
    yield ("exponent of the spectrum", "", exponent)


def _found_constant(conductance: float) -> Quantities:
    """Yield a device that does not vary."""
    yield ("mean conductance", "G0", conductance)
    yield ("relative fluctuation", "", 0.0)
    yield ("exponent of the spectrum", "", [])
