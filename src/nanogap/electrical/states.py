"""Protocols that write and read states: pulses, retention, endurance, program-to-level."""

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nanogap.electrical.protocols import (
    COMPLIANCE_WORDS,
    INTERVAL_WORDS,
    Compliance,
    Cycles,
    Limit,
    Protocol,
    Seconds,
    Volts,
    Wait,
    hold,
    limits,
    ramp,
)
from nanogap.electrical.segments import Reading, Segment, readings_in

#: Part of a period by which the sum of its parts may differ: decimal fractions are rounded.
_ROUNDING = 1e-9


class ConstantRead(Protocol):
    """Constant voltage at which the current is read: retention, noise."""

    kind: Literal["constant-read"] = Field("constant-read", description="name of the protocol")
    voltage: Volts = Field(0.1, description="read voltage, V")
    duration: Seconds = Field(1000.0, description="how long the state is read, s")
    interval: Seconds = Field(0.1, description=INTERVAL_WORDS)
    compliance: Compliance = Field("none", description=COMPLIANCE_WORDS)

    @property
    def n_cycles(self) -> int:
        """Number of cycles: one."""
        return 1

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return the one segment."""
        return tuple(
            hold(
                self.voltage,
                self.duration,
                samples=readings_in(self.duration, self.interval),
                compliance=limits(self.compliance),
                cycle=cycle,
                purpose="read",
            )
        )


class Pulses(Protocol):
    """Train of equal voltage pulses, with a read between them."""

    kind: Literal["pulses"] = Field("pulses", description="name of the protocol")
    amplitude: Volts = Field(1.0, description="voltage of a pulse, V")
    width: Seconds = Field(1.0e-3, description="time at that voltage, s")
    period: Seconds = Field(0.1, description="time from one pulse to the next, s")
    read_voltage: Volts = Field(0.1, description="voltage of the read after every pulse, V")
    read_time: Wait = Field(
        0.01,
        description="time of that read, which ends with the period, s; 0: none, the current is "
        "read at the end of the pulse only",
    )
    compliance: Compliance = Field("none", description=COMPLIANCE_WORDS)
    cycles: Cycles = Field(10, description="number of pulses")

    def _consistent(self) -> None:
        if self.width + self.read_time > self.period * (1.0 + _ROUNDING):
            raise ValueError(
                f"period = {self.period:g} s must not be below width + read_time = "
                f"{self.width + self.read_time:g} s"
            )

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return the pulse, the wait at 0 V and the read."""
        limit = limits(self.compliance)
        rest = self.period - self.width - self.read_time
        return (
            *hold(
                self.amplitude,
                self.width,
                samples=1,
                compliance=limit,
                cycle=cycle,
                purpose="pulse",
            ),
            *hold(0.0, rest if rest > _ROUNDING * self.period else 0.0, cycle=cycle),
            *hold(
                self.read_voltage,
                self.read_time,
                samples=1,
                compliance=limit,
                cycle=cycle,
                purpose="read",
            ),
        )


