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

#: Scalars of a frame's ``info`` that make the observables: unit and meaning.
OBSERVABLES: dict[str, tuple[str, str]] = {
    "time": ("fs", "time since the voltage was applied"),
    "step": ("1", "time steps since the start"),
    "applied_voltage": ("V", "voltage of the top electrode against the bottom one"),
    "temperature": ("K", "temperature of the mobile atoms"),
    "potential_energy": ("eV", "potential energy"),
    "connected": ("1", "whether connected metal leads from base to base"),
    "largest_hop": ("angstrom", "longest hop of the best path from base to base"),
    "network_conductance": (
        "bonds",
        "classical conductance of the metal network, in nearest-neighbour bonds",
    ),
    "atoms_in_gap": ("1", "atoms between the terraces"),
    "bottleneck_atoms": ("1", "fewest atoms whose removal parts the tips"),
    "charge_bottom": ("e", "charge of the bottom half"),
    "charge_top": ("e", "charge of the top half"),
}

#: Scalars that the index of a run of an older version lacks.
LATER_OBSERVABLES: dict[str, tuple[str, str]] = {
    "kinetic_energy": ("eV", "kinetic energy"),
    "bias_work": ("eV", "work of the voltage source since the start"),
    "energy_balance": ("eV", "kinetic and potential energy less the work of the source"),
    "thermostat_energy": ("eV", "energy that the thermostat has taken since the start"),
    "flux_top": ("V bonds", "classical current from the top base into the metal"),
    "flux_bottom": ("V bonds", "classical current from the metal into the bottom base"),
    "adatoms_bottom": ("1", "adatoms of the bottom terrace"),
    "adatoms_top": ("1", "adatoms of the top terrace"),
    "islands_bottom": ("1", "islands of bonded adatoms on the bottom terrace"),
    "islands_top": ("1", "islands of bonded adatoms on the top terrace"),
    "largest_island": ("1", "adatoms of the largest cluster"),
    "tip_distance": ("angstrom", "shortest distance between the tips"),
    "bridge_atoms": ("1", "adatoms of clusters that are bonded to both tips"),
    "cross_section": ("angstrom2", "area that the bottleneck covers, seen along the axis"),
    "bottleneck_coordination": ("1", "mean number of bonds of the atoms of the bottleneck"),
    "narrowest_x": ("angstrom", "in-plane position of the narrowest place, x"),
    "narrowest_y": ("angstrom", "in-plane position of the narrowest place, y"),
    "narrowest_height": ("angstrom", "height of the narrowest place over the middle of the gap"),
}


@dataclass(frozen=True)
class Commit:
    """How much of the store is valid.

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


class TrajectoryStore:
    """Frames on disk, appended in order of time.

    Parameters
    ----------
    folder : Path
        Holds ``trajectory.extxyz`` and ``snapshots.jsonl``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trajectory.extxyz"
        self._index = folder / "snapshots.jsonl"
        # lines never change once they are committed: each is read once
        self._known: list[dict[str, Any]] = []
        self._known_bytes = 0

    def append(self, frames: list[Atoms], commit: Commit) -> Commit:
        """Append frames after a commit, dropping whatever stands behind it.

        Returns
        -------
        Commit
            What is valid once the caller has recorded it.
        """
        snapshots = commit.snapshots
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
                line |= {key: _plain(frame.info[key]) for key in OBSERVABLES}
                line |= {
                    key: _plain(frame.info[key]) for key in LATER_OBSERVABLES if key in frame.info
                }
                trajectory.write(content)
                index.write((json.dumps(line) + "\n").encode())
                snapshots += 1
            for handle in (trajectory, index):
                handle.flush()
                os.fsync(handle.fileno())
            return Commit(snapshots, trajectory.tell(), index.tell())

    def records(self, count: int) -> list[dict[str, Any]]:
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
        known, size = len(self._known), self._known_bytes
        keys = {"offset", "length", *OBSERVABLES}
        found = []
        try:
            with self._index.open("rb") as lines:
                lines.seek(size)
                for line in islice(lines, count - known):
                    found.append(json.loads(line))
                    size += len(line)
        except (OSError, ValueError) as error:
            raise DataFormatError(f"{self._index} cannot be read: {error}") from None
        if known + len(found) < count:
            raise DataFormatError(f"{self._index} holds {known + len(found)} of {count} snapshots")
        for number, record in enumerate(found, start=known + 1):
            if not isinstance(record, dict) or not keys <= record.keys():
                raise DataFormatError(f"{self._index} is damaged at line {number}")
        self._known += found
        self._known_bytes = size

    def frame(self, record: dict[str, Any]) -> Atoms:
        """Read the frame that an index line points to.

        Raises
        ------
        DataFormatError
            If the trajectory is damaged.
        """
        try:
            with self.path.open("rb") as trajectory:
                trajectory.seek(record["offset"])
                text = trajectory.read(record["length"]).decode()
            return read(io.StringIO(text), format="extxyz")
        except Exception as error:
            raise DataFormatError(f"{self.path} is damaged: {error}") from None

    def observables(self, count: int) -> xr.Dataset:
        """Return the scalars of the first `count` snapshots as a dataset over ``snapshot``.

        A scalar that the index lacks is NaN.
        """
        records = self.records(count)
        return xr.Dataset(
            {
                key: (
                    "snapshot",
                    np.array([record.get(key, np.nan) for record in records]),
                    {"units": units, "long_name": name},
                )
                for key, (units, name) in (OBSERVABLES | LATER_OBSERVABLES).items()
            },
            coords={"snapshot": np.arange(count)},
        )


def _plain(value: Any) -> Any:
    """Turn numpy scalars into what JSON knows."""
    return value.item() if isinstance(value, np.generic) else value
