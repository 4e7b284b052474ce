"""The dataset of all finished members of a campaign."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nanogap import __version__
from nanogap.campaign.costs import needed_attributes
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.errors import DataFormatError
from nanogap.io.ensemble import write_ensemble
from nanogap.io.hdf5_limits import refuse_links, refuse_sizes
from nanogap.io.results import open_hdf5

if TYPE_CHECKING:
    import xarray as xr

#: Attributes of a result that the dataset has for every member.
_PER_MEMBER = ("core_seconds", "peak_memory")


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


def collect(
    folder: CampaignFolder,
    watch: Callable[[int], object] = lambda _: None,
    output: Path | None = None,
) -> Collected:
    """Write the dataset of all members that are finished; of devices, a measurement dataset.

    Parameters
    ----------
    folder : CampaignFolder
    watch : callable
        Called with the number of members written.
    output : Path, optional
        Another file than the folder's own.

    Returns
    -------
    Collected

    Raises
    ------
    DataFormatError
        If no member is finished, a result is damaged, or the dataset that is there holds members
        whose results are gone.
    """
    finished, given_up = folder.finished(), folder.given_up()
    gone = lost_members(folder)
    if gone:
        raise DataFormatError(
            f"{folder.dataset} holds {gone} members whose results are gone from {folder.path}: it "
            "stays as it is; move it away to collect those that are left"
        )
    files = [folder.result_path(entry) for entry in finished]
    made = [needed_attributes(file, ["versions"], _PER_MEMBER) for file in files]
    versions = sorted({str(one["versions"]) for one in made})
    notes = []
    if len(versions) > 1:
        notes.append(
            f"the members were made by {len(versions)} different sets of programs: "
            + "; ".join(versions)
        )
    axes = _axes(finished)
    path = output or folder.dataset
    made_by: dict[str, str | int] = {
        "campaign": folder.file.name,
        "campaign_file": folder.text,
        "axes": json.dumps(list(axes)),
        "planned": len(folder.entries),
        "given_up": json.dumps(given_up),
        "versions": json.dumps([json.loads(text) for text in versions]),
        "settings_of_first": str(needed_attributes(files[0], ["settings"])["settings"])
        if files
        else "",
        "collected_by": f"nanogap {__version__}",
        "notes": "; ".join(notes),
    }
    collected = Collected(str(path), len(finished), len(folder.entries), given_up, notes)
    if folder.kind == "device":
        from nanogap.campaign.device_collect import write_devices  # noqa: PLC0415 as xarray below

        if not finished:
            raise DataFormatError(f"{folder.path}: no member is finished yet")
        write_devices(path, folder, finished, made_by, watch)
        return collected
    coordinates: dict[str, Sequence[object]] = {
        "key": [entry.key for entry in finished],
        "repeat": [entry.repeat for entry in finished],
        **({} if "seed" in axes else {"seed": [entry.seed for entry in finished]}),
        **axes,
        **{name: [float(one[name]) for one in made] for name in _PER_MEMBER},
    }
    write_ensemble(path, files, coordinates, made_by, watch)
    return collected


def _axes(entries: list[Entry]) -> Mapping[str, Sequence[object]]:
    names = entries[0].axes if entries else {}
    return {name: [entry.axes[name] for entry in entries] for name in names}


def stored_keys(path: Path) -> list[str] | None:
    """Return the keys of the members of a collected dataset; None if there is none to read."""
    try:
        with open_hdf5(path) as content:
            return [one.decode() for one in content["key"][:]]
    except (OSError, KeyError, RuntimeError, ValueError, AttributeError, TypeError):
        return None


def lost_members(folder: CampaignFolder) -> int:
    """Count the planned members that the dataset has and that have no result any more."""
    stored = set(stored_keys(folder.dataset) or ())
    planned = {entry.key for entry in folder.entries}
    return len(stored & planned - {entry.key for entry in folder.finished()})


def open_ensemble(path: Path) -> "xr.Dataset":
    """Open a collected dataset lazily: numbers are read when they are used.

    Raises
    ------
    DataFormatError
        If there is none, or it cannot be read.
    """
    import xarray as xr  # noqa: PLC0415 takes longer to load than a thousand members to read

    if not path.is_file():
        raise DataFormatError(f"no dataset {path}: 'nanogap campaign collect' makes one")
    try:
        # asked first, because h5netcdf leaves a traceback on stderr for a damaged file
        with open_hdf5(path) as file:
            refuse_links(file, path)
            refuse_sizes(file, path)
        return xr.open_dataset(path, engine="h5netcdf", driver_kwds={"locking": False})
    except DataFormatError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {reason}") from None
