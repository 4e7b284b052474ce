import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.electrical import (
    ConstantRead,
    CurrentSweep,
    Endurance,
    InOrder,
    ProgramToLevel,
    Pulses,
    Reading,
    Segment,
    SegmentList,
    Staircase,
    VoltageSweep,
    Waveform,
)
from nanogap.electrical.protocols import limits
from nanogap.errors import SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

ALL = [
    VoltageSweep(cycles=3, wait=0.5),
    VoltageSweep(turning_points=(0.0, 1.0), rate=2.6e-3, compliance=(4e-4, 1e-3)),
    CurrentSweep(cycles=3, reset_voltage=-0.5, wait=1.0),
    Staircase(cycles=2),
    Staircase(quantity="current", stop=2e-5, both_ways=False, compliance=2.0),
    ConstantRead(),
    Pulses(),
    Pulses(width=0.05, period=0.05, read_time=0.0, cycles=2),
    Endurance(cycles=4, wait=0.1),
    Endurance(cycles=4, stimulus="pulse"),
    ProgramToLevel(wait=0.2),
    Waveform(times=(0.0, 0.1, 0.1, 0.5), levels=(1.0, 1.0, 0.0, 0.2), cycles=3),
    Waveform.from_function(
        math.sin, duration=3.0, interval=0.1, quantity="current", compliance=2.0
    ),
]


def names(protocol):
    return protocol.kind


def course(protocol, measured=lambda _segment: None):
    """Run a protocol; what is measured in a segment is given."""
    readings = []
    while (segment := protocol.next_segment(readings)) is not None:
        yield segment
        readings.append(measured(segment))


@pytest.mark.parametrize("protocol", ALL, ids=names)
def test_segments_come_one_by_one_as_planned(protocol):
    planned = list(protocol.segments())
    assert list(course(protocol)) == planned
    assert protocol.total_duration == pytest.approx(
        math.fsum(segment.duration for segment in planned), rel=1e-14
    )
    assert protocol.total_samples == sum(segment.samples for segment in planned)
    cycles = [segment.cycle for segment in planned]
    assert cycles == sorted(cycles)
    assert set(cycles) == set(range(protocol.n_cycles))


@pytest.mark.parametrize("protocol", ALL, ids=names)
def test_protocols_survive_their_own_table_and_cannot_be_changed(protocol):
    assert type(protocol).model_validate(protocol.model_dump(mode="json")) == protocol
    with pytest.raises(Exception, match="frozen"):
        protocol.kind = "other"


def test_a_loop_has_the_papers_times():
    # 0 to 20 uA at 90 nA/s: 222 s; 464 000 points of 116 sweeps: 4000 each
    sweep = CurrentSweep(rate=90e-9, interval=20e-6 / 90e-9 / 4000, cycles=116)
    assert sweep.total_duration / 116 == pytest.approx(222.2, abs=0.1)
    assert sweep.total_samples == 464_000
    loop = VoltageSweep(turning_points=(0, 2, 0, -1, 0), rate=0.5, interval=0.1, compliance=4e-4)
    pieces = list(loop.segments())
    assert [piece.duration for piece in pieces] == [4.0, 4.0, 2.0, 2.0]
    assert all(piece.compliance == (4e-4, 4e-4) for piece in pieces)
    assert loop.total_samples == 120


@given(st.floats(1e-3, 10.0), st.floats(1e-2, 10.0), st.integers(1, 5))
def test_levels_and_samples_lie_on_the_ramp(rate, interval, cycles):
    protocol = VoltageSweep(rate=rate, interval=interval, cycles=cycles)
    for segment in protocol.segments():
        times = segment.sample_times
        assert len(times) == segment.samples >= 1
        assert times[-1] == pytest.approx(segment.duration)
        assert segment.level(0.0) == segment.start
        assert segment.level(segment.duration) == segment.end
        assert abs(segment.slope) == pytest.approx(rate)
        for time in times:
            assert segment.level(time) == pytest.approx(segment.start + segment.slope * time)


