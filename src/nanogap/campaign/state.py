"""State of a campaign, as data and in words."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nanogap.campaign.costs import Outcome, result_outcome
from nanogap.campaign.device_state import DeviceProgress, DeviceTotals, RunningDevice
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinds import Kind
from nanogap.campaign.record import Entry
from nanogap.errors import NanogapError
from nanogap.io import read_arrays
from nanogap.printing import time_in_words
from nanogap.settings.load import SettingValue
from nanogap.typing import ABSENT_IF_NONE

# The physics is loaded where it is asked for: looking at a campaign must take no time.

#: States that pass by themselves.
AT_WORK = ("running", "waiting")

#: Conductances shown of a running member.
_LAST = 20


@dataclass(frozen=True)
class RunningMember:
    """A member at work.

    Attributes
    ----------
    key : str
    axes : dict
        Dotted key to value: its combination of the axes.
    repeat : int
    step, end_step : int
        Time steps done and of the whole run; 0 and 0 where it has just begun.
    transmission : list of float
        The last ones at the Fermi energy, in order of time.
    """

    key: str
    axes: dict[str, SettingValue]
    repeat: int
    step: int = 0
    end_step: int = 0
    transmission: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ContactsSoFar:
    """Conductance of the first contacts of the members that are finished.

    Attributes
    ----------
    members : int
        Members whose first contact has a known conductance.
    mean, deviation : float or None
        G0; None where there are too few.
    """

    members: int
    mean: float | None
    deviation: float | None


@dataclass(frozen=True)
class CampaignStatus:
    """Status of a campaign.

    Attributes
    ----------
    state : str
        ``running``, ``waiting`` (for jobs in a queue), ``finished``, ``interrupted`` (nobody works
        on it: resume it) or ``incomplete`` (members were given up).
    name : str
    planned, finished : int
        Members.
    waiting : int
        Members whose jobs wait in the queue of a cluster.
    unmatched : int
        Results in the folder that no planned member has: of an earlier plan.
    running : list of RunningMember or of RunningDevice
    given_up : dict of str to str
        Key to reason.
    points : int
        Conductances so far; of devices, readings, also of members that are not finished.
    first_contact : ContactsSoFar or None
        None for devices.
    core_hours : float
    hours_left : float or None
        None where it is not known.
    dataset, report : str or None
        Paths, where they exist.
    kind : {'run', 'device'}
        Kind of the members.
    points_planned : int or None
        Readings of all devices that are not given up; None for runs.
    time, time_planned : float or None
        Laboratory time of these, simulated so far and in all, s; None for runs.
    """

    state: str
    name: str
    planned: int
    finished: int
    waiting: int
    unmatched: int
    running: list[RunningMember] | list[RunningDevice]
    given_up: dict[str, str]
    points: int
    first_contact: ContactsSoFar | None
    core_hours: float
    hours_left: float | None
    dataset: str | None
    report: str | None
    kind: Kind = "run"
    points_planned: int | None = field(default=None, metadata=ABSENT_IF_NONE)
    time: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    time_planned: float | None = field(default=None, metadata=ABSENT_IF_NONE)

    @property
    def time_left(self) -> str:
        """Time left in words."""
        return time_in_words(None if self.hours_left is None else 3600.0 * self.hours_left)


class CampaignState:
    """Describes a campaign again and again; the results of finished members are read once.

    Parameters
    ----------
    folder : CampaignFolder
    """

    def __init__(self, folder: CampaignFolder) -> None:
        self._folder = folder
        self._made: dict[str, Outcome] = {}
        self._seen: dict[Path, float] = {}
        self._hours_each: float | None = None
        self._begun = time.monotonic()
        self._first_count: int | None = None
        self._devices = DeviceProgress(folder)

    def describe(self) -> CampaignStatus:
        """Describe the campaign as it is now."""
        folder = self._folder
        locked, finished, given_up = folder.running(), folder.finished(), folder.given_up()
        # a process that still clears away behind its result does not work on the member any more
        done = {entry.key for entry in finished}
        running = [entry for entry in locked if entry.key not in done]
        for entry in finished:
            if entry.key not in self._made:
                self._made[entry.key] = result_outcome(folder.result_path(entry), folder.kind)
        made = [self._made[entry.key] for entry in finished]
        left = len(folder.entries) - len(finished) - len(given_up)
        at_work = {entry.key for entry in running}
        waiting = len(self._queued() - done - at_work - given_up.keys()) if left else 0
        content = CampaignStatus(
            state=self._state(len(running), waiting, left, len(given_up)),
            name=folder.file.name,
            planned=len(folder.entries),
            finished=len(finished),
            waiting=waiting,
            unmatched=folder.unmatched(),
            running=[self._devices.of(entry) for entry in running]
            if folder.kind == "device"
            else [self._running(entry) for entry in running],
            given_up=given_up,
            points=sum(one.points for one in made),
            first_contact=None if folder.kind == "device" else _contacts(made),
            core_hours=sum(one.core_seconds for one in made) / 3600.0,
            hours_left=None
            if folder.kind == "device"
            else self._hours_left(len(finished), left, len(running)),
            dataset=_existing(folder.dataset),
            report=_existing(folder.report),
            kind=folder.kind,
        )
        return self._with_readings(content) if folder.kind == "device" else content

    def _with_readings(self, content: CampaignStatus) -> CampaignStatus:
        """Add what only devices have: readings, laboratory time, and the time left by them."""
        planned = {entry.key for entry in self._folder.entries}
        made = {key: one for key, one in self._made.items() if key in planned}
        at_work = [one for one in content.running if isinstance(one, RunningDevice)]
        totals: DeviceTotals = self._devices.totals(made, content.given_up, at_work)
        members_left = content.planned - content.finished - len(content.given_up)
        workers = len(at_work) or self._folder.file.executor.workers or 1
        return replace(
            content,
            points=totals.points,
            points_planned=totals.points_planned,
            time=totals.time,
            time_planned=totals.time_planned,
            core_hours=totals.cpu_time / 3600.0,
            hours_left=totals.hours_left(min(workers, max(1, members_left))),
        )

    def _queued(self) -> set[str]:
        """Keys of the members whose jobs wait in the queue of a cluster."""
        if self._folder.file.executor.kind == "local":
            return set()
        from nanogap.campaign.cluster import waiting_members  # noqa: PLC0415

        return waiting_members(self._folder)

    def _state(self, running: int, waiting: int, left: int, given_up: int) -> str:
        if running:
            return "running"
        if not left:
            return "incomplete" if given_up else "finished"
        if waiting:
            return "waiting"
        if not self._folder.driver_lock.is_held():
            return "interrupted"
        return "running" if self._folder.file.executor.kind == "local" else "waiting"

    def _running(self, entry: Entry) -> RunningMember:
        """Describe a member at work; it may begin or end at this moment."""
        from nanogap.runs import RunDirectory  # noqa: PLC0415

        member = RunningMember(entry.key, entry.axes, entry.repeat)
        try:
            run = RunDirectory(self._folder.run_path(entry))
            state = run.dynamics
            member = replace(member, step=state.step, end_step=state.end_step)
            last = list(run.files.transmissions().values())[-_LAST:]
            return replace(member, transmission=[self._transmission(path) for path in last])
        except (NanogapError, OSError):
            return member

    def _transmission(self, path: Path) -> float:
        """Read the transmission of a snapshot at the Fermi energy, once."""
        if path not in self._seen:
            average, energy = read_arrays(path, ["transmission_average", "energy"])
            self._seen[path] = float(average.ravel()[np.argmin(np.abs(energy))])
        return self._seen[path]

    def _hours_left(self, finished: int, left: int, running: int) -> float | None:
        """Estimate from the pace so far, or from the needs of finished members."""
        if not left:
            return 0.0
        if self._first_count is None:
            self._first_count = finished
        gained = finished - self._first_count
        if gained > max(2, running):
            return left * (time.monotonic() - self._begun) / gained / 3600.0
        if self._hours_each is None:
            from nanogap.campaign.estimate import estimate  # noqa: PLC0415

            found = estimate(self._folder, 1)
            if found is None or not found.members:
                return None
            self._hours_each = found.core_hours / found.members
        return self._hours_each * left / max(1, min(running, left))


def _contacts(made: list[Outcome]) -> ContactsSoFar:
    values = np.array([one.first_contact for one in made])
    values = values[np.isfinite(values)]
    return ContactsSoFar(
        members=len(values),
        mean=float(values.mean()) if len(values) else None,
        deviation=float(values.std(ddof=1)) if len(values) > 1 else None,
    )


def _existing(path: Path) -> str | None:
    return str(path) if path.is_file() else None


def contact_words(contacts: ContactsSoFar) -> str:
    """Write the mean of the first contacts, G0, and their spread where it is known."""
    if contacts.mean is None:
        return "none"
    words = f"{contacts.mean:.2f} of {contacts.members} member{'s' * (contacts.members != 1)}"
    if contacts.deviation is None:
        return f"{words}, too few for a standard deviation"
    return f"{words}, standard deviation {contacts.deviation:.2f}"


def points_rows(status: CampaignStatus) -> list[list[str]]:
    """Say how many conductances there are; of devices, readings and laboratory time."""
    if status.kind == "run":
        return [["conductances so far", str(status.points)]]
    return [
        ["readings so far", f"{status.points} of {status.points_planned}"],
        [
            "simulated so far",
            f"{status.time or 0.0:.4g} of {status.time_planned or 0.0:.4g} s in the laboratory",
        ],
    ]
