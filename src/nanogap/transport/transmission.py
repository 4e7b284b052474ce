"""The transmission of junctions as one dataset, by the tight-binding Green's-function engine."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.junction import validate_junction
from nanogap.transport.device import Device, build_device
from nanogap.transport.hamiltonian import TightBindingModel, load_model
from nanogap.transport.landauer import fold
from nanogap.transport.mesh import PlaneMesh, plane_mesh

FloatArray = NDArray[np.float64]

BACKEND = "tight-binding"
#: Energies nearer to the Fermi energy than this are the Fermi energy, eV.
_FERMI_TOLERANCE = 1e-9
#: Eigenchannels below this carry nothing worth a column.
_CLOSED = 1e-9


def compute_transmission(
    junctions: Sequence[Atoms],
    energies: Sequence[float] = (0.0,),
    *,
    kpoints: tuple[int, int] = (4, 4),
    gamma_centred: bool = False,
    model: TightBindingModel | None = None,
    threads: int | None = None,
    names: Sequence[str] | None = None,
) -> xr.Dataset:
    """Compute the ballistic transmission of junctions.

    Parameters
    ----------
    junctions : sequence of ase.Atoms
        In the junction format (`nanogap.structure.junction`).
    energies : sequence of float
        From the Fermi energy, eV.
    kpoints : tuple of int
        In-plane mesh; along an axis that is not periodic there is one point.
    gamma_centred : bool
        Centre the mesh on Gamma; otherwise it is shifted by half a step.
    model : TightBindingModel, optional
        Default: the packaged one of the junctions' element.
    threads : int, optional
        Wave vectors computed at the same time; default: the cores this process may use, or what
        OMP_NUM_THREADS says.
    names : sequence of str, optional
        What error messages call the junctions.

    Returns
    -------
    xarray.Dataset
        ``transmission`` over (``snapshot``, ``k``, ``energy``) and ``transmission_average`` over
        (``snapshot``, ``energy``), G0; ``eigenchannels`` over (``snapshot``, ``channel``) at the
        Fermi energy, ranked at every k and averaged over k; ``open_channels`` over (``snapshot``,
        ``lead``), the mean over k at the Fermi energy; ``fermi_energy`` over ``snapshot``, eV on
        the Hamiltonian's scale. Coordinates: ``energy`` (eV from the Fermi energy), ``k1`` and
        ``k2`` over ``k`` (fractions of the reciprocal cell).

    Raises
    ------
    StructureError
        If a junction is malformed or mixes periodicities, or its orbitals depend on each other.
    SettingsError
        If there is no junction, energy or k-point.
    """
    started = time.perf_counter()
    names = names or [f"junction {number}" for number in range(len(junctions))]
    if not len(junctions) or not len(energies) or min(kpoints) < 1:
        raise SettingsError("transmission needs a junction, an energy and at least 1 x 1 k-points")
    periodic = {(bool(junction.pbc[0]), bool(junction.pbc[1])) for junction in junctions}
    if len(periodic) > 1:
        raise StructureError("the junctions differ in their in-plane periodicity: split the file")
    mesh = plane_mesh(kpoints, gamma_centred=gamma_centred, periodic=periodic.pop())
    values = np.asarray(energies, dtype=np.float64)
    parts = []
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(threads or _available_cores()) as pool,
    ):
        for junction, name in zip(junctions, names, strict=True):
            device = _device(junction, name, model)
            parts.append(_one_junction(device, mesh, values, pool))
    dataset = transmission_dataset(parts, mesh, values)
    centre = "centred on" if gamma_centred else "shifted off"
    return dataset.assign_attrs(
        backend=BACKEND,
        nanogap_version=version("nanogap"),
        kpoints=f"{kpoints[0]} x {kpoints[1]}, {centre} Γ",
        n_kpoints=len(mesh.points),
        wall_time=time.perf_counter() - started,
    )


def _available_cores() -> int:
    """Return the cores that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else len(os.sched_getaffinity(0))


def _device(junction: Atoms, name: str, model: TightBindingModel | None) -> Device:
    validate_junction(junction, name)
    try:
        return build_device(junction, model or load_model(str(junction.symbols[0])))
    except StructureError as error:
        raise StructureError(f"{name}: {error}") from None


