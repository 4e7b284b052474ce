"""A device directory whose settings or inputs are edited between two sessions, or moved."""

import json
import shutil
import sqlite3
from importlib.resources import files

import numpy as np
import pytest
from tests.runs.hand_made_device import make

from nanogap.device.device import Device
from nanogap.device.measurement import Measurement
from nanogap.device.neck_store import NeckStore, StoredTransmission
from nanogap.device.parts import make_necks
from nanogap.electrical.protocols import CurrentSweep, Staircase, VoltageSweep
from nanogap.electrical.states import Endurance, Pulses
from nanogap.errors import NanogapError, OtherStateError, SettingsError
from nanogap.runs import device_beginning, device_part
from nanogap.runs.device_beginning import check_measurement, new_store
from nanogap.runs.device_run import DeviceRun
from nanogap.runs.growing_file import GrowingFile
from nanogap.settings.device import load_device_settings

TABLE = files("nanogap.device") / "data" / "ag.json"


def edit(run, **changes):
    content = json.loads(run.files.description.read_text())
    for key, value in changes.items():
        section, _, name = key.rpartition("__")
        (content["settings"][section] if section else content["settings"])[name] = value
    run.files.description.write_text(json.dumps(content))
    return DeviceRun(run.path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"geometry__gap": 9.0}, r"geometry.gap = 9.0 \(was 7.0\)"),
        ({"seed": 5}, r"seed = 5 \(was 1\)"),
        ({"circuit__wire": 1.0}, r"circuit.wire = 1.0 \(was 200.0\)"),
        ({"kinetics__metal_cap": 1.0}, "kinetics.metal_cap"),
        ({"source__aperture": 1e-3}, "source.aperture"),
        ({"protocol__rate": 2.0, "seed": 3}, r"seed = 3 \(was 1\), protocol.rate = 2.0"),
        ({"protocol__cycles": 0.5}, "protocol.cycles"),
        ({"protocol": {"kind": "constant-read"}}, "protocol.kind = 'constant-read'"),
        ({"devices__number": 2}, "devices.number = 2"),
    ],
)
def test_settings_of_another_device_are_refused(tmp_path, changes, words):
    run = make(tmp_path / "dev", 20, finished=False)
    with pytest.raises(NanogapError, match=words) as told:
        edit(run, **changes)
    assert "device.json" in str(told.value) or "settings" in str(told.value)
    assert len(run.files.part(0).checkpoints()) == 1


def test_what_changes_no_reading_may_change(tmp_path):
    run = make(tmp_path / "dev", 20, finished=False)
    cache = str(tmp_path / "elsewhere.sqlite")
    changed = edit(run, name="title", conductance__cache=cache, protocol__cycles=3)
    changed.begin_session()
    assert changed.members[0].conductance.cache == cache
    assert changed.points_planned == 3 * run.points_planned
    with pytest.raises(SettingsError, match=r"protocol.cycles = 2 \(was 3\).*may change \(cycles"):
        edit(run, protocol__cycles=2)


def test_a_finished_measurement_has_no_further_cycles(tmp_path):
    run = make(tmp_path / "dev", 20)
    with pytest.raises(SettingsError, match=r"protocol.cycles = 2 .*while none has finished"):
        edit(run, protocol__cycles=2)


@pytest.mark.parametrize(
    "model",
    [
        VoltageSweep(wait=1.0),
        CurrentSweep(reset_voltage=-1.0, wait=1.0),
        Staircase(),
        Pulses(),
        Endurance(),
    ],
)
def test_further_cycles_leave_the_first_ones_alone(model):
    short, long = (
        list(model.model_copy(update={"cycles": cycles}).segments()) for cycles in (2, 4)
    )
    assert long[: len(short)] == short


