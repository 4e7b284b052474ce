"""Potential of a medium that screens: decay, level of the bulk, limits, updates, Debye length."""

import math
from dataclasses import replace

import numpy as np
import pytest

from nanogap.device.device import Device
from nanogap.device.laplace import Screening, number_unknown, solve_sites
from nanogap.device.lattice import EMPTY, FLOATING, LOWER, METAL, UPPER, build_lattice
from nanogap.device.medium import Medium, debye_length, load_medium
from nanogap.device.potential import PotentialField
from nanogap.device.surface import RELEASE, layer_capacity, potentials_at_surface, release_factors
from nanogap.errors import SettingsError
from nanogap.settings.device import load_device_settings
from tests.device.crystals import BOND, LATTICE_CONSTANT, centred, chain, needles, plates

EXACT = {"largest_jump": 0.0, "local_error": 0.0, "tolerance": 1e-8}


def solved(lattice, fixed, states, length, **options):
    field = PotentialField(lattice, fixed, screening_length=length, **(EXACT | options))
    field.update(states)
    return field


def strength(length):
    return (LATTICE_CONSTANT / length) ** 2


def nobody(lattice):
    return np.full(len(lattice), -1, dtype=np.int32)


def residual(field, lattice, states, length):
    """Fluxes out of each site, to its neighbours and to the bulk."""
    u, ends = field.potential, lattice.neighbours
    flux = np.where(ends >= 0, u[:, None] - u[ends], 0.0).sum(axis=1)
    return flux + np.where(states != METAL, strength(length) * (u - field.level), 0.0)


@pytest.mark.parametrize("length", [3.0, 5.0, 9.6, 40.0])
def test_between_plates_the_profile_is_that_of_the_continuum(length):
    """u = 1/2 + sinh(x / lambda) / 2 sinh(H / 2 lambda), of Debye and Hueckel, within 1 %."""
    lattice, fixed, states = plates(layers=24)
    field = solved(lattice, fixed, states, length)
    height = 23 * lattice.spacing
    x = lattice.layer * lattice.spacing - height / 2.0
    expected = 0.5 + np.sinh(x / length) / np.sinh(height / 2.0 / length) / 2.0
    free = states != METAL
    assert np.abs(field.medium - expected)[free].max() < 0.01
    assert field.level == pytest.approx(0.5, abs=1e-7)


def test_between_equal_potentials_the_profile_is_a_cosine():
    """u = cosh(x / lambda) / cosh(H / 2 lambda) where the bulk is held at nothing."""
    lattice, fixed, states = plates(layers=16)
    u = fixed.astype(float)
    free = states != METAL
    unknown = number_unknown(free, nobody(lattice))
    screening = Screening(free, strength(5.0), 0.0)
    solve_sites(
        lattice.neighbours, np.ones(len(u), dtype=bool), unknown, u, 1e-9, screening=screening
    )
    x = (lattice.layer - 7.5) * lattice.spacing
    expected = np.cosh(x / 5.0) / np.cosh(7.5 * lattice.spacing / 5.0)
    assert np.abs(u - expected).max() < 0.01


@pytest.mark.parametrize("level", [0.0, 0.3, 0.7, 1.0])
def test_between_plates_with_a_level_that_is_held_the_profile_is_that_of_debye_and_hueckel(level):
    """u - u0 = ((1 - u0) sinh(z / lambda) - u0 sinh((H - z) / lambda)) / sinh(H / lambda)."""
    lattice, fixed, states = plates(layers=24)
    field = solved(lattice, fixed, states, 5.0, bulk_level=level)
    height = 23 * lattice.spacing
    z = lattice.layer * lattice.spacing
    above = (1.0 - level) * np.sinh(z / 5.0) - level * np.sinh((height - z) / 5.0)
    expected = level + above / np.sinh(height / 5.0)
    free = states != METAL
    assert np.abs(field.medium - expected)[free].max() < 0.01
    assert field.level == level
    assert field.medium[lattice.layer == 12] == pytest.approx(level, abs=0.02)


def test_the_level_at_which_a_box_is_neutral_is_the_same_when_it_is_held():
    tips, states = needles()
    free = solved(tips.lattice, tips.fixed, states, 3.0)
    held = solved(tips.lattice, tips.fixed, states, 3.0, bulk_level=free.level)
    np.testing.assert_allclose(held.medium, free.medium, atol=1e-6)


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_with_a_level_that_is_held_solutions_follow_and_go_on_to_the_bit(length):
    tips, states = needles(gap=14.0)
    options = {"screening_length": length, "bulk_level": 0.7}
    fields = [PotentialField(tips.lattice, tips.fixed, **options) for _ in range(2)]
    fields[0].update(states)
    fields[1].restore(
        fields[0].potential, fields[0].solved_labels, fields[0].conductance, fields[0].neglected
    )
    rng = np.random.default_rng(5)
    near = np.abs(tips.lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2) < 9
    for _ in range(8):
        move_one(tips.lattice, states, tips.fixed, near, rng)
        assert fields[0].update(states) == fields[1].update(states)
        np.testing.assert_array_equal(fields[0].medium, fields[1].medium)
        exact = solved(tips.lattice, tips.fixed, states, length, bulk_level=0.7)
        error = np.abs(fields[0].potential - exact.potential).max()
        assert error < fields[0].neglected + 0.02  # and the jump that waits
        assert fields[0].level == 0.7


