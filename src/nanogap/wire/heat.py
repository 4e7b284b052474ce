r"""Temperature of a wire and the current through it: stationary, with the circuit around it.

    d/dx (kappa A dT/dx) + rho I^2/A - g (T - T_0) = 0,    R = int rho/A dx
    at the ends:  heat flow = (T - T_c)/R_h,  T_c = T_0 + R_h s I^2 R*

A wire of some micrometres takes its stationary temperature within tens of nanoseconds
(`cooling_time`), and its shape changes over milliseconds to minutes: so the temperature follows the
shape and the current at once. It is found together with the current, for the resistance depends on
it, by Newton's method on a tridiagonal system with one more unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_banded

from nanogap.errors import EngineError
from nanogap.typing import FloatArray
from nanogap.wire.bands import band_derivative, band_product, dense
from nanogap.wire.conduction import Conduction
from nanogap.wire.mesh import Mesh

#: Newton's method ends at such a relative change, and after so many steps.
_TOLERANCE, _MOST_STEPS = 1e-9, 25
#: Largest relative change of a temperature in one step.
_LARGEST_CHANGE = 0.3
#: Parts in which the current grows where the method does not converge at once.
_PARTS = 40
#: Temperatures stay above this share of that of the surroundings on the way to the solution.
_LEAST = 0.5

#: Current through a wire of a resistance (ohm) in its circuit, A.
Circuit = Callable[[float], float]


@dataclass(frozen=True)
class Surroundings:
    """Sinks of the heat of a wire; SI units.

    Attributes
    ----------
    temperature : float
        T_0, K.
    substrate : float
        g, to the substrate, W/(m K).
    contact_resistance : float
        R*, electrical, of each contact, ohm.
    contact_thermal_resistance : float
        R_h, of each contact, K/W; 0: the ends stay at the temperature of the surroundings.
    contact_heat : float
        s, share of the heat of a contact that arises at the wire's end of it.
    """

    temperature: float
    substrate: float
    contact_resistance: float
    contact_thermal_resistance: float
    contact_heat: float


@dataclass(frozen=True, eq=False)
class Thermal:
    """Stationary temperature and current.

    Attributes
    ----------
    temperature : ndarray, shape (n_cells,)
        K.
    current : float
        A.
    resistance : float
        Of the wire between its contacts, ohm.
    """

    temperature: FloatArray
    current: float
    resistance: float


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Derivatives of temperature and current by the shape.

    Attributes
    ----------
    temperature : ndarray, shape (n_cells, n_cells)
        dT_i/dq_j, K/m^2.
    current : ndarray, shape (n_cells,)
        dI/dq_j, A/m^2.
    """

    temperature: FloatArray
    current: FloatArray


