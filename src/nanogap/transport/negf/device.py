"""A junction as the matrices that transport needs: leads, channel, and what couples them.

The leads begin as near to the channel's disorder as their perfect crystal allows, whatever the
labels of the junction say: planes that go on as the lead does are part of it.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nanogap.errors import StructureError
from nanogap.structure.junction import CHANNEL
from nanogap.transport.negf.blocks import PairBlocks, Placement
from nanogap.transport.negf.elimination_order import Elimination, Step, plan_elimination
from nanogap.transport.negf.lead_side import LeadSide
from nanogap.transport.negf.lead_unit import lead_unit
from nanogap.transport.negf.leads import Lead, get_lead
from nanogap.transport.negf.self_energy import Contact, ContactPairs, find_copies
from nanogap.transport.tight_binding.matrices import real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import FloatArray, IntArray

#: Optional per-atom array of a junction: added to the levels of channel atoms, eV.
SHIFT = "onsite_shift"

_SAME_PLACE = 1e-5


@dataclass(frozen=True)
class FrontPlan:
    """One step of the elimination, with where everything stands in its dense matrix.

    Attributes
    ----------
    step : Step
    pairs : Placement
        E S - H from the group (rows) to the group and its front.
    inherited : ndarray of int
        Where the atoms of the previous front stand, first orbitals.
    """

    step: Step
    pairs: Placement
    inherited: IntArray


@dataclass(frozen=True)
class Device:
    """A junction in the tight-binding model.

    Attributes
    ----------
    leads : tuple of Lead
        Left and right, as the junction labels them.
    contacts : tuple of Contact
        The same leads, cut where the crystal ends.
    translations : ndarray, shape (n_t, 2)
        Lattice translations in the plane, in cell vectors.
    positions : ndarray, shape (n_atoms, 3)
        Atoms of the channel, angstrom.
    atoms : ndarray of int, shape (n_atoms,)
        Which atom of the junction each is; -1 for one of a lead's further repeats.
    pairs : PairBlocks
        In the order of the placements, each pair at least in one direction; atoms of the leads
        have the number -1.
    plan : Elimination
    branches : tuple of list of FrontPlan
    middle : Placement
    landings : tuple of ndarray of int
        Where the atoms of the last front of each branch stand in the middle, first orbitals.
    connected : bool
        Whether orbitals couple from lead to lead.
    """

    leads: tuple[Lead, Lead]
    contacts: tuple[Contact, Contact]
    translations: IntArray
    positions: FloatArray
    atoms: IntArray
    pairs: PairBlocks
    plan: Elimination
    branches: tuple[list[FrontPlan], list[FrontPlan]]
    middle: Placement
    landings: tuple[IntArray, IntArray]
    connected: bool
    _blocks: dict[float, FloatArray] = field(default_factory=dict)

    @property
    def fermi_energy(self) -> float:
        """Fermi energy: the mean of the two leads', eV on the Hamiltonian's scale."""
        return (self.leads[0].fermi_energy + self.leads[1].fermi_energy) / 2.0

    @property
    def operations(self) -> float:
        """Floating-point operations on real numbers at one wave vector and energy."""
        return self.plan.operations + sum(contact.operations for contact in self.contacts)

    def blocks(self, energy: float) -> FloatArray:
        """E S - H of all pairs, shape (n_pairs, 9, 9); kept for the wave vectors to come."""
        known = self._blocks.get(energy)
        if known is None:
            known = self.pairs.at(energy)
            self._blocks.clear()
            self._blocks[energy] = known
        return known


def build_device(
    junction: Atoms, model: TightBindingModel, *, whole_channel: bool = False
) -> Device:
    """Assemble the matrices of a junction.

    Parameters
    ----------
    junction : ase.Atoms
        A validated junction (`nanogap.structure.junction`).
    model : TightBindingModel
    whole_channel : bool
        Keep all atoms of the channel, and enough of the leads that none of them sees the rest.

    Returns
    -------
    Device

    Raises
    ------
    StructureError
        If a lead cannot conduct, or atoms are so close that orbitals depend on each other.
    """
    foreign = sorted(set(junction.get_chemical_symbols()) - {model.element})
    if foreign:
        raise StructureError(
            f"the junction has {foreign[0]} atoms, but the Hamiltonian is one of {model.element}: "
            f"give a junction of {model.element} atoms only"
        )
    sides, labelled = _labelled(junction, model)
    return _assemble(junction, sides, labelled, model, whole_channel=whole_channel)


def leads_fermi_energy(junction: Atoms, model: TightBindingModel) -> float:
    """Fermi energy of a junction, the mean of its leads', eV; nothing else is assembled."""
    _, (left, right) = _labelled(junction, model)
    return (left.fermi_energy + right.fermi_energy) / 2.0


