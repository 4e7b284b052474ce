"""The device directory: a measurement of simulated devices, and how far it is."""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

import numpy as np
import xarray as xr

from nanogap.device.measurement import ELECTRODES, point_columns
from nanogap.device.state import event_names
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import write_atomically
from nanogap.io.dataset import joined_files, measurement_dataset, with_series_resistance
from nanogap.io.device_files import DeviceFiles
from nanogap.io.lock import FileLock
from nanogap.io.results import write_dataset
from nanogap.runs.compilation import watched_compilation
from nanogap.runs.device_beginning import (
    check_measurement,
    describe,
    device_versions,
    go_on,
    record_beginning,
    refuse_edits,
    with_copied_table,
)
from nanogap.runs.device_part import compute_part, read_points
from nanogap.settings.device import DeviceSettings, load_device_settings
from nanogap.typing import FloatArray

_POLL = 0.5
_UNITS = {
    "gap_voltage": "V",
    "electronic_current": "A",
    "ionic_current": "A",
    "gap_conductance": "G0",
}
Watcher = Callable[[int, int], object]


@dataclass(frozen=True)
class DeviceStatus:
    """State of a device directory.

    Attributes
    ----------
    state : str
    points, points_planned : int
        Readings of all devices.
    time, time_planned : float
        Of the device that is behind, s, and of the protocol.
    devices : int
    conductance : list of float
        Last one of every device, G0.
    bridged : list of bool
    measurement, report : str or None
        Paths, where they are there.
    """

    state: Literal["running", "finished", "interrupted"]
    points: int
    points_planned: int
    time: float
    time_planned: float
    devices: int
    conductance: list[float]
    bridged: list[bool]
    measurement: str | None
    report: str | None


