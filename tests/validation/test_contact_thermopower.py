"""The stored thermopowers follow from the stored T(E), by another integral than the program's."""

import json

import numpy as np
import pytest
from scipy.constants import e, k
from validation.contact_thermopower import DATA, TEMPERATURE


@pytest.fixture(scope="module")
def contacts():
    found = json.loads(DATA.read_text(encoding="utf-8"))
    assert found["temperature"] == TEMPERATURE
    return list(found["contacts"].values())


def test_thermopowers_are_moments_of_the_transmission(contacts):
    """S = -L1 / (e T L0), with Ln the integral of T(E) (E - E_F)^n (-df/dE) (Landauer)."""
    thermal = k * TEMPERATURE / e
    energies = np.linspace(-0.6, 0.6, 12001)
    window = 1.0 / (4.0 * thermal * np.cosh(energies / (2.0 * thermal)) ** 2)
    for one in contacts:
        transmission = np.interp(energies, one["energies"], one["transmission"])
        zeroth = np.trapezoid(transmission * window, energies)
        first = np.trapezoid(transmission * energies * window, energies)
        assert one["conductance"] == pytest.approx(zeroth, abs=2e-3)
        assert one["thermopower"] == pytest.approx(-1e6 * first / zeroth / TEMPERATURE, abs=0.05)


def test_values_are_as_small_as_those_of_atomic_contacts(contacts):
    """Some uV/K at 300 K; docs/first-contact.md names the measurements."""
    for metal in ("Au", "Cu"):
        values = [one["thermopower"] for one in contacts if one["element"] == metal]
        assert len(values) >= 12
        assert np.abs(values).max() < 20.0