def test_the_narrow_electrode_has_the_larger_overpotential_with_the_level_near_the_other():
    """At level 0.7 seven tenths of the voltage stand at the lower electrode, three at the upper."""
    tips, states = needles()
    linked = (states[tips.lattice.neighbours] == METAL).sum(axis=1)
    surface = (states == METAL) & (linked == 9) & ~tips.fixed
    lower, upper = (surface & (tips.lattice.layer <= tips.bottom_terrace) == one for one in (1, 0))
    field = solved(tips.lattice, tips.fixed, states, 0.05, bulk_level=0.7)
    over = np.abs(field.metal - field.medium)
    assert over[surface & lower] == pytest.approx(0.7, abs=5e-3)
    assert over[surface & upper] == pytest.approx(0.3, abs=5e-3)


def test_levels_that_cannot_be_are_refused_in_a_sentence():
    lattice, fixed, _ = plates()
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(SettingsError, match="level of the medium"):
            PotentialField(lattice, fixed, screening_length=1.0, bulk_level=wrong)
        with pytest.raises(SettingsError, match="bulk level"):
            replace(load_medium("polymer (PVP)"), bulk_level=wrong)
    given = ["medium.bulk_level=0.7", "conductance.cache=none"]
    for more in ("medium.name=vacuum", "medium.screening_length=none"):
        with pytest.raises(
            SettingsError, match=r"medium\.bulk_level = 0\.7 is given, but .* has no"
        ):
            Device(load_device_settings("device-quick", [*given, more]))
        # the level that the named medium has is none of a medium that does not screen
        Device(load_device_settings("device-quick", [more, "conductance.cache=none"]))


def test_a_device_has_the_level_of_its_settings():
    def level(word):
        overrides = [f"medium.bulk_level={word}", "conductance.cache=none"]
        return Device(load_device_settings("device-quick", overrides)).field.level

    assert level("named") == load_medium("polymer (PVP)").bulk_level == 0.7
    assert level("0.4") == 0.4
    # the blunt upper needle has the larger surface
    assert 0.5 < level("neutral") < 0.7


def test_a_layer_decays_on_the_lattice_as_derived():
    """cosh(q) = 1 + kappa2 / 6 from layer to layer, for any screening length."""
    lattice, fixed, states = plates(layers=24)
    for length in (0.5, 1.0, 3.0):
        q = math.acosh(1.0 + strength(length) / 6.0)
        n = lattice.layer - 11.5
        expected = 0.5 + np.sinh(q * n) / np.sinh(q * 11.5) / 2.0
        field = solved(lattice, fixed, states, length)
        np.testing.assert_allclose(field.potential, expected, atol=1e-7)


def test_without_screening_the_solution_is_that_of_laplace():
    tips, states = needles()
    plain = PotentialField(tips.lattice, tips.fixed, **EXACT)
    plain.update(states)
    endless = solved(tips.lattice, tips.fixed, states, math.inf)
    np.testing.assert_array_equal(plain.medium, endless.medium)
    np.testing.assert_array_equal(plain.potential, endless.potential)
    far = solved(tips.lattice, tips.fixed, states, 1e6)
    np.testing.assert_allclose(far.medium, plain.medium, atol=1e-6)
    assert release_factors(0.0) is RELEASE


def test_the_whole_voltage_stands_at_the_surface_where_the_length_is_short():
    tips, states = needles()
    field = solved(tips.lattice, tips.fixed, states, 0.05)
    linked = (states[tips.lattice.neighbours] == METAL).sum(axis=1)
    surface = (states == METAL) & (linked < 10) & ~tips.fixed
    over = np.abs(field.metal - field.medium)[surface]
    assert field.level == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(
        over, np.where(field.metal[surface] > 0.5, 1.0 - field.level, field.level), atol=2e-3
    )


def test_the_medium_is_neutral_and_so_are_the_electrodes_together():
    tips, states = needles()
    field = solved(tips.lattice, tips.fixed, states, 3.0)
    flux = residual(field, tips.lattice, states, 3.0)
    medium = states != METAL
    np.testing.assert_allclose(flux[medium], 0.0, atol=1e-6)
    labels = field.clusters.labels
    upper, lower = flux[labels == UPPER].sum(), flux[labels == LOWER].sum()
    assert upper == pytest.approx(-lower, rel=1e-6)
    assert upper > 0.0
    assert (field.potential >= 0.0).all()
    assert (field.potential <= 1.0).all()


