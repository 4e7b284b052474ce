"""Heat of a contact and the force of its current: limits, signs, units."""

import math

import numpy as np
import pytest

from nanogap.device.heat import (
    LORENZ_NUMBER,
    Heating,
    constriction,
    current_density,
    diffusive_share,
    kohlrausch_temperature,
    maxwell_resistance,
    wind_force,
)
from nanogap.device.lattice import METAL, NEIGHBOUR_VECTORS
from nanogap.device.parts import make_heating
from nanogap.device.potential import PotentialField
from nanogap.errors import SettingsError
from nanogap.settings.device import load_device_settings
from nanogap.units import BOLTZMANN
from tests.device.crystals import chain, plates

AMBIENT = 300.0
RESISTIVITY = 1.59e-8


def solved(lattice, fixed, states):
    field = PotentialField(lattice, fixed, largest_jump=0.0, tolerance=1e-6)
    field.update(states)
    return field


@pytest.fixture(scope="module")
def crystal():
    """A full crystal between two plates: uniform field and current."""
    lattice, fixed, states = plates(layers=13)
    states[:] = METAL
    return lattice, solved(lattice, fixed, states)


@pytest.fixture(scope="module")
def contact():
    """A chain of single atoms between two plates of three layers."""
    lattice, fixed, states = plates(layers=16, thickness=4)
    fixed &= (lattice.layer < 2) | (lattice.layer > 13)
    states[chain(lattice, states)] = METAL
    return lattice, solved(lattice, fixed, states)


def test_the_lorenz_number_is_sommerfelds():
    assert pytest.approx(2.44e-8, rel=2e-3) == LORENZ_NUMBER


@pytest.mark.parametrize("voltage", [0.0, 0.01, 0.1, 0.3])
def test_kohlrausch(voltage):
    hottest = Heating("diffusive").contact_temperature(voltage, AMBIENT)
    assert 4.0 * LORENZ_NUMBER * (hottest**2 - AMBIENT**2) == pytest.approx(voltage**2, abs=1e-12)


def test_kohlrausch_solves_the_heat_equation():
    """(kappa T')' + sigma V'^2 = 0 with kappa = L sigma T along a wire, by differences."""
    u = np.linspace(0.0, 1.0, 2001)
    temperature = kohlrausch_temperature(u, 0.2, AMBIENT)
    assert temperature[0] == temperature[-1] == AMBIENT
    heat = np.gradient(LORENZ_NUMBER * temperature * np.gradient(temperature, u), u)
    np.testing.assert_allclose(heat[5:-5], -(0.2**2), rtol=1e-3)


def test_a_contact_that_lost_its_heat_by_conduction_reaches_the_same_middle():
    """Constant conductivities: dT = P R_th / 8 = V^2 / (8 L T0), the first order of Kohlrausch."""
    exact = Heating("diffusive").contact_temperature(0.01, AMBIENT) - AMBIENT
    assert exact == pytest.approx(0.01**2 / (8.0 * LORENZ_NUMBER * AMBIENT), rel=5e-3)


def test_ballistic_contacts_hardly_heat():
    heating = Heating("ballistic")
    assert heating.contact_temperature(0.0, AMBIENT) == pytest.approx(AMBIENT)
    assert heating.contact_temperature(0.6, 77.0) < 90.0
    cold = heating.contact_temperature(0.25, 1e-6)
    assert cold == pytest.approx(60.0 * math.sqrt(0.25))
    for voltage in (0.1, 0.5, 1.0):
        bound = Heating("diffusive").contact_temperature(voltage, AMBIENT)
        assert AMBIENT < heating.contact_temperature(voltage, AMBIENT) < bound


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_vibrations_are_pumped_above_the_threshold_only(sign, contact):
    lattice, field = contact
    heating = Heating("pumping", threshold=0.4, pumped_share=0.25)
    for voltage in (0.0, 0.2, 0.4):
        assert heating.contact_temperature(sign * voltage, AMBIENT) == AMBIENT
        assert heating.temperatures(field, lattice, sign * voltage, AMBIENT) == AMBIENT
    above = heating.contact_temperature(sign * 0.5, AMBIENT)
    assert above == pytest.approx(AMBIENT + 0.025 / BOLTZMANN)
    sites = heating.temperatures(field, lattice, sign * 0.5, AMBIENT)
    assert set(np.unique(sites[field.clusters.labels > 0])) == {AMBIENT, above}


