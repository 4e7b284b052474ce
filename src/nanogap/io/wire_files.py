"""Files of a wire directory: the name of each stands here, once."""

from dataclasses import dataclass
from pathlib import Path

from nanogap.errors import DataFormatError


def is_wire_directory(path: Path) -> bool:
    """Whether a folder holds simulated breakdowns of wires."""
    return WireFiles(path).description.is_file()


def current_wire_measurement(path: Path) -> Path:
    """Return the file of the readings of a wire directory.

    Raises
    ------
    DataFormatError
        If there is none yet, or wires have finished since it was written.
    """
    files = WireFiles(path)
    remedy = f"'nanogap wire resume {path}' writes it"
    if not files.measurement.is_file():
        raise DataFormatError(f"{path} has no {files.measurement.name} yet: {remedy}")
    made = files.measurement.stat().st_mtime_ns
    if any(part.stat().st_mtime_ns > made for part in files.parts()):
        raise DataFormatError(f"wires finished since {files.measurement} was written: {remedy}")
    return files.measurement


@dataclass(frozen=True)
class WireFiles:
    """Places in a wire directory.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def description(self) -> Path:
        """Settings, where they came from, and versions."""
        return self.folder / "wire.json"

    @property
    def measurement(self) -> Path:
        """Readings of all wires."""
        return self.folder / "measurement.nc"

    @property
    def table(self) -> Path:
        """The readings as text."""
        return self.folder / "measurement.csv"

    @property
    def profiles(self) -> Path:
        """Radius, temperature and current density along the wires at the kept moments, as text."""
        return self.folder / "profiles.csv"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def lock(self) -> Path:
        """Held by the process that works in the folder."""
        return self.folder / ".lock"

    def part(self, number: int) -> Path:
        """File of one wire, from 0: readings, moments and what became of it."""
        return self.folder / f"wire-{number + 1}.nc"

    def parts(self) -> list[Path]:
        """Files of the wires that are finished."""
        return sorted(self.folder.glob("wire-[0-9]*.nc"))
