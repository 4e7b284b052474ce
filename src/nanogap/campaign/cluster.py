"""Run members through executorlib: processes of one node, its test cluster, or SLURM.

executorlib (https://executorlib.readthedocs.io, BSD-3) submits jobs and waits for them. What is
done is decided by the campaign folder alone: a job that comes twice finds the result, or the lock
of the other, and ends. Jobs of a driver that was killed go on; the next driver finds them at work.
"""

import math
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from nanogap.campaign.executor import Ended, Executor
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.local import WORKER
from nanogap.errors import SettingsError
from nanogap.run.child import ONE_THREAD

#: A job whose lock nobody holds for so long after it began has died, s.
_PATIENCE = 60.0

#: Jobs at a time where neither the file nor the machine says how many.
_JOBS = 100


#: What is submitted to SLURM unless the campaign file has a template of its own (Jinja).
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
    """Complete a member in a process of its own; what a cluster node runs.

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
            env={**os.environ, **ONE_THREAD},
        )
        return process.wait()


class ClusterExecutor(Executor):
    """Runs members as jobs of executorlib.

    Parameters
    ----------
    folder : CampaignFolder
    workers : int
        Jobs at a time.
    command : sequence of str
        Program that completes a member.
    patience : float
        How long a job that began and holds its member no more may take to report its end, s.

    Raises
    ------
    SettingsError
        If executorlib is not installed.
    """

    def __init__(
        self,
        folder: CampaignFolder,
        workers: int,
        command: Sequence[str] = WORKER,
        patience: float = _PATIENCE,
    ) -> None:
        options = folder.file.executor
        if options.kind == "slurm":
            workers = options.workers or _JOBS
        super().__init__(folder, workers)
        self._command = tuple(command)
        self._patience = patience
        # a folder of this session alone: the engine must not answer from an old one
        self._cache = folder.path / "executorlib" / f"{os.getpid()}-{time.time_ns()}"
        self._cache.mkdir(parents=True)
        self._engine = _engine(folder, workers, str(self._cache))
        self._jobs: dict[str, tuple[Future[int], Entry, float]] = {}
        self._submitted = 0
        self._idle: dict[str, float] = {}  # since when a job that began holds its member no more

    def _running(self) -> int:
        return len(self._jobs)

    def _log(self, entry: Entry) -> str:
        # absolute: a job has a working directory of its own
        return str(self._folder.path.absolute() / "logs" / f"{entry.key}.log")

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
        """Say what a job asks for, and give it a name that no other job has."""
        options = self._folder.file.executor
        if options.kind == "single-node":
            return {}
        asked: dict[str, Any] = {
            "cores": 1,
            "threads_per_core": 1,
            "cache_key": f"{entry.key}-{self._submitted}",
        }
        if options.kind == "slurm":
            seconds = None if options.walltime is None else round(3600 * options.walltime)
            memory = None if options.memory is None else math.ceil(options.memory)
            asked |= {
                "job_name": f"nanogap-{entry.key[:8]}",
                "run_time_max": seconds,
                "memory_max": memory,
                "partition": options.partition,
                "cpus_per_task": self._folder.settings(entry).dynamics.processes,
                "submission_template": options.submission_script or SUBMISSION_SCRIPT,
            }
        return {name: value for name, value in asked.items() if value is not None}

    def _ended(self) -> Iterator[Ended]:
        for key, (future, entry, submitted) in list(self._jobs.items()):
            ended = self._look_at(future, entry, submitted)
            if ended is not None:
                del self._jobs[key]
                yield ended

    def _look_at(self, future: "Future[int]", entry: Entry, submitted: float) -> Ended | None:
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


def _engine(folder: CampaignFolder, workers: int, cache: str) -> Any:
    """Start the executor of executorlib that the campaign file names."""
    kind = folder.file.executor.kind
    try:
        from executorlib import SingleNodeExecutor, SlurmClusterExecutor  # noqa: PLC0415 an extra
        from executorlib.api import TestClusterExecutor  # noqa: PLC0415
    except ImportError:
        raise SettingsError(
            f"executor.kind = {kind!r} needs executorlib: pip install 'nanogap[cluster]', or "
            "choose 'local'"
        ) from None
    kinds = {
        "single-node": SingleNodeExecutor,
        "test-cluster": TestClusterExecutor,
        "slurm": SlurmClusterExecutor,
    }
    if kind == "slurm":
        if shutil.which("sbatch") is None:
            raise SettingsError("executor.kind = 'slurm': there is no sbatch on this machine")
        return kinds[kind](cache_directory=cache, disable_dependencies=True)
    if kind == "single-node":
        # workers that stay: starting one for every job takes as long as a small member
        return kinds[kind](
            max_workers=workers,
            block_allocation=True,
            hostname_localhost=True,
            resource_dict={"cores": 1, "threads_per_core": 1},
        )
    return kinds[kind](cache_directory=cache, disable_dependencies=True)
