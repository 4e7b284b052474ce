"""One dataset out of all finished members of a campaign."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from nanogap import __version__
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.errors import DataFormatError
from nanogap.io.ensemble import write_ensemble

#: Attributes of a result that the dataset has for every member.
_PER_MEMBER = ("core_seconds", "peak_memory")


def dataset_path(folder: CampaignFolder) -> Path:
    """Where the collected dataset of a campaign lies."""
    return folder.path / "dataset.nc"


def collect(
    folder: CampaignFolder, watch: Callable[[int], object] = lambda _: None
) -> dict[str, Any]:
    """Write the dataset of all members that are finished.

    Parameters
    ----------
    folder : CampaignFolder
    watch : callable
        Called with the number of members written.

    Returns
    -------
    dict
        ``dataset`` (path), ``members``, ``planned``, ``given_up`` (key and reason) and ``notes``.

    Raises
    ------
    DataFormatError
        If no member is finished, or a result is damaged.
    """
    finished, given_up = folder.finished(), folder.given_up()
    files = [folder.result_path(entry) for entry in finished]
    made = [result_attributes(file) for file in files]
    versions = sorted({str(attributes["versions"]) for attributes in made})
    notes = []
    if len(versions) > 1:
        notes.append(
            f"the members were made by {len(versions)} different sets of programs: "
            + "; ".join(versions)
        )
    axes = _axes(finished)
    coordinates: dict[str, list[Any]] = {
        "key": [entry.key for entry in finished],
        "repeat": [entry.repeat for entry in finished],
        **({} if "seed" in axes else {"seed": [entry.seed for entry in finished]}),
        **axes,
        **{name: [float(one[name]) for one in made] for name in _PER_MEMBER},
    }
    path = dataset_path(folder)
    write_ensemble(
        path,
        files,
        coordinates,
        {
            "campaign": folder.file.name,
            "campaign_file": (folder.path / "campaign.toml").read_text(encoding="utf-8"),
            "axes": json.dumps(list(axes)),
            "planned": len(folder.entries),
            "given_up": json.dumps(given_up),
            "versions": json.dumps([json.loads(text) for text in versions]),
            "settings_of_first": str(made[0]["settings"]) if made else "",
            "collected_by": f"nanogap {__version__}",
            "notes": "; ".join(notes),
        },
        watch,
    )
    return {
        "dataset": str(path),
        "members": len(finished),
        "planned": len(folder.entries),
        "given_up": given_up,
        "notes": notes,
    }


def _axes(entries: list[Entry]) -> dict[str, list[Any]]:
    names = entries[0].axes if entries else {}
    return {name: [entry.axes[name] for entry in entries] for name in names}


def result_attributes(path: Path) -> dict[str, Any]:
    """Return what the result of a member says of how it was made.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    try:
        with h5py.File(path, "r") as content:
            # netCDF stores a lone number as an array of one
            attributes = {
                name: value.item() if isinstance(value, np.ndarray) else value
                for name, value in content.attrs.items()
                if not isinstance(value, np.ndarray) or value.size == 1
            }
    except OSError as error:
        raise DataFormatError(
            f"{path} cannot be read: {error}: remove it and resume the campaign"
        ) from None
    missing = {"versions", "settings", *_PER_MEMBER} - attributes.keys()
    if missing:
        raise DataFormatError(f"{path} is no result of a member: {min(missing)} is missing")
    return attributes


def open_ensemble(path: Path) -> xr.Dataset:
    """Open a collected dataset lazily: numbers are read when they are used.

    Raises
    ------
    DataFormatError
        If there is none, or it cannot be read.
    """
    if not path.is_file():
        raise DataFormatError(f"no dataset {path}: 'nanogap campaign collect' makes one")
    try:
        return xr.open_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {error}") from None
