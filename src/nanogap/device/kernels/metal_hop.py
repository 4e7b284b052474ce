"""Hops of metal atoms to an empty nearest neighbour.

The barrier is S + dE/2, S a symmetric table of the coordination of both ends and of what surrounds
the bond (`nanogap.device.bonds`), and never below max(0, dE) plus a floor. The higher of the two
barriers of a pair is also never below that of the cap, which throttles both directions alike. Ends
without any metal neighbour are left out: metal does not evaporate.
"""

import numpy as np
from numba import njit

from nanogap.device.kernels.arrays import (
    BEND,
    BOND,
    CAP_HALF_MEV,
    COUNT,
    ENERGY,
    LEAST_HALF_MEV,
    METAL_CAP,
    PREFACTOR,
    SLOPE,
    STATE,
    Int32Array,
    LinkArray,
)
from nanogap.device.lattice import EMPTY, FLANKS, METAL, NEIGHBOUR_VECTORS, SHARED
from nanogap.typing import FloatArray


@njit(inline="always")  # type: ignore[untyped-decorator]
def change_and_saddle(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saddle: Int32Array,
    site: int,
    direction: int,
) -> tuple[int, int]:
    """Return energy change, meV, and symmetric part of the barrier, half meV, of a hop."""
    end = around[site, direction]
    count, at_end = grid[site, COUNT], grid[end, COUNT] - 1
    first = around[site, SHARED[direction, 0]]
    second = around[site, SHARED[direction, 1]]
    third = around[site, SHARED[direction, 2]]
    fourth = around[site, SHARED[direction, 3]]
    pattern = (
        (grid[first, STATE] == METAL)
        | ((grid[second, STATE] == METAL) << 1)
        | ((grid[third, STATE] == METAL) << 2)
        | ((grid[fourth, STATE] == METAL) << 3)
    )
    near, far = FLANKS[direction, 0], FLANKS[direction, 1]
    pattern += 16 * (
        int(grid[around[site, near], STATE] == METAL) + int(grid[around[end, near], STATE] == METAL)
    )
    pattern += 48 * (
        int(grid[around[site, far], STATE] == METAL) + int(grid[around[end, far], STATE] == METAL)
    )
    bends = (grid[first, BEND] + grid[second, BEND]) + (grid[third, BEND] + grid[fourth, BEND])
    held = grid[site, ENERGY] + levels[SLOPE, count + 1]
    change = grid[end, ENERGY] - levels[SLOPE, at_end + 1] - held - bends
    return change, saddle[count, at_end, pattern]


@njit  # type: ignore[untyped-decorator]
def fill_rates(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saddle: Int32Array,
    table: FloatArray,
    numbers: FloatArray,
    site: int,
    rates: FloatArray,
) -> float:
    """Fill in the rates of an atom's hops in the twelve directions; return their sum, 1/s."""
    total = 0.0
    least, cap = np.int64(numbers[LEAST_HALF_MEV]), np.int64(numbers[CAP_HALF_MEV])
    alone = grid[site, COUNT] < 1
    for direction in range(12):
        rates[direction] = 0.0
        end = around[site, direction]
        if grid[end, STATE] != EMPTY or grid[end, COUNT] < 2 or alone:
            continue
        change, part = change_and_saddle(around, grid, levels, saddle, site, direction)
        size = abs(change)
        high = max(part + size, 2 * size + least, cap)
        barrier = high + 2 * min(change, 0)
        rate = table[min(barrier, len(table) - 1)]
        rates[direction] = rate
        total += rate
    return total


@njit  # type: ignore[untyped-decorator]
def fill_local_rates(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saddle: Int32Array,
    inverse_temperature: FloatArray,
    force: FloatArray,
    numbers: FloatArray,
    site: int,
    rates: FloatArray,
) -> float:
    """Fill in the rates where the temperature is a field or a force acts; return their sum, 1/s.

    Both belong to the bond: means over its ends.
    """
    total = 0.0
    alone = grid[site, COUNT] < 1
    for direction in range(12):
        rates[direction] = 0.0
        end = around[site, direction]
        if grid[end, STATE] != EMPTY or grid[end, COUNT] < 2 or alone:
            continue
        change, part = change_and_saddle(around, grid, levels, saddle, site, direction)
        gain = 1e-3 * change
        if len(force) > 0:
            for axis in range(3):
                mean = 0.5 * (force[site, axis] + force[end, axis])
                gain -= mean * NEIGHBOUR_VECTORS[direction, axis] * numbers[BOND]
        beta = inverse_temperature[0]
        if len(inverse_temperature) > 1:
            beta = 0.5 * (inverse_temperature[site] + inverse_temperature[end])
        size = abs(gain)
        high = max(5e-4 * part + 0.5 * size, size + 5e-4 * numbers[LEAST_HALF_MEV])
        high = max(high, np.log(numbers[PREFACTOR] / numbers[METAL_CAP]) / beta)
        rate = numbers[PREFACTOR] * np.exp(-beta * (high + min(gain, 0.0)))
        rates[direction] = rate
        total += rate
    return total