class DeviceRun:
    """A measurement of simulated devices on disk.

    Parameters
    ----------
    path : str or Path
        An existing device directory; `create` makes one.

    Attributes
    ----------
    path : Path
    files : DeviceFiles
    settings : DeviceSettings
    members : tuple of DeviceSettings
        One per device, with the directory's own copy of the table of barriers.
    table : bool
        Whether the readings are written as text too.
    source : str
        Where the settings came from.
    versions : dict of str to str
        Program to version, of those that began the measurement.

    Raises
    ------
    DataFormatError
        If there is no device directory, or its description is damaged.
    SettingsError
        If its settings, or its table of barriers, have been edited since the measurement began.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = DeviceFiles(self.path)
        try:
            content = json.loads(self.files.description.read_text(encoding="utf-8"))
            self.source = str(content["source"])
            self.versions: dict[str, str] = dict(content.get("versions", {}))
            self.table = bool(content.get("table", False))
            table, columns = content["settings"], list(content["columns"])
        except FileNotFoundError:
            raise DataFormatError(
                f"{path} is no device directory: make one with 'nanogap device run PRESET -o DIR'"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataFormatError(f"{self.files.description} cannot be read: {error}") from None
        if columns != list(point_columns()):
            raise DataFormatError(
                f"{path} was written by another version of nanogap, with other columns of "
                "readings: use that version, or run it anew"
            )
        self.settings = load_device_settings(table).with_absolute_paths(self.path)
        refuse_edits(self.files, self.settings)
        self.members = with_copied_table(self.files, self.settings).members()

    @classmethod
    def create(
        cls, path: str | Path, settings: DeviceSettings, source: str, *, table: bool = False
    ) -> Self:
        """Make a device directory.

        Parameters
        ----------
        path : str or Path
        settings : DeviceSettings
            Relative paths in them count from the current folder.
        source : str
            Where the settings came from.
        table : bool
            Write the readings as text too, now and after each interruption.

        Raises
        ------
        NanogapError
            If the folder is not empty, or what the settings name cannot be read.
        """
        settings = settings.with_absolute_paths()
        folder = Path(path)
        check_empty(folder)
        check_measurement(settings)  # refused before anything is written
        folder.mkdir(parents=True, exist_ok=True)
        files = DeviceFiles(folder)
        record_beginning(files, settings)
        describe(files, settings, source, device_versions(), table=table)
        return cls(folder)

    def begin_session(self, *, table: bool = False) -> None:
        """Refuse to go on with other packaged data than before; record what may have changed.

        Parameters
        ----------
        table : bool
            Write the readings as text from now on.

        Raises
        ------
        SettingsError
            If energies, medium or Hamiltonian are others in this version.
        """
        settings = with_copied_table(self.files, self.settings)
        check_measurement(settings)
        go_on(self.files, settings, self.versions.get("nanogap", "of that time"))
        if table and not self.table:
            self.table = True
            describe(self.files, self.settings, self.source, self.versions, table=True)

    @property
    def points_planned(self) -> int:
        """Readings of all devices; with feedback, the largest number."""
        return sum(member.total_samples for member in self.members)

    @property
    def points(self) -> int:
        """Readings on disk."""
        return sum(self.points_of(number) for number in range(len(self.members)))

    def points_of(self, number: int) -> int:
        """Return the number of readings of a device that are on disk."""
        return self.files.part(number).readings

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Work alone in the folder.

        Raises
        ------
        NanogapError
            If another process works in it.
        """
        with FileLock(self.files.lock).hold() as held:
            if held is None:
                raise NanogapError(
                    f"another process works in {self.path}: wait for it, or stop it first"
                )
            yield

    def compute(self, watch: Watcher, processes: int = 1, *, table: bool = False) -> None:
        """Go on until the measurement is finished; what is done is kept however it ends.

        Parameters
        ----------
        watch : callable
            Called with the readings done and planned.
        processes : int
            Devices at a time.
        table : bool
            Write the readings as text too, as a measurement does that was begun so.

        Raises
        ------
        NanogapError
            If another process works in the folder, or a device fails.
        """
        with self.lock(), watched_compilation():
            self.begin_session(table=table)
            try:
                if processes > 1 and len(self.members) > 1:
                    self._compute_apart(watch, processes)
                else:
                    self._compute_here(watch)
            finally:
                if self.points:
                    self.write()
                    self._report()

    def _compute_here(self, watch: Watcher) -> None:
        """Compute one device after the other."""
        planned, done = self.points_planned, 0
        for number, member in enumerate(self.members):
            before = done

            def counted(points: int, before: int = before) -> None:
                watch(before + points, planned)

            compute_part(self.files.part(number), member, counted)
            done += self.files.part(number).readings

    def _compute_apart(self, watch: Watcher, processes: int) -> None:
        """Compute several devices at the same time, each in a process."""
        planned = self.points_planned
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            running: set[Future[None]] = {
                pool.submit(compute_part, self.files.part(number), member, _silent)
                for number, member in enumerate(self.members)
            }
            while running:
                ended, running = wait(running, timeout=_POLL, return_when=FIRST_EXCEPTION)
                for one in ended:
                    one.result()
                watch(self.points, planned)

    def dataset(self) -> xr.Dataset:
        """Return all readings as a measurement dataset.

        Returns
        -------
        xarray.Dataset
            As `nanogap.io.dataset.measurement_dataset` makes it, with ``gap_voltage``,
            ``electronic_current``, ``ionic_current`` and ``gap_conductance`` (true means, without
            noise), ``bridged``, ``continued``, ``read``, ``atoms_cut_off``, ``n_ions`` and
            ``device``; ``events`` over (``point``, ``event``) and ``charge`` over (``point``,
            ``electrode``), both counted from the beginning (`nanogap.device.measurement.Point`).
            Coordinate ``series_resistance`` (ohm) over ``source``: that of each device's circuit;
            attributes ``parasitic_capacitance`` (F) and ``driven`` ("voltage" or "current").
        """
        parts = [self.of_device(number) for number in range(len(self.members))]
        whole = joined_files([part for part in parts if part.sizes["point"]] or parts[:1])
        return whole.assign_attrs(
            simulated="kinetic Monte Carlo of a device",
            **self._circuit_attributes(),
            nanogap_version=version("nanogap"),
            settings=json.dumps(self.settings.model_dump(mode="json")),
        )

    def of_device(self, number: int) -> xr.Dataset:
        """Return the readings of one device."""
        columns = read_points(self.files.part(number))
        name = self.settings.name if len(self.members) == 1 else self.members[number].name
        part = measurement_dataset(
            time=columns["time"],
            voltage=columns["voltage"],
            current=columns["current"],
            cycle=columns["cycle"].astype(np.int64),
            compliance=columns["compliance"].astype(bool),
            name=name,
            device=name,
        )
        columns["gap_conductance"] = columns.pop("conductance")
        for key, unit in _UNITS.items():
            part[key] = ("point", columns[key], {"units": unit})
        for key in ("bridged", "continued", "read"):
            part[key] = ("point", columns[key].astype(bool))
        for key in ("atoms_cut_off", "n_ions"):
            part[key] = ("point", columns[key].astype(np.int64))
        part["events"] = _together(columns, "event", event_names())
        part["charge"] = _together(columns, "electrode", ELECTRODES, "charge ")
        part["device"] = ("point", np.full(len(columns["time"]), number + 1, dtype=np.int64))
        part.attrs.update(self._circuit_attributes())
        resistance = self.members[number].circuit.series.parasitic
        return with_series_resistance(part, np.array([resistance]))

    def _circuit_attributes(self) -> dict[str, str | float]:
        """Tell what curves alone do not: the capacitance beside the gap, and what was driven."""
        first = self.settings.protocol.cycle_segments(0)[0]
        return {
            "parasitic_capacitance": self.settings.circuit.capacitance,
            "driven": first.quantity,
        }

    def write(self) -> None:
        """Write the measurement dataset, and the same as text if the measurement was begun so."""
        dataset = self.dataset()
        write_dataset(dataset, self.files.measurement)
        if self.table:
            header = {
                "time": "time (s)",
                "voltage": "voltage (V)",
                "gap_voltage": "gap_voltage (V)",
                "current": "current (A)",
                "cycle": "cycle",
                "device": "device",
                "compliance": "compliance",
            }
            frame = dataset[list(header)].drop_vars(["file"]).to_dataframe()[list(header)]
            frame["compliance"] = frame["compliance"].astype(int)
            write_atomically(
                self.files.table,
                lambda path: frame.to_csv(path, index=False, header=list(header.values())),
            )

    def _report(self) -> None:
        """Write the report."""
        from nanogap.runs.device_report import report_device  # noqa: PLC0415 it imports this

        report_device(self)

    def status(self) -> DeviceStatus:
        """Say how far the measurement is."""
        columns = [read_points(self.files.part(one)) for one in range(len(self.members))]
        planned = [member.total_duration for member in self.members]
        ends = [float(one["time"][-1]) if len(one["time"]) else 0.0 for one in columns]
        finished = all(self._finished(number) for number in range(len(self.members)))
        held = FileLock(self.files.lock).is_held()
        return DeviceStatus(
            state="running" if held else "finished" if finished else "interrupted",
            points=self.points,
            points_planned=self.points_planned,
            time=min(ends),
            time_planned=max(planned),
            devices=len(self.members),
            conductance=[float(one["conductance"][-1]) for one in columns if len(one["time"])],
            bridged=[bool(one["bridged"][-1]) for one in columns if len(one["time"])],
            measurement=_there(self.files.measurement),
            report=_there(self.files.report),
        )

    def _finished(self, number: int) -> bool:
        """Whether a device has done all of its protocol."""
        return self.files.part(number).done.is_file()

    def remove(self) -> None:
        """Remove the folder of a measurement that could not begin."""
        shutil.rmtree(self.path)


