"""Whole junction and repeats of its leads in plain matrices, for backends that check others."""

import math
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.junction import LEFT, RIGHT, couplings, validate_junction
from nanogap.transport.dataset import JunctionTransmission, transmission_dataset
from nanogap.transport.mesh import PlaneMesh, common_mesh
from nanogap.transport.negf.device import in_plane, onsite_shifts
from nanogap.transport.negf.lead_unit import LeadUnit
from nanogap.transport.negf.leads import Lead
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.matrices import RealSpaceMatrices, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray


class WholeJunction:
    """Junction with some repeats of its leads, and the matrices of them.

    Parameters
    ----------
    junction : ase.Atoms
        In the junction format.
    model : TightBindingModel

    Attributes
    ----------
    model : TightBindingModel
    leads : list of Lead
        Left and right, as the junction has them: not split by their translations.
    positions : ndarray, shape (n_atoms, 3)
        Of all atoms, angstrom.
    inside : ndarray of int
        The junction, and so many repeats of its leads that the rest of these is not seen from it.
    surfaces : list of ndarray of int
        One principal layer of each lead beyond, repeat by repeat away from the junction.
    matrices : RealSpaceMatrices
        Of all atoms.
    """

    def __init__(self, junction: Atoms, model: TightBindingModel) -> None:
        self.model = model
        cell, periodic = in_plane(junction)
        regions = junction.arrays["region"]
        self.leads, beyond = [], []
        for side, direction in ((LEFT, -1), (RIGHT, 1)):
            unit = junction.positions[regions == side]
            period = float(junction.info[f"{side}_period"])
            lead = Lead(
                LeadUnit(unit - unit[0], np.zeros((1, 2)), cell, periodic, period, direction), model
            )
            reach = math.ceil(model.cutoff / period)
            step = np.array([0.0, 0.0, direction * period])
            # so many repeats inside, one principal layer, and what that must see to be bulk
            counts = (reach, lead.layers, reach + 1)
            edges = np.cumsum((1, *counts))
            beyond.append(
                [
                    np.concatenate([unit + n * step for n in range(start, stop)])
                    for start, stop in pairwise(edges)
                ]
            )
            self.leads.append(lead)
        parts = [junction.positions, *(part for side in beyond for part in side)]
        ends = np.cumsum([len(part) for part in parts])
        ranges = [np.arange(end - len(part), end) for end, part in zip(ends, parts, strict=True)]
        self.inside = np.concatenate([ranges[0], ranges[1], ranges[4]])
        self.surfaces = [ranges[2], ranges[5]]
        self.positions: FloatArray = np.concatenate(parts)
        box = np.zeros((3, 3))
        box[:2, :2], box[2, 2] = cell, np.ptp(self.positions[:, 2]) + 1.0
        atoms = Atoms(
            f"{model.element}{int(ends[-1])}", self.positions, cell=box, pbc=(*periodic, False)
        )
        share = couplings(junction)
        if share is not None:
            share = np.append(share, np.ones(len(atoms) - len(junction)))
        shifts = np.zeros(len(atoms))
        shifts[: len(junction)] = onsite_shifts(junction)
        self.matrices: RealSpaceMatrices = real_space_matrices(
            atoms, model, shifts=shifts, parts=share
        )

    @property
    def fermi_energy(self) -> float:
        """Fermi energy, the mean of both leads', eV on the Hamiltonian's scale."""
        return (self.leads[0].fermi_energy + self.leads[1].fermi_energy) / 2.0


def whole_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float],
    compute: Callable[[WholeJunction, PlaneMesh, FloatArray], JunctionTransmission],
    *,
    kpoints: tuple[int, int] | str,
    gamma_centred: bool,
    model: TightBindingModel | None,
    names: Sequence[str] | None,
) -> xr.Dataset:
    """Compute junctions one after the other, and put them into the dataset of all backends.

    Parameters
    ----------
    junctions, energies, kpoints, gamma_centred, model, names
        See `nanogap.transport.negf.compute.compute_transmission`.
    compute : callable
        Computes one junction at the wave vectors and energies.

    Raises
    ------
    StructureError
        If a junction is malformed, or has atoms of another element than the Hamiltonian.
    SettingsError
        If there is no junction or energy.
    """
    started = time.perf_counter()
    if not len(junctions) or not len(energies):
        raise SettingsError("transmission needs a junction and an energy")
    mesh = common_mesh(junctions, kpoints, gamma_centred=gamma_centred)
    names = names or [f"junction {number}" for number in range(len(junctions))]
    values = np.asarray(energies, dtype=np.float64)
    parts = []
    for junction, name in zip(junctions, names, strict=True):
        validate_junction(junction, name)
        try:
            whole = WholeJunction(junction, hamiltonian_of(junction, model))
        except StructureError as error:
            raise StructureError(f"{name}: {error}") from None
        parts.append(compute(whole, mesh, values))
    return transmission_dataset(parts, mesh, values).assign_attrs(
        nanogap_version=version("nanogap"),
        kpoints=mesh.description,
        n_kpoints=len(mesh.points),
        wall_time=time.perf_counter() - started,
    )
