"""Run members as jobs of SLURM.

The campaign folder alone decides what is done: a job that comes twice finds the result, or the lock
of the other, and ends. Jobs of a driver that was killed go on; the next driver finds them in the
queue by their name and folder. One driver at a time submits, the one that holds the driver's lock;
others wait, and take over when it ends.
"""

import math
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jinja2 import Template, TemplateError

from nanogap.campaign.executor import Ended, Executor
from nanogap.campaign.folder import CampaignFolder, Failure
from nanogap.campaign.local import WORKER
from nanogap.campaign.record import Entry
from nanogap.campaign.slurm import Job, Slurm, SlurmError
from nanogap.campaign.worker import BUSY, FAILED
from nanogap.errors import NanogapError, SettingsError
from nanogap.processes import thread_limits

#: Pause between two questions to the queue, s.
_POLL = 5.0

#: A job that has left the queue may take so long until what it wrote is seen here, s.
_PATIENCE = 30.0

#: Pauses between attempts to submit, s: each is twice the one before, up to the second.
_PAUSES = (5.0, 60.0)

#: The driver ends when the controller has been silent for so long, or has refused for so long, s.
_SILENCE, _REFUSAL = 1800.0, 20.0

#: Jobs at a time where the file does not say how many.
_JOBS = 100

#: Beginning of the names of jobs.
_NAME = "nanogap-"


class Queue(Protocol):
    """Submits jobs and knows which there are: `nanogap.campaign.slurm.Slurm`."""

    def submit(
        self, script: str, folder: Path, options: Sequence[str], descriptors: Sequence[int] = ()
    ) -> str:
        """Submit a job and return its identifier."""

    def jobs(self, folder: Path) -> dict[str, Job]:
        """Return the jobs that were submitted from a folder, by name."""

    def cancel(self, identifiers: Sequence[str]) -> None:
        """Cancel jobs."""


@dataclass
class _Submitted:
    """A job that is waited for."""

    entry: Entry
    identifier: str
    failure: Failure | None
    gone_since: float | None = None
    state: str = "gone from the queue"


class ClusterExecutor(Executor):
    """Runs members as jobs of a cluster.

    Parameters
    ----------
    folder : CampaignFolder
    command : sequence of str
        Program that completes a member.
    queue : Queue, optional
        Default: SLURM.
    poll, patience : float
        Pause between two questions to the queue, and how long what a job wrote may take to be
        seen here, s.
    silence, refusal : float
        How long a silent controller, and one that refuses, is asked again, s.

    Raises
    ------
    SettingsError
        If there is no SLURM, or the submission script is no template.
    """

    def __init__(
        self,
        folder: CampaignFolder,
        command: Sequence[str] = WORKER,
        *,
        queue: Queue | None = None,
        poll: float = _POLL,
        patience: float = _PATIENCE,
        silence: float = _SILENCE,
        refusal: float = _REFUSAL,
    ) -> None:
        super().__init__(folder, folder.file.executor.workers or _JOBS)
        self._command = tuple(command)
        self._slurm: Queue = Slurm() if queue is None else queue
        self._poll, self._patience = poll, patience
        self._limits = {True: silence, False: refusal}
        self._root = folder.path.resolve()
        folder.jobs.mkdir(exist_ok=True)
        self._jobs: dict[str, _Submitted] = {}
        self._known: Mapping[str, Job] | None = None  # the queue as it was last seen
        self._next_poll = self._next_try = 0.0
        self._pause = _PAUSES[0]
        self._failing_since: float | None = None
        for entry in folder.entries[:1]:
            submission(folder, entry, command)  # a script that is no template is refused at once

    def _running(self) -> int:
        return len(self._jobs)

    def _waiting(self) -> int:
        known = self._known or {}
        return sum(
            1
            for one in self._jobs.values()
            if (job := known.get(job_name(one.entry))) is not None and job.waits
        )

    def _fits(self) -> bool:
        # without the queue a job of an earlier driver would be submitted once more
        if not self.leads:
            self.note = "another driver submits the jobs of this campaign: this one waits for it"
            return False
        if self.note.startswith("another driver"):
            self.note = ""
        return self._known is not None and time.monotonic() >= self._next_try

    def _start(self, entry: Entry) -> None:
        job = (self._known or {}).get(job_name(entry))
        if job is None or job.ended:
            try:
                identifier = self._submit(entry)
            except SlurmError as error:
                self._queue.appendleft(entry)
                self._put_off(error)
                return
        else:
            identifier = job.identifier
        self._jobs[entry.key] = _Submitted(entry, identifier, self._folder.failure(entry))

    def _submit(self, entry: Entry) -> str:
        script, options = submission(self._folder, entry, self._command)
        identifier = self._slurm.submit(script, self._root, options, self.descriptors)
        self._folder.record_job(entry, identifier)
        self._answered()
        return identifier

    def _answered(self) -> None:
        self._failing_since, self._pause, self.note = None, _PAUSES[0], ""

    def _put_off(self, error: SlurmError) -> None:
        """Wait a while before the next attempt; end the driver after many."""
        now = time.monotonic()
        limit = self._limits[error.is_silence or error.is_limit]
        if self._failing_since is None or (error.is_limit and self._jobs):
            self._failing_since = now  # a limit on jobs ends with some of them
        if now - self._failing_since >= limit:
            raise NanogapError(
                f"no job can be submitted for {self._folder.path}: {error.words}; this counts as "
                "no attempt of a member, and jobs in the queue go on: when it is mended, go on "
                f"with 'nanogap campaign resume {self._folder.path}'"
            )
        self.note = f"SLURM takes no job now ({error.words}); the next attempt is in a while"
        self._next_try = now + self._pause
        self._pause = min(2.0 * self._pause, _PAUSES[1])
        # an attempt that timed out may have been one that was accepted
        self._known, self._next_poll = None, self._next_try

    def _ended(self) -> Iterator[Ended]:
        now = time.monotonic()
        if now < self._next_poll or not self.leads:
            return
        self._next_poll = now + self._poll
        try:
            self._known = self._slurm.jobs(self._root)
        except SlurmError as error:
            self._put_off(error)
        for one in list(self._jobs.values()):
            ended = self._end_of(one)
            if ended is not None:
                del self._jobs[one.entry.key]
                self._folder.forget_job(one.entry)
                yield ended

    def _end_of(self, one: _Submitted) -> Ended | None:
        """Tell how a job ended, or None while it goes on, or nothing is known of it."""
        log = str(self._folder.log_path(one.entry.key))
        if self._folder.result_path(one.entry).is_file():
            return Ended(one.entry, 0, log)
        if self._known is None or self._is_listed(one, self._known):
            return None
        if self._folder.failure(one.entry) != one.failure:
            return Ended(one.entry, FAILED, log)
        if self._folder.is_running(one.entry):
            return Ended(one.entry, BUSY, log)
        one.gone_since = one.gone_since or time.monotonic()
        if time.monotonic() - one.gone_since < self._patience:
            return None
        cause = f"the job {one.identifier} died without a word ({one.state})"
        return Ended(one.entry, 1, log, cause)

    @staticmethod
    def _is_listed(one: _Submitted, known: Mapping[str, Job]) -> bool:
        """Whether the queue has a job of the member that has not ended."""
        job = known.get(job_name(one.entry))
        if job is None:
            return False
        if job.ended and job.identifier == one.identifier:
            one.state = job.state
            return False
        one.gone_since = None
        return True

    def _despair(self) -> None:
        try:
            super()._despair()
        except NanogapError:
            self._slurm.cancel([one.identifier for one in self._jobs.values()])
            raise

    def _stop(self) -> None:
        """Let go of the jobs: they go on, and another driver finds them."""


