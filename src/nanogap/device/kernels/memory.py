"""Hops that are remembered: what they change, for when nothing near them has changed since.

Nearly all events are atoms that go to and fro between the same places. What a hop changes follows
from what is near it: rows of `Sites.grid`, rates, and the sums above them. All this is kept for
both of its directions and written back when the hop comes again, which gives the same bits as to
work it out again.

Whether all is as it was, numbers of versions tell: one of every eight of the tree's leaves, new
whenever an event changes a row, a mask or a potential in it, and what it was again when a hop is
undone. So one number never stands for two contents. A hop reads the sites that it touches, those
whose rates it makes anew, and their neighbours.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    BEND,
    CELLS_AROUND,
    COUNT,
    ENERGY,
    FIXED,
    GENERATION,
    MEMORY_HEAD,
    MEMORY_RATES,
    MEMORY_SLOTS,
    MEMORY_WORDS,
    METAL_POTENTIAL,
    N_CHANGED,
    N_COUNTS_CHANGED,
    N_ENERGIES,
    N_NODES,
    N_OWN,
    N_OWN_CELLS,
    N_RATES,
    N_READ,
    N_STALE,
    N_SUMS,
    N_TOUCHED,
    STALE,
    STATE,
    TOUCHED,
    Int32Array,
    LinkArray,
    Memory,
    Sites,
    Tree,
    Work,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.kernels.masks import empty_around
from nanogap.device.kernels.tree import sum_of_eight
from nanogap.device.lattice import EMPTY, METAL, OPPOSITE

#: Most sites whose count a hop changes: its ends, and seven neighbours of each alone.
_RECOUNTED = 16


@compiled
def forget(memory: Memory) -> None:
    """Forget all hops."""
    memory.keys[:] = -1


@inlined
def _list_cell(memory: Memory, cell: int, count: int, mark: int) -> int:
    """List a cell once; return how many are listed."""
    if memory.marks[cell] != mark:
        memory.marks[cell] = mark
        memory.listed[count] = cell
        count += 1
    return count


@compiled
def change_cells(tree: Tree, work: Work) -> None:
    """Give a new version to the cells of the listed sites, whose content an event changed."""
    memory, numbers = work.memory, work.numbers
    mark, count = numbers[GENERATION], 0
    outside = len(tree.leaf) - 1
    for row in range(2):
        for place in range(numbers[N_TOUCHED + row]):
            site = work.lists[row, place]
            if site != outside:
                count = _list_cell(memory, tree.leaf[site] >> 3, count, mark)
    for place in range(count):
        cell = memory.listed[place]
        memory.before[place] = memory.versions[cell]
        memory.versions[cell] = mark
    numbers[N_OWN_CELLS] = count


@inlined
def _slot(key: int) -> int:
    """Return where a hop is kept."""
    return (key * 2654435761 >> 16) & (MEMORY_SLOTS - 1)


@inlined
def _key_and_side(around: LinkArray, site: int, direction: int) -> tuple[int, int]:
    """Return the number of a bond, the same for both directions, and the end that is the start."""
    back = OPPOSITE[direction]
    if back < direction:
        return np.int64(around[site, direction]) * 12 + back, 1
    return np.int64(site) * 12 + direction, 0  # type: ignore[return-value]


@inlined
def _write(tree: Tree, grid: Int32Array, work: Work, slot: int, side: int, n_cells: int) -> bool:
    """Write what the hop just done has changed into a slot; return whether there is room."""
    memory, numbers = work.memory, work.numbers
    n_sites, n_rates, n_sums = numbers[N_TOUCHED], numbers[N_CHANGED], numbers[N_SUMS]
    own = numbers[N_OWN_CELLS]
    room = MEMORY_HEAD + own + 2 * n_cells + 2 * n_sites + 3 * _RECOUNTED + n_rates + 2 * n_sums
    memory.keys[slot] = -1
    if room > MEMORY_WORDS or n_rates > MEMORY_RATES:
        return False
    words = memory.words[slot]
    sign = 1 - 2 * side
    at = MEMORY_HEAD
    for place in range(n_cells):
        cell = memory.listed[place]
        words[at] = cell
        words[at + 1 + side] = memory.before[place] if place < own else memory.versions[cell]
        if place < own:
            words[at + 2 - side] = memory.versions[cell]
            at += 3
        else:
            words[at + 1] = memory.versions[cell]
            at += 2
    kinds = 0
    outside = len(tree.leaf) - 1
    for place in range(n_sites):
        near = work.lists[TOUCHED, place]
        rise = grid[near, ENERGY] - work.saved[place, ENERGY]
        if near != outside and rise != 0:
            words[at], words[at + 1] = near, sign * rise
            at += 2
            kinds += 1
    words[N_ENERGIES] = kinds
    kinds = 0
    for place in range(n_sites):
        near = work.lists[TOUCHED, place]
        bend = grid[near, BEND] - work.saved[place, BEND]
        more = grid[near, COUNT] - work.saved[place, COUNT]
        if near != outside and (bend != 0 or more != 0):
            words[at], words[at + 1], words[at + 2] = near, sign * bend, sign * more
            at += 3
            kinds += 1
    words[N_COUNTS_CHANGED] = kinds
    for place in range(n_rates):
        leaf = work.nodes[place]
        words[at] = leaf
        memory.rates[slot, side, place] = work.old_rates[place]
        memory.rates[slot, 1 - side, place] = tree.sums[leaf]
        at += 1
    for place in range(n_sums):
        words[at], words[at + 1] = work.nodes[n_rates + place], work.children[place]
        at += 2
    words[N_READ], words[N_OWN] = n_cells - own, own
    words[N_RATES], words[N_NODES] = n_rates, n_sums
    return True


@compiled
def remember(sites: Sites, tree: Tree, work: Work, site: int, direction: int, donor: int) -> None:
    """Keep what the hop just done has changed; ``donor`` gives potential to the hop back."""
    around, grid, fields = sites.around, sites.grid, sites.fields
    memory, numbers = work.memory, work.numbers
    if donor < 0 or fields[site, METAL_POTENTIAL] != fields[donor, METAL_POTENTIAL]:
        return  # the hop back would give the atom another potential than it had
    mark, own = numbers[GENERATION], numbers[N_OWN_CELLS]
    count = own
    outside = len(tree.leaf) - 1
    for place in range(numbers[N_STALE]):
        near = work.lists[STALE, place]
        if near == outside:
            continue
        count = _list_cell(memory, tree.leaf[near] >> 3, count, mark)
        if grid[near, STATE] != METAL or sites.flags[near, FIXED]:
            continue
        if empty_around(sites.masks, near) != 0:
            own_cell = tree.leaf[near] >> 3
            for other in range(CELLS_AROUND):
                cell = tree.cells[near, other]
                if cell == own_cell:
                    break
                count = _list_cell(memory, cell, count, mark)
    key, side = _key_and_side(around, site, direction)
    slot = _slot(key)
    if _write(tree, grid, work, slot, side, count):
        memory.keys[slot] = key


@inlined
def _is_as_it_was(memory: Memory, slot: int, side: int) -> bool:
    """Return whether all that a remembered hop reads is as it was on one side."""
    versions, words = memory.versions, memory.words
    first = MEMORY_HEAD
    for place in range(words[slot, N_OWN]):
        at = np.uint32(first + 3 * place)
        if versions[np.uint32(words[slot, at])] != words[slot, at + 1 + side]:
            return False
    first += 3 * words[slot, N_OWN]
    for place in range(words[slot, N_READ]):
        at = np.uint32(first + 2 * place)
        if versions[np.uint32(words[slot, at])] != words[slot, at + 1]:
            return False
    return True


@inlined
def recall(sites: Sites, tree: Tree, memory: Memory, site: int, direction: int) -> bool:
    """Write what a hop changes, if it is remembered and all is as it was; return whether."""
    key, side = _key_and_side(sites.around, site, direction)
    slot = _slot(key)
    if memory.keys[slot] != key or not _is_as_it_was(memory, slot, side):
        return False
    versions, words, rates = memory.versions, memory.words, memory.rates
    own = words[slot, N_OWN]
    for place in range(own):
        at = np.uint32(MEMORY_HEAD + 3 * place)
        versions[np.uint32(words[slot, at])] = words[slot, at + 2 - side]
    first = MEMORY_HEAD + 3 * own + 2 * words[slot, N_READ]
    grid, sums = sites.grid, tree.sums
    sign = 1 - 2 * side
    for place in range(words[slot, N_ENERGIES]):
        at = np.uint32(first + 2 * place)
        grid[np.uint32(words[slot, at]), ENERGY] += sign * words[slot, at + 1]
    first += 2 * words[slot, N_ENERGIES]
    for place in range(words[slot, N_COUNTS_CHANGED]):
        at = np.uint32(first + 3 * place)
        near = np.uint32(words[slot, at])
        grid[near, BEND] += sign * words[slot, at + 1]
        grid[near, COUNT] += sign * words[slot, at + 2]
    first += 3 * words[slot, N_COUNTS_CHANGED]
    grid[site, STATE], grid[sites.around[site, direction], STATE] = EMPTY, METAL
    for place in range(words[slot, N_RATES]):
        leaf = np.uint32(words[slot, np.uint32(first + place)])
        sums[leaf] = rates[slot, 1 - side, place]
    first += words[slot, N_RATES]
    for place in range(words[slot, N_NODES]):
        at = np.uint32(first + 2 * place)
        sums[np.uint32(words[slot, at])] = sum_of_eight(sums, words[slot, at + 1])
    return True
