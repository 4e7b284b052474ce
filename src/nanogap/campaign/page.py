"""The report of a campaign: the statistics of its members as one HTML page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis.filament.bottleneck import PARTS
from nanogap.campaign.collect import Collected, collect, open_ensemble
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinetics import CampaignKinetics
from nanogap.campaign.statistics import GEOMETRIES, EnsembleStatistics, ensemble_statistics
from nanogap.campaign.summary import EnsembleSummary
from nanogap.measured import DataFiles
from nanogap.report import ensemble
from nanogap.report.marks import mark, save_figure
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
    folder: CampaignFolder,
    measured: DataFiles | None = None,
    added_resistance: float = 0.0,
    figures: Path | None = None,
) -> CampaignReport:
    """Collect the members that are finished and write the report.

    Parameters
    ----------
    folder : CampaignFolder
    measured, added_resistance
        See `nanogap.campaign.statistics.ensemble_statistics`.
    figures : Path, optional
        A folder for the figures as files.

    Returns
    -------
    CampaignReport

    Raises
    ------
    DataFormatError, SettingsError
        If no member is finished or has a conductance, or the comparison is wrong.
    """
    collected = collect(folder)
    with open_ensemble(folder.dataset) as dataset:
        statistics = ensemble_statistics(dataset, measured, added_resistance)
    drawn = draw_all(statistics)
    sections = list(_sections(statistics, drawn))
    sections.append(_members(folder, collected))
    comparison = statistics.comparison
    synthetic = comparison is not None and comparison.synthetic
    write_page(
        folder.report,
        title=f"Campaign {folder.file.name}",
        lead=statistics.statement(),
        warning="The data it is compared with are synthetic, not measured." if synthetic else "",
        sections=sections,
        notes=collected.notes,
    )
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
        for name, figure in drawn.items():
            save_figure(figure, figures / f"{name}.pdf")
    return CampaignReport(folder.report, statistics.summary())


def draw_all(statistics: EnsembleStatistics) -> dict[str, Figure]:
    """Draw every figure that the statistics allow, by name."""
    drawn: dict[str, Figure] = {}
    members = statistics.points.n_members
    with house_style():
        if statistics.points.bridged.any():
            drawn["histogram"] = ensemble.ensemble_histogram_figure(statistics.histogram, members)
        if statistics.first_contact.count:
            drawn["first-contact"] = ensemble.first_contact_figure(
                statistics.contacts, statistics.first_contact
            )
        if statistics.kinetics.times.events:
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
            "The band draws whole members, because the points of one are correlated.",
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
                f"Equal first contacts at all values would differ as much with a probability of "
                f"{_number(dependence.p_value, 2)} (Kruskal and Wallis); {name} explains "
                f"{_percent(dependence.effect)} of the variance of their ranks.",
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
                        _number(dependence.median_time[row] / 1000.0, 3),
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
            ["median time (ps)", _number(contacts.median_time() / 1000.0, 3)],
        ],
    )


def kinetics_figure(kinetics: CampaignKinetics) -> Figure:
    """Draw the survival curves of all points."""
    return ensemble.survival_figure(
        [
            (point.label, point.survival, point.rate.exposure / max(1, point.members))
            for point in kinetics.points
        ]
    )


def kinetics_section(kinetics: CampaignKinetics, figure: Figure) -> Section:
    """Write the section on the times of first contacts and their dependence on axes."""
    return Section(
        "Time to first contact",
        [figure],
        f"{kinetics.statement()} The curves are product-limit estimates (Kaplan and Meier) with 95 "
        "% bands where there are few of them; medians and rates have 95 % intervals. A rate is "
        "contacts per time waited; the last column is the probability of waiting times that fit a "
        "constant rate as badly or worse.",
        ("members of", "contacts", "median (ps)", "rate (1/ns)", "constant rate: p"),
        [
            [
                point.label,
                f"{point.rate.events} of {point.members}",
                with_interval(point.survival.median, point.survival.median_interval, 1.0),
                with_interval(point.rate.value, (point.rate.low, point.rate.high), 1000.0),
                f"{point.rate.p_value:.2f}" if np.isfinite(point.rate.p_value) else "too few",
            ]
            for point in kinetics.points
        ],
    )


def with_interval(value: float, interval: tuple[float, float], factor: float) -> str:
    """Write a value times a factor and its interval; a time beyond all others is "later"."""

    def words(number: float) -> str:
        return f"{factor * number:.3g}" if np.isfinite(number) else "later"

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
                _mean(one.effect, (one.effect_low, one.effect_high)),
                _number(one.superiority, 2),
            ]
            for one in statistics.bottleneck.classes
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
                f"{_percent(part.share)} ({_percent(part.low)} to {_percent(part.high)})",
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


def _members(folder: CampaignFolder, collected: Collected) -> Section:
    rows = [[key, reason] for key, reason in collected.given_up.items()]
    return Section(
        "Members",
        [],
        f"{collected.members} of {collected.planned} members are finished, {len(rows)} were "
        f"given up. All numbers: {folder.dataset.name}.",
        ("given up", "reason") if rows else (),
        rows,
    )


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "unknown"


def _percent(value: float) -> str:
    return f"{100.0 * value:.0f} %" if np.isfinite(value) else "unknown"


def _mean(value: float, interval: tuple[float, float]) -> str:
    if not np.isfinite(value):
        return "unknown"
    known = np.isfinite(interval).all()
    return f"{value:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if known else "")
