"""The kinds of members: runs of molecular dynamics, and simulated devices.

A campaign has members of one kind, which its base decides. The settings of devices are loaded where
they are asked for, since they take longer to load than the state of a campaign of runs to show.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args

from nanogap.campaign.file import CampaignFile
from nanogap.errors import SettingsError
from nanogap.settings import Settings, preset_names, settings_from_table
from nanogap.settings.load import SettingValue, flattened

if TYPE_CHECKING:
    from nanogap.settings.device import DeviceSettings

Kind: TypeAlias = Literal["run", "device"]
#: Settings of a member of either kind.
MemberSettings: TypeAlias = Union[Settings, "DeviceSettings"]

_WORDS = {"run": "runs of molecular dynamics", "device": "simulated devices"}

#: Settings that change no result: for pydantic's ``exclude``.
WITHOUT_EFFECT: Mapping[Kind, Mapping[str, bool | set[str]]] = {
    "run": {"name": True, "dynamics": {"threads"}, "transport": {"workers"}},
    "device": {"name": True, "conductance": {"cache"}},
}

#: Settings that may name a file of the user's own, and the words that name none.
_NO_FILES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "run": {
        "dynamics.force_field": ("packaged",),
        "transport.hamiltonian": ("packaged", "none"),
    },
    "device": {"atoms.energetics": ("packaged",)},
}


def kind_of(settings: MemberSettings) -> Kind:
    """Return the kind of members that have such settings."""
    return "run" if isinstance(settings, Settings) else "device"


def member_settings(
    kind: Kind, table: Mapping[str, object], source: str, changes: Mapping[str, object]
) -> MemberSettings:
    """Check the settings of a member; see `nanogap.settings.load.checked_table`.

    Raises
    ------
    SettingsError
        If a key or value is wrong.
    """
    if kind == "run":
        return settings_from_table(table, source, changes)
    from nanogap.settings.device import DeviceSettings  # noqa: PLC0415 see the module
    from nanogap.settings.load import checked_table  # noqa: PLC0415

    return checked_table(DeviceSettings, table, source, changes)


def named_files(settings: MemberSettings) -> dict[str, str]:
    """Return the user's own files that settings name: dotted key and path as given."""
    words = _NO_FILES[kind_of(settings)]
    given = {}
    for key in words:
        section, name = key.split(".")
        given[key] = str(getattr(getattr(settings, section), name))
    return {key: value for key, value in given.items() if value not in words[key]}


@cache
def setting_defaults(kind: Kind) -> dict[str, SettingValue]:
    """Return today's settings of a kind and their defaults, by dotted key.

    Of the protocols of devices, the keys of all.
    """
    if kind == "run":
        return flattened(Settings().model_dump(mode="json"))
    from nanogap.settings.device import DeviceSettings  # noqa: PLC0415 see the module

    found = flattened(DeviceSettings().model_dump(mode="json"))
    for section in ("preparation", "protocol"):
        for name in _protocol_kinds():
            one = DeviceSettings.model_validate({section: {"kind": name}})
            found = {**flattened(one.model_dump(mode="json", include={section})), **found}
    return found


def _protocol_kinds() -> Iterator[str]:
    """Yield the names of the protocols of devices."""
    from nanogap.settings.device import ProtocolSettings  # noqa: PLC0415 see the module

    for model in get_args(ProtocolSettings):
        yield model.model_fields["kind"].default


def described_setting(key: str, protocol: str) -> str:
    """Say what a setting of devices is, in brackets; empty where it is not known.

    Parameters
    ----------
    key : str
        Dotted.
    protocol : str
        Kind of the protocol, whose keys are its own.
    """
    from nanogap.settings.device import DeviceSettings, ProtocolSettings  # noqa: PLC0415 as above

    section, _, name = key.partition(".")
    models = [
        field.annotation for found, field in DeviceSettings.model_fields.items() if found == section
    ]
    if section == "protocol":
        models = [
            one
            for one in get_args(ProtocolSettings)
            if one.model_fields["kind"].default == protocol
        ]
    fields = [getattr(model, "model_fields", {}).get(name) for model in models]
    found = next((field.description for field in fields if field and field.description), "")
    return f" ({found})" if found else ""


def _sections(kind: Kind) -> set[str]:
    """Names of the sections that settings of this kind alone have."""
    own = {key.split(".")[0] for key in setting_defaults(kind)}
    other: Kind = "device" if kind == "run" else "run"
    return own - {key.split(".")[0] for key in setting_defaults(other)}


def base_kind(campaign: CampaignFile, table: Mapping[str, Any] | None = None) -> Kind:
    """Decide of which kind the members of a campaign are.

    Parameters
    ----------
    campaign : CampaignFile
    table : mapping, optional
        Content of the base, if that is a settings file; it decides by its sections, and one that
        has sections of neither kind is of runs unless the campaign file says ``kind``.

    Raises
    ------
    SettingsError
        If the base is of both kinds, or not of the kind that the file says.
    """
    base, found = campaign.base, set[Kind]()
    if table is None:
        found = {"run"} if base in preset_names() else {"device"}
    elif table.keys() & (_sections("run") | _sections("device")):
        kinds: tuple[Kind, ...] = ("run", "device")
        found = {kind for kind in kinds if table.keys() & _sections(kind)}
    if len(found) > 1:
        raise SettingsError(
            f"base = {base!r} has sections of runs ({_named(table, 'run')}) and of devices "
            f"({_named(table, 'device')}): a campaign has members of one kind"
        )
    if campaign.kind is not None and found and campaign.kind not in found:
        raise SettingsError(
            f"kind = {campaign.kind!r}, but base = {base!r} is of {_WORDS[found.pop()]}: leave the "
            "kind out, or choose another base"
        )
    return found.pop() if found else campaign.kind or "run"


def _named(table: Mapping[str, Any] | None, kind: Kind) -> str:
    return ", ".join(sorted((table or {}).keys() & _sections(kind)))


def refuse_other_kind(campaign: CampaignFile, kind: Kind) -> None:
    """Refuse settings that only members of the other kind have, or that make no sense for one.

    Raises
    ------
    SettingsError
        If there is one.
    """
    other: Kind = "device" if kind == "run" else "run"
    foreign = _sections(other)
    for key in [*campaign.set, *campaign.varied]:
        section = key.split(".")[0]
        if section in foreign:
            raise SettingsError(
                f"campaign '{campaign.name}': {key!r} is a setting of {_WORDS[other]}, and base = "
                f"{campaign.base!r} is of {_WORDS[kind]}: a campaign has members of one kind"
            )
        if key in ("base", "kind"):
            raise SettingsError(
                f"campaign '{campaign.name}': {key!r} cannot be varied or set: a campaign has one "
                "base, and members of one kind"
            )
    if kind == "run" and "reports" in campaign.keep.model_fields_set:
        raise SettingsError(
            f"campaign '{campaign.name}': keep.reports = {campaign.keep.reports!r} is for devices; "
            "the reports of runs are in their run directories: keep.run_directories = true"
        )
    if kind == "device" and "snapshots" in campaign.keep.model_fields_set:
        raise SettingsError(
            f"campaign '{campaign.name}': keep.snapshots = {campaign.keep.snapshots} is not for "
            "devices, whose trajectories are the frames at the steps of the conductance: leave it "
            "out"
        )
