"""The campaign folder: its plan, and a store that finds results by their settings."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nanogap.campaign.file import CampaignFile, campaign_from_text
from nanogap.campaign.keys import settings_key
from nanogap.campaign.kinds import Kind, MemberSettings, member_settings, named_files
from nanogap.campaign.record import Entry, PlanRecord, copy_name
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_bytes, write_json, write_text
from nanogap.io.device_files import campaign_measurement
from nanogap.io.lock import FileLock
from nanogap.settings import Settings

if TYPE_CHECKING:
    from nanogap.settings.device import DeviceSettings


@dataclass(frozen=True)
class Failure:
    """Failed attempts of a member.

    Attributes
    ----------
    attempts : int
        Attempts since it last got any further.
    progress : int
        Time steps and transmissions, or readings, that it had got to.
    reason : str
        Reason of the last one.
    """

    attempts: int
    progress: int
    reason: str


_FOLDERS = ("members", "results", "failures", "locks", "logs", "jobs", "files")


class CampaignFolder:
    """A campaign on disk.

    Parameters
    ----------
    path : Path
        An existing campaign folder; make one with `plan`.

    Attributes
    ----------
    path : Path
    text : str
        The campaign file, as it was when the campaign was planned.
    entries : list of Entry
        All members, in order.
    notes : list of str
        Sentences that planning it had to tell; none for a folder that was opened.

    Raises
    ------
    DataFormatError
        If the folder does not exist or is no campaign.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        try:
            self._plan = PlanRecord.read(path / "campaign.json")
        except FileNotFoundError:
            raise DataFormatError(
                f"{path} is no campaign folder: 'nanogap campaign run FILE -o {path}' makes one"
            ) from None
        self._rule = self._plan.rule.today()
        self.text, self.entries = self._plan.text, self._plan.entries

    @classmethod
    def plan(cls, path: Path, file: Path) -> "CampaignFolder":
        """Make a campaign folder from a campaign file, or bring its plan up to date.

        Results that are in the folder stay there; those of members that are still planned count,
        and `notes` tells how many do not. The folder has the base and the user's own files that
        the settings name, so that it can be moved, resumed and planned anew without them.

        Raises
        ------
        SettingsError
            If the file or a setting is wrong, no transmission could be computed, or the folder
            holds something else.
        """
        from nanogap.campaign.planning import new_plan  # noqa: PLC0415 loads the physics

        there = (path / "campaign.json").is_file()
        plan = new_plan(path, file, PlanRecord.read(path / "campaign.json") if there else None)
        if not there and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise SettingsError(f"{path} exists and is no campaign folder: choose another -o")
        try:
            for name in _FOLDERS:
                (path / name).mkdir(parents=True, exist_ok=True)
            for name, content in plan.copies.items():
                write_bytes(path / "files" / name, content)
            write_text(path / "campaign.toml", plan.record.text)
            plan.record.write(path / "campaign.json")
        except OSError as error:
            raise SettingsError(f"cannot make campaign folder {path}: {error.strerror}") from None
        folder = cls(path)
        folder.notes = plan.notes
        return folder

    @cached_property
    def file(self) -> CampaignFile:
        """The campaign file read and checked."""
        return campaign_from_text(self.text, str(self.path / "campaign.toml"))

    def entry(self, key: str) -> Entry:
        """Find a member by its key.

        Raises
        ------
        DataFormatError
            If the plan has no such member.
        """
        if key not in self._by_key:
            raise DataFormatError(f"{self.path} has no member {key}")
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, Entry]:
        return {entry.key: entry for entry in self.entries}

    @property
    def kind(self) -> Kind:
        """Kind of the members: runs of molecular dynamics, or simulated devices."""
        return self._rule.kind

    def settings(self, entry: Entry) -> Settings:
        """Return the settings of a member that is a run; see `member_settings`.

        Raises
        ------
        DataFormatError
            If it is a device, or they are no longer what the key says.
        """
        found = self.member_settings(entry)
        if not isinstance(found, Settings):
            raise DataFormatError(f"{self.path} is a campaign of devices: its members are no runs")
        return found

    def device_settings(self, entry: Entry) -> "DeviceSettings":
        """Return the settings of a member that is a device; see `member_settings`.

        Raises
        ------
        DataFormatError
            If it is a run, or they are no longer what the key says.
        """
        found = self.member_settings(entry)
        if isinstance(found, Settings):
            raise DataFormatError(f"{self.path} is a campaign of runs: its members are no devices")
        return found

    def cores(self, entry: Entry) -> int:
        """Return how many cores a member uses, for processes or for threads."""
        found = self.member_settings(entry)
        if not isinstance(found, Settings):
            return 1
        return max(found.dynamics.processes, found.dynamics.threads)

    def threads(self, entry: Entry) -> int:
        """Return how many threads the compiled loops of a member have."""
        found = self.member_settings(entry)
        return found.dynamics.threads if isinstance(found, Settings) else 1

    def member_settings(self, entry: Entry) -> MemberSettings:
        """Return the settings of a member; they name the folder's copies of the user's files.

        Raises
        ------
        DataFormatError
            If they are no longer what the key says.
        """
        plan, source = self._plan, str(self.path / "campaign.json")
        if self._rule.forgotten:
            raise DataFormatError(
                f"{self.path} was planned with settings that this version of nanogap does not have "
                f"({', '.join(self._rule.forgotten)}): go on with the version that planned it"
            )
        changes = {"name": self.file.name, **self.file.set, **entry.axes, "seed": entry.seed}
        settings = member_settings(self.kind, plan.base, source, changes)
        if settings_key(settings, self._rule, plan.files) != entry.key:
            raise DataFormatError(
                f"{source} is damaged: its settings do not belong to the member {entry.key}: plan "
                "the campaign anew with 'nanogap campaign run' and its file"
            )
        copies = {
            key: str(self._copy(given).absolute())
            for key, given in named_files(settings).items()
            if given in plan.files
        }
        if not copies:
            return settings
        return member_settings(self.kind, plan.base, source, {**changes, **copies})

    def _copy(self, given: str) -> Path:
        return self.path / "files" / copy_name(given, self._plan.files[given])

    @property
    def dataset(self) -> Path:
        """Path of the collected dataset: of devices, a measurement."""
        if self.kind == "device":
            return campaign_measurement(self.path)
        return self.path / "dataset.nc"

    @property
    def report(self) -> Path:
        """Path of the report."""
        return self.path / "report.html"

    @property
    def state_page(self) -> Path:
        """Path of the page that shows the state of the campaign."""
        return self.path / "status.html"

    @property
    def jobs(self) -> Path:
        """Folder of the jobs that were submitted to a cluster, a file for each."""
        return self.path / "jobs"

    def log_path(self, name: str) -> Path:
        """Return where a worker or a job of some name writes to."""
        return self.path / "logs" / f"{name}.log"

    def run_path(self, entry: Entry) -> Path:
        """Return the run directory of a member that is not finished, or whose one is kept."""
        return self.path / "members" / entry.key

    def sessions_path(self, entry: Entry) -> Path:
        """Return the file of the program versions that have worked on an unfinished member."""
        return self.path / "members" / f"{entry.key}.json"

    def result_path(self, entry: Entry) -> Path:
        """Return where the result of a member lies as soon as it is finished."""
        return self.path / "results" / f"{entry.key}.nc"

    def trajectory_path(self, entry: Entry) -> Path:
        """Return where the kept snapshots of a member lie."""
        return self.path / "trajectories" / f"{entry.key}.extxyz.xz"

    def member_report_path(self, entry: Entry) -> Path:
        """Return where the report of a member that is a device is kept."""
        return self.path / "reports" / f"{entry.key}.html"

    def member_report(self, key: str) -> Path | None:
        """Return the report of a member by its key: kept, or in its directory; None without one."""
        places = (
            self.path / "reports" / f"{key}.html",
            self.path / "members" / key / "report.html",
        )
        return next((path for path in places if path.is_file()), None)

    def finished(self) -> list[Entry]:
        """List the members whose results are there."""
        there = self._results()
        return [entry for entry in self.entries if entry.key in there]

    def unmatched(self) -> int:
        """Count the results that no planned member has: of an earlier plan."""
        return len(self._results() - self._by_key.keys())

    def _results(self) -> set[str]:
        return _names(self.path / "results", ".nc")

    def failure(self, entry: Entry) -> Failure | None:
        """Return the failed attempts of a member; a damaged record counts as none."""
        try:
            text = self._failure_path(entry).read_text(encoding="utf-8")
            return Failure(**json.loads(text))
        except (OSError, ValueError, TypeError):
            return None

    def record_failure(self, entry: Entry, reason: str, progress: int) -> None:
        """Count a failed attempt; one that got further than the last begins to count anew."""
        before = self.failure(entry)
        failure = Failure(1, progress, reason)
        if before is not None and progress <= before.progress:
            failure = replace(failure, attempts=before.attempts + 1, progress=before.progress)
        write_json(self._failure_path(entry), asdict(failure))

    def forget_failure(self, entry: Entry) -> None:
        """Let a member be tried again."""
        self._failure_path(entry).unlink(missing_ok=True)

    def given_up(self) -> dict[str, str]:
        """List the members that failed too often: key and reason."""
        limit = self.file.executor.attempts
        failed = _names(self.path / "failures", ".json")
        if not failed:
            return {}
        failed -= self._results()
        return {
            entry.key: failure.reason
            for entry in self.entries
            if entry.key in failed
            and (failure := self.failure(entry)) is not None
            and failure.attempts >= limit
        }

    def pending(self) -> list[Entry]:
        """List the members that are still to be run, in order."""
        done = self._results() | self.given_up().keys()
        return [entry for entry in self.entries if entry.key not in done]

    @contextmanager
    def lock(self, entry: Entry) -> Iterator[bool]:
        """Try to take a member for this process; the lock ends with the process.

        Yields
        ------
        bool
            False if another process has it.
        """
        path = self.path / "locks" / entry.key
        with FileLock(path).hold() as descriptor:
            taken = descriptor is not None
            if taken:
                os.utime(path)  # tells when work on the member last began
            yield taken
            # whoever still waits for this file finds the result that is there now
            if taken and self.result_path(entry).is_file():
                path.unlink(missing_ok=True)

    def is_running(self, entry: Entry) -> bool:
        """Whether a process works on a member now."""
        return FileLock(self.path / "locks" / entry.key).is_held()

    def running(self) -> list[Entry]:
        """List the members that a process works on now."""
        try:
            paths = list((self.path / "locks").iterdir())
        except OSError:  # of a campaign that was copied without its empty folders
            return []
        locked = {path.name for path in paths if FileLock(path).is_held()}
        return [self._by_key[key] for key in sorted(locked & self._by_key.keys(), key=self._place)]

    def _place(self, key: str) -> int:
        return self._by_key[key].number

    @property
    def driver_lock(self) -> FileLock:
        """Lock of the process that starts or submits the members."""
        return FileLock(self.path / "driver.lock")

    def record_job(self, entry: Entry, job: str) -> None:
        """Remember that a member was submitted to a cluster."""
        write_json(self.jobs / f"{entry.key}.json", {"job": job})

    def forget_job(self, entry: Entry) -> None:
        """Forget a job that has ended."""
        (self.jobs / f"{entry.key}.json").unlink(missing_ok=True)

    def submitted(self) -> set[str]:
        """Keys of the members that were submitted to a cluster, as far as is known here."""
        return _names(self.jobs, ".json")

    def _failure_path(self, entry: Entry) -> Path:
        return self.path / "failures" / f"{entry.key}.json"


def _names(folder: Path, ending: str) -> set[str]:
    """Stems of the files of a folder with some ending, hidden ones aside."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 ten times faster for thousands of files
    except OSError:
        return set()
    return {
        name.removesuffix(ending)
        for name in names
        if name.endswith(ending) and not name.startswith(".")
    }
