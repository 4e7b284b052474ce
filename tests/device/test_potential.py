"""Potential of metal and medium: the Laplace equation, floating clusters, bridges, updates."""

import numpy as np
import pytest

from nanogap.device.laplace import number_unknown, solve_sites
from nanogap.device.lattice import (
    BRIDGED,
    EMPTY,
    FLOATING,
    LOWER,
    METAL,
    NEIGHBOUR_VECTORS,
    UPPER,
    build_lattice,
)
from nanogap.device.potential import PotentialField
from nanogap.device.surface import RELEASE
from nanogap.dynamics.laplace import graph_laplacian, solve_laplace
from nanogap.errors import EngineError, SettingsError
from tests.device.crystals import (
    BOND,
    LATTICE_CONSTANT,
    centred,
    chain,
    needles,
    plates,
    surface_radius,
)

EXACT = {"largest_jump": 0.0, "local_error": 0.0, "tolerance": 1e-8}


def fluxes(lattice, u, sites):
    """Sum of the fluxes out of the sites."""
    ends = lattice.neighbours[sites]
    return float(np.where(ends >= 0, u[sites][:, None] - u[ends], 0.0).sum())


def nobody(lattice):
    return np.full(len(lattice), -1, dtype=np.int32)


def test_twelve_equal_bonds_are_isotropic():
    moments = np.einsum("ka,kb->ab", NEIGHBOUR_VECTORS, NEIGHBOUR_VECTORS)
    np.testing.assert_allclose(moments, 4.0 * np.eye(3), atol=1e-12)
    third = np.einsum("ka,kb,kc->abc", NEIGHBOUR_VECTORS, NEIGHBOUR_VECTORS, NEIGHBOUR_VECTORS)
    np.testing.assert_allclose(third, 0.0, atol=1e-12)


def test_between_plates_the_potential_is_linear():
    lattice, fixed, states = plates(layers=20)
    field = PotentialField(lattice, fixed, **EXACT)
    assert field.update(states).solved
    np.testing.assert_allclose(field.medium[~fixed], lattice.layer[~fixed] / 19.0, atol=1e-7)
    metal, medium = field.voltages(-0.1, 0.4)
    assert metal[lattice.layer == 19] == pytest.approx(0.3)
    assert medium[lattice.layer == 10] == pytest.approx(-0.1 + 0.4 * 10 / 19, abs=1e-6)


def test_the_capacitance_of_plates_is_that_of_the_continuum():
    """A bond has epsilon a / 4, so the flux of unit voltage times it is epsilon A / h."""
    lattice, fixed, states = plates(layers=15)
    field = PotentialField(lattice, fixed, **EXACT)
    field.update(states)
    flux = fluxes(lattice, field.potential, np.flatnonzero(lattice.layer == 14))
    area, height = np.prod(lattice.cell[:2]), 14 * lattice.spacing
    assert flux * LATTICE_CONSTANT / 4.0 == pytest.approx(area / height, rel=1e-6)


def test_concentric_spheres():
    """Within 1 % of the potential difference; radii are those of the outermost atoms."""
    lattice = build_lattice(LATTICE_CONSTANT, 34 * BOND, 34 * BOND, 41)
    middle = lattice.positions[
        np.argmin(np.linalg.norm(lattice.positions - lattice.cell / 2, axis=1))
    ]
    r = np.linalg.norm(centred(lattice, middle), axis=1)
    inner, outer = r < 7.2 * BOND, r > 14.3 * BOND
    u = np.where(inner, 1.0, 0.0)
    unknown = number_unknown(~inner & ~outer, nobody(lattice))
    solve_sites(lattice.neighbours, np.ones(len(r), dtype=bool), unknown, u, 1e-7)
    free = ~inner & ~outer
    first, second = surface_radius(lattice, inner, r), surface_radius(lattice, outer, r)
    expected = (1.0 / r[free] - 1.0 / second) / (1.0 / first - 1.0 / second)
    error = np.abs(u[free] - expected)
    assert error[r[free] > 9.0 * BOND].max() < 0.01
    # within two bonds of the small sphere its facets show
    assert error.mean() < 0.004


def test_a_hemisphere_on_a_plate():
    """u = E0 z (1 - R^3/r^3): a boss in a uniform field."""
    lattice = build_lattice(LATTICE_CONSTANT, 30 * BOND, 30 * BOND, 31)
    fixed = (lattice.layer == 0) | (lattice.layer == 30)
    foot = lattice.positions[(lattice.layer == 0)][450 + 15]
    apart = centred(lattice, foot)
    r = np.linalg.norm(apart, axis=1)
    states = np.where(fixed | (r < 5.2 * BOND), METAL, EMPTY).astype(np.uint8)
    field = PotentialField(lattice, fixed, **EXACT)
    field.update(states)
    free = states != METAL
    boss = (r < 5.2 * BOND) & (lattice.layer > 0)
    broken = (free[lattice.neighbours] & (lattice.neighbours >= 0)).sum(axis=1)
    radius = np.average(r[boss], weights=broken[boss])
    z = apart[free, 2]
    expected = z / (30 * lattice.spacing) * (1.0 - (radius / r[free]) ** 3)
    near = r[free] < 9.0 * BOND
    assert np.abs(field.medium[free] - expected)[near].max() < 0.01