class Endurance(Protocol):
    """SET and RESET again and again, by sweeps or by pulses, with a read of both states."""

    kind: Literal["endurance"] = Field("endurance", description="name of the protocol")
    stimulus: Literal["sweep", "pulse"] = Field(
        "sweep",
        description="'sweep': full sweeps 0, set_voltage, 0, reset_voltage, 0; 'pulse': one pulse "
        "each",
    )
    set_voltage: Volts = Field(1.0, description="voltage of the SET, V")
    reset_voltage: Volts = Field(-1.0, description="voltage of the RESET, of opposite sign, V")
    rate: float = Field(0.5, gt=0.0, le=1.0e9, description="rate of the sweeps, V/s")
    interval: Seconds = Field(0.1, description=f"in a sweep: {INTERVAL_WORDS}")
    width: Seconds = Field(1.0e-3, description="time of a pulse, s")
    compliance: Compliance = Field("none", description=COMPLIANCE_WORDS)
    read_voltage: Volts = Field(0.1, description="voltage at which a state is read, V")
    read_time: Wait = Field(
        0.1,
        description="time of the read after every SET and every RESET, s; 0: none, for sweeps that "
        "are read where they pass read_voltage",
    )
    wait: Wait = Field(0.0, description="time at 0 V before every read, s")
    cycles: Cycles = Field(100, description="number of pairs of SET and RESET")

    def _consistent(self) -> None:
        if not self.set_voltage * self.reset_voltage < 0.0:
            raise ValueError(
                f"reset_voltage = {self.reset_voltage:g} V must be of the opposite sign of "
                f"set_voltage = {self.set_voltage:g} V"
            )
        if self.read_voltage == 0.0:
            raise ValueError("read_voltage = 0 V reads nothing: it must not be zero")
        if self.stimulus == "pulse" and self.read_time == 0.0:
            raise ValueError("read_time = 0 s with pulses reads no state: it must be above 0")

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return SET, wait, read, RESET, wait, read."""
        return (*self._write(self.set_voltage, cycle), *self._write(self.reset_voltage, cycle))

    def _write(self, voltage: float, cycle: int) -> list[Segment]:
        """Return the segments that write a state and read it."""
        limit = limits(self.compliance)
        if self.stimulus == "pulse":
            pieces = hold(
                voltage, self.width, samples=1, compliance=limit, cycle=cycle, purpose="pulse"
            )
        else:
            pieces = [
                ramp(
                    "voltage",
                    start,
                    end,
                    self.rate,
                    interval=self.interval,
                    compliance=limit,
                    cycle=cycle,
                )
                for start, end in ((0.0, voltage), (voltage, 0.0))
            ]
        return [
            *pieces,
            *hold(0.0, self.wait, cycle=cycle),
            *hold(
                self.read_voltage,
                self.read_time,
                samples=1,
                compliance=limit,
                cycle=cycle,
                purpose="read",
            ),
        ]


class ProgramToLevel(Protocol):
    """Compliance staircase: sweeps with more and more compliance until a level is read."""

    kind: Literal["program-to-level"] = Field(
        "program-to-level", description="name of the protocol"
    )
    level: float = Field(
        1.0, gt=0.0, le=1000.0, description="conductance at which the programming ends, G0"
    )
    first_compliance: Limit = Field(1.0e-5, description="compliance current of the first sweep, A")
    last_compliance: Limit = Field(4.0e-4, description="compliance current of the last sweep, A")
    steps: int = Field(
        10, ge=1, le=1000, description="sweeps at most; their compliances grow by equal factors"
    )
    set_voltage: Volts = Field(1.0, description="voltage to which every sweep goes, V")
    rate: float = Field(0.1, gt=0.0, le=1.0e9, description="rate of the sweeps, V/s")
    interval: Seconds = Field(0.1, description=INTERVAL_WORDS)
    wait: Wait = Field(0.0, description="time at 0 V before every read, s")
    read_voltage: Volts = Field(0.1, description="voltage of the read before and after, V")
    read_time: Seconds = Field(0.1, description="time of that read, s")
    series_resistance: float = Field(
        0.0,
        ge=0.0,
        le=1.0e9,
        description="resistance that is subtracted from what is read before it is compared with "
        "the level, ohm",
    )

    def _consistent(self) -> None:
        if self.set_voltage == 0.0 or self.read_voltage == 0.0:
            raise ValueError("set_voltage and read_voltage must not be zero")
        if self.last_compliance < self.first_compliance:
            raise ValueError(
                f"last_compliance = {self.last_compliance:g} A must not be below "
                f"first_compliance = {self.first_compliance:g} A"
            )

    @property
    def n_cycles(self) -> int:
        """Number of sweeps at most."""
        return self.steps

    def compliance_of(self, cycle: int) -> float:
        """Return the compliance current of a sweep, A."""
        part = cycle / (self.steps - 1) if self.steps > 1 else 0.0
        return float(self.first_compliance * (self.last_compliance / self.first_compliance) ** part)

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return a sweep up and down and a read; before the first, a read of the initial state."""
        current = self.compliance_of(cycle)
        sweeps = [
            ramp(
                "voltage",
                start,
                end,
                self.rate,
                interval=self.interval,
                compliance=(current, current),
                cycle=cycle,
            )
            for start, end in ((0.0, self.set_voltage), (self.set_voltage, 0.0))
        ]
        read = hold(self.read_voltage, self.read_time, samples=1, cycle=cycle, purpose="read")
        return (
            *(read if cycle == 0 else ()),
            *sweeps,
            *hold(0.0, self.wait, cycle=cycle),
            *read,
        )

    def reached(self, reading: Reading) -> bool:
        """Whether a reading is at the level or above it."""
        return reading.conductance(self.series_resistance) >= self.level

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None once the level was read.

        Parameters
        ----------
        readings : sequence of Reading or None
            One per finished segment, None where it had no sample.
        """
        done = 0
        for cycle in range(self.steps):
            for segment in self.cycle_segments(cycle):
                if done == len(readings):
                    return segment
                reading = readings[done]
                done += 1
                if segment.is_read and reading is not None and self.reached(reading):
                    return None
        return None

    def _total(self, first: Sequence[float], name: str) -> float:
        """Add up a number of all segments: the first cycle has a read more than the others."""
        del first
        return math.fsum(getattr(segment, name) for segment in self.segments())
