"""The one way from a file to its tables: by its content where that is sure, else by its ending."""

from pathlib import Path

from nanogap.errors import DataFormatError
from nanogap.io.data_folders import DATA_SUFFIXES, EXCEL_SUFFIXES, TEXT_SUFFIXES
from nanogap.io.decoding import decoded
from nanogap.io.easyexpert import easyexpert_tables, is_easyexpert
from nanogap.io.electrochemistry import ec_lab_tables, gamry_tables, is_ec_lab, is_gamry
from nanogap.io.excel_table import read_workbook
from nanogap.io.labview import is_lvm, lvm_tables, tdms_tables
from nanogap.io.text_table import Table, tables_of_text

_TEXT_FORMATS = (
    (is_easyexpert, easyexpert_tables),
    (is_ec_lab, ec_lab_tables),
    (is_gamry, gamry_tables),
    (is_lvm, lvm_tables),
)


def read_tables(path: Path) -> list[Table]:
    """Read all tables of a text file, a workbook or a tdms file.

    Raises
    ------
    NoDataError
        If it holds no table.
    DataFormatError
        If it is damaged or of an unknown kind.
    """
    suffix = path.suffix.casefold()
    if suffix == ".tdms":
        return tdms_tables(path)
    if suffix in EXCEL_SUFFIXES and _is_workbook(path):
        return read_workbook(path)
    if suffix and suffix not in EXCEL_SUFFIXES + TEXT_SUFFIXES:
        known = ", ".join(DATA_SUFFIXES)
        raise DataFormatError(f"{path}: unknown kind of file {suffix!r}; known are {known}")
    text = decoded(path)
    for recognized, read in _TEXT_FORMATS:
        if recognized(text):
            return read(text, str(path))
    return tables_of_text(text, str(path))


def is_known_format(text: str) -> bool:
    """Whether a text is of a program whose files have a reader of their own."""
    return any(recognized(text) for recognized, _ in _TEXT_FORMATS)


def _is_workbook(path: Path) -> bool:
    """Whether the content is one of Excel's formats; older programs call text files ``.xls``."""
    with path.open("rb") as handle:
        return handle.read(4) in {b"\xd0\xcf\x11\xe0", b"PK\x03\x04"}
