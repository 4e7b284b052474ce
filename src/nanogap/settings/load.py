"""Settings from a preset, a TOML file or a table, with changes of single keys."""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nanogap.errors import SettingsError
from nanogap.settings.allowed import allowed_values
from nanogap.settings.models import Settings

#: Presets of runs lie in `presets`, those of devices in a folder in it.
PresetFamily = Literal["run", "device"]
#: What settings can be loaded from; see `load_settings`.
SettingsSource = str | Path | Mapping[str, object] | Settings | None

_Checked = TypeVar("_Checked", bound=BaseModel)


def preset_names(family: PresetFamily = "run") -> list[str]:
    """List the packaged presets.

    Parameters
    ----------
    family : {'run', 'device'}
        Presets of molecular dynamics with transport, or of devices in laboratory time.

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


def preset_text(name: str, family: PresetFamily = "run") -> str:
    """Return the TOML text of a packaged preset.

    Parameters
    ----------
    name : str
    family : {'run', 'device'}
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
        raise SettingsError(
            f"no preset or file named {name!r}: the presets are {', '.join(preset_names(family))}; "
            "a settings file is a path to a TOML file"
        )
    return (_folder(family) / f"{name}.toml").read_text(encoding="utf-8")


def _folder(family: PresetFamily) -> Traversable:
    """Return the folder of a family of presets."""
    presets = files("nanogap.settings") / "presets"
    return presets if family == "run" else presets / family


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
        ``section.key=value`` texts, as on the command line, or values by ``section.key``; they
        win over the source.

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
    >>> load_settings("quick", ["junction.cut=diagonal"])
    Traceback (most recent call last):
        ...
    nanogap.errors.SettingsError: quick: junction.cut = 'diagonal': must be 'paper' or 'full'
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
    if isinstance(source, Mapping):
        return settings_from_table(source, "settings", changes)
    raise SettingsError(
        f"settings cannot be read from a {type(source).__name__}: give the name of a preset "
        f"({', '.join(preset_names())}), the path of a TOML file, a dict or Settings"
    )


def parse_overrides(overrides: Sequence[str] | Mapping[str, object]) -> dict[str, object]:
    """Parse ``section.key=value`` texts; a mapping is taken as it is."""
    if isinstance(overrides, Mapping):
        return dict(overrides)
    texts = [overrides] if isinstance(overrides, str) else overrides
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"{text!r} is not key=value, for example voltage.applied=2")
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
    return checked(Settings, table, source, changes)


def checked(
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
    for key in sorted(changes, key=lambda key: not key.endswith(".kind")):
        if key.endswith(".kind"):
            _forget_kind(changed, key.removesuffix(".kind"), changes[key])
        _put(changed, key, changes[key])
    try:
        return model.model_validate(changed)
    except ValidationError as error:
        raise SettingsError(fault_sentence(model, source, changed, error)) from None


def _forget_kind(table: dict[str, Any], section: str, kind: object) -> None:
    """Empty a section that becomes of another kind."""
    inner = table.get(section)
    if isinstance(inner, dict) and inner.get("kind") != kind:
        table[section] = {}


def _put(table: dict[str, Any], key: str, value: object) -> None:
    """Set one ``section.key`` in a nested table."""
    *sections, last = key.split(".")
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{key!r}: {section!r} is a value, not a section")
        table = inner
    table[last] = value


def _toml_value(text: str) -> Any:
    """Read a value as TOML, and what is not TOML as a bare string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def fault_sentence(
    model: type[BaseModel], source: str, table: Mapping[str, object], error: ValidationError
) -> str:
    """Put the first fault of a validation error into one sentence.

    Parameters
    ----------
    model : type of BaseModel
        What the table was checked against.
    source : str
        What the sentence calls the table.
    table : mapping
    error : ValidationError

    Returns
    -------
    str
        Names the source, the key, the value and what is allowed.
    """
    faults = error.errors(include_url=False)
    first = faults[0]
    path, field, section = _locate(model, first["loc"])
    key, value = ".".join(path), _look_up(table, path)
    more = len({tuple(_locate(model, fault["loc"])[0]) for fault in faults}) - 1
    others = f" (and {more} more)" if more else ""
    if first["type"] == "extra_forbidden":
        unknown = ".".join([*path, str(first["loc"][-1])])
        return f"{source}: unknown key {unknown!r}; {_known_keys(section, path)}{others}"
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        kinds = " or ".join(f"'{kind}'" for kind in kinds_of(section.model_fields[path[-1]]))
        given = f"{value['kind']!r}: must be" if "kind" in value else "is missing: it must be"
        return f"{source}: {key}.kind {'= ' if 'kind' in value else ''}{given} {kinds}{others}"
    if first["type"] == "value_error":  # of our own validators
        where = f"{key} = {value!r}: " if field else ""
        if not field and _is_of_kinds(model, path):
            where = f"{key}: "
        return f"{source}: {where}{first['msg'].removeprefix('Value error, ')}{others}"
    if first["type"] == "missing" and path and path[-1] == first["loc"][-1]:
        return f"{source}: the key {path[-1]} is missing; {_known_keys(section, path[:-1])}"
    if field is None:
        return f"{source}: {key} = {value!r}: must be a section, [{key}]{others}"
    return f"{source}: {key} = {value!r}: must be {allowed_values(field)}{others}"


def kinds_of(field: FieldInfo) -> dict[str, type[BaseModel]]:
    """Return the models of a section that may be of several kinds, by the kind; else nothing."""
    if field.discriminator is None:
        return {}
    models = get_args(field.annotation)
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


def _is_of_kinds(model: type[BaseModel], path: list[str]) -> bool:
    """Whether a place is a section of the top level that may be of several kinds."""
    return len(path) == 1 and bool(kinds_of(model.model_fields[path[0]]))


def _locate(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], FieldInfo | None, type[BaseModel]]:
    """Find the key that a fault lies in, its field (None for a section), and the section."""
    path: list[str] = []
    parts = iter(location)
    for part in parts:
        field = model.model_fields.get(str(part))
        if field is None:
            break
        path.append(str(part))
        kinds = kinds_of(field)
        if kinds:
            kind = next(parts, None)  # which kind it was checked against
            if kind not in kinds:
                break
            model = kinds[str(kind)]
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
        else:
            return path, field, model
    return path, None, model


def _look_up(table: Mapping[str, object], path: list[str]) -> Any:
    """Return what the input holds at a key."""
    value: Any = table
    for part in path:
        value = value.get(part)
    return value


def _known_keys(section: type[BaseModel], path: list[str]) -> str:
    """Name the keys of a section, or of the top level."""
    place = f"section [{'.'.join(path)}]" if path else "the top level"
    return f"{place} knows {', '.join(section.model_fields)}"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is not UTF-8 text"
