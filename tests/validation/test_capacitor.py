"""The plate capacitor of the EChemDID authors, by the script that makes its figure."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from nanogap.units import COULOMB
from validation import capacitor

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.validation


@pytest.fixture(scope="module")
def stored():
    return json.loads((ROOT / "docs" / "data" / "capacitor.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def relaxation():
    """Blocks as long as the authors' but three cells wide: the sides repeat, so it is no matter."""
    return capacitor.relaxation((3, 3, 40))


def test_the_potential_is_the_fourier_series_at_ten_times(relaxation):
    errors = [entry.mean_squared_error for entry in relaxation.times]
    assert len(errors) == 10
    assert max(errors) <= 1e-3


def test_the_stored_data_are_what_the_script_gives(relaxation, stored):
    """The width changes nothing; so the quick blocks must repeat the data of the wide ones."""
    assert len(stored["relaxation"]["times"]) == 10
    for ours, theirs in zip(relaxation.times, stored["relaxation"]["times"], strict=True):
        assert theirs["mean_squared_error"] <= 1e-3
        assert ours.time == pytest.approx(theirs["time"], rel=1e-6)
        assert ours.potential == pytest.approx(theirs["potential"], abs=1e-5)
    again = capacitor.plates((3, 8)).rows
    kept = [row for row in stored["plates"]["rows"] if row["gap"] in {10.5, 25.5}]
    for ours, theirs in zip(again, kept, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_lattice_sum_is_the_sum_over_the_lattice():
    """Two heights against each other: brute force over a large disc, whose rim is known."""
    side, reach = 3.0, 400.0
    steps = np.arange(-140, 141) * side
    x, y = np.meshgrid(steps, steps)
    shift, heights = np.array([1.5, 1.5]), np.array([0.7, 4.2])
    alpha, coulomb = capacitor.ALPHA, COULOMB
    plane = np.hypot(x + shift[0], y + shift[1])
    sums = []
    for height in heights:
        distance = np.hypot(plane, height)[plane < reach]
        # beyond the disc: the potential of a uniform plane with a hole
        rim = -2.0 * np.pi / side**2 * np.hypot(reach, height)
        sums.append(coulomb * ((erf(alpha * distance) / distance).sum() + rim))
    found = capacitor.layer_potential(heights, np.tile(shift, (2, 1)), side**2)
    assert found[0] - found[1] == pytest.approx(sums[0] - sums[1], rel=1e-3)


def test_plates_have_the_charge_field_and_force_of_a_capacitor():
    plates = capacitor.plates((3, 5, 12))
    for row in plates.rows:
        assert row["field"] == pytest.approx(row["plate_field"], rel=1e-4)
        assert row["force"] == pytest.approx(row["plate_force"], rel=1e-4)
        # a uniform electronegativity has no effect; that of two metals is a contact voltage
        assert row["charge_with_chi_2"] == pytest.approx(row["charge"], rel=1e-9)
        assert row["charge_of_different_metals"] == pytest.approx(row["charge"] * 7 / 8, rel=1e-6)
    # 1/C grows as the distance; the charges lie within a fraction of a plane of the surfaces
    assert plates.slope == pytest.approx(1.0, abs=1e-4)
    assert abs(plates.intercept) < 0.1 * 1.5


def test_while_it_relaxes_the_field_follows_the_facing_planes(relaxation):
    rows = capacitor.charging(relaxation)
    last = rows[-1]
    assert last["facing_potential"] > 0.8 * 8.0
    for row in rows:
        assert row["field"] == pytest.approx(row["plate_field"], rel=1e-3, abs=1e-3 * last["field"])
