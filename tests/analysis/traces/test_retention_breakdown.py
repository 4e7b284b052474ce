import numpy as np
import pytest

from nanogap.analysis import BreakdownAnalysis, RetentionDrift
from nanogap.errors import DataFormatError, SettingsError
from nanogap.synthetic.devices import breakdown_sweep
from nanogap.synthetic.signals import coloured_noise

TIME = np.arange(1, 4001) * 0.25


@pytest.mark.validation
@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_drifts_are_found_within_their_errors(exponent):
    pulls = []
    for seed in range(40):
        noise = coloured_noise(len(TIME), exponent, np.random.default_rng(seed))
        found = RetentionDrift().compute(TIME, 2.5 * TIME**-0.02 * (1.0 + 0.01 * noise))
        assert found.exponent == pytest.approx(-0.02, abs=0.01)
        assert found.lost_at is None
        pulls.append((found.exponent + 0.02) / found.exponent_uncertainty)
    # slow noise looks like drift: the error has to know
    assert 0.6 < np.std(pulls) < 1.6


def test_a_perfect_drift():
    found = RetentionDrift().compute(TIME, 2.5 * TIME**-0.05)
    assert found.exponent == pytest.approx(-0.05)
    assert found.conductance_after_one_second == pytest.approx(2.5)
    assert found.extrapolate(1e8) == pytest.approx(2.5 * 1e8**-0.05)


def test_a_lost_state():
    state = np.where(TIME < 600.0, 2.5, 0.01)
    assert RetentionDrift().compute(TIME, state).lost_at == pytest.approx(600.0, abs=0.3)
    state[-400:] = 2.5
    assert RetentionDrift().compute(TIME, state).lost_at is None


def test_wrong_retention():
    with pytest.raises(SettingsError, match="tolerance"):
        RetentionDrift(1.0)
    with pytest.raises(DataFormatError, match="eight points"):
        RetentionDrift().compute([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(AttributeError, match="compute"):
        _ = RetentionDrift().exponent


@pytest.mark.validation
@pytest.mark.parametrize("seed", range(11))
def test_breakdown_of_eleven_wires(seed):
    curve = breakdown_sweep(np.random.default_rng(seed))
    found = BreakdownAnalysis().compute(curve.voltage, curve.current)
    truth = curve.truth
    assert found.found
    assert found.voltage == pytest.approx(truth["voltage"])
    assert found.current == pytest.approx(truth["current"], rel=2e-3)
    assert found.power == pytest.approx(truth["voltage"] * truth["current"], rel=2e-3)
    assert found.resistance_before == pytest.approx(truth["resistance_before"], rel=0.02)
    assert found.resistance_after == pytest.approx(truth["resistance_after"], rel=0.01)


def test_a_wire_that_does_not_break():
    volts = np.linspace(0.0, 1.0, 101)
    found = BreakdownAnalysis().compute(volts, volts / 500.0)
    assert not found.found
    assert found.resistance_before == pytest.approx(500.0)
    with pytest.raises(AttributeError, match="did not break"):
        _ = found.voltage


def test_switching_the_sweep_off_is_no_breakdown():
    volts = np.concatenate([np.linspace(0.0, 1.0, 101), [0.0]])
    assert not BreakdownAnalysis().compute(volts, volts / 500.0).found


def test_wrong_breakdown():
    with pytest.raises(SettingsError, match="minimum drop"):
        BreakdownAnalysis(1.0)
    with pytest.raises(DataFormatError, match="five points"):
        BreakdownAnalysis().compute([1.0], [1.0])
    with pytest.raises(AttributeError, match="compute"):
        _ = BreakdownAnalysis().found
