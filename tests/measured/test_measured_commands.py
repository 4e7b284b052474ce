"""The subcommands for data, as a user calls them."""

import io
import json
import re
from dataclasses import FrozenInstanceError, is_dataclass

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from nanogap.cli import common
from nanogap.electrical import measured_conductance
from nanogap.errors import DataFormatError
from nanogap.io import measurement_dataset, write_dataset
from nanogap.measured import DataFiles, DeviceResistances, switching_campaign
from nanogap.synthetic.instrument_files import DIALECTS, write_measurement

PEAK_KEYS = {"position", "uncertainty", "counts"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    from nanogap.synthetic import write_synthetic

    base = tmp_path_factory.mktemp("synthetic")
    write_synthetic(base / "levels", "levels", seed=1, cycles=40, points=1500)
    write_synthetic(base / "switching", "switching", seed=2, cycles=20)
    write_synthetic(base / "quiet", "quiet", seed=2, cycles=20)
    for kind in ("retention", "noise", "telegraph", "breakdown"):
        write_synthetic(base / kind, kind, seed=3)
    return base


def answer(captured):
    return json.loads(captured.out)


def test_progress_counts_every_file_once_and_only_on_a_terminal(folder, call, monkeypatch):
    files = [*sorted((folder / "retention").glob("*.csv")), folder / "noise"]
    total = len(list(DataFiles(files).measurements()))
    seen = []
    watched = DataFiles(files, watch=lambda done, known: seen.append((done, known)))
    for number, _ in enumerate(watched.traces()):
        assert seen == [(done, total) for done in range(number + 1)]
    assert seen[-1] == (total, total)
    words = ("retention", folder / "retention", "--json")
    captured = call(*words)
    assert "left" not in captured.err
    monkeypatch.setenv("TERM", "xterm")
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, color_system=None, width=100)
    monkeypatch.setattr(common, "log", terminal)
    assert call(*words).out == captured.out
    assert re.search(r"Retention.*\d+/\d+.*left", shown.getvalue())


def test_histogram_keeps_its_contract(call, tmp_path):
    random = np.random.default_rng(0)
    gap = np.concatenate([random.normal(n, 0.05, 3000) for n in (1, 2, 3)])
    volts = np.full(len(gap), 0.1)
    current = volts * measured_conductance(gap, 500.0) * 7.748091729e-5
    lines = [f"{v:.6g},{i:.9e}" for v, i in zip(volts, current, strict=True)]
    (tmp_path / "a.csv").write_text("V (V),I (A)\n" + "\n".join(lines))
    got = call(
        "histogram", tmp_path / "a.csv", "--series-resistance", 500, "--bin-width", 0.05, "--json"
    )
    content = answer(got)
    assert len(content["edges"]) == len(content["counts"]) + 1
    np.testing.assert_allclose(np.diff(content["edges"]), 0.05)
    assert sum(content["counts"]) == 9000
    assert all(peak.keys() >= PEAK_KEYS for peak in content["peaks"])
    found = [peak["position"] for peak in content["peaks"]]
    assert found == pytest.approx([1.0, 2.0, 3.0], abs=0.02)
    raw = [peak["position"] for peak in content["raw"]["peaks"]]
    assert raw == pytest.approx(measured_conductance([1, 2, 3], 500.0).tolist(), abs=0.03)
    table = content["level_displacement"]
    row = table["measured"][table["resistance"].index(500.0)]
    assert row == pytest.approx(measured_conductance(table["level"], 500.0).tolist())
    band = content["sensitivity"]
    assert band["lower_resistance"][2]["position"] < 3.0 < band["higher_resistance"][2]["position"]


