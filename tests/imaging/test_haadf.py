"""Z-contrast: integrals, linearity, symmetry, the width of the probe, projected thickness."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nanogap.errors import SettingsError
from nanogap.imaging import (
    Microscope,
    Outline,
    PixelGrid,
    haadf_of_atoms,
    haadf_of_outline,
    projected_thickness,
    seen_along,
)
from nanogap.imaging.haadf import density_of
from nanogap.imaging.probe import spread

GRID = PixelGrid.around((0.0, 0.0), (16.0, 16.0), 0.2)


def image(atoms, axis="z", grid=GRID, **options):
    return haadf_of_atoms(atoms, seen_along(atoms, axis), grid, **options)


def integral(values, grid=GRID):
    return float(values.sum()) * grid.pixel**2


@given(
    x=st.floats(-1.0, 1.0),
    y=st.floats(-1.0, 1.0),
    probe=st.floats(0.3, 2.2),
    number=st.sampled_from([6, 29, 47, 79]),
    exponent=st.floats(1.3, 2.0),
)
def test_the_integral_over_an_atom_is_z_to_the_n_wherever_it_lies(x, y, probe, number, exponent):
    scope = Microscope(exponent=exponent)
    whole = integral(image(Atoms([number], [[x, y, 0.0]]), probe=probe, microscope=scope))
    constant = scope.cross_section(47) / 47.0**exponent
    assert whole == pytest.approx(constant * number**exponent, rel=1e-6)


def test_the_image_of_atoms_is_the_sum_of_their_images():
    places = np.random.default_rng(1).uniform(-6.0, 6.0, (20, 3))
    atoms = Atoms("Ag10Cu5Au5", places)
    parts = sum(image(atoms[[place]]) for place in range(20))
    assert np.allclose(image(atoms), parts, rtol=0.0, atol=1e-12)


@given(columns=st.integers(-9, 9), rows=st.integers(-9, 9))
def test_atoms_moved_by_whole_pixels_move_the_image(columns, rows):
    atoms = Atoms("Ag2", [[0.33, -0.21, 0.0], [1.7, 2.1, 0.0]])
    moved = atoms.copy()
    moved.translate([columns * 0.2, rows * 0.2, 5.0])
    assert np.allclose(np.roll(image(atoms), (rows, columns), (0, 1)), image(moved), atol=1e-9)


def test_atoms_turned_by_a_right_angle_turn_the_image():
    atoms = Atoms("AgCu", [[0.33, -0.21, 0.0], [1.7, 2.1, 0.4]])
    turned = seen_along(atoms, "z", (0.0, 0.0, 90.0))
    # rows go upwards: a turn to the left is one of the array to the right
    expected = np.rot90(image(atoms), -1)
    assert np.allclose(haadf_of_atoms(atoms, turned, GRID), expected, atol=1e-12)


@given(angles=st.tuples(*[st.floats(-180.0, 180.0)] * 3))
def test_no_rotation_changes_the_integral(angles):
    atoms = Atoms("Ag3Au", np.random.default_rng(3).uniform(-2.0, 2.0, (4, 3)))
    seen = seen_along(atoms, "y", angles)
    assert integral(haadf_of_atoms(atoms, seen, GRID)) == pytest.approx(integral(image(atoms)))
    turned = Rotation.from_euler("xyz", angles, degrees=True).apply(atoms.positions)
    assert np.allclose(seen, np.column_stack([turned[:, 0], turned[:, 2], -turned[:, 1]]))


def test_the_three_views_are_right_handed():
    atoms = Atoms("Ag3", np.eye(3))
    for axis in "xyz":
        right, up, near = seen_along(atoms, axis).T
        assert np.allclose(np.cross(right, up), near)


@pytest.mark.parametrize("probe", [0.5, 1.0, 3.0, 6.0])
def test_the_probe_has_the_width_that_was_asked_for(probe):
    grid = PixelGrid.around((0.0, 0.0), (4.0 * probe, probe / 10.0), probe / 50.0)
    line = image(Atoms("Ag"), grid=grid, probe=probe)[grid.rows // 2]
    above = np.flatnonzero(line >= line.max() / 2.0)
    left, right = above[0], above[-1]
    half = line.max() / 2.0
    first = grid.x[left - 1] + (half - line[left - 1]) / (line[left] - line[left - 1]) * grid.pixel
    assert grid.x[right] > 0.0
    assert -2.0 * first == pytest.approx(probe, rel=2e-3)


def test_a_wide_probe_is_spread_in_two_steps_as_in_one():
    places, weights = np.array([[0.13, -0.4], [2.2, 1.0]]), np.array([1.0, 3.0])
    wide = spread(places, weights, GRID, 2.0)
    fine = PixelGrid.around((0.0, 0.0), (16.0, 16.0), 0.04)
    exact = spread(places, weights, fine, 2.0).reshape(80, 5, 80, 5).mean(axis=(1, 3))
    assert np.abs(wide - exact).max() < 1e-6 * exact.max()


def test_atoms_beyond_the_edge_reach_into_the_image():
    small = PixelGrid.around((0.0, 0.0), (4.0, 4.0), 0.2)
    atoms = Atoms("Ag2", [[2.3, 0.0, 0.0], [40.0, 0.0, 0.0]])
    assert np.allclose(image(atoms, grid=small), image(atoms)[30:50, 30:50], atol=1e-9)


@pytest.mark.parametrize("exponent", [1.64, 1.7, 2.0])
def test_elements_are_bright_by_the_power_of_their_numbers(exponent):
    scope = Microscope(exponent=exponent)
    ratio = scope.cross_section(79) / scope.cross_section(29)
    assert ratio == pytest.approx((79 / 29) ** exponent)


def test_the_cross_section_at_large_angles_is_that_of_rutherford():
    scope = Microscope(inner=250.0, outer=300.0)
    # 4 Z^2 g^2 / (a_H^2 q^4) with q = 2 pi t / lambda, over the ring
    charge, bohr, rest = 47, 0.529177, 510998.95
    factor = 4.0 * charge**2 * (1.0 + 2e5 / rest) ** 2 / bohr**2
    ring = np.pi * (1.0 / 0.25**2 - 1.0 / 0.3**2) * (scope.wavelength / (2.0 * np.pi)) ** 4
    assert scope.cross_section(47) == pytest.approx(factor * ring, rel=0.03)


def test_the_thickness_of_a_cylinder_is_that_of_its_chords():
    rod = Outline(np.array([-100.0, 100.0]), np.array([900.0, 900.0]))
    grid = PixelGrid.around((0.0, 0.0), (10.0, 80.0), 0.01 * 10)
    found = projected_thickness(rod, grid)
    chord = 2.0 * np.sqrt(np.maximum(900.0 - grid.y**2, 0.0))
    inside = np.abs(grid.y) < 29.0
    assert np.allclose(found[inside, 3], chord[inside], rtol=1e-4)
    assert not found[np.abs(grid.y) > 30.1].any()


@given(
    radii=st.lists(st.floats(2.0, 30.0), min_size=3, max_size=8),
    pixel=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_the_integral_of_the_thickness_is_the_volume(radii, pixel):
    places = np.linspace(-40.0, 40.0, len(radii))
    body = Outline(places, np.array(radii) ** 2)
    grid = PixelGrid.around((0.0, 0.0), (90.0, 70.0), pixel)
    assert integral(projected_thickness(body, grid), grid) == pytest.approx(body.volume, rel=1e-3)


def test_thin_metal_is_as_bright_as_its_atoms_and_thick_metal_saturates():
    density, scope = density_of("Ag"), Microscope()
    grid = PixelGrid.around((0.0, 0.0), (40.0, 40.0), 1.0)
    thin = Outline(np.array([-99.0, 99.0]), np.array([25.0, 25.0]))
    share = haadf_of_outline(thin, grid, probe=1.0)
    linear = density * scope.cross_section(47) * projected_thickness(thin, grid)
    assert np.abs(integral(share, grid) / integral(linear, grid) - 1.0) < 0.005
    thick = Outline(np.array([-1e5, 1e5]), np.array([1e9, 1e9]))
    middle = haadf_of_outline(thick, grid, probe=1.0)[20, 20]
    assert middle == pytest.approx(-np.expm1(-2.0 * 1e9**0.5 / scope.depth(47, density)), rel=1e-4)


def test_a_hundred_thousand_atoms_are_imaged():
    atoms = Atoms(
        np.full(100_000, 47), np.random.default_rng(5).uniform(-100.0, 100.0, (100_000, 3))
    )
    grid = PixelGrid.around((0.0, 0.0), (210.0, 210.0), 0.4)
    assert integral(image(atoms, grid=grid), grid) == pytest.approx(
        1e5 * Microscope().cross_section(47), rel=1e-6
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: image(Atoms("Ag"), probe=0.0), "probe = 0: give its width"),
        (lambda: image(Atoms("Ag"), probe=np.nan), "probe = nan"),
        (lambda: PixelGrid.around((0.0, 0.0), (1e6, 1e6), 0.1), "choose larger pixels"),
        (lambda: PixelGrid.around((0.0, 0.0), (np.inf, 1.0), 0.1), "field of view = inf"),
        (lambda: Microscope(inner=200.0), "below the outer one"),
        (lambda: Microscope(energy=10.0), "give a number from 10000 to 1e"),
        (lambda: seen_along(Atoms("Ag"), "w"), "choose x, y or z"),
        (lambda: seen_along(Atoms(), "x"), "no atoms"),
        (lambda: seen_along(Atoms("Ag"), "x", (1.0, 2.0)), "give three angles"),
        (lambda: seen_along(Atoms("Ag", [[np.nan, 0.0, 0.0]])), "no numbers"),
        (lambda: density_of("Fe"), "wires are drawn of Ag, Au, Cu"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(wrong, words):
    with pytest.raises(SettingsError) as caught:
        wrong()
    assert words in str(caught.value)
