"""The projected area of the Fermi surface: of a sphere, of other cells, of other counts."""

import doctest

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanogap.errors import StructureError
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors
from nanogap.transport.fitting.metal_size import lattice_constant
from nanogap.transport.tight_binding import fermi_surface
from nanogap.transport.tight_binding.bands import band_energies, bulk_fermi_energy
from nanogap.transport.tight_binding.fermi_surface import projected_channels
from nanogap.transport.tight_binding.files import load_model, packaged_elements


def plane_cell(element, constant, width=1, further=(0, 0)):
    """The crystal with a (111) plane of width x 1 atoms in its first two vectors."""
    cell = np.zeros((3, 3))
    cell[:2, :2] = surface_vectors(constant)
    cell[2] = np.append(
        stacking_shift(constant) + np.array(further) @ cell[:2, :2], layer_spacing(constant)
    )
    return Atoms(element, cell=cell, pbc=True) * (width, 1, 1)


@pytest.mark.parametrize("radius", [0.25, 0.4])
def test_a_sphere_has_the_area_of_its_circle(radius, monkeypatch):
    """Free electrons, radius in reciprocal vectors: pi r^2 waves per cell."""

    def sphere(_atoms, kpoints, _model):
        nearest = (kpoints + 0.5) % 1.0 - 0.5
        return (nearest**2).sum(axis=1)[:, None]

    monkeypatch.setattr(fermi_surface, "band_energies", sphere)
    cubic = bulk("Po", "sc", a=3.0)
    found = projected_channels(cubic, radius**2, model=None, points=24)
    assert found == pytest.approx(np.pi * radius**2, rel=0.015)
    better = projected_channels(cubic, radius**2, model=None, points=48)
    assert abs(better - np.pi * radius**2) < abs(found - np.pi * radius**2)


def test_a_flat_band_between_its_edges_has_one_wave_everywhere(monkeypatch):
    """One band along the normal alone, a cosine: one wave forwards at every k of the plane."""

    def cosine(_atoms, kpoints, _model):
        return np.cos(2.0 * np.pi * kpoints[:, 2:])

    monkeypatch.setattr(fermi_surface, "band_energies", cosine)
    # of low symmetry, so that no axis stands for another
    atoms = Atoms("Po", cell=[3.0, 3.3, 3.7], pbc=True)
    for level in (-0.7, 0.01, 0.9):
        assert projected_channels(atoms, level, model=None, points=8) == pytest.approx(1.0)
    assert projected_channels(atoms, 1.01, model=None, points=8) == 0.0


def test_the_area_is_one_of_the_plane_and_not_of_the_cell():
    level, model = bulk_fermi_energy(4.09), load_model()
    one = projected_channels(plane_cell("Ag", 4.09), level, model=model, points=32)
    oblique = plane_cell("Ag", 4.09, further=(1, -2))
    assert projected_channels(oblique, level, model=model, points=32) == pytest.approx(
        one, rel=0.01
    )
    two = projected_channels(plane_cell("Ag", 4.09, width=2), level, model=model, points=16)
    assert two == pytest.approx(2.0 * one, rel=0.02)


def test_a_film_is_refused():
    film = plane_cell("Ag", 4.09)
    film.pbc = (True, True, False)
    with pytest.raises(StructureError, match="periodic along all three"):
        projected_channels(film, 0.0, model=load_model())


@pytest.mark.validation
@pytest.mark.parametrize("element", packaged_elements())
def test_lines_through_the_zone_cross_the_surface_as_often(element):
    """Counted at every wave vector of the plane, not integrated; the mesh is good to 2 %."""
    constant, model = lattice_constant(element), load_model(element)
    atoms, level = plane_cell(element, constant), bulk_fermi_energy(constant, model)
    mesh, line = (np.arange(32) + 0.5) / 32, (np.arange(60) + 0.5) / 60
    # opposite points of the plane conduct alike: half of it is enough
    k = np.stack(np.meshgrid(mesh[:16], mesh, line, indexing="ij"), axis=-1)
    above = band_energies(atoms, k.reshape(-1, 3), model).reshape(16, 32, 60, -1) > level
    crossings = np.sum(above != np.roll(above, 1, axis=2), axis=(2, 3))
    area = projected_channels(atoms, level, model=model)
    assert np.mean(crossings) / 2.0 == pytest.approx(area, rel=0.03)


def test_the_area_of_silver_is_that_of_free_electrons():
    """Its Fermi surface is nearly a sphere: 0.831 with one electron per atom; necks cost a part."""
    level = bulk_fermi_energy(4.09)
    found = projected_channels(plane_cell("Ag", 4.09), level, model=load_model("Ag"))
    assert found == pytest.approx(0.831, rel=0.03)
    assert found == pytest.approx(0.8105, abs=5e-4)


def test_the_examples_run():
    assert doctest.testmod(fermi_surface).failed == 0