def test_synthetic_peaks_with_the_resistance_of_every_device(call, folder):
    levels = folder / "levels"
    content = answer(call("histogram", levels, "--pristine", levels / "pristine", "--json"))
    assert content["synthetic"]
    assert content["n_points"] == 40 * 1500
    assert content["cycles"] == 40
    found = [peak["position"] for peak in content["peaks"] if peak["position"] > 0.5]
    assert found[:4] == pytest.approx([1.0, 2.0, 3.0, 4.0], abs=0.03)
    truth = json.loads((levels / "truth.json").read_text())["files"]
    for name, series in content["series_resistance"].items():
        true = truth[f"synthetic_levels_{name}.csv"]["series_resistance"]
        assert series["resistance"] == pytest.approx(true, abs=4 * series["uncertainty"])
    mean = np.mean([series["resistance"] for series in content["series_resistance"].values()])
    raw = [peak["position"] for peak in content["raw"]["peaks"] if peak["position"] > 0.5]
    # the devices differ by 20%, so that the displacement is that of their mean to within 0.06
    assert raw[:4] == pytest.approx(measured_conductance([1, 2, 3, 4], mean).tolist(), abs=0.06)


def test_resistance_from_a_saturated_state(call, tmp_path):
    amperes = np.linspace(1e-5, 1e-3, 300)
    (tmp_path / "low_nw1.csv").write_text(
        "V (V),I (A)\n" + "\n".join(f"{i * 510.0:.9g},{i:.9g}" for i in amperes) + "\n"
    )
    (tmp_path / "data_nw1.csv").write_text(
        "V (V),I (A)\n" + "".join(f"0.1,{0.1 / (510.0 + 12906.404):.9g}\n" for _ in range(50))
    )
    words = ("histogram", tmp_path / "data_nw1.csv", "--saturated", tmp_path / "low_nw1.csv")
    (peak,) = answer(call(*words, "--json"))["peaks"]
    assert peak["position"] == pytest.approx(1.0, abs=0.03)
    captured = call(*words, "--series-resistance", 3, status=2)
    assert "give one of" in captured.err


def test_plateaus_agree_with_the_truth(call, folder):
    levels = folder / "levels"
    content = answer(
        call("plateaus", levels, "--pristine", levels / "pristine", "--minimum-step", 0.1, "--json")
    )
    truth = json.loads((levels / "truth.json").read_text())["files"]
    found = [row["level"] for row in content["plateaus"] if row["level"] > 0.5]
    true = [
        plateau["level"]
        for name, one in truth.items()
        if "levels" in name
        for plateau in one["plateaus"]
        if plateau["last"] - plateau["first"] >= 20
    ]
    assert len(found) == pytest.approx(len(true), rel=0.05)
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.03)


def test_switching(call, folder):
    content = answer(call("switching", folder / "switching", "--json"))
    assert len(content["events"]) == 40
    assert content["set_voltage"]["count"] + content["reset_voltage"]["count"] >= 39
    assert content["endurance"][0]["compliance_current"] == pytest.approx(400e-6, rel=1e-3)
    assert content["endurance"][0]["read_voltage"] == 0.4
    assert answer(call("switching", folder / "quiet", "--json"))["events"] == []


def test_retention_noise_breakdown(call, folder):
    states = answer(call("retention", folder / "retention", "--json"))["states"]
    assert sorted(state["exponent"] for state in states) == pytest.approx([-0.03, -0.01], abs=0.008)
    traces = answer(call("noise", folder / "noise", "--json"))["traces"]
    exponents = [row["exponent"] for row in traces]
    assert exponents == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.1)
    assert all(row["telegraph"] is None for row in traces)
    (jumps,) = answer(call("noise", folder / "telegraph", "--json"))["traces"]
    assert jumps["telegraph"]["dwell_times"] == pytest.approx([0.5, 0.3], rel=0.15)
    content = answer(call("breakdown", folder / "breakdown", "--json"))
    assert content["broken"] == 11


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_format_gives_the_same_histogram(call, tmp_path, dialect):
    out = tmp_path / "data"
    call("synthetic", "levels", "-o", out, "--format", dialect, "--cycles", 5, "--points", 200)
    content = answer(call("histogram", out, "--pristine", out / "pristine", "--json"))
    reference = tmp_path / "reference"
    call("synthetic", "levels", "-o", reference, "--cycles", 5, "--points", 200)
    expected = answer(call("histogram", reference, "--pristine", reference / "pristine", "--json"))
    assert content["synthetic"]
    assert sum(content["counts"]) == sum(expected["counts"]) == 1000
    # a digit less in a file may move a point on an edge
    assert np.abs(np.subtract(content["counts"], expected["counts"])).sum() <= 4


