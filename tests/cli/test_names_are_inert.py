"""Names of files and devices that mean something to a terminal, a figure or a browser."""

import sys

import numpy as np
import pytest

from nanogap.cli.app import main
from nanogap.units import CONDUCTANCE_QUANTUM

NAMES = ["[/red]", "[x/y]", "$x^{$", "$1$", "a\x1b[31mb", "<b>bold</b>"]


@pytest.fixture
def command(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["nanogap", *arguments])
        try:
            main()
        except SystemExit as end:
            return end.code
        return 0

    return call


def curve(path):
    volts = np.concatenate([np.arange(0.0, 1.0, 0.02), np.arange(1.0, -0.01, -0.02)])
    rows = "".join(f"{v:.4f},{1.2 * CONDUCTANCE_QUANTUM * v:.6e}\n" for v in volts)
    path.write_text(f"V (V),I (A)\n{rows}Mean,0.5\n")


@pytest.mark.parametrize("name", NAMES)
def test_names_on_the_terminal_and_in_figures(command, capsys, tmp_path, name):
    file = f"{name.replace('/', '')}.csv"
    curve(tmp_path / file)
    assert command("histogram", file, "-o", "figure.svg") == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    shown = file.replace("\x1b", "\\x1b")
    assert f"{shown}: 1 row of statistics passed over" in err
    assert command("histogram", f"no{file}") == 2
    err = capsys.readouterr().err
    assert err == f"nanogap: no file no{shown}\n"


def test_the_page_of_a_campaign_runs_nothing(command, tmp_path):
    curve(tmp_path / "<script>x.csv")
    assert command("report", "<script>x.csv", "-o", "page.html") == 0
    page = (tmp_path / "page.html").read_text()
    assert "Content-Security-Policy\" content=\"default-src 'none'" in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--temperature", "nan", "--temperature nan: give kelvins"),
        ("--temperature", "inf", "--temperature inf: give kelvins"),
        ("--iv", "0:500:100", "500 V is no voltage"),
    ],
)
def test_impossible_conditions(command, capsys, option, value, words):
    assert command("transmission", "none.extxyz", option, value) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_settings_beyond_measure(command, capsys, tmp_path, text):
    (tmp_path / "deep.toml").write_text(text)
    assert command("build", "deep.toml", "-o", "tips.extxyz") == 2
    err = capsys.readouterr().err
    assert err.startswith("nanogap: deep.toml is not valid TOML")
    assert err.count("\n") == 1
