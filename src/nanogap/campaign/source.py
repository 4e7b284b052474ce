"""Dataset that a report rests on: collected anew, as it lies in the folder, or a file alone."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import xarray as xr

from nanogap.campaign.collect import Collected, collect, lost_members, open_ensemble, stored_keys
from nanogap.campaign.folder import CampaignFolder
from nanogap.errors import DataFormatError, SettingsError

#: What the system answers where nothing can be written.
_UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Source:
    """A collected dataset and where it comes from.

    Attributes
    ----------
    dataset : xarray.Dataset
        See `nanogap.campaign.collect.collect`; opened lazily.
    name : str
        Of the campaign.
    collected : Collected
        Members that are in it, and those that are not.
    """

    dataset: xr.Dataset
    name: str
    collected: Collected


def of_devices(path: Path) -> str:
    """Say which commands give the statistics of a campaign of devices."""
    return (
        f"{path} is of simulated devices, whose statistics are those of measured curves: after "
        f"'nanogap campaign collect', 'nanogap switching {path}' gives them, and likewise "
        "histogram, plateaus, retention and noise"
    )


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open the dataset of a campaign as it is now.

    The dataset of a folder is collected anew if a result is newer; where the folder cannot be
    written, beside it. Where results are gone that the dataset has, it is taken as it is.

    Parameters
    ----------
    path : Path
        A campaign folder, or a file that ``collect`` wrote.

    Yields
    ------
    Source

    Raises
    ------
    DataFormatError
        If it is neither, no member is finished, or a file is damaged.
    SettingsError
        If it is of devices.
    """
    alone = path / "dataset.nc" if path.is_dir() else path
    if alone.is_file() and not (path / "campaign.json").is_file():
        with open_ensemble(alone) as dataset:
            yield _of_file(dataset, alone)
        return
    folder = CampaignFolder(path)
    if folder.kind == "device":
        raise SettingsError(of_devices(path))
    if _is_current(folder):
        gone = lost_members(folder)
        with open_ensemble(folder.dataset) as dataset:
            source = _of_file(dataset, folder.dataset)
            now = replace(source.collected, given_up=folder.given_up())
            if gone:
                note = f"the results of {gone} members are gone: they are taken from dataset.nc"
                now = replace(now, notes=[*now.notes, note])
            yield replace(source, collected=now)
        return
    with TemporaryDirectory(prefix="nanogap-") as other:
        collected = _collected(folder, Path(other) / "dataset.nc")
        with open_ensemble(Path(collected.dataset)) as dataset:
            yield Source(dataset, folder.file.name, collected)


def _collected(folder: CampaignFolder, other: Path) -> Collected:
    """Collect the members, in another file where the folder cannot be written."""
    try:
        return collect(folder)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        collected = collect(folder, output=other)
        reason = os.strerror(error.errno)
        note = f"dataset.nc could not be written ({reason}): 'nanogap campaign collect' writes it"
        return replace(collected, notes=[*collected.notes, note])


def _is_current(folder: CampaignFolder) -> bool:
    """Whether the dataset has all that the results have, and of today's plan."""
    stored, finished = stored_keys(folder.dataset), folder.finished()
    if not stored or not {entry.key for entry in finished} <= set(stored):
        return False
    made = folder.dataset.stat().st_mtime_ns
    if any(folder.result_path(entry).stat().st_mtime_ns >= made for entry in finished):
        return False
    with open_ensemble(folder.dataset) as dataset:
        same = dataset.attrs.get("campaign_file") == folder.text
    planned = {entry.key for entry in folder.entries}
    return same and set(stored) <= planned


def _of_file(dataset: xr.Dataset, file: Path) -> Source:
    """Take from the attributes what a folder would tell."""
    if "simulated" in dataset.attrs and "point" in dataset.dims:
        raise SettingsError(of_devices(file))
    try:
        given_up = dict(json.loads(dataset.attrs["given_up"]))
        notes = [str(dataset.attrs["notes"])] if dataset.attrs["notes"] else []
        planned, name = int(dataset.attrs["planned"]), str(dataset.attrs["campaign"])
        members = dataset.sizes["member"]
    except (KeyError, ValueError, TypeError) as error:
        raise DataFormatError(
            f"{file} is no dataset of a campaign ({error}): 'nanogap campaign collect' writes one"
        ) from None
    return Source(dataset, name, Collected(str(file), members, planned, given_up, notes))
