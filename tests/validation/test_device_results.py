"""Evaluation of the paper's protocols, and a part of the stored readings made again."""

import json
from itertools import takewhile

import numpy as np
import pytest
from validation.device_results import DATA, Lifetime

from nanogap.device.device import Device
from nanogap.device.measurement import Measurement
from nanogap.settings.device import load_device_settings
from nanogap.units import BOLTZMANN
from validation import device_protocols, device_results


def readings(voltage, conductance, cycle=None):
    """Readings of a device that follows a list of conductances."""
    conductance = np.array(conductance, dtype=float)
    return {
        "voltage": np.array(voltage, dtype=float),
        "conductance": conductance,
        "cycle": np.zeros(len(conductance)) if cycle is None else np.array(cycle, dtype=float),
        "time": np.arange(len(conductance), dtype=float),
        "read": np.ones(len(conductance)),
    }


def test_set_reset_and_low_state_of_a_loop_are_found():
    up, down = np.linspace(0.0, 2.0, 21), np.linspace(1.9, 0.0, 20)
    voltage = np.concatenate([up, down, -up[1:], -down])
    conductance = np.full(len(voltage), 1e-3)
    conductance[14:50] = 1.9  # from 1.4 V up to -1.0 V
    run = readings(voltage, conductance)
    assert device_results.set_voltages(run) == [pytest.approx(1.3)]
    assert device_results.reset_voltages(run) == [pytest.approx(-0.9)]
    assert device_results.low_state(run) == [pytest.approx(1.9)]
    assert device_results.late_sets(run) == 0


def test_a_contact_as_the_voltage_falls_has_no_set_voltage():
    voltage = np.concatenate([np.linspace(0.0, 2.0, 21), np.linspace(1.9, 0.0, 20)])
    conductance = np.where(np.arange(41) > 32, 1.0, 1e-3)  # from 0.8 V down
    run = readings(voltage, conductance)
    assert device_results.set_voltages(run) == []
    assert device_results.late_sets(run) == 1


def test_an_interval_of_two_devices_is_too_few_and_cycles_are_no_devices():
    assert device_results.mean_of([1.0, 2.0]).error is None
    found = {
        f"loops-{seed}": readings([0.1, 0.2, 0.1] * 2, [1e-3, 1.0, 1.0] * 2, [0, 0, 0, 1, 1, 1])
        | {"seconds": np.array(1.0)}
        for seed in range(3)
    }
    result = device_results.loops(found)["loops"]["set_voltage"]
    assert result["number"] == 3
    assert result["cycles"] == [2, 2, 2]


def test_lost_levels_are_counted_over_the_time_they_were_watched():
    rng = np.random.default_rng(4)
    lasted = []
    for temperature in (300.0, 330.0, 360.0):
        rate = 1e-3 * np.exp(-0.8 * (1.0 / temperature - 1.0 / 300.0) / BOLTZMANN)
        for time in rng.exponential(1.0 / rate, 400):
            censored = bool(time > 1000.0)
            kept = float(min(time, 1000.0))
            name = f"{temperature:.0f}"
            lasted.append(Lifetime(name, "1", temperature, 1, 1.0, kept, censored, 0.01))
    first = device_results.decays(lasted)[0]
    assert first.interval[0] < 1e-3 < first.interval[1]
    assert first.rate == pytest.approx(1e-3, rel=0.15)
    found = device_results.activation(lasted)
    assert abs(found["energy"] - 0.8) < 3.0 * found["error"]
    assert found["error"] < 0.05
    assert device_results.activation([one for one in lasted if one.censored]) is None


def test_each_level_of_a_read_counts_from_a_second_on_and_short_ones_do_not():
    trace = [1.0] * 10 + [2.5] + [0.0] * 5 + [2.1] * 8
    run = readings(np.full(len(trace), 0.1), trace)
    found = device_results.lifetimes({"retention-315-7": run, "retention-fast-2": run})
    assert [one.condition for one in found] == ["315", "315", "fast", "fast"]
    first, second = found[:2]
    assert (first.level, first.time, first.censored) == (1, 9.0, False)
    assert (second.level, second.time, second.censored) == (2, 6.0, True)
    assert (first.temperature, found[2].temperature) == (315.0, 300.0)


def test_the_set_of_a_stored_run_is_found_again():
    """The fast sweep: a second or two, most of it the conductances of the open gap."""
    stored = json.loads(DATA.read_text(encoding="utf-8"))["loops"]["rate-1"]["set_voltage"]
    run = next(run for run in device_protocols.runs(5, 116) if run.name == "rate-1-1")
    settings = load_device_settings(run.settings(), {"conductance.cache": "none"})
    points = Measurement(Device(settings))
    before = list(takewhile(lambda point: point.conductance < device_results.CONTACT, points))
    assert before[-1].voltage == pytest.approx(stored["values"][0], abs=2e-3)


def test_the_pages_quote_what_is_stored():
    stored = json.loads(DATA.read_text(encoding="utf-8"))
    means = [
        stored["loops"][f"rate-{rate}"]["set_voltage"]["mean"]
        for rate in ("0.01", "0.1", "1", "10")
    ]
    assert means == pytest.approx([0.84, 1.30, 1.62, 2.50], abs=0.005)
    swept = stored["statistics"]
    assert (swept["devices"], swept["sweeps"], swept["points"]) == (5, 116, 464_000)
    assert sum(map(sum, swept["by_device"])) <= swept["points"]
    assert swept["edges"][int(np.argmax(swept["joined"]))] == pytest.approx(0.95)
    lost = {one["condition"]: one for one in stored["decays"] if one["level"] is None}
    lasted = [1.0 / lost[name]["rate"] for name in ("300", "315", "330", "surface-0.8")]
    assert lasted == pytest.approx([199.0, 90.0, 30.0, 21.0], abs=0.5)
    assert stored["activation"]["energy"] == pytest.approx(0.555, abs=0.005)
    hot = {one["level"]: 1.0 / one["rate"] for one in stored["decays"] if one["condition"] == "330"}
    assert [hot[level] for level in (1, 2, 3)] == pytest.approx([27.0, 21.0, 49.0], abs=0.5)
    limits = [
        stored["loops"][f"compliance-{limit}"]["low_state"]["values"]
        for limit in (50, 100, 200, 400)
    ]
    two = [values[:2] for values in limits]
    assert np.transpose(two) == pytest.approx(
        np.array([[1.0, 2.9, 2.1, 6.3], [1.9, 2.7, 4.3, 8.6]]), abs=0.06
    )
    assert [values[2:] for values in limits] == [
        pytest.approx([1.7], abs=0.06), pytest.approx([3.7], abs=0.06), [], []
    ]  # fmt: skip
    opened = stored["loops"]["slow-reset"]["reset_voltage"]["values"]
    assert opened == pytest.approx([-0.71], abs=0.005)
    assert stored["loops"]["slow-set"]["set_voltage"]["values"] == pytest.approx([0.65], abs=0.005)
