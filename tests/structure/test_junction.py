from pathlib import Path

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
        read_frames(Path("nowhere.extxyz"))


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


@pytest.mark.parametrize(
    "name", ["a@0.extxyz", "a@-1", "a@1:.extxyz", "@", "-.xyz", "postgres.xyz"]
)
def test_the_file_of_exactly_this_name_is_read(tmp_path, monkeypatch, name):
    """ASE takes what follows an @ for an index, and would read the file before it."""
    monkeypatch.chdir(tmp_path)
    write("a.extxyz", [chain(7), chain(8)])
    write("a", chain(9), format="extxyz")
    write("other.extxyz", chain(5))
    Path("other.extxyz").rename(name)
    assert len(read_frames(Path(name), "-1")[0]) == 5


@pytest.mark.parametrize(
    ("element", "least"), [("Ag", 1.90), ("Cu", 1.73), ("Au", 1.78), ("Ni", 1.62), ("Al", 1.59)]
)
def test_atoms_overlap_by_their_element(element, least):
    for distance, overlap in ((least - 0.02, True), (least + 0.02, False)):
        wire = chain(5, least + 0.1)
        wire.symbols[:] = element
        wire.positions[2, 2] = wire.positions[1, 2] + distance
        if overlap:
            with pytest.raises(StructureError, match=f"the least of {element}-{element} is"):
                validate_junction(wire)
        else:
            validate_junction(wire)


@pytest.mark.parametrize("announced", ["1000000000000", "9" * 60, "5000"])
def test_a_file_that_announces_more_atoms_than_it_holds(tmp_path, announced):
    path = tmp_path / "d.extxyz"
    path.write_text(f'{announced}\nLattice="1 0 0 0 1 0 0 0 1"\nAg 0.0 0.0 0.0\n')
    with pytest.raises(DataFormatError, match="announces"):
        read_frames(path)
