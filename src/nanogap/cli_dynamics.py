"""The subcommands that look into the dynamics of a run: arguments in, calls out."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli_output import check_figure, emit, log, save, table

Directory = Annotated[Path, typer.Argument(help="a run directory")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, nothing else")]


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    app.command()(stages)


def stages(
    directory: Directory,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="figure: pdf, svg, eps or png")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the stage of every snapshot of a run, and when bridges formed and broke."""
    from nanogap.run import RunDirectory
    from nanogap.run.stages import draw_stages, stages_of_run

    check_figure(output)
    run = RunDirectory(directory)
    with log.status("Stages"):
        content = stages_of_run(run)
    if output is not None:
        from nanogap.report.style import house_style

        with house_style():
            figure = draw_stages(run)
            if figure is not None:
                save(figure, output)
    if as_json:
        emit(content)
        return
    rows = [
        (span["stage"], f"{span['begin'] / 1000:g}", f"{span['end'] / 1000:g}", str(span["first"]))
        for span in content["spans"]
    ]
    table(str(directory), ("stage", "from (ps)", "to (ps)", "snapshot"), rows)
    events = [
        (event["event"], f"{event['time'] / 1000:g}", str(event["snapshot"]))
        for event in content["events"]
    ]
    table("Contacts and ruptures", ("event", "seen at (ps)", "snapshot"), events)
