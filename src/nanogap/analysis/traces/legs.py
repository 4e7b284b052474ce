"""Legs of current-voltage loops, and the largest lasting change of conductance on one."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.typing import FloatArray

#: Points on either side of a step whose medians are compared.
BESIDE = 4

#: A voltage whose range is a smaller part of its size is constant, ...
_CONSTANT = 0.05

#: ... and so is one with fewer different values, however far apart: families of curves.
_FEWEST_VOLTAGES = 8


@dataclass(frozen=True)
class Leg:
    """A stretch of a loop on which the voltage goes one way.

    Attributes
    ----------
    points : ndarray of int
        Points of the data, in order of time.
    polarity : int
        Sign of the voltage.
    outward : bool
        Whether it leads away from zero volts.
    """

    points: NDArray[np.int64]
    polarity: int
    outward: bool


def legs(volts: FloatArray, places: NDArray[np.int64], near: float) -> list[Leg]:
    """Cut a cycle where the voltage changes sign or turns; points near zero belong to none."""
    used = places[np.abs(volts[places]) >= near]
    if len(used) < 2:
        return []
    size = np.abs(volts[used])
    sign = np.sign(volts[used])
    found = []
    cuts = np.flatnonzero((sign[1:] != sign[:-1]) | (np.diff(used) > 1)) + 1
    for part in np.split(np.arange(len(used)), cuts):
        peak = part[0] + int(np.argmax(size[part]))
        polarity = int(sign[part[0]])
        if peak - part[0] >= 1:
            found.append(Leg(used[part[0] : peak + 1], polarity, outward=True))
        if part[-1] - peak >= 1:
            found.append(Leg(used[peak : part[-1] + 1], polarity, outward=False))
    return found


def need_sweep(volts: FloatArray) -> None:
    """Refuse a voltage that was not swept.

    Raises
    ------
    DataFormatError
        If it is constant but for its noise, or takes a few values as in a family of curves.
    """
    known = volts[np.isfinite(volts)]
    extent = float(np.ptp(known)) if len(known) else 0.0
    if extent <= _CONSTANT * float(np.abs(known).max(initial=0.0)):
        raise DataFormatError("switching needs a voltage sweep; here the voltage is constant")
    values = len(np.unique(np.round((known - known.min()) / extent * 200.0)))
    if len(known) >= 2 * _FEWEST_VOLTAGES and values < _FEWEST_VOLTAGES:
        raise DataFormatError(
            f"switching needs a voltage sweep; here the voltage has {values} values and is "
            "constant between them"
        )


def lasting_step(y: FloatArray, decades: float) -> tuple[int, float, float] | None:
    """First point after the largest rise of a leg that lasts to its end; None if there is none.

    With the medians before and after, which differ by `decades` or more.
    """
    count = len(y)
    windows = np.median(sliding_window_view(y, BESIDE), axis=1)
    # a step between points k - 1 and k, with a whole window on either side, or less near the ends
    k = np.arange(1, count - 1)
    before = windows[np.clip(k - BESIDE, 0, len(windows) - 1)]
    after = windows[np.clip(k, 0, len(windows) - 1)]
    for place in (*range(1, BESIDE), *range(count - BESIDE + 1, count - 1)):
        before[place - 1] = np.median(y[max(0, place - BESIDE) : place])
        after[place - 1] = np.median(y[place : place + BESIDE])
    end = max(BESIDE, count // 4)
    last = np.full(len(k), np.median(y[-end:]))
    for place in range(count - end, count - 1):
        last[place - 1] = np.median(y[place:])
    rises = np.minimum(after - before, last - before + 0.5 * decades)
    best = int(np.argmax(rises))
    if rises[best] < decades:
        return None
    # the medians are level over a few points: the steepest single step among them is the event
    near = np.arange(max(1, best + 1 - BESIDE), min(count, best + 2 + BESIDE))
    return int(near[np.argmax(np.diff(y)[near - 1])]), float(before[best]), float(after[best])
