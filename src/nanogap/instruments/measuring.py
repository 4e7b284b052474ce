"""A measurement into a directory: begun, gone on with, and the output off on every exit."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nanogap.arguments import shown
from nanogap.errors import InstrumentError, NanogapError, SettingsError
from nanogap.instruments.address import Address
from nanogap.instruments.guard import Guard
from nanogap.instruments.meter_2614b import Meter2614B
from nanogap.instruments.meter_4200 import Meter4200
from nanogap.instruments.place import Place, place_after
from nanogap.instruments.plan import Plan, make_plan
from nanogap.instruments.source_meter import SourceMeter, Taken, is_virtual
from nanogap.instruments.stepping import Point, Stepper
from nanogap.io import write_json
from nanogap.io.lock import FileLock
from nanogap.io.measurement_files import (
    COLUMNS,
    MeasurementFiles,
    ReadingTable,
    add_line,
    is_measurement_directory,
    sessions_of,
)
from nanogap.settings.device import DeviceSettings
from nanogap.settings.load import flattened

#: Sections of the settings that count where a device is real.
SECTIONS = ("name", "circuit", "source", "preparation", "protocol")
#: Sections that describe a simulated device only.
UNUSED = ("seed", "geometry", "atoms", "medium", "kinetics", "heat", "conductance")
_FINISHED = "finished"


@dataclass(frozen=True)
class Progress:
    """A reading, and how far the measurement is.

    Attributes
    ----------
    point : Point
    points : int
        Readings on disk.
    planned : int
        With feedback, the largest number.
    """

    point: Point
    points: int
    planned: int


@dataclass(frozen=True)
class MeasurementState:
    """State of a measurement directory.

    Attributes
    ----------
    state : str
        ``finished`` or ``interrupted``.
    measurement : str
        Path of the readings.
    readings, readings_planned : int
    time : float
        Of the last reading, s.
    sessions : int
    identity : str
        Of the unit.
    virtual : bool
    """

    state: str
    measurement: str
    readings: int
    readings_planned: int
    time: float
    sessions: int
    identity: str
    virtual: bool


class MeasurementRun:
    """A measurement of a device by a unit, in a directory.

    Parameters
    ----------
    folder : Path
        New, empty, or that of the same measurement.
    settings : DeviceSettings
    source : str
        Where the settings came from.
    address : Address
    power_limit : float, optional
        See `nanogap.instruments.plan.make_plan`.
    command : sequence of str
        Command line, to be recorded.

    Attributes
    ----------
    folder, settings, address
        As given.
    plan : Plan
    place : Place
        Where it begins or goes on.

    Raises
    ------
    NanogapError
        If the settings, the unit's ranges or the folder forbid it. Nothing has been switched on, or
        written, by then.
    """

    def __init__(
        self,
        folder: Path,
        settings: DeviceSettings,
        source: str,
        address: Address,
        *,
        power_limit: float | None = None,
        command: tuple[str, ...] = (),
    ) -> None:
        self._files, self._source = MeasurementFiles(folder), source
        self.folder, self.settings, self.address = folder, settings, address
        self._command = list(command)
        self.plan: Plan = make_plan(settings, address.unit, power_limit)
        self.place = Place()
        if is_measurement_directory(folder):
            self._refuse_other()
            self.place = self._found()
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is not empty" if folder.is_dir() else "is a file"
            raise SettingsError(f"{folder} exists and {what}: choose another -o")

    @property
    def state(self) -> MeasurementState:
        """State of the directory, of which there is one."""
        place, about = self._found(), self._files.description_content()
        return MeasurementState(
            state=_FINISHED if place.finished else "interrupted",
            measurement=str(self._files.table),
            readings=place.points,
            readings_planned=self.plan.readings,
            time=place.time,
            sessions=len(sessions_of(self._files)),
            identity=str(about["identity"]),
            virtual=is_virtual(str(about["identity"])),
        )

    @property
    def series_resistance(self) -> float | None:
        """Resistance of the circuit, ohm; of a real device known only where its file says it."""
        known = "circuit" in self.settings.model_fields_set
        return self.settings.circuit.series.parasitic if known else None

    def taken(self) -> list[Taken]:
        """Return the readings on disk."""
        columns = dict(zip(COLUMNS, self._files.rows().T, strict=True))
        names = ("time (s)", "voltage (V)", "current (A)", "compliance")
        return [
            Taken(float(when), float(volts), float(amperes), bool(limited))
            for when, volts, amperes, limited in zip(
                *(columns[name] for name in names), strict=True
            )
        ]

    def run(self, watch: Callable[[Progress], object]) -> None:
        """Measure to the end of the protocol; what was read is on disk however this ends.

        Parameters
        ----------
        watch : callable
            Called after every reading.

        Raises
        ------
        NanogapError
            If there is no connection, another unit answers, the unit complains, or the connection
            is lost.
        """
        if self.place.finished:
            return
        meter = self._connect()
        try:
            self._check(meter)
            with self._folder(meter):
                self._guarded(meter, watch)
        finally:
            meter.close()

    def _connect(self) -> SourceMeter:
        if self.address.unit == "keithley-4200":
            return Meter4200(self.address, self.settings.source.line_frequency)
        return Meter2614B(self.address)

    def _check(self, meter: SourceMeter) -> None:
        """Refuse another unit than before, or one on other mains."""
        if is_measurement_directory(self.folder):
            before = str(self._files.description_content().get("identity"))
            if before != meter.identity:
                raise SettingsError(
                    f"{self.folder} was begun with the unit {before}, and {self.address} "
                    f"is {meter.identity}: go on with the former, or measure into another folder"
                )
        mains, assumed = meter.line_frequency(), self.settings.source.line_frequency
        if mains is not None and mains != assumed:
            raise SettingsError(
                f"the unit counts in mains of {mains:g} Hz, and source.line_frequency is "
                f"{assumed:g} Hz: set it to {mains:g}"
            )

    @contextlib.contextmanager
    def _folder(self, meter: SourceMeter) -> Iterator[None]:
        """Have the folder, to oneself; one in which nothing was read is not left behind."""
        folder = self.folder
        is_new = not is_measurement_directory(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._files.lock).hold() as held:
            if held is None:
                raise NanogapError(
                    f"another process measures into {folder}: wait for it, or stop it first"
                )
            if is_new:
                write_json(self._files.description, self._description(meter))
            try:
                yield
            except BaseException:
                # a watchdog may still have to write there
                if is_new and not len(self._files.rows()) and not self._files.watchdog.exists():
                    shutil.rmtree(folder, ignore_errors=True)
                raise

    def _guarded(self, meter: SourceMeter, watch: Callable[[Progress], object]) -> None:
        """Drive the protocol; the output is off afterwards, whatever happens."""
        with (
            Guard(self.address, self._files.watchdog) as guard,
            ReadingTable(self._files) as table,
        ):
            self._note(begin=_now(), session=self.place.session, **self._session(meter))
            why, ended = _FINISHED, False
            try:
                meter.begin()
                self._stepper(meter, table, watch).run()
                meter.off()
                ended = True
            except BaseException as error:
                why = _words(error)
                raise
            finally:
                fault = ""
                if not ended:  # an answer may still be under way on the old connection
                    meter.close()
                    fault = guard.off()
                if not fault:
                    guard.done()
                # on a full disk what ended the measurement is what is told
                with contextlib.suppress(*() if ended else (NanogapError,)):
                    self._note(
                        end=_now(),
                        session=self.place.session,
                        readings=len(self._files.rows()),
                        why=why,
                        output=f"left to the watchdog: {fault}" if fault else "off",
                    )
                if fault:
                    raise InstrumentError(
                        f"{why}; the output of {self.address} could not be switched off "
                        f"({fault}): switch it off by hand; a watchdog goes on trying for ten "
                        f"minutes and writes to {self._files.watchdog}"
                    )

    def _stepper(
        self, meter: SourceMeter, table: ReadingTable, watch: Callable[[Progress], object]
    ) -> Stepper:
        points = self.place.points

        def keep(point: Point) -> None:
            nonlocal points
            table.add(
                {
                    "time (s)": point.taken.time,
                    "voltage (V)": point.taken.voltage,
                    "current (A)": point.taken.current,
                    "cycle": point.cycle,
                    "compliance": point.taken.compliance,
                    "read": point.read,
                    "preparation": point.preparation,
                    "segment": point.segment,
                    "sample": point.sample,
                    "session": self.place.session,
                }
            )
            points += 1
            watch(Progress(point, points, self.plan.readings))

        return Stepper(meter, self.settings, self.place, self._origin(), keep)

    def _origin(self) -> float:
        """Return the time at which this session begins, s; it is never before the last reading."""
        if not self.place.points:
            return 0.0
        first = datetime.fromisoformat(str(sessions_of(self._files)[0]["begin"]))
        return max(self.place.time, (datetime.now(UTC) - first).total_seconds())

    def _found(self) -> Place:
        """Return where the readings on disk end."""
        place = place_after(self.settings.make_protocol(), self._files.rows())
        said = any(one.get("why") == _FINISHED for one in sessions_of(self._files))
        return Place(**{**vars(place), "finished": place.finished or said})

    def _refuse_other(self) -> None:
        """Refuse to go on with other settings, another kind of unit or another channel."""
        about, folder = self._files.description_content(), self.folder
        table = about.get("settings")
        old = flattened(table if isinstance(table, dict) else {})
        new = flattened(self._counted())
        changed = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
        if changed:
            key = changed[0]
            raise SettingsError(
                f"{folder} was begun with {key} = {shown(old.get(key))}, and it is "
                f"{shown(new.get(key))} now: a measurement goes on with the same settings only: "
                "put it back, or measure into another folder"
            )
        for key in ("unit", "channel"):
            if about.get(key) != getattr(self.address, key):
                raise SettingsError(
                    f"{folder} was begun with {key} {about.get(key)}, not "
                    f"{getattr(self.address, key)}: go on with it, or measure into another folder"
                )

    def _counted(self) -> dict[str, object]:
        """Return the settings that count."""
        table = self.settings.model_dump(mode="json")
        return {key: table[key] for key in SECTIONS}

    def _description(self, meter: SourceMeter) -> dict[str, object]:
        settings = self.settings
        return {
            "name": settings.name,
            "source": self._source,
            "unit": self.address.unit,
            "identity": meter.identity,
            "channel": self.address.channel,
            "settings": self._counted(),
            "driven": settings.protocol.cycle_segments(0)[0].quantity,
            "series_resistance": self.series_resistance,
            "largest": asdict(self.plan),
            "ranges": "automatic",
            "integration": f"{settings.source.power_line_cycles:g} periods of "
            f"{settings.source.line_frequency:g} Hz at most",
            "versions": {"nanogap": version("nanogap"), **meter.drivers},
            "begun": _now(),
        }

    def _session(self, meter: SourceMeter) -> dict[str, object]:
        return {
            "address": str(self.address),
            "identity": meter.identity,
            "versions": {"nanogap": version("nanogap"), **meter.drivers},
            "command": self._command,
            "readings_before": self.place.points,
            "process": os.getpid(),
        }

    def _note(self, **content: object) -> None:
        add_line(self._files.sessions, content)


def _words(error: BaseException) -> str:
    """Return why a session ended."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted (Ctrl-C)"
    name = getattr(error, "name", None)
    if isinstance(error, SystemExit):
        return f"stopped by {name}" if name else "stopped"
    return " ".join(str(error).split()) or type(error).__name__


def _now() -> str:
    return datetime.now(UTC).isoformat()
