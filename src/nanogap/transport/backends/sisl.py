"""Transmission by sisl from the same Hamiltonian, for cross-checks: another program, and slow.

Only the matrices H and S of atoms and the Fermi energy are those of nanogap. Self-energies by
recursion (Lopez Sancho, Lopez Sancho & Rubio, doi:10.1088/0305-4608/15/4/009), elimination of the
channel in blocks, transmission, scattering matrix and open channels are those of sisl (Papior,
doi:10.5281/zenodo.597181).
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from scipy.sparse import csr_array, hstack

from nanogap.errors import EngineError
from nanogap.transport.backends._contract import Backend, Capabilities
from nanogap.transport.dataset import JunctionTransmission
from nanogap.transport.mesh import PlaneMesh
from nanogap.transport.negf.leads import Lead
from nanogap.transport.negf.local import compute_local
from nanogap.transport.negf.whole_junction import WholeJunction, whole_transmission
from nanogap.transport.tight_binding.files import packaged_elements
from nanogap.transport.tight_binding.matrices import RealSpaceMatrices, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS, orbitals_of
from nanogap.typing import FloatArray

#: Imaginary part of the energy, eV: sisl does not go to none, so T is off by about as much times
#: the time that an electron stays (docs/transport.md).
BROADENING = 1e-6
#: Eigenvalues of a broadening below this part of the largest are no channels.
_NO_CHANNEL = 1e-5


def compute_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] | str = "auto",
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    names: Sequence[str] | None = None,
) -> xr.Dataset:
    """Compute the ballistic transmission; see the function of the tight-binding engine.

    Raises
    ------
    EngineError
        If sisl is not installed.
    """
    sisl, toolbox = _sisl()
    return whole_transmission(
        junctions,
        energies,
        lambda whole, mesh, values: _SislJunction(whole, sisl, toolbox).compute(mesh, values),
        kpoints=kpoints,
        gamma_centred=gamma_centred,
        model=model,
        names=names,
    ).assign_attrs(backend="sisl", engine_version=f"sisl {version('sisl')}")


#: Local densities and bond currents of the same Hamiltonian are those of the engine.
BACKEND = Backend(
    compute_transmission,
    Capabilities(
        takes_model=True, onsite_shifts=True, elements=packaged_elements(), programs=("sisl",)
    ),
    compute_local,
)


def _sisl() -> tuple[Any, Any]:
    """Import sisl and its block-tridiagonal Green's functions."""
    try:
        return import_module("sisl"), import_module("sisl_toolbox.btd")
    except ImportError as error:
        raise EngineError(
            f"backend 'sisl' needs the program sisl ({error}): pip install 'nanogap[cross-check]'"
        ) from None


class _SislJunction:
    """A junction as sisl knows it."""

    def __init__(self, whole: WholeJunction, sisl: Any, toolbox: Any) -> None:
        self._sisl, self._whole = sisl, whole
        # sisl wants an electrode in the order of its copies along z
        surfaces = [
            np.concatenate(np.split(surface, lead.layers)[:: lead.unit.direction])
            for lead, surface in zip(whole.leads, whole.surfaces, strict=True)
        ]
        atoms = np.concatenate([whole.inside, *surfaces])
        orbitals = orbitals_of(atoms)
        matrices = whole.matrices
        device = RealSpaceMatrices(
            matrices.translations,
            [matrix[orbitals][:, orbitals] for matrix in matrices.hamiltonian],
            [matrix[orbitals][:, orbitals] for matrix in matrices.overlap],
        )
        unit = whole.leads[0].unit
        height = float(np.ptp(whole.positions[:, 2])) + 1.0
        places = np.split(np.arange(len(whole.inside), len(atoms)), [len(surfaces[0])])
        self._leads = [self._lead(lead) for lead in whole.leads]
        electrodes = [
            toolbox.BlochElectrode(lead, name=str(n)) for n, lead in enumerate(self._leads)
        ]
        self._green = toolbox.DeviceGreen(
            self._hamiltonian(device, whole.positions[atoms], unit.cell, height),
            list(zip(electrodes, places, strict=True)),
        )

    def compute(self, mesh: PlaneMesh, energies: FloatArray) -> JunctionTransmission:
        """Compute all wave vectors and energies."""
        level = self._whole.fermi_energy
        table, channels, opened = [], [], []
        for k in mesh.points[mesh.computed]:
            point = [*k, 0.0]
            table.append(
                [self._green.transmission(level + energy, "0", "1", k=point) for energy in energies]
            )
            scattering = self._green.scattering_matrix(level, "0", "1", k=point, cutoff=_NO_CHANNEL)
            found = self._green.eigenchannel_from_scattering_matrix(scattering)
            channels.append(np.sort(found.c.real)[::-1])
            opened.append([_open_channels(lead, level, point) for lead in self._leads])
        return JunctionTransmission(
            transmission=np.array(table)[mesh.source],
            eigenchannels=[channels[source] for source in mesh.source],
            open_channels=np.array(opened, dtype=np.float64)[mesh.source],
            fermi_energy=level,
        )

    def _lead(self, lead: Lead) -> Any:
        """One principal layer of a lead, without end away from the junction."""
        unit = lead.unit
        crystal = real_space_matrices(unit.crystal(self._whole.model.element), self._whole.model)
        hamiltonian = self._hamiltonian(crystal, unit.positions, unit.cell, unit.period)
        layer = hamiltonian.tile(lead.layers, 2)
        return self._sisl.RecursiveSI(layer, "+C" if unit.direction > 0 else "-C", eta=BROADENING)

    def _hamiltonian(
        self, matrices: RealSpaceMatrices, positions: FloatArray, cell: FloatArray, height: float
    ) -> Any:
        """Hand the matrices over."""
        box = np.zeros((3, 3))
        box[:2, :2], box[2, 2] = cell, height
        reach = np.abs(matrices.translations).max(axis=0)
        lattice = self._sisl.Lattice(box, nsc=2 * reach + 1)
        # sisl asks how far an orbital reaches; the matrices say which of them couple
        atom = self._sisl.Atom(self._whole.model.element, R=[self._whole.model.cutoff] * N_ORBITALS)
        geometry = self._sisl.Geometry(positions, atom, lattice)
        nothing = csr_array(matrices.hamiltonian[0].shape)
        places = {
            int(lattice.sc_index(shift)): number
            for number, shift in enumerate(matrices.translations)
        }
        hamiltonian, overlap = (
            hstack([parts[places[n]] if n in places else nothing for n in range(lattice.n_s)])
            for parts in (matrices.hamiltonian, matrices.overlap)
        )
        return self._sisl.Hamiltonian.fromsp(geometry, hamiltonian.tocsr(), overlap.tocsr())


def _open_channels(lead: Any, energy: float, k: list[float]) -> int:
    """Transmission of the endless lead: a whole number but for the broadening."""
    left, right = lead.self_energy_lr(energy, k=k)
    inverse = energy * lead.Sk(k, format="array") - lead.Hk(k, format="array") - left - right
    green = np.linalg.inv(inverse)
    gammas = [1j * (sigma - sigma.conj().T) for sigma in (left, right)]
    return round(float(np.trace(gammas[0] @ green @ gammas[1] @ green.conj().T).real))
