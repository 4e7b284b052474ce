"""A threshold model, the simple fallback: VTEAM.

State and current follow ::

    dx/dt = k_set (v/v_set - 1)^a_set (1 - x)    above v_set > 0,
          = -k_reset (v/v_reset - 1)^a_reset x   below v_reset < 0, and nothing between
    I = G_low (G_high/G_low)^x v

Kvatinsky, Ramadan, Friedman and Kolodny, IEEE Trans. Circuits Syst. II 62, 786 (2015),
doi:10.1109/TCSII.2015.2433536, with its exponential current and windows 1 - x and x; x is 1 where
it conducts. The thresholds are soft: u > 0 stands for 0.02 ln(1 + exp(u/0.02)), so that the
equations are smooth, which circuit simulators need.

A fit moves the voltages at which x changes at 1/s beside k_set and k_reset: a sweep says the former
whatever it says of the rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from nanogap.compact import kernels
from nanogap.compact.model import CompactModel, Coordinate, Features, filled, number
from nanogap.typing import FloatArray

_SCAN = tuple(np.linspace(-0.6, 0.6, 17))


@dataclass(frozen=True, repr=False)
class Threshold(CompactModel):
    """VTEAM with soft thresholds.

    Examples
    --------
    >>> gap = Threshold()
    >>> round(gap.step(0.0, voltage=1.5, duration=0.5), 3), gap.step(0.5, 0.3, 1e3)
    (0.993, 0.5)
    """

    model: ClassVar[str] = "threshold"
    title: ClassVar[str] = "threshold model, VTEAM"
    sources: ClassVar[tuple[str, ...]] = ("10.1109/TCSII.2015.2433536",)
    _kind: ClassVar[int] = kernels.THRESHOLD
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        Coordinate("set_point", "V", "at which x grows at 1/s", 1e-3, 40.0, True, _SCAN),
        Coordinate("set_rate", "1/s", "k_set", 1e-9, 1e15, True),
        Coordinate("reset_point", "V", "at whose opposite x falls at 1/s", 1e-3, 40.0, True, _SCAN),
        Coordinate("reset_rate", "1/s", "k_reset", 1e-9, 1e15, True),
        Coordinate("low_conductance", "S", "G_low", 1e-15, 1.0, True),
        Coordinate("high_conductance", "S", "G_high", 1e-15, 1.0, True),
    )

    set_voltage: float = number(1.0, "V", 1e-12, 200.0, "v_set")
    set_rate: float = number(80.0, "1/s", 1e-9, 1e15, "k_set")
    set_exponent: float = number(3.0, "", 1.0, 20.0, "a_set")
    reset_voltage: float = number(0.5, "V", 1e-12, 200.0, "-v_reset")
    reset_rate: float = number(80.0, "1/s", 1e-9, 1e15, "k_reset")
    reset_exponent: float = number(3.0, "", 1.0, 20.0, "a_reset")
    low_conductance: float = number(1e-6, "S", 1e-15, 1.0, "G_low")
    high_conductance: float = number(1.5e-4, "S", 1e-15, 1.0, "G_high")

    @classmethod
    def guess(cls, features: Features, like: Self) -> Self:
        """See `CompactModel.guess`."""
        places = like.places()
        for first, voltage in ((0, features.set_voltage), (2, features.reset_voltage)):
            if voltage is not None:
                places[first] = np.log(abs(voltage))
                # fast enough to switch within the next tenth of the threshold
                places[first + 1] = np.log(40.0 * features.rate / (0.1**3 * 0.1 * abs(voltage)))
        places[4:] = np.log([features.open_conductance, features.closed_conductance])
        return like.moved(places)

    def places(self) -> FloatArray:
        """See `CompactModel.places`."""
        set_at = self.set_voltage * _beyond(self.set_rate, self.set_exponent)
        reset_at = self.reset_voltage * _beyond(self.reset_rate, self.reset_exponent)
        rates = self.set_rate, self.reset_rate
        ends = self.low_conductance, self.high_conductance
        return np.log([set_at, rates[0], reset_at, rates[1], *ends])

    def moved(self, places: Sequence[float] | FloatArray) -> Self:
        """See `CompactModel.moved`."""
        set_at, set_rate, reset_at, reset_rate, low, high = filled(self.coordinates, places)
        return self.with_values(
            set_voltage=set_at / _beyond(set_rate, self.set_exponent),
            set_rate=set_rate,
            reset_voltage=reset_at / _beyond(reset_rate, self.reset_exponent),
            reset_rate=reset_rate,
            low_conductance=low,
            high_conductance=high,
        )

    def state_of(self, conductance: float) -> float:
        """See `CompactModel.state_of`."""
        span = np.log(self.high_conductance / self.low_conductance)
        if span == 0.0:
            return 0.0
        return float(np.clip(np.log(conductance / self.low_conductance) / span, 0.0, 1.0))

    def _constants(self) -> FloatArray:
        return np.array(
            [
                self.set_voltage,
                self.set_rate,
                self.set_exponent,
                -self.reset_voltage,
                self.reset_rate,
                self.reset_exponent,
                self.low_conductance,
                self.high_conductance,
            ]
        )


def _beyond(rate: float, exponent: float) -> float:
    """Return the voltage at which a rate (1/s) is 1/s, in units of its threshold."""
    over = rate ** (-1.0 / exponent)
    return float(1.0 + over + kernels.SOFTNESS * np.log(-np.expm1(-over / kernels.SOFTNESS)))
