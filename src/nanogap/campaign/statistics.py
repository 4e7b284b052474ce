"""Statistics over the members of a campaign: histogram, first contacts, bottleneck, variance."""

import json
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from nanogap.analysis import ConductanceHistogram, Peak
from nanogap.analysis.filament.bottleneck import PARTS, BottleneckAnalysis
from nanogap.analysis.filament.comparison import GroupedSample, SampleComparison
from nanogap.analysis.filament.contact import (
    AxisDependence,
    Distribution,
    FirstContacts,
    axis_dependence,
    described,
    first_contacts,
)
from nanogap.analysis.filament.ensemble import EnsemblePoints, ensemble_histogram, ensemble_points
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.campaign.kinetics import CampaignKinetics, dataset_kinetics
from nanogap.campaign.summary import (
    EnsembleSummary,
    FirstContactSummary,
    GeometryCorrelation,
    HistogramSummary,
    MeasuredSummary,
    VariancePart,
)
from nanogap.electrical import SeriesResistance, measured_conductance
from nanogap.errors import DataFormatError, SettingsError
from nanogap.measured import DataFiles, histogram_campaign
from nanogap.printing import counted, listed, number

#: Range of the comparison with measured points: below it the gap is open, G0.
_COMPARED = (0.3, 10.0)

#: Geometries that plateaus are correlated with: variable of the dataset and its name in words.
GEOMETRIES = {
    "bottleneck_coordination": "coordination of the bottleneck",
    "bottleneck_bond_length": "bond length at the bottleneck",
}


@dataclass(frozen=True)
class Comparison:
    """Simulated points beside measured ones.

    Attributes
    ----------
    simulated, measured : ConductanceHistogram
    distance : SampleComparison
    resistance : float
        Added to the simulated points, ohm.
    files : list of str
    synthetic : bool
        Whether measured files say that they are synthetic.
    subtracted : dict of str to SeriesResistance
        What was subtracted of each measured device.
    """

    simulated: ConductanceHistogram
    measured: ConductanceHistogram
    distance: SampleComparison
    resistance: float
    files: list[str]
    synthetic: bool
    subtracted: dict[str, SeriesResistance]

    @property
    def subtraction(self) -> str:
        """Resistance that was subtracted, ohm: one number, or that of each device."""
        given = {name: one.resistance for name, one in self.subtracted.items()}
        if len(set(given.values())) <= 1:
            return f"{next(iter(given.values()), 0.0):g}"
        return listed([f"{name}: {number(ohms)}" for name, ohms in given.items()])


@dataclass(frozen=True)
class EnsembleStatistics:
    """Statistics of a collected dataset.

    Attributes
    ----------
    points : EnsemblePoints
    histogram : ConductanceHistogram
        Of bridges.
    contacts : FirstContacts
    first_contact : Distribution
        Of their conductance, G0.
    bottleneck : BottleneckAnalysis
    kinetics : CampaignKinetics
        Times to first contact.
    geometry : dict
        Variable to number of atoms to rank correlation with the conductance and plateaus.
    axes : dict
        Axis to the dependence of first contacts on it.
    comparison : Comparison or None
    """

    points: EnsemblePoints
    histogram: ConductanceHistogram
    contacts: FirstContacts
    first_contact: Distribution
    bottleneck: BottleneckAnalysis
    kinetics: CampaignKinetics
    geometry: dict[str, dict[int, tuple[float, int]]]
    axes: dict[str, AxisDependence] = field(default_factory=dict)
    comparison: Comparison | None = None

    @property
    def peaks(self) -> list[Peak]:
        """Significant peaks of the histogram; none where too few members have a bridge to tell."""
        return self.histogram.peaks if self.is_banded else []

    @property
    def is_banded(self) -> bool:
        """Whether enough members have a bridge for the band and the peaks of the histogram."""
        return self.points.bridged_members >= FEWEST_MEMBERS

    def statement(self) -> str:
        """Say in a sentence how many peaks are significant."""
        if not len(self.points.member):
            return f"{counted(self.points.n_members, 'member')} and no conductance yet: times only."
        bridged = int(self.points.bridged.sum())
        rule = "three standard deviations above the saddle, members taken as wholes"
        whole = (
            f"{counted(len(self.points.member), 'conductance')} of "
            f"{counted(self.points.n_members, 'member')}, {bridged} of them of bridges"
        )
        if not self.is_banded:
            return (
                f"{whole}: too few members have a bridge ({self.points.bridged_members}; "
                f"{FEWEST_MEMBERS} are needed) to tell which peaks of the histogram are "
                "significant."
            )
        if not self.peaks:
            return f"{whole}: no peak of the histogram is significant ({rule})."
        found = ", ".join(f"{p.position:.2f} ± {p.uncertainty:.2f}" for p in self.peaks)
        number = len(self.peaks)
        verb = "peak is" if number == 1 else "peaks are"
        return f"{whole}: {number} {verb} significant ({rule}), at {found} G0."

    def variance(self) -> dict[str, VariancePart]:
        """Split the variance of the conductance on plateaus, by the names of `PARTS`."""
        parts = self.bottleneck.parts()
        total = parts.sum()
        shares = parts / total if total > 0.0 else np.full(len(parts), np.nan)
        low, high = self.bottleneck.part_intervals()
        return {
            name: VariancePart(
                variance=float(parts[place]),
                share=float(shares[place]),
                low=float(low[place]),
                high=float(high[place]),
            )
            for place, name in enumerate(PARTS)
        }

    def summary(self) -> EnsembleSummary:
        """Return everything as plain numbers."""
        compared = self.comparison
        return EnsembleSummary(
            members=self.points.n_members,
            points=len(self.points.member),
            points_of_bridges=int(self.points.bridged.sum()),
            statement=self.statement(),
            histogram=HistogramSummary.of(self.histogram, banded=self.is_banded),
            first_contact=FirstContactSummary.of(self.contacts, self.first_contact),
            kinetics=self.kinetics.summary(),
            bottleneck=self.bottleneck.classes,
            plateaus=self.bottleneck.plateaus.sizes["plateau"],
            points_on_short_plateaus=self.bottleneck.n_left_out,
            variance=self.variance(),
            geometry={
                name: {str(atoms): GeometryCorrelation(*found) for atoms, found in by.items()}
                for name, by in self.geometry.items()
            },
            axes=self.axes,
            measured=None
            if compared is None
            else MeasuredSummary.of(
                compared.distance,
                compared.files,
                compared.resistance,
                compared.subtracted,
                synthetic=compared.synthetic,
            ),
        )


