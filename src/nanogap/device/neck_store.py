"""Transmissions of necks on disk, shared by the processes of a user."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS transmissions "
    "(key BLOB PRIMARY KEY, transmission REAL NOT NULL, converged INTEGER NOT NULL)"
)
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

    What cannot be read or written is computed again: a store is only a matter of time.

    Parameters
    ----------
    path : Path or None
        SQLite file, made if it is missing; None: memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: dict[bytes, StoredTransmission] = {}
        self._table: sqlite3.Connection | None = None
        if path is not None:
            with contextlib.suppress(OSError, sqlite3.Error):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._table = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
                self._table.execute(_SCHEMA)

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
        if self._table is not None:
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
