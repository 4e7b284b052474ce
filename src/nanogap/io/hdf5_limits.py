"""Limits of HDF5 files: they may not make a reader open others, or allocate what they have not."""

from pathlib import Path
from typing import Any

import h5py

from nanogap.errors import DataFormatError

#: No more than this is unpacked from one stored byte (deflate packs at most 1032 to 1).
_PACKED = 1100
#: Bytes that may be allocated for data that a file only announces.
_FREE = 1 << 26


def refuse_links(file: Any, path: Path) -> None:
    """Refuse links to other files and data stored in them.

    Raises
    ------
    DataFormatError
        If there are any.
    """
    found: dict[str, str] = {}  # an exception may not pass through the library

    def visit(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            found[name] = link.filename

    file.visititems_links(visit)
    for name, other in found.items():
        raise DataFormatError(
            f"{path}: {name!r} is a link to another file, {other!r}: such files are not read; copy "
            "the data into one file"
        )


def refuse_sizes(file: Any, path: Path) -> None:
    """Refuse data that lie in other files, or are far larger than what the file stores of them.

    Raises
    ------
    DataFormatError
        If there are any.
    """
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        found[name] = item

    file.visititems(visit)
    for name, item in found.items():
        refuse_size(name, item, path)


def refuse_size(name: str, item: Any, path: Path) -> None:
    """Refuse one variable that lies in other files, or is far larger than what is stored of it.

    Raises
    ------
    DataFormatError
        If it is so.
    """
    if not isinstance(item, h5py.Dataset):
        return
    if item.external or item.is_virtual:
        raise DataFormatError(
            f"{path}: the data of {name!r} lie in other files: such files are not read; copy the "
            "data into one file"
        )
    stored = item.id.get_storage_size()
    if item.size and item.nbytes > _FREE + _PACKED * stored:
        raise DataFormatError(
            f"{path}: {name!r} announces {item.nbytes:.3g} bytes and {stored} are stored: the file "
            "is damaged or cut off"
        )
