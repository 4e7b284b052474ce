"""A voltage or current of one's own over time, as a protocol like any other.

Two corners at the same time are a jump. Within a piece readings are equally spaced, the last at its
end, so that there is one per piece at the least.

Examples
--------
A train of pulses of 1 V and 0.1 s, and a triangle:

>>> from nanogap.electrical.waveform import Waveform
>>> pulse = Waveform(times=(0.0, 0.1, 0.1, 0.5), levels=(1.0, 1.0, 0.0, 0.0), cycles=2)
>>> [(one.start, one.end, one.duration) for one in pulse.cycle_segments(0)]
[(1.0, 1.0, 0.1), (0.0, 0.0, 0.4)]
>>> Waveform(times=(0.0, 1.0, 2.0), levels=(0.0, 1.5, 0.0), interval=0.02).total_samples
100
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field

from nanogap.arguments import checked, shown
from nanogap.electrical.protocols import (
    INTERVAL_WORDS,
    Compliance,
    Cycles,
    Limits,
    Protocol,
    Seconds,
    Volts,
    Wait,
    limits,
)
from nanogap.electrical.segments import Quantity, Segment, readings_in
from nanogap.errors import SettingsError

#: Corners of a waveform; each piece between two of them costs a reading.
MOST_CORNERS = 10_000
#: Times that differ by less, relative to the time itself, are one: a sum of times is rounded.
_ROUNDING = 1e-12


def _listed(value: Any) -> Any:
    """Turn an array into a list, which a model takes."""
    return value.tolist() if isinstance(value, np.ndarray) else value


class Waveform(Protocol):
    """Arbitrary waveform: straight lines between corners, for what no other protocol does."""

    kind: Literal["waveform"] = Field("waveform", description="name of the protocol")
    quantity: Quantity = Field("voltage", description="quantity that the source sets")
    times: Annotated[tuple[Wait, ...], Field(strict=False), BeforeValidator(_listed)] = Field(
        (0.0, 1.0),
        min_length=2,
        max_length=MOST_CORNERS,
        description="times of the corners, the first 0, none before the one ahead of it, s",
    )
    levels: Annotated[tuple[Volts, ...], Field(strict=False), BeforeValidator(_listed)] = Field(
        (0.0, 1.0),
        min_length=2,
        max_length=MOST_CORNERS,
        description="level at each corner, V or A; straight lines lead from one to the next, and "
        "two corners at one time are a jump",
    )
    interval: Seconds = Field(0.1, description=INTERVAL_WORDS)
    compliance: Compliance = Field(
        "none",
        description="largest size of the other quantity, A or V: one for both signs, or one for "
        "positive and one for negative; 'none': the source's own limit",
    )
    cycles: Cycles = Field(1, description="number of times that the waveform is run through")

    def _consistent(self) -> None:
        if len(self.times) != len(self.levels):
            raise ValueError(
                f"{len(self.times)} times and {len(self.levels)} levels: every corner of the "
                "waveform needs both"
            )
        if self.times[0] != 0.0:
            raise ValueError(f"times begins with {self.times[0]:g} s and must begin with 0")
        for one, other in pairwise(self.times):
            if other < one * (1.0 - _ROUNDING):
                raise ValueError(f"times has {other:g} s after {one:g} s: it must not go back")
        if self.times[-1] == 0.0:
            raise ValueError("times ends with 0 s: a waveform needs a time above 0")

    @classmethod
    @checked
    def from_function(
        cls,
        function: Callable[[float], float],
        duration: float,
        interval: float = 0.02,
        *,
        quantity: Quantity = "voltage",
        compliance: Limits = "none",
        cycles: int = 1,
    ) -> Self:
        """Make the waveform that follows a function of time.

        Parameters
        ----------
        function : callable
            Level, V or A, by the time from the beginning of a cycle, s.
        duration : float
            Of one cycle, s.
        interval : float
            Between two corners, at each of which there is a reading, s; the nearest that divides
            the duration into equal parts.
        quantity, compliance, cycles
            Keys of the waveform.

        Returns
        -------
        Waveform

        Raises
        ------
        SettingsError
            If a level is no number or out of range, or there are too many corners.

        Examples
        --------
        >>> import numpy as np
        >>> tone = Waveform.from_function(lambda t: 0.1 * np.sin(2 * np.pi * t), duration=2.0)
        >>> len(tone.times), round(max(tone.levels), 3), tone.total_samples
        (101, 0.1, 100)
        """
        for name, value in (("duration", duration), ("interval", interval)):
            if not (math.isfinite(value) and value > 0.0):
                raise SettingsError(f"{name} = {value:g} s: must be above 0")
        count = max(1, round(min(duration / interval, 10.0 * MOST_CORNERS)))
        if count >= MOST_CORNERS:
            raise SettingsError(
                f"{duration:g} s with a corner every {interval:g} s are {duration / interval:.3g} "
                f"corners, and a waveform has {MOST_CORNERS} at most: choose a longer interval"
            )
        times = [duration * number / count for number in range(count + 1)]
        keys: dict[str, Any] = {
            "quantity": quantity,
            "times": times,
            "levels": [_level(function(time), time) for time in times],
            "interval": duration / count,
            "compliance": compliance,
            "cycles": cycles,
        }
        return cls(**keys)

    @property
    def n_cycles(self) -> int:
        """Number of cycles."""
        return self.cycles

    def cycle_segments(self, cycle: int) -> tuple[Segment, ...]:
        """Return one segment per piece that takes time."""
        corners = zip(self.times, self.levels, strict=True)
        return tuple(
            Segment(
                self.quantity,
                start,
                end,
                after - before,
                limits(self.compliance),
                cycle,
                readings_in(after - before, self.interval),
            )
            for (before, start), (after, end) in pairwise(corners)
            if after - before > _ROUNDING * after
        )


def _level(value: Any, time: float) -> float:
    """Return a level that a function gave as a number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise SettingsError(
            f"the function of the waveform gives {shown(value)} at {time:g} s: it must give one "
            "number, V or A"
        ) from None
