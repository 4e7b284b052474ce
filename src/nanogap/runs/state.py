"""State that the dynamics of a run has committed, as a file that says whether it is whole."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nanogap.digest import content_digest
from nanogap.errors import DataFormatError
from nanogap.io import Commit, write_json


@dataclass(frozen=True)
class DynamicsState:
    """State that the dynamics has committed.

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
        Version of LAMMPS or of the native kernel; several, in order, where others went on.
    start_step : int
        At which it began: that of a checkpoint of another run for a fine sampling.
    notes : tuple of str
        What a reader of the results must know: damage that was met, and what was done.
    """

    step: int = 0
    end_step: int = 0
    snapshots_planned: int = 0
    checkpoint: str | None = None
    commit: Commit = field(default_factory=Commit)
    seconds: float = 0.0
    engine_version: str = ""
    start_step: int = 0
    notes: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the dynamics has reached its end."""
        return self.end_step > 0 and self.step >= self.end_step


_CHECK = TypeAdapter(DynamicsState)


def read_state(path: Path) -> DynamicsState:
    """Read a state.

    Raises
    ------
    DataFormatError
        If the file is missing, or is not what was written.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        digest = content.pop("digest", None)  # earlier versions have none
        if digest is not None and digest != content_digest(content):
            raise DataFormatError(f"{path} is damaged: it is not what was written")
        return _CHECK.validate_python(content)
    except FileNotFoundError:
        raise DataFormatError(f"no file {path}") from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no state of a run"
        raise DataFormatError(f"{path} is damaged: {reason}") from None


def write_state(path: Path, state: DynamicsState) -> None:
    """Write a state, with a digest of its content."""
    content = json.loads(json.dumps(asdict(state)))
    write_json(path, content | {"digest": content_digest(content)})
