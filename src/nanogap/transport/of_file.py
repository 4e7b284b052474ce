"""The transmission of a file of junctions or trajectory frames, outside a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.errors import EngineError, SettingsError, StructureError
from nanogap.io import write_dataset
from nanogap.processes import available_memory
from nanogap.settings import parse_energies
from nanogap.structure.junction import read_frames
from nanogap.transport.backends import DEFAULT, backend_names, get_backend
from nanogap.transport.compute import (
    DEFAULT_CUT,
    capable_backend,
    compute_transmission,
    junctions_of,
)
from nanogap.transport.cost import TransmissionCost
from nanogap.transport.current import CurrentVoltage, LinearResponse, energies_needed
from nanogap.transport.dataset import (
    BondCurrents,
    LocalDensity,
    TransmissionSummary,
    transmission_summary,
)
from nanogap.transport.tight_binding.files import model_of
from nanogap.transport.tight_binding.model import TightBindingModel

#: Spacing of the energies that are chosen for currents and the thermopower, eV.
_ENERGY_STEP = 0.05
_ROOM_TEMPERATURE = 300.0


@dataclass(frozen=True)
class TransmissionRequest:
    """Request for the transmission of a file.

    Attributes
    ----------
    index : str
        ASE index or slice.
    energies : str or None
        See `nanogap.settings.parse_energies`; None: the Fermi energy, or what the temperature and
        the voltages need.
    kpoints : tuple of int, str or None
        In-plane mesh, or ``auto`` or ``paper``; None: what the backend takes by itself.
    gamma_centred : bool
        Centre the mesh on Γ.
    per_k : bool
        Add the transmission at every k-point.
    cut : str
        ``terrace``, ``paper`` or ``full``.
    backend : str
        Name of the backend.
    neutrality : str
        ``none``, ``coordination`` or ``self-consistent``
        (`nanogap.transport.negf.neutrality.neutral_junction`).
    temperature : float or None
        K; given, the linear conductance and the thermopower are added.
    voltages : str or None
        Of I(V), as energies are written, V.
    local_density, bond_currents : bool
        Add the density of states of every atom of the channel, the currents between atoms.
    output : Path or None
        Where to write the dataset as netCDF-4.
    junctions : sequence of ase.Atoms
        Already cut from the frames of the file, as a run cuts them; none: the file is cut.
    options : mapping
        What only this backend takes, by the names of its arguments.
    hamiltonian : Path or None
        File of a fitted tight-binding Hamiltonian; None: the packaged one of the element.
    confirm : callable
        Is given the estimated cost, where the backend has one; the work begins if it returns True.
    progress : callable
        Is told how many wave vectors and energies are done, and how many there are, by backends
        that count them.
    """

    index: str = "-1"
    energies: str | None = None
    kpoints: tuple[int, int] | str | None = None
    gamma_centred: bool = False
    per_k: bool = False
    cut: str = DEFAULT_CUT
    backend: str = DEFAULT
    neutrality: str = "none"
    temperature: float | None = None
    voltages: str | None = None
    local_density: bool = False
    bond_currents: bool = False
    output: Path | None = None
    junctions: Sequence[Atoms] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    hamiltonian: Path | None = None
    confirm: Callable[[TransmissionCost], bool] = lambda _cost: True
    progress: Callable[[int, int], object] = lambda _done, _total: None


@dataclass(frozen=True)
class FileTransmission:
    """Transmission of the structures in a file.

    Attributes
    ----------
    dataset : xarray.Dataset
        Of the backend, with ``conductance``, ``thermopower`` and ``current`` where asked for.
    summary : TransmissionSummary
        With local densities and bond currents where asked for.
    """

    dataset: xr.Dataset
    summary: TransmissionSummary


def transmission_of_file(path: Path, request: TransmissionRequest) -> FileTransmission:
    """Compute the transmission of the structures in a file.

    Parameters
    ----------
    path : Path
        Junctions, or frames of a nanogap trajectory, which are cut first.
    request : TransmissionRequest

    Returns
    -------
    FileTransmission

    Raises
    ------
    NanogapError
        If an argument or the file is wrong, the message names it; if more memory would be needed
        than there is; or if `confirm` says no.
    """
    voltages = parse_energies(request.voltages) if request.voltages is not None else []
    values = _energies(request, voltages)
    given = request.hamiltonian is not None
    capable_backend(request.backend, neutrality=request.neutrality, model=given)
    _check_local(request)
    _check_index(request.index)
    model = model_of(request.hamiltonian) if request.hamiltonian is not None else None
    frames = request.junctions or read_frames(path, request.index)
    names = [f"{path} frame {number}" for number in range(len(frames))]
    junctions = junctions_of(frames, cut=request.cut, names=names)
    _confirm_cost(junctions, values, request, model)
    junctions = junctions_of(junctions, neutrality=request.neutrality, model=model, names=names)
    options = dict(request.options)
    if model is not None:
        options["model"] = model
    if "progress" in get_backend(request.backend).options:
        options["progress"] = request.progress
    dataset = compute_transmission(
        junctions,
        values,
        backend=request.backend,
        kpoints=request.kpoints,
        gamma_centred=request.gamma_centred,
        names=names,
        **options,
    )
    if request.neutrality != "none":
        dataset = dataset.assign_attrs(neutrality=request.neutrality)
    summary = transmission_summary(dataset, per_k=request.per_k)
    dataset, summary = _with_currents(dataset, summary, request, voltages)
    summary = _with_local(summary, request, junctions, names, model)
    if request.output is not None:
        write_dataset(dataset, request.output)
    return FileTransmission(dataset, summary)


def _confirm_cost(
    junctions: Sequence[Atoms],
    energies: list[float],
    request: TransmissionRequest,
    model: TightBindingModel | None,
) -> None:
    """Refuse what does not fit into the memory, and begin long work only if it is wanted."""
    estimate = get_backend(request.backend).estimate
    if estimate is None:
        return
    cost = estimate(
        junctions,
        energies,
        kpoints="auto" if request.kpoints is None else request.kpoints,
        gamma_centred=request.gamma_centred,
        model=model,
        local=request.local_density or request.bond_currents,
    )
    free = available_memory()
    if cost.memory > free:
        raise StructureError(
            f"this needs about {cost.memory / 1e9:.1f} GB of memory ({cost.size}), and "
            f"{free / 1e9:.1f} GB are free: take a smaller cell or a thinner lead, fewer k-points "
            "or energies, or fewer threads (OMP_NUM_THREADS=1)"
        )
    if not request.confirm(cost):
        raise EngineError("the transmission was not begun")


def _check_local(request: TransmissionRequest) -> None:
    """Refuse local properties that the backend does not know."""
    if not (request.local_density or request.bond_currents):
        return
    if get_backend(request.backend).compute_local is None:
        able = [name for name in backend_names() if get_backend(name).compute_local is not None]
        raise SettingsError(
            f"backend {request.backend!r} has no local densities and bond currents: choose "
            f"{' or '.join(able)}"
        )


def _check_index(index: str) -> None:
    try:
        for part in index.split(":"):
            int(part or 0)
    except ValueError:
        raise SettingsError(f"index {index!r} is no frame or slice: give 0, -1 or 0:10") from None


def _energies(request: TransmissionRequest, voltages: list[float]) -> list[float]:
    """Energies as asked for, or as far and as dense as currents and temperature need."""
    if request.energies is not None:
        return parse_energies(request.energies)
    if request.temperature is None and not voltages:
        return [0.0]
    temperature = _ROOM_TEMPERATURE if request.temperature is None else request.temperature
    reach = energies_needed(temperature, max(map(abs, voltages), default=0.0))
    count = int(np.ceil(reach / _ENERGY_STEP - 1e-9))
    return [round(float(energy), 10) for energy in np.arange(-count, count + 1) * _ENERGY_STEP]


def _with_currents(
    dataset: xr.Dataset,
    summary: TransmissionSummary,
    request: TransmissionRequest,
    voltages: list[float],
) -> tuple[xr.Dataset, TransmissionSummary]:
    """Add what follows from T(E) to the dataset and the summary."""
    if request.temperature is not None and (request.temperature > 0.0 or not voltages):
        response = LinearResponse(request.temperature).compute(dataset)
        dataset = dataset.assign(
            conductance=(
                "snapshot",
                response.conductance,
                {"units": "G0", "long_name": "linear conductance"},
            ),
            thermopower=(
                "snapshot",
                response.thermopower,
                {"units": "V/K", "long_name": "thermopower"},
            ),
        )
        summary = replace(
            summary,
            temperature=request.temperature,
            conductance=response.conductance.tolist(),
            thermopower=response.thermopower.tolist(),
        )
    if voltages:
        temperature = _ROOM_TEMPERATURE if request.temperature is None else request.temperature
        result = CurrentVoltage(voltages, temperature).compute(dataset)
        attributes = {"units": "A", "long_name": "current"}
        dataset = dataset.assign(
            current=(("snapshot", "voltage"), result.current, attributes)
        ).assign_coords(
            voltage=("voltage", result.voltages, {"units": "V", "long_name": "voltage"})
        )
        summary = replace(
            summary,
            temperature=temperature,
            voltages=result.voltages.tolist(),
            current=result.current.tolist(),
        )
    return dataset, summary


def _with_local(
    summary: TransmissionSummary,
    request: TransmissionRequest,
    junctions: Sequence[Atoms],
    names: Sequence[str],
    model: TightBindingModel | None,
) -> TransmissionSummary:
    """Add densities of states and bond currents to the summary, where asked for."""
    compute_local = get_backend(request.backend).compute_local
    if compute_local is None or not (request.local_density or request.bond_currents):
        return summary
    local = [
        compute_local(
            junction,
            kpoints="auto" if request.kpoints is None else request.kpoints,
            gamma_centred=request.gamma_centred,
            model=model,
            name=name,
        )
        for junction, name in zip(junctions, names, strict=True)
    ]
    if request.local_density:
        densities = [
            LocalDensity(
                atom=each["atom"].to_numpy().tolist(),
                density=each["local_density"].to_numpy().tolist(),
            )
            for each in local
        ]
        summary = replace(summary, local_density=densities)
    if request.bond_currents:
        currents = [
            BondCurrents(
                first=each["bond_first"].to_numpy().tolist(),
                second=each["bond_second"].to_numpy().tolist(),
                current=each["bond_current"].to_numpy().tolist(),
            )
            for each in local
        ]
        summary = replace(summary, bond_currents=currents)
    return summary
