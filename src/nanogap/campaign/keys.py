"""Keys of results: hashes of the settings that a result depends on, the same across versions.

A setting that a later version adds must not turn finished results into strangers. So a campaign
remembers which settings its keys count. One that came later counts only where it differs from the
value that changes nothing, its default when the campaign first met it; that value is remembered
too, so that another default of a still later version is another key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nanogap.campaign.kinds import (
    WITHOUT_EFFECT,
    Kind,
    MemberSettings,
    kind_of,
    named_files,
    setting_defaults,
)
from nanogap.digest import file_digest
from nanogap.errors import SettingsError
from nanogap.settings.load import SettingValue

#: Raised when the content of a result changes, so that old ones are no longer taken for new.
RESULT_FORMAT = 1


@dataclass(frozen=True)
class KeyRule:
    """Settings that the keys of a campaign count.

    Attributes
    ----------
    names : frozenset of str
        Dotted keys of the settings that were known when the campaign was first planned.
    added : dict
        Settings that came later, to the value that changes nothing.
    kind : {'run', 'device'}
        Kind of the members.
    """

    names: frozenset[str] = field(default_factory=lambda: frozenset(setting_defaults("run")))
    added: Mapping[str, SettingValue] = field(default_factory=dict)
    kind: Kind = "run"

    @classmethod
    def of(cls, kind: Kind) -> "KeyRule":
        """Return the rule that counts all settings of this version."""
        return cls(frozenset(setting_defaults(kind)), kind=kind)

    def today(self) -> "KeyRule":
        """Return the rule with the settings that this version has added."""
        today = setting_defaults(self.kind)
        new = {name: value for name, value in today.items() if name not in self.names}
        return KeyRule(self.names, {**new, **self.added}, self.kind)

    @property
    def forgotten(self) -> list[str]:
        """Settings that the keys count and this version does not have."""
        return sorted((self.names | self.added.keys()) - setting_defaults(self.kind).keys())

    def digest(
        self, settings: MemberSettings, files: Mapping[str, str] | None = None, *, seed: bool = True
    ) -> bytes:
        """Hash the settings that count and the format of results, 16 bytes.

        Parameters
        ----------
        settings : Settings or DeviceSettings
        files : mapping, optional
            Dotted key to the hash of the file that it names.
        seed : bool
            Whether the seed counts.
        """
        left_out = {**WITHOUT_EFFECT[self.kind], **({} if seed else {"seed": True})}
        table = settings.model_dump(mode="json", exclude=left_out)
        for name, neutral in self.added.items():
            _drop(table, name.split("."), neutral)
        if files:
            table["files"] = dict(files)
        text = json.dumps({"format": RESULT_FORMAT, "settings": table}, sort_keys=True)
        return hashlib.sha256(text.encode()).digest()[:16]


def _drop(table: dict[str, Any], path: list[str], neutral: SettingValue) -> None:
    """Remove a setting that has the value that changes nothing, and a section that it empties."""
    inner = table
    for part in path[:-1]:
        if part not in inner:
            return
        inner = inner[part]
    if path[-1] in inner and inner[path[-1]] == neutral:
        del inner[path[-1]]
    if len(path) > 1 and not inner and path[0] in table:
        del table[path[0]]


def settings_key(
    settings: MemberSettings, rule: KeyRule | None = None, digests: Mapping[str, str] | None = None
) -> str:
    """Hash the settings that a result depends on, and the format of results.

    All settings count, given or left at their default, and the content of files that they name.
    The program does not: its versions are stored with every result, and `collect` tells when the
    members of a campaign were made by different ones.

    Parameters
    ----------
    settings : Settings or DeviceSettings
    rule : KeyRule, optional
        Settings that count; default: all of this version.
    digests : mapping, optional
        Path as the settings give it to the hash of the file; others are read.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    SettingsError
        If a file that the settings name cannot be read.
    """
    known = digests or {}
    own = {
        key: known[given] if given in known else file_digest(read_named(key, given, Path(given)))
        for key, given in named_files(settings).items()
    }
    return (rule or KeyRule.of(kind_of(settings))).digest(settings, own).hex()


def read_named(key: str, given: str, path: Path) -> bytes:
    """Read a file that a setting names.

    Raises
    ------
    SettingsError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        place = "" if path == Path(given) else f" as {path}"
        raise SettingsError(
            f"{key} = {given!r} cannot be read{place} ({error.strerror}): give the path of a "
            "file, or 'packaged'"
        ) from None
