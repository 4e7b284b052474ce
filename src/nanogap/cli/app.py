"""The command line: arguments in, calls out."""

import logging
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.table import Table

from nanogap import __version__
from nanogap.cli import (
    campaign,
    compact,
    device,
    dynamics,
    first_principles,
    fit,
    imaging,
    instrument,
    live,
    measure,
    measured,
    paper,
    transmission,
    wire,
)
from nanogap.cli import measured_options as options
from nanogap.cli.common import (
    AsJson,
    Columns,
    Directory,
    Overrides,
    SamplingRate,
    check_output,
    counted,
    data_files,
    emit,
    log,
    preset_about,
    show_progress,
    write_settings,
)
from nanogap.cli.idle import refuse_idle
from nanogap.cli.measured_report import report_of_data
from nanogap.cli.stopping import Stopped, heed_signals, how_to_go_on
from nanogap.cli.terminal import LogLines, Terminal, complain, inert, words_of
from nanogap.errors import NanogapError, SettingsError

if TYPE_CHECKING:
    from nanogap.runs import RunStatus

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Voltage-driven rewiring of metallic nanogaps: dynamics, conductance, statistics.",
    pretty_exceptions_enable=False,
)

Source = Annotated[str, typer.Argument(help="a preset (quick, paper-2v, paper-8v) or a TOML file")]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; a wrong input ends with one sentence and exit status 2."""
    _prepare_process()
    _log_to_terminal()
    try:
        _end_with(app(standalone_mode=False))
    except NanogapError as error:
        complain(str(error))
        sys.exit(2)
    except typer.TyperException as error:
        message = error.format_message()  # empty where the help was shown instead
        if message:
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "nanogap"
            complain(f"{message.rstrip('.')}: see '{command} --help'")
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        _end_interrupted()
    except Stopped as stopped:
        _end_stopped(stopped)
    except OSError as error:
        complain(words_of(error))
        sys.exit(2)
    except Exception as error:
        _end_by_signal_behind(error)
        if os.environ.get("NANOGAP_TRACEBACK"):
            raise
        _end_unexpected(error)


def _end_by_signal_behind(error: Exception) -> None:
    """End as by a signal if its exception came out of compiled code, which hides it behind one."""
    if isinstance(error.__cause__, Stopped):
        _end_stopped(error.__cause__)
    if isinstance(error.__cause__, KeyboardInterrupt):
        _end_interrupted()


def _end_stopped(stopped: Stopped) -> NoReturn:
    """End as the signal wants it, and say how to go on."""
    complain(f"stopped by {stopped.name}; {how_to_go_on(sys.argv[1:])}")
    sys.exit(stopped.code)


def _end_unexpected(error: Exception) -> NoReturn:
    """Tell input that no reader is made for from a fault of the program."""
    if isinstance(error, RecursionError | MemoryError):
        deep = isinstance(error, RecursionError)
        what = "is nested too deeply" if deep else "needs more memory than there is"
        complain(f"the input {what}: is a file damaged?")
        sys.exit(2)
    complain(
        f"internal error, please report it: {type(error).__name__}: {error} "
        "(NANOGAP_TRACEBACK=1 shows where)"
    )
    sys.exit(1)


def _prepare_process() -> None:
    """Let a signal end the children too, and libraries keep their warnings to themselves."""
    heed_signals()
    if not os.environ.get("NANOGAP_TRACEBACK") and not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries: what users must know are our sentences
        logging.lastResort = logging.NullHandler()  # none at all is complained of


def _log_to_terminal() -> None:
    """Show what the package logs, once, as lines on stderr."""
    logger = logging.getLogger("nanogap")
    logger.handlers = [LogLines(log)]
    logger.propagate = False


def _end_with(status: object) -> None:
    """End with the status of a command that has done its work, and found something to fail."""
    if status == _INTERRUPTED:  # what typer makes of Ctrl-C
        _end_interrupted()
    if status:
        sys.exit(int(str(status)))


def _end_interrupted() -> NoReturn:
    complain(f"interrupted; {how_to_go_on(sys.argv[1:])}")
    sys.exit(_INTERRUPTED)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    if version:
        sys.stdout.write(f"nanogap {__version__}\n")
        raise typer.Exit


@app.command()
def init(
    preset: Annotated[str, typer.Argument(help="the preset to begin with")] = "quick",
    output: Annotated[Path, typer.Option("-o", "--output", help="the new file")] = Path(
        "nanogap.toml"
    ),
    as_json: AsJson = False,
) -> None:
    """Write a settings file to edit, from a preset: every key, explained."""
    from nanogap.settings import load_settings, preset_text

    about = preset_about(preset_text(preset))
    write_settings(load_settings(preset), preset, about, output, command="run", as_json=as_json)


@app.command()
def build(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="extxyz file")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Build the two tips and write them as extxyz."""
    from ase.io import write

    from nanogap.dynamics.start import build_tips
    from nanogap.io import write_atomically
    from nanogap.settings import load_settings

    settings = load_settings(source, tuple(overrides or ()))
    check_output(output, (".extxyz", ".xyz"))
    with log.status("Lattice constant and structure"):
        atoms = build_tips(settings)
    write_atomically(output, lambda path: write(path, atoms, format="extxyz"))
    lattice_constant = atoms.info["lattice_constant"]
    if as_json:
        emit({"file": str(output), "atoms": len(atoms), "lattice_constant": lattice_constant})
    else:
        log.print(f"Wrote {output}: {len(atoms)} atoms, lattice constant {lattice_constant:.3f} Å")


