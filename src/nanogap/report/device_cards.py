"""Small figures of many devices: current against voltage, and conductance over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nanogap.report.marks import quantum_lines, thinned, unit_for
from nanogap.report.style import BLUE, INK
from nanogap.typing import FloatArray


@dataclass(frozen=True)
class CardLimits:
    """Limits that small figures share, so that devices compare.

    Attributes
    ----------
    voltage, current : tuple of float
        V and A.
    conductance : float
        Upper end, G0.
    """

    voltage: tuple[float, float]
    current: tuple[float, float]
    conductance: float

    @classmethod
    def of(cls, devices: Sequence[xr.Dataset]) -> "CardLimits":
        """Find limits that hold the readings of all devices."""
        return cls(
            _ends([_numbers(one, "voltage") for one in devices]),
            _ends([_numbers(one, "current") for one in devices]),
            1.08 * max([1.1, *(float(np.nanmax(_shown(one), initial=0.0)) for one in devices)]),
        )


def _numbers(device: xr.Dataset, name: str) -> FloatArray:
    return device[name].to_numpy().astype(np.float64)


def _shown(device: xr.Dataset) -> FloatArray:
    return _numbers(device, "gap_conductance")


def _ends(columns: Sequence[FloatArray]) -> tuple[float, float]:
    """Return the least and the largest of all numbers, with room around them."""
    low = min(float(np.nanmin(one, initial=0.0)) for one in columns)
    high = max(float(np.nanmax(one, initial=0.0)) for one in columns)
    room = 0.05 * (high - low or 1.0)
    return low - room, high + room


def device_card(device: xr.Dataset, limits: CardLimits) -> Figure:
    """Draw current against voltage and conductance over time of one device.

    Parameters
    ----------
    device : xarray.Dataset
        Its readings: ``time``, ``voltage``, ``current`` and ``gap_conductance`` over ``point``.
    limits : CardLimits
    """
    figure = Figure(figsize=(4.8, 2.2))
    curve, trace = figure.subplots(1, 2)
    thin = thinned(device.sizes["point"])
    factor, unit = unit_for(max(map(abs, limits.current)), "A")
    curve.plot(
        _numbers(device, "voltage")[thin],
        _numbers(device, "current")[thin] * factor,
        color=INK,
        linewidth=0.8,
    )
    curve.set_xlim(*limits.voltage)
    curve.set_ylim(limits.current[0] * factor, limits.current[1] * factor)
    curve.set_xlabel("voltage (V)", fontsize=8)
    curve.set_ylabel(f"current ({unit})", fontsize=8)
    trace.plot(_numbers(device, "time")[thin], _shown(device)[thin], color=BLUE, linewidth=0.9)
    quantum_lines(trace, limits.conductance)
    trace.set_ylim(0.0, limits.conductance)
    trace.set_xlabel("time (s)", fontsize=8)
    trace.set_ylabel("conductance (G$_0$)", fontsize=8)
    for axes in (curve, trace):
        axes.tick_params(labelsize=7.5)
    return figure
