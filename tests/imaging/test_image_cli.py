"""Images at the command line: one of each kind of input, and what is refused."""

import json
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from PIL import Image
from tests.runs import hand_made_device
from tests.runs.hand_made import whole_run

from nanogap.io import read_dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return whole_run(tmp_path_factory.mktemp("runs") / "whole", voltage={"applied": 8.0}).path


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    return hand_made_device.make(tmp_path_factory.mktemp("devices") / "loop").path


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "pair.extxyz"
    first = Atoms("Ag2", [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    second = Atoms("Ag2", [[0.0, 0.0, 0.0], [0.0, 0.0, 6.0]])
    write(path, [first, second])
    return path


def made(call, *words):
    told = json.loads(call("image", *words, "--json").out)
    with Image.open(told["image"]) as picture:
        assert min(picture.size) > 300
    return told, read_dataset(Path(told["numbers"]))


@pytest.mark.parametrize("kind", ["haadf", "sem"])
def test_a_structure_file(call, pair, tmp_path, kind):
    told, data = made(call, pair, "--kind", kind, "-o", tmp_path / "a.png", "--pixel", 0.2)
    assert told["pixels"] == [data.sizes["x"], data.sizes["y"]]
    assert data["x"].attrs["units"] == "nm"
    settings = json.loads(data.attrs["settings"])
    assert (settings["kind"], settings["pixel"]) == (kind, 0.2)
    assert told["captions"] == ["frame 2 of 2"]
    line = data["share" if kind == "haadf" else "yield"].to_numpy()[0].sum(axis=1)
    lit = data["y"].to_numpy()[line > 0.5 * line.max()]
    assert 0.5 < np.ptp(lit) < 1.0  # the second frame, 0.6 nm
    first, _ = made(call, pair, "--kind", kind, "-o", tmp_path / "b.png", "--moment", 1)
    assert first["captions"] == ["frame 1 of 2"]
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_a_film_has_a_picture_of_every_moment_and_its_place_on_the_curve(call, device, tmp_path):
    films = [tmp_path / "a.gif", tmp_path / "b.gif"]
    for film in films:
        told, data = made(call, device, "--kind", "haadf", "-o", film, "--series", 3, "--dose", 1e4)
    assert films[0].read_bytes() == films[1].read_bytes()
    with Image.open(films[0]) as film:
        assert film.n_frames == told["images"] == data.sizes["moment"] == 3
        pictures = []
        for number in range(3):
            film.seek(number)
            pictures.append(np.asarray(film.convert("RGB"), dtype=float))
    half = pictures[0].shape[1] * 17 // 27
    for first, second in pairwise(pictures):
        assert np.abs(first - second)[:, :half].max() > 50.0  # atoms moved
        assert np.abs(first - second)[:, half:].max() > 50.0  # and the mark on the curve
    assert "a film has moments" in call(
        "image", device, "--kind", "sem", "-o", tmp_path / "c.gif", status=2
    ).err  # fmt: skip
    assert not (tmp_path / "c.gif").exists()


def test_the_command_that_is_told_makes_the_same_bits_again(call, pair, tmp_path):
    told, data = made(
        call, pair, "--kind", "haadf", "-o", tmp_path / "a.png", "--dose", 1e6, "--seed", 3
    )
    before = (tmp_path / "a.png").read_bytes(), (tmp_path / "a.nc").read_bytes()
    assert data["electrons"].to_numpy().max() > 10
    assert data.attrs["command"] == told["command"]
    call(*shlex.split(told["command"])[1:])
    assert before == ((tmp_path / "a.png").read_bytes(), (tmp_path / "a.nc").read_bytes())


def test_a_run(call, run, tmp_path):
    told, _ = made(call, run, "--kind", "haadf", "-o", tmp_path / "a.png", "--at", 1.1)
    assert told["captions"][0].startswith("1 ps, T = 0.94")
    series, data = made(call, run, "--kind", "sem", "-o", tmp_path / "b.png", "--series", 3)
    assert series["images"] == data.sizes["moment"] == 3
    assert "from 0 to 2.5 ps" in refused(call, run, "--kind", "sem", "-o", "c.png", "--at", 9)


def test_a_device(call, device, tmp_path):
    told, _ = made(call, device, "--kind", "haadf", "-o", tmp_path / "a.png", "--at", 1.0)
    assert "2 G" in told["captions"][0] or "1 G" in told["captions"][0]
    series, _ = made(call, device, "--kind", "sem", "-o", tmp_path / "b.png", "--series", 2)
    assert series["images"] == 2
    words = refused(call, device, "--kind", "sem", "-o", "c.png", "--device", 2)
    assert "device = 2" in words


def test_a_wire(call, wires, tmp_path):
    told, data = made(call, wires.path, "--kind", "haadf", "-o", tmp_path / "a.png", "--view", 200)
    assert told["captions"][0].startswith("parted: gap of")
    assert float(np.ptp(data["x"].to_numpy())) == pytest.approx(200.0, rel=0.01)
    first, whole = made(
        call, wires.path, "--kind", "sem", "-o", tmp_path / "b.png", "--moment", 1, "--wire", 1
    )
    assert first["captions"] == ["0 V, 0 mA"]
    assert float(whole["yield"].min()) == pytest.approx(0.3, rel=0.02)
    series, _ = made(call, wires.path, "--kind", "haadf", "-o", tmp_path / "c.png", "--series", 4)
    assert series["captions"][-1].startswith("parted")
    assert "wire = 2" in refused(call, wires.path, "--kind", "sem", "-o", "d.png", "--wire", 2)
    turned = refused(call, wires.path, "--kind", "sem", "-o", "d.png", "--axis", "x")
    assert "the same from all sides" in turned
    engine = refused(call, wires.path, "--kind", "haadf", "-o", "d.png", "--engine", "abtem")
    assert "a wire has none" in engine


def refused(call, *words):
    return call("image", *words, status=2).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "tem"], "kind = tem: choose haadf or sem"),
        (["--kind", "haadf", "--probe", "0"], "probe = 0: give its width"),
        (["--kind", "haadf", "--pixel", "0"], "pixel = 0: give a length"),
        (["--kind", "haadf", "--pixel", "1e-4"], "choose larger pixels"),
        (["--kind", "haadf", "--series", "2", "--pixel", "0.003"], "choose fewer moments"),
        (["--kind", "sem", "--view", "-3"], "view = -3: give the width"),
        (["--kind", "sem", "--axis", "w"], "choose x, y or z"),
        (["--kind", "sem", "--rotate", "1,2"], "give three angles"),
        (["--kind", "sem", "--background", "-1"], "background = -1"),
        (["--kind", "haadf", "--dose", "0"], "dose = 0"),
        (["--kind", "haadf", "--seed", "1"], "without --dose"),
        (["--kind", "sem", "--exponent", "2"], "to the kind sem"),
        (["--kind", "haadf", "--aperture", "10"], "without --engine abtem"),
        (["--kind", "haadf", "--engine", "prism"], "choose linear or abtem"),
        (["--kind", "sem", "--engine", "abtem"], "makes the kind haadf"),
        (["--kind", "haadf", "--inner", "200"], "below the outer one"),
        (["--kind", "haadf", "--moment", "9"], "has 2 moments: give 1 to 2"),
        (["--kind", "haadf", "--at", "1"], "have no times"),
        (["--kind", "haadf", "--probe", "nan"], "probe = nan"),
        (["--kind", "haadf", "--probe", "1e9"], "nothing would be seen"),
        (["--kind", "sem", "--pixel", "1e6"], "nothing would be seen"),
        (["--kind", "haadf", "--series", "1"], "give 2 to"),
        (["--kind", "haadf", "--series", "2", "--moment", "1"], "beside --series"),
        (["--kind", "haadf", "--wire", "1"], "is no wire directory"),
        (["--kind", "haadf", "--engine", "abtem", "--probe", "1"], "--aperture makes its probe"),
    ],
)
def test_what_cannot_be_leaves_one_sentence_and_no_file(call, pair, tmp_path, words, told):
    sentence = refused(call, pair, "-o", tmp_path / "a.png", *words)
    assert told in sentence
    assert sentence.count("\n") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["pair.extxyz"]


def test_files_and_folders_that_hold_nothing_to_see(call, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    output = ["--kind", "haadf", "-o", tmp_path / "a.png"]
    assert "no file" in refused(call, tmp_path / "none.xyz", *output)
    assert "a folder without a run" in refused(call, empty, *output)
    (tmp_path / "text.xyz").write_text("nothing\n")
    assert "cannot be read as a structure" in refused(call, tmp_path / "text.xyz", *output)
    assert "must end in .png" in refused(call, empty, "--kind", "haadf", "-o", "a.jpg")
    assert not (tmp_path / "a.png").exists()


def test_an_atom_without_an_element_is_refused(call, tmp_path):
    path = tmp_path / "nameless.extxyz"
    write(path, Atoms("AgX", [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]))
    for kind in ("haadf", "sem"):
        told = call("image", path, "--kind", kind, "-o", tmp_path / "a.png", status=2).err
        assert "an atom without an element" in told
    assert not (tmp_path / "a.png").exists()
