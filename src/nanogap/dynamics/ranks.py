"""The processes that LAMMPS computes with: this one alone, or several under MPI.

Several processes are started by ``mpiexec``, each runs this module, and each is asked by the
simulation over a socket of its own. So a simulation is the same Python program whatever the number
of its processes, and an end of either side, however it comes, ends the other.
"""

import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, files
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import which
from typing import Any, NoReturn, Protocol

from nanogap.dynamics.lammps import Rank
from nanogap.dynamics.mpi import TOGETHER, need_shared_memory
from nanogap.errors import EngineError
from nanogap.processes import child_environment, die_with_parent, python_module

#: Longest time that the processes may take to start, s.
_START = 120.0

_BACKLOG = 256
#: Time in which a process ends by itself, s.
_LAST_MOMENT = 5.0
#: The other side has closed its end; not every system tells a half-closed one.
_HANGUP = getattr(select, "POLLHUP", 0) | getattr(select, "POLLRDHUP", 0)
#: Longest name of the folder for temporary files that a socket can lie in.
_LONGEST = 70


class Ranks(Protocol):
    """All processes of one simulation."""

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of `nanogap.dynamics.lammps.Rank` on every process.

        Returns
        -------
        list
            The answer of each process.

        Raises
        ------
        EngineError
            If it fails on one of them, or one has died.
        """

    def close(self) -> None:
        """End the processes."""


class OneRank:
    """LAMMPS in this process.

    Parameters
    ----------
    log : Path, optional
    options : sequence of str
        Of LAMMPS' command line.
    """

    def __init__(self, log: Path | None, options: Sequence[str]) -> None:
        self._rank = Rank(log, options)

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of the rank."""
        return [getattr(self._rank, method)(*arguments)]

    def close(self) -> None:
        """Free LAMMPS."""
        self._rank.close()


class SeveralRanks:
    """LAMMPS in several processes under MPI.

    Parameters
    ----------
    count : int
        Number of processes.
    log : Path
        Of LAMMPS; what the processes print goes into ``processes.log`` beside it.
    options : sequence of str
        Of LAMMPS' command line.

    Raises
    ------
    EngineError
        If they cannot be started.
    """

    def __init__(self, count: int, log: Path, options: Sequence[str]) -> None:
        self._output = log.parent / "processes.log"
        self._connections: list[Connection[Any, Any]] = []
        need_shared_memory(count)
        with _socket_folder() as folder, _listener(folder) as socket_:
            with self._output.open("wb") as output:
                module = python_module("nanogap.dynamics.ranks", socket_.getsockname())
                self._program = subprocess.Popen(
                    [*_launcher(), "-n", str(count), *module],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=TOGETHER | child_environment(),
                )
            until = time.monotonic() + _START
            while len(self._connections) < count:
                self._accept(socket_, until)
        for connection in self._connections:
            connection.send((log.absolute(), list(options)))
        if set(self._receive()) != {count}:
            self.close()
            raise EngineError(
                f"the {count} processes of LAMMPS do not find each other, for it was built without "
                "MPI or with another one than mpiexec: set dynamics.processes to 1"
            )
        self.ask("forget_shared_memory")

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of the rank of every process at the same time."""
        for connection in self._connections:
            with contextlib.suppress(OSError):  # a dead process is noticed when it should answer
                connection.send((method, arguments))
        return self._receive()

    def close(self) -> None:
        """Let the processes end."""
        for connection in self._connections:
            connection.close()
        self._connections = []
        try:
            self._program.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()

    def _accept(self, listener: socket.socket, until: float) -> None:
        try:
            accepted, _ = listener.accept()
        except TimeoutError:
            if self._program.poll() is not None or time.monotonic() > until:
                self._fail("did not start")
            return
        accepted.setblocking(True)
        self._connections.append(Connection(accepted.detach()))

    def _receive(self) -> list[Any]:
        answers = []
        for connection in self._connections:
            try:
                answers.append(connection.recv())
            except (EOFError, OSError):
                self._fail("died")
        for answer in answers:
            if isinstance(answer, EngineError):
                raise answer
        return answers

    def _fail(self, what: str) -> NoReturn:
        self._program.kill()
        self.close()
        lines = self._output.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
        raise EngineError(
            f"a process of LAMMPS {what} ({last}); more in {self._output}. "
            "With dynamics.processes = 1 no MPI is needed"
        )


def open_ranks(count: int, log: Path, options: Sequence[str]) -> Ranks:
    """Start LAMMPS in a number of processes.

    Parameters
    ----------
    count : int
    log : Path
        Of LAMMPS.
    options : sequence of str
        Of LAMMPS' command line.

    Returns
    -------
    Ranks

    Raises
    ------
    EngineError
        If it does not start.
    """
    return OneRank(log, options) if count == 1 else SeveralRanks(count, log, options)


@contextlib.contextmanager
def _socket_folder() -> Iterator[str]:
    """Make a folder for a socket, under a name that is short and plain enough for one."""
    # as every temporary folder; but its name goes through mpiexec, and a socket's has 107 bytes
    usual = tempfile.gettempdir()
    plain = len(usual) < _LONGEST and re.fullmatch(r"[\w./+-]+", usual, re.ASCII)
    with tempfile.TemporaryDirectory(prefix="nanogap-", dir=usual if plain else "/tmp") as folder:  # noqa: S108
        yield folder


def _listener(folder: str) -> socket.socket:
    # only this user may enter a temporary folder, so nobody else can connect
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(Path(folder) / "ranks"))
    listener.listen(_BACKLOG)
    listener.settimeout(0.2)
    return listener


def _launcher() -> list[str]:
    """Find the program that starts MPI processes: that of the MPI which LAMMPS uses."""
    try:
        wheel = next(f for f in files("mpich") or [] if f.name == "mpiexec.gforker")
        # it forks, on this machine whatever a batch system says of others, and opens no port
        return [str(Path(str(wheel.locate())).resolve())]
    except (PackageNotFoundError, StopIteration):
        program = which("mpiexec")
    if program is None:
        raise EngineError(
            "dynamics.processes above 1 needs mpiexec: install it with: pip install mpich"
        )
    return [program]


def _serve(address: str) -> None:
    """Do what the simulation asks, until it lets go of its end."""
    die_with_parent()
    own = socket.socket(socket.AF_UNIX)
    own.connect(address)
    threading.Thread(target=_watch, args=(os.dup(own.fileno()),), daemon=True).start()
    simulation: Connection[Any, Any] = Connection(own.detach())
    log, options = simulation.recv()
    try:
        rank = Rank(log, options, several=True)
    except EngineError as error:
        simulation.send(error)
        return
    simulation.send(rank.world_size())
    with contextlib.suppress(EOFError, OSError):
        while True:
            method, arguments = simulation.recv()
            try:
                answer = getattr(rank, method)(*arguments)
            except EngineError as error:
                answer = error
            simulation.send(answer)
    rank.close()


def _watch(descriptor: int) -> None:
    """End this process a moment after the simulation has let go of its end.

    LAMMPS may wait for a process that has died, and would wait for ever.
    """
    watched = select.poll()
    watched.register(descriptor, _HANGUP)
    while not any(found & (_HANGUP | select.POLLERR) for _, found in watched.poll()):
        pass
    time.sleep(_LAST_MOMENT)
    os._exit(1)


if __name__ == "__main__":
    _serve(sys.argv[1])
