"""Common parts of the subcommands: reading options, tables, JSON, figures, progress."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from nanogap.cli.idle import refuse_idle
from nanogap.cli.terminal import Terminal, as_options
from nanogap.errors import SettingsError
from nanogap.printing import time_in_words

if TYPE_CHECKING:
    from pydantic import BaseModel

    from nanogap.measured import DataFiles

log = Terminal(stderr=True)

#: Work beyond this is begun only if the user agrees, s.
LONG_WORK = 600.0

Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="section.key=value, wins over the file")
]
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
    resistance: str | None,
    uncertainty: float | None,
    pristine: list[Path] | None,
    columns: str | None,
    averaging_time: float | None = None,
    saturated: list[Path] | None = None,
    sampling_rate: float | None = None,
    origin: float | None = None,
) -> "DataFiles":
    """Gather what says which files and how."""
    from nanogap.io.clock import Clock
    from nanogap.measured import DataFiles, DeviceResistances

    choice = series_choice("0" if resistance is None else resistance)
    given = [resistance is not None, bool(pristine), bool(saturated)]
    if sum(given) > 1:
        raise SettingsError("give one of --series-resistance, --pristine and --saturated")
    if pristine or saturated:
        beside = "--pristine" if pristine else "--saturated"
        refuse_idle(
            {"--series-uncertainty": uncertainty},
            f"beside {beside}, whose curves say how well they are known",
        )
    if pristine:
        resistances = DeviceResistances.from_pristine(pristine, columns)
    elif saturated:
        resistances = DeviceResistances.from_saturated(saturated, columns)
    else:
        if uncertainty is None and not isinstance(choice, str):
            uncertainty = 0.2 * abs(choice)
        resistances = DeviceResistances.chosen(choice, uncertainty)
    clock = Clock(sampling_rate, origin)
    return DataFiles(files, columns, resistances, averaging_time, clock=clock)


def series_choice(text: str) -> float | Literal["circuit"]:
    """Read what is in series with the gaps: a number, ohm, or the word of what the data say.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if text == "circuit":
        return "circuit"
    try:
        return float(text)
    except ValueError:
        raise SettingsError(
            f"--series-resistance {text}: give a number, in ohm, or 'circuit': what the data of "
            "each simulated device say"
        ) from None


def preset_about(text: str) -> str:
    """Join the remarks of a preset's file into one text."""
    return " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("#"))


def write_settings(
    settings: "BaseModel", preset: str, about: str, output: Path, *, command: str, as_json: bool
) -> None:
    """Write a settings file to edit, from a preset: every key, explained.

    Parameters
    ----------
    settings : BaseModel
        Of the preset.
    preset, about : str
        Its name and what it is.
    output : Path
        The new file.
    command : str
        What runs it.
    as_json : bool

    Raises
    ------
    SettingsError
        If the file is there already, or cannot be written.
    """
    from nanogap.io import write_text
    from nanogap.settings import settings_document

    check_new_file(output)
    text = settings_document(settings, f"The preset {preset}.\n{about}")
    write_text(output, text)
    if as_json:
        emit({"settings": str(output), "preset": preset})
    else:
        log.print(f"Wrote {output}. Run it with: nanogap {command} {output} -o DIR")