@pytest.mark.parametrize(
    "words",
    [
        ("histogram", "levels"),
        ("histogram", "levels", "--series-resistance", 500),
        ("histogram", "levels", "--aligned"),
        ("histogram", "levels", "--log"),
        ("plateaus", "levels"),
        ("switching", "switching"),
        ("switching", "switching", "--endurance"),
        ("switching", "switching", "--distribution"),
        ("retention", "retention"),
        ("noise", "telegraph"),
        ("breakdown", "breakdown"),
    ],
)
@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_figures(call, folder, tmp_path, words, suffix):
    command, name, *options = words
    path = tmp_path / f"figure.{suffix}"
    captured = call(command, folder / name, *options, "-o", path)
    assert path.stat().st_size > 2000
    assert "SYNTHETIC" in captured.err
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def simulated(path, count=400):
    random = np.random.default_rng(6)
    values = np.repeat([0.01, 0.95, 2.1, 2.5], count // 4) + 0.02 * random.normal(size=count)
    dataset = xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values[:, None])},
        coords={
            "snapshot": np.arange(count),
            "energy": [0.0],
            "time": ("snapshot", 1000.0 * np.arange(count)),
        },
    )
    write_dataset(dataset, path)
    return values


def test_simulated_traces_join(call, folder, tmp_path):
    path = tmp_path / "transmission.nc"
    simulated(path)
    content = answer(call("histogram", path, "--series-resistance", 500, "--json"))
    peaks = [peak["position"] for peak in content["peaks"] if peak["position"] > 0.3]
    assert peaks == pytest.approx([0.95, 2.1, 2.5], abs=0.03)
    levels = [row["level"] for row in answer(call("plateaus", path, "--json"))["plateaus"]]
    assert levels == pytest.approx([0.01, 0.95, 2.1, 2.5], abs=0.02)
    assert answer(call("noise", path, "--json"))["traces"][0]["interval"] == pytest.approx(1e-12)
    both = answer(call("histogram", path, folder / "levels", "--json", "-o", tmp_path / "both.svg"))
    assert sum(both["simulated"]["counts"]) == 400
    # the pristine curves of five devices lie in a folder of the folder
    assert both["n_points"] == 400 + 40 * 1500 + 5 * 101
    fast, slow = (
        answer(call("histogram", path, "--averaging-time", time, "--json"))
        for time in (1e-15, 50e-12)
    )
    # an instrument that averages over 50 ps narrows the peaks
    assert max(slow["counts"]) > max(fast["counts"])


