"""Dataset that a report rests on: collected anew, as it lies in the folder, or a file alone."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xarray as xr

from nanogap.campaign.collect import Collected, collect, lost_members, open_ensemble, stored_keys
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinds import Kind
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io.device_files import campaign_measurement

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


def source_kind(path: Path) -> Kind:
    """Tell whether a campaign folder, or a file that ``collect`` wrote, is of runs or devices.

    Raises
    ------
    DataFormatError
        If it is neither.
    """
    alone = _alone(path)
    if alone is None:
        return CampaignFolder(path).kind
    with open_ensemble(alone) as dataset:
        return "device" if _is_of_devices(dataset) else "run"


def _is_of_devices(dataset: xr.Dataset) -> bool:
    return "simulated" in dataset.attrs and "point" in dataset.dims


def _alone(path: Path) -> Path | None:
    """Return the collected file where there is no campaign folder around it."""
    if (path / "campaign.json").is_file():
        return None
    files = [path / "dataset.nc", campaign_measurement(path)] if path.is_dir() else [path]
    return next((file for file in files if file.is_file()), None)


@contextmanager
def open_source(path: Path, kind: Kind = "run") -> Iterator[Source]:
    """Open the dataset of a campaign as it is now.

    The dataset of a folder is collected anew if a result is newer; where the folder cannot be
    written, beside it. Where results are gone that the dataset has, it is taken as it is.

    Parameters
    ----------
    path : Path
        A campaign folder, or a file that ``collect`` wrote.
    kind : {'run', 'device'}
        Kind of the members that is asked for.

    Yields
    ------
    Source

    Raises
    ------
    DataFormatError
        If it is neither, no member is finished, or a file is damaged.
    SettingsError
        If its members are of another kind.
    """
    alone = _alone(path)
    if alone is not None:
        with open_ensemble(alone) as dataset:
            yield _of_file(dataset, alone, kind)
        return
    folder = CampaignFolder(path)
    _need_kind(path, folder.kind, kind)
    if _is_current(folder):
        gone = lost_members(folder)
        with open_ensemble(folder.dataset) as dataset:
            source = _of_file(dataset, folder.dataset, kind)
            now = replace(source.collected, given_up=folder.given_up())
            if gone:
                file = folder.dataset.name
                note = f"the results of {gone} members are gone: they are taken from {file}"
                now = replace(now, notes=[*now.notes, note])
            yield replace(source, collected=now)
        return
    with TemporaryDirectory(prefix="nanogap-") as other:
        collected = _collected(folder, Path(other) / folder.dataset.name)
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
        file = folder.dataset.name
        note = f"{file} could not be written ({reason}): 'nanogap campaign collect' writes it"
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


def _need_kind(path: Path, found: Kind, asked: Kind) -> None:
    """Refuse members of another kind."""
    if found != asked:
        raise SettingsError(f"{path} is a campaign of {found}s, not of {asked}s")


def _of_file(dataset: xr.Dataset, file: Path, kind: Kind) -> Source:
    """Take from the attributes what a folder would tell."""
    _need_kind(file, "device" if _is_of_devices(dataset) else "run", kind)
    try:
        given_up = dict(json.loads(dataset.attrs["given_up"]))
        notes = [str(dataset.attrs["notes"])] if dataset.attrs["notes"] else []
        planned, name = int(dataset.attrs["planned"]), str(dataset.attrs["campaign"])
        members = dataset.sizes["member"] if kind == "run" else len(np.unique(dataset["key"]))
    except (KeyError, ValueError, TypeError) as error:
        raise DataFormatError(
            f"{file} is no dataset of a campaign ({error}): 'nanogap campaign collect' writes one"
        ) from None
    return Source(dataset, name, Collected(str(file), members, planned, given_up, notes))