def test_a_floating_sphere_is_a_dipole_in_a_uniform_field():
    lattice = build_lattice(LATTICE_CONSTANT, 26 * BOND, 26 * BOND, 37)
    fixed = (lattice.layer == 0) | (lattice.layer == 36)
    middle = lattice.positions[
        np.argmin(np.linalg.norm(lattice.positions - lattice.cell / 2, axis=1))
    ]
    apart = centred(lattice, middle)
    r = np.linalg.norm(apart, axis=1)
    states = np.where(fixed | (r < 4.2 * BOND), METAL, EMPTY).astype(np.uint8)
    field = PotentialField(lattice, fixed, **EXACT)
    field.update(states)
    ball = field.clusters.labels == FLOATING
    assert np.ptp(field.metal[ball]) == 0.0
    assert abs(fluxes(lattice, field.potential, np.flatnonzero(ball))) < 1e-5
    field_far = 1.0 / (36 * lattice.spacing)
    free = states != METAL
    shape = 1.0 - (surface_radius(lattice, ball, r) / r[free]) ** 3
    expected = field.metal[ball][0] + field_far * apart[free, 2] * shape
    near = r[free] < 8.0 * BOND
    assert np.abs(field.medium[free] - expected)[near].max() < 0.01
    np.testing.assert_allclose(field.metal[ball][0], middle[2] / (36 * lattice.spacing), atol=1e-6)


def test_a_sphere_looks_the_same_along_every_axis():
    """The error of a point source along [111], [110] and [100] is of the fourth order."""
    lattice = build_lattice(LATTICE_CONSTANT, 36 * BOND, 36 * BOND, 45)
    middle = np.argmin(np.linalg.norm(lattice.positions - lattice.cell / 2, axis=1))
    r = np.linalg.norm(centred(lattice, lattice.positions[middle]), axis=1) / BOND
    outer = r > 16.0
    u = 1.0 / np.maximum(r, 0.5)  # held at its own far field
    unknown = number_unknown(~outer & (np.arange(len(r)) != middle), nobody(lattice))
    solve_sites(lattice.neighbours, np.ones(len(r), dtype=bool), unknown, u, 1e-9)
    shell = (r > 5.0) & (r < 6.0)
    strength = u[shell] * r[shell]
    background = np.polyfit(r[shell], strength, 1)
    assert np.abs(strength / np.polyval(background, r[shell]) - 1.0).max() < 0.004


def test_the_far_field_of_a_site_is_known():
    """12 G(0) = 1.3446 of the fcc lattice: the last entry of the releases, without metal."""
    assert RELEASE[0] == pytest.approx(1.3446611, abs=1e-3)
    assert RELEASE[12] == 1.0
    assert (np.diff(RELEASE) < 0.0).all()


def test_flux_is_conserved_and_exchanging_the_electrodes_turns_u_round():
    tips, states = needles()
    lattice = tips.lattice
    field = PotentialField(lattice, tips.fixed, **EXACT)
    field.update(states)
    u, labels = field.potential, field.clusters.labels
    upper = fluxes(lattice, u, np.flatnonzero(labels == UPPER))
    lower = fluxes(lattice, u, np.flatnonzero(labels == LOWER))
    assert upper == pytest.approx(-lower, rel=1e-6)
    assert upper > 0.0
    turned = np.where(labels == LOWER, 1.0, 0.0)
    unknown = number_unknown(states != METAL, nobody(lattice))
    solve_sites(lattice.neighbours, np.ones(len(u), dtype=bool), unknown, turned, 1e-8)
    np.testing.assert_allclose(turned, 1.0 - u, atol=1e-7)
    assert u.min() == 0.0
    assert u.max() == 1.0


def test_solutions_superpose():
    tips, states = needles()
    lattice = tips.lattice
    rng = np.random.default_rng(3)
    metal = states == METAL
    unknown = number_unknown(~metal, nobody(lattice))
    everywhere = np.ones(len(states), dtype=bool)

    def solved(held):
        u = np.where(metal, held, 0.0)
        solve_sites(lattice.neighbours, everywhere, unknown, u, 1e-9)
        return u

    first, second = rng.random((2, len(states)))
    np.testing.assert_allclose(
        solved(2.0 * first - 3.0 * second), 2.0 * solved(first) - 3.0 * solved(second), atol=1e-8
    )


