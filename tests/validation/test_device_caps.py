"""A device does not depend on caps above its rates, nor on how often its potential is solved."""

import json

import numpy as np
import pytest

from validation import device_caps as measured

#: A contact loses its atoms at some tenths per second: a cap of as much slows that.
TOO_LOW = "caps of 0.1/s"


@pytest.fixture(scope="module")
def rows():
    content = json.loads(measured.CAPS.read_text(encoding="utf-8"))
    return {(row["quantity"], row["variant"]): row for row in content["comparisons"]}


def test_stored_samples_do_not_differ_where_the_cap_is_above_the_rates(rows):
    assert len(rows) >= 8
    for (quantity, variant), row in rows.items():
        again = measured.compare(quantity, variant, row["default"], row["other"])
        assert again.p_value == pytest.approx(row["p_value"])
        if variant != TOO_LOW:
            assert row["p_value"] > 0.01
            assert abs(row["difference"]) < 3.0 * row["error"] + 1e-12


def test_a_cap_as_low_as_the_rates_of_interest_is_seen(rows):
    """So the comparison can tell; the docs say how low a cap may be."""
    assert rows["SET voltage, V", TOO_LOW]["p_value"] < 0.001
    assert rows["lifetime at -0.1 V, s", TOO_LOW]["p_value"] < 0.001


def test_ten_times_larger_caps_give_the_same_bits(rows):
    """No pair of these needles is faster than the default caps."""
    row = rows["SET voltage, V", "caps x 10"]
    assert row["default"] == row["other"]
    assert len(row["default"]) >= 12


def test_other_devices_set_where_those_stored_did(rows):
    stored = np.array(rows["SET voltage, V", "caps x 10"]["default"])
    assert 1.0 < stored.min() < stored.max() < 2.5
    found = np.array([measured.set_voltage(seed, {}) for seed in (101, 102, 103)])
    spread = stored.std(ddof=1)
    error = spread * np.sqrt(1.0 / len(stored) + 1.0 / len(found))
    assert found.mean() == pytest.approx(stored.mean(), abs=4.0 * error)
