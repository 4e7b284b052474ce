"""The index of a trajectory, read while it grows."""

import json

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator

from nanogap.errors import DataFormatError
from nanogap.io.trajectory import Commit, TrajectoryStore
from nanogap.observables import OBSERVABLES


def lines_of(numbers):
    """Return index lines of snapshots, with text of more bytes than letters."""
    record = dict.fromkeys(OBSERVABLES, 1.0) | {"length": 1, "note": "Å"}
    return "".join(
        json.dumps(record | {"offset": number}, ensure_ascii=False) + "\n" for number in numbers
    )


def test_a_growing_index_reads_as_a_whole_one(tmp_path):
    index = tmp_path / "snapshots.jsonl"
    store = TrajectoryStore(tmp_path)
    assert store.records(0) == []
    for end in (1, 4, 9):
        index.write_text(lines_of(range(end)) + "half a li", encoding="utf-8")
        assert store.records(end) == TrajectoryStore(tmp_path).records(end)
        assert [record.offset for record in store.records(end)] == list(range(end))
    assert store.records(2) == store.records(9)[:2]


def test_committed_lines_are_read_once(tmp_path):
    index = tmp_path / "snapshots.jsonl"
    index.write_text(lines_of(range(3)), encoding="utf-8")
    store = TrajectoryStore(tmp_path)
    known = store.records(3)
    index.unlink()
    assert store.records(3) == known


def test_damage_behind_lines_that_are_known_is_named_by_its_line(tmp_path):
    index = tmp_path / "snapshots.jsonl"
    index.write_text(lines_of(range(2)), encoding="utf-8")
    store = TrajectoryStore(tmp_path)
    store.records(2)
    with pytest.raises(DataFormatError, match="holds 2 of 3 snapshots"):
        store.records(3)
    index.write_text(lines_of(range(2)) + "{}\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="damaged at line 3"):
        store.records(3)
    index.write_text(lines_of(range(3)), encoding="utf-8")
    assert len(store.records(3)) == 3


def frame(place):
    """Make a frame with everything that a snapshot has."""
    random = np.random.default_rng(place)
    atoms = Atoms("Ag3", random.uniform(0.0, 9.0, (3, 3)), cell=[9.0, 9.0, 9.0])
    atoms.new_array("electrode", np.array(["bottom", "mobile", "top"]))
    atoms.set_velocities(random.normal(0.0, 0.003, (3, 3)) / units.fs)
    for name, known in OBSERVABLES.items():
        atoms.info[name] = np.dtype(known.dtype).type(place + 1.25)
    charges = random.normal(0.0, 0.1, 3)
    atoms.calc = SinglePointCalculator(atoms, energy=-3.0 - place, charges=charges)
    return atoms


def test_frames_come_back_with_charges_and_velocities_where_ase_asks(tmp_path):
    store, frames = TrajectoryStore(tmp_path), [frame(place) for place in range(3)]
    commit = store.append(frames[:2], Commit())
    commit = store.append(frames[2:], commit)
    stored = [store.frame(record) for record in store.records(commit.snapshots)]
    for read_frames in (stored, ase.io.read(tmp_path / "trajectory.extxyz", ":")):
        for ours, theirs in zip(read_frames, frames, strict=True):
            np.testing.assert_allclose(ours.get_charges(), theirs.get_charges(), atol=1e-8)
            np.testing.assert_allclose(ours.get_velocities(), theirs.get_velocities(), atol=1e-8)
            assert ours.get_kinetic_energy() == pytest.approx(theirs.get_kinetic_energy(), 1e-6)
            assert ours.get_potential_energy() == theirs.get_potential_energy()


def test_observables_have_the_types_and_units_of_their_table(tmp_path):
    store = TrajectoryStore(tmp_path)
    commit = store.append([frame(0), frame(1)], Commit())
    for count in (0, commit.snapshots):
        dataset = store.observables(count)
        assert list(dataset.data_vars) == list(OBSERVABLES)
        for name, known in OBSERVABLES.items():
            assert dataset[name].dtype == known.dtype
            assert dataset[name].attrs == {"units": known.unit, "long_name": known.meaning}
    assert dataset["time"].to_numpy().tolist() == [1.25, 2.25]


def test_an_index_that_lacks_an_observable_is_damaged(tmp_path):
    store = TrajectoryStore(tmp_path)
    commit = store.append([frame(0)], Commit())
    index = tmp_path / "snapshots.jsonl"
    line = json.loads(index.read_text())
    del line["minimax_gap"]
    index.write_text(json.dumps(line) + "\n")
    with pytest.raises(DataFormatError, match=r"damaged at line 1: it lacks 'minimax_gap'"):
        TrajectoryStore(tmp_path).records(commit.snapshots)
