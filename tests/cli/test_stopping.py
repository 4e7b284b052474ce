"""Ends from outside: children end too, and the sentence names the right command."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nanogap.cli.first_principles import confirm_long_work
from nanogap.cli.stopping import how_to_go_on
from nanogap.errors import SettingsError

#: A program that waits in the way that pw.x is waited for.
PROGRAM = """
import sys
from nanogap.cli import app
from nanogap.processes import run_to_end

app.app = lambda **_: run_to_end(["sh", "-c", "sleep 300 & echo $! > inner; wait"])
sys.argv = ["nanogap", "reference", "run"]
app.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_what_was_started(number, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    inner = tmp_path / "inner"
    while not (inner.exists() and inner.read_text().endswith("\n")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert told == (
        f"nanogap: stopped by {signal.Signals(number).name}; what is finished is on disk, and the "
        "same command goes on\n"
    )
    state = Path("/proc", inner.read_text().strip(), "stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


#: A program whose orderly end takes a while, with a thread that the interpreter waits for.
ENDING = """
import sys, threading, time
from nanogap.cli import app
from nanogap.cli.stopping import first_interrupt

def work():
    threading.Thread(target=time.sleep, args=(1.0,)).start()
    with first_interrupt():
        try:
            print("begun", flush=True)
            time.sleep(60.0)
        finally:
            print("ending", flush=True)
            time.sleep(0.5)
            print("off", flush=True)

app.app = lambda **_: work()
sys.argv = ["nanogap", "measure", "-o", "nothing"]
app.main()
"""


def test_only_the_first_interrupt_counts_to_the_end_of_the_process():
    with subprocess.Popen(
        [sys.executable, "-c", ENDING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a suite in the background of a shell has Ctrl-C ignored, and its children too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no threads
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "ending\n"
        while process.poll() is None:  # also while the interpreter waits for its threads
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, told = process.communicate(timeout=60.0)
    assert process.returncode == 130
    assert out == "off\n"
    assert told == "nanogap: interrupted; give the same command again\n"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("run quick -o x", "nanogap resume x goes on"),
        ("run quick --output=x --json", "nanogap resume x goes on"),
        ("run quick -ox", "nanogap resume x goes on"),
        ("run quick -o y", "give the same command again"),
        ("fit-hamiltonian b.json", "the same command goes on"),
        ("fit-hamiltonian b.json --check m.toml", "give the same command again"),
        ("campaign run c.toml -o y", "give the same command again"),
        ("transmission j.extxyz", "give the same command again"),
        ("transmission j.extxyz --backend pwcond", "the same command goes on"),
        ("transmission j.extxyz --backend=pwcond", "the same command goes on"),
        ("resume x", "the same command goes on"),
        ("sample x --at 3", "the same command goes on"),
        ("reference x", "the same command goes on"),
        ("campaign run c.toml -o x", "nanogap campaign resume x goes on"),
        ("campaign resume x", "the same command goes on"),
        ("histogram data.csv", "give the same command again"),
        ("", "give the same command again"),
    ],
)
def test_the_command_that_goes_on_is_named(arguments, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    for name in ("run.json", "campaign.toml"):
        (tmp_path / "x" / name).touch()
    assert how_to_go_on(arguments.split()).endswith(command)


def test_long_work_does_not_begin_where_nobody_can_be_asked(monkeypatch):
    class Spinner:
        def start(self):
            pass

        stop = start

    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(SettingsError, match=r"no terminal to ask .* give --yes"):
        confirm_long_work(Spinner(), unasked=False)(3600.0)
    assert confirm_long_work(Spinner(), unasked=True)(3600.0)
    assert confirm_long_work(Spinner(), unasked=False)(60.0)
