"""State of the measurement of a device directory: how far it is, and what it conducts now."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nanogap.io.lock import FileLock
from nanogap.runs.device_part import read_points

if TYPE_CHECKING:
    from nanogap.runs.device_run import DeviceRun


@dataclass(frozen=True)
class DeviceStatus:
    """State of a device directory.

    Attributes
    ----------
    state : str
    points, points_planned : int
        Readings of all devices.
    time, time_planned : float
        Of the device that is behind, s, and of the protocol.
    devices : int
    conductance : list of float
        Last one of every device, G0.
    bridged : list of bool
    measurement, report : str or None
        Paths, where they are there.
    """

    state: Literal["running", "finished", "interrupted"]
    points: int
    points_planned: int
    time: float
    time_planned: float
    devices: int
    conductance: list[float]
    bridged: list[bool]
    measurement: str | None
    report: str | None


def device_status(run: "DeviceRun") -> DeviceStatus:
    """Say how far a measurement is."""
    parts = [run.files.part(number) for number in range(len(run.members))]
    columns = [read_points(part) for part in parts]
    ends = [float(one["time"][-1]) if len(one["time"]) else 0.0 for one in columns]
    finished = all(part.done.is_file() for part in parts)
    running = FileLock(run.files.lock).is_held() and not run.is_ending
    return DeviceStatus(
        state="finished" if finished else "running" if running else "interrupted",
        points=run.points,
        points_planned=run.points_planned,
        time=min(ends),
        time_planned=max(member.total_duration for member in run.members),
        devices=len(run.members),
        conductance=[float(one["conductance"][-1]) for one in columns if len(one["time"])],
        bridged=[bool(one["bridged"][-1]) for one in columns if len(one["time"])],
        measurement=_there(run.files.measurement),
        report=_there(run.files.report),
    )


def _there(path: Path) -> str | None:
    return str(path) if path.is_file() else None
