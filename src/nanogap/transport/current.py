"""Currents, conductance and thermopower from a transmission function T(E).

All of it is Landauer's formula with the transmission of the unbiased junction: at a bias T(E)
itself would change, which is left out.
"""

from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from nanogap.computed import Analysis, after_compute
from nanogap.errors import SettingsError
from nanogap.typing import FloatArray
from nanogap.units import BOLTZMANN, CONDUCTANCE_QUANTUM

#: Beyond so many kT from a chemical potential the Fermi function is 0 or 1 to 1e-6.
_THERMAL_REACH = 14.0
#: Points of the integrals for each kT, and at least so many for each step of the energies.
_POINTS_PER_KT, _POINTS_PER_STEP = 40.0, 8


def energies_needed(temperature: float, highest_voltage: float = 0.0) -> float:
    """Compute how far from the Fermi energy T(E) is needed, eV.

    Parameters
    ----------
    temperature : float
        K.
    highest_voltage : float
        Largest bias in either direction, V.

    Returns
    -------
    float
    """
    return _THERMAL_REACH * BOLTZMANN * temperature + abs(highest_voltage) / 2.0


class LinearResponse(Analysis):
    """Conductance, thermopower and electronic heat conductance at a temperature.

    With L_n = integral of T(E) (E - E_F)^n (-df/dE) dE (Sivan & Imry, Phys. Rev. B 33, 551 (1986),
    doi:10.1103/PhysRevB.33.551): G = G0 L_0, S = -L_1/(e T L_0) and
    kappa = (2/(h T)) (L_2 - L_1^2/L_0).

    Parameters
    ----------
    temperature : float
        K, above 0.

    Raises
    ------
    SettingsError
        If the temperature is not above 0.
    """

    def __init__(self, temperature: float) -> None:
        if not 0.0 < temperature < np.inf:
            raise SettingsError(f"temperature = {temperature:g} K: give a number above 0")
        self.temperature = temperature

    def compute(self, transmission: xr.Dataset) -> Self:
        """Integrate the transmission of every snapshot.

        Parameters
        ----------
        transmission : xarray.Dataset
            From any backend, with energies to 14 kT on both sides of the Fermi energy.

        Raises
        ------
        SettingsError
            If the energies do not reach as far.
        """
        thermal = BOLTZMANN * self.temperature
        energies, values = _spectrum(transmission, energies_needed(self.temperature))
        reach = _THERMAL_REACH * thermal
        grid = _grid(energies, -reach, reach, thermal)
        x = grid / thermal
        weight = 0.25 / thermal / np.cosh(x / 2.0) ** 2
        on_grid = _interpolate(grid, energies, values)
        self._moments = np.stack(
            [np.trapezoid(on_grid * weight * grid**n, grid, axis=-1) for n in range(3)]
        )
        return self

    @property
    @after_compute
    def moments(self) -> FloatArray:
        """L_0, L_1, L_2; shape (3, n_snapshots), G0, eV G0, eV^2 G0."""
        return self._moments

    @property
    @after_compute
    def conductance(self) -> FloatArray:
        """Linear conductance, shape (n_snapshots,), G0."""
        return np.asarray(self.moments[0])

    @property
    @after_compute
    def thermopower(self) -> FloatArray:
        """Seebeck coefficient, shape (n_snapshots,), V/K; NaN where nothing conducts."""
        zeroth, first, _ = self.moments
        return np.asarray(-_ratio(first, zeroth) / self.temperature)

    @property
    @after_compute
    def heat_conductance(self) -> FloatArray:
        """Heat conductance of the electrons without a current, shape (n_snapshots,), W/K."""
        zeroth, first, second = self.moments
        quantum = CONDUCTANCE_QUANTUM / self.temperature  # 2 e^2/h, with energies in eV
        moment = second - np.nan_to_num(_ratio(first**2, zeroth))
        return np.asarray(quantum * moment)


