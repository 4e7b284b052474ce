"""What a campaign will need, from what its finished members needed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.campaign.collect import result_attributes
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.settings import Settings

#: Members whose needs are looked at; further ones would not change the mean.
_LOOKED_AT = 200


@dataclass(frozen=True)
class Estimate:
    """Needs of the members that are left.

    Attributes
    ----------
    members : int
        Left to run.
    core_hours : float
    wall_hours : float
        On so many workers as asked for.
    disk : float
        That stays, and that is needed for a while, together, bytes.
    memory : float
        Peak of one member, bytes.
    measured_on : int
        Finished members that this rests on.
    """

    members: int
    core_hours: float
    wall_hours: float
    disk: float
    memory: float
    measured_on: int

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"{self.members} members are left: about {self.core_hours:.2g} core-hours, "
            f"{self.wall_hours:.2g} hours here, {self.disk / 1e6:.3g} MB of disk, "
            f"{self.memory / 1e9:.2g} GB of memory for each at a time "
            f"(measured on {self.measured_on})"
        )


def estimate(folder: CampaignFolder, workers: int) -> Estimate | None:
    """Estimate what is left; None if no member is finished.

    The time of the dynamics is taken as proportional to the number of time steps, the rest to the
    number of snapshots; other settings, such as the size of the tips, are taken as those of the
    finished members.

    Parameters
    ----------
    folder : CampaignFolder
    workers : int
        Members at a time.
    """
    finished = folder.finished()
    if not finished:
        return None
    seen = finished[:: max(1, len(finished) // _LOOKED_AT)]
    made = [result_attributes(folder.result_path(entry)) for entry in seen]
    sizes = [_size_of(folder.settings(entry)) for entry in seen]
    per_step = _ratio([one["dynamics_seconds"] for one in made], [steps for steps, _ in sizes])
    rest = [one["core_seconds"] - one["dynamics_seconds"] for one in made]
    per_snapshot = _ratio([max(0.0, one) for one in rest], [count for _, count in sizes])
    left = folder.pending()
    seconds = 0.0
    for entry in left:
        steps, count = _size_of(folder.settings(entry))
        seconds += per_step * steps + per_snapshot * count
    at_a_time = max(1, min(workers, len(left)))
    return Estimate(
        members=len(left),
        core_hours=seconds / 3600.0,
        wall_hours=seconds / 3600.0 / at_a_time,
        disk=_disk(folder, seen, left, made, at_a_time),
        memory=max(float(one["peak_memory"]) for one in made),
        measured_on=len(made),
    )


def _size_of(settings: Settings) -> tuple[float, float]:
    """Return time steps and regular snapshots of a run."""
    dynamics = settings.dynamics
    steps = (dynamics.equilibration_time + dynamics.production_time) / dynamics.time_step
    return steps, dynamics.production_time / dynamics.sampling_interval + 1.0


def _ratio(amounts: list[float], sizes: list[float]) -> float:
    return float(np.sum(amounts)) / max(float(np.sum(sizes)), 1e-300)


def _disk(
    folder: CampaignFolder,
    seen: list[Entry],
    left: list[Entry],
    made: list[dict[str, Any]],
    at_a_time: int,
) -> float:
    """Space for results, kept trajectories and the run directories of those at work."""
    keep = folder.file.keep
    result = float(np.mean([folder.result_path(entry).stat().st_size for entry in seen]))
    run = max(float(one["run_directory_bytes"]) for one in made)
    kept = [size for entry in seen if (size := _bytes(folder.trajectory_path(entry)))]
    trajectory = float(np.mean(kept)) if kept else 0.0
    directories = len(left) if keep.run_directories else at_a_time
    return (
        result * len(left)
        + trajectory * sum(keep.keeps(entry.number) for entry in left)
        + run * directories
    )


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