def _labelled(
    junction: Atoms, model: TightBindingModel
) -> tuple[list[LeadSide], tuple[Lead, Lead]]:
    """Sides and leads of a junction, left and right, as it labels them."""
    cell, periodic = in_plane(junction)
    regions = junction.arrays["region"]
    leads, sides = [], []
    for name, direction in (("left", -1), ("right", 1)):
        period = float(junction.info[f"{name}_period"])
        members = np.flatnonzero(regions == name)
        unit, origin = lead_unit(junction.positions[members], cell, periodic, period, direction)
        leads.append(get_lead(unit, model))
        sides.append(LeadSide(junction.positions[members], members, unit, origin))
    return sides, (leads[0], leads[1])


def onsite_shifts(junction: Atoms) -> FloatArray:
    """Shifts of the levels of all atoms, from the optional array ``onsite_shift``; (n_atoms,), eV.

    Raises
    ------
    StructureError
        If the array is malformed, or shifts an atom of a lead.
    """
    shifts = np.asarray(junction.arrays.get(SHIFT, np.zeros(len(junction))))
    if shifts.shape != (len(junction),) or not np.isfinite(shifts).all():
        raise StructureError(f"the per-atom array '{SHIFT}' must hold one finite number (eV) each")
    if shifts[junction.arrays["region"] != CHANNEL].any():
        raise StructureError(f"'{SHIFT}' must be 0 for atoms of the leads, which are crystal")
    return shifts


def in_plane(junction: Atoms) -> tuple[FloatArray, tuple[bool, bool]]:
    """Cell in the plane, shape (2, 2), and along which of its vectors it is periodic."""
    periodic = (bool(junction.pbc[0]), bool(junction.pbc[1]))
    cell = np.array(junction.cell.array[:2], dtype=np.float64)
    if np.abs(cell[list(periodic), 2]).max(initial=0.0) > _SAME_PLACE:
        raise StructureError("the periodic cell vectors of a junction must lie in the xy plane")
    plane = cell[:, :2]
    for axis in (0, 1):
        if not periodic[axis]:  # any vector that is independent of the other will do
            other = plane[1 - axis] if periodic[1 - axis] else np.array([0.0, 1.0])[:: 1 - 2 * axis]
            plane[axis] = 1e3 * np.array([other[1], -other[0]]) / np.linalg.norm(other)
    return plane, periodic


def _assemble(
    junction: Atoms,
    sides: list[LeadSide],
    labelled: tuple[Lead, Lead],
    model: TightBindingModel,
    *,
    whole_channel: bool,
) -> Device:
    """Cut the leads, and compute the blocks between all atoms that matter."""
    left, right = sides
    members = np.flatnonzero(junction.arrays["region"] == "channel")
    channel = junction.positions[members]
    for side in sides:
        channel = side.settled(channel)
    shifts = onsite_shifts(junction)
    for side, other in ((left, right), (right, left)):
        side.cut_where_crystal_ends(
            channel,
            other,
            model.cutoff,
            shifted=junction.positions[shifts != 0.0],
            whole_channel=whole_channel,
        )
    reach = _reach(labelled, model)
    while right.face - left.face < reach:  # no coupling from lead to lead past the channel
        left.retreat()
    kept = left.beyond(channel) & right.beyond(channel)
    extra = [side.given_up() for side in sides]
    positions = np.concatenate([extra[0][0], channel[kept], extra[1][0]])
    numbers = np.concatenate([extra[0][1], members[kept], extra[1][1]])
    leads = [get_lead(side.unit, model) for side in sides]
    surfaces = [
        _Near(side, lead, positions, reach) for side, lead in zip(sides, leads, strict=True)
    ]
    everything = np.concatenate([positions, *(near.positions for near in surfaces)])
    densities = np.full((len(leads[0].densities), len(everything)), np.nan)
    densities[:, len(positions) :] = np.concatenate([near.densities for near in surfaces], axis=1)
    unit = leads[0].unit
    box = np.zeros((3, 3))
    box[:2, :2], box[2, 2] = unit.cell, np.ptp(everything[:, 2]) + 1.0
    atoms = Atoms(
        f"{model.element}{len(everything)}", everything, cell=box, pbc=(*unit.periodic, False)
    )
    own = np.where(numbers >= 0, shifts[numbers], 0.0)
    matrices = real_space_matrices(
        atoms, model, densities, np.concatenate([own, np.zeros(len(everything) - len(own))])
    )
    pairs = PairBlocks.of(matrices)
    translations = np.asarray(matrices.translations[:, :2])
    reached, parts = _place(pairs, translations, positions, surfaces)
    return Device(
        leads=labelled,
        translations=translations,
        positions=positions[reached],
        atoms=numbers[reached],
        **parts,
    )


