"""Every command leaves out what the instrument limited, says so, and draws what was asked for."""

import json

import numpy as np
import pytest

from nanogap.io import measurement_dataset, read_measurement, write_dataset
from nanogap.io.dataset import joined_files
from nanogap.measured.compliance import compliance_of
from nanogap.printing import counted

LIMIT, G0 = 1e-4, 7.748091729e-5


@pytest.fixture
def loops(tmp_path):
    """A device of 5.2 G0 with a SET at 0.6 V under 100 uA and a RESET without a limit."""
    ramp = np.linspace(0.0, 1.5, 76)
    up = np.concatenate([ramp, ramp[-2::-1]])
    low = np.arange(len(up)) >= 30
    positive = np.minimum(up * np.where(low, 5.2 * G0, 1e-3 * G0), LIMIT)
    negative = -up * np.where(np.arange(len(up)) < 30, 5.2 * G0, 1e-3 * G0)
    volts, amperes = np.tile([*up, *-up], 3), np.tile([*positive, *negative], 3)
    path = tmp_path / "loops_nw1.csv"
    rows = [f"{v:.6g},{i:.9g}" for v, i in zip(volts, amperes, strict=True)]
    path.write_text("Voltage (V),Current (A)\n" + "\n".join(rows) + "\n")
    return path, int((amperes == LIMIT).sum())


@pytest.mark.parametrize("length", [10**9, 100], ids=["whole", "in pieces"])
def test_flags_of_a_file_count_though_none_is_up(call, loops, tmp_path, monkeypatch, length):
    """A current that stays, such as that into a capacitance, is no limit where a file says so."""
    monkeypatch.setattr("nanogap.measured.files.is_long", lambda _: length == 100)
    path, _ = loops
    head, *rows = path.read_text().splitlines()
    flagged = tmp_path / "flagged_nw1.csv"
    flagged.write_text("\n".join([f"{head},compliance", *(f"{row},0" for row in rows)]) + "\n")
    captured = call("histogram", flagged, "--json")
    assert json.loads(captured.out)["n_compliance"] == 0
    assert "not counted" not in captured.err
    # a limit that is given still holds
    assert json.loads(call("histogram", flagged, "--json", "--compliance", LIMIT).out)[
        "n_compliance"
    ]


def test_a_written_dataset_tells_whether_it_has_flags(tmp_path):
    volts = np.concatenate([np.linspace(0.0, 1.0, 51), np.linspace(0.98, 0.0, 50)])
    fields = {"time": np.arange(101.0), "voltage": volts, "current": np.minimum(volts * 1e-3, 4e-4)}
    silent = measurement_dataset(**fields)
    tells = measurement_dataset(**fields, compliance=np.zeros(101, dtype=bool))
    for dataset, origin in ((silent, "curve"), (tells, "none")):
        path = tmp_path / f"{origin}.nc"
        write_dataset(dataset, path)
        assert compliance_of(read_measurement(path)).origin == origin
    assert compliance_of(joined_files([tells, silent])).origin == "curve"
    assert compliance_of(joined_files([tells, tells])).origin == "none"


@pytest.mark.parametrize("length", [10**9, 100], ids=["whole", "in pieces"])
def test_a_limit_of_the_voltage_is_not_told_as_a_current(call, tmp_path, monkeypatch, length):
    monkeypatch.setattr("nanogap.measured.files.is_long", lambda _: length == 100)
    amperes = np.linspace(0.0, 2e-5, 401)
    noise = 1.0 + 0.02 * np.random.default_rng(1).standard_normal(401)
    volts = np.minimum(amperes / (0.05 * G0) * noise, 2.0)
    path = tmp_path / "sweep_nw1.csv"
    rows = (f"{v:.6g},{i:.9g},{v == 2.0:d}" for v, i in zip(volts, amperes, strict=True))
    path.write_text("Voltage (V),Current (A),compliance\n" + "\n".join(rows) + "\n")
    (told,) = (note for note in call("histogram", path).err.splitlines() if "not counted" in note)
    assert told.endswith("limited by the instrument (as the file says)")


