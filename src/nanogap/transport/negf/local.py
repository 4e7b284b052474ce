"""Local density of states of atoms and bond currents at an energy.

Scattering states psi = G F of both leads, with Gamma = F F^+, are followed back into the channel.
The spectral function of a lead is A = psi psi^+ (Datta, Electronic Transport in Mesoscopic
Systems, doi:10.1017/CBO9780511805776). In a basis with overlap the density of states of an atom is
the Mulliken sum Re tr_i(A S)/2 pi, and the current between two atoms is
2 Im tr[psi_i^+ (E S - H)_ij psi_j] (Todorov, J. Phys.: Condens. Matter 14, 3049 (2002),
doi:10.1088/0953-8984/14/11/314). What flows into an atom flows out of it, and the currents through
any cross-section add up to the transmission.
"""

from importlib.metadata import version

import numpy as np
import xarray as xr
from ase import Atoms
from threadpoolctl import threadpool_limits

from nanogap.errors import StructureError
from nanogap.structure.junction import CHANNEL, validate_junction
from nanogap.transport.mesh import common_mesh
from nanogap.transport.negf.block_elimination import eliminate_branches
from nanogap.transport.negf.device import Device, build_device
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray, IntArray

_SPINS = 2.0
#: Pairs of atoms handled together, for the sake of memory.
_PAIRS_AT_ONCE = 5000


def compute_local(
    junction: Atoms,
    energy: float = 0.0,
    *,
    kpoints: tuple[int, int] | str = "auto",
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    name: str = "junction",
) -> xr.Dataset:
    """Compute the density of states of the channel's atoms and the currents between them.

    Parameters
    ----------
    junction : ase.Atoms
        In the junction format (`nanogap.structure.junction`).
    energy : float
        From the Fermi energy, eV.
    kpoints : tuple of int or str
        See `nanogap.transport.mesh.mesh_counts`.
    gamma_centred : bool
        Centre the mesh on Gamma.
    model : TightBindingModel, optional
        Default: the packaged one of the junction's element.
    name : str
        What error messages call the junction.

    Returns
    -------
    xarray.Dataset
        Means over k. ``local_density`` over ``atom`` (atoms of the channel, by their numbers in
        the junction), states/eV, both spins, without states that do not reach the leads.
        ``bond_current`` over ``bond``, G0: electrons from the left lead, per unit bias, that flow
        from ``bond_first`` to ``bond_second`` (atoms; -1: in a further repeat of a lead), counted
        once for each pair of atoms, in the direction in which they flow; ``bond_vector`` over
        (``bond``, ``axis``), angstrom. ``transmission``, G0.

    Raises
    ------
    StructureError
        If the junction is malformed, or its orbitals depend on each other.
    """
    validate_junction(junction, name)
    mesh = common_mesh([junction], kpoints, gamma_centred=gamma_centred)
    try:
        device = build_device(junction, hamiltonian_of(junction, model), whole_channel=True)
    except StructureError as error:
        raise StructureError(f"{name}: {error}") from None
    level = device.fermi_energy + energy
    bonds = _Bonds(device, level)
    density, current, transmission = np.zeros(len(device.positions)), np.zeros(bonds.count), 0.0
    with threadpool_limits(1, user_api="blas"):
        # the current at k is not that at -k: every point counts
        for k in mesh.points:
            states, through = scattering_states(device, k, level)
            phases = np.exp(2j * np.pi * (device.translations @ k))
            density += bonds.densities(np.concatenate(states, axis=2), phases)
            current += bonds.currents(states[0], phases)
            transmission += through
    n_k = len(mesh.points)
    dataset = _dataset(junction, device, bonds, density / n_k, current / n_k)
    dataset["transmission"] = ((), transmission / n_k, {"units": "G0", "long_name": "transmission"})
    return dataset.assign_attrs(
        nanogap_version=version("nanogap"), kpoints=mesh.description, energy=energy
    )


def scattering_states(
    device: Device, k: FloatArray, energy: float
) -> tuple[list[ComplexArray], float]:
    """Compute the scattering states of both leads, and the transmission.

    Parameters
    ----------
    device : Device
    k : ndarray, shape (2,)
        Fractions of the reciprocal cell.
    energy : float
        eV on the Hamiltonian's scale.

    Returns
    -------
    states : list of ndarray, each of shape (n_atoms, 9, n_open)
        psi = G F of the left and of the right lead, eV^(-1/2); 2 pi times a density for each
        unit of energy.
    transmission : float
    """
    central = eliminate_branches(device, k, energy, keep_groups=True)
    counts = [source.shape[1] for source in central.sources]
    solution = np.linalg.solve(central.matrix, np.concatenate(central.sources, axis=1))
    arrangement, states = device.arrangement, []
    for side, start in ((0, 0), (1, counts[0])):
        psi = np.zeros((len(device.positions), N_ORBITALS, counts[side]), dtype=complex)
        psi[arrangement.order.central] = solution[:, start : start + counts[side]].reshape(
            -1, N_ORBITALS, counts[side]
        )
        for number, branch in enumerate(central.branches):
            steps = zip(arrangement.branches[number], branch.groups, strict=True)
            for frontal, eliminated in reversed(list(steps)):
                front = psi[frontal.step.front].reshape(-1, counts[side])
                group = -eliminated.response @ front
                if number == side:
                    group += eliminated.source
                psi[frontal.step.group] = group.reshape(-1, N_ORBITALS, counts[side])
        states.append(psi)
    arrived = central.sources[0].conj().T @ solution[:, counts[0] :]
    return states, float(np.vdot(arrived, arrived).real)


