"""Kept snapshots of a run: frames one after the other in one compressed file."""

import io
import lzma
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from ase import Atoms
from ase.io import read, write

from nanogap.errors import DataFormatError
from nanogap.frames import freed_when_dropped
from nanogap.io import write_bytes

#: The number of a kept snapshot, in the second line of its frame.
_NUMBER = re.compile(r"(?<!\w)snapshot=(\d+)")


def write_kept(path: Path, frames: Iterable[tuple[int, Atoms]]) -> None:
    """Write snapshots of a run, compressed, as `kept_frame` and `ase.io.read` read them.

    Parameters
    ----------
    path : Path
    frames : iterable of (int, ase.Atoms)
        Numbers of the snapshots, and their atoms; velocities are left out.
    """
    text = io.StringIO()
    for number, frame in frames:
        frame.arrays.pop("momenta", None)
        frame.info["snapshot"] = number
        write(text, frame, format="extxyz")
    write_bytes(path, lzma.compress(text.getvalue().encode()))


def kept_numbers(path: Path) -> Iterator[int]:
    """Find the numbers of the kept snapshots of a run; none where none are kept.

    Parameters
    ----------
    path : Path
        Frames one after the other, each with its number as ``snapshot``, compressed with xz.

    Raises
    ------
    DataFormatError
        If the file is damaged.
    """
    if path.is_file():
        yield from (number for number, _ in _blocks(path))


def kept_frame(path: Path, number: int) -> Atoms:
    """Read a kept snapshot of a run: all of a long one would fill the memory.

    Parameters
    ----------
    path : Path
        See `kept_numbers`.
    number : int
        Of the snapshot.

    Raises
    ------
    DataFormatError
        If the file is damaged.
    """
    text = next(block for found, block in _blocks(path) if found == number)
    try:
        return freed_when_dropped(read(io.StringIO(text), format="extxyz"))
    except Exception as error:
        raise DataFormatError(f"{path} is damaged: {error}") from None


def _blocks(path: Path) -> Iterator[tuple[int, str]]:
    """Read the number and the text of every kept snapshot, one after the other.

    Raises
    ------
    DataFormatError
        If the file is damaged.
    """
    try:
        with lzma.open(path, "rt", encoding="utf-8") as text:
            for count in text:
                header = next(text)
                number = int(_NUMBER.findall(header)[-1])
                yield number, "".join([count, header, *islice(text, int(count))])
    except (OSError, EOFError, ValueError, IndexError, StopIteration, lzma.LZMAError) as error:
        raise DataFormatError(f"{path} is damaged: {error}") from None
