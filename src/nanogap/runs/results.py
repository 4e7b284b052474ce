"""The transmissions of a run: one file per snapshot, read as one dataset."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.analysis.filament.stages import classify_stages
from nanogap.errors import DataFormatError
from nanogap.io import read_arrays, read_attributes, read_dataset


def read_transmissions(paths: Mapping[int, Path]) -> xr.Dataset | None:
    """Read the transmissions of snapshots as one dataset.

    Parameters
    ----------
    paths : mapping
        Snapshot number to file, in order.

    Returns
    -------
    xarray.Dataset or None
        `nanogap.transport.negf.compute.compute_transmission` over ``snapshot``; None without one.
    """
    parts = [read_dataset(path) for path in paths.values()]
    if not parts:
        return None
    attributes = _joined([part.attrs for part in parts])
    # cells of different widths have different meshes, which then belong to their snapshots
    one_mesh = attributes.get("kpoints") == parts[0].attrs.get("kpoints")
    merged = xr.concat(
        [_numbered(part) for part in parts],
        dim="snapshot",
        data_vars="minimal",
        coords="minimal" if one_mesh else ["k1", "k2"],
        join="outer",
        compat="override",
        combine_attrs="override",
    )
    merged.attrs = attributes
    return merged.assign_coords(snapshot=list(paths))


def read_averages(paths: Mapping[int, Path]) -> xr.Dataset | None:
    """Read ``transmission_average`` of `read_transmissions` alone, fifty times faster."""
    if not paths:
        return None
    averages, energies = zip(
        *(read_arrays(path, ["transmission_average", "energy"]) for path in paths.values()),
        strict=True,
    )
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), np.concatenate(averages))},
        coords={"snapshot": list(paths), "energy": energies[0]},
        attrs=_joined([read_attributes(path) for path in paths.values()]),
    )


def with_moments(dataset: xr.Dataset, observables: xr.Dataset) -> xr.Dataset:
    """Give a dataset over snapshots the coordinates that say what they are.

    Parameters
    ----------
    dataset : xarray.Dataset
        Over some of the snapshots.
    observables : xarray.Dataset
        Of all snapshots.

    Returns
    -------
    xarray.Dataset
        With the coordinates ``time`` (fs), ``connected`` and ``stage`` over ``snapshot``.

    Raises
    ------
    DataFormatError
        If a snapshot is not among the observables.
    """
    stages = classify_stages(observables)
    meaning = {"long_name": "stage of the filament"}
    moments = observables[["time", "connected"]].assign(
        stage=("snapshot", np.array([stage.value for stage in stages], dtype=str), meaning)
    )
    unknown = np.setdiff1d(dataset["snapshot"], observables["snapshot"])
    if len(unknown):
        raise DataFormatError(
            f"there is a transmission of snapshot {unknown[0]}, but the trajectory has only "
            f"{observables.sizes['snapshot']} snapshots: one of them is of another run"
        )
    found = moments.sel(snapshot=dataset["snapshot"])
    return dataset.assign_coords({name: found[name] for name in ("time", "stage", "connected")})


def fermi_level_transmission(dataset: xr.Dataset | None) -> dict[int, float]:
    """Transmission at the Fermi energy by snapshot number; empty for None."""
    if dataset is None:
        return {}
    at_fermi_energy = dataset["transmission_average"].sel(energy=0.0, method="nearest")
    values = np.atleast_1d(at_fermi_energy.to_numpy())
    numbers = np.atleast_1d(dataset["snapshot"].to_numpy())
    return {int(n): float(v) for n, v in zip(numbers, values, strict=True)}


def _joined(attributes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the attributes of the transmissions of single snapshots."""
    joined = dict(attributes[0])
    joined["wall_time"] = sum(float(one.get("wall_time", 0.0)) for one in attributes)
    if len({one.get("kpoints") for one in attributes}) > 1:
        joined["kpoints"] = "by the width of each cell"
    return joined


def _numbered(part: xr.Dataset) -> xr.Dataset:
    """Give k-points and channels numbers, so that snapshots with more or fewer can be joined."""
    names = [name for name in ("k", "channel") if name in part.dims and name not in part.coords]
    return part.assign_coords({name: np.arange(part.sizes[name]) for name in names})