def test_averaging_windows_end_with_the_reading_and_do_not_overlap():
    segment = Segment("voltage", 0.0, 1.0, 1.0, samples=4)
    np.testing.assert_allclose(segment.windows(0.1)[:, 0], [0.15, 0.4, 0.65, 0.9])
    windows = segment.windows(10.0)
    np.testing.assert_allclose(windows[:, 0], [0.0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(windows[:, 1], segment.sample_times)
    assert Segment("voltage", 0.0, 0.0, 1.0).windows(0.1).shape == (0, 2)


def test_a_reset_without_readings_stands_between_current_sweeps():
    sweep = CurrentSweep(cycles=2, reset_voltage=-0.5, reset_rate=0.5)
    first = [segment for segment in sweep.segments() if segment.cycle == 0]
    assert [segment.purpose for segment in first] == ["sweep", "reset", "reset"]
    assert [segment.samples for segment in first[1:]] == [0, 0]
    assert [segment.end for segment in first[1:]] == [-0.5, 0.0]
    assert [segment.purpose for segment in sweep.segments()][3:] == ["sweep"]


def test_endurance_reads_both_states():
    protocol = Endurance(stimulus="pulse", cycles=2, read_voltage=0.4, compliance=4e-4)
    purposes = [segment.purpose for segment in protocol.segments()]
    assert purposes == ["pulse", "read"] * 4
    assert [s.start for s in protocol.segments() if s.is_read] == [0.4] * 4
    swept = Endurance(cycles=1, read_time=0.0)
    assert [(s.start, s.end) for s in swept.segments()] == [(0, 1), (1, 0), (0, -1), (-1, 0)]


def reading_of(conductance):
    return Reading(0.1, 0.1 * conductance * CONDUCTANCE_QUANTUM)


def test_programming_ends_when_the_level_is_read():
    protocol = ProgramToLevel(level=0.999, first_compliance=1e-5, last_compliance=1e-3, steps=5)
    assert [protocol.compliance_of(k) for k in range(5)] == pytest.approx(
        [1e-5, 10**-4.5, 1e-4, 10**-3.5, 1e-3]
    )

    def device(segment):
        # a device that conducts as much as the compliance lets it: 1 G0 at 100 uA
        device.conductance = (
            segment.compliance[0] / 1e-4 if not segment.is_read else device.conductance
        )
        return reading_of(device.conductance)

    device.conductance = 0.0
    segments = list(course(protocol, device))
    assert segments[0].is_read
    assert segments[-1].is_read
    assert segments[-1].cycle == 2
    assert len(segments) == 1 + 3 * 3


def test_programming_does_nothing_where_the_level_is_there_already():
    protocol = ProgramToLevel(level=1.0)
    assert [s.purpose for s in course(protocol, lambda _s: reading_of(1.5))] == ["read"]


def test_programming_subtracts_the_series_resistance():
    seen = Reading(0.1, 0.1 / (1 / CONDUCTANCE_QUANTUM + 500.0))
    assert seen.conductance() == pytest.approx(0.9627, abs=1e-4)
    assert seen.conductance(500.0) == pytest.approx(1.0)
    assert not ProgramToLevel(level=0.99).reached(seen)
    assert ProgramToLevel(level=0.99, series_resistance=500.0).reached(seen)
    assert seen.conductance(1e6) == math.inf
    assert Reading(0.1, 0.0).conductance(500.0) == 0.0


@settings(deadline=None)
@given(st.integers(0, 40), st.lists(st.floats(0.0, 1.2), min_size=61, max_size=61))
def test_the_same_readings_give_the_same_segments_after_an_interruption(cut, seen):
    protocol = InOrder(ProgramToLevel(steps=5), Pulses(cycles=20))
    readings, segments = [], []
    for one in seen:
        segment = protocol.next_segment(readings)
        if segment is None:
            break
        segments.append(segment)
        readings.append(reading_of(one))
    again = [protocol.next_segment(readings[:number]) for number in range(len(segments))]
    assert again[cut:] == segments[cut:]


def test_the_preparation_comes_first_and_is_marked():
    protocol = InOrder(Pulses(cycles=1), ConstantRead(duration=5.0))
    segments = list(course(protocol))
    assert [segment.preparation for segment in segments] == [True, True, True, False]
    assert segments[-1].duration == 5.0
    assert [segment.cycle for segment in segments] == [-1, -1, -1, 0]
    twice = InOrder(VoltageSweep(cycles=2), VoltageSweep(cycles=2))
    assert sorted({segment.cycle for segment in course(twice)}) == [-2, -1, 0, 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: VoltageSweep(rate=0.0), ["rate = 0.0", "greater than 0"]),
        (lambda: VoltageSweep(turning_points=(0.0,)), ["turning_points", "at least 2"]),
        (lambda: VoltageSweep(turning_points=(0.0, 1.0, 1.0)), ["turning_points has 1 twice"]),
        (lambda: VoltageSweep(compliance=0.0), ["compliance", "0.0"]),
        (lambda: VoltageSweep(compliance=-1e-4), ["compliance", "-0.0001"]),
        (lambda: VoltageSweep(speed=1.0), ["speed is no key of VoltageSweep", "turning_points"]),
        (lambda: CurrentSweep(voltage_limit=0.0), ["voltage_limit = 0.0"]),
        (lambda: Pulses(width=1.0, period=0.5), ["period = 0.5 s", "width + read_time"]),
        (lambda: Endurance(reset_voltage=1.0), ["reset_voltage = 1 V", "opposite sign"]),
        (lambda: Endurance(stimulus="pulse", read_time=0.0), ["read_time = 0 s"]),
        (lambda: ProgramToLevel(last_compliance=1e-6), ["last_compliance = 1e-06 A"]),
        (lambda: Staircase(start=1.0, stop=1.0), ["start and stop"]),
        (lambda: ConstantRead(duration=math.nan), ["duration", "nan"]),
        (lambda: Segment("voltage", 0.0, 1.0, 0.0), ["duration is 0.0 s"]),
        (lambda: Segment("voltage", 0.0, 1.0, 1e-16), ["duration is 1e-16 s", "1e-15 to 1e+07 s"]),
        (lambda: Segment("voltage", 0.0, 1.0, 2e7), ["duration is 20000000.0 s", "to 1e+07 s"]),
        (lambda: Segment("voltage", 0.0, 1.0, 1e-15, samples=2), ["2 readings in 1e-15 s"]),
        (lambda: Segment("voltage", 0.0, 1.0, 1.0, (0.0, 1.0)), ["compliance is (0.0, 1.0)"]),
        (lambda: Segment("voltage", 0.0, 1.0, 1.0, (1.0, math.nan)), ["compliance is (1.0, nan)"]),
        (lambda: Segment("voltage", 0.0, 1.0, 1.0, compliance=1e-3), ["compliance = 0.001", "two"]),
        (lambda: Segment("voltage", "a", 0, 1), ["start = 'a': give a number"]),
        (lambda: Segment(["voltage"], 0, 0, 1), ["quantity = ['voltage']"]),
        (lambda: Segment("voltage", 0, 0, 1, samples=1.5), ["samples = 1.5: give a whole number"]),
        (lambda: Segment("voltage", 0, 0, 1, samples=True), ["samples = True"]),
        (lambda: Segment("voltage", 0, 0, 1, cycle=0.5), ["cycle = 0.5: give a whole number"]),
        (
            lambda: VoltageSweep(turning_points=(0.0, 1e-320), rate=1e9),
            ["duration is 0.0 s from a level of 0 to 9.99989e-321"],
        ),
        (lambda: VoltageSweep(rate=1e-8), ["duration is 100000000.0 s from a level of 0 to 1"]),
        (lambda: ConstantRead(interval=5e-324), ["readings in 1000 s are closer than 1e-15 s"]),
        (lambda: Waveform(times=(0.0, 1e-320), levels=(0.0, 1.0)), ["duration is 1e-320 s"]),
    ],
)
def test_a_wrong_protocol_is_one_sentence(make, words):
    with pytest.raises(SettingsError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_waveform_follows_its_function_and_jumps_where_two_corners_are_at_one_time():
    tone = Waveform.from_function(lambda time: time**2, duration=2.0, interval=0.5)
    segments = tone.cycle_segments(0)
    assert [(one.start, one.end) for one in segments] == [
        (0.0, 0.25),
        (0.25, 1.0),
        (1.0, 2.25),
        (2.25, 4.0),
    ]
    assert [one.samples for one in segments] == [1, 1, 1, 1]
    pulse = Waveform(times=np.array([0.0, 0.1, 0.1, 0.5]), levels=np.array([1.0, 1.0, 0.0, 0.0]))
    assert [(one.start, one.samples) for one in pulse.segments()] == [(1.0, 1), (0.0, 4)]
    assert pulse.total_duration == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Waveform(times=(0.0, 1.0), levels=(0.0,) * 3), "2 times and 3 levels"),
        (lambda: Waveform(times=(1.0, 2.0), levels=(0.0, 1.0)), "begins with 1 s"),
        (lambda: Waveform(times=(0.0, 2.0, 1.0), levels=(0.0,) * 3), "1 s after 2 s"),
        (lambda: Waveform(times=(0.0, 0.0), levels=(0.0, 1.0)), "ends with 0 s"),
        (lambda: Waveform(times=5, levels=(0.0, 1.0)), "times = 5: input should be a list"),
        (lambda: Waveform.from_function(lambda _: "high", 1.0), "'high' at 0 s"),
        (lambda: Waveform.from_function(lambda _: 500.0, 1.0), "levels.0 = 500"),
        (lambda: Waveform.from_function(5, 1.0), "function = 5: give a function"),
        (lambda: Waveform.from_function(math.sin, 0.0), "duration = 0 s: must be above 0"),
        (lambda: Waveform.from_function(math.sin, 1e9), "5e\\+10 corners"),
        (lambda: Waveform.from_function(math.sin, 1.0, compliance="high"), "compliance"),
    ],
)
def test_a_waveform_that_cannot_be_is_one_sentence(call, words):
    with pytest.raises(SettingsError, match=words) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


