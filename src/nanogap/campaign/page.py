"""The report of a campaign: the statistics of its members as one HTML page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis.filament.bottleneck import PARTS
from nanogap.analysis.filament.contact import AxisDependence
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.campaign.collect import Collected
from nanogap.campaign.kinetics import CampaignKinetics
from nanogap.campaign.source import open_source
from nanogap.campaign.statistics import GEOMETRIES, EnsembleStatistics, ensemble_statistics
from nanogap.campaign.summary import EnsembleSummary, VariancePart
from nanogap.errors import DataFormatError, SettingsError
from nanogap.measured import DataFiles
from nanogap.printing import counted
from nanogap.report import ensemble
from nanogap.report.marks import mark, save_figures
from nanogap.report.sections import Section, write_page
from nanogap.report.style import house_style


@dataclass(frozen=True)
class CampaignReport:
    """A report that was written.

    Attributes
    ----------
    path : Path
        The HTML page.
    summary : EnsembleSummary
        Its numbers.
    """

    path: Path
    summary: EnsembleSummary


def write_campaign_report(
    path: Path,
    measured: DataFiles | None = None,
    added_resistance: float = 0.0,
    figures: Path | None = None,
    output: Path | None = None,
) -> CampaignReport:
    """Collect the members that are finished and write the report.

    Parameters
    ----------
    path : Path
        A campaign folder, or a dataset that was collected from one.
    measured, added_resistance
        See `nanogap.campaign.statistics.ensemble_statistics`.
    figures : Path, optional
        A folder for the figures as files.
    output : Path, optional
        The HTML page; default: ``report.html``, of a campaign folder in it.

    Returns
    -------
    CampaignReport

    Raises
    ------
    DataFormatError, SettingsError
        If no member is finished, the dataset is damaged, or the comparison is wrong.
    """
    written = output or (path / "report.html" if path.is_dir() else Path("report.html"))
    with open_source(path) as source:
        try:
            statistics = ensemble_statistics(source.dataset, measured, added_resistance)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise DataFormatError(
                f"{source.collected.dataset} cannot be read as the dataset of a campaign: {reason}"
            ) from None
    drawn = draw_all(statistics)
    sections = list(_sections(statistics, drawn))
    sections.append(_members(source.collected))
    comparison = statistics.comparison
    synthetic = comparison is not None and comparison.synthetic
    try:
        write_page(
            written,
            title=f"Campaign {source.name}",
            lead=statistics.statement(),
            warning="The data it is compared with are synthetic, not measured."
            if synthetic
            else "",
            sections=sections,
            notes=source.collected.notes,
        )
    except OSError as error:
        raise SettingsError(
            f"cannot write {written} ({error.strerror}): give another output"
        ) from None
    if figures is not None:
        save_figures(drawn, figures)
    return CampaignReport(written, statistics.summary())


def draw_all(statistics: EnsembleStatistics) -> dict[str, Figure]:
    """Draw every figure that the statistics allow, by name."""
    drawn: dict[str, Figure] = {}
    with house_style():
        if statistics.points.bridged.any():
            drawn["histogram"] = ensemble.ensemble_histogram_figure(
                statistics.histogram, banded=statistics.is_banded
            )
        if statistics.first_contact.count:
            drawn["first-contact"] = ensemble.first_contact_figure(
                statistics.contacts, statistics.first_contact
            )
        if len(statistics.kinetics.times):
            drawn["kinetics"] = kinetics_figure(statistics.kinetics)
        classes = statistics.bottleneck.classes
        if classes:
            drawn["bottleneck"] = ensemble.bottleneck_figure(
                statistics.bottleneck.plateaus, classes
            )
            parts = statistics.variance()
            shares = (
                np.array([getattr(parts[part], key) for part in PARTS])
                for key in ("share", "low", "high")
            )
            drawn["variance"] = ensemble.variance_figure(*shares)
        for name, dependence in statistics.axes.items():
            if len(dependence.values) > 1:
                drawn[f"axis-{name}"] = ensemble.axis_figure(dependence, name)
        comparison = statistics.comparison
        if comparison is not None:
            label = "simulated"
            if comparison.resistance:
                label += f", behind {comparison.resistance:g} Ω"
            figure = ensemble.beside_measured_figure(
                comparison.simulated, comparison.measured, comparison.distance, label
            )
            drawn["measured"] = mark(figure, synthetic=comparison.synthetic)
    return drawn


def _sections(statistics: EnsembleStatistics, drawn: dict[str, Figure]) -> Iterator[Section]:
    if "histogram" in drawn:
        yield Section(
            "Simulated conductance histogram",
            [drawn["histogram"]],
            "Conductances of all snapshots with a bridge, each counted by the time it stands for. "
            + (
                "The band draws whole members, because the points of one are correlated."
                if statistics.is_banded
                else f"{counted(statistics.points.bridged_members, 'member')} with a bridge: too "
                f"few for a band and for the significance of peaks, which need {FEWEST_MEMBERS}."
            ),
            ("peak (G0)", "nearest level", "deviation (G0)", "counts"),
            [
                [
                    f"{peak.position:.3f} ± {peak.uncertainty:.3f}",
                    str(peak.nearest_level),
                    f"{peak.deviation:+.3f}",
                    f"{peak.counts:.0f}",
                ]
                for peak in statistics.peaks
            ],
        )
    if "first-contact" in drawn:
        yield _first_contact(statistics, drawn["first-contact"])
    if "kinetics" in drawn:
        yield kinetics_section(statistics.kinetics, drawn["kinetics"])
    if "bottleneck" in drawn:
        yield _bottleneck(statistics, drawn["bottleneck"])
        yield _variance(statistics, drawn["variance"])
    for name, dependence in statistics.axes.items():
        if f"axis-{name}" in drawn:
            yield Section(
                f"Dependence on {name}",
                [drawn[f"axis-{name}"]],
                _axis_caption(name, dependence),
                (name, "members", "in contact", "first contact (G0)", "median time (ps)"),
                [
                    [
                        str(dependence.values[row]),
                        str(dependence.members[row]),
                        str(dependence.made[row]),
                        _mean(
                            dependence.conductance[row].mean,
                            dependence.conductance[row].mean_interval,
                        ),
                        _time(dependence.median_time[row]),
                    ]
                    for row in range(len(dependence.values))
                ],
            )
    if "measured" in drawn:
        yield _measured(statistics, drawn["measured"])


def _first_contact(statistics: EnsembleStatistics, figure: Figure) -> Section:
    one, contacts = statistics.first_contact, statistics.contacts
    return Section(
        "First contact",
        [figure],
        "Conductance of the first snapshot in which bonds lead from tip to tip, one of every "
        "member. Members without a contact count in the median time as later than their end.",
        ("quantity", "value"),
        [
            ["members in contact", f"{int(contacts.made.sum())} of {len(contacts.time)}"],
            ["mean (G0), 95 %", _mean(one.mean, one.mean_interval)],
            ["standard deviation (G0), 95 %", _mean(one.deviation, one.deviation_interval)],
            ["median (G0)", _number(one.median, 3)],
            ["median time (ps)", _time(contacts.median_time())],
        ],
    )


def kinetics_figure(kinetics: CampaignKinetics) -> Figure:
    """Draw the survival curves of all points."""
    return ensemble.survival_figure(
        [(point.label, point.survival) for point in kinetics.points if point.members]
    )


def kinetics_section(kinetics: CampaignKinetics, figure: Figure) -> Section:
    """Write the section on the times of first contacts and their dependence on axes."""
    return Section(
        "Time to first contact",
        [figure],
        f"{kinetics.statement()} The curves are product-limit estimates (Kaplan and Meier), each "
        "to the longest time that a member waited, with 95 % bands where the curves are few and "
        f"have {FEWEST_MEMBERS} members or more; medians and rates have 95 % intervals. A rate is "
        "contacts per time waited; the last column is the probability of waiting times that fit a "
        "constant rate as badly or worse.",
        ("members of", "contacts", "median (ps)", "rate (1/ns)", "constant rate: p"),
        [
            [
                point.label,
                f"{point.rate.events} of {point.members}",
                with_interval(point.survival.median, point.median_interval, 1.0),
                with_interval(point.rate.value, (point.rate.low, point.rate.high), 1000.0),
                f"{point.rate.p_value:.2f}" if np.isfinite(point.rate.p_value) else "too few",
            ]
            for point in kinetics.points
        ],
    )


def with_interval(value: float, interval: tuple[float, float], factor: float) -> str:
    """Write a value times a factor and its interval; a time beyond all others is "later".

    An interval that is not known (NaN) is one of too few members.
    """

    def words(number: float) -> str:
        return f"{factor * number:.3g}" if np.isfinite(number) else "later"

    if np.isnan(interval).any():
        return f"{words(value)} (too few)"
    return f"{words(value)} ({words(interval[0])} to {words(interval[1])})"


def _bottleneck(statistics: EnsembleStatistics, figure: Figure) -> Section:
    geometry = []
    for name, words in GEOMETRIES.items():
        found = statistics.geometry.get(name, {}).items()
        values = ", ".join(f"{r:+.2f} ({atoms} atoms, {n} plateaus)" for atoms, (r, n) in found)
        if values:
            geometry.append(f"{words} {values}")
    caption = (
        "Plateaus are stretches of three snapshots or more of one member with the same number of "
        "atoms in the bottleneck. The effect is the difference from the next lower number, in "
        "standard deviations of plateaus (Hedges' g); superiority is how much oftener a plateau "
        "conducts more than one of the next lower number than less (Cliff's delta)."
    )
    if geometry:
        caption += f" Rank correlation of plateaus with the {'; with the '.join(geometry)}."
    return Section(
        "Conductance by bottleneck",
        [figure],
        caption,
        (
            "atoms",
            "plateaus",
            "members",
            "mean (G0), 95 %",
            "deviation of plateaus (G0)",
            "thermal (G0)",
            "from an integer (G0)",
            "effect, 95 %",
            "superiority",
        ),
        [
            [
                str(one.atoms),
                str(one.plateaus),
                str(one.members),
                _mean(one.mean, (one.mean_low, one.mean_high)),
                _number(one.deviation, 2),
                _number(one.thermal, 2),
                _number(one.from_integer, 2),
                _mean(one.effect, (one.effect_low, one.effect_high)) if place else "",
                _number(one.superiority, 2) if place else "",
            ]
            for place, one in enumerate(statistics.bottleneck.classes)
        ],
    )


def _variance(statistics: EnsembleStatistics, figure: Figure) -> Section:
    return Section(
        "Why the conductance varies",
        [figure],
        "The parts add up to the variance of the conductance on plateaus. Rearrangement makes the "
        "first three, thermal motion the last, which is a lower bound: the mean of a short plateau "
        f"holds some thermal motion too. {statistics.bottleneck.n_left_out} points on shorter "
        "plateaus are left out.",
        ("part", "variance (G0²)", "share, 95 %"),
        [
            [
                name,
                _number(part.variance, 3),
                _share(part),
            ]
            for name, part in statistics.variance().items()
        ],
    )


def _measured(statistics: EnsembleStatistics, figure: Figure) -> Section:
    comparison = statistics.comparison
    if comparison is None:
        raise ValueError("there is no comparison to show")
    distance = comparison.distance
    return Section(
        "Beside measured conductances",
        [figure],
        "Bridges of the simulation and measured points in one range. Members and measured cycles "
        "are drawn as wholes. The distance of samples that differ by chance only is found by "
        "dealing members and cycles to both sides at random.",
        ("quantity", "value"),
        [
            ["range (G0)", f"{distance.range[0]:g} to {distance.range[1]:g}"],
            ["added to the simulation (Ω)", f"{comparison.resistance:g}"],
            ["subtracted from the measurement (Ω)", comparison.subtraction],
            [
                "Wasserstein distance (G0), 95 %",
                _mean(distance.wasserstein, distance.wasserstein_interval),
            ],
            ["by chance below (G0), 95 %", _number(distance.wasserstein_by_chance, 3)],
            ["probability by chance", _number(distance.p_value, 2)],
            ["energy distance (√G0), 95 %", _mean(distance.energy, distance.energy_interval)],
            ["files", ", ".join(comparison.files)],
        ],
    )


def _members(collected: Collected) -> Section:
    rows = [[key, reason] for key, reason in collected.given_up.items()]
    return Section(
        "Members",
        [],
        f"{collected.members} of {collected.planned} members are finished, {len(rows)} were "
        f"given up. All numbers: {Path(collected.dataset).name}.",
        ("given up", "reason") if rows else (),
        rows,
    )


def _axis_caption(name: str, dependence: AxisDependence) -> str:
    if not np.isfinite(dependence.p_value):
        return (
            f"Whether first contacts depend on {name} cannot be told: too few members made contact "
            "(three of each of two values are needed)."
        )
    return (
        "Equal first contacts at all values would differ as much with a probability of "
        f"{dependence.p_value:.2f} (Kruskal and Wallis); {name} explains "
        f"{100.0 * dependence.effect:.0f} % of the variance of their ranks."
    )


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "too few"


def _time(value: float) -> str:
    """Write a median time (fs) in ps; one beyond the time of half of the members is "later"."""
    return f"{value / 1000.0:.3f}" if np.isfinite(value) else "later"


def _share(part: VariancePart) -> str:
    if not np.isfinite(part.share):
        return "too few"
    ends = (part.low, part.high)
    known = f"{100.0 * part.low:.0f} % to {100.0 * part.high:.0f} %"
    return f"{100.0 * part.share:.0f} % ({known if np.isfinite(ends).all() else 'too few'})"


def _mean(value: float, interval: tuple[float, float]) -> str:
    if not np.isfinite(value):
        return "too few"
    known = np.isfinite(interval).all()
    return f"{value:.2f} " + (f"({interval[0]:.2f} to {interval[1]:.2f})" if known else "(too few)")
