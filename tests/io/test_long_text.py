"""A text file that is read in pieces gives what it gives when read whole, wherever it is cut."""

import numpy as np
import pytest

from nanogap.errors import DataFormatError
from nanogap.io import long_text, read_measurement
from nanogap.io.long_text import read_long_text

PIECES = [(10**9, 10**9), (997, 101), (4001, 1500)]


@pytest.fixture(autouse=True)
def short_files_count_as_long(monkeypatch):
    monkeypatch.setattr(long_text, "LOOKED_AT", 100)
    monkeypatch.setattr(long_text, "LONG", 0)


def loops(random, cycles=9, noise=0.01):
    """Loops with a SET and a limit, some readings missing, as text with every digit."""
    way = np.concatenate([np.linspace(0, 1, 60), np.linspace(1, 0, 60)[1:]])
    volts = np.tile(np.concatenate([way, -way[1:]]), cycles)
    amperes = np.clip(volts / 2000.0, -1.0, 2e-4) * (1 + noise * random.normal(size=len(volts)))
    return volts, amperes


def rows(volts, amperes, form="{t:.3f},{v:.5f},{i:.6e}"):
    both = zip(volts, amperes, strict=True)
    return [form.format(t=0.1 * n, v=v, i=i) for n, (v, i) in enumerate(both)]


def both(path, choice=None):
    """Voltages, currents, flags and cycles, read whole and in pieces of several sizes."""
    whole = read_measurement(path, choice)
    for block, piece in PIECES:
        curve = read_long_text(path, choice, block, piece)
        parts = list(curve.pieces())
        yield (
            whole,
            {
                key: np.concatenate([part[key].to_numpy() for part in parts])
                for key in parts[0].variables
                if parts[0][key].dims == ("point",)
            },
            curve,
        )


def same(path, choice=None):
    for whole, found, curve in both(path, choice):
        for key in ("voltage", "current", "compliance", "conductance"):
            if key in whole:
                np.testing.assert_array_equal(found[key], whole[key], err_msg=key)
        cycle = np.unique(whole["cycle"], return_inverse=True)[1]
        np.testing.assert_array_equal(found["cycle"], cycle)
        assert curve.attrs["notes"] == whole.attrs["notes"]


HEADER = "Time (s),Voltage (V),Current (A)"


def changed(lines, kind):
    """Lines with what else real files hold."""
    middle = len(lines) // 2
    if kind == "comments":
        lines[middle:middle] = ["# pause", "", HEADER, ""]
    elif kind == "overflow":
        lines[middle] = lines[middle].rsplit(",", 1)[0] + ",9.91e37"
    elif kind == "word":
        lines[middle] = lines[middle].rsplit(",", 1)[0] + ",NaN"
        lines[7] = "measurement began again"
    elif kind == "statistics":
        lines += ["", "Mean,0.5,1e-4", "Max,1,2e-4"]
    elif kind == "few below":
        lines += ["", *lines[-3:]]
    elif kind == "blank end":
        lines += ["", "  ", ""]
    return lines


@pytest.mark.parametrize(
    "kind", ["plain", "comments", "overflow", "word", "statistics", "few below", "blank end"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_pieces_give_what_the_whole_gives(tmp_path, kind, end):
    lines = [HEADER, *changed(rows(*loops(np.random.default_rng(1))), kind)]
    path = tmp_path / "loops.csv"
    path.write_bytes((end.join(lines) + end).encode())
    same(path)


@pytest.mark.parametrize("last", ["999,0.1,1.234567e-04", "999,0.1,1.23", "999"])
def test_a_last_line_without_an_end(tmp_path, last):
    path = tmp_path / "loops.csv"
    path.write_text("\n".join([HEADER, *rows(*loops(np.random.default_rng(1))), last]))
    same(path)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("t (s);U (mV);I (\N{MICRO SIGN}A)", "{t:.2f};{v:.4f};{i:.5e}"),
        ("V (V)\tI (A)", "{v:.4f}\tN{i:.5e}"),
        ("Date,V,I", "2024-01-05 10:00:{t:06.3f},{v:.4f},{i:.5e}"),
        ("V,R (kOhm)", "{v:.4f},{i:.5e}"),
        ("G (G0),t", "{v:.4f},{t:.1f}"),
    ],
)
def test_dialects(tmp_path, header, form):
    lines = rows(*loops(np.random.default_rng(2), cycles=1), form)
    if ";" in header:
        lines = [line.replace(".", ",") for line in lines]
    path = tmp_path / "loops.csv"
    path.write_bytes(("\n".join([header, *lines]) + "\n").encode("cp1252"))
    same(path)


def test_given_cycles_and_flags(tmp_path):
    volts, amperes = loops(np.random.default_rng(3))
    number = 10 * (np.arange(len(volts)) // 119)
    lines = [
        f"{v:.4f},{i:.5e},{n},{'TRUE' if abs(i) > 1.9e-4 else 'FALSE'}"
        for v, i, n in zip(volts, amperes, number, strict=True)
    ]
    path = tmp_path / "loops.csv"
    path.write_text("\n".join(["V (V),I (A),Cycle,Compliance", *lines]) + "\n")
    same(path)


def test_what_is_refused_whole_is_refused_in_pieces(tmp_path):
    volts, amperes = loops(np.random.default_rng(4))
    path = tmp_path / "loops.csv"
    for factor, words in ((1e7, "more than any such instrument"), (-1.0, "opposite signs")):
        path.write_text("\n".join([HEADER, *rows(volts, factor * amperes)]) + "\n")
        for read in (read_measurement, read_long_text):
            with pytest.raises(DataFormatError, match=words):
                read(path)


def test_several_tables_are_read_whole(tmp_path):
    lines = rows(*loops(np.random.default_rng(5)))
    path = tmp_path / "loops.csv"
    path.write_text("\n".join([HEADER, *lines, "Time (s),Voltage (V),Resistance (ohm)", *lines]))
    assert read_long_text(path) is None
    path.write_text(
        "\n".join(["AnodeI(1),AnodeV(1),AnodeI(2),AnodeV(2)", *["1e-6,1,1e-6,1"] * 200])
    )
    assert read_long_text(path) is None
