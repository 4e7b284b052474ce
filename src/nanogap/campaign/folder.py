"""The campaign folder: its plan, and a store that finds results by their settings."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from nanogap.campaign.file import CampaignFile, SettingValue, campaign_from_text, read_campaign_file
from nanogap.campaign.plan import base_settings, members, settings_key
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_json, write_text
from nanogap.io.lock import FileLock
from nanogap.settings import Settings, settings_from_table


@dataclass(frozen=True)
class Entry:
    """A member as the plan lists it.

    Attributes
    ----------
    number : int
        Place in the campaign, from 0.
    key : str
        Address of its result.
    repeat : int
        Which repeat of its combination, from 0.
    seed : int
    axes : dict
        Dotted key to value: its combination of what varies.
    """

    number: int
    key: str
    repeat: int
    seed: int
    axes: dict[str, SettingValue]


@dataclass(frozen=True)
class Failure:
    """Failed attempts of a member.

    Attributes
    ----------
    attempts : int
        Attempts since it last got any further.
    progress : int
        Time steps and transmissions that it had got to.
    reason : str
        Reason of the last one.
    """

    attempts: int
    progress: int
    reason: str


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

    Raises
    ------
    DataFormatError
        If the folder does not exist or is no campaign.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = json.loads((path / "campaign.json").read_text(encoding="utf-8"))
            self._base = dict(content["base"])
            self.text = str(content["file"])
            self.entries = [Entry(**entry) for entry in content["members"]]
        except FileNotFoundError:
            raise DataFormatError(
                f"{path} is no campaign folder: 'nanogap campaign run FILE -o {path}' makes one"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise DataFormatError(f"{path / 'campaign.json'} cannot be read: {reason}") from None

    @classmethod
    def plan(cls, path: Path, file: Path) -> "CampaignFolder":
        """Make a campaign folder from a campaign file, or bring its plan up to date.

        Results that are in the folder stay there; those of members that are still planned count.

        Raises
        ------
        SettingsError
            If the file or a setting is wrong, or the folder holds something else.
        """
        campaign, text = read_campaign_file(file)
        base = base_settings(campaign, file.absolute().parent)
        planned = [
            asdict(Entry(m.number, m.key, m.repeat, m.settings.seed, m.axes))
            for m in members(campaign, base)
        ]
        keys = {entry["key"] for entry in planned}
        if len(keys) < len(planned):
            raise SettingsError(f"{file}: two members have the same settings: vary something else")
        foreign = path.exists() and not (path / "campaign.json").is_file()
        if foreign and (not path.is_dir() or any(path.iterdir())):
            raise SettingsError(f"{path} exists and is no campaign folder: choose another -o")
        content = {
            "file": text,
            "base": base.model_dump(mode="json"),
            "members": planned,
        }
        try:
            for folder in ("members", "results", "failures", "locks", "logs"):
                (path / folder).mkdir(parents=True, exist_ok=True)
            write_text(path / "campaign.toml", text)
            write_json(path / "campaign.json", content)
        except OSError as error:
            raise SettingsError(f"cannot make campaign folder {path}: {error.strerror}") from None
        return cls(path)

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
        for entry in self.entries:
            if entry.key == key:
                return entry
        raise DataFormatError(f"{self.path} has no member {key}")

    def settings(self, entry: Entry) -> Settings:
        """Return the settings of a member.

        Raises
        ------
        DataFormatError
            If they are no longer what the key says.
        """
        changes = {"name": self.file.name, **self.file.set, **entry.axes, "seed": entry.seed}
        settings = settings_from_table(self._base, str(self.path / "campaign.json"), changes)
        if settings_key(settings) != entry.key:
            raise DataFormatError(
                f"{self.path} was planned by another version of nanogap: plan it anew with "
                f"'nanogap campaign run {self.path / 'campaign.toml'} -o {self.path}'"
            )
        return settings

    @property
    def dataset(self) -> Path:
        """Path of the collected dataset."""
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
        """Folder in which the cluster executor exchanges files with its jobs."""
        return self.path / "executorlib"

    def log_path(self, name: str) -> Path:
        """Return where a worker or a job of some name writes to."""
        return self.path / "logs" / f"{name}.log"

    def run_path(self, entry: Entry) -> Path:
        """Return the run directory of a member that is not finished, or whose one is kept."""
        return self.path / "members" / entry.key

    def result_path(self, entry: Entry) -> Path:
        """Return where the result of a member lies as soon as it is finished."""
        return self.path / "results" / f"{entry.key}.nc"

    def trajectory_path(self, entry: Entry) -> Path:
        """Return where the kept snapshots of a member lie."""
        return self.path / "trajectories" / f"{entry.key}.extxyz.xz"

    def finished(self) -> list[Entry]:
        """List the members whose results are there."""
        there = {path.stem for path in (self.path / "results").glob("*.nc")}
        return [entry for entry in self.entries if entry.key in there]

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
        failed = {path.stem for path in (self.path / "failures").glob("*.json")}
        finished = {entry.key for entry in self.finished()}
        return {
            entry.key: failure.reason
            for entry in self.entries
            if entry.key in failed - finished
            and (failure := self.failure(entry)) is not None
            and failure.attempts >= limit
        }

    def pending(self) -> list[Entry]:
        """List the members that are still to be run, in order."""
        done = {entry.key for entry in self.finished()} | self.given_up().keys()
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

    def is_abandoned(self, entry: Entry, since: float) -> bool:
        """Whether work on a member began after a moment and no process does it any more.

        Parameters
        ----------
        entry : Entry
        since : float
            The moment, s since the epoch.
        """
        path = self.path / "locks" / entry.key
        try:
            began = path.stat().st_mtime
        except OSError:
            return False
        return began >= since and not FileLock(path).is_held()

    def running(self) -> list[Entry]:
        """List the members that a process works on now."""
        locked = {path.name for path in (self.path / "locks").iterdir() if FileLock(path).is_held()}
        return [entry for entry in self.entries if entry.key in locked]

    def _failure_path(self, entry: Entry) -> Path:
        return self.path / "failures" / f"{entry.key}.json"
