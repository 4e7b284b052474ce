"""Recovery of a run whose record of progress is lost: what lies in its folder tells it."""

import json
from pathlib import Path
from typing import Any

from nanogap.dynamics.checkpoint import Progress, read_checkpoint
from nanogap.dynamics.schedule import FineSchedule, FineWindow, Schedule
from nanogap.errors import DataFormatError
from nanogap.io import Commit
from nanogap.io.run_files import RunFiles
from nanogap.observables import OBSERVABLES
from nanogap.runs.state import DynamicsState
from nanogap.settings import Settings


def schedule_of(settings: Settings, window: FineWindow | None) -> Schedule:
    """Return the schedule of a run, or of a fine sampling."""
    if window is None:
        return Schedule(settings.dynamics, settings.voltage)
    return FineSchedule(settings.dynamics, settings.voltage, window)


def recovered_state(
    files: RunFiles, settings: Settings, window: FineWindow | None
) -> DynamicsState | None:
    """Gather the state of the dynamics from its snapshots and checkpoints.

    Parameters
    ----------
    files : RunFiles
    settings : Settings
    window : FineWindow or None
        Of a fine sampling.

    Returns
    -------
    DynamicsState or None
        None if there is neither a snapshot nor a checkpoint: the dynamics has not begun.
    """
    snapshots, commit = _whole_snapshots(files)
    last = int(snapshots[-1]["step"]) if snapshots else None
    begun: dict[int, Progress] = {}
    for step in files.checkpoint_steps():
        # one beyond the last snapshot would leave a gap; a fine sampling begins with one
        if (last is None and window is None) or (last is not None and step > last):
            continue
        try:
            begun[step] = read_checkpoint(files.checkpoint(step))[2]
        except DataFormatError:
            continue
    if not snapshots and not begun:
        return None
    checkpoint = max(begun, default=None)
    schedule = schedule_of(settings, window)
    contact = first_contact_step(snapshots)
    from_where = "the start" if checkpoint is None else f"step {checkpoint}"
    note = (
        f"dynamics.json was lost or damaged: it was made again from {len(snapshots)} snapshots, "
        f"and the dynamics goes on from {from_where}; the time and the version of LAMMPS of the "
        "sessions before are not known"
    )
    return DynamicsState(
        step=max(last or 0, checkpoint or 0),
        end_step=schedule.last(contact),
        snapshots_planned=schedule.planned(contact),
        checkpoint=None if checkpoint is None else files.checkpoint(checkpoint).name,
        commit=commit,
        start_step=min(begun, default=0) if window is not None else 0,
        notes=(note,),
    )


def first_contact_step(snapshots: list[dict[str, Any]]) -> int | None:
    """Return the step of the first bond between the tips, from the scalars of the snapshots."""
    bonded = (one["step"] for one in snapshots if one["bottleneck_atoms"] and one["time"] >= 0.0)
    return next((int(step) for step in bonded), None)


def _whole_snapshots(files: RunFiles) -> tuple[list[dict[str, Any]], Commit]:
    """Read the lines of the index whose frames are in the trajectory, up to the first damage."""
    size = _size(files.trajectory)
    found: list[dict[str, Any]] = []
    end, index_end = 0, 0
    if not files.index.is_file():
        return found, Commit()
    with files.index.open("rb") as lines:
        for line in lines:
            try:
                content = json.loads(line)
                following = content["offset"] + content["length"]
                whole = line.endswith(b"\n") and all(name in content for name in OBSERVABLES)
            except (ValueError, KeyError, TypeError):
                break
            if not whole or content["offset"] != end or following > size:
                break
            found.append(content)
            end, index_end = following, index_end + len(line)
    return found, Commit(len(found), end, index_end)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
