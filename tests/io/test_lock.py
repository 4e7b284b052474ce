"""Advisory locks, between processes and on file systems that have none."""

import errno
import fcntl
import os
import subprocess
import sys
import time

import pytest

from nanogap.errors import NanogapError
from nanogap.io.lock import FileLock

HOLDER = """
import sys, pathlib
from nanogap.io.lock import FileLock
with FileLock(pathlib.Path(sys.argv[1])).hold() as descriptor:
    print(descriptor is not None, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
    return FileLock(tmp_path / ".lock")


@pytest.fixture
def holder(lock):
    """Another process that holds the lock until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def answer(monkeypatch, number):
    """Let the system answer every request for a lock with an error."""

    def refuse(_descriptor, _operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_one_process_at_a_time_holds_a_lock(lock, holder):
    with lock.hold() as descriptor:
        assert descriptor is None
    assert lock.is_held()
    holder.communicate("")
    assert not lock.is_held()
    with lock.hold() as descriptor:
        assert descriptor is not None


def test_a_killed_process_lets_go(lock, holder):
    holder.kill()
    with lock.hold(patience=10.0) as descriptor:
        assert descriptor is not None


@pytest.mark.usefixtures("holder")
def test_patience_ends(lock):
    began = time.monotonic()
    with lock.hold(patience=0.3) as descriptor:
        assert descriptor is None
    assert 0.3 <= time.monotonic() - began < 5.0


def test_a_child_that_inherits_the_descriptor_holds_the_lock(lock):
    with lock.hold() as descriptor:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=(descriptor,),
        )
    assert lock.is_held()
    child.communicate(b"")
    assert not lock.is_held()


def test_asking_makes_no_file_and_disturbs_nobody(lock):
    assert not lock.is_held()
    assert not lock.path.exists()
    lock.path.touch()
    looking = os.open(lock.path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)  # another process that asks at the same moment
    assert not lock.is_held()
    os.close(looking)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_not_taken_for_a_busy_one(lock, monkeypatch, number):
    answer(monkeypatch, number)
    began = time.monotonic()
    with pytest.raises(NanogapError, match="cannot lock files") as caught, lock.hold(60.0):
        pass
    assert time.monotonic() - began < 5.0
    assert str(lock.path.parent) in str(caught.value)
    assert "delete" not in str(caught.value)
    assert not lock.is_held()


def test_a_lock_needs_its_folder(tmp_path):
    with pytest.raises(OSError, match="No such file"), FileLock(tmp_path / "no/x").hold():
        pass
