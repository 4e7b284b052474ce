"""One dense inversion of the whole junction, for cross-checks: slow, and as plain as can be.

The same model as the tight-binding engine, without anything that makes that one fast: leads are
not split by Bloch's theorem and are not moved, the channel is not cut, T and the eigenchannels are
those of the full matrix Gamma_L G Gamma_R G^+ (Caroli et al., doi:10.1088/0022-3719/4/8/018).
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.transport.backends._contract import Backend, Capabilities
from nanogap.transport.dataset import JunctionTransmission
from nanogap.transport.mesh import PlaneMesh
from nanogap.transport.negf.local import compute_local
from nanogap.transport.negf.whole_junction import WholeJunction, whole_transmission
from nanogap.transport.tight_binding.files import packaged_elements
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.slater_koster import orbitals_of
from nanogap.typing import FloatArray


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
    return whole_transmission(
        junctions,
        energies,
        _one_junction,
        kpoints=kpoints,
        gamma_centred=gamma_centred,
        model=model,
        names=names,
    ).assign_attrs(backend="dense")


#: Local densities and bond currents of the same Hamiltonian are those of the engine.
BACKEND = Backend(
    compute_transmission,
    Capabilities(takes_model=True, onsite_shifts=True, elements=packaged_elements()),
    compute_local,
)


def _one_junction(
    whole: WholeJunction, mesh: PlaneMesh, energies: FloatArray
) -> JunctionTransmission:
    level = whole.fermi_energy
    table, channels, opened = [], [], []
    for k in mesh.points[mesh.computed]:
        table.append([_eigenchannels(whole, k, level + energy).sum() for energy in energies])
        channels.append(_eigenchannels(whole, k, level))
        opened.append([lead.open_channels(k, level) for lead in whole.leads])
    return JunctionTransmission(
        transmission=np.array(table)[mesh.source],
        eigenchannels=[channels[source] for source in mesh.source],
        open_channels=np.array(opened, dtype=np.float64)[mesh.source],
        fermi_energy=level,
    )


def _eigenchannels(whole: WholeJunction, k: FloatArray, energy: float) -> FloatArray:
    """Transmissions of the eigenchannels, largest first, as many as the smaller lead allows."""
    h, s = (matrix.toarray() for matrix in whole.matrices.at([*k, 0.0]))
    matrix = energy * s - h
    inside = orbitals_of(whole.inside)
    inverse = matrix[np.ix_(inside, inside)]
    roots = []
    for lead, surface in zip(whole.leads, whole.surfaces, strict=True):
        coupling = matrix[np.ix_(inside, orbitals_of(surface))]
        sigma = coupling @ lead.surface(k, energy).green[0] @ coupling.conj().T
        inverse = inverse - sigma
        values, vectors = np.linalg.eigh(1j * (sigma - sigma.conj().T))
        roots.append(vectors * np.sqrt(np.maximum(values, 0.0)))
    amplitudes = roots[0].conj().T @ np.linalg.inv(inverse) @ roots[1]
    values = np.linalg.svd(amplitudes, compute_uv=False) ** 2
    most = min(lead.open_channels(k, energy) for lead in whole.leads)
    return np.asarray(values[: max(most, 1)])
