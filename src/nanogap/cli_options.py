"""Arguments and options that several subcommands have."""

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[Path, typer.Argument(help="a run directory")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, nothing else")]
FigureFile = Annotated[
    Path | None, typer.Option("-o", "--output", help="figure: pdf, svg, eps or png")
]
