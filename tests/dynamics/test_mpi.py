"""MPI below LAMMPS: paths of any name, no port, nothing left in shared memory."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tests.dynamics.engines import prepared

from nanogap.dynamics import mpi
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.lammps import open_lammps
from nanogap.errors import EngineError

pytestmark = pytest.mark.engine

NAMES = (
    *("my run", "läufe", "a#b", "a$b", "a'b", 'a"b', "a\tb", "$(1+1)", "100%", "a*", "a&", "-log"),
    *('"""', "a\nb", "{x}", "FOLDER", "\udce4"),
)

#: Opens LAMMPS, says what its process listens on and has in shared memory, and ends as told.
PROBE = """
import json, os, sys
from pathlib import Path
from nanogap.dynamics.lammps import open_lammps

lammps = open_lammps(None)
sockets = set()
for entry in Path("/proc/self/fd").iterdir():
    try:
        sockets.add(os.readlink(entry))
    except OSError:
        pass
ports = [
    line.split()[1]
    for name in ("tcp", "tcp6", "udp", "udp6")
    for line in Path("/proc/net", name).read_text().splitlines()[1:]
    if f"socket:[{line.split()[9]}]" in sockets
]
mine = f"mpich_shm_{os.getpid():x}_"
left = [entry.name for entry in Path("/dev/shm").glob(mine + "*")]
print(json.dumps({"ports": ports, "left": left}), flush=True)
if sys.argv[1] == "kill":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_may_have_any_name(name, small_tips, force_field, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    (tmp_path / "trap").mkdir()
    engine, potential = prepared(small_tips, force_field, folder)
    engine.advance(2)
    engine.save(folder / "restart.lammps")
    velocities = engine.velocities
    engine.load(folder / "restart.lammps")
    engine.set_potential(potential)
    np.testing.assert_array_equal(engine.velocities, velocities)
    engine.close()
    assert (folder / "engine.log").stat().st_size
    assert {entry.name for entry in tmp_path.iterdir()} == {name, "trap"}


def test_so_may_one_of_several_processes(small_tips, force_field, tmp_path, monkeypatch):
    folder = tmp_path / "$(1+1) läufe #'"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("PMIX_RANK", "0")
    monkeypatch.setattr("tempfile.tempdir", None)
    engine, _ = prepared(small_tips, force_field, folder, processes=2)
    engine.save(folder / "restart.lammps")
    engine.close()
    assert (folder / "restart.lammps").stat().st_size


def test_embedded_atoms_too(small_tips, tmp_path):
    folder = tmp_path / "my $(1+1)"
    folder.mkdir()
    prepared(small_tips, load_embedded_atom("Ag"), folder)[0].close()


def test_a_relative_folder_is_the_one_of_the_moment(small_tips, force_field, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my run").mkdir()
    engine, _ = prepared(small_tips, force_field, (tmp_path / "my run").relative_to(tmp_path))
    monkeypatch.chdir("/")
    engine.save(tmp_path / "my run" / "restart.lammps")
    engine.close()


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_one_process_opens_no_port_and_leaves_no_shared_memory(end):
    found = subprocess.run(
        [sys.executable, "-c", PROBE, end],
        env={**os.environ, "PMIX_RANK": "0", "PMI_FD": "9"},  # as under srun --mpi=pmix
        stdout=subprocess.PIPE,
        check=False,
    )
    assert json.loads(found.stdout) == {"ports": [], "left": []}
    assert found.returncode == (0 if end == "exit" else -9)


def test_shared_memory_that_is_full_is_named(monkeypatch):
    monkeypatch.setattr(mpi, "free_shared_memory", lambda: 300_000)
    with pytest.raises(EngineError, match=r"shm is full: 0.3 MB .* 1.2 MB"):
        open_lammps(None)
    with pytest.raises(EngineError, match=r"needs 22.0 MB"):
        mpi.need_shared_memory(4)
    monkeypatch.setattr(mpi, "free_shared_memory", lambda: None)  # not Linux
    mpi.need_shared_memory(4)
