"""Quantum ESPRESSO programs as processes: find them, run them, and say clearly how they ended.

Programs and input: Giannozzi et al., J. Phys.: Condens. Matter 29, 465901 (2017),
doi:10.1088/1361-648X/aa8f79.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nanogap.errors import EngineError
from nanogap.io.lock import FileLock
from nanogap.processes import is_of_launcher, run_to_end

#: What a finished program prints; ld1.x has no line of its own, its exit status has to do.
_DONE = {"ld1.x": "", "pwcond.x": "     PWCOND       :"}
_USUAL_DONE = "JOB DONE."
_REMEDY = "install it (Debian: apt-get install quantum-espresso libopenblas0-pthread)"
#: Variables that would make a program write, or take threads, elsewhere than told.
_UNWANTED = ("ESPRESSO_TMPDIR", "ESPRESSO_PSEUDO")
_NO_SPACE = re.compile(r"no space left|disk quota|davcio.*write|error while writing", re.IGNORECASE)
#: A program that leaves less than this free has filled the disk, bytes.
_LEAST_FREE = 1 << 20
#: MPI's helper process outlives its program by a moment, and holds what it inherited.
_LOCK_PATIENCE = 10.0
_ROUTINE = re.compile(r"Error in routine\s+(.+?)\s*\((-?\d+)\)\s*:\s*\n\s*(.*)")
#: The MPI launcher's own complaints stand under a line of dashes.
_LAUNCHER = re.compile(r"^-{40,}\n(\S.*?)\n\s*\n", re.MULTILINE | re.DOTALL)
_ABORTED = {signal.SIGABRT, signal.SIGSEGV, signal.SIGFPE}


@dataclass(frozen=True)
class Programs:
    """Place of the programs, and the way they are started.

    Attributes
    ----------
    folder : str
        Folder of the programs; empty: they are looked for in PATH.
    processes : int
        MPI processes; 1 starts no MPI.
    launcher : str
        Starts several processes, given ``-np N``.
    """

    folder: str = ""
    processes: int = 1
    launcher: str = "mpirun"

    @property
    def alone(self) -> "Programs":
        """The same programs as single processes."""
        return replace(self, processes=1)

    def command(self, program: str) -> list[str]:
        """Return the command line that starts a program.

        Parameters
        ----------
        program : str
            For example ``pw.x``.

        Raises
        ------
        EngineError
            If it, or the MPI launcher, is not installed.
        """
        path = shutil.which(program, path=self.folder or None)
        if path is None:
            place = f"the folder {self.folder}" if self.folder else "PATH"
            raise EngineError(f"{program} of Quantum ESPRESSO is not in {place}: {_REMEDY}")
        if self.processes == 1:
            return [path]
        # one beside the program is of its MPI; PATH may begin with that of a Python environment
        beside = shutil.which(self.launcher, path=str(Path(path).parent))
        launcher = beside or shutil.which(self.launcher)
        if launcher is None:
            raise EngineError(
                f"{self.processes} processes need the MPI launcher {self.launcher}, which is not "
                "in PATH: install it, or use one process"
            )
        return [launcher, "-np", str(self.processes), path]


def run_program(programs: Programs, program: str, text: str, folder: Path, name: str) -> str:
    """Run a program on an input, and keep input and output in a folder.

    Parameters
    ----------
    programs : Programs
    program : str
        For example ``pw.x``.
    text : str
        Its input.
    folder : Path
        Where it runs; it exists.
    name : str
        ``NAME.in`` and ``NAME.out`` are written.

    Returns
    -------
    str
        The output.

    Raises
    ------
    EngineError
        If it does not end as a finished program does; the message says why.
    """
    command = programs.command(program)
    source, output = folder / f"{name}.in", folder / f"{name}.out"
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in _UNWANTED and not is_of_launcher(key)
    }
    environment.setdefault("OMP_NUM_THREADS", "1")
    # waiting processes of Open MPI would take the core that others compute on
    environment.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
    # finished results stand in the output even if the program is killed next
    environment["GFORTRAN_UNBUFFERED_PRECONNECTED"] = "y"
    try:
        with _alone_in(folder, program) as lock:
            source.write_text(text, encoding="utf-8")
            with source.open() as stdin, output.open("wb") as stdout:
                status = run_to_end(
                    command,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=environment,
                    pass_fds=(lock,),
                )
    except OSError as error:
        raise EngineError(
            f"{program} in {folder} cannot be run: {error.strerror}: free disk space or correct "
            "the permissions, and start again; what is finished is kept"
        ) from None
    printed = output.read_text(encoding="utf-8", errors="replace")
    if status or _DONE.get(program, _USUAL_DONE) not in printed:
        raise EngineError(_reason(program, printed, status, folder, output))
    return printed


@contextmanager
def _alone_in(folder: Path, program: str) -> Iterator[int]:
    """Hold a folder's lock; the program inherits it, and holds it if we are killed first."""
    with FileLock(folder / ".lock").hold(_LOCK_PATIENCE) as descriptor:
        if descriptor is None:
            raise EngineError(
                f"another program works in {folder}, perhaps one that a killed run left "
                f"behind: wait until it ends, or end it, before {program} starts there"
            )
        yield descriptor


def _reason(program: str, printed: str, status: int, folder: Path, output: Path) -> str:
    """Say in a sentence why a program did not finish."""
    routine = _ROUTINE.search(printed)
    free = shutil.disk_usage(folder).free
    again = "start again with the same command; what is finished is kept"
    if free < _LEAST_FREE or _NO_SPACE.search(printed):
        return f"{program} could not write to {folder}: the disk is full: free space and {again}"
    killed = -status if status < 0 else status - 128 if 128 < status < 160 else 0
    if killed and killed not in _ABORTED and not routine:
        label = signal.Signals(killed).name
        memory = ", perhaps for want of memory" if killed == signal.SIGKILL else ""
        return f"{program} in {folder} was killed ({label}{memory}): {again}"
    if routine:
        where, _, what = routine.groups()
        return f"{program} stopped in its routine {where}: {' '.join(what.split())} (see {output})"
    refused = _LAUNCHER.search(printed)
    if refused and "Program PWSCF" not in printed and "Program PWCOND" not in printed:
        return (
            f"the MPI launcher did not start {program}: {' '.join(refused[1].split())} (see "
            f"{output}): follow its advice, or use one process"
        )
    return (
        f"{program} ended with status {status} before it was finished, and does not say why "
        f"(see {output}): {again}"
    )
