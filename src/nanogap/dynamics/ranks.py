"""The processes that LAMMPS computes with: this one alone, or several under MPI.

Several processes are started by ``mpiexec``, each runs this module, and each is asked by the
simulation over a socket of its own. So a simulation is the same Python program whatever the number
of its processes, and an end of either side, however it comes, ends the other.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import which
from typing import Any, NoReturn, Protocol

from nanogap.dynamics.lammps import Rank
from nanogap.errors import EngineError

#: Longest time that the processes may take to start, s.
_START = 120.0

_BACKLOG = 256


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
        with tempfile.TemporaryDirectory(prefix="nanogap-") as folder, _listener(folder) as socket_:
            with self._output.open("wb") as output:
                module = [sys.executable, "-m", "nanogap.dynamics.ranks"]
                address = str(socket_.getsockname())
                self._program = subprocess.Popen(
                    [*_launcher(), "-n", str(count), *module, address, str(log), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            until = time.monotonic() + _START
            while len(self._connections) < count:
                self._accept(socket_, until)
        if set(self._receive()) != {count}:
            self.close()
            raise EngineError(
                f"the {count} processes of LAMMPS do not find each other, for it was built without "
                "MPI or with another one than mpiexec: set dynamics.processes to 1"
            )

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
        wheel = next(f for f in files("mpich") or [] if f.name == "mpiexec.hydra")
        return [str(Path(str(wheel.locate())).resolve()), "-launcher", "fork"]
    except (PackageNotFoundError, StopIteration):
        program = which("mpiexec")
    if program is None:
        raise EngineError(
            "dynamics.processes above 1 needs mpiexec: install it with: pip install mpich"
        )
    return [program]


def _serve(address: str, log: str, options: Sequence[str]) -> None:
    """Do what the simulation asks, until it lets go of its end."""
    own = socket.socket(socket.AF_UNIX)
    own.connect(address)
    simulation: Connection[Any, Any] = Connection(own.detach())
    try:
        rank = Rank(Path(log), options)
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


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], sys.argv[3:])
