"""Measured curves from any file that an instrument or nanogap itself wrote."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import xarray as xr

from nanogap.arguments import checked
from nanogap.errors import DataFormatError, NanogapError, NoDataError, SettingsError
from nanogap.io.clock import Clock, counted_from
from nanogap.io.columns import Choice, parse_columns
from nanogap.io.data_folders import NETCDF_SUFFIXES, Paths, as_paths, measurement_files
from nanogap.io.dataset import (
    joined_files,
    measurement_dataset,
    simulated_trace,
    sources_of,
    with_stated_resistances,
)
from nanogap.io.dates import ClockTimes
from nanogap.io.file_tables import read_tables
from nanogap.io.hdf5_table import hdf5_tables, is_foreign
from nanogap.io.measurement_files import is_measurement_table, measurement_of
from nanogap.io.results import read_dataset
from nanogap.io.run_files import RunFiles, is_run_directory
from nanogap.io.table_curves import dataset_of_tables
from nanogap.processes import available_memory

logger = logging.getLogger(__name__)

Content = TypeVar("Content")

#: Memory that reading and analysing a table takes per byte of its file, measured with 1e7 points.
_MEMORY_PER_BYTE = 20.0

#: Files below this size are read without a look at the memory, bytes.
_SMALL = 20_000_000


@checked
def read_measurement(
    path: Annotated[
        str | os.PathLike[str], "the path of one file; read_measurements reads several"
    ],
    columns: Choice | None = None,
    clock: Clock | None = None,
) -> xr.Dataset:
    r"""Read one file, or the conductance of one run directory.

    Parameters
    ----------
    path : str or Path
        Keithley 4200 (xls, xlsx, csv), Keithley 2600 buffer (csv), any text table, netCDF-4, or a
        run directory.
    columns : mapping or str, optional
        ``time``, ``voltage``, ``current``, ``conductance``, ``resistance``, ``cycle`` or
        ``compliance`` to the name or the number (from 1) of its column, where the header does not
        say it. ``3:uA`` states the unit, ``-Id`` turns the sign. Or in one text, as the command
        line takes it: ``"voltage=2,current=-Id"``.
    clock : Clock, optional
        Sampling rate of files without times, and zero of the time.

    Returns
    -------
    xarray.Dataset
        A measurement dataset with one source.

    Raises
    ------
    DataFormatError
        If the file is missing, damaged, holds no such table, or does not fit into memory.
    SettingsError
        If a chosen column does not exist, the header leaves a choice, or several paths are given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "sweep.csv"
    >>> _ = file.write_text("Voltage (V),Current (uA)\n0.1,7.75\n0.2,15.5\n")
    >>> data = read_measurement(file)
    >>> data["current"].attrs["units"], data["current"].values.tolist()
    ('A', [7.75e-06, 1.55e-05])
    """
    (path,) = as_paths(path)
    choice = parse_columns(columns)
    if not path.exists():
        raise DataFormatError(f"no file {path}")
    if is_run_directory(path):
        return _since_origin(_run(path), clock, path)
    if path.is_dir():
        raise DataFormatError(
            f"{path} is a folder, not a file; read_measurements reads all files in it"
        )
    if not path.is_file():
        raise DataFormatError(f"{path} is no regular file: save its content to one first")
    if path.stat().st_size == 0:
        raise NoDataError(f"{path} is empty")
    if is_measurement_table(path) and choice is None:
        return _since_origin(measurement_of(path.parent), clock, path)
    if path.suffix.casefold() in NETCDF_SUFFIXES:
        return _own_file(path, choice, clock)
    _need_memory(path)
    return dataset_of_tables(read_tables(path), choice, path, clock)


def _need_memory(path: Path) -> None:
    """Refuse a file whose numbers and their analysis would not fit into memory.

    Raises
    ------
    DataFormatError
        If it needs more than is free.
    """
    size = path.stat().st_size
    need = _MEMORY_PER_BYTE * size
    if size > _SMALL and need > (free := available_memory()):
        raise DataFormatError(
            f"{path} needs about {need / 1e9:.2g} GB of memory to be read as a whole, and "
            f"{free / 1e9:.2g} GB are free: cut it into several files (the histogram command reads "
            "a plain table in pieces)"
        )


@checked
def read_measurements(paths: Paths, columns: Choice | None = None) -> xr.Dataset:
    r"""Read files and folders as one measurement dataset.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Files, folders (with all files below them), run and device directories, campaigns of
        devices; see `nanogap.io.data_folders`.
    columns : mapping or str, optional
        See `read_measurement`.

    Returns
    -------
    xarray.Dataset
        A measurement dataset; the coordinate ``file`` tells the files apart.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> for name in ("one.csv", "two.csv"):
    ...     _ = (folder / name).write_text("Voltage (V),Current (uA)\n0.1,7.75\n0.2,15.5\n")
    >>> read_measurements(folder)["voltage"].values.tolist()
    [0.1, 0.2, 0.1, 0.2]
    """
    parts = list(iterate_measurements(paths, columns))
    joined = joined_files(parts)
    # files of different seeds say so in different words, and joining drops what differs
    synthetic = [one.attrs["synthetic"] for one in parts if one.attrs.get("synthetic")]
    if synthetic:
        joined.attrs["synthetic"] = "; ".join(dict.fromkeys(synthetic))
    return joined


def iterate_measurements(
    paths: Paths,
    columns: Choice | None = None,
    watch: Callable[[int, int], object] | None = None,
    named: Paths | None = None,
    clock: Clock | None = None,
) -> Iterator[xr.Dataset]:
    """Read files and folders one by one, so that only one file is in memory.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Files, folders, run and device directories, campaigns of devices; see
        `nanogap.io.data_folders`.
    columns : mapping or str, optional
        See `read_measurement`.
    watch : callable, optional
        Called with how many files the caller is done with, and how many there are.
    named : str, Path or sequence of them, optional
        What the user named, if `paths` were found in it. A file without a measurement is passed
        over, with a warning in the log, if it was found in a folder and not named itself.
    clock : Clock, optional
        See `read_measurement`.

    Yields
    ------
    xarray.Dataset
        A measurement dataset per file, or per device of a file that has several; its path is
        ``encoding["source"]``.

    Raises
    ------
    DataFormatError
        If a file is damaged, or none holds a measurement.
    """

    def read(file: Path) -> xr.Dataset:
        one = read_measurement(file, columns, clock)
        one.encoding["source"] = str(file)
        return one

    for one in each_file(paths, read, watch, named):
        yield from sources_of(one)


def each_file(
    paths: Paths,
    read: Callable[[Path], Content],
    watch: Callable[[int, int], object] | None = None,
    named: Paths | None = None,
    passed_over: list[str] | None = None,
) -> Iterator[Content]:
    """Read files and folders one by one; see `iterate_measurements`.

    Parameters
    ----------
    paths, watch, named
        See `iterate_measurements`.
    read : callable
        Reads one file; raises `NoDataError` if it holds no measurement.
    passed_over : list of str, optional
        Gets the reasons of files that are passed over. Default: the log.
    """
    files = measurement_files(paths)
    sure = {os.path.realpath(path) for path in as_paths(paths if named is None else named)}
    errors: list[NanogapError] = []
    found = 0
    for done, file in enumerate(files):
        if watch is not None:
            watch(done, len(files))
        try:
            one = read(file)
        except NoDataError as error:
            if os.path.realpath(file) in sure:
                raise
            errors.append(error)
            if passed_over is None:
                logger.warning("passed over: %s", error)
            else:
                passed_over.append(str(error))
            continue
        found += 1
        yield one
    if files and not found:
        raise errors[0]
    if watch is not None:
        watch(len(files), len(files))


def _run(folder: Path) -> xr.Dataset:
    """Read the conductance of a run directory, with the times of its snapshots."""
    path = RunFiles(folder).joined_transmission
    if not path.is_file():
        raise DataFormatError(
            f"{folder} is a run without {path.name}: let it finish, or write it with "
            f"'nanogap report {folder}'"
        )
    return simulated_trace(read_dataset(path), str(folder))


def _since_origin(dataset: xr.Dataset, clock: Clock | None, path: Path) -> xr.Dataset:
    """Count the times of an own file from another zero.

    Raises
    ------
    SettingsError
        If it lies after the first point, or the file says itself when its states are read.
    """
    if clock is None or clock.origin is None:
        return dataset
    if "read" in dataset:
        raise SettingsError(
            f"{path} marks its reads, which are timed from their own beginning: leave out the "
            "origin of the time"
        )
    times = ClockTimes(dataset["time"].to_numpy().astype(np.float64), absolute=False)
    counted = counted_from(times, clock.origin, [])
    return dataset.assign(time=(dataset["time"].dims, counted, dataset["time"].attrs))


def _own_file(path: Path, choice: Mapping[str, str] | None, clock: Clock | None) -> xr.Dataset:
    """Read a measurement dataset, the transmissions of a run, or what other programs write."""
    if is_foreign(path):
        return dataset_of_tables(hdf5_tables(path), choice, path, clock)
    dataset = read_dataset(path)
    if "transmission_average" in dataset:
        own = simulated_trace(dataset, str(path))
    elif "point" in dataset.dims and {"voltage", "current"} <= set(dataset.variables):
        own = _curve(dataset, path)
    elif "conductance" in dataset and dataset["conductance"].ndim == 1:
        own = _bare_trace(dataset, path)
    else:
        return dataset_of_tables(hdf5_tables(path, dataset), choice, path, clock)
    return _since_origin(own, clock, path)


def _curve(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Complete a measurement dataset, which a user may have written with fewer variables."""
    if "compliance" in dataset:
        dataset["compliance"] = dataset["compliance"].astype(bool)
    dataset = with_stated_resistances(dataset)
    if "file" not in dataset.coords:
        count = dataset.sizes["point"]
        fields = {
            key: dataset[key].to_numpy().astype(float) if key in dataset else None
            for key in ("time", "voltage", "current", "conductance")
        }
        return measurement_dataset(
            time=fields["time"] if fields["time"] is not None else np.full(count, np.nan),
            voltage=fields["voltage"],
            current=fields["current"],
            conductance=fields["conductance"],
            cycle=dataset["cycle"].to_numpy() if "cycle" in dataset else None,
            compliance=dataset["compliance"].to_numpy() if "compliance" in dataset else None,
            name=path.name,
            attrs={str(key): str(value) for key, value in dataset.attrs.items()},
        )
    return dataset


def _bare_trace(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Read a conductance over any one dimension."""
    values = dataset["conductance"]
    time = dataset["time"].to_numpy().astype(float) if "time" in dataset else None
    if time is None or time.shape != values.shape:
        time = np.full(values.shape, np.nan)
    return measurement_dataset(
        time=time, conductance=values.to_numpy().astype(float), name=path.name
    )
