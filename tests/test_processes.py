"""Child processes: isolated from where they are started, and ended with their parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from nanogap.processes import (
    child_environment,
    end_processes,
    environment_with,
    is_of_launcher,
    python_module,
    run_to_end,
)

LAUNCHERS = (
    *("PMI_FD", "PMI_RANK", "PMI2_X", "PMIX_RANK", "PMIX_SERVER_URI41", "HYDI_CONTROL_FD"),
    *("OMPI_COMM_WORLD_RANK", "OMPI_UNIVERSE_SIZE", "OMPI_MCA_ess_base_jobid", "MPI_LOCALRANKID"),
    *("HYDRA_HOST_FILE", "SLURM_PMIX_MAPPING_SERV", "SLURM_MPI_TYPE", "PALS_RANKID"),
)
USERS_OWN = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_MCA_btl", "SLURM_JOB_ID", "PATH", "UCX_TLS")


def test_children_know_nothing_of_a_launcher():
    given = dict.fromkeys((*LAUNCHERS, *USERS_OWN), "1")
    left = child_environment(given)
    assert set(USERS_OWN) < left.keys()
    assert not any(is_of_launcher(name) for name in left)
    assert left["OMP_NUM_THREADS"] == "1"


def test_the_environment_is_given_back_as_it_was(monkeypatch):
    monkeypatch.setenv("PMIX_RANK", "0")
    monkeypatch.setenv("UCX_TLS", "tcp")
    before = dict(os.environ)
    with environment_with({"UCX_TLS": "self", "FI_TCP_IFACE": "lo"}):
        assert "PMIX_RANK" not in os.environ
        assert os.environ["UCX_TLS"] == "tcp"  # the user's word is the last
        assert os.environ["FI_TCP_IFACE"] == "lo"
    assert dict(os.environ) == before


def test_a_module_in_the_current_folder_is_not_imported(tmp_path):
    (tmp_path / "tomllib.py").write_text("open('caught', 'w')\nraise SystemExit(9)\n")
    found = subprocess.run(
        [*python_module("tomllib")[:-1], "nanogap", "--version"], cwd=tmp_path, check=False
    )
    assert found.returncode == 0
    assert not (tmp_path / "caught").exists()


def test_the_command_line_as_a_module_imports_nothing_from_the_current_folder(tmp_path):
    """Python itself looks there for nanogap; nanogap for nothing more."""
    for name in ("tomllib", "xarray", "typer"):
        (tmp_path / f"{name}.py").write_text("open('caught', 'w')\nraise SystemExit(9)\n")
    command = [sys.executable, "-m", "nanogap", "build", "quick", "-o", "no.such"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert not (tmp_path / "caught").exists()


def test_a_program_ends_with_an_exception_here(tmp_path):
    """And so do its own children, as pw.x behind mpirun does."""
    script = "sleep 300 & echo $! > inner; wait"

    def stop(_number, _frame):
        raise SystemExit(143)

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(SystemExit):
            run_to_end(["sh", "-c", script], cwd=tmp_path)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert _has_ended(int((tmp_path / "inner").read_text()))


def test_a_stopped_process_is_ended_too():
    command = ["/bin/sleep", "300"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    end_processes([process])
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 8.0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_stopped_child_does_not_outlive_a_parent_that_is_killed():
    child = "import time; from nanogap.processes import die_with_parent; die_with_parent()"
    parent = textwrap.dedent(f"""
        import subprocess, sys, time
        child = subprocess.Popen(
            [sys.executable, "-c", "{child}; print(1, flush=True); time.sleep(300)"],
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()
        print(child.pid, flush=True)
        time.sleep(300)
    """)
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    with process:
        number = int(process.stdout.readline())
        os.kill(number, signal.SIGSTOP)
        process.kill()
    assert _has_ended(number)


def _has_ended(number):
    for _ in range(100):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1]
        except OSError:
            return True
        if state.split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_program_is_started_ends_the_program(number, monkeypatch):
    started = []

    def popen(*arguments, **options):
        started.append(start(*arguments, **options))
        signal.raise_signal(number)  # before anybody knows of the program
        return started[0]

    def stop(*_):
        raise KeyboardInterrupt

    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    before = signal.signal(number, stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_to_end(["sleep", "300"])
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert started[0].wait(timeout=10) == -signal.SIGTERM
