"""Time and memory that a transmission will take, estimated before anything large is computed.

Nearly all time goes into products and inversions of dense matrices: the decimation of the leads
(`nanogap.transport.negf.leads`), the elimination of the channel (`elimination_order`), and, for
leads whose crystal has a large cell, the bands that give the Fermi energy. Their sizes follow from
the positions of the atoms alone. The constants are fits to measured times; the estimate holds to a
factor of two from wires of 60 atoms to slabs of 1000 (tests/transport/negf/cost.json).
"""

import functools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from nanogap.structure.junction import LEFT, RIGHT
from nanogap.transport.cost import TransmissionCost
from nanogap.transport.mesh import common_mesh
from nanogap.transport.negf.compute import available_cores, with_fermi_energy
from nanogap.transport.negf.device import CutChannel, cut_channel
from nanogap.transport.negf.elimination_order import EliminationOrder, plan_elimination
from nanogap.transport.negf.leads import Lead
from nanogap.transport.tight_binding.bands import BATCH
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS

#: Work of the surface of a lead, in cubed orbitals of its principal layer, and in squared ones.
_SURFACE, _SURFACE_TRAFFIC = 3600.0, 1.5e5
#: Work of the open channels of a lead, in cubed orbitals, from timings of eigenvalues.
_CHANNELS = 100.0
#: Work of the bands of a lead at one wave vector, in cubed orbitals of its cell.
_BANDS = 60.0
#: Symmetries that a crystal of one atom has, and any other.
_SYMMETRIES, _TIME_REVERSAL = 24.0, 2.0
#: Work to compute and to sort the blocks of one pair of atoms.
_PER_PAIR = 1.5e6
#: Time and memory that a junction of few atoms takes, s and bytes.
_START, _SMALL = 0.3, 4e7
#: Bytes of a complex number, and of all that is kept of one pair of atoms.
_BYTES, _BYTES_PER_PAIR = 16.0, 7500.0
#: Matrices as large as a front, a layer of the lead and its bands that exist at a time.
_FRONTS, _LAYERS, _CELLS = 3.0, 14.0, 6.0
#: Matrices as large as a layer that are kept of a surface.
_KEPT = 1.1
#: Local densities and bond currents are as dear as so many energies, at every wave vector.
_LOCAL = 2.0
#: Size of the product that measures the speed of this machine.
_PROBE = 400


@dataclass(frozen=True)
class JunctionCost:
    """Work and memory of the transmission of one junction.

    Work is in floating-point operations of matrix products that take as long.

    Attributes
    ----------
    leads_once, leads_per_point : float
        Of the leads, which all junctions with such leads share: Fermi energy; surfaces at each
        wave vector and energy.
    once, per_point : float
        Of the channel and its contacts: blocks of H and S; elimination at each point.
    memory : float
        Bytes beyond what the process holds already.
    """

    leads_once: float
    leads_per_point: float
    once: float
    per_point: float
    memory: float


def transmission_cost(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] | str = "auto",
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    local: bool = False,
) -> TransmissionCost:
    """Estimate the cost of a transmission; of many junctions by the largest of them.

    Parameters
    ----------
    junctions, energies, kpoints, gamma_centred, model
        As of `nanogap.transport.negf.compute.compute_transmission`.
    local : bool
        Local densities and bond currents are computed, too.

    Returns
    -------
    TransmissionCost
        Leads that are on disk already (`lead_cache`) are counted as if they were not.

    Raises
    ------
    StructureError
        If a lead cannot conduct, or there is no Hamiltonian of the atoms.
    SettingsError
        If there is no such mesh.
    """
    mesh = common_mesh(junctions, kpoints, gamma_centred=gamma_centred)
    largest = max(junctions, key=len)
    n_energies = len(with_fermi_energy(np.asarray(energies, dtype=np.float64))[0])
    points, threads = len(mesh.computed) * n_energies, available_cores()
    cost = junction_cost(
        largest, hamiltonian_of(largest, model), points, min(threads, points), local=local
    )
    per_point = cost.per_point * (points + (_LOCAL * len(mesh.points) if local else 0.0))
    shared = len({_leads_of(junction) for junction in junctions})
    work = shared * (cost.leads_once + points * cost.leads_per_point / min(threads, points))
    work += len(junctions) * (cost.once + per_point / min(threads, points))
    return TransmissionCost(
        junctions=len(junctions),
        atoms=len(largest),
        kpoints=len(mesh.computed),
        energies=n_energies,
        seconds=_START + work / machine_speed(),
        memory=cost.memory,
    )


def _leads_of(junction: Atoms) -> tuple[object, ...]:
    """Name what tells the leads of junctions apart, but for the places of their atoms."""
    counts = [int((junction.arrays["region"] == side).sum()) for side in (LEFT, RIGHT)]
    periods = [round(float(junction.info[f"{side}_period"]), 3) for side in (LEFT, RIGHT)]
    return (*counts, *periods, junction.cell.array[:2, :2].round(3).tobytes())