def bridged(links):
    """Two plates joined by columns of single atoms, with the sites of the first."""
    lattice, fixed, states = plates(layers=10, width=30.0)
    sites = first = chain(lattice, states)
    for _ in range(links):
        states[sites] = METAL
        for _ in range(3):
            sites = lattice.neighbours[sites, 0]
    return lattice, fixed, states, first


@pytest.mark.parametrize("links", [1, 2, 3])
def test_chains_are_resistors(links):
    lattice, fixed, states, first = bridged(links)
    field = PotentialField(lattice, fixed, **EXACT)
    field.update(states)
    # each end of a chain of eight atoms touches a plate with three bonds
    resistance = 7.0 + 2.0 / 3.0
    assert field.conductance == pytest.approx(links / resistance, rel=1e-6)
    expected = (1.0 / 3.0 + np.arange(8)) / resistance
    np.testing.assert_allclose(field.metal[first], expected, atol=1e-6)
    # the medium around it follows
    beside = lattice.neighbours[first[4], 0]
    assert field.medium[beside] == pytest.approx(expected[4], abs=0.05)


def test_the_network_is_that_of_the_dynamics():
    tips, states = needles(gap=4.8)
    lattice = tips.lattice
    centre = np.argmin(np.linalg.norm(centred(lattice, lattice.cell / 2), axis=1))
    states[[centre, *lattice.neighbours[centre]]] = METAL
    field = PotentialField(lattice, tips.fixed, **EXACT)
    field.update(states)
    bridge = np.flatnonzero(field.clusters.labels == BRIDGED)
    assert len(bridge)
    place = np.full(len(lattice), -1)
    place[bridge] = np.arange(len(bridge))
    start, direction = np.nonzero(lattice.neighbours[bridge] >= 0)
    pairs = np.column_stack([start, place[lattice.neighbours[bridge][start, direction]]])
    pairs = pairs[pairs[:, 1] > pairs[:, 0]].astype(np.int64)
    laplacian = graph_laplacian(len(bridge), pairs, np.ones(len(pairs)))
    u = np.where(lattice.layer[bridge] > lattice.shape[2] / 2, 1.0, 0.0)
    assert solve_laplace(laplacian, ~tips.fixed[bridge], u, 1e-12)
    np.testing.assert_allclose(field.metal[bridge], u, atol=1e-7)


def test_a_warm_start_finds_the_cold_solution():
    tips, states = needles()
    rng = np.random.default_rng(1)
    warm = PotentialField(tips.lattice, tips.fixed, largest_jump=0.0, local_error=0.0)
    cold_iterations = warm.update(states).iterations
    linked = (states[tips.lattice.neighbours] == METAL).sum(axis=1)
    apex = np.abs(tips.lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2) < 8
    rim = np.flatnonzero((states == METAL) & (linked < 9) & apex & ~tips.fixed)
    fewer = []
    for site in rng.choice(rim, 6, replace=False):
        states[site] = EMPTY
        fewer.append(warm.update(states).iterations)
        exact = PotentialField(tips.lattice, tips.fixed, **EXACT)
        exact.update(states)
        assert np.abs(warm.medium - exact.medium).max() < 5e-4
    assert np.mean(fewer) < cold_iterations


def test_small_changes_wait_and_large_ones_do_not():
    tips, states = needles()
    lattice = tips.lattice
    field = PotentialField(lattice, tips.fixed, largest_jump=0.02)
    first = field.update(states)
    assert (first.solved, first.changed) == (True, len(lattice))
    assert field.update(states).changed == 0
    solved = field.potential
    linked = (states[lattice.neighbours] == METAL).sum(axis=1)
    rims = np.flatnonzero((states == METAL) & (linked < 11) & ~tips.fixed)
    jumps = np.abs(field.medium - field.metal)[rims]
    far, near = rims[np.argmin(jumps)], rims[np.argmax(jumps)]
    foreseen = field.medium[far]
    states[far] = EMPTY
    update = field.update(states)
    assert not update.solved
    assert 0.0 < update.jump < 0.02
    assert field.potential is solved
    # the ion that was an atom sits at the potential that its oxidation was weighed with
    assert field.medium[far] == foreseen
    states[far] = METAL
    assert field.update(states).jump == 0.0
    states[near] = EMPTY
    update = field.update(states)
    assert update.solved
    assert update.jump >= 0.02


