"""Places where libraries store what they make again: a temporary one where the usual is closed.

numba refuses to compile, and matplotlib complains, where neither the package nor the user's home
can be written, as in a container. Children inherit the place by the environment.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).parent
#: Variables that name a folder which ends with this process.
_TEMPORARY: list[str] = []


def choose_caches() -> None:
    """Give numba and matplotlib a temporary folder where they cannot write to their own."""
    home = os.path.expanduser("~")  # noqa: PTH111 of a user without a home too
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path(home, ".cache"))
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path(home, ".config"))
    wanted = {
        "NUMBA_CACHE_DIR": (_PACKAGE / "__pycache__", usual / "numba"),
        "MPLCONFIGDIR": (settings / "matplotlib",),
    }
    missing = [
        name
        for name, places in wanted.items()
        if name not in os.environ and not any(map(can_write, places))
    ]
    if missing:
        with contextlib.suppress(OSError):  # no place at all: the libraries say so
            # of this user alone: what numba stores is code
            folder = tempfile.mkdtemp(prefix="nanogap-cache-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ.update(dict.fromkeys(missing, folder))
            _TEMPORARY.extend(missing)


def compiles_anew() -> bool:
    """Whether compiled code is not kept beyond this process, so that each call compiles it."""
    return "NUMBA_CACHE_DIR" in _TEMPORARY


def can_write(folder: Path) -> bool:
    """Whether a folder can be written, or made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
