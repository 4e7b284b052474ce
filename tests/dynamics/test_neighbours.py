import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.dynamics.neighbours import NeighbourList
from nanogap.structure.connectivity import neighbour_pairs


@settings(deadline=None)  # the first example compiles
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 120),
    cutoff=st.floats(2.5, 6.0),
    size=st.floats(1.0, 40.0),
    step=st.floats(0.0, 3.0),
)
def test_a_list_that_is_kept_finds_the_same_neighbours(seed, n, cutoff, size, step):
    """Small moves, that reuse the list, and large ones; flat, dense and thin clouds of atoms."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-size, size, (n, 3)) * rng.choice([0.0, 1.0, 1.0], 3)
    neighbours = NeighbourList(cutoff)
    for scale in (0.0, 0.1, 1.0, 0.1, 0.1):
        positions = positions + rng.normal(0.0, scale * step + 1e-9, positions.shape)
        pairs, distances = neighbours.pairs(positions)
        wanted, apart = neighbour_pairs(positions, cutoff)
        np.testing.assert_array_equal(pairs, wanted)
        # to the bit: a resumed run makes its list at another moment
        np.testing.assert_array_equal(distances, apart)


def test_a_lost_position_breaks_nothing():
    neighbours = NeighbourList(4.0)
    positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [np.nan, 0.0, 0.0], [0.0, 3.0, 0.0]])
    pairs, _ = neighbours.pairs(positions)
    assert {(0, 1), (0, 3)} <= {tuple(pair) for pair in pairs.tolist()}
    assert not (pairs == 2).any()


def test_no_pairs_are_listed_among_held_atoms():
    rng = np.random.default_rng(1)
    positions, held = rng.uniform(0.0, 10.0, (60, 3)), rng.uniform(size=60) < 0.5
    pairs, distances = NeighbourList(4.0, held).pairs(positions)
    wanted, apart = neighbour_pairs(positions, 4.0)
    some_moves = ~held[wanted].all(axis=1)
    np.testing.assert_array_equal(pairs, wanted[some_moves])
    np.testing.assert_array_equal(distances, apart[some_moves])
