import numpy as np
import pytest
import xarray as xr
from scipy import constants

from nanogap.errors import SettingsError
from nanogap.transport.current import (
    CurrentVoltage,
    LinearResponse,
    energies_needed,
)
from nanogap.units import BOLTZMANN, CONDUCTANCE_QUANTUM

ENERGIES = np.linspace(-1.2, 1.2, 241)


def dataset(*functions, energies=ENERGIES):
    values = np.array([np.broadcast_to(f(energies), energies.shape) for f in functions])
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values)}, coords={"energy": energies}
    )


def test_a_constant_transmission_has_no_thermopower_and_obeys_wiedemann_and_franz():
    response = LinearResponse(300.0).compute(dataset(lambda _: 1.0, lambda _: 2.5))
    np.testing.assert_allclose(response.conductance, [1.0, 2.5], rtol=2e-6)
    np.testing.assert_allclose(response.thermopower, 0.0, atol=1e-15)
    lorenz = np.pi**2 / 3.0 * (constants.k / constants.e) ** 2
    conductance = response.conductance * CONDUCTANCE_QUANTUM
    np.testing.assert_allclose(response.heat_conductance / (conductance * 300.0), lorenz, rtol=2e-4)
    # the quantum of heat conductance, both spins: pi^2 k^2 T / 3h each
    quantum = 2.0 * np.pi**2 * constants.k**2 * 300.0 / (3.0 * constants.h)
    np.testing.assert_allclose(response.heat_conductance, quantum * np.array([1, 2.5]), rtol=2e-4)


def test_a_linear_transmission_has_motts_thermopower():
    slope, temperature = -0.7, 250.0
    response = LinearResponse(temperature).compute(dataset(lambda E: 1.3 + slope * E))
    mott = -(np.pi**2) / 3.0 * BOLTZMANN**2 * temperature * slope / 1.3
    assert response.thermopower[0] == pytest.approx(mott, rel=2e-4)
    assert response.conductance[0] == pytest.approx(1.3, rel=2e-6)


def test_electrons_that_only_pass_above_the_fermi_energy_make_the_thermopower_negative():
    fine = np.linspace(-0.5, 0.5, 20001)
    step = dataset(lambda E: np.heaviside(E, 0.5), energies=fine)
    response = LinearResponse(300.0).compute(step)
    assert response.thermopower[0] < 0.0
    # step at E_F: L1/L0 = 2 ln 2 kT
    assert response.thermopower[0] == pytest.approx(-2.0 * np.log(2.0) * BOLTZMANN, rel=0.01)


def test_nothing_conducts_nothing():
    response = LinearResponse(300.0).compute(dataset(lambda _: 0.0))
    assert response.conductance[0] == 0.0
    assert np.isnan(response.thermopower[0])
    assert response.heat_conductance[0] == 0.0


@pytest.mark.parametrize("temperature", [0.0, 4.0, 300.0])
def test_a_constant_transmission_has_a_straight_current(temperature):
    voltages = np.array([-1.0, -0.1, 0.0, 0.001, 0.3, 1.0])
    result = CurrentVoltage(voltages, temperature).compute(dataset(lambda _: 0.8))
    np.testing.assert_allclose(result.current[0], 0.8 * CONDUCTANCE_QUANTUM * voltages, rtol=3e-6)


def test_a_single_level_conducts_once_it_is_in_the_window():
    def level(E):
        return 0.01**2 / ((E - 0.3) ** 2 + 0.01**2)

    energies = np.linspace(-1.2, 1.2, 4801)
    result = CurrentVoltage([0.5, 1.0], 0.0).compute(dataset(level, energies=energies))
    window = np.arctan((np.array([0.25, 0.5]) - 0.3) / 0.01) + np.arctan(
        (np.array([0.25, 0.5]) + 0.3) / 0.01
    )
    np.testing.assert_allclose(result.current[0], CONDUCTANCE_QUANTUM * 0.01 * window, rtol=1e-3)


def test_small_bias_gives_the_linear_conductance():
    table = dataset(lambda E: 1.0 + E + 3.0 * E**2)
    current = CurrentVoltage([1e-3], 300.0).compute(table).current[0, 0]
    linear = LinearResponse(300.0).compute(table).conductance[0]
    assert current / 1e-3 / CONDUCTANCE_QUANTUM == pytest.approx(linear, rel=1e-4)


def test_energies_that_do_not_reach_are_refused():
    narrow = dataset(lambda _: 1.0, energies=np.linspace(-0.2, 0.2, 5))
    with pytest.raises(SettingsError, match=r"known from -0\.2 to 0\.2 eV"):
        LinearResponse(300.0).compute(narrow)
    with pytest.raises(SettingsError, match="needed"):
        CurrentVoltage([1.0], 0.0).compute(narrow)
    assert energies_needed(0.0, 1.0) == pytest.approx(0.5)


def test_impossible_requests_are_refused():
    with pytest.raises(SettingsError, match="above 0"):
        LinearResponse(0.0)
    with pytest.raises(SettingsError, match="from 0"):
        CurrentVoltage([1.0], -1.0)
    with pytest.raises(SettingsError, match="finite"):
        CurrentVoltage([np.inf])


def test_results_need_a_computation():
    with pytest.raises(AttributeError, match="compute"):
        _ = LinearResponse(300.0).conductance
    with pytest.raises(AttributeError, match="compute"):
        _ = CurrentVoltage([1.0]).current
