"""The rejection-free loop: draw a time, draw an event, do it, make anew what it changed.

Bortz, Kalos & Lebowitz, J. Comput. Phys. 17, 10 (1975), doi:10.1016/0021-9991(75)90060-1. The time
to the next event is exponential and has no memory, so what sticks out of a window is discarded and
drawn anew in the next.
"""

import numpy as np

from nanogap.device.kernels import redox
from nanogap.device.kernels.arrays import (
    BATH_INSERTION,
    CONTACT,
    DURATION,
    EVENTS,
    INSERTION,
    ION_HOP,
    IS_BRIDGED,
    LABEL,
    METAL_HOP,
    N_EMPTY,
    N_SLOTS,
    N_WATCHED,
    OPENED,
    OXIDATION,
    REDOX_SLOT,
    REDUCTION,
    REMOVAL,
    REMOVAL_SLOT,
    STATE,
    SURFACE,
    WATCHED,
    Counts,
    Int32Array,
    LinkArray,
    Sites,
    Tables,
    Tree,
    Work,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.kernels.energy import change_metal, move_metal
from nanogap.device.kernels.labels import relabel
from nanogap.device.kernels.lists import begin, expire_around
from nanogap.device.kernels.masks import ATOM_EMPTY, ATOM_ION, ION_EMPTY, toggle
from nanogap.device.kernels.memory import put_in, recall, remember, take_out
from nanogap.device.kernels.random import uniform
from nanogap.device.kernels.refresh import fill_site, refresh
from nanogap.device.kernels.tree import find_leaf
from nanogap.device.lattice import EMPTY, FLOATING, ION, METAL


@inlined
def _donor(around: LinkArray, grid: Int32Array, site: int, apart_from: int) -> int:
    """Return the metal whose potential new metal takes; -1 of none."""
    for direction in range(12):
        other = around[site, direction]
        if other != apart_from and grid[other, STATE] == METAL:
            return other  # type: ignore[no-any-return]
    return -1


@inlined
def _hop_metal(
    sites: Sites,
    tables: Tables,
    tree: Tree,
    work: Work,
    counts: Counts,
    site: int,
    direction: int,
) -> int:
    """Move an atom; return the kind of the event."""
    around, grid, flags, fields = sites.around, sites.grid, sites.flags, sites.fields
    numbers = work.numbers
    end = around[site, direction]
    donor = _donor(around, grid, end, site)
    redox.take_potential(fields, end, donor)
    toggle(around, sites.masks, site, ATOM_EMPTY)
    toggle(around, sites.masks, end, ATOM_EMPTY)
    if not recall(sites, tree, work.memory, site, direction):
        begin(work)
        take_out(sites, tree, work, site)
        move_metal(
            around,
            grid,
            tables.levels,
            work.saved,
            work.lists,
            work.marks,
            numbers,
            site,
            direction,
        )
        put_in(sites, tree, work, end)
        refresh(sites, tables, tree, work)
        remember(sites, tree, work, site, direction, _donor(around, grid, site, end))
    relabel(around, grid, sites.masks, flags, work.queue, counts.numbers, site, end)
    return METAL_HOP


@compiled
def _hop_ion(sites: Sites, tree: Tree, work: Work, site: int, direction: int) -> int:
    """Move an ion; return the kind of the event."""
    around, grid = sites.around, sites.grid
    end = around[site, direction]
    take_out(sites, tree, work, site)
    grid[site, STATE], grid[end, STATE] = EMPTY, ION
    put_in(sites, tree, work, end)
    toggle(around, sites.masks, site, ION_EMPTY)
    toggle(around, sites.masks, end, ION_EMPTY)
    expire_around(around, work.lists, work.marks, work.numbers, site)
    expire_around(around, work.lists, work.marks, work.numbers, end)
    return ION_HOP


@compiled
def _redox(
    sites: Sites, tables: Tables, tree: Tree, work: Work, counts: Counts, site: int, share: float
) -> int:
    """Oxidize an atom or reduce an ion; return the kind of the event."""
    around, grid, flags = sites.around, sites.grid, sites.flags
    partner = redox.choose_neighbour(
        around,
        grid,
        sites.fields,
        sites.inverse_temperature,
        tables.levels,
        tables.bound,
        tables.numbers,
        site,
        share,
    )
    counts.numbers[N_WATCHED] += flags[site, WATCHED]
    label = flags[partner, LABEL] if partner >= 0 else FLOATING
    oxidized = grid[site, STATE] == METAL
    take_out(sites, tree, work, site)
    counts.transferred[label] += 1 if oxidized else -1
    if not oxidized:
        redox.take_potential(sites.fields, site, partner)
    change_metal(
        around,
        grid,
        tables.levels,
        work.saved,
        work.lists,
        work.marks,
        work.numbers,
        site,
        ION if oxidized else METAL,
    )
    put_in(sites, tree, work, site)
    toggle(around, sites.masks, site, ATOM_ION)
    left, come = (site, -1) if oxidized else (-1, site)
    relabel(around, grid, sites.masks, flags, work.queue, counts.numbers, left, come)
    return OXIDATION if oxidized else REDUCTION


@compiled
def _insert(sites: Sites, tree: Tree, work: Work, counts: Counts) -> int:
    """Put an ion on an empty site drawn at random; return the kind of the event."""
    around, grid = sites.around, sites.grid
    n_sites = len(grid) - 1
    site = int(uniform(counts.random) * n_sites)
    while grid[site, STATE] != EMPTY:
        site = int(uniform(counts.random) * n_sites)
    grid[site, STATE] = ION
    put_in(sites, tree, work, site)
    toggle(around, sites.masks, site, ION_EMPTY)
    counts.numbers[N_EMPTY] -= 1
    expire_around(around, work.lists, work.marks, work.numbers, site)
    return INSERTION


@compiled
def _remove(sites: Sites, tree: Tree, work: Work, counts: Counts, site: int) -> int:
    """Take an ion away; return the kind of the event."""
    take_out(sites, tree, work, site)
    sites.grid[site, STATE] = EMPTY
    toggle(sites.around, sites.masks, site, ION_EMPTY)
    counts.numbers[N_EMPTY] += 1
    expire_around(sites.around, work.lists, work.marks, work.numbers, site)
    return REMOVAL


@inlined
def _do_event(
    sites: Sites,
    tables: Tables,
    tree: Tree,
    work: Work,
    counts: Counts,
    site: int,
    target: float,
) -> int:
    """Choose among the events of a site and do one; return its kind, -1 of none."""
    rates = work.rates
    if fill_site(sites, tables, site, rates) <= 0.0:
        return -1
    slot = -1
    for other in range(N_SLOTS):
        if rates[other] > 0.0:
            slot = other  # the last possible, where rounding carries the target beyond all
            if target < rates[other]:
                break
            target -= rates[other]
    if slot < REDOX_SLOT and sites.grid[site, STATE] == METAL:
        return _hop_metal(sites, tables, tree, work, counts, site, slot)
    begin(work)
    if slot == REMOVAL_SLOT:
        kind = _remove(sites, tree, work, counts, site)
    elif slot == REDOX_SLOT:
        kind = _redox(sites, tables, tree, work, counts, site, uniform(counts.random))
    else:
        kind = _hop_ion(sites, tree, work, site, slot)
    refresh(sites, tables, tree, work)
    return kind


@compiled
def run(
    sites: Sites,
    tables: Tables,
    tree: Tree,
    work: Work,
    counts: Counts,
    elapsed: float,
    window: float,
    most_events: int,
    stop_on_contact: bool,
    watched: int,
) -> tuple[float, int, int]:
    """Run events until a window of time ends, or enough has happened.

    Parameters
    ----------
    sites, tables, tree, work, counts
        See `nanogap.device.kernels.arrays`.
    elapsed, window : float
        Time since the window began, and its length, s. A window cut into several calls gives the
        same bits.
    most_events : int
    stop_on_contact : bool
        Also when a contact opens.
    watched : int
        Count of oxidations and reductions at watched sites at which to stop.

    Returns
    -------
    elapsed : float
        s.
    events : int
    reason : int
    """
    root = tree.offsets[-1]
    for done in range(most_events):
        of_sites = tree.sums[root]
        total = of_sites + tables.numbers[BATH_INSERTION] * counts.numbers[N_EMPTY]
        if total <= 0.0:
            return window, done, DURATION
        step = -np.log(1.0 - uniform(counts.random)) / total
        if not elapsed + step < window:
            return window, done, DURATION
        elapsed += step
        target = uniform(counts.random) * total
        bridged = counts.numbers[IS_BRIDGED]
        kind = -1
        if target < of_sites:
            leaf, target = find_leaf(tree.sums, tree.offsets, target)
            if leaf >= 0:
                kind = _do_event(sites, tables, tree, work, counts, tree.site[leaf], target)
        elif tables.numbers[BATH_INSERTION] > 0.0:
            begin(work)
            kind = _insert(sites, tree, work, counts)
            refresh(sites, tables, tree, work)
        if kind < 0:
            continue
        counts.events[kind] += 1
        if stop_on_contact and counts.numbers[IS_BRIDGED] != bridged:
            reason = CONTACT if counts.numbers[IS_BRIDGED] else OPENED
            return elapsed, done + 1, reason
        if counts.numbers[N_WATCHED] >= watched:
            return elapsed, done + 1, SURFACE
    return elapsed, most_events, EVENTS
