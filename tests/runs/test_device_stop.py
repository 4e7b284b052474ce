"""A measurement of several devices at a time ends soon when it is told to."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from validation.device_kills import CHANGES, PRESET

from nanogap.io.device_files import DeviceFiles


def all_gone(group):
    """Whether no process of a group is left after some seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


def test_a_signal_to_the_command_alone_ends_its_processes_too(tmp_path):
    """They once went on for as long as their devices took."""
    folder = tmp_path / "dev"
    changes = [*CHANGES, "devices.number=3", "protocol.cycles=300"]
    sets = [word for change in changes for word in ("--set", change)]
    command = ["device", "run", PRESET, "-o", folder, "--processes", "2", "--yes", *sets]
    running = subprocess.Popen(
        [sys.executable, "-c", "from nanogap import cli; cli.main()", *map(str, command)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 300.0
        while not all(DeviceFiles(folder).part(number).readings for number in (0, 1)):
            assert running.poll() is None, running.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=120.0)[1]
        gone = all_gone(running.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 143
    assert "stopped by SIGTERM" in said
    assert f"nanogap device resume {folder} goes on" in " ".join(said.split())
    assert gone
    assert DeviceFiles(folder).measurement.is_file()
