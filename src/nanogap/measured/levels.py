"""Conductance histograms and plateaus of a campaign."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nanogap.analysis import AlignedHistogram, ConductanceHistogram, Peak
from nanogap.analysis.traces.plateaus import Plateau, PlateauDetection
from nanogap.electrical import SeriesResistance, level_displacement
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace

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
    cycles: int = 0
    files: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    synthetic: list[str] = field(default_factory=list)
    resistances: dict[str, Any] = field(default_factory=dict)
    series: SeriesResistance | None = None

    @property
    def main(self) -> ConductanceHistogram:
        """The histogram that the campaign is about: measured if there is one, else simulated."""
        chosen = self.gap or self.simulated
        if chosen is None:
            raise DataFormatError("the files hold no points")
        return chosen

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data; see DESIGN.md for the first three keys."""
        main = self.main
        low, high = main.band()
        content: dict[str, Any] = {
            "edges": main.edges.tolist(),
            "counts": main.counts.tolist(),
            "peaks": [_peak(peak) for peak in main.peaks],
            "confidence": {"level": 0.68, "low": low.tolist(), "high": high.tolist()},
            "n_points": self.n_points,
            "n_missing": main.n_missing,
            "n_outside": main.n_outside,
            "n_flagged": self.n_flagged,
            "n_compliance": self.n_compliance,
            "cycles": self.cycles,
            "files": self.files,
            "devices": list(dict.fromkeys(self.devices)),
            "series_resistance": self.resistances,
            "cautions": list(CAUTIONS),
            "notes": self.notes,
            "synthetic": bool(self.synthetic),
        }
        if self.raw is not None:
            content["raw"] = _plain(self.raw)
        if self.series is not None and self.series.resistance > 0.0:
            content["level_displacement"] = _displacement(self.series)
        if self.low is not None and self.high is not None:
            content["sensitivity"] = {
                "lower_resistance": [_peak(peak) for peak in self.low.peaks],
                "higher_resistance": [_peak(peak) for peak in self.high.peaks],
            }
        if self.simulated is not None and self.gap is not None:
            content["simulated"] = _plain(self.simulated)
        return content


def _peak(peak: Peak) -> dict[str, Any]:
    return {
        "position": peak.position,
        "uncertainty": peak.uncertainty,
        "counts": peak.counts,
        "nearest_level": peak.nearest_level,
        "deviation": peak.deviation,
    }


def _displacement(series: SeriesResistance) -> dict[str, Any]:
    """Where levels show for a resistance and its band, ohm and G0; see the paper's Fig. S4."""
    table = level_displacement(sorted({0.0, series.band[0], series.resistance, series.band[1]}))
    return {name: table[name].to_numpy().tolist() for name in ("resistance", "level", "measured")}


def _plain(histogram: ConductanceHistogram) -> dict[str, Any]:
    return {
        "edges": histogram.edges.tolist(),
        "counts": histogram.counts.tolist(),
        "peaks": [_peak(peak) for peak in histogram.peaks],
    }


def histogram_campaign(
    files: DataFiles,
    *,
    bin_width: float = 0.05,
    maximum: float | None = 10.0,
    scale: Literal["linear", "logarithmic"] = "linear",
    minimum: float = 1e-6,
    two_dimensional: bool = False,
) -> HistogramCampaign:
    """Count the conductances of all files, one file in memory at a time.

    Parameters
    ----------
    files : DataFiles
    bin_width, maximum, scale, minimum
        See `nanogap.analysis.ConductanceHistogram`.
    two_dimensional : bool
        Whether to count conductance against time since first contact too.
    """

    def new() -> ConductanceHistogram:
        return ConductanceHistogram(bin_width, maximum, scale=scale, minimum=minimum)

    result = HistogramCampaign()
    for trace in files.traces():
        result.files.append(trace.name)
        result.devices.append(trace.device)
        if trace.notes:
            result.notes.append(f"{trace.name}: {trace.notes}")
        if trace.synthetic:
            result.synthetic.append(trace.name)
        numbers = trace.cycle_number + result.cycles
        result.n_points += len(trace.gap)
        if trace.simulated:
            result.simulated = result.simulated or new()
            result.simulated.add(trace.gap, cycle=numbers)
        else:
            _add_measured(result, trace, numbers, files, new)
        if two_dimensional:
            _add_aligned(result, trace, maximum or 10.0, bin_width)
        result.cycles = int(numbers.max(initial=result.cycles - 1)) + 1
    result.resistances = files.resistances.summary(
        [device for device in result.devices if not device.startswith("simulated ")]
    )
    result.series = files.resistances.default
    _ = result.main
    return result


