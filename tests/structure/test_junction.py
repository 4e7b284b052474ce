import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from nanogap.errors import DataFormatError, StructureError
from nanogap.structure.junction import read_frames, validate_junction


def chain(n=5, distance=2.9):
    atoms = Atoms(f"Ag{n}", positions=[(0, 0, distance * i) for i in range(n)], cell=[9, 9, 50])
    atoms.new_array("region", np.array(["left"] + ["channel"] * (n - 2) + ["right"]))
    atoms.info.update(left_period=distance, right_period=distance)
    return atoms


def test_a_chain_is_a_junction():
    validate_junction(chain())


def test_a_junction_survives_its_file(tmp_path):
    path = tmp_path / "chain.extxyz"
    write(path, chain())
    read = read_frames(path)[0]
    validate_junction(read)
    assert read.arrays["region"].tolist() == chain().arrays["region"].tolist()
    assert read.info["left_period"] == 2.9


def spoil(change):
    atoms = chain()
    change(atoms)
    return atoms


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.arrays.pop("region"), "region"),
        (lambda a: a.arrays["region"].__setitem__(0, "rigth"), "rigth"),
        (lambda a: a.arrays["region"].__setitem__(0, "channel"), "no atoms of region 'left'"),
        (lambda a: a.info.pop("left_period"), "left_period"),
        (lambda a: a.info.update(left_period="x"), "left_period"),
        (lambda a: a.info.update(right_period=-1.0), "right_period"),
        (lambda a: a.info.update(right_period=np.nan), "right_period"),
        (lambda a: a.positions.__setitem__((2, 2), 3.5), "overlap"),
        (lambda a: a.positions.__setitem__((2, 2), np.nan), "finite"),
        (lambda a: a.positions.__setitem__((2, 2), 30.0), "follow each other"),
    ],
)
def test_what_is_no_junction_is_refused_by_name(change, words):
    with pytest.raises(StructureError, match=words) as caught:
        validate_junction(spoil(change), "snapshot 7")
    assert str(caught.value).startswith("snapshot 7")


def test_missing_file():
    with pytest.raises(DataFormatError, match=r"nowhere\.extxyz"):
        read_frames(__import__("pathlib").Path("nowhere.extxyz"))


def test_truncated_file_is_named(tmp_path):
    path = tmp_path / "cut.extxyz"
    write(path, chain())
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    with pytest.raises(DataFormatError, match=r"cut\.extxyz"):
        read_frames(path)


def test_missing_frame_is_named(tmp_path):
    path = tmp_path / "one.extxyz"
    write(path, chain())
    with pytest.raises(DataFormatError, match="frame 5"):
        read_frames(path, "5")
