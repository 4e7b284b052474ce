"""Names of columns and what else a file says above its rows."""

import re

from nanogap.errors import DataFormatError, SettingsError
from nanogap.io.column_units import parse_unit
from nanogap.io.columns import identify_columns
from nanogap.io.dialect import COMMENTS, Layout, fields, is_number

# a name with its unit in brackets, in a line whose names are separated by blanks
_NAME = re.compile(r"[^\s(\[]+(?:\s*[(\[][^)\]]*[)\]])?")
_KEY = re.compile(r"([^:=,;\t]{1,60})[:=,;\t]\s*(.+)")


def bare(text: str) -> str:
    """Take the comment sign off a line."""
    stripped = text.strip()
    return stripped.lstrip("#%/!").strip() if stripped.startswith(COMMENTS) else stripped


def names_of(above: list[str], layout: Layout, where: str) -> tuple[list[str], int, dict[str, str]]:
    """Find the names of the columns in the lines above the first row.

    Parameters
    ----------
    above : list of str
        The lines.
    layout : Layout
        Of the rows.
    where : str
        File, for error messages.

    Returns
    -------
    names : list of str
        One per column, empty where it has none.
    begin : int
        Place of the line after the names and their units.
    metadata : dict
        What the other lines say.

    Raises
    ------
    DataFormatError
        If the last line names another number of columns than the rows have.
    """
    lines = [bare(line) for line in above]
    places = [place for place, text in enumerate(lines) if text]
    found, line = _nearest(lines, places, layout)
    begin = len(above)
    if not found:
        _refuse_other_width(above, places, layout, where)
        return [""] * layout.width, begin, _metadata(lines)
    before = [place for place in places if place < line]
    if len(before) > 1 and not means_something(found):
        # a line of remarks below names and units
        units, names = (_named(lines[place], layout) for place in before[:-3:-1])
        if units and names and all(is_unit(cell) or not cell for cell in units):
            found, line = units, before.pop()
    if before:
        upper = _named(lines[before[-1]], layout)
        if upper and all(is_unit(cell) or not cell for cell in found):
            # a line of names with a line of units below it
            found = [
                f"{_not_a_place(name)} ({unit})" if unit else name
                for name, unit in zip(upper, found, strict=False)
            ]
            line = before[-1]
        elif upper and _has_number(found, layout) and not _has_number(upper, layout):
            # a row with a wrong cell is no header if there is a better one above it
            found, line = upper, before[-1]
            begin = line + 1
    return found + [""] * (layout.width - len(found)), begin, _metadata(lines[:line])


def _not_a_place(name: str) -> str:
    """Name a channel that is but a number so that it is not taken for the place of a column."""
    return f"channel {name}" if name.isdecimal() else name


def is_unit(cell: str) -> bool:
    """Whether a cell is nothing but a unit."""
    found = cell.strip().strip("()[]").strip()
    return bool(found) and parse_unit(found) is not None


def _nearest(lines: list[str], places: list[int], layout: Layout) -> tuple[list[str], int]:
    """Find the last line that could name the columns: by the separator of the rows, or another."""
    for place in reversed(places):
        parts = fields(lines[place], layout.separator)
        if len(parts) == layout.width and _has_word(parts):
            return parts, place
    for place in reversed(places[-3:]):
        if parts := _named(lines[place], layout):
            return parts, place
    return [], -1


def _named(text: str, layout: Layout) -> list[str]:
    """Split a line into the names of all columns, whatever separates them; nothing if it fails."""
    width = layout.width
    parts = fields(text, layout.separator)
    if len(parts) == width:
        return parts
    full = [part for part in parts if part]
    if layout.separator in "\t;," and len(full) == width:
        return full  # names that two separators divide
    for separator in "\t;,":
        other = fields(text, separator)
        if separator != layout.separator and len(other) == width and means_something(other):
            return other
    for other in (re.split(r"\s{2,}|\t", text), _NAME.findall(text)):
        if len(other) == width and means_something(other):
            return [part.strip().strip('"') for part in other]
    if len(full) > width and len(full) == len(parts) and means_something(parts[:width]):
        # columns without values at the end, if their names say nothing that is needed
        return [] if means_something(parts[width:]) else parts[:width]
    return []


def means_something(names: list[str]) -> bool:
    """Whether names of columns say what one of them is."""
    try:
        return bool(identify_columns(names, None, ""))
    except (SettingsError, DataFormatError):
        return True  # too much is something too


def _has_word(parts: list[str]) -> bool:
    return any(re.search(r"[^\W\d]", part) for part in parts)


def _has_number(parts: list[str], layout: Layout) -> bool:
    return any(is_number(part, layout.decimal) for part in parts)


def _refuse_other_width(above: list[str], places: list[int], layout: Layout, where: str) -> None:
    if not places or above[places[-1]].strip().startswith(COMMENTS):
        return
    parts = fields(above[places[-1]], layout.separator)
    if len(parts) < 2 or not means_something(parts):
        return
    remedy = (
        "if the decimal mark is a comma, the columns must be separated by something else"
        if len(parts) < layout.width
        else "a column without values must still have its separator in every row"
    )
    raise DataFormatError(
        f"{where}: the header names {len(parts)} columns and the rows have {layout.width}; {remedy}"
    )


def _metadata(lines: list[str]) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for text in lines:
        if match := _KEY.match(text[:2000]):
            metadata[match[1].strip(" \"'").casefold()] = match[2].strip(" ,;\t\"'")
    return metadata
