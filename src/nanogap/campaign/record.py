"""The plan of a campaign as its folder records it: ``campaign.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nanogap import __version__
from nanogap.campaign.file import CampaignFile, campaign_from_text
from nanogap.campaign.keys import KeyRule
from nanogap.campaign.kinds import Kind
from nanogap.errors import DataFormatError
from nanogap.io import write_json
from nanogap.settings.load import SettingValue, flattened


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
class PlanRecord:
    """A plan.

    Attributes
    ----------
    text : str
        The campaign file.
    base : dict
        All settings of the base, as a nested table.
    entries : list of Entry
        All members, in order.
    rule : KeyRule
        Settings that the keys count, and the kind of the members.
    files : dict of str to str
        The user's own files: path as the settings give it, and the hash of the content.
    planned_by : list of str
        Versions of nanogap that planned it, one after the other.
    """

    text: str
    base: Mapping[str, Any]
    entries: list[Entry]
    rule: KeyRule
    files: Mapping[str, str] = field(default_factory=dict)
    planned_by: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "PlanRecord":
        """Read a plan; one of version 0.1 says less.

        Raises
        ------
        FileNotFoundError
            If there is none.
        DataFormatError
            If it cannot be read or is damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            base = dict(content["base"])
            names = content.get("keys_count", list(flattened(base)))
            kind: Kind = "device" if content.get("kind") == "device" else "run"
            return cls(
                text=str(content["file"]),
                base=base,
                entries=[Entry(**entry) for entry in content["members"]],
                rule=KeyRule(frozenset(names), dict(content.get("added_settings", {})), kind),
                files=dict(content.get("files", {})),
                planned_by=list(content.get("planned_by", [])),
            )
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise DataFormatError(f"{path} cannot be read: {reason}") from None

    def write(self, path: Path) -> None:
        """Write the plan."""
        content = {
            "file": self.text,
            "kind": self.rule.kind,
            "base": self.base,
            "keys_count": sorted(self.rule.names),
            "added_settings": self.rule.added,
            "files": self.files,
            "planned_by": [*self.planned_by[-1:], __version__]
            if self.planned_by[-1:] != [__version__]
            else self.planned_by,
            "members": [asdict(entry) for entry in self.entries],
        }
        write_json(path, content)

    @property
    def file(self) -> CampaignFile:
        """The campaign file read and checked."""
        return campaign_from_text(self.text, "campaign.toml")


def copy_name(given: str, digest: str) -> str:
    """Name the copy of a user's own file in the campaign folder."""
    suffix = Path(given).suffix
    return digest[:16] + (suffix if suffix[1:].isalnum() else "")
