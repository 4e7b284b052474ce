"""Places at which a measurement goes on after a break, from the readings on disk alone.

A device remembers what was done to it, and a sweep cannot begin in its middle: the output was off
meanwhile. So a cycle that was interrupted is begun anew, as a new cycle, from its first level; what
was read of it stays. A cycle that holds one level for all of its time, as a constant read does,
goes on with the next reading. Where only what has no readings was interrupted, such as a RESET
between two sweeps, it goes on with that.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.electrical import Reading, Segment
from nanogap.electrical.segments import Driven
from nanogap.io.measurement_files import COLUMNS
from nanogap.typing import FloatArray

_NOTHING = (0, Reading(0.0, 0.0))


@dataclass(frozen=True)
class Place:
    """Place in a protocol.

    Attributes
    ----------
    readings : tuple of Reading or None
        Of the finished segments that count.
    sample : int
        Readings done in the next segment.
    shift : int
        What is added to the protocol's number of a cycle: cycles that were begun anew.
    time : float
        Of the last reading, s.
    points : int
        Readings on disk.
    session : int
        Number of the next session, from 0.
    finished : bool
        Whether the protocol is at its end.
    """

    readings: tuple[Reading | None, ...] = ()
    sample: int = 0
    shift: int = 0
    time: float = 0.0
    points: int = 0
    session: int = 0
    finished: bool = False


def place_after(protocol: Driven, rows: FloatArray) -> Place:
    """Return where a protocol goes on.

    Parameters
    ----------
    protocol : Driven
    rows : ndarray, shape (n_points, n_columns)
        Readings on disk, by `nanogap.io.measurement_files.COLUMNS`.
    """
    if not len(rows):
        return Place()
    columns = dict(zip(COLUMNS, rows.T, strict=True))
    latest = _latest(columns)
    readings: list[Reading | None] = []
    begin, cycle, sample, goes_on = 0, None, 0, False
    while (segment := protocol.next_segment(readings)) is not None:
        if (segment.preparation, segment.cycle) != cycle:
            begin, cycle = len(readings), (segment.preparation, segment.cycle)
        done, reading = latest.get(len(readings), (0, None))
        if segment.samples and done < segment.samples:
            goes_on = bool(done) and begin == len(readings) and _is_held(segment)
            sample = done if goes_on else 0
            readings = readings[:begin]
            break
        if not segment.samples and len(readings) > max(latest):
            goes_on = True
            break
        readings.append(reading if segment.samples else None)
    return Place(
        readings=tuple(readings),
        sample=sample,
        shift=_shift(segment, columns["cycle"], goes_on=goes_on),
        time=float(np.nanmax(columns["time (s)"])),
        points=len(rows),
        session=int(columns["session"].max()) + 1,
        finished=segment is None,
    )


def _latest(columns: dict[str, FloatArray]) -> dict[int, tuple[int, Reading]]:
    """Return the last sample of every segment, and its reading, without what was begun anew."""
    stack: list[tuple[int, int, Reading]] = []
    names = ("segment", "sample", "voltage (V)", "current (A)")
    for segment, sample, volts, amperes in zip(*(columns[name] for name in names), strict=True):
        if segment < 0:  # after a break
            continue
        while stack and stack[-1][0] >= segment:
            stack.pop()
        stack.append((int(segment), int(sample), Reading(float(volts), float(amperes))))
    return {segment: (sample, reading) for segment, sample, reading in stack} or {-1: _NOTHING}


def _is_held(segment: Segment) -> bool:
    """Whether a segment may be gone on with in its middle."""
    return segment.is_read and segment.start == segment.end and segment.samples > 1


def _shift(segment: Segment | None, cycles: FloatArray, *, goes_on: bool) -> int:
    """Return what is added to the number of a cycle so that no number is used twice."""
    measured = cycles[cycles >= 0]
    if segment is None or segment.preparation or not len(measured):
        return 0
    following = int(measured.max()) + (0 if goes_on else 1)
    return max(following - segment.cycle, 0)
