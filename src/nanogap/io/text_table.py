"""Tables in text files of any dialect: separator, decimal mark, header, comments, line ends."""

import csv
import io
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from nanogap.errors import DataFormatError
from nanogap.io.decoding import decoded
from nanogap.io.dialect import MARKERS, Layout, sniff
from nanogap.io.header import names_of
from nanogap.io.sections import Section, cut_off, sections
from nanogap.typing import Int64Array

_MISSING = sorted(MARKERS | {word.upper() for word in MARKERS} | {"NaN", "Inf", "-Inf"})
_FORTRAN = r"^(\s*[+-]?[\d.]{1,40})[dD]([+-]?\d+)\s*$"
_COMMA = r"^\s*[NLVXCT]?\s*[+-]?\d*,\d+(?:[eEdD][+-]?\d+)?\s*$"


@dataclass
class Table:
    """A table as a file has it.

    Attributes
    ----------
    where : str
        File, and sheet if it has one.
    header : list of str
        Name of every column, empty where it has none.
    cells : pandas.DataFrame
        Numbers, or text where a column holds something else.
    first_line : int
        Line of the first row in the file, from 1, for error messages.
    notes : list of str
        What was left out and why.
    metadata : dict
        What the file says about itself before the table.
    lines : ndarray of int or None
        Line of every row in the file, from 1, where they do not follow each other.
    roles : dict
        Quantity to the name of its column, where the format of the file says it.
    """

    where: str
    header: list[str]
    cells: pd.DataFrame
    first_line: int = 1
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    lines: Int64Array | None = None
    roles: dict[str, str] = field(default_factory=dict)

    def column(self, place: int) -> "pd.Series[str]":
        """Return the cells of a column, by its place from 0."""
        return self.cells[self.cells.columns[place]]

    def line_of(self, row: int) -> int:
        """Return the line of a row in the file, from 1."""
        return self.first_line + row if self.lines is None else int(self.lines[row])


def read_text_tables(path: Path) -> list[Table]:
    """Read the tables of a text file: one for every line of names.

    Raises
    ------
    NoDataError
        If it is no text or holds no table of numbers.
    DataFormatError
        If rows hold binary data or have different widths.
    """
    return tables_of_text(decoded(path), str(path))


def tables_of_text(text: str, where: str) -> list[Table]:
    """Find the tables in a text; see `read_text_tables`."""
    lines = text.split("\n")
    complete = text.endswith("\n")
    layout = sniff(lines, where)
    header, begin, metadata = names_of(lines[: layout.first], layout, where)
    notes: list[str] = []
    body = lines[begin:]
    while body and not body[-1].strip():
        body.pop()
    if not complete and len(body) > 2 and ends_cut_off(body, layout):
        body.pop()
        notes.append("the last line is cut off and was left out")
    found, passed_over = sections(body, begin + 1, Section(header, layout), where)
    notes += passed_over
    tables = []
    for number, section in enumerate(found):
        table = table_of(section, where if number == 0 else f"{where}, table {number + 1}")
        table.metadata = metadata
        table.notes = notes if number == 0 else []
        tables.append(table)
    return tables


def table_of(section: Section, where: str) -> Table:
    """Parse the rows of one section.

    Raises
    ------
    DataFormatError
        If rows have more columns than there are names, or quotes do not close.
    """
    lines = np.asarray(section.lines, dtype=np.int64)
    cells = _parse(section, where, lines)
    return Table(where, section.header, cells, section.lines[0], lines=lines)


def ends_cut_off(body: list[str], layout: Layout) -> bool:
    """Whether the last line, which has no line end, ends in the middle of a number."""
    return cut_off(body, layout, _goes_on)


def _goes_on(column: list[str], decimal: str) -> bool:
    """Whether the last step of a column is of a size that was seen before, where all are numbers.

    A short number, such as that of a programmed voltage, shows a lost digit only by its step.
    """
    try:
        values = [float(cell.replace(decimal, ".")) for cell in column]
    except ValueError:
        return True
    *steps, last = (after - before for before, after in pairwise(values))
    if len(steps) < 10:
        return True
    least, low, high = min(map(abs, steps)), min(steps), max(steps)
    seen = low - 0.01 * abs(low) <= last <= high + 0.01 * abs(high)
    return seen and abs(last) >= 0.99 * least


def _parse(
    section: Section, where: str, lines: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> pd.DataFrame:
    """Parse the rows; one column more than expected shows rows that are too long."""
    layout = section.layout
    body = "\n".join(section.rows) + "\n"
    quoted = '"' in body
    try:
        cells = pd.read_csv(
            io.StringIO(body),
            sep=r"\s+" if layout.separator == " " else layout.separator,
            # the parser wants two different marks; quoted commas are turned into points below
            decimal="." if layout.separator == layout.decimal else layout.decimal,
            header=None,
            names=range(layout.width + 2),
            index_col=False,
            skipinitialspace=True,
            skip_blank_lines=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            low_memory=False,
            na_values=_MISSING,
            engine="c",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        reason = str(error).strip().rstrip(".").replace("\n", " ")
        raise DataFormatError(
            f"{where}: the rows have different numbers of columns, or quotes do not close "
            f"({reason})"
        ) from None
    if len(cells) != len(lines):
        raise DataFormatError(f"{where}: quotes do not close in the rows from line {lines[0]} on")
    extra = np.zeros(len(cells), dtype=bool)
    for place in range(layout.width, layout.width + 2):
        extra |= ~np.asarray(pd.isna(cells[place].to_numpy()))
    if extra.any():
        line = int(lines[int(extra.argmax())])
        raise DataFormatError(
            f"{where}: the row in line {line} has more than {layout.width} columns; is the "
            "decimal mark a comma there?"
        )
    return _words_as_numbers(cells.iloc[:, : layout.width], layout.decimal)


def _words_as_numbers(cells: pd.DataFrame, decimal: str) -> pd.DataFrame:
    """Write numbers with points and e where a word in the column kept the parser from doing it."""
    for name in cells.columns:
        if cells[name].dtype.kind in "fiub":
            continue
        text = cells[name].astype("string")
        if decimal == ",":
            commas = text.str.contains(_COMMA, regex=True, na=False)
            text = text.where(~commas, text.str.replace(",", ".", n=1))
        cells[name] = text.str.replace(_FORTRAN, r"\1e\2", regex=True).astype(object)
    return cells
