"""Damaged files end in a correct read of what is left or in one clear sentence."""

from pathlib import Path

import numpy as np
import pytest

from nanogap.errors import NanogapError
from nanogap.io import measurement_dataset, read_measurement
from nanogap.synthetic.devices import level_sweeps, switching_loops
from nanogap.synthetic.instrument_files import DIALECTS, write_measurement

MUTATIONS = ("truncated", "swapped columns", "wrong decimal mark", "binary junk", "text junk")


def original(kind, points=150):
    random = np.random.default_rng(11)
    if kind == "loops":
        curve = switching_loops(random, cycles=2, step=0.05)
    else:
        curve = level_sweeps(random, cycles=2, points=points)
    return measurement_dataset(
        time=curve.time,
        voltage=curve.voltage,
        current=curve.current,
        cycle=curve.cycle,
        compliance=curve.compliance,
        name="original",
        attrs={"note": "an original"},
    )


def mutated(raw, mutation, dialect, random):
    if mutation == "truncated":
        return raw[: random.integers(1, len(raw))]
    if mutation == "binary junk":
        place, size = random.integers(0, len(raw)), random.integers(1, 40)
        junk = random.integers(0, 256, size).astype(np.uint8).tobytes()
        return raw[:place] + junk + raw[place + random.integers(0, size + 1) :]
    if mutation == "text junk":
        place = random.integers(0, len(raw))
        return raw[:place] + b"?!abc" + raw[place:]
    text = raw.decode("utf-8-sig")
    if mutation == "wrong decimal mark":
        marks = (".", ",") if dialect != "semicolon" else (",", ".")
        return text.replace(*marks).encode()
    # in plain units the data of two columns change places under a header that stays; where units
    # are scaled the result can be a plausible device, so the header moves along there
    separator = {"tsv": "\t", "semicolon": ";", "blanks": " "}.get(dialect, ",")
    first, second = random.permutation(3)[:2]
    lines = text.splitlines()
    plain = dialect not in {"tsv", "semicolon", "blanks"}
    begin = next(i for i, line in enumerate(lines) if line[:1].isdigit() or line[:2] == "N+")
    for i in range(begin if plain else begin - 1, len(lines)):
        cells = lines[i].split(separator)
        cells[first], cells[second] = cells[second], cells[first]
        lines[i] = separator.join(cells)
    return ("\n".join(lines) + "\n").encode()


def assert_true_rows(read, truth):
    """Every row that was read stands in the truth, in order."""
    place = 0
    table = np.stack([truth["voltage"].to_numpy(), truth["current"].to_numpy()], axis=1)
    rows = np.stack([read["voltage"].to_numpy(), read["current"].to_numpy()], axis=1)
    for number, row in enumerate(rows):
        known = np.isfinite(row)
        assert known.any()
        # the last number of a truncated file may have lost its last digits
        tolerance = 1e-6 if number < len(rows) - 1 else 1e-3
        while place < len(table):
            close = np.isclose(row, table[place], rtol=tolerance, atol=1e-12) | ~known
            place += 1
            if close.all():
                break
        else:
            pytest.fail(f"{row} stands nowhere in the original")


TEXT = [name for name in DIALECTS if not name.endswith(("xlsx", "netcdf"))]
#: The binary workbook was written once; see test_measurement.
BINARY = ["keithley-4200-xlsx", "binary workbook", "netcdf"]


@pytest.mark.parametrize("dialect", TEXT)
@pytest.mark.parametrize("kind", ["loops", "levels"])
def test_mutated_text_files(tmp_path, dialect, kind):
    truth = original(kind)
    path = tmp_path / f"data{DIALECTS[dialect][0]}"
    write_measurement(truth, path, dialect)
    raw = path.read_bytes()
    random = np.random.default_rng([len(dialect), len(kind)])
    outcomes = {"read": 0, "refused": 0}
    for number in range(20):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        path.write_bytes(mutated(raw, mutation, dialect, random))
        try:
            read = read_measurement(path)
        except NanogapError as error:
            outcomes["refused"] += 1
            sentence = str(error)
            assert path.name in sentence
            assert "\n" not in sentence
            assert len(sentence) < 600
        else:
            outcomes["read"] += 1
            assert_true_rows(read, truth)
    assert outcomes["refused"] >= 4
    assert outcomes["read"] >= 1


@pytest.mark.parametrize("dialect", BINARY)
def test_mutated_binary_files(tmp_path, dialect, capfd):
    truth = original("levels", 150 if dialect in DIALECTS else 70)
    path = Path(__file__).with_name("keithley_4200.xls")
    if dialect in DIALECTS:
        path = tmp_path / f"data{DIALECTS[dialect][0]}"
        write_measurement(truth, path, dialect)
    suffix, raw = path.suffix, path.read_bytes()
    random = np.random.default_rng(5)
    sentences = []
    for number in range(20):
        mutation = ("truncated", "binary junk")[number % 2]
        # numbers inside an xls carry no check sum: there only lengths and structures can be tested
        if suffix == ".xls":
            mutation = "truncated"
        path = tmp_path / f"data{number}{suffix}"
        path.write_bytes(mutated(raw, mutation, dialect, random))
        try:
            read = read_measurement(path)
        except NanogapError as error:
            sentences.append((path.name, str(error)))
        else:
            assert_true_rows(read, truth)
    assert len(sentences) >= 10
    # nor does a parser write to the terminal on its own
    assert capfd.readouterr().err == ""
    for name, sentence in sentences:
        assert name in sentence
        assert "\n" not in sentence
