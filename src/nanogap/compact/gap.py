"""An electrochemical gap: nucleation, electron transfer, ion hopping, tunnelling.

    dX/dt = -(Omega/e) j,    j = 2 j0 sinh(eta/2) = jh sinh(a e F/2kT),    F = V_hop/X
    v = 2 (2kT/e) y + (2kT X/(e a)) asinh(j/jh),    j = 2 j0 sinh y,    y = e eta/(2kT)
    t_nuc = t0 exp(-N e eta/kT)
    I = C (3 sqrt(2 m W)/2X) (e/h)^2 exp(-(4 pi X/h) sqrt(2 m W)) A v,    C = 2.7

The gap X closes as ions that the anode gives (Butler-Volmer, at both electrodes, transfer
coefficient one half) hop through the field of what is left of the voltage, and are deposited;
the first tenth of the way is the nucleus, which takes t_nuc more. At the other polarity the
filament dissolves. Menzel, Tappertzhofen, Waser and Valov, Phys. Chem. Chem. Phys. 15, 6945
(2013), doi:10.1039/c3cp50738f; Menzel, Boettger and Waser, J. Appl. Phys. 111, 014501 (2012),
doi:10.1063/1.3673239. x = (L - X)/(L - X_min); both ends of the way are approached smoothly (over a
twentieth of it), as growth turns into dissolution within 1 mV. The areas of both electrodes are
taken as equal, and the resistance of filament and electrodes belongs to the circuit.

A fit moves two voltages in place of j0 and t0: those at which, without hopping, the gap would
move at its whole way per second, and at which the nucleus takes 1 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import constants
from scipy.optimize import brentq

from nanogap.compact import kernels
from nanogap.compact.model import TOLERANCE, CompactModel, Coordinate, Features, filled, number
from nanogap.typing import FloatArray
from nanogap.units import BOLTZMANN

#: Volume of an atom of silver, m^3: molar mass 107.8682 g/mol and 10490 kg/m^3.
ATOM_VOLUME = 0.1078682 / 10490.0 / constants.N_A
#: Constant C of the tunnel current.
_TUNNEL = 2.7
_SCAN = tuple(np.linspace(-0.6, 0.6, 17))
#: Least exchange current density, A/m^2.
_LEAST_EXCHANGE = 1e-40


@dataclass(frozen=True, repr=False)
class Gap(CompactModel):
    """An electrochemical metallization gap of silver.

    Examples
    --------
    >>> gap = Gap()
    >>> gap.conductance(1.0) / gap.conductance(0.0) > 100.0
    True
    >>> gap.rate(0.5, 0.8) > 0.0 > gap.rate(0.5, -0.8)
    True
    """

    model: ClassVar[str] = "gap"
    title: ClassVar[str] = "electrochemical gap, tunnelling"
    sources: ClassVar[tuple[str, ...]] = ("10.1039/c3cp50738f", "10.1063/1.3673239")
    _kind: ClassVar[int] = kernels.GAP
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        Coordinate("transfer_voltage", "V", "of its way in 1 s", 1e-3, 5.0, False, _SCAN),
        Coordinate("hopping_current_density", "A/m^2", "jh", 1e-20, 1e20, True),
        Coordinate("nucleation_voltage", "V", "of a nucleus in 1 s", -10.0, 10.0, False, _SCAN),
        Coordinate("nucleation_charge", "", "N = Nc + alpha", 0.01, 20.0, True),
        Coordinate("low_conductance", "S", "of the open gap", 1e-15, 1.0, True),
        Coordinate("high_conductance", "S", "of the closest gap", 1e-14, 1.0, True),
    )

    exchange_current_density: float = number(1.0, "A/m^2", _LEAST_EXCHANGE, 1e12, "j0")
    hopping_current_density: float = number(1e8, "A/m^2", 1e-20, 1e20, "jh")
    hopping_distance: float = number(0.25e-9, "m", 1e-11, 1e-8, "a")
    nucleation_time: float = number(1e4, "s", 1e-15, 1e60, "t0 exp(dG/kT)")
    nucleation_charge: float = number(0.5, "", 0.01, 20.0, "N = Nc + alpha")
    low_conductance: float = number(1e-6, "S", 1e-15, 1.0, "at L")
    high_conductance: float = number(2e-4, "S", 1e-14, 1.0, "at X_min")
    closest_gap: float = number(0.1e-9, "m", 1e-11, 1e-8, "X_min")
    barrier_height: float = number(4.26, "eV", 0.1, 10.0, "W; work function of silver")
    relative_mass: float = number(1.0, "", 0.01, 10.0, "m/m_e")
    temperature: float = number(300.0, "K", 50.0, 1000.0, "T")

    @classmethod
    def guess(cls, features: Features, like: Self) -> Self:
        """See `CompactModel.guess`."""
        low = features.open_conductance
        high = max(features.closed_conductance, 1.5 * low)
        begun = like.with_values(low_conductance=low, high_conductance=high)
        places, transfer = begun.places(), begun.transfer
        # the voltage at which the gap switches in the time that the sweep takes to the next kT/e
        pace = transfer * np.log(features.rate / transfer)
        if features.reset_voltage is not None:
            places[0] = max(abs(features.reset_voltage) - pace, 1e-2)
        elif features.set_voltage is not None:
            places[0] = max(features.set_voltage - pace, 1e-2)
        if features.set_voltage is not None:
            late = np.log(0.05 / features.rate) * transfer / (2.0 * begun.nucleation_charge)
            places[2] = features.set_voltage + late
        return begun.moved(places)

    @property
    def length(self) -> float:
        """Length L of the open gap, m: where the current is that of the low conductance."""
        if self.low_conductance >= self.high_conductance:
            return float(self.closest_gap * (1.0 + 1e-9))
        wanted = np.log(self.high_conductance / self.low_conductance)

        def beyond(gap: float) -> float:
            fallen = self.decay * (gap - self.closest_gap) + np.log(gap / self.closest_gap)
            return float(fallen - wanted)

        far = self.closest_gap + wanted / self.decay
        return float(brentq(beyond, self.closest_gap, far, xtol=1e-22))

    @property
    def area(self) -> float:
        """Area A of the filament, m^2: that which gives the closest gap its conductance."""
        prefactor = _TUNNEL * 1.5 * self._momentum * (constants.e / constants.h) ** 2
        fallen = np.exp(-self.decay * self.closest_gap)
        return float(self.high_conductance * self.closest_gap / (prefactor * fallen))

    @property
    def transfer(self) -> float:
        """4kT/e, the voltage of electron transfer at both electrodes, V."""
        return float(4.0 * BOLTZMANN * self.temperature)

    @property
    def flux(self) -> float:
        """Part of the way that the gap moves at the exchange current density, 1/s."""
        way = self.length - self.closest_gap
        return float(2.0 * self.exchange_current_density * ATOM_VOLUME / constants.e / way)

    def places(self) -> FloatArray:
        """See `CompactModel.places`."""
        charge = self.nucleation_charge
        return np.array(
            [
                self.transfer * np.arcsinh(1.0 / self.flux),
                np.log(self.hopping_current_density),
                self.transfer * np.log(self.nucleation_time) / (2.0 * charge),
                np.log(charge),
                np.log(self.low_conductance),
                np.log(self.high_conductance),
            ]
        )

    def moved(self, places: Sequence[float] | FloatArray) -> Self:
        """See `CompactModel.moved`."""
        transfer, hopping, nucleation, charge, low, high = filled(self.coordinates, places)
        ends = self.with_values(low_conductance=low, high_conductance=max(high, 1.001 * low))
        density = ends.exchange_current_density / ends.flux / np.sinh(transfer / self.transfer)
        time = 2.0 * charge * nucleation / self.transfer
        return ends.with_values(
            exchange_current_density=float(np.clip(density, _LEAST_EXCHANGE, 1e12)),
            hopping_current_density=hopping,
            nucleation_time=float(np.exp(np.clip(time, np.log(1e-15), np.log(1e60)))),
            nucleation_charge=charge,
        )

    def state_of(self, conductance: float) -> float:
        """See `CompactModel.state_of`."""
        if conductance <= self.conductance(0.0):
            return 0.0
        if conductance >= self.conductance(1.0):
            return 1.0
        return float(brentq(lambda x: self.conductance(x) - conductance, 0.0, 1.0, xtol=1e-12))

    def step(self, state: float, voltage: float, duration: float) -> float:
        """See `CompactModel.step`: implicit, for dx/dt is not linear in x here."""
        volts = np.array([voltage, voltage])
        limit = np.full(2, np.inf)
        time = np.array([0.0, duration])
        kind, values = self._kind, self._constants()
        states, _ = kernels.integrate(kind, values, state, time, volts, limit, 0.0, TOLERANCE)
        return float(states[-1])

    @property
    def _momentum(self) -> float:
        """sqrt(2 m W), kg m/s."""
        mass = self.relative_mass * constants.m_e
        return float(np.sqrt(2.0 * mass * self.barrier_height * constants.e))

    @property
    def decay(self) -> float:
        """Decay of the current with the gap, 1/m."""
        return float(4.0 * np.pi / constants.h * self._momentum)

    def _constants(self) -> FloatArray:
        thermal = 2.0 * BOLTZMANN * self.temperature
        way = self.length - self.closest_gap
        j0 = self.exchange_current_density
        start = self.high_conductance * self.closest_gap * np.exp(self.decay * self.closest_gap)
        return np.array(
            [
                self.flux,
                self.transfer,
                thermal / self.hopping_distance,
                2.0 * j0 / self.hopping_current_density,
                self.nucleation_time,
                self.nucleation_charge,
                way,
                self.closest_gap,
                start,
                self.decay,
            ]
        )
