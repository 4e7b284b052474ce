"""Costs measured on a copy, and caps that follow from them."""

import numpy as np
import pytest

from nanogap.device.lattice import METAL, build_lattice
from nanogap.device.throttling import adapt_caps, measure_cost
from nanogap.errors import SettingsError
from tests.device.plain_kinetics import made_up_metal, random_states
from tests.device.test_engine import engine_of

SMALL = build_lattice(4.09, 14.0, 14.0, 7)


def engine():
    states, fixed = random_states(SMALL, 3, filling=0.2)
    assert (states == METAL).any()
    return engine_of(states, fixed, metal=made_up_metal(), temperature=400.0)


def test_a_trial_leaves_the_device_as_it_is():
    device = engine()
    before = device.copy()
    cost = measure_cost(device, events=2000)
    assert cost.events_per_second == pytest.approx(cost.metal)
    assert cost.cpu_per_second > 0.0
    assert device.time == before.time
    np.testing.assert_array_equal(device.state.occupation, before.state.occupation)
    assert device.advance(1.0, max_events=500, stop_on_contact=False) == before.advance(
        1.0, max_events=500, stop_on_contact=False
    )


def test_caps_fall_until_the_cost_is_met():
    free = measure_cost(engine(), events=2000)
    wanted = free.events_per_second / 100.0
    found = adapt_caps(engine(), most_events_per_second=wanted, slow_rate=1e-3, events=2000)
    assert found.events_per_second <= wanted
    assert found.caps.metal < 1e12
    assert found.caps.ion == np.inf


def test_no_cap_comes_near_what_is_of_interest():
    found = adapt_caps(engine(), most_events_per_second=1.0, slow_rate=1e6, events=2000)
    assert found.caps.metal == pytest.approx(1e8)
    assert found.events_per_second > 1.0


def test_caps_that_cannot_be_are_refused():
    with pytest.raises(SettingsError, match="cannot be"):
        adapt_caps(engine(), most_events_per_second=0.0, slow_rate=1.0)
