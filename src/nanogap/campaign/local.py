"""Run members as processes of this machine, one per core, as the memory allows."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.member import DiskFullError, disk_is_full, progress
from nanogap.campaign.worker import BUSY, FAILED, FULL
from nanogap.run.child import ONE_THREAD

_PAUSE = 0.1

#: How long a member that another process works on is left alone, s.
_BUSY_PAUSE = 2.0

#: Part of the free memory that members may take together.
_MEMORY_SHARE = 0.9

#: The process that completes a member; folder and key follow.
WORKER = (sys.executable, "-m", "nanogap.campaign.worker")


@dataclass(frozen=True)
class Tally:
    """How far a campaign is.

    Attributes
    ----------
    planned, finished, running, given_up : int
        Members.
    """

    planned: int
    finished: int
    running: int
    given_up: int


Watcher = Callable[[Tally], None]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def available_memory() -> float:
    """Return the memory that processes can still take, bytes; infinite where that is unknown."""
    found = [float("inf")]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(1024.0 * float(line.split()[1]))
    with suppress(OSError, ValueError):  # the limit of a container; "max" is no number
        group = Path("/sys/fs/cgroup")
        limit = float((group / "memory.max").read_text(encoding="utf-8"))
        found.append(limit - float((group / "memory.current").read_text(encoding="utf-8")))
    return min(found)


def fitting_workers(asked: int | None, memory: float | None) -> int:
    """Decide how many members run at a time.

    Parameters
    ----------
    asked : int, optional
        By the campaign file; it is not reduced.
    memory : float, optional
        Need of one member, bytes.
    """
    if asked is not None:
        return asked
    if not memory:
        return cores()
    return max(1, min(cores(), int(_MEMORY_SHARE * available_memory() / memory)))


class LocalExecutor:
    """Runs members of a campaign side by side; the campaign folder decides what is left to do.

    Parameters
    ----------
    folder : CampaignFolder
    workers : int
        Members at a time.
    memory : float, optional
        Need of one member, bytes: no further one is started while less is free.
    command : sequence of str
        Program that completes a member.
    """

    def __init__(
        self,
        folder: CampaignFolder,
        workers: int,
        memory: float | None = None,
        command: Sequence[str] = WORKER,
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._memory = memory
        self._command = tuple(command)
        self._queue: deque[Entry] = deque()
        self._resting: list[tuple[float, Entry]] = []
        self._running: dict[str, tuple[subprocess.Popen[bytes], Entry]] = {}
        self._full = False
        self._given_up = 0

    def run(self, entries: Sequence[Entry], watch: Watcher = lambda _: None) -> None:
        """Run members until each is finished or given up.

        Parameters
        ----------
        entries : sequence of Entry
        watch : callable
            Called with a `Tally` several times a second.

        Raises
        ------
        DiskFullError
            If there is no space left; what is finished stays.
        """
        self._queue = deque(entries)
        total, finished = len(self._folder.entries), len(self._folder.finished())
        self._given_up = len(self._folder.given_up())
        try:
            while self._queue or self._resting or self._running:
                finished += self._reap()
                self._wake()
                if self._full:
                    raise DiskFullError(self._folder.path)
                while self._queue and len(self._running) < self._workers and self._fits():
                    entry = self._queue.popleft()
                    if self._folder.result_path(entry).is_file():  # of another driver
                        finished += 1
                    else:
                        self._start(entry)
                watch(Tally(total, finished, len(self._running), self._given_up))
                time.sleep(_PAUSE)
        finally:
            self._stop()

    def _fits(self) -> bool:
        if not self._running or self._memory is None:
            return True
        return available_memory() > self._memory

    def _start(self, entry: Entry) -> None:
        slot = min(set(map(str, range(self._workers))) - self._running.keys(), key=int)
        with (self._folder.path / "logs" / f"worker-{slot}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._command, str(self._folder.path), entry.key],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,  # Ctrl-C goes to us alone
            )
        self._running[slot] = process, entry

    def _reap(self) -> int:
        """Take note of the workers that have ended; return how many members they finished."""
        finished = 0
        for slot, (process, entry) in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[slot]
            if process.stdin is not None:
                process.stdin.close()
            if self._folder.result_path(entry).is_file():
                finished += 1
            elif status == BUSY:
                self._resting.append((time.monotonic() + _BUSY_PAUSE, entry))
            elif status == FULL or disk_is_full(self._folder.path):
                self._full = True
            else:
                self._retry(entry, slot, status)
        return finished

    def _retry(self, entry: Entry, slot: str, status: int) -> None:
        """Put a failed member back into the queue, unless it failed too often."""
        if status != FAILED:  # a worker that fails by itself leaves its reason
            cause = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
            log = self._folder.path / "logs" / f"worker-{slot}.log"
            reason = f"the process of the member {cause}: see {log}"
            self._folder.record_failure(entry, reason, progress(self._folder, entry))
        failure = self._folder.failure(entry)
        if failure is None or failure.attempts < self._folder.file.executor.attempts:
            self._queue.append(entry)
        else:
            self._given_up += 1

    def _wake(self) -> None:
        now = time.monotonic()
        awake = [entry for moment, entry in self._resting if moment <= now]
        self._resting = [(moment, entry) for moment, entry in self._resting if moment > now]
        self._queue.extend(awake)

    def _stop(self) -> None:
        """Let go of the workers; they end with their stdin."""
        for process, _ in self._running.values():
            if process.stdin is not None:
                process.stdin.close()
        for process, _ in self._running.values():
            try:
                process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = {}
