"""A fit finds the device that was measured, and says so where it cannot."""

import json

import numpy as np
import pytest
from validation.compact_recovery import DEVICES, RESISTANCE

from nanogap.compact import FittedModel, PotentiationDepression, Threshold, read_model
from nanogap.compact.population import population, square_root
from nanogap.errors import DataFormatError
from tests.compact.compact_devices import measure


@pytest.fixture(scope="module")
def loops(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("data") / "loops", DEVICES["potentiation"])


def test_a_device_is_found_and_the_file_tells_it_again(call, loops, tmp_path):
    model, figure = tmp_path / "model.json", tmp_path / "fit.png"
    said = call(
        "compact", "fit", loops, "--model", "potentiation", "-o", model, "--series-resistance",
        RESISTANCE, "--figure", figure, "--json",
    )  # fmt: skip
    content = json.loads(said.out)
    assert json.loads(model.read_text()) == {k: v for k, v in content.items() if k != "output"}
    true = DEVICES["potentiation"]
    for one, place in zip(content["coordinates"], true.places(), strict=True):
        value = np.exp(place) if one["logarithmic"] else place
        low, high = one["interval"]
        # three devices: wide intervals, of which one in a hundred or so misses by half its width
        assert low - 0.5 * (high - low) < value < high + 0.5 * (high - low), one["name"]
        assert one["determined"]
    assert content["held_out"]["explained"] > 0.9
    assert content["held_out"]["inside"] > 0.7
    assert content["interval_over"] == "devices"
    assert content["synthetic"]
    assert "SYNTHETIC" in said.err
    assert figure.stat().st_size > 10_000
    assert len((tmp_path / "fit.csv").read_text().splitlines()) > 500
    again = read_model(model)
    assert isinstance(again.model, PotentiationDepression)
    assert again.content() == json.loads(model.read_text())


def test_a_model_that_cannot_describe_the_data_gives_no_number(call, tmp_path):
    random = np.random.default_rng(3)
    folder = tmp_path / "noise"
    folder.mkdir()
    time = np.arange(6 * 60) * 0.1
    volts = np.tile(np.interp(np.arange(60), [0, 15, 45, 59], [0.01, 1.0, -1.0, -0.01]), 6)
    current = volts * 10.0 ** random.uniform(-6.0, -4.0, size=360)
    table = "\n".join(f"{t},{v},{i},{n // 60}" for n, (t, v, i) in enumerate(
        zip(time, volts, current, strict=True)))  # fmt: skip
    (folder / "a.csv").write_text(f"time (s),voltage (V),current (A),cycle\n{table}\n")
    said = call(
        "compact", "fit", folder, "--model", "threshold", "-o", tmp_path / "m.json", status=2
    )
    assert "the model threshold cannot describe these data" in said.err
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize(
    ("kind", "cycles", "sentence"),
    [
        ("switching", 4, "4 cycles are too few for distributions"),
        ("quiet", 6, "the model threshold cannot describe these data"),
        ("retention", None, "is constant: a model is fitted to sweeps"),
    ],
)
def test_wrong_data_are_one_sentence(call, tmp_path, kind, cycles, sentence):
    more = [] if cycles is None else ["--cycles", cycles]
    call("synthetic", kind, "-o", tmp_path / "data", *more)
    said = call(
        "compact", "fit", tmp_path / "data", "--model", "threshold", "-o", tmp_path / "m.json",
        status=2,
    )  # fmt: skip
    assert sentence in said.err
    assert len(said.err.strip().splitlines()[-1:]) == 1
    assert not (tmp_path / "m.json").exists()


def test_wrong_words_are_one_sentence(call, tmp_path):
    (tmp_path / "a.csv").write_text("voltage (V),current (A)\n0.1,1e-6\n0.2,2e-6\n")
    for words, sentence in (
        (["--model", "hp"], "--model hp: give one of"),
        (["--model", "gap", "-o", "m.txt"], "the name must end in .json"),
        (["--model", "gap"], "has no times, which kinetics need"),
        (["--model", "gap", "--levels", "1,2"], "--levels: the model gap has no levels"),
        (["--model", "point-contact", "--levels", "2,1"], "rising conductances above 0 G0"),
        (["--model", "point-contact", "--levels", "one"], "give conductances in G0, rising"),
    ):
        assert sentence in call("compact", "fit", tmp_path / "a.csv", *words, status=2).err


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "other"}', "delete", "older"])
def test_a_damaged_file_of_a_model_is_one_sentence(tmp_path, damage):
    path = tmp_path / "m.json"
    FittedModel.of(Threshold()).write(path)
    assert read_model(path).model == Threshold()
    if damage == "delete":
        content = json.loads(path.read_text())
        content["parameters"]["set_voltage"]["value"] = -1.0
        damage = json.dumps(content)
    if damage == "older":  # its coordinates were the thresholds: another device
        content = json.loads(path.read_text())
        content["mean"][0] = 0.0
        damage = json.dumps(content)
    path.write_text(damage)
    with pytest.raises(DataFormatError, match=r"m\.json"):
        read_model(path)


def test_intervals_over_devices_cover_their_mean():
    """Student's interval of three or more device means, whatever the spread of cycles."""
    device, random = DEVICES["threshold"], np.random.default_rng(5)
    inside = []
    for _ in range(400):
        places = np.concatenate(
            [device.places() + random.normal(size=6) + 0.5 * random.normal(size=(3, 6))
             for _ in range(5)]
        )  # fmt: skip
        names = [f"d{number // 3}" for number in range(15)]
        found = population(device, places, names, [True] * 6)
        low, high = np.log(found.distributions[0].interval)
        inside.append(low <= device.places()[0] <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.035)


def test_draws_have_the_covariance_also_where_coordinates_are_held():
    matrix = np.array([[0.04, 0.0, 0.03], [0.0, 0.0, 0.0], [0.03, 0.0, 0.09]])
    root = square_root(matrix)
    np.testing.assert_allclose(root @ root.T, matrix, atol=1e-9)
