"""A small device switches: SET at positive, RESET at negative voltage, over several seeds.

The statements are of means and majorities, since a device is random; the conductance counts atoms,
so that nothing but atoms, ions and the circuit is at work.
"""

from functools import cache
from itertools import pairwise, takewhile

import numpy as np
import pytest
from validation.device_caps import measure

from nanogap.units import CONDUCTANCE_QUANTUM

SEEDS = range(1, 7)
#: Turning point of the SET, V, reached after as many seconds.
TOP = 2.5
COMPLIANCES = (1e-4, 3e-4, 1e-3)


@cache
def loop(seed, level="named"):
    """Readings of the loop of device-quick."""
    return list(measure({"seed": seed, "medium.bulk_level": level}))


def first_half(seed, compliance):
    """Readings until the voltage has returned to nothing."""
    points = loop(seed)
    if compliance != COMPLIANCES[1]:
        points = measure({"seed": seed, "protocol.compliance": [compliance, 0.1]})
    return list(takewhile(lambda point: point.time < 2.0 * TOP, points))


def changes_of(points):
    """Each time that metal joined the electrodes (True) or came apart: whether, time, voltage."""
    return [
        (after.bridged, after.time, after.voltage)
        for before, after in pairwise(points)
        if before.bridged != after.bridged
    ]


def test_the_preset_is_the_loop_that_is_told_here():
    measurement = measure({})
    assert next(iter(measurement)).conductance == pytest.approx(1e-3)
    # nothing but the count answers
    assert measurement.device.necks.count.asked == 0
    protocol = measurement.device.settings.protocol
    assert protocol.turning_points == (0.0, TOP, 0.0, -1.5, 0.0)
    assert (protocol.rate, protocol.compliance) == (1.0, (COMPLIANCES[1], 0.1))


def test_every_device_sets_at_positive_and_resets_at_negative_voltage():
    resets = 0
    for seed in SEEDS:
        points = loop(seed)
        found = changes_of(points)
        is_set, time, _ = found[0]
        assert is_set
        assert 1.0 < time < TOP  # V on the way up, at 1 V/s
        # it holds while the voltage returns to nothing, and the last opening is at the other sign
        held = all(one.bridged for one in points if TOP + 1.0 < one.time < 2.0 * TOP)
        resets += held and not points[-1].bridged and -1.5 < found[-1][2] < -0.1
    assert resets >= len(SEEDS) - 1


def test_without_the_held_level_there_is_no_reset_at_the_same_voltage():
    """At mid-potential the narrowest atoms of a contact have no overpotential: it heals itself."""
    closed = [loop(seed, 0.5)[-1].bridged for seed in SEEDS]
    assert sum(closed) >= len(SEEDS) - 1
    assert sum(loop(seed)[-1].bridged for seed in SEEDS) <= 1


def test_a_larger_compliance_gives_a_larger_conductance():
    samples = []
    for compliance in COMPLIANCES:
        halves = [first_half(seed, compliance) for seed in SEEDS]
        samples.append([np.mean([p.conductance for p in h if p.time > 3.75]) for h in halves])
    means = np.mean(samples, axis=1)
    errors = np.std(samples, axis=1, ddof=1) / np.sqrt(len(SEEDS))
    assert (np.diff(means) > np.hypot(errors[1:], errors[:-1])).all()
    assert means[-1] - means[0] > 3.0 * np.hypot(errors[0], errors[-1])
    # growth ends when so little stands at the gap that it would take longer than the sweep
    left = np.array(COMPLIANCES) / (CONDUCTANCE_QUANTUM * means)
    assert left == pytest.approx(0.9, abs=0.5)
