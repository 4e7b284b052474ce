"""States of simulated devices: what prepared them is no part of them."""

import numpy as np
import pytest
import xarray as xr

import nanogap as ng
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import measurement_dataset, read_measurement, write_dataset
from nanogap.io.clock import Clock
from nanogap.io.device_files import DeviceFiles, current_device_measurement
from nanogap.measured import DataFiles, noise_campaign, retention_campaign
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


def test_an_axis_over_metals_without_a_hamiltonian_is_refused_before_any_work():
    settings = load_device_settings("device-quick", {"geometry.element": "Au"})
    with pytest.raises(SettingsError, match="no tight-binding Hamiltonian for element 'Au'"):
        check_device(settings)
