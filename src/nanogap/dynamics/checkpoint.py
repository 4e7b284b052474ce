"""A checkpoint on disk: a folder whose files carry check sums.

A bit that flips in a LAMMPS restart file gives another trajectory, or crashes the engine, without
a word; so nothing is handed to it that is not what was written.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.errors import DataFormatError
from nanogap.typing import FloatArray

_POTENTIAL, _CHARGED_AT, _PROGRESS = "potential.npy", "charged_at.npy", "progress.json"
_COMMON = (_POTENTIAL, _CHARGED_AT, _PROGRESS)
#: Files of a checkpoint of an earlier version, which has no check sums.
_FILES = ("restart.lammps", *_COMMON)
_SUMS = "checksums.json"


@dataclass(frozen=True)
class Progress:
    """Progress of a simulation.

    Attributes
    ----------
    step : int
        Time steps done, equilibration included.
    snapshots : int
        Snapshots sampled.
    first_contact_step : int or None
        Step at which bonds were first seen to lead from tip to tip under bias.
    bias_work : float
        Work of the voltage source, eV.
    """

    step: int = 0
    snapshots: int = 0
    first_contact_step: int | None = None
    bias_work: float = 0.0


def write_checkpoint(
    folder: Path,
    restart: str,
    potential: FloatArray,
    charged_at: FloatArray,
    progress: Progress,
) -> None:
    """Complete a checkpoint, whose restart file is there, and flush it to disk.

    Parameters
    ----------
    folder : Path
        It holds the restart file.
    restart : str
        Name of the restart file.
    potential, charged_at : ndarray, shape (n_atoms,)
        V; see `nanogap.dynamics.work.BiasWork`.
    progress : Progress
    """
    np.save(folder / _POTENTIAL, potential)
    np.save(folder / _CHARGED_AT, charged_at)
    (folder / _PROGRESS).write_text(json.dumps(asdict(progress)), encoding="utf-8")
    sums = {name: _sum(folder / name) for name in (restart, *_COMMON)}
    (folder / _SUMS).write_text(json.dumps(sums, indent=1), encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())


def check_checkpoint(folder: Path) -> None:
    """Compare the files of a checkpoint with their check sums.

    One of an earlier version has none; its files are only looked for.

    Raises
    ------
    DataFormatError
        If a file is missing or is not what was written.
    """
    sums: dict[str, Any] = dict.fromkeys(_FILES)
    try:
        if (folder / _SUMS).is_file():
            sums = dict(json.loads((folder / _SUMS).read_text(encoding="utf-8")))
        if not sums.keys() > set(_COMMON):
            raise DataFormatError(
                f"checkpoint {folder.name} cannot be read: its check sums are damaged"
            )
        damaged = [name for name in sums if _sum(folder / name) != sums[name] is not None]
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its check sums are damaged"
        raise DataFormatError(f"checkpoint {folder.name} cannot be read: {reason}") from None
    if damaged:
        raise DataFormatError(
            f"checkpoint {folder.name} is damaged: {damaged[0]} is not what was written"
        )


def read_checkpoint(folder: Path) -> tuple[FloatArray, FloatArray, Progress]:
    """Read a checkpoint, all but the restart file.

    Returns
    -------
    potential, charged_at : ndarray, shape (n_atoms,)
        V.
    progress : Progress

    Raises
    ------
    DataFormatError
        If it is damaged or cannot be read.
    """
    check_checkpoint(folder)
    try:
        progress = Progress(**json.loads((folder / _PROGRESS).read_text(encoding="utf-8")))
        return np.load(folder / _POTENTIAL), np.load(folder / _CHARGED_AT), progress
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise DataFormatError(f"checkpoint {folder.name} cannot be read: {error}") from None


def _sum(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
