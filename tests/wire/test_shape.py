"""Shapes in time: growth rates, universal pinch-off, conservation, both signs of Z*."""

import numpy as np
import pytest
from scipy.constants import k

from nanogap.wire.evolution import Evolution, Shape
from nanogap.wire.mesh import Mesh, graded, uniform_mesh
from nanogap.wire.surface import shape_rates
from tests.wire.wires import AMBIENT, RADIUS, cold, matter, surface, surroundings

HOT = surroundings(temperature=800.0)


def no_current(_time):
    return lambda _ohms: 0.0


def wire(mesh, radii, of=None, start=None):
    """A wire without a current, of constant temperature."""
    material = of or matter(surroundings=HOT)
    count = len(mesh.widths)
    thermal = start or cold(count)
    return Evolution(material, Shape(mesh, radii**2, np.ones(count), thermal))


@pytest.mark.parametrize("wave", [0.3, 0.5, 0.7, 0.9, 1.3])
def test_a_perturbed_cylinder_grows_as_nichols_and_mullins_say(wave):
    """Rate (B/R^4) (kR)^2 [1 - (kR)^2], doi:10.1063/1.1714360: growing for kR < 1 only."""
    length = 3.0 * 2.0 * np.pi * RADIUS / wave
    mesh = uniform_mesh(length, RADIUS / 6.0)
    shape = np.cos(wave * mesh.centres / RADIUS)
    evolution = wire(mesh, RADIUS * (1.0 + 1e-3 * shape))
    coefficient = surface().mullins_coefficient(800.0)
    exact = coefficient / RADIUS**4 * wave**2 * (1.0 - wave**2)
    time = 0.5 / abs(exact)
    evolution.advance(0.0, [time], no_current, lambda *_: None)
    now = evolution.shape.radii
    assert len(now) == len(shape)
    amplitude = 2.0 * np.mean((now / RADIUS - 1.0) * shape) / 1e-3
    assert np.log(amplitude) / time == pytest.approx(exact, rel=0.03)


def test_the_coefficient_is_that_of_mullins():
    given = surface()
    diffusion = 1e-7 * np.exp(-given.activation_energy / (k * 800.0))
    exact = 1.38e19 * diffusion * 1.25 * given.atomic_volume**2 / (k * 800.0)
    assert given.mullins_coefficient(800.0) == pytest.approx(exact)


@pytest.fixture(scope="module")
def pinched():
    """A cylinder that capillarity alone pinches off."""
    length = 2.0 * np.pi * RADIUS / 0.7
    mesh = uniform_mesh(length, RADIUS / 3.0)
    radii = RADIUS * (1.0 + 0.3 * np.cos(2.0 * np.pi * mesh.centres / length))
    evolution = wire(mesh, radii, matter(surroundings=HOT, parting_radius=2e-10))
    before = evolution.shape.volume
    evolution.advance(0.0, [1e9], no_current, lambda *_: None)
    return evolution, before


def test_pinch_off_by_surface_diffusion_has_the_universal_angle(pinched):
    """46.04 degrees (Wong, Miksis, Voorhees and Davis, Acta Materialia 46, 2477 (1998))."""
    shape = pinched[0].shape
    assert pinched[0].parted
    neck = shape.mesh.centres[np.argmin(shape.squares)]
    # far from the neck of 0.2 nm, near against the wire of 40 nm
    for side in (-1.0, 1.0):
        away = side * (shape.mesh.centres - neck)
        flank = (away > 0.0) & (shape.radii > 5e-10) & (shape.radii < 1.5e-9)
        slope = np.polyfit(away[flank], shape.radii[flank], 1)[0]
        assert np.degrees(np.arctan(slope)) == pytest.approx(46.04, abs=1.5)


def test_volume_is_conserved_through_all_refinements(pinched):
    evolution, before = pinched
    assert len(evolution.shape.squares) > 60
    assert evolution.shape.volume == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_bump_drifts_with_or_against_the_electrons_by_the_sign_of_z(sign):
    """Z* < 0: towards the anode, x = L of a positive voltage."""
    mesh = uniform_mesh(40.0 * RADIUS, RADIUS / 3.0)
    middle = 20.0 * RADIUS
    bump = np.exp(-(((mesh.centres - middle) / (4.0 * RADIUS)) ** 2))
    of = matter(surroundings=HOT, surface=surface(effective_valence=sign * 20.0))
    evolution = wire(mesh, RADIUS * (1.0 - 0.1 * bump), of)

    def circuit(_time):
        return lambda _ohms: 1e-3

    def centroid():
        missing = RADIUS**2 - evolution.shape.squares
        return float(np.sum(missing * mesh.centres) / np.sum(missing))

    before = centroid()
    evolution.settle(circuit(0.0))
    evolution.advance(0.0, [0.02], circuit, lambda *_: None)
    moved = centroid() - before
    # a thin place has the larger flux: what leaves it downstream moves it upstream
    assert abs(moved) > 0.05 * RADIUS
    assert np.sign(moved) == np.sign(sign)


