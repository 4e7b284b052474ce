"""Scattering region of a junction in matrices: channel, leads, and the couplings between them.

The leads begin as near to the channel's disorder as their perfect crystal allows, whatever the
labels of the junction say: planes that go on as the lead does are part of it.
"""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from nanogap.errors import StructureError
from nanogap.structure.junction import CHANNEL, COUPLING, couplings
from nanogap.transport.negf.block_arrangement import (
    BlockArrangement,
    LeadSurface,
    arrange_blocks,
)
from nanogap.transport.negf.blocks import PairBlocks
from nanogap.transport.negf.lead_side import LeadSide
from nanogap.transport.negf.lead_unit import lead_unit
from nanogap.transport.negf.leads import Lead, get_lead
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.matrices import real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray, IntArray

#: Optional per-atom array of a junction: added to the levels of channel atoms, eV.
SHIFT = "onsite_shift"

_SAME_PLACE = 1e-5


@dataclass(frozen=True)
class Device:
    """Scattering region of a junction in the tight-binding model.

    Attributes
    ----------
    leads : tuple of Lead
        Left and right, as the junction labels them; the contacts of `arrangement` have them cut
        where the crystal ends.
    translations : ndarray, shape (n_t, 2)
        Lattice translations in the plane, in cell vectors.
    positions : ndarray, shape (n_atoms, 3)
        Atoms of the channel, angstrom.
    atoms : ndarray of int, shape (n_atoms,)
        Which atom of the junction each is; -1 for one of a lead's further repeats.
    arrangement : BlockArrangement
        Blocks of H and S, contacts and the order of elimination.
    """

    leads: tuple[Lead, Lead]
    translations: IntArray
    positions: FloatArray
    atoms: IntArray
    arrangement: BlockArrangement
    _blocks: dict[float, FloatArray] = field(default_factory=dict)

    @property
    def fermi_energy(self) -> float:
        """Fermi energy: the mean of the two leads', eV on the Hamiltonian's scale."""
        return (self.leads[0].fermi_energy + self.leads[1].fermi_energy) / 2.0

    @property
    def operations(self) -> float:
        """Floating-point operations on real numbers at one wave vector and energy."""
        arrangement = self.arrangement
        return arrangement.order.operations + sum(
            contact.operations for contact in arrangement.contacts
        )

    def blocks(self, energy: float) -> FloatArray:
        """Return E S - H of all pairs, (n_pairs, 9, 9), eV; remembered for one energy."""
        known = self._blocks.get(energy)
        if known is None:
            known = self.arrangement.pairs.at(energy)
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
        If atoms are of another element, a lead cannot conduct, or atoms are so close that orbitals
        depend on each other.
    """
    hamiltonian_of(junction, model)
    sides, labelled = _labelled(junction, model)
    return _assemble(junction, sides, labelled, model, whole_channel=whole_channel)


def leads_fermi_energy(junction: Atoms, model: TightBindingModel) -> float:
    """Compute the Fermi energy of a junction, the mean of its leads', eV.

    Parameters
    ----------
    junction : ase.Atoms
        A validated junction.
    model : TightBindingModel

    Returns
    -------
    float
        On the scale of the Hamiltonian.
    """
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
    """Read the shifts of the levels of all atoms from the optional array ``onsite_shift``.

    Returns
    -------
    ndarray, shape (n_atoms,)
        eV; 0 without the array.

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
    """Return the cell in the plane and along which of its vectors it is periodic.

    Returns
    -------
    cell : ndarray, shape (2, 2)
        Angstrom; a vector along which the junction is not periodic is 1000 angstrom long.
    periodic : tuple of bool

    Raises
    ------
    StructureError
        If a periodic cell vector does not lie in the xy plane.
    """
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


@dataclass(frozen=True)
class CutChannel:
    """Channel of a junction between leads that are cut where their crystal ends.

    Attributes
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Atoms of the channel, angstrom.
    atoms : ndarray of int, shape (n_atoms,)
        Which atom of the junction each is; -1 for one of a lead's further repeats.
    surfaces : list of LeadSurface
        Left and right: the lead, and its atoms within reach of the channel.
    """

    positions: FloatArray
    atoms: IntArray
    surfaces: list[LeadSurface]