@dataclass(frozen=True, eq=False)
class HeatBalance:
    """Heat of a wire.

    Attributes
    ----------
    mesh : Mesh
    conduction : Conduction
    surroundings : Surroundings
    """

    mesh: Mesh
    conduction: Conduction
    surroundings: Surroundings

    def resistances(self, temperature: FloatArray, squares: FloatArray) -> FloatArray:
        """Return the electrical resistance of every cell, shape (n_cells,), ohm."""
        rho = self.conduction.rho(temperature, 2.0 * np.sqrt(squares))
        return np.asarray(rho * self.mesh.widths / (np.pi * squares))

    def flows(self, temperature: FloatArray, current: float, squares: FloatArray) -> FloatArray:
        """Return the heat that flows through every face towards x = L, shape (n_cells + 1,), W."""
        kappa = self.conduction.kappa(temperature, 2.0 * np.sqrt(squares))
        half = self.mesh.widths / (2.0 * kappa * np.pi * squares)
        around, inner = self.surroundings, -np.diff(temperature) / (half[1:] + half[:-1])
        resistance = around.contact_thermal_resistance
        contact = around.temperature + (
            resistance * around.contact_heat * current**2 * around.contact_resistance
        )
        first = (contact - temperature[0]) / (half[0] + resistance)
        last = (temperature[-1] - contact) / (half[-1] + resistance)
        return np.concatenate([[first], inner, [last]])

    def surplus(self, temperature: FloatArray, current: float, squares: FloatArray) -> FloatArray:
        """Return the heat that every cell gains, shape (n_cells,), W; zero in the solution."""
        loss = self.surroundings.substrate * self.mesh.widths
        return np.asarray(
            self.resistances(temperature, squares) * current**2
            - np.diff(self.flows(temperature, current, squares))
            - loss * (temperature - self.surroundings.temperature)
        )

    def solve(self, squares: FloatArray, circuit: Circuit, guess: Thermal) -> Thermal:
        """Find temperature and current of a shape.

        Parameters
        ----------
        squares : ndarray, shape (n_cells,)
            q, m^2.
        circuit : callable
        guess : Thermal
            The method begins there.

        Raises
        ------
        EngineError
            If it does not converge.
        """
        if (direct := self.iterated(squares, circuit, guess)) is not None:
            return direct
        # far from the solution: the current grows from nothing in small parts
        around = self.surroundings.temperature
        found = Thermal(np.full(len(squares), around), 0.0, guess.resistance)
        for share in np.arange(1, _PARTS + 1) / _PARTS:
            now = self.iterated(squares, _reduced(circuit, float(share)), found)
            if now is None:
                raise EngineError(
                    "the temperature of the wire does not converge: choose a smaller voltage, a "
                    "smaller current limit or a larger series resistance"
                )
            found = now
        return found

    def iterated(self, squares: FloatArray, circuit: Circuit, guess: Thermal) -> Thermal | None:
        """Return the solution by Newton's method from the guess on; None where it fails.

        Parameters
        ----------
        squares, circuit, guess
            See `solve`.
        """
        temperature, current = guess.temperature, guess.current
        lowest = _LEAST * self.surroundings.temperature
        for _ in range(_MOST_STEPS):
            resistance = float(self.resistances(temperature, squares).sum())
            change = self._step(temperature, current, squares, circuit, resistance)
            largest = float(np.max(np.abs(change[:-1]) / temperature))
            damping = min(1.0, _LARGEST_CHANGE / max(largest, 1e-300))
            temperature = np.maximum(temperature + damping * change[:-1], lowest)
            current = current + damping * change[-1]
            if largest < _TOLERANCE and abs(change[-1]) <= _TOLERANCE * abs(current) + 1e-30:
                resistance = float(self.resistances(temperature, squares).sum())
                return Thermal(temperature, float(current), resistance)
        return None

    def _step(
        self,
        temperature: FloatArray,
        current: float,
        squares: FloatArray,
        circuit: Circuit,
        resistance: float,
    ) -> FloatArray:
        """Return the changes of the temperatures and, last, of the current."""
        band = band_derivative(lambda one: self.surplus(one, current, squares), temperature, 1)
        by_current = self._by_current(temperature, current, squares)
        parts = np.column_stack([self.surplus(temperature, current, squares), by_current])
        rest, reply = -solve_banded((1, 1), band, parts).T
        slope, weights = _slope(circuit, resistance), self._weights(temperature, squares)
        # current - circuit(resistance) = 0, with the temperatures put in
        miss = current - circuit(resistance)
        step = (-miss + slope * (weights @ rest)) / (1.0 - slope * (weights @ reply))
        return np.append(rest + reply * step, step)

    def _by_current(
        self, temperature: FloatArray, current: float, squares: FloatArray
    ) -> FloatArray:
        """Differentiate the surplus by the current, W/A."""
        around = self.surroundings
        by_current = 2.0 * current * self.resistances(temperature, squares)
        kappa = self.conduction.kappa(temperature, 2.0 * np.sqrt(squares))
        half = self.mesh.widths / (2.0 * kappa * np.pi * squares)
        heat = around.contact_thermal_resistance * around.contact_heat * around.contact_resistance
        for end in (0, -1):
            path = half[end] + around.contact_thermal_resistance
            by_current[end] += 2.0 * current * heat / path
        return np.asarray(by_current)

    def _weights(self, temperature: FloatArray, squares: FloatArray) -> FloatArray:
        """Differentiate the resistance by the temperatures, ohm/K."""
        band = band_derivative(lambda one: self.resistances(one, squares), temperature, 0)
        return np.asarray(band[0])

    def sensitivity(self, found: Thermal, squares: FloatArray, circuit: Circuit) -> Sensitivity:
        """Differentiate temperature and current by the shape, the heat balance kept.

        Parameters
        ----------
        found : Thermal
            Of the shape.
        squares : ndarray, shape (n_cells,)
            q, m^2.
        circuit : callable
        """
        temperature, current = found.temperature, found.current
        band = band_derivative(lambda one: self.surplus(one, current, squares), temperature, 1)
        by_shape = band_derivative(lambda one: self.surplus(temperature, current, one), squares, 1)
        sides = np.column_stack([dense(by_shape), self._by_current(temperature, current, squares)])
        replies = -solve_banded((1, 1), band, sides)
        at_current, reply = replies[:, :-1], replies[:, -1]
        weights = self._weights(temperature, squares)
        direct = band_derivative(lambda one: self.resistances(temperature, one), squares, 0)[0]
        slope = _slope(circuit, found.resistance)
        by_current = slope * (weights @ at_current + direct) / (1.0 - slope * (weights @ reply))
        return Sensitivity(at_current + np.outer(reply, by_current), by_current)

    def cooling_time(self, squares: FloatArray, temperature: FloatArray, capacity: float) -> float:
        """Return the time in which the wire cools by a factor e once the current stops, s.

        Parameters
        ----------
        squares, temperature : ndarray, shape (n_cells,)
            m^2 and K.
        capacity : float
            Heat capacity, J/(m^3 K).
        """
        kappa = self.conduction.kappa(temperature, 2.0 * np.sqrt(squares))
        length = float(self.mesh.faces[-1])
        rate = np.pi**2 * float(kappa.mean()) / (capacity * length**2)
        area = np.pi * float(squares.mean())
        return 1.0 / (rate + self.surroundings.substrate / (capacity * area))


def flux_sensitivity(
    by_temperature: FloatArray, by_current: FloatArray, following: Sensitivity
) -> FloatArray:
    """Return what temperature and current add to a Jacobian of the shape, shape (n, n).

    Parameters
    ----------
    by_temperature : ndarray, shape (3, n)
        Band of the derivative of the rates by the temperatures.
    by_current : ndarray, shape (n,)
        Their derivative by the current.
    following : Sensitivity
    """
    along = band_product(by_temperature, following.temperature)
    return along + np.outer(by_current, following.current)


def _slope(circuit: Circuit, resistance: float) -> float:
    """Differentiate the current by the resistance of the wire, A/ohm."""
    step = 1e-6 * resistance
    return (circuit(resistance + step) - circuit(resistance - step)) / (2.0 * step)


def _reduced(circuit: Circuit, share: float) -> Circuit:
    """Return a circuit that drives a share of the current."""
    return lambda resistance: share * circuit(resistance)
