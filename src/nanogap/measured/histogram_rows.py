"""Results of conductance histograms as plain numbers: what the command writes as JSON."""

from dataclasses import dataclass, field

from nanogap.analysis import ConductanceHistogram
from nanogap.analysis.grouping import AxisValue, Grouping
from nanogap.electrical import SeriesResistance
from nanogap.typing import ABSENT_IF_NONE


@dataclass(frozen=True)
class PeakRow:
    """A peak of a histogram.

    Attributes
    ----------
    position, uncertainty : float
        G0; see `nanogap.analysis.Peak`.
    counts : float
        Within the half-prominence width.
    nearest_level : int
        The integer multiple of G0 that is nearest.
    deviation : float
        Position less that, G0.
    open_gap : bool
        Whether it lies below a tenth of G0, where the gap is open and no contact conducts.
    """

    position: float
    uncertainty: float
    counts: float
    nearest_level: int
    deviation: float
    open_gap: bool


def peak_rows(histogram: ConductanceHistogram) -> list[PeakRow]:
    """Return the peaks of a histogram as plain numbers."""
    return [
        PeakRow(
            peak.position,
            peak.uncertainty,
            peak.counts,
            peak.nearest_level,
            peak.deviation,
            peak.is_open_gap,
        )
        for peak in histogram.peaks
    ]


def level_in_words(nearest_level: int, deviation: float, *, open_gap: bool) -> tuple[str, str]:
    """Say which level a peak is nearest to, and how far from it; below 0.5 G0 it is at none.

    Examples
    --------
    >>> level_in_words(1, -0.0021, open_gap=False), level_in_words(0, 0.126, open_gap=False)
    (('1', '-0.002'), ('none', ''))
    >>> level_in_words(0, 0.05, open_gap=True)
    ('open gap', '')
    """
    if open_gap:
        return "open gap", ""
    return (str(nearest_level), f"{deviation:+.3f}") if nearest_level else ("none", "")


@dataclass(frozen=True)
class Counts:
    """A histogram in brief.

    Attributes
    ----------
    edges : list of float, length n_bins + 1
        G0.
    counts : list of float, length n_bins
    peaks : list of PeakRow
    """

    edges: list[float]
    counts: list[float]
    peaks: list[PeakRow]


@dataclass(frozen=True)
class Confidence:
    """A confidence band of counts.

    Attributes
    ----------
    level : float
        Probability inside.
    low, high : list of float, length n_bins
        Counts.
    """

    level: float
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class HistogramGroup:
    """Conductance histogram of the devices at one value of an axis.

    Attributes
    ----------
    value : float or str
        Of the axis.
    devices, n_points : int
    edges : list of float, length n_bins + 1
        G0.
    counts : list of float, length n_bins
    low, high : list of float, length n_bins, or None
        95 % band of the counts, by drawing devices; None where they are too few.
    peaks : list of PeakRow
        Those that are significant; none where the devices are too few to tell.
    """

    value: AxisValue
    devices: int
    n_points: int
    edges: list[float]
    counts: list[float]
    low: list[float] | None
    high: list[float] | None
    peaks: list[PeakRow]


@dataclass(frozen=True)
class LevelTable:
    """Table of where levels show behind series resistances.

    See `nanogap.electrical.level_displacement`.

    Attributes
    ----------
    resistance : list of float, length n_resistances
        ohm.
    level : list of float, length n_levels
        G0.
    measured : list of list of float, shape (n_resistances, n_levels)
        G0.
    """

    resistance: list[float]
    level: list[float]
    measured: list[list[float]]


@dataclass(frozen=True)
class Sensitivity:
    """Peaks for series resistances that are off by their uncertainty.

    Attributes
    ----------
    lower_resistance, higher_resistance : list of PeakRow
    """

    lower_resistance: list[PeakRow]
    higher_resistance: list[PeakRow]


@dataclass(frozen=True)
class HistogramSummary:
    """Conductance histogram of a campaign.

    Attributes
    ----------
    edges, counts, peaks
        Of the gap, or of simulated runs if nothing was measured; see `Counts`.
    confidence : Confidence
        Band of the counts.
    n_points : int
        All points of all files.
    n_missing, n_outside, n_flagged, n_compliance : int
        Points that are no number, outside the range, of a gap resistance that is not positive or
        smaller than its error, and limited by the instrument.
    n_negative : int
        Of those outside the range, points whose current is against the voltage.
    cycles : int
    files, devices : list of str
    series_resistance : dict of str to SeriesResistance
        What was subtracted of each measured device, ohm.
    cautions, notes : list of str
        What misleads in such histograms; what was left out or assumed.
    synthetic : bool
        Whether any file says that it is synthetic.
    raw : Counts or None
        As measured; None for simulated runs alone.
    level_displacement : LevelTable or None
        None without a series resistance.
    sensitivity : Sensitivity or None
        None where the series resistance has no uncertainty.
    simulated : Counts or None
        Of simulated runs beside measured data.
    compliance_current : float or None
        The lowest current that an instrument limited to, A; None if none did.
    by : Grouping or None
        Contacts of each device by the values of an axis; None if none was asked for.
    by_histograms : list of HistogramGroup or None
        The histogram at each value.
    n_displacement : int or None
        Of the negative points, those that the current into the capacitance beside the gap
        explains; None if no file says how large that is.
    """

    edges: list[float]
    counts: list[float]
    peaks: list[PeakRow]
    confidence: Confidence
    n_points: int
    n_missing: int
    n_outside: int
    n_flagged: int
    n_negative: int
    n_compliance: int
    cycles: int
    files: list[str]
    devices: list[str]
    series_resistance: dict[str, SeriesResistance]
    cautions: list[str]
    notes: list[str]
    synthetic: bool
    raw: Counts | None = field(default=None, metadata=ABSENT_IF_NONE)
    level_displacement: LevelTable | None = field(default=None, metadata=ABSENT_IF_NONE)
    sensitivity: Sensitivity | None = field(default=None, metadata=ABSENT_IF_NONE)
    simulated: Counts | None = field(default=None, metadata=ABSENT_IF_NONE)
    compliance_current: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    by: Grouping | None = field(default=None, metadata=ABSENT_IF_NONE)
    by_histograms: list[HistogramGroup] | None = field(default=None, metadata=ABSENT_IF_NONE)
    n_displacement: int | None = field(default=None, metadata=ABSENT_IF_NONE)
