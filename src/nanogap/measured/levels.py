"""Conductance histograms of a campaign."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanogap.analysis import AlignedHistogram, ConductanceHistogram
from nanogap.electrical import SeriesResistance, charges_capacitance, level_displacement
from nanogap.errors import DataFormatError
from nanogap.measured.axes import HistogramsByAxis
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.histogram_rows import (
    Confidence,
    Counts,
    HistogramSummary,
    LevelTable,
    Sensitivity,
    peak_rows,
)
from nanogap.measured.reading import Reading
from nanogap.measured.resistances import DeviceResistances, mean_resistance

#: Probability inside the band of the counts.
_CONFIDENCE = 0.68

#: What is known to mislead in conductance histograms of metallic contacts.
CAUTIONS = (
    "Contacts measured in air show further peaks near 0.4 and 1.3 G0, from oxygen.",
    (
        "A slow instrument averages over fluctuations: its peaks are narrower than those of a "
        "simulated trace, unless that is averaged over the same time."
    ),
    (
        "One series resistance for all states is an assumption: the band shows what its "
        "uncertainty does to the peaks."
    ),
)


@dataclass
class HistogramCampaign:
    """Histograms of a campaign.

    Attributes
    ----------
    raw, gap, simulated : ConductanceHistogram or None
        As measured, with the series resistance subtracted, and of simulated runs.
    low, high : ConductanceHistogram or None
        As `gap` with the resistances lower and higher by their uncertainty; None if that is zero.
    aligned : AlignedHistogram or None
        Conductance against time since first contact, or against points without times.
    by : HistogramsByAxis or None
        The same by the values of an axis, if one was asked for.
    n_displacement : int or None
        Negative points that the current into the capacitance beside the gap explains; None if no
        file says how large that is.
    """

    raw: ConductanceHistogram | None = None
    gap: ConductanceHistogram | None = None
    simulated: ConductanceHistogram | None = None
    low: ConductanceHistogram | None = None
    high: ConductanceHistogram | None = None
    aligned: AlignedHistogram | None = None
    aligned_unit: str = "s"
    n_points: int = 0
    n_flagged: int = 0
    n_compliance: int = 0
    n_displacement: int | None = None
    cycles: int = 0
    files: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    synthetic: list[str] = field(default_factory=list)
    series: SeriesResistance | None = None
    by: HistogramsByAxis | None = None

    @property
    def resistances(self) -> dict[str, SeriesResistance]:
        """Resistance that was subtracted of each measured device."""
        return self.reading.series.by_device

    @property
    def main(self) -> ConductanceHistogram:
        """The histogram that the campaign is about: measured if there is one, else simulated."""
        chosen = self.gap or self.simulated
        if chosen is None:
            raise DataFormatError("the files hold no points")
        return chosen

    def _notes(self) -> list[str]:
        """Sentences on the points that do not count and on what reading assumed."""
        negative = self.main.n_negative
        counts = (
            (self.n_flagged, "gap resistance negative or smaller than its error"),
            (negative, self._against_the_voltage()),
            (self.main.n_outside - negative, "outside the range"),
        )
        left_out = [
            f"{count} of {self.n_points} points not counted: {why}"
            for count, why in counts
            if count
        ]
        return self.reading.notes + left_out

    def _against_the_voltage(self) -> str:
        """Say why conductances may be negative, and how many the capacitance explains."""
        text = (
            "current against the voltage (conductance below 0), where the capacitance beside an "
            "open gap charges as the voltage changes, or noise and offset exceed the current"
        )
        if self.n_displacement is None:
            return text
        return f"{text}; {self.n_displacement} of them equal C dV/dt within a factor of 2"

    def summary(self) -> HistogramSummary:
        """Return the result as plain numbers; see DESIGN.md for the first three."""
        main = self.main
        low, high = main.band(_CONFIDENCE)
        displacement = sensitivity = None
        if self.series is not None and self.series.resistance > 0.0:
            displacement = _displacement(self.series)
        if self.low is not None and self.high is not None:
            sensitivity = Sensitivity(peak_rows(self.low), peak_rows(self.high))
        return HistogramSummary(
            edges=main.edges.tolist(),
            counts=main.counts.tolist(),
            peaks=peak_rows(main),
            confidence=Confidence(_CONFIDENCE, low.tolist(), high.tolist()),
            n_points=self.n_points,
            n_missing=main.n_missing,
            n_outside=main.n_outside,
            n_flagged=self.n_flagged,
            n_negative=main.n_negative,
            n_compliance=self.n_compliance,
            cycles=self.cycles,
            files=self.files,
            devices=list(dict.fromkeys(self.devices)),
            series_resistance=self.resistances,
            cautions=list(CAUTIONS),
            notes=self._notes(),
            synthetic=bool(self.synthetic),
            raw=None if self.raw is None else _counts(self.raw),
            level_displacement=displacement,
            sensitivity=sensitivity,
            simulated=None
            if self.simulated is None or self.gap is None
            else _counts(self.simulated),
            compliance_current=min(
                (one.current for one in self.reading.exclusions if one.current is not None),
                default=None,
            ),
            by=None if self.by is None else self.by.grouping(),
            by_histograms=None if self.by is None else self.by.groups(),
            n_displacement=self.n_displacement,
        )


def _displacement(series: SeriesResistance) -> LevelTable:
    """Tabulate where levels show for a resistance and its band; see the paper's Fig. S4."""
    ohms = sorted({0.0, series.band[0], series.resistance, series.band[1]})
    return level_table(level_displacement(ohms))


