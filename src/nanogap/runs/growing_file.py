"""A file that grows at its end, with a mark of what it holds, so that damage is noticed."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from nanogap.errors import DataFormatError, NanogapError

_CHUNK = 2**20


class GrowingFile:
    """A file of which the first bytes count; what was written after them is cut off.

    Parameters
    ----------
    path : Path
        Made if nothing of it counts.
    size : int
        Bytes that count.
    mark : str, optional
        `mark` of the file when it had so many bytes; None if it was not recorded.

    Raises
    ------
    DataFormatError
        If the file holds fewer bytes, or others than it did; it is left as it is then.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "points"
    >>> with GrowingFile(path, 0) as file:
    ...     file.write(b"four")
    ...     file.sync()
    ...     mark = file.mark
    >>> path.write_bytes(b"for")
    3
    >>> GrowingFile(path, 4, mark)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    nanogap.errors.DataFormatError: ...points holds 3 bytes and should hold 4: ...
    """

    def __init__(self, path: Path, size: int, mark: str | None = None) -> None:
        self.path, self.size, self._digest = path, size, hashlib.sha256()
        refuse_cut(path, size)
        self._read(size)
        if mark is not None and self.mark != mark:
            raise DataFormatError(
                f"{path} has been changed since it was written; put it back, or {_remedy(path)}"
            )
        self._handle = path.open("ab")
        self._handle.truncate(size)

    def _read(self, size: int) -> None:
        """Take what counts into the digest."""
        if not size:
            return
        with self.path.open("rb") as file:
            while size > 0 and (chunk := file.read(min(size, _CHUNK))):
                self._digest.update(chunk)
                size -= len(chunk)

    @property
    def mark(self) -> str:
        """SHA-256 of all that counts, as hexadecimal digits."""
        return self._digest.hexdigest()

    @property
    def record(self) -> dict[str, str | int]:
        """Size and mark, to be kept beside a state; see `as_recorded`."""
        return {"size": self.size, "sha256": self.mark}

    @classmethod
    def as_recorded(cls, path: Path, record: Mapping[str, object]) -> Self:
        """Open a file as a `record` of it says.

        Raises
        ------
        DataFormatError
            If it is not as it was.
        """
        return cls(path, int(str(record["size"])), str(record["sha256"]))

    def write(self, content: bytes) -> None:
        """Append.

        Raises
        ------
        NanogapError
            If the disk takes no more.
        """
        try:
            self._handle.write(content)
        except OSError as error:
            raise self._full(error) from None
        self._digest.update(content)
        self.size += len(content)

    def sync(self) -> None:
        """Let all that was written reach the disk.

        Raises
        ------
        NanogapError
            If the disk takes no more.
        """
        try:
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise self._full(error) from None

    def _full(self, error: OSError) -> NanogapError:
        """Say what could not be written, and what is not lost."""
        return NanogapError(
            f"{self.path} cannot be written: {error.strerror}; make room and resume: what was kept "
            "before is not lost"
        )

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; what a full disk did not take has been told by then."""
        with contextlib.suppress(OSError):
            self._handle.close()


def refuse_cut(path: Path, size: int) -> None:
    """Refuse a file that holds fewer bytes than it should; a missing one holds none.

    Raises
    ------
    DataFormatError
        If so.
    """
    found = path.stat().st_size if path.is_file() else 0
    if found < size:
        raise DataFormatError(
            f"{path} holds {found} bytes and should hold {size}: it was cut off; {_remedy(path)}"
        )


def _remedy(path: Path) -> str:
    """Say what helps where a file cannot be gone on with."""
    return f"delete {path.parent} and resume"
