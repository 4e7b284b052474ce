"""Potentiation and depression with noise and jumps: the model of nanowire networks.

    dg/dt = kp (1 - g) - kd g,    kp = kp0 exp(eta_p V),    kd = kd0 exp(-eta_d V)
    I = [G_min (1 - g) + G_max g] V

Rate balance and six numbers: Montano, Milano and Ricciardi, Neuromorph. Comput. Eng. 2, 014007
(2022), doi:10.1088/2634-4386/ac4d86. Noise and jumps: Milano et al., Nat. Commun. 16, 3509 (2025),
doi:10.1038/s41467-025-58741-2: g is an Ornstein-Uhlenbeck process, dg += sigma dW, and jumps come
at a constant rate with sizes of density ~ A^-exponent between two bounds, more often towards the
equilibrium g~ = kp/(kp + kd) than away from it, (1/2)(1 + (g~ - g)/(1 + 2 A_max)) of them.

V has its sign here, so that the other polarity opens the gap. Networks, whose junctions have no
polarity, take ``|V|``; for V > 0 the two are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from nanogap.compact import kernels
from nanogap.compact.model import CompactModel, Coordinate, Features, filled, number
from nanogap.errors import SettingsError
from nanogap.typing import FloatArray

_SCAN = tuple(np.linspace(-0.4, 0.4, 17))


@dataclass(frozen=True)
class Fluctuations:
    """Noise and jumps of the state.

    Attributes
    ----------
    noise : float
        sigma of the Wiener process, 1/sqrt(s).
    jump_rate : float
        Of jumps of either direction, 1/s.
    jump_exponent : float
        Of the density of their sizes.
    smallest_jump, largest_jump : float
        Bounds of their sizes.

    Raises
    ------
    SettingsError
        If a number is negative, or the bounds are no interval.
    """

    noise: float = 0.0
    jump_rate: float = 0.0
    jump_exponent: float = 2.78
    smallest_jump: float = 6.4e-4
    largest_jump: float = 1.0e-2

    def __post_init__(self) -> None:
        bounds = 0.0 < self.smallest_jump < self.largest_jump <= 1.0
        if min(self.noise, self.jump_rate) < 0.0 or self.jump_exponent <= 1.0 or not bounds:
            raise SettingsError(
                f"{self}: noise and rate are zero or positive, the exponent is above 1, and the "
                "smallest jump is above 0 and below the largest, which is no more than 1"
            )


@dataclass(frozen=True, repr=False)
class PotentiationDepression(CompactModel):
    """Potentiation-depression rate balance; the defaults are those of a published network.

    Examples
    --------
    >>> gap = PotentiationDepression()
    >>> closed = gap.step(0.0, voltage=0.6, duration=1.0)
    >>> round(closed, 3), round(gap.conductance(closed) * 1e3, 2)
    (0.999, 2.72)
    """

    model: ClassVar[str] = "potentiation"
    title: ClassVar[str] = "potentiation-depression rate balance"
    sources: ClassVar[tuple[str, ...]] = (
        "10.1088/2634-4386/ac4d86",
        "10.1038/s41467-025-58741-2",
    )
    _kind: ClassVar[int] = kernels.POTENTIATION
    coordinates: ClassVar[tuple[Coordinate, ...]] = (
        Coordinate(
            "potentiation_voltage", "V", "at which g grows at 1/s", -10.0, 10.0, False, _SCAN
        ),
        Coordinate("potentiation_slope", "1/V", "eta_p", 0.05, 500.0, True),
        Coordinate(
            "depression_voltage", "V", "at whose opposite g falls at 1/s", -10.0, 10.0, False, _SCAN
        ),
        Coordinate("depression_slope", "1/V", "eta_d", 0.05, 500.0, True),
        Coordinate("low_conductance", "S", "G_min", 1e-15, 1.0, True),
        Coordinate("high_conductance", "S", "G_max", 1e-15, 1.0, True),
    )

    potentiation_rate: float = number(2.555e-6, "1/s", 1e-300, 1e300, "kp0")
    potentiation_slope: float = number(34.92, "1/V", 0.05, 500.0, "eta_p")
    depression_rate: float = number(64.89, "1/s", 1e-300, 1e300, "kd0")
    depression_slope: float = number(5.591, "1/V", 0.05, 500.0, "eta_d")
    low_conductance: float = number(1.0147e-3, "S", 1e-15, 1.0, "G_min")
    high_conductance: float = number(2.7235e-3, "S", 1e-15, 1.0, "G_max")

    @classmethod
    def guess(cls, features: Features, like: Self) -> Self:
        """See `CompactModel.guess`."""
        up = 15.0 if features.set_voltage is None else min(15.0 / features.set_voltage, 100.0)
        down = 10.0 if features.reset_voltage is None else min(-8.0 / features.reset_voltage, 100.0)
        at = like.places() if features.set_voltage is None else None
        contrast = np.log(features.closed_conductance / features.open_conductance)
        places = like.places()
        if features.set_voltage is not None:
            # g has to grow to G_min/G_max before it shows
            late = np.log(up * features.rate) - contrast + 1.0
            places[0] = features.set_voltage - late / up
            places[1] = np.log(up)
        if features.reset_voltage is not None:
            places[2] = -features.reset_voltage - np.log(down * features.rate) / down
            places[3] = np.log(down)
        else:
            places[2], places[3] = -0.5, np.log(down)
        places[4:] = np.log([features.open_conductance, features.closed_conductance])
        if at is not None:
            places[:2] = at[:2]
        return like.moved(places)

    def places(self) -> FloatArray:
        """See `CompactModel.places`."""
        return np.array(
            [
                -np.log(self.potentiation_rate) / self.potentiation_slope,
                np.log(self.potentiation_slope),
                -np.log(self.depression_rate) / self.depression_slope,
                np.log(self.depression_slope),
                np.log(self.low_conductance),
                np.log(self.high_conductance),
            ]
        )

    def moved(self, places: Sequence[float] | FloatArray) -> Self:
        """See `CompactModel.moved`."""
        up, eta_p, down, eta_d, low, high = filled(self.coordinates, places)
        return self.with_values(
            potentiation_rate=float(np.exp(np.clip(-up * eta_p, -690.0, 690.0))),
            potentiation_slope=eta_p,
            depression_rate=float(np.exp(np.clip(-down * eta_d, -690.0, 690.0))),
            depression_slope=eta_d,
            low_conductance=low,
            high_conductance=high,
        )

    def state_of(self, conductance: float) -> float:
        """See `CompactModel.state_of`."""
        span = self.high_conductance - self.low_conductance
        if span == 0.0:
            return 0.0
        return float(np.clip((conductance - self.low_conductance) / span, 0.0, 1.0))

    def sample(
        self,
        state: float,
        voltage: float,
        duration: float,
        fluctuations: Fluctuations,
        random: np.random.Generator,
    ) -> float:
        """Draw the state after a constant voltage for some time, with noise and jumps.

        The noise is that of the exact transition of the Ornstein-Uhlenbeck process; jumps of the
        time are added at its end, so it should be short against the relaxation.

        Parameters
        ----------
        state, voltage, duration : float
            See `step`.
        fluctuations : Fluctuations
        random : numpy.random.Generator

        Returns
        -------
        float
            Not kept within 0 to 1, as the process is not.
        """
        a, b = kernels.relaxation_rates(self._kind, self._constants(), voltage)
        total = a + b
        mean = self.step(state, voltage, duration)
        spread = fluctuations.noise * np.sqrt(-np.expm1(-2.0 * total * duration) / (2.0 * total))
        new = mean + spread * random.normal()
        for _ in range(random.poisson(fluctuations.jump_rate * duration)):
            low, high = fluctuations.smallest_jump, fluctuations.largest_jump
            power = 1.0 - fluctuations.jump_exponent
            size = (low**power + random.random() * (high**power - low**power)) ** (1.0 / power)
            lean = (a / total - new) / (2.0 * (1.0 + 2.0 * high))
            new += size if random.random() < 0.5 + lean else -size
        return float(new)

    def _constants(self) -> FloatArray:
        return np.array(
            [
                self.potentiation_rate,
                self.potentiation_slope,
                self.depression_rate,
                self.depression_slope,
                self.low_conductance,
                self.high_conductance,
            ]
        )
