"""The two-state chain against another package's, and against all paths of a short one."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from nanogap.analysis.traces.hidden_markov import TwoStateChain
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.synthetic.signals import coloured_noise, telegraph_states

REFERENCE = json.loads(Path(__file__).with_name("hmmlearn.json").read_text(encoding="utf-8"))


def trace(seed):
    """A telegraph of any dwell times and levels, every fifth time coloured noise."""
    random = np.random.default_rng(seed)
    dwell = tuple(10.0 ** random.uniform(-1.5, 0.0, 2))
    ratio = random.uniform(1.5, 8.0)
    count = int(random.integers(1000, 6000))
    if seed % 5 == 4:
        return 2.5 + 0.02 * coloured_noise(count, float(seed % 3), random)
    states = telegraph_states(count, 0.01, dwell, random)
    return 2.4 + 0.2 * states + 0.2 / ratio * random.normal(size=count)


@pytest.mark.validation
@pytest.mark.parametrize("row", REFERENCE["traces"], ids=lambda row: f"seed{row['seed']}")
def test_fits_are_those_of_hmmlearn(row):
    found = TelegraphModel(0.01).compute(trace(row["seed"]))
    np.testing.assert_allclose(found.levels, row["levels"], rtol=1e-8)
    np.testing.assert_allclose(found.deviations, row["deviations"], rtol=1e-8)
    dwell = [np.inf if one is None else one for one in row["dwell_times"]]
    np.testing.assert_allclose(found.dwell_times, dwell, rtol=1e-8)
    assert found.n_transitions == row["transitions"]
    assert found.is_telegraph == row["telegraph"]


def chain():
    return TwoStateChain(
        np.array([0.3, 0.7]),
        np.array([[0.8, 0.2], [0.4, 0.6]]),
        np.array([-1.0, 0.8]),
        np.array([0.5, 0.9]),
    )


def test_likelihood_and_path_are_those_of_all_paths():
    readings = np.array([-1.2, 0.1, 0.9, -0.2, 1.4, -40.0, 0.3])
    one = chain()
    density = np.exp(-0.5 * (readings[:, None] - one.means) ** 2 / one.variances)
    density /= np.sqrt(2.0 * np.pi * one.variances)
    chances = {}
    for path in product((0, 1), repeat=len(readings)):
        chance = one.start[path[0]] * density[0, path[0]]
        for t in range(1, len(path)):
            chance *= one.transition[path[t - 1], path[t]] * density[t, path[t]]
        chances[path] = chance
    # a reading that far out has a density of zero in both states
    assert sum(chances.values()) == 0.0
    near = readings[readings > -10.0]
    chances = {}
    near_density = density[readings > -10.0]
    for path in product((0, 1), repeat=len(near)):
        chance = one.start[path[0]] * near_density[0, path[0]]
        for t in range(1, len(path)):
            chance *= one.transition[path[t - 1], path[t]] * near_density[t, path[t]]
        chances[path] = chance
    assert one.log_likelihood(near) == pytest.approx(np.log(sum(chances.values())), rel=1e-12)
    assert tuple(one.likeliest_states(near)) == max(chances, key=chances.get)
    assert np.isfinite(one.log_likelihood(readings))


def test_the_same_data_give_the_same_fit():
    values = trace(3)
    first, second = TelegraphModel(0.01).compute(values), TelegraphModel(0.01).compute(values)
    np.testing.assert_array_equal(first.levels, second.levels)
    np.testing.assert_array_equal(first.states, second.states)


def test_more_steps_never_lower_the_likelihood():
    readings = trace(1)
    readings = (readings - readings.mean()) / readings.std()
    found = [
        TwoStateChain.fitted(readings, steps, 0.0).log_likelihood(readings)
        for steps in range(1, 12)
    ]
    assert (np.diff(found) > -1e-6).all()
