"""Allowed values of a setting in words, for error messages and the settings reference."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

_NOUNS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    bool: "true or false",
}
_NUMBER_WORDS = {1: "one", 2: "two", 3: "three"}


def allowed_values(field: FieldInfo) -> str:
    """Say in words what values a field of a settings model allows.

    Parameters
    ----------
    field : pydantic.fields.FieldInfo

    Returns
    -------
    str
        For example ``a number from 0.05 to 10``.
    """
    return _describe(field.annotation, field.metadata)


def _describe(annotation: Any, limits: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _describe(arguments[0], [*_flat(arguments[1:]), *limits])
    if origin in (Union, UnionType):
        given = [argument for argument in arguments if argument is not NoneType]
        return " or ".join(_describe(argument, limits) for argument in given)
    if origin is Literal:
        return " or ".join(f"'{value}'" for value in arguments)
    if origin is tuple:
        return _list(arguments, limits)
    if origin is dict:
        return f"a table of {_NOUNS[arguments[1]]} by name"
    return _NOUNS[annotation] + _range(limits)


def _list(arguments: tuple[Any, ...], limits: list[Any]) -> str:
    """Describe a list of a fixed or of a free length."""
    free = arguments[-1] is Ellipsis
    each = _describe(arguments[0], [] if free else limits).removeprefix("a ")
    count = (
        f"{_limit(limits, 'min_length')} to {_limit(limits, 'max_length')}"
        if free
        else _NUMBER_WORDS[len(arguments)]
    )
    return f"a list of {count} {each.replace('number', 'numbers')}"


def _limit(limits: list[Any], name: str) -> Any:
    """Return the limit of a name."""
    return next(value for one in limits if (value := getattr(one, name, None)) is not None)


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    """Take the limits out of nested fields."""
    return [
        limit
        for entry in metadata
        for limit in (entry.metadata if isinstance(entry, FieldInfo) else [entry])
    ]


def _range(limits: list[Any]) -> str:
    """Say the limits of a number, or of the length of a text."""
    found: dict[str, Any] = {}
    for limit in limits:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length"):
            if getattr(limit, name, None) is not None:
                found[name] = getattr(limit, name)
    if "max_length" in found:
        least = found.get("min_length", 0)
        return f" of {least} to {found['max_length']} characters"
    words = []
    if "ge" in found:
        words.append(f"from {_plain(found['ge'])}")
    if "gt" in found:
        words.append(f"above {_plain(found['gt'])}")
    if "le" in found:
        words.append(f"to {_plain(found['le'])}" if "ge" in found else f"up to {found['le']:g}")
    if "lt" in found:
        most = found["lt"]
        words.append(f"to {most - 1}" if isinstance(most, int) else f"below {most:g}")
    return " " + ", ".join(words).replace(", to", " to") if words else ""


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
