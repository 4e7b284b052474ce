"""Measurement datasets as instruments would have written them, for synthetic data and tests."""

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nanogap.errors import SettingsError
from nanogap.io.atomic import write_atomically, write_bytes
from nanogap.io.dataset import cycle_number
from nanogap.io.results import write_dataset

_MICRO = 1e6


def write_measurement(dataset: xr.Dataset, path: Path, dialect: str) -> None:
    """Write a measurement dataset in the format of an instrument.

    Parameters
    ----------
    dataset : xarray.Dataset
        A measurement dataset; its attributes become the settings or comments of the file.
    path : Path
        The file.
    dialect : str
        One of `DIALECTS`.

    Raises
    ------
    SettingsError
        If the dialect is unknown, or needs a package that is not installed.
    """
    if dialect not in DIALECTS:
        raise SettingsError(f"file format {dialect!r} is none of {', '.join(DIALECTS)}")
    suffix, write = DIALECTS[dialect]
    if path.suffix != suffix:
        raise SettingsError(f"{path}: files of format {dialect} end in {suffix}")
    write(dataset, path)


def _about(dataset: xr.Dataset) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in dataset.attrs.items() if str(value)]


def _cycles(dataset: xr.Dataset) -> list[xr.Dataset]:
    """Cut into cycles, each a sheet of a Keithley 4200 workbook."""
    number = cycle_number(dataset)
    borders = np.flatnonzero(np.diff(number)) + 1
    edges = [0, *borders.tolist(), len(number)]
    return [
        dataset.isel(point=slice(first, last)) for first, last in pairwise(edges) if last > first
    ]


def _sheet_names(count: int) -> list[str]:
    return ["Data", *(f"Append{n}" for n in range(1, count))]


def _columns(dataset: xr.Dataset) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    return {
        "Time": dataset["time"].to_numpy(),
        "AnodeI": dataset["current"].to_numpy(),
        "AnodeV": dataset["voltage"].to_numpy(),
    }


def _write_xlsx(dataset: xr.Dataset, path: Path) -> None:
    try:
        import xlsxwriter  # noqa: PLC0415  # only synthetic workbooks need it
    except ImportError:
        raise SettingsError(
            "synthetic Excel workbooks need the package xlsxwriter: pip install "
            "'nanogap[synthetic]', or choose another format, such as keithley-4200-csv"
        ) from None
    parts = _cycles(dataset)

    def write(temporary: Path) -> None:
        book = xlsxwriter.Workbook(str(temporary), {"constant_memory": True})
        for name, part in zip(_sheet_names(len(parts)), parts, strict=True):
            sheet = book.add_worksheet(name)
            columns = _columns(part)
            sheet.write_row(0, 0, list(columns))
            table = np.stack(list(columns.values()), axis=1)
            for row, values in enumerate(table.tolist(), start=1):
                for column, value in enumerate(values):
                    if np.isfinite(value):
                        sheet.write_number(row, column, value)
        book.add_worksheet("Calc")
        settings = book.add_worksheet("Settings")
        for row, pair in enumerate([("Test Name", "sweep"), *_about(dataset)]):
            settings.write_row(row, 0, pair)
        book.close()

    write_atomically(path, write)


def _text(
    dataset: xr.Dataset,
    columns: dict[str, Any],
    *,
    separator: str = ",",
    decimal: str = ".",
    comment: str = "# ",
    line_end: str = "\n",
) -> str:
    buffer = io.StringIO(newline="")
    for key, value in _about(dataset):
        buffer.write(f"{comment}{key}: {value}{line_end}")
    pd.DataFrame(columns).to_csv(
        buffer,
        sep=separator,
        decimal=decimal,
        index=False,
        float_format="%.9g",
        lineterminator=line_end,
        na_rep="",
    )
    return buffer.getvalue()


def _write_bytes(path: Path, text: str, encoding: str = "utf-8") -> None:
    write_bytes(path, text.encode(encoding))


def _write_4200_csv(dataset: xr.Dataset, path: Path) -> None:
    _write_bytes(path, _text(dataset, _columns(dataset), comment="", line_end="\r\n"))


def _write_kxci(dataset: xr.Dataset, path: Path) -> None:
    """Write readings with their status letters, C in compliance and N otherwise."""
    letter = np.where(dataset["compliance"].to_numpy(), "C", "N")
    columns: dict[str, Any] = {"Time": dataset["time"].to_numpy()}
    for key, name in (("AV", "voltage"), ("AI", "current")):
        numbers = dataset[name].to_numpy()
        columns[key] = [f"{s}{v:+.8E}" for s, v in zip(letter, numbers, strict=True)]
    _write_bytes(path, _text(dataset, columns))


def _write_2600(dataset: xr.Dataset, path: Path) -> None:
    """Write the buffer of a sourced voltage; a missing reading is the marker 9.91E37."""
    current = dataset["current"].to_numpy()
    columns = {
        "Timestamps (s)": dataset["time"].to_numpy(),
        "SourceValues (V)": dataset["voltage"].to_numpy(),
        "Readings (A)": np.where(np.isfinite(current), current, 9.91e37),
    }
    _write_bytes(path, _text(dataset, columns, line_end="\r\n"))


def _write_csv(dataset: xr.Dataset, path: Path) -> None:
    columns = {
        "time (s)": dataset["time"].to_numpy(),
        "voltage (V)": dataset["voltage"].to_numpy(),
        "current (A)": dataset["current"].to_numpy(),
        "cycle": dataset["cycle"].to_numpy(),
        "compliance": dataset["compliance"].to_numpy().astype(int),
    }
    _write_bytes(path, _text(dataset, columns))


def _write_tsv(dataset: xr.Dataset, path: Path) -> None:
    columns = {
        "t [ms]": dataset["time"].to_numpy() * 1e3,
        "U [mV]": dataset["voltage"].to_numpy() * 1e3,
        "I [nA]": dataset["current"].to_numpy() * 1e9,
    }
    _write_bytes(path, _text(dataset, columns, separator="\t"))


def _write_semicolon(dataset: xr.Dataset, path: Path) -> None:
    """Write decimal commas, byte-order mark, micro sign: what a continental spreadsheet exports."""
    columns = {
        "Time (s)": dataset["time"].to_numpy(),
        "Voltage (V)": dataset["voltage"].to_numpy(),
        "Current (\N{MICRO SIGN}A)": dataset["current"].to_numpy() * _MICRO,
    }
    text = _text(dataset, columns, separator=";", decimal=",", line_end="\r\n")
    _write_bytes(path, text, "utf-8-sig")


def _write_blanks(dataset: xr.Dataset, path: Path) -> None:
    columns = {
        "t/s": dataset["time"].to_numpy(),
        "V/V": dataset["voltage"].to_numpy(),
        "I/uA": dataset["current"].to_numpy() * _MICRO,
    }
    _write_bytes(path, _text(dataset, columns, separator=" "))


#: Name of a format to the ending of its files and their writer.
DIALECTS: dict[str, tuple[str, Callable[[xr.Dataset, Path], None]]] = {
    "csv": (".csv", _write_csv),
    "tsv": (".tsv", _write_tsv),
    "semicolon": (".csv", _write_semicolon),
    "blanks": (".txt", _write_blanks),
    "keithley-4200-xlsx": (".xlsx", _write_xlsx),
    "keithley-4200-csv": (".csv", _write_4200_csv),
    "keithley-4200-kxci": (".csv", _write_kxci),
    "keithley-2600": (".csv", _write_2600),
    "netcdf": (".nc", write_dataset),
}
