"""Protocols of electrical measurements: one vocabulary for simulated and real devices.

Every protocol is a frozen model whose keys are those of a settings file, and gives segments one by
one. The next segment may depend on what was read (`ProgramToLevel`), so all are asked alike:
``protocol.next_segment(readings)``, with one reading per finished segment. Nothing else is
remembered: the same readings give the same segments, which is what lets a measurement go on after
an interruption.

Names are those of laboratories: voltage and current sweeps and pulses of parameter analysers,
retention, endurance and the compliance staircase of memristor test benches.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nanogap.arguments import shown
from nanogap.electrical.segments import (
    LONGEST,
    UNLIMITED,
    Purpose,
    Quantity,
    Reading,
    Segment,
    readings_in,
)
from nanogap.errors import SettingsError

Volts = Annotated[float, Field(ge=-100.0, le=100.0, allow_inf_nan=False)]
Amperes = Annotated[float, Field(ge=-0.1, le=0.1, allow_inf_nan=False)]
Limit = Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0.0, le=LONGEST, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0.0, le=LONGEST, allow_inf_nan=False)]
Cycles = Annotated[int, Field(ge=1, le=1_000_000)]
# TOML and JSON know lists only, so a list is no wrong type here
Pair = Annotated[tuple[Limit, Limit], Field(strict=False)]
Compliance = Limit | Pair | Literal["none"]
#: The same as an argument of a function.
Limits = Annotated[float | tuple[float, float] | str, "one number, two of them, or 'none'"]

INTERVAL_WORDS = "time between two readings, s; the nearest that divides a piece into equal parts"
COMPLIANCE_WORDS = (
    "largest current, A: one for both signs, or one for positive and one for negative current; "
    "'none': the source's own limit"
)


class Protocol(BaseModel, ABC):
    """Base of all protocols: cycles of segments."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(_sentence(type(self), error)) from None

    # as part of a settings file, the file's own loader words the fault
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """Refuse keys that do not fit each other, and segments that cannot be."""
        self._consistent()
        try:
            _cycle(self, 0)
        except SettingsError as error:
            raise ValueError(str(error)) from None
        return self

    def _consistent(self) -> None:
        """Raise a ValueError if keys do not fit each other."""

    @property
    @abstractmethod
    def n_cycles(self) -> int:
        """Number of cycles."""

    @abstractmethod
    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return the segments of a cycle; the last one may lack those at its end."""

    def next_segment(self, readings: Sequence[Reading | None]) -> Segment | None:
        """Return the segment after those that were read; None at the end.

        Parameters
        ----------
        readings : sequence of Reading or None
            One per finished segment, None where it had no sample.
        """
        cycle, place = divmod(len(readings), len(_cycle(self, 0)))
        if cycle >= self.n_cycles:
            return None
        segments = _cycle(self, cycle)
        return segments[place] if place < len(segments) else None

    def segments(self) -> Iterator[Segment]:
        """Yield all segments; with feedback, those of the longest course."""
        for cycle in range(self.n_cycles):
            yield from self.cycle_segments(cycle)

    @property
    def total_duration(self) -> float:
        """Time that it takes, s; with feedback, the longest."""
        return self._total([piece.duration for piece in self.cycle_segments(0)], "duration")

    @property
    def total_samples(self) -> int:
        """Number of readings; with feedback, the largest."""
        return int(self._total([piece.samples for piece in self.cycle_segments(0)], "samples"))

    def _total(self, first: Sequence[float], name: str) -> float:
        """Add up a number of all segments; all cycles but the last are alike."""
        if self.n_cycles == 1:
            return math.fsum(first)
        last = [getattr(piece, name) for piece in self.cycle_segments(self.n_cycles - 1)]
        return math.fsum([math.fsum(first) * (self.n_cycles - 1), *last])


@lru_cache(maxsize=16)
def _cycle(protocol: Protocol, cycle: int) -> tuple[Segment, ...]:
    """Return the segments of a cycle; they are asked for one by one."""
    return protocol.cycle_segments(cycle)


def _sentence(model: type[BaseModel], error: ValidationError) -> str:
    """Put the first fault into one sentence."""
    first = error.errors(include_url=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    message = (message[:1].lower() + message[1:]).replace("a valid tuple", "a list")
    if first["type"] == "extra_forbidden":
        return f"{first['loc'][0]} is no key of {model.__name__}: {', '.join(model.model_fields)}"
    if not first["loc"]:
        return message
    return f"{'.'.join(str(part) for part in first['loc'])} = {first['input']!r}: {message}"


def limits(compliance: Limits) -> tuple[float, float]:
    """Return the limits of positive and of negative values that a key of a protocol gives.

    Raises
    ------
    SettingsError
        If it is a text and not 'none', or not two numbers.

    Examples
    --------
    >>> limits(4e-4), limits((1e-4, 1e-3)), limits("none")
    ((0.0004, 0.0004), (0.0001, 0.001), (inf, inf))
    """
    if isinstance(compliance, str):
        if compliance != "none":
            raise SettingsError(
                f"compliance = {shown(compliance)}: give a number, two of them or 'none'"
            )
        return UNLIMITED
    values = np.ravel(np.asarray(compliance, dtype=np.float64)).tolist()
    if len(values) not in {1, 2}:
        raise SettingsError(f"compliance = {shown(compliance)}: give one number, two or 'none'")
    return values[0], values[-1]


def ramp(
    quantity: Quantity,
    start: float,
    end: float,
    rate: float,
    *,
    interval: float = math.inf,
    compliance: tuple[float, float] = UNLIMITED,
    cycle: int = 0,
    purpose: Purpose = "sweep",
) -> Segment:
    """Return a sweep from one level to another.

    Parameters
    ----------
    quantity, start, end, compliance, cycle, purpose
        As of `nanogap.electrical.segments.Segment`.
    rate : float
        V/s or A/s, above 0.
    interval : float
        Time between two readings, s; infinite: none.
    """
    duration = abs(end - start) / rate
    samples = 0 if math.isinf(interval) else readings_in(duration, interval)
    return Segment(quantity, start, end, duration, compliance, cycle, samples, purpose)


def hold(
    level: float,
    duration: float,
    *,
    quantity: Quantity = "voltage",
    samples: int = 0,
    compliance: tuple[float, float] = UNLIMITED,
    cycle: int = 0,
    purpose: Purpose = "wait",
) -> list[Segment]:
    """Return a constant level for some time; nothing if the time is zero.

    Parameters
    ----------
    level, duration, quantity, samples, compliance, cycle, purpose
        As of `nanogap.electrical.segments.Segment`.
    """
    if duration <= 0.0:
        return []
    return [Segment(quantity, level, level, duration, compliance, cycle, samples, purpose)]


def differ(name: str, points: Sequence[float]) -> None:
    """Refuse turning points of which two in a row are equal."""
    for one, other in pairwise(points):
        if one == other:
            raise ValueError(f"{name} has {one:g} twice in a row: a sweep needs two different ends")


class VoltageSweep(Protocol):
    """Voltage sweep between turning points, with a compliance current (I-V loop)."""

    kind: Literal["voltage-sweep"] = Field("voltage-sweep", description="name of the protocol")
    turning_points: Annotated[tuple[Volts, ...], Field(strict=False)] = Field(
        (0.0, 1.0, 0.0, -1.0, 0.0),
        min_length=2,
        max_length=100,
        description="voltages between which a cycle sweeps, V",
    )
    rate: float = Field(0.1, gt=0.0, le=1.0e9, description="sweep rate, V/s")
    compliance: Compliance = Field("none", description=COMPLIANCE_WORDS)
    cycles: Cycles = Field(1, description="number of sweeps through all turning points")
    interval: Seconds = Field(0.1, description=INTERVAL_WORDS)
    wait: Wait = Field(0.0, description="time at 0 V between two cycles, s")

    def _consistent(self) -> None:
        differ("turning_points", self.turning_points)

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return one sweep per pair of turning points, and the wait unless it is the last cycle."""
        sweeps = [
            ramp(
                "voltage",
                start,
                end,
                self.rate,
                interval=self.interval,
                compliance=limits(self.compliance),
                cycle=cycle,
            )
            for start, end in pairwise(self.turning_points)
        ]
        last = cycle == self.cycles - 1
        return (*sweeps, *hold(0.0, 0.0 if last else self.wait, cycle=cycle))


