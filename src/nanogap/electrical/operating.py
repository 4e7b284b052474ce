"""Stationary states of a gap behind a series resistance, at a source with a limit.

V_out = R_s I + V,    I = I_gap(V) + I_ion
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.optimize import brentq

from nanogap.errors import SettingsError

#: Doublings in the search for an interval that holds a zero: from 1 V beyond any voltage.
_DOUBLINGS = 200


@dataclass(frozen=True)
class OperatingPoint:
    """Stationary state of circuit and source.

    Attributes
    ----------
    voltage, gap_voltage : float
        At the source and across the gap, V.
    current : float
        A.
    in_compliance : bool
        Whether the source is at a limit.
    """

    voltage: float
    gap_voltage: float
    current: float
    in_compliance: bool


@dataclass(frozen=True)
class SeriesLoad:
    """A gap behind a series resistance, and the limits of the quantity that is not set.

    Attributes
    ----------
    resistance : float
        R_s, ohm.
    ionic : float
        I_ion, A.
    limits : tuple of float
        Largest size of the quantity that is not set in either polarity, A or V.
    """

    resistance: float
    ionic: float
    limits: tuple[float, float]

    def at_voltage(self, volts: float, siemens: float) -> OperatingPoint:
        """Return the state at a set voltage of a gap with a conductance."""
        current = (siemens * volts + self.ionic) / (1.0 + siemens * self.resistance)
        held = self._held(current)
        if held == current or siemens == 0.0:
            return OperatingPoint(volts, volts - self.resistance * current, current, False)
        gap = (held - self.ionic) / siemens
        return OperatingPoint(gap + self.resistance * held, gap, held, True)

    def at_current(self, amperes: float, siemens: float) -> OperatingPoint:
        """Return the state at a set current of a gap with a conductance."""
        electronic = amperes - self.ionic
        if siemens > 0.0:
            voltage = electronic / siemens + self.resistance * amperes
        else:
            voltage = math.copysign(math.inf, electronic) if electronic else 0.0
        held = self._held(voltage)
        if held == voltage:
            return OperatingPoint(voltage, voltage - self.resistance * amperes, amperes, False)
        current = (siemens * held + self.ionic) / (1.0 + siemens * self.resistance)
        return OperatingPoint(held, held - self.resistance * current, current, True)

    def curve_at_voltage(self, volts: float, curve: Callable[[float], float]) -> OperatingPoint:
        """Return the state at a set voltage of a gap with a curve I(V)."""
        gap = self._gap_at(volts, curve)
        current = curve(gap) + self.ionic
        held = self._held(current)
        if held == current:
            return OperatingPoint(volts, gap, current, False)
        gap = _root(lambda across: curve(across) + self.ionic - held, gap)
        return OperatingPoint(gap + self.resistance * held, gap, held, True)

    def curve_at_current(self, amperes: float, curve: Callable[[float], float]) -> OperatingPoint:
        """Return the state at a set current of a gap with a curve I(V)."""
        bound = self.limits[0] if amperes >= self.ionic else -self.limits[1]
        if math.isfinite(bound):
            # asked at the limit first: the curve may never carry the current
            gap = self._gap_at(bound, curve)
            if abs(curve(gap)) <= abs(amperes - self.ionic):
                return OperatingPoint(bound, gap, curve(gap) + self.ionic, True)
        sign = math.copysign(1.0, amperes - self.ionic)
        gap = _root(lambda across: curve(across) + self.ionic - amperes, sign)
        return OperatingPoint(gap + self.resistance * amperes, gap, amperes, False)

    def _held(self, value: float) -> float:
        return min(max(value, -self.limits[1]), self.limits[0])

    def _gap_at(self, volts: float, curve: Callable[[float], float]) -> float:
        """Return the voltage across the gap at a voltage of the source."""
        return _root(
            lambda gap: gap + self.resistance * (curve(gap) + self.ionic) - volts,
            volts - self.resistance * self.ionic,
        )


def _root(function: Callable[[float], float], guess: float) -> float:
    """Return the zero of a rising function, on the side of a guess."""
    if function(0.0) == 0.0 or guess == 0.0:
        return 0.0
    end = guess
    for _ in range(_DOUBLINGS):
        if function(end) * function(0.0) <= 0.0:
            return float(brentq(function, min(0.0, end), max(0.0, end), xtol=1e-15, rtol=1e-14))
        end *= 2.0
    raise SettingsError(
        "the curve of the gap never carries the current: it must rise, and pass through zero"
    )
