"""Transmissions of necks on disk, shared by the processes of a user."""

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from nanogap.errors import SettingsError

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS transmissions "
    "(key BLOB PRIMARY KEY, transmission REAL NOT NULL, converged INTEGER NOT NULL)"
)
_TRIAL = "SELECT key, transmission, converged FROM transmissions LIMIT 1"
_REMEDY = "give another path, 'cache' or 'none'"
#: How long a process waits for another's write, s.
_PATIENCE = 30.0


@dataclass(frozen=True)
class StoredTransmission:
    """Transmission of a neck at one energy.

    Attributes
    ----------
    value : float
        G0.
    converged : bool
        Whether the atoms of the neck were relaxed, or were not to be.
    """

    value: float
    converged: bool = True


class NeckStore:
    """A table of transmissions by keys that say all they depend on.

    A file that is there must be such a table. One that can only be read is not written to, and a
    row that cannot be read is computed again.

    Parameters
    ----------
    path : Path or None
        SQLite file, made if it is missing; None: memory only.
    optional : bool
        Where no file can be made, as in a home that cannot be written, go on in memory.

    Raises
    ------
    SettingsError
        If the file is no such table, or cannot be read or made.
    """

    def __init__(self, path: Path | None, *, optional: bool = False) -> None:
        self.path = path
        #: Whether what is added is known in this process alone.
        self.is_read_only = False
        self._known: dict[bytes, StoredTransmission] = {}
        self._table: sqlite3.Connection | None = None
        if path is not None and not (optional and not _can_be_made(path)):
            self._table = _opened(path)

    def __len__(self) -> int:
        """Return how many are known in this process."""
        return len(self._known)

    def get(self, key: bytes) -> StoredTransmission | None:
        """Return a transmission, or None."""
        if key not in self._known and self._table is not None:
            with contextlib.suppress(sqlite3.Error):
                row = self._table.execute(
                    "SELECT transmission, converged FROM transmissions WHERE key = ?", (key,)
                ).fetchone()
                if row is not None and isinstance(row[0], float) and row[0] >= 0.0:
                    self._known[key] = StoredTransmission(row[0], bool(row[1]))
        return self._known.get(key)

    def put(self, key: bytes, transmission: StoredTransmission) -> None:
        """Add a transmission."""
        self._known[key] = transmission
        if self._table is not None and not self.is_read_only:
            with contextlib.suppress(sqlite3.Error):
                self._table.execute(
                    "INSERT OR IGNORE INTO transmissions VALUES (?, ?, ?)",
                    (key, transmission.value, transmission.converged),
                )

    def close(self) -> None:
        """Close the file."""
        if self._table is not None:
            self._table.close()
            self._table = None


def check_store(path: Path) -> None:
    """Refuse a file that is no table of transmissions, or that cannot be read or made.

    Parameters
    ----------
    path : Path
        Nothing is made.

    Raises
    ------
    SettingsError
        If so.
    """
    if path.exists():
        _opened(path).close()
    else:
        _refuse_place(path)


def _refuse_place(path: Path) -> None:
    """Refuse a path where no file is and none can be made."""
    if not _can_be_made(path):
        raise SettingsError(f"conductance.cache = {path}: the file cannot be made there: {_REMEDY}")


def _can_be_made(path: Path) -> bool:
    """Whether a file is there, or could be made."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    return place == path or (place.is_dir() and os.access(place, os.W_OK | os.X_OK))


def _opened(path: Path) -> sqlite3.Connection:
    """Open a table, or make it; one that belongs to another program is left as it is."""
    told = f"conductance.cache = {path}"
    _refuse_place(path)
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device or pipe"
        raise SettingsError(f"{told} is a {kind}, not a file of known conductances: {_REMEDY}")
    table = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        table = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        others = table.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        if not others:
            table.execute(_SCHEMA)
        table.execute(_TRIAL).fetchall()
    except (OSError, sqlite3.Error) as error:
        if table is not None:
            table.close()
        closed = path.is_file() and not os.access(path, os.R_OK)
        reason = "it may not be read" if closed else str(error)
        raise SettingsError(
            f"{told} is no file of known conductances, or cannot be opened ({reason}): {_REMEDY}; "
            "what such a file holds can always be computed again"
        ) from None
    return table
