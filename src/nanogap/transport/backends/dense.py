"""One dense inversion of the whole junction, for cross-checks: slow, and as plain as can be.

The same model as the tight-binding engine, without anything that makes that one fast: leads are
not split by Bloch's theorem and are not moved, the channel is not cut, T and the eigenchannels are
those of the full matrix Gamma_L G Gamma_R G^+ (Caroli et al., doi:10.1088/0022-3719/4/8/018).
"""

import math
import time
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from nanogap.errors import SettingsError
from nanogap.structure.junction import LEFT, RIGHT, validate_junction
from nanogap.transport.dataset import JunctionTransmission, transmission_dataset
from nanogap.transport.device import onsite_shifts
from nanogap.transport.hamiltonian import (
    RealSpaceMatrices,
    TightBindingModel,
    load_model,
    real_space_matrices,
)
from nanogap.transport.lead_unit import LeadUnit
from nanogap.transport.leads import Lead
from nanogap.transport.mesh import PlaneMesh, common_mesh
from nanogap.transport.slater_koster import N_ORBITALS

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.intp]


def compute_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] | str = "auto",
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    names: Sequence[str] | None = None,
) -> xr.Dataset:
    """Compute the ballistic transmission; see the function of the tight-binding engine."""
    started = time.perf_counter()
    if not len(junctions) or not len(energies):
        raise SettingsError("transmission needs a junction and an energy")
    mesh = common_mesh(junctions, kpoints, gamma_centred=gamma_centred)
    names = names or [f"junction {number}" for number in range(len(junctions))]
    parts = []
    for junction, name in zip(junctions, names, strict=True):
        validate_junction(junction, name)
        whole = WholeJunction(junction, model or load_model(str(junction.symbols[0])))
        parts.append(_one_junction(whole, mesh, np.asarray(energies, dtype=np.float64)))
    dataset = transmission_dataset(parts, mesh, np.asarray(energies, dtype=np.float64))
    return dataset.assign_attrs(
        backend="dense",
        nanogap_version=version("nanogap"),
        kpoints=mesh.description,
        n_kpoints=len(mesh.points),
        wall_time=time.perf_counter() - started,
    )


def _one_junction(
    whole: "WholeJunction", mesh: PlaneMesh, energies: FloatArray
) -> JunctionTransmission:
    level = whole.fermi_energy
    table, channels, opened = [], [], []
    for k in mesh.points[mesh.computed]:
        table.append([whole.eigenchannels(k, level + energy).sum() for energy in energies])
        channels.append(whole.eigenchannels(k, level))
        opened.append([lead.open_channels(k, level) for lead in whole.leads])
    return JunctionTransmission(
        transmission=np.array(table)[mesh.source],
        eigenchannels=[channels[source] for source in mesh.source],
        open_channels=np.array(opened, dtype=np.float64)[mesh.source],
        fermi_energy=level,
    )


class WholeJunction:
    """A junction, some repeats of its leads, and dense matrices of them.

    Parameters
    ----------
    junction : ase.Atoms
        Periodic in the plane.
    model : TightBindingModel

    Attributes
    ----------
    leads : list of Lead
        Left and right, not split by their translations.
    """

    def __init__(self, junction: Atoms, model: TightBindingModel) -> None:
        regions = junction.arrays["region"]
        self.leads, before = [], []
        for side, direction in ((LEFT, -1), (RIGHT, 1)):
            unit = junction.positions[regions == side]
            period = float(junction.info[f"{side}_period"])
            lead = Lead(
                LeadUnit(
                    unit - unit[0],
                    np.zeros((1, 2)),
                    junction.cell.array[:2, :2],
                    (bool(junction.pbc[0]), bool(junction.pbc[1])),
                    period,
                    direction,
                ),
                model,
            )
            reach = math.ceil(model.cutoff / period)
            step = np.array([0.0, 0.0, direction * period])
            # so many repeats inside, one principal layer, and what that must see to be bulk
            counts = (reach, lead.layers, reach + 1)
            edges = np.cumsum((1, *counts))
            before.append(
                [
                    np.concatenate([unit + n * step for n in range(start, stop)])
                    for start, stop in pairwise(edges)
                ]
            )
            self.leads.append(lead)
        parts = [junction.positions, *(part for side in before for part in side)]
        ends = np.cumsum([len(part) for part in parts])
        ranges = [np.arange(end - len(part), end) for end, part in zip(ends, parts, strict=True)]
        self._inside = _orbitals(np.concatenate([ranges[0], ranges[1], ranges[4]]))
        self._surfaces = [_orbitals(ranges[2]), _orbitals(ranges[5])]
        atoms = Atoms(
            f"{model.element}{int(ends[-1])}",
            np.concatenate(parts),
            cell=junction.cell,
            pbc=(*junction.pbc[:2], False),
        )
        shifts = np.zeros(len(atoms))
        shifts[: len(junction)] = onsite_shifts(junction)
        self._matrices: RealSpaceMatrices = real_space_matrices(atoms, model, shifts=shifts)

    @property
    def fermi_energy(self) -> float:
        """Mean of both leads', eV on the Hamiltonian's scale."""
        return (self.leads[0].fermi_energy + self.leads[1].fermi_energy) / 2.0

    def eigenchannels(self, k: FloatArray, energy: float) -> FloatArray:
        """Transmissions of the eigenchannels, largest first, as many as the smaller lead allows."""
        h, s = (matrix.toarray() for matrix in self._matrices.at([*k, 0.0]))
        whole = energy * s - h
        inverse = whole[np.ix_(self._inside, self._inside)]
        broadenings = []
        for lead, surface in zip(self.leads, self._surfaces, strict=True):
            coupling = whole[np.ix_(self._inside, surface)]
            sigma = coupling @ lead.surface(k, energy).green[0] @ coupling.conj().T
            inverse = inverse - sigma
            broadenings.append(1j * (sigma - sigma.conj().T))
        green = np.linalg.inv(inverse)
        left, right = broadenings
        roots = []
        for broadening in (left, right):
            values, vectors = np.linalg.eigh(broadening)
            roots.append(vectors * np.sqrt(np.maximum(values, 0.0)))
        amplitudes = roots[0].conj().T @ green @ roots[1]
        values = np.linalg.svd(amplitudes, compute_uv=False) ** 2
        most = min(lead.open_channels(k, energy) for lead in self.leads)
        return np.asarray(values[: max(most, 1)])


def _orbitals(atoms: IntArray) -> IntArray:
    return np.asarray((atoms[:, None] * N_ORBITALS + np.arange(N_ORBITALS)).ravel())
