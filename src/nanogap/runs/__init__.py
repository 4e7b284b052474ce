"""A run directory from start to finish: order, checkpoints, resume, workers."""

from nanogap.runs.directory import RunDirectory
from nanogap.runs.driver import Progress, resume_run, start_run
from nanogap.runs.notebook import Run, open_run, resume, run
from nanogap.runs.summary import RunStatus, make_report, status

__all__ = [
    "Progress",
    "Run",
    "RunDirectory",
    "RunStatus",
    "make_report",
    "open_run",
    "resume",
    "resume_run",
    "run",
    "start_run",
    "status",
]
