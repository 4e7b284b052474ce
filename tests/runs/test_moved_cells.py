"""Moves of the cell: found from the places of the constriction, computed in the cell before."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from tests.runs.hand_made import snapshot

from nanogap.errors import StructureError
from nanogap.runs import RunDirectory, cell, notes, transport_process
from nanogap.runs.directory import DynamicsState
from nanogap.settings import Settings, load_settings
from nanogap.structure.junction import COUPLING
from nanogap.transport.compute import junctions_of


class _Run:
    window = None

    def __init__(self, folder, places, cut="paper"):
        settings = load_settings("quick", {"junction.cut": cut})
        self.settings, self.places = settings, places
        self.files = SimpleNamespace(moved_cells=folder / "moved-cells.nc")
        frame = SimpleNamespace(info={"lattice_constant": 4.09})
        self.trajectory = SimpleNamespace(frame=lambda _: frame)

    def records(self):
        return [
            SimpleNamespace(
                observables={
                    "constriction_x": x,
                    "constriction_y": 0.0,
                    "bottleneck_atoms": atoms,
                }
            )
            for x, atoms in self.places
        ]


#: Open, open elsewhere, contact, a little off, far off, ruptured.
PLACES = [(0.0, 0), (3.0, 0), (5.0, 1), (5.1, 1), (50.0, 2), (0.0, 0)]


def test_cells_that_move_with_a_bridge_are_found(tmp_path):
    run = _Run(tmp_path, PLACES)
    found = cell.moved_cells(run)
    assert list(found) == [4]
    np.testing.assert_array_equal(found[4], [5.0, 0.0])
    assert [cell.cell_axis(run, n)[0] for n in range(5)] == [0.0, 3.0, 5.0, 5.0, 50.0]


@pytest.mark.parametrize("cut", ["full", "terrace"])
def test_cells_that_hold_the_whole_filament_do_not_move(tmp_path, cut):
    assert cell.moved_cells(_Run(tmp_path, PLACES, cut)) == {}


def test_a_frame_is_cut_alike_in_its_run_and_outside(tmp_path):
    run = RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})
    frames = [snapshot(place) for place in range(3)]
    commit = run.trajectory.append(frames, run.dynamics.commit)
    run.dynamics = DynamicsState(step=300, end_step=300, snapshots_planned=3, commit=commit)
    _, junctions = cell.junctions_of_frames(run.path, ":")
    cells = {tuple(junction.cell.lengths()[:2]) for junction in junctions}
    assert len(cells) == 1
    for record, junction in zip(run.records(), junctions, strict=True):
        (outside,) = junctions_of(run.trajectory.frame(record))
        assert outside == junction
        np.testing.assert_array_equal(outside.arrays[COUPLING], junction.arrays[COUPLING])


def test_moves_are_noted_in_the_status(tmp_path, monkeypatch):
    run = _Run(tmp_path, PLACES)
    for record in (kept := run.records()):
        record.observables["time"] = 37_000.0
    monkeypatch.setattr(run, "records", lambda: kept)
    (note,) = notes.moved_cell_notes(run)
    assert note.startswith("the cell that junctions are cut in moved at 37.00 ps: T may jump")
    assert notes.moved_cell_notes(_Run(tmp_path, PLACES, "terrace")) == []


@pytest.fixture
def computed(monkeypatch):
    """Return the axes of the cells that were computed."""
    axes = []

    def junction_of(_run, number, *, axis):
        if number == 5:
            raise StructureError("the filament has left the cell")
        return axis

    def compute(junctions, energies, **_):
        axes.extend(junction[0] for junction in junctions)
        return xr.Dataset(
            {"transmission_average": (("snapshot", "energy"), [[junctions[0][0]]])},
            coords={"energy": energies},
        )

    monkeypatch.setattr(transport_process, "junction_of", junction_of)
    monkeypatch.setattr(transport_process, "compute_transmission", compute)
    return axes


def test_they_are_computed_once_in_the_cell_before(tmp_path, computed):
    run = _Run(tmp_path, [*PLACES[:5], (100.0, 1)])
    for _ in range(2):  # the second finds them on disk
        transport_process.compute_moved_cells(run, None)
    assert computed == [5.0]
    with xr.open_dataset(run.files.moved_cells) as found:
        assert found["snapshot"].to_numpy().tolist() == [4, 5]
        np.testing.assert_array_equal(found["transmission_average"][:, 0], [5.0, np.nan])
    run.places = [*run.places, (100.0, 1), (200.0, 1)]  # a run that goes on
    transport_process.compute_moved_cells(run, None)
    assert computed == [5.0, 5.0, 100.0]
