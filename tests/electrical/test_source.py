import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.electrical import Segment, SeriesCircuit, Source, SourceState
from nanogap.errors import SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

LONG = 1e6


def held(level, quantity="voltage", compliance=math.inf):
    return Segment(quantity, level, level, 2 * LONG, (compliance, compliance))


def test_ohms_law_through_the_series_resistance():
    circuit = SeriesCircuit(interface=150.0, wire=200.0)
    source = Source(circuit.parasitic)
    point = source.operating_point(held(0.1), 0.1, 2.0)
    assert point.current == pytest.approx(0.1 / float(circuit.resistance(2.0)))
    assert point.voltage == 0.1
    assert point.gap_voltage == pytest.approx(0.1 - 500.0 * point.current)
    assert not point.in_compliance


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_compliance_holds_the_current_of_either_sign(sign):
    source = Source(500.0)
    segment = Segment("voltage", 0.0, 1.0, 1.0, compliance=(4e-4, 1e-4))
    point = source.operating_point(segment, sign, 10.0)
    limit = 4e-4 if sign > 0 else 1e-4
    assert (point.current, point.in_compliance) == (sign * limit, True)
    assert point.gap_voltage == pytest.approx(point.current / (10.0 * CONDUCTANCE_QUANTUM))
    assert point.voltage == pytest.approx(point.gap_voltage + 500.0 * point.current)


def test_a_current_source_drops_its_voltage_as_the_conductance_rises():
    source = Source(500.0)
    segment = held(2e-5, "current", 2.0)
    volts = [source.operating_point(segment, 2e-5, g) for g in (1e-3, 1.0, 2.0)]
    assert volts[0].in_compliance
    assert volts[0].voltage == 2.0
    assert volts[1].voltage - volts[2].voltage == pytest.approx(1e-5 / CONDUCTANCE_QUANTUM)
    assert volts[2].current == 2e-5
    open_gap = source.operating_point(segment, 2e-5, 0.0)
    assert (open_gap.voltage, open_gap.current) == (2.0, 0.0)


@settings(deadline=None)
@given(st.floats(0.01, 3.0), st.floats(1e-6, 1e-3), st.floats(1.0, 1e5))
def test_the_operating_point_is_continuous_where_compliance_begins(level, limit, resistance):
    source, segment = Source(resistance), held(level, "voltage", limit)
    if level / resistance <= limit:
        return
    # the conductance whose resistance takes what R_s leaves of the voltage
    edge = 1.0 / (level / limit - resistance) / CONDUCTANCE_QUANTUM
    below = source.operating_point(segment, level, edge * (1 - 1e-9))
    above = source.operating_point(segment, level, edge * (1 + 1e-9))
    assert (below.in_compliance, above.in_compliance) == (False, True)
    assert below.current == pytest.approx(above.current, rel=1e-6)
    assert below.gap_voltage == pytest.approx(above.gap_voltage, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(["voltage", "current"]),
    st.floats(-1.0, 1.0),
    st.floats(0.01, 10.0),
    st.floats(-1e-6, 1e-6),
)
def test_a_straight_curve_is_a_conductance(quantity, part, conductance, ionic):
    source = Source(700.0)
    level = part if quantity == "voltage" else part * 1e-4
    segment = held(level, quantity, 5e-5 if quantity == "voltage" else 0.5)
    one = source.operating_point(segment, level, conductance, ionic)
    siemens = conductance * CONDUCTANCE_QUANTUM
    other = source.operating_point(segment, level, lambda volts: siemens * volts, ionic)
    assert other.in_compliance == one.in_compliance
    for name in ("voltage", "gap_voltage"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9, abs=1e-12)
    assert other.current == pytest.approx(one.current, rel=1e-9, abs=1e-16)


def test_a_curve_that_saturates_below_the_current_is_named():
    source = Source(700.0)
    with pytest.raises(SettingsError, match="never carries"):
        source.operating_point(held(1e-4, "current"), 1e-4, lambda volts: 1e-9 * math.tanh(volts))
    limited = source.operating_point(
        held(1e-4, "current", 2.0), 1e-4, lambda volts: 1e-9 * math.tanh(volts)
    )
    assert limited.in_compliance
    assert limited.voltage == 2.0


