import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.structure.axis import held_axes, reach

PLACES = st.lists(
    st.tuples(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0), st.booleans()), min_size=1, max_size=30
)


def axes_of(rows, farthest=1.9):
    constriction = np.array([row[:2] for row in rows])
    return held_axes(constriction, np.array([row[2] for row in rows]), farthest), constriction


def test_half_the_inscribed_circle_of_the_cell():
    # a 3 x 3 cell of bonds of 3 angstrom: sides 9 long, 7.79 apart
    assert reach(3.0 * np.sqrt(2.0), 3) == pytest.approx(7.794 / 4.0, abs=1e-3)


def test_an_open_gap_is_cut_where_it_is_narrowest():
    rows = [(0.0, 0.0, False), (5.0, 1.0, False), (0.1, 0.0, False)]
    axes, constriction = axes_of(rows)
    np.testing.assert_array_equal(axes, constriction)


def test_from_the_first_contact_the_cell_stays_until_the_filament_leaves_and_then_stays_there():
    places = [5.0, 0.0, 1.8, -1.8, 2.0, 0.2, 3.8, 0.0]
    bonded = [False, True, True, True, True, True, True, True]
    axes, _ = axes_of([(x, 0.0, b) for x, b in zip(places, bonded, strict=True)])
    assert axes[:, 0].tolist() == [5.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 0.0]


def test_a_rupture_does_not_move_the_cell():
    axes, _ = axes_of([(0.0, 0.0, True), (1.0, 0.0, False), (1.5, 0.0, True)])
    assert not axes.any()


@given(PLACES, st.integers(1, 30))
def test_the_constriction_is_within_reach_and_later_snapshots_change_nothing(rows, count):
    axes, constriction = axes_of(rows)
    assert (np.linalg.norm(axes - constriction, axis=1) <= 1.9).all()
    np.testing.assert_array_equal(axes_of(rows[:count])[0], axes[:count])
    moves = np.any(axes[1:] != axes[:-1], axis=1)
    # whenever it moves, it moves to the constriction
    np.testing.assert_array_equal(axes[1:][moves], constriction[1:][moves])
