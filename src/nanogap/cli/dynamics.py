"""The subcommands that look into the dynamics of a run: arguments in, calls out."""

import math
from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli.common import (
    AsJson,
    Directory,
    FigureFile,
    check_figure,
    emit,
    log,
    save,
    show_progress,
    table,
)

#: Time of a fine sampling, fs: 131 samples, as 'nanogap noise' needs 128.
SAMPLING_TIME = 2600.0


def register(app: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    for command in (stages, sample):
        app.command()(command)


def stages(
    directory: Directory,
    output: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell the stage of every snapshot of a run, and when bridges formed and broke."""
    from nanogap.runs import RunDirectory
    from nanogap.runs.stages import draw_stages, stages_of_run

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
        (span.stage.value, f"{span.begin / 1000:g}", f"{span.end / 1000:g}", str(span.first))
        for span in content.spans
    ]
    table(str(directory), ("stage", "from (ps)", "to (ps)", "snapshot"), rows)
    events = [
        (event.event, f"{event.time / 1000:g}", str(event.snapshot)) for event in content.events
    ]
    names = ("event", "seen at (ps)", "snapshot")
    table("Contacts and ruptures", names, events, "No bridge formed or broke.")


def sample(
    directory: Directory,
    at: Annotated[
        str,
        typer.Option(
            help="time of the first sample under voltage: 26000 (fs), 26.0ps, contact, contact+3ps"
        ),
    ],
    every: Annotated[float, typer.Option(help="time between two samples, fs")] = 20.0,
    duration: Annotated[
        float,
        typer.Option("--for", help="time from the first to the last sample, fs: enough for noise"),
    ] = SAMPLING_TIME,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="the new run directory; default: RUN/samples/..."),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="repeat the run where no checkpoint is early enough")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sample a moment of a run finely: the fluctuation of its conductance.

    The run itself stays as it is. The same command goes on with an interrupted sampling.
    """
    from nanogap.runs import RunDirectory
    from nanogap.runs.sample import SampleRequest, moment, sample_run, summary

    origin = RunDirectory(directory)
    request = SampleRequest(moment(at, origin), every, duration, output, replay)
    with show_progress() as watch:
        sampled = sample_run(origin, request, watch)
    content = summary(sampled)
    if as_json:
        emit(content)
        return
    log.print(f"{len(content.time)} samples, {content.known} with T; in {sampled.path}")
    if math.isfinite(content.deviation):
        log.print(f"T = {content.mean:.4g} ± {content.deviation:.2g} G0 (standard deviation)")
    if math.isfinite(content.exponent):
        error = content.exponent_uncertainty
        log.print(f"spectrum f^-a with a = {content.exponent:.2f} ± {error:.2f}")
    log.print(f"Figure: {sampled.files.fluctuation}")
