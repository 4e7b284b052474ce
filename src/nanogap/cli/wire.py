"""The subcommands of wires before their breakdown: arguments in, calls out."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli.common import (
    AsJson,
    Overrides,
    check_output,
    counted,
    emit,
    log,
    preset_about,
    write_settings,
)
from nanogap.cli.idle import refuse_idle

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
