"""A gap that answers what is applied to it, by rules whose every answer is known.

It is no model of the device: a current sweep on it gives plateaus at the levels that it was given,
as `nanogap.synthetic.devices.level_sweeps` draws them.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.errors import SettingsError


@dataclass(frozen=True)
class SwitchRules:
    """Rules of a switch.

    Attributes
    ----------
    levels : tuple of float
        Conductances that the gap takes one after another, G0.
    level_spread : float
        Standard deviation of a level from one closing to the next, G0.
    open_conductance : float
        G0, before it closes.
    set_voltage : float
        Gap voltage at which it closes, V.
    growth_voltage : float
        Gap voltage at which a closed gap goes to its next level, V.
    reset_voltage : float
        Gap voltage at which it opens, below 0 V.
    voltage_spread : float
        Standard deviation of these voltages, relative.
    """

    levels: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)
    level_spread: float = 0.05
    open_conductance: float = 0.02
    set_voltage: float = 0.35
    growth_voltage: float = 0.12
    reset_voltage: float = -0.3
    voltage_spread: float = 0.05

    def __post_init__(self) -> None:
        if not (self.levels and min(self.levels) > 0.0 and self.open_conductance > 0.0):
            raise SettingsError("a switch needs levels and an open conductance above 0 G0")
        if not (self.set_voltage > 0.0 and self.growth_voltage > 0.0 > self.reset_voltage):
            raise SettingsError(
                "set_voltage and growth_voltage must be above 0 V, reset_voltage below"
            )


class Switch:
    """A gap that closes through levels at positive voltage, and opens at negative.

    Parameters
    ----------
    rules : SwitchRules, optional
    seed : int
        Same seed, same levels and voltages.

    Attributes
    ----------
    conductance : float
        Of the moment, G0.
    taken : list of float
        Every level that was taken so far, G0.

    Examples
    --------
    >>> switch = Switch(SwitchRules(level_spread=0.0, voltage_spread=0.0))
    >>> [switch.apply(volts) for volts in (0.3, 0.4, 0.1, 0.2, -0.4)]
    [0.02, 1.0, 1.0, 2.0, 0.02]
    """

    def __init__(self, rules: SwitchRules | None = None, seed: int = 0) -> None:
        self._rules = rules or SwitchRules()
        self._random = np.random.default_rng(seed)
        self.conductance = self._rules.open_conductance
        self.taken: list[float] = []
        self._next = 0
        self._draw()

    def apply(self, gap_voltage: float) -> float:
        """Apply a voltage for a moment, and return the conductance then, G0.

        Parameters
        ----------
        gap_voltage : float
            V.
        """
        rules = self._rules
        if self._next and gap_voltage <= self._opens:
            self.conductance, self._next = rules.open_conductance, 0
            self._draw()
        elif self._next < len(rules.levels) and gap_voltage >= self._closes:
            level = rules.levels[self._next] + rules.level_spread * self._random.standard_normal()
            self.conductance = max(float(level), rules.open_conductance)
            self.taken.append(self.conductance)
            self._next += 1
            self._draw()
        return self.conductance

    def _draw(self) -> None:
        """Draw the voltages of the next change."""
        rules = self._rules
        closing = rules.growth_voltage if self._next else rules.set_voltage
        factors = 1.0 + rules.voltage_spread * self._random.standard_normal(2).clip(-3.0, 3.0)
        self._closes = float(closing * factors[0])
        self._opens = float(rules.reset_voltage * factors[1])