def _add_measured(
    result: HistogramCampaign,
    trace: Trace,
    numbers: NDArray[np.int64],
    files: DataFiles,
    new: Any,
) -> None:
    """Count a measured trace, and the band of its series resistance."""
    result.raw, result.gap = result.raw or new(), result.gap or new()
    kept = ~trace.compliance
    result.raw.add(trace.raw[kept], cycle=numbers[kept])
    result.gap.add(trace.gap[trace.usable], cycle=numbers[trace.usable])
    result.n_flagged += int((trace.flagged & kept).sum())
    result.n_compliance += int(trace.compliance.sum())
    if trace.series.uncertainty > 0.0:
        result.low, result.high = result.low or new(), result.high or new()
        for histogram, direction in ((result.low, -1.0), (result.high, 1.0)):
            moved = DataFiles(files.paths, files.columns, files.resistances.moved(direction))
            other = moved.trace(trace.dataset)
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


@dataclass
class PlateauCampaign:
    """Plateaus of all cycles.

    Attributes
    ----------
    rows : list of (Trace, int, list of Plateau)
        Trace, cycle and its plateaus; points count from the beginning of the file.
    """

    rows: list[tuple[Trace, int, list[Plateau]]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _, _ in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data."""
        table = [
            {
                "file": trace.name,
                "device": trace.device,
                "cycle": cycle,
                "first": plateau.first,
                "last": plateau.last,
                "length": plateau.length,
                "duration": _duration(trace, plateau),
                "level": plateau.level,
                "deviation": plateau.deviation,
                "uncertainty": plateau.uncertainty,
                "step": None if np.isnan(plateau.step) else plateau.step,
                "nearest_level": plateau.nearest_level,
                "offset": plateau.offset,
            }
            for trace, cycle, plateaus in self.rows
            for plateau in plateaus
        ]
        steps = [row["step"] for row in table if row["step"] is not None]
        return {
            "plateaus": table,
            "n_plateaus": len(table),
            "n_steps": len(steps),
            "cycles": len(self.rows),
            "skipped": self.skipped,
            "synthetic": self.synthetic,
        }


def _duration(trace: Trace, plateau: Plateau) -> float | None:
    """Time from the first to the last point of a plateau, s; None without times."""
    span = float(trace.time[plateau.last - 1] - trace.time[plateau.first])
    return span if np.isfinite(span) else None


def plateau_campaign(files: DataFiles, detection: PlateauDetection) -> PlateauCampaign:
    """Cut every cycle of every file into plateaus; cycles that are too short are named."""
    result = PlateauCampaign()
    for trace in files.traces():
        gap = np.where(trace.usable, trace.gap, np.nan)
        for number in np.unique(trace.cycle):
            inside = np.flatnonzero(trace.cycle == number)
            try:
                found = detection.compute(gap[inside]).plateaus
            except DataFormatError as error:
                result.skipped.append(f"{trace.name}, cycle {number}: {error}")
                continue
            moved = [
                Plateau(
                    int(inside[p.first]),
                    int(inside[p.last - 1]) + 1,
                    p.level,
                    p.deviation,
                    p.uncertainty,
                    p.step,
                )
                for p in found
            ]
            result.rows.append((trace, int(number), moved))
    if not result.rows:
        raise DataFormatError("; ".join(result.skipped) or "the files hold no cycles")
    return result
