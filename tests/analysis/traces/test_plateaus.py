from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.errors import DataFormatError, SettingsError
from nanogap.synthetic.signals import plateau_trace


def staircase(random, shortest, longest, count=12):
    levels = [1.0]
    while len(levels) < count:
        level = levels[-1] + random.choice([-2.0, -1.0, 1.0, 2.0])
        if level > 0.0:
            levels.append(level)
    return np.array(levels), random.integers(shortest, longest, count)


@pytest.mark.validation
@pytest.mark.parametrize(("ratio", "shortest"), [(3.0, 2500), (5.0, 1000), (10.0, 300), (30.0, 60)])
def test_steps_and_levels_at_a_signal_to_noise_ratio(ratio, shortest):
    true_steps = found_steps = false_steps = 0
    errors = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        levels, lengths = staircase(random, shortest, 2 * shortest)
        trace = plateau_trace(levels, lengths, 1.0 / ratio, random)
        found = PlateauDetection().compute(trace)
        steps, true = np.array(found.steps), np.cumsum(lengths)[:-1]
        hit = [np.abs(steps - place).min(initial=10**9) <= 5 for place in true]
        true_steps += len(true)
        found_steps += sum(hit)
        false_steps += len(steps) - sum(hit)
        for plateau in found.plateaus:
            middle = (plateau.first + plateau.last) // 2
            errors.append(plateau.level - levels[np.searchsorted(np.cumsum(lengths), middle)])
    assert found_steps >= 0.95 * true_steps
    assert false_steps <= 0.05 * true_steps
    assert np.abs(errors).max() < 0.03
    assert np.quantile(np.abs(errors), 0.95) < 0.02


def test_short_plateaus_at_low_signal_to_noise():
    found = missed = false = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        levels, lengths = staircase(random, 40, 120)
        detection = PlateauDetection().compute(plateau_trace(levels, lengths, 1 / 3, random))
        steps, true = np.array(detection.steps), np.cumsum(lengths)[:-1]
        hit = sum(np.abs(steps - place).min(initial=10**9) <= 5 for place in true)
        found, missed, false = found + hit, missed + len(true) - hit, false + len(steps) - hit
    assert found >= 0.95 * (found + missed)
    assert false <= 0.05 * (found + missed)


def test_a_flat_trace_of_any_length_has_no_step():
    for seed, count in ((0, 100), (1, 3000), (2, 30_000)):
        trace = 1.0 + 0.1 * np.random.default_rng(seed).normal(size=count)
        assert len(PlateauDetection().compute(trace).plateaus) == 1


def test_noise_that_grows_with_the_level():
    random = np.random.default_rng(0)
    trace = np.repeat([0.01, 1.0, 2.0, 3.0, 4.0], 800)
    trace *= 1.0 + 0.02 * random.normal(size=len(trace))
    found = PlateauDetection().compute(trace)
    assert found.steps == pytest.approx([800, 1600, 2400, 3200], abs=2)


def test_a_spike_is_no_plateau_and_gaps_are_passed_over():
    trace = 1.0 + 0.01 * np.random.default_rng(0).normal(size=500)
    trace[[100, 300]] = 5.0
    trace[200:205] = np.nan
    (plateau,) = PlateauDetection().compute(trace).plateaus
    assert (plateau.first, plateau.last) == (0, 500)
    assert plateau.level == pytest.approx(1.0, abs=0.01)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0.0, 5.0), min_size=20, max_size=200), st.integers(2, 8))
def test_plateaus_follow_each_other_and_are_long_enough(values, shortest):
    found = PlateauDetection(minimum_length=shortest).compute(values).plateaus
    assert found
    assert found[0].first >= 0
    assert found[-1].last <= len(values)
    assert all(p.last <= q.first for p, q in pairwise(found))
    assert all(p.length >= shortest for p in found)


def test_a_passage_between_two_steps_is_in_no_plateau():
    random = np.random.default_rng(4)
    trace = np.repeat([1.0, 2.0, 3.0], [60, 4, 60]) + 0.01 * random.normal(size=124)
    found = PlateauDetection(minimum_length=8).compute(trace).plateaus
    assert [round(p.level, 2) for p in found] == [1.0, 3.0]
    assert all(p.length >= 55 for p in found)
    assert found[1].step == pytest.approx(2.0, abs=0.02)


def test_small_steps_can_be_ruled_out():
    trace = np.repeat([1.0, 1.05, 2.0], 100) + 0.001 * np.random.default_rng(0).normal(size=300)
    assert len(PlateauDetection().compute(trace).plateaus) == 3
    assert len(PlateauDetection(minimum_step=0.1).compute(trace).plateaus) == 2


def test_nearest_level():
    (plateau,) = PlateauDetection().compute(np.tile([2.9, 2.92], 20)).plateaus
    assert plateau.nearest_level == 3
    assert plateau.offset == pytest.approx(-0.09)
    assert plateau.length == 40


def test_wrong_input():
    with pytest.raises(SettingsError, match="minimum length"):
        PlateauDetection(minimum_length=1)
    with pytest.raises(SettingsError, match="minimum step"):
        PlateauDetection(minimum_step=-1.0)
    with pytest.raises(SettingsError, match="strictness"):
        PlateauDetection(strictness=0.0)
    with pytest.raises(DataFormatError, match="too short"):
        PlateauDetection().compute([1.0, 2.0])
    with pytest.raises(AttributeError, match="compute"):
        _ = PlateauDetection().plateaus