def junction_cost(
    junction: Atoms, model: TightBindingModel, points: int, threads: int, *, local: bool = False
) -> JunctionCost:
    """Estimate the cost of one junction from the positions of its atoms.

    Parameters
    ----------
    junction : ase.Atoms
        In the junction format.
    model : TightBindingModel
    points : int
        Wave vectors times energies.
    threads : int
        Wave vectors computed at the same time.
    local : bool
        Local densities and bond currents are computed, too.

    Returns
    -------
    JunctionCost

    Raises
    ------
    StructureError
        If a lead cannot conduct.
    """
    cut = cut_channel(junction, model, whole_channel=local)
    leads = [surface.lead for surface in cut.surfaces]
    order, n_pairs = _planned(cut, model)
    touched = [N_ORBITALS * len(atoms) for atoms in order.touched]
    contacts = sum(_contact_work(lead, size) for lead, size in zip(leads, touched, strict=True))
    layers = [len(lead.unit.translations) * _layer_orbitals(lead) ** 2 for lead in leads]
    steps = [step for branch in order.branches for step in branch]
    front = N_ORBITALS * max((len(step.group) + len(step.front) for step in steps), default=0)
    numbers = _FRONTS * max(front**2, *(size**2 for size in touched))
    numbers += (N_ORBITALS * len(order.central)) ** 2 + _LAYERS * max(layers)
    numbers *= threads
    numbers += sum(
        _KEPT * layer * lead.surfaces_kept(points)
        for layer, lead in zip(layers, leads, strict=True)
    )
    if local:  # the groups stay
        numbers += N_ORBITALS**2 * sum(len(step.group) * len(step.front) for step in steps)
    bands = [_bands_work(lead) for lead in leads]
    numbers = max(numbers, *(_CELLS * held for _, held in bands))
    return JunctionCost(
        leads_once=sum(work for work, _ in bands),
        leads_per_point=sum(_surface_work(lead) for lead in leads),
        once=_PER_PAIR * n_pairs,
        per_point=contacts + order.work,
        memory=_SMALL + _BYTES * numbers + _BYTES_PER_PAIR * n_pairs,
    )


def _planned(cut: CutChannel, model: TightBindingModel) -> tuple[EliminationOrder, int]:
    """Plan the elimination of a channel by who is within the cut-off of whom; count the pairs."""
    n, unit = len(cut.positions), cut.surfaces[0].lead.unit
    everything = np.concatenate([cut.positions, *(near.positions for near in cut.surfaces)])
    box = np.zeros((3, 3))
    box[:2, :2], box[2, 2] = unit.cell, np.ptp(everything[:, 2]) + 1.0
    atoms = Atoms(f"X{len(everything)}", everything, cell=box, pbc=(*unit.periodic, False))
    pairs = find_neighbours(atoms, model.cutoff)
    ends = np.cumsum([n, *(len(near.positions) for near in cut.surfaces)])
    part = np.searchsorted(ends, np.arange(ends[-1]), side="right")
    inside = part[pairs.first] == 0
    left, right = (np.unique(pairs.first[inside & (part[pairs.second] == n)]) for n in (1, 2))
    own = inside & (part[pairs.second] == 0)
    rows, columns = pairs.first[own], pairs.second[own]
    pattern = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    order = plan_elimination(pattern, cut.positions[:, 2], (left, right))
    return order, len(pairs.first) + len(everything)


def _layer_orbitals(lead: Lead) -> int:
    """Count the orbitals of a principal layer, by its translations in the plane."""
    return N_ORBITALS * lead.layers * lead.unit.motif_size


def _surface_work(lead: Lead) -> float:
    """Work of the surface Green's function of a lead at one point."""
    size = _layer_orbitals(lead)
    each = (_SURFACE + _CHANNELS) * size**3 + _SURFACE_TRAFFIC * size**2
    return len(lead.unit.translations) * each


def _contact_work(lead: Lead, touched: int) -> float:
    """Work of the self-energy of a lead on so many orbitals of the channel."""
    n_q, m = len(lead.unit.translations), _layer_orbitals(lead)
    n = touched if n_q == 1 else 2 * touched // n_q  # copies of a few atoms are done once
    return 8.0 * n_q * (n * m**2 + n**2 * m + (n**2 * n_q if n_q > 1 else 0.0))


def _bands_work(lead: Lead) -> tuple[float, float]:
    """Work of the bands that give the Fermi energy of a lead, and the numbers held at a time."""
    crystal, density = lead.filled_crystal
    lengths = 2.0 * math.pi * np.linalg.norm(crystal.cell.complete().reciprocal(), axis=1)
    points = math.prod(np.where(crystal.pbc, np.ceil(density * lengths), 1.0).tolist())
    points /= _SYMMETRIES if len(crystal) == 1 else _TIME_REVERSAL
    size = N_ORBITALS * len(crystal)
    return points * _BANDS * size**3, max(size**2, min(points * size**2, BATCH))


@functools.cache
def machine_speed() -> float:
    """Measure floating-point operations per second of matrix products on one core, once."""
    rng = np.random.default_rng(0)
    matrix = rng.random((_PROBE, _PROBE)) + 1j * rng.random((_PROBE, _PROBE))
    best = math.inf
    with threadpool_limits(1, user_api="blas"):
        for _ in range(4):
            started = time.thread_time()
            matrix @ matrix
            best = min(best, time.thread_time() - started)
    return 8.0 * _PROBE**3 / max(best, 1e-6)
