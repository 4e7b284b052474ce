"""Measured curves from any file that an instrument or nanogap itself wrote."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import xarray as xr

from nanogap.arguments import checked
from nanogap.errors import DataFormatError, NanogapError, NoDataError, SettingsError
from nanogap.io.blocks import plain_name, side_by_side
from nanogap.io.cells import check_plausible, continued_time, numbers_of
from nanogap.io.clock import Clock
from nanogap.io.column_names import split_unit
from nanogap.io.columns import Column, buffer_columns, identify_columns, steps_of
from nanogap.io.data_folders import NETCDF_SUFFIXES, Paths, as_paths, measurement_files
from nanogap.io.dataset import (
    device_of,
    is_instrument,
    joined_files,
    measurement_dataset,
    simulated_trace,
    stacked,
)
from nanogap.io.file_tables import read_tables
from nanogap.io.hdf5_table import hdf5_tables, is_foreign
from nanogap.io.results import read_dataset
from nanogap.io.run_files import RunFiles, is_run_directory
from nanogap.io.text_table import Table
from nanogap.units import CONDUCTANCE_QUANTUM

logger = logging.getLogger(__name__)


@checked
def read_measurement(
    path: Annotated[
        str | os.PathLike[str], "the path of one file; read_measurements reads several"
    ],
    columns: Mapping[str, str | int] | None = None,
    clock: Clock | None = None,
) -> xr.Dataset:
    r"""Read one file, or the conductance of one run directory.

    Parameters
    ----------
    path : str or Path
        Keithley 4200 (xls, xlsx, csv), Keithley 2600 buffer (csv), any text table, netCDF-4, or a
        run directory.
    columns : mapping, optional
        ``time``, ``voltage``, ``current``, ``conductance``, ``resistance``, ``cycle`` or
        ``compliance`` to the name or the number (from 1) of its column, where the header does not
        say it. ``3:uA`` states the unit, ``-Id`` turns the sign.
    clock : Clock, optional
        Sampling rate of files without times, and zero of the time.

    Returns
    -------
    xarray.Dataset
        A measurement dataset with one source.

    Raises
    ------
    DataFormatError
        If the file is missing, damaged, or holds no such table.
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
    if not path.exists():
        raise DataFormatError(f"no file {path}")
    if is_run_directory(path):
        return _run(path)
    if path.is_dir():
        raise DataFormatError(
            f"{path} is a folder, not a file; read_measurements reads all files in it"
        )
    if not path.is_file():
        raise DataFormatError(f"{path} is no regular file: save its content to one first")
    if path.stat().st_size == 0:
        raise NoDataError(f"{path} is empty")
    if path.suffix.casefold() in NETCDF_SUFFIXES:
        return _own_file(path, columns)
    return _joined(read_tables(path), columns, path, clock)


