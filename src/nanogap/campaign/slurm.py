"""Talk to SLURM through its own programs: submit a job, and see which jobs there are.

Every answer that is no answer is kept in its own words, and told apart: a controller that is
silent for a while, a limit on jobs that ends when some of them do, and a refusal.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nanogap.errors import NanogapError, SettingsError

#: A program of SLURM that has not ended by then has no answer, s; its own limit is shorter.
_PATIENCE = 120.0

#: Words of a controller that does not answer at the moment.
_SILENT = re.compile(
    r"timed out|unable to contact|connection (refused|reset|failure)|connect failure|zero bytes|"
    r"communication|temporarily|try again|backup controller|not responding|slurmdbd|"
    r"resource temporarily unavailable|protocol|in standby",
    re.IGNORECASE,
)

#: Words of a limit on the number of jobs.
_LIMIT = re.compile(
    r"submit.?limit|max(imum)?.?submit|maxjobs|job.?limit|too many jobs|"
    r"violates accounting/qos policy",
    re.IGNORECASE,
)

#: States of jobs that have ended (sacct, JOB STATE CODES).
_ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "LAUNCH_FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "RECONFIG_FAIL",
    "REVOKED",
    "TIMEOUT",
}

#: States of jobs that are at work, or about to be.
_AT_WORK = {"RUNNING", "COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING", "SUSPENDED"}


class SlurmError(NanogapError):
    """A program of SLURM that did not do what it was asked.

    Attributes
    ----------
    words : str
        Its own.
    """

    def __init__(self, program: str, words: str) -> None:
        self.words = f"{program}: {' '.join(words.split()) or 'no answer'}"
        super().__init__(self.words)

    @property
    def is_silence(self) -> bool:
        """Whether the controller may answer later."""
        return bool(_SILENT.search(self.words))

    @property
    def is_limit(self) -> bool:
        """Whether there are too many jobs for now."""
        return bool(_LIMIT.search(self.words))


@dataclass(frozen=True)
class Job:
    """A job as the queue lists it.

    Attributes
    ----------
    identifier : str
    state : str
        In SLURM's words, such as ``PENDING``.
    """

    identifier: str
    state: str

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in _ENDED

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return not self.ended and self.state not in _AT_WORK


class Slurm:
    """The queue of SLURM.

    Raises
    ------
    SettingsError
        If it is not on this machine.
    """

    def __init__(self) -> None:
        for program in ("sbatch", "squeue"):
            if shutil.which(program) is None:
                raise SettingsError(
                    f"executor.kind = 'slurm': there is no {program} on this machine"
                )

    def submit(
        self, script: str, folder: Path, options: Sequence[str], descriptors: Sequence[int] = ()
    ) -> str:
        """Submit a job.

        Parameters
        ----------
        script : str
        folder : Path
            Working directory, by which `jobs` finds it again.
        options : sequence of str
            Of ``sbatch``; the name of the job is one of them.
        descriptors : sequence of int
            Files that stay open, and locked, while it is being submitted.

        Returns
        -------
        str
            Identifier of the job.

        Raises
        ------
        SlurmError
            If it was not accepted.
        """
        command = ["sbatch", "--parsable", f"--chdir={folder}", *options]
        answer = _answer(command, script, descriptors)
        lines = answer.split()
        if not lines:
            raise SlurmError("sbatch", "")
        return lines[-1].partition(";")[0]

    def jobs(self, folder: Path) -> dict[str, Job]:
        """Return the jobs that were submitted from a folder: name to the latest one.

        Raises
        ------
        SlurmError
            If there is no answer.
        """
        listed = _answer(
            [
                "squeue",
                "--noheader",
                f"--user={os.getuid()}",
                "--states=all",
                "--format=%i|%T|%j|%Z",
            ]
        )
        found: dict[str, Job] = {}
        for line in listed.splitlines():
            parts = line.split("|", 3)
            if len(parts) < 4 or Path(parts[3].strip()) != folder:
                continue
            identifier, state, name = (part.strip() for part in parts[:3])
            job = Job(identifier, state)
            if name not in found or found[name].ended or not job.ended:
                found[name] = job
        return found

    def cancel(self, identifiers: Sequence[str]) -> None:
        """Cancel jobs, if the controller answers."""
        if identifiers:
            with suppress(SlurmError):
                _answer(["scancel", *identifiers])


def _answer(
    command: Sequence[str], text: str | None = None, descriptors: Sequence[int] = ()
) -> str:
    """Run a program of SLURM and return what it says."""
    try:
        done = subprocess.run(
            list(command),
            input=text,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            pass_fds=tuple(descriptors),
        )
    except subprocess.TimeoutExpired:
        raise SlurmError(command[0], f"timed out after {_PATIENCE:g} s") from None
    except OSError as error:
        raise SlurmError(command[0], error.strerror or str(error)) from None
    if done.returncode:
        words = done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
        raise SlurmError(command[0], words.removeprefix(f"{command[0]}: "))
    return done.stdout
