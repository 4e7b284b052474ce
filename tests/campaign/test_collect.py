"""One dataset out of the results of all members."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nanogap.campaign.collect import collect, open_ensemble
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import ensemble, write_dataset
from nanogap.io.ensemble import export_table, write_ensemble

ATTRIBUTES = {
    "settings": "{}",
    "versions": json.dumps({"nanogap": "0"}),
    "core_seconds": 3.5,
    "dynamics_seconds": 2.5,
    "peak_memory": 1e8,
    "run_directory_bytes": 1_000,
    "points": 1,
    "first_contact": float("nan"),
}


def result(transmission, energies=(0.0,)):
    """A result like that of a member, with transmissions over (snapshot, energy)."""
    values = np.asarray(transmission, dtype=np.float64).reshape(-1, len(energies))
    count = len(values)
    return xr.Dataset(
        {
            "transmission": (("snapshot", "energy"), values, {"units": "2e^2/h"}),
            "time": ("snapshot", 100.0 * np.arange(count), {"units": "fs"}),
            "bottleneck_atoms": ("snapshot", np.arange(count)),
            "connected": ("snapshot", np.arange(count) > 1),
            "stage": ("snapshot", np.zeros(count, np.int8), {"flag_meanings": "drift islands"}),
        },
        coords={"snapshot": np.arange(count), "energy": list(energies)},
        attrs=ATTRIBUTES,
    )


def test_members_of_different_length_are_padded(make_folder):
    folder = make_folder("repeats = 2\n[axes]\nvoltage.applied = [1.0, 2.0]")
    traces = [[0.1, 0.9], [0.2], [0.3, 1.1, 2.2]]
    for entry, trace in zip(folder.entries, traces, strict=False):
        write_dataset(result(trace), folder.result_path(entry))
    summary = collect(folder)
    assert (summary.members, summary.planned) == (3, 4)
    with open_ensemble(folder.dataset) as dataset:
        assert dict(dataset.sizes) == {"member": 3, "snapshot": 3, "energy": 1}
        found = dataset["transmission"].isel(energy=0).to_numpy()
        for row, trace in zip(found, traces, strict=True):
            assert row[: len(trace)].tolist() == trace
            assert np.isnan(row[len(trace) :]).all()
        assert dataset["voltage.applied"].to_numpy().tolist() == [1.0, 1.0, 2.0]
        assert dataset["repeat"].to_numpy().tolist() == [0, 1, 0]
        assert [int(seed) for seed in dataset["seed"]] == [e.seed for e in folder.entries[:3]]
        assert dataset["key"].to_numpy().tolist() == [e.key for e in folder.entries[:3]]
        assert set(dataset["transmission"].coords) >= {"voltage.applied", "key", "seed"}
        assert dataset["stage"].attrs["flag_meanings"] == "drift islands"
        assert dataset["time"].attrs["units"] == "fs"


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.lists(st.floats(0.0, 20.0), min_size=1, max_size=6),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 30),
)
def test_the_numbers_come_back_to_the_bit(tmp_path, traces, chunk):
    """Whatever the number of members in a chunk, the last of which may be short."""
    files = [tmp_path / f"{number}.nc" for number in range(len(traces))]
    for file, trace in zip(files, traces, strict=True):
        write_dataset(result(trace), file)
    out = tmp_path / "all.nc"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "_CHUNK", chunk)
        write_ensemble(out, files, {"key": [file.stem for file in files]}, {"campaign": "c"})
    with open_ensemble(out) as dataset:
        for number, trace in enumerate(traces):
            row = dataset["transmission"].isel(member=number, energy=0).to_numpy()
            assert row[~np.isnan(row)].tobytes() == np.array(trace).tobytes()


def test_energies_of_all_members_are_joined(tmp_path):
    files = [tmp_path / "a.nc", tmp_path / "b.nc"]
    write_dataset(result([[1.0, 2.0]], (0.0, 0.5)), files[0])
    write_dataset(result([[3.0, 4.0]], (-0.5, 0.0)), files[1])
    write_ensemble(tmp_path / "all.nc", files, {"key": ["a", "b"]}, {})
    with open_ensemble(tmp_path / "all.nc") as dataset:
        assert dataset["energy"].to_numpy().tolist() == [-0.5, 0.0, 0.5]
        at_fermi_energy = dataset["transmission"].sel(energy=0.0).isel(snapshot=0)
        assert at_fermi_energy.to_numpy().tolist() == [1.0, 4.0]


def test_only_what_is_asked_for_is_read_from_disk(tmp_path):
    """A lazily opened variable holds no numbers until one is used."""
    files = [tmp_path / f"{number}.nc" for number in range(3)]
    for file in files:
        write_dataset(result(np.arange(50_000.0)), file)
    write_ensemble(tmp_path / "all.nc", files, {"key": ["a", "b", "c"]}, {})
    with h5py.File(tmp_path / "all.nc") as file:
        assert file["transmission"].chunks == (2, 50_000, 1)
    with open_ensemble(tmp_path / "all.nc") as dataset:
        variable = dataset["transmission"]
        part = variable.isel(member=1, snapshot=slice(7, 9), energy=0).to_numpy()
        assert part.tolist() == [7.0, 8.0]
        assert not variable.variable._in_memory  # noqa: SLF001 there is no public word for it


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_hold_a_row_per_member_snapshot_and_energy(make_folder, ending):
    folder = make_folder("[axes]\nvoltage.applied = [1.0, 2.0]")
    traces = [[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6]]]
    for entry, trace in zip(folder.entries, traces, strict=True):
        write_dataset(result(trace, (0.0, 0.1)), folder.result_path(entry))
    collect(folder)
    path = folder.path / f"table.{ending}"
    with open_ensemble(folder.dataset) as dataset:
        assert export_table(dataset, path) == 6
    table = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
    assert sorted(table["transmission"]) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    second = table[table["voltage.applied"] == 2.0]
    assert set(second["key"]) == {folder.entries[1].key}
    assert {"seed", "repeat", "time", "snapshot", "energy", "stage"} <= set(table.columns)


def test_mixed_versions_are_told(make_folder):
    folder = make_folder("repeats = 2")
    for number, entry in enumerate(folder.entries):
        made = result([1.0]).assign_attrs(versions=json.dumps({"nanogap": str(number)}))
        write_dataset(made, folder.result_path(entry))
    assert "2 different sets of programs" in collect(folder).notes[0]


def test_what_cannot_be_collected_is_one_sentence(make_folder, tmp_path):
    folder = make_folder()
    with pytest.raises(DataFormatError, match="no member is finished"):
        collect(folder)
    folder.result_path(folder.entries[0]).write_text("no netCDF")
    with pytest.raises(DataFormatError, match="remove it and resume"):
        collect(folder)
    write_dataset(result([1.0]).drop_attrs(), folder.result_path(folder.entries[0]))
    with pytest.raises(DataFormatError, match="no result of a member"):
        collect(folder)
    with pytest.raises(DataFormatError, match="campaign collect"):
        open_ensemble(tmp_path / "none.nc")
    with pytest.raises(SettingsError, match=r"\.csv or \.parquet"):
        export_table(result([1.0]), tmp_path / "table.txt")
