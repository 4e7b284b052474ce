"""The subcommands that draw the figures of the paper and films: arguments in, calls out."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli.common import AsJson, Directory, counted, emit, log, save, table
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError
from nanogap.printing import counted as count_of

#: Figures of the paper that are measured, and the commands that draw theirs.
_MEASURED = {
    ("1b",): "breakdown",
    ("2a", "2b", "2d", "2f", "2g", "2h"): "switching",
    ("2c", "2e"): "retention",
    ("3a",): "plateaus",
    ("4a", "4b"): "histogram",
    ("5a", "5b"): "noise",
    ("S4",): "level-displacement",
}


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    for command in (figure, movie):
        app.command()(command)


def figure(
    which: Annotated[
        str | None,
        typer.Argument(help="number of the figure: 1i, 3b, 3c, 3bc, 3d-f, 4c, 5c, 5d, 5cd, S3"),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Argument(help="run directories, or campaigns of runs")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="pdf, svg, eps or png; the numbers beside it as csv"),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="list the figures")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a figure of the paper from runs (doi:10.1039/d3nh00476g), with its numbers as CSV."""
    from nanogap.report.paper_figures import PAPER_FIGURES

    if show:
        refuse_idle({"WHICH": which, "-o": output}, "beside --list")
        if as_json:
            emit({name: one.about for name, one in PAPER_FIGURES.items()})
        else:
            rows = [(name, one.about) for name, one in PAPER_FIGURES.items()]
            table("Figures of the paper", ("figure", "what it shows"), rows, left=True)
        return
    name = _figure_name(which)
    if not data or output is None:
        raise SettingsError(f"figure {name} needs a run or campaign, and -o FILE")
    from nanogap.campaign.trajectories import open_trajectories
    from nanogap.io.atomic import write_csv
    from nanogap.report.marks import need_figure_path
    from nanogap.report.style import house_style

    need_figure_path(output)
    kind = PAPER_FIGURES[name]
    numbers = output.with_suffix(".csv")
    with counted("spectra of structures:") as watch:
        trajectories = open_trajectories(data, sampled=kind.sampled, watch=watch)
        with house_style():
            drawn = kind.draw(trajectories)
    save(drawn.figure, output)
    write_csv(numbers, [drawn.columns, *drawn.rows])
    if as_json:
        emit({"figure": str(output), "csv": str(numbers), "rows": len(drawn.rows)})
    else:
        log.print(f"Wrote {numbers}: {count_of(len(drawn.rows), 'row')}", highlight=False)


def _figure_name(which: str | None) -> str:
    """Find the figure that is meant, in any letter case.

    Raises
    ------
    SettingsError
        If there is none, or it is a measured one.
    """
    from nanogap.report.paper_figures import PAPER_FIGURES

    asked = (which or "").casefold().removeprefix("fig").strip(". ")
    for name in PAPER_FIGURES:
        if asked == name.casefold():
            return name
    for names, command in _MEASURED.items():
        if asked in {one.casefold() for one in names}:
            raise SettingsError(
                f"figure {which} shows measured data: 'nanogap {command} FILES -o FIGURE' draws it"
            )
    known = ", ".join(PAPER_FIGURES)
    raise SettingsError(
        f"give the number of a figure, one of {known}"
        if which is None
        else f"figure {which!r} is not known: choose from {known}"
    )


def movie(
    directory: Directory,
    output: Annotated[Path, typer.Option("-o", "--output", help="gif, or mp4 by ffmpeg")],
    frames: Annotated[
        int, typer.Option(min=2, max=2000, help="pictures at most, evenly over the run")
    ] = 200,
    rate: Annotated[float, typer.Option(min=0.5, max=60.0, help="pictures per second")] = 12.0,
    as_json: AsJson = False,
) -> None:
    """Make a film of a run: its atoms, with voltage, T and stage (as the paper's Movie S2)."""
    from nanogap.report.film import need_movie_path
    from nanogap.report.movie import write_movie
    from nanogap.runs import RunDirectory
    from nanogap.runs.trajectory import trajectory_of

    need_movie_path(output)
    trajectory = trajectory_of(RunDirectory(directory))
    with counted("pictures:") as watch:
        shown = write_movie(trajectory, output, frames=frames, rate=rate, watch=watch)
    if as_json:
        emit({"movie": str(output), "pictures": shown, "seconds": shown / rate})
    else:
        log.print(f"Wrote {output}: {shown} pictures, {shown / rate:.3g} s", highlight=False)
