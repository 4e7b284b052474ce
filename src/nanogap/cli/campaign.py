"""The subcommands for ensembles of runs: arguments in, calls out."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from nanogap.cli import common
from nanogap.cli.campaign_report import report
from nanogap.cli.common import (
    LONG_WORK,
    AsJson,
    check_output,
    log,
    refuse_unasked,
)
from nanogap.cli.idle import refuse_idle
from nanogap.errors import NanogapError, SettingsError
from nanogap.printing import counted, time_in_words

if TYPE_CHECKING:
    from nanogap.campaign.device_state import RunningDevice
    from nanogap.campaign.estimate import Estimate
    from nanogap.campaign.executor import CampaignProgress, Watcher
    from nanogap.campaign.folder import CampaignFolder
    from nanogap.campaign.state import CampaignState, CampaignStatus, RunningMember

app = typer.Typer(
    no_args_is_help=True,
    help="Ensembles: many runs or devices of one kind, and what they say together.",
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Argument(help="a campaign folder")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask whether the rest shall be run")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="try members again that were given up")
]

_PAGE_EVERY = 10.0

#: Exit status of a campaign of which members were given up.
_INCOMPLETE = 3


@app.command()
def new(
    output: Annotated[Path, typer.Argument(help="the new file")] = Path("campaign.toml"),
    preset: Annotated[
        str | None,
        typer.Option(
            help="packaged campaign: paper, the simulations of the paper with three seeds"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented campaign file to edit."""
    from nanogap.campaign.file import EXAMPLE, campaign_preset
    from nanogap.io import write_text

    text = EXAMPLE if preset is None else campaign_preset(preset)
    if output.exists():
        raise SettingsError(f"{output} exists already: choose another name")
    check_output(output, (".toml",), "campaign file")
    write_text(output, text)
    if as_json:
        common.emit({"campaign": str(output)})
    else:
        log.print(f"Wrote {output}. Run it with: nanogap campaign run {output} -o DIR")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="a campaign file")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the campaign folder")],
    retry_failed: RetryFailed = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run all members of a campaign; those that the folder has already are not run again.

    Exit status 3: members were given up.
    """
    from nanogap.campaign.folder import CampaignFolder

    _drive(CampaignFolder.plan(output, file), retry_failed, yes, as_json)


@app.command()
def resume(
    directory: Folder, retry_failed: RetryFailed = False, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Go on with a campaign that was interrupted. Exit status 3: members were given up."""
    from nanogap.campaign.folder import CampaignFolder

    _drive(CampaignFolder(directory), retry_failed, yes, as_json)