def cut_channel(
    junction: Atoms, model: TightBindingModel, *, whole_channel: bool = False
) -> CutChannel:
    """Cut the leads of a junction where their crystal ends; parameters as of `build_device`."""
    sides, labelled = _labelled(junction, model)
    return _cut(junction, sides, labelled, model, whole_channel=whole_channel)


def _cut(
    junction: Atoms,
    sides: list[LeadSide],
    labelled: tuple[Lead, Lead],
    model: TightBindingModel,
    *,
    whole_channel: bool,
) -> CutChannel:
    left, right = sides
    weakened = junction.arrays.get(COUPLING, np.ones(len(junction))) != 1.0
    members = np.flatnonzero(junction.arrays["region"] == "channel")
    channel = junction.positions[members]
    for side in sides:
        channel = side.snapped(channel)
    shifts = onsite_shifts(junction)
    for side, other in ((left, right), (right, left)):
        side.cut_where_crystal_ends(
            channel,
            other,
            model.cutoff,
            shifted=junction.positions[(shifts != 0.0) | weakened],
            whole_channel=whole_channel,
        )
    reach = _reach(labelled, model)
    while right.face - left.face < reach:  # no coupling from lead to lead past the channel
        left.retreat()
    kept = left.is_beyond(channel) & right.is_beyond(channel)
    extra = [side.channel_atoms() for side in sides]
    positions = np.concatenate([extra[0][0], channel[kept], extra[1][0]])
    numbers = np.concatenate([extra[0][1], members[kept], extra[1][1]])
    leads = [get_lead(side.unit, model) for side in sides]
    surfaces = [
        LeadSurface(side, lead, positions, reach) for side, lead in zip(sides, leads, strict=True)
    ]
    return CutChannel(positions, numbers, surfaces)


def _assemble(
    junction: Atoms,
    sides: list[LeadSide],
    labelled: tuple[Lead, Lead],
    model: TightBindingModel,
    *,
    whole_channel: bool,
) -> Device:
    """Cut the leads, and compute the blocks between all atoms that matter."""
    cut = _cut(junction, sides, labelled, model, whole_channel=whole_channel)
    positions, numbers, surfaces = cut.positions, cut.atoms, cut.surfaces
    leads, shifts = [near.lead for near in surfaces], onsite_shifts(junction)
    everything = np.concatenate([positions, *(surface.positions for surface in surfaces)])
    densities = np.full((len(leads[0].densities), len(everything)), np.nan)
    densities[:, len(positions) :] = np.concatenate(
        [surface.densities for surface in surfaces], axis=1
    )
    unit = leads[0].unit
    box = np.zeros((3, 3))
    box[:2, :2], box[2, 2] = unit.cell, np.ptp(everything[:, 2]) + 1.0
    atoms = Atoms(
        f"{model.element}{len(everything)}", everything, cell=box, pbc=(*unit.periodic, False)
    )
    own = np.where(numbers >= 0, shifts[numbers], 0.0)
    beyond = np.zeros(len(everything) - len(own))
    parts = couplings(junction)
    if parts is not None:
        parts = np.append(np.where(numbers >= 0, parts[numbers], 1.0), beyond + 1.0)
    matrices = real_space_matrices(atoms, model, densities, np.concatenate([own, beyond]), parts)
    pairs = PairBlocks.of(matrices)
    translations = np.asarray(matrices.translations[:, :2])
    arrangement = arrange_blocks(pairs, translations, positions, surfaces)
    reached = arrangement.reached
    return Device(
        leads=labelled,
        translations=translations,
        positions=positions[reached],
        atoms=numbers[reached],
        arrangement=arrangement,
    )


def _reach(leads: tuple[Lead, Lead], model: TightBindingModel) -> float:
    """Return how far along z atoms of the leads couple, through vacuum, too, where they face it."""
    tail = model.vacuum
    if tail is None or not any(tail.exposure(lead.densities[2]).any() for lead in leads):
        return model.cutoff
    return tail.end[1]
