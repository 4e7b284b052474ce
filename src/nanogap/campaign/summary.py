"""The statistics of a campaign as plain numbers: what ``nanogap campaign report --json`` prints."""

from dataclasses import asdict, dataclass

import numpy as np

from nanogap.analysis import ConductanceHistogram, Peak
from nanogap.analysis.filament.bottleneck import BottleneckClass
from nanogap.analysis.filament.comparison import SampleComparison
from nanogap.analysis.filament.contact import AxisDependence, Distribution, FirstContacts
from nanogap.campaign.kinetics import KineticsSummary
from nanogap.electrical import SeriesResistance


@dataclass(frozen=True)
class HistogramSummary:
    """A conductance histogram.

    Attributes
    ----------
    edges : list of float, length n_bins + 1
        G0.
    counts : list of float, length n_bins
    low, high : list of float, length n_bins
        95 % band of the counts, by drawing members; NaN where the members are too few for one.
    peaks : list of Peak
        Those that are significant; none where the members are too few to tell.
    """

    edges: list[float]
    counts: list[float]
    low: list[float]
    high: list[float]
    peaks: list[Peak]

    @classmethod
    def of(cls, histogram: ConductanceHistogram, *, banded: bool) -> "HistogramSummary":
        """Take the numbers out of a histogram, with its band or without."""
        counts = histogram.counts
        low = high = np.full(len(counts), np.nan)
        if banded:
            low, high = histogram.band(level=0.95, method="bootstrap")
        return cls(
            edges=histogram.edges.tolist(),
            counts=counts.tolist(),
            low=low.tolist(),
            high=high.tolist(),
            peaks=histogram.peaks if banded else [],
        )


@dataclass(frozen=True)
class FirstContactSummary(Distribution):
    """Conductance of the first contacts (G0), and when they come.

    Attributes
    ----------
    members_in_contact : int
        Members that made contact; those whose conductance is known are the ``count``.
    median_time : float
        fs; infinite if over half of the members have no contact.
    """

    members_in_contact: int
    median_time: float

    @classmethod
    def of(cls, contacts: FirstContacts, conductance: Distribution) -> "FirstContactSummary":
        """Take the numbers out of first contacts and the distribution of their conductance."""
        return cls(
            **asdict(conductance),
            members_in_contact=int(contacts.made.sum()),
            median_time=contacts.median_time(),
        )


@dataclass(frozen=True)
class VariancePart:
    """One part of the variance of the conductance on plateaus.

    Attributes
    ----------
    variance : float
        G0^2.
    share : float
        Part of the whole variance, from 0 to 1.
    low, high : float
        95 % interval of the share, by drawing members.
    """

    variance: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class GeometryCorrelation:
    """Rank correlation of the conductance of plateaus with a geometry.

    Attributes
    ----------
    correlation : float
        Spearman's.
    plateaus : int
        Number of plateaus that it rests on.
    """

    correlation: float
    plateaus: int


@dataclass(frozen=True)
class MeasuredSummary:
    """Distance of the simulated conductances from measured ones.

    Attributes
    ----------
    files : list of str
    series_resistance_added : float
        To the simulated conductances, ohm.
    series_resistance_subtracted : dict of str to SeriesResistance
        From the conductances of each measured device, ohm.
    range : tuple of float
        Only points between them are compared, G0.
    wasserstein, wasserstein_by_chance : float
        Distance, and the distance that 95 % of random deals stay below, G0.
    wasserstein_interval : tuple of float
        95 %, G0.
    energy_distance : float
        Square root of G0.
    energy_distance_interval : tuple of float
        95 %, square root of G0.
    p_value : float
        Of equal distributions.
    synthetic : bool
        Whether measured files say that they are synthetic.
    """

    files: list[str]
    series_resistance_added: float
    series_resistance_subtracted: dict[str, SeriesResistance]
    range: tuple[float, float]
    wasserstein: float
    wasserstein_interval: tuple[float, float]
    wasserstein_by_chance: float
    energy_distance: float
    energy_distance_interval: tuple[float, float]
    p_value: float
    synthetic: bool

    @classmethod
    def of(
        cls,
        distance: SampleComparison,
        files: list[str],
        resistance: float,
        subtracted: dict[str, SeriesResistance],
        *,
        synthetic: bool,
    ) -> "MeasuredSummary":
        """Take the numbers out of a comparison."""
        return cls(
            files=files,
            series_resistance_added=resistance,
            series_resistance_subtracted=subtracted,
            range=distance.range,
            wasserstein=distance.wasserstein,
            wasserstein_interval=distance.wasserstein_interval,
            wasserstein_by_chance=distance.wasserstein_by_chance,
            energy_distance=distance.energy,
            energy_distance_interval=distance.energy_interval,
            p_value=distance.p_value,
            synthetic=synthetic,
        )


@dataclass(frozen=True)
class EnsembleSummary:
    """Statistics of a campaign as numbers.

    Attributes
    ----------
    members, points, points_of_bridges : int
        Members, their conductances, and those of bridges.
    statement : str
        Number and places of the peaks, in a sentence.
    histogram : HistogramSummary
        Of bridges.
    first_contact : FirstContactSummary
    kinetics : KineticsSummary
        Times to first contact.
    bottleneck : list of BottleneckClass
        One for every number of atoms.
    plateaus, points_on_short_plateaus : int
        Plateaus, and points on ones too short to count.
    variance : dict of str to VariancePart
        By the names of `nanogap.analysis.filament.bottleneck.PARTS`.
    geometry : dict of str to dict of str to GeometryCorrelation
        Variable to number of atoms to its correlation with the conductance.
    axes : dict of str to AxisDependence
        Axis to the dependence of first contacts on it.
    measured : MeasuredSummary or None
        Comparison with measured conductances, if there was one.
    """

    members: int
    points: int
    points_of_bridges: int
    statement: str
    histogram: HistogramSummary
    first_contact: FirstContactSummary
    kinetics: KineticsSummary
    bottleneck: list[BottleneckClass]
    plateaus: int
    points_on_short_plateaus: int
    variance: dict[str, VariancePart]
    geometry: dict[str, dict[str, GeometryCorrelation]]
    axes: dict[str, AxisDependence]
    measured: MeasuredSummary | None = None
