"""Text of files whose encoding is unknown."""

import re
from pathlib import Path

from nanogap.errors import DataFormatError, NoDataError

#: Control characters that no text holds.
CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")

#: More than this part of control characters: the file was never text.
_BINARY = 0.02


def decoded(path: Path) -> str:
    """Read a text file of any usual encoding; its line ends become line feeds.

    Raises
    ------
    NoDataError
        If it is plainly no text at all.
    """
    raw = path.read_bytes()
    text = None
    for encoding in encodings_of(raw):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None:  # one broken character does not make a text file binary
        text = raw.decode("utf-8", errors="replace")
    text = text.rstrip("\x1a")
    refuse_no_text(text, path)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")


def refuse_no_text(text: str, path: Path) -> None:
    """Refuse what begins with too many control characters.

    Raises
    ------
    NoDataError
        If it does.
    """
    if len(CONTROL.findall(text[:100_000])) > _BINARY * min(len(text), 100_000) + 8:
        raise NoDataError(f"{path} is not a text file: export it as CSV, xls or xlsx")


def refuse_binary(line: str, number: int, where: str) -> None:
    """Refuse control characters in a row of data.

    Raises
    ------
    DataFormatError
        If the line holds one.
    """
    if CONTROL.search(line):
        raise DataFormatError(f"{where}: binary data in line {number}; export the file anew")


def encodings_of(raw: bytes) -> list[str]:
    """List the encodings that a text may have by its first bytes, the surest first."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    start = raw[:2000]
    if len(start) > 20:  # UTF-16 without a mark: every second byte of plain text is zero
        for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
            if zeros.count(0) > 0.8 * len(zeros):
                return [encoding]
    # instruments under Windows write the micro sign in its own code page
    return ["utf-8-sig", "cp1252", "latin-1"]