def test_segments_in_a_list_come_one_after_the_other():
    steps = SegmentList((Segment("voltage", 1.0, 1.0, 0.5), Segment("current", 0.0, 1e-6, 0.5)))
    assert [steps.next_segment([None] * done) for done in range(3)] == [*steps.segments, None]


def test_rounded_times_that_add_up_to_the_period_leave_no_wait():
    # 0.1 + 0.2 is above 0.3, 0.7 + 0.1 below 0.8
    for width, read, period in ((0.1, 0.2, 0.3), (0.7, 0.1, 0.8)):
        assert width + read != period
        train = Pulses(width=width, read_time=read, period=period)
        assert [one.purpose for one in train.cycle_segments(0)] == ["pulse", "read"]


def test_rounded_times_of_corners_are_a_jump():
    for times in ((0.0, 0.3, 0.1 + 0.2, 1.0), (0.0, 0.1 + 0.2, 0.3, 1.0)):
        pulse = Waveform(times=times, levels=(1.0, 1.0, 0.0, 0.0))
        assert [(one.start, one.end) for one in pulse.segments()] == [(1.0, 1.0), (0.0, 0.0)]


def test_limits_are_one_number_or_two():
    for pair in ((1e-3, 2e-3), [1e-3, 2e-3], np.array([1e-3, 2e-3])):
        assert limits(pair) == (1e-3, 2e-3)
    with pytest.raises(SettingsError, match="compliance = "):
        limits((1e-3, 1e-3, 1e-3))
