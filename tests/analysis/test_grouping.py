"""Results of devices by the values of an axis."""

import numpy as np
import pytest
from scipy.stats import t

from nanogap.analysis.grouping import ByAxis


def collected(values, per_value=6, seed=1):
    """Group SET voltages around each value, two of each device."""
    random = np.random.default_rng(seed)
    by = ByAxis("protocol.rate")
    found = {}
    for value in values:
        found[value] = value + 0.1 * random.normal(size=(per_value, 2))
        for number, volts in enumerate(found[value]):
            by.add(value, f"d{value}-{number}", "SET voltage", "V", volts)
    return by.grouping(), found


def test_a_device_counts_once_and_intervals_are_those_of_devices():
    grouping, found = collected([4.0, 1.0])
    assert grouping.values == [1.0, 4.0]
    for row in grouping.groups:
        means = found[row.value].mean(axis=1)
        half = t.ppf(0.975, 5) * means.std(ddof=1) / np.sqrt(6)
        assert (row.devices, row.known, row.count) == (6, 6, 12)
        assert row.mean == pytest.approx(means.mean())
        assert (row.low, row.high) == pytest.approx((row.mean - half, row.mean + half))
    assert grouping.p_values["SET voltage"] < 0.01


def test_few_devices_have_no_interval():
    grouping, _ = collected([1.0, 2.0], per_value=5)
    assert all(row.low is None and row.high is None for row in grouping.groups)
    assert {row[-1] for row in grouping.table[1:]} == {"too few"}


def test_devices_without_the_event_are_counted_and_empty_quantities_left_out():
    by = ByAxis("medium.name")
    for name, volts in (("a", [0.5]), ("b", [])):
        by.add("water", name, "SET voltage", "V", volts)
        by.add("water", name, "RESET voltage", "V", [])
    (row,) = by.grouping().groups
    assert (row.quantity, row.devices, row.known, row.mean) == ("SET voltage", 2, 1, 0.5)


def test_equal_values_are_said_to_be_equal():
    by = ByAxis("x")
    for number in range(6):
        by.add(1.0, str(number), "G", "G0", [0.1 + 0.2 if number else 0.3])
    grouping = by.grouping()
    assert grouping.groups[0].deviation == 0.0
    assert grouping.table[1][-1] == "all equal"
    assert grouping.p_values == {}


def test_the_file_has_groups_then_devices():
    grouping, _ = collected([1.0], per_value=2)
    head, *rows = grouping.numbers
    place = head.index("device")
    assert [row[place] for row in rows] == ["all", "d1.0-0", "d1.0-1"]
    assert {len(row) for row in grouping.numbers} == {len(head)}
