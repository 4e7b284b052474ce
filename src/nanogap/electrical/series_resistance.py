"""The parasitic series resistance: given, or estimated from curves.

From pristine curves: before breakdown the device is ohmic and R_pristine ~ 2 R* + R_NW is the
slope of V(I). From saturation: a filament pulled into its widest state has a resistance far below
1/G0, so that what remains of V/I is the series resistance, to within the resistance of the
filament.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.typing import ABSENT_IF_NONE, FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM


@dataclass(frozen=True)
class SeriesResistance:
    """A series resistance.

    Attributes
    ----------
    resistance, uncertainty : float
        The value and its standard uncertainty, ohm.
    origin : str or None
        Where it is from, where that was not the caller's choice.
    """

    resistance: float
    uncertainty: float = 0.0
    origin: str | None = field(default=None, metadata=ABSENT_IF_NONE)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.resistance) and self.resistance >= 0.0):
            raise SettingsError(
                f"series resistance is {self.resistance} ohm; it must be zero or positive"
            )
        if not (np.isfinite(self.uncertainty) and self.uncertainty >= 0.0):
            raise SettingsError(
                f"uncertainty of the series resistance is {self.uncertainty} ohm; it must be zero "
                "or positive"
            )

    @property
    def band(self) -> tuple[float, float]:
        """Resistance -+ uncertainty, ohm; not below zero."""
        return max(0.0, self.resistance - self.uncertainty), self.resistance + self.uncertainty

    def moved(self, direction: float) -> "SeriesResistance":
        """Return it moved by so many of its uncertainties, not below zero."""
        shifted = max(0.0, self.resistance + direction * self.uncertainty)
        return SeriesResistance(shifted, self.uncertainty)


class PristineResistance(Analysis):
    """Series resistance from a curve of the pristine wire, by a straight line V = V0 + R I.

    The offset V0 takes up that of the instrument. Points beyond a sudden drop of the current, as
    at a breakdown, are left out.

    Parameters
    ----------
    highest_voltage : float, optional
        V; points beyond are left out, where the wire heats. Default: all points.
    gain_error : float
        Relative accuracy of the instrument's readings, which no scatter shows.
    """

    def __init__(self, highest_voltage: float | None = None, gain_error: float = 5e-4) -> None:
        if highest_voltage is not None and not highest_voltage > 0.0:
            raise SettingsError(f"highest voltage is {highest_voltage} V; it must be positive")
        if not (np.isfinite(gain_error) and gain_error >= 0.0):
            raise SettingsError(f"gain error is {gain_error}; it must be zero or positive")
        self._highest, self._gain = highest_voltage, gain_error

    def compute(self, voltage: ArrayLike, current: ArrayLike) -> Self:
        """Fit the line.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A.

        Raises
        ------
        DataFormatError
            If fewer than three different currents remain, or the slope is not positive.
        """
        volts, amperes = as_traces(voltage=voltage, current=current)
        used = np.isfinite(volts) & np.isfinite(amperes)
        if self._highest is not None:
            used &= np.abs(volts) <= self._highest
        volts, amperes = volts[used], amperes[used]
        end = _before_drop(volts, amperes)
        volts, amperes = volts[:end], amperes[:end]
        if len(np.unique(amperes)) < 3:
            raise DataFormatError(
                "a pristine curve needs three different currents for its resistance; it has "
                f"{len(np.unique(amperes))}"
            )
        # the current is the answer to a clean voltage, so I = g (V - V0) is fitted; the other way
        # round noise in I would make R too small
        design = np.stack([volts, np.ones_like(volts)], axis=1)
        solution, *_ = np.linalg.lstsq(design, amperes, rcond=None)
        slope = float(solution[0])
        if not slope > 0.0:
            raise DataFormatError("the pristine curve has no positive slope: it is no wire")
        residual = amperes - design @ solution
        variance = float(residual @ residual) / max(1, len(volts) - 2)
        covariance = variance * np.linalg.inv(design.T @ design)
        resistance = 1.0 / slope
        scatter = float(np.sqrt(covariance[0, 0])) * resistance**2
        error = float(np.hypot(scatter, self._gain * resistance))
        spread = float(np.sum((amperes - amperes.mean()) ** 2))
        quality = 1.0 - float(residual @ residual) / spread
        self._result = SeriesResistance(resistance, error), float(-solution[1] / slope), quality
        return self

    @property
    @after_compute
    def series(self) -> SeriesResistance:
        """2 R* + R_NW with its standard error, ohm."""
        return self._result[0]

    @property
    @after_compute
    def offset(self) -> float:
        """V0, V."""
        return self._result[1]

    @property
    @after_compute
    def quality(self) -> float:
        """R^2 of the line; well below 1 the wire is not ohmic."""
        return self._result[2]


class SaturationResistance(Analysis):
    """Series resistance from a low-resistance state that was pulled in until it saturated.

    The histogram of V/I over the state ends in a peak at its least value: the filament is then
    much wider than an atom and the circuit alone is left. The estimate is the median of the lowest
    tenth of V/I, less the resistance of a filament of `filament` G0.

    Parameters
    ----------
    filament : float
        Conductance that the saturated filament is taken to have, G0. Default: infinitely wide.
    filament_spread : float
        Its relative uncertainty, where it is finite.
    """

    def __init__(self, filament: float = np.inf, filament_spread: float = 0.3) -> None:
        if not filament > 0.0:
            raise SettingsError(f"filament is {filament} G0; it must be positive")
        self._filament, self._spread = filament, filament_spread

    def compute(self, voltage: ArrayLike, current: ArrayLike) -> Self:
        """Find where V/I saturates.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A.

        Raises
        ------
        DataFormatError
            If fewer than ten points carry a current.
        """
        volts, amperes = as_traces(voltage=voltage, current=current)
        used = np.isfinite(volts) & np.isfinite(amperes)
        # noise in V/I grows towards zero current
        used &= np.abs(amperes) > 0.2 * np.abs(amperes[used]).max(initial=0.0)
        total = volts[used] / amperes[used]
        total = np.sort(total[total > 0.0])
        if len(total) < 10:
            raise DataFormatError(f"a saturated state needs ten points; there are {len(total)}")
        lowest = total[: max(10, len(total) // 10)]
        centre = float(np.median(lowest))
        filament = 1.0 / (self._filament * CONDUCTANCE_QUANTUM)
        scatter = 1.4826 * float(np.median(np.abs(lowest - centre)))
        error = float(np.hypot(scatter, filament * self._spread))
        self._series = SeriesResistance(max(0.0, centre - filament), error)
        return self

    @property
    @after_compute
    def series(self) -> SeriesResistance:
        """2 R_C + R_NW with its uncertainty, ohm."""
        return self._series


def _before_drop(volts: FloatArray, amperes: FloatArray) -> int:
    """Count the points before the current first halves with the voltage still on."""
    size = np.abs(amperes)
    largest = np.maximum.accumulate(size)
    fallen = (size < 0.5 * largest) & (np.abs(volts) > 0.6 * np.abs(volts).max(initial=0.0))
    fallen &= largest > 0.3 * size.max(initial=0.0)
    return int(np.argmax(fallen)) if fallen.any() else len(volts)
