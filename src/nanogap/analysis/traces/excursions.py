"""Excursions of the voltage from zero and back, cut out of a curve that may come in pieces."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nanogap.typing import BoolArray, FloatArray

#: A reading above a stated limit by more than this part shows that it was not in force.
_ABOVE = 0.05

#: Part of a stated limit from which a current is at it.
AT_LIMIT = 0.99

#: A longer excursion is judged by every second of its points, every fourth, ...
_MOST_POINTS = 1_000_000

#: Makes the pieces of a curve anew: voltage (V), current (A) and cycle, in order of time.
CurvePieces = Callable[[], Iterable[tuple[FloatArray, FloatArray, FloatArray]]]


@dataclass
class Excursion:
    """The voltage leaving zero and coming back, or a part of that in one cycle.

    Attributes
    ----------
    side : float
        Sign of the voltage.
    top : float
        Size of the largest current, A.
    reached, above : int
        Points at a stated limit, and well above it.
    """

    side: float
    top: float = 0.0
    reached: int = 0
    above: int = 0
    _volts: list[FloatArray] = field(default_factory=list)
    _amperes: list[FloatArray] = field(default_factory=list)
    _stride: int = 1
    _count: int = 0

    def extend(self, volts: FloatArray, amperes: FloatArray, limit: float | None) -> None:
        """Add points, both in sizes."""
        self.top = max(self.top, float(amperes.max()))
        if limit is not None:
            self.reached += int(np.count_nonzero(amperes >= AT_LIMIT * limit))
            self.above += int(np.count_nonzero(amperes > (1.0 + _ABOVE) * limit))
            return
        first = -self._count % self._stride
        self._count += len(volts)
        self._volts.append(volts[first :: self._stride])
        self._amperes.append(amperes[first :: self._stride])
        while -(-self._count // self._stride) > _MOST_POINTS:
            self._stride *= 2
            self._volts = [np.concatenate(self._volts)[::2].copy()]
            self._amperes = [np.concatenate(self._amperes)[::2].copy()]

    def sizes(self) -> tuple[FloatArray, FloatArray]:
        """Return voltages and currents, thinned if there are very many."""
        if len(self._volts) == 1:
            return self._volts[0], self._amperes[0]
        return np.concatenate(self._volts), np.concatenate(self._amperes)


class Cutter:
    """Cuts where the cycle or the sign of the voltage changes, and where it jumps back.

    Parameters
    ----------
    largest : float
        Size of the largest voltage of the curve, V.
    """

    def __init__(self, largest: float) -> None:
        self._largest = largest
        self._position = 0
        #: place, size and sign of the voltage, and cycle, of the last point
        self._last: tuple[float, float, float, float] | None = None

    def cut(
        self, volts: FloatArray, amperes: FloatArray, cycles: FloatArray
    ) -> tuple[NDArray[np.int64], BoolArray]:
        """Return the places of points that count in a piece, and which of them begin anew."""
        used = np.flatnonzero(np.isfinite(volts) & np.isfinite(amperes) & (volts != 0.0))
        if not len(used):
            self._position += len(volts)
            return used, np.zeros(0, dtype=bool)
        now = (used + self._position, np.abs(volts[used]), np.sign(volts[used]), cycles[used])
        begun = self._last is not None
        last = self._last or tuple(values[0] for values in now)
        place, size, sign, cycle = (
            np.diff(np.concatenate([[one], values])) for one, values in zip(last, now, strict=True)
        )
        begins = (cycle != 0) | (sign != 0) | (-size > 0.5 * self._largest)
        begins |= (place > 1) & (now[1] < 0.05 * self._largest)
        begins[0] |= not begun
        self._last = tuple(float(values[-1]) for values in now)  # type: ignore[assignment]
        self._position += len(volts)
        return used, begins


def excursions(
    pieces: CurvePieces, largest: float, limit: float | None = None
) -> Iterator[Excursion]:
    """Yield the excursions of the voltage, in order.

    Parameters
    ----------
    pieces : callable
        See `CurvePieces`.
    largest : float
        Size of the largest voltage of the curve, V.
    limit : float, optional
        A stated limit of the current, A; points at it are counted instead of kept.
    """
    cutter = Cutter(largest)
    current: Excursion | None = None
    for volts, amperes, cycles in pieces():
        used, begins = cutter.cut(volts, amperes, cycles)
        if not len(used):
            continue
        signs, size, answer = np.sign(volts[used]), np.abs(volts[used]), np.abs(amperes[used])
        places = np.flatnonzero(begins)
        edges = [*([] if len(places) and places[0] == 0 else [0]), *places, len(used)]
        for begin, end in pairwise(edges):
            if current is None or begins[begin]:
                if current is not None:
                    yield current
                current = Excursion(float(signs[begin]))
            current.extend(size[begin:end], answer[begin:end], limit)
    if current is not None:
        yield current
