"""Settings as a TOML file in which every key says what it means and what it may be."""

import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from nanogap.settings.allowed import allowed_values

_WIDTH = 98


def settings_document(settings: BaseModel, head: str = "") -> str:
    """Write settings as TOML, every key with its meaning, unit and range as a comment.

    Parameters
    ----------
    settings : BaseModel
        Settings of a run, or of a device.
    head : str
        First lines of the file, without comment signs.

    Returns
    -------
    str
        Loads to the same settings.

    Examples
    --------
    >>> from nanogap.settings import Settings
    >>> settings_document(Settings(seed=7)).splitlines()[1]
    'name = "run"'
    """
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*lines, *_section(settings)]).strip() + "\n"


def _section(model: BaseModel, name: str = "") -> Iterator[str]:
    """Give the lines of a section: its own keys first, then the sections in it."""
    if name:
        yield f"\n[{name}]"
        yield from _comment(type(model).__doc__ or "")
    fields = type(model).model_fields
    inner = [key for key in fields if isinstance(getattr(model, key), BaseModel)]
    for key, field in fields.items():
        if key not in inner:
            words = field.description or ""
            yield from _comment(f"{words[:1].upper()}{words[1:]}; {allowed_values(field)}.")
            yield f"{key} = {_toml(getattr(model, key))}"
    for key in inner:
        yield from _section(getattr(model, key), f"{name}.{key}" if name else key)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return (
            '"'
            + "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in escaped)
            + '"'
        )
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)
