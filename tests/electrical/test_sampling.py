import math

import numpy as np
import pytest
from scipy.signal import welch

from nanogap.electrical import (
    Averager,
    Meter,
    Segment,
    Source,
    SourceState,
    VoltageSweep,
    aperture,
)
from nanogap.electrical.instrument import Instrument
from nanogap.errors import DataFormatError, SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

QUIET = Instrument(noise=0.0, gain_error=0.0, spike=0.0)


def test_the_averaging_time_is_counted_in_periods_of_the_mains():
    assert aperture(0.1, 60.0) == pytest.approx(1 / 600)
    with pytest.raises(SettingsError, match="power_line_cycles is -1"):
        aperture(-1.0)


def test_the_mean_over_an_aperture_is_that_of_the_current():
    source = Source(500.0)
    segment = Segment("voltage", 0.0, 1.0, 1.0)
    averager = Averager()
    begin = source.advance(SourceState(), segment, 0.0, 0.4, conductance=1.0).state
    middle = source.advance(begin, segment, 0.4, 0.1, conductance=1.0)
    averager.add(middle)
    averager.add(source.advance(middle.state, segment, 0.5, 0.1, conductance=0.0))
    sample = averager.finish()
    # a ramp through 0.45 V in the first half, an open gap in the second
    assert sample.voltage == pytest.approx(0.5)
    assert sample.current == pytest.approx(0.5 * 0.45 / (500.0 + 1 / CONDUCTANCE_QUANTUM))
    assert averager == Averager()
    with pytest.raises(SettingsError, match="averaging time"):
        averager.finish()


def test_currents_of_electrons_ions_and_the_capacitance_add_up():
    source = Source(500.0, capacitance=1e-9)
    segment = Segment("voltage", 0.0, 1.0, 1.0)
    step = source.advance(SourceState(), segment, 0.0, 1.0, conductance=0.1, ionic_current=2e-9)
    averager = Averager()
    averager.add(step)
    sample = averager.finish()
    assert sample.ionic_current == pytest.approx(2e-9)
    assert sample.displacement_current == pytest.approx(1e-9 * step.state.gap_voltage)
    parts = sample.electronic_current + sample.ionic_current + sample.displacement_current
    assert sample.current == parts


def test_a_loop_through_circuit_and_meter_is_ohms_law():
    source, state = Source(500.0, capacitance=1e-10, bandwidth=1e4), SourceState()
    meter = Meter(Instrument(lowest_range=1e-6, spike=0.0), seed=3)
    protocol = VoltageSweep(turning_points=(0.0, 0.1, 0.0), rate=0.1, interval=0.1)
    averager, elapsed, seen = Averager(), 0.0, []
    for segment in protocol.segments():
        elapsed = 0.0
        for begin, end in segment.windows(aperture(1.0)):
            state = source.advance(state, segment, elapsed, begin - elapsed, conductance=2.0).state
            step = source.advance(state, segment, begin, end - begin, conductance=2.0)
            averager.add(step)
            state, elapsed = step.state, end
            sample = averager.finish()
            seen.append((sample.voltage, meter.read(sample.current, 0.1)))
    voltage, current = np.array(seen).T
    expected = voltage / (500.0 + 0.5 / CONDUCTANCE_QUANTUM)
    assert len(seen) == protocol.total_samples
    np.testing.assert_allclose(current, expected, atol=1e-8, rtol=2e-3)


def test_white_noise_is_that_of_the_range():
    meter = Meter(Instrument(noise=1e-3, gain_error=0.0, spike=0.0, lowest_range=1e-6), seed=1)
    readings = np.array([meter.read(5e-6, 0.02) for _ in range(4000)])
    assert readings.std() == pytest.approx(1e-3 * 1e-5, rel=0.05)
    assert readings.mean() == pytest.approx(5e-6, abs=1e-9)


def test_flicker_falls_as_one_over_f_and_has_its_size():
    meter = Meter(QUIET, seed=5, flicker=1e-3)
    interval = 0.02
    readings = np.array([meter.read(5e-4, interval) for _ in range(40_000)])
    frequency, power = welch(readings, 1 / interval, nperseg=8192)
    used = (frequency > 0.02) & (frequency < 5.0)
    slope = np.polyfit(np.log(frequency[used]), np.log(power[used]), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.15)
    # what is slower than the record does not show in its scatter
    assert 0.4 < readings.std() / (1e-3 * QUIET.lowest_range) < 1.1


def test_digits_and_the_spike_at_a_change_of_range():
    meter = Meter(Instrument(noise=0, gain_error=0, spike=0, lowest_range=1e-3, resolution=1e-3))
    assert meter.read(1.2345e-4, 0.1) == pytest.approx(1.23e-4, rel=1e-9)
    spiky = Meter(Instrument(noise=0.0, gain_error=0.0, spike=0.1, lowest_range=1e-6))
    assert spiky.read(5e-7, 0.1) == 5e-7
    assert spiky.read(5e-6, 0.1) != 5e-6
    assert spiky.read(5e-6, 0.1) == 5e-6


def test_the_same_seed_reads_the_same_and_a_state_goes_on_to_the_bit():
    values = 1e-4 * np.sin(np.arange(60)) ** 2
    one, other = (Meter(Instrument(lowest_range=1e-6), seed=9, flicker=1e-4) for _ in range(2))
    first = [one.read(value, 0.1) for value in values]
    start = [other.read(value, 0.1) for value in values[:25]]
    resumed = Meter(Instrument(lowest_range=1e-6), seed=9, flicker=1e-4)
    resumed.state = other.state
    assert start + [resumed.read(value, 0.1) for value in values[25:]] == first
    assert Meter(Instrument(lowest_range=1e-6), seed=10).read(1e-4, 0.1) != first[0]
    with pytest.raises(DataFormatError, match="another 1/f noise"):
        Meter(Instrument()).state = other.state


def test_wrong_noise_is_named():
    with pytest.raises(SettingsError, match="flicker is -1"):
        Meter(QUIET, flicker=-1.0)
    with pytest.raises(SettingsError, match="noise is nan"):
        Instrument(noise=math.nan)
    with pytest.raises(SettingsError, match="lowest_range is 0"):
        Instrument(lowest_range=0.0)
