from itertools import pairwise

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from nanogap.analysis import Stage, classify_stages, first_contact, landmarks, stage_spans

snapshots = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 20)), min_size=0, max_size=40
)


def observables(rows):
    connected, in_gap, bottleneck = zip(*rows, strict=True) if rows else ((), (), ())
    return xr.Dataset(
        {
            "connected": ("snapshot", np.array(connected, dtype=bool)),
            "atoms_in_gap": ("snapshot", np.array(in_gap, dtype=int)),
            "bottleneck_atoms": ("snapshot", np.array(bottleneck, dtype=int)),
        },
        coords={"snapshot": np.arange(len(rows))},
    )


@given(snapshots)
def test_every_snapshot_has_one_stage_that_fits(rows):
    stages = classify_stages(observables(rows))
    assert len(stages) == len(rows)
    for stage, (connected, _, bottleneck) in zip(stages, rows, strict=True):
        bridged = stage in {Stage.CONTACT, Stage.LATERAL_GROWTH}
        assert bridged or not bottleneck
        assert not bridged or bottleneck or connected
    first = first_contact(observables(rows))
    before = stages if first is None else stages[:first]
    assert set(before) <= {Stage.DRIFT, Stage.ISLANDS}
    if first is not None:
        assert not set(stages[first:]) & {Stage.DRIFT, Stage.ISLANDS}


@given(snapshots)
def test_spans_cover_all_snapshots_once(rows):
    stages = classify_stages(observables(rows))
    spans = stage_spans(stages)
    covered = [stage for stage, first, last in spans for _ in range(first, last + 1)]
    assert covered == stages
    assert all(a[0] is not b[0] for a, b in pairwise(spans))


def test_the_story_of_a_filament():
    story = [
        (Stage.DRIFT, (False, 0, 0)),
        (Stage.ISLANDS, (False, 3, 0)),
        (Stage.ISLANDS, (True, 3, 0)),  # within reach, but not bonded yet
        (Stage.CONTACT, (True, 3, 1)),
        (Stage.CONTACT, (True, 3, 0)),  # the bond is stretched for a moment
        (Stage.LATERAL_GROWTH, (True, 9, 4)),
        (Stage.RUPTURE, (False, 5, 0)),
        (Stage.RUPTURE, (True, 5, 0)),
        (Stage.CONTACT, (True, 5, 1)),
    ]
    assert classify_stages(observables([row for _, row in story])) == [s for s, _ in story]


def test_every_stage_is_described_in_a_sentence():
    assert all(stage.description.endswith(".") for stage in Stage)


def test_landmarks_are_snapshot_numbers():
    data = observables([(False, 0, 0), (True, 1, 1), (False, 1, 0)])
    data = data.assign_coords(snapshot=[4, 7, 9])
    assert landmarks(data) == {"first": 4, "first_contact": 7, "last": 9}


def test_landmarks_without_contact_or_snapshots():
    assert landmarks(observables([(False, 0, 0)])) == {"first": 0, "last": 0}
    assert landmarks(observables([])) == {}


def test_connected_may_be_stored_as_integers():
    data = observables([(False, 0, 0), (True, 1, 1)])
    data["connected"] = data["connected"].astype(np.int8)
    assert landmarks(data)["first_contact"] == 1
    assert classify_stages(data) == [Stage.DRIFT, Stage.CONTACT]
