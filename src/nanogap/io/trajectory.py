"""The trajectory store: one extxyz file that any viewer opens, and an index beside it.

The index holds one JSON line per snapshot: where its frame lies in the file, and the scalars of
its ``info``. A frame counts only once it is committed, so a reader never meets half of one.
"""

import io
import json
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from ase.io import read, write

from nanogap.errors import DataFormatError
from nanogap.frames import freed_when_dropped
from nanogap.io.run_files import RunFiles
from nanogap.observables import OBSERVABLES


@dataclass(frozen=True)
class Commit:
    """Extent of the valid part of the store.

    Attributes
    ----------
    snapshots : int
        Number of frames.
    trajectory_bytes, index_bytes : int
        Sizes of the two files.
    """

    snapshots: int = 0
    trajectory_bytes: int = 0
    index_bytes: int = 0


@dataclass(frozen=True)
class SnapshotRecord:
    """A line of the index: where the frame of a snapshot lies, and its scalars.

    Attributes
    ----------
    number : int
        Of the snapshot, from 0.
    offset, length : int
        Of its frame in the trajectory, bytes.
    observables : dict
        Name to value; see `nanogap.observables`.
    """

    number: int
    offset: int
    length: int
    observables: dict[str, float]


class TrajectoryStore:
    """Frames on disk, appended in order of time.

    Parameters
    ----------
    folder : Path
        The run directory, which holds ``trajectory.extxyz`` and ``snapshots.jsonl``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = RunFiles(folder).trajectory
        self._index = RunFiles(folder).index
        # lines never change once they are committed: each is read once
        self._known: list[SnapshotRecord] = []
        self._known_bytes = 0

    def append(self, frames: list[Atoms], commit: Commit) -> Commit:
        """Append frames after a commit, dropping whatever stands behind it.

        Returns
        -------
        Commit
            What is valid once the caller has recorded it.

        Raises
        ------
        DataFormatError
            If what was committed is not there.
        """
        snapshots = commit.snapshots
        sizes = ((self.path, commit.trajectory_bytes), (self._index, commit.index_bytes))
        for path, size in sizes:
            if size and (path.stat().st_size if path.is_file() else 0) < size:
                raise DataFormatError(
                    f"{path} is shorter than what was written to it: it was cut, or is missing; "
                    "delete dynamics.json to go on from the last snapshot that is whole"
                )
        self.path.touch()
        self._index.touch()
        with self.path.open("r+b") as trajectory, self._index.open("r+b") as index:
            trajectory.truncate(commit.trajectory_bytes)
            index.truncate(commit.index_bytes)
            trajectory.seek(0, os.SEEK_END)
            index.seek(0, os.SEEK_END)
            for frame in frames:
                text = io.StringIO()
                write(text, frame, format="extxyz")
                content = text.getvalue().encode()
                line = {"offset": trajectory.tell(), "length": len(content)}
                line |= {name: _plain(frame.info[name]) for name in OBSERVABLES}
                trajectory.write(content)
                index.write((json.dumps(line) + "\n").encode())
                snapshots += 1
            for handle in (trajectory, index):
                handle.flush()
                os.fsync(handle.fileno())
            return Commit(snapshots, trajectory.tell(), index.tell())

    def records(self, count: int) -> list[SnapshotRecord]:
        """Return the index lines of the first `count` snapshots.

        Raises
        ------
        DataFormatError
            If the index is missing or damaged.
        """
        if count > len(self._known):
            self._read_on(count)
        return self._known[:count]

    def _read_on(self, count: int) -> None:
        """Read the lines of the index behind those that are known."""
        size, records = self._known_bytes, []
        try:
            with self._index.open("rb") as lines:
                lines.seek(size)
                for number, line in enumerate(
                    islice(lines, count - len(self._known)), start=len(self._known)
                ):
                    records.append(self._record(number, json.loads(line)))
                    size += len(line)
        except (OSError, ValueError) as error:
            raise DataFormatError(f"{self._index} cannot be read: {error}") from None
        if len(self._known) + len(records) < count:
            raise DataFormatError(
                f"{self._index} holds {len(self._known) + len(records)} of {count} snapshots"
            )
        self._known += records
        self._known_bytes = size

    def _record(self, number: int, content: Any) -> SnapshotRecord:
        """Take what is known of a snapshot from its line."""
        try:
            values = {name: content[name] for name in OBSERVABLES}
            return SnapshotRecord(number, content["offset"], content["length"], values)
        except (KeyError, TypeError) as error:
            lacking = f": it lacks {error}" if isinstance(error, KeyError) else ""
            raise DataFormatError(
                f"{self._index} is damaged at line {number + 1}{lacking}"
            ) from None

    def frame(self, record: SnapshotRecord) -> Atoms:
        """Read the frame of a snapshot; `nanogap.dynamics.simulation` says what it holds.

        Raises
        ------
        DataFormatError
            If the trajectory is damaged.
        """
        try:
            with self.path.open("rb") as trajectory:
                trajectory.seek(record.offset)
                text = trajectory.read(record.length).decode()
            return freed_when_dropped(read(io.StringIO(text), format="extxyz"))
        except Exception as error:
            raise DataFormatError(f"{self.path} is damaged: {error}") from None

    def observables(self, count: int) -> xr.Dataset:
        """Return the scalars of the first `count` snapshots as a dataset over ``snapshot``."""
        records = self.records(count)
        return xr.Dataset(
            {
                name: (
                    "snapshot",
                    np.array([record.observables[name] for record in records], dtype=known.dtype),
                    {"units": known.unit, "long_name": known.meaning},
                )
                for name, known in OBSERVABLES.items()
            },
            coords={"snapshot": np.arange(count)},
        )


def _plain(value: Any) -> Any:
    """Turn numpy scalars into what JSON knows."""
    return value.item() if isinstance(value, np.generic) else value
