"""Tables in text files of any dialect: separator, decimal mark, header, comments, line ends."""

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pandas as pd

from nanogap.errors import DataFormatError
from nanogap.io.column_units import unit_row
from nanogap.io.dates import is_moment

_COMMENTS = ("#", "%", "//", "!")
_SAMPLE = 400
#: Fewer numbers, one a line, are no trace.
_SINGLE = 8
_NUMBER = re.compile(r"[NLVXCT]?\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS = {"nan", "inf", "-inf", "+inf", "overflow", "ovrflw", "#ref", "-nan(ind)", "--", ""}
_BAD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")

#: (separator, decimal mark), the surest first.
_DIALECTS = (("\t", "."), ("\t", ","), (";", ","), (";", "."), (",", "."), (" ", "."), (" ", ","))


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
    """

    where: str
    header: list[str]
    cells: pd.DataFrame
    first_line: int = 1
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    separator: str
    decimal: str
    first: int
    width: int


def read_text_table(path: Path) -> Table:
    """Read the table of a text file.

    Raises
    ------
    DataFormatError
        If it holds binary data, no table of numbers, or rows of different widths.
    """
    text = decoded(path)
    lines = text.split("\n")
    complete = text.endswith("\n")
    layout = _sniff(lines, path)
    header, metadata = _header(lines[: layout.first], layout, path)
    notes: list[str] = []
    body = lines[layout.first :]
    while body and not body[-1].strip():
        body.pop()
    if not complete and len(body) > 1 and _cut_off(body, layout):
        body.pop()
        notes.append("the last line is cut off and was left out")
    kept = [line for line in body if not line.lstrip().startswith(_COMMENTS)]
    cells = _parse("\n".join(kept) + "\n", layout, path)
    return Table(str(path), header, cells, layout.first + 1, notes, metadata)


def decoded(path: Path) -> str:
    """Read a text file of any usual encoding; its line ends become line feeds.

    Raises
    ------
    DataFormatError
        If it holds binary data.
    """
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        # instruments under Windows write the micro sign in its own code page
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise DataFormatError(f"{path} is not a text file: export it as CSV, xls or xlsx")
    text = text.rstrip("\x1a")
    bad = _BAD_CHARACTERS.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        raise DataFormatError(f"{path}: binary data in line {line}; export the file anew")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")


def _fields(line: str, separator: str) -> list[str]:
    """Split a line; separators at its end are not fields."""
    stripped = line.strip() if separator == " " else line.strip(" ").rstrip(separator + " ")
    parts = stripped.split() if separator == " " else stripped.split(separator)
    return [part.strip().strip('"').strip() for part in parts]


def _is_number(text: str, decimal: str) -> bool:
    if decimal == "," and "." in text:
        return False
    return bool(_NUMBER.fullmatch(text.replace(decimal, ".", 1) if decimal == "," else text))


def _is_row(line: str, separator: str, decimal: str) -> int:
    """Count the fields of a row of data; 0 if the line is none.

    A field may be missing or a word, but more than half of what is no date or time must be numbers.
    """
    if not line.strip() or line.lstrip().startswith(_COMMENTS):
        return 0
    parts = _fields(line, separator)
    numbers = sum(_is_number(part, decimal) for part in parts)
    clocks = sum(is_moment(part) for part in parts if not _is_number(part, decimal))
    return len(parts) if numbers and 2 * numbers > len(parts) - clocks else 0


def _sniff(lines: list[str], path: Path) -> _Layout:
    """Find the dialect in which most of the first lines are rows of one width."""
    best: tuple[int, _Layout] | None = None
    sample = lines[:_SAMPLE]
    for separator, decimal in _DIALECTS:
        widths = [_is_row(line, separator, decimal) for line in sample]
        counted = Counter(width for width in widths if width > 1)
        if not counted:
            continue
        width, count = counted.most_common(1)[0]
        if best is None or count > best[0]:
            longest = max(width, *(w for w in widths if w))
            best = count, _Layout(separator, decimal, widths.index(width), longest)
    if best is None:
        # one number a line: a trace at a fixed sampling rate
        for decimal in (".", ","):
            widths = [_is_row(line, "\t", decimal) for line in sample]
            if widths.count(1) >= _SINGLE:
                return _Layout("\t", decimal, widths.index(1), 1)
        raise DataFormatError(
            f"{path} holds no table of numbers in two or more columns in its first {_SAMPLE} "
            "lines; columns are separated by tab, semicolon, comma or blanks"
        )
    return best[1]


def _header(above: list[str], layout: _Layout, path: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, from the lines above the first row, and what else they say."""
    header = [""] * layout.width
    metadata: dict[str, str] = {}
    texts = [line.strip() for line in above if line.strip()]
    bare = [text.lstrip("".join(set("".join(_COMMENTS)))).strip() for text in texts]
    split = [_fields(text, layout.separator) for text in bare]
    names: int | None = None
    for number in range(len(split) - 1, -1, -1):
        if _fits(split[number], layout.width):
            names = number
            break
    if names is None and texts and not texts[-1].startswith(_COMMENTS):
        parts = split[-1]
        if len(parts) > 1:
            raise DataFormatError(
                f"{path}: the header names {len(parts)} columns and the rows have {layout.width}; "
                "if the decimal mark is a comma, the columns must be separated by something else"
            )
    if names is not None:
        found = split[names]
        for below in range(names, max(0, names - 2), -1):
            # a line of names with a line of units below it, and perhaps one of remarks
            if joined := unit_row(split[below - 1], split[below]):
                found, names = joined, below - 1
                break
        header[: len(found)] = found
    for text in bare[:names]:
        match = re.match(r"([^:=,;\t]{1,60})[:=,;\t]\s*(.+)", text)
        if match:
            metadata[match[1].strip().casefold()] = match[2].strip(" ,;\t\"'")
    return header, metadata


def _fits(parts: list[str], width: int) -> bool:
    """Whether a line could name the columns: as many fields, some of them words."""
    return len(parts) == width and any(re.search(r"[^\W\d]", part) for part in parts)


def _cut_off(body: list[str], layout: _Layout) -> bool:
    """Whether the last line, which has no line end, ends in the middle of a number.

    Digits that are missing cannot be seen in one number, so it is compared with those above it.
    """
    last = _fields(body[-1], layout.separator)
    above = [_fields(line, layout.separator) for line in body[-200:-1]]
    above = [parts for parts in above if len(parts) == layout.width]
    if len(last) < layout.width or not above or not last[-1]:
        return True
    shortest = min((len(parts[-1].lstrip("+-")) for parts in above if parts[-1]), default=0)
    exponents = sum("e" in parts[-1].casefold() for parts in above)
    if exponents > 0.5 * len(above) and not re.search(r"[eE][+-]?\d{2,}$", last[-1]):
        return True
    if len(last[-1].lstrip("+-")) < shortest:
        return True
    return not _goes_on([parts[-1] for parts in [*above, last]], layout.decimal)


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


def _parse(body: str, layout: _Layout, path: Path) -> pd.DataFrame:
    """Parse the rows; one column more than expected shows rows that are too long."""
    try:
        cells = pd.read_csv(
            io.StringIO(body),
            sep=r"\s+" if layout.separator == " " else layout.separator,
            decimal=layout.decimal,
            header=None,
            names=range(layout.width + 2),
            index_col=False,
            skipinitialspace=True,
            low_memory=False,
            na_values=sorted(_WORDS | {word.upper() for word in _WORDS}),
            engine="c",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        reason = str(error).strip().rstrip(".").replace("\n", " ")
        raise DataFormatError(
            f"{path}: the rows have different numbers of columns, or quotes do not close ({reason})"
        ) from None
    extra = cells.iloc[:, layout.width :].notna().any(axis=1)
    if extra.any():
        line = int(extra.to_numpy().argmax()) + layout.first + 1
        raise DataFormatError(
            f"{path}: the row near line {line} has more than {layout.width} columns; is the "
            "decimal mark a comma there?"
        )
    return cells.iloc[:, : layout.width]
