"""Text tables that are too long for memory, read in pieces.

The text, its rows and its numbers are in memory for one piece at a time; dialect, header, what is
passed over and where the table ends are found as in `nanogap.io.text_table`.
"""

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from nanogap.io.blocks import side_by_side
from nanogap.io.cells import check_sizes, column_numbers, left_out, row_numbers
from nanogap.io.columns import Column, buffer_columns, identify_columns, steps_of
from nanogap.io.data_folders import TEXT_SUFFIXES
from nanogap.io.decoding import encodings_of, refuse_no_text
from nanogap.io.dialect import LOOKED_AT, sniff
from nanogap.io.file_tables import is_known_format
from nanogap.io.header import names_of
from nanogap.io.long_curve import LongCurve, sizes_of
from nanogap.io.sections import Division, Section
from nanogap.io.stated_limits import column_limits, limit_column, limits_above
from nanogap.io.text_table import Table, ends_cut_off, table_of
from nanogap.spool import PIECE
from nanogap.typing import FloatArray

#: Characters of text in memory at a time.
_BLOCK = 16_000_000

#: Text files below this size are read whole, bytes.
LONG = 100_000_000

#: Lines above the last one that tell whether it is cut off.
_COMPARED = 200

#: A limited point, in a column that says so.
FLAGGED = ("1", "1.0", "true", "yes", "c", "t")


def read_long_text(
    path: Path,
    choice: Mapping[str, str] | None = None,
    block: int = _BLOCK,
    piece: int = PIECE,
) -> LongCurve | None:
    """Read voltages, currents and limits of a plain table in pieces; its times are not read.

    Parameters
    ----------
    path : Path
    choice : mapping, optional
        See `nanogap.io.read_measurement`.
    block, piece : int
        Characters of text, and points of the curve, in memory at a time.

    Returns
    -------
    LongCurve or None
        None if the file holds more than one plain table with one curve, or is short.

    Raises
    ------
    DataFormatError, SettingsError
        As `nanogap.io.read_measurement`.
    """
    lines = _lines(path, block)
    head: list[str] = []
    for more, _ in lines:
        head += more
        if len(head) > LOOKED_AT:
            break
    if len(head) <= LOOKED_AT or is_known_format("\n".join(head)):
        return None
    where = str(path)
    layout = sniff(head, where)
    header, begin, metadata = names_of(head[: layout.first], layout, where)
    notes: list[str] = []
    stepped = steps_of(header) or side_by_side(header)
    columns = {} if stepped else identify_columns(header, choice, where, notes)
    if not _is_one_curve(header, columns):
        return None
    division = Division([Section(header, layout)], where)
    limit = limit_column(header) or columns.get("compliance")
    numbers = set(columns) - {"time", "date", "fraction", "compliance"}
    numbers |= {"limit"} if limit is not None else set()
    curve = LongCurve(path.name, sorted(numbers), piece, flagged="compliance" in columns)
    reader = _Reader(columns, division, curve, limit)
    reader.feed(head[begin:], begin + 1)
    complete = True
    for more, has_end in lines:
        if not reader.one_table:
            return None
        complete = has_end
        reader.feed(more)
    if not complete and not reader.last_is_whole():
        notes.append("the last line is cut off and was left out")
    reader.end(notes)
    if not reader.one_table:
        return None
    if curve.spool("current") is not None:
        curve.flag_stated()
    check_sizes(sizes_of(curve, columns), columns, where)
    curve.attrs.update({**metadata, **limits_above(metadata)})
    curve.attrs["notes"] = "; ".join([*notes, *left_out(reader.n_text, reader.n_overflow)])
    return curve


def _is_one_curve(header: list[str], columns: Mapping[str, Column]) -> bool:
    """Whether a table has one curve whose columns are known by their names."""
    if {"voltage", "current"} <= set(columns):
        return True
    return not buffer_columns(header) and bool({"conductance", "resistance"} & set(columns))


