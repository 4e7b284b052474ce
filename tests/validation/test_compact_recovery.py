"""Intervals of the coordinates of compact models hold what they should."""

import json

import numpy as np
import pytest

from validation import compact_recovery as measured


@pytest.mark.validation
def test_stored_intervals_cover_where_every_coordinate_is_said():
    rows = json.loads(measured.DATA.read_text(encoding="utf-8"))["rows"]
    known = [row for row in rows if row["model"] == "potentiation"]
    assert len(known) >= 30
    assert all(row["interval"] is not None for row in known)
    assert len({row["seed"] for row in rows}) >= 4
    for row in rows:
        model = measured.DEVICES[row["model"]]
        named = {one.name: one for one in model.coordinates}
        place = model.places()[list(named).index(row["coordinate"])]
        assert row["truth"] == pytest.approx(named[row["coordinate"]].value(place))
    inside = [row["interval"][0] <= row["truth"] <= row["interval"][1] for row in known]
    assert np.mean(inside) >= 0.9


def test_the_loops_of_a_trial_are_those_of_its_seed():
    first, again, other = (measured.loops("threshold", seed, 1, 2) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1].log_conductance, again[1].log_conductance)
    assert not np.array_equal(first[1].log_conductance, other[1].log_conductance)
    assert all(cycle.contrast > 10.0 for cycle in first)
