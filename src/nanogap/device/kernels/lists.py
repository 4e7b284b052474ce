"""Lists of the sites that an event has changed, each once."""

import numpy as np

from nanogap.device.kernels.arrays import (
    GENERATION,
    N_OWN_CELLS,
    N_STALE,
    N_TOUCHED,
    STALE,
    TOUCHED,
    Int32Array,
    LinkArray,
    Work,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.typing import Int64Array

#: Largest number of a mark.
_LAST_GENERATION = np.iinfo(np.int32).max


@compiled
def begin(work: Work) -> None:
    """Begin empty lists."""
    numbers = work.numbers
    if numbers[GENERATION] == _LAST_GENERATION:  # the marks hold no more: all as at the start
        numbers[GENERATION] = 0
        work.marks[:], work.node_marks[:] = 0, 0
        work.memory.marks[:], work.memory.keys[:] = 0, -1
    numbers[GENERATION] += 1
    numbers[N_TOUCHED] = 0
    numbers[N_STALE] = 0
    numbers[N_OWN_CELLS] = 0


@inlined
def touch(
    grid: Int32Array,
    saved: Int32Array,
    lists: LinkArray,
    marks: Int32Array,
    numbers: Int64Array,
    site: int,
) -> None:
    """List a site whose energy, coordination or occupation will change, and save what it was."""
    if marks[site, TOUCHED] != numbers[GENERATION]:
        marks[site, TOUCHED] = numbers[GENERATION]
        place = numbers[N_TOUCHED]
        lists[TOUCHED, place] = site
        saved[place, 0], saved[place, 1] = grid[site, 0], grid[site, 1]
        saved[place, 2], saved[place, 3] = grid[site, 2], grid[site, 3]
        numbers[N_TOUCHED] = place + 1


@inlined
def expire(lists: LinkArray, marks: Int32Array, mark: int, count: int, site: int) -> int:
    """List a site whose rates are to be made anew; return how many are listed.

    It is written in any case and counted once: a processor cannot guess which site is new.
    """
    lists[STALE, count] = site
    count += marks[site, STALE] != mark
    marks[site, STALE] = mark
    return count


@compiled
def expire_around(
    around: LinkArray,
    lists: LinkArray,
    marks: Int32Array,
    numbers: Int64Array,
    site: int,
) -> None:
    """List a site and its neighbours, whose rates are to be made anew."""
    mark = numbers[GENERATION]
    count = expire(lists, marks, mark, numbers[N_STALE], site)
    for direction in range(12):
        count = expire(lists, marks, mark, count, around[site, direction])
    numbers[N_STALE] = count
