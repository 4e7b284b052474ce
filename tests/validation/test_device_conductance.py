"""What the conductance of a neck depends on: what is stored, and a part of it measured again."""

import json

import pytest

from validation import device_conductance as measured


@pytest.fixture(scope="module")
def relaxation():
    return json.loads(measured.RELAXATION.read_text(encoding="utf-8"))


def by_shape(rows):
    names = dict.fromkeys(row["shape"] for row in rows)
    return {name: [row for row in rows if row["shape"] == name] for name in names}


def test_relaxation_moves_contacts_little_and_open_gaps_much(relaxation):
    shapes = by_shape(relaxation["relaxation"])
    assert list(shapes) == [shape.name for shape in measured.SHAPES]
    for name, rows in shapes.items():
        assert [row["steps"] for row in rows] == list(measured.STEPS)
        assert rows[-1]["force"] <= 0.02 < rows[1]["force"]
        change = abs(rows[-1]["transmission"] / rows[0]["transmission"] - 1.0)
        assert change < (0.45 if name.startswith("gap") else 0.05)
        assert max(row["seconds"] for row in rows[1:]) < 0.2


def test_a_stored_transmission_is_found_again(relaxation):
    shape = measured.SHAPES[1]
    stored = by_shape(relaxation["relaxation"])[shape.name][1]
    (found,) = measured.relaxation_rows(shape, steps=(5,))
    assert found.atoms == stored["atoms"]
    assert found.transmission == pytest.approx(stored["transmission"], rel=1e-6)
    assert found.force == pytest.approx(stored["force"], rel=1e-6)


def test_the_steps_of_the_energy_are_fine_enough(relaxation):
    for row in relaxation["curve"]:
        assert row["chord"] == pytest.approx(row["fine"], rel=0.06)
        assert row["warm"] == pytest.approx(row["fine"], rel=0.05)


def test_the_page_quotes_what_is_stored(relaxation):
    page = (measured.DOCS / "device-conductance.md").read_text(encoding="utf-8")
    for rows in by_shape(relaxation["relaxation"]).values():
        values = [row["transmission"] for row in rows]
        cells = " | ".join(f"{value:.3f}" for value in values)
        assert f"| {rows[0]['shape']} | {cells} |" in page
        assert f"| {rows[-1]['steps_made']} | {rows[-1]['moved']:.2f} |" in page
