"""Files of potentiostats: BioLogic EC-Lab (mpt) and Gamry (DTA)."""

import re

from nanogap.errors import DataFormatError, NoDataError
from nanogap.io.dialect import Layout, fields
from nanogap.io.sections import Section
from nanogap.io.text_table import Table, table_of

_HEADER_LINES = re.compile(r"Nb header lines\s*:\s*(\d{1,6})")

#: Quantity to columns of EC-Lab, the surest first: a reading before what was programmed.
_EC_LAB = {
    "time": ("time/s",),
    "voltage": ("Ewe/V", "<Ewe>/V", "Ecell/V", "Ewe-Ece/V", "<Ewe/V>", "Ewe/mV", "control/V"),
    "current": ("I/mA", "<I>/mA", "I/A", "<I>/A", "control/mA"),
    "cycle": ("cycle number",),
}
_GAMRY = {"time": ("T",), "voltage": ("Vf", "Vm", "Vu"), "current": ("Im", "I")}


def is_ec_lab(text: str) -> bool:
    """Whether a text is an export of EC-Lab."""
    return text[:400].lstrip().startswith(("EC-Lab ASCII FILE", "BT-Lab ASCII FILE"))


def ec_lab_tables(text: str, where: str) -> list[Table]:
    """Read an EC-Lab export.

    Raises
    ------
    DataFormatError
        If its header is cut off.
    """
    lines = text.split("\n")
    found = _HEADER_LINES.search(text[:2000])
    place = int(found[1]) - 1 if found else -1
    if not 0 < place < len(lines) or "\t" not in lines[place]:
        raise DataFormatError(f"{where}: the header of this EC-Lab file is damaged or cut off")
    metadata = {}
    for line in lines[:place]:
        key, sign, value = line.partition(":")
        if sign and value.strip():
            metadata[key.strip().casefold()] = value.strip()
    header = fields(lines[place], "\t")
    table = _parsed(header, list(enumerate(lines[place + 1 :], place + 2)), where)
    table.metadata = metadata
    table.roles = _first(_EC_LAB, header)
    return [table]


def is_gamry(text: str) -> bool:
    """Whether a text is a data file of Gamry."""
    return text.lstrip().startswith("EXPLAIN") and "\nTAG" in text[:400]


def gamry_tables(text: str, where: str) -> list[Table]:
    """Read every curve of a Gamry file as a table.

    Raises
    ------
    NoDataError
        If it holds no curve.
    """
    lines = text.split("\n")
    metadata = {}
    tables: list[Table] = []
    for place, line in enumerate(lines):
        parts = line.split("\t")
        if line.startswith("\t"):
            continue
        if len(parts) >= 2 and parts[1].strip() == "TABLE" and "CURVE" in parts[0].upper():
            table = _gamry_curve(lines, place, where, len(tables))
            if table is not None:
                tables.append(table)
        elif len(parts) > 2:
            metadata[parts[0].strip().casefold()] = parts[2].strip()
    tables = [table for table in tables if table.roles.keys() >= {"voltage", "current"}]
    if not tables:
        raise NoDataError(f"{where} is a Gamry file without a curve of voltage and current")
    for table in tables:
        table.metadata = metadata
    return tables


def _gamry_curve(lines: list[str], place: int, where: str, number: int) -> Table | None:
    """Read names, units and indented rows below ``CURVE TABLE``."""
    if place + 3 >= len(lines):
        return None
    names = [part.strip() for part in lines[place + 1].strip("\n").split("\t")[1:]]
    units = [part.strip() for part in lines[place + 2].strip("\n").split("\t")[1:]]
    plain = {"V vs. Ref.": "V", "#": "", "bits": ""}
    header = [
        f"{name} ({unit})" if (unit := plain.get(given, given)) in {"V", "A", "s", "mA"} else name
        for name, given in zip(names, units, strict=False)
    ]
    rows = []
    for count, line in enumerate(lines[place + 3 :], place + 4):
        if not line.startswith("\t"):
            break
        rows.append((count, line[1:]))
    if not rows or not header:
        return None
    table = _parsed(header, rows, where if not number else f"{where}, curve {number + 1}")
    table.roles = {
        quantity: header[names.index(name)]
        for quantity, name in _first(_GAMRY, names).items()
        if names.index(name) < len(header)
    }
    return table


def _first(known: dict[str, tuple[str, ...]], header: list[str]) -> dict[str, str]:
    found = {}
    for quantity, names in known.items():
        if name := next((name for name in names if name in header), None):
            found[quantity] = name
    return found


def _parsed(header: list[str], rows: list[tuple[int, str]], where: str) -> Table:
    """Parse rows that tabs divide, with decimal points or commas."""
    rows = [(number, row) for number, row in rows if row.strip()]
    if not rows:
        raise NoDataError(f"{where}: there are no rows below the header")
    sample = "".join(row for _, row in rows[:50])
    decimal = "," if "," in sample and "." not in sample else "."
    section = Section(header, Layout("\t", decimal, 0, len(header)))
    section.lines, section.rows = [n for n, _ in rows], [row for _, row in rows]
    return table_of(section, where)
