"""To which electrode metal belongs, followed event by event.

A cluster can only split where an atom leaves whose metal neighbours are not connected among
themselves, and only grow together where an atom comes whose neighbours have several labels. Only
then all metal is searched.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    BRIDGED,
    FIXED,
    FLOATING,
    IS_BRIDGED,
    LABEL,
    LOWER,
    N_SEARCHES,
    STATE,
    UPPER,
    ByteArray,
    Int32Array,
    LinkArray,
)
from nanogap.device.kernels.compiling import compiled
from nanogap.device.kernels.masks import metal_around
from nanogap.device.lattice import METAL, NEIGHBOUR_VECTORS
from nanogap.typing import BoolArray, Int64Array


def _connected_masks() -> BoolArray:
    """Whether the neighbours of a mask are connected among themselves, shape (4096,)."""
    apart = np.linalg.norm(NEIGHBOUR_VECTORS[:, None] - NEIGHBOUR_VECTORS[None], axis=2)
    near = ((apart < 1.01) * (1 << np.arange(12))).sum(axis=1)
    masks = np.arange(1 << 12)
    reached = masks & -masks
    for _ in range(12):
        grown = reached.copy()
        for direction in range(12):
            grown |= np.where(reached >> direction & 1, near[direction], 0)
        reached = grown & masks
    return np.asarray(reached == masks)


CONNECTED: BoolArray = _connected_masks()


@compiled
def _flood(
    around: LinkArray,
    grid: Int32Array,
    flags: ByteArray,
    queue: LinkArray,
    filled: int,
    label: int,
) -> int:
    """Spread a label from the queued sites; return how many carry it."""
    place = 0
    while place < filled:
        site = queue[place]
        place += 1
        for direction in range(12):
            other = around[site, direction]
            if grid[other, STATE] == METAL and flags[other, LABEL] == 0:
                flags[other, LABEL] = label
                queue[filled] = other
                filled += 1
    return filled


@compiled
def _queue_fixed(flags: ByteArray, queue: LinkArray, first: int, end: int, label: int) -> int:
    """Label the fixed atoms of a range of sites that have none, and queue them."""
    filled = 0
    for site in range(first, end):
        if flags[site, FIXED] and flags[site, LABEL] == 0:
            flags[site, LABEL] = label
            queue[filled] = site
            filled += 1
    return filled


@compiled
def label_all(
    around: LinkArray, grid: Int32Array, flags: ByteArray, queue: LinkArray, numbers: Int64Array
) -> None:
    """Label all metal: from the fixed lower half, the fixed upper half, and what is left."""
    numbers[N_SEARCHES] += 1
    n_sites = len(grid) - 1
    flags[:, LABEL] = 0
    filled = _queue_fixed(flags, queue, 0, n_sites // 2, LOWER)
    filled = _flood(around, grid, flags, queue, filled, LOWER)
    bridged = False
    for site in range(n_sites // 2, n_sites):
        if flags[site, FIXED] and flags[site, LABEL] == LOWER:
            bridged = True
    label = UPPER
    if bridged:
        label = BRIDGED
        for place in range(filled):
            flags[queue[place], LABEL] = label
    numbers[IS_BRIDGED] = bridged
    filled = _queue_fixed(flags, queue, n_sites // 2, n_sites, label)
    _flood(around, grid, flags, queue, filled, label)
    for site in range(n_sites):
        if grid[site, STATE] == METAL and flags[site, LABEL] == 0:
            flags[site, LABEL] = FLOATING


@compiled
def _label_of_neighbours(around: LinkArray, grid: Int32Array, flags: ByteArray, site: int) -> int:
    """Return the one label of the metal around a site, FLOATING of none, 0 of several."""
    found = 0
    for direction in range(12):
        other = around[site, direction]
        if grid[other, STATE] == METAL:
            label = flags[other, LABEL]
            if found == 0:
                found = label
            elif found != label:
                return 0
    return found if found > 0 else FLOATING


@compiled
def relabel(
    around: LinkArray,
    grid: Int32Array,
    masks: LinkArray,
    flags: ByteArray,
    queue: LinkArray,
    numbers: Int64Array,
    left: int,
    come: int,
) -> None:
    """Follow metal that left one site and came to another; -1 for none."""
    split = False
    if left >= 0:
        flags[left, LABEL] = 0
        split = not CONNECTED[metal_around(masks, left)]
    if come >= 0:
        flags[come, LABEL] = _label_of_neighbours(around, grid, flags, come)
        split = split or flags[come, LABEL] == 0
    if split:
        label_all(around, grid, flags, queue, numbers)