def test_a_capacitance_discharges_through_the_gap():
    # R_s so large that only the gap discharges it: V = V_0 exp(-t G/C)
    source = Source(1e13, capacitance=1e-10, bandwidth=1e6)
    tau = 1e-10 / CONDUCTANCE_QUANTUM
    state = SourceState(0.0, 1.0)
    for part in (0.3, 1.0, 2.5):
        step = source.advance(state, held(0.0), 0.0, part * tau, conductance=1.0)
        assert step.state.gap_voltage == pytest.approx(math.exp(-part), rel=1e-7)


def test_a_capacitance_charges_with_r_c():
    source = Source(1e6, capacitance=1e-9)
    step = source.advance(SourceState(1.0, 0.0), held(1.0), 0.0, 1e-3, conductance=0.0)
    assert step.state.gap_voltage == pytest.approx(1.0 - math.exp(-1.0), rel=1e-6)
    assert step.charge == pytest.approx(1e-9 * step.state.gap_voltage, rel=1e-6)


def test_a_jump_of_the_conductance_overshoots_the_compliance_and_is_caught():
    source = Source(500.0, capacitance=1e-10, bandwidth=1e4)
    segment = held(1.0, "voltage", 1e-4)
    state = source.advance(SourceState(), segment, 0.0, 1.0, conductance=1e-4).state
    # the charge of the capacitance gives the gap the whole voltage at first
    assert state.gap_voltage * 2.0 * CONDUCTANCE_QUANTUM > 1.5e-4
    step = source.advance(state, segment, 1.0, 3e-7, conductance=2.0)
    assert source.current(step.state) > 1.2e-4
    assert 0.0 < step.limited_time < 3e-7
    later = source.advance(step.state, segment, 1.0, 1e-2, conductance=2.0)
    assert source.current(later.state) == pytest.approx(1e-4, rel=1e-9)
    assert later.limited_time == pytest.approx(1e-2)


circuits = st.builds(
    Source,
    series_resistance=st.floats(10.0, 1e5),
    capacitance=st.one_of(st.just(0.0), st.floats(1e-13, 1e-8)),
    bandwidth=st.one_of(st.just(math.inf), st.floats(1e2, 1e6)),
)
steps = st.lists(
    st.tuples(
        st.floats(-7, 0).map(lambda x: 10.0**x),
        st.one_of(st.just(0.0), st.floats(-4, 1).map(lambda x: 10.0**x)),
    ),
    min_size=1,
    max_size=4,
)
sweeps = st.builds(
    lambda quantity, start, end, limit: (
        Segment("voltage", start, end, 10.0, (limit * 1e-3, limit * 1e-4))
        if quantity == "voltage"
        else Segment("current", start * 1e-4, end * 1e-4, 10.0, (limit, 0.3 * limit))
    ),
    st.sampled_from(["voltage", "current"]),
    st.floats(-2, 2),
    st.floats(-2, 2),
    st.floats(0.01, 2.0),
)


@settings(deadline=None, max_examples=60)
@given(circuits, sweeps, steps, st.floats(0.05, 0.95), st.floats(-1e-7, 1e-7))
def test_two_steps_are_one_and_charge_is_conserved(source, segment, pieces, part, ionic):
    whole = halves = SourceState()
    elapsed = 0.0
    for duration, conductance in pieces:
        keys = {"conductance": conductance, "ionic_current": ionic if conductance else 0.0}
        step = source.advance(whole, segment, elapsed, duration, **keys)
        one = source.advance(halves, segment, elapsed, part * duration, **keys)
        two = source.advance(
            one.state, segment, elapsed + part * duration, (1 - part) * duration, **keys
        )
        size = 1e-7 * (1.0 + abs(step.state.output))
        assert two.state.output == pytest.approx(step.state.output, rel=1e-7, abs=size)
        assert two.state.gap_voltage == pytest.approx(step.state.gap_voltage, rel=1e-7, abs=size)
        through = (step.output_integral - step.gap_integral) / source.series_resistance
        largest = max(abs(step.electronic_charge), abs(step.displaced_charge), abs(step.charge))
        # no capacitance is a very small one; the integrals of stiff circuits keep twelve digits,
        # and their difference over R_s has what is left
        lost = 1e-17 + 1e-12 * (duration + abs(step.output_integral)) / source.series_resistance
        assert step.charge == pytest.approx(through, abs=1e-4 * largest + lost)
        assert one.charge + two.charge == pytest.approx(step.charge, abs=1e-6 * largest + lost)
        whole, halves, elapsed = step.state, two.state, elapsed + duration


