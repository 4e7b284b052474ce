"""Files of LabVIEW: measurement files as text (lvm) and as binary streams (tdms)."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nanogap.errors import DataFormatError, NoDataError
from nanogap.io.columns import UNITS
from nanogap.io.dialect import Layout
from nanogap.io.sections import Section
from nanogap.io.text_table import Table, table_of

_END = "***End_of_Header***"
_TIME = "time (s)"
_WORDS = {"volts": "V", "volt": "V", "amps": "A", "amp": "A", "amperes": "A", "ampere": "A"}


def is_lvm(text: str) -> bool:
    """Whether a text is a LabVIEW measurement file."""
    return text[:200].lstrip().startswith("LabVIEW Measurement")


def lvm_tables(text: str, where: str) -> list[Table]:
    """Read every segment of a LabVIEW measurement file as a table.

    Raises
    ------
    NoDataError
        If it holds none.
    """
    lines = text.split("\n")
    ends = [place for place, line in enumerate(lines) if line.startswith(_END)]
    if not ends:
        raise DataFormatError(f"{where}: the header of this LabVIEW file is cut off")
    general = _settings(lines[: ends[0]], None)
    separator = {"Tab": "\t", "Comma": ","}.get(general.get("separator", ["Tab"])[0], "\t")
    decimal = general.get("decimal_separator", ["."])[0] or "."
    tables: list[Table] = []
    bounds = [*ends[1:], len(lines)]
    for start, end, after in zip(ends, bounds, bounds[1:], strict=False):
        settings = _settings(lines[start + 1 : end], separator)
        layout = Layout(separator, decimal, 0, 0)
        table = _segment(lines, (end, after), settings, layout)
        if table is not None:
            table.where = f"{where}, segment {len(tables) + 1}" if tables else where
            table.metadata = {key: value[0] for key, value in general.items() if value}
            tables.append(table)
    if not tables:
        raise NoDataError(f"{where} is a LabVIEW file without a segment of data")
    return tables


def _settings(lines: list[str], separator: str | None) -> dict[str, list[str]]:
    found = {}
    for line in lines:
        parts = line.split(separator) if separator else re.split(r"[\t,]", line, maxsplit=1)
        if len(parts) > 1:
            # a decimal comma is a value of its own
            found[parts[0].strip().casefold()] = [part.strip() for part in parts[1:]]
    return found


def _segment(
    lines: list[str], bounds: tuple[int, int], settings: dict[str, list[str]], layout: Layout
) -> Table | None:
    """Read one segment: names, rows, and the times that the header describes."""
    end, after = bounds
    if end + 1 >= len(lines):
        return None
    separator = layout.separator
    header = _header(lines[end + 1].split(separator), settings.get("y_unit_label", []))
    section = Section(header, Layout(separator, layout.decimal, 0, len(header)))
    for number, line in enumerate(lines[end + 2 : after], end + 3):
        if "_" in line or line.startswith("Channels"):
            break  # the header of the next segment
        if line.strip():
            section.rows.append(separator.join(line.split(separator)[: len(header)]))
            section.lines.append(number)
    if not section.rows:
        return None
    table = table_of(section, "")
    step = _number(settings.get("delta_x", []), layout.decimal)
    if _TIME in header:
        place = header.index(_TIME)
        # without times in the file, their column is empty
        if step and table.cells.iloc[:, place].isna().all():
            begin = _number(settings.get("x0", []), layout.decimal) or 0.0
            table.cells[table.cells.columns[place]] = begin + step * np.arange(len(table.cells))
        if header.count(_TIME) == 1:
            table.roles = {"time": _TIME}
    return table


def _header(names: list[str], units: list[str]) -> list[str]:
    """Names of the columns with the units of their channels, without that of comments."""
    header: list[str] = []
    channel = 0
    for name in map(str.strip, names):
        if name.startswith("X_Value"):
            header.append(_TIME)
        elif name.casefold() != "comment":
            unit = units[channel] if channel < len(units) else ""
            unit = _WORDS.get(unit.casefold(), unit)
            header.append(f"{name} ({unit})" if unit in UNITS else name)
            channel += 1
    return header


def _number(given: list[str], decimal: str) -> float | None:
    try:
        return float(given[0].replace(decimal, "."))
    except (IndexError, ValueError):
        return None


def tdms_tables(path: Path) -> list[Table]:
    """Read every group of a tdms file as a table.

    Raises
    ------
    DataFormatError
        If the library is missing or the file is damaged.
    NoDataError
        If no group holds numbers.
    """
    try:
        from nptdms import TdmsFile  # noqa: PLC0415 - an optional part
    except ImportError:
        raise DataFormatError(
            f"{path}: files of the kind tdms need an optional part: pip install 'nanogap[tdms]'"
        ) from None
    try:
        file = TdmsFile.read(path)
        groups = [(group.name, group.channels()) for group in file.groups()]
        tables = [_group(name, channels, path) for name, channels in groups]
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataFormatError(f"{path} cannot be read as a tdms file: {reason}") from None
    found = [table for table in tables if table is not None]
    if not found:
        raise NoDataError(f"{path}: no group of this tdms file holds channels of numbers")
    return found


def _group(name: str, channels: list[Any], path: Path) -> Table | None:
    columns: dict[str, Any] = {}
    step: float | None = None
    begin = 0.0
    for channel in channels:
        values = np.asarray(channel[:])
        if values.ndim != 1 or not len(values):
            continue
        if values.dtype.kind == "M":
            values = (values - values[0]) / np.timedelta64(1, "s")
        elif values.dtype.kind not in "fiu":
            continue
        unit = str(channel.properties.get("unit_string", "")).strip()
        unit = _WORDS.get(unit.casefold(), unit)
        columns[f"{channel.name} ({unit})" if unit in UNITS else str(channel.name)] = values
        if "wf_increment" in channel.properties:
            step = float(channel.properties["wf_increment"])
            begin = float(channel.properties.get("wf_start_offset", 0.0))
    if not columns:
        return None
    length = max(map(len, columns.values()))
    named = any(re.match(r"(?i)time|t\b|t \(|timestamp", key) for key in columns)
    if step and not named:
        columns["time (s)"] = begin + step * np.arange(length)
    cells = pd.DataFrame(
        {place: pd.Series(values) for place, values in enumerate(columns.values())}
    )
    return Table(f"{path}, group {name!r}", list(columns), cells)
