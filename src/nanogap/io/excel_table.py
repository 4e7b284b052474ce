"""Tables in Excel workbooks: one per sheet that holds columns of numbers."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineWorkbook

from nanogap.errors import DataFormatError
from nanogap.io.column_units import unit_row
from nanogap.io.text_table import Table

#: Sheets of a Keithley 4200 workbook that hold no readings.
_NOT_DATA = ("calc", "settings")


def read_workbook(path: Path) -> list[Table]:
    """Read every sheet of readings of an xls or xlsx workbook.

    Sheets named ``Calc`` and ``Settings`` are none; what ``Settings`` says becomes metadata.

    Raises
    ------
    DataFormatError
        If the workbook is damaged or no sheet holds a table.
    """
    try:
        with _silent(), CalamineWorkbook.from_path(str(path)) as workbook:
            sheets = {
                name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=True)
                for name in workbook.sheet_names
            }
    except BaseException as error:  # the parser's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        reason = " ".join(str(error).split())
        raise DataFormatError(
            f"{path} cannot be read as an Excel workbook ({reason}); export it anew or "
            "save it as CSV"
        ) from None
    metadata = _settings(next((s for n, s in sheets.items() if n.casefold() == "settings"), []))
    tables = []
    for name, rows in sheets.items():
        if name.strip().casefold() in _NOT_DATA:
            continue
        table = _table(rows, f"{path}, sheet {name!r}")
        if table is not None:
            table.metadata.update(metadata)
            tables.append(table)
    if not tables:
        raise DataFormatError(f"{path}: no sheet holds a header and rows of numbers below it")
    return tables


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the backtrace off the terminal that the parser writes for some damaged files."""
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _settings(rows: list[list[Any]]) -> dict[str, str]:
    """Key and value of every line of a sheet of settings."""
    found = {}
    for row in rows:
        cells = [str(cell).strip() for cell in row if str(cell).strip()]
        if len(cells) > 1:
            found[cells[0].casefold()] = cells[1]
    return found


def _table(rows: list[list[Any]], where: str) -> Table | None:
    """Find the header, the last row of words above the first row of numbers."""
    first = next((i for i, row in enumerate(rows) if _numbers(row)), None)
    if first is None:
        return None
    width = max(len(row) for row in rows)
    header = [""] * width
    if first and any(isinstance(cell, str) and cell.strip() for cell in rows[first - 1]):
        names = [str(cell).strip() for cell in rows[first - 1]]
        if first > 1:
            names = unit_row([str(cell).strip() for cell in rows[first - 2]], names) or names
        header[: len(names)] = names
    cells = pd.DataFrame(
        [row + [None] * (width - len(row)) for row in rows[first:]], columns=range(width)
    )
    cells = cells.map(lambda cell: None if isinstance(cell, str) and not cell.strip() else cell)
    return Table(where, header, cells.infer_objects(), first + 1)


def _numbers(row: list[Any]) -> bool:
    """Whether most of the filled cells are numbers, and at least two."""
    moment = dt.date | dt.time | dt.timedelta
    filled = [
        cell
        for cell in row
        if not isinstance(cell, moment) and not (isinstance(cell, str) and not cell.strip())
    ]
    numbers = [cell for cell in filled if isinstance(cell, int | float)]
    return len(numbers) > 1 and 2 * len(numbers) > len(filled)
