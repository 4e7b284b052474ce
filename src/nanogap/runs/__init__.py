"""A run directory from start to finish: order, checkpoints, resume, workers.

Each name is loaded when it is first used: the status of a run needs no device and no statistics.
"""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.runs.device_notebook import open_device as open_device
    from nanogap.runs.device_notebook import resume_device as resume_device
    from nanogap.runs.device_notebook import run_device as run_device
    from nanogap.runs.device_run import DeviceRun as DeviceRun
    from nanogap.runs.directory import RunDirectory as RunDirectory
    from nanogap.runs.driver import Progress as Progress
    from nanogap.runs.driver import resume_run as resume_run
    from nanogap.runs.driver import start_run as start_run
    from nanogap.runs.notebook import Run as Run
    from nanogap.runs.notebook import open_run as open_run
    from nanogap.runs.notebook import resume as resume
    from nanogap.runs.notebook import run as run
    from nanogap.runs.summary import RunStatus as RunStatus
    from nanogap.runs.summary import make_report as make_report
    from nanogap.runs.summary import status as status

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

__getattr__ = on_first_use(
    __name__,
    {
        "nanogap.runs.device_notebook": ("open_device", "resume_device", "run_device"),
        "nanogap.runs.device_run": ("DeviceRun",),
        "nanogap.runs.directory": ("RunDirectory",),
        "nanogap.runs.driver": ("Progress", "resume_run", "start_run"),
        "nanogap.runs.notebook": ("Run", "open_run", "resume", "run"),
        "nanogap.runs.summary": ("RunStatus", "make_report", "status"),
    },
)
