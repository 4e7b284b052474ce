"""Where a measurement goes on, from the readings alone."""

import numpy as np
import pytest

from nanogap.electrical import ConstantRead, CurrentSweep, InOrder, VoltageSweep
from nanogap.instruments.place import place_after
from nanogap.io.measurement_files import COLUMNS

SWEEP = CurrentSweep(
    turning_points=(0.0, 1e-6), rate=1e-6, interval=0.25, reset_voltage=-1.0, cycles=3
)


def rows(*readings):
    """Rows of (cycle, segment, sample, session)."""
    made = np.zeros((len(readings), len(COLUMNS)))
    for row, (cycle, segment, sample, session) in zip(made, readings, strict=True):
        values = {"cycle": cycle, "segment": segment, "sample": sample, "session": session}
        for name, value in values.items():
            row[COLUMNS.index(name)] = value
    return made


def sweep(cycle, segment, count=4, session=0):
    return [(cycle, segment, sample, session) for sample in range(1, count + 1)]


def test_nothing_read_begins_at_the_beginning():
    assert place_after(SWEEP, rows()).readings == ()


@pytest.mark.parametrize(
    ("read", "segments", "shift"),
    [
        (sweep(0, 0, 2), 0, 1),  # within a cycle: anew
        (sweep(0, 0), 1, 0),  # in the RESET: goes on with it
        (sweep(0, 0) + sweep(1, 3, 1), 3, 1),
        # what an earlier session read of a cycle that was begun anew does not count
        (sweep(0, 0) + sweep(1, 3, 3) + sweep(2, 3, 1, session=1), 3, 2),
        (sweep(0, 0) + sweep(1, 3, 3) + sweep(2, 3, 4, session=1), 4, 1),
    ],
)
def test_cycles_with_a_reset(read, segments, shift):
    place = place_after(SWEEP, rows(*read))
    assert (len(place.readings), place.sample, place.shift) == (segments, 0, shift)
    assert not place.finished


def test_the_end_is_the_end():
    whole = rows(*sweep(0, 0), *sweep(1, 3), *sweep(2, 6))
    assert place_after(SWEEP, whole).finished


def test_stale_readings_behind_a_new_beginning_do_not_count():
    two = VoltageSweep(turning_points=(0.0, 1.0, 0.0), rate=1.0, interval=0.5)
    read = [*sweep(0, 0, 2), *sweep(0, 1, 1), *sweep(1, 0, 1, session=1)]
    place = place_after(two, rows(*read))
    assert (place.readings, place.shift, place.session) == ((), 2, 2)


def test_a_read_after_a_preparation_goes_on_in_its_middle():
    order = InOrder(SWEEP, ConstantRead(duration=1.0, interval=0.1))
    prepared = [*sweep(-3, 0), *sweep(-2, 3), *sweep(-1, 6)]
    place = place_after(order, rows(*prepared, *sweep(0, 7, 5)))
    assert (len(place.readings), place.sample, place.shift) == (7, 5, 0)
    place = place_after(order, rows(*prepared[:6]))
    assert (len(place.readings), place.sample) == (3, 0)
