"""Run members as processes of this machine, one per core, as the memory allows."""

import os
import subprocess
from collections.abc import Iterator, Sequence

from nanogap.campaign.executor import Ended, Executor
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.processes import (
    available_memory,
    child_environment,
    end_processes,
    python_module,
)

#: Part of the free memory that members may take together.
_MEMORY_SHARE = 0.9

#: The process that completes a member; folder and key follow.
WORKER = tuple(python_module("nanogap.campaign.worker"))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def fitting_workers(asked: int | None, memory: float | None, processes: int = 1) -> int:
    """Decide how many members run at a time.

    Parameters
    ----------
    asked : int, optional
        By the campaign file; it is not reduced.
    memory : float, optional
        Need of one member, bytes.
    processes : int
        Processes, or threads, of the dynamics of one member, each on a core of its own.
    """
    if asked is not None:
        return asked
    room = max(1, cores() // processes)
    if not memory:
        return room
    return max(1, min(room, int(_MEMORY_SHARE * available_memory() / memory)))


class LocalExecutor(Executor):
    """Runs members as processes of this machine, which end with this one.

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
        super().__init__(folder, workers)
        self._memory = memory
        self._command = tuple(command)
        self._processes: dict[int, tuple[subprocess.Popen[bytes], Entry]] = {}

    def _running(self) -> int:
        return len(self._processes)

    def _fits(self) -> bool:
        if not self._processes or self._memory is None:
            return True
        return available_memory() > self._memory

    def _start(self, entry: Entry) -> None:
        slot = min(set(range(self._workers)) - self._processes.keys())
        with self._folder.log_path(f"worker-{slot}").open("ab") as log:
            process = subprocess.Popen(
                [*self._command, str(self._folder.path), entry.key],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=child_environment(threads=self._folder.threads(entry)),
                start_new_session=True,  # Ctrl-C goes to us alone
            )
        self._processes[slot] = process, entry

    def _ended(self) -> Iterator[Ended]:
        for slot, (process, entry) in list(self._processes.items()):
            status = process.poll()
            if status is None:
                continue
            del self._processes[slot]
            if process.stdin is not None:
                process.stdin.close()
            yield Ended(entry, status, str(self._folder.log_path(f"worker-{slot}")))

    def _stop(self) -> None:
        """Let go of the workers; they end with their stdin."""
        end_processes([process for process, _ in self._processes.values()])
        self._processes = {}
