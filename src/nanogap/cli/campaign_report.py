"""The report of a campaign: arguments in, calls out."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from nanogap.cli import common
from nanogap.cli.common import AsJson, check_output, log
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError


def report(
    source: Annotated[
        Path,
        typer.Argument(
            help="a campaign folder, or what 'collect' wrote of one alone: dataset.nc, of devices "
            "measurement.nc"
        ),
    ],
    measured: Annotated[
        list[Path] | None, typer.Option(help="measured files or folders to lay beside it")
    ] = None,
    series_resistance: Annotated[
        str | None,
        typer.Option(
            help="subtract it from the measured conductances, ohm; 'circuit': as the data of each "
            "simulated device say; default: 0",
            metavar="<ohm>|circuit",
        ),
    ] = None,
    add_resistance: Annotated[
        float | None, typer.Option(help="instead: add it to the simulated ones, ohm; default: 0")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="of the measured files: voltage=NAME,current=3,...")
    ] = None,
    read_voltage: Annotated[
        float | None,
        typer.Option(help="of devices: where the states of loops are read, V; default: 0.4"),
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="folder for the figures as pdf")] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="html; default: report.html, of a folder in it"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the statistics of a campaign, finished or not, as a page.

    Of devices the page shows what depends on the axes and every device; tables as csv lie beside
    it.
    """
    from nanogap.campaign.page import write_campaign_report
    from nanogap.campaign.source import source_kind

    options = {"--series-resistance": series_resistance, "--add-resistance": add_resistance}
    if None not in options.values():
        raise SettingsError("give one of --series-resistance and --add-resistance")
    if output is not None:
        check_output(output, (".html",))
    if source_kind(source) == "device":
        refuse_idle(
            {"--measured": measured, **options, "--columns": columns},
            "to the report of a campaign of devices; 'nanogap device report --measured' lays "
            "measured curves beside one device",
        )
        _report_of_devices(source, read_voltage, figures, output, as_json)
        return
    refuse_idle({"--read-voltage": read_voltage}, "to the report of a campaign of runs")
    if not measured:
        refuse_idle({**options, "--columns": columns}, "without --measured files to compare with")
    data = None
    if measured:
        data = common.data_files(measured, series_resistance, None, None, columns)
    with log.status("Statistics"):
        written = write_campaign_report(source, data, add_resistance or 0.0, figures, output)
    if as_json:
        numbers = {**vars(written.summary), "report": str(written.path)}
        if written.summary.measured is None:
            del numbers["measured"]
        common.emit(numbers)
    else:
        log.print(written.summary.statement)
        sys.stdout.write(f"Report: {written.path.absolute()}\n")


def _report_of_devices(
    source: Path,
    read_voltage: float | None,
    figures: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write the report of a campaign of devices, and say what it says first."""
    from nanogap.campaign.device_page import write_device_campaign_report

    with log.status("Statistics"):
        written = write_device_campaign_report(
            source, 0.4 if read_voltage is None else read_voltage, figures, output
        )
    if as_json:
        numbers = None if written.numbers is None else str(written.numbers)
        paths = {"report": str(written.path), "curves": str(written.curves), "numbers": numbers}
        common.emit({**vars(written.summary), **paths})
        return
    for note in written.summary.notes:
        log.print(Text(note))
    log.print(Text(written.summary.statement))
    log.print(Text(f"Tables: {written.curves}" + f", {written.numbers}" * bool(written.numbers)))
    sys.stdout.write(f"Report: {written.path.absolute()}\n")
