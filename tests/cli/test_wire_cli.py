"""Wires at the command line: run, resumed to the bit, read by the analyses, refused."""

import json

import pytest

from nanogap.errors import DataFormatError, EngineError, SettingsError
from nanogap.io import read_measurements
from nanogap.io.wire_files import WireFiles
from nanogap.runs import wire_run
from nanogap.runs.wire_run import WireRun, start_wires
from nanogap.settings.wire import load_wire_settings

SMALL = {
    "wire.length": 400.0,
    "wire.correlation_length": 60.0,
    "surroundings.contact_resistance": 5.0,
    "protocol.interval": 0.1,
    "protocol.rate": 0.1,
    "readings_after": 10,
}


@pytest.fixture(scope="module")
def wires(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wires") / "run"
    settings = load_wire_settings("wire-breakdown", SMALL | {"wires.number": 2})
    return start_wires(folder, settings, "wire-breakdown", lambda *_: None, table=True)


def test_what_became_of_the_wires_is_told(call, wires):
    told = json.loads(call("wire", "status", wires.path, "--json").out)
    assert (told["state"], told["wires_finished"], told["wires_planned"]) == ("finished", 2, 2)
    assert told["parted"] == 2
    assert told["breakdown_voltage"] > 0.0
    assert 1e11 < told["current_density"] < 1e14
    assert told["gap"] > 0.0
    assert len(told["wires"]) == 2
    assert told["measurement"] == str(wires.files.measurement)
    assert "breakdown at" in call("wire", "status", wires.path).err


def test_a_gap_narrower_than_atoms_is_no_width(call, wires, monkeypatch):
    gap = json.loads(call("wire", "status", wires.path, "--json").out)["gap"]
    for narrowest, told in ((1.01 * gap, True), (0.99 * gap, False)):
        monkeypatch.setattr("nanogap.cli.wire._NARROWEST", narrowest)
        assert ("it says that the wire parted" in call("wire", "status", wires.path).err) == told


def test_the_readings_are_a_measurement_like_any_other(call, wires):
    read = read_measurements(wires.path)
    assert read.sizes["source"] == 2
    found = json.loads(call("breakdown", wires.path, "--json").out)
    told = json.loads(call("wire", "status", wires.path, "--json").out)
    assert found["broken"] == 2
    for seen, true in zip(found["devices"], told["wires"], strict=True):
        # one of the last readings before the drop, 0.01 V apart
        assert seen["voltage"] == pytest.approx(true["breakdown_voltage"], abs=0.03)
    assert wires.files.table.read_text().startswith("time (s),voltage (V),gap_voltage (V)")
    assert "current density (A/m^2)" in wires.files.profiles.read_text().splitlines()[0]


def test_the_report_has_curves_moments_and_profiles(call, wires, tmp_path):
    page = tmp_path / "page.html"
    assert json.loads(call("wire", "report", wires.path, "-o", page, "--json").out) == {
        "report": str(page)
    }
    text = page.read_text()
    assert text.count("<img") >= 7
    assert "2 of 2 wires parted" in text
    assert "wire-breakdown-2: profiles" in text


def test_an_interrupted_run_goes_on_to_the_same_bits(call, wires, tmp_path, monkeypatch):
    calls = []

    def stops(settings, *_):
        calls.append(settings.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(settings)

    real = wire_run.break_wire
    monkeypatch.setattr(WireRun, "write_report", lambda *_: None)  # slow, and not what is asked
    monkeypatch.setattr(wire_run, "break_wire", stops)
    run = WireRun.create(tmp_path / "again", wires.settings, "here")
    with pytest.raises(KeyboardInterrupt):
        run.compute(lambda *_: None)
    assert run.status.state == "interrupted"
    assert run.finished == [0]
    monkeypatch.setattr(wire_run, "break_wire", real)
    told = json.loads(call("wire", "resume", run.path, "--json").out)
    assert told["state"] == "finished"
    for one, other in zip(wires.breakdowns(), run.breakdowns(), strict=True):
        assert one.identical(other)
    assert wires.dataset().identical(run.dataset())


def test_what_cannot_be_followed_leaves_nothing_behind(tmp_path, monkeypatch):
    def fails(*_):
        raise EngineError("the shape of the wire cannot be followed further")

    monkeypatch.setattr(wire_run, "break_wire", fails)
    folder = tmp_path / "none"
    with pytest.raises(EngineError):
        start_wires(folder, load_wire_settings("wire-breakdown"), "here", lambda *_: None)
    assert not folder.exists()


def test_edits_and_other_folders_are_refused(call, wires, tmp_path):
    assert "is no wire directory" in call("wire", "status", tmp_path, status=2).err
    full = call("wire", "run", "wire-breakdown", "-o", wires.path, status=2).err
    assert "exists and is not empty" in full
    copy = tmp_path / "copy"
    run = WireRun.create(copy, wires.settings, "here")
    run.files.part(0).write_bytes(wires.files.part(0).read_bytes())
    content = json.loads(run.files.description.read_text())
    content["settings"]["surface"]["effective_valence"] = 3.0
    run.files.description.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=r"edited since wire 1 was computed"):
        WireRun(copy)
    run.files.description.write_text("{")
    with pytest.raises(DataFormatError, match=r"wire\.json cannot be read"):
        WireRun(copy)


def test_wrong_values_end_in_one_sentence(call, tmp_path):
    output = tmp_path / "none"
    error = call("wire", "run", "wire-breakdown", "-o", output, "--set=wire.length=1", status=2).err
    assert "wire.length = 1: must be a number from 100 to 100000" in error
    assert len(error.strip().splitlines()) == 1
    assert not output.exists()
    other = call("wire", "run", "device-quick", "-o", output, status=2).err
    assert "'device-quick' is a preset of devices" in other


def test_a_settings_file_to_edit(call, tmp_path):
    file = tmp_path / "mine.toml"
    told = json.loads(call("wire", "new", "wire-breakdown", "-o", file, "--json").out)
    assert told == {"settings": str(file), "preset": "wire-breakdown"}
    assert load_wire_settings(file) == load_wire_settings("wire-breakdown")
    listed = json.loads(call("wire", "new", "--list", "--json").out)
    assert list(listed) == ["wire-breakdown", "wire-breakdown-ensemble"]
    assert "wire-breakdown-ensemble:" in call("wire", "new", "--list").err


def test_a_stale_measurement_is_refused(wires, tmp_path):
    files = WireFiles(tmp_path)
    files.description.write_bytes(wires.files.description.read_bytes())
    with pytest.raises(DataFormatError, match=r"has no measurement\.nc yet"):
        read_measurements(tmp_path)
