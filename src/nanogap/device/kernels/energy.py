"""Energies of the sites, brought up to date after a change by whole numbers.

The energy of the metal is the sum of phi(n_j) over its atoms. A site's energy is what the metal
gains by an atom there: phi(n) of the atom and the change of phi of its metal neighbours; the number
is the same before the atom comes and after. Every site whose energy, coordination or surroundings
changed is listed as touched.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    BEND,
    COUNT,
    CURVATURE,
    ENERGY,
    OUTSIDE,
    PHI,
    SLOPE,
    STATE,
    Int32Array,
    LinkArray,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.kernels.lists import touch
from nanogap.device.lattice import EMPTY, METAL, OPPOSITE, SHARED
from nanogap.typing import Int64Array

#: Directions from the start of a hop to the seven sites that are neighbours of it alone.
APART = np.array(
    [
        [other for other in range(12) if other != direction and other not in SHARED[direction]]
        for direction in range(12)
    ],
    dtype=np.int32,
)


@compiled
def site_energy(around: LinkArray, grid: Int32Array, levels: Int32Array, site: int) -> int:
    """Return the energy of a site from its surroundings, meV."""
    without = 0 if grid[site, STATE] == METAL else 1
    total = levels[PHI, grid[site, COUNT]]
    for direction in range(12):
        other = around[site, direction]
        if grid[other, STATE] == METAL:
            total += levels[SLOPE, grid[other, COUNT] + without]
    return total  # type: ignore[no-any-return]


@inlined
def _recount(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saved: Int32Array,
    lists: LinkArray,
    marks: Int32Array,
    numbers: Int64Array,
    site: int,
    step: int,
) -> None:
    """Change a site's count of metal neighbours by one, and the energies that depend on it."""
    state = grid[site, STATE]
    if state == OUTSIDE:
        return
    before = grid[site, COUNT]
    after = before + step
    grid[site, COUNT] = after
    grid[site, ENERGY] += levels[PHI, after] - levels[PHI, before]
    if state != METAL:
        return
    grid[site, BEND] = levels[CURVATURE, after]
    of_metal = levels[SLOPE, after] - levels[SLOPE, before]
    of_others = levels[SLOPE, after + 1] - levels[SLOPE, before + 1]
    for direction in range(12):
        other = around[site, direction]
        touch(grid, saved, lists, marks, numbers, other)
        grid[other, ENERGY] += of_metal if grid[other, STATE] == METAL else of_others


@compiled
def move_metal(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saved: Int32Array,
    lists: LinkArray,
    marks: Int32Array,
    numbers: Int64Array,
    start: int,
    direction: int,
) -> None:
    """Move an atom to an empty neighbour."""
    end = around[start, direction]
    at_start, at_end = grid[start, COUNT], grid[end, COUNT] - 1
    touch(grid, saved, lists, marks, numbers, start)
    touch(grid, saved, lists, marks, numbers, end)
    grid[start, STATE], grid[end, STATE] = EMPTY, METAL
    grid[start, COUNT], grid[end, COUNT] = at_start + 1, at_end
    for other_direction in range(12):
        other = around[start, other_direction]
        touch(grid, saved, lists, marks, numbers, other)
        grid[other, ENERGY] -= levels[SLOPE, at_start + (grid[other, STATE] != METAL)]
        other = around[end, other_direction]
        touch(grid, saved, lists, marks, numbers, other)
        grid[other, ENERGY] += levels[SLOPE, at_end + (grid[other, STATE] != METAL)]
    back = OPPOSITE[direction]
    # the four shared sites lose one neighbour and gain another
    for place in range(7):
        loser, winner = around[start, APART[direction, place]], around[end, APART[back, place]]
        _recount(around, grid, levels, saved, lists, marks, numbers, loser, -1)
        _recount(around, grid, levels, saved, lists, marks, numbers, winner, 1)
    grid[start, ENERGY] = site_energy(around, grid, levels, start)
    grid[end, ENERGY] = site_energy(around, grid, levels, end)
    grid[start, BEND], grid[end, BEND] = 0, levels[CURVATURE, at_end]


@compiled
def change_metal(
    around: LinkArray,
    grid: Int32Array,
    levels: Int32Array,
    saved: Int32Array,
    lists: LinkArray,
    marks: Int32Array,
    numbers: Int64Array,
    site: int,
    state: int,
) -> None:
    """Turn metal into something else, or something else into metal, in place."""
    gain = 1 if state == METAL else -1
    count, energy = grid[site, COUNT], grid[site, ENERGY]
    touch(grid, saved, lists, marks, numbers, site)
    grid[site, STATE] = state
    grid[site, BEND] = levels[CURVATURE, count] if gain > 0 else 0
    for direction in range(12):
        other = around[site, direction]
        touch(grid, saved, lists, marks, numbers, other)
        grid[other, ENERGY] += gain * levels[SLOPE, count + (grid[other, STATE] != METAL)]
        _recount(around, grid, levels, saved, lists, marks, numbers, other, gain)
    grid[site, ENERGY] = energy  # the same before an atom comes and after


@compiled
def count_all(around: LinkArray, grid: Int32Array, levels: Int32Array) -> None:
    """Make counts, energies and second differences anew from the occupation."""
    n_sites = len(grid) - 1
    for site in range(n_sites):
        count = 0
        for direction in range(12):
            count += grid[around[site, direction], STATE] == METAL
        grid[site, COUNT] = count
    for site in range(n_sites):
        grid[site, ENERGY] = site_energy(around, grid, levels, site)
        is_metal = grid[site, STATE] == METAL
        grid[site, BEND] = levels[CURVATURE, grid[site, COUNT]] if is_metal else 0
    grid[n_sites, COUNT], grid[n_sites, ENERGY], grid[n_sites, BEND] = 0, 0, 0
