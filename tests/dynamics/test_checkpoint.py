"""Checkpoints: what is not what was written is never loaded."""

import numpy as np
import pytest

from nanogap.dynamics.checkpoint import Progress, read_checkpoint, write_checkpoint
from nanogap.errors import DataFormatError

FILES = ("restart.lammps", "potential.npy", "charged_at.npy", "progress.json")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "step-10"
    folder.mkdir()
    (folder / "restart.lammps").write_bytes(bytes(range(256)) * 20)
    write_checkpoint(folder, "restart.lammps", np.arange(5.0), np.ones(5), Progress(step=10))
    return folder


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def test_what_is_whole_is_read(folder):
    potential, charged_at, progress = read_checkpoint(folder)
    np.testing.assert_array_equal(potential, np.arange(5.0))
    np.testing.assert_array_equal(charged_at, np.ones(5))
    assert progress == Progress(step=10)


@pytest.mark.parametrize("name", [*FILES, "checksums.json"])
@pytest.mark.parametrize("damage", [flip, cut, empty, remove])
def test_damage_is_told(folder, name, damage):
    damage(folder / name)
    if name == "checksums.json" and damage is remove:
        assert read_checkpoint(folder)[2] == Progress(step=10)  # as of an earlier version
        return
    with pytest.raises(DataFormatError, match="checkpoint step-10"):
        read_checkpoint(folder)


def test_a_missing_folder_is_told(folder):
    with pytest.raises(DataFormatError, match="No such file"):
        read_checkpoint(folder.with_name("step-11"))
