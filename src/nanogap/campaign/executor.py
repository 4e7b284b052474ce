"""Common base of the executors: the queue, who is tried again, and when to stop."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.campaign.member import DiskFullError, disk_is_full, steps_and_transmissions
from nanogap.campaign.worker import BUSY, FAILED, FULL
from nanogap.errors import NanogapError

_PAUSE = 0.1

#: How long a member that another process works on is left alone, s.
_BUSY_PAUSE = 2.0

#: Members that are given up before a campaign of which none succeeds ends.
_TRIED = 3


@dataclass(frozen=True)
class CampaignProgress:
    """Progress of a campaign: numbers of members.

    Attributes
    ----------
    planned, finished, running, given_up : int
    """

    planned: int
    finished: int
    running: int
    given_up: int


Watcher = Callable[[CampaignProgress], None]


@dataclass(frozen=True)
class Ended:
    """A worker that has ended.

    Attributes
    ----------
    entry : Entry
    status : int
        Exit status; negative: the signal that killed it.
    log : str
        File that it wrote to.
    cause : str
        Reason, if it was not the worker itself that ended.
    """

    entry: Entry
    status: int
    log: str
    cause: str = ""


class Executor(ABC):
    """Runs members side by side; the campaign folder decides what is left to do.

    Parameters
    ----------
    folder : CampaignFolder
    workers : int
        Members at a time.
    """

    def __init__(self, folder: CampaignFolder, workers: int) -> None:
        self._folder = folder
        self._workers = workers
        self._queue: deque[Entry] = deque()
        self._resting: list[tuple[float, Entry]] = []
        self._finished = self._given_up = 0

    def run(self, entries: Sequence[Entry], watch: Watcher = lambda _: None) -> None:
        """Run members until each is finished or given up.

        Parameters
        ----------
        entries : sequence of Entry
        watch : callable
            Called with a `CampaignProgress` several times a second.

        Raises
        ------
        DiskFullError
            If there is no space left; what is finished stays.
        NanogapError
            If the first members all fail.
        """
        self._queue = deque(entries)
        total, self._finished = len(self._folder.entries), len(self._folder.finished())
        self._given_up = len(self._folder.given_up())
        try:
            while self._queue or self._resting or self._running():
                for ended in self._ended():
                    self._take_note(ended)
                self._wake()
                while self._queue and self._running() < self._workers and self._fits():
                    entry = self._queue.popleft()
                    if self._folder.result_path(entry).is_file():  # of another driver
                        self._finished += 1
                    else:
                        self._start(entry)
                running = self._running()
                watch(CampaignProgress(total, self._finished, running, self._given_up))
                time.sleep(_PAUSE)
        finally:
            self._stop()

    @abstractmethod
    def _running(self) -> int:
        """Count the members that are running."""

    @abstractmethod
    def _start(self, entry: Entry) -> None:
        """Start a worker for a member."""

    @abstractmethod
    def _ended(self) -> Iterable[Ended]:
        """Return the workers that have ended since the last call."""

    @abstractmethod
    def _stop(self) -> None:
        """Let go of the workers."""

    def _fits(self) -> bool:
        """Whether there is room for another member."""
        return True

    def _take_note(self, ended: Ended) -> None:
        """Count a finished member, and put one that is not back into the queue."""
        entry, status = ended.entry, ended.status
        if self._folder.result_path(entry).is_file():
            self._finished += 1
        elif status == BUSY:
            self._resting.append((time.monotonic() + _BUSY_PAUSE, entry))
        elif status == FULL or disk_is_full(self._folder.path):
            raise DiskFullError(self._folder.path)
        else:
            if status != FAILED:  # a worker that fails by itself leaves its reason
                cause = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
                cause = ended.cause or f"the process of the member {cause}"
                reason = f"{cause}: see {ended.log}"
                done = steps_and_transmissions(self._folder, entry)
                self._folder.record_failure(entry, reason, done)
            failure = self._folder.failure(entry)
            if failure is None or failure.attempts < self._folder.file.executor.attempts:
                self._queue.append(entry)
            else:
                self._given_up += 1
                self._despair()

    def _despair(self) -> None:
        """End a campaign of which no member succeeds, before all are tried."""
        if not self._finished and self._given_up >= _TRIED:
            reasons = "; ".join(dict.fromkeys(self._folder.given_up().values()))
            raise NanogapError(
                f"{self._given_up} members failed and none succeeded, so the rest of "
                f"{self._folder.path} is not tried: {reasons}"
            )

    def _wake(self) -> None:
        now = time.monotonic()
        self._queue.extend(entry for moment, entry in self._resting if moment <= now)
        self._resting = [(moment, entry) for moment, entry in self._resting if moment > now]
