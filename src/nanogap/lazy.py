"""Public names of a package that are loaded when they are first used: its import takes no time."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def on_first_use(
    package: str, names: Mapping[str, Sequence[str]], hint: str = ""
) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package that loads its public names.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    names : mapping of str to sequence of str
        Public names by the module that they are loaded from.
    hint : str
        Ends the sentence about a name that there is not.

    Returns
    -------
    callable
        Raises AttributeError for other names. A name that was loaded is the package's own.

    Examples
    --------
    >>> load = on_first_use("nanogap.lazy", {"math": ["pi"]})
    >>> load("pi")
    3.141592653589793
    >>> load("tau")
    Traceback (most recent call last):
    AttributeError: module 'nanogap.lazy' has no attribute 'tau'
    """
    modules = {name: module for module, public in names.items() for name in public}

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")
        value = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
