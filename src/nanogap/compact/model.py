"""The contract of the compact models: numbers with bounds, a rate, a current, a stiff-safe step.

A model has one state x from 0 (open) to 1 (closed). Its numbers are the fields of a frozen data
class; a fit moves `Coordinate` s, which are chosen so that a measurement says each of them by
itself (a voltage at which something happens instead of a rate at zero volts).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from nanogap.compact import kernels
from nanogap.errors import SettingsError
from nanogap.printing import Printed, Rows, quantity
from nanogap.typing import FloatArray

#: Change of ln G that is tolerated in one step of the integration, by its first-order estimate.
TOLERANCE = 3e-4


def number(default: float, unit: str, low: float, high: float, meaning: str) -> Any:
    """Declare a number of a model: default, unit, bounds, and what it is."""
    return field(
        default=default, metadata={"unit": unit, "low": low, "high": high, "meaning": meaning}
    )


@dataclass(frozen=True)
class Parameter:
    """A number of a model, as it was declared.

    Attributes
    ----------
    name, unit, meaning : str
    default, low, high : float
        Bounds included.
    """

    name: str
    unit: str
    meaning: str
    default: float
    low: float
    high: float


@dataclass(frozen=True)
class Coordinate:
    """A quantity that a fit moves.

    Attributes
    ----------
    name, unit, meaning : str
    low, high : float
        Bounds of its value.
    logarithmic : bool
        Whether the fit, and the distribution over cycles, are of its logarithm.
    scan : tuple of float
        Offsets at which a fit looks for a start: V, or of the logarithm; empty if it need not.
    """

    name: str
    unit: str
    meaning: str
    low: float
    high: float
    logarithmic: bool
    scan: tuple[float, ...] = ()

    def place(self, value: float) -> float:
        """Return the place of a value on the axis of the fit."""
        return float(np.log(value)) if self.logarithmic else float(value)

    def value(self, place: float) -> float:
        """Return the value at a place."""
        return float(np.exp(place)) if self.logarithmic else float(place)


@dataclass(frozen=True)
class Features:
    """A curve at a glance: where a fit begins.

    Attributes
    ----------
    open_conductance, closed_conductance : float
        Of the gap, S.
    set_voltage, reset_voltage : float or None
        Voltage at the gap at the largest rise, and at the largest fall, V; None without one.
    rate : float
        Typical ``|dV/dt|`` at the gap, V/s.
    """

    open_conductance: float
    closed_conductance: float
    set_voltage: float | None
    reset_voltage: float | None
    rate: float


@dataclass(frozen=True)
class Trajectory:
    """A driven gap over time, all of shape (n_points,).

    Attributes
    ----------
    time : ndarray
        s.
    state : ndarray
        x.
    voltage, current : ndarray
        At the gap, V; A.
    """

    time: FloatArray
    state: FloatArray
    voltage: FloatArray
    current: FloatArray


@dataclass(frozen=True, repr=False)
class CompactModel(Printed, ABC):
    """Base of the compact models; see the module.

    Attributes
    ----------
    model : str
        Name on the command line.
    title : str
    sources : tuple of str
        DOIs of the equations.
    coordinates : tuple of Coordinate
        What a fit moves.

    Raises
    ------
    SettingsError
        If a number lies outside its bounds.
    """

    model: ClassVar[str]
    title: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]
    coordinates: ClassVar[tuple[Coordinate, ...]]
    _kind: ClassVar[int]

    def __post_init__(self) -> None:
        for one in self.parameters():
            value = getattr(self, one.name)
            if not (np.isfinite(value) and one.low <= value <= one.high):
                unit = f" {one.unit}" if one.unit else ""
                raise SettingsError(
                    f"model {self.model}: {one.name} = {value:g}: must be a number from "
                    f"{one.low:g} to {one.high:g}{unit}"
                )

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the numbers of the model with units, bounds and meaning."""
        return tuple(
            Parameter(one.name, default=float(one.default), **one.metadata)  # type: ignore[arg-type]
            for one in fields(cls)
            if "unit" in one.metadata
        )

    @classmethod
    @abstractmethod
    def guess(cls, features: Features, like: Self) -> Self:
        """Return the model with which a fit of such a curve begins.

        Parameters
        ----------
        features : Features
        like : CompactModel
            Numbers that the curve does not say.
        """

    def places(self) -> FloatArray:
        """Return the places of the coordinates, shape (n_coordinates,).

        Of a model whose coordinates are its own numbers; others have their own way.
        """
        return np.array([one.place(getattr(self, one.name)) for one in self.coordinates])

    def moved(self, places: Sequence[float] | FloatArray) -> Self:
        """Return the model at other places of the coordinates; what is no coordinate stays."""
        values = filled(self.coordinates, places)
        names = [one.name for one in self.coordinates]
        return self.with_values(**dict(zip(names, values, strict=True)))

    @abstractmethod
    def _constants(self) -> FloatArray:
        """Return the numbers as the compiled functions take them."""

    @abstractmethod
    def state_of(self, conductance: float) -> float:
        """Return the state whose small-signal conductance (S) is nearest, from 0 to 1."""

    def rate(self, state: float, voltage: float) -> float:
        """Return dx/dt at a voltage (V) at the gap, 1/s."""
        return float(kernels.state_rate(self._kind, self._constants(), state, voltage))

    def current(self, state: float, voltage: float) -> float:
        """Return the current at a state and a voltage (V) at the gap, A."""
        return float(kernels.current(self._kind, self._constants(), state, voltage))

    def conductance(self, state: float) -> float:
        """Return I/V of a state at a small voltage, S."""
        return self.current(state, kernels.READ) / kernels.READ

    def step(self, state: float, voltage: float, duration: float) -> float:
        """Return the state after a constant voltage (V) for some time (s).

        Exact where dx/dt is linear in x; else the integration of `simulate`, which no step is too
        long for.
        """
        a, b = kernels.relaxation_rates(self._kind, self._constants(), voltage)
        total = a + b
        if total == 0.0:
            return state
        kept = np.exp(-total * duration)
        return float(a / total * (1.0 - kept) + state * kept)

    def simulate(
        self,
        time: ArrayLike,
        voltage: ArrayLike,
        *,
        limit: ArrayLike = np.inf,
        resistance: float = 0.0,
        state: float = 0.0,
        tolerance: float = TOLERANCE,
    ) -> Trajectory:
        """Drive the gap by a source, behind a resistance, with a limit of the current.

        Parameters
        ----------
        time : array_like, shape (n_points,)
            s, rising; the programme is linear between its points.
        voltage : array_like, shape (n_points,)
            Of the source, V; infinite, with its sign, for a source of current.
        limit : array_like, shape (n_points,) or one number
            Largest ``|I|``, A; the programme of a source of current.
        resistance : float
            In series, ohm.
        state : float
            At the first point.
        tolerance : float
            Of a step of the integration, see `TOLERANCE`.

        Returns
        -------
        Trajectory

        Raises
        ------
        SettingsError
            If the times do not rise, or the lengths differ.
        """
        times, volts = (np.asarray(one, dtype=np.float64) for one in (time, voltage))
        if times.ndim != 1 or volts.shape != times.shape or not len(times):
            raise SettingsError("the programme of a source needs a voltage at each of its times")
        if not (np.isfinite(times).all() and (np.diff(times) > 0.0).all()):
            raise SettingsError("the times of the programme must rise from point to point")
        if not (np.isfinite(resistance) and resistance >= 0.0 and 0.0 <= state <= 1.0):
            raise SettingsError(
                f"series resistance {resistance:g} ohm and state {state:g}: the first must be zero "
                "or positive, the second from 0 to 1"
            )
        limits = np.array(np.broadcast_to(np.asarray(limit, dtype=np.float64), times.shape))
        if np.isnan(volts).any() or not (limits > 0.0).all():
            raise SettingsError("a programme has numbers as voltages and limits above 0 A")
        if (np.isinf(volts) & np.isinf(limits)).any():
            raise SettingsError("a programme needs a voltage or a limit of the current everywhere")
        kind, constants = self._kind, self._constants()
        states, left = kernels.integrate(
            kind, constants, state, times, volts, limits, resistance, tolerance
        )
        through = kernels.currents(kind, constants, states, left)
        return Trajectory(times, states, left, through)

    def with_values(self, **values: float) -> Self:
        """Return the model with other numbers."""
        return replace(self, **values)

    def _title(self) -> str:
        return f"{type(self).__name__}: {self.title}"

    def _rows(self) -> Rows:
        for one in self.parameters():
            yield one.name, quantity(getattr(self, one.name), one.unit)


def filled(coordinates: Sequence[Coordinate], places: Sequence[float] | FloatArray) -> list[float]:
    """Return the values at places, each kept within the bounds of its coordinate."""
    return [
        float(np.clip(one.value(float(place)), one.low, one.high))
        for one, place in zip(coordinates, places, strict=True)
    ]
