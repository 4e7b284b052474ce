"""Plan a campaign, or bring its plan up to date: what stays the same, and what no longer counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nanogap.campaign.file import CampaignFile, read_campaign_file
from nanogap.campaign.keys import KeyRule, read_named
from nanogap.campaign.kinds import (
    MemberSettings,
    kind_of,
    member_settings,
    named_files,
    refuse_other_kind,
)
from nanogap.campaign.plan import base_settings, combinations, first_members, members
from nanogap.campaign.record import Entry, PlanRecord, copy_name
from nanogap.digest import file_digest
from nanogap.dynamics.interaction import load_interaction
from nanogap.errors import NanogapError, SettingsError
from nanogap.io.results import read_attributes
from nanogap.runs.device_alone import check_device
from nanogap.settings import Settings
from nanogap.settings.load import SettingValue, flattened
from nanogap.transport.tight_binding.files import NONE, chosen_model, why_none

#: Settings that are no reason for a result not to belong to a plan.
_NO_REASON = ("name", "seed", "transport.workers", "conductance.cache")

#: Results that are looked at for the reason.
_LOOKED_AT = 20


@dataclass(frozen=True)
class NewPlan:
    """A plan that is not written yet.

    Attributes
    ----------
    record : PlanRecord
    copies : dict of str to bytes
        The user's own files: name in the campaign folder, and content.
    notes : list of str
        Sentences to be told.
    """

    record: PlanRecord
    copies: Mapping[str, bytes]
    notes: list[str]


def new_plan(path: Path, file: Path, old: PlanRecord | None) -> NewPlan:
    """Plan a campaign.

    Relative paths in a campaign file count from its own folder. The copy of it in the campaign
    folder needs neither the base nor the files that it names: the folder has them.

    Parameters
    ----------
    path : Path
        The campaign folder, there or not.
    file : Path
        The campaign file.
    old : PlanRecord, optional
        The plan that the folder has.

    Raises
    ------
    SettingsError
        If the file or a setting is wrong, or no transmission could be computed.
    """
    campaign, text = read_campaign_file(file)
    kept = old if old is not None and _is_same(file, path / "campaign.toml") else None
    where = file.absolute().parent
    if kept is not None and kept.file.base == campaign.base and not kept.rule.forgotten:
        base = member_settings(kept.rule.kind, kept.base, str(path / "campaign.json"), {})
    else:
        base = base_settings(campaign, where)
    kind = kind_of(base)
    if old is not None and old.rule.kind != kind:
        raise SettingsError(
            f"{path} is a campaign of {old.rule.kind}s, and {file} is one of {kind}s: choose "
            "another -o"
        )
    refuse_other_kind(campaign, kind)
    contents = _Files(where, path, kept)
    for combination, settings in first_members(campaign, base):
        _check(settings, contents, f"{file}{_words(combination)}")
    digests = {given: file_digest(content) for given, content in contents.read.items()}
    rule = KeyRule.of(kind) if old is None or old.rule.forgotten else old.rule.today()
    entries = [
        Entry(m.number, m.key, m.repeat, m.settings.seed, m.axes)
        for m in members(campaign, base, rule, digests)
    ]
    if len({entry.key for entry in entries}) < len(entries):
        raise SettingsError(f"{file}: two members have the same settings: vary something else")
    record = PlanRecord(
        text=text,
        base=base.model_dump(mode="json"),
        entries=entries,
        rule=rule,
        files=digests,
        planned_by=[] if old is None else old.planned_by,
    )
    return NewPlan(
        record,
        {copy_name(given, digests[given]): content for given, content in contents.read.items()},
        _notes(path / "results", campaign, record),
    )


def _is_same(file: Path, other: Path) -> bool:
    return other.exists() and file.exists() and file.samefile(other)


def _words(combination: Mapping[str, SettingValue]) -> str:
    words = ", ".join(f"{key} = {value!r}" for key, value in combination.items())
    return f", member with {words}" if words else ""


class _Files:
    """The user's own files that members name, each read once.

    Parameters
    ----------
    where : Path
        Relative paths count from this folder.
    folder : Path
        The campaign folder.
    kept : PlanRecord, optional
        Plan whose copies in the campaign folder stand for the files.
    """

    def __init__(self, where: Path, folder: Path, kept: PlanRecord | None) -> None:
        self._where, self._folder = where, folder
        self._kept = {} if kept is None else kept.files
        self.read: dict[str, bytes] = {}

    def path(self, given: str) -> Path:
        """Return where a file lies."""
        if given in self._kept:
            return self._folder / "files" / copy_name(given, self._kept[given])
        return self._where / given

    def add(self, key: str, given: str) -> Path:
        """Read a file, and return where it lies."""
        if given not in self.read:
            self.read[given] = read_named(key, given, self.path(given))
        return self.path(given)


def _check(settings: MemberSettings, contents: _Files, source: str) -> None:
    """Refuse what would fail in every member: no force field, no Hamiltonian, no barriers."""
    paths = {key: contents.add(key, given) for key, given in named_files(settings).items()}
    if not isinstance(settings, Settings):
        try:
            check_device(settings, paths.get("atoms.energetics"))
        except NanogapError as error:
            raise SettingsError(f"{source}: {error}") from None
        return
    element, choice = settings.structure.element, settings.transport.hamiltonian
    try:
        load_interaction(settings.dynamics, element, paths.get("dynamics.force_field"))
        if choice == NONE:
            return
        missing = why_none(choice, element)
        if missing is not None:
            raise SettingsError(
                f"{missing}, or set transport.hamiltonian = 'none' if the times of the first "
                "contacts are enough"
            )
        chosen_model(choice, element, paths.get("transport.hamiltonian"))
    except NanogapError as error:
        raise SettingsError(f"{source}: {error}") from None


def _notes(results: Path, campaign: CampaignFile, record: PlanRecord) -> list[str]:
    """Say how many finished results do not belong to a plan, and why."""
    planned = {entry.key for entry in record.entries}
    strangers = sorted(path for path in results.glob("*.nc") if path.stem not in planned)
    if not strangers:
        return []
    reasons: dict[str, None] = {}
    now = _planned_values(campaign, record)
    for path in strangers[:: max(1, len(strangers) // _LOOKED_AT)]:
        reasons.update(dict.fromkeys(_differences(path, now)))
    why = "; ".join(reasons) or "their seeds are not planned: other repeats or another seed"
    one = len(strangers) == 1
    count = "1 finished result" if one else f"{len(strangers)} finished results"
    words = ("does", "it stays", "counts") if one else ("do", "they stay", "count")
    sentence = (
        f"{count} in {results} {words[0]} not belong to this plan ({why}): {words[1]} there, and "
        f"{words[2]} again when a plan asks for the same settings"
    )
    return [sentence]


def _planned_values(campaign: CampaignFile, record: PlanRecord) -> dict[str, list[SettingValue]]:
    """Return the values that every setting takes in a plan."""
    values = {name: [value] for name, value in flattened(record.base).items()}
    values |= {name: [value] for name, value in campaign.set.items()}
    for name in campaign.varied:
        values[name] = []
        for combination in combinations(campaign):
            if combination[name] not in values[name]:
                values[name].append(combination[name])
    return values


def _differences(path: Path, now: Mapping[str, list[SettingValue]]) -> list[str]:
    """Say what a result was made with that a plan does not ask for."""
    try:
        made = settings_of_result(path)
    except NanogapError as error:
        return [str(error)]
    found = []
    for name, value in made.items():
        if name in _NO_REASON:
            continue
        if name not in now:
            found.append(f"{name} = {value!r} is no longer a setting")
        elif value not in now[name]:
            words = " or ".join(repr(one) for one in now[name][:3])
            found.append(f"{name} was {value!r}, is {words}")
    return found


def settings_of_result(path: Path) -> dict[str, SettingValue]:
    """Read the settings that a result was made with, by dotted key.

    Raises
    ------
    NanogapError
        If it cannot be read.
    """
    text = str(read_attributes(path).get("settings", "{}"))
    try:
        return flattened(json.loads(text))
    except ValueError:
        raise SettingsError(f"{path} does not say its settings") from None