def _reach(leads: tuple[Lead, Lead], model: TightBindingModel) -> float:
    """How far along z atoms of the leads couple: through vacuum, too, where they face it."""
    tail = model.vacuum
    if tail is None or not any(tail.exposure(lead.densities[2]).any() for lead in leads):
        return model.cutoff
    return tail.end[1]


class _Near:
    """The atoms of a lead that the channel can see."""

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
        #: which translation of the lead each atom belongs to, and which atom of a layer's motif
        self.translation = (within // unit.motif_size)[seen]
        self.motif = (copies * unit.motif_size + within % unit.motif_size)[seen]


def _place(
    pairs: PairBlocks, translations: IntArray, positions: FloatArray, surfaces: list[_Near]
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    """Find where all blocks stand in the dense matrices of the elimination.

    Returns
    -------
    reached : ndarray of bool, shape (n_atoms,)
        Atoms that couple to a lead over any others; the rest is left out.
    parts : dict
        Of the `Device`.
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
    plan = plan_elimination(
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
    branches, landings, middle = _place_fronts(plan, placer, inner, first, second)
    parts = {
        "contacts": tuple(contacts),
        "plan": plan,
        "branches": branches,
        "landings": landings,
        "middle": middle,
        "connected": bool(np.intersect1d(seen[0], seen[1]).size),
        "pairs": pairs.taken(placer.order).renumbered(
            np.where(part == 0, np.append(number, np.full(len(part) - n, -1)), -1)
        ),
    }
    return reached, parts


def _place_fronts(
    plan: Elimination, placer: "_Placer", inner: IntArray, first: IntArray, second: IntArray
) -> tuple[tuple[list[FrontPlan], list[FrontPlan]], tuple[IntArray, IntArray], Placement]:
    """Place the pairs `inner` of the channel, between its atoms `first` and `second`."""
    count = sum(len(step.group) for branch in plan.branches for step in branch) + len(plan.middle)
    # when each atom is eliminated, in its own branch; those of the middle come last
    turn = np.full(count, np.iinfo(np.intp).max)
    owner = np.full(count, -1)
    steps = [step for branch in plan.branches for step in branch]
    for branch in plan.branches:
        for number, step in enumerate(branch):
            turn[step.group] = number
    for number, step in enumerate(steps):
        owner[step.group] = number
    later = turn[first] <= turn[second]
    inner, first, second = inner[later], first[later], second[later]
    order = np.argsort(owner[first], kind="stable")
    edges = np.searchsorted(owner[first][order], np.arange(-1, len(steps) + 1))
    members = [order[start:stop] for start, stop in pairwise(edges)]
    place = np.zeros(count, dtype=np.intp)

    def placed(atoms: IntArray, chosen: IntArray) -> Placement:
        place[atoms] = np.arange(len(atoms))
        return placer.add(inner[chosen], place[first[chosen]], place[second[chosen]])

    branches: tuple[list[FrontPlan], list[FrontPlan]] = ([], [])
    landings = []
    number = 0
    for side, branch in enumerate(plan.branches):
        before = plan.touched[side]
        for step in branch:
            number += 1
            pairs = placed(np.concatenate([step.group, step.front]), members[number])
            branches[side].append(FrontPlan(step, pairs, N_ORBITALS * place[before]))
            before = step.front
        landings.append(before)
    middle = placed(plan.middle, members[0])
    return branches, (N_ORBITALS * place[landings[0]], N_ORBITALS * place[landings[1]]), middle


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
    """Which of n atoms couple, from pairs."""
    return csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))


def orbitals_of(atoms: IntArray) -> IntArray:
    """Return the numbers of the orbitals of atoms, in the atoms' order."""
    return np.asarray((atoms[:, None] * N_ORBITALS + np.arange(N_ORBITALS)).ravel())