def check_empty(folder: Path) -> None:
    """Refuse a place for a device directory that holds something.

    Raises
    ------
    SettingsError
        If so.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} exists and is not empty: choose another -o")


def start_device(
    path: Path,
    settings: DeviceSettings,
    source: str,
    watch: Watcher,
    *,
    processes: int = 1,
    table: bool = False,
) -> DeviceRun:
    """Start a measurement and see it through; one that cannot begin leaves nothing behind.

    Parameters
    ----------
    path : Path
        The device directory, new or empty.
    settings : DeviceSettings
    source : str
        Where the settings came from.
    watch, processes, table
        See `DeviceRun.compute`.
    """
    run = DeviceRun.create(path, settings, source, table=table)
    try:
        run.compute(watch, processes)
    except NanogapError:
        if not run.points:
            run.remove()
        raise
    return run


def _together(
    columns: dict[str, FloatArray], dimension: str, names: Sequence[str], prefix: str = ""
) -> xr.DataArray:
    """Put counts beside each other, shape (n_points, n_names)."""
    counts = np.stack([columns[f"{prefix}{name}"] for name in names], axis=1).astype(np.int64)
    return xr.DataArray(counts, {dimension: list(names)}, ("point", dimension))


def _silent(_points: int) -> None:
    """Tell nobody: the parent looks at the files."""


def _there(path: Path) -> str | None:
    return str(path) if path.is_file() else None
