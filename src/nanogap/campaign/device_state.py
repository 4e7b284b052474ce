"""State of the devices of a campaign: readings, sweeps, laboratory time, time left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nanogap.campaign.costs import Outcome
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.record import Entry
from nanogap.errors import NanogapError
from nanogap.printing import time_in_words
from nanogap.settings.load import SettingValue

#: Name of one cycle of a protocol; of other protocols it is a cycle.
_CYCLES = {"voltage-sweep": "sweep", "current-sweep": "sweep", "pulses": "pulse"}


@dataclass(frozen=True)
class RunningDevice:
    """A device at work; of a member of several devices, all of them together.

    Attributes
    ----------
    key : str
    axes : dict
        Dotted key to value: its combination of the axes.
    repeat : int
    points, points_planned : int
        Readings on disk and of the whole measurement; with feedback, the largest number.
    conductance : list of float
        Last one of the gap of every device of the member, G0, without noise.
    time, time_planned : float
        Laboratory time simulated and of the whole measurement, s.
    cycle_name : str
        Word for a cycle of the protocol, such as sweep.
    cycles, cycles_planned : int
        Cycles begun and of the whole protocol.
    cpu_time : float
        Processor time of the readings on disk, s.
    """

    key: str
    axes: dict[str, SettingValue]
    repeat: int
    points: int = 0
    points_planned: int = 0
    conductance: list[float] = field(default_factory=list)
    time: float = 0.0
    time_planned: float = 0.0
    cycle_name: str = "cycle"
    cycles: int = 0
    cycles_planned: int = 0
    cpu_time: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Processor time that is left at the pace so far, s; None without a reading."""
        if not self.points:
            return None
        return self.cpu_time / self.points * max(0, self.points_planned - self.points)

    def words(self) -> list[str]:
        """Say how far it is, part by part."""
        if not self.points:
            return ["no reading yet: the device is set up, which takes a minute or two at first"]
        told = []
        if self.cycles_planned > 1:
            told.append(f"{self.cycle_name} {self.cycles} of {self.cycles_planned}")
        told.append(f"reading {self.points} of {self.points_planned}")
        told.append(f"{self.time:.4g} of {self.time_planned:.4g} s in the laboratory")
        if self.seconds_left:
            told.append(f"about {time_in_words(self.seconds_left)} left")
        return told


@dataclass(frozen=True)
class DeviceTotals:
    """Readings and laboratory time of all devices of a campaign.

    Attributes
    ----------
    points, points_planned : int
        Readings so far, also of members that are not finished, and of the whole campaign without
        the members that were given up.
    time, time_planned : float
        Laboratory time, of all devices together, s.
    cpu_time : float
        Processor time so far, s.
    """

    points: int
    points_planned: int
    time: float
    time_planned: float
    cpu_time: float

    def hours_left(self, workers: int) -> float | None:
        """Estimate the time left on so many workers, h; None without a reading."""
        left = max(0, self.points_planned - self.points)
        if not left:
            return 0.0
        if not self.points:
            return None
        return self.cpu_time / self.points * left / max(1, workers) / 3600.0


class DeviceProgress:
    """Looks at the devices of a campaign again and again.

    Parameters
    ----------
    folder : CampaignFolder
        Of devices.
    """

    def __init__(self, folder: CampaignFolder) -> None:
        self._folder = folder
        self._planned: dict[str, RunningDevice] = {}

    def planned(self, entry: Entry) -> RunningDevice:
        """Return a device that has no reading yet; the seed does not matter."""
        same = str(entry.axes)
        if same not in self._planned:
            try:
                settings = self._folder.device_settings(entry)
            except NanogapError:  # planned by another version: what is on disk is there to see
                return RunningDevice(entry.key, entry.axes, entry.repeat)
            devices = settings.members()
            self._planned[same] = RunningDevice(
                entry.key,
                entry.axes,
                entry.repeat,
                points_planned=sum(one.total_samples for one in devices),
                time_planned=sum(one.total_duration for one in devices),
                cycle_name=_CYCLES.get(settings.protocol.kind, "cycle"),
                cycles_planned=sum(one.protocol.n_cycles for one in devices),
            )
        found = self._planned[same]
        return replace(found, key=entry.key, repeat=entry.repeat)

    def of(self, entry: Entry) -> RunningDevice:
        """Describe a device by what is on disk; it may begin or end at this moment."""
        from nanogap.runs.device_alone import computing_time  # noqa: PLC0415 loads the physics
        from nanogap.runs.device_part import read_points  # noqa: PLC0415
        from nanogap.runs.device_run import DeviceRun  # noqa: PLC0415

        device = self.planned(entry)
        try:
            run = DeviceRun(self._folder.run_path(entry))
            columns = [read_points(run.files.part(place)) for place in range(len(run.members))]
            cpu_time = computing_time(run)
        except (NanogapError, OSError):
            return device
        begun = [one for one in columns if len(one["time"])]
        cycles = sum(max(int(one["cycle"][-1]) + 1, 0) for one in begun)
        return replace(
            device,
            points=sum(len(one["time"]) for one in begun),
            conductance=[float(one["conductance"][-1]) for one in begun],
            time=sum(float(one["time"][-1]) for one in begun),
            cycles=min(cycles, device.cycles_planned),
            cpu_time=cpu_time,
        )

    def totals(
        self,
        made: Mapping[str, Outcome],
        given_up: Mapping[str, str],
        running: Sequence[RunningDevice],
    ) -> DeviceTotals:
        """Add up all members but those that were given up.

        Parameters
        ----------
        made : mapping
            Key of every finished member to its outcome.
        given_up : mapping
            Key of every member that was given up to the reason.
        running : sequence of RunningDevice
            Members at work; others that have begun are looked at.
        """
        seen = {one.key: one for one in running}
        points = points_planned = 0
        time = time_planned = cpu_time = 0.0
        for entry in self._folder.entries:
            if entry.key in given_up:
                continue
            planned = self.planned(entry)
            time_planned += planned.time_planned
            if entry.key in made:
                outcome = made[entry.key]
                points, points_planned = points + outcome.points, points_planned + outcome.points
                time, cpu_time = time + planned.time_planned, cpu_time + outcome.core_seconds
                continue
            device = seen.get(entry.key)
            if device is None:
                begun = self._folder.run_path(entry).is_dir()
                device = self.of(entry) if begun else planned
            points, points_planned = points + device.points, points_planned + device.points_planned
            time, cpu_time = time + device.time, cpu_time + device.cpu_time
        return DeviceTotals(points, points_planned, time, time_planned, cpu_time)
