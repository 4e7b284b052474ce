"""Settings from a preset, a TOML file or a table, with changes of single keys."""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel

from nanogap.arguments import checked, shown
from nanogap.errors import SettingsError
from nanogap.settings.faults import validated
from nanogap.settings.models import Settings

#: Presets of runs lie in `presets`, those of devices and of wires in folders in it.
PresetFamily = Literal["run", "device", "wire"]
#: What settings can be loaded from; see `load_settings`.
SettingsSource = Annotated[
    str | Path | Mapping[str, object] | Settings | None,
    "the name of a preset (preset_names lists them), the path of a TOML file, a dict or Settings",
]

#: Value of a setting, as TOML writes it.
SettingValue: TypeAlias = "bool | int | float | str | list[SettingValue]"
_Checked = TypeVar("_Checked", bound=BaseModel)
#: What the presets of a family are of, and what takes them.
_FAMILIES: dict[PresetFamily, tuple[str, str, str]] = {
    "run": ("molecular dynamics", "load_settings", "nanogap run"),
    "device": ("devices", "load_device_settings", "nanogap device run"),
    "wire": ("wires", "load_wire_settings", "nanogap wire run"),
}


@checked
def preset_names(family: PresetFamily = "run") -> list[str]:
    """List the packaged presets.

    Parameters
    ----------
    family : {'run', 'device', 'wire'}
        Presets of molecular dynamics with transport, of devices in laboratory time, or of wires
        before their breakdown.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "quick" in preset_names()
    True
    >>> "wire-voltage-sweep" in preset_names("device")
    True
    """
    return sorted(
        e.name.removesuffix(".toml") for e in _folder(family).iterdir() if e.name.endswith(".toml")
    )


@checked
def preset_text(name: str, family: PresetFamily = "run") -> str:
    """Return the TOML text of a packaged preset.

    Parameters
    ----------
    name : str
    family : {'run', 'device', 'wire'}
        See `preset_names`.

    Returns
    -------
    str

    Raises
    ------
    SettingsError
        If there is no such preset.
    """
    if name not in preset_names(family):
        for other, (what, loader, command) in _FAMILIES.items():
            if name in preset_names(other):
                raise SettingsError(
                    f"{name!r} is a preset of {what}, which {loader} and {command!r} take; those "
                    f"of {_FAMILIES[family][0]} are {', '.join(preset_names(family))}"
                )
        raise SettingsError(
            f"no preset or file named {name!r}: the presets are {', '.join(preset_names(family))}; "
            "a settings file is a path to a TOML file"
        )
    return (_folder(family) / f"{name}.toml").read_text(encoding="utf-8")


def _folder(family: PresetFamily) -> Traversable:
    """Return the folder of a family of presets."""
    presets = files("nanogap.settings") / "presets"
    return presets if family == "run" else presets / family


@checked
def load_settings(
    source: SettingsSource = None, overrides: Sequence[str] | Mapping[str, object] = ()
) -> Settings:
    """Load and check settings.

    Parameters
    ----------
    source : str, Path, mapping, Settings or None
        Name of a preset; path of a TOML file; nested table of what differs from the defaults;
        settings that are loaded already; None: the defaults.
    overrides : sequence of str, or mapping
        ``section.key=value`` texts, as on the command line, or values by ``section.key``, also of
        some keys of a section at once as a table; they win over the source.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        If the file cannot be read or parsed, or a key or value is wrong; the message names it.

    Examples
    --------
    >>> settings = load_settings("quick", {"voltage.applied": 2.0})
    >>> settings.voltage.applied
    2.0
    >>> load_settings({"structure": {"gap": 6.0}}).structure.gap
    6.0
    >>> load_settings("quick", ["junction.cut=diagonal"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    nanogap.errors.SettingsError: quick: junction.cut = 'diagonal': must be 'terrace' or ...
    """
    changes = parse_overrides(overrides)
    if source is None:
        return settings_from_table({}, "settings", changes)
    if isinstance(source, Settings):
        if not changes:
            return source
        return settings_from_table(source.model_dump(mode="json"), source.name, changes)
    if isinstance(source, str | Path):
        return settings_from_text(settings_text(str(source)), str(source), changes)
    return settings_from_table(source, "settings", changes)


def parse_overrides(overrides: Sequence[str] | Mapping[str, object]) -> dict[str, object]:
    """Parse ``section.key=value`` texts; a mapping is taken as it is."""
    if isinstance(overrides, Mapping):
        return dict(overrides)
    texts = [overrides] if isinstance(overrides, str) else overrides
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"{shown(text)} is not key=value, for example voltage.applied=2")
        changes[key.strip()] = _toml_value(value.strip())
    return changes


