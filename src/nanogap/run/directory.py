"""The run directory: what lies where, who works in it, and how far it is."""

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from ase.io import read, write

from nanogap.dynamics.schedule import FineWindow
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import (
    Commit,
    SnapshotRecord,
    TrajectoryStore,
    copy_atomically,
    read_arrays,
    read_attributes,
    read_dataset,
    write_atomically,
    write_json,
)
from nanogap.io.lock import FileLock
from nanogap.settings import Settings


@dataclass(frozen=True)
class DynamicsState:
    """What the dynamics has committed.

    Attributes
    ----------
    step, end_step : int
        Time steps done and of the whole run.
    snapshots_planned : int
        Snapshots of the whole run, as far as it is known.
    checkpoint : str or None
        Name of the checkpoint folder.
    commit : Commit
        Valid part of the trajectory.
    seconds : float
        Wall time spent on the dynamics, all sessions together.
    engine_version : str
        LAMMPS version.
    start_step : int
        At which it began: that of a checkpoint of another run for a fine sampling.
    """

    step: int = 0
    end_step: int = 0
    snapshots_planned: int = 0
    checkpoint: str | None = None
    commit: Commit = field(default_factory=Commit)
    seconds: float = 0.0
    engine_version: str = ""
    start_step: int = 0

    @property
    def finished(self) -> bool:
        """Whether the dynamics has reached its end."""
        return self.end_step > 0 and self.step >= self.end_step


