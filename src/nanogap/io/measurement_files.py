"""Files of a measurement directory: what an instrument measured, point by point.

The readings are one text table that grows at its end; every line is on disk before the next point
is taken. A line that was cut off by a crash does not count. The description says what was measured
with what, and each session adds a line to the record of sessions: beginning, end, break, why.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError
from nanogap.io.dataset import measurement_dataset, with_series_resistance
from nanogap.typing import FloatArray

#: Columns of the table. A cycle that was begun anew after a break counts as a new one; the segment
#: and the sample say where in the protocol the reading belongs.
COLUMNS = (
    "time (s)",
    "voltage (V)",
    "current (A)",
    "cycle",
    "compliance",
    "read",
    "preparation",
    "segment",
    "sample",
    "session",
)
_HEADER = ",".join(COLUMNS) + "\n"
#: Whole numbers among them.
_WHOLE = 3


@dataclass(frozen=True)
class MeasurementFiles:
    """Places of a measurement directory.

    Attributes
    ----------
    folder : Path
        The directory, there or not.
    """

    folder: Path

    @property
    def description(self) -> Path:
        """Protocol, settings, instrument, versions."""
        return self.folder / "measure.json"

    @property
    def table(self) -> Path:
        """All readings, as text."""
        return self.folder / "measurement.csv"

    @property
    def sessions(self) -> Path:
        """Beginnings, ends and breaks, a JSON object a line."""
        return self.folder / "sessions.jsonl"

    @property
    def watchdog(self) -> Path:
        """Words of the process that switches the output off when the measuring one is gone."""
        return self.folder / "watchdog.log"

    @property
    def lock(self) -> Path:
        """Held by the process that measures."""
        return self.folder / ".lock"

    def description_content(self) -> Mapping[str, Any]:
        """Read the description.

        Raises
        ------
        DataFormatError
            If it is missing or damaged.
        """
        try:
            content = json.loads(self.description.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise DataFormatError(f"{self.description} cannot be read: it is no table")
        except (OSError, ValueError) as error:
            raise DataFormatError(f"{self.description} cannot be read: {error}") from None
        return content

    def rows(self) -> FloatArray:
        """Return the readings that are whole, shape (n_points, n_columns), in SI units.

        Raises
        ------
        DataFormatError
            If a line before the last is damaged.
        """
        if not self.table.is_file():
            return np.empty((0, len(COLUMNS)))
        text = self.table.read_bytes()
        lines = text[: text.rfind(b"\n") + 1].decode("ascii", "replace").splitlines()
        if not lines:
            return np.empty((0, len(COLUMNS)))
        try:
            rows = [[float(word) for word in line.split(",")] for line in lines[1:]]
            found = np.array(rows, dtype=np.float64).reshape(len(rows), len(COLUMNS))
        except ValueError:
            raise DataFormatError(
                f"{self.table} is damaged: a line before its last is no reading of "
                f"{len(COLUMNS)} numbers; put the line right, or measure anew into another folder"
            ) from None
        if lines[0] != _HEADER.strip():
            raise DataFormatError(f"{self.table} has other columns than {', '.join(COLUMNS)}")
        return found


def is_measurement_directory(path: Path) -> bool:
    """Whether a folder holds what ``nanogap measure`` writes."""
    return MeasurementFiles(path).description.is_file()


def is_measurement_table(path: Path) -> bool:
    """Whether a file is the table of a measurement directory."""
    files = MeasurementFiles(path.parent)
    return path.name == files.table.name and files.description.is_file()


def measurement_of(folder: Path) -> xr.Dataset:
    """Return the readings of a measurement directory as a measurement dataset.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    xarray.Dataset
        With ``read`` and, where there is one, ``preparation``; where the settings say something
        of the circuit, the coordinate ``series_resistance``. Attributes: the instrument,
        the settings, the version.

    Raises
    ------
    DataFormatError
        If it cannot be read, or holds no reading.
    """
    files = MeasurementFiles(folder)
    about, rows = files.description_content(), files.rows()
    if not len(rows):
        raise DataFormatError(f"{files.table} holds no reading yet")
    columns = dict(zip(COLUMNS, rows.T, strict=True))
    try:
        name, attrs = str(about["name"]), {key: str(about[key]) for key in ("unit", "identity")}
        settings, resistance = json.dumps(about["settings"]), about["series_resistance"]
        driven, made_by = str(about["driven"]), str(about["versions"]["nanogap"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataFormatError(f"{files.description} cannot be read: {error!r}") from None
    made = measurement_dataset(
        time=columns["time (s)"],
        voltage=columns["voltage (V)"],
        current=columns["current (A)"],
        cycle=columns["cycle"].astype(np.int64),
        compliance=columns["compliance"].astype(bool),
        name=name,
        device=name,
        attrs={**attrs, "driven": driven, "nanogap_version": made_by, "settings": settings},
    )
    made["read"] = ("point", columns["read"].astype(bool))
    if (prepares := columns["preparation"].astype(bool)).any():
        made["preparation"] = ("point", prepares, {"long_name": "belongs to the preparation"})
    if resistance is None:
        return made
    return with_series_resistance(made, np.array([float(resistance)]))


class ReadingTable:
    """The table of a measurement directory, to be added to; what was cut off is dropped.

    Parameters
    ----------
    files : MeasurementFiles
        The directory exists.

    Attributes
    ----------
    rows : ndarray, shape (n_points, n_columns)
        Readings that were there.

    Raises
    ------
    DataFormatError
        If a line before the last is damaged.
    """

    def __init__(self, files: MeasurementFiles) -> None:
        self._path, self.rows = files.table, files.rows()
        content = self._path.read_bytes() if self._path.is_file() else b""
        whole = content.rfind(b"\n") + 1
        self._handle = self._path.open("ab")
        self._handle.truncate(whole)
        if not whole:
            self._write(_HEADER)

    def add(self, values: Mapping[str, float]) -> None:
        """Append a reading; it is on disk when this returns.

        Raises
        ------
        NanogapError
            If the disk takes no more.
        """
        words = [
            f"{values[name]:.12g}" if number < _WHOLE else f"{values[name]:.0f}"
            for number, name in enumerate(COLUMNS)
        ]
        self._write(",".join(words) + "\n")

    def _write(self, line: str) -> None:
        try:
            self._handle.write(line.encode("ascii"))
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise _full(self._path, error) from None

    def __enter__(self) -> Self:
        """Return the table."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._handle.close()


def add_line(path: Path, content: Mapping[str, object]) -> None:
    """Append a JSON object to a file as a line, and let it reach the disk.

    Raises
    ------
    NanogapError
        If the disk takes no more.
    """
    try:
        with path.open("a+b") as file:
            if file.tell():  # a line that a crash cut off stays by itself
                file.seek(-1, os.SEEK_END)
                file.write(b"" if file.read(1) == b"\n" else b"\n")
            file.write(json.dumps(content).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _full(path, error) from None


def _full(path: Path, error: OSError) -> NanogapError:
    """Say what could not be written, and what is not lost."""
    return NanogapError(
        f"{path} cannot be written: {error.strerror}; make room, and the same command goes on: "
        "what is on disk is not lost"
    )


def sessions_of(files: MeasurementFiles) -> list[dict[str, object]]:
    """Return the beginning of each session with, where it was written, its end.

    A session that was killed has no ``end``; a line that was cut off does not count.

    Parameters
    ----------
    files : MeasurementFiles
    """
    found: dict[int, dict[str, object]] = {}
    if not files.sessions.is_file():
        return []
    for line in files.sessions.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            content = json.loads(line)
            found.setdefault(int(content["session"]), {}).update(content)
    return [one for one in found.values() if "begin" in one]
