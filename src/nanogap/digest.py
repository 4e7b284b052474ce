"""Digests that name content: values, and the sources of whole sub-packages.

A key of a cache or store is made of these, so that equal content has one key wherever and however
often it was made, and changed content or code has another.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np


def content_digest(*values: object) -> str:
    """Hash values by their content.

    Parameters
    ----------
    *values : object
        Numbers, words, bytes, None, arrays, data classes, and sequences and mappings of them.
        Negative zeros count as zeros.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).

    Raises
    ------
    TypeError
        If a value is of another kind, whose content is not known.
    """
    found = hashlib.sha256()
    _add(found, values)
    return found.hexdigest()


def file_digest(content: bytes) -> str:
    """Hash the content of a file.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256), as ``sha256sum`` prints them.
    """
    return hashlib.sha256(content).hexdigest()


def source_digest(*packages: str) -> str:
    """Hash the sources of whole sub-packages: every Python file in them, with its place.

    Parameters
    ----------
    *packages : str
        Dotted names.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).
    """
    found = hashlib.sha256()
    for package in packages:
        for name, content in sorted(_sources(files(package), package)):
            _add(found, (name, content))
    return found.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    """Python files below a folder: dotted name and content."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{name}.{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}.{entry.name}", entry.read_bytes()


def _add(found: Any, value: object) -> None:
    """Add a value with its kind and length, so that no two contents read the same."""
    items = _items(value)
    kind, content = _plain(value) if items is None else ("items", str(len(items)).encode())
    found.update(f"{kind} {len(content)}:".encode())
    found.update(content)
    for item in items or ():
        _add(found, item)


def _items(value: object) -> list[Any] | None:
    """Parts of a value that is made of others; None for any other."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return [type(value).__qualname__, *((name, getattr(value, name)) for name in names)]
    if isinstance(value, Mapping):
        return ["mapping", *((key, value[key]) for key in sorted(value))]
    return list(value) if isinstance(value, list | tuple) else None


def _plain(value: object) -> tuple[str, bytes]:
    """Kind and content of a value without parts."""
    match value:
        case np.ndarray() if value.dtype.kind in "biufcSU":
            numbers = value + 0 if value.dtype.kind in "iufc" else value
            return f"array {value.dtype.str} {value.shape}", np.ascontiguousarray(numbers).tobytes()
        case bytes():
            return "bytes", value
        case str():
            return "word", value.encode()
        case bool() | np.bool_() | None:
            return "constant", str(value).encode()
        case int() | np.integer():
            return "whole number", str(int(value)).encode()
        case float() | np.floating():
            return "number", repr(float(value) + 0.0).encode()
    raise TypeError(f"no digest of a {type(value).__name__}: its content is not known")
