"""Options that several subcommands for measured data share, and what they all say and write."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from nanogap.cli.common import check_output, log, save, table
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError
from nanogap.printing import counted

if TYPE_CHECKING:
    from nanogap.analysis.grouping import Grouping

Files = Annotated[
    list[Path],
    typer.Argument(
        help="measurements: files, or folders of them; run directories; device directories; "
        "campaigns of devices"
    ),
]
Resistance = Annotated[
    str | None,
    typer.Option(
        help="in series with every gap, ohm; 'circuit': as the data of each simulated device say; "
        "default: 0",
        metavar="<ohm>|circuit",
    ),
]
ResistanceError = Annotated[
    float | None,
    typer.Option(
        help="its standard uncertainty, ohm; default: a fifth of a number, none of 'circuit'"
    ),
]
Pristine = Annotated[
    list[Path] | None,
    typer.Option(help="instead: curves before breakdown, the series resistance of every device"),
]
Compliance = Annotated[
    float | None,
    typer.Option(help="limit of the current, A; default: as the files flag it, or as seen"),
]
OneFile = Annotated[
    str | None, typer.Option("--file", help="-o draws this one of several files, by its name")
]
AveragingTime = Annotated[
    float | None,
    typer.Option(help="see the traces of run directories through this averaging time, s"),
]
By = Annotated[
    str | None,
    typer.Option(
        help="group by what was varied between simulated devices, for example protocol.rate; -o "
        "draws it",
        metavar="AXIS",
    ),
]
Export = Annotated[
    Path | None, typer.Option(help="with --by: the numbers of devices and groups as .csv")
]


def check_grouping(by: str | None, export: Path | None, others: Mapping[str, object]) -> None:
    """Refuse what would change nothing beside, or without, a grouping by an axis.

    Parameters
    ----------
    by : str or None
        The axis.
    export : Path or None
        Where its numbers go.
    others : mapping
        Options, by their names, that choose what a figure without it draws.

    Raises
    ------
    SettingsError
        If an option would change nothing, or the file cannot be written.
    """
    if by is not None:
        refuse_idle(others, "beside --by, which draws all devices")
    if export is not None:
        check_output(export, (".csv",), "--export")
        if by is None:
            refuse_idle({"--export": export}, "without --by, whose numbers it writes")


class _Groupable(Protocol):
    """Results that may be grouped by an axis."""

    @property
    def by(self) -> "Grouping | None":
        """The groups."""

    @property
    def synthetic(self) -> bool:
        """Whether any data are."""


def save_grouping(content: _Groupable, output: Path) -> bool:
    """Draw what was found by the values of an axis; False where no axis was asked for."""
    if content.by is None:
        return False
    from nanogap.measured.drawing import draw_grouping

    save(draw_grouping(content.by, synthetic=content.synthetic), output)
    return True


def tell_grouping(grouping: "Grouping | None", export: Path | None, *, silent: bool) -> None:
    """Print what was found by the values of an axis, and write it as a table."""
    if grouping is None:
        return
    if export is not None:
        from nanogap.io import write_csv

        write_csv(export, grouping.numbers)
        log.print(f"Wrote {export}")
    if not silent:
        head, *rows = grouping.table
        title = f"By {grouping.axis}"
        table(title, ("value", *head[1:]), rows, "Nothing was found in any device.")


def save_all(figures: Iterable[tuple[str, Any]], folder: Path) -> None:
    """Write named figures as pdf into a folder, which is made."""
    from nanogap.report.marks import save_figure

    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--figures {folder} is a file: give the name of a folder")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, (name, figure) in enumerate(figures, 1):
        save_figure(figure, folder / f"{count:02d}-{name}.pdf")
    log.print(f"Wrote {counted(count, 'figure')} to {folder}", markup=False)
