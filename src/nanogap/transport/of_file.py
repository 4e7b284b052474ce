"""The transmission of a file of junctions or trajectory frames, outside a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.io import write_dataset
from nanogap.settings import JunctionSettings, VoltageSettings, parse_energies
from nanogap.structure.cut import cut_junction
from nanogap.structure.junction import read_frames, validate_junction
from nanogap.transport.backends import LOCAL, get_backend
from nanogap.transport.current import CurrentVoltage, LinearResponse, energies_needed
from nanogap.transport.dataset import transmission_summary
from nanogap.transport.negf.local import compute_local
from nanogap.transport.negf.neutrality import METHODS, neutral_junction

#: Spacing of the energies that are chosen for currents and the thermopower, eV.
_ENERGY_STEP = 0.05
_ROOM_TEMPERATURE = 300.0


@dataclass(frozen=True)
class TransmissionRequest:
    """What is to be computed for a file.

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
        ``paper`` or ``full``.
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
    options : mapping
        What only this backend takes, by the names of its arguments.
    """

    index: str = "-1"
    energies: str | None = None
    kpoints: tuple[int, int] | str | None = None
    gamma_centred: bool = False
    per_k: bool = False
    cut: str = "full"
    backend: str = "tight-binding"
    neutrality: str = "none"
    temperature: float | None = None
    voltages: str | None = None
    local_density: bool = False
    bond_currents: bool = False
    output: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def transmission_of_file(
    path: Path, request: TransmissionRequest
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Compute the transmission of the structures in a file.

    Parameters
    ----------
    path : Path
        Junctions, or frames of a nanogap trajectory, which are cut first.
    request : TransmissionRequest

    Returns
    -------
    dataset : xarray.Dataset
        Of the backend, with conductance, thermopower and current where asked for.
    summary : dict
        See `nanogap.transport.dataset.transmission_summary`; and, where asked for, over
        snapshots: ``temperature`` (K), ``conductance`` (G0), ``thermopower`` (V/K);
        ``voltages`` (V), ``current`` (A); ``local_density`` (``atom``, ``density`` in 1/eV);
        ``bond_currents`` (``first``, ``second``, ``current`` in G0).

    Raises
    ------
    NanogapError
        If an argument or the file is wrong; the message names it.
    """
    compute = get_backend(request.backend)
    voltages = _voltages(request)
    values = _energies(request, voltages)
    _check(request)
    frames = read_frames(path, request.index)
    names = [f"{path} frame {number}" for number in range(len(frames))]
    junctions = [
        _junction(frame, name, request.cut) for frame, name in zip(frames, names, strict=True)
    ]
    junctions = [
        neutral_junction(junction, request.neutrality, name=name)
        for junction, name in zip(junctions, names, strict=True)
    ]
    mesh: dict[str, Any] = {"gamma_centred": request.gamma_centred}
    if request.kpoints is not None:
        mesh["kpoints"] = request.kpoints
    dataset = compute(junctions, values, **mesh, names=names, **request.options)
    summary = transmission_summary(dataset, per_k=request.per_k)
    dataset = _add_currents(dataset, summary, request, voltages)
    if request.local_density or request.bond_currents:
        local = [
            compute_local(junction, name=name, **mesh)
            for junction, name in zip(junctions, names, strict=True)
        ]
        _add_local(summary, request, local)
    if request.output is not None:
        write_dataset(dataset, request.output)
    return dataset, summary


def _check(request: TransmissionRequest) -> None:
    """Refuse arguments that cannot be, before anything is read or computed."""
    kpoints = request.kpoints
    if isinstance(kpoints, tuple) and not all(1 <= number <= 64 for number in kpoints):
        raise SettingsError(f"--kpoints {kpoints[0]} {kpoints[1]}: give two numbers from 1 to 64")
    if isinstance(kpoints, str) and kpoints not in ("auto", "paper"):
        raise SettingsError(f"--mesh {kpoints!r}: choose auto or paper")
    if (request.local_density or request.bond_currents) and request.backend not in LOCAL:
        asked = "--local-density" if request.local_density else "--bond-currents"
        raise SettingsError(
            f"{asked}: backend {request.backend!r} has none; choose {' or '.join(LOCAL)}"
        )
    if request.neutrality not in METHODS:
        raise SettingsError(f"--neutrality {request.neutrality!r}: choose {', '.join(METHODS)}")
    if request.neutrality != "none" and request.backend == "pwcond":
        raise SettingsError("--neutrality: pwcond is self-consistent already; leave it out")
    if request.cut not in ("paper", "full"):
        raise SettingsError(f"--cut {request.cut!r}: choose paper or full")
    try:
        for part in request.index.split(":"):
            int(part or 0)
    except ValueError:
        raise SettingsError(
            f"--index {request.index!r} is no frame or slice: give 0, -1 or 0:10"
        ) from None


def _voltages(request: TransmissionRequest) -> list[float]:
    if request.voltages is None:
        return []
    try:
        return parse_energies(request.voltages)
    except SettingsError as error:
        raise SettingsError(f"--iv: {error}".replace("energies", "voltages")) from None


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


def _add_currents(
    dataset: xr.Dataset,
    summary: dict[str, Any],
    request: TransmissionRequest,
    voltages: list[float],
) -> xr.Dataset:
    """Add what follows from T(E) to the dataset and the summary."""
    if request.temperature is not None and (request.temperature > 0.0 or not voltages):
        response = LinearResponse(request.temperature).compute(dataset)
        dataset = dataset.assign(
            conductance=("snapshot", response.conductance, {"units": "G0"}),
            thermopower=("snapshot", response.thermopower, {"units": "V/K"}),
        )
        summary["temperature"] = request.temperature
        summary["conductance"] = response.conductance.tolist()
        summary["thermopower"] = [
            value if np.isfinite(value) else None for value in response.thermopower.tolist()
        ]
    if voltages:
        temperature = _ROOM_TEMPERATURE if request.temperature is None else request.temperature
        result = CurrentVoltage(voltages, temperature).compute(dataset)
        dataset = dataset.assign(
            current=(("snapshot", "voltage"), result.current, {"units": "A"})
        ).assign_coords(voltage=("voltage", result.voltages, {"units": "V"}))
        summary["temperature"] = temperature
        summary["voltages"] = result.voltages.tolist()
        summary["current"] = result.current.tolist()
    return dataset


def _add_local(
    summary: dict[str, Any], request: TransmissionRequest, local: list[xr.Dataset]
) -> None:
    """Add densities of states and bond currents to the summary."""
    if request.local_density:
        summary["local_density"] = [
            {
                "atom": each["atom"].to_numpy().tolist(),
                "density": each["local_density"].to_numpy().tolist(),
            }
            for each in local
        ]
    if request.bond_currents:
        summary["bond_currents"] = [
            {
                "first": each["bond_first"].to_numpy().tolist(),
                "second": each["bond_second"].to_numpy().tolist(),
                "current": each["bond_current"].to_numpy().tolist(),
            }
            for each in local
        ]


def _junction(frame: Atoms, name: str, cut: str) -> Atoms:
    """Take a junction as it is; cut one from a trajectory frame."""
    if "region" in frame.arrays:
        validate_junction(frame, name)
        return frame
    settings = JunctionSettings.model_validate({"cut": cut})
    return cut_junction(frame, settings, VoltageSettings().cutoff, name)
