"""Process that runs the command line for the fuzzer: a request per line, an answer per line."""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

#: Bytes of address space; what is really used is judged from the answer.
_ADDRESSES = 12 << 30


def _used() -> int:
    """Bytes in memory at the most since the last reset."""
    with Path("/proc/self/status").open(encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _reset() -> None:
    """Let the most begin anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _seconds() -> float:
    """Processor time of this process and its children: a busy machine makes no command hang."""
    return sum(os.times()[:4])


def _run(request: dict[str, Any]) -> dict[str, Any]:
    from nanogap.cli.app import main as program  # noqa: PLC0415 - loaded with the first case

    os.chdir(request["folder"])
    sys.argv = ["nanogap", *request["arguments"]]
    _reset()
    begun = _seconds()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        os.dup2(out.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        try:
            program()
            status: Any = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException as error:
            status = 99
            sys.stderr.write(f"Traceback: {error!r}\n")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
        for descriptor in kept:
            os.close(descriptor)
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read(20_000).decode(errors="replace"))
    os.chdir("/")
    return {
        "status": status,
        "stdout": texts[0],
        "stderr": texts[1],
        "seconds": _seconds() - begun,
        "memory": _used(),
    }


def main() -> None:
    """Serve until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        answers.write(json.dumps(_run(json.loads(line))) + "\n")
        answers.flush()
