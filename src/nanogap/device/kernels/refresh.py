"""The rates of one site, and of all whose surroundings an event has changed."""

from nanogap.device.kernels import ion_hop, metal_hop, redox
from nanogap.device.kernels.arrays import (
    BATH_REMOVAL,
    COUNT,
    FIXED,
    GENERATION,
    N_CHANGED,
    N_STALE,
    N_SUMS,
    N_TOUCHED,
    OXIDATION_RATE,
    REDOX_SLOT,
    REMOVAL_SLOT,
    STALE,
    STATE,
    TOUCHED,
    Sites,
    Tables,
    Tree,
    Work,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.kernels.lists import expire
from nanogap.device.kernels.masks import empty_around, first_direction, metal_around
from nanogap.device.kernels.memory import follow_energies, forget
from nanogap.device.kernels.tree import sum_above, sum_all
from nanogap.device.lattice import EMPTY, ION, METAL
from nanogap.typing import FloatArray


@inlined
def fill_site(sites: Sites, tables: Tables, site: int, rates: FloatArray) -> float:
    """Fill in the rates of all events of a site, as `rates_of_site`, where each event asks."""
    around, grid, masks = sites.around, sites.grid, sites.masks
    inverse_temperature, force = sites.inverse_temperature, sites.force
    levels, saddle, numbers = tables.levels, tables.saddle, tables.numbers
    rates[REDOX_SLOT] = 0.0
    rates[REMOVAL_SLOT] = 0.0
    state = grid[site, STATE]
    if state == METAL:
        if sites.flags[site, FIXED] or grid[site, COUNT] == 12:
            return 0.0
        if len(inverse_temperature) == 0:
            total = metal_hop.fill_rates(
                around, grid, masks, levels, saddle, tables.rate, numbers, site, rates
            )
        else:
            total = metal_hop.fill_local_rates(
                around,
                grid,
                masks,
                levels,
                saddle,
                inverse_temperature,
                force,
                numbers,
                site,
                rates,
            )
    elif state == ION:
        total = ion_hop.fill_rates(
            around, masks, sites.fields, inverse_temperature, numbers, site, rates
        )
        rates[REMOVAL_SLOT] = numbers[BATH_REMOVAL]
        total += rates[REMOVAL_SLOT]
    else:
        return 0.0
    if numbers[OXIDATION_RATE] > 0.0:
        rates[REDOX_SLOT] = redox.rate(
            around, grid, sites.fields, inverse_temperature, levels, tables.bound, numbers, site
        )
        total += rates[REDOX_SLOT]
    return total


@compiled
def rates_of_site(sites: Sites, tables: Tables, site: int, rates: FloatArray) -> float:
    """Fill in the rates of all events of a site; return their sum, 1/s."""
    return fill_site(sites, tables, site, rates)


@inlined
def refresh(sites: Sites, tables: Tables, tree: Tree, work: Work) -> None:
    """Make anew the rates of the touched sites, and of the metal beside touched empty ones."""
    around, grid, flags = sites.around, sites.grid, sites.flags
    masks = sites.masks
    lists, marks, numbers = work.lists, work.marks, work.numbers
    sums, leaves, nodes = tree.sums, tree.leaf, work.nodes
    follow_energies(sites, tree, work)
    mark, count = numbers[GENERATION], numbers[N_STALE]
    for place in range(numbers[N_TOUCHED]):
        site = lists[TOUCHED, place]
        if grid[site, STATE] == EMPTY:
            bits = metal_around(masks, site)
            while bits != 0:
                near = around[site, first_direction(bits)]
                count = expire(lists, marks, mark, count, near)
                bits &= bits - 1
        count = expire(lists, marks, mark, count, site)
    numbers[N_STALE] = count
    levels, saddle, table, singles = tables.levels, tables.saddle, tables.rate, tables.numbers
    rates = work.rates
    plain = len(sites.inverse_temperature) == 0 and singles[OXIDATION_RATE] == 0.0
    changed = 0
    for place in range(numbers[N_STALE]):
        site = lists[STALE, place]
        if grid[site, STATE] == EMPTY:
            rate = 0.0
        elif plain and grid[site, STATE] == METAL:
            rate = 0.0
            if empty_around(masks, site) != 0 and not flags[site, FIXED]:
                rate = metal_hop.fill_rates(
                    around, grid, masks, levels, saddle, table, singles, site, rates
                )
        else:
            rate = rates_of_site(sites, tables, site, rates)
        leaf = leaves[site]
        if sums[leaf] != rate:
            work.old_rates[changed] = sums[leaf]
            sums[leaf] = rate
            nodes[changed] = leaf
            changed += 1
    numbers[N_CHANGED] = changed
    numbers[N_SUMS] = sum_above(
        sums,
        tree.offsets,
        nodes,
        work.children,
        work.node_marks,
        mark,
        changed,
    )


@compiled
def refresh_all(sites: Sites, tables: Tables, tree: Tree, work: Work) -> None:
    """Make all rates and sums anew."""
    forget(work.memory)
    for site in range(len(sites.grid) - 1):
        tree.sums[tree.leaf[site]] = rates_of_site(sites, tables, site, work.rates)
    sum_all(tree.sums, tree.offsets)


@compiled
def refresh_charged(sites: Sites, tables: Tables, tree: Tree, work: Work) -> None:
    """Make anew the rates that depend on the potentials: those of ions and of the metal's surface.

    Counts, energies and the other rates must be those of the occupation.
    """
    forget(work.memory)
    grid, redox_happens = sites.grid, tables.numbers[OXIDATION_RATE] > 0.0
    for site in range(len(grid) - 1):
        state = grid[site, STATE]
        if state == ION or (redox_happens and state == METAL and grid[site, COUNT] < 12):
            tree.sums[tree.leaf[site]] = rates_of_site(sites, tables, site, work.rates)
    sum_all(tree.sums, tree.offsets)