def refuse_unasked(seconds: float) -> None:
    """Refuse long work where there is no terminal to ask whether to begin it.

    Raises
    ------
    SettingsError
        If standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise SettingsError(
            f"this takes about {time_in_words(seconds)}, and there is no terminal to ask whether "
            "to begin: give --yes"
        )


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


def check_new_file(output: Path) -> None:
    """Refuse a settings file that is there already or cannot be written."""
    if output.exists():
        raise SettingsError(f"{output} exists already: choose another -o")
    check_output(output, (".toml",))


def check_figure(output: Path | None, option: str = "-o") -> None:
    """Refuse a figure path, given with an option, before the work begins."""
    if output is not None:
        from nanogap.report.marks import need_figure_path

        need_figure_path(output, option)


def save(figure: Any, output: Path) -> None:
    """Write a figure and say so."""
    from nanogap.report.marks import save_figure

    save_figure(figure, output)
    log.print(f"Wrote {output}")


def tell(synthetic: bool, notes: Sequence[str] = ()) -> None:
    """Say on stderr what reading left out, and that synthetic data are synthetic."""
    for note in notes:
        log.print(as_options(note), highlight=False, soft_wrap=True)
    if synthetic:
        log.print("The data are SYNTHETIC.")


def emit(content: object) -> None:
    """Print one JSON object on stdout: a mapping, or a data class by the names of its fields."""
    sys.stdout.write(json.dumps(finite(content), allow_nan=False) + "\n")
    sys.stdout.flush()  # whoever waits for it reads it now, not when a server ends


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


def table(
    title: str,
    names: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    none: str = "",
    *,
    left: bool = False,
) -> None:
    """Print a table on stdout, or the sentence `none` where it would have no rows.

    Numbers stand at the right; with `left`, as for words, all at the left, the first unbroken.
    """
    if none and not rows:
        Terminal().print(Text(none), soft_wrap=True)
        return
    shown = Table(title=title, show_header=any(names))
    for place, name in enumerate(names):
        # a name that is too long goes on in the next line: its end tells files apart
        shown.add_column(
            name,
            justify="left" if left else "right",
            overflow="fold",
            no_wrap=left and place == 0,
        )
    for row in rows:
        shown.add_row(*row)
    Terminal().print(shown)


class ProgressLines:
    """Progress as lines, for output that is no terminal: a log file, the output of a job.

    Parameters
    ----------
    pause : float
        Least time between two lines, s; work that ends sooner prints none.
    """

    def __init__(self, pause: float = 30.0) -> None:
        self._pause = pause
        self._begin = self._last = time.monotonic()
        self._first: dict[str, int] = {}

    def update(self, parts: Sequence[tuple[str, int, int | None]], doing: str = "") -> None:
        """Print a line, if it is time for one.

        Parameters
        ----------
        parts : sequence of (str, int, int or None)
            What is done, how much of it, and how much there is.
        doing : str
            What is being done that is not counted.
        """
        now = time.monotonic()
        for name, done, _ in parts:
            self._first.setdefault(name, done)
        if now - self._last < self._pause:
            return
        self._last = now
        known = [(name, done, int(total)) for name, done, total in parts if total]
        shown = [
            f"{name} {done} of {total} ({100 * done // total} %)" for name, done, total in known
        ]
        shown += [f"{name} {done}" for name, done, total in parts if not total]
        # where all that is counted is done, what is left is not counted
        left = [self._left(now, *part) for part in known if part[1] < part[2]]
        if left and None not in left:
            shown.append(f"about {time_in_words(max(one for one in left if one is not None))} left")
        if doing:
            shown.append(f"now {doing}")
        log.print(", ".join(shown), highlight=False, soft_wrap=True)

    def _left(self, now: float, name: str, done: int, total: int) -> float | None:
        """Estimate the seconds that are left by what was done since the first call."""
        gained = done - self._first[name]
        return (now - self._begin) / gained * (total - done) if gained > 0 else None


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
    """Show how many of some things are done: watch(done), watch(done, total) or with what is doing.

    On a terminal as a bar, elsewhere as a line now and then.
    """
    lines = ProgressLines()
    # a bar of nothing would leave an empty line before the error
    with _bars(transient=True, disable=total == 0 or not log.is_interactive) as bars:
        task = bars.add_task(what, total=total)

        def watch(done: int, known: int | None = total, doing: str = "") -> None:
            bars.update(task, completed=done, total=known, description=doing or what)
            if not log.is_interactive:
                lines.update([(what, done, known)], doing)

        yield watch


@contextmanager
def counted_after(spinner: Any, what: str) -> Iterator[Callable[[int, int], object]]:
    """Show how much is done in the place of a spinner, from the first that is told on."""
    with ExitStack() as stack:
        watch: Callable[..., object] | None = None

        def update(done: int, total: int) -> None:
            nonlocal watch
            if watch is None:
                spinner.stop()
                watch = stack.enter_context(counted(what))
            watch(done, total)

        yield update


@contextmanager
def counted_files(what: str, data: "DataFiles") -> Iterator["DataFiles"]:
    """Show how many of the files are analysed."""
    with counted(what) as watch:
        yield replace(data, watch=watch)


@contextmanager
def show_progress() -> Iterator[Any]:
    """Show what is being done, and two progress bars with time left, on stderr.

    Where that is no terminal, lines with time left, no more than two a minute.
    """
    bars, lines = _bars(disable=not log.is_interactive), ProgressLines()
    dynamics = bars.add_task("dynamics", total=None)
    transport = bars.add_task("transport", total=None)
    rest = bars.add_task("", total=None, visible=False)  # what is not counted
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
        bars.update(rest, description=progress.task, visible=progress.all_counted)
        if not log.is_interactive:
            lines.update(
                [
                    ("dynamics: step", progress.step, progress.end_step),
                    ("transmissions:", progress.transmissions, progress.snapshots_planned),
                ],
                progress.task if progress.all_counted else "",
            )

    try:
        yield watch
    finally:
        spinner.stop()
        if last:
            bars.stop()
