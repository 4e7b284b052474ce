"""The transmission of junctions as one dataset, by the tight-binding Green's-function engine."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version

import numpy as np
import xarray as xr
from ase import Atoms
from threadpoolctl import threadpool_limits

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.junction import validate_junction
from nanogap.transport.dataset import JunctionTransmission, transmission_dataset
from nanogap.transport.mesh import PlaneMesh, common_mesh
from nanogap.transport.negf.block_elimination import transmission_amplitudes
from nanogap.transport.negf.device import Device, build_device
from nanogap.transport.negf.neutrality import neutral_junction
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray

BACKEND = "tight-binding"
#: Energies nearer to the Fermi energy than this are the Fermi energy, eV.
_FERMI_TOLERANCE = 1e-9


def compute_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] | str = "auto",
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    neutrality: str = "none",
    threads: int | None = None,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> xr.Dataset:
    """Compute the ballistic transmission of junctions.

    Parameters
    ----------
    junctions : sequence of ase.Atoms
        In the junction format (`nanogap.structure.junction`).
    energies : sequence of float
        From the Fermi energy, eV.
    kpoints : tuple of int or str
        In-plane mesh; along an axis that is not periodic there is one point. ``auto``: as dense as
        the width of the cell asks for, ``paper``: 135 independent points
        (`nanogap.transport.mesh.mesh_counts`).
    gamma_centred : bool
        Centre the mesh on Gamma; otherwise it is shifted by half a step.
    model : TightBindingModel, optional
        Default: the packaged one of the junctions' element.
    neutrality : str
        Shifts that make atoms neutral: ``none``, ``coordination`` or ``self-consistent``
        (`nanogap.transport.negf.neutrality.neutral_junction`).
    threads : int, optional
        Wave vectors computed at the same time; default: the cores this process may use, or what
        OMP_NUM_THREADS says.
    names : sequence of str, optional
        What error messages call the junctions.
    progress : callable, optional
        Is told how many wave vectors and energies of all junctions are done, and how many there
        are.

    Returns
    -------
    xarray.Dataset
        As `nanogap.transport.dataset.transmission_dataset` makes it, with the attributes
        ``backend``, ``nanogap_version``, ``kpoints``, ``n_kpoints``, ``wall_time`` (s), and
        ``neutrality`` if it is not ``none``.

    Raises
    ------
    StructureError
        If a junction is malformed or mixes periodicities, its orbitals depend on each other, or
        its neutral state is not found.
    SettingsError
        If there is no junction, energy or k-point, or no such way to neutrality.
    """
    started = time.perf_counter()
    names = names or [f"junction {number}" for number in range(len(junctions))]
    if not len(junctions) or not len(energies):
        raise SettingsError("transmission needs a junction and an energy")
    mesh = common_mesh(junctions, kpoints, gamma_centred=gamma_centred)
    values = np.asarray(energies, dtype=np.float64)
    each = len(mesh.computed) * len(with_fermi_energy(values)[0])
    parts: list[JunctionTransmission] = []
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(threads or available_cores()) as pool,
    ):
        for junction, name in zip(junctions, names, strict=True):
            device = _device(junction, name, model, neutrality)
            count = partial(_count, progress, len(parts) * each, len(junctions) * each)
            parts.append(_one_junction(device, mesh, values, pool, count))
    dataset = transmission_dataset(parts, mesh, values)
    return dataset.assign_attrs(
        backend=BACKEND,
        nanogap_version=version("nanogap"),
        kpoints=mesh.description,
        n_kpoints=len(mesh.points),
        wall_time=time.perf_counter() - started,
        **({} if neutrality == "none" else {"neutrality": neutrality}),
    )


def _count(progress: Callable[[int, int], object], before: int, total: int, done: int) -> None:
    """Tell how much is done of all junctions, from how much of one."""
    progress(before + done, total)


def available_cores() -> int:
    """Return the cores that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else len(os.sched_getaffinity(0))


def with_fermi_energy(energies: FloatArray) -> tuple[list[float], int]:
    """Return energies with the Fermi energy among them, and its place, where channels are counted.

    Parameters
    ----------
    energies : ndarray, shape (n_energies,)
        From the Fermi energy, eV.
    """
    relative: list[float] = energies.tolist()
    nearest = int(np.argmin(np.abs(energies)))
    if abs(relative[nearest]) <= _FERMI_TOLERANCE:
        return relative, nearest
    return [*relative, 0.0], len(relative)


def _device(junction: Atoms, name: str, model: TightBindingModel | None, neutrality: str) -> Device:
    validate_junction(junction, name)
    try:
        model = hamiltonian_of(junction, model)
    except StructureError as error:
        raise StructureError(f"{name}: {error}") from None
    return _assembled(neutral_junction(junction, neutrality, model, name=name), name, model)


def _assembled(junction: Atoms, name: str, model: TightBindingModel) -> Device:
    try:
        return build_device(junction, model)
    except StructureError as error:
        raise StructureError(f"{name}: {error}") from None


def _one_junction(
    device: Device,
    mesh: PlaneMesh,
    energies: FloatArray,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], object],
) -> JunctionTransmission:
    """Compute one junction at all wave vectors."""
    level = device.fermi_energy
    relative, at_fermi_energy = with_fermi_energy(energies)
    points = mesh.points[mesh.computed]
    values = np.zeros((len(points), len(relative)))
    channels: list[FloatArray] = []
    progress(0)
    for number, energy in enumerate(relative):
        # energy by energy: E S - H of all pairs is made once for each
        found = []
        for amplitudes in pool.map(
            partial(transmission_amplitudes, device, energy=energy + level), points
        ):
            found.append(amplitudes)
            progress(number * len(points) + len(found))
        values[:, number] = [amplitudes.transmission for amplitudes in found]
        if number == at_fermi_energy:
            channels = [amplitudes.eigenchannels for amplitudes in found]
    opened = list(pool.map(partial(_open_channels, device, level), points))
    return JunctionTransmission(
        transmission=values[mesh.source, : len(energies)],
        eigenchannels=[channels[source] for source in mesh.source],
        open_channels=np.array(opened, dtype=np.float64)[mesh.source],
        fermi_energy=level,
    )


def _open_channels(device: Device, energy: float, k: FloatArray) -> list[int]:
    # a lead has the same channels wherever it is cut, and there its surface is known
    return [contact.lead.open_channels(k, energy) for contact in device.arrangement.contacts]