class _Bonds:
    """Pairs of atoms of a device, each once, with their blocks at an energy."""

    def __init__(self, device: Device, energy: float) -> None:
        pairs, translations = device.arrangement.pairs, device.translations
        shift = translations[pairs.translation]
        # of the two directions of a bond, the one with the lower number, or shift, first
        turned = (pairs.first > pairs.second) | (
            (pairs.first == pairs.second)
            & ((shift[:, 0] < 0) | ((shift[:, 0] == 0) & (shift[:, 1] < 0)))
        )
        low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
        keys = np.column_stack([low, high, np.where(turned[:, None], -shift, shift)])
        _, once = np.unique(keys, axis=0, return_index=True)
        once = once[low[once] >= 0]
        self._itself = (pairs.first == pairs.second)[once] & ~shift[once].any(axis=1)
        self._pairs = pairs.taken(once)
        self._blocks = self._pairs.at(energy)
        self._n_atoms = len(device.positions)
        self.shifts = shift[once][~self._itself]

    @property
    def count(self) -> int:
        """Number of bonds."""
        return int(np.count_nonzero(~self._itself))

    @property
    def ends(self) -> tuple[IntArray, IntArray]:
        """Atoms of every bond."""
        bonds = ~self._itself
        return self._pairs.first[bonds], self._pairs.second[bonds]

    def densities(self, states: ComplexArray, phases: ComplexArray) -> FloatArray:
        """Compute the density of states of every atom, 1/eV, both spins; shape (n_atoms,)."""
        parts = self._products(self._pairs.overlap, states, phases).real
        first = np.bincount(self._pairs.first, parts, self._n_atoms)
        other = ~self._itself
        second = np.bincount(self._pairs.second[other], parts[other], self._n_atoms)
        return np.asarray(_SPINS * (first + second) / (2.0 * np.pi))

    def currents(self, states: ComplexArray, phases: ComplexArray) -> FloatArray:
        """Compute the currents of all bonds from first to second atom, G0; shape (n_bonds,)."""
        parts = self._products(self._blocks, states, phases).imag
        return np.asarray(2.0 * parts[~self._itself])

    def _products(
        self, blocks: FloatArray, states: ComplexArray, phases: ComplexArray
    ) -> ComplexArray:
        """tr[psi_i^+ B_ij psi_j] of all pairs, shape (n_pairs,)."""
        result = np.empty(len(blocks), dtype=complex)
        for start in range(0, len(blocks), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            forward = blocks[part] @ states[self._pairs.second[part]]
            result[part] = np.einsum("pan,pan->p", states[self._pairs.first[part]].conj(), forward)
        return result * phases[self._pairs.translation]


def _dataset(
    junction: Atoms, device: Device, bonds: _Bonds, density: FloatArray, current: FloatArray
) -> xr.Dataset:
    """Name everything, and turn the bonds into the direction of their current."""
    first, second = bonds.ends
    cell = np.zeros((2, 3))
    cell[:, :2] = junction.cell.array[:2, :2]
    vectors = device.positions[second] + bonds.shifts @ cell - device.positions[first]
    back = current < 0.0
    first, second = np.where(back, second, first), np.where(back, first, second)
    numbers = device.atoms
    channel = np.isin(numbers, np.flatnonzero(junction.arrays["region"] == CHANNEL))
    # bonds of which no atom is in the channel belong to the leads
    kept = channel[first] | channel[second]
    return xr.Dataset(
        {
            "local_density": (
                "atom",
                density[channel],
                {"units": "1/eV", "long_name": "local density of states"},
            ),
            "bond_current": (
                "bond",
                np.abs(current)[kept],
                {"units": "G0", "long_name": "bond current"},
            ),
            "bond_vector": (
                ("bond", "axis"),
                np.where(back[:, None], -vectors, vectors)[kept],
                {"units": "angstrom"},
            ),
        },
        coords={
            "atom": numbers[channel],
            "axis": ["x", "y", "z"],
            "bond_first": ("bond", numbers[first][kept]),
            "bond_second": ("bond", numbers[second][kept]),
        },
    ).sortby("atom")