class CurrentSweep(Protocol):
    """Current sweep between turning points, with a voltage limit; a RESET between cycles."""

    kind: Literal["current-sweep"] = Field("current-sweep", description="name of the protocol")
    turning_points: Annotated[tuple[Amperes, ...], Field(strict=False)] = Field(
        (0.0, 2.0e-5),
        min_length=2,
        max_length=100,
        description="currents between which a cycle sweeps, A",
    )
    rate: float = Field(9.0e-8, gt=0.0, le=1.0e3, description="sweep rate, A/s")
    voltage_limit: Limit = Field(2.0, description="largest voltage of either sign, V")
    cycles: Cycles = Field(1, description="number of sweeps through all turning points")
    interval: Seconds = Field(0.05, description=INTERVAL_WORDS)
    reset_voltage: Volts = Field(
        0.0,
        description="a voltage sweep to here and back between two cycles, without readings, V; "
        "0: none",
    )
    reset_rate: float = Field(0.1, gt=0.0, le=1.0e9, description="rate of that sweep, V/s")
    reset_compliance: Compliance = Field("none", description="for that sweep: " + COMPLIANCE_WORDS)
    wait: Wait = Field(0.0, description="time at 0 V between two cycles, s")

    def _consistent(self) -> None:
        differ("turning_points", self.turning_points)

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return one sweep per pair of turning points, and the RESET unless it is the last."""
        limit = (self.voltage_limit, self.voltage_limit)
        sweeps = [
            ramp(
                "current",
                start,
                end,
                self.rate,
                interval=self.interval,
                compliance=limit,
                cycle=cycle,
            )
            for start, end in pairwise(self.turning_points)
        ]
        if cycle == self.cycles - 1:
            return tuple(sweeps)
        if self.reset_voltage != 0.0:
            for start, end in ((0.0, self.reset_voltage), (self.reset_voltage, 0.0)):
                sweeps.append(
                    ramp(
                        "voltage",
                        start,
                        end,
                        self.reset_rate,
                        compliance=limits(self.reset_compliance),
                        cycle=cycle,
                        purpose="reset",
                    )
                )
        return (*sweeps, *hold(0.0, self.wait, cycle=cycle))


class Staircase(Protocol):
    """Staircase sweep: constant levels one after another, a reading at the end of each."""

    kind: Literal["staircase"] = Field("staircase", description="name of the protocol")
    quantity: Quantity = Field("voltage", description="quantity that the source sets")
    start: Volts = Field(0.0, description="first level, V or A")
    stop: Volts = Field(1.0, description="last level on the way up, V or A")
    steps: int = Field(100, ge=1, le=100_000, description="steps from the first to the last level")
    dwell: Seconds = Field(0.1, description="time on every level, s")
    both_ways: bool = Field(True, description="also back to the first level")
    compliance: Compliance = Field(
        "none",
        description="largest size of the other quantity, A or V: one for both signs, or one for "
        "positive and one for negative; 'none': the source's own limit",
    )
    cycles: Cycles = Field(1, description="number of staircases")

    def _consistent(self) -> None:
        differ("start and stop", (self.start, self.stop))

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return one segment per level."""
        parts = [number / self.steps for number in range(self.steps + 1)]
        if self.both_ways:
            parts += parts[-2::-1]
        return tuple(
            segment
            for part in parts
            for segment in hold(
                self.start * (1.0 - part) + self.stop * part,
                self.dwell,
                quantity=self.quantity,
                samples=1,
                compliance=limits(self.compliance),
                cycle=cycle,
                purpose="sweep",
            )
        )
