import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.dynamics.laplace import (
    cluster_labels,
    diffuse,
    graph_laplacian,
    largest_diagonal,
    solve_laplace,
)
from nanogap.structure.connectivity import clusters


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
@given(networks(), st.integers(1, 400))
def test_diffusion_is_that_of_the_dense_matrix_and_may_be_made_step_by_step(network, steps):
    """To the bit step by step, also where it comes to rest and makes no more of them."""
    n, pairs, conductances, rng = network
    laplacian = graph_laplacian(n, pairs, conductances)
    free = rng.random(n) < 0.8
    start = rng.normal(0, 1, n)
    assert largest_diagonal(laplacian, free) == laplacian.diagonal()[free].max(initial=0.0)
    rate = 0.5 / max(laplacian.diagonal().max(), 1.0)
    at_once, one_by_one, dense = start.copy(), start.copy(), start.copy()
    made = diffuse(laplacian, free, at_once, rate, steps)
    for _ in range(steps):
        diffuse(laplacian, free, one_by_one, rate, 1)
        dense[free] -= rate * (laplacian.toarray() @ dense)[free]
    assert made <= steps
    np.testing.assert_array_equal(at_once, one_by_one)
    np.testing.assert_array_equal(at_once[~free], start[~free])
    np.testing.assert_allclose(at_once, dense, atol=1e-10)


def test_diffusion_ends_where_the_metal_rests():
    pairs = np.array([[0, 1], [1, 2], [2, 3]])
    laplacian = graph_laplacian(4, pairs, np.ones(3))
    potential = np.full(4, 4.0)
    assert diffuse(laplacian, np.arange(4) > 0, potential, 0.25, 1000) == 1
    potential[1:] = 0.0
    assert 20 < diffuse(laplacian, np.arange(4) > 0, potential, 0.25, 10_000) < 5_000
    np.testing.assert_allclose(potential, 4.0, atol=1e-13)


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