def test_a_table_of_barriers_is_copied(tmp_path, monkeypatch):
    """It counts from the folder of the settings file, and from nowhere once it is copied."""
    place = tmp_path / "mine"
    place.mkdir()
    own = json.loads(TABLE.read_text())
    own["prefactor"] *= 2.0
    (place / "table.json").write_text(json.dumps(own))
    (place / "device.toml").write_text('[atoms]\nenergetics = "table.json"\n')
    settings = load_device_settings(place / "device.toml")
    assert settings.atoms.energetics == str(place / "table.json")
    make(tmp_path / "dev", 20, finished=False, settings=settings)
    shutil.rmtree(place)
    shutil.move(tmp_path / "dev", tmp_path / "moved")
    monkeypatch.chdir("/")
    run = DeviceRun(tmp_path / "moved")
    run.begin_session()
    device = Device(run.members[0])
    assert device.engine.energies.prefactor == own["prefactor"]
    assert run.settings.atoms.energetics == str(place / "table.json")
    run.files.energetics.write_text(TABLE.read_text())
    with pytest.raises(SettingsError, match=r"energetics.json is not the table of barriers"):
        DeviceRun(run.path)
    run.files.energetics.unlink()
    with pytest.raises(SettingsError, match=r"energetics.json is not the table of barriers"):
        DeviceRun(run.path)


def test_a_missing_table_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_device_settings("device-quick", {"atoms.energetics": "no.json"})
    with pytest.raises(NanogapError, match=rf"{tmp_path}/no.json: no energetics"):
        DeviceRun.create(tmp_path / "dev", settings, "test")
    assert not list(tmp_path.iterdir())


def test_paths_of_a_settings_file_count_from_its_folder(tmp_path, monkeypatch):
    (tmp_path / "d.toml").write_text('[conductance]\ncache = "necks.sqlite"\n')
    monkeypatch.chdir(tmp_path)
    assert load_device_settings("d.toml").conductance.cache == str(tmp_path / "necks.sqlite")
    given = load_device_settings("d.toml", ["conductance.cache=~/other.sqlite"])
    assert given.with_absolute_paths().conductance.cache.endswith("/other.sqlite")
    assert "~" not in given.with_absolute_paths().conductance.cache
    assert load_device_settings("device-quick").with_absolute_paths().conductance.cache == "cache"


def test_other_packaged_data_are_refused(tmp_path, monkeypatch):
    run = make(tmp_path / "dev", 20, finished=False)
    run.begin_session()
    real = device_beginning.make_energetics

    def other(settings):
        found = real(settings)
        found.saddle[:] += 0.01
        return found

    monkeypatch.setattr(device_beginning, "make_energetics", other)
    with pytest.raises(SettingsError, match=r"the energies and barriers of Ag that .* go on with"):
        run.begin_session()
    _ = DeviceRun(run.path).status


def test_states_of_another_device_are_not_thrown_away(tmp_path):
    """A checkpoint that does not fit is no damaged one."""
    changes = {
        "geometry.base_width": 12.0, "geometry.height": 7.0, "geometry.gap": 5.0,
        "geometry.upper_apex_width": "same", "geometry.fixed_layers": 1, "geometry.margin": 3.0,
        "conductance.cell_widths": [4], "conductance.kpoints": 1, "conductance.cache": "none",
        "medium.name": "vacuum", "protocol.rate": 8.0,
    }  # fmt: skip
    settings = load_device_settings("device-quick", changes)
    run = DeviceRun.create(tmp_path / "dev", settings, "test")
    part = run.files.part(0)
    part.folder.mkdir()
    measurement = Measurement(Device(settings))
    point = next(iter(measurement))
    with GrowingFile(part.points, 0) as points, GrowingFile(part.frames, 0) as frames:
        points.write(np.array([point.numbers]).tobytes())
        cost = device_part.PartCost()
        device_part._keep(part, measurement, cost, points, frames)  # noqa: SLF001 a checkpoint
    other = load_device_settings(settings, {"geometry.gap": 8.0})
    with pytest.raises(OtherStateError, match="another device"):
        device_part.compute_part(part, other, lambda _: None)
    assert part.readings == 1
    assert part.points.stat().st_size > 0


