"""The members of a campaign: settings, seeds and keys."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from nanogap.campaign.file import CampaignFile
from nanogap.campaign.keys import KeyRule, settings_key
from nanogap.campaign.kinds import MemberSettings, base_kind, kind_of, member_settings
from nanogap.errors import SettingsError
from nanogap.settings import preset_names, preset_text, settings_text, toml_table
from nanogap.settings.load import SettingValue
from nanogap.settings.members import seed_of


@dataclass(frozen=True)
class Member:
    """One run of a campaign, or one simulated device.

    Attributes
    ----------
    number : int
        Place in the campaign, from 0.
    repeat : int
        Which repeat of its combination, from 0.
    axes : dict
        Dotted key to value: its combination of what varies.
    settings : Settings or DeviceSettings
        Everything that defines the member; paths of files as they were given.
    key : str
        Address of the result: a hash of the settings; see `nanogap.campaign.keys.settings_key`.
    """

    number: int
    repeat: int
    axes: dict[str, SettingValue]
    settings: MemberSettings
    key: str


def base_settings(campaign: CampaignFile, folder: Path) -> MemberSettings:
    """Load the base of a campaign; a settings file is looked for beside the campaign file.

    Raises
    ------
    SettingsError
        If the base is neither a preset nor a readable settings file, a setting is wrong, or the
        kind of the members is not clear.
    """
    base = campaign.base
    families: tuple[Literal["run", "device"], ...] = ("run", "device")
    for family in families:
        if base in preset_names(family):
            table = toml_table(preset_text(base, family), base)
            return member_settings(base_kind(campaign), table, base, {})
    source = str(folder / base)
    if not _is_file(source):
        source = base
    if not _is_file(source):
        raise SettingsError(
            f"no preset or file named {base!r}: the presets of runs are "
            f"{', '.join(preset_names())}, those of devices {', '.join(preset_names('device'))}; a "
            "settings file is a path to a TOML file"
        )
    table = toml_table(settings_text(source), source)
    return member_settings(base_kind(campaign, table), table, source, {})


def _is_file(source: str) -> bool:
    return Path(source).is_file() or source.endswith(".toml")


def members(
    campaign: CampaignFile,
    base: MemberSettings,
    rule: KeyRule | None = None,
    digests: Mapping[str, str] | None = None,
) -> Iterator[Member]:
    """Yield the members in order: combinations, and the repeats of each.

    The seeds of a combination are spawned (`numpy.random.SeedSequence`) from the seed of the
    campaign and the settings of the combination: more repeats or further values of an axis leave
    the members that were there as they were.

    Parameters
    ----------
    campaign : CampaignFile
    base : Settings or DeviceSettings
    rule : KeyRule, optional
        Settings that keys and seeds count; default: all of this version.
    digests : mapping, optional
        See `nanogap.campaign.keys.settings_key`.

    Raises
    ------
    SettingsError
        If a setting of a member is wrong.
    """
    numbers = itertools.count()
    for combination, first in first_members(campaign, base):
        own_seed = "seed" in campaign.set or "seed" in combination
        for repeat, seed in enumerate(seeds(campaign.seed, first, campaign.repeats, rule)):
            settings = first if own_seed else first.model_copy(update={"seed": seed})
            key = settings_key(settings, rule, digests)
            yield Member(next(numbers), repeat, combination, settings, key)


def first_members(
    campaign: CampaignFile, base: MemberSettings
) -> Iterator[tuple[dict[str, SettingValue], MemberSettings]]:
    """Yield every combination, and its settings with the seed of the base.

    Raises
    ------
    SettingsError
        If a setting is wrong.
    """
    table = base.model_dump(mode="json")
    for combination in combinations(campaign):
        changes = {"name": campaign.name, **campaign.set, **combination}
        words = ", ".join(f"{key} = {value!r}" for key, value in combination.items())
        source = f"campaign '{campaign.name}'" + (f", member with {words}" if words else "")
        yield combination, member_settings(kind_of(base), table, source, changes)


def combinations(campaign: CampaignFile) -> list[dict[str, SettingValue]]:
    """List the combinations of the values of all axes: dotted key to value."""
    if campaign.members:
        return list(campaign.members)
    values = itertools.product(*campaign.axes.values())
    return [dict(zip(campaign.axes, chosen, strict=True)) for chosen in values]


def seeds(
    root: int, settings: MemberSettings, count: int, rule: KeyRule | None = None
) -> list[int]:
    """Derive the seeds of the repeats of a combination, each below 2**63."""
    content = (rule or KeyRule.of(kind_of(settings))).digest(settings, seed=False)
    words = np.frombuffer(content, dtype="<u4").tolist()
    streams = np.random.SeedSequence([root, *words]).spawn(count)
    return [seed_of(stream) for stream in streams]
