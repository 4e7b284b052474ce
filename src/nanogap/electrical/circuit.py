"""The resistances in series with a nanogap, and the conductance of the gap without them.

A pristine wire between two contacts is R = 2 R* + R_NW; after breakdown it is
R = 2 R_C + R_NWa + R_NWb + R_gap with R_NWa + R_NWb ~ R_NW (Milano et al., Nanoscale Horiz. 2024,
doi:10.1039/d3nh00476g). What is in series with the gap is subtracted:

    R_gap = V/I - R_s,    G_gap = 1/R_gap,    sigma(G_gap) = G_gap^2 sqrt(sigma_R^2 + sigma_Rs^2)

A gap of n G0 therefore shows as n/(1 + n G0 R_s). One R_s for all states is itself an assumption:
in copper contacts it was found to differ from peak to peak, so a subtraction comes with the band
that R_s -+ its uncertainty gives.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.electrical.series_resistance import SeriesResistance
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray, FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM


@dataclass(frozen=True)
class SeriesCircuit:
    """The series network of a device, all in ohm.

    Attributes
    ----------
    interface : float
        R*, of each contact to the pristine wire.
    wire : float
        R_NW, of the whole wire.
    contact : float, optional
        R_C, of each contact after breakdown. Default: R*, as if breakdown left it alone.
    """

    interface: float
    wire: float
    contact: float | None = None

    def __post_init__(self) -> None:
        for name in ("interface", "wire", "contact"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0.0):
                raise SettingsError(f"{name} is {value} ohm; a resistance is zero or positive")

    @property
    def pristine(self) -> float:
        """2 R* + R_NW, ohm."""
        return 2.0 * self.interface + self.wire

    @property
    def parasitic(self) -> float:
        """2 R_C + R_NW: what is in series with the gap, ohm."""
        contact = self.interface if self.contact is None else self.contact
        return 2.0 * contact + self.wire

    def resistance(self, gap_conductance: ArrayLike) -> FloatArray:
        """Resistance of the whole device with a gap of so many G0, ohm."""
        with np.errstate(divide="ignore"):
            gap = 1.0 / (np.asarray(gap_conductance, dtype=np.float64) * CONDUCTANCE_QUANTUM)
        return np.asarray(self.parasitic + gap, dtype=np.float64)


def measured_conductance(gap_conductance: ArrayLike, resistance: float) -> FloatArray:
    """Conductance at which a gap shows behind a series resistance.

    Parameters
    ----------
    gap_conductance : array_like
        g, in G0.
    resistance : float
        R_s, ohm.

    Returns
    -------
    ndarray
        ``g / (1 + g G0 R_s)``, G0.
    """
    gap = np.asarray(gap_conductance, dtype=np.float64)
    return np.asarray(gap / (1.0 + gap * CONDUCTANCE_QUANTUM * resistance), dtype=np.float64)


def level_displacement(
    resistances: ArrayLike, levels: ArrayLike = (1, 2, 3, 4, 5, 6)
) -> xr.Dataset:
    """Table of where the levels n G0 show for several series resistances.

    Parameters
    ----------
    resistances : array_like, shape (n_resistances,)
        ohm.
    levels : array_like, shape (n_levels,)
        Gap conductances, G0.

    Returns
    -------
    xarray.Dataset
        ``measured`` and ``displacement`` (measured - level), G0, over (``resistance``, ``level``).
    """
    ohms = np.atleast_1d(np.asarray(resistances, dtype=np.float64))
    values = np.atleast_1d(np.asarray(levels, dtype=np.float64))
    if not (np.isfinite(ohms).all() and (ohms >= 0.0).all()):
        raise SettingsError("a series resistance is zero or positive, in ohm")
    shown = np.array([measured_conductance(values, float(one)) for one in ohms])
    return xr.Dataset(
        {
            "measured": (("resistance", "level"), shown, {"units": "G0"}),
            "displacement": (("resistance", "level"), shown - values, {"units": "G0"}),
        },
        coords={
            "resistance": ("resistance", ohms, {"units": "ohm"}),
            "level": ("level", values, {"units": "G0"}),
        },
    )


class GapConductance(Analysis):
    """Conductance of the gap from voltage and current, point by point.

    Parameters
    ----------
    series : SeriesResistance, optional
        What is in series with the gap. Default: nothing.
    reading_error : float, optional
        Relative standard error of V/I of one point.

    Examples
    --------
    >>> series = SeriesResistance(500.0, 100.0)
    >>> gap = GapConductance(series).compute([0.1], [0.1 / (500.0 + 12906.404)])
    >>> round(float(gap.conductance[0]), 4), round(float(gap.uncertainty[0]), 4)
    (1.0, 0.0077)
    """

    def __init__(self, series: SeriesResistance | None = None, reading_error: float = 0.0) -> None:
        if not (np.isfinite(reading_error) and reading_error >= 0.0):
            raise SettingsError(f"reading error is {reading_error}; it must be zero or positive")
        self._series = series or SeriesResistance(0.0)
        self._error = float(reading_error)

    def compute(self, voltage: ArrayLike, current: ArrayLike) -> Self:
        """Subtract the series resistance.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A.

        Returns
        -------
        GapConductance
            Itself.

        Raises
        ------
        DataFormatError
            If one is no trace, or the lengths differ.
        """
        volts, amperes = as_traces(voltage=voltage, current=current)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = volts / amperes
            gap = total - self._series.resistance
            error = np.hypot(self._error * total, self._series.uncertainty)
            conductance = 1.0 / (gap * CONDUCTANCE_QUANTUM)
            uncertainty = conductance**2 * CONDUCTANCE_QUANTUM * error
        # no current through a voltage is an open gap; no voltage and no current say nothing
        open_gap = (amperes == 0.0) & (volts != 0.0) & np.isfinite(volts)
        conductance[open_gap] = 0.0
        uncertainty[open_gap] = 0.0
        known = np.isfinite(total) & ~open_gap
        # a negative V/I is noise around zero and no fault of the subtraction
        flagged: BoolArray = known & (total > 0.0) & ((gap <= 0.0) | (error > np.abs(gap)))
        self._conductance, self._uncertainty, self._flagged = conductance, uncertainty, flagged
        return self

    @property
    @after_compute
    def conductance(self) -> FloatArray:
        """G of the gap, shape (n_points,), G0; NaN where V and I say nothing."""
        return self._conductance

    @property
    @after_compute
    def uncertainty(self) -> FloatArray:
        """Standard error of G, shape (n_points,), G0."""
        return self._uncertainty

    @property
    @after_compute
    def flagged(self) -> BoolArray:
        """Points whose gap resistance is not positive or smaller than its error."""
        return self._flagged
