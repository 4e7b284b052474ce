"""A quantum point contact with levels, switched by the balance of the dynamic memdiode.

    I = sum_k g_k {v + (1/alpha) ln[(1 + exp(alpha (phi_k - v/2)))/(1 + exp(alpha (phi_k + v/2)))]}
    phi_k = span (c_k - x),    c_k = (k - 1/2)/n
    dx/dt = (1 - x) exp(eta_s (v - V_s)) - x exp(-eta_r (v + V_r))    (1/s)

Channels of conductance g_k with a parabolic barrier that opens as its top phi_k falls below the
Fermi level: Sune, Miranda, Nafria and Aymerich, Appl. Phys. Lett. 75, 959 (1999),
doi:10.1063/1.124566, and Miranda and Sune, Appl. Phys. Lett. 78, 225 (2001),
doi:10.1063/1.1339250, with half the voltage on either side of the barrier; at small voltage each
has g_k/(1 + exp(alpha phi_k)). The sums of the first g_k are the levels, which are given: those
that were measured. The balance of the state: Aguirre, Sune and Miranda, Micromachines 13, 330
(2022), doi:10.3390/mi13020330, without snapback.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.optimize import brentq

from nanogap.compact import kernels
from nanogap.compact.model import CompactModel, Coordinate, Features, number
from nanogap.errors import SettingsError
from nanogap.printing import Rows
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

_SCAN = tuple(np.linspace(-0.4, 0.4, 17))
#: Most levels of a model.
MOST_LEVELS = 12


@dataclass(frozen=True, repr=False)
class PointContact(CompactModel):
    """A quantum point contact whose conductance goes through given levels.

    Attributes
    ----------
    levels : tuple of float
        Conductances, rising, G0.

    Examples
    --------
    >>> gap = PointContact(levels=(1.0, 2.0))
    >>> from nanogap.units import CONDUCTANCE_QUANTUM
    >>> [round(gap.conductance(x) / CONDUCTANCE_QUANTUM, 2) for x in (0.0, 0.5, 1.0)]
    [0.0, 1.0, 2.0]
    """

    model: ClassVar[str] = "point-contact"
    title: ClassVar[str] = "quantum point contact with levels, dynamic memdiode"
    sources: ClassVar[tuple[str, ...]] = (
        "10.1063/1.124566",
        "10.1063/1.1339250",
        "10.3390/mi13020330",
    )
    _kind: ClassVar[int] = kernels.POINT_CONTACT
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        Coordinate("set_voltage", "V", "at which x grows at 1/s", -10.0, 10.0, False, _SCAN),
        Coordinate("set_slope", "1/V", "eta_s", 0.05, 500.0, True),
        Coordinate(
            "reset_voltage", "V", "at whose opposite x falls at 1/s", -10.0, 10.0, False, _SCAN
        ),
        Coordinate("reset_slope", "1/V", "eta_r", 0.05, 500.0, True),
        Coordinate("barrier_span", "eV", "fall of the barriers from x = 0 to 1", 0.05, 50.0, True),
        Coordinate("scale", "", "conductance of the levels, relative", 0.02, 50.0, True),
    )

    set_voltage: float = number(0.8, "V", -10.0, 10.0, "V_s")
    set_slope: float = number(20.0, "1/V", 0.05, 500.0, "eta_s")
    reset_voltage: float = number(0.5, "V", -10.0, 10.0, "V_r")
    reset_slope: float = number(20.0, "1/V", 0.05, 500.0, "eta_r")
    barrier_span: float = number(2.0, "eV", 0.05, 50.0, "span")
    scale: float = number(1.0, "", 0.02, 50.0, "of the levels")
    sharpness: float = number(20.0, "1/eV", 1.0, 200.0, "alpha")
    levels: tuple[float, ...] = (1.0, 2.0, 3.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        rising = bool((np.diff([0.0, *self.levels]) > 0.0).all())
        if not (0 < len(self.levels) <= MOST_LEVELS and rising and np.isfinite(self.levels).all()):
            raise SettingsError(
                f"model {self.model}: levels = {list(self.levels)}: must be 1 to {MOST_LEVELS} "
                "rising conductances above 0 G0"
            )

    @classmethod
    def guess(cls, features: Features, like: Self) -> Self:
        """See `CompactModel.guess`."""
        places = like.places()
        for first, voltage in ((0, features.set_voltage), (2, features.reset_voltage)):
            if voltage is not None:
                slope = min(15.0 / abs(voltage), 100.0)
                places[first] = abs(voltage) - np.log(slope * features.rate) / slope
                places[first + 1] = np.log(slope)
        if features.reset_voltage is None:
            places[2] = 2.0
        top = like.levels[-1] * CONDUCTANCE_QUANTUM
        scale = float(np.clip(features.closed_conductance / top, 0.02, 50.0))
        first_level = like.levels[0] * scale * CONDUCTANCE_QUANTUM
        ratio = max(first_level / features.open_conductance - 1.0, 2.0)
        places[4] = np.log(np.clip(np.log(ratio) / like.sharpness * 2 * len(like.levels), 0.1, 40))
        places[5] = np.log(scale)
        return like.moved(places)

    def state_of(self, conductance: float) -> float:
        """See `CompactModel.state_of`."""
        if conductance <= self.conductance(0.0):
            return 0.0
        if conductance >= self.conductance(1.0):
            return 1.0
        return float(brentq(lambda x: self.conductance(x) - conductance, 0.0, 1.0, xtol=1e-12))

    @property
    def channels(self) -> FloatArray:
        """Conductance of every channel, g_k, S, shape (n_levels,)."""
        return np.diff([0.0, *self.levels]) * self.scale * CONDUCTANCE_QUANTUM

    def _rows(self) -> Rows:
        yield from super()._rows()
        yield "levels", ", ".join(f"{one:g}" for one in self.levels) + " G0"

    def _constants(self) -> FloatArray:
        return np.array(
            [
                self.set_voltage,
                self.set_slope,
                -self.reset_voltage,
                self.reset_slope,
                self.sharpness,
                self.barrier_span,
                *self.channels,
            ]
        )
