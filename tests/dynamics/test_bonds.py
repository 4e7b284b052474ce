import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.dynamics.laplace import (
    NeighbourList,
    cluster_labels,
    graph_laplacian,
    solve_laplace,
)
from nanogap.structure.connectivity import clusters, neighbour_pairs


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


@st.composite
def networks(draw):
    """Random bonds among some atoms, some of them held."""
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    every = np.argwhere(np.triu(np.ones((n, n)), 1) > 0)
    pairs = every[rng.random(len(every)) < draw(st.floats(0.02, 0.9))]
    return n, pairs, rng.uniform(0.01, 1.0, len(pairs)), rng


@settings(deadline=None)  # the first example compiles
@given(networks())
def test_clusters_are_those_of_a_general_library(network):
    n, pairs, _, _ = network
    ours, theirs = cluster_labels(n, pairs), clusters(n, pairs)
    together = {(a, b) for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)}
    assert len(together) == len(set(ours.tolist())) == len(set(theirs.tolist()))
    assert all(ours[label] == label for label in ours)


@settings(deadline=None)  # the first example compiles
@given(networks())
def test_the_laplacian_is_the_dense_one(network):
    n, pairs, conductances, _ = network
    dense = np.zeros((n, n))
    dense[pairs[:, 0], pairs[:, 1]] = conductances
    dense += dense.T
    laplacian = graph_laplacian(n, pairs, conductances)
    laplacian.check_format(full_check=True)
    np.testing.assert_allclose(laplacian.toarray(), np.diag(dense.sum(axis=1)) - dense, atol=1e-12)


@settings(deadline=None)  # the first example compiles
@given(networks())
def test_laplace_is_solved_as_a_dense_solver_does(network):
    n, pairs, conductances, rng = network
    label = cluster_labels(n, pairs)
    held = rng.random(n) < 0.3
    free = np.isin(label, label[held]) & ~held
    if not free.any():
        return
    laplacian = graph_laplacian(n, pairs, conductances)
    potential = rng.normal(0.0, 4.0, n)
    before = potential.copy()
    assert solve_laplace(laplacian, free, potential, 1e-12)
    np.testing.assert_array_equal(potential[~free], before[~free])
    dense = laplacian.toarray()
    wanted = np.linalg.solve(dense[np.ix_(free, free)], -dense[np.ix_(free, held)] @ before[held])
    np.testing.assert_allclose(potential[free], wanted, atol=1e-7)
    # no maximum inside: each free atom has the mean of its neighbours
    assert potential[free].max() <= before[held].max() + 1e-7
    assert potential[free].min() >= before[held].min() - 1e-7


def test_a_system_without_a_solution_is_admitted():
    """A conductance below zero: the matrix is not positive definite."""
    laplacian = graph_laplacian(3, np.array([[0, 1], [1, 2]]), np.array([1.0, -0.9]))
    laplacian[1, 1] = laplacian[1, 1]
    potential = np.array([1.0, 0.0, 0.0])
    before = potential.copy()
    free = np.array([False, True, True])
    with np.errstate(invalid="ignore"):
        found = solve_laplace(laplacian, free, potential, 1e-12)
    assert not found
    assert potential == pytest.approx(before)
