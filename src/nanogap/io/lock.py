"""Advisory locks on files: one process at a time works in a folder, and others can see it.

A lock belongs to the open file (``flock``), so it ends with the last process that has the file
open, however that process ends.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nanogap.errors import NanogapError

try:
    import fcntl
except ImportError:  # pragma: no cover - systems that are not POSIX
    fcntl = None  # type: ignore[assignment]

_PAUSE = 0.02
#: Who only asks holds the lock for a moment (s): nobody is turned away because of that.
_MOMENT = 0.05
#: What the system answers when somebody else holds the lock; every other answer is a fault.
_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)


class FileLock:
    """An exclusive lock that one process at a time can hold.

    Parameters
    ----------
    path : Path
        The file that is locked; made where it does not exist. Its content is left alone.

    Examples
    --------
    >>> import tempfile
    >>> lock = FileLock(Path(tempfile.mkdtemp()) / ".lock")
    >>> with lock.hold() as descriptor:
    ...     descriptor is not None, lock.is_held()
    (True, True)
    >>> lock.is_held()
    False
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def hold(self, patience: float = 0.0) -> Iterator[int | None]:
        """Hold the lock as long as the block lasts.

        Parameters
        ----------
        patience : float
            How long to wait for another process to let go, s.

        Yields
        ------
        int or None
            The file descriptor; children that inherit it (``pass_fds``) hold the lock too.
            None if another process still holds it.

        Raises
        ------
        OSError
            If the file cannot be made.
        NanogapError
            If the file system has no locks.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + max(patience, _MOMENT)
        try:
            taken = self._try(descriptor)
            while not taken and time.monotonic() < deadline:
                time.sleep(_PAUSE)
                taken = self._try(descriptor)
            yield descriptor if taken else None
        finally:
            os.close(descriptor)

    def is_held(self) -> bool:
        """Whether a process holds the lock; asking neither takes it nor makes the file.

        Where the file system has no locks no process can have taken one: False.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            # shared: two that only ask do not take each other for holders
            return not self._try(descriptor, shared=True)
        except NanogapError:
            return False
        finally:
            os.close(descriptor)

    def _try(self, descriptor: int, *, shared: bool = False) -> bool:
        """Try to lock an open file; tell a held lock (False) from a file system without locks."""
        if fcntl is None:
            raise NanogapError("this operating system has no file locks: use Linux or macOS")
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise NanogapError(
                f"the file system of {self.path.parent} cannot lock files ({error.strerror}), and "
                "without a lock two processes could write to one file: work in a folder on a file "
                "system with locks, such as a local disk"
            ) from None
        return True
