"""The device directory: a measurement of simulated devices, and how far it is."""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import xarray as xr
from ase import Atoms

from nanogap.arguments import checked
from nanogap.device.measurement import point_columns
from nanogap.device.readings import (
    mark_preparation,
    readings_dataset,
    readings_table,
    with_origin,
)
from nanogap.errors import DataFormatError, NanogapError
from nanogap.io import write_atomically
from nanogap.io.dataset import joined_files
from nanogap.io.device_files import DeviceFiles
from nanogap.io.lock import FileLock
from nanogap.io.results import write_dataset
from nanogap.io.run_files import RunFiles
from nanogap.printing import Printed, Rows, listed
from nanogap.printing import number as in_words
from nanogap.runs.compilation import watched_compilation
from nanogap.runs.device_beginning import (
    check_empty,
    check_measurement,
    describe,
    device_versions,
    go_on,
    record_beginning,
    refuse_edits,
    taken,
    with_copied_table,
)
from nanogap.runs.device_part import compute_part, read_points
from nanogap.runs.device_status import DeviceStatus, device_status
from nanogap.settings.device import DeviceSettings, NoPreparation, load_device_settings

_POLL = 0.5
#: How long another process may take to describe the same folder, s.
_PATIENCE = 5.0
Watcher = Callable[[int, int], object]


