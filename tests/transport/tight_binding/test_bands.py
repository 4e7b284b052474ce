"""Bands and Fermi energies as a notebook asks for them."""

import doctest

import matplotlib as mpl
import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from nanogap.errors import DataFormatError, SettingsError, StructureError
from nanogap.transport.tight_binding import bands as bands_module
from nanogap.transport.tight_binding.bands import (
    band_energies,
    bands,
    bulk_fermi_energy,
    fermi_energy,
    irreducible_mesh,
)
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model_file import model_to_toml


def test_bands_are_those_of_the_wave_vectors_from_the_fermi_energy():
    silver = bulk("Ag", a=4.09)
    result = bands(silver, "GXWLG", n_points=30)
    points = np.stack([result[f"k{axis}"] for axis in (1, 2, 3)], axis=1)
    level = fermi_energy(silver)
    np.testing.assert_array_equal(result["energy"], band_energies(silver, points) - level)
    assert result.attrs["fermi_energy"] == level
    assert result["energy"].attrs["units"] == "eV"
    assert result["energy"].dims == ("k", "band")
    named = result["label"].to_numpy()
    assert [name for name in named if name] == ["G", "X", "W", "L", "G"]
    np.testing.assert_allclose(points[named == "X"], [[0.5, 0.0, 0.5]])
    gamma_to_x = float(result["distance"][named == "X"][0])
    assert gamma_to_x == pytest.approx(2.0 * np.pi / 4.09)


def test_a_structure_has_the_path_of_its_periodic_axes():
    assert bands().sizes == {"k": 100, "band": 9}
    wire = Atoms("Ag", cell=[20.0, 20.0, 2.9], pbc=(False, False, True))
    result = bands(wire, n_points=9)
    assert not result["k1"].any()
    assert result["k3"].max() == pytest.approx(0.5)
    film = fcc111("Ag", (1, 1, 2), a=4.09, vacuum=6.0)
    assert not bands(film, n_points=9)["k3"].any()


def test_a_model_may_be_its_file(tmp_path):
    path = tmp_path / "silver.toml"
    path.write_text(model_to_toml(load_model(), "a copy"), encoding="utf-8")
    silver = bulk("Ag", a=4.09)
    assert fermi_energy(silver, model=path) == pytest.approx(fermi_energy(silver), abs=1e-4)
    assert fermi_energy(model=load_model()) == fermi_energy() == fermi_energy(bulk("Ag"))
    assert fermi_energy(silver) == bulk_fermi_energy(4.09)


WITHOUT_CELL = Atoms("Ag", pbc=True)


@pytest.mark.parametrize("function", [bands, fermi_energy])
@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (4.09, "4.09 is no structure: give an ase.Atoms"),
        ("Ag", "'Ag' is no structure"),
        ([], r"\[\] is no structure"),
        ([bulk("Ag")], "is no structure: give an ase.Atoms"),
        (Atoms(), "has no atoms"),
        (WITHOUT_CELL, "its cell has no length"),
    ],
)
def test_a_wrong_structure_is_one_sentence(function, structure, message):
    with pytest.raises(StructureError, match=message) as caught:
        function(structure)
    assert "\n" not in str(caught.value)


def test_a_molecule_is_one_sentence():
    cluster = Atoms("Ag2", positions=[(0, 0, 0), (0, 0, 2.6)])
    with pytest.raises(StructureError, match="periodic along no axis"):
        bands(cluster)
    assert abs(fermi_energy(cluster)) < 5.0
    for function in (bands, fermi_energy):
        with pytest.raises(StructureError, match="H and O atoms, and tight binding takes one"):
            function(molecule("H2O"))
        with pytest.raises(DataFormatError, match=r"absent\.toml is no Hamiltonian"):
            function(model="absent.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "GQ"}, "path = 'GQ' is none"),
        ({"path": 5}, "path = 5: give text"),
        ({"n_points": 0}, "n_points = 0"),
        ({"n_points": 2.5}, "n_points = 2.5"),
        ({"model": 5}, "model = 5: give a TightBindingModel"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, message):
    with pytest.raises(SettingsError, match=message):
        bands(bulk("Ag"), **options)


def test_a_wrong_density_is_one_sentence():
    with pytest.raises(SettingsError, match="kpoints_density = 0: give a number above 0"):
        fermi_energy(kpoints_density=0)


@pytest.mark.parametrize(
    ("atoms", "mesh"),
    [
        (bulk("Ag", a=4.216), (11, 11, 11)),
        (bulk("Ag", a=4.216, cubic=True), (4, 5, 6)),
        (bulk("Cu", "bcc", a=3.0), (8, 8, 8)),
        (Atoms("Ag", cell=[20.0, 20.0, 2.9], pbc=(False, False, True)), (1, 1, 31)),
        (fcc111("Ag", (1, 1, 3), a=4.1, vacuum=5.0), (7, 7, 1)),
    ],
)
def test_the_irreducible_points_stand_for_the_whole_mesh(atoms, mesh):
    points, source = irreducible_mesh(atoms, mesh)
    weights = np.bincount(source) / len(source)
    assert weights.sum() == pytest.approx(1.0)
    full = np.stack(np.meshgrid(*(np.arange(n) / n for n in mesh), indexing="ij"), -1)
    full = full.reshape(-1, 3)
    assert len(points) < len(full) or mesh == (1, 1, 1)
    if set(atoms.symbols) == {"Ag"}:
        found, whole = band_energies(atoms, points), band_energies(atoms, full)
        np.testing.assert_allclose(weights @ found**2, (whole**2).mean(axis=0), atol=1e-9)
    rotations = [np.eye(3)]
    if len(atoms) == 1 and len(set(mesh)) == 1:
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        rotations = spglib.get_symmetry(cell)["rotations"]
    orbits = {
        min(
            tuple(np.round(sign * point @ rotation % 1.0, 6) % 1.0)
            for rotation in rotations
            for sign in (1, -1)
        )
        for point in full
    }
    assert len(points) == len(orbits)


def test_the_examples_run():
    mpl.use("agg")
    assert doctest.testmod(bands_module).failed == 0
