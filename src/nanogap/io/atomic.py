"""Files that are there whole or not at all."""

import csv
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

#: Characters of a name that a temporary one repeats; a name has 255 bytes.
_LONGEST = 50
_TEMPORARY = re.compile(r"\..*\.(\d+)(?:-[0-9a-f]{8})?\.tmp")


def is_left_behind(path: Path) -> bool:
    """Whether a file is a temporary one of a process of this machine that has ended."""
    found = _TEMPORARY.match(path.name)
    if found is None:
        return False
    try:
        os.kill(int(found[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, flush it to disk, and rename it.

    Parameters
    ----------
    path : Path
        The file; its folder exists.
    write : callable
        Writes the content to the path it is given.
    """
    # processes of several machines, and threads, may write one file at the same time
    unique = f"{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.stem[:_LONGEST]}.{unique}.tmp{path.suffix}")
    try:
        write(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        if str(temporary) not in str(error):
            raise
        # whoever asked for the file knows no other name
        reason = (error.strerror or str(error)).replace(str(temporary), str(path))
        raise OSError(error.errno, reason, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as comma-separated text atomically; None is an empty field."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a binary file atomically."""
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def copy_atomically(source: Path, path: Path) -> None:
    """Copy a file; the copy is there whole or not at all."""
    write_atomically(path, lambda temporary: shutil.copyfile(source, temporary))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Write content as the text of a JSON file."""
    return json.dumps(content, indent=1)
