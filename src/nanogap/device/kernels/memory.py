"""Hops that are remembered: what they change, for when nothing near them has changed since.

Nearly all events are atoms that go to and fro between the same places. What a hop changes follows
from what is near it: rows of `Sites.grid`, rates, and the sums above them. All this is kept for
both of its directions and written back when the hop comes again, which gives the same bits as to
work it out again.

Whether all is as it was, fingerprints tell: one of every eight of the tree's leaves, a sum of
random numbers of 64 bits, one of each atom and ion that stands in the cell or beside it (times its
potential), and of each site of the cell, times its energy. It follows from the content alone, in
whichever order events led there, and two contents share one by a chance of 5e-20. A hop reads the
sites that it touches, those whose rates it makes anew, and their neighbours; the sum of the
fingerprints of their cells is what is compared. A bond has several places, for the several
surroundings among which it finds itself time and again.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    BEND,
    CELLS_AROUND,
    COUNT,
    ENERGY,
    FIXED,
    GENERATION,
    MEMORY_CELLS,
    MEMORY_HEAD,
    MEMORY_RATES,
    MEMORY_SLOTS,
    MEMORY_WAYS,
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
from nanogap.device.kernels.compiling import bits_of, compiled, inlined
from nanogap.device.kernels.masks import empty_around
from nanogap.device.kernels.tree import sum_of_eight
from nanogap.device.lattice import EMPTY, ION, METAL, OPPOSITE

#: Most sites whose count a hop changes: its ends, and seven neighbours of each alone.
_RECOUNTED = 16
#: What the random number of a site is multiplied by where an ion stands there.
_OF_ION = -7723592293110705685


@compiled
def forget(memory: Memory) -> None:
    """Forget all hops."""
    memory.keys[:] = -1


@inlined
def _random(site: int) -> int:
    """Return the random number of a site, odd: MurmurHash3's finalizer (Appleby, 2011)."""
    mixed = (np.int64(site) + 1) * -7046029254386353131
    mixed ^= (mixed >> 33) & 0x7FFFFFFF
    mixed *= -49064778989728563
    mixed ^= (mixed >> 33) & 0x7FFFFFFF
    mixed *= -4265267296055464877
    mixed ^= (mixed >> 33) & 0x7FFFFFFF
    return mixed | 1  # type: ignore[return-value]


@inlined
def _list_cell(memory: Memory, cell: int, count: int, mark: int) -> int:
    """List a cell once, with its fingerprint; return how many are listed."""
    if memory.marks[cell] != mark:
        memory.marks[cell] = mark
        memory.listed[count] = cell
        memory.before[count] = memory.fingerprints[cell]
        count += 1
    return count


@compiled
def _shift_around(tree: Tree, work: Work, site: int, rise: int) -> None:
    """Add to the fingerprints of the cells of a site and of its neighbours."""
    memory, numbers = work.memory, work.numbers
    mark, count = numbers[GENERATION], numbers[N_OWN_CELLS]
    own = tree.cells[site, CELLS_AROUND - 1]
    for place in range(CELLS_AROUND):
        cell = tree.cells[site, place]
        count = _list_cell(memory, cell, count, mark)
        memory.fingerprints[cell] += rise
        if cell == own:
            break
    numbers[N_OWN_CELLS] = count


@inlined
def take_out(sites: Sites, tree: Tree, work: Work, site: int) -> None:
    """Follow, in the fingerprints, an atom or ion that is about to leave or to change."""
    _shift_around(tree, work, site, -_weight(sites, site))


@inlined
def put_in(sites: Sites, tree: Tree, work: Work, site: int) -> None:
    """Follow, in the fingerprints, an atom or ion that has come or changed."""
    _shift_around(tree, work, site, _weight(sites, site))


@inlined
def _weight(sites: Sites, site: int) -> int:
    """Return what an atom or ion adds to fingerprints, 0 of an empty site."""
    state = sites.grid[site, STATE]
    if state == METAL:
        return _random(site) * (2 * bits_of(sites.fields[site, METAL_POTENTIAL]) + 1)  # type: ignore[no-any-return]
    return _random(site) * _OF_ION if state == ION else 0


