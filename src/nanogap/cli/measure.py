"""The subcommand that measures a device with an instrument: arguments in, calls out."""

import math
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanogap.cli.common import AsJson, Overrides, counted, emit, log
from nanogap.cli.idle import refuse_idle
from nanogap.cli.stopping import first_interrupt
from nanogap.printing import number, time_in_words

if TYPE_CHECKING:
    from nanogap.instruments.measuring import MeasurementRun, Progress
    from nanogap.live.measuring import MeasuringPage

#: Port of the page: beside that of a live device.
_PORT = 8651
#: Signs of a curve of one line, and how many of them.
_BARS, _LENGTH = "▁▂▃▄▅▆▇█", 24


def register(main: typer.Typer) -> None:
    """Add the subcommand to the command line."""
    main.command()(measure)


def measure(
    protocol: Annotated[
        str,
        typer.Argument(
            help="a TOML file of a device, or a preset (see 'nanogap device new --list'): its "
            "protocol, preparation, source and circuit count"
        ),
    ],
    instrument: Annotated[
        str,
        typer.Option(
            help="UNIT@HOST:PORT or UNIT@VISA-RESOURCE with the unit keithley-2614b or "
            "keithley-4200: keithley-2614b@127.0.0.1:5025"
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="the directory; one of the same measurement is gone on with"
        ),
    ],
    channel: Annotated[
        str | None, typer.Option(help="a or b of a 2614B, 1 to 8 of a 4200; default: the first")
    ] = None,
    overrides: Overrides = None,
    power_limit: Annotated[
        float | None,
        typer.Option(help="largest product of voltage and current, W; default: that of the unit"),
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="show the readings on a page of this machine, too")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="of the page; 0: any that is free [default: 8651]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a device with a source-measure unit; every point is on disk at once."""
    from nanogap.instruments.address import parse_address
    from nanogap.instruments.measuring import UNUSED, MeasurementRun
    from nanogap.settings.device import DeviceSettings, load_device_settings

    if not page:
        refuse_idle({"--port": port}, "without --page")
    address = parse_address(instrument, channel)
    settings = load_device_settings(protocol, tuple(overrides or ()))
    command = ("nanogap", *sys.argv[1:])
    run = MeasurementRun(
        output, settings, protocol, address, power_limit=power_limit, command=command
    )
    plan, place = run.plan, run.place
    _say(
        f"{settings.protocol.kind} with {address}, {address.channel}, into {output}: "
        f"{time_in_words(plan.duration)} with {plan.readings} readings at most"
    )
    _say(
        f"At most {plan.voltage:.4g} V, {plan.current:.4g} A and {plan.power:.3g} W at the "
        "terminals of the unit"
    )
    default = DeviceSettings()
    unused = [name for name in UNUSED if getattr(settings, name) != getattr(default, name)]
    if unused:
        _say(f"Note: not used, since it describes a simulated device: {', '.join(unused)}")
    if place.finished:
        _say("Note: the measurement is finished: nothing is left to do")
    elif place.points:
        _say(
            f"Note: goes on after {place.points} readings; a cycle that was interrupted is begun "
            "anew (docs/measure.md)"
        )
    with (
        first_interrupt(),
        _page(run, _PORT if port is None else port) if page else nullcontext() as shown,
        counted("readings", plan.readings) as watch,
    ):
        curve = _Curve(watch)

        def take(progress: "Progress") -> None:
            curve(progress)
            if shown is not None:
                shown(progress)

        run.run(take)
    _tell(run, as_json)


@contextmanager
def _page(run: "MeasurementRun", port: int) -> Iterator["MeasuringPage"]:
    """Serve the page of a measurement until its end, which it is told."""
    from nanogap.live.loopback import PageServer
    from nanogap.live.measuring import MeasuringPage

    with MeasuringPage(run, PageServer(port)) as page:
        _say(f"Page: {page.address}")
        try:
            yield page
        except BaseException:
            page.finish(f"Interrupted. What was read is in {run.folder}.")
            raise
        page.finish(f"Finished. The readings are in {run.folder}.")


class _Curve:
    """The latest readings in one line."""

    def __init__(self, watch: Callable[..., object]) -> None:
        self._watch = watch
        self._currents: deque[float] = deque(maxlen=_LENGTH)

    def __call__(self, progress: "Progress") -> None:
        """Take a reading."""
        from nanogap.units import CONDUCTANCE_QUANTUM

        taken = progress.point.taken
        self._currents.append(abs(taken.current))
        shown = f"{number(taken.voltage)} V, {number(1e6 * taken.current)} µA"
        if taken.voltage and math.isfinite(taken.current):
            shown += f", {number(taken.current / taken.voltage / CONDUCTANCE_QUANTUM)} G0"
        limited = ", at the limit" if taken.compliance else ""
        self._watch(progress.points, progress.planned, f"{shown}{limited} {self._curve()}")

    def _curve(self) -> str:
        """Draw the latest currents from zero to the largest of them."""
        known = [one if math.isfinite(one) else 0.0 for one in self._currents]
        most = max(known) or 1.0
        return "".join(_BARS[round(one / most * (len(_BARS) - 1))] for one in known)


def _tell(run: "MeasurementRun", as_json: bool) -> None:
    """Say the state of the directory."""
    state = run.state
    if as_json:
        emit(state)
        return
    kind = "a virtual unit" if state.virtual else state.identity
    _say(f"{state.state}: {state.readings} readings in {state.time:.4g} s by {kind}; output off")
    _say(f"Measurement: {state.measurement}")


def _say(sentence: str) -> None:
    """Say something on the way."""
    log.print(sentence, highlight=False, soft_wrap=True)
