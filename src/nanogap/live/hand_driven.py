"""A device that is driven by hand, reading by reading, with a record that makes it again.

What happens depends on the settings and on which knob was turned after which reading, and on
nothing else: not on the speed of the machine, nor on when the page was looked at. So the record of
the turns gives the same readings to the bit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from nanogap.device.device import Device
from nanogap.device.measurement import Point
from nanogap.device.readings import readings_table
from nanogap.errors import DataFormatError, SettingsError
from nanogap.instruments.loads import prepared_device
from nanogap.live.knobs import first_knobs, knob_ranges, turned
from nanogap.settings.device import load_device_settings

_KIND = "nanogap live record"


@dataclass(frozen=True)
class Turn:
    """Knobs that were turned at a moment.

    Attributes
    ----------
    reading : int
        Readings before it.
    time : float
        Of the device, s.
    changes : mapping
        New positions by the names of `nanogap.live.knobs.Knobs`.
    """

    reading: int
    time: float
    changes: Mapping[str, object]


class Record(TypedDict):
    """All that makes the readings again, as it stands in a file."""

    kind: str
    nanogap_version: str
    settings: dict[str, object]
    readings: int
    turns: list[dict[str, object]]


class HandDriven:
    """A device, the knobs before it, and the record of their turns.

    Parameters
    ----------
    device : Device
        Prepared; it has had no knob turned.

    Attributes
    ----------
    device : Device
    knobs : Knobs
    points : list of Point
        Readings so far, without those of the preparation. Their times go on from its end.
    turns : list of Turn

    Examples
    --------
    >>> from nanogap import Device
    >>> driven = HandDriven(Device("device-quick"))
    >>> driven.turn({"voltage": 0.2, "ramp": 0.0})
    >>> driven.read().gap_voltage > 0.15
    True
    >>> again = replay(driven.record())
    >>> again.points == driven.points
    True
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.knobs = first_knobs(device)
        self.ranges = knob_ranges(device)
        self.points: list[Point] = []
        self.turns: list[Turn] = []
        self._from, self._since = 0.0, device.time

    def turn(self, changes: Mapping[str, object]) -> None:
        """Turn knobs, from the next reading on.

        Parameters
        ----------
        changes : mapping
            New positions by the names of `nanogap.live.knobs.Knobs`.

        Raises
        ------
        SettingsError
            If there is no such knob, or a value is out of its range.
        """
        before, knobs = self.knobs, turned(self.knobs, changes, self.ranges)
        if knobs == before:
            return
        if knobs.quantity != before.quantity:  # the source goes on from what it last read
            self._from = getattr(self.points[-1], knobs.quantity) if self.points else 0.0
            self._since = self.device.time
        elif (knobs.level, knobs.ramp) != (before.level, before.ramp):
            self._from, self._since = self.level(self.device.time), self.device.time
        if knobs.temperature != self.device.temperature:
            self.device.set_temperature(knobs.temperature)
        self.knobs = knobs
        old, new = asdict(before), asdict(knobs)
        changed = {key: value for key, value in new.items() if value != old[key]}
        self.turns.append(Turn(len(self.points), self.device.time, changed))

    def level(self, time: float) -> float:
        """Return the level of the source at a time of the device, V or A."""
        knobs = self.knobs
        part = 1.0 if knobs.ramp == 0.0 else min((time - self._since) / knobs.ramp, 1.0)
        return self._from + (knobs.level - self._from) * part if part < 1.0 else knobs.level

    def read(self) -> Point:
        """Let the time between two readings pass, and read."""
        knobs = self.knobs
        point = self.device.apply(
            self.level(self.device.time + knobs.interval),
            knobs.interval,
            quantity=knobs.quantity,
            compliance=knobs.compliance,
        )
        self.points.append(point)
        return point

    def table(self) -> str:
        """Return all readings, those of the preparation too, as the text of a CSV file.

        Raises
        ------
        DataFormatError
            If there is none.
        """
        return str(readings_table(self.device.dataset()).to_csv(index=False))

    def record(self) -> Record:
        """Return what makes the readings again."""
        return Record(
            kind=_KIND,
            nanogap_version=version("nanogap"),
            settings=self.device.settings.model_dump(mode="json"),
            readings=len(self.points),
            turns=[asdict(one) for one in self.turns],
        )


def load_record(path: Path) -> Record:
    """Read a record from a file.

    Raises
    ------
    DataFormatError
        If there is none in it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as a record: {error}") from None
    if not isinstance(content, dict) or content.get("kind") != _KIND:
        raise DataFormatError(
            f"{path} is no record of a live page: give what its button 'record' saved"
        )
    settings, turns, readings = (content.get(key) for key in ("settings", "turns", "readings"))
    whole = isinstance(settings, dict) and isinstance(turns, list) and isinstance(readings, int)
    if not whole or not all(_is_turn(one) for one in turns or []):
        raise DataFormatError(f"{path}: the record is damaged: save it again")
    return Record(
        kind=_KIND,
        nanogap_version=str(content.get("nanogap_version")),
        settings=dict(settings or {}),
        readings=int(readings or 0),
        turns=list(turns or []),
    )


def _is_turn(content: object) -> bool:
    """Whether something is a turn in a record."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("reading"), int)
        and isinstance(content.get("changes"), dict)
    )


def replay(record: Record, progress: Callable[[int, int], object] | None = None) -> HandDriven:
    """Make a device, turn its knobs as the record says, and take as many readings.

    Parameters
    ----------
    record : Record
        By `HandDriven.record` or `load_record`.
    progress : callable, optional
        Called after each reading with the readings done and planned.

    Returns
    -------
    HandDriven
        With the readings of the one that was recorded, to the bit, if version and machine are
        the same.

    Raises
    ------
    SettingsError
        If the settings or a turn cannot be.
    """
    driven = HandDriven(prepared_device(load_device_settings(record["settings"])))
    turns = [(int(str(one["reading"])), one["changes"]) for one in record["turns"]]
    for number in range(record["readings"] + 1):
        while turns and turns[0][0] <= number:
            changes = turns.pop(0)[1]
            if not isinstance(changes, Mapping):
                raise SettingsError(f"turn after {number} readings: it names no knobs")
            driven.turn(changes)
        if number < record["readings"]:
            driven.read()
            if progress is not None:
                progress(number + 1, record["readings"])
    return driven
