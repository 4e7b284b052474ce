"""Results that a file holds already, to which a script adds."""

import json
from pathlib import Path
from typing import Any

from nanogap.errors import DataFormatError


def read_earlier(path: Path, element: str) -> dict[str, Any]:
    """Read the results that a file of a metal holds already.

    Parameters
    ----------
    path : Path
        JSON file with the key ``element``; it need not exist.
    element : str
        Chemical symbol of the metal that is to be added.

    Returns
    -------
    dict
        Empty if there is no file.

    Raises
    ------
    DataFormatError
        If the file cannot be read, is of another element, or could not be written.
    """
    if not path.absolute().parent.is_dir():
        raise DataFormatError(f"{path} cannot be written: there is no such folder; make it first")
    if not path.exists():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = content["element"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFormatError(
            f"{path} is no file of results to add to: {type(error).__name__}: {error}"
        ) from None
    if found != element:
        raise DataFormatError(f"{path} is of {found}: name another file for {element}")
    return content