def level_table(table: xr.Dataset) -> LevelTable:
    """Turn the dataset of `nanogap.electrical.level_displacement` into plain numbers."""
    return LevelTable(
        *(table[name].to_numpy().tolist() for name in ("resistance", "level", "measured"))
    )


def _counts(histogram: ConductanceHistogram) -> Counts:
    return Counts(histogram.edges.tolist(), histogram.counts.tolist(), peak_rows(histogram))


def histogram_campaign(
    files: DataFiles,
    *,
    bin_width: float | None = None,
    maximum: float | None = 10.0,
    scale: Literal["linear", "logarithmic"] = "linear",
    minimum: float = 1e-6,
    two_dimensional: bool = False,
    by: str | None = None,
) -> HistogramCampaign:
    """Count the conductances of all files, one file or a piece of it in memory at a time.

    Parameters
    ----------
    files : DataFiles
    bin_width, maximum, scale, minimum
        See `nanogap.analysis.ConductanceHistogram`.
    two_dimensional : bool
        Whether to count conductance against time since first contact too.
    by : str, optional
        What was varied between the devices, to count by its values too.

    Raises
    ------
    SettingsError
        If the data do not say it.
    """

    def new() -> ConductanceHistogram:
        return ConductanceHistogram(bin_width, maximum, scale=scale, minimum=minimum)

    result = HistogramCampaign(reading=files.new_reading())
    result.by = None if by is None else HistogramsByAxis(by, new)
    # a time axis needs the whole file, and so does what was varied
    whole = two_dimensional or by is not None
    sources = ([trace] for trace in files.traces()) if whole else files.pieces()
    for pieces in sources:
        before, exclusion = result.cycles, None
        for trace in pieces:
            if exclusion is None:
                _add_names(result, trace)
            exclusion = trace.exclusion + exclusion
            numbers = trace.cycle_number + before
            result.n_points += len(trace.gap)
            if trace.simulated:
                result.simulated = result.simulated or new()
                result.simulated.add(trace.gap, cycle=numbers)
            else:
                _add_measured(result, trace, numbers, files, new)
            if result.by is not None:
                result.by.add(trace.dataset, trace.device, trace.gap[trace.usable])
            if two_dimensional:
                width = bin_width if scale == "linear" else None
                _add_aligned(result, trace, maximum or 10.0, width or 0.05)
            result.cycles = max(result.cycles, int(numbers.max(initial=-1)) + 1)
        if exclusion is not None:
            result.reading.exclusions.append(exclusion)
    result.series = files.resistances.default
    if files.resistances.matching == "circuit":
        result.series = mean_resistance(result.resistances.values())
    _ = result.main
    return result


def _add_names(result: HistogramCampaign, trace: Trace) -> None:
    """Note what the file of a trace is called and what it says about itself."""
    result.files.append(trace.name)
    result.devices.append(trace.device)
    result.reading.add(trace)
    if trace.synthetic:
        result.synthetic.append(trace.name)


def _add_measured(
    result: HistogramCampaign,
    trace: Trace,
    numbers: NDArray[np.int64],
    files: DataFiles,
    new: Callable[[], ConductanceHistogram],
) -> None:
    """Count a measured trace, and the band of its series resistance."""
    result.raw, result.gap = result.raw or new(), result.gap or new()
    kept = ~trace.compliance
    result.raw.add(trace.raw[kept], cycle=numbers[kept])
    result.gap.add(trace.gap[trace.usable], cycle=numbers[trace.usable])
    negative = (trace.gap < 0.0) & trace.usable
    capacitance = trace.dataset.attrs.get("parasitic_capacitance")
    if capacitance is not None:
        across = trace.dataset["gap_voltage"]
        charges = charges_capacitance(
            trace.time, across, trace.dataset["current"], float(capacitance)
        )
        result.n_displacement = (result.n_displacement or 0) + int((charges & negative).sum())
    result.n_flagged += int((trace.flagged & kept).sum())
    result.n_compliance += int(trace.compliance.sum())
    if trace.series.uncertainty > 0.0:
        result.low, result.high = result.low or new(), result.high or new()
        for histogram, direction in ((result.low, -1.0), (result.high, 1.0)):
            moved = replace(files, resistances=DeviceResistances(trace.series.moved(direction)))
            other = moved.trace(trace.dataset, trace.limit)
            histogram.add(other.gap[other.usable], cycle=numbers[other.usable])


def _add_aligned(result: HistogramCampaign, trace: Trace, maximum: float, bin_width: float) -> None:
    """Lay the cycles of a trace over each other at their first contact."""
    timed = bool(np.isfinite(trace.time).all())
    abscissa = trace.time if timed else np.arange(len(trace.gap), dtype=np.float64)
    if result.aligned is None:
        spans = [np.ptp(abscissa[trace.cycle == one]) for one in np.unique(trace.cycle)]
        span = float(np.median(spans)) or 1.0
        result.aligned = AlignedHistogram((-0.1 * span, span), maximum=maximum, bin_width=bin_width)
        result.aligned_unit = "s" if timed else "points"
    gap = np.where(trace.usable, trace.gap, np.nan)
    for one in np.unique(trace.cycle):
        inside = trace.cycle == one
        result.aligned.add(abscissa[inside], gap[inside])