def test_the_limit_is_no_conductance(call, loops):
    path, limited = loops
    for words in ((), ("--compliance", LIMIT)):
        captured = call("histogram", path, "--json", *words)
        content = json.loads(captured.out)
        assert [round(peak["position"], 1) for peak in content["peaks"]] == [0.0, 5.2]
        assert [peak["open_gap"] for peak in content["peaks"]] == [True, False]
        assert content["n_compliance"] == limited
        assert content["compliance_current"] == pytest.approx(LIMIT)
        assert f"{limited} of 906 points not counted: limited by the instrument" in captured.err
        assert "100 µA" in captured.err
    (row,) = json.loads(call("switching", path, "--json").out)["endurance"]
    assert row["cycle"] == [0, 1, 2]
    assert row["low_resistance"] == pytest.approx(3 * [1.0 / (5.2 * G0)], rel=1e-3)
    assert row["high_resistance"] == pytest.approx(3 * [1e3 / G0], rel=1e-3)


def test_the_open_gap_is_no_level(call, loops):
    assert "open gap" in call("histogram", loops[0]).out


def test_retention_and_noise_refuse_a_sweep(call, loops):
    for command in ("retention", "noise"):
        captured = call(command, loops[0], status=2)
        assert "loops_nw1.csv is a sweep (the voltage goes from -1.5 to 1.5 V)" in captured.err
        assert captured.err.count("\n") == 1


def test_the_figure_of_one_file_is_chosen(call, loops, tmp_path):
    path, _ = loops
    other = tmp_path / "loops_nw2.csv"
    other.write_text(path.read_text())
    figure = tmp_path / "figure.svg"
    assert "shows the first of 2 files" in call("switching", path, other, "-o", figure).err
    captured = call("switching", path, other, "-o", figure, "--file", other.name)
    assert "first of" not in captured.err
    captured = call("switching", path, "-o", figure, "--file", "nw9.csv", status=2)
    assert "--file nw9.csv" in captured.err
    captured = call("plateaus", path, "-o", figure, "--cycle", 7, status=2)
    assert "cycles go from 0 to 2" in captured.err


def test_levels_behind_a_series_resistance(call, tmp_path):
    words = ("level-displacement", "--series-resistance", 500, "-o", tmp_path / "s4.svg", "--json")
    content = json.loads(call(*words).out)
    assert content["resistance"] == [0.0, 500.0]
    assert content["measured"][1][:2] == pytest.approx([0.9627, 1.8561], abs=1e-4)
    assert (tmp_path / "s4.svg").stat().st_size > 2000


def test_one_event_is_not_plural():
    assert counted(1, "event") == "1 event"
    assert counted(2, "event") == "2 events"


@pytest.mark.parametrize("command", ["histogram", "plateaus", "switching", "breakdown", "report"])
def test_every_command_tells_what_was_left_out_once(call, loops, tmp_path, monkeypatch, command):
    path, limited = loops
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "loops.csv").write_text(path.read_text() + "Mean,0.5,1e-5\n")
    (folder / "notes.txt").write_text("the device was warm\n")
    monkeypatch.chdir(tmp_path)
    captured = call(command, folder, "--json")
    notes = json.loads(captured.out)["notes"]
    words = (
        "notes.txt holds no table",
        "rows of statistics",
        f"{limited} of 906 points not counted",
    )
    for part in words[:1] + words[2:]:
        assert sum(part in note for note in notes) == 1, notes
        assert captured.err.count(part) == 1, captured.err


def test_refusals_of_the_command_line_speak_of_options(call, tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("".join(f"{n},{0.1 * n},{1e-6 * n}\n" for n in range(1, 30)))
    told = call("histogram", path, status=2).err
    assert "--columns voltage=NAME,current=NAME" in told
    assert "`" not in told
    told = call("histogram", path, "--columns", "voltage=2,current=-3", status=2).err
    assert "--columns current=-3" in told
