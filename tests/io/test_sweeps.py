from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.io.sweeps import current_swept, direction_and_cycle, sweep_source, turning_points

UP = np.linspace(0.0, 1.0, 51)
LOOP = np.concatenate([UP, UP[-2::-1], -UP[1:], -UP[-2:0:-1]])


@pytest.mark.parametrize(
    ("shape", "cycles"),
    [
        (np.tile(LOOP, 4), 4),
        (np.tile(-LOOP, 4), 4),
        (np.tile(UP[1:], 5), 5),
        (np.tile(np.concatenate([UP, UP[-2:0:-1]]), 3), 3),
        (np.tile(np.concatenate([2 * UP - 1, (2 * UP - 1)[-2:0:-1]]), 3), 3),
        (UP, 1),
        (UP[::-1], 1),
        (np.full(100, 0.1), 1),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_cycles_are_counted(shape, cycles, noise):
    source = shape + noise * np.random.default_rng(1).normal(size=len(shape))
    direction, cycle = direction_and_cycle(source)
    assert cycle[0] == 0
    assert len(np.unique(cycle)) == cycles
    assert (np.diff(cycle) >= 0).all()
    counts = np.bincount(cycle)
    assert np.ptp(counts) <= 4
    if cycles == 1 and len(shape) == 100:
        assert not direction.any()


def test_directions_follow_the_sweep():
    direction, _ = direction_and_cycle(LOOP)
    assert (direction[1:51] == 1).all()
    assert (direction[52:150] == -1).all()
    assert (direction[152:] == 1).all()


def test_a_jump_back_belongs_to_the_next_ramp():
    direction, _ = direction_and_cycle(np.tile(UP, 3))
    assert (direction == 1).all()


def test_the_source_is_the_smooth_one():
    random = np.random.default_rng(0)
    volts = np.tile(LOOP, 3)
    amperes = volts * np.where(np.arange(len(volts)) % 200 < 120, 1e-4, 1e-6)
    amperes += 1e-7 * random.normal(size=len(volts))
    assert sweep_source(volts, amperes) is volts
    assert sweep_source(amperes, volts) is volts
    steady = np.full(len(volts), 0.1)
    assert sweep_source(steady, amperes) is steady


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60))
def test_between_turning_points_the_way_is_one(values):
    points = np.array(values)
    turns = turning_points(points)
    assert turns[0] == 0
    assert turns[-1] == len(points) - 1
    assert (np.diff(turns) > 0).all()
    reversal = 0.1 * np.ptp(points)
    for first, last in pairwise(turns):
        run = points[first : last + 1]
        rise = (run - np.minimum.accumulate(run)).max()
        fall = (np.maximum.accumulate(run) - run).max()
        assert min(rise, fall) <= reversal * (1 + 1e-9)


def test_gaps_are_passed_over():
    values = LOOP.copy()
    values[10:20] = np.nan
    assert len(np.unique(direction_and_cycle(values)[1])) == 1
    assert not direction_and_cycle(np.full(5, np.nan))[1].any()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_loops_that_end_at_zero_are_as_many_cycles(count):
    ramp = np.linspace(0.0, 1.0, 51)
    loop = np.concatenate([ramp, ramp[-2::-1], -ramp[1:], -ramp[-2::-1]])
    source = np.concatenate([loop, *[loop[1:]] * (count - 1)])
    for values in (source, -source, np.append(source, [0.0] * 9), source + 1e-3):
        _, cycle = direction_and_cycle(values)
        assert cycle.max() + 1 == count


def test_what_the_data_say_was_driven_decides():
    """Readings of a voltage may be smoother than those of the current that was swept."""
    amperes = np.linspace(0.0, 2e-5, 400) + 1e-8 * np.sin(np.arange(400) ** 2)
    data = xr.Dataset({"voltage": ("point", amperes / 4e-5), "current": ("point", amperes)})
    data["voltage"] = ("point", np.linspace(0.0, 0.5, 400))
    assert not current_swept(data)
    assert current_swept(data.assign_attrs(driven="current"))
    assert not current_swept(data.assign_attrs(driven="voltage"))
