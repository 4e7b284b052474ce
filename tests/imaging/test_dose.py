"""Counted electrons: mean and variance of Poisson's distribution, and the same bits by a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.errors import SettingsError
from nanogap.imaging import counted_electrons


@given(share=st.floats(1e-3, 0.5), dose=st.floats(10.0, 1e5), pixel=st.floats(0.1, 2.0))
def test_mean_and_variance_are_what_the_dose_says(share, dose, pixel):
    counts = counted_electrons(np.full((200, 200), share), pixel, dose, seed=4)
    expected = share * dose * pixel**2
    # five standard errors of 40 000 pixels
    assert abs(counts.mean() - expected) < 5.0 * np.sqrt(expected / counts.size)
    spread = np.sqrt((expected + 2.0 * expected**2) / counts.size)
    assert abs(counts.var() - expected) < 5.0 * spread


def test_the_same_seed_draws_the_same_bits_and_another_others():
    share = np.linspace(0.0, 0.3, 900).reshape(30, 30)
    first, again, other = (counted_electrons(share, 0.5, 1e3, seed) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.int64
    assert not first[share == 0.0].any()


@pytest.mark.parametrize("dose", [0.0, -1.0, np.nan, np.inf, 1e30])
def test_a_dose_that_cannot_be_is_refused(dose):
    with pytest.raises(SettingsError, match="electrons per square angstrom"):
        counted_electrons(np.full((2, 2), 0.1), 1.0, dose, 0)


def test_a_negative_seed_is_refused():
    with pytest.raises(SettingsError, match="from 0 on"):
        counted_electrons(np.full((2, 2), 0.1), 1.0, 10.0, -1)
