"""A run directory from start to finish: order, checkpoints, resume, workers."""

from nanogap.run.directory import RunDirectory
from nanogap.run.driver import Stand, resume_run, start_run
from nanogap.run.summary import make_report, status

__all__ = [
    "RunDirectory",
    "Stand",
    "make_report",
    "resume_run",
    "start_run",
    "status",
]