@app.command()
def run(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="the new run directory")],
    overrides: Overrides = None,
    reference_snapshots: Annotated[
        int, typer.Option(help="then compute so many snapshots with pwcond, see 'reference'")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Simulate a rewiring and compute the transmission of every snapshot."""
    from nanogap.runs import start_run
    from nanogap.settings import load_settings
    from nanogap.transport.tight_binding.files import why_none

    settings = load_settings(source, tuple(overrides or ()))
    missing = why_none(settings.transport.hamiltonian, settings.structure.element)
    if missing:
        log.print(f"Note: {missing}", highlight=False)
    with show_progress() as watch:
        start_run(output, settings, source, watch)
    if reference_snapshots:
        first_principles.compute_reference(
            output, reference_snapshots, "0", 2, "validation", unasked=True
        )
    _tell_status(output, as_json)


@app.command()
def resume(directory: Directory, as_json: AsJson = False) -> None:
    """Go on with an interrupted run to the end it would have had."""
    from nanogap.runs import resume_run

    with show_progress() as watch:
        resume_run(directory, watch)
    _tell_status(directory, as_json)


@app.command()
def status(directory: Directory, as_json: AsJson = False) -> None:
    """Say how far a run is."""
    _tell_status(directory, as_json)


@app.command()
def report(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="a run directory; or measurements: files, folders, device directories, campaigns "
            "of devices"
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="html; default: report.html, of a run in its folder"),
    ] = None,
    series_resistance: options.Resistance = None,
    series_uncertainty: options.ResistanceError = None,
    pristine: options.Pristine = None,
    compliance: options.Compliance = None,
    read_voltage: Annotated[
        float | None, typer.Option(help="where the states are read, V; default: 0.4")
    ] = None,
    columns: Columns = None,
    sampling_rate: SamplingRate = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="folder for the figures, as pdf, and for the numbers of a run, as csv"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a run anew, finished or not, or that of a measurement campaign."""
    from nanogap.measured.files import are_measured
    from nanogap.runs import RunDirectory, make_report

    _point_to_campaign(data)
    if are_measured(data):
        files = data_files(
            data,
            series_resistance,
            series_uncertainty,
            pristine,
            columns,
            sampling_rate=sampling_rate,
        )
        files = replace(files, compliance=compliance)
        voltage = 0.4 if read_voltage is None else read_voltage
        report_of_data(files, output or Path("report.html"), as_json, voltage, figures)
        return
    refuse_idle(
        {
            "--series-resistance": series_resistance,
            "--series-uncertainty": series_uncertainty,
            "--pristine": pristine,
            "--compliance": compliance,
            "--read-voltage": read_voltage,
            "--columns": columns,
            "--sampling-rate": sampling_rate,
        },
        "to the report of a run; measured data have them",
    )
    directory = data[0]
    finished = RunDirectory(directory)
    if not finished.dynamics.commit.snapshots:
        raise SettingsError(f"{directory} has no snapshot yet: wait for the first, or resume it")
    if output is not None:
        check_output(output, (".html",))
    with counted("transmissions read:") as watch:
        make_report(finished, output, watch, figures)
    written = output or finished.report
    if as_json:
        emit({"report": str(written), **({"figures": str(figures)} if figures else {})})
    else:
        log.print(f"Report: {written}" + (f"\nFigures: {figures}" if figures else ""))


def _point_to_campaign(data: list[Path]) -> None:
    """Say which command writes the page of a campaign, and refuse one of runs."""
    from nanogap.io.device_files import is_device_campaign

    for path in data:
        if not (path / "campaign.json").is_file():
            continue
        words = f"'nanogap campaign report {path}' writes the report of the campaign"
        if not is_device_campaign(path):
            raise SettingsError(f"{path} is a campaign of runs: {words}")
        log.print(f"Note: {words}; this one is of its devices as measured", highlight=False)


measured.register(app)
dynamics.register(app)
paper.register(app)
device.register(app)
imaging.register(app)
app.add_typer(wire.app, name="wire")
live.register()
instrument.register(app)
measure.register(app)
compact.register(app)
fit.register(app)
first_principles.register(app)
transmission.register(app)
app.add_typer(campaign.app, name="campaign")


def _tell_status(directory: Path, as_json: bool) -> None:
    from nanogap.runs import RunDirectory
    from nanogap.runs import status as describe

    content = describe(RunDirectory(directory))
    if as_json:
        emit(content)
    else:
        _print_status(directory, content)


def _print_status(directory: Path, content: "RunStatus") -> None:
    known = content.known
    table = Table(title=str(directory), show_header=False)
    table.add_row("state", content.state)
    table.add_row(
        "snapshots",
        f"{content.snapshots} of {content.snapshots_planned or 'a number not known yet'}",
    )
    table.add_row("transmissions", f"{len(known)}")
    if known:
        table.add_row("T first, last", f"{known[0]:.3f}, {known[-1]:.3f} G0")
    table.add_row("connected now", str(bool(content.connected and content.connected[-1])))
    if content.first_contact is not None:
        table.add_row("first contact", f"{content.first_contact / 1000.0:.2f} ps")
    if content.failures:
        reasons = set(content.failures.values())
        why = reasons.pop() if len(reasons) == 1 else "see the report"
        table.add_row("without transmission", f"{len(content.failures)} ({why})")
    for note in content.notes:
        table.add_row("note", note)
    if content.error:
        table.add_row("error", content.error)
    Terminal().print(table)
    if content.report:
        sys.stdout.write(f"Report: {inert(str(Path(content.report).absolute()))}\n")
