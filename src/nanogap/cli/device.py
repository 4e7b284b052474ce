"""The subcommands of simulated devices: arguments in, calls out."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli.common import (
    LONG_WORK,
    AsJson,
    Overrides,
    check_output,
    counted,
    emit,
    log,
    preset_about,
    refuse_unasked,
    table,
    write_settings,
)
from nanogap.cli.idle import refuse_idle

if TYPE_CHECKING:
    from nanogap.settings.device import DeviceSettings

app = typer.Typer(no_args_is_help=True, help="A device at laboratory time scales, atom by atom.")

DeviceSource = Annotated[
    str,
    typer.Argument(help="a preset of devices (see 'nanogap device new --list'), or a TOML file"),
]
DeviceDirectory = Annotated[Path, typer.Argument(help="a device directory")]
Processes = Annotated[
    int, typer.Option("--processes", min=1, max=256, help="devices computed at a time")
]
Yes = Annotated[bool, typer.Option("--yes", help="start long work unasked")]
AsTable = Annotated[bool, typer.Option("--csv", help="write measurement.csv too")]


def register(main: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    main.add_typer(app, name="device")


@app.command()
def new(
    preset: Annotated[
        str | None, typer.Argument(help="the preset to begin with [default: device-quick]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the new file; default: device.toml")
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="list the presets, or tell all about PRESET")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a settings file of a device to edit, from a preset: every key, explained."""
    from nanogap.settings import preset_names, preset_text
    from nanogap.settings.device import load_device_settings

    if show:
        refuse_idle({"-o": output}, "beside --list, which writes nothing")
    if show and preset is None and as_json:
        emit({name: preset_about(preset_text(name, "device")) for name in preset_names("device")})
    elif show:
        _list_presets(preset, as_json)
    else:
        chosen, file = preset or "device-quick", output or Path("device.toml")
        about = preset_about(preset_text(chosen, "device"))
        settings = load_device_settings(chosen)
        write_settings(settings, chosen, about, file, command="device run", as_json=as_json)


def _list_presets(preset: str | None, as_json: bool) -> None:
    """Tell all presets in brief, or one at length."""
    from nanogap.printing import time_in_words
    from nanogap.settings import preset_text
    from nanogap.settings.device_presets import device_preset, device_presets

    if preset is None:
        table(
            "Presets of devices",
            ("preset", "what it does", "figure", "lab time", "CPU warm", "CPU cold"),
            [
                (
                    one.name, one.does, one.figure, time_in_words(one.laboratory_time),
                    one.warm_cost, one.cold_cost,
                )
                for one in device_presets()
            ],
            left=True,
        )  # fmt: skip
        log.print(
            "figure: of the paper, doi:10.1039/d3nh00476g. CPU: computing time on one core, warm: "
            "all conductances are in the cache, cold: none is (~ and >: estimated). "
            "'nanogap device new PRESET --list' tells all about one.",
            highlight=False,
        )
        return
    about = preset_about(preset_text(preset, "device"))
    one = device_preset(preset)
    if as_json:
        emit({**asdict(one), "about": about})
        return
    table(
        one.name,
        ("", ""),
        [
            ("what it does", one.does),
            ("figure of the paper", one.figure or "none"),
            ("protocol", one.protocol),
            ("devices", str(one.devices)),
            ("in the laboratory", f"{time_in_words(one.laboratory_time)}, {one.readings} readings"),
            ("CPU time, warm cache", one.warm_cost),
            ("CPU time, cold cache", one.cold_cost),
            ("about", about),
        ],
        left=True,
    )


