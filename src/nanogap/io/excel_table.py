"""Tables in Excel workbooks: those of every sheet that holds columns of numbers."""

from pathlib import Path

from nanogap.errors import DataFormatError, NoDataError
from nanogap.io.text_table import Table, tables_of_text
from nanogap.io.workbook_process import Cells, sheets_of

#: Sheets of a Keithley 4200 workbook that hold no readings.
_NOT_DATA = ("calc", "settings")


def read_workbook(path: Path) -> list[Table]:
    """Read the tables of every sheet of readings of an xls or xlsx workbook.

    Sheets named ``Calc`` and ``Settings`` are none; what ``Settings`` says becomes metadata.

    Raises
    ------
    DataFormatError
        If the workbook is damaged, or takes more memory or time than a workbook may.
    NoDataError
        If no sheet holds a table.
    """
    sheets = sheets_of(path)
    metadata = _settings(next((s for n, s in sheets.items() if n.casefold() == "settings"), []))
    tables: list[Table] = []
    notes = []
    for name, rows in sheets.items():
        if name.strip().casefold() in _NOT_DATA:
            continue
        where = f"{path}, sheet {name!r}"
        try:
            found = tables_of_text(_as_text(rows), where)
        except NoDataError:
            if rows:
                notes.append(f"sheet {name!r} holds no table and was passed over")
            continue
        except DataFormatError as error:
            raise DataFormatError(str(error).replace(" line ", " row ")) from None
        for table in found:
            table.metadata.update(metadata)
        tables += found
    if not tables:
        raise NoDataError(f"{path}: no sheet holds a header and rows of numbers below it")
    tables[0].notes[:0] = notes
    return tables


def _as_text(rows: Cells) -> str:
    """Write a sheet as a text with tabs, so that all tables are found by one set of rules."""
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(value.replace('"', "'").split())
    return repr(value)


def _settings(rows: Cells) -> dict[str, str]:
    """Key and value of every line of a sheet of settings."""
    found = {}
    for row in rows:
        cells = [str(cell).strip() for cell in row if cell is not None and str(cell).strip()]
        if len(cells) > 1:
            found[cells[0].casefold()] = cells[1]
    return found