def test_atoms_go_to_the_anode_for_a_negative_z_and_to_the_cold_for_a_positive_q():
    mesh = uniform_mesh(1e-6, 5e-9)
    squares, ones = np.full(len(mesh.widths), RADIUS**2), np.ones(len(mesh.widths))
    flat = 800.0 * ones
    to_cathode = -1e4 * ones  # the field of a positive voltage
    for valence, end in ((-10.0, -1), (10.0, 0)):
        given = surface(effective_valence=valence)
        rates = shape_rates(mesh, given, squares, temperature=flat, field=to_cathode, grains=ones)
        assert rates[end] > 0.0 > rates[-1 - end]
    warm = np.linspace(700.0, 900.0, len(ones))
    given = surface(heat_of_transport=1.6e-19)
    rates = shape_rates(mesh, given, squares, temperature=warm, field=0.0 * ones, grains=ones)
    assert rates[0] > 0.0 > rates[-1]


def test_curvature_of_cylinder_sphere_and_unduloid():
    mesh = uniform_mesh(1.0, 1e-3)
    np.testing.assert_allclose(mesh.curvature(np.full(len(mesh.widths), 0.04)), 5.0)
    x = mesh.centres
    sphere = 1.0 - (x - 0.5) ** 2
    inner = slice(5, -5)
    np.testing.assert_allclose(mesh.curvature(sphere)[inner], 2.0, rtol=1e-3)
    radius = 0.3 + 0.05 * np.cos(4.0 * np.pi * x)
    first = -0.2 * np.pi * np.sin(4.0 * np.pi * x)
    second = -0.8 * np.pi**2 * np.cos(4.0 * np.pi * x)
    metric = np.sqrt(1.0 + first**2)
    exact = 1.0 / (radius * metric) - second / metric**3
    np.testing.assert_allclose(mesh.curvature(radius**2), exact, rtol=2e-3)


def test_curvature_does_not_see_where_the_mesh_gets_finer():
    widths = np.concatenate([np.full(100, 4e-3), np.full(100, 2e-3), np.full(400, 1e-3)])
    mesh = Mesh(np.concatenate([[0.0], np.cumsum(widths)]))
    radius = 0.3 + 0.05 * np.cos(4.0 * np.pi * mesh.centres)
    first = -0.2 * np.pi * np.sin(4.0 * np.pi * mesh.centres)
    second = -0.8 * np.pi**2 * np.cos(4.0 * np.pi * mesh.centres)
    metric = np.sqrt(1.0 + first**2)
    exact = 1.0 / (radius * metric) - second / metric**3
    np.testing.assert_allclose(mesh.curvature(radius**2), exact, rtol=1e-2)


def test_refined_cells_hold_the_same_volume_and_get_finer_by_degrees():
    mesh = uniform_mesh(1.0, 0.02)
    squares = 0.05 + 0.03 * np.sin(9.0 * mesh.centres)
    chosen = graded(mesh.widths, np.arange(50) == 20, 3)
    assert chosen.sum() == 7
    finer, fresh, origin = mesh.refined(squares, chosen)
    assert (fresh * finer.widths).sum() == pytest.approx((squares * mesh.widths).sum(), rel=1e-14)
    assert len(fresh) == 57
    assert (np.bincount(origin) == 1 + chosen).all()
    again = graded(finer.widths, np.arange(57) == 18, 0)
    halved = np.where(again, finer.widths / 2.0, finer.widths)
    assert (np.abs(np.log2(halved[1:] / halved[:-1])) < 1.1).all()


def test_the_ambient_of_the_tests_is_cold_enough_that_nothing_moves():
    assert surface().mullins_coefficient(AMBIENT) < 1e-6 * surface().mullins_coefficient(800.0)
