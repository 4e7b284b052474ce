"""Files of a run directory: the name of each stands here, once."""

import os
from dataclasses import dataclass
from pathlib import Path

from nanogap.io.atomic import is_left_behind


def is_run_directory(path: Path) -> bool:
    """Whether a folder holds a run of the simulation."""
    return RunFiles(path).description.is_file()


@dataclass(frozen=True)
class RunFiles:
    """The places of a run directory; `nanogap.runs.RunDirectory` says what they mean.

    Attributes
    ----------
    folder : Path
        The run directory, there or not.
    """

    folder: Path

    @property
    def description(self) -> Path:
        """Settings, where they came from, versions."""
        return self.folder / "run.json"

    @property
    def beginning(self) -> Path:
        """Settings that the run was begun with."""
        return self.folder / "beginning.json"

    @property
    def dynamics(self) -> Path:
        """Progress of the dynamics, and which checkpoint and snapshots count."""
        return self.folder / "dynamics.json"

    @property
    def tips(self) -> Path:
        """Starting structure."""
        return self.folder / "tips.extxyz"

    @property
    def trajectory(self) -> Path:
        """Frames of all snapshots."""
        return self.folder / "trajectory.extxyz"

    @property
    def index(self) -> Path:
        """A line per snapshot: where its frame lies, and its observables."""
        return self.folder / "snapshots.jsonl"

    @property
    def force_field(self) -> Path:
        """Copy of the user's own force field."""
        return self.folder / "force-field.reax"

    @property
    def hamiltonian(self) -> Path:
        """Copy of the user's own Hamiltonian."""
        return self.folder / "hamiltonian.toml"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """Folder of the checkpoint at a time step."""
        return self.checkpoints / f"step-{step}"

    def checkpoint_steps(self) -> list[int]:
        """Time steps that have a checkpoint, complete or not, in order."""
        return sorted(
            int(one.name.removeprefix("step-")) for one in self.checkpoints.glob("step-*")
        )

    def transmission(self, snapshot: int) -> Path:
        """Transmission of a snapshot."""
        return self.folder / "transmission" / f"{snapshot:06d}.nc"

    def failure(self, snapshot: int) -> Path:
        """Reason why a snapshot has no transmission."""
        return self.transmission(snapshot).with_suffix(".error.json")

    def transmissions(self) -> dict[int, Path]:
        """Transmissions that are there: snapshot number and file, in order."""
        return self._numbered(".nc")

    def failures(self) -> dict[int, Path]:
        """Reasons that are there: snapshot number and file, in order."""
        return self._numbered(".error.json")

    def _numbered(self, ending: str) -> dict[int, Path]:
        """Files of single snapshots with an ending; by their names alone, for there are many."""
        folder = self.folder / "transmission"
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return {}
        stems = (name.removesuffix(ending) for name in names if name.endswith(ending))
        numbers = sorted(int(stem) for stem in stems if stem.isdecimal() and stem.isascii())
        return {number: folder / f"{number:06d}{ending}" for number in numbers}

    @property
    def moved_cells(self) -> Path:
        """T of the snapshots whose cell moved, in the cell before; with the parts that it needs."""
        return self.folder / "transmission" / "moved-cells.nc"

    @property
    def joined_transmission(self) -> Path:
        """Transmission of all snapshots, written with the report."""
        return self.folder / "transmission.nc"

    @property
    def spectra(self) -> Path:
        """T(E) of the landmark snapshots."""
        return self.folder / "spectra.nc"

    @property
    def report(self) -> Path:
        """HTML report."""
        return self.folder / "report.html"

    @property
    def fluctuation(self) -> Path:
        """Figure of a fine sampling."""
        return self.folder / "fluctuation.png"

    @property
    def error(self) -> Path:
        """Reason why the last session failed."""
        return self.folder / "error.json"

    @property
    def lock(self) -> Path:
        """File that is locked as long as a process works in the run."""
        return self.folder / ".lock"

    @property
    def logs(self) -> Path:
        """Folder of the logs of the engine and the workers."""
        return self.folder / "logs"

    @property
    def samples(self) -> Path:
        """Folder of the fine samplings, each a run directory."""
        return self.folder / "samples"

    def unfinished(self) -> list[Path]:
        """Temporary files that a killed session left; not those of samplings in this run.

        Nor those that another process, such as ``nanogap report``, writes at this moment.
        """
        found = [*self.folder.glob(".*.tmp*"), *self.folder.glob("transmission/.*.tmp*")]
        return [path for path in found if is_left_behind(path)]