def test_the_jump_bounds_the_error():
    tips, states = needles()
    lattice = tips.lattice
    rng = np.random.default_rng(8)
    waiting = PotentialField(lattice, tips.fixed, largest_jump=1.0, tolerance=1e-6)
    waiting.update(states)
    for _ in range(12):
        linked = (states[lattice.neighbours] == METAL).sum(axis=1)
        rims = np.flatnonzero((states == METAL) & (linked < 10) & ~tips.fixed)
        edge = np.flatnonzero((states != METAL) & (linked > 2))
        states[rng.choice(rims)] = EMPTY
        states[rng.choice(edge)] = METAL
        update = waiting.update(states)
        if update.solved:  # a cluster parted
            continue
        exact = PotentialField(lattice, tips.fixed, **EXACT)
        exact.update(states)
        # the jump of a site that became medium is foreseen to a tenth
        assert np.abs(waiting.medium - exact.medium).max() < 1.1 * update.jump + 1e-5


def test_local_solutions_are_off_by_no_more_than_estimated():
    tips, states = needles(gap=14.0)
    lattice = tips.lattice
    rng = np.random.default_rng(4)
    local = PotentialField(lattice, tips.fixed, largest_jump=0.0, local_error=0.006)
    local.update(states)
    near = np.abs(lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2) < 9
    kinds = []
    for _ in range(20):
        linked = (states[lattice.neighbours] == METAL).sum(axis=1)
        rims = near & (states == METAL) & (linked < 10) & ~tips.fixed
        states[rng.choice(np.flatnonzero(rims))] = EMPTY
        states[rng.choice(np.flatnonzero(near & (states == EMPTY) & (linked > 3)))] = METAL
        update = local.update(states)
        kinds.append(update.everywhere)
        assert local.neglected <= 0.006
        exact = PotentialField(lattice, tips.fixed, **EXACT)
        exact.update(states)
        assert np.abs(local.potential - exact.potential).max() < local.neglected + 5e-4
    assert 0 < sum(kinds) < 15


def test_closing_and_parting_are_solved_at_once():
    lattice, fixed, states, first = bridged(1)
    field = PotentialField(lattice, fixed, largest_jump=1.0)
    states[first[4]] = EMPTY
    assert field.update(states).solved
    assert field.conductance == 0.0
    states[first[4]] = METAL
    assert field.update(states).solved
    assert field.conductance > 0.1
    states[first[[2, 5]]] = EMPTY
    assert field.update(states).solved
    assert field.clusters.sizes.tolist() == [2]


def test_the_potential_of_a_surface_site_as_medium():
    """Without the correction the error is up to 2 % of the voltage, with it below 0.25 %."""
    tips, states = needles()
    lattice = tips.lattice
    field = PotentialField(lattice, tips.fixed, **EXACT)
    field.update(states)
    linked = (states[lattice.neighbours] == METAL).sum(axis=1)
    depth = np.abs(lattice.layer - (tips.bottom_terrace + tips.top_terrace) / 2)
    surface = np.flatnonzero((states == METAL) & (linked < 10) & ~tips.fixed & (depth < 7))
    for site in np.random.default_rng(2).choice(surface, 10, replace=False):
        without = states.copy()
        without[site] = EMPTY
        exact = PotentialField(lattice, tips.fixed, **EXACT)
        exact.update(without)
        assert field.medium[site] == pytest.approx(exact.medium[site], abs=2.5e-3)


def test_a_restored_field_goes_on_to_the_bit():
    tips, states = needles()
    field = PotentialField(tips.lattice, tips.fixed)
    field.update(states)
    other = PotentialField(tips.lattice, tips.fixed)
    other.restore(field.potential, field.solved_labels, field.conductance, field.neglected)
    linked = (states[tips.lattice.neighbours] == METAL).sum(axis=1)
    for site in np.flatnonzero((states == METAL) & (linked < 8) & ~tips.fixed)[:5]:
        states[site] = EMPTY
        assert field.update(states) == other.update(states)
        np.testing.assert_array_equal(field.medium, other.medium)
        np.testing.assert_array_equal(field.metal, other.metal)


@pytest.mark.parametrize(
    "wrong", [{"largest_jump": -0.1}, {"local_error": 2.0}, {"tolerance": 0.0}, {"tolerance": 0.1}]
)
def test_parameters_out_of_range_are_refused(wrong):
    lattice, fixed, _ = plates()
    with pytest.raises(SettingsError, match=r"choose|must"):
        PotentialField(lattice, fixed, **wrong)


def test_a_solution_that_is_not_found_is_an_error():
    lattice, _, states = plates()
    u = np.where(lattice.layer == 0, np.nan, 0.0)
    unknown = number_unknown(states != METAL, nobody(lattice))
    with pytest.raises(EngineError, match="not found"):
        solve_sites(lattice.neighbours, np.ones(len(u), dtype=bool), unknown, u, 1e-3)
