"""Options that would change nothing are refused in one sentence, not ignored."""

import numpy as np
import pytest
from tests.runs.hand_made_device import make

LOOP = "loop.csv"


@pytest.fixture
def data(workplace):
    """A loop, a pristine curve and a device directory."""
    volts = np.concatenate([np.linspace(0.0, 1.0, 60), np.linspace(1.0, 0.0, 60)])
    ohms = np.where(np.arange(120) < 40, 1e7, 1e4)
    rows = [f"{v:.4f},{v / r:.6e}" for v, r in zip(volts, ohms, strict=True)]
    (workplace / LOOP).write_text("Voltage (V),Current (A)\n" + "\n".join(rows) + "\n")
    line = [f"{v:.4f},{v / 300.0:.6e}" for v in np.linspace(0.0, 0.1, 30)]
    (workplace / "pristine.csv").write_text("Voltage (V),Current (A)\n" + "\n".join(line) + "\n")
    make(workplace / "device")
    return workplace


PRISTINE = ("--pristine", "pristine.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("histogram", LOOP, *PRISTINE, "--series-uncertainty", "9"), "--series-uncertainty"),
        (("switching", LOOP, *PRISTINE, "--series-uncertainty", "9"), "beside --pristine"),
        (("histogram", LOOP, *PRISTINE, "--series-resistance", "0"), "one of"),
        (("histogram", LOOP, "--minimum", "1e-3"), "--minimum would change nothing without --log"),
        (("histogram", LOOP, "--aligned"), "--aligned would change nothing without -o"),
        (("histogram", LOOP, "--averaging-time", "1"), "--averaging-time 1 changes nothing"),
        (("histogram", LOOP, "--export", "x.csv"), "--export would change nothing without --by"),
        (("plateaus", LOOP, "--file", LOOP), "--file would change nothing without -o"),
        (("plateaus", LOOP, "--cycle", "0"), "--cycle would change nothing without -o"),
        (("switching", LOOP, "--endurance"), "--endurance would change nothing without -o"),
        (
            ("switching", LOOP, "--endurance", "--distribution", "-o", "x.pdf"),
            "--endurance would change nothing beside --distribution",
        ),
        (
            ("switching", LOOP, "--by", "protocol.rate", "--file", LOOP, "-o", "x.pdf"),
            "--file would change nothing beside --by",
        ),
        (("switching", LOOP, "--by", "protocol.rate"), "does not say what was varied"),
        (("noise", LOOP, "--file", LOOP), "--file would change nothing without -o"),
        (
            ("noise", LOOP, "--interval", "1", "--sampling-rate", "1"),
            "--sampling-rate would change nothing beside --interval",
        ),
        (("switching", "device", "--columns", "current=-3"), "--columns"),
        (("switching", "device", "--sampling-rate", "5"), "--sampling-rate 5"),
        (("device", "new", "--list", "-o", "x.toml"), "beside --list"),
        (
            ("device", "run", "device-quick", "-o", "x", "--set", "devices.resistance_spread=0.2"),
            "devices.resistance_spread = 0.2 would change nothing with devices.number = 1",
        ),
        (("campaign", "status", "none", "--interval", "5"), "without --watch"),
    ],
)
def test_what_would_change_nothing_is_refused(nanogap, data, arguments, words):
    outcome = nanogap(*arguments)
    told = " ".join(outcome.err.split())
    assert outcome.status == 2, told
    assert words in told
    assert not (data / "x.pdf").exists()
    assert not (data / "x").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("histogram", LOOP, *PRISTINE),
        ("histogram", LOOP, "--log", "--minimum", "1e-3"),
        ("switching", LOOP, "--series-resistance", "300", "--series-uncertainty", "9"),
        ("switching", LOOP, "device", "--columns", "current=2"),
        ("histogram", LOOP, "--sampling-rate", "5"),
    ],
)
@pytest.mark.usefixtures("data")
def test_what_changes_something_is_taken(nanogap, arguments):
    assert nanogap(*arguments, "--json").status == 0


@pytest.mark.usefixtures("data")
def test_a_report_reads_kinds_of_files_apart_and_refuses_nothing_for_that(nanogap):
    outcome = nanogap("report", LOOP, "device", "--columns", "current=2", "-o", "r.html", "--json")
    assert outcome.status == 0, outcome.err


def test_help_names_everything_that_is_data(nanogap):
    for command in ("histogram", "plateaus", "switching", "retention", "noise", "report"):
        told = " ".join(nanogap(command, "--help").out.replace("│", " ").split())
        assert "device directories" in told
        assert "campaigns" in told
