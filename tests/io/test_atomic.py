"""Files that are there whole or not at all, whoever else writes them."""

import fcntl
import os
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest
import xarray as xr

from nanogap.io import (
    read_arrays,
    read_attributes,
    read_dataset,
    write_atomically,
    write_dataset,
)
from nanogap.io.atomic import is_left_behind
from nanogap.io.hdf5_table import hdf5_tables, is_foreign
from nanogap.io.run_files import RunFiles

#: No file may have more than a kilobyte here, as on a disk that becomes full.
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, xarray as xr
from nanogap.io import write_dataset

dataset = xr.Dataset({"a": ("x", np.arange(1e5))})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
try:
    write_dataset(dataset, Path(sys.argv[1]))
except OSError as error:
    print(error.strerror)
"""


def test_two_that_write_one_file_do_not_meet(tmp_path):
    path, names = tmp_path / "report.html", []
    barrier = threading.Barrier(2)

    def write(temporary):
        names.append(temporary.name)
        temporary.write_text("whole")
        barrier.wait(10.0)

    threads = [threading.Thread(target=write_atomically, args=(path, write)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_long_name_can_be_written(tmp_path):
    path = tmp_path / ("ä" * 100 + ".html")
    write_atomically(path, lambda temporary: temporary.write_text("whole"))
    assert path.read_text() == "whole"


def test_only_what_an_ended_process_left_is_cleared_away(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".report.{ended.pid}-0123abcd.tmp.html"
    older = tmp_path / f".report.{ended.pid}.tmp.html"
    at_work = tmp_path / f".report.{os.getpid()}-0123abcd.tmp.html"
    for path in (left, older, at_work, tmp_path / ".mine.tmp"):
        path.touch()
    assert sorted(RunFiles(tmp_path).unfinished()) == sorted([left, older])
    assert not is_left_behind(tmp_path / "run.json")


def test_a_disk_that_becomes_full_is_an_error_and_no_crash(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.nc")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "File too large\n"), found.stderr
    assert not list(tmp_path.iterdir())


def test_results_are_read_without_a_lock(tmp_path):
    """As on a file system that has none, where the library's own lock fails."""
    path = tmp_path / "a.nc"
    write_dataset(xr.Dataset({"a": ("x", np.arange(3.0))}, attrs={"seed": 3}), path)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert read_arrays(path, ["a"])[0].tolist() == [0.0, 1.0, 2.0]
        assert read_attributes(path)["seed"] == 3
        assert read_dataset(path)["a"].sum() == 3.0


def test_tables_of_other_programs_are_read_without_a_lock(tmp_path):
    path = tmp_path / "log.hdf5"
    with h5py.File(path, "w") as file:
        file["voltage"], file["current"] = np.linspace(0.0, 1.0, 9), np.linspace(0.0, 1e-6, 9)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert is_foreign(path)
        assert len(hdf5_tables(path)) == 1


@pytest.mark.parametrize("reason", [None, "unable to create the file {}"])
def test_a_file_that_cannot_be_written_is_called_by_its_own_name(tmp_path, reason):
    """Its temporary name means nothing to whoever asked for the file."""

    def write(temporary):
        if reason:  # as libraries say it that call the system themselves
            raise OSError(reason.format(temporary))
        temporary.write_text("")

    path = tmp_path / "missing" / "ensemble.nc"
    with pytest.raises(OSError, match="ensemble") as told:
        write_atomically(path, write)
    assert told.value.filename == str(path)
    assert ".tmp" not in str(told.value)
