from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from tests import hand_made_frames

from nanogap.analysis import (
    Stage,
    bridge_events,
    classify_stages,
    first_contact,
    landmarks,
    stage_spans,
    typical_snapshots,
)
from nanogap.structure import analyse_connection, analyse_gap

snapshots = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 20)), min_size=0, max_size=40
)


def observables(rows):
    connected, island, bottleneck = zip(*rows, strict=True) if rows else ((), (), ())
    return xr.Dataset(
        {
            "time": ("snapshot", 100.0 * np.arange(len(rows))),
            "connected": ("snapshot", np.array(connected, dtype=bool)),
            "largest_island": ("snapshot", np.array(island, dtype=int)),
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


#: Kinds of hand-made frames, and the stage that each is by construction.
MAKERS = {
    Stage.DRIFT: hand_made_frames.drift,
    Stage.ISLANDS: hand_made_frames.islands,
    Stage.CONTACT: hand_made_frames.contact,
    Stage.LATERAL_GROWTH: hand_made_frames.lateral_growth,
}


def hand_made(maker, seed):
    """Row of observables of a hand-made frame; every other one is shaken as heat would."""
    sites, layers = maker(seed)
    atoms = hand_made_frames.frame(sites, layers, jitter=0.1 * (seed % 2), seed=seed)
    connection = analyse_connection(atoms, 4.0)
    gap = analyse_gap(atoms, connection)
    return connection.connected, gap.largest_island, len(connection.bottleneck)


@pytest.mark.validation
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("stage", MAKERS, ids=str)
def test_hand_made_frames_are_told(stage, seed):
    assert classify_stages(observables([hand_made(MAKERS[stage], seed)])) == [stage]


@pytest.mark.validation
@pytest.mark.parametrize("seed", range(12))
def test_hand_made_ruptures_are_told(seed):
    """Whatever is open after a bridge is a rupture; a bridge after it is none any more."""
    bridge = (Stage.CONTACT, Stage.LATERAL_GROWTH)[seed % 2]
    gap = (Stage.DRIFT, Stage.ISLANDS)[seed // 2 % 2]
    story = [Stage.ISLANDS, bridge, gap, gap, Stage.CONTACT]
    rows = [hand_made(MAKERS[stage], seed + place) for place, stage in enumerate(story)]
    told = classify_stages(observables(rows))
    assert told == [Stage.ISLANDS, bridge, Stage.RUPTURE, Stage.RUPTURE, Stage.CONTACT]
    events = [(event.kind, event.snapshot) for event in bridge_events(observables(rows))]
    assert events == [("first contact", 1), ("rupture", 2), ("re-contact", 4)]


@given(snapshots)
def test_events_alternate_and_begin_with_the_first_contact(rows):
    data = observables(rows)
    events = bridge_events(data)
    kinds = [event.kind for event in events]
    assert kinds == (["first contact"] + ["rupture", "re-contact"] * len(kinds))[: len(kinds)]
    assert [event.snapshot for event in events[:1]] == [
        index for index in [first_contact(data)] if index is not None
    ]
    assert [event.time for event in events] == [100.0 * event.snapshot for event in events]
    stages = classify_stages(data)
    bridged = {Stage.CONTACT, Stage.LATERAL_GROWTH}
    changes = [i for i, stage in enumerate(stages)
               if (stage in bridged) != (i > 0 and stages[i - 1] in bridged)]  # fmt: skip
    assert [event.snapshot for event in events] == changes


@given(snapshots)
def test_typical_snapshots_show_every_stage_once(rows):
    stages = classify_stages(observables(rows))
    typical = typical_snapshots(stages)
    assert typical.keys() == set(stages)
    assert all(stages[index] is stage for stage, index in typical.items())


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
