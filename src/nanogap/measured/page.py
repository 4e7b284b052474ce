"""The report of a measurement campaign: every figure that its files can give."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.electrical import level_displacement
from nanogap.errors import DataFormatError, SettingsError
from nanogap.measured import drawing
from nanogap.measured.breakdown import breakdown_campaign
from nanogap.measured.classify import Protocol, protocol_of
from nanogap.measured.compliance import Exclusion, compliance_of, told_exclusions
from nanogap.measured.files import DataFiles
from nanogap.measured.fluctuations import noise_campaign
from nanogap.measured.histogram_rows import level_in_words
from nanogap.measured.levels import CAUTIONS, histogram_campaign
from nanogap.measured.plateaus import plateau_campaign
from nanogap.measured.resistances import DeviceResistances
from nanogap.measured.retention import retention_campaign
from nanogap.measured.states import switching_campaign
from nanogap.printing import counted
from nanogap.report.histograms import level_displacement_figure
from nanogap.report.sections import Section, write_page
from nanogap.report.style import house_style

# files of one kind whose curves are drawn one by one
_SHOWN = 4


@dataclass(frozen=True)
class MeasuredReport:
    """A written report.

    Attributes
    ----------
    report : str
        The HTML file.
    files : dict of str to str
        File to what it was taken for.
    sections : list of str
        Titles.
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed, and analyses that do not apply.
    """

    report: str
    files: dict[str, str]
    sections: list[str]
    synthetic: bool
    notes: list[str]


def write_measured_report(
    files: DataFiles,
    output: Path,
    *,
    read_voltage: float = 0.4,
    drawn: list[tuple[str, Figure]] | None = None,
) -> MeasuredReport:
    """Write the report of a campaign as one HTML page.

    What is in series with the gap is taken from pristine curves among the files, device by
    device, where there are any.

    Parameters
    ----------
    files : DataFiles
    output : Path
        The HTML file.
    read_voltage : float
        Where the states of loops are read, V.
    drawn : list of (str, Figure), optional
        Gets the names and the figures of the page, in order.

    Returns
    -------
    MeasuredReport
    """
    kinds: dict[Protocol, list[Path]] = {}
    named: dict[str, str] = {}
    reading = files.new_reading()
    synthetic = False
    for dataset in files.measurements():
        path = Path(dataset.encoding["source"])
        protocol = protocol_of(dataset)
        kinds.setdefault(protocol, []).append(path)
        named[str(path)] = protocol.value
        synthetic |= "synthetic" in dataset.attrs
        reading.said.append((path.name, str(dataset.attrs.get("notes", ""))))
        reading.exclusions.append(Exclusion.of(compliance_of(dataset, files.compliance)))
        if protocol is not Protocol.SIMULATED and not files.resistances.by_device:
            reading.series.add(dataset, str(path), files.resistances.of_data(dataset))
    notes = reading.sentences
    files = replace(files, some=True)  # from here on kind by kind
    if Protocol.PRISTINE in kinds and not files.resistances.any_given:
        pristine = DeviceResistances.from_pristine(kinds[Protocol.PRISTINE], files.columns)
        files = replace(files, resistances=replace(_with_origin(pristine), complete=True))
        notes.append(
            "The series resistance was taken from the pristine curves "
            + ", ".join(str(path) for path in kinds[Protocol.PRISTINE])
            + "; `pristine` or `series_resistance` choose another."
        )
    else:
        notes += reading.series.sentences
    sections = list(_sections(files, kinds, notes, read_voltage))
    if drawn is not None:
        drawn += [
            (re.sub(r"[^a-z0-9]+", "-", section.title.casefold()).strip("-"), figure)
            for section in sections
            for figure in section.figures
        ]
    if not sections:
        raise DataFormatError("no analysis applies to these files: " + "; ".join(notes))
    listing = Section("Files", head=("file", "taken for"), rows=sorted(named.items()))
    write_page(
        output,
        title=f"Measurement campaign of {counted(len(named), 'file')}",
        sections=[*sections, listing],
        warning="Synthetic data: made by a program, not measured." if synthetic else "",
        notes=notes,
    )
    return MeasuredReport(
        report=str(output),
        files=named,
        sections=[section.title for section in sections],
        synthetic=synthetic,
        notes=notes,
    )


def _with_origin(found: DeviceResistances) -> DeviceResistances:
    """Say of every resistance that it was found among the files, and in which."""
    files = ", ".join(str(Path(path.parent.name) / path.name) for path in found.sources[:3])
    files += " and others" if len(found.sources) > 3 else ""
    return replace(
        found,
        default=replace(found.default, origin=f"mean of the pristine curves {files}"),
        by_device={
            name: replace(one, origin=f"pristine curve of {name}, of {files}")
            for name, one in found.by_device.items()
        },
    )


def _sections(
    files: DataFiles, kinds: dict[Protocol, list[Path]], notes: list[str], read_voltage: float
) -> Iterator[Section]:
    """Make the sections, in the order of the paper's figures."""
    makers: list[tuple[Protocol, Callable[[DataFiles], Iterator[Section]]]] = [
        (Protocol.BREAKDOWN, _breakdown),
        (Protocol.LOOPS, partial(_loops, read_voltage=read_voltage)),
        (Protocol.VOLTAGE_SWEEP, _slow_sweeps),
        (Protocol.STEADY, _steady),
        (Protocol.CURRENT_SWEEP, _levels),
    ]
    for protocol, make in makers:
        if protocol in kinds:
            try:
                yield from make(replace(files, paths=kinds[protocol]))
            except (DataFormatError, SettingsError) as error:
                notes.append(f"{protocol.value}: {error}")
    if Protocol.SIMULATED in kinds:
        simulated = kinds[Protocol.SIMULATED]
        together = simulated + kinds.get(Protocol.CURRENT_SWEEP, [])
        result = histogram_campaign(replace(files, paths=together))
        yield Section(
            "Simulated conductance",
            [drawing.draw_histogram(result)],
            "Histogram of the simulated transmissions"
            + (", beside the measured one on the same axis." if result.gap is not None else ".")
            + f" {CAUTIONS[1]}",
        )


