"""Run members as jobs of SLURM, submitted through executorlib.

executorlib (https://executorlib.readthedocs.io, BSD-3) submits jobs and waits for them. The
campaign folder alone decides what is done: a job that comes twice finds the result, or the lock of
the other, and ends. Jobs of a driver that was killed go on; the next driver finds them at work.
"""

import math
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from nanogap.campaign.executor import Ended, Executor
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.local import WORKER
from nanogap.errors import SettingsError
from nanogap.processes import child_environment

#: A job whose lock nobody holds for so long after it began has died, s.
_PATIENCE = 60.0

#: Jobs at a time where the file does not say how many.
_JOBS = 100


#: Submission script for SLURM, unless the campaign file has a template of its own (Jinja).
SUBMISSION_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name={{job_name}}
#SBATCH --chdir={{working_directory}}
#SBATCH --output=job.out
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{cpus_per_task}}
{%- if partition %}
#SBATCH --partition={{partition}}
{%- endif %}
{%- if run_time_max %}
#SBATCH --time={{ [1, run_time_max // 60]|max }}
{%- endif %}
{%- if memory_max %}
#SBATCH --mem={{memory_max}}G
{%- endif %}

{{command}}
"""


def job(command: Sequence[str], log: str) -> int:
    """Complete a member in a process of its own: the function that a cluster node runs.

    Parameters
    ----------
    command : sequence of str
    log : str
        File that the process writes to.

    Returns
    -------
    int
        Exit status; negative: the signal that killed it.
    """
    with open(log, "ab") as out:  # noqa: PTH123 the node gets this function with plain arguments
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,  # ends with this process: the member does not outlive the job
            stdout=out,
            stderr=out,
            env=child_environment(),
        )
        return process.wait()


class Engine(Protocol):
    """Submits jobs: the part of an executor of executorlib that is used."""

    def submit(
        self,
        function: Callable[[Sequence[str], str], int],
        command: Sequence[str],
        log: str,
        /,
        *,
        resource_dict: dict[str, Any],
    ) -> "Future[int]":
        """Submit a job; the future gives its exit status."""

    def shutdown(self, wait: bool, *, cancel_futures: bool) -> None:
        """Stop waiting for jobs."""


class ClusterExecutor(Executor):
    """Runs members as jobs of a cluster.

    Parameters
    ----------
    folder : CampaignFolder
    command : sequence of str
        Program that completes a member.
    patience : float
        Time that a job that began and holds its member no more may take to report its end, s.
    make_engine : callable
        Takes the folder for files of the jobs and returns what submits them.

    Raises
    ------
    SettingsError
        If executorlib is not installed, or there is no SLURM.
    """

    def __init__(
        self,
        folder: CampaignFolder,
        command: Sequence[str] = WORKER,
        patience: float = _PATIENCE,
        make_engine: "Callable[[Path], Engine] | None" = None,
    ) -> None:
        super().__init__(folder, folder.file.executor.workers or _JOBS)
        self._command = tuple(command)
        self._patience = patience
        # a folder of this session alone: the engine must not answer from an old one
        self._cache = folder.jobs / f"{os.getpid()}-{time.time_ns()}"
        self._cache.mkdir(parents=True)
        self._engine = (make_engine or _slurm)(self._cache)
        self._jobs: dict[str, tuple[Future[int], Entry, float]] = {}
        self._submitted = 0
        self._idle: dict[str, float] = {}  # since when a job that began holds its member no more

    def _running(self) -> int:
        return len(self._jobs)

    def _log(self, entry: Entry) -> str:
        # absolute: a job has a working directory of its own
        return str(self._folder.log_path(entry.key).absolute())

    def _start(self, entry: Entry) -> None:
        self._submitted += 1
        path = str(self._folder.path.absolute())
        submitted = time.time()
        with warnings.catch_warnings():
            # keys that go on to the submission script, such as the partition
            warnings.filterwarnings("ignore", "The following keys are not recognized")
            future = self._engine.submit(
                job,
                (*self._command, path, entry.key),
                self._log(entry),
                resource_dict=self._resources(entry),
            )
        self._jobs[entry.key] = future, entry, submitted

    def _resources(self, entry: Entry) -> dict[str, Any]:
        """Return what a job asks for, under a name that no other job has."""
        options = self._folder.file.executor
        asked = {
            "cores": 1,
            "threads_per_core": 1,
            "cache_key": f"{entry.key}-{self._submitted}",
            "job_name": f"nanogap-{entry.key[:8]}",
            "run_time_max": None if options.walltime is None else round(3600 * options.walltime),
            "memory_max": None if options.memory is None else math.ceil(options.memory),
            "partition": options.partition,
            "cpus_per_task": self._folder.settings(entry).dynamics.processes,
            "submission_template": options.submission_script or SUBMISSION_SCRIPT,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def _ended(self) -> Iterator[Ended]:
        for key, (future, entry, submitted) in list(self._jobs.items()):
            ended = self._end_of(future, entry, submitted)
            if ended is not None:
                del self._jobs[key]
                yield ended

    def _end_of(self, future: "Future[int]", entry: Entry, submitted: float) -> Ended | None:
        """Tell how a job ended, or None while it goes on."""
        log = self._log(entry)
        if future.done():
            error = None if future.cancelled() else future.exception()
            if error is None and not future.cancelled():
                return Ended(entry, future.result(), log)
            words = " ".join(str(error).split())
            return Ended(entry, 1, log, f"the job died: {type(error).__name__}: {words}")
        if self._folder.result_path(entry).is_file():
            return Ended(entry, 0, log)
        if not self._folder.is_abandoned(entry, submitted):
            self._idle.pop(entry.key, None)
            return None
        idle_since = self._idle.setdefault(entry.key, time.monotonic())
        if time.monotonic() - idle_since < self._patience:
            return None
        del self._idle[entry.key]
        future.cancel()
        return Ended(entry, 1, log, "the job died without a word")

    def _stop(self) -> None:
        self._engine.shutdown(wait=False, cancel_futures=True)
        if not self._jobs:
            shutil.rmtree(self._cache, ignore_errors=True)


def _slurm(cache: Path) -> Engine:
    """Start the SLURM executor of executorlib."""
    try:
        from executorlib import SlurmClusterExecutor  # noqa: PLC0415 an extra
    except ImportError:
        raise SettingsError(
            "executor.kind = 'slurm' needs executorlib: pip install 'nanogap[cluster]', or "
            "choose 'local'"
        ) from None
    if shutil.which("sbatch") is None:
        raise SettingsError("executor.kind = 'slurm': there is no sbatch on this machine")
    engine: Engine = SlurmClusterExecutor(cache_directory=str(cache), disable_dependencies=True)
    return engine
