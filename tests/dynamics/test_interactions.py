"""Metals by data alone: what their tables give against published numbers, and what is refused."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dynamics.crystals import bulk_modulus, cohesive_energy, elastic_constants, surface_energy

from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import available_elements, load_force_field
from nanogap.dynamics.interaction import load_interaction
from nanogap.dynamics.lattice import equilibrium_lattice_constant
from nanogap.dynamics.reaxff_file import read_force_field
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.settings import DynamicsSettings, settings_from_text
from nanogap.structure import build_pyramids

#: Measured at low temperature (Kittel, Introduction to Solid State Physics, 8th ed., chapter 1
#: table 3 and chapter 3 tables 1 and 3): lattice constant, cohesive energy, bulk modulus.
MEASURED = {"Ag": (4.09, 2.95, 100.7), "Cu": (3.61, 3.49, 137.0), "Au": (4.08, 3.81, 173.2)}

#: Foiles, Baskes & Daw 1986: lattice constant, cohesive energy (eV), C11, C12, C44 (GPa) and the
#: energy of the relaxed (111) surface (J/m^2).
FOILES = {
    "Ag": (4.09, 2.85, 129.0, 91.0, 57.0, 0.62),
    "Cu": (3.615, 3.54, 167.0, 124.0, 76.0, 1.17),
}


@pytest.mark.engine
@pytest.mark.validation
@pytest.mark.parametrize("element", FOILES)
def test_embedded_atoms_are_those_of_the_paper(element, tmp_path):
    metal = load_embedded_atom(element)
    lattice, cohesion, *constants, surface = FOILES[element]
    assert equilibrium_lattice_constant(metal, 0.0, cache=tmp_path) == pytest.approx(
        lattice, abs=0.001
    )
    assert cohesive_energy(metal, lattice) == pytest.approx(cohesion, abs=0.005)
    np.testing.assert_allclose(elastic_constants(metal, lattice), constants, atol=0.6)
    # ours is not relaxed, which (111) surfaces gain little by
    assert surface <= surface_energy(metal, lattice) < 1.05 * surface


@pytest.mark.engine
@pytest.mark.validation
@pytest.mark.parametrize("element", ["Cu", "Au"])
def test_reactive_metals_are_near_measured_ones(element, tmp_path):
    metal = load_force_field(element)
    lattice, cohesion, stiff = MEASURED[element]
    found = equilibrium_lattice_constant(metal, 0.0, cache=tmp_path)
    assert found == pytest.approx(lattice, rel=0.035)
    assert cohesive_energy(metal, found) == pytest.approx(cohesion, rel=0.03)
    assert bulk_modulus(metal, found) == pytest.approx(stiff, rel=0.3)
    # measured 1.8 and 1.5 J/m^2 (Tyson & Miller 1977, doi:10.1016/0039-6028(77)90442-3) are half
    # as much again: force fields fitted to density functionals have too soft surfaces, as they do
    assert 0.5 < surface_energy(metal, found) < 1.8


def test_a_table_has_its_own_element_charges_and_mass():
    assert {"Ag", "Au", "Cu"} <= set(available_elements())
    assert load_force_field("Cu").mass == pytest.approx(63.546)
    assert load_force_field("Au").mass == pytest.approx(196.96657)
    for element in available_elements():
        atom = load_force_field(element).atom
        assert atom["gamma_EEM"] > 0.0
        assert atom["eta_EEM"] > 0.0


@pytest.mark.engine
@pytest.mark.parametrize("element", ["Cu", "Au"])
def test_a_positively_biased_tip_of_any_metal_is_positively_charged(element, tmp_path):
    metal = load_force_field(element)
    tips = tiny_tips(metal)
    settings = DynamicsSettings(temperature=0.0, charge_tolerance=1e-10)
    engine = Engine(tips, settings, metal, tmp_path, seed=1)
    upper = tips.positions[:, 2] > tips.cell[2, 2] / 2.0
    engine.set_potential(np.where(upper, 1.0, -1.0))
    engine.advance(0)
    charges = engine.charges
    engine.close()
    assert charges[upper].sum() > 0.1
    assert charges.sum() == pytest.approx(0.0, abs=1e-6)


def tiny_tips(metal):
    return build_pyramids(
        lattice_constant=metal.lattice_constant,
        base_width=9.0,
        height=2.6,
        apex_width=6.0,
        gap=6.0,
        fixed_layers=1,
        vacuum=12.0,
        element=metal.element,
    )


def test_an_element_without_a_table_names_those_with_one_and_the_remedy():
    with pytest.raises(SettingsError, match=r"'Ni': there are .* Ag, Au, Cu: .*force_field"):
        load_interaction(DynamicsSettings(), "Ni")
    with pytest.raises(SettingsError, match=r"'Ni': .*'eam' there are Ag, Au, Cu"):
        load_interaction(DynamicsSettings(engine="eam"), "Ni")


def test_embedded_atoms_know_no_voltage():
    eam = '[dynamics]\nengine = "eam"\n'
    with pytest.raises(SettingsError, match=r"voltage.applied = 8: .*set voltage.applied = 0"):
        settings_from_text(eam, "mine.toml")
    with pytest.raises(SettingsError, match=r"dynamics.force_field = 'my.ff' is for .*'reaxff'"):
        settings_from_text(f'{eam}force_field = "my.ff"\n[voltage]\napplied = 0.0\n', "mine.toml")
    settings = settings_from_text(f"{eam}[voltage]\napplied = 0.0\n", "mine.toml")
    assert not load_interaction(settings.dynamics, "Ag").charged


@pytest.fixture
def own_file(tmp_path):
    """Return a function that writes a ReaxFF file of gold, changed by a replacement."""

    def write(old="", new=""):
        path = tmp_path / "ffield.reax.my"
        text = load_force_field("Au").text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path

    return write


@pytest.mark.engine
def test_a_users_own_file_gives_what_the_table_gives(own_file, tmp_path):
    table = load_force_field("Au")
    own = read_force_field(own_file(), "Au")
    assert not own.has_angles
    tips = tiny_tips(table)
    forces = []
    for metal in (table, own):
        engine = Engine(tips, DynamicsSettings(temperature=0.0), metal, tmp_path, seed=1)
        engine.advance(0)
        forces.append(engine.forces)
        engine.close()
    np.testing.assert_array_equal(*forces)


def test_a_file_with_angles_keeps_their_loops(own_file, tmp_path):
    row = "  1  1  1   80.0   30.0   1.0   0.0   1.6   50.0   1.0"
    own = read_force_field(own_file("  0  ! Nr of angles", f"  1  ! Nr of angles\n{row}"), "Au")
    assert own.has_angles
    own.pair_commands(tmp_path, fast=True)
    assert "thb_cutoff" not in (tmp_path / "reaxff.control").read_text()


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (" Au ", " Pt ", SettingsError, r"has no element Au .*: it has Pt"),
        ("   0.9623", "   0.0000", SettingsError, r"gamma_EEM of Au is 0: charges need"),
        ("   5.6481", "  -1.0000", SettingsError, r"eta_EEM of Au is -1: charges need"),
        ("  1  1 ", "  1  2 ", SettingsError, r"has no bond 1 1 \(Au-Au\)"),
        ("   0.9623", "   nought", DataFormatError, r"line 46: expected 8 numbers, found '\s*Au"),
        (" 39  !", " many", DataFormatError, r"line 2: expected the number of general"),
        ("  1  ! Nr of bonds", "", DataFormatError, r"line 50: expected the number of bonds"),
        (
            "  0  ! Nr of hydrogen bonds\n",
            "",
            DataFormatError,
            r"ends at line 56: the number of hy",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(own_file, old, new, error, message):
    with pytest.raises(error, match=message) as caught:
        read_force_field(own_file(old, new), "Au")
    assert "ffield.reax.my" in str(caught.value)


def test_a_missing_file_and_a_metal_that_is_not_fcc_are_refused(own_file, tmp_path):
    with pytest.raises(DataFormatError, match="cannot be read: No such file"):
        read_force_field(tmp_path / "none", "Au")
    with pytest.raises(SettingsError, match="tips are fcc crystals, and Fe is none"):
        read_force_field(own_file(), "Fe")
    with pytest.raises(SettingsError, match="no chemical symbol"):
        read_force_field(own_file(), "Zz")


@given(st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(tmp_path_factory, data):
    text = load_force_field("Au").text()
    cut = data.draw(st.integers(0, len(text)))
    inserted = data.draw(st.text(max_size=4))
    path = tmp_path_factory.mktemp("damaged") / "ffield"
    path.write_text(text[:cut] + inserted + text[cut + data.draw(st.integers(0, 40)) :])
    with suppress(NanogapError):
        assert read_force_field(path, "Au").element == "Au"
