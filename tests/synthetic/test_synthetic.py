import sys

import numpy as np
import pytest
from scipy.signal import welch

from nanogap.electrical.instrument import Instrument, averaged_over
from nanogap.errors import SettingsError
from nanogap.synthetic import devices, write_synthetic
from nanogap.synthetic.signals import (
    coloured_noise,
    plateau_trace,
    telegraph_states,
)
from nanogap.units import CONDUCTANCE_QUANTUM


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_has_its_spectrum(exponent):
    noise = coloured_noise(2**16, exponent, np.random.default_rng(0))
    frequency, density = welch(noise, nperseg=4096)
    part = slice(5, 1000)
    slope = np.polyfit(np.log(frequency[part]), np.log(density[part]), 1)[0]
    assert -slope == pytest.approx(exponent, abs=0.05)
    assert noise.std() == pytest.approx(1.0)


def test_dwell_times_are_exponential():
    states = telegraph_states(400_000, 0.01, (0.5, 0.2), np.random.default_rng(3))
    borders = np.flatnonzero(np.diff(states)) + 1
    lengths = np.diff(borders) * 0.01
    first = states[borders[0]]
    for state, mean in ((0, 0.5), (1, 0.2)):
        dwells = lengths[(np.arange(len(lengths)) % 2 == 0) == (first == state)]
        assert dwells.mean() == pytest.approx(mean, rel=0.08)
        assert dwells.std() == pytest.approx(mean, rel=0.12)


def test_level_sweeps_obey_the_circuit():
    curve = devices.level_sweeps(np.random.default_rng(1), cycles=2, fluctuation=0.0)
    for plateau in curve.truth["plateaus"]:
        inside = np.flatnonzero(curve.cycle == plateau["cycle"])[plateau["first"] : plateau["last"]]
        ohms = curve.voltage[inside] / curve.current[inside]
        expected = 1.0 / (plateau["level"] * CONDUCTANCE_QUANTUM) + 500.0
        assert np.median(ohms) == pytest.approx(expected, rel=2e-3)


def test_loops_respect_the_compliance():
    curve = devices.switching_loops(np.random.default_rng(1), cycles=5)
    assert np.abs(curve.current).max() < 1.001 * 400e-6
    assert curve.compliance.any()
    quiet = devices.switching_loops(np.random.default_rng(1), cycles=5, switching=False)
    assert np.abs(quiet.current).max() < 40e-6
    assert not quiet.truth["events"]


def test_same_seed_same_curve():
    one, two = (devices.level_sweeps(np.random.default_rng(4), cycles=1) for _ in range(2))
    np.testing.assert_array_equal(one.voltage, two.voltage)


def test_the_instrument_has_ranges():
    random = np.random.default_rng(0)
    true = np.repeat([0.5e-3, 0.5], 5000)
    reading = Instrument(spike=0.0).read(true, random)
    assert reading[:5000].std() == pytest.approx(3e-5 * 1e-3, rel=0.1)
    assert reading[5000:].std() == pytest.approx(3e-5, rel=0.1)


def test_averaging_is_a_mean_over_time():
    time = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 400))
    line = 3.0 * time
    # the mean of a line over the last 5 s is its value 2.5 s ago
    later = time > time[0] + 5.0
    np.testing.assert_allclose(averaged_over(time, line, 5.0)[later], line[later] - 7.5)
    noise = np.random.default_rng(1).normal(size=20_000)
    seen = averaged_over(np.arange(20_000.0), noise, 100.0)
    assert seen[200:].std() == pytest.approx(0.1, rel=0.15)
    with pytest.raises(SettingsError, match="averaging time"):
        averaged_over(time, line, 0.0)


def test_wrong_parameters():
    random = np.random.default_rng(0)
    with pytest.raises(SettingsError, match="exponent"):
        coloured_noise(100, 3.0, random)
    with pytest.raises(SettingsError, match="dwell"):
        telegraph_states(10, 0.1, (0.0, 1.0), random)
    with pytest.raises(SettingsError, match="cycles"):
        devices.level_sweeps(random, cycles=0)
    assert len(plateau_trace([1.0, 2.0], [3, 4], 0.0, random)) == 7


def test_workbooks_need_a_package_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(SettingsError, match=r"pip install 'nanogap\[synthetic\]'"):
        write_synthetic(tmp_path / "new", "retention", dialect="keithley-4200-xlsx")