@app.command()
def status(
    directory: Folder,
    watch: Annotated[bool, typer.Option("--watch", help="until it ends, or Ctrl-C")] = False,
    interval: Annotated[
        float | None, typer.Option(min=0.2, help="of --watch, between two looks, s; default: 2")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far a campaign is; status.html in the folder says it in a browser."""
    from nanogap.campaign.folder import CampaignFolder
    from nanogap.campaign.state import AT_WORK, CampaignState

    if watch and as_json:
        raise SettingsError("give --watch or --json, not both")
    if not watch:
        refuse_idle({"--interval": interval}, "without --watch")
    folder = CampaignFolder(directory)
    state = CampaignState(folder)
    content = state.describe()
    _write_page(folder, content)
    if as_json:
        common.emit(content)
        return
    if not watch:
        log.print(_state_table(content))
        return
    with Live(_state_table(content), console=log, auto_refresh=False) as live:
        while content.state in AT_WORK:
            time.sleep(2.0 if interval is None else interval)
            content = state.describe()
            _write_page(folder, content)
            live.update(_state_table(content), refresh=True)


@app.command()
def collect(
    directory: Folder,
    export: Annotated[
        list[Path] | None, typer.Option(help="also as a table: .csv or .parquet")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the results of all finished members into one dataset, dataset.nc in the folder.

    Of simulated devices it is measurement.nc, which the commands for measured data read.
    """
    from nanogap.campaign.collect import collect as collect_members
    from nanogap.campaign.collect import open_ensemble
    from nanogap.campaign.folder import CampaignFolder
    from nanogap.io.ensemble import export_table

    for path in export or []:
        check_output(path, (".csv", ".parquet"), "--export")
    folder = CampaignFolder(directory)
    with common.counted("collected", len(folder.finished())) as watch:
        collected = collect_members(folder, watch)
    tables = {}
    if export and folder.kind == "device":
        from nanogap.campaign.device_collect import export_devices

        tables = {str(path): export_devices(folder.dataset, path) for path in export}
    elif export:
        with open_ensemble(folder.dataset) as dataset:
            tables = {str(path): export_table(dataset, path) for path in export}
    if as_json:
        common.emit({**vars(collected), "tables": tables})
        return
    for note in collected.notes:
        log.print(note)
    log.print(f"Wrote {collected.dataset}: {collected.members} of {collected.planned} members")
    if folder.kind == "device":
        log.print(
            f"Statistics: nanogap campaign report {directory}, or nanogap switching {directory} "
            "--by AXIS, and likewise histogram, plateaus, retention, noise"
        )
    for name, rows in tables.items():
        log.print(f"Wrote {name}: {counted(rows, 'row')}")


app.command()(report)


def _drive(folder: "CampaignFolder", retry_failed: bool, yes: bool, as_json: bool) -> None:
    """Run what is left of a campaign, with a bar and a page that show how far it is."""
    from nanogap.campaign.drive import drive
    from nanogap.campaign.state import CampaignState

    for note in folder.notes:
        log.print(Text(note))
    if retry_failed:
        for key in folder.given_up():
            folder.forget_failure(folder.entry(key))
    state = CampaignState(folder)
    _tell_planned_cost(folder)
    if not yes:
        _confirm_first_member(folder)
    try:
        with members_bar(folder, state) as (watch, bars):
            outcome = drive(folder, None if yes else _confirmation(bars), watch)
    except KeyboardInterrupt:
        _tell_jobs_that_go_on(folder)
        raise
    except NanogapError:
        if as_json:
            common.emit(state.describe())
        raise
    content = state.describe()
    _write_page(folder, content)
    if as_json:
        common.emit(content)
    else:
        if outcome.declined:
            log.print(Text(f"Stopped. {_how_to_go_on(folder)}."))
        log.print(_state_table(content))
        log.print(Text(_what_next(folder)))
    _end_incomplete(folder, content)


def _what_next(folder: "CampaignFolder") -> str:
    """Say which commands give the statistics, and of devices the measurement."""
    told = f"Statistics: nanogap campaign report {folder.path}"
    if folder.kind == "run":
        return told
    return f"{told}\nMeasurement: nanogap campaign collect {folder.path}"


def _confirmation(bars: Progress) -> Callable[["Estimate"], bool]:
    """Return a function that tells what is left, and asks whether to go on where one can ask."""

    def confirm(needs: "Estimate") -> bool:
        if bars.live.is_started:
            bars.stop()
        log.print(needs.sentence())
        seconds = 3600.0 * needs.wall_hours
        if seconds > LONG_WORK:
            refuse_unasked(seconds)
        return typer.confirm("Go on?", err=True) if sys.stdin.isatty() else True

    return confirm


def _tell_planned_cost(folder: "CampaignFolder") -> None:
    """Say what a campaign will cost before its first member, if that is long work."""
    from nanogap.campaign.estimate import planned_cost

    cost = planned_cost(folder)
    if cost is not None and 3600.0 * cost.core_hours > LONG_WORK:
        log.print(cost.sentence(), highlight=False)


def _confirm_first_member(folder: "CampaignFolder") -> None:
    """Ask before the first member, on which all others are measured, if that alone takes long."""
    from nanogap.campaign.estimate import first_member_seconds

    seconds = first_member_seconds(folder)
    if seconds <= LONG_WORK:
        return
    log.print(f"The first member alone will take about {time_in_words(seconds)}.")
    refuse_unasked(seconds)
    if not typer.confirm("Go on?", err=True):
        raise typer.Abort


def _end_incomplete(folder: "CampaignFolder", content: "CampaignStatus") -> None:
    """End with a status of its own where members were given up."""
    if not content.given_up:
        return
    lost = f"{len(content.given_up)} of {content.planned} members were given up"
    again = f"'nanogap campaign resume {folder.path} --retry-failed' tries them again"
    log.print(Text(f"{lost}; {again}"))
    sys.exit(_INCOMPLETE)


def _how_to_go_on(folder: "CampaignFolder") -> str:
    words = f"'nanogap campaign resume {folder.path}' goes on"
    jobs = _jobs_that_go_on(folder)
    return f"{words}; {jobs}" if jobs else words


def _tell_jobs_that_go_on(folder: "CampaignFolder") -> None:
    jobs = _jobs_that_go_on(folder)
    if jobs:
        log.print(Text(jobs))


def _jobs_that_go_on(folder: "CampaignFolder") -> str:
    """Tell of the jobs of a cluster that an interruption does not end; empty without them."""
    jobs = len(folder.submitted())
    if folder.file.executor.kind == "local" or not jobs:
        return ""
    one = jobs == 1
    return (
        f"{jobs} job{'' if one else 's'} of the cluster {'goes' if one else 'go'} on, "
        f"until 'scancel' ends {'it' if one else 'them'}"
    )


def _write_page(folder: "CampaignFolder", content: "CampaignStatus") -> None:
    """Write the status page where that is possible: looking needs no right to write."""
    from nanogap.campaign.state_page import write_state_page

    with suppress(OSError):
        write_state_page(folder, content)


@contextmanager
def members_bar(
    folder: "CampaignFolder", state: "CampaignState"
) -> Iterator[tuple["Watcher", Progress]]:
    """Show finished members on stderr, and write the status page now and then."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    last, told, left = -_PAGE_EVERY, "", ""
    lines = common.ProgressLines()
    bars = Progress(*columns, console=log)
    task = bars.add_task("members", total=len(folder.entries))

    def watch(progress: "CampaignProgress") -> None:
        nonlocal last, told, left
        bars.start()  # not before: a bar of nothing would stand above the error
        if progress.note != told:
            told = progress.note
            if told:
                bars.console.print(Text(told))
        if time.monotonic() - last >= _PAGE_EVERY:
            content = state.describe()
            _write_page(folder, content)
            left = "" if content.hours_left is None else f"about {content.time_left} left"
            last = time.monotonic()
        words = _progress_words(progress, left)
        bars.update(task, completed=progress.finished, description=f"members{words}")
        if not log.is_interactive:
            lines.update([("members:", progress.finished, progress.planned)])

    try:
        yield watch, bars
    finally:  # nothing runs any more
        given_up = len(folder.given_up())
        words = f" ({given_up} given up)" if given_up else ""
        bars.update(task, completed=len(folder.finished()), description=f"members{words}")
        if bars.live.is_started:
            bars.stop()


def _progress_words(progress: "CampaignProgress", left: str) -> str:
    """Say in brackets what goes on; nothing where nothing does."""
    counts = [
        (progress.running - progress.waiting, "running"),
        (progress.waiting, "waiting in the queue"),
        (progress.elsewhere, "run by another process"),
        (progress.given_up, "given up"),
    ]
    words = [f"{count} {what}" for count, what in counts if count]
    if progress.running and left:
        words.append(left)
    return f" ({', '.join(words)})" if words else ""


def _running_words(member: "RunningMember | RunningDevice") -> str:
    """Say how far a member at work is."""
    from nanogap.campaign.device_state import RunningDevice

    if isinstance(member, RunningDevice):
        varied = "".join(f", {key} = {value}" for key, value in member.axes.items())
        values = [f"{value:.3g} G0" for value in member.conductance[:5]]
        return f"{member.key[:8]}{varied}: {', '.join([*member.words(), *values])}"
    now = f", T = {member.transmission[-1]:.2f} G0" if member.transmission else ""
    return f"{member.key[:8]}: step {member.step} of {member.end_step}{now}"


def _state_table(status: "CampaignStatus") -> Group:
    from nanogap.campaign.state import contact_words, points_rows

    table = Table(title=Text(f"{status.name}: {status.state}"), show_header=False)
    table.add_row("finished", f"{status.finished} of {status.planned}")
    table.add_row("running", str(len(status.running)))
    if status.waiting or status.state == "waiting":
        table.add_row("waiting in the queue", str(status.waiting))
    table.add_row("given up", str(len(status.given_up)))
    for name, value in points_rows(status):
        table.add_row(name, value)
    first = status.first_contact
    if first is not None and first.mean is not None:
        table.add_row("first contact (G0)", contact_words(first))
    table.add_row("core-hours so far", f"{status.core_hours:.2f}")
    table.add_row("time left", status.time_left)
    if status.unmatched:
        table.add_row("results of other plans", str(status.unmatched))
    lines: list[RenderableType] = [table]
    lines += [Text(_running_words(one)) for one in status.running]
    lines += [Text(f"{key[:8]} given up: {why}") for key, why in status.given_up.items()]
    return Group(*lines)
