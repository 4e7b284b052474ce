"""Current that charges the capacitance beside the gap while the voltage changes: C dV/dt."""

import numpy as np
from numpy.typing import ArrayLike

from nanogap.computed import as_traces
from nanogap.typing import BoolArray, FloatArray

#: A current is that into the capacitance if it is within this factor of C dV/dt.
_FACTOR = 2.0


def displacement_current(time: ArrayLike, voltage: ArrayLike, capacitance: float) -> FloatArray:
    """Return C dV/dt at every reading, from the readings around it.

    Parameters
    ----------
    time, voltage : array_like, shape (n_points,)
        s, and V across the gap.
    capacitance : float
        F.

    Returns
    -------
    ndarray, shape (n_points,)
        A; NaN where the time does not advance.

    Examples
    --------
    >>> displacement_current([0.0, 1.0, 2.0], [0.0, -2.0, -4.0], 1e-9).tolist()
    [-2e-09, -2e-09, -2e-09]
    """
    seconds, volts = as_traces(time=time, voltage=voltage)
    if len(seconds) < 2:
        return np.full(len(seconds), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.gradient(volts, seconds)
    return np.where(np.isfinite(slope), capacitance * slope, np.nan)


def charges_capacitance(
    time: ArrayLike, voltage: ArrayLike, current: ArrayLike, capacitance: float
) -> BoolArray:
    """Tell the readings whose current is C dV/dt within a factor of two, in sign too.

    Parameters
    ----------
    time, voltage, current : array_like, shape (n_points,)
        s, V across the gap, and A.
    capacitance : float
        F.

    Returns
    -------
    ndarray of bool, shape (n_points,)
    """
    amperes = np.asarray(current, dtype=np.float64)
    expected = displacement_current(time, voltage, capacitance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = amperes / expected
    return np.asarray((ratio > 1.0 / _FACTOR) & (ratio < _FACTOR), dtype=np.bool_)
