"""Attributes of thousands of results: read quickly, and judged all the same."""

import sys

import h5py
import numpy as np
import pytest
from tests.campaign.synthetic import rewiring

from nanogap.campaign.costs import Outcome, result_attributes, result_outcome
from nanogap.campaign.state import CampaignState
from nanogap.errors import DataFormatError
from nanogap.io import results, write_dataset
from nanogap.io.results import open_hdf5_quickly, read_some_attributes


def test_numbers_and_texts_come_back(tmp_path):
    path = tmp_path / "a.nc"
    data = rewiring(3, length=6)
    write_dataset(data, path)
    cost = result_attributes(path)
    assert {name: getattr(cost, name) for name in vars(cost)} == {
        name: data.attrs[name] for name in vars(cost)
    }
    assert isinstance(cost.points, int)
    assert result_outcome(path) == Outcome(36.0, cost.points, cost.first_contact)
    found = read_some_attributes(path, ["versions", "none"], ["core_seconds", "neither"])
    assert found == {"versions": data.attrs["versions"], "core_seconds": 36.0}


def test_scalars_of_every_kind_are_numbers(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["scalar"] = np.int8(3)
        file.attrs["one"] = np.array([2.5], dtype=np.float32)
        file.attrs["several"] = np.arange(3.0)
        file.attrs["text"] = "word"
    found = read_some_attributes(path, ["text"], ["scalar", "one", "several"])
    assert found == {"text": "word", "scalar": 3.0, "one": 2.5}
    with pytest.raises(DataFormatError, match="cannot be read"):
        read_some_attributes(path, [], ["text"])


@pytest.mark.parametrize("content", [None, b"", b"no netCDF"])
def test_a_result_that_cannot_be_read_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"a\.nc"):
        result_outcome(path)


def test_each_of_many_results_is_opened_once_and_quickly(make_folder, monkeypatch):
    """`h5py.File` takes three times as long, and xarray ten."""
    opened = []

    def open_and_count(path):
        opened.append(path)
        return open_hdf5_quickly(path)

    monkeypatch.setattr(results, "open_hdf5_quickly", open_and_count)
    folder = make_folder("repeats = 20")
    write_dataset(rewiring(0, length=6), folder.result_path(folder.entries[0]))
    content = folder.result_path(folder.entries[0]).read_bytes()
    for entry in folder.entries[1:]:
        folder.result_path(entry).write_bytes(content)
    monkeypatch.setattr(h5py, "File", None)
    state = CampaignState(folder)
    assert state.describe().finished == 20
    assert sorted(opened) == sorted(folder.result_path(entry) for entry in folder.entries)
    assert state.describe().finished == 20
    assert len(opened) == 20


def test_looking_at_a_campaign_loads_no_physics(make_folder, in_a_new_process):
    folder = make_folder("repeats = 2")
    write_dataset(rewiring(0, length=6), folder.result_path(folder.entries[0]))
    write_dataset(rewiring(1, length=6), folder.result_path(folder.entries[1]))
    loaded = in_a_new_process(folder.path)
    assert loaded.isdisjoint({"ase", "scipy", "numba", "xarray", "pandas", "matplotlib"})


@pytest.fixture
def in_a_new_process():
    """Return a function that looks at a campaign and returns the modules that this loads."""
    import subprocess

    code = (
        "import sys\nsys.argv = ['nanogap', 'campaign', 'status', sys.argv[1], '--json']\n"
        "from nanogap.cli.app import main\nmain()\nprint(*sys.modules)\n"
    )

    def look(path):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines()[-1].split())

    return look
