"""The report of a campaign of devices: what was varied, what follows, every device, as a page."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.analysis.grouping import AxisValue, Grouping, axis_words
from nanogap.campaign.device_collect import export_devices
from nanogap.campaign.device_statistics import device_statistics
from nanogap.campaign.device_summary import DeviceCampaignSummary
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinds import described_setting
from nanogap.campaign.source import open_source
from nanogap.errors import SettingsError
from nanogap.io import write_csv
from nanogap.io.dataset import sources_of
from nanogap.io.measurement import read_measurement
from nanogap.measured.axes import axis_value, varied_axes
from nanogap.measured.drawing import draw_grouping, draw_histogram_groups
from nanogap.measured.histogram_rows import HistogramGroup, level_in_words
from nanogap.printing import counted
from nanogap.report.device_cards import CardLimits, device_card
from nanogap.report.marks import resistance_text, save_figures
from nanogap.report.sections import Card, Section, write_page
from nanogap.report.style import house_style

#: Devices that are drawn one by one.
_MOST_CARDS = 24

#: Characters of the label of an axis that has room for what it is.
_LONGEST_LABEL = 45

#: Sentences under the figures of an analysis.
_CAPTIONS = {
    "switching": "SET and RESET of voltage loops, and what the gap conducts in the low state of "
    "the cycles that had a SET, read at {read:g} V without the series resistance. Voltages are "
    "those at the source.",
    "plateaus": "Plateaus by change-point detection, steps of 0.1 G0 or more.",
    "retention": "Drift of states that are only read: G(t) = G(1 s) (t / 1 s)^ν.",  # noqa: RUF001
    "noise": "Fluctuations of states that are only read.",
}


@dataclass(frozen=True)
class DeviceCampaignReport:
    """A report that was written, and the tables beside it.

    Attributes
    ----------
    path : Path
        The HTML page.
    curves : Path
        Every reading of every device, csv.
    numbers : Path or None
        What was found in every device and at every value of the axes, csv; None where no analysis
        applies.
    summary : DeviceCampaignSummary
    """

    path: Path
    curves: Path
    numbers: Path | None
    summary: DeviceCampaignSummary


def write_device_campaign_report(
    path: Path,
    read_voltage: float = 0.4,
    figures: Path | None = None,
    output: Path | None = None,
) -> DeviceCampaignReport:
    """Collect the devices that are finished and write the report, with its tables beside it.

    Parameters
    ----------
    path : Path
        A campaign folder, or a measurement that was collected from one.
    read_voltage : float
        Where the states of loops are read, V.
    figures : Path, optional
        A folder for the figures as files.
    output : Path, optional
        The HTML page; default: ``report.html``, of a campaign folder in it.

    Returns
    -------
    DeviceCampaignReport

    Raises
    ------
    DataFormatError, SettingsError
        If no member is finished, the measurement is damaged, or a file cannot be written.
    """
    written = output or (path / "report.html" if path.is_dir() else Path("report.html"))
    curves = written.with_name(f"{written.stem}-curves.csv")
    folder = CampaignFolder(path) if (path / "campaign.json").is_file() else None
    try:
        with open_source(path, "device") as source:
            summary = device_statistics(source.dataset, source.collected, read_voltage)
            drawn = _figures(summary)
            measurement = read_measurement(source.collected.dataset)
            sections = list(_sections(summary, drawn))
            sections.append(_cards(measurement, folder, written.absolute().parent))
            sections.append(
                _again(path, written, str(source.dataset.attrs.get("campaign_file", "")))
            )
            export_devices(Path(source.collected.dataset), curves)
        numbers = _write_numbers(summary, written.with_name(f"{written.stem}-numbers.csv"))
        tables = [("Every reading of every device (csv)", curves.name)]
        if numbers is not None:
            tables.append(("What was found in every device, by the axes (csv)", numbers.name))
        sections.append(Section("Data", links=tables))
        write_page(
            written,
            title=f"Campaign {source.name}",
            lead=summary.statement,
            sections=sections,
            notes=summary.notes,
        )
        if figures is not None:
            save_figures(drawn, figures)
    except OSError as error:
        raise SettingsError(
            f"cannot write {error.filename or written} ({error.strerror}): give another output"
        ) from None
    return DeviceCampaignReport(written, curves, numbers, summary)


def _write_numbers(summary: DeviceCampaignSummary, path: Path) -> Path | None:
    """Write what was found by all axes as one table; None where nothing was."""
    tables = [one.numbers for groupings in summary.analyses.values() for one in groupings]
    if not tables:
        return None
    write_csv(path, [tables[0][0], *(row for table in tables for row in table[1:])])
    return path


def _figures(summary: DeviceCampaignSummary) -> dict[str, Figure]:
    """Draw every figure that the statistics allow, by name."""
    drawn = {"histogram": draw_histogram_groups("", [summary.histogram])}
    for axis, groups in summary.histograms.items():
        if len(groups) > 1:
            drawn[f"histogram-{axis}"] = draw_histogram_groups(axis, groups)
    for name, groupings in summary.analyses.items():
        for one in groupings:
            if one.groups:
                words = f"{one.axis}{described_setting(one.axis, summary.protocol)}"
                label = words if len(words) <= _LONGEST_LABEL else one.axis
                drawn[f"{name}-{one.axis}"] = draw_grouping(one, label=label)
    return drawn


def _sections(summary: DeviceCampaignSummary, drawn: dict[str, Figure]) -> Iterator[Section]:
    yield Section(
        "What was varied",
        head=("", ""),
        rows=[
            ["protocol", summary.protocol],
            *(
                [f"{axis}{described_setting(axis, summary.protocol)}", _values(values)]
                for axis, values in summary.axes.items()
            ),
            ["members finished", f"{summary.members} of {summary.planned}"],
            ["members given up", str(len(summary.given_up))],
            ["devices of the finished members", str(summary.devices)],
            ["readings", str(summary.readings)],
            *([f"given up: {key[:8]}", reason] for key, reason in summary.given_up.items()),
        ],
    )
    yield _histogram(summary, drawn)
    for name, groupings in summary.analyses.items():
        for one in groupings:
            yield _dependence(name, one, drawn.get(f"{name}-{one.axis}"), summary.read_voltage)


def _values(values: Sequence[AxisValue]) -> str:
    return ", ".join(axis_words(value) for value in values)


def _histogram(summary: DeviceCampaignSummary, drawn: dict[str, Figure]) -> Section:
    group = summary.histogram
    pictures = [figure for name, figure in drawn.items() if name.startswith("histogram")]
    return Section(
        "Conductance histogram",
        pictures,
        "Conductances of all devices that their readings give, what the circuit of each has in "
        "series subtracted; readings in compliance do not count. The open gap may leave the "
        f"picture at its top. {_told(group)}",
        ("peak (G0)", "nearest level", "deviation (G0)", "counts"),
        [
            [
                f"{peak.position:.3f} ± {peak.uncertainty:.3f}",
                *level_in_words(peak.nearest_level, peak.deviation, open_gap=peak.open_gap),
                f"{peak.counts:.0f}",
            ]
            for peak in group.peaks
        ],
    )


def _told(group: HistogramGroup) -> str:
    """Say on what the band rests."""
    if group.devices < FEWEST_MEMBERS:
        return (
            f"{counted(group.devices, 'device')}: too few for a band and for the significance of "
            f"peaks, which need {FEWEST_MEMBERS}."
        )
    peaks = "" if group.peaks else " No peak is significant."
    return f"The band holds 95 %, devices drawn as wholes.{peaks}"


def _dependence(
    name: str, grouping: Grouping, figure: Figure | None, read_voltage: float
) -> Section:
    """Write what an analysis found by the values of an axis."""
    by = f" against {grouping.axis}" if len(grouping.values) > 1 else ""
    head, *rows = grouping.table
    return Section(
        f"{name.capitalize()}{by}",
        [] if figure is None else [figure],
        f"{_CAPTIONS[name].format(read=read_voltage)} A device counts once, with the mean of its "
        f"cycles; intervals are those of the mean of devices (Student's t) and need "
        f"{grouping.fewest} of them. Numbers over the points: devices in which the quantity was "
        "found, of all. p: probability of ranks that differ as much between equal values (Kruskal "
        "and Wallis).",
        head,
        rows,
    )


def _cards(measurement: xr.Dataset, folder: CampaignFolder | None, beside: Path) -> Section:
    """Draw some devices one by one, spread over all, with links to their own reports."""
    devices = list(sources_of(measurement))
    shown = devices[:: -(-len(devices) // _MOST_CARDS)]
    limits = CardLimits.of(shown)
    with house_style():
        cards = [_card(one, limits, folder, beside) for one in shown]
    links = sum(bool(card.link) for card in cards)
    words = (
        "Current against voltage at the source, and the true conductance of the gap over time, on "
        "the same axes but that of the time."
    )
    if len(shown) < len(devices):
        words += f" {len(shown)} of {len(devices)} devices, spread over all of them."
    if not links:
        words += (
            " The reports of the devices are not kept: 'reports = \"all\"' under [keep] in the "
            "campaign file keeps them."
        )
    return Section(
        "Every device" if len(shown) == len(devices) else "Devices", [], words, cards=cards
    )


def _card(
    device: xr.Dataset, limits: CardLimits, folder: CampaignFolder | None, beside: Path
) -> Card:
    name = str(device["device_name"].to_numpy()[0])
    varied = ", ".join(
        f"{axis} = {axis_words(axis_value(device, axis))}" for axis in varied_axes(device)
    )
    key = str(device["key"].to_numpy()[0])
    report = None if folder is None else folder.member_report(key)
    bridged = device["bridged"].to_numpy().astype(bool)
    happened = "never bridged"
    if bridged.any():
        first = float(device["time"].to_numpy()[int(np.argmax(bridged))])
        happened = (
            f"first bridged at {first:.4g} s, {'bridged' if bridged[-1] else 'open'} at the end"
        )
    series = resistance_text(float(device["series_resistance"].to_numpy()[0]))
    return Card(
        title=f"{name}{': ' if varied else ''}{varied}",
        text=f"{happened}; {series} in series; seed {int(device['seed'].to_numpy()[0])}.",
        figure=device_card(device, limits),
        link="" if report is None else os.path.relpath(report.absolute(), beside),
    )


def _again(path: Path, written: Path, text: str) -> Section:
    """Say how to make the campaign, and this page, again."""
    lines: Sequence[str] = (
        "nanogap campaign run campaign.toml -o NEW",
        "nanogap campaign report NEW",
        "",
        f"# This page, of what is finished by then: nanogap campaign report {path} -o {written}",
        "# campaign.toml:",
        text,
    )
    return Section(
        "To make it again",
        [],
        "The same file gives the same devices to the bit. A base that is a settings file must lie "
        "beside it.",
        code="\n".join(lines).rstrip(),
    )
