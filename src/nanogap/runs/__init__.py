"""A run directory from start to finish: order, checkpoints, resume, workers."""

from nanogap.runs.device_notebook import open_device, resume_device, run_device
from nanogap.runs.device_run import DeviceRun
from nanogap.runs.directory import RunDirectory
from nanogap.runs.driver import Progress, resume_run, start_run
from nanogap.runs.notebook import Run, open_run, resume, run
from nanogap.runs.summary import RunStatus, make_report, status

__all__ = [
    "DeviceRun",
    "Progress",
    "Run",
    "RunDirectory",
    "RunStatus",
    "make_report",
    "open_device",
    "open_run",
    "resume",
    "resume_device",
    "resume_run",
    "run",
    "run_device",
    "start_run",
    "status",
]
