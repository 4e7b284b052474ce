"""Segments: the pieces that every protocol is made of, and what was read in them.

A segment says what a source does for some time: its level goes along a straight line, the other
quantity is limited, and samples are taken at equal distances. Waits are segments too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Annotated, Literal, Protocol, runtime_checkable

import numpy as np

from nanogap.arguments import shown
from nanogap.errors import SettingsError
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Quantity that the source sets.
Quantity = Literal["voltage", "current"]
#: Reason for a segment.
Purpose = Literal["sweep", "pulse", "read", "wait", "reset"]
#: No limit in either polarity.
UNLIMITED = (math.inf, math.inf)
#: Shortest and longest segment, s; readings are not closer either. The shortest is a hundredth of
#: the time in which an atom vibrates once (1e-13 s), long before it or the source can follow.
SHORTEST, LONGEST = 1.0e-15, 1.0e7


@dataclass(frozen=True)
class Segment:
    """A straight piece of a protocol.

    Attributes
    ----------
    quantity : {'voltage', 'current'}
        What the source sets.
    start, end : float
        Level at the beginning and at the end, V or A; it goes along a straight line.
    duration : float
        s, from `SHORTEST` to `LONGEST`.
    compliance : tuple of float
        Largest size of the other quantity while it is positive, and while it is negative, A or V.
    cycle : int
        Number of the cycle, from 0; below 0 those of a preparation, the last one -1.
    samples : int
        Readings, equally spaced, the last at the end.
    purpose : {'sweep', 'pulse', 'read', 'wait', 'reset'}
    preparation : bool
        Whether it belongs to what brings the device into its initial state.

    Raises
    ------
    SettingsError
        If a value is of a wrong type or out of range.

    Examples
    --------
    >>> segment = Segment("voltage", 0.0, 1.0, 2.0, samples=4)
    >>> segment.level(0.5), segment.sample_times.tolist()
    (0.25, [0.5, 1.0, 1.5, 2.0])
    """

    quantity: Quantity
    start: float
    end: float
    duration: float
    compliance: tuple[float, float] = UNLIMITED
    cycle: int = 0
    samples: int = 0
    purpose: Purpose = "sweep"
    preparation: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        if self.quantity not in {"voltage", "current"}:
            raise SettingsError(f"quantity is {self.quantity!r}; it must be 'voltage' or 'current'")
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise SettingsError(f"a level from {self.start} to {self.end} is not finite")
        if not SHORTEST <= self.duration <= LONGEST:
            raise SettingsError(
                f"duration is {self.duration} s from a level of {self.start:g} to {self.end:g}; it "
                f"must be from {SHORTEST:g} to {LONGEST:g} s"
            )
        if not all(limit > 0.0 for limit in self.compliance):
            raise SettingsError(f"compliance is {self.compliance}; both values must be above 0")
        if self.samples < 0 or (self.cycle < 0 and not self.preparation):
            raise SettingsError("samples and cycle must be zero or above")
        if self.samples * SHORTEST > self.duration * (1.0 + 1e-9):
            raise SettingsError(
                f"{self.samples:.3g} readings in {self.duration:g} s are closer than {SHORTEST:g} s"
            )

    def _check_types(self) -> None:
        """Refuse values of wrong types."""
        # by hand: a long protocol makes thousands of segments
        if not isinstance(self.quantity, str):
            raise SettingsError(
                f"Segment: quantity = {shown(self.quantity)}: give 'voltage' or 'current'"
            )
        for name in ("start", "end", "duration"):
            if not _is_number(value := getattr(self, name)):
                raise SettingsError(f"Segment: {name} = {shown(value)}: give a number")
        for name in ("cycle", "samples"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise SettingsError(f"Segment: {name} = {shown(value)}: give a whole number")
        limits = self.compliance
        if not (isinstance(limits, tuple) and len(limits) == 2 and all(map(_is_number, limits))):
            raise SettingsError(
                f"Segment: compliance = {shown(limits)}: give a tuple of two numbers, one for "
                "positive and one for negative values"
            )

    @property
    def slope(self) -> float:
        """Rate of change of the level, V/s or A/s."""
        return (self.end - self.start) / self.duration

    @property
    def is_read(self) -> bool:
        """Whether it only reads the state at a small level."""
        return self.purpose == "read"

    @property
    def sample_times(self) -> FloatArray:
        """Times of the readings from the beginning of the segment, shape (samples,), s."""
        return np.arange(1, self.samples + 1) * self.duration / max(self.samples, 1)

    def level(self, elapsed: float) -> float:
        """Return the level after a time from the beginning, V or A.

        Parameters
        ----------
        elapsed : float
            s; outside the segment the nearest end counts.
        """
        part = min(max(elapsed / self.duration, 0.0), 1.0)
        return self.start * (1.0 - part) + self.end * part

    def windows(self, aperture: float) -> FloatArray:
        """Return begin and end of the averaging of every reading, s from the segment's beginning.

        Parameters
        ----------
        aperture : float
            Averaging time before every reading, s; cut to the distance of two readings.

        Returns
        -------
        ndarray, shape (samples, 2)
        """
        if not (math.isfinite(aperture) and aperture >= 0.0):
            raise SettingsError(f"aperture is {aperture} s; it must be zero or above")
        ends = self.sample_times
        begins = ends - min(aperture, self.duration / max(self.samples, 1))
        return np.column_stack([np.maximum(begins, 0.0), ends])

    def part_of_preparation(self, n_cycles: int) -> "Segment":
        """Return the same segment, marked as preparation, in a cycle before those of the protocol.

        Parameters
        ----------
        n_cycles : int
            Of the preparation; with feedback, the largest number.
        """
        return replace(self, cycle=min(self.cycle - n_cycles, -1), preparation=True)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def readings_in(duration: float, interval: float) -> int:
    """Return the number of readings with the interval nearest to one that divides a duration."""
    # a segment refuses as many as the largest number long before
    return max(1, round(min(duration / interval, 1e30)))


@dataclass(frozen=True)
class Reading:
    """Last reading of a segment, which a protocol with feedback decides upon.

    Attributes
    ----------
    voltage, current : float
        At the source, V and A.
    """

    voltage: float
    current: float

    def conductance(self, series_resistance: float = 0.0) -> float:
        """Return the conductance, G0.

        Parameters
        ----------
        series_resistance : float
            Subtracted, ohm. Where nothing remains the conductance is infinite.
        """
        if self.current == 0.0 or self.voltage == 0.0:
            return 0.0
        total = self.voltage / self.current
        gap = total - series_resistance
        if total > 0.0 >= gap:
            return math.inf
        return 1.0 / (gap * CONDUCTANCE_QUANTUM)


@runtime_checkable
class Driven(Protocol):
    """Anything that gives the next segment by what was read: every protocol does."""

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None at the end."""
        ...


