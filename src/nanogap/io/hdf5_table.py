"""HDF5 files of measurement programs: Labber logs, and datasets of QCoDeS and others."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from nanogap.errors import DataFormatError, NoDataError
from nanogap.io.hdf5_limits import refuse_links, refuse_sizes
from nanogap.io.results import open_hdf5
from nanogap.io.text_table import Table


def is_foreign(path: Path) -> bool:
    """Whether a file is sound HDF5, but none of nanogap or of another writer of netCDF-4.

    Raises
    ------
    DataFormatError
        If it links to other files.
    """
    try:
        with open_hdf5(path) as file:
            refuse_links(file, path)
            refuse_sizes(file, path)
            return "_NCProperties" not in file.attrs and "_nc3_strict" not in file.attrs
    except (OSError, RuntimeError, KeyError, ValueError, TypeError):
        return False  # told as a damaged file where it is read


def hdf5_tables(path: Path, dataset: xr.Dataset | None = None) -> list[Table]:
    """Read a Labber log, or any dataset of one-dimensional or gridded variables.

    Parameters
    ----------
    path : Path
        The file.
    dataset : xarray.Dataset, optional
        Its content, where it is netCDF-4 as QCoDeS exports it.

    Raises
    ------
    NoDataError
        If no two variables have one shape.
    """
    tables = [] if dataset is None else _xarray(dataset, path)
    try:
        with open_hdf5(path) as file:
            if "Data" in file and "Channels" in file:
                return _labber(file, path)
            tables = tables or _arrays(file, path)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise DataFormatError(f"{path} cannot be read as HDF5: {reason}") from None
    if not tables:
        raise NoDataError(
            f"{path} holds neither a measurement (voltage and current over 'point'), nor a "
            "transmission over 'snapshot', nor two columns of numbers of one length"
        )
    return tables


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _labber(file: Any, path: Path) -> list[Table]:
    """Read a log: channels over points, for every entry."""
    units = {}
    for row in file["Channels"][...]:
        names = row.dtype.names or ()
        key = next((n for n in names if n.casefold() == "name"), None)
        unit = next((n for n in ("unitPhys", "unitInstr", "unit") if n in names), None)
        if key:
            units[_text(row[key])] = _text(row[unit]) if unit else ""
    data = np.asarray(file["Data/Data"][...], dtype=np.float64)
    labels = [_text(row[0]) for row in file["Data/Channel names"][...]]
    if data.ndim == 2:
        data = data[:, :, None]
    if data.ndim != 3 or data.shape[1] != len(labels):
        raise NoDataError(f"{path} is a Labber log without a table of points and channels")
    header = [f"{name} ({units[name]})" if units.get(name) else name for name in labels]
    tables = []
    for entry in range(data.shape[2]):
        rows = data[:, :, entry]
        rows = rows[~np.isnan(rows).all(axis=1)]
        if len(rows):
            where = str(path) if data.shape[2] == 1 else f"{path}, entry {entry + 1}"
            tables.append(Table(where, header, pd.DataFrame(rows), 1))
    return tables


def _named(name: str, attributes: Any) -> str:
    """Name and unit of a variable, as its attributes give them."""
    label = _text(attributes.get("long_name", attributes.get("label", name)))
    unit = _text(attributes.get("units", attributes.get("unit", ""))).strip()
    return f"{label} ({unit})" if unit and unit != "1" else label


def _xarray(dataset: xr.Dataset, path: Path) -> list[Table]:
    """Read variables over one grid: every point of it is a row, the last dimension runs fastest."""
    numeric = {
        str(key): value
        for key, value in dataset.data_vars.items()
        if value.dtype.kind in "fiu" and value.ndim
    }
    shapes = {value.dims for value in numeric.values()}
    if len(shapes) != 1:
        return []
    dims = shapes.pop()
    columns: dict[str, Any] = {}
    shape = tuple(dataset.sizes[dim] for dim in dims)
    for key, value in dataset.coords.items():
        if value.ndim and set(value.dims) <= set(dims) and value.dtype.kind in "fiu":
            wide = value.broadcast_like(next(iter(numeric.values()))).transpose(*dims)
            columns[_named(str(key), value.attrs)] = wide.to_numpy().reshape(-1)
    for name, value in numeric.items():
        columns[_named(name, value.attrs)] = value.transpose(*dims).to_numpy().reshape(-1)
    if len(columns) < 2 or not np.prod(shape):
        return []
    cells = pd.DataFrame(dict(enumerate(columns.values())))
    return [Table(str(path), list(columns), cells[~cells.isna().all(axis=1)])]


def _arrays(file: Any, path: Path) -> list[Table]:
    """Read the arrays of every group that are of one length."""
    groups: dict[tuple[str, int], dict[str, Any]] = {}

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu" or item.ndim != 1:
            return
        if item.attrs.get("CLASS") == b"DIMENSION_SCALE" and _text(
            item.attrs.get("NAME", "")
        ).startswith("This is a netCDF dimension but not"):
            return
        group, _, short = name.rpartition("/")
        found = groups.setdefault((group, item.shape[0]), {})
        found[_named(short, item.attrs)] = item[...]

    file.visititems(visit)
    tables = []
    for (group, length), columns in groups.items():
        if len(columns) > 1 and length:
            cells = pd.DataFrame(dict(enumerate(columns.values())))
            where = f"{path}, group {group!r}" if group else str(path)
            tables.append(Table(where, list(columns), cells))
    return tables
