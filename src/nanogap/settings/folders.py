"""Folders of nanogap outside those that it is given."""

import os
from pathlib import Path


def cache_folder(*parts: str) -> Path:
    """Return a user's folder for what can be made again (XDG base directories), maybe missing.

    Parameters
    ----------
    *parts : str
        Names of folders in it.

    Returns
    -------
    Path
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base, "nanogap", *parts)
