"""Backends of the transmission: one file each, found by its name.

A backend is a module of this folder with a function ``compute_transmission`` that takes the
arguments of `nanogap.transport.negf.compute.compute_transmission`, as far as they concern it, and
returns the same dataset (`nanogap.transport.dataset.transmission_dataset` makes it). The name of
the file, with hyphens, is the name of the backend. Nothing else is to be told of a new one; the
suite of invariants in tests/transport/test_backends.py finds it too.
"""

import pkgutil
from importlib import import_module
from typing import Any, Protocol, cast

import xarray as xr

from nanogap.errors import SettingsError

DEFAULT = "tight-binding"
#: Backends whose local densities and bond currents are those of `nanogap.transport.negf.local`.
LOCAL = (DEFAULT, "dense", "sisl")


class ComputeTransmission(Protocol):
    """What a backend does."""

    def __call__(self, *arguments: Any, **options: Any) -> xr.Dataset:
        """Compute the transmission of junctions."""
        ...


def backend_names() -> list[str]:
    """Names of all backends, the default first, whether or not what they need is installed."""
    names = (module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))
    return sorted(names, key=lambda name: (name != DEFAULT, name))


def get_backend(name: str = DEFAULT) -> ComputeTransmission:
    """Return the function of a backend.

    Parameters
    ----------
    name : str

    Raises
    ------
    SettingsError
        If there is no such backend.
    """
    known = backend_names()
    if name not in known:
        raise SettingsError(f"no backend {name!r}: choose {', '.join(known[:-1])} or {known[-1]}")
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast("ComputeTransmission", module.compute_transmission)
