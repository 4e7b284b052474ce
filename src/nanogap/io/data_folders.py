"""Files that are data: the one rule for files, folders and directories of nanogap.

A folder stands for all files of a known kind in it and below it, in natural order. A run directory
counts as one and is not looked into, a device directory, a campaign of devices or a measurement
directory stands for its measurement; hidden and temporary entries are passed over. A file that is
named twice, or lies in a folder that is named too, counts once.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nanogap.arguments import can_be_path, shown
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io.device_files import (
    current_campaign_measurement,
    current_device_measurement,
    is_device_campaign,
    is_device_directory,
)
from nanogap.io.measurement_files import MeasurementFiles, is_measurement_directory
from nanogap.io.run_files import is_run_directory
from nanogap.io.wire_files import current_wire_measurement, is_wire_directory

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".asc", ".mpt", ".lvm", ".dta", ".data", ".prn")
EXCEL_SUFFIXES = (".xls", ".xlsx", ".xlsm")
NETCDF_SUFFIXES = (".nc", ".nc4", ".h5", ".hdf5")
TDMS_SUFFIXES = (".tdms",)
DATA_SUFFIXES = TEXT_SUFFIXES + EXCEL_SUFFIXES + NETCDF_SUFFIXES + TDMS_SUFFIXES

#: One path or several, each as text or as a path.
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def as_paths(paths: Paths) -> list[Path]:
    """Return one path or several as a list.

    Raises
    ------
    SettingsError
        If one is no path.

    Examples
    --------
    >>> as_paths("levels") == as_paths([Path("levels")]) == [Path("levels")]
    True
    """
    if isinstance(paths, str | os.PathLike):
        return [_as_path(paths)]
    # a dataset is a mapping too, and the names of its variables are words but no paths
    several = isinstance(paths, Iterable) and not isinstance(paths, Mapping)
    found = list(paths) if several else [None]
    if not all(isinstance(path, str | os.PathLike) for path in found):
        raise SettingsError(
            f"{type(paths).__name__!r} given where files belong: name a file or folder, as str or "
            "Path, or a list of them"
        )
    return [_as_path(path) for path in found if path is not None]


def _as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path; empty text is none, and not the current folder."""
    if isinstance(path, str) and not can_be_path(path):
        raise SettingsError(f"{shown(path)} is no path: name a file or folder")
    return Path(path)


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Key that sorts ``nw2`` before ``nw10``."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def measurement_files(paths: Paths) -> list[Path]:
    """List files and run directories, every one once, and measurements; see the module.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, folders, run, device and wire directories, campaigns of devices; what does not exist
        stays in the list.

    Raises
    ------
    DataFormatError
        If a folder holds no file of a known kind.
    SettingsError
        If one is no path.
    """
    found: dict[Path, Path] = {}
    for path in as_paths(paths):
        inside = [path]
        if is_device_directory(path):
            inside = [current_device_measurement(path)]
        elif is_wire_directory(path):
            inside = [current_wire_measurement(path)]
        elif is_device_campaign(path):
            inside = [current_campaign_measurement(path)]
        elif is_measurement_directory(path):
            inside = [MeasurementFiles(path).table]
        elif path.is_dir() and not is_run_directory(path):
            inside = list(_below(path))
            if not inside:
                raise DataFormatError(
                    f"{path} holds no file with one of the endings {', '.join(DATA_SUFFIXES)}, in "
                    "it or below it"
                )
        for entry in inside:
            found.setdefault(Path(os.path.realpath(entry)), entry)
    return list(found.values())


def _below(folder: Path) -> Iterator[Path]:
    """Yield data files and run directories: those in the folder first, then those below."""
    entries = sorted(folder.iterdir(), key=natural_order)
    entries = [entry for entry in entries if not entry.name.startswith((".", "~"))]
    folders = [entry for entry in entries if entry.is_dir()]
    for entry in entries:
        if entry.is_file() and entry.suffix.casefold() in DATA_SUFFIXES:
            yield entry
    for entry in folders:
        if is_run_directory(entry):
            yield entry
        elif is_device_directory(entry):
            yield current_device_measurement(entry)
        elif is_wire_directory(entry):
            yield current_wire_measurement(entry)
        elif is_device_campaign(entry):
            yield current_campaign_measurement(entry)
        elif is_measurement_directory(entry):
            yield MeasurementFiles(entry).table
        else:
            yield from _below(entry)
