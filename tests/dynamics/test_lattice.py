"""The stored lattice constant: of this element and force field, and nothing else is believed."""

import json
from dataclasses import replace

import pytest

from nanogap.dynamics import lattice
from nanogap.dynamics.lattice import equilibrium_lattice_constant
from nanogap.dynamics.reaxff_file import UserForceField
from nanogap.errors import EngineError


@pytest.fixture
def computed(monkeypatch):
    """Return the elements that were computed; each at its measured lattice constant."""
    asked = []

    def compute(interaction, _temperature):
        asked.append(interaction.element)
        return interaction.lattice_constant

    monkeypatch.setattr(lattice, "_compute", compute)
    return asked


def test_two_metals_of_one_file_have_their_own(computed, tmp_path):
    both = UserForceField(
        element="Ni",
        content="one file",
        general=(),
        atom={},
        bond={},
        has_angles=False,
        has_off_diagonal=False,
    )
    for element, expected in (("Ni", 3.52), ("Pt", 3.92), ("Ni", 3.52)):
        metal = replace(both, element=element)
        found = equilibrium_lattice_constant(metal, 800.0, cache=tmp_path)
        assert found == pytest.approx(expected)
    assert computed == ["Ni", "Pt"]


@pytest.mark.parametrize(
    "damage",
    [
        None,
        "",
        "null",
        "[]",
        '{"lattice_constant": null}',
        "[" * 100_000,
        float("nan"),
        float("inf"),
        True,
        "4.09",
        -4.09,
        0.0,
        40.9,
        3.5,
    ],
)
def test_what_is_stored_is_checked(damage, computed, force_field, tmp_path):
    assert equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path) == pytest.approx(
        force_field.lattice_constant, abs=1e-3
    )
    (stored,) = tmp_path.iterdir()
    content = json.loads(stored.read_text())
    if isinstance(damage, str) and damage != "4.09":
        stored.write_text(damage)
    else:
        stored.write_text(json.dumps(content | {"lattice_constant": damage}))
    equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path)
    equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path)
    assert computed == ["Ag", "Ag"]
    assert json.loads(stored.read_text()) == content


def test_a_force_field_of_another_metal_is_refused(monkeypatch, force_field, tmp_path):
    monkeypatch.setattr(lattice, "_compute", lambda *_: 5.6)
    with pytest.raises(EngineError, match="far from the measured"):
        equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path)
    assert not list(tmp_path.iterdir())
