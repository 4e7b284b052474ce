"""The errors of the fields of a device: what is stored, and a part of it measured again."""

import json
from pathlib import Path

import numpy as np
import pytest

from nanogap.device.surface import RELEASE, release_factors
from validation import device_fields

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def stored():
    return json.loads((ROOT / "docs" / "data" / "device-fields.json").read_text(encoding="utf-8"))


def test_a_solution_is_off_by_less_than_its_tolerance(stored):
    for row in stored["tolerance"]:
        assert max(row["cold_error"], row["warm_error"]) < 0.3 * row["tolerance"]
        assert row["warm_iterations"] < row["cold_iterations"]


def test_no_error_while_waiting_exceeds_the_jump(stored):
    for row in [*stored["jump"], *stored["jump_bridged"]]:
        assert row["largest_error"] < row["jump"] + 3e-4
    for table in ("jump", "jump_bridged"):
        shares = [row["share_solved"] for row in stored[table]]
        assert shares == sorted(shares, reverse=True)


def test_local_solutions_err_less_than_allowed(stored):
    for row in stored["local"]:
        assert row["largest_error"] < row["local_error"] + 3e-4
    assert stored["local"][2]["share_everywhere"] < 0.2


def test_the_releases_are_those_measured(stored):
    for row in stored["release"]:
        assert RELEASE[row["neighbours"]] == pytest.approx(row["release"], abs=0.01)
        assert row["error_with_release"] < 0.0025
        assert row["error_with_release"] < 0.15 * row["error_of_own_equation"]


def test_with_screening_no_error_is_larger(stored):
    for row in stored["jump_screened"]:
        assert row["largest_error"] < row["jump"] + 3e-4
    for row in stored["local_screened"]:
        assert row["largest_error"] < row["local_error"] + 3e-4
    for row in stored["release_screened"]:
        strength = (device_fields.LATTICE_CONSTANT / row["screening_length"]) ** 2
        release = release_factors(strength)[row["neighbours"]]
        assert release == pytest.approx(row["release"], abs=0.012)
        assert row["error_with_release"] < 0.003


def test_spheres_of_atoms_are_those_of_the_continuum(stored):
    for row in stored["spheres"]:
        assert row["radius_of_atoms"] == pytest.approx(row["electrical_radius"], abs=0.03)
        assert row["error_beyond_two_bonds"] < 0.01


def test_a_part_is_measured_again():
    rng = np.random.default_rng(0)
    sample = device_fields.rough_needles(rng, gap=10.0, moves=10)
    assert (device_fields.linked(sample) <= 12).all()
    rows = device_fields.errors_of_release(1, 6)
    assert all(row["error_with_release"] < 0.0025 for row in rows)