class CurrentVoltage(Analysis, arrays=("voltages",)):
    """Current at voltages, by integration of T(E) in the bias window.

    I = (2e/h) integral of T(E) [f(E - eV/2) - f(E + eV/2)] dE (Landauer; Datta, Electronic
    Transport in Mesoscopic Systems, doi:10.1017/CBO9780511805776), the bias symmetric about the
    Fermi energy, T(E) that of the unbiased junction.

    Parameters
    ----------
    voltages : array_like, shape (n_voltages,)
        V.
    temperature : float
        K; 0 is allowed.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """

    def __init__(self, voltages: ArrayLike, temperature: float = 300.0) -> None:
        self.voltages = np.atleast_1d(np.asarray(voltages, dtype=np.float64))
        if not np.isfinite(self.voltages).all() or not self.voltages.size:
            raise SettingsError("voltages of I(V) must be finite numbers, at least one")
        if not 0.0 <= temperature < np.inf:
            raise SettingsError(f"temperature = {temperature:g} K: give a number from 0")
        self.temperature = temperature

    def compute(self, transmission: xr.Dataset) -> Self:
        """Integrate the transmission of every snapshot.

        Parameters
        ----------
        transmission : xarray.Dataset
            From any backend, with energies to half the largest voltage and 14 kT on both sides.

        Raises
        ------
        SettingsError
            If the energies do not reach as far.
        """
        thermal = BOLTZMANN * self.temperature
        highest = float(np.abs(self.voltages).max())
        reach = energies_needed(self.temperature, highest)
        energies, values = _spectrum(transmission, reach)
        self._current = np.stack(
            [self._at(voltage, energies, values, thermal) for voltage in self.voltages], axis=-1
        )
        return self

    @property
    @after_compute
    def current(self) -> FloatArray:
        """Current, shape (n_snapshots, n_voltages), A."""
        return self._current

    def _at(
        self, voltage: float, energies: FloatArray, values: FloatArray, thermal: float
    ) -> FloatArray:
        half = abs(voltage) / 2.0
        reach = half + _THERMAL_REACH * thermal
        if not reach:
            return np.zeros(len(values))
        grid = _grid(energies, -reach, reach, thermal)
        if thermal:
            # f(E - V/2) - f(E + V/2) without loss of digits at small bias
            x, y = grid / thermal, half / thermal
            window = 0.5 * (np.tanh((x + y) / 2.0) - np.tanh((x - y) / 2.0))
        else:
            window = np.ones_like(grid)
        integral = np.trapezoid(_interpolate(grid, energies, values) * window, grid, axis=-1)
        return np.asarray(np.sign(voltage) * CONDUCTANCE_QUANTUM * integral)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; NaN where there is nothing to divide by."""
    safe = np.where(denominator == 0.0, 1.0, denominator)
    return np.asarray(np.where(denominator == 0.0, np.nan, numerator / safe))


def _spectrum(transmission: xr.Dataset, reach: float) -> tuple[FloatArray, FloatArray]:
    """Energies and T(E), shape (n_snapshots, n_energies), if they reach far enough."""
    energies = transmission["energy"].to_numpy().astype(np.float64)
    order = np.argsort(energies)
    energies = energies[order]
    if energies[0] > -reach + 1e-9 or energies[-1] < reach - 1e-9:
        raise SettingsError(
            f"T(E) is known from {energies[0]:g} to {energies[-1]:g} eV, but -{reach:.3g} to "
            f"{reach:.3g} eV are needed: compute it at more energies, or choose a lower "
            "temperature or voltage"
        )
    values = transmission["transmission_average"].transpose("snapshot", "energy").to_numpy()
    return energies, np.asarray(values[:, order], dtype=np.float64)


def _grid(energies: FloatArray, low: float, high: float, thermal: float) -> FloatArray:
    """Points for an integral, those of the energies among them."""
    inside = energies[(energies > low) & (energies < high)]
    finest = thermal / _POINTS_PER_KT if thermal else np.inf
    count = max(_POINTS_PER_STEP * (len(inside) + 1), int((high - low) / finest) + 1)
    return np.unique(np.concatenate([inside, np.linspace(low, high, count + 1)]))


def _interpolate(grid: FloatArray, energies: FloatArray, values: FloatArray) -> FloatArray:
    """T(E) between its energies, linearly; shape (n_snapshots, n_grid)."""
    return np.array([np.interp(grid, energies, row) for row in values])
