"""Arrays that leads have computed, on disk: a repeated call does not compute them again.

A file is named by a hash of all that its content follows from, so that nothing has to be thrown
away when something changes. Several processes may use one folder at the same time: files appear
whole, are checked when read, and one that is damaged or gone is computed again.
"""

import hashlib
import io
import os
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from nanogap.digest import content_digest, source_digest
from nanogap.errors import SettingsError
from nanogap.io import write_bytes
from nanogap.settings import cache_folder

#: The environment variable that limits the folder, MB; 0: there is none.
LIMIT_VARIABLE = "NANOGAP_LEAD_CACHE"
_DEFAULT_LIMIT = 500.0
#: Sub-packages that decide what a lead computes, whole. What they import from elsewhere in nanogap
#: turns no input of an array into a number: errors, types, the folder of the cache, the format of
#: junctions, the mesh of the wave vectors (each is in the key by its value).
DECISIVE = ("nanogap.transport.tight_binding", "nanogap.transport.negf")
#: Libraries that compute; linear algebra is named by what it says of itself.
_LIBRARIES = ("numpy", "scipy", "numba", "spglib", "ase")
#: An array larger than this part of the limit is not kept; as much is written between two looks
#: at the size of the folder, which is then brought down to another part of the limit.
_SHARE, _KEPT = 0.05, 0.8
_DIGEST = hashlib.sha256().digest_size


class LeadCache:
    """A folder of arrays that forgets those that were not used for longest.

    Parameters
    ----------
    folder : Path
        Made if missing; if it cannot be written, nothing is kept.
    limit : float
        Size of all files, bytes.
    """

    def __init__(self, folder: Path, limit: float) -> None:
        self._folder, self._limit = folder, limit
        self._unlooked = np.inf  # bytes written since the folder was looked at
        self._lock = threading.Lock()

    def read(self, key: str) -> NDArray[Any] | None:
        """Return an array, or None if it is not there or damaged."""
        path = self._folder / key
        try:
            content = path.read_bytes()
            if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
                return None
            os.utime(path)  # used now
        except OSError:
            return None
        return np.asarray(np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False))

    def write(self, key: str, array: NDArray[Any]) -> None:
        """Keep an array, if it can be."""
        if array.nbytes > _SHARE * self._limit:
            return
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        content = buffer.getvalue()
        content = hashlib.sha256(content).digest() + content
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._folder / key, content)
        except OSError:
            return  # a cache that cannot be written is only slower
        with self._lock:
            self._unlooked += len(content)
            if self._unlooked > _SHARE * self._limit:
                self._unlooked = 0.0
                self._forget()

    def _forget(self) -> None:
        """Remove the files that were not used for longest if there is too much."""
        found = []
        for entry in os.scandir(self._folder):
            try:
                state = entry.stat()
            except OSError:
                continue  # another process has removed it
            found.append((state.st_mtime, state.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in found)
        if total <= self._limit:
            return
        for _, size, path in sorted(found):
            if total <= _KEPT * self._limit:
                break
            path.unlink(missing_ok=True)
            total -= size


def lead_cache() -> LeadCache | None:
    """Return the user's cache, or None if it is turned off.

    Raises
    ------
    SettingsError
        If the environment variable is no size.
    """
    given = os.environ.get(LIMIT_VARIABLE, "")
    try:
        megabytes = float(given or _DEFAULT_LIMIT)
    except ValueError:
        megabytes = -1.0
    if not 0.0 <= megabytes < np.inf:
        raise SettingsError(
            f"{LIMIT_VARIABLE}={given}: give the size of the cache of leads in MB, 0 for none"
        )
    return _cache_in(cache_folder("leads"), megabytes * 1e6) if megabytes else None


@cache
def _cache_in(folder: Path, limit: float) -> LeadCache:
    return LeadCache(folder, limit)


def cache_key(*decisive: object) -> str:
    """Name an array by all that it follows from.

    The code is decisive, too: the sources of the sub-packages `DECISIVE`, the libraries, and their
    linear algebra on this processor. The same key so means the same bits.

    Parameters
    ----------
    *decisive : object
        Whatever `nanogap.digest.content_digest` takes.

    Returns
    -------
    str
        40 hexadecimal digits.
    """
    return content_digest(_machinery(), decisive)[:40]


@cache
def _machinery() -> str:
    """Digest of what computes: code, libraries, linear algebra."""
    algebra = sorted(
        (library["prefix"], str(library.get("version")), str(library.get("architecture")))
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    libraries = [(name, version(name)) for name in _LIBRARIES]
    return content_digest(source_digest(*DECISIVE), libraries, algebra)
