"""Hops of metal atoms to an empty nearest neighbour.

The barrier is S + dE/2, S a symmetric table of the coordination of both ends and of what surrounds
the bond (`nanogap.device.bonds`), and never below max(0, dE) plus a floor. The higher of the two
barriers of a pair is also never below that of the cap, which throttles both directions alike. Ends
without any metal neighbour are left out: metal does not evaporate.
"""

import numpy as np

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
    Int32Array,
    LinkArray,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.kernels.masks import empty_around, first_direction, metal_around
from nanogap.device.lattice import FLANKS, NEIGHBOUR_VECTORS, SHARED
from nanogap.typing import FloatArray


@inlined
def change_and_saddle(
    around: LinkArray,
    grid: Int32Array,
    masks: LinkArray,
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
    metal = metal_around(masks, site)
    pattern = (
        (metal >> SHARED[direction, 0] & 1)
        | (metal >> SHARED[direction, 1] & 1) << 1
        | (metal >> SHARED[direction, 2] & 1) << 2
        | (metal >> SHARED[direction, 3] & 1) << 3
    )
    near, far = FLANKS[direction, 0], FLANKS[direction, 1]
    beyond = metal_around(masks, end)
    pattern += 16 * ((metal >> near & 1) + (beyond >> near & 1))
    pattern += 48 * ((metal >> far & 1) + (beyond >> far & 1))
    bends = (grid[first, BEND] + grid[second, BEND]) + (grid[third, BEND] + grid[fourth, BEND])
    held = grid[site, ENERGY] + levels[SLOPE, count + 1]
    change = grid[end, ENERGY] - levels[SLOPE, at_end + 1] - held - bends
    return change, saddle[count, at_end, pattern]


@inlined
def fill_rates(
    around: LinkArray,
    grid: Int32Array,
    masks: LinkArray,
    levels: Int32Array,
    saddle: Int32Array,
    table: FloatArray,
    numbers: FloatArray,
    site: int,
    rates: FloatArray,
) -> float:
    """Fill in the rates of an atom's hops in the twelve directions; return their sum, 1/s."""
    total = 0.0
    least, cap = int(numbers[LEAST_HALF_MEV]), int(numbers[CAP_HALF_MEV])
    for direction in range(12):
        rates[direction] = 0.0
    if grid[site, COUNT] < 1:
        return total
    bits = empty_around(masks, site)
    while bits != 0:
        direction = first_direction(bits)
        bits &= bits - 1
        end = around[site, direction]
        if grid[end, COUNT] < 2:
            continue
        change, part = change_and_saddle(around, grid, masks, levels, saddle, site, direction)
        size = abs(change)
        high: int = max(part + size, 2 * size + least, cap)
        barrier = high + 2 * min(change, 0)
        rate = table[min(barrier, len(table) - 1)]
        rates[direction] = rate
        total += rate
    return total


@compiled
def fill_local_rates(
    around: LinkArray,
    grid: Int32Array,
    masks: LinkArray,
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
    for direction in range(12):
        rates[direction] = 0.0
    if grid[site, COUNT] < 1:
        return total
    bits = empty_around(masks, site)
    while bits != 0:
        direction = first_direction(bits)
        bits &= bits - 1
        end = around[site, direction]
        if grid[end, COUNT] < 2:
            continue
        change, part = change_and_saddle(around, grid, masks, levels, saddle, site, direction)
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
