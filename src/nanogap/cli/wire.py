"""The subcommands of wires before their breakdown: arguments in, calls out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli.common import (
    AsJson,
    Overrides,
    check_new_file,
    check_output,
    counted,
    emit,
    log,
    preset_about,
    write_settings,
)
from nanogap.cli.idle import refuse_idle
from nanogap.errors import SettingsError

if TYPE_CHECKING:
    from nanogap.runs.wire_run import WireRun

app = typer.Typer(no_args_is_help=True, help="A wire that a current breaks: the gap begins here.")

WireSource = Annotated[
    str, typer.Argument(help="a preset of wires (see 'nanogap wire new --list'), or a TOML file")
]
WireDirectory = Annotated[Path, typer.Argument(help="a wire directory")]

#: Gaps below this are no widths: a neck has no atoms in the model, nm.
_NARROWEST = 0.4


@app.command()
def new(
    preset: Annotated[
        str | None, typer.Argument(help="the preset to begin with [default: wire-breakdown]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the new file; default: wire.toml")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="list the presets")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a settings file of a wire to edit, from a preset: every key, explained."""
    from nanogap.settings import preset_names, preset_text
    from nanogap.settings.wire import load_wire_settings

    if show:
        refuse_idle({"-o": output}, "beside --list, which writes nothing")
        names = preset_names("wire") if preset is None else [preset]
        about = {name: preset_about(preset_text(name, "wire")) for name in names}
        if as_json:
            emit(about)
        else:
            for name, words in about.items():
                log.print(f"{name}: {words}", highlight=False)
        return
    chosen, file = preset or "wire-breakdown", output or Path("wire.toml")
    words = preset_about(preset_text(chosen, "wire"))
    settings = load_wire_settings(chosen)
    write_settings(settings, chosen, words, file, command="wire run", as_json=as_json)


