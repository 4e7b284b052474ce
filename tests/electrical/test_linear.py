import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nanogap.electrical.linear import Forced, TwoModes, phi_functions


@given(st.floats(-1e4, 0.5))
def test_phi_functions_are_their_integrals(z):
    """phi_k(z) is the integral of e^((1-s) z) s^(k-1)/(k-1)! over s from 0 to 1."""
    # the exponential needs a fine grid only where it is steep
    s, w = np.polynomial.legendre.leggauss(60)
    edge = min(1.0, 40.0 / max(1.0, -z))
    points = 1.0 - edge * (s + 1.0) / 2.0
    for k, value in enumerate(phi_functions(z), start=1):
        inner = np.exp((1.0 - points) * z) * points ** (k - 1) / math.factorial(k - 1)
        assert value == pytest.approx(float(w @ inner) * edge / 2.0, rel=1e-11)


rates = st.floats(1e-3, 1e3)


@settings(deadline=None)
@given(rates, st.floats(0.0, 1e3), rates, st.floats(0.0, 1e3), st.floats(1e-3, 1.0))
def test_the_closed_solution_is_the_matrix_exponential(first, second, charging, leaking, time):
    forces = ((0.3, -0.2), (0.1, 0.05))
    second = min(second, first)
    modes = TwoModes((1.0, -0.5), (-first, second), charging, leaking, forces)
    matrix = np.zeros((6, 6))
    matrix[0, :2], matrix[1, :2] = [-first, second], [charging, -(charging + leaking)]
    matrix[0, 2:4], matrix[1, 2:4] = forces
    matrix[3, 2] = 1.0  # time
    matrix[4, 0] = matrix[5, 1] = 1.0  # integrals
    expected = expm(matrix * time) @ [1.0, -0.5, 1.0, 0.0, 0.0, 0.0]
    found = modes.at(time)
    # two equal eigenvalues are moved apart by 1e-5 of themselves
    np.testing.assert_allclose(found, expected[[0, 1, 4, 5]], rtol=1e-4, atol=1e-4)
    gap = abs(modes.modes[0].rate - modes.modes[1].rate)
    if gap > 1e-3 * abs(modes.modes[1].rate):
        np.testing.assert_allclose(found, expected[[0, 1, 4, 5]], rtol=1e-8, atol=1e-8)


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(-1.0, 1.0)] * 4),
    st.tuples(*[st.floats(0.01, 30.0)] * 3),
    st.tuples(*[st.floats(-1.0, 1.0)] * 4),
)
def test_the_first_zero_is_that_of_a_fine_search(start_forces, row, function):
    first, charging, leaking = row
    modes = TwoModes(
        start_forces[:2],
        (-first, 0.5 * first),
        charging,
        leaking,
        ((start_forces[2], 0.3), (start_forces[3], 0.0)),
    )
    excess = Forced(modes, function[:2], function[2], function[3])
    found = excess.first_positive(5.0)
    times = np.linspace(0.0, 5.0, 4001)
    values = np.array([excess.value(time) for time in times])
    upward = np.flatnonzero((values[:-1] <= 0.0) & (values[1:] > 0.0))
    if len(upward):
        # a pair of zeros between two points may come first
        assert found is not None
        assert found <= times[upward[0] + 1] + 1e-12
    if found is not None:
        assert excess.value(found) == pytest.approx(0.0, abs=1e-9)
        before = values[times < found]
        positive = np.flatnonzero(before > 1e-9)
        # positive before only if it began so
        assert not len(positive) or before[0] > 0.0
