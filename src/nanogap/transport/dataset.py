"""One dataset for the transmission of junctions, whatever backend computed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nanogap.transport.mesh import PlaneMesh
from nanogap.typing import FloatArray

#: Eigenchannels below this carry nothing worth a column.
_CLOSED = 1e-9


@dataclass(frozen=True)
class JunctionTransmission:
    """Transmission of one junction, as a backend computes it.

    Attributes
    ----------
    transmission : ndarray, shape (n_k, n_energies)
        At every point of the mesh.
    eigenchannels : sequence of ndarray
        At every point of the mesh, at the Fermi energy, largest first.
    open_channels : ndarray, shape (n_k, 2)
        Of the left and the right lead at the Fermi energy.
    fermi_energy : float
        eV on the Hamiltonian's scale.
    """

    transmission: FloatArray
    eigenchannels: Sequence[FloatArray]
    open_channels: FloatArray
    fermi_energy: float


def transmission_dataset(
    junctions: Sequence[JunctionTransmission], mesh: PlaneMesh, energies: FloatArray
) -> xr.Dataset:
    """Gather the transmissions of junctions in the dataset of all backends.

    Parameters
    ----------
    junctions : sequence of JunctionTransmission
    mesh : PlaneMesh
    energies : ndarray, shape (n_energies,)
        From the Fermi energy, eV.

    Returns
    -------
    xarray.Dataset
        ``transmission`` over (``snapshot``, ``k``, ``energy``) and ``transmission_average`` over
        (``snapshot``, ``energy``), G0; ``eigenchannels`` over (``snapshot``, ``channel``) at the
        Fermi energy, ranked at every k and averaged over k, ``eigenchannels_k`` over (``snapshot``,
        ``k``, ``channel``) those of every k; ``fano_factor`` over ``snapshot``,
        sum T_n (1 - T_n) / sum T_n over all channels and k at the Fermi energy (Blanter &
        Buttiker, Phys. Rep. 336, 1 (2000), doi:10.1016/S0370-1573(99)00123-4); ``kpoint_error``
        over ``snapshot``, G0 (`nanogap.transport.mesh.PlaneMesh.error`); ``open_channels`` over
        (``snapshot``, ``lead``), the mean over k at the Fermi energy; ``fermi_energy`` over
        ``snapshot``, eV on the Hamiltonian's scale. Coordinates: ``energy`` (eV from the Fermi
        energy), ``k1`` and ``k2`` over ``k`` (fractions of the reciprocal cell).
    """
    table = np.array([junction.transmission for junction in junctions])
    channels = _table_of_channels(junctions, len(mesh.points))
    at_fermi_energy = channels.sum(axis=2)
    noise = (channels * (1.0 - channels)).sum(axis=(1, 2))
    total = at_fermi_energy.sum(axis=1)
    fano = np.where(total > 0.0, noise / np.where(total > 0.0, total, 1.0), np.nan)

    def described(
        dimensions: tuple[str, ...], values: Any, units: str, name: str
    ) -> tuple[tuple[str, ...], FloatArray, dict[str, str]]:
        return dimensions, np.asarray(values), {"units": units, "long_name": name}

    return xr.Dataset(
        {
            "transmission": described(("snapshot", "k", "energy"), table, "G0", "transmission"),
            "transmission_average": described(
                ("snapshot", "energy"), table.mean(axis=1), "G0", "transmission, mean over k"
            ),
            "eigenchannels": described(
                ("snapshot", "channel"),
                channels.mean(axis=1),
                "G0",
                "eigenchannels at the Fermi energy, mean over k",
            ),
            "eigenchannels_k": described(
                ("snapshot", "k", "channel"), channels, "G0", "eigenchannels at the Fermi energy"
            ),
            "fano_factor": described(
                ("snapshot",), fano, "1", "Fano factor of the shot noise at the Fermi energy"
            ),
            "kpoint_error": described(
                ("snapshot",),
                [mesh.error(row) for row in at_fermi_energy],
                "G0",
                "estimated error of the k-mesh at the Fermi energy",
            ),
            "open_channels": described(
                ("snapshot", "lead"),
                [junction.open_channels.mean(axis=0) for junction in junctions],
                "1",
                "open channels at the Fermi energy, mean over k",
            ),
            "fermi_energy": described(
                ("snapshot",),
                [junction.fermi_energy for junction in junctions],
                "eV",
                "Fermi energy on the Hamiltonian's scale",
            ),
        },
        coords={
            "snapshot": ("snapshot", np.arange(len(junctions)), {"long_name": "snapshot"}),
            "energy": ("energy", energies, {"units": "eV", "long_name": "energy from E_F"}),
            # numbered, so that datasets with more or fewer of them can be joined
            "k": ("k", np.arange(len(mesh.points)), {"long_name": "number of the k-point"}),
            "channel": ("channel", np.arange(channels.shape[2]), {"long_name": "eigenchannel"}),
            "k1": ("k", mesh.points[:, 0], _fraction("first")),
            "k2": ("k", mesh.points[:, 1], _fraction("second")),
            "lead": ["left", "right"],
        },
    )


def _fraction(which: str) -> dict[str, str]:
    """Attributes of a component of the wave vectors."""
    return {"units": "reciprocal cell vector", "long_name": f"{which} component of k"}


def _table_of_channels(junctions: Sequence[JunctionTransmission], n_k: int) -> FloatArray:
    """Eigenchannels of all junctions, ranked, zero where there are fewer; at least one."""
    longest = max(len(row) for junction in junctions for row in junction.eigenchannels)
    table = np.zeros((len(junctions), n_k, max(1, longest)))
    for rows, junction in zip(table, junctions, strict=True):
        for row, values in zip(rows, junction.eigenchannels, strict=True):
            row[: len(values)] = values
    kept = max(1, int((~(table <= _CLOSED)).any(axis=(0, 1)).sum()))
    return table[:, :, :kept]


@dataclass(frozen=True)
class LocalDensity:
    """Density of states of the atoms of a channel at the Fermi energy.

    Attributes
    ----------
    atom : list of int
        Numbers in the junction.
    density : list of float
        1/eV, both spins.
    """

    atom: list[int]
    density: list[float]


@dataclass(frozen=True)
class BondCurrents:
    """Currents between pairs of atoms at the Fermi energy.

    Attributes
    ----------
    first, second : list of int
        Atoms that electrons flow from and to; -1 is one in a further repeat of a lead.
    current : list of float
        G0.
    """

    first: list[int]
    second: list[int]
    current: list[float]


@dataclass(frozen=True)
class TransmissionSummary:
    """Summary of a transmission dataset as plain numbers: the JSON of the command line.

    Attributes
    ----------
    backend : str
    fermi_energy : float
        Of the first snapshot, eV on the Hamiltonian's scale.
    energies : list of float
        From the Fermi energy, eV.
    n_kpoints : int
    transmission : list
        Per snapshot and energy, mean over k, G0; None where a backend could not compute it.
    eigenchannels : list
        Per snapshot at the Fermi energy, mean over k, G0; None likewise.
    open_channels : list of float
        Of the left and the right lead of the first snapshot.
    transmission_k : list, optional
        Per snapshot, k and energy, G0, if it was asked for.
    kpoints : list, optional
        Fractions of the reciprocal cell, with `transmission_k`.
    states : list, optional
        Per snapshot, k and energy, why values are None; only if one is.
    temperature : float, optional
        K, of what follows.
    conductance, thermopower : list of float, optional
        Per snapshot: linear conductance, G0; Seebeck coefficient, V/K, NaN where nothing conducts.
    voltages : list of float, optional
        V.
    current : list, optional
        Per snapshot and voltage, A.
    local_density : list of LocalDensity, optional
        Per snapshot.
    bond_currents : list of BondCurrents, optional
        Per snapshot.
    notes : list of str, optional
        What may be wrong with junctions; only if there is something.
    """

    backend: str
    fermi_energy: float
    energies: list[float]
    n_kpoints: int
    transmission: list[list[float | None]]
    eigenchannels: list[list[float | None]]
    open_channels: list[float]
    transmission_k: list[list[list[float | None]]] | None = None
    kpoints: list[list[float]] | None = None
    states: list[list[list[str]]] | None = None
    temperature: float | None = None
    conductance: list[float] | None = None
    thermopower: list[float] | None = None
    voltages: list[float] | None = None
    current: list[list[float]] | None = None
    local_density: list[LocalDensity] | None = None
    bond_currents: list[BondCurrents] | None = None
    notes: list[str] | None = None


def transmission_summary(dataset: xr.Dataset, *, per_k: bool = False) -> TransmissionSummary:
    """Summarise a transmission dataset.

    Parameters
    ----------
    dataset : xarray.Dataset
        From any backend.
    per_k : bool
        Add ``transmission_k`` and ``kpoints``.

    Returns
    -------
    TransmissionSummary
    """
    unknown = not np.isfinite(dataset["transmission"]).all()
    return TransmissionSummary(
        backend=str(dataset.attrs["backend"]),
        fermi_energy=float(dataset["fermi_energy"][0]),
        energies=dataset["energy"].to_numpy().tolist(),
        n_kpoints=int(dataset.sizes["k"]),
        transmission=_plain(dataset["transmission_average"]),
        eigenchannels=_plain(dataset["eigenchannels"]),
        open_channels=dataset["open_channels"][0].to_numpy().tolist(),
        transmission_k=_plain(dataset["transmission"]) if per_k else None,
        kpoints=np.stack([dataset["k1"], dataset["k2"]], axis=1).tolist() if per_k else None,
        states=dataset["state"].to_numpy().tolist() if unknown and "state" in dataset else None,
        notes=str(dataset.attrs["notes"]).splitlines() if "notes" in dataset.attrs else None,
    )


def _plain(values: xr.DataArray) -> list[Any]:
    """Return nested lists, with None for what is not a number."""
    plain = values.to_numpy().astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain.tolist())
