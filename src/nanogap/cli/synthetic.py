"""The subcommand for synthetic measurements."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli import common
from nanogap.cli.common import AsJson, log
from nanogap.printing import counted


def register(app: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    app.command()(synthetic)


def synthetic(
    kind: Annotated[
        str,
        typer.Argument(help="levels, switching, quiet, retention, noise, telegraph or breakdown"),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="the new folder")],
    dialect: Annotated[
        str,
        typer.Option(
            "--format",
            help="csv, tsv, semicolon, blanks, keithley-4200-xlsx, "
            "keithley-4200-csv, keithley-4200-kxci, keithley-2600 or netcdf",
        ),
    ] = "csv",
    seed: Annotated[int, typer.Option(help="same seed, same files")] = 0,
    devices: Annotated[int | None, typer.Option(help="default: as in the paper")] = None,
    cycles: Annotated[int | None, typer.Option(help="of all devices together")] = None,
    points: Annotated[int, typer.Option(help="of a current sweep")] = 4000,
    series_resistance: Annotated[float, typer.Option(help="mean over the devices, ohm")] = 500.0,
    spread: Annotated[float, typer.Option(help="largest relative deviation from it")] = 0.2,
    as_json: AsJson = False,
) -> None:
    """Write synthetic measurements whose every answer is known (truth.json)."""
    from nanogap.synthetic import write_synthetic

    with log.status("Synthetic data"):
        content = write_synthetic(
            output,
            kind,
            seed=seed,
            dialect=dialect,
            n_devices=devices,
            cycles=cycles,
            points=points,
            series_resistance=series_resistance,
            spread=spread,
        )
    if as_json:
        common.emit(content)
    else:
        files = counted(len(content.files), "synthetic file")
        log.print(f"Wrote {files} and truth.json into {output}")
