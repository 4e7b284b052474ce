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
    """What a backend computes for one junction.

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
    """Gather what a backend computed.

    Parameters
    ----------
    junctions : sequence of JunctionTransmission
    mesh : PlaneMesh
    energies : ndarray, shape (n_energies,)
        From the Fermi energy, eV.

    Returns
    -------
    xarray.Dataset
        See `nanogap.transport.negf.compute.compute_transmission`.
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
            "snapshot": np.arange(len(junctions)),
            "energy": ("energy", energies, {"units": "eV", "long_name": "energy from E_F"}),
            # numbered, so that datasets with more or fewer of them can be joined
            "k": np.arange(len(mesh.points)),
            "channel": np.arange(channels.shape[2]),
            "k1": ("k", mesh.points[:, 0], {"units": "reciprocal cell vector"}),
            "k2": ("k", mesh.points[:, 1], {"units": "reciprocal cell vector"}),
            "lead": ["left", "right"],
        },
    )


def _table_of_channels(junctions: Sequence[JunctionTransmission], n_k: int) -> FloatArray:
    """Eigenchannels of all junctions, ranked, zero where there are fewer; at least one."""
    longest = max(len(row) for junction in junctions for row in junction.eigenchannels)
    table = np.zeros((len(junctions), n_k, max(1, longest)))
    for rows, junction in zip(table, junctions, strict=True):
        for row, values in zip(rows, junction.eigenchannels, strict=True):
            row[: len(values)] = values
    kept = max(1, int((~(table <= _CLOSED)).any(axis=(0, 1)).sum()))
    return table[:, :, :kept]


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
