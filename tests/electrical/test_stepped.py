"""Stairs that end by what is read."""

import pytest

from nanogap.electrical import BreakdownSweep, Forming, Reading
from nanogap.errors import SettingsError
from nanogap.settings.device import load_device_settings


def driven(protocol, current_of):
    """Levels that a protocol goes through, with the current that a device answers."""
    readings, levels = [], []
    while (segment := protocol.next_segment(readings)) is not None:
        levels.append((segment.start, segment.purpose))
        readings.append(Reading(segment.start, current_of(segment.start, len(readings))))
    return levels


def test_forming_ends_where_the_current_is_reached_and_reads():
    forming = Forming(stop=2.0, steps=4, current=1e-5, read_voltage=0.2)
    levels = driven(forming, lambda volts, _: 2e-5 if volts >= 1.0 else 1e-9)
    assert levels == [(0.5, "sweep"), (1.0, "sweep"), (0.2, "read")]


def test_forming_that_never_comes_goes_to_the_stop_and_reads():
    forming = Forming(stop=-2.0, steps=4, current=1e-5)
    assert [level for level, _ in driven(forming, lambda *_: 0.0)] == [-0.5, -1.0, -1.5, -2.0, 0.1]
    assert forming.total_samples == 5
    assert forming.total_duration == pytest.approx(0.5)


def test_breakdown_ends_one_step_after_the_drop():
    sweep = BreakdownSweep(stop=1.0, steps=10, drop=0.5, read_time=0.0)
    levels = driven(sweep, lambda volts, number: volts / 100.0 if number < 6 else volts / 1e4)
    assert [level for level, _ in levels] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


def test_noise_below_the_smallest_current_is_no_drop():
    sweep = BreakdownSweep(stop=1.0, steps=10, smallest_current=1e-6, read_time=0.0)
    assert len(driven(sweep, lambda _, number: 1e-9 * (-1) ** number * (number % 3))) == 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("protocol.stop=0", "stop = 0 V is no sweep"),
        ("protocol.read_voltage=0", "read_voltage = 0 V reads nothing"),
        ("protocol.compliance=1e-7", "would never be reached"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    with pytest.raises(SettingsError, match=words):
        load_device_settings("device-quick", ["protocol.kind=forming", change])


def test_shared_cycles_leave_a_protocol_without_cycles_alone():
    shared = ["devices.number=1", "devices.cycles=shared", "protocol.kind=breakdown-sweep"]
    assert load_device_settings("device-quick", shared).member(0).protocol.n_cycles == 1