class DeviceRun(Printed):
    """A measurement of simulated devices on disk, finished or not, at that moment.

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
    is_ending : bool
        Whether `compute` has no more to do here but to write down what it measured.

    Raises
    ------
    DataFormatError
        If there is no device directory, or its description is damaged.
    SettingsError
        If its settings, or its table of barriers, have been edited since the measurement began.

    Examples
    --------
    >>> from nanogap.runs import open_device
    >>> run = open_device("my-device")                  # doctest: +SKIP
    >>> run                                             # doctest: +SKIP
    DeviceRun 'my-device'
      state        finished
      readings     400 of 400
      time         8 of 8 s
      conductance  now 0.0012 G0
      report       my-device/report.html
      next         .dataset(), .frames(), .write_report(); nanogap.switching(run), ...
    >>> run.dataset()["gap_conductance"].max().item()   # doctest: +SKIP
    3.1
    """

    @checked
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = DeviceFiles(self.path)
        try:
            content = json.loads(self.files.description.read_text(encoding="utf-8"))
            self.source = str(content["source"])
            self.versions: dict[str, str] = dict(content.get("versions", {}))
            self.is_ending = False
            self.table = bool(content.get("table", False))
            table, columns = content["settings"], list(content["columns"])
        except FileNotFoundError:
            if RunFiles(self.path).description.is_file():
                raise DataFormatError(
                    f"{path} is a run of molecular dynamics and no device directory: open_run and "
                    "'nanogap status' read it"
                ) from None
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
            If the folder is not empty, a setting would do nothing, or what the settings name cannot
            be read.
        """
        settings = settings.with_absolute_paths()
        folder = Path(path)
        check_empty(folder)
        settings.refuse_idle()
        check_measurement(settings)  # refused before anything is written
        folder.mkdir(parents=True, exist_ok=True)
        files = DeviceFiles(folder)
        with FileLock(files.lock).hold(_PATIENCE) as held:
            if held is None or files.description.exists():  # another process was faster
                raise taken(folder)
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

    def _title(self) -> str:
        return f"DeviceRun {str(self.path)!r}"

    def _rows(self) -> Rows:
        found = self.status
        yield "state", found.state
        yield "readings", f"{found.points} of {found.points_planned}"
        yield "time", f"{found.time:.4g} of {found.time_planned:.4g} s"
        if found.conductance:
            yield (
                "conductance",
                f"now {listed([in_words(value) for value in found.conductance])} G0",
            )
        if found.report:
            yield "report", found.report
        if found.state == "interrupted":
            yield "next", f"nanogap.resume_device({str(self.path)!r})"
        else:
            yield "next", ".dataset(), .frames(), .write_report(); nanogap.switching(run), ..."

    def __fspath__(self) -> str:
        """Return the folder, so that every analysis of a path takes the run itself."""
        return str(self.path)

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
            self.is_ending = False
            try:
                if processes > 1 and len(self.members) > 1:
                    self._compute_apart(watch, processes)
                else:
                    self._compute_here(watch)
            finally:
                self.is_ending = True
                if self.points:
                    self.write()
                    self.write_report()

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
        planned, others = self.points_planned, set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
        try:
            running: set[Future[None]] = {
                pool.submit(compute_part, self.files.part(number), member, _silent)
                for number, member in enumerate(self.members)
            }
            while running:
                ended, running = wait(running, timeout=_POLL, return_when=FIRST_EXCEPTION)
                for one in ended:
                    _finish(one)
                watch(self.points, planned)
        except BaseException:
            # a device may take hours; what its process has written is whole whenever it ends
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def dataset(self) -> xr.Dataset:
        """Return all readings as a measurement dataset.

        Returns
        -------
        xarray.Dataset
            `nanogap.device.readings.readings_dataset` of all devices; the coordinate ``source``
            tells them apart.
        """
        parts = [self.of_device(number) for number in range(len(self.members))]
        whole = joined_files([part for part in parts if part.sizes["point"]] or parts[:1])
        return with_origin(whole, self.settings)

    def of_device(self, number: int) -> xr.Dataset:
        """Return the readings of one device."""
        columns = read_points(self.files.part(number))
        name = self.settings.name if len(self.members) == 1 else self.members[number].name
        before = self.members[number].preparation
        if not isinstance(before, NoPreparation):
            mark_preparation(columns["cycle"], before.n_cycles)
        return readings_dataset(columns, self.members[number], name, number)

    def write(self) -> None:
        """Write the measurement dataset, and the same as text if the measurement was begun so."""
        dataset = self.dataset()
        write_dataset(dataset, self.files.measurement)
        if self.table:
            frame = readings_table(dataset)
            write_atomically(self.files.table, lambda path: frame.to_csv(path, index=False))

    @property
    def report(self) -> Path | None:
        """The HTML report, once there is one; `write_report` writes it anew."""
        return self.files.report if self.files.report.is_file() else None

    @checked
    def write_report(self, output: str | Path | None = None, measured: Any = ()) -> Path:
        """Write the report of what there is so far; return its path.

        Parameters
        ----------
        output : str or Path, optional
            The HTML file. Default: ``report.html`` in the folder.
        measured : sequence of xarray.Dataset
            Measurements to draw beside it, as `nanogap.read_measurement` returns them.

        Raises
        ------
        DataFormatError
            If there is no reading yet.
        """
        from nanogap.runs.device_report import report_device  # noqa: PLC0415 it imports this

        target = None if output is None else Path(output)
        return report_device(self, target, measured)

    def frames(self) -> Iterator[Atoms]:
        """Read the frames that were kept: at the steps of the conductance, the first and the last.

        Yields
        ------
        ase.Atoms
            With the array ``kind`` (`nanogap.device.frames.labelled_atoms`); ``info`` has ``time``
            (s), ``conductance`` (G0), ``voltage`` (V, at the source), ``current`` (A), ``point``,
            ``bridged``, ``n_ions`` and ``device`` (from 1). Device by device, in order of time.
        """
        from nanogap.runs.device_frames import frames_of  # noqa: PLC0415 it imports this

        return frames_of(self)

    @property
    def status(self) -> DeviceStatus:
        """State, readings and conductances, as the command ``device status`` gives them."""
        return device_status(self)

    def remove(self) -> None:
        """Remove the folder if it holds no reading and no other process works in it."""
        with FileLock(self.files.lock).hold() as held:
            if held is not None and not self.points:
                shutil.rmtree(self.path)


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
        run.remove()
        raise
    return run


def _finish(part: Future[None]) -> None:
    """Raise what went wrong in the process of a device."""
    try:
        part.result()
    except BrokenProcessPool:
        raise NanogapError(
            "a process of the devices ended before its time; what is on disk goes on with "
            "resume_device or 'nanogap device resume'. A script in Python needs "
            "if __name__ == '__main__': around what it does, and each device some 100 MB of memory"
        ) from None


def _silent(_points: int) -> None:
    """Tell nobody: the parent looks at the files."""