def job_name(entry: Entry) -> str:
    """Name the job of a member."""
    return f"{_NAME}{entry.key}"


def waiting_members(folder: CampaignFolder) -> set[str]:
    """Return the keys of the members whose jobs wait in the queue.

    Where the queue does not answer, these are all that were submitted from here and whose end is
    not known.
    """
    try:
        jobs = Slurm().jobs(folder.path.resolve())
    except NanogapError:
        return folder.submitted()
    return {name.removeprefix(_NAME) for name, job in jobs.items() if job.waits}


def submission(
    folder: CampaignFolder, entry: Entry, command: Sequence[str] = WORKER
) -> tuple[str, list[str]]:
    """Return the script that is submitted for a member, and the options of ``sbatch``.

    Raises
    ------
    SettingsError
        If the campaign's own script is no template.
    """
    asked = folder.file.executor
    root = str(folder.path.resolve())
    words = [*command, root, entry.key, "job"]
    limits = thread_limits(folder.threads(entry)).items()
    line = shlex.join(["env", *(f"{key}={value}" for key, value in limits), *words])
    name = f"--job-name={job_name(entry)}"
    cores = folder.cores(entry)
    seconds = None if asked.walltime is None else math.ceil(3600 * asked.walltime)
    memory = None if asked.memory is None else math.ceil(asked.memory)
    if asked.submission_script is not None:
        values = {
            "job_name": job_name(entry),
            "working_directory": root,
            "command": line,
            "cores": cores,
            "cpus_per_task": cores,
            "partition": asked.partition,
            "account": asked.account,
            "qos": asked.qos,
            "run_time_max": seconds,
            "memory_max": memory,
        }
        return _rendered(asked.submission_script, values), [name]
    options = {
        "output": f"logs/{entry.key}.log",
        "open-mode": "append",
        "ntasks": 1,
        "cpus-per-task": cores,
        "time": None if seconds is None else max(1, math.ceil(seconds / 60)),
        "mem": None if memory is None else f"{memory}G",
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
    }
    given = [f"--{key}={value}" for key, value in options.items() if value is not None]
    return "\n".join(["#!/bin/bash", *asked.extra_lines, line, ""]), [name, *given]


def _rendered(template: str, values: Mapping[str, object]) -> str:
    """Fill in a submission script of the user's own."""
    try:
        return str(Template(template).render(values))
    except TemplateError as error:
        raise SettingsError(f"executor.submission_script is no template: {error}") from None
