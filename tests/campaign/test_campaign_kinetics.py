"""First-contact times of campaigns whose rates are known by construction."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from nanogap.analysis.filament.kinetics import WaitingTimes
from nanogap.campaign.kinetics import kinetics
from nanogap.campaign.page import kinetics_figure, kinetics_section, with_interval
from nanogap.units import BOLTZMANN


def members(rate, axes, repeats, end, seed=1):
    """Exponential waiting times (ps) of `repeats` members of every combination."""
    random = np.random.default_rng(seed)
    columns = {name: [v for v in values for _ in range(repeats)] for name, values in axes.items()}
    rates = np.array([rate(*row) for row in zip(*columns.values(), strict=True)])
    time = random.exponential(1.0 / rates)
    return WaitingTimes(np.minimum(time, end), time <= end), columns


def test_an_activation_energy_is_found_though_the_lattice_expands():
    times, axes = members(
        lambda t, _: 1e3 * np.exp(-0.6 / (BOLTZMANN * t)),
        {"dynamics.temperature": [600.0, 800.0, 1000.0], "a": [4.25, 4.27, 4.28]},
        60,
        50.0,
    )
    found = kinetics(times, axes)
    axis = found.axes["dynamics.temperature"]
    assert axis.trend.low < -0.6 < axis.trend.high
    assert axis.trend.high - axis.trend.low < 0.4
    assert "activation energy" in axis.sentence()
    assert "and with it a" in axis.sentence()


def test_opposite_voltages_count_as_one():
    """The rate rises with the size of the voltage: a fall and a rise if its sign counted."""
    times, axes = members(
        lambda v: 0.02 * np.exp(0.4 * abs(v)), {"voltage.applied": [-8.0, 0.0, 4.0, 8.0]}, 40, 30.0
    )
    found = kinetics(times, axes)
    trend = found.axes["voltage.applied"].trend
    assert trend.low < 0.4 < trend.high
    assert trend.log_rank < 1e-6
    assert "size of voltage.applied" in found.statement()
    assert [point.values["voltage.applied"] for point in found.points] == [-8.0, 0.0, 4.0, 8.0]
    assert [point.members for point in found.points] == [40] * 4


def test_where_nothing_depends_nothing_is_claimed():
    times, axes = members(lambda _: 0.1, {"structure.gap": [5.0, 6.0, 7.0]}, 12, 30.0, seed=2)
    assert "No dependence" in kinetics(times, axes).statement()
    none = WaitingTimes([5.0] * 4, [False] * 4)
    silent = kinetics(none, {"structure.gap": [5.0, 5.0, 6.0, 6.0]}, touching=3)
    assert "cannot be told" in silent.statement()
    assert "3 touched before" in silent.statement()


def test_words_beside_numbers_are_axes_without_a_trend():
    times, axes = members(
        lambda _, v: 0.1 + 0.1 * v,
        {"voltage.mode": ["steady", "relaxation"], "v": [1, 2]},
        5,
        9.0,
    )
    found = kinetics(times, axes)
    assert set(found.axes) == {"v"}
    assert {point.label for point in found.points} == {
        "voltage.mode = steady, v = 1",
        "voltage.mode = relaxation, v = 2",
    }


def test_section_and_summary():
    times, axes = members(lambda v: 0.02 * (1.0 + v), {"v": [0.0, 8.0]}, 10, 10.0)
    found = kinetics(times, axes)
    section = kinetics_section(found, kinetics_figure(found))
    assert [row[0] for row in section.rows] == ["v = 0.0", "v = 8.0"]
    assert found.statement() in section.caption
    content = json.loads(json.dumps(asdict(found.summary())))
    assert content["members"] == 20
    assert content["points"][1]["rate"]["events"] == found.points[1].rate.events
    assert with_interval(2.0, (1.5, np.inf), 1.0) == "2 (1.5 to later)"


@pytest.mark.parametrize("repeats", [1, 2])
def test_few_members_make_no_error(repeats):
    times, axes = members(lambda _: 0.5, {"v": [0.0, 8.0]}, repeats, 10.0)
    assert len(kinetics(times, axes).points) == 2
