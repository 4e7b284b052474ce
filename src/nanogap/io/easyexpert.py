"""Exports of Keysight EasyEXPERT (B1500, B1505): records of ``DataName`` and ``DataValue``."""

from nanogap.errors import NoDataError
from nanogap.io.dialect import Layout, fields
from nanogap.io.sections import Section
from nanogap.io.text_table import Table, table_of


def is_easyexpert(text: str) -> bool:
    """Whether a text is an export of EasyEXPERT with its settings."""
    start = text[:200_000].lstrip()
    return start.startswith(("SetupTitle", '"SetupTitle', "DataName")) or "\nDataName" in start


def easyexpert_tables(text: str, where: str) -> list[Table]:
    """Read every record of a file as a table.

    The channel that is swept first (``VAR1``) is the device's: its names of voltage and current
    become the roles of these columns.

    Raises
    ------
    NoDataError
        If there is no record with data.
    """
    tables: list[Table] = []
    metadata: dict[str, str] = {}
    section: Section | None = None

    def close() -> None:
        if section is not None and section.rows:
            table = table_of(section, where if not tables else f"{where}, record {len(tables) + 1}")
            table.metadata = dict(metadata)
            table.roles = _roles(table.header, metadata)
            tables.append(table)

    for number, line in enumerate(text.split("\n"), 1):
        key, _, rest = line.strip().partition(",")
        key = key.strip().strip('"')
        if key == "DataName":
            close()
            names = fields(rest, ",")
            section = Section(names, Layout(",", ".", 0, len(names)))
        elif key == "DataValue" and section is not None:
            section.rows.append(rest)
            section.lines.append(number)
        elif key in {"TestParameter", "MetaData", "AnalysisSetup"}:
            name, _, value = rest.partition(",")
            metadata[name.strip().strip('"').casefold()] = value.strip().rstrip(",").strip()
        elif key == "SetupTitle":
            close()
            section, metadata = None, {"setuptitle": rest.strip()}
        elif key and rest and not key.startswith("Data"):
            metadata[key.casefold()] = rest.strip()
    close()
    if not tables:
        raise NoDataError(f"{where} is an EasyEXPERT file without a record of data")
    return tables


def _roles(header: list[str], metadata: dict[str, str]) -> dict[str, str]:
    """Columns of the channel that is swept first, where the record says which it is."""
    functions = fields(metadata.get("channel.func", ""), ",")
    if "VAR1" not in functions:
        return {}
    place = functions.index("VAR1")
    roles = {}
    for quantity, key in (("voltage", "channel.vname"), ("current", "channel.iname")):
        names = fields(metadata.get(key, ""), ",")
        if place < len(names) and names[place] in header:
            roles[quantity] = names[place]
    return roles if len(roles) == 2 else {}