def _one_junction(
    device: Device, mesh: PlaneMesh, energies: FloatArray, pool: ThreadPoolExecutor
) -> dict[str, Any]:
    """Compute one junction at all wave vectors."""
    level = device.fermi_energy
    absolute = (energies + level).tolist()
    at_fermi_energy = int(np.argmin(np.abs(energies)))
    if abs(energies[at_fermi_energy]) > _FERMI_TOLERANCE:
        at_fermi_energy = len(absolute)
        absolute.append(level)

    def at(number: int) -> tuple[FloatArray, FloatArray, list[int]]:
        k = mesh.points[number]
        folded = fold(device, k, absolute)
        opened = [lead.open_channels(k, level) for lead in device.leads]
        values = np.array([junction.transmission for junction in folded[: len(energies)]])
        return values, folded[at_fermi_energy].eigenchannels, opened

    results = list(pool.map(at, mesh.computed.tolist()))
    most = max(1, *(len(channels) for _, channels, _ in results))
    ranked = np.zeros((len(results), most))
    for row, (_, channels, _) in zip(ranked, results, strict=True):
        row[: len(channels)] = channels
    return {
        "transmission": np.array([result[0] for result in results])[mesh.source],
        "eigenchannels": ranked[mesh.source].mean(axis=0),
        "open_channels": np.array([result[2] for result in results])[mesh.source].mean(axis=0),
        "fermi_energy": level,
    }


def transmission_dataset(
    parts: list[dict[str, Any]], mesh: PlaneMesh, energies: FloatArray
) -> xr.Dataset:
    """Gather the junctions of any backend.

    Parameters
    ----------
    parts : list of dict
        Of each junction ``transmission`` (n_k, n_energies), ``eigenchannels`` (n,) and
        ``open_channels`` (2,) at the Fermi energy as means over k, and ``fermi_energy``.
    mesh : PlaneMesh
    energies : ndarray, shape (n_energies,)
        From the Fermi energy, eV.

    Returns
    -------
    xarray.Dataset
        See `compute_transmission`.
    """
    table = np.array([part["transmission"] for part in parts])
    longest = max(len(part["eigenchannels"]) for part in parts)
    channels = np.zeros((len(parts), longest))
    for row, part in zip(channels, parts, strict=True):
        row[: len(part["eigenchannels"])] = part["eigenchannels"]
    kept = max(1, int((channels > _CLOSED).any(axis=0).sum()))
    return xr.Dataset(
        {
            "transmission": (
                ("snapshot", "k", "energy"),
                table,
                {"units": "G0", "long_name": "transmission"},
            ),
            "transmission_average": (
                ("snapshot", "energy"),
                table.mean(axis=1),
                {"units": "G0", "long_name": "transmission, mean over k"},
            ),
            "eigenchannels": (
                ("snapshot", "channel"),
                channels[:, :kept],
                {"units": "G0", "long_name": "eigenchannels at the Fermi energy, mean over k"},
            ),
            "open_channels": (
                ("snapshot", "lead"),
                np.array([part["open_channels"] for part in parts]),
                {"units": "1", "long_name": "open channels at the Fermi energy, mean over k"},
            ),
            "fermi_energy": (
                ("snapshot",),
                np.array([part["fermi_energy"] for part in parts]),
                {"units": "eV", "long_name": "Fermi energy on the Hamiltonian's scale"},
            ),
        },
        coords={
            "snapshot": np.arange(len(parts)),
            "energy": ("energy", energies, {"units": "eV", "long_name": "energy from E_F"}),
            "k1": ("k", mesh.points[:, 0], {"units": "reciprocal cell vector"}),
            "k2": ("k", mesh.points[:, 1], {"units": "reciprocal cell vector"}),
            "lead": ["left", "right"],
        },
    )


def transmission_summary(dataset: xr.Dataset, *, per_k: bool = False) -> dict[str, Any]:
    """Summarise a transmission dataset as plain data.

    Parameters
    ----------
    dataset : xarray.Dataset
        From any backend.
    per_k : bool
        Add ``transmission_k`` and ``kpoints``.

    Returns
    -------
    dict
        ``backend``, ``fermi_energy`` (eV on the Hamiltonian's scale), ``energies`` (from it),
        ``n_kpoints``, ``transmission`` per snapshot and energy, ``eigenchannels`` per snapshot,
        ``open_channels`` of the left and the right lead of the first snapshot. What a backend
        could not compute is None; ``states`` per snapshot, k and energy then say why.
    """
    summary: dict[str, Any] = {
        "backend": str(dataset.attrs["backend"]),
        "fermi_energy": float(dataset["fermi_energy"][0]),
        "energies": dataset["energy"].to_numpy().tolist(),
        "n_kpoints": int(dataset.sizes["k"]),
        "transmission": _plain(dataset["transmission_average"]),
        "eigenchannels": _plain(dataset["eigenchannels"]),
        "open_channels": dataset["open_channels"][0].to_numpy().tolist(),
    }
    if per_k:
        summary["transmission_k"] = _plain(dataset["transmission"])
        summary["kpoints"] = np.stack([dataset["k1"], dataset["k2"]], axis=1).tolist()
    if "state" in dataset and not np.isfinite(dataset["transmission"]).all():
        summary["states"] = dataset["state"].to_numpy().tolist()
    return summary


def _plain(values: xr.DataArray) -> list[Any]:
    """Return nested lists, with None for what is not a number."""
    plain = values.to_numpy().astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain.tolist())
