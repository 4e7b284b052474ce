"""Wires at the command line: run, resumed to the bit, read by the analyses, refused."""

import json

import pytest

from nanogap.errors import DataFormatError, EngineError, SettingsError
from nanogap.io import read_measurements
from nanogap.io.wire_files import WireFiles
from nanogap.runs import wire_run
from nanogap.runs.device_run import DeviceRun
from nanogap.runs.wire_run import WireRun, start_wires
from nanogap.settings import load_settings, settings_document
from nanogap.settings.device import load_device_settings
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


REWIRED = [
    "geometry.height=7", "geometry.base_width=12", "geometry.fixed_layers=1", "geometry.margin=3",
    "geometry.upper_apex_width=same",
    "conductance.cell_widths=[4]", "conductance.kpoints=1", "conductance.cache=none",
    "protocol.turning_points=[0,0.2]", "protocol.interval=0.05",
]  # fmt: skip


def test_one_command_goes_from_the_wire_to_the_histogram(call, wires, tmp_path):
    output = tmp_path / "grown"
    changes = [word for one in REWIRED for word in ("--set", one)]
    words = ("wire", "rewire", wires.path, "--preset", "device-quick", "--wire", 2, "--gap", 0.5)
    told = call(*words, *changes, "-o", output)
    assert "the gap of 0.5 nm is yours; the wire left" in told.err
    assert (output / "histogram.png").stat().st_size > 1000
    device = DeviceRun(output)
    left = json.loads(call("wire", "status", wires.path, "--json").out)["wires"][1]
    assert device.settings.circuit.wire == pytest.approx(left["resistance"], rel=1e-3)
    assert device.settings.circuit.interface == pytest.approx(left["contact_resistance"], rel=1e-3)
    assert device.settings.geometry.gap == 5.0
    before = device.files.measurement.read_bytes()
    assert "finished" in call(*words, *changes, "-o", output).err  # the same command goes on
    assert device.files.measurement.read_bytes() == before
    told = call(*words, *changes, "--set", "seed=5", "-o", output, status=2)
    assert "was begun with other settings" in told.err


def test_a_wire_that_is_a_preset_is_broken_first(call, tmp_path):
    file, output = tmp_path / "wire.toml", tmp_path / "grown"
    file.write_text(settings_document(load_wire_settings("wire-breakdown", SMALL)))
    for gap in (9.0, 0.1):
        told = call("wire", "rewire", file, "--gap", gap, "-o", output, status=2)
        assert "must be from 0.4 to 5 nm" in told.err
    assert not output.exists()
    assert WireRun(tmp_path / "grown-wire").status.parted == 1  # kept for the next try
    other = file.read_text().replace("seed = 1", "seed = 2")
    file.write_text(other)
    told = call("wire", "rewire", file, "--gap", 0.7, "-o", output, status=2)
    assert "holds other wires" in told.err


@pytest.mark.parametrize("more", [(), ("--dynamics",)])
def test_the_needles_of_a_wire_as_a_settings_file(call, wires, tmp_path, more):
    file = tmp_path / "next.toml"
    call("wire", "needles", wires.path, "--gap", 0.65, *more, "-o", file)
    settings = (load_settings if more else load_device_settings)(file)
    assert (settings.structure if more else settings.geometry).gap == 6.5
    key = "structure.gap" if more else "geometry.gap"
    twice = ("wire", "needles", wires.path, "--gap", 0.7, "--set", f"{key}=20", *more)
    assert "the gap is the wire's" in call(*twice, "-o", tmp_path / "no.toml", status=2).err
    words = ("wire", "needles", wires.path, "--wire", 3, *more, "-o", tmp_path / "no.toml")
    assert "has wires 1 to 2" in call(*words, status=2).err


def test_what_is_no_wire_gives_no_gap(call, tmp_path):
    told = call("wire", "rewire", tmp_path, "--gap", 0.7, "-o", tmp_path / "grown", status=2).err
    assert "is no wire directory" in told
    file = tmp_path / "weak.toml"
    weak = SMALL | {"protocol.turning_points": [0.0, 0.01]}
    file.write_text(settings_document(load_wire_settings("wire-breakdown", weak)))
    told = call("wire", "rewire", file, "--gap", 0.7, "-o", tmp_path / "grown", status=2).err
    assert "has parted, so there is no gap" in told
    assert f"delete {tmp_path / 'grown-wire'}" in " ".join(told.split())