def test_a_run_directory_gives_its_transmissions_and_times(call, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    assert "no run" not in call("histogram", run, status=2).out
    (run / "run.json").write_text("{}")
    captured = call("histogram", run, status=2)
    assert "without transmission.nc" in captured.err
    write_dataset(
        xr.Dataset(
            {"transmission_average": (("snapshot", "energy"), [[0.1], [0.9], [1.1]])},
            coords={
                "snapshot": [0, 2, 3],
                "energy": [0.0],
                "time": ("snapshot", [0.0, 20.0, 35.0]),
            },
        ),
        run / "transmission.nc",
    )
    content = answer(call("histogram", run, "--json"))
    assert sum(content["counts"]) == 3
    read = next(iter(DataFiles([run]).traces()))
    np.testing.assert_allclose(read.time, [0.0, 20e-15, 35e-15])
    assert read.simulated


def test_report_of_a_campaign(call, folder, tmp_path):
    path = tmp_path / "transmission.nc"
    simulated(path)
    output = tmp_path / "report.html"
    content = answer(call("report", folder, path, "-o", output, "--json"))
    text = output.read_text(encoding="utf-8")
    for figure in ("1b", "2a", "2b", "2c", "3a", "4a", "5a", "S4"):
        assert re.search(rf"Figs?\. {figure}", text), figure
    assert "Simulated conductance" in content["sections"]
    assert "Synthetic data" in text
    assert "0.4 and 1.3 G0, from oxygen" in text
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", text)
    assert set(content["files"].values()) == {
        "breakdown",
        "constant voltage",
        "current sweeps",
        "pristine curve",
        "simulated run",
        "voltage loops",
    }


def test_slow_voltage_sweep_in_a_report(call, tmp_path):
    random = np.random.default_rng(0)
    volts = np.linspace(0.0, 0.3, 1500)
    gap = np.repeat([0.02, 1.0, 2.0], 500) * (1.0 + 0.01 * random.normal(size=1500))
    data = measurement_dataset(
        time=np.arange(1500.0), voltage=volts, current=volts * gap * 7.748e-5, name="slow"
    )
    write_measurement(data, tmp_path / "slow.csv", "csv")
    content = answer(
        call("report", tmp_path / "slow.csv", "-o", tmp_path / "report.html", "--json")
    )
    assert content["sections"] == ["Slow sweeps (as Figs. 2g, 2h)"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("histogram", "none.csv"), "no file none.csv"),
        (("histogram", "levels", "--bin-width", 0), "bin width is 0.0"),
        (("histogram", "levels", "--series-resistance", -5), "series resistance is -5.0"),
        (("histogram", "levels", "-o", "figure.doc"), "figures end in .pdf"),
        (("histogram", "levels", "--columns", "speed=1"), "QUANTITY=NAME_OR_NUMBER"),
        (("histogram", "levels", "--columns", "voltage=Q"), "no column 'Q'"),
        (("plateaus", "levels", "--minimum-length", 1), "minimum length is 1"),
        (("switching", "retention"), "voltage is constant"),
        (("switching", "switching", "--method", "magic"), "magic"),
        (("noise", "noise", "--band", 2, 1), "band is"),
        (("breakdown", "breakdown", "--minimum-drop", 2), "minimum drop is 2.0"),
        (("retention", "retention", "--tolerance", 1), "tolerance is 1.0"),
        (("synthetic", "magic", "-o", "new"), "'magic' is none of levels"),
        (("synthetic", "levels", "-o", "levels"), "not empty"),
        (("synthetic", "levels", "-o", "new", "--format", "odt"), "'odt' is none of"),
        (("report", "levels", "-o", "report.doc"), ".html"),
    ],
)
def test_wrong_input_gets_one_sentence(call, folder, monkeypatch, words, sentence):
    monkeypatch.chdir(folder)
    captured = call(*words, status=2)
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    assert not (folder / "new").exists()


def test_a_table_without_rows_is_a_sentence(call, folder, tmp_path):
    lonely = tmp_path / "lonely.csv"
    lonely.write_text("Voltage (V),Current (A)\n0.1,1e-6\n0.1,2e-6\n0.1,4e-6\n")
    for command, data, sentence in (
        ("histogram", lonely, "The histogram has no peak"),
        ("switching", folder / "quiet", "There is no SET or RESET in"),
    ):
        printed = call(command, data).out
        assert sentence in printed
        assert printed.count("\n") == 1


def test_tables_are_printed_without_json(call, folder):
    assert "Peaks" in call("histogram", folder / "levels").out
    table = call("switching", folder / "switching").out
    assert "40 events" in table
    numbers = re.findall(r"(?:forming|SET) +│ +(\d+)", table)
    assert re.search(r"│ forming │ +1 │", table)
    assert sum(map(int, numbers)) == 40  # the rows are all of the events in the title
    assert "11 of 11 broke" in call("breakdown", folder / "breakdown").out
    # five curves of pristine wires lie below
    assert "plateaus in 45 cycles" in call("plateaus", folder / "levels").out
    assert "Retention" in call("retention", folder / "retention").out
    assert "0.2 G0" in call("noise", folder / "telegraph").out.replace("0.199", "0.2")


