"""The subcommands of instruments: arguments in, calls out."""

from pathlib import Path
from typing import Annotated

import typer

from nanogap.cli.common import AsJson, Overrides, emit, log
from nanogap.cli.idle import refuse_idle
from nanogap.cli.stopping import first_interrupt
from nanogap.errors import SettingsError

app = typer.Typer(
    no_args_is_help=True, help="Virtual instruments with a device behind them, for real drivers."
)


def register(main: typer.Typer) -> None:
    """Add the subcommands to the command line."""
    main.add_typer(app, name="instrument")


@app.callback()
def _group() -> None:
    # with one command alone, the group would be that command
    pass


@app.command()
def serve(
    unit: Annotated[str, typer.Option("--as", help="keithley-2614b or keithley-4200")],
    device: Annotated[
        str,
        typer.Option(
            help="what is connected: a preset of devices (see 'nanogap device new --list') or a "
            "TOML file; resistor:OHM, diode, levels (a synthetic gap) or open"
        ),
    ] = "levels",
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="default: that of the real unit, 5025 or 1225; 0: any free one"
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            help="seconds of the device in a second on the wall, pauses of the client too; "
            "default: only what the unit itself takes is time for the device, and it answers at "
            "once"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="of the unit's noise and of a synthetic gap; default: 0"),
    ] = None,
    overrides: Overrides = None,
    record: Annotated[
        Path | None, typer.Option(help="file for all that is put out, a JSON object a line")
    ] = None,
    open_to_network: Annotated[
        bool,
        typer.Option(
            "--open-to-network",
            help="let every machine that reaches this one drive the unit; default: programs of "
            "this machine only",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a virtual unit until Ctrl-C; with --json, where it is, as soon as it listens."""
    from nanogap.instruments import LOADS, LOOPBACK, NETWORK, PORTS, Server, data_sheet, make_unit
    from nanogap.runs.compilation import watched_compilation

    sheet = data_sheet(unit)
    if device.partition(":")[0] in LOADS:
        refuse_idle({"--set": overrides}, f"with --device {device}, which has no settings")
    if record is not None and not record.absolute().parent.is_dir():
        raise SettingsError(f"--record {record}: there is no such folder: make it first")
    with watched_compilation(_say):
        made = make_unit(
            unit, device, seed=seed or 0, overrides=tuple(overrides or ()), record=record
        )
        host = NETWORK if open_to_network else LOOPBACK
        server = Server(made, PORTS[unit] if port is None else port, host, speed)
        channel = next(iter(made.bench.channels.values()))
        address = f"TCPIP::127.0.0.1::{server.port}::SOCKET"
        if open_to_network:
            _say("Note: every machine that reaches this one can drive the unit, without a password")
        _say(f"{sheet.name}, virtual, with {channel.load.about}: {address} (Ctrl-C ends it)")
        if as_json:
            emit(
                {
                    "address": address,
                    "port": server.port,
                    "unit": unit,
                    "device": device,
                    "record": None if record is None else str(record),
                }
            )
        try:
            with first_interrupt():
                server.serve()
        except KeyboardInterrupt:
            pass  # its usual end
        finally:
            _say(
                f"outputs off after {made.bench.time:.4g} s of the device; "
                f"{server.served.messages} messages of {server.served.clients} clients, "
                f"{made.errors.total} errors"
            )


def _say(sentence: str) -> None:
    """Say something on the way."""
    log.print(sentence, highlight=False, soft_wrap=True)