@app.command()
def run(
    source: DeviceSource,
    output: Annotated[Path, typer.Option("-o", "--output", help="the new device directory")],
    overrides: Overrides = None,
    processes: Processes = 1,
    csv: AsTable = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Simulate devices through a protocol; the readings are a measurement like any other."""
    from nanogap.settings.device import load_device_settings

    settings = load_device_settings(source, tuple(overrides or ()))
    begin_device(output, settings, source, processes=processes, csv=csv, yes=yes)
    tell_device(output, as_json)


def begin_device(
    output: Path,
    settings: "DeviceSettings",
    source: str,
    *,
    processes: int = 1,
    csv: bool = False,
    yes: bool = False,
) -> None:
    """Say what a measurement takes, ask if that is long, and see it through."""
    from nanogap.runs.compilation import watched_compilation
    from nanogap.runs.device_beginning import check_empty, check_measurement, new_store
    from nanogap.runs.device_cost import estimate_cost
    from nanogap.runs.device_run import start_device

    settings.refuse_idle()
    check_empty(output)
    check_measurement(settings)
    first = settings.member(0)
    log.print(
        f"{settings.devices.number} x {first.total_duration:.4g} s with {first.total_samples} "
        f"readings each, into {output}",
        highlight=False,
    )
    log.print(
        "Note: rates and geometry are chosen so that a device switches, not fitted to one: compare "
        "shapes with a measurement, not volts and seconds (docs/device-results.md)",
        highlight=False,
    )
    if processes > settings.devices.number:
        log.print(
            f"Note: --processes {processes} are more than the devices: "
            f"{settings.devices.number} at a time",
            highlight=False,
        )
    if (store := new_store(settings)) is not None:
        _say(f"Note: conductance.cache = {store} is a new file: no conductance is known yet")
    with watched_compilation(_say):
        cost = estimate_cost(settings, processes)
    log.print(cost.sentence, highlight=False)
    if cost.wall_time > LONG_WORK and not yes:
        refuse_unasked(cost.wall_time)
        typer.confirm("Continue?", err=True, abort=True)
    with watched_compilation(_say), counted("readings") as watch:
        start_device(output, settings, source, watch, processes=processes, table=csv)


@app.command()
def resume(
    directory: DeviceDirectory,
    processes: Processes = 1,
    csv: AsTable = False,
    as_json: AsJson = False,
) -> None:
    """Go on with an interrupted measurement, to the same bits as without the interruption."""
    resume_device(directory, processes, csv=csv)
    tell_device(directory, as_json)


def resume_device(directory: Path, processes: int = 1, *, csv: bool = False) -> None:
    """See an interrupted measurement through."""
    from nanogap.runs.compilation import watched_compilation
    from nanogap.runs.device_run import DeviceRun

    device = DeviceRun(directory)
    with watched_compilation(_say), counted("readings") as watch:
        device.compute(watch, processes, table=csv)


@app.command()
def status(directory: DeviceDirectory, as_json: AsJson = False) -> None:
    """Say how far a measurement is."""
    tell_device(directory, as_json)


@app.command()
def report(
    directory: DeviceDirectory,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="html; default: report.html in DIR")
    ] = None,
    measured: Annotated[
        list[Path] | None,
        typer.Option(
            "--measured",
            help="measured file or folder to draw on the same axes; may be given several times",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report anew, finished or not; --measured draws measured curves beside it."""
    from nanogap.io import iterate_measurements
    from nanogap.runs.device_report import report_device
    from nanogap.runs.device_run import DeviceRun

    if output is not None:
        check_output(output, (".html",))
    device = DeviceRun(directory)
    beside = list(iterate_measurements(measured)) if measured else []
    written = report_device(device, output, beside)
    if as_json:
        emit({"report": str(written), "measured": len(beside)})
    else:
        log.print(f"Report: {written}", highlight=False)


@app.command()
def frames(
    directory: DeviceDirectory,
    output: Annotated[Path, typer.Option("-o", "--output", help="the trajectory, .extxyz")],
    as_json: AsJson = False,
) -> None:
    """Write the frames at the steps of the conductance as a trajectory."""
    from nanogap.runs.device_frames import write_frames
    from nanogap.runs.device_run import DeviceRun

    check_output(output, (".extxyz", ".xyz"))
    count = write_frames(DeviceRun(directory), output)
    if as_json:
        emit({"frames": count, "trajectory": str(output)})
    else:
        log.print(f"Wrote {count} frames to {output}", highlight=False)


def _say(sentence: str) -> None:
    """Say something on the way."""
    log.print(sentence, highlight=False, soft_wrap=True)


def tell_device(directory: Path, as_json: bool) -> None:
    """Say the state of a device directory."""
    from nanogap.runs.device_run import DeviceRun

    content = DeviceRun(directory).status
    if as_json:
        emit(content)
        return
    log.print(
        f"{content.state}: {content.points} of {content.points_planned} readings, "
        f"{content.time:.4g} of {content.time_planned:.4g} s",
        highlight=False,
    )
    if content.conductance:
        values = ", ".join(
            f"{value:.3g} G0{' (metal joins the tips)' if joined else ''}"
            for value, joined in zip(content.conductance, content.bridged, strict=True)
        )
        log.print(f"conductance now: {values}", highlight=False)
    if content.measurement:
        log.print(f"Measurement: {content.measurement}", highlight=False)
    if content.report:
        log.print(f"Report: {content.report}", highlight=False)
