"""A limit of the instrument is found where there is one, and nowhere else."""

import numpy as np
import pytest

from nanogap.analysis import SwitchingAnalysis
from nanogap.analysis.traces.compliance import find_compliance
from nanogap.errors import DataFormatError, SettingsError

LIMIT = 1e-4
LOW, HIGH = 1.0 / 4.03e-4, 12.9e6


def triangle(count=76, top=1.5):
    return top * np.concatenate([np.linspace(0.0, 1.0, count), np.linspace(1.0, 0.0, count)[1:]])


def set_loop(limit=LIMIT, threshold=0.59):
    """Return a SET from the high to the low state under a limit."""
    volts = triangle()
    low = np.arange(len(volts)) >= np.flatnonzero(volts > threshold)[0]
    return volts, np.minimum(np.where(low, volts / LOW, volts / HIGH), limit)


def full_loop(limit=LIMIT):
    """Return a loop whose RESET draws more than the limit of the SET."""
    volts, amperes = set_loop(limit)
    down = -triangle()
    low = np.arange(len(down)) < np.flatnonzero(down < -0.59)[0]
    reset = np.where(low, down / LOW, down / HIGH)
    return np.concatenate([volts, down]), np.concatenate([amperes, reset])


def repeated(loop, cycles):
    volts, amperes = loop
    return np.tile(volts, cycles), np.tile(amperes, cycles), np.repeat(range(cycles), len(volts))


def test_a_plateau_is_a_limit_and_its_points_alone_are_left_out():
    volts, amperes, cycle = repeated(set_loop(), 3)
    found = find_compliance(volts, amperes, cycle)
    assert found.origin == "curve"
    assert found.current == pytest.approx(LIMIT)
    np.testing.assert_array_equal(found.limited, amperes >= LIMIT)
    kept = ~found.limited & (volts > 0.1)
    conductance = amperes[kept] / volts[kept]
    assert {round(float(1.0 / g)) for g in conductance} == {round(LOW), round(HIGH)}


def test_a_reset_above_the_limit_does_not_hide_it():
    volts, amperes, cycle = repeated(full_loop(), 3)
    assert np.abs(amperes).max() > 2 * LIMIT
    for sign in (1.0, -1.0):
        found = find_compliance(sign * volts, sign * amperes, cycle)
        assert found.current == pytest.approx(LIMIT)
        np.testing.assert_array_equal(found.limited, amperes == LIMIT)


def test_two_polarities_have_limits_of_their_own():
    volts = np.concatenate([triangle(), -triangle()])
    amperes = np.clip(volts / np.where(volts > 0.0, 2e3, 300.0), -2e-3, LIMIT)
    found = find_compliance(volts, amperes)
    assert found.current == pytest.approx(LIMIT)
    assert set(np.sign(volts[found.limited])) == {1.0, -1.0}


@pytest.mark.parametrize("scatter", [1e-4, 1e-3, 5e-3])
def test_a_limit_is_found_through_noise(scatter):
    volts, amperes = set_loop()
    amperes = amperes * (1.0 + scatter * np.random.default_rng(1).normal(size=len(volts)))
    found = find_compliance(volts, amperes)
    assert found.current == pytest.approx(LIMIT, rel=3 * scatter)
    assert np.mean(found.limited == (set_loop()[1] == LIMIT)) > 0.98


def test_an_overshoot_does_not_hide_the_limit():
    volts, amperes = set_loop()
    amperes[np.flatnonzero(amperes == LIMIT)[0]] = 1.7 * LIMIT
    found = find_compliance(volts, amperes)
    assert found.current == pytest.approx(LIMIT)
    assert found.limited[np.argmax(amperes)]


