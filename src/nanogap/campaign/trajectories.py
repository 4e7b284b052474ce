"""The runs of a campaign as the figures of the paper see them: finished, kept or at work."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kept import kept_frame, kept_numbers
from nanogap.campaign.record import Entry
from nanogap.errors import DataFormatError
from nanogap.io import read_dataset
from nanogap.io.run_files import is_run_directory
from nanogap.report.paper import Trajectory
from nanogap.report.result import RunResult
from nanogap.runs.directory import RunDirectory
from nanogap.runs.trajectory import fine_sampling_of, trajectory_of


def open_trajectories(
    paths: Sequence[Path],
    *,
    sampled: bool = False,
    watch: Callable[[int, int], object] = lambda _done, _total: None,
) -> list[Trajectory]:
    """Open runs and campaigns of runs for figures.

    Parameters
    ----------
    paths : sequence of Path
        Run directories and campaign folders.
    sampled : bool
        Open the fine samplings of the runs instead.
    watch : callable, optional
        See `nanogap.runs.trajectory.trajectory_of`.

    Returns
    -------
    list of Trajectory
        One for every run that has a snapshot.

    Raises
    ------
    DataFormatError
        If a path is neither, a campaign has no run with a snapshot yet, or a run no fine sampling.
    SettingsError
        If a run has no snapshot yet.
    """
    found = []
    for path in paths:
        if (path / "campaign.json").is_file():
            if sampled:
                raise DataFormatError(
                    f"{path} is a campaign: the figure shows the fine sampling of one run: give "
                    "its run directory"
                )
            found += _members(CampaignFolder(path), watch)
            continue
        run = RunDirectory(path)
        found.append(trajectory_of(fine_sampling_of(run) if sampled else run, watch))
    return found


def _members(folder: CampaignFolder, watch: Callable[[int, int], object]) -> list[Trajectory]:
    found = []
    for entry in folder.entries:
        path = folder.run_path(entry)
        if is_run_directory(path):
            run = RunDirectory(path)
            if run.records():
                found.append(replace(trajectory_of(run, watch), name=_name(entry)))
        elif folder.result_path(entry).is_file():
            found.append(_of_result(folder, entry))
    if not found:
        folder.settings(folder.entries[0])  # says where its members are devices
        raise DataFormatError(f"{folder.path}: no run has a snapshot yet: wait for the first")
    return found


def _name(entry: Entry) -> str:
    """Name a member by its number, which its reader counts from one."""
    return f"run {entry.number + 1}"


def _of_result(folder: CampaignFolder, entry: Entry) -> Trajectory:
    """Open a finished member whose run directory is gone: its results, and atoms if kept."""
    dataset = read_dataset(folder.result_path(entry))
    settings = folder.settings(entry)
    times = dataset["time"].to_numpy()
    kept = folder.trajectory_path(entry)
    there = set(kept_numbers(kept))
    numbers = dataset["snapshot"].to_numpy().tolist()
    result = RunResult.gather(
        settings=settings,
        observables=dataset.drop_vars("transmission").drop_dims("energy"),
        transmission=dataset[["transmission"]].rename(transmission="transmission_average"),
        spectra=None,
        frames=[],
        failures={},
        planned_end=float(times[-1]) if len(times) else math.nan,
    )
    known = np.array([number in there for number in numbers], dtype=bool)
    return Trajectory(_name(entry), result, known, lambda number: kept_frame(kept, number))
