"""Habits of the worker processes of a run: they end with their parent, and leave a reason."""

import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from nanogap.errors import NanogapError
from nanogap.processes import die_with_parent
from nanogap.runs.directory import RunDirectory

_FAILED = 3
#: Exit status of a worker that ended because its parent did, or let go of it.
ORPHANED = 75


def child_main(work: Callable[[RunDirectory], None], folder: Path) -> None:
    """Run the work of a worker process, and end it when the parent ends.

    The parent holds the other end of stdin; when it dies, however it dies, stdin reads as ended.
    A failure leaves its reason in the run directory and a non-zero exit status.
    """
    end_with_parent()
    run = RunDirectory(folder)
    try:
        work(run)
    except Exception as error:
        traceback.print_exc()
        run.error = failure_sentence(error)
        sys.exit(_FAILED)


def failure_sentence(error: Exception) -> str:
    """Say in one sentence why a worker failed."""
    if isinstance(error, NanogapError):
        return str(error)
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{place}: mend it and go on with 'nanogap resume'"
    if isinstance(error, MemoryError):
        return "out of memory: choose a smaller structure or junction cell"
    return f"internal error, please report it: {type(error).__name__}: {error}"


def end_with_parent() -> None:
    """End this process as soon as its stdin ends: the parent holds the other end.

    A process that is stopped cannot watch; the system kills that one, where it can.
    """
    die_with_parent()
    threading.Thread(target=_watch_stdin, daemon=True).start()


def _watch_stdin() -> None:
    # not sys.stdin: a thread that holds its lock aborts the interpreter at shutdown
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)
