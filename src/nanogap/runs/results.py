"""The transmissions of a run: one file per snapshot, read as one dataset."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.errors import DataFormatError
from nanogap.io import read_arrays, read_attributes, read_dataset
from nanogap.io.results import read_parts
from nanogap.typing import FloatArray

#: Is told how much is done, and how much there is.
Watch = Callable[[int, int], object]
#: Coordinates that `with_moments` adds, and attributes that the report adds.
_MOMENTS = ("time", "stage", "connected")
_ADDED = ("settings", "seed", "engine_version")
#: Coordinates of a snapshot that its kind of mesh says.
_AVERAGE = ("transmission_average", "energy")
_INDEX = frozenset({"snapshot", "k", "k1", "k2", "channel", "lead"})


def read_transmissions(
    paths: Mapping[int, Path], joined: Path | None = None, watch: Watch = lambda _done, _total: None
) -> xr.Dataset | None:
    """Read the transmissions of snapshots as one dataset.

    Parameters
    ----------
    paths : mapping
        Snapshot number to file, in order.
    joined : Path, optional
        File in which an earlier call's dataset was stored; what it holds is not read again.
    watch : callable, optional
        Is told how many files of single snapshots are read, and how many there are.

    Returns
    -------
    xarray.Dataset or None
        `nanogap.transport.negf.compute.compute_transmission` over ``snapshot``; None without one.
    """
    known = _joined_before(paths, joined)
    left = {number: path for number, path in paths.items() if number not in known}
    parts = _stacked(left, watch)
    if known and joined is not None:
        before = read_dataset(joined).drop_vars(_MOMENTS, errors="ignore").drop_encoding()
        before.attrs = {name: one for name, one in before.attrs.items() if name not in _ADDED}
        parts = [before, *parts]
    if not parts:
        return None
    attributes = _joined([part.attrs for part in parts])
    if len(parts) > 1:
        # cells of different widths have different meshes, which then belong to their snapshots
        one_mesh = attributes.get("kpoints") == parts[0].attrs.get("kpoints")
        merged = xr.concat(
            parts,
            dim="snapshot",
            data_vars="minimal",
            coords="minimal" if one_mesh else ["k1", "k2"],
            join="outer",
            compat="override",
            combine_attrs="override",
        )
        parts = [merged.sel(snapshot=list(paths))]
    parts[0].attrs = attributes
    return parts[0]


def _stacked(paths: Mapping[int, Path], watch: Watch) -> list[xr.Dataset]:
    """Join snapshots that have the same mesh and number of channels, a dataset for each kind.

    Opening thousands of small files as datasets takes ten times as long, joining them far more.
    """
    numbers: dict[Any, list[int]] = {}
    arrays: dict[Any, list[dict[str, FloatArray]]] = {}
    seconds: dict[Any, float] = {}
    for done, (number, path) in enumerate(paths.items(), start=1):
        found, attributes = read_parts(path, _INDEX, ("kpoints", "wall_time"))
        watch(done, len(paths))
        shapes = tuple((name, one.shape) for name, one in found.items())
        kind = (attributes.get("kpoints"), shapes, found["energy"].tobytes())
        numbers.setdefault(kind, []).append(number)
        arrays.setdefault(kind, []).append(found)
        seconds[kind] = seconds.get(kind, 0.0) + float(attributes.get("wall_time", 0.0))
    stacks = []
    for kind, members in numbers.items():
        template = _numbered(read_dataset(paths[members[0]]))
        fixed = template.drop_vars(
            [n for n, one in template.variables.items() if "snapshot" in one.dims]
        )
        values = {
            name: (
                one.dims,
                np.concatenate([found[str(name)] for found in arrays[kind]]).astype(one.dtype),
                one.attrs,
            )
            for name, one in template.items()
            if "snapshot" in one.dims
        }
        stack = fixed.drop_encoding().assign(values).assign_coords(snapshot=members)
        stack.attrs = template.attrs
        if "wall_time" in template.attrs:
            stack.attrs |= {"wall_time": seconds[kind]}
        stacks.append(stack)
    return stacks


def _joined_before(paths: Mapping[int, Path], joined: Path | None) -> set[int]:
    """Snapshots that a joined file holds as they are: none if one of its parts is newer or gone."""
    if joined is None or not joined.is_file():
        return set()
    try:
        (numbers,) = read_arrays(joined, ["snapshot"])
        written = joined.stat().st_mtime_ns
        known = {int(number) for number in numbers}
        if all(paths[number].stat().st_mtime_ns <= written for number in known):
            return known
    except (DataFormatError, KeyError, OSError):
        pass  # damaged, or of other snapshots: the parts are what counts
    return set()


def read_averages(paths: Mapping[int, Path], joined: Path | None = None) -> xr.Dataset | None:
    """Read ``transmission_average`` of `read_transmissions` alone, fifty times faster."""
    if not paths:
        return None
    known = _joined_before(paths, joined)
    attributes: list[Mapping[str, Any]] = []
    found: dict[int, FloatArray] = {}
    energies = np.zeros(0)
    if known and joined is not None:
        averages, energies, numbers = read_arrays(
            joined, ["transmission_average", "energy", "snapshot"]
        )
        found = dict(zip(numbers.astype(int).tolist(), averages, strict=True))
        attributes.append(read_attributes(joined))
    for number, path in paths.items():
        if number not in found:
            average, energies, attribute = _average(path)
            found[number] = average
            attributes.append(attribute if attributes else read_attributes(path))
    return xr.Dataset(
        {
            "transmission_average": (
                ("snapshot", "energy"),
                np.array([found[number] for number in paths]),
            )
        },
        coords={"snapshot": list(paths), "energy": energies},
        attrs=_joined(attributes),
    )


def _average(path: Path) -> tuple[FloatArray, FloatArray, dict[str, str | float]]:
    """Read the average transmission of one snapshot, its energies and attributes."""
    arrays, attributes = read_parts(path, (), ("kpoints", "wall_time"), _AVERAGE)
    return arrays["transmission_average"][0], arrays["energy"], attributes


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
    # loaded late: status needs no stages, and loading scipy.stats takes longer than it does
    from nanogap.analysis.filament.stages import classify_stages  # noqa: PLC0415

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