def ensemble_statistics(
    dataset: xr.Dataset,
    measured: DataFiles | None = None,
    added_resistance: float = 0.0,
    bin_width: float = 0.05,
) -> EnsembleStatistics:
    """Compute the statistics of a collected dataset.

    Parameters
    ----------
    dataset : xarray.Dataset
        See `nanogap.campaign.collect.collect`.
    measured : DataFiles, optional
        Measurements to lay beside it.
    added_resistance : float
        Put in series with the simulated points before they are compared, ohm.
    bin_width : float
        G0.

    Raises
    ------
    DataFormatError, SettingsError
        If there is no conductance to lay beside measurements, files cannot be read, or a resistance
        is negative.
    """
    if not (np.isfinite(added_resistance) and added_resistance >= 0.0):
        raise SettingsError(
            f"the added series resistance is {added_resistance} ohm; it must be 0 or positive"
        )
    points = ensemble_points(dataset)
    if measured is not None and not len(points.member):
        raise DataFormatError("no member has a conductance yet to lay beside measured ones")
    contacts = first_contacts(dataset)
    bottleneck = BottleneckAnalysis().compute(points)
    return EnsembleStatistics(
        points=points,
        histogram=ensemble_histogram(points, bin_width),
        contacts=contacts,
        first_contact=described(contacts.conductance),
        bottleneck=bottleneck,
        kinetics=dataset_kinetics(dataset),
        geometry={
            name: bottleneck.geometry_correlation(dataset[name].to_numpy())
            for name in GEOMETRIES
            if name in dataset
        },
        axes={
            name: axis_dependence(contacts, dataset[name].to_numpy().tolist())
            for name in json.loads(dataset.attrs.get("axes", "[]"))
        },
        comparison=None
        if measured is None
        else _compare(points, measured, added_resistance, bin_width),
    )


def _compare(
    points: EnsemblePoints, measured: DataFiles, resistance: float, bin_width: float
) -> Comparison:
    bridged = points.of(points.bridged)
    seen = measured_conductance(bridged.conductance, resistance)
    counted = histogram_campaign(measured, bin_width=bin_width, maximum=_COMPARED[1])
    histogram = counted.raw if resistance else counted.gap
    if histogram is None:
        raise DataFormatError("the files to compare with are simulated, not measured")
    values, groups, offset = [], [], 0
    for trace in measured.traces():
        kept = ~trace.compliance if resistance else trace.usable
        values.append((trace.raw if resistance else trace.gap)[kept])
        groups.append(trace.cycle[kept] + offset)
        offset += int(trace.cycle.max(initial=-1)) + 1
    # members without a bridge have no part in the band
    member = np.unique(bridged.member, return_inverse=True)[1]
    simulated = ConductanceHistogram(bin_width, _COMPARED[1]).compute(seen, bridged.weight, member)
    distance = SampleComparison(*_COMPARED).compute(
        GroupedSample(seen, bridged.member, bridged.weight),
        GroupedSample(np.concatenate(values), np.concatenate(groups)),
    )
    return Comparison(
        simulated,
        histogram,
        distance,
        resistance,
        counted.files,
        bool(counted.synthetic),
        {} if resistance else counted.resistances,
    )