#: Any protocol, as an argument of a function.
AnyProtocol = Annotated[
    Driven | None, "a protocol of nanogap.electrical, or an object with next_segment(readings)"
]


@dataclass(frozen=True)
class InOrder:
    """A preparation, then the protocol itself.

    Attributes
    ----------
    preparation : Driven
        Its segments carry ``preparation=True``, and its cycles are counted up to -1.
    protocol : Driven
    """

    preparation: Driven
    protocol: Driven

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None at the end.

        Parameters
        ----------
        readings : sequence of Reading or None
            One per finished segment, None where it had no sample.
        """
        for done in range(len(readings) + 1):
            segment = self.preparation.next_segment(readings[:done])
            if segment is None:
                return self.protocol.next_segment(readings[done:])
        if segment is None:
            return None
        return segment.part_of_preparation(int(getattr(self.preparation, "n_cycles", 1)))


@dataclass(frozen=True)
class SegmentList:
    """Segments one after the other, whatever is read.

    Attributes
    ----------
    segments : tuple of Segment

    Examples
    --------
    >>> steps = SegmentList((Segment("voltage", 1.0, 1.0, 0.5), Segment("voltage", 0.0, 0.0, 0.5)))
    >>> steps.next_segment([None]).start, steps.next_segment([None, None])
    (0.0, None)
    """

    segments: tuple[Segment, ...]

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None at the end.

        Parameters
        ----------
        readings : sequence of Reading or None
            One per finished segment.
        """
        done = len(readings)
        return self.segments[done] if done < len(self.segments) else None