def is_long(path: Path) -> bool:
    """Whether a path is that of a text file which is read in pieces."""
    suffix = path.suffix.casefold()
    return suffix in TEXT_SUFFIXES and path.is_file() and path.stat().st_size >= LONG


@dataclass
class _Reader:
    """Lines in, numbers in temporary files out."""

    columns: dict[str, Column]
    division: Division
    curve: LongCurve
    limit: Column | None = None
    n_text: int = 0
    n_overflow: int = 0
    #: lines that are held back: the last with content, and blank ones below
    held: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    number: int = 0

    @property
    def one_table(self) -> bool:
        """Whether all lines so far belong to one table."""
        return len(self.division.found) == 1

    def feed(self, lines: list[str], number: int | None = None) -> None:
        """Take lines; the first of all has this number."""
        self.number = number or self.number
        lines = self.held + lines
        end = len(lines) - 1
        while end > 0 and not lines[end].strip():
            end -= 1
        self.held = lines[end:]
        self._take(lines[:end])

    def _take(self, lines: list[str]) -> None:
        self.division.take_all(self.number, lines)
        self.number += len(lines)
        self.above = [*self.above, *lines[-_COMPARED:]][-_COMPARED:]
        if self.one_table:
            self._store(self.division.release())

    def last_is_whole(self) -> bool:
        """Whether the last line is no number that was cut off; else it is dropped."""
        self.held = self.held[:1]
        layout = self.division.found[0].layout
        if ends_cut_off([*self.above, *self.held], layout):
            self.held = []
            return False
        return True

    def end(self, notes: list[str]) -> None:
        """Take the last line and store the last rows."""
        self._take([line for line in self.held[:1] if line.strip()])
        notes += self.division.end()
        self._store(self.division.found[-1])

    def _store(self, section: Section) -> None:
        """Parse rows and put their numbers into the temporary files."""
        if not section.rows:
            return
        table = table_of(section, self.division.where)
        used = {key: one for key, one in self.columns.items() if key != "compliance"}
        found = row_numbers(table, used, self._seconds(table))
        self.n_text += found.n_text
        self.n_overflow += found.n_overflow
        limited = (found.status == "C") | (found.status == "T")
        if "compliance" in self.columns:
            cells = table.column(self.columns["compliance"].index)
            raw = cells.astype(str).str.strip().str.casefold()
            limited |= raw.isin(FLAGGED).to_numpy()[found.keep]
        numbers = dict(found.numbers)
        if self.limit is not None:
            numbers["limit"] = column_limits(table, self.limit)[found.keep]
        self.curve.append(numbers, limited)

    def _seconds(self, table: Table) -> FloatArray | None:
        """Tell which rows have a time; numbers as they are, others as zero."""
        key = next((key for key in ("time", "date") if key in self.columns), None)
        if key is None:
            return None
        series = table.column(self.columns[key].index)
        numbers = column_numbers(series, np.full(len(series), "N", dtype="<U1"))
        given = series.notna().to_numpy()
        if series.dtype.kind in "fiu" or np.isfinite(numbers[given]).mean() > 0.5:
            return numbers
        moments = pd.Series(series, dtype="string").str.contains(r"\d[:/.\-]\d", na=False)
        return np.where(moments.to_numpy(dtype=bool), 0.0, np.nan)


def _lines(path: Path, block: int) -> Iterator[tuple[list[str], bool]]:
    """Yield the lines of a text, many at a time, and whether the last of them has its end."""
    first = True
    rest = ""
    with path.open(encoding=_encoding(path), errors="replace", newline=None) as handle:
        while text := handle.read(block):
            if first:
                refuse_no_text(text, path)
                first = False
            lines = (rest + text.replace("\x0c", "\n")).split("\n")
            rest = lines.pop()
            yield lines, True
    rest = rest.rstrip("\x1a")
    if rest:
        yield [rest], False


def _encoding(path: Path) -> str:
    """Return the first encoding in which the whole file can be read."""
    with path.open("rb") as handle:
        start = handle.read(4096)
    for encoding in encodings_of(start):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as handle:
                while raw := handle.read(_BLOCK):
                    decoder.decode(raw)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"