def test_a_sweep_that_reaches_the_limit_at_its_very_end_is_limited_too():
    volts, amperes = np.concatenate([triangle(), triangle()]), np.empty(2 * len(triangle()))
    amperes[: len(amperes) // 2] = set_loop()[1]
    amperes[len(amperes) // 2 :] = np.where(triangle() == 1.5, LIMIT, triangle() / HIGH)
    cycle = np.repeat([0, 1], len(triangle()))
    assert find_compliance(volts, amperes, cycle).limited[np.flatnonzero(cycle)].sum() == 1


FINE = triangle(1000, 0.5)
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("volts", "amperes"),
    [
        pytest.param(FINE, FINE / 4630.0, id="resistor"),
        pytest.param(FINE, FINE / 4630.0 * (1 + 0.01 * RANDOM.normal(size=1999)), id="noisy"),
        pytest.param(FINE, np.round(FINE * 40.0) / 40.0 / 4630.0, id="coarse digits"),
        pytest.param(FINE, 1e-3 * (1.0 - ((FINE - 0.35) / 0.35) ** 2), id="rounded maximum"),
        pytest.param(FINE, 1e-3 * np.exp(-(((FINE - 0.35) / 0.1) ** 2)), id="peak"),
        pytest.param(FINE, 1e-3 * np.tanh(6.0 * FINE), id="sublinear"),
        pytest.param(
            np.sin(np.linspace(0, np.pi, 999)), 1e-3 * np.sin(np.linspace(0, np.pi, 999)), id="sine"
        ),
        pytest.param(FINE, 1e-12 * RANDOM.normal(size=1999), id="open gap"),
        pytest.param(
            0.1 + 1e-5 * RANDOM.normal(size=999),
            1e-4 * (1 + 1e-3 * RANDOM.normal(size=999)),
            id="constant voltage",
        ),
        pytest.param(
            np.repeat(np.linspace(1e-7, 2e-5, 400), 4)
            / np.repeat([1.0, 2.0, 3.0, 4.0], 400)
            / 7.748e-5
            * (1 + 0.01 * RANDOM.normal(size=1600)),
            np.repeat(np.linspace(1e-7, 2e-5, 400), 4),
            id="current sweep",
        ),
    ],
)
def test_what_is_no_limit(volts, amperes):
    found = find_compliance(volts, amperes)
    assert found.current is None
    assert found.origin == "none"
    assert not found.limited.any()


def test_flags_and_a_given_limit_win():
    volts, amperes, cycle = repeated(full_loop(), 2)
    flags = np.arange(len(volts)) == 70
    found = find_compliance(volts, amperes, cycle, flags)
    assert (found.origin, int(found.limited.sum())) == ("file", 1)
    # flags that are down everywhere say that nothing was limited
    found = find_compliance(volts, amperes, cycle, np.zeros(len(volts), dtype=bool))
    assert (found.origin, found.current, found.limited.any()) == ("none", None, False)
    given = find_compliance(volts, amperes, cycle, given=LIMIT)
    # the RESET was free of the limit of the SET
    np.testing.assert_array_equal(given.limited, amperes == LIMIT)
    assert find_compliance(volts, amperes, cycle, given=1.0).current is None
    with pytest.raises(SettingsError, match=r"compliance is 0\.0 A"):
        find_compliance(volts, amperes, given=0.0)


def test_states_that_a_limit_hides_are_not_swapped():
    volts, amperes, cycle = repeated(set_loop(), 4)
    states = SwitchingAnalysis(read_voltage=0.4).compute(volts, amperes, cycle).endurance
    np.testing.assert_allclose(states["high_resistance"], HIGH)
    assert np.isnan(states["low_resistance"]).all()
    # only the return leg can be read: the low state
    part = np.tile(np.arange(len(volts) // 4) > 70, 4)
    back = SwitchingAnalysis(read_voltage=0.2).compute(volts[part], amperes[part], cycle[part])
    np.testing.assert_allclose(back.endurance["low_resistance"], LOW)
    assert np.isnan(back.endurance["high_resistance"]).all()


def test_a_hidden_low_state_is_read_at_the_opposite_voltage():
    volts, amperes, cycle = repeated(full_loop(), 3)
    found = SwitchingAnalysis(read_voltage=0.4).compute(volts, amperes, cycle)
    np.testing.assert_allclose(found.endurance["high_resistance"], HIGH)
    np.testing.assert_allclose(found.endurance["low_resistance"], LOW)
    assert found.compliance_current == pytest.approx(LIMIT)
    assert [event.kind for event in found.events] == 3 * ["set", "reset"]


def test_a_gate_sweep_and_a_family_of_curves_are_no_switching():
    current = np.geomspace(1e-9, 1e-5, 200)
    for volts in (
        np.linspace(0.09998, 0.09999, 200),
        np.repeat([0.1, 0.5, 1.0, 1.5], 50),
    ):
        with pytest.raises(DataFormatError, match="constant"):
            SwitchingAnalysis().compute(volts, current, np.zeros(200))


def test_no_event_is_below_the_minimum_ratio():
    volts = triangle(200, 1.0)
    for seed in range(5):
        random = np.random.default_rng(seed)
        # a change that takes many points
        low = 1.0 / (1.0 + np.exp(-(np.arange(399) - 150.0) / random.uniform(1.0, 12.0)))
        amperes = volts * 10.0 ** (-6.0 + 2.0 * low) * (1.0 + 0.05 * random.normal(size=399))
        for event in SwitchingAnalysis().compute(volts, amperes, np.zeros(399)).events:
            assert event.ratio >= 3.0 or event.ratio <= 1.0 / 3.0
