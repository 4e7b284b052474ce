import os
import signal
import subprocess
import sys
import time

import pytest
from tests.transport.espresso_programs import stand_in

from nanogap.errors import EngineError
from nanogap.transport.espresso.programs import Programs, run_program


def run(tmp_path, script, program="pw.x"):
    programs = Programs(stand_in(tmp_path / "bin", program, script))
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return run_program(programs, program, "input\n", work, "job")


def test_a_finished_program_gives_its_output_and_leaves_input_and_output(tmp_path):
    printed = run(tmp_path, "cat; echo JOB DONE.")
    assert printed == "input\nJOB DONE.\n"
    assert (tmp_path / "work" / "job.in").read_text() == "input\n"
    assert (tmp_path / "work" / "job.out").read_text() == printed


def test_a_missing_program_is_named_with_the_remedy(tmp_path):
    with pytest.raises(EngineError, match=r"pw\.x .*is not in the folder .*quantum-espresso"):
        run_program(Programs(str(tmp_path)), "pw.x", "", tmp_path, "job")


def test_a_missing_launcher_is_named(tmp_path):
    programs = Programs(stand_in(tmp_path / "bin", "pw.x", ""), 2, "no-such-launcher")
    with pytest.raises(EngineError, match="no-such-launcher"):
        run_program(programs, "pw.x", "", tmp_path, "job")


def test_several_processes_are_started_by_the_launcher(tmp_path):
    folder = stand_in(tmp_path / "bin", "pw.x", "echo JOB DONE.")
    launcher = stand_in(tmp_path / "bin", "launch", 'echo "$1 $2"; shift 2; exec "$@"')
    programs = Programs(folder, 3, f"{launcher}/launch")
    assert run_program(programs, "pw.x", "", tmp_path, "job").startswith("-np 3\n")


def test_the_launcher_beside_the_program_comes_before_that_of_path(tmp_path, monkeypatch):
    """A Python environment may have the launcher of another MPI, which waits for ever."""
    folder = stand_in(tmp_path / "bin", "pw.x", "")
    elsewhere = stand_in(tmp_path / "environment", "mpirun", "exit 1")
    monkeypatch.setenv("PATH", str(elsewhere), prepend=os.pathsep)
    assert Programs(folder, 2).command("pw.x")[0] == f"{elsewhere}/mpirun"
    stand_in(tmp_path / "bin", "mpirun", "")
    assert Programs(folder, 2).command("pw.x")[0] == f"{folder}/mpirun"


def test_a_launcher_that_refuses_is_quoted(tmp_path):
    line = "-" * 74
    words = f"printf '%s\\nmpirun has detected\\nan attempt.\\n\\nmore\\n' {line}; exit 1"
    launcher = stand_in(tmp_path / "bin", "launch", words)
    programs = Programs(stand_in(tmp_path / "bin", "pw.x", ""), 2, f"{launcher}/launch")
    with pytest.raises(EngineError, match=r"did not start pw\.x: mpirun has detected an attempt\."):
        run_program(programs, "pw.x", "", tmp_path, "job")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kill -KILL $$", r"killed \(SIGKILL, perhaps for want of memory\).*start again"),
        ("kill -TERM $$", r"killed \(SIGTERM\)"),
        ("echo no; exit 0", "status 0 before it was finished"),
        ("echo JOB DONE.; exit 3", "status 3"),
        ("echo ' At line 3: No space left on device' >&2; exit 2", "disk is full"),
        (
            "printf '     Error in routine readpp (1):\\n     file  Ag.UPF not found\\n'; exit 1",
            r"stopped in its routine readpp: file Ag\.UPF not found",
        ),
        ("kill -SEGV $$", "before it was finished, and does not say why"),
    ],
)
def test_every_end_but_a_good_one_is_an_error_that_says_which(tmp_path, script, message):
    with pytest.raises(EngineError, match=message):
        run(tmp_path, script)


def test_pwcond_and_ld1_have_ends_of_their_own(tmp_path):
    assert run(tmp_path, "echo '     PWCOND       :   1.0s'", "pwcond.x")
    with pytest.raises(EngineError):
        run(tmp_path, "echo half", "pwcond.x")
    assert run(tmp_path, "echo anything", "ld1.x")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    programs = Programs(stand_in(tmp_path / "bin", "pw.x", "echo JOB DONE."))
    with pytest.raises(EngineError, match=r"cannot be run: No such file"):
        run_program(programs, "pw.x", "", tmp_path / "absent", "job")


def test_an_abort_that_signals_the_group_ends_the_program_alone(tmp_path):
    """Open MPI does so when one of its programs aborts."""
    with pytest.raises(EngineError, match="SIGTERM"):
        run(tmp_path, "kill -TERM 0; sleep 5")


def test_variables_that_move_files_do_not_reach_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("ESPRESSO_TMPDIR", "/elsewhere")
    assert "elsewhere" not in run(tmp_path, "env; echo JOB DONE.")


def test_a_program_that_a_killed_run_left_behind_keeps_others_out(tmp_path, monkeypatch):
    folder = stand_in(tmp_path / "bin", "pw.x", "echo $$ > pid; exec sleep 60")
    work = tmp_path / "work"
    work.mkdir()
    code = (
        "import sys, pathlib; from nanogap.transport.espresso.programs import *; "
        "run_program(Programs(sys.argv[1]), 'pw.x', '', pathlib.Path(sys.argv[2]), 'job')"
    )
    run_by_other = subprocess.Popen([sys.executable, "-c", code, folder, str(work)])
    deadline = time.monotonic() + 20.0
    while not (work / "pid").is_file() or not (work / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run_by_other.kill()
    run_by_other.wait()
    left_behind = int((work / "pid").read_text())
    monkeypatch.setattr("nanogap.transport.espresso.programs._LOCK_PATIENCE", 0.1)
    try:
        with pytest.raises(EngineError, match="another program works in"):
            run_program(Programs(folder), "pw.x", "", work, "job")
    finally:
        os.kill(left_behind, signal.SIGKILL)