@checked
def read_measurements(paths: Paths, columns: Mapping[str, str | int] | None = None) -> xr.Dataset:
    r"""Read files and folders as one measurement dataset.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Files, folders (with all files below them), run directories; see
        `nanogap.io.data_folders`.
    columns : mapping, optional
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
    columns: Mapping[str, str | int] | None = None,
    watch: Callable[[int, int], object] | None = None,
    named: Paths | None = None,
    clock: Clock | None = None,
) -> Iterator[xr.Dataset]:
    """Read files and folders one by one, so that only one file is in memory.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Files, folders, run directories; see `nanogap.io.data_folders`.
    columns : mapping, optional
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
        A measurement dataset per file; its path is ``encoding["source"]``.

    Raises
    ------
    DataFormatError
        If a file is damaged, or none holds a measurement.
    """
    files = measurement_files(paths)
    sure = {os.path.realpath(path) for path in as_paths(paths if named is None else named)}
    passed_over: list[NanogapError] = []
    found = 0
    for done, file in enumerate(files):
        if watch is not None:
            watch(done, len(files))
        try:
            one = read_measurement(file, columns, clock)
        except NoDataError as error:
            if os.path.realpath(file) in sure:
                raise
            passed_over.append(error)
            logger.warning("passed over: %s", error)
            continue
        found += 1
        one.encoding["source"] = str(file)
        yield one
    if files and not found:
        raise passed_over[0]
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


def _own_file(path: Path, choice: Mapping[str, str | int] | None) -> xr.Dataset:
    """Read a measurement dataset, the transmissions of a run, or what other programs write."""
    if is_foreign(path):
        return _joined(hdf5_tables(path), choice, path)
    dataset = read_dataset(path)
    if "transmission_average" in dataset:
        return simulated_trace(dataset, str(path))
    if "point" not in dataset.dims or not {"voltage", "current"} <= set(dataset.variables):
        if "conductance" in dataset and dataset["conductance"].ndim == 1:
            return _bare_trace(dataset, path)
        return _joined(hdf5_tables(path, dataset), choice, path)
    if "compliance" in dataset:
        dataset["compliance"] = dataset["compliance"].astype(bool)
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


def _from_table(
    table: Table, choice: Mapping[str, str | int] | None, clock: Clock | None = None
) -> xr.Dataset:
    """Turn one table into a measurement dataset; stepped columns become sweeps one by one."""
    steps = steps_of(table.header)
    if not steps and (steps := side_by_side(table.header)):
        table = replace(table, header=[plain_name(cell) for cell in table.header])
    if not steps:
        return _one_sweep(table, choice, clock)
    parts = []
    for step, places in steps.items():
        part = replace(
            table,
            where=f"{table.where}, step {step}",
            header=[table.header[place] for place in places],
            cells=table.cells.iloc[:, places].set_axis(range(len(places)), axis=1),
        )
        if not part.cells.isna().all(axis=None):
            parts.append(_one_sweep(part, choice, clock))
    return stacked(parts)


def _one_sweep(
    table: Table, choice: Mapping[str, str | int] | None, clock: Clock | None = None
) -> xr.Dataset:
    """Read the columns of a table that has each quantity once."""
    where = table.where
    notes = list(table.notes)
    chosen = {quantity: str(column) for quantity, column in (choice or {}).items()}
    found = identify_columns(table.header, {**table.roles, **chosen}, where, notes)
    if "voltage" not in found or "current" not in found:
        _add_buffer_columns(table, found, notes)
    wanted = {"conductance", "resistance"} & set(found)
    if not wanted and not {"voltage", "current"} <= set(found):
        missing = " and no ".join(q for q in ("voltage", "current") if q not in found)
        names = ", ".join(repr(cell) for cell in table.header if cell) or "none"
        raise NoDataError(
            f"{where}: no {missing} column among its {len(table.header)} columns (names: {names}); "
            "choose them with --columns voltage=NAME,current=NAME, or by number (conductance=1:G0)"
        )
    used = [key for key in found if key != "compliance"]
    clock = clock or Clock()
    values, status, keep = numbers_of(table, {key: found[key] for key in used}, notes, clock.origin)
    if not keep.any():
        raise DataFormatError(f"{where}: the table has no rows of numbers")
    compliance = (status == "C") | (status == "T")
    if "compliance" in found:
        raw = table.cells.iloc[:, found["compliance"].index].astype(str).str.strip().str.casefold()
        compliance |= raw.isin(["1", "1.0", "true", "yes", "c", "t"]).to_numpy()[keep]
    check_plausible(values, found, where)
    count = int(keep.sum())
    conductance = values.get("conductance")
    if conductance is None and "resistance" in values and "current" not in values:
        with np.errstate(divide="ignore"):
            conductance = 1.0 / (values["resistance"] * CONDUCTANCE_QUANTUM)
    cycle = values.get("cycle")
    if cycle is not None and np.isnan(cycle).any():
        raise DataFormatError(f"{where}: the column {found['cycle'].name!r} of cycles has gaps")
    time = values.get("time", clock.times(count))
    return measurement_dataset(
        time=continued_time(time, where, notes),
        voltage=values.get("voltage"),
        current=values.get("current"),
        conductance=conductance if not {"voltage", "current"} <= set(values) else None,
        cycle=None if cycle is None else np.round(cycle).astype(np.int64),
        compliance=compliance,
        attrs={**table.metadata, "notes": "; ".join(notes)},
    )


def _add_buffer_columns(table: Table, found: dict[str, Column], notes: list[str]) -> None:
    """Find source values and readings of a buffer whose header has no units."""
    pair = buffer_columns(table.header)
    if pair is None:
        return
    sizes = [
        pd.to_numeric(table.cells.iloc[:, place], errors="coerce").abs().median() for place in pair
    ]
    given = [split_unit(table.header[place])[1] for place in pair]
    function = next(
        (value for key, value in table.metadata.items() if "source" in key and "func" in key), ""
    ).casefold()
    if function.startswith(("v", "i", "a", "curr", "dc v", "dc c")):
        voltage_first = "v" in function.split("_")[-1][:5]
    elif any(given):
        return
    else:
        # a device has far more than one ohm, so the larger numbers are the volts
        voltage_first = bool(sizes[0] >= sizes[1])
        notes.append(
            "the buffer names no units: "
            + ("source values" if voltage_first else "readings")
            + " were taken as voltage because they are the larger"
        )
    places = pair if voltage_first else pair[::-1]
    for quantity, place in zip(("voltage", "current"), places, strict=True):
        found[quantity] = Column(place, table.header[place])


def _joined(
    tables: list[Table],
    choice: Mapping[str, str | int] | None,
    path: Path,
    clock: Clock | None = None,
) -> xr.Dataset:
    """Join the tables of a file; one without a voltage and a current beside others is passed over.

    Raises
    ------
    NoDataError
        If no table has them.
    """
    parts, errors = [], []
    for table in tables:
        try:
            parts.append(_from_table(table, choice, clock))
        except (NoDataError, SettingsError) as error:
            # a chosen column that exists in no table is told, whatever the other tables hold
            errors.append(error)
    if not parts or (parts and any(_is_choice(error) for error in errors)):
        raise errors[0]
    merged = stacked(parts)
    if errors:
        notes = [str(merged.attrs.get("notes", "")), *(f"passed over: {one}" for one in errors)]
        merged.attrs["notes"] = "; ".join(note for note in notes if note)
    named = (t.metadata["device"] for t in tables if "device" in t.metadata)
    device = next((name for name in named if not is_instrument(name)), None)
    return merged.assign_coords(
        file_name=("source", [path.name]),
        device_name=("source", [device or device_of(path.name)]),
    )


def _is_choice(error: NanogapError) -> bool:
    """Whether a table leaves a choice that only the user can make."""
    return isinstance(error, SettingsError) and "could all be" in str(error)
