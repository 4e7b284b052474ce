"""A run in this process alone: dynamics, then transport, on one core; for ensembles of runs."""

import shutil
from pathlib import Path

from nanogap.io.run_files import is_run_directory
from nanogap.runs.directory import RunDirectory
from nanogap.runs.driver import prepare, program_versions
from nanogap.runs.dynamics_process import simulate
from nanogap.runs.transport_process import transmit
from nanogap.settings import Settings


def open_or_create(path: Path, settings: Settings, source: str) -> RunDirectory:
    """Open a run directory to go on with it, or make it.

    Raises
    ------
    NanogapError
        If there is a run directory that cannot be read, or none can be made.
    """
    if is_run_directory(path):
        return RunDirectory(path)
    if path.is_dir():  # killed before the run began: there is nothing in it
        shutil.rmtree(path)
    return RunDirectory.create(path, settings, source, program_versions())


def run_alone(run: RunDirectory) -> None:
    """See a run through, from wherever it is, without other processes; the caller holds its lock.

    The run has the same end as one of `start_run` with the same settings. It has no report.

    Raises
    ------
    NanogapError
        If the run fails.
    """
    prepare(run)
    simulate(run)
    transmit(run, worker=0, workers=1, for_report=False)
