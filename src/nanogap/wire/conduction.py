r"""Resistivity and thermal conductivity of a thin wire at a temperature.

    rho(T, d) = rho_b(T)/M(a) + (3/4) (1 - p) (rho lambda)/d
    rho_b = rho_0 [1 + alpha (T - 293 K)],    lambda = (rho lambda)/rho_b
    M(a) = 3 [1/3 - a/2 + a^2 - a^3 ln(1 + 1/a)],    a = (lambda/D) R/(1 - R)

The first term is scattering by the lattice and by grain boundaries at a mean distance D that
reflect a share R of the electrons (A. F. Mayadas and M. Shatzkes, doi:10.1103/PhysRevB.1.1382); the
second is the limit of thick wires of scattering at a round surface of specularity p (R. B. Dingle,
doi:10.1098/rspa.1950.0077). The product rho lambda does not depend on the temperature (D. Gall,
doi:10.1063/1.4942216). Heat goes with the electrons: kappa = L T/rho, the law of Wiedemann and
Franz.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.typing import FloatArray

#: Temperature at which tables state a resistivity, K.
ROOM = 293.15


@dataclass(frozen=True)
class Conduction:
    """Conduction of current and heat in a wire; SI units.

    Attributes
    ----------
    resistivity : float
        Of the bulk at `ROOM`, ohm m.
    temperature_coefficient : float
        1/K.
    free_path_product : float
        Resistivity times mean free path, ohm m^2.
    specularity : float
        Share of the electrons that the surface reflects like a mirror.
    grain_size : float
        m; infinite: a single crystal.
    grain_reflection : float
        Share of the electrons that a boundary reflects.
    lorenz : float
        Lorenz number, V^2/K^2.
    thermal_conductivity : float or None
        W/(m K); None: by the law of Wiedemann and Franz.
    """

    resistivity: float
    temperature_coefficient: float
    free_path_product: float
    specularity: float
    grain_size: float
    grain_reflection: float
    lorenz: float
    thermal_conductivity: float | None

    def rho(self, temperature: FloatArray, diameter: FloatArray) -> FloatArray:
        """Return the resistivity, ohm m.

        Parameters
        ----------
        temperature, diameter : ndarray, shape (n,)
            K and m.
        """
        slope = self.temperature_coefficient * (temperature - ROOM)
        bulk = self.resistivity * np.maximum(1.0 + slope, 0.05)
        surface = 0.75 * (1.0 - self.specularity) * self.free_path_product / diameter
        if self.grain_reflection == 0.0 or np.isinf(self.grain_size):
            return np.asarray(bulk + surface)
        ratio = self.grain_reflection / (1.0 - self.grain_reflection) / self.grain_size
        a = ratio * self.free_path_product / bulk
        passed = 3.0 * (1.0 / 3.0 - a / 2.0 + a**2 - a**3 * np.log1p(1.0 / a))
        return np.asarray(bulk / passed + surface)

    def kappa(self, temperature: FloatArray, diameter: FloatArray) -> FloatArray:
        """Return the thermal conductivity, W/(m K); arguments as of `rho`."""
        if self.thermal_conductivity is not None:
            return np.full(np.shape(temperature), self.thermal_conductivity)
        return np.asarray(self.lorenz * temperature / self.rho(temperature, diameter))
