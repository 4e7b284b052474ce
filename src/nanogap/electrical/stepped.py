"""Voltage stairs that end by what is read: forming, and breakdown with a stop at the drop.

Both go from 0 V to `stop` in equal steps, one reading on each, and read the state afterwards. The
stop takes no more than one step: the next segment after the decisive reading is that of the read.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nanogap.electrical.protocols import (
    COMPLIANCE_WORDS,
    Compliance,
    Limit,
    Protocol,
    Seconds,
    Volts,
    Wait,
    hold,
    limits,
)
from nanogap.electrical.segments import Reading, Segment


class Stepped(Protocol):
    """Base of stairs that end by what is read."""

    kind: str = Field(description="name of the protocol")
    stop: Volts = Field(2.0, description="last level at most, V")
    steps: int = Field(100, ge=1, le=100_000, description="steps from 0 V to the last level")
    dwell: Seconds = Field(0.1, description="time on every level, s")
    compliance: Compliance = Field("none", description=COMPLIANCE_WORDS)
    read_voltage: Volts = Field(0.1, description="voltage of the read afterwards, V")
    read_time: Wait = Field(0.1, description="time of that read, s; 0: none")

    def _consistent(self) -> None:
        if self.stop == 0.0:
            raise ValueError("stop = 0 V is no sweep: it must not be zero")
        if self.read_voltage == 0.0 and self.read_time > 0.0:
            raise ValueError("read_voltage = 0 V reads nothing: it must not be zero")

    @abstractmethod
    def ended_at(self, readings: Sequence[Reading | None]) -> int | None:
        """Return the number, from 0, of the level whose reading ends the stairs; None: no one."""

    @property
    def n_cycles(self) -> int:
        """Number of cycles: one."""
        return 1

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return one segment per level, and the read."""
        levels = [self._level(number, cycle) for number in range(self.steps)]
        return (*levels, *self._read(cycle))

    def _level(self, number: int, cycle: int) -> Segment:
        """Return the segment of a level, counted from 0."""
        (segment,) = hold(
            self.stop * (number + 1) / self.steps,
            self.dwell,
            samples=1,
            compliance=limits(self.compliance),
            cycle=cycle,
            purpose="sweep",
        )
        return segment

    def _read(self, cycle: int) -> list[Segment]:
        """Return the segment of the read; none without one."""
        return hold(
            self.read_voltage,
            self.read_time,
            samples=1,
            compliance=limits(self.compliance),
            cycle=cycle,
            purpose="read",
        )

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None after the read.

        Parameters
        ----------
        readings : sequence of Reading or None
            One per finished segment.
        """
        ended = self.ended_at(readings[: self.steps])
        if ended is None:
            return super().next_segment(readings)
        after = len(readings) - ended - 1
        rest = self._read(0)
        return rest[after] if after < len(rest) else None


class Forming(Stepped):
    """Forming: stairs up to the voltage at which the device first carries a current."""

    kind: Literal["forming"] = Field("forming", description="name of the protocol")
    current: Limit = Field(
        1.0e-6, description="current at which the device is formed and the stairs end, A"
    )

    def _consistent(self) -> None:
        super()._consistent()
        if self.compliance != "none" and max(limits(self.compliance)) < self.current:
            raise ValueError(
                f"current = {self.current:g} A is above the compliance and would never be reached"
            )

    def ended_at(self, readings: Sequence[Reading | None]) -> int | None:
        """Return the number of the first level whose current is reached."""
        for number, reading in enumerate(readings):
            if reading is not None and abs(reading.current) >= self.current:
                return number
        return None


class BreakdownSweep(Stepped):
    """Breakdown: stairs that end as soon as the current drops."""

    kind: Literal["breakdown-sweep"] = Field("breakdown-sweep", description="name of the protocol")
    drop: float = Field(
        0.5,
        gt=0.0,
        lt=1.0,
        description="part of the largest current so far by which the current drops when the stairs "
        "end",
    )
    smallest_current: Limit = Field(
        1.0e-6, description="largest current below which no drop counts, A"
    )

    def ended_at(self, readings: Sequence[Reading | None]) -> int | None:
        """Return the number of the level at which the current has dropped."""
        largest = 0.0
        for number, reading in enumerate(readings):
            size = 0.0 if reading is None else abs(reading.current)
            if largest >= self.smallest_current and size < (1.0 - self.drop) * largest:
                return number
            largest = max(largest, size)
        return None