def test_the_table_of_readings_is_not_forgotten(tmp_path):
    settings = load_device_settings("device-quick")
    for begun, asked, expected in ((True, False, True), (False, True, True), (False, False, False)):
        folder = tmp_path / f"{begun}-{asked}"
        run = DeviceRun.create(folder, settings, "test", table=begun)
        run.begin_session(table=asked)
        assert DeviceRun(folder).table is expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["protocol.turning_points=[0,9,0]"], r"turning_points reaches 9 V, and at .*5.97"),
        (["protocol.turning_points=[0,-6.5]"], "choose less, or atoms.temperature from 84 K on"),
        (
            ["protocol.turning_points=[0,5.9]", "medium.transfer_coefficient=0.9"],
            "protocol.turning_points reaches 5.9 V.* 3.31 V",
        ),
        (
            ["protocol.kind=current-sweep", "protocol.voltage_limit=7.0"],
            "protocol.voltage_limit reaches 7 V",
        ),
        (
            ["protocol.kind=current-sweep", "protocol.cycles=2", "protocol.reset_voltage=-8.0"],
            "protocol.reset_voltage reaches 8 V",
        ),
        (["protocol.kind=staircase", "protocol.quantity=current", "protocol.stop=1e-5"],
         "source.voltage_limit reaches 20 V"),
        (["preparation.kind=voltage-sweep", "preparation.turning_points=[0,7.0]"],
         "preparation.turning_points reaches 7 V"),
        (["protocol.kind=endurance", "protocol.set_voltage=6.0"], "set_voltage reaches 6 V"),
    ],
)  # fmt: skip
def test_voltages_that_the_rates_do_not_hold_are_refused(tmp_path, changes, words):
    settings = load_device_settings("device-quick", ["atoms.temperature=77", *changes])
    with pytest.raises(SettingsError, match=words):
        DeviceRun.create(tmp_path / "dev", settings, "test")
    with pytest.raises(SettingsError, match=words):
        Device(settings)
    assert not list(tmp_path.iterdir())


def test_voltages_that_the_rates_hold_are_not_refused():
    for changes in ([], ["atoms.temperature=77"], ["protocol.turning_points=[0,20,0]"]):
        check_measurement(load_device_settings("device-quick", changes))


def foreign(path):
    with sqlite3.connect(path) as table:
        table.execute("CREATE TABLE mails (subject TEXT)")
    table.close()


@pytest.mark.parametrize(
    ("make_it", "words"),
    [
        (lambda path: path.write_text("a letter, not a database\n" * 9), "no file of known"),
        (lambda path: path.mkdir(), "is a folder"),
        (foreign, "no file of known conductances.*no such table"),
        (lambda path: path.with_suffix("").write_text(""), "cannot be made there"),
    ],
    ids=["text", "folder", "foreign", "below a file"],
)
def test_a_cache_that_is_none_is_refused(tmp_path, make_it, words):
    path = tmp_path / "cache.sqlite"
    make_it(path)
    before = path.read_bytes() if path.is_file() else None
    if "cannot" in words:
        path = path.with_suffix("") / "cache.sqlite"
    settings = load_device_settings("device-quick", {"conductance.cache": str(path)})
    for refuse in (check_measurement, lambda one: make_necks(one, 4.09)):
        with pytest.raises(SettingsError, match=words) as told:
            refuse(settings)
        assert f"conductance.cache = {path}" in str(told.value)
    assert before is None or path.read_bytes() == before


def test_a_cache_is_known_again_and_may_be_missing(tmp_path, monkeypatch):
    path = tmp_path / "new" / "cache.sqlite"
    settings = load_device_settings("device-quick", {"conductance.cache": str(path)})
    check_measurement(settings)
    assert not path.parent.exists()
    necks = make_necks(settings, 4.09)
    necks.store.put(b"key", StoredTransmission(0.5))
    necks.store.close()
    check_measurement(settings)
    assert NeckStore(path).get(b"key") == StoredTransmission(0.5)
    # a home that cannot be written is no fault of the user
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    usual = make_necks(load_device_settings("device-quick"), 4.09)
    usual.store.put(b"key", StoredTransmission(0.25))
    assert usual.store.get(b"key") == StoredTransmission(0.25)


def test_a_cache_that_is_not_there_yet_is_known_as_such(tmp_path):
    path = tmp_path / "mistyped.sqlite"
    changes = {"conductance.cache": str(path)}
    settings = load_device_settings("device-quick", changes)
    assert new_store(settings) == path
    path.touch()
    assert new_store(settings) is None
    assert new_store(load_device_settings("device-quick")) is None
