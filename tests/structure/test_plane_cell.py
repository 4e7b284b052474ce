import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.structure.plane_cell import reduced_plane
from nanogap.structure.tips import surface_vectors

BOTH = (True, True)
CELLS = {
    "hexagonal": 3 * surface_vectors(4.16),
    "obtuse": np.array([[1.0, 0.0], [-0.5, np.sqrt(0.75)]]) * 8.8,
    "square": np.eye(2) * 9.0,
    "rectangular": np.diag([17.9, 9.3]),
    "oblique": np.array([[7.0, 0.0], [2.1, 9.0]]),
}


@pytest.mark.parametrize("name", list(CELLS))
def test_a_reduced_cell_stays_as_it_is(name):
    cell, matrix = reduced_plane(CELLS[name], BOTH)
    np.testing.assert_array_equal(cell, CELLS[name])
    np.testing.assert_array_equal(matrix, np.eye(2))


@settings(deadline=None)
@given(
    name=st.sampled_from(list(CELLS)),
    steps=st.lists(st.tuples(st.booleans(), st.integers(-9, 9)), max_size=4),
    angle=st.floats(0.0, 6.28),
)
def test_the_same_lattice_has_the_same_shortest_vectors(name, steps, angle):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.eye(2, dtype=int)
    for swapped, times in steps:
        matrix[1] += times * matrix[0]
        matrix = matrix[::-1] if swapped else matrix
    cell = matrix @ CELLS[name] @ turn
    reduced, found = reduced_plane(cell, BOTH)
    np.testing.assert_allclose(
        sorted(np.linalg.norm(reduced, axis=1)),
        sorted(np.linalg.norm(CELLS[name], axis=1)),
        rtol=1e-6,
    )
    np.testing.assert_allclose(found @ cell, reduced, atol=1e-6)
    assert abs(round(np.linalg.det(found))) == 1


def test_a_wire_or_a_ribbon_has_nothing_to_reduce():
    cell = np.array([[9.0, 0.0], [90.0, 9.0]])
    for periodic in ((False, False), (True, False), (False, True)):
        np.testing.assert_array_equal(reduced_plane(cell, periodic)[0], cell)