def settings_text(source: str, family: PresetFamily = "run") -> str:
    """Return the TOML text of a preset or a settings file; see `load_settings`."""
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read settings file {source}: {_reason(error)}") from None
    return preset_text(source, family)


def settings_from_text(
    text: str, source: str, changes: Mapping[str, object] | None = None
) -> Settings:
    """Check settings given as TOML text; see `settings_from_table`."""
    return settings_from_table(toml_table(text, source), source, changes or {})


def toml_table(text: str, source: str) -> dict[str, object]:
    """Parse TOML into a nested table.

    Parameters
    ----------
    text : str
    source : str
        What the error message calls it.

    Returns
    -------
    dict
        Tables within it are dicts too.

    Raises
    ------
    SettingsError
        If the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(f"{source} is not valid TOML: it is nested too deeply") from None
    except ValueError as error:  # also an integer of more digits than any setting has
        raise SettingsError(f"{source} is not valid TOML: {error}") from None


def settings_from_table(
    table: Mapping[str, object], source: str, changes: Mapping[str, object]
) -> Settings:
    """Check settings given as a nested table, with changes by dotted key.

    Parameters
    ----------
    table : mapping
        Is not changed.
    source : str
        What the error messages call the table.
    changes : mapping
        ``section.key`` to value; they win over the table.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        If a key or value is wrong.
    """
    return checked_table(Settings, table, source, changes)


def checked_table(
    model: type[_Checked],
    table: Mapping[str, object],
    source: str,
    changes: Mapping[str, object],
) -> _Checked:
    """Check a nested table against a model of settings; see `settings_from_table`.

    Parameters
    ----------
    model : type of BaseModel
    table, source, changes
        As of `settings_from_table`. Another ``kind`` of a section leaves none of its other keys.
    """
    changed = copy.deepcopy(dict(table))
    for key, value in _kind_first(changes):
        if str(key).endswith(".kind"):
            _forget_kind(changed, key.removesuffix(".kind"), value)
        _put(changed, key, value)
    return validated(model, source, changed)


def flattened(table: Mapping[str, Any]) -> dict[str, SettingValue]:
    """Name every value of nested tables by its dotted key.

    Examples
    --------
    >>> flattened({"seed": 7, "voltage": {"applied": 2.0}})
    {'seed': 7, 'voltage.applied': 2.0}
    """
    flat: dict[str, SettingValue] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": one for inner, one in flattened(value).items()}
        else:
            flat[str(key)] = value
    return flat


def _kind_first(changes: Mapping[str, object]) -> list[tuple[str, object]]:
    """Order changes so that whole sections come before their keys, and kinds before other keys."""

    def place(item: tuple[str, object]) -> tuple[bool, bool]:
        key = str(item[0])
        return "." in key, key.rpartition(".")[2] != "kind"

    return sorted(changes.items(), key=place)


def _forget_kind(table: dict[str, Any], section: str, kind: object) -> None:
    """Empty a section that becomes of another kind."""
    inner = _opened(table, section)
    if isinstance(inner, dict) and inner.get("kind") != kind:
        table[section] = {}


def _put(table: dict[str, Any], key: object, value: object) -> None:
    """Set one ``section.key`` in a nested table."""
    if not isinstance(key, str):
        raise SettingsError(f"{shown(key)} is no key: give text, for example 'voltage.applied'")
    *sections, last = key.split(".")
    for section in sections:
        table.setdefault(section, {})
        inner = _opened(table, section)
        if not isinstance(inner, dict):
            raise SettingsError(f"{key!r}: {section!r} is a value, not a section")
        table = inner
    if not (isinstance(value, Mapping) and isinstance(_opened(table, last), dict)):
        table[last] = value
        return
    # some keys of a section change these; what the source says of the others stays
    for inner_key, one in _kind_first(value):
        if inner_key == "kind":
            _forget_kind(table, last, one)
        _put(table[last], inner_key, one)


def _opened(table: dict[str, Any], section: str) -> Any:
    """Return what stands in a section; a model that was given there becomes a table of its keys."""
    if isinstance(table.get(section), BaseModel):
        table[section] = table[section].model_dump(mode="json")
    return table.get(section)


def _toml_value(text: str) -> Any:
    """Read a value as TOML, and what is not TOML as a bare string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is not UTF-8 text"
