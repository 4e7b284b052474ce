"""Intervals of the coordinates of compact models hold what they should."""

import json

import numpy as np
import pytest

from validation import compact_recovery as measured


@pytest.mark.validation
def test_stored_intervals_cover_the_truth_also_beside_held_coordinates():
    rows = json.loads(measured.DATA.read_text(encoding="utf-8"))["rows"]
    assert {row["model"] for row in rows} == set(measured.DEVICES)
    assert len({row["seed"] for row in rows}) >= 8
    known = [row for row in rows if row["interval"] is not None]
    assert {row["model"] for row in known} == set(measured.DEVICES)
    for row in rows:
        model = measured.DEVICES[row["model"]]
        named = {one.name: one for one in model.coordinates}
        place = model.places()[list(named).index(row["coordinate"])]
        assert row["truth"] == pytest.approx(named[row["coordinate"]].value(place))
        # what is not said is held, and how far it was moved is
        assert (row["interval"] is None) == (row["allowed"] is not None)
    inside = [row["interval"][0] <= row["truth"] <= row["interval"][1] for row in known]
    assert np.mean(inside) >= 0.9
    for name in measured.DEVICES:
        own = [one for one, row in zip(inside, known, strict=True) if row["model"] == name]
        assert np.mean(own) >= 0.9, name


def test_a_trial_is_computed_again():
    rows = json.loads(measured.DATA.read_text(encoding="utf-8"))["rows"]
    stored = [row for row in rows if (row["model"], row["seed"]) == ("threshold", 0)]
    again = measured.trial("threshold", 0)
    assert {row["coordinate"] for row in again if row["allowed"]} == {"set_rate", "reset_rate"}
    for one, other in zip(again, stored, strict=True):
        assert one["coordinate"] == other["coordinate"]
        assert one["value"] == pytest.approx(other["value"], rel=1e-2)
        known = one["interval"] or one["allowed"]
        assert known == pytest.approx(other["interval"] or other["allowed"], rel=5e-2)
        assert known[0] < one["truth"] < known[1]


def test_the_loops_of_a_trial_are_those_of_its_seed():
    first, again, other = (measured.loops("threshold", seed, 1, 2) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1].log_conductance, again[1].log_conductance)
    assert not np.array_equal(first[1].log_conductance, other[1].log_conductance)
    assert all(cycle.contrast > 10.0 for cycle in first)
