"""Lists of the sites that an event has changed, each once."""

from numba import njit

from nanogap.device.kernels.arrays import (
    GENERATION,
    N_STALE,
    N_TOUCHED,
    STALE,
    TOUCHED,
    Int32Array,
)
from nanogap.typing import Int64Array


@njit  # type: ignore[untyped-decorator]
def begin(numbers: Int64Array) -> None:
    """Begin empty lists."""
    numbers[GENERATION] += 1
    numbers[N_TOUCHED] = 0
    numbers[N_STALE] = 0


@njit(inline="always")  # type: ignore[untyped-decorator]
def touch(lists: Int32Array, marks: Int32Array, numbers: Int64Array, site: int) -> None:
    """List a site whose energy, coordination or occupation changed."""
    if marks[site, TOUCHED] != numbers[GENERATION]:
        marks[site, TOUCHED] = numbers[GENERATION]
        lists[TOUCHED, numbers[N_TOUCHED]] = site
        numbers[N_TOUCHED] += 1


@njit(inline="always")  # type: ignore[untyped-decorator]
def expire(lists: Int32Array, marks: Int32Array, numbers: Int64Array, site: int) -> None:
    """List a site whose rates are to be made anew."""
    if marks[site, STALE] != numbers[GENERATION]:
        marks[site, STALE] = numbers[GENERATION]
        lists[STALE, numbers[N_STALE]] = site
        numbers[N_STALE] += 1


@njit  # type: ignore[untyped-decorator]
def expire_around(
    grid: Int32Array, lists: Int32Array, marks: Int32Array, numbers: Int64Array, site: int
) -> None:
    """List a site and its neighbours, whose rates are to be made anew."""
    expire(lists, marks, numbers, site)
    for direction in range(12):
        expire(lists, marks, numbers, grid[site, direction])
