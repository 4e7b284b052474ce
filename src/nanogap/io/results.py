"""Result datasets as netCDF-4 files."""

import io
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.io.atomic import write_bytes
from nanogap.io.hdf5_limits import refuse_links, refuse_size, refuse_sizes

if TYPE_CHECKING:
    import xarray as xr  # takes longer to load than a thousand files to read


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file to read.

    Files are renamed into place when they are whole, so that reading one needs no lock; on a file
    system without locks, or on a read-only one, the library would fail for want of one.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return h5py.File(path, "r", locking=False)


def write_dataset(dataset: "xr.Dataset", path: Path) -> None:
    """Write a dataset as netCDF-4, atomically, with check sums; booleans become 8-bit integers."""
    plain = dataset.copy()
    for name in plain.variables:
        if plain[name].dtype == np.bool_:
            plain[name] = plain[name].astype(np.int8)
    encoding = {
        str(name): {"fletcher32": True}
        for name, variable in plain.variables.items()
        if variable.ndim and variable.size and variable.dtype.kind in "fiu"
    }
    # in memory first: the library crashes (signal 11) on a disk that becomes full
    content = io.BytesIO()
    plain.to_netcdf(content, engine="h5netcdf", encoding=encoding)
    write_bytes(path, content.getbuffer())


def read_arrays(path: Path, names: Sequence[str]) -> list[NDArray[np.float64]]:
    """Read some variables of a dataset, ten times faster than the whole of it.

    Raises
    ------
    DataFormatError
        If the file is missing or not netCDF-4, or has no such variable.
    """
    try:
        with open_hdf5(path) as file:
            for name in names:
                if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                    refuse_links(file, path)
                refuse_size(name, file[name], path)
            return [np.asarray(file[name][...], dtype=np.float64) for name in names]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {error}") from None


def read_parts(
    path: Path,
    left_out: Collection[str],
    attributes: Sequence[str],
    names: Sequence[str] | None = None,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str | float]]:
    """Read the variables of a dataset that are numbers, and some attributes, in one go.

    Parameters
    ----------
    path : Path
    left_out : collection of str
        Variables that are not wanted.
    attributes : sequence of str
        Names; those that are missing are left out.
    names : sequence of str, optional
        Variables that must be there; default: all.

    Returns
    -------
    arrays, found : dict

    Raises
    ------
    DataFormatError
        If the file is missing, not netCDF-4, or damaged.
    """
    try:
        with open_hdf5(path) as file:
            found = {
                name: np.asarray(file.attrs[name]).item()
                for name in attributes
                if name in file.attrs
            }
            arrays = {}
            for name in [one.decode() for one in file.id] if names is None else names:
                if name in left_out:
                    continue
                # the low-level calls take half the time of file[name][...]
                stored = h5py.h5d.open(file.id, name.encode())
                if stored.dtype.kind in "fiu":
                    values = np.empty(stored.shape)
                    if values.size:
                        stored.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
                    arrays[name] = values
            return arrays, found
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {error}") from None


def read_attributes(path: Path) -> dict[str, str | float]:
    """Read the attributes of a dataset that are text or a single number, without the dataset.

    Raises
    ------
    DataFormatError
        If the file is missing or not netCDF-4.
    """
    try:
        with open_hdf5(path) as file:
            found = {name: np.asarray(value) for name, value in file.attrs.items()}
    except OSError as error:
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {error}") from None
    # names with an underscore are the library's; single numbers are stored as arrays of one
    return {
        name: value.item()
        for name, value in found.items()
        if value.size == 1 and not name.startswith("_")
    }


def read_some_attributes(
    path: Path, texts: Sequence[str] = (), numbers: Sequence[str] = ()
) -> dict[str, str | float]:
    """Read some attributes of a dataset; those that are missing or something else are left out.

    Made for thousands of files: three numbers of one take 0.3 ms, a text as long again.

    Parameters
    ----------
    path : Path
    texts, numbers : sequence of str
        Names of texts and of single numbers.

    Raises
    ------
    DataFormatError
        If the file is missing or not netCDF-4.
    """
    found: dict[str, str | float] = {}
    try:
        with open_hdf5_quickly(path) as file:
            # the low-level calls take a fifth of the time of file.attrs[name]
            for name in [*texts, *numbers]:
                if not h5py.h5a.exists(file, name.encode()):
                    continue
                stored = h5py.h5a.open(file, name.encode())
                # the type takes as long as the rest; numbers of every kind become one
                value = np.empty(stored.shape, stored.dtype if name in texts else np.float64)
                stored.read(value)
                if value.size == 1:
                    one = value.item()
                    found[name] = one.decode() if isinstance(one, bytes) else one
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {error}") from None
    return found


@contextmanager
def open_hdf5_quickly(path: Path) -> Iterator[h5py.h5f.FileID]:
    """Open an HDF5 file for the low-level calls, in a third of the time of `open_hdf5`.

    Yields
    ------
    h5py.h5f.FileID

    Raises
    ------
    OSError
        If it cannot be read.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_file_locking(False, True)
    file = h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, access)
    try:
        yield file
    finally:
        file.close()


def read_dataset(path: Path) -> "xr.Dataset":
    """Read a whole dataset into memory.

    Raises
    ------
    DataFormatError
        If the file is missing or not netCDF-4.
    """
    import xarray as xr  # noqa: PLC0415

    if not path.is_file():
        raise DataFormatError(f"no file {path}")
    try:
        # asked first, because h5netcdf leaves a traceback on stderr for a damaged file
        with open_hdf5(path) as file:
            refuse_links(file, path)
            refuse_sizes(file, path)
            file.visititems(lambda _, item: list(item.attrs.values()) and None)
        with xr.open_dataset(path, engine="h5netcdf", driver_kwds={"locking": False}) as dataset:
            return dataset.load()
    except DataFormatError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DataFormatError(f"{path} cannot be read as netCDF-4: {reason}") from None
