"""Backends of the transmission: one file each, found by its name.

A backend is a module of this folder that defines ``BACKEND``, a `Backend`: its function
``compute_transmission`` and what it can do, as data. The name of the file, with hyphens, is the
name of the backend. Nothing else is to be told of a new one; the suite of invariants in
tests/transport/backends/test_backends.py finds it too.
"""

import pkgutil
from dataclasses import replace
from importlib import import_module

from nanogap.arguments import shown
from nanogap.errors import SettingsError
from nanogap.transport.backends._contract import (
    Backend,
    Capabilities,
    ComputeLocal,
    ComputeTransmission,
    EstimateCost,
    Option,
)

__all__ = [
    "DEFAULT",
    "Backend",
    "Capabilities",
    "ComputeLocal",
    "ComputeTransmission",
    "EstimateCost",
    "Option",
    "backend_names",
    "get_backend",
]

DEFAULT = "tight-binding"


def backend_names() -> list[str]:
    """Return the names of all backends, whether or not what they need is installed.

    Returns
    -------
    list of str
        The default first.
    """
    modules = [module.name for module in pkgutil.iter_modules(__path__)]
    names = [name.replace("_", "-") for name in modules if not name.startswith("_")]
    return sorted(names, key=lambda name: (name != DEFAULT, name))


def get_backend(name: str = DEFAULT) -> Backend:
    """Return a backend.

    Parameters
    ----------
    name : str

    Returns
    -------
    Backend

    Raises
    ------
    SettingsError
        If there is no such backend.
    """
    known = backend_names()
    if name not in known:
        raise SettingsError(
            f"no backend {shown(name)}: choose {', '.join(known[:-1])} or {known[-1]}"
        )
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    backend: Backend = module.BACKEND
    return replace(backend, name=name)
