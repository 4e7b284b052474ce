"""Breakdown of a pristine wire in a voltage sweep: the sudden, lasting drop of the current."""

from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import Rows, counted, quantity
from nanogap.typing import FloatArray

#: Part of the breakdown voltage up to which the wire is taken as ohmic.
_OHMIC = 0.3


class BreakdownAnalysis(Analysis):
    """Find the breakdown of one sweep.

    Parameters
    ----------
    minimum_drop : float
        Least part of the current that is lost for good, between 0 and 1.
    """

    _has_figure = True

    def __init__(self, minimum_drop: float = 0.5) -> None:
        if not 0.0 < minimum_drop < 1.0:
            raise SettingsError(f"minimum drop is {minimum_drop}; it must lie between 0 and 1")
        self._drop = minimum_drop
        self._index: int | None = None

    def compute(self, voltage: ArrayLike, current: ArrayLike) -> Self:
        """Search a sweep.

        Parameters
        ----------
        voltage, current : array_like, shape (n_points,)
            V and A, in order of time.

        Raises
        ------
        DataFormatError
            If fewer than five points are finite or the voltage was not swept.
        """
        volts, amperes = as_traces(voltage=voltage, current=current)
        known = np.flatnonzero(np.isfinite(volts) & np.isfinite(amperes))
        if len(known) < 5 or not np.ptp(volts[known]) > 0.0:
            raise DataFormatError("a breakdown needs a voltage sweep of five points or more")
        v, i = volts[known], amperes[known]
        conductance = np.divide(i, v, out=np.full(len(v), np.nan), where=v != 0.0)
        self._sweep = xr.Dataset(
            {
                "voltage": ("point", volts, {"units": "V"}),
                "current": ("point", amperes, {"units": "A"}),
            }
        )
        place = self._search(np.abs(v), np.abs(conductance))
        self._index = None if place is None else int(known[place])
        if place is None:
            self._before = _slope(v, i)
            return self
        self._voltage, self._current = float(v[place]), float(i[place])
        early = np.flatnonzero(np.abs(v[: place + 1]) <= _OHMIC * abs(v[place]))
        if len(early) < 3:
            early = np.arange(place + 1)
        self._before = _slope(v[early], i[early])
        with np.errstate(divide="ignore"):
            self._after = float(1.0 / np.median(np.abs(conductance[place + 1 :])))
        return self

    def _found(self) -> Rows:
        yield "sweep", counted(self._sweep.sizes["point"], "point")
        yield "resistance before", quantity(self.resistance_before, "ohm")
        if not self.found:
            yield "breakdown", "none"
            return
        yield "breakdown", f"at {quantity(self.voltage, 'V')} and {quantity(self.current, 'A')}"
        yield "resistance after", quantity(self.resistance_after, "ohm")

    @property
    @after_compute
    def sweep(self) -> xr.Dataset:
        """Data that were searched: ``voltage`` (V) and ``current`` (A) over ``point``."""
        return self._sweep

    @property
    @after_compute
    def found(self) -> bool:
        """Whether the wire broke."""
        return self._index is not None

    @property
    @after_compute
    def index(self) -> int:
        """Last point before the drop."""
        return self._broken()

    @property
    @after_compute
    def voltage(self) -> float:
        """Voltage of the last point before the drop, V."""
        self._broken()
        return self._voltage

    @property
    @after_compute
    def current(self) -> float:
        """Current of the last point before the drop, A."""
        self._broken()
        return self._current

    @property
    @after_compute
    def power(self) -> float:
        """Power at the breakdown, W."""
        return abs(self.voltage * self.current)

    @property
    @after_compute
    def resistance_before(self) -> float:
        """Resistance of the pristine wire below a third of the breakdown voltage, ohm."""
        return self._before

    @property
    @after_compute
    def resistance_after(self) -> float:
        """Median resistance after the drop, ohm."""
        self._broken()
        return self._after

    def _search(self, size: FloatArray, conductance: FloatArray) -> int | None:
        """Last point before the largest lasting drop of the conductance while the sweep goes on."""
        outward = size[1:] >= size[:-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = conductance[1:] / conductance[:-1]
        candidates = np.flatnonzero(outward & (kept < 1.0 - self._drop))
        # near zero volts I/V is noise
        candidates = candidates[size[candidates] > 0.05 * size.max()]
        best, deepest = None, 1.0 - self._drop
        for place in candidates:
            before = float(np.median(conductance[max(0, place - 4) : place + 1]))
            after = float(np.median(conductance[place + 1 :]))
            if before > 0.0 and after / before < deepest:
                best, deepest = int(place), after / before
        return best

    def _broken(self) -> int:
        if self._index is None:
            raise AttributeError("the wire did not break in this sweep: ask `found` first")
        return self._index


def _slope(volts: FloatArray, amperes: FloatArray) -> float:
    """Resistance from a straight line, ohm; infinite if no current flows."""
    if len(volts) < 2 or not np.ptp(volts) > 0.0:
        return float("nan")
    slope = float(np.polyfit(volts, amperes, 1)[0])
    return 1.0 / slope if slope > 0.0 else float("inf")
