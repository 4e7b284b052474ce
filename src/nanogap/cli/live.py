"""The live page of a device: arguments in, calls out."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli.common import AsJson, Overrides, counted, emit, log
from nanogap.cli.device import app
from nanogap.cli.idle import refuse_idle
from nanogap.cli.stopping import first_interrupt
from nanogap.errors import SettingsError


def register() -> None:
    """Add the subcommand to those of devices."""
    app.command()(live)


def live(
    source: Annotated[
        str | None,
        typer.Argument(
            help="a preset of devices (see 'nanogap device new --list'), or a TOML file "
            "[default: device-quick]"
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="of this machine; 0: any that is free")
    ] = 8650,
    seed: Annotated[
        int | None, typer.Option(min=0, help="of the device; default: that of the settings")
    ] = None,
    overrides: Overrides = None,
    replay: Annotated[
        Path | None,
        typer.Option(help="a record that the page saved: begin with its readings, made again"),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="open the page in a browser")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Drive a device by hand on a page of this machine: knobs, atoms, curves, a histogram."""
    from nanogap.instruments.loads import SimulatedDevice
    from nanogap.live import HandDriven, LivePage, PageServer, Player, load_record
    from nanogap.live import replay as make_again
    from nanogap.runs.compilation import watched_compilation
    from nanogap.settings.device import load_device_settings

    record = None
    if replay is not None:
        named = {"PRESET": source, "--seed": seed, "--set": overrides}
        refuse_idle(named, "beside --replay: the record holds the settings")
        record = load_record(replay)
    settings = load_device_settings(source or "device-quick", tuple(overrides or ()))
    if record is not None:
        settings = load_device_settings(record["settings"])
    if seed is not None:
        settings = load_device_settings(settings, {"seed": seed})
    if settings.devices.number > 1:
        raise SettingsError(
            f"devices.number = {settings.devices.number}: a live page shows one: "
            "--set devices.number=1"
        )
    server = PageServer(port)
    with watched_compilation(_say):
        driven = HandDriven(SimulatedDevice(settings).device)
        if record is not None:
            with counted("readings made again:") as watch:
                driven = make_again(record, watch)
    with first_interrupt(), Player(driven) as player:
        page = LivePage(player, server)
        try:
            _say(f"live page of {settings.name}: {page.address} (Ctrl-C ends it)")
            if as_json:
                emit({"address": page.address, "port": page.port, "device": settings.name})
            if browser:
                typer.launch(page.address)
            page.serve()
        except KeyboardInterrupt:
            pass
        finally:
            page.close()
            moment = player.moment()
            _say(f"ended after {moment.time:.4g} s of the device and {moment.readings} readings")


def _say(sentence: str) -> None:
    """Say something on the way."""
    log.print(sentence, highlight=False, soft_wrap=True)