@settings(deadline=None, max_examples=60)
@given(
    circuits,
    st.floats(-2, 2),
    st.floats(0.01, 2.0),
    st.floats(-3, 1).map(lambda x: 10.0**x),
    st.sampled_from(["voltage", "current"]),
)
def test_after_a_long_time_the_circuit_is_at_its_operating_point(
    source, level, limit, conductance, quantity
):
    scale, other = (1.0, 1e-4) if quantity == "voltage" else (1e-4, 1.0)
    segment = held(level * scale, quantity, limit * other)
    step = source.advance(SourceState(), segment, 0.0, LONG, conductance=conductance)
    point = source.operating_point(segment, level * scale, conductance)
    assert step.state.output == pytest.approx(point.voltage, rel=1e-7, abs=1e-9)
    assert step.state.gap_voltage == pytest.approx(point.gap_voltage, rel=1e-7, abs=1e-9)
    assert source.current(step.state) == pytest.approx(point.current, rel=1e-6, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(sweeps, st.floats(-3, 1).map(lambda x: 10.0**x), st.floats(0.1, 9.9))
def test_without_delay_the_circuit_is_at_its_operating_point_at_any_time(
    segment, conductance, elapsed
):
    source = Source(500.0)
    step = source.advance(SourceState(), segment, 0.0, elapsed, conductance=conductance)
    point = source.operating_point(segment, segment.level(elapsed), conductance)
    assert step.state.output == pytest.approx(point.voltage, rel=1e-7, abs=1e-8)
    assert step.state.gap_voltage == pytest.approx(point.gap_voltage, rel=1e-7, abs=1e-8)


def test_the_energy_of_the_source_is_heat_and_the_field_of_the_capacitance():
    source = Source(2000.0, capacitance=1e-9, bandwidth=3e4)
    segment, state, total = held(1.0, "voltage", 1e-4), SourceState(), 0.0
    nodes, weights = np.polynomial.legendre.leggauss(12)
    heat = 0.0
    for number in range(200):
        conductance, length = (0.01, 5e-7) if number < 100 else (1.5, 5e-7)
        for node, weight in zip(nodes, weights, strict=True):
            inner = source.advance(
                state, segment, 0.0, length * (node + 1) / 2, conductance=conductance
            ).state
            current = source.current(inner)
            total += weight * length / 2 * inner.output * current
            heat += (
                weight
                * length
                / 2
                * (2000.0 * current**2 + conductance * CONDUCTANCE_QUANTUM * inner.gap_voltage**2)
            )
        state = source.advance(state, segment, 0.0, length, conductance=conductance).state
    stored = 0.5e-9 * state.gap_voltage**2
    assert total == pytest.approx(heat + stored, rel=1e-6)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"series_resistance": 0.0}, "series_resistance is 0.0 ohm"),
        ({"series_resistance": 1.0, "capacitance": -1.0}, "capacitance is -1.0 F"),
        ({"series_resistance": 1.0, "bandwidth": 0.0}, "bandwidth is 0.0 Hz"),
        ({"series_resistance": 1.0, "loop_resistance": math.nan}, "loop_resistance is nan"),
    ],
)
def test_a_wrong_circuit_is_named(keys, words):
    with pytest.raises(SettingsError, match=words):
        Source(**keys)


def test_wrong_steps_are_named():
    source = Source(1.0)
    with pytest.raises(SettingsError, match=r"conductance is -1\.0 G0"):
        source.advance(SourceState(), held(1.0), 0.0, 1.0, conductance=-1.0)
    with pytest.raises(SettingsError, match=r"duration is -1\.0 s"):
        source.advance(SourceState(), held(1.0), 0.0, -1.0, conductance=1.0)