@app.command()
def run(
    source: WireSource,
    output: Annotated[Path, typer.Option("-o", "--output", help="the new wire directory")],
    overrides: Overrides = None,
    csv: Annotated[
        bool, typer.Option("--csv", help="write measurement.csv and profiles.csv too")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Break wires by a protocol: heat and electromigration thin each until it parts."""
    from nanogap.runs.wire_run import start_wires
    from nanogap.settings.wire import load_wire_settings

    settings = load_wire_settings(source, tuple(overrides or ()))
    with counted("wires") as watch:
        done = start_wires(output, settings, source, watch, table=csv)
    _tell(done.path, as_json)


@app.command()
def resume(directory: WireDirectory, as_json: AsJson = False) -> None:
    """Break the wires that an interruption left, as they would have broken without it."""
    from nanogap.runs.wire_run import WireRun

    with counted("wires") as watch:
        WireRun(directory).compute(watch)
    _tell(directory, as_json)


@app.command()
def status(directory: WireDirectory, as_json: AsJson = False) -> None:
    """Say how far the wires are, and what became of them."""
    _tell(directory, as_json)


@app.command()
def report(
    directory: WireDirectory,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="html; default: report.html in DIR")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report anew."""
    from nanogap.runs.wire_run import WireRun

    if output is not None:
        check_output(output, (".html",))
    written = WireRun(directory).write_report(output)
    if as_json:
        emit({"report": str(written)})
    else:
        log.print(f"Report: {written}", highlight=False)


WireChoice = Annotated[int, typer.Option("--wire", min=1, help="which wire of several")]
GapWidth = Annotated[
    float | None, typer.Option(help="width of the gap instead of the wire's own, nm")
]


@app.command()
def needles(
    directory: WireDirectory,
    output: Annotated[Path, typer.Option("-o", "--output", help="the new settings file, .toml")],
    preset: Annotated[
        str | None,
        typer.Option(
            help="preset or file of the measurement [default: wire-current-sweep, or quick]"
        ),
    ] = None,
    dynamics: Annotated[
        bool, typer.Option("--dynamics", help="for 'nanogap run', not for 'nanogap device run'")
    ] = False,
    wire: WireChoice = 1,
    gap: GapWidth = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Write the settings of what grows in the gap: the needles that a wire left, as atoms."""
    from nanogap.runs.rewiring import device_in_gap, dynamics_in_gap, parted_wire
    from nanogap.runs.wire_run import WireRun

    check_new_file(output)
    result, given = parted_wire(WireRun(directory), wire), tuple(overrides or ())
    source = preset or ("quick" if dynamics else "wire-current-sweep")
    make = dynamics_in_gap if dynamics else device_in_gap
    settings, notes = make(result, source, given, gap)
    _note(notes)
    tips = "Tips" if dynamics else "Needles and resistances"
    width = "the gap too" if gap is None else f"the gap of {gap:g} nm is not"
    about = f"{tips} are of wire {wire} of {directory}, {width}."
    command = "run" if dynamics else "device run"
    write_settings(settings, source, about, output, command=command, as_json=as_json)


@app.command()
def rewire(
    source: Annotated[
        str, typer.Argument(help="a wire directory; or a preset or file: that wire is broken first")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="the new device directory")],
    preset: Annotated[
        str, typer.Option(help="preset or file of the measurement on the gap")
    ] = "wire-current-sweep",
    wire: WireChoice = 1,
    gap: GapWidth = None,
    overrides: Overrides = None,
    yes: Annotated[bool, typer.Option("--yes", help="start long work unasked")] = False,
    as_json: AsJson = False,
) -> None:
    """Break a wire, let metal grow in its gap, atom by atom, and count the conductances.

    The same command goes on where it was interrupted.
    """
    from nanogap.cli.device import begin_device, resume_device, tell_device
    from nanogap.io.device_files import is_device_directory
    from nanogap.runs.device_beginning import check_empty
    from nanogap.runs.device_run import DeviceRun
    from nanogap.runs.rewiring import device_in_gap, parted_wire

    if not is_device_directory(output):
        check_empty(output)
    folder = output.with_name(f"{output.name}-wire")
    run = _broken(source, folder)
    if run.path == folder and not run.status.parted:
        raise SettingsError(
            f"no wire of {source} has parted, so there is no gap: give its protocol more voltage "
            f"or time, and delete {folder} before you try again"
        )
    settings, notes = device_in_gap(parted_wire(run, wire), preset, tuple(overrides or ()), gap)
    _note(notes)
    if is_device_directory(output):
        if DeviceRun(output).settings != settings:
            raise SettingsError(
                f"{output} was begun with other settings: choose another -o, or go on with "
                f"'nanogap device resume {output}'"
            )
        resume_device(output)
    else:
        begin_device(output, settings, f"{preset} in wire {wire} of {run.path}", yes=yes)
    tell_device(output, as_json)
    _draw_histogram(output)


def _broken(source: str, folder: Path) -> "WireRun":
    """Return the wires of a directory, or break those of a preset or file."""
    from nanogap.io.wire_files import is_wire_directory
    from nanogap.runs.wire_run import WireRun, start_wires
    from nanogap.settings.wire import load_wire_settings

    if Path(source).is_dir():
        return WireRun(source)
    settings = load_wire_settings(source)
    with counted("wires") as watch:
        if not is_wire_directory(folder):
            return start_wires(folder, settings, source, watch)
        run = WireRun(folder)
        if run.settings != settings:
            raise SettingsError(f"{folder} holds other wires: choose another -o, or delete it")
        run.compute(watch)
    return run


def _draw_histogram(device: Path) -> None:
    """Count the conductances of a device directory, as 'nanogap histogram' does."""
    from nanogap.cli.measured import histogram

    figure = device / "histogram.png"
    log.print(
        f"nanogap histogram {device} --series-resistance circuit -o {figure}", highlight=False
    )
    histogram([device], series_resistance="circuit", output=figure)


def _note(notes: Sequence[str]) -> None:
    """Say what is not the wire's."""
    for one in notes:
        log.print(f"Note: {one}", highlight=False)


def _tell(directory: Path, as_json: bool) -> None:
    """Say the state of a wire directory."""
    from nanogap.runs.wire_run import WireRun

    content = WireRun(directory).status
    if content.gap is not None and content.gap < _NARROWEST:
        log.print(
            f"A gap of {content.gap:.2g} nm is narrower than atoms: it says that the wire parted, "
            "and no width (docs/wire.md).",
            highlight=False,
        )
    if as_json:
        emit(content)
        return
    log.print(
        f"{content.state}: {content.wires_finished} of {content.wires_planned} wires, "
        f"{content.parted} parted, {content.melted} molten",
        highlight=False,
    )
    if content.breakdown_voltage is not None:
        log.print(
            f"breakdown at {content.breakdown_voltage:.3g} V, "
            f"{1e3 * (content.breakdown_current or 0.0):.3g} mA, "
            f"{content.current_density:.3g} A/m²; gap {content.gap:.3g} nm",
            highlight=False,
        )
    if content.measurement:
        log.print(f"Measurement: {content.measurement}", highlight=False)
    if content.report:
        log.print(f"Report: {content.report}", highlight=False)
