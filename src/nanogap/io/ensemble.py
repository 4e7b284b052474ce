"""One dataset over all members of an ensemble, in chunks that open lazily, and as a table."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import h5netcdf
import h5py
import numpy as np

from nanogap.errors import DataFormatError, SettingsError
from nanogap.io.atomic import write_atomically, write_bytes
from nanogap.io.results import open_hdf5_quickly
from nanogap.typing import FloatArray

if TYPE_CHECKING:  # only tables need them
    import pandas as pd
    import xarray as xr

#: Numbers in a chunk, about: 1 MB.
_CHUNK = 131_072

_DIMENSIONS = (b"snapshot", b"energy")

#: Number of snapshots of a member, and its energies.
_Size: TypeAlias = tuple[int, FloatArray]


def write_ensemble(
    path: Path,
    files: Sequence[Path],
    coordinates: Mapping[str, Sequence[object]],
    attributes: Mapping[str, str | int | float],
    watch: Callable[[int], object] = lambda _: None,
) -> None:
    """Write the results of many members into one netCDF-4 file.

    In memory are a chunk of every variable and the compressed file.

    Every variable over ``snapshot`` (and ``energy``) of the members becomes one over ``member``
    too, as 64-bit numbers, filled up with NaN behind the last snapshot of a member.

    Parameters
    ----------
    path : Path
    files : sequence of Path
        The result of every member, in order; see `nanogap.io.write_dataset`.
    coordinates : mapping
        Name to values over ``member``: numbers; anything else is written as text.
    attributes : mapping
        Attributes of the whole dataset.
    watch : callable
        Called with the number of members written.

    Raises
    ------
    DataFormatError
        If there is no member, or a file cannot be read or does not match the others.
    """
    if not files:
        raise DataFormatError("no member is finished yet: there is nothing to collect")
    sizes = [_sizes(file) for file in files]
    energies = np.unique(np.concatenate([energy for _, energy in sizes]))
    longest = max(count for count, _ in sizes)

    # in memory first: the library crashes (signal 11) on a disk that becomes full
    memory = io.BytesIO()
    with h5netcdf.File(memory, "w") as out:
        out.dimensions = {"member": len(files), "snapshot": longest, "energy": len(energies)}
        out.attrs.update(attributes)
        out.create_variable("snapshot", ("snapshot",), data=np.arange(longest))
        out.create_variable("energy", ("energy",), data=energies).attrs["units"] = "eV"
        for name, values in coordinates.items():
            _coordinate(out, name, values)
        blocks = _Blocks(out, energies)
        for number, (file, size) in enumerate(zip(files, sizes, strict=True)):
            with _opened(file) as content:
                blocks.add(number, content, file, size)
            watch(number + 1)
        blocks.flush()
        for name, variable in out.variables.items():
            if name not in coordinates and variable.dimensions[0] == "member":
                variable.attrs["coordinates"] = " ".join(coordinates)
    write_bytes(path, memory.getbuffer())


def _sizes(file: Path) -> _Size:
    """Return the number of snapshots and the energies of a member."""
    with _opened(file) as content:
        return len(_values(content, b"snapshot")), _values(content, b"energy")


@contextmanager
def _opened(file: Path) -> Iterator[h5py.h5f.FileID]:
    """Open the result of a member; whatever goes wrong while it is read is one sentence."""
    try:
        with open_hdf5_quickly(file) as content:
            yield content
    except (FileNotFoundError, PermissionError) as error:
        raise DataFormatError(f"{file} cannot be read: {error.strerror}") from None
    except KeyError as error:
        raise DataFormatError(f"{file} is no result of a member: {error}") from None
    except (OSError, RuntimeError) as error:
        raise DataFormatError(
            f"{file} cannot be read: {error}: remove it and resume the campaign"
        ) from None


def _values(content: h5py.h5f.FileID, name: bytes) -> FloatArray:
    """Read a variable by the low-level calls: for thousands of files they take a third of the time.

    Raises
    ------
    KeyError
        If there is none.
    """
    stored = h5py.h5d.open(content, name)
    values = np.empty(stored.shape)
    if values.size:
        stored.read(h5py.h5s.ALL, h5py.h5s.ALL, values, h5py.h5t.NATIVE_DOUBLE)
    return values


def _coordinate(out: h5netcdf.File, name: str, values: Sequence[object]) -> None:
    if all(isinstance(value, int | float) for value in values):
        data = np.array(values)
        data = data.astype(np.int8) if data.dtype == np.bool_ else data
        out.create_variable(name, ("member",), data=data)
        return
    variable = out.create_variable(name, ("member",), dtype=h5py.string_dtype())
    variable[...] = np.array([str(value) for value in values], dtype=object)


class _Block:
    """The members of one chunk of a variable: a chunk that is written at once is compressed once.

    Parameters
    ----------
    variable : h5netcdf.Variable
        Over ``member`` first.
    """

    def __init__(self, variable: h5netcdf.Variable) -> None:
        self._variable = variable
        self._values = np.full(variable.chunks, np.nan)
        self._first = self._filled = 0

    def add(self, number: int, values: FloatArray) -> None:
        """Take what a member has, shorter than the longest or not; members come in order."""
        if number >= self._first + len(self._values):
            self.flush()
            self._first = number
        self._filled = number - self._first + 1
        self._values[self._filled - 1, : len(values)] = values

    def flush(self) -> None:
        """Write what is there."""
        self._variable[self._first : self._first + self._filled] = self._values[: self._filled]
        self._values[:] = np.nan
        self._filled = 0


class _Blocks:
    """The blocks of all variables that are written.

    Parameters
    ----------
    out : h5netcdf.File
    energies : ndarray, shape (n_energies,)
        Of all members.
    """

    def __init__(self, out: h5netcdf.File, energies: FloatArray) -> None:
        self._out, self._energies = out, energies
        self._blocks: dict[bytes, _Block] = {}
        self._names: list[bytes] = []

    def add(self, number: int, content: h5py.h5f.FileID, file: Path, size: _Size) -> None:
        """Take the variables of one member."""
        count, energies = size
        places = np.searchsorted(self._energies, energies)
        if content.get_num_objs() != len(self._names):
            self._names = list(content)
        for name in self._names:
            if name in _DIMENSIONS:
                continue
            values = _values(content, name)
            if not values.ndim or len(values) != count:
                continue
            resolved = values.ndim == 2
            if name not in self._blocks:
                if number:
                    raise DataFormatError(f"{file} has {name.decode()!r}, earlier members have not")
                variable = h5py.Dataset(h5py.h5d.open(content, name))
                new = _create(self._out, name.decode(), variable, resolved=resolved)
                self._blocks[name] = _Block(new)
            if resolved:
                padded = np.full((count, len(self._energies)), np.nan)
                padded[:, places] = values
                values = padded
            self._blocks[name].add(number, values)

    def flush(self) -> None:
        """Write what is left."""
        for block in self._blocks.values():
            block.flush()


def _create(
    out: h5netcdf.File, name: str, variable: h5py.Dataset, *, resolved: bool
) -> h5netcdf.Variable:
    dimensions = ("member", "snapshot", "energy") if resolved else ("member", "snapshot")
    shape = tuple(out.dimensions[dimension].size for dimension in dimensions)
    rest = shape[1:]
    per_chunk = max(1, min(shape[0], _CHUNK // max(1, int(np.prod(rest)))))
    new = out.create_variable(
        name,
        dimensions,
        dtype=np.float64,
        chunks=(per_chunk, *rest),
        fillvalue=np.nan,
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fletcher32=True,
    )
    for key in ("units", "long_name", "flag_meanings", "flag_values"):
        if key in variable.attrs:
            value = variable.attrs[key]
            new.attrs[key] = value.decode() if isinstance(value, bytes) else value
    return new


def export_table(dataset: "xr.Dataset", path: Path) -> int:
    """Write an ensemble as a long table: a row per member, snapshot and energy.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `write_ensemble` stores it, opened lazily or not.
    path : Path
        ``.csv`` or ``.parquet``; the latter needs the extra ``nanogap[parquet]``.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    SettingsError
        If the ending is another, or pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        return _export_parquet(dataset, path)
    if path.suffix != ".csv":
        raise SettingsError(f"{path}: tables end in .csv or .parquet")
    rows = 0

    def write(temporary: Path) -> None:
        nonlocal rows
        with temporary.open("w", encoding="utf-8", newline="") as out:
            for part in _rows(dataset):
                part.to_csv(out, header=not rows, index=False)
                rows += len(part)

    write_atomically(path, write)
    return rows


def _export_parquet(dataset: "xr.Dataset", path: Path) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise SettingsError(
            f"{path}: Parquet needs pyarrow: pip install 'nanogap[parquet]', or choose .csv"
        ) from None
    rows = 0

    def write(temporary: Path) -> None:
        nonlocal rows
        writer = None
        for part in _rows(dataset):
            table = pa.Table.from_pandas(part, preserve_index=False)
            writer = writer or pq.ParquetWriter(temporary, table.schema)
            writer.write_table(table)
            rows += len(part)
        if writer is not None:
            writer.close()

    write_atomically(path, write)
    return rows


def _rows(dataset: "xr.Dataset") -> Iterator["pd.DataFrame"]:
    """Yield the rows of one block of members after the other."""
    per_member = dataset.sizes["snapshot"] * dataset.sizes["energy"]
    step = max(1, 200_000 // max(1, per_member))
    for first in range(0, dataset.sizes["member"], step):
        part = dataset.isel(member=slice(first, first + step)).load()
        frame = part.to_dataframe().reset_index()
        # behind its last snapshot a member has no time
        yield frame[frame["time"].notna()].drop(columns="member", errors="ignore")
