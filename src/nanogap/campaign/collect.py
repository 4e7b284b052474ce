"""The dataset of all finished members of a campaign."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from nanogap import __version__
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.errors import DataFormatError
from nanogap.io.ensemble import write_ensemble

#: Attributes of a result that the dataset has for every member.
_PER_MEMBER = ("core_seconds", "peak_memory")


@dataclass(frozen=True)
class ResultAttributes:
    """Origin and cost of the result of a member, as the attributes of its file say.

    Attributes
    ----------
    versions, settings : str
        Versions of programs, and the settings, as JSON.
    core_seconds : float
        Processor time of the member.
    dynamics_seconds : float
        Wall time of its dynamics.
    peak_memory, run_directory_bytes : float
        Memory of its process and size of its run directory, bytes.
    points : int
        Snapshots whose conductance is known.
    first_contact : float
        Conductance of the first contact, G0; NaN if there is none or it is not known.
    """

    versions: str
    settings: str
    core_seconds: float
    dynamics_seconds: float
    peak_memory: float
    run_directory_bytes: float
    points: int
    first_contact: float


@dataclass(frozen=True)
class Collected:
    """The dataset of a campaign, and the members that are in it.

    Attributes
    ----------
    dataset : str
        Path of the file.
    members, planned : int
        Members in it, and of the whole campaign.
    given_up : dict of str to str
        Key to reason, of the members that failed too often.
    notes : list of str
        Sentences to be told.
    """

    dataset: str
    members: int
    planned: int
    given_up: dict[str, str]
    notes: list[str]


def collect(folder: CampaignFolder, watch: Callable[[int], object] = lambda _: None) -> Collected:
    """Write the dataset of all members that are finished.

    Parameters
    ----------
    folder : CampaignFolder
    watch : callable
        Called with the number of members written.

    Returns
    -------
    Collected

    Raises
    ------
    DataFormatError
        If no member is finished, or a result is damaged.
    """
    finished, given_up = folder.finished(), folder.given_up()
    files = [folder.result_path(entry) for entry in finished]
    made = [result_attributes(file) for file in files]
    versions = sorted({one.versions for one in made})
    notes = []
    if len(versions) > 1:
        notes.append(
            f"the members were made by {len(versions)} different sets of programs: "
            + "; ".join(versions)
        )
    axes = _axes(finished)
    coordinates: dict[str, Sequence[object]] = {
        "key": [entry.key for entry in finished],
        "repeat": [entry.repeat for entry in finished],
        **({} if "seed" in axes else {"seed": [entry.seed for entry in finished]}),
        **axes,
        **{name: [getattr(one, name) for one in made] for name in _PER_MEMBER},
    }
    path = folder.dataset
    write_ensemble(
        path,
        files,
        coordinates,
        {
            "campaign": folder.file.name,
            "campaign_file": folder.text,
            "axes": json.dumps(list(axes)),
            "planned": len(folder.entries),
            "given_up": json.dumps(given_up),
            "versions": json.dumps([json.loads(text) for text in versions]),
            "settings_of_first": made[0].settings if made else "",
            "collected_by": f"nanogap {__version__}",
            "notes": "; ".join(notes),
        },
        watch,
    )
    return Collected(str(path), len(finished), len(folder.entries), given_up, notes)


def _axes(entries: list[Entry]) -> Mapping[str, Sequence[object]]:
    names = entries[0].axes if entries else {}
    return {name: [entry.axes[name] for entry in entries] for name in names}


def result_attributes(path: Path) -> ResultAttributes:
    """Read the origin and cost of the result of a member.

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
    missing = {field.name for field in fields(ResultAttributes)} - attributes.keys()
    if missing:
        raise DataFormatError(f"{path} is no result of a member: {min(missing)} is missing")
    return ResultAttributes(
        versions=str(attributes["versions"]),
        settings=str(attributes["settings"]),
        core_seconds=float(attributes["core_seconds"]),
        dynamics_seconds=float(attributes["dynamics_seconds"]),
        peak_memory=float(attributes["peak_memory"]),
        run_directory_bytes=float(attributes["run_directory_bytes"]),
        points=int(attributes["points"]),
        first_contact=float(attributes["first_contact"]),
    )


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
