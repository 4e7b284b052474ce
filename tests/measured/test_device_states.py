"""States of simulated devices: what prepared them is no part of them."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import nanogap as ng
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import measurement_dataset, read_measurement, write_dataset
from nanogap.io.clock import Clock
from nanogap.io.dataset import cycle_number, joined_files
from nanogap.io.device_files import DeviceFiles, current_device_measurement
from nanogap.measured import (
    DataFiles,
    histogram_campaign,
    noise_campaign,
    plateau_campaign,
    retention_campaign,
    switching_campaign,
)
from nanogap.runs.device_alone import check_device
from nanogap.settings.device import load_device_settings
from nanogap.units import CONDUCTANCE_QUANTUM

PREPARED, READ = 400, 2500
EXPONENT = -0.05


def device_data(read: list[tuple[int, int]] | None = None) -> xr.Dataset:
    """A SET of 8 s, and a state read for 50 s that drifts as a power of its time."""
    count = PREPARED + READ
    time = np.arange(1, count + 1) * 0.02
    voltage = np.where(np.arange(count) < PREPARED, np.linspace(0.0, 18.0, count), 0.1)
    since = np.maximum(time - PREPARED * 0.02, 0.02)
    level = np.where(np.arange(count) < PREPARED, 0.01, 3.0 * since**EXPONENT)
    level *= 1.0 + 0.01 * np.random.default_rng(0).normal(size=count)
    data = measurement_dataset(
        time=time,
        voltage=voltage,
        current=voltage * level * CONDUCTANCE_QUANTUM,
        compliance=np.zeros(count, dtype=bool),
        name="device",
        device="device",
    )
    marked = np.zeros(count, dtype=bool)
    for begin, end in [(PREPARED, count)] if read is None else read:
        marked[begin:end] = True
    data["read"] = ("point", marked)
    return data.assign_attrs(simulated="kinetic Monte Carlo of a device")


@pytest.fixture
def file(tmp_path):
    write_dataset(device_data(), tmp_path / "device.nc")
    return tmp_path / "device.nc"


def test_a_drift_is_that_of_the_read_and_timed_from_its_beginning(file):
    state = retention_campaign(DataFiles([file])).summary().states[0]
    assert state.exponent == pytest.approx(EXPONENT, abs=0.003)
    assert state.conductance_after_one_second == pytest.approx(3.0, rel=0.01)
    assert state.duration == pytest.approx((READ - 1) * 0.02)
    assert ng.retention(file).exponent == pytest.approx(state.exponent)


def test_noise_is_that_of_the_read(file):
    row = noise_campaign(DataFiles([file])).rows[0]
    assert len(row.trace.time) == READ
    assert ng.noise(file).relative == pytest.approx(row.noise.relative)
    alone = device_data().isel(point=slice(PREPARED, None))
    assert ng.noise(alone).relative == pytest.approx(row.noise.relative)


def test_what_was_left_out_is_told(file):
    notes = retention_campaign(DataFiles([file])).summary().notes
    assert any(f"{PREPARED} readings around the read are left out" in note for note in notes)


def prepared_loops() -> xr.Dataset:
    """A loop that prepares, in cycle -1, and two of the protocol, which switch at 1 V and -1 V."""
    leg = np.linspace(0.0, 2.0, 101)
    one = np.concatenate([leg, leg[::-1], -leg, -leg[::-1]])
    place = np.arange(len(one))
    closed = ((place >= 50) & (place < 202)) | ((place >= 202) & (place < 252))
    amperes = one * np.where(closed, 1.0, 1e-3) * CONDUCTANCE_QUANTUM
    data = measurement_dataset(
        time=0.02 * np.arange(1, 3 * len(one) + 1),
        voltage=np.tile(one, 3),
        current=np.tile(amperes, 3),
        cycle=np.repeat([-1, 0, 1], len(one)),
        compliance=np.zeros(3 * len(one), dtype=bool),
        name="loops",
    )
    data["read"] = ("point", np.zeros(3 * len(one), dtype=bool))
    data["preparation"] = ("point", data["cycle"].to_numpy() < 0)
    return data.assign_attrs(simulated="kinetic Monte Carlo of a device")


def test_analyses_leave_the_preparation_out_and_say_so(tmp_path):
    data = prepared_loops()
    write_dataset(data, tmp_path / "loops.nc")
    table = data[["time", "voltage", "current", "cycle"]].to_dataframe()
    names = {"time": "time (s)", "voltage": "voltage (V)", "current": "current (A)"}
    table = table.assign(preparation=data["preparation"].to_numpy().astype(int))
    columns = [*names, "cycle", "preparation"]
    table[columns].rename(columns=names).to_csv(tmp_path / "loops.csv", index=False)
    alone = data.isel(point=data["cycle"].to_numpy() >= 0)
    told = "404 readings of the preparation left out"
    for file in (tmp_path / "loops.nc", tmp_path / "loops.csv"):
        files = DataFiles([file])
        found = switching_campaign(files).summary()
        assert any(told in note for note in found.notes)
        assert [(one.kind, one.cycle) for one in ng.switching(file).events] == [
            (kind, cycle) for cycle in (0, 1) for kind in ("set", "reset")
        ]
        histogram = histogram_campaign(files)
        assert histogram.n_points == 808
        assert any(told in note for note in histogram.reading.notes)
        assert "404 readings of the preparation" in repr(ng.switching(file))
        np.testing.assert_array_equal(ng.histogram(file).counts, ng.histogram(alone).counts)
        assert {
            row.cycle for row in plateau_campaign(files, PlateauDetection()).summary().plateaus
        } == {0, 1}


def test_a_read_is_timed_from_the_end_of_its_preparation(tmp_path):
    prepared = device_data()
    prepared["cycle"] = ("point", np.where(prepared["read"], 0, -1))
    assert ng.retention(prepared).exponent == ng.retention(device_data()).exponent
    assert "notes" not in prepared.attrs  # the caller's data stay as they were
    row = noise_campaign(DataFiles([save(prepared, tmp_path)])).rows[0]
    assert row.trace.time[0] == pytest.approx(0.02)
    assert row.trace.notes == "400 readings of the preparation left out"


def test_a_device_in_its_preparation_has_nothing_to_analyse(tmp_path):
    data = prepared_loops()
    early = data.isel(point=data["cycle"].to_numpy() < 0)
    with pytest.raises(DataFormatError, match="only the preparation"):
        switching_campaign(DataFiles([save(early, tmp_path)]))
    both = joined_files([data.drop_vars("preparation").isel(point=slice(404, None)), early])
    assert both["preparation"].dtype == bool
    assert cycle_number(both).tolist() == [*[0] * 404, *[1] * 404, *[2] * 404]
    assert len(ng.switching(both).events) == 4


def save(data: xr.Dataset, folder: Path) -> Path:
    write_dataset(data, folder / "data.nc")
    return folder / "data.nc"


@pytest.mark.parametrize(
    ("read", "words"),
    [([], "no state is read"), ([(0, 100), (200, 300)], "2 states are read")],
)
@pytest.mark.parametrize("analysis", [ng.retention, ng.noise])
def test_none_or_several_states_are_refused(analysis, read, words):
    with pytest.raises(DataFormatError, match=words):
        analysis(device_data(read))


def test_another_zero_of_the_time_is_refused_of_devices_and_counts_for_others(file, tmp_path):
    with pytest.raises(SettingsError, match="timed from their own beginning"):
        read_measurement(file, clock=Clock(origin=0.0))
    steady = device_data().isel(point=slice(PREPARED, None)).drop_vars("read")
    other = tmp_path / "other.nc"
    write_dataset(steady, other)
    moved = read_measurement(other, clock=Clock(origin=8.0))
    np.testing.assert_allclose(moved["time"], steady["time"] - 8.0)
    with pytest.raises(SettingsError, match="after the first point"):
        read_measurement(other, clock=Clock(origin=9.0))


def directory(folder, held, on_disk):
    """A device directory with so many readings in its measurement and on disk; None: no file."""
    files = DeviceFiles(folder)
    (files.part(0).checkpoint(on_disk)).mkdir(parents=True)
    files.description.write_text("{}")
    if held is not None:
        write_dataset(device_data().isel(point=slice(0, held)), files.measurement)
    return folder


def test_a_measurement_that_lacks_readings_on_disk_is_refused(tmp_path):
    assert current_device_measurement(directory(tmp_path / "a", 40, 40)).name == "measurement.nc"
    for name, held, words in (("b", 30, "holds 30 of the 40"), ("c", None, "no measurement.nc")):
        folder = directory(tmp_path / name, held, 40)
        with pytest.raises(DataFormatError, match=f"{words}.*device resume"):
            ng.histogram(folder)


def test_the_table_of_a_device_is_read_again(tmp_path):
    """Its voltage stands beside that of the gap."""
    table = tmp_path / "measurement.csv"
    table.write_text("time (s),voltage (V),gap_voltage (V),current (A)\n0.1,0.5,0.4,1e-5\n")
    found = read_measurement(table)
    assert found["voltage"].to_numpy().tolist() == [0.5]
    assert "not 'gap_voltage (V)'" in found.attrs["notes"]


@pytest.mark.usefixtures("only_silver")
def test_an_axis_over_metals_without_a_hamiltonian_is_refused_before_any_work():
    settings = load_device_settings("device-quick", {"geometry.element": "Au"})
    with pytest.raises(
        SettingsError,
        match=r"geometry\.element = 'Au': a device .* no tight-bin.* of Au: choose Ag, or",
    ):
        check_device(settings)
