"""Options that several subcommands for measured data share, and what they all say and write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nanogap.cli.common import log
from nanogap.errors import SettingsError
from nanogap.printing import counted

Files = Annotated[
    list[Path], typer.Argument(help="files, folders of files, run directories of nanogap run")
]
Resistance = Annotated[
    str,
    typer.Option(
        help="in series with every gap, ohm; 'circuit': as the data of each simulated device say",
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
    typer.Option(help="curves before breakdown: the series resistance of every device"),
]
Compliance = Annotated[
    float | None,
    typer.Option(help="limit of the current, A; default: as the files flag it, or as seen"),
]
OneFile = Annotated[
    str | None, typer.Option("--file", help="-o draws this one of several files, by its name")
]
AveragingTime = Annotated[
    float | None, typer.Option(help="see simulated traces through this averaging time, s")
]


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
