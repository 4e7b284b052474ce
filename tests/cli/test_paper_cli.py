"""The commands that draw the figures of the paper and films, on runs made by hand."""

import csv
import json
import shutil

import pytest
from PIL import Image
from tests.runs.hand_made import STORY, TRANSMISSIONS, whole_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return whole_run(tmp_path_factory.mktemp("runs") / "whole", voltage={"applied": 8.0}).path


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return whole_run(tmp_path_factory.mktemp("runs") / "open", (0.002, 0.03), STORY[:2]).path


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("which", ["1i", "3b", "3c", "3bc", "4c", "s3"])
@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_a_figure_is_written_with_its_numbers(call, run, tmp_path, which, suffix):
    made = json.loads(call("figure", which, run, "-o", tmp_path / f"f.{suffix}", "--json").out)
    assert made["rows"] == len(rows(tmp_path / "f.csv"))
    start = {"png": b"\x89PNG", "pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"f.{suffix}").read_bytes().startswith(start)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(["f.csv", f"f.{suffix}"])


def test_the_trace_in_the_file_is_that_of_the_run(call, run, tmp_path):
    call("figure", "3b", run, "-o", tmp_path / "f.svg")
    table = rows(tmp_path / "f.csv")
    assert [float(row["transmission_G0"]) for row in table] == list(TRANSMISSIONS)
    assert [row["structure"] for row in table] == ["1", "2", "3", "4", "", ""]


def test_t_of_e_is_computed_where_it_is_not_stored(call, run, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(run, path)
    content = json.loads((path / "run.json").read_text())
    content["settings"]["transport"] |= {"spectrum_energies": "-0.2:0.2:0.2", "kpoints": [1, 1]}
    content["settings"]["junction"]["lead_repeats"] = 2
    (path / "run.json").write_text(json.dumps(content))
    shutil.rmtree(path / "beginning.json", ignore_errors=True)
    (path / "beginning.json").unlink(missing_ok=True)
    call("figure", "3d-f", path, "-o", tmp_path / "f.png")
    table = rows(tmp_path / "f.csv")
    assert [float(row["energy_eV"]) for row in table] == pytest.approx([-0.2, 0.0, 0.2])
    narrow, wide = (
        [float(row[f"transmission_of_structure_{n}_G0"]) for row in table] for n in "34"
    )
    assert all(0.0 < one < other for one, other in zip(narrow, wide, strict=True))


def test_the_fine_sampling_of_a_run_is_found(call, run, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(run, path)
    shutil.copytree(run, path / "samples" / "one")
    description = path / "samples" / "one" / "run.json"
    content = json.loads(description.read_text())
    content["sample"] = {
        "begin": 0.0,
        "every": 500.0,
        "duration": 2500.0,
        "sampling_interval": 500.0,
        "contact_sampling_interval": 0.0,
    }
    description.write_text(json.dumps(content))
    call("figure", "5cd", path, "-o", tmp_path / "f.png")
    assert len(rows(tmp_path / "f.csv")) == len(TRANSMISSIONS)


WRONG = {
    "unknown": (("9z", "RUN"), "f.png", "figure '9z' is not known: choose from 1i, 3b"),
    "measured": (("2a", "RUN"), "f.png", "'nanogap switching FILES -o FIGURE' draws it"),
    "suffix": (("1i", "RUN"), "f.txt", "figures end in .pdf"),
    "folder": (("1i", "RUN"), "none/f.png", "there is no folder"),
    "no run": (("1i", "nowhere"), "f.png", "no run directory nowhere"),
    "no data": (("1i",), "f.png", "needs a run or campaign"),
    "no sampling": (("5c", "RUN"), "f.png", "'nanogap sample"),
    "no contact": (("4c", "OPEN"), "f.png", "0 of 1 run came to a contact"),
    "no contact for T(E)": (("3d-f", "OPEN"), "f.png", "no contact so far"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_sentence(call, run, opened, tmp_path, case):
    arguments, name, sentence = WRONG[case]
    given = [{"RUN": run, "OPEN": opened}.get(one, one) for one in arguments]
    failed = call("figure", *given, "-o", tmp_path / name, status=2)
    assert sentence in failed.err
    assert failed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_run_without_transmissions_is_refused(call, tmp_path):
    path = whole_run(tmp_path / "run", ()).path
    failed = call("figure", "3b", path, "-o", tmp_path / "f.png", status=2)
    assert "no snapshot has a transmission so far" in failed.err
    call("figure", "1i", path, "-o", tmp_path / "f.png")  # needs none


def test_the_figures_are_listed(call):
    assert "3bc" in call("figure", "--list").out
    assert json.loads(call("figure", "--list", "--json").out)["S3"].startswith("gap, adatoms")


def test_a_film_is_written(call, run, tmp_path):
    path = tmp_path / "film.gif"
    made = json.loads(call("movie", run, "-o", path, "--json", "--frames", 3).out)
    assert made == {"movie": str(path), "pictures": 3, "seconds": 0.25}
    with Image.open(path) as film:
        assert film.n_frames == 3


@pytest.mark.parametrize(
    ("name", "sentence"), [("film.avi", "films end in .gif"), ("none/film.gif", "has no folder")]
)
def test_a_film_that_cannot_be_written_is_refused(call, run, tmp_path, name, sentence):
    assert sentence in call("movie", run, "-o", tmp_path / name, status=2).err


def test_the_report_of_a_run_gives_its_figures_and_numbers(call, run, tmp_path):
    folder = tmp_path / "figures"
    call("report", run, "-o", tmp_path / "r.html", "--figures", folder)
    names = {path.name for path in folder.iterdir()}
    assert {"trace.pdf", "stages.pdf", "histogram.pdf", "pictures.pdf", "geometry.pdf"} <= names
    table = rows(folder / "snapshots.csv")
    assert [float(row["transmission_G0"]) for row in table] == list(TRANSMISSIONS)
    assert sum(float(row["time_ps"]) for row in rows(folder / "histogram.csv")) > 0.0
