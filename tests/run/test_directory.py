import numpy as np
import pytest
import xarray as xr

from nanogap.errors import DataFormatError
from nanogap.io import write_dataset
from nanogap.run.directory import RunDirectory
from nanogap.settings import load_settings


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


def joined(path, *parts):
    run = RunDirectory.create(path / "run", load_settings("quick"), "quick", {})
    for number, part in enumerate(parts):
        write_dataset(part, run.transmission_path(number))
    return run.transmission()


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
    averages = RunDirectory(tmp_path / "run").transmission_averages()
    expected = whole[["transmission_average"]]
    xr.testing.assert_identical(averages, expected)


def test_averages_of_none_and_of_a_damaged_file(tmp_path):
    run = RunDirectory.create(tmp_path / "run", load_settings("quick"), "quick", {})
    assert run.transmission_averages() is None
    run.transmission_path(0).write_text("no netCDF")
    with pytest.raises(DataFormatError, match=r"000000.nc cannot be read"):
        run.transmission_averages()
