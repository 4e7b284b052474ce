"""Transmissions are joined while a long run is computed, not all at its end."""

from types import SimpleNamespace

import xarray as xr

from nanogap.runs import transport_process
from nanogap.settings import load_settings


class _Run:
    def __init__(self, folder, snapshots):
        self.settings = load_settings("quick")
        self.hamiltonian = None
        commit = SimpleNamespace(snapshots=snapshots)
        self.dynamics = SimpleNamespace(commit=commit, finished=True)
        self.files = SimpleNamespace(joined_transmission=folder / "transmission.nc")
        self._folder, self.computed = folder, []

    def transmission_path(self, number):
        return self._folder / f"{number}.nc"

    failure_path = transmission_path

    def transmission(self):
        return xr.Dataset({"known": ("snapshot", list(self.computed))})


def test_a_long_run_is_joined_as_it_grows(tmp_path, monkeypatch):
    run, sizes = _Run(tmp_path, 12), []
    monkeypatch.setattr(transport_process, "_JOINED_TOGETHER", 5)
    monkeypatch.setattr(
        transport_process, "_one_snapshot", lambda run, number, _: run.computed.append(number)
    )
    monkeypatch.setattr(transport_process, "_spectra", lambda *_: None)
    monkeypatch.setattr(
        transport_process, "write_dataset", lambda data, _: sizes.append(data.sizes["snapshot"])
    )
    transport_process.transmit(run, 0, 1, for_report=False)
    assert sizes == [5, 10]
