"""Common parts of the subcommands: reading options, tables, JSON, figures, progress."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from nanogap.errors import SettingsError

if TYPE_CHECKING:
    from nanogap.measured import DataFiles

log = Console(stderr=True)

Directory = Annotated[Path, typer.Argument(help="a run directory")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, nothing else")]
FigureFile = Annotated[
    Path | None, typer.Option("-o", "--output", help="figure: pdf, svg, eps or png")
]

Columns = Annotated[
    str | None,
    typer.Option(
        help="what the header does not say: voltage=NAME,current=-3:uA,... (name or number of the "
        "column, - turns the sign, : states the unit)",
        metavar="Q=COL",
    ),
]
SamplingRate = Annotated[
    float | None, typer.Option(help="points per second of files without times, Hz")
]
Origin = Annotated[
    float | None,
    typer.Option(help="zero of the time, s: when the state was written; default: see the docs"),
]


def data_files(
    files: list[Path],
    resistance: float,
    uncertainty: float | None,
    pristine: list[Path] | None,
    columns: str | None,
    averaging_time: float | None = None,
    saturated: list[Path] | None = None,
    sampling_rate: float | None = None,
    origin: float | None = None,
) -> "DataFiles":
    """Gather what says which files and how."""
    from nanogap.electrical import SeriesResistance
    from nanogap.io.clock import Clock
    from nanogap.measured import DataFiles, DeviceResistances, parse_columns

    chosen = parse_columns(columns)
    given = [bool(resistance), bool(pristine), bool(saturated)]
    if sum(given) > 1:
        raise SettingsError("give one of --series-resistance, --pristine and --saturated")
    if pristine:
        resistances = DeviceResistances.from_pristine(pristine, chosen)
    elif saturated:
        resistances = DeviceResistances.from_saturated(saturated, chosen)
    else:
        error = 0.2 * abs(resistance) if uncertainty is None else uncertainty
        resistances = DeviceResistances(SeriesResistance(resistance, error))
    clock = Clock(sampling_rate, origin)
    return DataFiles(files, chosen, resistances, averaging_time, clock=clock)


def check_output(output: Path, suffixes: tuple[str, ...], option: str = "-o") -> None:
    """Refuse a file that cannot be written, or read again, before the work begins."""
    if output.suffix not in suffixes:
        raise SettingsError(f"{option} {output}: the name must end in {' or '.join(suffixes)}")
    if output.is_dir():
        raise SettingsError(f"{option} {output} is a folder: give the name of a file in it")
    if not output.absolute().parent.is_dir():
        raise SettingsError(
            f"{option} {output}: there is no folder {output.absolute().parent}: make it first"
        )


def check_figure(output: Path | None) -> None:
    """Refuse a figure path before the work begins."""
    if output is not None:
        from nanogap.report.marks import need_figure_path

        need_figure_path(output)


def save(figure: Any, output: Path) -> None:
    """Write a figure and say so."""
    from nanogap.report.marks import save_figure

    save_figure(figure, output)
    log.print(f"Wrote {output}")


def tell(synthetic: bool, notes: Sequence[str] = ()) -> None:
    """Say on stderr what reading left out, and that synthetic data are synthetic."""
    for note in notes:
        log.print(note)
    if synthetic:
        log.print("The data are SYNTHETIC.")


def emit(content: object) -> None:
    """Print one JSON object on stdout: a mapping, or a data class by the names of its fields."""
    sys.stdout.write(json.dumps(finite(content), allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """Turn data classes into mappings, and what JSON has no number for into null."""
    if is_dataclass(value) and not isinstance(value, type):
        named = [(field, getattr(value, field.name)) for field in fields(value)]
        return {
            field.name: finite(item)
            for field, item in named
            if item is not None or not field.metadata.get("absent_if_none")
        }
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on stdout."""
    shown = Table(title=title)
    for name in names:
        shown.add_column(name, justify="right")
    for row in rows:
        shown.add_row(*row)
    Console().print(shown)


def _bars(*, transient: bool = False, disable: bool = False) -> Progress:
    """Make progress bars with the time left, on stderr."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    bars = Progress(*columns, console=log, transient=transient, disable=disable)
    bars.speed_estimate_period = 300.0
    return bars


@contextmanager
def counted(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show on a terminal how many of some things are done: watch(done) or watch(done, total)."""
    # a bar of nothing would leave an empty line before the error
    with _bars(transient=True, disable=total == 0 or not log.is_interactive) as bars:
        task = bars.add_task(what, total=total)

        def watch(done: int, known: int | None = total) -> None:
            bars.update(task, completed=done, total=known)

        yield watch


@contextmanager
def counted_files(what: str, data: "DataFiles") -> Iterator["DataFiles"]:
    """Show on a terminal how many of the files are analysed."""
    with counted(what) as watch:
        yield replace(data, watch=watch)


@contextmanager
def show_progress() -> Iterator[Any]:
    """Show what is being done, and two progress bars with time left, on stderr."""
    bars = _bars()
    dynamics = bars.add_task("dynamics", total=None)
    transport = bars.add_task("transport", total=None)
    spinner = log.status("")  # gone without a trace if the structure turns out to be impossible
    last = ""

    def watch(progress: Any) -> None:
        nonlocal last
        if not progress.end_step:
            spinner.update(progress.task)
            spinner.start()
            return
        spinner.stop()
        bars.start()
        if progress.task != last:
            last = progress.task
            bars.console.print(last)
        bars.update(dynamics, completed=progress.step, total=progress.end_step)
        bars.update(transport, completed=progress.transmissions, total=progress.snapshots_planned)

    try:
        yield watch
    finally:
        spinner.stop()
        if last:
            bars.stop()