@compiled
def follow_energies(sites: Sites, tree: Tree, work: Work) -> None:
    """Follow, in the fingerprints, the energies that an event has changed."""
    grid, memory, numbers = sites.grid, work.memory, work.numbers
    mark, count = numbers[GENERATION], numbers[N_OWN_CELLS]
    outside = len(tree.leaf) - 1
    for place in range(numbers[N_TOUCHED]):
        site = work.lists[TOUCHED, place]
        rise = np.int64(grid[site, ENERGY]) - work.saved[place, ENERGY]
        if site != outside and rise != 0:
            cell = tree.leaf[site] >> 3
            count = _list_cell(memory, cell, count, mark)
            memory.fingerprints[cell] += rise * _random(site + outside)
    numbers[N_OWN_CELLS] = count


@inlined
def _set(key: int) -> int:
    """Return the first of the places in which a hop is kept."""
    return ((key * 2654435761 >> 16) & (MEMORY_SLOTS // MEMORY_WAYS - 1)) * MEMORY_WAYS


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
    room = MEMORY_HEAD + n_cells + 2 * n_sites + 3 * _RECOUNTED + n_rates + 2 * n_sums
    memory.keys[slot] = -1
    if room > MEMORY_WORDS or n_rates > MEMORY_RATES or own > MEMORY_CELLS:
        return False
    words = memory.words[slot]
    sign = 1 - 2 * side
    at = MEMORY_HEAD
    before, after = np.int64(0), np.int64(0)
    for place in range(n_cells):
        cell = memory.listed[place]
        words[at] = cell
        at += 1
        now = memory.fingerprints[cell]
        before += memory.before[place]
        after += now
        if place < own:
            memory.rises[slot, place] = sign * (now - memory.before[place])
    memory.sums[slot, side], memory.sums[slot, 1 - side] = before, after
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
    words[N_READ], words[N_OWN] = n_cells, own
    words[N_RATES], words[N_NODES] = n_rates, n_sums
    return True


@inlined
def _list_read(sites: Sites, tree: Tree, work: Work) -> int:
    """List the cells that the hop just done reads, after those that it changes; return how many."""
    grid, memory, numbers = sites.grid, work.memory, work.numbers
    mark, count = numbers[GENERATION], numbers[N_OWN_CELLS]
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
    return count  # type: ignore[no-any-return]


@compiled
def remember(sites: Sites, tree: Tree, work: Work, site: int, direction: int, donor: int) -> None:
    """Keep what the hop just done has changed; ``donor`` gives potential to the hop back."""
    around, grid, fields = sites.around, sites.grid, sites.fields
    memory = work.memory
    if donor < 0 or fields[site, METAL_POTENTIAL] != fields[donor, METAL_POTENTIAL]:
        return  # the hop back would give the atom another potential than it had
    count = _list_read(sites, tree, work)
    key, side = _key_and_side(around, site, direction)
    first = _set(key)
    slot = first + (work.numbers[GENERATION] & (MEMORY_WAYS - 1))
    for way in range(MEMORY_WAYS):
        if memory.keys[first + way] < 0:
            slot = first + way
            break
    if _write(tree, grid, work, slot, side, count):
        memory.keys[slot] = key


@inlined
def _is_as_it_was(memory: Memory, slot: int, side: int) -> bool:
    """Return whether all that a remembered hop reads is as it was on one side."""
    fingerprints, words = memory.fingerprints, memory.words
    total = np.int64(0)
    for place in range(words[slot, N_READ]):
        total += fingerprints[np.uint32(words[slot, np.uint32(MEMORY_HEAD + place)])]
    return total == memory.sums[slot, side]  # type: ignore[no-any-return]


@inlined
def recall(sites: Sites, tree: Tree, memory: Memory, site: int, direction: int) -> bool:
    """Write what a hop changes, if it is remembered and all is as it was; return whether."""
    key, side = _key_and_side(sites.around, site, direction)
    first_slot = _set(key)
    slot = -1
    for way in range(MEMORY_WAYS):
        place = first_slot + way
        if memory.keys[place] == key and _is_as_it_was(memory, place, side):
            slot = place
            break
    if slot < 0:
        return False
    words, rates = memory.words, memory.rates
    sign = 1 - 2 * side
    for place in range(words[slot, N_OWN]):
        cell = np.uint32(words[slot, np.uint32(MEMORY_HEAD + place)])
        memory.fingerprints[cell] += sign * memory.rises[slot, place]
    first = MEMORY_HEAD + words[slot, N_READ]
    grid, sums = sites.grid, tree.sums
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
