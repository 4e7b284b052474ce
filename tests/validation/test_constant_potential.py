"""Numbers that docs/constant-potential.md tells of tips, from the data that the script wrote."""

import json
from pathlib import Path

import pytest
from validation.constant_potential import rate, static

DATA = json.loads(
    (Path(__file__).parents[2] / "docs" / "data" / "constant-potential.json").read_text()
)


def test_the_pull_on_the_middle_of_a_terrace_is_that_of_plates_across_narrow_gaps():
    for row in DATA["static"]:
        pull, plates = row["pull_per_inner_terrace_atom"], row["plates_pull_per_atom"]
        assert row["pull_per_terrace_atom"] > pull > plates
        if row["gap"] <= 6.5:
            assert pull == pytest.approx(plates, rel=0.04)
    far = DATA["static"][-1]
    assert far["gap"] == 20.0
    # the published recipe keeps 0.045 eV/angstrom there
    assert far["pull_per_terrace_atom"] < 0.011


def test_a_row_of_the_data_is_computed_again():
    (row,) = (row for row in DATA["static"] if row["gap"] == 6.0)
    assert static(6.0, 8.0) == pytest.approx(row, rel=1e-5)


def test_rates_count_runs_without_contact():
    runs = [{"contact_ps": 10.0, "end_ps": 10.1}, {"contact_ps": None, "end_ps": 40.0}]
    found = rate(runs)
    assert found["rate_per_ns"] == pytest.approx(20.0)
    assert found["low_per_ns"] == pytest.approx(0.0253 * 20.0, rel=0.01)
    assert found["high_per_ns"] == pytest.approx(5.572 * 20.0, rel=0.01)
    assert rate(runs[1:])["low_per_ns"] == 0.0
