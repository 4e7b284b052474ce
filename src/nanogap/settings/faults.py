"""One sentence for what is wrong with a table of settings."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

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
    path, field, section = _locate(model, first["loc"])
    key, raw = ".".join(path), _look_up(table, path)
    value = shown(raw)
    more = len({tuple(_locate(model, fault["loc"])[0]) for fault in faults}) - 1
    others = f" (and {more} more)" if more else ""
    if first["type"] == "extra_forbidden":
        unknown = ".".join([*path, str(first["loc"][-1])])
        return f"{source}: unknown key {unknown!r}; {_known_keys(section, path)}{others}"
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        kinds = " or ".join(f"'{kind}'" for kind in kinds_of(section.model_fields[path[-1]]))
        there = isinstance(raw, Mapping) and "kind" in raw
        given = f"= {shown(raw['kind'])}: must be" if there else "is missing: it must be"
        return f"{source}: {key}.kind {given} {kinds}{others}"
    if first["type"] == "value_error":  # of our own validators
        where = f"{key} = {value}: " if field else ""
        if not field and _is_of_kinds(model, path):
            where = f"{key}: "
        return f"{source}: {where}{first['msg'].removeprefix('Value error, ')}{others}"
    if first["type"] == "missing" and path and path[-1] == first["loc"][-1]:
        return f"{source}: the key {path[-1]} is missing; {_known_keys(section, path[:-1])}"
    if field is None:
        where = f"{key} = {value}" if path else value
        return f"{source}: {where}: must be a table; {_known_keys(section, path)}{others}"
    return f"{source}: {key} = {value}: must be {allowed_values(field)}{others}"


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
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value


def _known_keys(section: type[BaseModel], path: list[str]) -> str:
    """Name the keys of a section, or of the top level."""
    place = f"section [{'.'.join(path)}]" if path else "the top level"
    of_kinds = section.model_fields.get(path[-1]) if path else None
    if of_kinds and (kinds := kinds_of(of_kinds)):
        return f"{place} needs the key kind, {' or '.join(repr(kind) for kind in kinds)}"
    return f"{place} knows {', '.join(section.model_fields)}"