def told(path, level):
    """Write a file of one conductance."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("V (V),G (G0)\n" + f"0.1,{level}\n" * 20)


def nested(base):
    """Data, data in a folder below, a run, and what is no data."""
    told(base / "nw2.csv", 2.02)
    told(base / "nw10.csv", 3.02)
    told(base / "below" / "deeper" / "nw3.csv", 4.02)
    told(base / ".hidden" / "nw4.csv", 5.02)
    told(base / "below" / "~nw5.csv", 6.02)
    told(base / "run" / "notes.csv", 7.02)
    (base / "run" / "run.json").write_text("{}")
    (base / "truth.json").write_text("{}")
    write_dataset(
        xr.Dataset({"transmission_average": ("snapshot", [1.02])}), base / "run" / "transmission.nc"
    )


def test_every_command_and_reader_has_one_rule_of_folders(call, tmp_path):
    from nanogap.io.data_folders import measurement_files

    base = tmp_path / "data"
    nested(base)
    expected = ["nw2.csv", "nw10.csv", "below/deeper/nw3.csv", "run"]
    found = [str(path.relative_to(base)) for path in measurement_files(base)]
    assert found == expected
    twice = [base / "nw10.csv", base, str(base / "below" / ".." / "nw2.csv")]
    assert [path.name for path in DataFiles(twice).files] == [
        "nw10.csv",
        "nw2.csv",
        "nw3.csv",
        "run",
    ]
    names = {"nw2.csv", "nw10.csv", "nw3.csv", str(base / "run")}
    assert set(answer(call("histogram", base, "--json"))["files"]) == names
    rows = answer(call("plateaus", base, "--minimum-length", 5, "--json"))["plateaus"]
    assert {round(row["level"], 6) for row in rows} == {2.02, 3.02, 4.02}
    content = answer(call("report", base, "-o", tmp_path / "report.html", "--json"))
    assert {str(path) for path in map(base.joinpath, expected)} == content["files"].keys()


def test_files_for_the_resistance_are_no_data_unless_named(folder):
    levels = folder / "levels"
    resistances = DeviceResistances.from_pristine(levels / "pristine")
    assert len(DataFiles(levels).files) == 10
    assert len(DataFiles(levels, resistances=resistances).files) == 5
    named = [levels, *sorted((levels / "pristine").iterdir())]
    assert len(DataFiles(named, resistances=resistances).files) == 10
    with pytest.raises(DataFormatError, match="beside those for the series resistance"):
        _ = DataFiles(levels / "pristine", resistances=resistances).files


def test_json_leaves_out_what_does_not_apply_and_has_null_for_no_number(call, folder):
    content = answer(call("breakdown", folder / "levels" / "pristine", "--json"))
    assert content["broken"] == 0
    assert all(row.keys().isdisjoint({"voltage", "power"}) for row in content["devices"])
    assert content["spread"]["voltage"] == {"count": 0}
    (jumps,) = answer(call("noise", folder / "telegraph", "--json"))["traces"]
    assert jumps["telegraph"] is not None
    content = answer(call("histogram", folder / "levels", "--json"))
    assert "level_displacement" not in content
    assert "raw" in content
    quiet = answer(call("switching", folder / "quiet", "--json"))
    assert quiet["set_voltage"] == {"count": 0, "weibull": None}


def test_results_are_documented_data_classes(folder):
    files = DataFiles(folder / "switching")
    summary = switching_campaign(files).summary()
    assert is_dataclass(summary)
    assert summary.set_voltage.count == len(switching_campaign(files).voltages("set"))
    with pytest.raises(FrozenInstanceError):
        summary.synthetic = False
