"""Which moments of a device are kept as frames: each step that a reader sees, within a limit."""

from types import SimpleNamespace

import numpy as np
import pytest

from nanogap.runs import device_part
from nanogap.runs.device_part import _Chosen


class Moments:
    """A measurement as far as frames need one: a conductance after another."""

    def __init__(self, planned):
        self.state = SimpleNamespace(points=0)
        self.moment = SimpleNamespace(occupation=np.zeros(8, dtype=np.uint8))
        self.device = SimpleNamespace(
            conductance=SimpleNamespace(value=0.0, bridged=False),
            settings=SimpleNamespace(total_samples=planned),
        )

    def reading(self, value, mean, bridged):
        self.state.points += 1
        self.device.conductance = SimpleNamespace(value=value, bridged=bridged)
        return SimpleNamespace(time=0.1 * self.state.points, conductance=mean, bridged=bridged)


def kept(values, means=None, bridged=None, planned=None):
    """Return the readings of the frames, and how many steps were left out."""
    moments = Moments(planned or len(values))
    chosen = _Chosen(moments, [], 0.0)
    found = []
    for place, value in enumerate(values):
        mean = value if means is None else means[place]
        point = moments.reading(value, mean, False if bridged is None else bridged[place])
        found += [frame.point for frame in chosen.of(point)]
    return found, chosen.left_out


def test_a_small_jump_is_kept_with_the_reading_before_it():
    assert kept([1.0, 1.0, 1.0, 1.23, 1.23, 1.23]) == ([0, 2, 3], 0)


def test_jumps_are_those_from_reading_to_reading():
    """Two jumps that undo each other would be missed beside the frame that was kept last."""
    assert kept([1.0, 1.0, 1.2, 1.2, 1.0, 1.0]) == ([0, 1, 2, 3, 4], 0)


def test_a_reading_that_saw_a_passing_contact_is_kept():
    """The mean over the averaging time shows what its end does not."""
    assert kept([0.1] * 5, means=[0.1, 0.1, 0.4, 0.1, 0.1]) == ([0, 1, 2], 0)


def test_a_jump_within_the_averaging_time_is_one_step():
    """Its mean lies between both ends, and changes twice."""
    assert kept([1.0, 1.0, 1.4, 1.4], means=[1.0, 1.0, 1.2, 1.4]) == ([0, 1, 2], 0)


def test_contacts_count_whatever_they_conduct():
    assert kept([0.5] * 4, bridged=[False, False, True, True]) == ([0, 1, 2], 0)


def test_noise_and_slow_changes_are_no_steps():
    assert kept([1.0, 1.05, 0.96, 1.04, 0.98]) == ([0], 0)
    points, left_out = kept((0.06 * np.arange(12)).tolist())
    assert left_out == 0
    assert points == [0, 4, 5, 9, 10]  # kept all the same, a quarter of G0 apart


def test_small_steps_of_the_beginning_leave_room(monkeypatch):
    monkeypatch.setattr(device_part, "_MOST_FRAMES", 20)
    flicker = [1.0 + 0.2 * (place // 2 % 2) for place in range(40)]
    points, left_out = kept(flicker, planned=1000)
    assert len(points) <= 0.3 * 20
    assert left_out == 19 - (len(points) - 1) // 2
    points, left_out = kept([*flicker, 3.0, 3.0], planned=1000)
    assert points[-2:] == [39, 40]  # a large step finds room


def test_frames_have_a_limit_on_disk(monkeypatch):
    # 8 sites are two bytes, beside three numbers of eight
    monkeypatch.setattr(device_part, "_MOST_BYTES", 5 * 26)
    points, left_out = kept([float(place // 2 % 2) for place in range(40)])
    assert len(points) == 5
    assert left_out == 17


@pytest.mark.parametrize("at", [3, 4])
def test_the_choice_goes_on_where_it_stopped(at):
    values = [1.0, 1.0, 1.2, 1.2, 1.35, 1.35, 1.0]
    moments = Moments(len(values))
    chosen, found = _Chosen(moments, [], 0.0), []
    for place, value in enumerate(values):
        if place == at:  # killed and resumed
            chosen = _Chosen(moments, found, 0.1 * place)
        found += chosen.of(moments.reading(value, value, False))
    assert [frame.point for frame in found] == kept(values)[0]
