"""The index of a trajectory, read while it grows."""

import json

import pytest

from nanogap.errors import DataFormatError
from nanogap.io.trajectory import OBSERVABLES, TrajectoryStore


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
        assert [record["offset"] for record in store.records(end)] == list(range(end))
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
