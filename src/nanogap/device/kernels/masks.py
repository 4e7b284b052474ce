"""Neighbours that are metal, and neighbours that are empty, as bits.

Bit d of a mask says that the neighbour in direction d is metal, bit 12 + d that it is empty; an ion
and the outside are neither. Most sites that an event touches have no empty neighbour at all, which
one number tells.
"""

import numpy as np

from nanogap.device.kernels.arrays import STATE, Int32Array, LinkArray
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.lattice import EMPTY, METAL, OPPOSITE

ALL = 0xFFF
#: What a change of a site toggles in its neighbours' masks: atom and empty, ion and empty, atom
#: and ion.
ATOM_EMPTY, ION_EMPTY, ATOM_ION = 0x1001, 0x1000, 0x0001
#: Direction of a single bit, by its remainder on division by 13, of which 2 is a primitive root.
_DIRECTION = np.zeros(13, dtype=np.int64)
_DIRECTION[(1 << np.arange(12)) % 13] = np.arange(12)


@inlined
def metal_around(masks: LinkArray, site: int) -> int:
    """Return the bits of the metal neighbours."""
    return np.int64(masks[site]) & ALL  # type: ignore[return-value]


@inlined
def empty_around(masks: LinkArray, site: int) -> int:
    """Return the bits of the empty neighbours."""
    return np.int64(masks[site]) >> 12  # type: ignore[return-value]


@inlined
def first_direction(bits: int) -> int:
    """Return the first direction of which a bit is set."""
    return _DIRECTION[(bits & -bits) % 13]  # type: ignore[no-any-return]


@inlined
def toggle(around: LinkArray, masks: LinkArray, site: int, change: int) -> None:
    """Follow a change of a site in the masks of its neighbours."""
    for direction in range(12):
        other = around[site, direction]
        masks[other] ^= np.uint32(change << OPPOSITE[direction])


@compiled
def mask_all(around: LinkArray, grid: Int32Array, masks: LinkArray) -> None:
    """Make all masks anew."""
    for site in range(len(grid)):
        bits = 0
        for direction in range(12):
            state = grid[around[site, direction], STATE]
            bits |= (state == METAL) << direction
            bits |= (state == EMPTY) << (direction + 12)
        masks[site] = np.uint32(bits)
    masks[len(grid) - 1] = 0
