"""One sentence for what is wrong with a table of settings."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nanogap.arguments import shown
from nanogap.errors import SettingsError
from nanogap.settings.allowed import allowed_values

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], source: str, table: Mapping[str, object]) -> Model:
    """Check a table against a settings model.

    Parameters
    ----------
    model : type of BaseModel
    source : str
        What the error message calls the table.
    table : mapping

    Returns
    -------
    BaseModel
        Of that type.

    Raises
    ------
    SettingsError
        If a key or value is wrong; see `fault_sentence`.
    """
    try:
        # not model_validate, which models of ours answer with a sentence that knows no source
        found: Model = model.__pydantic_validator__.validate_python(table)
    except ValidationError as error:
        raise SettingsError(fault_sentence(model, source, table, error)) from None
    return found


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
    path, field = _locate(model, first["loc"])
    key, value = ".".join(path), shown(_look_up(table, path))
    more = len({tuple(_locate(model, fault["loc"])[0]) for fault in faults}) - 1
    others = f" (and {more} more)" if more else ""
    if first["type"] == "extra_forbidden":
        unknown = ".".join(map(str, first["loc"]))
        return f"{source}: unknown key {unknown!r}; {_known_keys(model, path)}{others}"
    if first["type"] == "value_error":  # of our own validators
        where = f"{key} = {value}: " if field else ""
        return f"{source}: {where}{first['msg'].removeprefix('Value error, ')}{others}"
    if first["type"] == "missing" and tuple(path) == first["loc"]:
        return f"{source}: the key {first['loc'][-1]} is missing; {_known_keys(model, path[:-1])}"
    if not path:
        return f"{source}: {value}: must be a table; {_known_keys(model, path)}"
    if field is None:
        return f"{source}: {key} = {value}: must be a table; {_known_keys(model, path)}{others}"
    return f"{source}: {key} = {value}: must be {allowed_values(field)}{others}"


def _locate(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], FieldInfo | None]:
    """Find the key that a fault lies in, and its field; None for a section."""
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


def _look_up(table: Mapping[str, object], path: list[str]) -> Any:
    """Return what the input holds at a key."""
    value: Any = table
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value


def _known_keys(model: Any, path: list[str]) -> str:
    """Name the keys of a section, or of the top level."""
    for part in path:
        model = model.model_fields[part].annotation
    place = f"section [{'.'.join(path)}]" if path else "the top level"
    return f"{place} knows {', '.join(model.model_fields)}"
