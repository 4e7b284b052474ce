"""The members of a campaign: settings, seeds and keys."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nanogap.campaign.file import CampaignFile, SettingValue
from nanogap.errors import SettingsError
from nanogap.settings import (
    Settings,
    preset_names,
    settings_from_table,
    settings_from_text,
    settings_text,
)

#: Raised when the content of a result changes, so that old ones are no longer taken for new.
RESULT_FORMAT = 1

#: Settings that change neither the atoms nor their conductance.
_WITHOUT_EFFECT: dict[str, bool | set[str]] = {"name": True, "transport": {"workers"}}


@dataclass(frozen=True)
class Member:
    """One run of a campaign.

    Attributes
    ----------
    number : int
        Place in the campaign, from 0.
    repeat : int
        Which repeat of its combination, from 0.
    axes : dict
        Dotted key to value: its combination of what varies.
    settings : Settings
        Everything that defines the run.
    """

    number: int
    repeat: int
    axes: dict[str, SettingValue]
    settings: Settings

    @cached_property
    def key(self) -> str:
        """Address of the result: a hash of the settings; see `settings_key`."""
        return settings_key(self.settings)


def settings_key(settings: Settings) -> str:
    """Hash the settings that a result depends on, and the format of results.

    All settings count, given or left at their default, and the content of files that they name.
    The program does not: its versions are stored with every result, and `collect` tells when the
    members of a campaign were made by different ones.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    SettingsError
        If a file that the settings name cannot be read.
    """
    content = settings.model_dump(mode="json", exclude=_WITHOUT_EFFECT)
    files = _own_files(settings)
    return _digest({**content, "files": files} if files else content).hex()


def _own_files(settings: Settings) -> dict[str, str]:
    """Return checksums of the user's own files that decide a result: their paths do not."""
    named = {
        "dynamics.force_field": settings.dynamics.force_field,
        "transport.hamiltonian": settings.transport.hamiltonian,
    }
    result = {}
    for key, value in named.items():
        if value not in {"packaged", "none"}:
            try:
                result[key] = hashlib.sha256(Path(value).read_bytes()).hexdigest()
            except OSError as error:
                raise SettingsError(
                    f"{key} = {value!r} cannot be read ({error.strerror}): give the path of a "
                    "file, or 'packaged'"
                ) from None
    return result


def _digest(content: Mapping[str, object]) -> bytes:
    text = json.dumps({"format": RESULT_FORMAT, "settings": content}, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()[:16]


def base_settings(campaign: CampaignFile, folder: Path) -> Settings:
    """Load the base of a campaign; a settings file is looked for beside the campaign file.

    Raises
    ------
    SettingsError
        If the base is neither a preset nor a readable settings file, or a setting is wrong.
    """
    source = campaign.base
    if source not in preset_names():
        source = str(folder / source)
    text = settings_text(source) if source in preset_names() or _is_file(source) else None
    return settings_from_text(text if text is not None else settings_text(campaign.base), source)


def _is_file(source: str) -> bool:
    return Path(source).is_file() or source.endswith(".toml")


def members(campaign: CampaignFile, base: Settings) -> Iterator[Member]:
    """Yield the members in order: combinations, and the repeats of each.

    The seeds of a combination are spawned (`numpy.random.SeedSequence`) from the seed of the
    campaign and the settings of the combination: more repeats or further values of an axis leave
    the members that were there as they were.

    Raises
    ------
    SettingsError
        If a setting of a member is wrong.
    """
    table = base.model_dump(mode="json")
    numbers = itertools.count()
    for combination in combinations(campaign):
        changes = {"name": campaign.name, **campaign.set, **combination}
        words = ", ".join(f"{key} = {value!r}" for key, value in combination.items())
        source = f"campaign '{campaign.name}'" + (f", member with {words}" if words else "")
        first = settings_from_table(table, source, changes)
        own_seed = "seed" in changes
        for repeat, seed in enumerate(seeds(campaign.seed, first, campaign.repeats)):
            settings = first if own_seed else first.model_copy(update={"seed": seed})
            yield Member(next(numbers), repeat, combination, settings)


def combinations(campaign: CampaignFile) -> list[dict[str, SettingValue]]:
    """List the combinations of the values of all axes: dotted key to value."""
    if campaign.members:
        return list(campaign.members)
    values = itertools.product(*campaign.axes.values())
    return [dict(zip(campaign.axes, chosen, strict=True)) for chosen in values]


def seeds(root: int, settings: Settings, count: int) -> list[int]:
    """Derive the seeds of the repeats of a combination, each below 2**63."""
    content = settings.model_dump(mode="json", exclude={**_WITHOUT_EFFECT, "seed": True})
    words = np.frombuffer(_digest(content), dtype="<u4").tolist()
    streams = np.random.SeedSequence([root, *words]).spawn(count)
    return [int(stream.generate_state(1, np.uint64)[0] >> np.uint64(1)) for stream in streams]
