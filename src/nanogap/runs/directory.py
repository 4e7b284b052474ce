"""The run directory: what it holds, who works in it, and how far it is."""

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr
from ase import Atoms
from ase.io import write

from nanogap.dynamics.schedule import FineWindow
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import (
    SnapshotRecord,
    TrajectoryStore,
    copy_atomically,
    write_atomically,
    write_json,
)
from nanogap.io.device_files import is_device_directory
from nanogap.io.lock import FileLock
from nanogap.io.run_files import RunFiles
from nanogap.runs.beginning import UNTOLD, changes_since, record_beginning, refuse_mixture
from nanogap.runs.recovery import recovered_state
from nanogap.runs.results import Watch, read_averages, read_transmissions, with_moments
from nanogap.runs.state import DynamicsState, read_state, write_state
from nanogap.settings import Settings, validated
from nanogap.structure.junction import read_frames


class RunDirectory:
    """One run on disk.

    Parameters
    ----------
    path : str or Path
        An existing run directory; make one with `create`.

    Attributes
    ----------
    path : Path
        The folder.
    files : RunFiles
        What lies where in it.
    settings : Settings
    source : str
        Where the settings came from.
    versions : dict
        Versions of the programs that made it; several, in order, where others went on.
    changes : tuple of str
        Settings that were changed after the beginning.
    window : FineWindow or None
        What a fine sampling samples; None for other runs.
    trajectory : TrajectoryStore

    Raises
    ------
    DataFormatError
        If the folder does not exist or is no run directory.
    SettingsError
        If its settings have been edited in a way that would mix results.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path = Path(path)
        self._made: list[Path] = []
        self.files = RunFiles(path)
        self._lock = FileLock(self.files.lock)
        if not path.is_dir():
            raise DataFormatError(f"no run directory {path}: 'nanogap run' makes one")
        if is_device_directory(path):
            raise DataFormatError(
                f"{path} holds simulated devices and no run of molecular dynamics: open_device and "
                "'nanogap device status' read it"
            )
        content: dict[str, Any] = {}
        try:
            content = json.loads(self.files.description.read_text(encoding="utf-8"))
            self.source = str(content["source"])
            self.settings = validated(Settings, str(self.files.description), content["settings"])
            self.versions: dict[str, str] = dict(content["versions"])
            self.changes = tuple(map(str, content.get("changes", ())))
            window = content.get("sample")
            self.window = None if window is None else FineWindow(**window)
        except SettingsError as error:
            raise DataFormatError(str(error)) from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise DataFormatError(
                f"{path} is not a readable run directory: run.json: {reason}"
            ) from None
        self.trajectory = TrajectoryStore(path)
        self._edits = changes_since(self.files, self.settings)
        refuse_mixture(self.files, self.settings, self._edits)

    @classmethod
    def create(
        cls,
        path: Path,
        settings: Settings,
        source: str,
        versions: dict[str, str],
        window: FineWindow | None = None,
    ) -> "RunDirectory":
        """Make a run directory; with a window, that of a fine sampling of another run.

        Raises
        ------
        SettingsError
            If the folder holds something already, or cannot be made.
        """
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise SettingsError(
                    f"{path} exists and is not empty: choose another folder, or go on with "
                    f"'nanogap resume {path}' if it is a run"
                )
            made = [folder for folder in (path, *path.parents) if not folder.exists()]
            path.mkdir(parents=True, exist_ok=True)
            content: dict[str, Any] = {
                "source": source,
                "settings": settings.model_dump(mode="json"),
                "versions": versions,
            }
            if window is not None:
                content["sample"] = asdict(window)
            record_beginning(RunFiles(path), settings)
            write_json(RunFiles(path).description, content)
        except OSError as error:
            raise SettingsError(f"cannot make run directory {path}: {error.strerror}") from None
        run = cls(path)
        run._made = made
        return run

    def begin_session(self, versions: Mapping[str, str]) -> None:
        """Record what a further session goes on with: other programs, edited settings.

        Parameters
        ----------
        versions : mapping
            Of the programs of this session.
        """
        joined = {
            name: joined_versions(self.versions.get(name, ""), number)
            for name, number in {**self.versions, **versions}.items()
        }
        reached = self.dynamics.step
        edits = [
            f"{edit}, from step {reached} on" for edit in self._edits if edit.key not in UNTOLD
        ]
        if joined == self.versions and not self._edits:
            return
        self.versions, self.changes = joined, (*self.changes, *edits)
        if edits and self.files.spectra.is_file():
            self.files.spectra.unlink()  # of the moments of a run with another end
        record_beginning(self.files, self.settings)
        self._edits = []
        content = json.loads(self.files.description.read_text(encoding="utf-8"))
        content |= {"versions": joined, "changes": list(self.changes)}
        write_json(self.files.description, content)

    def remove(self) -> None:
        """Delete the run, for one that could not begin, and the folders made for it."""
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for folder in self._made:
            folder.rmdir()

    @property
    def logs(self) -> Path:
        """Folder of the logs of the engine and the workers."""
        self.files.logs.mkdir(exist_ok=True)
        return self.files.logs

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.files.report

    @property
    def tips(self) -> Atoms | None:
        """The starting structure, once it is built."""
        path = self.files.tips
        if not path.is_file():
            return None
        try:
            return read_frames(path, "-1")[0]
        except Exception as error:
            raise DataFormatError(f"{path} is damaged: {error}: start the run anew") from None

    @tips.setter
    def tips(self, atoms: Atoms) -> None:
        write_atomically(
            self.files.tips,
            lambda temporary: write(temporary, atoms, format="extxyz"),
        )

    @property
    def force_field(self) -> Path | None:
        """The copy of the user's own force-field file, where the settings name one."""
        return _if_there(self.files.force_field)

    @property
    def hamiltonian(self) -> Path | None:
        """The copy of the user's own Hamiltonian, where the settings name one."""
        return _if_there(self.files.hamiltonian)

    def copy_named_files(self) -> None:
        """Copy the files that the settings name, so that a change of them changes no resumed run.

        They have been read before, so a failure is one of the disk.
        """
        dynamics, hamiltonian = self.settings.dynamics, self.settings.transport.hamiltonian
        if dynamics.engine != "eam" and dynamics.force_field != "packaged":
            copy_atomically(Path(dynamics.force_field), self.files.force_field)
        if hamiltonian not in ("packaged", "none"):
            copy_atomically(Path(hamiltonian), self.files.hamiltonian)

    @property
    def dynamics(self) -> DynamicsState:
        """State that the dynamics has committed."""
        path = self.files.dynamics
        try:
            return read_state(path)
        except DataFormatError:
            if self.is_locked():  # a session at work has recovered what was to recover
                if path.is_file():
                    raise
                return DynamicsState()
        return self.recovered() or DynamicsState()

    @dynamics.setter
    def dynamics(self, state: DynamicsState) -> None:
        write_state(self.files.dynamics, state)

    def recovered(self) -> DynamicsState | None:
        """State of a dynamics whose own record is lost; None if there is nothing of it."""
        return recovered_state(self.files, self.settings, self.window)

    def new_checkpoint(self, step: int) -> Path:
        """Make an empty checkpoint folder."""
        folder = self.files.checkpoint(step)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def checkpoints(self) -> dict[int, Path]:
        """Checkpoints that are complete: step and folder."""
        files, last = self.files, self.dynamics.step
        return {step: files.checkpoint(step) for step in files.checkpoint_steps() if step <= last}

    def drop_checkpoints(self, keep: Collection[int]) -> None:
        """Delete all checkpoints but those of some steps."""
        for step in set(self.files.checkpoint_steps()) - set(keep):
            shutil.rmtree(self.files.checkpoint(step), ignore_errors=True)

    def records(self) -> list[SnapshotRecord]:
        """Return the place of the frame and the scalars of every committed snapshot."""
        return self.trajectory.records(self.dynamics.commit.snapshots)

    def observables(self) -> xr.Dataset:
        """Scalars of all committed snapshots, over ``snapshot``: `nanogap.observables`."""
        return self.trajectory.observables(self.dynamics.commit.snapshots)

    def frame(self, snapshot: int) -> Atoms:
        """Read the frame of a committed snapshot.

        Parameters
        ----------
        snapshot : int
            Its number; negative ones count from the last.

        Raises
        ------
        DataFormatError
            If there is no such snapshot, or the trajectory is damaged.
        """
        records = self.records()
        if not -len(records) <= snapshot < len(records):
            raise DataFormatError(
                f"{self.path} has {len(records)} snapshots, no snapshot {snapshot}"
            )
        return self.trajectory.frame(records[snapshot])

    def transmission_path(self, snapshot: int) -> Path:
        """Return the file of a snapshot's transmission, and make its folder."""
        path = self.files.transmission(snapshot)
        path.parent.mkdir(exist_ok=True)
        return path

    def failure_path(self, snapshot: int) -> Path:
        """Return the file that says why a snapshot has no transmission, and make its folder."""
        self.transmission_path(snapshot)
        return self.files.failure(snapshot)

    def failures(self) -> dict[int, str]:
        """Snapshots that have no transmission, and why."""
        return {number: _reason(path) for number, path in self.files.failures().items()}

    @property
    def settled(self) -> int:
        """Number of snapshots whose transmission is known, or known to be impossible."""
        return len(self.files.transmissions()) + len(self.files.failures())

    def transmission(self, watch: Watch = lambda _done, _total: None) -> xr.Dataset | None:
        """All transmissions computed so far, in order of snapshots.

        Parameters
        ----------
        watch : callable, optional
            See `nanogap.runs.results.read_transmissions`.

        Returns
        -------
        xarray.Dataset or None
            `nanogap.transport.negf.compute.compute_transmission` with the coordinates ``time``
            (fs), ``stage`` and ``connected`` over ``snapshot``; None if there is none yet.
        """
        paths, joined = self.files.transmissions(), self.files.joined_transmission
        dataset = read_transmissions(paths, joined, watch)
        return None if dataset is None else with_moments(dataset, self.observables())

    def transmission_averages(self) -> xr.Dataset | None:
        """``transmission_average`` of `transmission` with its attributes, fifty times faster."""
        return read_averages(self.files.transmissions(), self.files.joined_transmission)

    @property
    def spectra_path(self) -> Path:
        """T(E) of the landmark snapshots."""
        return self.files.spectra

    @contextmanager
    def lock(self, patience: float = 0.0) -> Iterator[int]:
        """Hold the run; children that inherit the file descriptor hold it too.

        Parameters
        ----------
        patience : float
            How long to wait for another process to let go, s: orphans of a killed run end
            within a moment.

        Raises
        ------
        NanogapError
            If another process works in the run, or the file system has no locks.
        """
        try:
            self._lock.path.touch()
        except OSError as error:
            raise NanogapError(f"cannot write to {self.path}: {error.strerror}") from None
        with self._lock.hold(patience) as descriptor:
            if descriptor is None:
                raise NanogapError(
                    f"another nanogap process works in {self.path}: wait for it, or stop it"
                )
            yield descriptor

    def is_locked(self) -> bool:
        """Whether a process works in the run."""
        return self._lock.is_held()

    @property
    def error(self) -> str | None:
        """Reason of the failure of the last session; None if it did not fail."""
        path = self.files.error
        return _reason(path) if path.is_file() else None

    @error.setter
    def error(self, message: str | None) -> None:
        path = self.files.error
        if message is None:
            path.unlink(missing_ok=True)
        else:
            write_json(path, {"error": message})


def joined_versions(before: str, now: str) -> str:
    """Add a version to those that had a part, unless it was the last.

    Examples
    --------
    >>> joined_versions("1.0", "1.1"), joined_versions("1.0, 1.1", "1.1")
    ('1.0, 1.1', '1.0, 1.1')
    """
    last = before.rpartition(", ")[2]
    return before if last == now else f"{before}, {now}".removeprefix(", ")


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _reason(path: Path) -> str:
    """Read the reason of a failure; a damaged one is a failure all the same."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path} is damaged: the reason is lost"
