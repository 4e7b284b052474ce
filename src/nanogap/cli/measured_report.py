"""The report of measured data, and the table of levels behind a series resistance."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanogap.cli import common
from nanogap.cli.common import AsJson, FigureFile, log
from nanogap.cli.measured_options import save_all
from nanogap.errors import SettingsError

if TYPE_CHECKING:
    from nanogap.measured import DataFiles


def level_displacement(
    resistances: Annotated[
        list[float], typer.Option("--series-resistance", help="ohm; may be given several times")
    ],
    levels: Annotated[int, typer.Option(help="levels n G0 from 1 to this one")] = 6,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Tabulate where the levels n G0 show behind series resistances (as Fig. S4)."""
    from nanogap.electrical import level_displacement as displaced
    from nanogap.measured.levels import level_table

    common.check_figure(output)
    if not 1 <= levels <= 100:
        raise SettingsError(f"--levels {levels}: it must be between 1 and 100")
    numbers = list(range(1, levels + 1))
    content = level_table(displaced(sorted({0.0, *resistances}), numbers))
    if output is not None:
        from nanogap.measured import drawing

        common.save(drawing.draw_displacement(resistances, numbers), output)
    if as_json:
        common.emit(content)
        return
    rows = [
        (f"{ohms:g}", *(f"{value:.3f}" for value in shown))
        for ohms, shown in zip(content.resistance, content.measured, strict=True)
    ]
    names = ("R (ohm)", *(f"{level:g} G0" for level in content.level))
    common.table("Levels as measured (G0)", names, rows)


def report_of_data(
    data: "DataFiles",
    output: Path,
    as_json: bool,
    read_voltage: float = 0.4,
    figures: Path | None = None,
) -> None:
    """Write the report of a measurement campaign."""
    from nanogap.measured.page import write_measured_report

    if output.suffix.casefold() != ".html" or not output.absolute().parent.is_dir():
        raise SettingsError(f"-o {output}: the report is an .html file in a folder that exists")
    drawn: list[tuple[str, Any]] = []
    with common.counted_files("Report", data) as watched:
        content = write_measured_report(
            watched, output, read_voltage=read_voltage, drawn=None if figures is None else drawn
        )
    if figures is not None:
        save_all(drawn, figures)
    common.tell(content.synthetic, content.notes)
    if as_json:
        common.emit(content)
    else:
        log.print(f"Report: {output}")