def _breakdown(files: DataFiles) -> Iterator[Section]:
    result = breakdown_campaign(files)
    rows = [
        [
            trace.device,
            f"{found.voltage:.3g} V",
            f"{1e3 * found.current:.3g} mA",
            f"{1e3 * found.power:.3g} mW",
            f"{found.resistance_before:.4g} Ω",
            f"{found.resistance_after:.2g} Ω",
        ]
        for trace, _, found in result.rows
        if found.found
    ]
    yield Section(
        "Breakdown (as Fig. 1b)",
        [drawing.draw_breakdown(result)],
        "Voltage sweeps on pristine wires; a dot marks the last point before the current drops.",
        ("device", "voltage", "current", "power", "resistance before", "after"),
        rows,
    )


def _loops(files: DataFiles, read_voltage: float = 0.4) -> Iterator[Section]:
    result = switching_campaign(files, read_voltage=read_voltage)
    content = result.summary()
    told = " ".join(f"{sentence}." for sentence in told_exclusions(result.reading.exclusions))
    shown = range(min(_SHOWN, len(result.rows)))
    yield Section(
        "Switching (as Figs. 2a, 2f)",
        [drawing.draw_switching(result, row) for row in shown],
        f"Current-voltage loops. An event is marked at the first point in the new state. {told}",
        ("event", "number", "median", "standard deviation"),
        [
            [
                kind,
                str(law.count),
                f"{law.median:.3g} V",
                f"{law.deviation:.2g} V" if law.count > 1 else "",
            ]
            for kind, law in content.laws()
        ],
    )
    if any(analysis.endurance.sizes["cycle"] > 1 for _, analysis in result.rows):
        yield Section(
            "Endurance (as Figs. 2b, 2d)",
            [drawing.draw_endurance(result, row) for row in shown],
            "Both states at the read voltage in every cycle, and the low one in units of G0.",
        )
    weibull = drawing.draw_weibull(result)
    if weibull is not None:
        yield Section(
            "Distributions of the switching voltages",
            [weibull],
            "Cycle to cycle and device to device; intervals of the Weibull law hold 95%.",
        )


def _slow_sweeps(files: DataFiles) -> Iterator[Section]:
    result = plateau_campaign(files, PlateauDetection(minimum_step=0.1))
    yield Section(
        "Slow sweeps (as Figs. 2g, 2h)",
        [drawing.draw_plateaus(result, row) for row in range(min(_SHOWN, len(result.rows)))],
        "Rewiring or rupture in a slow voltage sweep; plateaus by change-point detection.",
    )


def _steady(files: DataFiles) -> Iterator[Section]:
    retention = retention_campaign(files)
    yield Section(
        "Retention (as Figs. 2c, 2e)",
        [drawing.draw_retention(retention)],
        "States read at constant voltage, and the drift fitted to them.",
    )
    noise = noise_campaign(files)
    yield Section(
        "Fluctuations (as Figs. 5a, 5b)",
        [drawing.draw_noise(row) for row in noise.rows[:_SHOWN]],
        "Trace, close-up, spectrum and distribution. A slow instrument averages over fluctuations.",
    )


def _levels(files: DataFiles) -> Iterator[Section]:
    plateaus = plateau_campaign(files, PlateauDetection(minimum_step=0.1))
    longest = int(np.argmax([len(found) for _, _, found in plateaus.rows]))
    yield Section(
        "Current sweep (as Fig. 3a)",
        [drawing.draw_plateaus(plateaus, longest)],
        "The cycle with the most plateaus. Current-driven rewiring shows as drops of the voltage.",
    )
    result = histogram_campaign(files, two_dimensional=True)
    figures: list[Figure] = [drawing.draw_histogram(result)]
    if result.aligned is not None and result.aligned.n_aligned:
        figures.append(drawing.draw_aligned(result))
    yield Section(
        "Conductance histogram (as Figs. 4a, 4b)",
        figures,
        " ".join(CAUTIONS),
        ("peak (G0)", "nearest level", "deviation (G0)", "counts"),
        [
            [
                f"{peak.position:.3f} ± {peak.uncertainty:.3f}",
                *level_in_words(peak.nearest_level, peak.deviation, open_gap=peak.is_open_gap),
                f"{peak.counts:.0f}",
            ]
            for peak in result.main.peaks
        ],
    )
    series = result.series
    if series is not None and series.resistance:
        with house_style():
            table = level_displacement(np.linspace(0.0, 2.0 * series.resistance, 41))
            figure = level_displacement_figure(table, series.resistance)
        yield Section(
            "What the series resistance does to the levels (as Fig. S4)",
            [figure],
            f"The dashed line marks {series.resistance:.0f} ± {series.uncertainty:.0f} Ω.",
        )
