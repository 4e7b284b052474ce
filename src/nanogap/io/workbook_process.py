"""Cells of Excel workbooks, read in a process of its own with limits on memory and time.

A damaged workbook can make its reader ask for any amount of memory and abort. One process serves
all files; where it dies, the next file gets a new one.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from nanogap.errors import DataFormatError

#: Rows of cells; a date is its ISO text.
Cells = list[list[str | float | None]]

_PROGRAM = Path(__file__).with_name("workbook_child.py")
#: Seconds for one workbook.
_PATIENCE = 45.0

_lock = threading.Lock()
_processes: list[subprocess.Popen[bytes]] = []


def sheets_of(path: Path) -> dict[str, Cells]:
    """Return the cells of every sheet of a workbook by its name.

    Raises
    ------
    DataFormatError
        If it is damaged, or needs more memory or time than a workbook may.
    """
    with _lock:
        answer = _asked(path)
    if "error" in answer:
        raise DataFormatError(
            f"{path} cannot be read as an Excel workbook ({answer['error']}); export it anew or "
            "save it as CSV"
        )
    sheets: dict[str, Cells] = answer["sheets"]
    return sheets


def _asked(path: Path) -> dict[str, dict[str, Cells]]:
    """Ask the process, which is started where there is none."""
    process = _process()
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(str(path.absolute())).encode() + b"\n")
        process.stdin.flush()
        answer = _line(process.stdout.fileno(), time.monotonic() + _PATIENCE)
    except OSError:
        answer = b""
    except TimeoutError:
        _end()
        raise DataFormatError(
            f"{path}: reading this workbook took more than {_PATIENCE:g} s; save it as CSV"
        ) from None
    except BaseException:
        _end()  # half an answer must not be taken for that on the next file
        raise
    if not answer.endswith(b"\n"):
        _end()
        raise DataFormatError(
            f"{path} cannot be read as an Excel workbook: it is damaged, or has a cell so far out "
            "that more than 1 GB of memory would be needed; export it anew or save it as CSV"
        )
    found: dict[str, dict[str, Cells]] = json.loads(answer)
    return found


def _line(descriptor: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    while not (parts and parts[-1].endswith(b"\n")):
        left = deadline - time.monotonic()
        if left <= 0.0 or not select.select([descriptor], [], [], left)[0]:
            raise TimeoutError
        part = os.read(descriptor, 1 << 20)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _process() -> subprocess.Popen[bytes]:
    if _processes and _processes[0].poll() is None:
        return _processes[0]
    _processes.clear()
    _processes.append(
        subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    )
    return _processes[0]


@atexit.register
def _end() -> None:
    """End the process, if there is one."""
    while _processes:
        process = _processes.pop()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # it died with half a request in the pipe


def _forget() -> None:
    """Leave the process to the parent that started it."""
    _processes.clear()


os.register_at_fork(after_in_child=_forget)
