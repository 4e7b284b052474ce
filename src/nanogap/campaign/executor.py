"""Common base of the executors: the queue, who is tried again, and when to stop."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import DiskFullError, disk_is_full, steps_and_transmissions
from nanogap.campaign.record import Entry
from nanogap.campaign.worker import BUSY, FAILED, FULL
from nanogap.errors import NanogapError
from nanogap.io.lock import FileLock

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
    waiting : int
        Of those that are running: jobs that wait in a queue.
    elsewhere : int
        Members that another process works on.
    note : str
        A sentence to be told.
    """

    planned: int
    finished: int
    running: int
    given_up: int
    waiting: int = 0
    elsewhere: int = 0
    note: str = ""


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


class Lead:
    """The lead of a campaign, which one driver at a time has.

    Parameters
    ----------
    lock : FileLock
    """

    def __init__(self, lock: FileLock) -> None:
        self._lock, self._held = lock, ExitStack()
        self._next = 0.0
        self.descriptor: int | None = None

    def take(self) -> bool:
        """Take the lead if nobody else has it; whether this driver has it now.

        Raises
        ------
        NanogapError
            If the file system has no locks.
        """
        if self.descriptor is None and time.monotonic() >= self._next:
            with ExitStack() as stack:
                self.descriptor = stack.enter_context(self._lock.hold())
                if self.descriptor is not None:
                    self._held = stack.pop_all()
            self._next = time.monotonic() + _BUSY_PAUSE
        return self.descriptor is not None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.descriptor = None
        self._held.close()


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
        self._lead = Lead(folder.driver_lock)
        self.note = ""

    @property
    def leads(self) -> bool:
        """Whether no other driver works on the campaign that began before this one."""
        return self._lead.take()

    @property
    def descriptors(self) -> list[int]:
        """Open files that hold the lead."""
        return [] if self._lead.descriptor is None else [self._lead.descriptor]

    def run(
        self, entries: Sequence[Entry], watch: Watcher = lambda _: None, lead: Lead | None = None
    ) -> None:
        """Run members until each is finished or given up.

        A member that another process works on is waited for.

        Parameters
        ----------
        entries : sequence of Entry
        watch : callable
            Called with a `CampaignProgress` several times a second.
        lead : Lead, optional
            Of a drive that this is a part of.

        Raises
        ------
        DiskFullError
            If there is no space left; what is finished stays.
        NanogapError
            If the first members all fail, or the file system has no locks.
        """
        if lead is not None:
            self._lead = lead
            self._run(entries, watch)
            return
        with self._lead:
            self._run(entries, watch)

    def _run(self, entries: Sequence[Entry], watch: Watcher) -> None:
        self._queue = deque(entries)
        total, self._finished = len(self._folder.entries), len(self._folder.finished())
        self._given_up = len(self._folder.given_up().keys() - {entry.key for entry in entries})
        try:
            while self._queue or self._resting or self._running():
                self._lead.take()
                for ended in self._ended():
                    self._take_note(ended)
                self._wake()
                while self._queue and self._running() < self._workers and self._fits():
                    self._begin(self._queue.popleft())
                watch(
                    CampaignProgress(
                        total,
                        self._finished,
                        self._running(),
                        self._given_up,
                        self._waiting(),
                        len(self._resting),
                        self.note,
                    )
                )
                time.sleep(_PAUSE)
        finally:
            self._stop()

    def _begin(self, entry: Entry) -> None:
        """Start a member, unless it is finished or another process works on it."""
        if self._folder.result_path(entry).is_file():  # of another driver
            self._finished += 1
        elif self._is_given_up(entry):  # by another driver
            self._given_up += 1
        elif self._folder.is_running(entry):
            self._resting.append((time.monotonic() + _BUSY_PAUSE, entry))
        else:
            self._start(entry)

    def _is_given_up(self, entry: Entry) -> bool:
        failure = self._folder.failure(entry)
        return failure is not None and failure.attempts >= self._folder.file.executor.attempts

    def _waiting(self) -> int:
        """Count the jobs that wait in a queue."""
        return 0

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
            if self._is_given_up(entry):
                self._given_up += 1
                self._despair()
            else:
                self._queue.append(entry)

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
