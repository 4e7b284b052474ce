"""Child processes: isolated from where they are started, and ended with their parent.

A child is a Python module of the package. It imports nothing from the current folder (``-P``), so
that a run folder from elsewhere cannot bring code of its own, and it knows nothing of an MPI
launcher that may have started its parent: it is no part of that launcher's job.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

#: What MPI launchers (mpiexec, mpirun, srun) tell the processes that they start. What a user sets
#: for a launcher of his own (``OMPI_MCA_btl``, ``OMPI_ALLOW_RUN_AS_ROOT``) is none of it.
_LAUNCHER = (
    *("PMI_", "PMI2_", "PMIX_", "HYDI_", "HYDRA_", "MPIEXEC_", "MPI_LOCAL", "PALS_"),
    *("OMPI_COMM_WORLD", "OMPI_UNIVERSE", "OMPI_APP_CTX", "OMPI_NUM_APP_CTX", "OMPI_FIRST_RANKS"),
    *("OMPI_FILE_LOCATION", "OMPI_COMMAND", "OMPI_ARGV", "OMPI_MCA_ess", "OMPI_MCA_orte"),
    *("OMPI_MCA_pmix", "ORTE_", "PRTE_", "SLURM_PMI", "SLURM_MPI"),
)
#: What pins a process to one thread: processes share the cores, threads would fight for them.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
_PR_SET_PDEATHSIG = 1
#: Time that processes get to end by themselves, s.
_PATIENCE = 5.0


def available_memory() -> float:
    """Return the memory that processes can still take, bytes; infinite where that is unknown."""
    found = [float("inf")]
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(1024.0 * float(line.split()[1]))
    with contextlib.suppress(OSError, ValueError):  # the limit of a container; "max" is no number
        group = Path("/sys/fs/cgroup")
        limit = float((group / "memory.max").read_text(encoding="utf-8"))
        found.append(limit - float((group / "memory.current").read_text(encoding="utf-8")))
    return min(found)


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours with nothing from the current folder.

    Parameters
    ----------
    module : str
        Dotted name.
    *arguments : str

    Returns
    -------
    list of str
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def is_of_launcher(name: str) -> bool:
    """Whether an environment variable is one that an MPI launcher gives its processes.

    Examples
    --------
    >>> is_of_launcher("PMIX_RANK"), is_of_launcher("PATH")
    (True, False)
    """
    return name.startswith(_LAUNCHER)


def child_environment(
    environment: Mapping[str, str] | None = None, *, threads: int = 1
) -> dict[str, str]:
    """Return the environment of a child: without an MPI launcher, on one thread.

    Parameters
    ----------
    environment : mapping, optional
        Default: that of this process.
    threads : int
        Threads of its compiled loops; libraries have one.

    Returns
    -------
    dict
    """
    given = os.environ if environment is None else environment
    kept = {name: value for name, value in given.items() if not is_of_launcher(name)}
    return kept | thread_limits(threads)


def thread_limits(threads: int) -> dict[str, str]:
    """Return the variables that limit libraries to one thread, and compiled loops to some.

    Parameters
    ----------
    threads : int

    Returns
    -------
    dict
    """
    return ONE_THREAD | {"NUMBA_NUM_THREADS": str(threads)}


@contextlib.contextmanager
def environment_with(given: Mapping[str, str]) -> Iterator[None]:
    """Take an MPI launcher out of this process's environment as long as the block lasts.

    Parameters
    ----------
    given : mapping
        What else is set meanwhile, unless the user has set it.
    """
    dropped = {name: value for name, value in os.environ.items() if is_of_launcher(name)}
    added = {name: value for name, value in given.items() if name not in os.environ}
    for name in dropped:
        del os.environ[name]
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
        os.environ.update(dropped)


def die_with_parent() -> None:
    """Ask the system to kill this process when its parent ends, a stopped process too (Linux).

    Elsewhere nothing happens, and a stopped process outlives its parent until it is continued.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def run_to_end(command: list[str], **options: Any) -> int:
    """Run a program to its end in a session of its own; an exception here ends all of it.

    Parameters
    ----------
    command : list of str
    **options
        Of `subprocess.Popen`.

    Returns
    -------
    int
        Exit status; negative: the signal that killed it.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with _held_signals():  # one that came while it is started would leave it running
            # MPI's abort signals the whole process group
            process = subprocess.Popen(command, start_new_session=True, **options)
        return process.wait()
    except BaseException:
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            end_processes([process])
        raise


@contextlib.contextmanager
def _held_signals() -> Iterator[None]:
    """Let signals that raise an exception do so only after the block."""
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name == "posix" else [])]
    caught: list[int] = []
    before: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # not the main thread, which alone gets exceptions
        for number in numbers:
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(number, lambda got, _frame: caught.append(got))
    try:
        yield
    finally:
        for held, handler in before.items():
            signal.signal(held, handler)
        for got in caught:
            signal.raise_signal(got)


def end_processes(processes: Collection["subprocess.Popen[bytes]"]) -> None:
    """Let processes that lead a session end, and kill what has not ended within five seconds.

    Their stdin is closed, at which a child of ours ends; one that is stopped is killed.
    """
    for process in processes:
        if process.stdin is not None:
            process.stdin.close()
    until = time.monotonic() + _PATIENCE
    for process in processes:
        try:
            process.wait(timeout=max(0.01, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
