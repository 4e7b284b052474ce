"""Simulated devices are analysed with the series resistance that their data say of each."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made_device import make

import nanogap as ng
from nanogap.errors import SettingsError
from nanogap.io import read_measurement, read_measurements
from nanogap.io.dataset import sources_of, with_series_resistance
from nanogap.measured import DataFiles, DeviceResistances
from nanogap.measured.files import gap_trace
from nanogap.settings.device import load_device_settings

#: Two devices of the smallest needles, of different resistances.
CHANGES = {
    "devices.number": 2, "devices.resistance_spread": 0.3, "geometry.base_width": 12.0,
    "geometry.height": 5.0, "geometry.gap": 5.0, "geometry.fixed_layers": 1,
    "geometry.upper_apex_width": "same",
}  # fmt: skip
NAMES = ["device-quick-1", "device-quick-2"]
#: Command to the table of its JSON, and the conductance in that.
COLUMNS = {
    "switching": ("endurance", "low_conductance"),
    "plateaus": ("plateaus", "level"),
    "retention": ("states", "conductance_after_one_second"),
    "noise": ("traces", "mean"),
}
CIRCUIT = ("--series-resistance", "circuit", "--json")


@pytest.fixture(scope="module")
def settings():
    return load_device_settings("device-quick", CHANGES)


@pytest.fixture(scope="module")
def ohms(settings):
    found = [one.circuit.series.parasitic for one in settings.members()]
    assert abs(found[0] - found[1]) > 50.0
    return dict(zip(NAMES, found, strict=True))


@pytest.fixture(scope="module")
def loop(tmp_path_factory, settings):
    return make(tmp_path_factory.mktemp("loop") / "dev", settings=settings)


@pytest.fixture(scope="module")
def steady(tmp_path_factory, settings):
    return make(tmp_path_factory.mktemp("steady") / "dev", 160, settings=settings, steady=0.1)


def answer(captured):
    return json.loads(captured.out)


def test_the_true_conductance_is_found_behind_any_resistance(loop, ohms):
    data = read_measurement(loop.files.measurement)
    assert data["series_resistance"].to_numpy().tolist() == list(ohms.values())
    assert data["series_resistance"].attrs["units"] == "ohm"
    found = []
    for one in sources_of(data):
        trace = gap_trace(one, DeviceResistances.chosen("circuit"))
        known = trace.usable & (trace.raw > 0.0)
        true = one["gap_conductance"].to_numpy()
        np.testing.assert_allclose(trace.gap[known], true[known], rtol=1e-9)
        assert known.sum() > 100
        found.append(trace.gap[known])
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("command", ["histogram", *COLUMNS])
def test_every_command_subtracts_what_the_circuit_of_each_device_has(
    call, loop, steady, ohms, command
):
    folder = (steady if command in {"retention", "noise"} else loop).path
    captured = call(command, folder, *CIRCUIT)
    content = answer(captured)
    assert {
        name: one["resistance"] for name, one in content["series_resistance"].items()
    } == pytest.approx(ohms)
    told = f"device-quick-1 {ohms[NAMES[0]]:.1f} ohm, device-quick-2 {ohms[NAMES[1]]:.1f} ohm"
    sentence = f"subtracted, as the circuit of each device says: {told}"
    assert sentence in content["notes"]
    assert sentence in " ".join(captured.err.split())
    if command == "histogram":
        # each level of both devices in one bin
        counts = dict(zip(np.round(content["edges"], 2), content["counts"], strict=False))
        assert sum(1 for edge, count in counts.items() if edge > 0.5 and count) == 2
        table = content["level_displacement"]["resistance"]
        assert table[0] == 0.0
        assert np.mean(list(ohms.values())) in table
        return
    table, column = COLUMNS[command]
    found = {
        name: [row[column] for row in content[table] if row["device"] == name] for name in ohms
    }
    # the readings at a steady voltage scatter by 0.1 % as a whole
    one, two = (np.ravel(rows).astype(float) for rows in found.values())
    assert one == pytest.approx(two, rel=1e-4)
    if command == "plateaus":
        assert one == pytest.approx([1e-3, 1.0, 2.0, 1e-3], rel=1e-6)


def test_a_number_holds_for_all_and_the_difference_is_told(call, loop):
    content = answer(call("plateaus", loop.path, "--series-resistance", 500, "--json"))
    assert {one["resistance"] for one in content["series_resistance"].values()} == {500.0}
    (note,) = content["notes"]
    assert "say another resistance in series" in note
    assert "not 500 ohm" in note
    captured = call("plateaus", loop.path)
    assert "nothing was subtracted of what the data say" in captured.err
    assert "--series-resistance circuit" in captured.err


def test_an_uncertainty_moves_the_resistance_of_each(call, loop):
    words = ("histogram", loop.path, *CIRCUIT)
    assert "sensitivity" not in answer(call(*words))
    content = answer(call(*words, "--series-uncertainty", 200, "--bin-width", 0.01))
    low, high = (content["sensitivity"][f"{key}_resistance"][-1] for key in ("lower", "higher"))
    assert low["position"] < 1.97
    assert high["position"] > 2.03


@pytest.mark.parametrize("command", ["histogram", "switching", "plateaus", "report"])
def test_data_that_do_not_say_it_are_refused(call, loop, tmp_path, command):
    (tmp_path / "nw1.csv").write_text(
        "V (V),I (A)\n" + "".join(f"{k / 50},{k / 50e3}\n" for k in range(50))
    )
    end = ("-o", tmp_path / "page.html") if command == "report" else ()
    captured = call(command, loop.path, tmp_path / "nw1.csv", *CIRCUIT, *end, status=2)
    assert "nw1.csv does not say what is in series with its gap" in captured.err
    assert "in place of --series-resistance circuit give a number, in ohm" in captured.err
    assert not captured.out
    assert not (tmp_path / "page.html").exists()


def test_other_words_are_refused(call, loop):
    captured = call("histogram", loop.path, "--series-resistance", "auto", status=2)
    assert "--series-resistance auto: give a number, in ohm, or 'circuit'" in captured.err
    captured = call("noise", loop.path, "--series-resistance", -5, status=2)
    assert "it must be zero or positive" in captured.err
    words = (*CIRCUIT, "--pristine", loop.files.measurement)
    assert "give one of" in call("noise", loop.path, *words, status=2).err


def test_devices_of_one_name_are_told_apart(call, loop, ohms, tmp_path):
    other = tmp_path / "other.nc"
    data = read_measurement(loop.files.measurement)
    with_series_resistance(data, np.array([100.0, ohms[NAMES[1]]])).to_netcdf(other)
    for command in ("histogram", "plateaus"):
        content = answer(call(command, loop.path, other, *CIRCUIT))
        found = {name: one["resistance"] for name, one in content["series_resistance"].items()}
        assert found == {**ohms, f"device-quick-1 ({other})": 100.0}


def test_the_page_of_all_figures_says_what_was_subtracted(call, loop, tmp_path):
    words = ("report", loop.path, "-o", tmp_path / "page.html")
    content = answer(call(*words, *CIRCUIT))
    assert any("as the circuit of each device says" in note for note in content["notes"])
    content = answer(call(*words, "--json"))
    assert any("nothing was subtracted" in note for note in content["notes"])


def test_short_calls_take_the_word_and_a_resistance_of_each(loop, steady, ohms):
    subtracted = ng.histogram(loop.path, series_resistance="circuit")
    assert subtracted.subtracted == ohms
    assert "device-quick-1 " in repr(subtracted)
    same = ng.histogram(loop.path, series_resistance=ohms)
    assert same.subtracted == ohms
    assert same.counts.tolist() == subtracted.counts.tolist()
    assert not ng.histogram(loop.path).subtracted
    levels = ng.plateaus(read_measurements(loop.path), series_resistance="circuit").plateaus
    assert [one.level for one in levels] == pytest.approx(2 * [1e-3, 1.0, 2.0, 1e-3])
    first, second = sources_of(read_measurement(steady.files.measurement))
    means = [ng.noise(one, series_resistance="circuit").mean for one in (first, second)]
    assert means[0] == pytest.approx(means[1], rel=1e-5)
    drift = ng.retention(first, series_resistance="circuit")
    assert drift.subtracted == {NAMES[0]: ohms[NAMES[0]]}
    with pytest.raises(SettingsError, match="is given of device 'device-quick-2', only of 'dev"):
        ng.histogram(loop.path, series_resistance={NAMES[0]: 500.0})
    with pytest.raises(SettingsError, match="data does not say what is in series"):
        ng.histogram([1.0, 2.0], series_resistance="circuit")


def test_a_mapping_is_of_whole_names():
    """Names that merely share words are other devices; those of curves belong to them."""
    chosen = DeviceResistances.chosen({"wires-1": 300.0})
    assert chosen.of("wires-1").resistance == 300.0
    with pytest.raises(SettingsError, match="'wires-1-2'"):
        chosen.of("wires-1-2")


def test_a_device_without_a_reading_takes_no_resistance_of_another(tmp_path, settings, ohms):
    run = make(tmp_path / "dev", 40, settings=settings, finished=False)
    shutil.rmtree(run.files.part(0).folder)
    run.files.part(0).folder.mkdir()
    run.write()
    data = read_measurement(run.files.measurement)
    assert data["device_name"].to_numpy().tolist() == NAMES[1:]
    assert data["series_resistance"].to_numpy().tolist() == [ohms[NAMES[1]]]


def test_files_with_the_resistances_in_an_attribute_are_read(loop, ohms, tmp_path):
    data = xr.load_dataset(loop.files.measurement).drop_vars("series_resistance")
    stated = data.assign_attrs(series_resistance=list(ohms.values()))
    stated.to_netcdf(tmp_path / "dev.nc")
    data.assign_attrs(series_resistance=[1.0, 2.0, 3.0]).to_netcdf(tmp_path / "short.nc")
    chosen = DeviceResistances.chosen("circuit")
    read = DataFiles(tmp_path / "dev.nc", resistances=chosen).traces()
    assert [trace.series.resistance for trace in read] == list(ohms.values())
    with pytest.raises(SettingsError, match="does not say"):
        list(DataFiles(tmp_path / "short.nc", resistances=chosen).traces())
