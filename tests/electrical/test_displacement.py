"""Current into the capacitance beside the gap."""

import numpy as np

from nanogap.electrical import charges_capacitance, displacement_current


def test_a_sweep_charges_the_capacitance_at_its_rate():
    time = np.array([0.0, 0.1, 0.3, 0.4])
    np.testing.assert_allclose(displacement_current(time, 2.0 - 0.5 * time, 1e-10), -5e-11)


def test_one_reading_and_a_time_that_stands_still_say_nothing():
    assert np.isnan(displacement_current([1.0], [1.0], 1e-10)).all()
    assert np.isnan(displacement_current([1.0, 1.0], [1.0, 2.0], 1e-10)).all()


def test_sign_and_size_decide():
    time = np.arange(5.0)
    current = [-1e-10, -1.9e-10, -3e-10, 1e-10, 0.0]
    found = charges_capacitance(time, -time, current, 1e-10)
    assert found.tolist() == [True, True, False, False, False]
    assert not charges_capacitance(time, -time, current, 0.0).any()
