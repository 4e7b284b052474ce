"""Load settings from a preset or a TOML file, with overrides from the command line."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nanogap.errors import SettingsError
from nanogap.settings.allowed import allowed_values
from nanogap.settings.models import Settings


def preset_names() -> list[str]:
    """List the packaged presets."""
    folder = files("nanogap.settings") / "presets"
    return sorted(
        e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml")
    )


def preset_text(name: str) -> str:
    """Return the TOML text of a packaged preset.

    Raises
    ------
    SettingsError
        If there is no such preset.
    """
    if name not in preset_names():
        raise SettingsError(
            f"no preset or file named {name!r}: the presets are {', '.join(preset_names())}; "
            "a settings file is a path to a TOML file"
        )
    return (files("nanogap.settings") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def load_settings(source: str, overrides: tuple[str, ...] = ()) -> Settings:
    """Load and check settings.

    Parameters
    ----------
    source : str
        Name of a preset, or path of a TOML file.
    overrides : tuple of str
        ``section.key=value`` pairs that win over the file, for example
        ``("voltage.applied=2", "seed=7")``.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        If the file cannot be read or parsed, or a key or value is wrong; the message names it.
    """
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read settings file {source}: {_reason(error)}") from None
    else:
        text = preset_text(source)
    return settings_from_text(text, source, overrides)


def settings_from_text(text: str, source: str, overrides: tuple[str, ...] = ()) -> Settings:
    """Check settings given as TOML text; `source` is what the error messages call it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is not valid TOML: {error}") from None
    for override in overrides:
        _apply(table, override)
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        raise SettingsError(_sentence(source, table, error)) from None


def _apply(table: dict[str, Any], override: str) -> None:
    """Set one ``section.key=value`` in a nested table."""
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f"--set {override!r} is not key=value, for example voltage.applied=2")
    *sections, last = key.strip().split(".")
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"--set {override!r}: {section!r} is a value, not a section")
        table = inner
    table[last] = _toml_value(value.strip())


def _toml_value(text: str) -> Any:
    """Read a value as TOML, and what is not TOML as a bare string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _sentence(source: str, table: dict[str, Any], error: ValidationError) -> str:
    """Put the first fault of a validation error into one sentence."""
    faults = error.errors(include_url=False)
    first = faults[0]
    path, field = _locate(first["loc"])
    key, value = ".".join(path), _look_up(table, path)
    more = len({tuple(_locate(fault["loc"])[0]) for fault in faults}) - 1
    others = f" (and {more} more)" if more else ""
    if first["type"] == "extra_forbidden":
        unknown = ".".join(map(str, first["loc"]))
        return f"{source}: unknown key {unknown!r}; {_known_keys(path)}{others}"
    if first["type"] == "value_error":  # of our own validators
        where = f"{key} = {value!r}: " if field else ""
        return f"{source}: {where}{first['msg'].removeprefix('Value error, ')}{others}"
    if field is None:
        return f"{source}: {key} = {value!r}: must be a section, [{key}]{others}"
    return f"{source}: {key} = {value!r}: must be {allowed_values(field)}{others}"


def _locate(location: tuple[int | str, ...]) -> tuple[list[str], FieldInfo | None]:
    """Find the key that a fault lies in, and its field; None for a section."""
    model: type[BaseModel] = Settings
    path: list[str] = []
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            break
        path.append(str(part))
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return path, field
        model = field.annotation
    return path, None


def _look_up(table: dict[str, Any], path: list[str]) -> Any:
    """Return what the input holds at a key."""
    value: Any = table
    for part in path:
        value = value[part]
    return value


def _known_keys(path: list[str]) -> str:
    """Name the keys of a section, or of the top level."""
    model: Any = Settings
    for part in path:
        model = model.model_fields[part].annotation
    place = f"section [{'.'.join(path)}]" if path else "the top level"
    return f"{place} knows {', '.join(model.model_fields)}"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is not UTF-8 text"