def test_exchanging_the_electrodes_turns_u_round():
    tips, states = needles()
    lattice = tips.lattice
    field = solved(lattice, tips.fixed, states, 3.0)
    turned = np.where(field.clusters.labels == LOWER, 1.0, 0.0)
    medium = states != METAL
    unknown = number_unknown(medium, nobody(lattice))
    screening = Screening(medium, strength(3.0))
    everywhere = np.ones(len(states), dtype=bool)
    solve_sites(lattice.neighbours, everywhere, unknown, turned, 1e-8, screening=screening)
    np.testing.assert_allclose(turned, 1.0 - field.potential, atol=1e-7)


def test_the_level_is_nearer_to_the_larger_electrode():
    """A tip that faces a plane: where the layers are thin, u0 is the plane's share of the area."""
    lattice = build_lattice(LATTICE_CONSTANT, 30 * BOND, 30 * BOND, 25)
    fixed = (lattice.layer == 0) | (lattice.layer == 24)
    axis = np.hypot(*centred(lattice, lattice.cell / 2.0)[:, :2].T)
    states = np.where(fixed | ((axis < 20.0) & (lattice.layer < 20)), METAL, EMPTY)
    states = states.astype(np.uint8)
    field = solved(lattice, fixed, states, 3.0)
    metal = states == METAL
    kappa2 = strength(3.0)
    upper = layer_capacity(lattice.neighbours, metal & (lattice.layer == 24), kappa2)
    both = layer_capacity(lattice.neighbours, metal, kappa2)
    assert field.level == pytest.approx(upper / both, abs=0.02)
    assert 0.05 < field.level < 0.45
    # in the corner of the medium farthest from the metal the potential is that of the bulk
    far = (axis > 38.0) & (lattice.layer == 12)
    assert far.any()
    np.testing.assert_allclose(field.medium[far], field.level, atol=0.01)


def test_a_floating_cluster_is_an_equipotential_without_net_flux():
    lattice, fixed, states = plates(layers=21, width=36.0)
    r = np.linalg.norm(centred(lattice, lattice.cell / 2.0 + [0.0, 0.0, 12.0]), axis=1)
    states[r < 5.0] = METAL
    field = solved(lattice, fixed, states, 9.6)
    ball = field.clusters.labels == FLOATING
    assert ball.sum() > 5
    assert np.ptp(field.potential[ball]) == 0.0
    flux = residual(field, lattice, states, 9.6)
    assert abs(flux[ball].sum()) < 1e-5
    assert field.level < field.potential[ball][0] < 1.0


def test_a_bridge_is_the_same_network_as_without_screening():
    lattice, fixed, states = plates(layers=10, width=30.0)
    sites = chain(lattice, states)
    states[sites] = METAL
    plain = solved(lattice, fixed, states, math.inf)
    field = solved(lattice, fixed, states, 3.0)
    assert field.conductance == plain.conductance > 0.0
    np.testing.assert_array_equal(field.metal[sites], plain.metal[sites])
    beside = lattice.neighbours[sites[1], 0]
    between = sorted([field.level, field.metal[sites[1]]])
    assert between[0] < field.medium[beside] < between[1]


def move_one(lattice, states, fixed, near, rng):
    linked = (states[lattice.neighbours] == METAL).sum(axis=1)
    states[rng.choice(np.flatnonzero(near & (states == METAL) & (linked < 10) & ~fixed))] = EMPTY
    states[rng.choice(np.flatnonzero(near & (states == EMPTY) & (linked > 3)))] = METAL


@pytest.mark.parametrize("length", [1.0, 9.6])
def test_solutions_that_follow_are_off_by_no_more_than_estimated(length):
    """Everywhere and near the moves; the drift of the level is estimated too."""
    tips, states = needles(gap=14.0)
    lattice = tips.lattice
    rng = np.random.default_rng(4)
    options = {"largest_jump": 0.0, "screening_length": length}
    warm = PotentialField(lattice, tips.fixed, local_error=0.0, **options)
    local = PotentialField(lattice, tips.fixed, local_error=0.006, **options)
    assert warm.update(states).iterations > 0
    local.update(states)
    near = np.abs(lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2) < 9
    kinds = []
    for _ in range(16):
        move_one(lattice, states, tips.fixed, near, rng)
        warm.update(states)
        kinds.append(local.update(states).everywhere)
        exact = solved(lattice, tips.fixed, states, length)
        assert np.abs(warm.medium - exact.medium).max() < 5e-4
        assert np.abs(local.potential - exact.potential).max() < local.neglected + 5e-4
        assert abs(local.level - exact.level) < local.neglected + 5e-4
    assert sum(kinds) < 12


