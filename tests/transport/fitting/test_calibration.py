import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants

from nanogap.transport.fitting.calibration import Calibration, decay_constant
from nanogap.transport.fitting.vacuum_tail import vacuum_decay


def test_errors_of_known_values():
    found = Calibration().compute(
        ["gap", "gap", "contact"], np.array([0.1, 0.2, 4.0]), np.array([0.2, 0.1, 5.0])
    )
    assert found.mean_absolute_error == pytest.approx(0.1)  # 4 G0 is above `highest`
    assert found.by_class["gap"].bias == pytest.approx(0.0)
    assert found.by_class["contact"].worst == pytest.approx(1.0)
    assert found.rank_correlation == pytest.approx(0.5)


def test_equal_values_have_no_error():
    values = np.array([0.1, 1.0, 2.0, 0.5])
    found = Calibration().compute(["a"] * 4, values, values)
    assert found.mean_absolute_error == 0.0
    assert found.rank_correlation == pytest.approx(1.0)


def test_results_before_compute_are_an_error():
    with pytest.raises(AttributeError, match=r"call compute\(\) first: this Calibration has no"):
        _ = Calibration().mean_absolute_error


def test_unlike_lengths_are_refused():
    with pytest.raises(ValueError, match="two junctions at least"):
        Calibration().compute(["a"], np.zeros(2), np.zeros(2))


@given(kappa=st.floats(0.2, 3.0), scale=st.floats(0.01, 100.0))
@settings(deadline=None)
def test_the_decay_of_an_exponential_is_found(kappa, scale):
    gaps = np.linspace(3.0, 9.0, 7)
    values = scale * np.exp(-2.0 * kappa * gaps)
    assert decay_constant(gaps, values) == pytest.approx(kappa, rel=1e-6)


def test_no_decay_without_transmission():
    with pytest.raises(ValueError, match="above zero"):
        decay_constant(np.array([3.0, 4.0]), np.array([0.1, 0.0]))


def test_a_barrier_decays_as_quantum_mechanics_says():
    height = 4.5 * constants.e
    exact = np.sqrt(2.0 * constants.m_e * height) / constants.hbar * 1e-10
    assert vacuum_decay(4.5) == pytest.approx(exact, rel=1e-6)
