"""Files of a device directory: the name of each stands here, once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanogap.errors import DataFormatError
from nanogap.io.results import open_hdf5


def is_device_directory(path: Path) -> bool:
    """Whether a folder holds a measurement of a simulated device."""
    return DeviceFiles(path).description.is_file()


def current_device_measurement(path: Path) -> Path:
    """Return the file of the readings of a device directory, if it holds all that are on disk.

    Raises
    ------
    DataFormatError
        If there is none, it cannot be read, or readings were added since it was written.
    """
    files = DeviceFiles(path)
    remedy = f"'nanogap device resume {path}' writes it"
    if not files.measurement.is_file():
        raise DataFormatError(f"{path} has no {files.measurement.name} yet: {remedy}")
    on_disk = sum(PartFiles(folder).readings for folder in path.glob("device-*"))
    try:
        with open_hdf5(files.measurement) as file:
            held = len(file["time"])
    except (OSError, KeyError, TypeError) as error:
        raise DataFormatError(f"{files.measurement} cannot be read: {error}: {remedy}") from None
    if on_disk > held:
        raise DataFormatError(
            f"{files.measurement} holds {held} of the {on_disk} readings on disk: {remedy} anew"
        )
    return files.measurement


def is_device_campaign(path: Path) -> bool:
    """Whether a folder holds a campaign of simulated devices."""
    return _campaign_plan(path).get("kind") == "device"


def campaign_measurement(path: Path) -> Path:
    """Return the file of the readings of all devices of a campaign, there or not."""
    return path / "measurement.nc"


def current_campaign_measurement(path: Path) -> Path:
    """Return the file of the readings of all devices of a campaign that is up to date.

    Raises
    ------
    DataFormatError
        If there is none, or members have finished since it was written.
    """
    file = campaign_measurement(path)
    remedy = f"'nanogap campaign collect {path}' puts the readings of its devices together"
    if not file.is_file():
        raise DataFormatError(f"{path} is a campaign without {file.name}: {remedy}")
    made = file.stat().st_mtime_ns
    results = (path / "results" / f"{one['key']}.nc" for one in _campaign_plan(path)["members"])
    newer = sum(1 for one in results if one.is_file() and one.stat().st_mtime_ns > made)
    if newer:
        members = "1 member has" if newer == 1 else f"{newer} members have"
        raise DataFormatError(f"{members} finished since {file} was written: {remedy}")
    return file


def _campaign_plan(path: Path) -> dict[str, Any]:
    """Read the plan of a campaign; empty if there is none, or none to read."""
    try:
        plan = json.loads((path / "campaign.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return plan if isinstance(plan, dict) else {}


@dataclass(frozen=True)
class PartFiles:
    """Places of one device of a device directory.

    Attributes
    ----------
    folder : Path
        The folder of the device, there or not.
    """

    folder: Path

    @property
    def points(self) -> Path:
        """Readings, rows of 8-byte floating-point numbers."""
        return self.folder / "points.f8"

    @property
    def frames(self) -> Path:
        """Occupation of the lattice at chosen moments."""
        return self.folder / "frames.bin"

    @property
    def done(self) -> Path:
        """Marks the end of the protocol."""
        return self.folder / "done"

    def checkpoint(self, points: int) -> Path:
        """Folder of the state after so many readings."""
        return self.folder / f"after-{points}"

    def checkpoints(self) -> list[Path]:
        """Folders of states, the latest first."""
        found = [path for path in self.folder.glob("after-*") if path.name[6:].isdecimal()]
        return sorted(found, key=_readings_of, reverse=True)

    @property
    def readings(self) -> int:
        """Number of readings on disk with a state that goes on from them."""
        return max(map(_readings_of, self.checkpoints()), default=0)


def _readings_of(checkpoint: Path) -> int:
    """Return after how many readings a state was kept."""
    return int(checkpoint.name.removeprefix("after-"))


@dataclass(frozen=True)
class DeviceFiles:
    """Places of a device directory; `nanogap.runs.device_run.DeviceRun` says what they mean.

    Attributes
    ----------
    folder : Path
        The device directory, there or not.
    """

    folder: Path

    @property
    def description(self) -> Path:
        """Settings, where they came from, versions."""
        return self.folder / "device.json"

    @property
    def beginning(self) -> Path:
        """Settings, and digests of what was read, as the measurement began."""
        return self.folder / "beginning.json"

    @property
    def energetics(self) -> Path:
        """Copy of the user's own table of barriers."""
        return self.folder / "energetics.json"

    @property
    def measurement(self) -> Path:
        """All readings as a measurement dataset."""
        return self.folder / "measurement.nc"

    @property
    def table(self) -> Path:
        """The same as text."""
        return self.folder / "measurement.csv"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def lock(self) -> Path:
        """Held by the process that works in the folder."""
        return self.folder / ".lock"

    def finished_parts(self) -> list[Path]:
        """Return the marks of devices that have done all of their protocol."""
        return sorted(self.folder.glob("device-*/done"))

    def part(self, number: int) -> PartFiles:
        """Places of one device, from 0."""
        return PartFiles(self.folder / f"device-{number + 1}")
