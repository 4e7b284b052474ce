"""SEM-like shading: closed forms of a cylinder and a sphere, cut-off, background."""

import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii
from hypothesis import given
from hypothesis import strategies as st

from nanogap.errors import SettingsError
from nanogap.imaging import Outline, PixelGrid, seen_along, sem_of_atoms, sem_of_outline
from nanogap.imaging.sem import STEEPEST, yield_of_outline

LIMIT = 1.0 / np.cos(np.radians(STEEPEST))


@given(radius=st.floats(2.0, 500.0), share=st.floats(-0.999, 0.999))
def test_the_yield_of_a_cylinder_is_that_of_its_tilt(radius, share):
    rod = Outline(np.array([-9.0, 9.0]), np.full(2, radius**2))
    found = yield_of_outline(rod, np.zeros(1), np.array([share * radius]))[0, 0]
    assert found == pytest.approx(min(1.0 / np.sqrt(1.0 - share**2), LIMIT), rel=1e-9)


@given(slope=st.floats(0.0, 2.0))
def test_the_yield_of_a_cone_on_its_ridge_is_that_of_its_flank(slope):
    places = np.linspace(10.0, 20.0, 2001)
    cone = Outline(places, (slope * places) ** 2)
    found = yield_of_outline(cone, np.array([15.0]), np.zeros(1))[0, 0]
    expected = np.sqrt(1.0 + slope**2) if slope > 1e-6 else found
    assert found == pytest.approx(min(expected, LIMIT), rel=1e-6)


def test_the_image_of_a_cylinder_is_that_of_the_closed_form():
    rod = Outline(np.array([-2e3, 2e3]), np.full(2, 300.0**2))
    grid = PixelGrid.around((0.0, 0.0), (20.0, 800.0), 2.0)
    image = sem_of_outline(rod, grid, probe=2.0, background=0.25)
    tilted = 1.0 / np.sqrt(np.maximum(1.0 - (grid.y / 300.0) ** 2, 1e-9))
    inside = np.abs(grid.y) < 270.0
    assert np.allclose(image[inside, 4], tilted[inside], rtol=2e-3)
    assert np.allclose(image[np.abs(grid.y) > 310.0], 0.25)
    edge = np.abs(np.abs(grid.y) - 297.0) < 3.0
    assert image[edge].max() > 3.0


def test_a_sphere_is_shaded_as_its_tilt_and_the_uppermost_atom_is_seen():
    radius = covalent_radii[47]
    grid = PixelGrid.around((0.0, 0.0), (6.0, 6.0), 0.05)
    atoms = Atoms("Ag2", [[0.0, 0.0, 1.0], [0.0, 0.0, -5.0]])
    image = sem_of_atoms(atoms, seen_along(atoms, "z"), grid, probe=0.02)
    away = np.hypot(grid.x[None, :], grid.y[:, None])
    inside = away < 0.8 * radius
    assert np.allclose(image[inside], 1.0 / np.sqrt(1.0 - (away[inside] / radius) ** 2), rtol=2e-3)
    assert not image[away > 1.1 * radius].any()
    beside = Atoms("Ag2", [[0.0, 0.0, 1.0], [1.0, 0.0, -5.0]])
    seen = sem_of_atoms(beside, seen_along(beside, "z"), grid, probe=0.02)
    assert np.allclose(seen[inside], image[inside])


def test_a_wider_probe_has_weaker_edges_and_the_same_mean():
    rod = Outline(np.array([-2e3, 2e3]), np.full(2, 100.0**2))
    grid = PixelGrid.around((0.0, 0.0), (20.0, 500.0), 2.0)
    sharp, blurred = (sem_of_outline(rod, grid, probe=probe) for probe in (2.0, 30.0))
    assert blurred.max() < 0.7 * sharp.max()
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=1e-6)


@pytest.mark.parametrize("background", [-0.1, np.nan])
def test_a_background_that_is_no_yield_is_refused(background):
    rod = Outline(np.array([-9.0, 9.0]), np.full(2, 4.0))
    with pytest.raises(SettingsError, match="background = "):
        sem_of_outline(rod, PixelGrid.around((0, 0), (5.0, 5.0), 1.0), background=background)


def test_too_many_samples_of_atoms_are_refused():
    atoms = Atoms("Ag")
    grid = PixelGrid.around((0.0, 0.0), (300.0, 300.0), 0.1)
    with pytest.raises(SettingsError, match="choose larger pixels"):
        sem_of_atoms(atoms, seen_along(atoms), grid)
