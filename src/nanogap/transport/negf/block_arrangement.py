"""Arrangement of the blocks of H and S in the dense matrices of the block elimination."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nanogap.transport.negf.blocks import PairBlocks, Placement
from nanogap.transport.negf.elimination_order import (
    EliminationOrder,
    EliminationStep,
    plan_elimination,
)
from nanogap.transport.negf.lead_side import LeadSide
from nanogap.transport.negf.leads import Lead
from nanogap.transport.negf.self_energy import Contact, ContactPairs, find_copies
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS, orbitals_of
from nanogap.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class FrontalMatrix:
    """Frontal matrix of one step of the elimination: the group, then its front.

    Attributes
    ----------
    step : EliminationStep
    pairs : Placement
        E S - H from the group (rows) to the group and its front.
    inherited : ndarray of int
        Places in it of the atoms of the previous front, first orbitals.
    """

    step: EliminationStep
    pairs: Placement
    inherited: IntArray


@dataclass(frozen=True)
class BlockArrangement:
    """Blocks of a junction, in the order of the elimination and with their places in it.

    Attributes
    ----------
    reached : ndarray of bool, shape (n_atoms,)
        Atoms of the channel that couple to a lead over any others; the rest is left out, and the
        others are numbered without it.
    contacts : tuple of Contact
        Of the left and of the right lead.
    pairs : PairBlocks
        In the order of the placements, each pair at least in one direction; atoms of the leads
        have the number -1.
    order : EliminationOrder
    branches : tuple of list of FrontalMatrix
        From the left and from the right lead towards the central block.
    central : Placement
        Of the central block.
    last_fronts : tuple of ndarray of int
        Places in the central block of the atoms of the last front of each branch, first orbitals.
    connected : bool
        Whether orbitals couple from lead to lead.
    """

    reached: BoolArray
    contacts: tuple[Contact, Contact]
    pairs: PairBlocks
    order: EliminationOrder
    branches: tuple[list[FrontalMatrix], list[FrontalMatrix]]
    central: Placement
    last_fronts: tuple[IntArray, IntArray]
    connected: bool


class LeadSurface:
    """Atoms of a lead that are within reach of the channel.

    Parameters
    ----------
    side : LeadSide
        Where the lead is cut.
    lead : Lead
    inside : ndarray, shape (n, 3)
        Atoms of the channel, angstrom.
    reach : float
        How far along z atoms couple, angstrom.

    Attributes
    ----------
    lead : Lead
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    densities : ndarray, shape (3 or 84, n_atoms)
        Surroundings in the endless lead, see `atom_densities`.
    translation : ndarray of int, shape (n_atoms,)
        Translation of the lead that each atom belongs to.
    motif : ndarray of int, shape (n_atoms,)
        Atom of the motif of a principal layer.
    """

    def __init__(self, side: LeadSide, lead: Lead, inside: FloatArray, reach: float) -> None:
        unit, count = lead.unit, len(lead.unit.positions)
        self.lead = lead
        copies = np.repeat(np.arange(lead.layers), count)
        step = np.array([0.0, 0.0, unit.direction * unit.period])
        positions = np.tile(unit.positions, (lead.layers, 1)) + copies[:, None] * step + side.origin
        nearest = inside[:, 2].min() if unit.direction < 0 else inside[:, 2].max()
        seen = np.abs(positions[:, 2] - nearest) <= reach
        self.positions = positions[seen]
        self.densities = np.tile(lead.densities, lead.layers)[:, seen]
        within = np.tile(np.arange(count), lead.layers)
        self.translation = (within // unit.motif_size)[seen]
        self.motif = (copies * unit.motif_size + within % unit.motif_size)[seen]


def arrange_blocks(
    pairs: PairBlocks, translations: IntArray, positions: FloatArray, surfaces: list[LeadSurface]
) -> BlockArrangement:
    """Arrange the blocks of all pairs for the elimination.

    Parameters
    ----------
    pairs : PairBlocks
        Between the atoms of the channel, then of the left and of the right surface.
    translations : ndarray, shape (n_t, 2)
        Lattice translations in the plane, cell vectors.
    positions : ndarray, shape (n_atoms, 3)
        Atoms of the channel, angstrom.
    surfaces : list of LeadSurface
        Of the left and of the right lead.

    Returns
    -------
    BlockArrangement
    """
    n = len(positions)
    ends = np.cumsum([n, *(len(near.positions) for near in surfaces)])
    part = np.searchsorted(ends, np.arange(ends[-1]), side="right")
    own = (part[pairs.first] == 0) & (part[pairs.second] == 0)
    touching = [(part[pairs.first] == 0) & (part[pairs.second] == side) for side in (1, 2)]
    graph = _pattern(pairs.first[own], pairs.second[own], n)
    _, component = connected_components(graph, directed=False)
    seen = [np.unique(component[pairs.first[selected]]) for selected in touching]
    reached = np.isin(component, np.concatenate(seen))
    number = np.cumsum(reached) - 1
    own[own] = reached[pairs.first[own]]
    which = [np.flatnonzero(selected) for selected in touching]
    touched = [np.unique(number[pairs.first[members]]) for members in which]
    rows = [
        np.searchsorted(atoms, number[pairs.first[members]])
        for atoms, members in zip(touched, which, strict=True)
    ]
    inner = np.flatnonzero(own)
    first, second = number[pairs.first[inner]], number[pairs.second[inner]]
    count = int(np.count_nonzero(reached))
    order = plan_elimination(
        _pattern(first, second, count), positions[reached, 2], (touched[0], touched[1])
    )
    placer, contacts = _Placer(), []
    inside = positions[reached]
    for side, near in enumerate(surfaces):
        members, atoms = which[side], touched[side]
        partner = pairs.second[members] - ends[side]
        motif = np.unique(near.motif[partner])
        columns = np.searchsorted(motif, near.motif[partner])
        contact = ContactPairs(
            pairs.taken(members), rows[side], near.translation[partner], columns, translations
        )
        copies = find_copies(near.lead, inside[atoms], contact)
        n_rows, number_of = len(atoms), np.arange(len(atoms))
        if copies is not None:  # the couplings of the originals are enough
            n_rows, number_of = len(copies.originals), np.full(len(atoms), -1)
            number_of[copies.originals] = np.arange(n_rows)
        used = number_of[rows[side]] >= 0
        stacked = near.translation[partner] * n_rows + number_of[rows[side]]
        placement = placer.add(members[used], stacked[used], columns[used])
        contacts.append(Contact(near.lead, atoms, orbitals_of(motif), placement, copies))
    branches, last_fronts, central = _place_fronts(order, placer, inner, first, second)
    own_number = np.append(number, np.full(len(part) - n, -1))
    return BlockArrangement(
        reached=reached,
        contacts=(contacts[0], contacts[1]),
        pairs=pairs.taken(placer.order).renumbered(np.where(part == 0, own_number, -1)),
        order=order,
        branches=branches,
        central=central,
        last_fronts=last_fronts,
        connected=bool(np.intersect1d(seen[0], seen[1]).size),
    )


def _place_fronts(
    order: EliminationOrder, placer: "_Placer", inner: IntArray, first: IntArray, second: IntArray
) -> tuple[tuple[list[FrontalMatrix], list[FrontalMatrix]], tuple[IntArray, IntArray], Placement]:
    """Place the pairs `inner` of the channel, between its atoms `first` and `second`.

    Returns the branches, the places of the last fronts, and the central block, as a
    `BlockArrangement` has them.
    """
    count = sum(len(step.group) for branch in order.branches for step in branch) + len(
        order.central
    )
    # when each atom is eliminated, in its own branch; those of the central block come last
    turn = np.full(count, np.iinfo(np.intp).max)
    owner = np.full(count, -1)
    steps = [step for branch in order.branches for step in branch]
    for branch in order.branches:
        for number, step in enumerate(branch):
            turn[step.group] = number
    for number, step in enumerate(steps):
        owner[step.group] = number
    later = turn[first] <= turn[second]
    inner, first, second = inner[later], first[later], second[later]
    by_owner = np.argsort(owner[first], kind="stable")
    edges = np.searchsorted(owner[first][by_owner], np.arange(-1, len(steps) + 1))
    members = [by_owner[start:stop] for start, stop in pairwise(edges)]
    place = np.zeros(count, dtype=np.intp)

    def placed(atoms: IntArray, chosen: IntArray) -> Placement:
        place[atoms] = np.arange(len(atoms))
        return placer.add(inner[chosen], place[first[chosen]], place[second[chosen]])

    branches: tuple[list[FrontalMatrix], list[FrontalMatrix]] = ([], [])
    last_fronts = []
    number = 0
    for side, branch in enumerate(order.branches):
        before = order.touched[side]
        for step in branch:
            number += 1
            pairs = placed(np.concatenate([step.group, step.front]), members[number])
            branches[side].append(FrontalMatrix(step, pairs, N_ORBITALS * place[before]))
            before = step.front
        last_fronts.append(before)
    central = placed(order.central, members[0])
    return (
        branches,
        (N_ORBITALS * place[last_fronts[0]], N_ORBITALS * place[last_fronts[1]]),
        central,
    )


class _Placer:
    """Collects pairs in the order in which they are used."""

    def __init__(self) -> None:
        self._parts: list[IntArray] = []
        self._count = 0

    def add(self, members: IntArray, rows: IntArray, columns: IntArray) -> Placement:
        """Place some pairs in a matrix by the numbers of their atoms in it."""
        start = self._count
        self._parts.append(members)
        self._count += len(members)
        return Placement(start, self._count, N_ORBITALS * rows, N_ORBITALS * columns)

    @property
    def order(self) -> IntArray:
        """All pairs placed so far."""
        return np.concatenate(self._parts)


def _pattern(rows: IntArray, columns: IntArray, n: int) -> csr_array:
    """Mark which of n atoms couple, from pairs."""
    return csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
