"""The wire directory: breakdowns of simulated wires on disk, and how far they are.

A wire takes seconds, so what an interruption leaves is the wires that were finished; `compute` does
the others, each from its own seed, to the same bits as without the interruption.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import write_atomically, write_json
from nanogap.io.dataset import joined_files
from nanogap.io.lock import FileLock
from nanogap.io.results import read_dataset, write_dataset
from nanogap.io.wire_files import WireFiles
from nanogap.runs.device_beginning import check_empty, device_versions, taken
from nanogap.settings.wire import WireSettings, load_wire_settings
from nanogap.wire import break_wire, breakdown_dataset
from nanogap.wire.result import (
    WireResult,
    readings_only,
    stored_moments,
    stored_result,
)

#: How long another process may take to describe the same folder, s.
_PATIENCE = 5.0
Watcher = Callable[[int, int], object]


@dataclass(frozen=True)
class WireStatus:
    """State of a wire directory; the numbers of several wires are their medians.

    Attributes
    ----------
    state : str
    wires_finished, wires_planned, parted : int
        Wires that are computed, all, and those that parted.
    readings : int
        Of all wires.
    breakdown_voltage, breakdown_current, current_density : float or None
        V, A and A/m^2; None if no wire has parted.
    gap, position : float or None
        Width, and place from the cathode of a positive voltage, nm.
    tip_radii, half_angles : list of float
        Of the tips towards cathode and anode, nm and degrees.
    melted : int
        Wires that reached the melting point.
    wires : list of WireResult
        What became of each.
    measurement, report : str or None
        Paths, where they are there.
    """

    state: Literal["running", "finished", "interrupted"]
    wires_finished: int
    wires_planned: int
    parted: int
    readings: int
    breakdown_voltage: float | None
    breakdown_current: float | None
    current_density: float | None
    gap: float | None
    position: float | None
    tip_radii: list[float]
    half_angles: list[float]
    melted: int
    wires: list[WireResult]
    measurement: str | None
    report: str | None


class WireRun:
    """Breakdowns of wires on disk, finished or not.

    Parameters
    ----------
    path : str or Path
        An existing wire directory; `create` makes one.

    Attributes
    ----------
    path : Path
    files : WireFiles
    settings : WireSettings
    members : tuple of WireSettings
        One per wire.
    table : bool
        Whether readings and profiles are written as text too.

    Raises
    ------
    DataFormatError
        If there is no wire directory, or its description is damaged.
    SettingsError
        If its settings have been edited to what cannot be.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = WireFiles(self.path)
        try:
            content = json.loads(self.files.description.read_text(encoding="utf-8"))
            self.source = str(content["source"])
            self.table, table = bool(content["table"]), content["settings"]
            self.versions: dict[str, str] = dict(content["versions"])
        except FileNotFoundError:
            raise DataFormatError(
                f"{path} is no wire directory: make one with 'nanogap wire run PRESET -o DIR'"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataFormatError(f"{self.files.description} cannot be read: {error}") from None
        self.settings = load_wire_settings(table)
        self.members = self.settings.members()
        self._refuse_edits()

    def _refuse_edits(self) -> None:
        """Refuse settings that are not those of the wires that are finished."""
        for number, member in enumerate(self.members):
            if not self.files.part(number).is_file():
                continue
            begun = json.loads(str(self.breakdown(number).attrs["settings"]))
            if load_wire_settings(begun) != member:
                raise SettingsError(
                    f"{self.files.description} has been edited since wire {number + 1} was "
                    "computed: put it back, or begin another with 'nanogap wire run'"
                )

    @classmethod
    def create(
        cls, path: str | Path, settings: WireSettings, source: str, *, table: bool = False
    ) -> Self:
        """Make a wire directory.

        Parameters
        ----------
        path : str or Path
        settings : WireSettings
        source : str
            Where the settings came from.
        table : bool
            Write readings and profiles as text too.

        Raises
        ------
        NanogapError
            If the folder is not empty, or a wire is impossible.
        """
        folder = Path(path)
        check_empty(folder)
        settings.members()
        folder.mkdir(parents=True, exist_ok=True)
        files = WireFiles(folder)
        with FileLock(files.lock).hold(_PATIENCE) as held:
            if held is None or files.description.exists():
                raise taken(folder)
            content = {
                "source": source,
                "settings": settings.model_dump(mode="json"),
                "versions": device_versions(),
                "table": table,
            }
            write_json(files.description, content)
        return cls(folder)

    def compute(self, watch: Watcher) -> None:
        """Break the wires that are not broken yet; what is done is kept however it ends.

        Parameters
        ----------
        watch : callable
            Called with the wires done and planned.

        Raises
        ------
        NanogapError
            If another process works in the folder, or a wire cannot be followed.
        """
        with FileLock(self.files.lock).hold() as held:
            if held is None:
                raise NanogapError(
                    f"another process works in {self.path}: wait for it, or stop it first"
                )
            try:
                for number, member in enumerate(self.members):
                    watch(number, len(self.members))
                    if not self.files.part(number).is_file():
                        done = breakdown_dataset(break_wire(member), number)
                        write_dataset(done, self.files.part(number))
            finally:
                if self.finished:
                    self.write()

    @property
    def finished(self) -> list[int]:
        """Numbers of the wires that are finished, from 0."""
        return [one for one in range(len(self.members)) if self.files.part(one).is_file()]

    def breakdown(self, number: int) -> xr.Dataset:
        """Return the dataset of one finished wire, by its number from 0."""
        return read_dataset(self.files.part(number))

    def breakdowns(self) -> list[xr.Dataset]:
        """Return the datasets of the finished wires; see `nanogap.wire.breakdown_dataset`."""
        return [self.breakdown(number) for number in self.finished]

    def dataset(self) -> xr.Dataset:
        """Return the readings of all finished wires as a measurement dataset.

        Raises
        ------
        SettingsError
            If no wire is finished.
        """
        return joined_files([readings_only(one) for one in self.breakdowns()]).assign_attrs(
            settings=json.dumps(self.settings.model_dump(mode="json"))
        )

    def write(self) -> None:
        """Write the measurement, the tables if they were asked for, and the report."""
        dataset = self.dataset()
        if self.table:
            _write_tables(self.files, dataset, self.breakdowns())
        write_dataset(dataset, self.files.measurement)
        self.write_report()

    def write_report(self, output: Path | None = None) -> Path:
        """Write the report of the wires that are finished; return its path.

        Parameters
        ----------
        output : Path, optional
            The HTML file. Default: ``report.html`` in the folder.

        Raises
        ------
        DataFormatError
            If there is none.
        """
        from nanogap.report.wire import write_wire_report  # noqa: PLC0415 it loads matplotlib

        parts = self.breakdowns()
        if not parts:
            raise DataFormatError(
                f"{self.path} has no finished wire yet: 'nanogap wire resume {self.path}' goes on"
            )
        target = output or self.files.report
        write_wire_report(target, self.settings, parts, {"from": self.source, **self.versions})
        return target

    @property
    def status(self) -> WireStatus:
        """State and numbers, as the command ``wire status`` gives them."""
        parts = self.breakdowns()
        results = [stored_result(one) for one in parts]
        parted = [one for one in results if one.parted]
        finished = len(results) == len(self.members)
        running = FileLock(self.files.lock).is_held()

        def median(name: str) -> float | None:
            return float(np.median([getattr(one, name) for one in parted])) if parted else None

        def medians(name: str) -> list[float]:
            rows = [getattr(one, name) for one in parted]
            return np.median(rows, axis=0).tolist() if rows else []

        return WireStatus(
            state="finished" if finished else "running" if running else "interrupted",
            wires_finished=len(results),
            wires_planned=len(self.members),
            parted=len(parted),
            readings=sum(one.sizes["point"] for one in parts),
            breakdown_voltage=median("breakdown_voltage"),
            breakdown_current=median("breakdown_current"),
            current_density=median("current_density"),
            gap=median("gap"),
            position=median("position"),
            tip_radii=medians("tip_radii"),
            half_angles=medians("half_angles"),
            melted=sum(one.melted for one in results),
            wires=results,
            measurement=str(self.files.measurement) if self.files.measurement.is_file() else None,
            report=str(self.files.report) if self.files.report.is_file() else None,
        )


def start_wires(
    path: Path, settings: WireSettings, source: str, watch: Watcher, *, table: bool = False
) -> WireRun:
    """Break wires in a new folder; where none could be followed nothing is left behind.

    Parameters
    ----------
    path : Path
        The wire directory, new or empty.
    settings : WireSettings
    source : str
        Where the settings came from.
    watch, table
        See `WireRun.compute` and `WireRun.create`.
    """
    run = WireRun.create(path, settings, source, table=table)
    try:
        run.compute(watch)
    except NanogapError:
        if not run.finished:
            shutil.rmtree(path)
        raise
    return run


def _write_tables(files: WireFiles, dataset: xr.Dataset, parts: list[xr.Dataset]) -> None:
    """Write readings and profiles as text."""
    units = {"time": "s", "voltage": "V", "gap_voltage": "V", "current": "A"}
    names = [*units, "cycle", "device", "compliance", "temperature", "radius", "parted"]
    frame = dataset[names].drop_vars("file").to_dataframe()[names]
    frame[["compliance", "parted"]] = frame[["compliance", "parted"]].astype(int)
    units |= {"temperature": "K", "radius": "m"}
    frame = frame.rename(columns={name: f"{name} ({unit})" for name, unit in units.items()})
    write_atomically(files.table, lambda path: frame.to_csv(path, index=False))
    rows = [
        pd.DataFrame(
            {
                "device": number + 1,
                "moment": place + 1,
                "time (s)": one.time,
                "voltage (V)": one.voltage,
                "current (A)": one.current,
                "position (m)": one.positions,
                "radius (m)": one.radii,
                "temperature (K)": one.temperature,
                "current density (A/m^2)": one.density,
            }
        )
        for number, part in enumerate(parts)
        for place, one in enumerate(stored_moments(part))
    ]
    profiles = pd.concat(rows)
    write_atomically(files.profiles, lambda path: profiles.to_csv(path, index=False))
