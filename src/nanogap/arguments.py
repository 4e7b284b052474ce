"""Arguments of public functions, checked against their annotations before anything is computed.

A notebook passes what a file or a cell of it holds: text for a number, a list for a path. The
annotations say what a function takes, so one check serves all of them, and a wrong value meets one
sentence of nanogap's own instead of that of the library that it would reach. Ranges stay with the
functions; arrays and data, which may be many things, too.
"""

import inspect
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, ParamSpec, TypeVar, Union

from nanogap.errors import SettingsError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LONGEST = 60
#: Larger whole numbers mean nothing here.
_LARGEST = 2**63
#: Longest name of a file on the file systems in use, bytes.
_LONGEST_NAME = 255
_COUNTS = {2: "two", 3: "three"}


class _Kind(NamedTuple):
    """A kind of values: whether one is of it, and its name in words."""

    holds: Callable[[Any], bool]
    words: str


def checked(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Check the arguments of a function, or of a method, at every call.

    Parameters
    ----------
    function : callable
        Its annotations say what each argument may be; what they leave open is not checked. Text
        beside an annotation, ``Annotated[float, "a length in angstrom"]``, names it in words.

    Returns
    -------
    callable
        Raises `SettingsError` where an argument is something else.

    Examples
    --------
    >>> @checked
    ... def half(length: float, unit: Literal["nm", "m"] = "nm") -> float:
    ...     return length / 2.0
    >>> half(3.0)
    1.5
    >>> half("high")
    Traceback (most recent call last):
    nanogap.errors.SettingsError: half: length = 'high': give a number
    >>> half(3.0, "km")
    Traceback (most recent call last):
    nanogap.errors.SettingsError: half: unit = 'km': give 'nm' or 'm'
    """

    @wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        check_arguments(function, *args, **kwargs)
        return function(*args, **kwargs)

    return call


def check_arguments(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Check the arguments of one call against the annotations of the function.

    A call with too few, too many or unknown arguments is left to Python, which says so itself.

    Raises
    ------
    SettingsError
        If an argument is none of what its annotation says; it names function, argument and value.
    """
    signature, kinds = _described(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:
        return
    for name, kind in kinds.items():
        if name in given and not kind.holds(given[name]):
            called = function.__qualname__.removesuffix(".__init__")
            raise SettingsError(f"{called}: {name} = {shown(given[name])}: give {kind.words}")


def shown(value: object) -> str:
    """Write a value in one short line, for an error message.

    Examples
    --------
    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # of a class that cannot write itself
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def can_be_path(text: str) -> bool:
    """Whether text can name a file or folder.

    Empty text cannot: it would be the current folder, which nobody means by it.

    Examples
    --------
    >>> can_be_path("sweep.csv"), can_be_path(""), can_be_path("a" * 300)
    (True, False, False)
    """
    try:
        parts = os.fsencode(text).split(b"/")
    except UnicodeEncodeError:
        return False
    longest = max(map(len, parts))
    return bool(text.strip()) and "\0" not in text and longest <= _LONGEST_NAME


@cache
def _described(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, _Kind]]:
    """Return the signature of a function, and the kinds of those arguments that can be checked."""
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, include_extras=True)
    kinds = {
        name: _kind(hints[name])
        for name, parameter in signature.parameters.items()
        if name in hints and parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    }
    return signature, {name: kind for name, kind in kinds.items() if kind is not None}


def _kind(annotation: Any) -> _Kind | None:
    """Return what an annotation allows; None if that is not checked."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _OF_SEVERAL:
        return _OF_SEVERAL[origin](inner)
    plain = origin or annotation
    return _of_class(plain) if isinstance(plain, type) else None


def _named(inner: Sequence[Any]) -> _Kind | None:
    """Return the kind of an annotation with words beside it."""
    kind, words = _kind(inner[0]), inner[1]
    return kind._replace(words=words) if kind and isinstance(words, str) else kind


def _one_of(inner: Sequence[Any]) -> _Kind:
    """Return the kind of a choice between texts."""
    words = " or ".join(repr(one) for one in inner)
    return _Kind(lambda value: isinstance(value, str) and value in inner, words)


def _of_class(kind: type) -> _Kind | None:
    """Return the kind of a plain class, or of one of ours."""
    plain = {
        NoneType: _Kind(lambda value: value is None, "None"),
        bool: _Kind(_is_truth, "True or False"),
        int: _Kind(lambda value: _is_number(value, Integral, "iu"), "a whole number"),
        float: _Kind(lambda value: _is_number(value, Real, "iuf"), "a number"),
        str: _Kind(lambda value: isinstance(value, str), "text"),
    }
    if kind in plain:
        return plain[kind]
    if _is_path_class(kind):
        return _Kind(_is_path, "a path")
    if kind.__module__.startswith("nanogap."):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        return _Kind(lambda value: isinstance(value, kind), f"{article} {kind.__name__}")
    return None


def _either(annotations: Sequence[Any]) -> _Kind | None:
    """Return the kind of values that one of several annotations allows."""
    # a path may be given as text, but not every text is a path
    paths = any(_is_path_class(typing.get_origin(one) or one) for one in annotations)
    kinds = [_kind(one) for one in annotations if not (paths and one is str)]
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    return _Kind(
        lambda value: any(kind.holds(value) for kind in known),
        " or ".join(dict.fromkeys(kind.words for kind in known)),
    )


def _is_path_class(kind: Any) -> bool:
    return kind is os.PathLike or (isinstance(kind, type) and issubclass(kind, PurePath))


def _is_path(value: Any) -> bool:
    return isinstance(value, os.PathLike) or (isinstance(value, str) and can_be_path(value))


def _row(inner: Sequence[Any]) -> _Kind | None:
    """Return the kind of so many values one after the other."""
    if not inner or inner[-1] is Ellipsis:
        return None
    kinds = [_kind(one) for one in inner]
    words = next((kind.words for kind in kinds if kind is not None), "values")
    count = _COUNTS.get(len(kinds), str(len(kinds)))

    def holds(value: Any) -> bool:
        if not (isinstance(value, list | tuple) or getattr(value, "ndim", None) == 1):
            return False
        parts = list(value)
        return len(parts) == len(kinds) and all(
            kind is None or kind.holds(part) for kind, part in zip(kinds, parts, strict=True)
        )

    return _Kind(holds, f"{count} {words.removeprefix('a ')}s")


def _texts(inner: Sequence[Any]) -> _Kind | None:
    """Return the kind of lists of text."""
    return _Kind(_is_texts, "texts in a list") if inner == (str,) else None


def _table(inner: Sequence[Any]) -> _Kind:
    """Return the kind of mappings."""
    key, entry = map(_kind, inner)
    words = "a dict with text as keys"
    if entry is not None:
        words += f" and {entry.words} as values"

    def holds(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            (key is None or key.holds(name)) and (entry is None or entry.holds(one))
            for name, one in value.items()
        )

    return _Kind(holds, words)


def _is_texts(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(one, str) for one in value)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or (getattr(getattr(value, "dtype", None), "kind", "") == "b")


def _is_number(value: Any, kind: type, letters: str) -> bool:
    """Whether a value is a number, also as an array without dimensions."""
    if isinstance(value, int):
        # numpy takes no larger integer for a number
        return not isinstance(value, bool) and abs(value) < _LARGEST
    if isinstance(value, kind):
        return True
    single = getattr(value, "ndim", None) == 0
    return single and getattr(getattr(value, "dtype", None), "kind", "") in letters


#: What makes the kind of an annotation that has others in it.
_OF_SEVERAL: dict[Any, Callable[[Sequence[Any]], _Kind | None]] = {
    Annotated: _named,
    Callable: lambda _: _Kind(callable, "a function"),
    Literal: _one_of,
    Mapping: _table,
    Sequence: _texts,
    Union: _either,
    UnionType: _either,
    tuple: _row,
}
