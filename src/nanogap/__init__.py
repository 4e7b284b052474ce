"""Voltage-driven rewiring of metallic nanogaps, from atoms to conductance histograms.

What a notebook needs stands here and is loaded when it is first used, so that the import itself
takes no time. Everything travels as `ase.Atoms` (structures, frames) and `xarray.Dataset`
(results, measurements).

Examples
--------
>>> import nanogap as ng
>>> settings = ng.load_settings("quick")
>>> settings.structure.element
'Ag'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanogap.errors import NanogapError as NanogapError
    from nanogap.settings import load_settings as load_settings

__version__: str

#: The room that each public name comes from.
_ROOMS = {
    "NanogapError": "nanogap.errors",
    "load_settings": "nanogap.settings",
}

__all__ = ["__version__", *_ROOMS]  # noqa: PLE0604 the names are strings


def __getattr__(name: str) -> Any:
    """Load a public name from its room when it is first used."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 takes as long as the rest

        value: Any = version("nanogap")
    elif name in _ROOMS:
        value = getattr(import_module(_ROOMS[name]), name)
    else:
        raise AttributeError(f"module 'nanogap' has no attribute {name!r}: see dir(nanogap)")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
