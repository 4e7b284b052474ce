"""Record of what a virtual unit put out, and when: proof of what a client left behind."""

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nanogap.electrical.segments import Quantity

#: Settings that are kept in memory; a file keeps all.
_MOST = 100_000


@dataclass(frozen=True)
class Setting:
    """Output of a channel from a moment on.

    Attributes
    ----------
    time : float
        Of the device, s.
    channel : str
    output : bool
    quantity : {'voltage', 'current'}
    level, limit : float
        V or A.
    """

    time: float
    channel: str
    output: bool
    quantity: Quantity
    level: float
    limit: float


class Record:
    """Every change of what a unit puts out.

    Parameters
    ----------
    path : Path, optional
        A file that gets one JSON object a line, at once.

    Examples
    --------
    >>> record = Record()
    >>> record.add(Setting(0.0, "smua", True, "voltage", 1.0, 0.1))
    >>> record.is_on, record.latest("smua").level
    (True, 1.0)
    """

    def __init__(self, path: Path | None = None) -> None:
        self._settings: deque[Setting] = deque(maxlen=_MOST)
        self._latest: dict[str, Setting] = {}
        self._file = None if path is None else path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The latest of them, oldest first."""
        with self._lock:
            return tuple(self._settings)

    @property
    def is_on(self) -> bool:
        """Whether an output is on."""
        with self._lock:
            return any(one.output for one in self._latest.values())

    def latest(self, channel: str) -> Setting | None:
        """Return what a channel puts out now; None: nothing was ever set."""
        with self._lock:
            return self._latest.get(channel)

    def add(self, setting: Setting) -> None:
        """Keep a setting, unless it says what the one before said."""
        with self._lock:
            before = self._latest.get(setting.channel)
            if before is not None and replace(before, time=setting.time) == setting:
                return
            self._latest[setting.channel] = setting
            self._settings.append(setting)
            if self._file is not None:
                self._file.write(json.dumps(asdict(setting)) + "\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
