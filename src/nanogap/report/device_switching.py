"""Moments of switching of a simulated device: contact, beside SET and RESET of its readings."""

from dataclasses import dataclass

import numpy as np

from nanogap.analysis import SwitchingAnalysis
from nanogap.analysis.traces.compliance import Compliance
from nanogap.errors import DataFormatError
from nanogap.report.device_content import OneDevice
from nanogap.report.words import number
from nanogap.typing import Int64Array

#: Cycles with a row of their own.
_MOST_ROWS = 12
_NONE = "none"


@dataclass(frozen=True)
class SwitchRow:
    """Moments at which one cycle of a device switched, in words.

    Attributes
    ----------
    cycle : str
    contact, set_event, broken, reset_event : str
        Voltage at the source and time: metal first joins the electrodes; SET; metal last parts;
        RESET.
    """

    cycle: str
    contact: str
    set_event: str
    broken: str
    reset_event: str


def device_switching(
    device: OneDevice, limits: tuple[float, float] = (np.inf, np.inf)
) -> SwitchingAnalysis | None:
    """Find SET and RESET in the readings of the sweeps, as `nanogap switching` does.

    Parameters
    ----------
    device : OneDevice
    limits : tuple of float
        Limits of positive and of negative current, A; infinity for none. That one counts which most
        readings in compliance met.

    Returns
    -------
    SwitchingAnalysis or None
        None if the voltage was not swept. Points are those of `sweep_points`.
    """
    data = device.data.isel(point=sweep_points(device))
    flags = data["compliance"].to_numpy().astype(bool)
    negative = bool(np.median(data["current"].to_numpy()[flags]) < 0.0) if flags.any() else False
    limit = limits[negative] if flags.any() and np.isfinite(limits[negative]) else None
    reached = Compliance(flags, limit, "file" if flags.any() else "none")
    try:
        return SwitchingAnalysis().compute(
            data["voltage"], data["current"], data["cycle"], limit=reached
        )
    except DataFormatError:
        return None


def sweep_points(device: OneDevice) -> Int64Array:
    """Return the readings that belong to a sweep, not to a reading of the state or before it."""
    prepares = device.data["cycle"].to_numpy() < 0
    return np.flatnonzero(~(device.data["read"].to_numpy().astype(bool) | prepares))


def switch_rows(device: OneDevice, analysis: SwitchingAnalysis) -> list[SwitchRow]:
    """Put what the atoms and what the readings say of every cycle side by side.

    Parameters
    ----------
    device : OneDevice
    analysis : SwitchingAnalysis
        That of `device_switching`.
    """
    points = sweep_points(device)
    cycles = device.data["cycle"].to_numpy().astype(np.int64)
    bridged = device.data["bridged"].to_numpy().astype(int)
    changes = np.diff(bridged, prepend=0)
    events = [(one.kind, one.cycle, int(points[one.index])) for one in analysis.events]
    numbers = np.unique(cycles[cycles >= 0])
    rows = []
    for cycle in numbers[:_MOST_ROWS]:
        inside = cycles == cycle
        forms, breaks = (np.flatnonzero(inside & (changes == sign)) for sign in (1, -1))
        sets = [at for kind, of, at in events if of == cycle and kind != "reset"]
        resets = [at for kind, of, at in events if of == cycle and kind == "reset"]
        rows.append(
            SwitchRow(
                cycle=str(int(cycle) + 1),
                contact=_one_of(device, forms, 0),
                set_event=", ".join(_moment(device, at) for at in sets) or _NONE,
                broken=_one_of(device, breaks, -1),
                reset_event=", ".join(_moment(device, at) for at in resets) or _NONE,
            )
        )
    if len(numbers) > 1:
        rows.append(_medians(device, analysis, changes, cycles))
    return rows


def _medians(
    device: OneDevice, analysis: SwitchingAnalysis, changes: Int64Array, cycles: Int64Array
) -> SwitchRow:
    """Give the medians of all cycles."""
    volts = device.column("voltage")

    def ends(sign: int, place: int) -> list[float]:
        found = [
            np.flatnonzero((cycles == one) & (changes == sign))
            for one in np.unique(cycles[cycles >= 0])
        ]
        return [float(volts[points[place]]) for points in found if len(points)]

    sets = [one.voltage for one in analysis.events if one.kind != "reset"]
    resets = [one.voltage for one in analysis.events if one.kind == "reset"]
    texts = [
        f"{number(float(np.median(values)))} V (of {len(values)})" if values else _NONE
        for values in (ends(1, 0), sets, ends(-1, -1), resets)
    ]
    return SwitchRow(f"median of {len(np.unique(cycles))}", *texts)


def _one_of(device: OneDevice, points: Int64Array, place: int) -> str:
    """Say when the first or the last of several moments was."""
    if not len(points):
        return _NONE
    more = "" if len(points) == 1 else f" ({'last' if place else 'first'} of {len(points)})"
    return _moment(device, int(points[place])) + more


def _moment(device: OneDevice, point: int) -> str:
    volts, time = device.column("voltage")[point], device.column("time")[point]
    return f"{number(volts)} V, {number(time, 4)} s"