def test_a_quarter_is_pumped_by_electrons_alone():
    """Golden rule for a mode coupled to two leads alike: kT -> eV/4 at high voltage."""

    def weight(energy):  # integral of f (1 - f), by the energy that is given off
        return energy / -np.expm1(-energy / 5e-3)

    quantum, voltage = 0.01, 2.0
    emitted = sum(weight(e - quantum) for e in (0.0, 0.0, voltage, -voltage))
    absorbed = sum(weight(e + quantum) for e in (0.0, 0.0, voltage, -voltage))
    temperature = quantum / np.log(absorbed / emitted)
    assert temperature == pytest.approx(voltage / 4.0, rel=0.01)


def test_the_hot_sites_are_those_of_the_constriction(contact):
    lattice, field = contact
    bridge = field.clusters.labels == 3
    inside = constriction(lattice, bridge, field.metal)
    links = chain(lattice, np.where(lattice.layer < 4, METAL, 0) + (lattice.layer > 11) * METAL)
    assert inside.sum() >= 3
    assert np.isin(np.flatnonzero(inside), links).all()
    temperature = Heating("diffusive").temperatures(field, lattice, 0.2, AMBIENT)
    assert temperature.max() == pytest.approx(
        Heating("diffusive").contact_temperature(0.2, AMBIENT), rel=0.01
    )
    np.testing.assert_allclose(temperature[lattice.layer < 2], AMBIENT)
    beside = lattice.neighbours[links[len(links) // 2], 0]
    assert temperature[beside] > 1.5 * AMBIENT


@pytest.mark.parametrize("model", ["off", "ballistic", "diffusive", "pumping"])
def test_an_open_gap_is_cold(model):
    lattice, fixed, states = plates()
    assert Heating(model).temperatures(solved(lattice, fixed, states), lattice, 1.0, 300.0) == 300.0


def test_heat_can_be_off(contact):
    lattice, field = contact
    assert Heating().temperatures(field, lattice, 2.0, AMBIENT) == AMBIENT


def test_spreading_resistance_and_its_share():
    assert maxwell_resistance(1.6e-8, 10.0) == pytest.approx(8.0)
    assert diffusive_share(3.0, 530.0) < 0.01  # an atomic contact of silver is ballistic
    assert diffusive_share(1e5, 530.0) > 0.99
    # Maxwell's resistance against Sharvin's
    sharvin = 4.0 * 1.6e-8 * 53e-9 / (3.0 * math.pi * 20e-9**2)
    maxwell = maxwell_resistance(1.6e-8, 200.0)
    assert diffusive_share(200.0, 530.0) == pytest.approx(maxwell / (maxwell + sharvin))


def test_the_current_of_a_crystal_is_uniform(crystal):
    lattice, field = crystal
    density = current_density(lattice, field, 2e-6)
    inside = (lattice.layer > 1) & (lattice.layer < 11)
    area = np.prod(lattice.cell[:2]) * 1e-20
    np.testing.assert_allclose(density[inside, :2], 0.0, atol=1e-3 * 2e-6 / area)
    # from the upper to the lower electrode
    np.testing.assert_allclose(density[inside, 2], -2e-6 / area, rtol=1e-4)


def test_the_wind_blows_with_the_electrons(crystal):
    lattice, field = crystal
    inside = (lattice.layer > 1) & (lattice.layer < 11)
    density = current_density(lattice, field, 2e-6)
    force = wind_force(lattice, density, -20.0, RESISTIVITY)
    # electrons flow to the upper electrode, the anode
    assert (force[inside, 2] > 0.0).all()
    assert (wind_force(lattice, density, 20.0, RESISTIVITY)[inside, 2] < 0.0).all()
    back = wind_force(lattice, current_density(lattice, field, -2e-6), -20.0, RESISTIVITY)
    np.testing.assert_allclose(back, -force)


def test_the_gain_over_a_bond_is_valence_charge_resistivity_current_and_length(crystal):
    lattice, field = crystal
    site = np.flatnonzero(lattice.layer == 6)[0]
    area = np.prod(lattice.cell[:2]) * 1e-20
    density = 1e12  # A/m^2
    force = wind_force(lattice, current_density(lattice, field, density * area), -200.0, 6e-8)
    step = NEIGHBOUR_VECTORS[6] * lattice.bond  # towards the upper electrode
    expected = 200.0 * 6e-8 * density * step[2] * 1e-10
    assert force[site] @ step == pytest.approx(expected, rel=1e-4)
    assert expected / 2.0 == pytest.approx(1.4e-3, rel=0.02)  # half of it on the way up, eV


def test_no_current_no_force(crystal):
    lattice, field = crystal
    force = wind_force(lattice, current_density(lattice, field, 0.0), -200.0, RESISTIVITY)
    assert (force == 0.0).all()
    lattice, fixed, states = plates()
    opened = solved(lattice, fixed, states)
    assert (current_density(lattice, opened, 1e-6) == 0.0).all()


def test_the_current_of_a_chain_goes_through_each_atom(contact):
    """Sum over the atoms of a layer of j Omega / spacing is the current, in every layer."""
    lattice, field = contact
    density = current_density(lattice, field, 1e-6)
    links = chain(lattice, np.where(lattice.layer < 4, METAL, 0) + (lattice.layer > 11) * METAL)
    for layer in np.unique(lattice.layer[links])[1:-1]:
        through = density[lattice.layer == layer, 2].sum() * lattice.site_volume / lattice.spacing
        assert through * 1e-20 == pytest.approx(-1e-6, rel=1e-5)


def test_empty_sites_take_the_force_of_their_neighbours(contact):
    lattice, field = contact
    force = wind_force(lattice, current_density(lattice, field, 1e-4), -20.0, RESISTIVITY)
    links = chain(lattice, np.where(lattice.layer < 4, METAL, 0) + (lattice.layer > 11) * METAL)
    middle = links[len(links) // 2]
    beside = lattice.neighbours[middle, 0]
    metal_ends = [end for end in lattice.neighbours[beside] if field.clusters.labels[end] > 0]
    np.testing.assert_allclose(force[beside], force[metal_ends].mean(axis=0))


@pytest.mark.parametrize(
    "wrong", [{"threshold": -0.1}, {"pumped_share": math.nan}, {"lorenz_number": 0.0}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match="out of its range"):
        Heating("pumping", **wrong)


def test_a_resistivity_of_nothing_is_refused(crystal):
    lattice, _ = crystal
    with pytest.raises(SettingsError, match="resistivity"):
        wind_force(lattice, np.zeros((len(lattice), 3)), -20.0, 0.0)


def test_the_wind_in_copper_has_not_the_resistivity_of_silver():
    changes = {"geometry.element": "Cu", "heat.effective_valence": -20.0}
    with pytest.raises(
        SettingsError, match=r"that of silver: give that of Cu, of the bulk 1\.678e-08"
    ):
        make_heating(load_device_settings("device-quick", changes))
    make_heating(load_device_settings("device-quick", changes | {"heat.resistivity": 1.678e-8}))
    make_heating(load_device_settings("device-quick", {"geometry.element": "Cu"}))
    make_heating(load_device_settings("device-quick", {"heat.effective_valence": -20.0}))