class RunDirectory:
    """One run on disk.

    Parameters
    ----------
    path : Path
        An existing run directory; make one with `create`.

    Raises
    ------
    DataFormatError
        If the folder does not exist or is no run directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: list[Path] = []
        self._lock = FileLock(path / ".lock")
        if not path.is_dir():
            raise DataFormatError(f"no run directory {path}: start one with 'nanogap run ... -o'")
        try:
            content = json.loads((path / "run.json").read_text(encoding="utf-8"))
            self.source = str(content["source"])
            self.settings = Settings.model_validate(content["settings"])
            self.versions: dict[str, str] = dict(content["versions"])
            window = content.get("sample")
            self.window = None if window is None else FineWindow(**window)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise DataFormatError(
                f"{path} is not a readable run directory: run.json: {reason}"
            ) from None
        self.trajectory = TrajectoryStore(path)

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
                    f"{path} exists and is not empty: choose another -o, or go on with "
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
            write_json(path / "run.json", content)
        except OSError as error:
            raise SettingsError(f"cannot make run directory {path}: {error.strerror}") from None
        run = cls(path)
        run._made = made
        return run

    def remove(self) -> None:
        """Delete the run, for one that could not begin, and the folders made for it."""
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for folder in self._made:
            folder.rmdir()

    @property
    def logs(self) -> Path:
        """Folder of the logs of the engine and the workers."""
        folder = self.path / "logs"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / "report.html"

    @property
    def tips(self) -> Atoms | None:
        """The starting structure, once it is built."""
        path = self.path / "tips.extxyz"
        if not path.is_file():
            return None
        try:
            return read(path)
        except Exception as error:
            raise DataFormatError(f"{path} is damaged: {error}: start the run anew") from None

    @tips.setter
    def tips(self, atoms: Atoms) -> None:
        write_atomically(
            self.path / "tips.extxyz",
            lambda temporary: write(temporary, atoms, format="extxyz"),
        )

    @property
    def force_field(self) -> Path | None:
        """The copy of the user's own force-field file, where the settings name one."""
        return self._copy("force-field.reax")

    @property
    def hamiltonian(self) -> Path | None:
        """The copy of the user's own Hamiltonian, where the settings name one."""
        return self._copy("hamiltonian.toml")

    def _copy(self, name: str) -> Path | None:
        path = self.path / name
        return path if path.is_file() else None

    def keep_files(self) -> None:
        """Copy the files that the settings name, so that a change of them changes no resumed run.

        They have been read before, so a failure is one of the disk.
        """
        dynamics, hamiltonian = self.settings.dynamics, self.settings.transport.hamiltonian
        if dynamics.engine == "reaxff" and dynamics.force_field != "packaged":
            copy_atomically(Path(dynamics.force_field), self.path / "force-field.reax")
        if hamiltonian not in ("packaged", "none"):
            copy_atomically(Path(hamiltonian), self.path / "hamiltonian.toml")

    @property
    def dynamics(self) -> DynamicsState:
        """What the dynamics has committed."""
        path = self.path / "dynamics.json"
        if not path.is_file():
            return DynamicsState()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["commit"] = Commit(**content["commit"])
            return DynamicsState(**content)
        except (ValueError, KeyError, TypeError) as error:
            raise DataFormatError(f"{path} is damaged: {error}") from None

    @dynamics.setter
    def dynamics(self, state: DynamicsState) -> None:
        write_json(self.path / "dynamics.json", asdict(state))

    def new_checkpoint(self, step: int) -> Path:
        """Make an empty checkpoint folder."""
        folder = self.path / "checkpoints" / f"step-{step}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def checkpoints(self) -> dict[int, Path]:
        """Checkpoints that are complete: step and folder."""
        last, folders = self.dynamics.step, (self.path / "checkpoints").glob("step-*")
        found = {int(folder.name.removeprefix("step-")): folder for folder in folders}
        return {step: found[step] for step in sorted(found) if step <= last}

    def drop_checkpoints(self, keep: Collection[int]) -> None:
        """Delete all checkpoints but those of some steps."""
        kept = {f"step-{step}" for step in keep}
        for folder in (self.path / "checkpoints").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def records(self) -> list[SnapshotRecord]:
        """Where the frames of all committed snapshots lie, and their scalars."""
        return self.trajectory.records(self.dynamics.commit.snapshots)

    def observables(self) -> xr.Dataset:
        """Scalars of all committed snapshots, over ``snapshot``: `nanogap.observables`."""
        return self.trajectory.observables(self.dynamics.commit.snapshots)

    def transmission_path(self, snapshot: int) -> Path:
        """Where the transmission of a snapshot lies."""
        folder = self.path / "transmission"
        folder.mkdir(exist_ok=True)
        return folder / f"{snapshot:06d}.nc"

    def failure_path(self, snapshot: int) -> Path:
        """Where the reason lies why a snapshot has no transmission."""
        return self.transmission_path(snapshot).with_suffix(".error.json")

    def failures(self) -> dict[int, str]:
        """Snapshots that have no transmission, and why."""
        folder = self.path / "transmission"
        return {
            int(path.name.split(".", 1)[0]): _reason(path)
            for path in sorted(folder.glob("*.error.json"))
        }

    def _transmission_paths(self) -> list[Path]:
        return sorted((self.path / "transmission").glob("[0-9]*.nc"))

    def transmission(self) -> xr.Dataset | None:
        """All transmissions computed so far, in order of snapshots."""
        paths = self._transmission_paths()
        parts = [read_dataset(path) for path in paths]
        if not parts:
            return None
        attributes = _joined([part.attrs for part in parts])
        # cells of different widths have different meshes, which then belong to their snapshots
        one_mesh = attributes.get("kpoints") == parts[0].attrs.get("kpoints")
        merged = xr.concat(
            [_numbered(part) for part in parts],
            dim="snapshot",
            data_vars="minimal",
            coords="minimal" if one_mesh else ["k1", "k2"],
            join="outer",
            compat="override",
            combine_attrs="override",
        )
        merged.attrs = attributes
        return merged.assign_coords(snapshot=[int(path.stem) for path in paths])

    def transmission_averages(self) -> xr.Dataset | None:
        """``transmission_average`` of `transmission` with its attributes, fifty times faster."""
        paths = self._transmission_paths()
        if not paths:
            return None
        averages, energies = zip(
            *(read_arrays(path, ["transmission_average", "energy"]) for path in paths), strict=True
        )
        return xr.Dataset(
            {"transmission_average": (("snapshot", "energy"), np.concatenate(averages))},
            coords={"snapshot": [int(path.stem) for path in paths], "energy": energies[0]},
            attrs=_joined([read_attributes(path) for path in paths]),
        )

    @property
    def spectra_path(self) -> Path:
        """T(E) of the landmark snapshots."""
        return self.path / "spectra.nc"

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
        """Why the last session failed, if it did."""
        path = self.path / "error.json"
        return _reason(path) if path.is_file() else None

    @error.setter
    def error(self, message: str | None) -> None:
        path = self.path / "error.json"
        if message is None:
            path.unlink(missing_ok=True)
        else:
            write_json(path, {"error": message})


def _joined(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the attributes of the transmissions of single snapshots."""
    joined = dict(attributes[0])
    joined["wall_time"] = sum(float(one.get("wall_time", 0.0)) for one in attributes)
    if len({one.get("kpoints") for one in attributes}) > 1:
        joined["kpoints"] = "by the width of each cell"
    return joined


def _numbered(part: xr.Dataset) -> xr.Dataset:
    """Give k-points and channels numbers, so that snapshots with more or fewer can be joined."""
    names = [name for name in ("k", "channel") if name in part.dims and name not in part.coords]
    return part.assign_coords({name: np.arange(part.sizes[name]) for name in names})


def _reason(path: Path) -> str:
    """Read the reason of a failure; a damaged one is a failure all the same."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path} is damaged: the reason is lost"


def fermi_level_transmission(dataset: xr.Dataset) -> dict[int, float]:
    """Transmission at the Fermi energy by snapshot number."""
    at_fermi_energy = dataset["transmission_average"].sel(energy=0.0, method="nearest")
    values = np.atleast_1d(at_fermi_energy.to_numpy())
    numbers = np.atleast_1d(dataset["snapshot"].to_numpy())
    return {int(n): float(v) for n, v in zip(numbers, values, strict=True)}