def test_a_restored_field_goes_on_to_the_bit():
    tips, states = needles()
    field = PotentialField(tips.lattice, tips.fixed, screening_length=3.0)
    field.update(states)
    other = PotentialField(tips.lattice, tips.fixed, screening_length=3.0)
    other.restore(field.potential, field.solved_labels, field.conductance, field.neglected)
    assert other.level == field.level
    linked = (states[tips.lattice.neighbours] == METAL).sum(axis=1)
    for site in np.flatnonzero((states == METAL) & (linked < 8) & ~tips.fixed)[:5]:
        states[site] = EMPTY
        assert field.update(states) == other.update(states)
        np.testing.assert_array_equal(field.medium, other.medium)


@pytest.mark.parametrize("length", [1.0, 3.0, 9.6])
def test_the_potential_of_a_surface_site_as_medium(length):
    tips, states = needles()
    lattice = tips.lattice
    field = solved(lattice, tips.fixed, states, length)
    linked = (states[lattice.neighbours] == METAL).sum(axis=1)
    depth = np.abs(lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2)
    surface = np.flatnonzero((states == METAL) & (linked < 10) & ~tips.fixed & (depth < 7))
    for site in np.random.default_rng(2).choice(surface, 5, replace=False):
        without = states.copy()
        without[site] = EMPTY
        exact = solved(lattice, tips.fixed, without, length)
        assert field.medium[site] == pytest.approx(exact.medium[site], abs=3e-3)


def test_releases_fall_to_one():
    previous = RELEASE
    for length in (10.0, 3.0, 1.0, 0.1):
        release = release_factors(strength(length))
        assert (release[:12] < previous[:12]).all()
        assert (release >= 1.0).all()
        previous = release
    assert previous.max() < 1.001


def test_a_site_as_medium_is_drawn_to_the_level():
    lattice, _, states = plates()
    metal = states == METAL
    u = np.where(metal, 1.0, 0.5)
    on_metal, in_medium = potentials_at_surface(lattice.neighbours, metal, u, 1e9, 0.25)
    np.testing.assert_allclose(in_medium[metal], 0.25, atol=1e-6)
    np.testing.assert_allclose(on_metal[metal], 1.0)


def test_screening_takes_no_more_iterations_than_laplace():
    tips, states = needles(base=40.0, height=26.0)

    def iterations(length):
        field = PotentialField(tips.lattice, tips.fixed, screening_length=length)
        return field.update(states).iterations

    assert 0 < iterations(3.0) < iterations(math.inf)


def test_the_debye_length_of_water():
    """9.6 angstrom at 0.1 mol/L and 298 K; 3.04 at 1 mol/L (Israelachvili)."""
    assert debye_length(0.1, 78.4, 298.15) == pytest.approx(9.6, abs=0.05)
    assert debye_length(1.0, 78.4, 298.15) == pytest.approx(3.04, abs=0.01)
    with pytest.raises(SettingsError, match="above 0"):
        debye_length(0.0, 78.4, 300.0)


def test_media_have_a_screening_length():
    assert load_medium("water film").screening_length == 3.0
    assert load_medium("polymer (PVP)").screening_length == 1.0
    values = dict.fromkeys(
        ["ion_barrier", "transfer_coefficient", "exchange_rate", "concentration"], 0.5
    )
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(SettingsError, match="screening length"):
            Medium(
                "m",
                ion_prefactor=1e12,
                reference_concentration=0.1,
                screening_length=wrong,
                **values,
            )
    lattice, fixed, _ = plates()
    with pytest.raises(SettingsError, match="screening length"):
        PotentialField(lattice, fixed, screening_length=0.0)


#: Equal needles in a box that is neutral: what the shares below were derived for.
_WATER = ("medium.name=water film", "medium.bulk_level=neutral", "geometry.upper_apex_width=same")


def test_the_field_of_a_device_has_the_screening_of_its_medium():
    over = []
    for length in ("none", "named", "1.0"):
        overrides = [f"medium.screening_length={length}", *_WATER, "conductance.cache=none"]
        device = Device(load_device_settings("device-quick", overrides))
        occupation, ends = device.engine.state.occupation, device.lattice.neighbours
        linked = ((ends >= 0) & (occupation[ends] == METAL)).sum(axis=1)
        terrace = (occupation == METAL) & (linked == 9) & ~device.tips.fixed
        over.append(np.abs(device.field.metal - device.field.medium)[terrace].mean())
    assert over[0] < 0.03
    assert 0.1 < over[1] < 0.15
    assert over[2] > 0.3
