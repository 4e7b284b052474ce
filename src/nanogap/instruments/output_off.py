"""Switches an output off over a connection of its own, and waits for it as a watchdog.

As a program it holds a pipe to the process that measures. When the pipe closes without the word
``done``, that process is gone, whatever ended it, and this one connects to the unit and switches
the output off. It imports the standard library only (and PyVISA for what is no socket), is started
as a file and not as a part of the package, in a session of its own, and ignores the signals that
end the process that measures.

python output_off.py UNIT RESOURCE CHANNEL LOG
"""

import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

#: How long a watchdog tries, the pause between two tries, and the wait for an answer, s.
PATIENCE, PAUSE, ANSWER = 600.0, 0.1, 5.0
_SOCKET = re.compile(r"TCPIP\d*::([^:]+)::(\d+)::SOCKET", re.IGNORECASE)


def off_messages(unit: str, channel: str) -> tuple[bytes, bytes, bytes]:
    """Return what switches an output off and asks for it, the answer's end, and its beginning.

    Parameters
    ----------
    unit, channel : str
        See `nanogap.instruments.address.Address`.
    """
    if unit == "keithley-4200":
        return f"US;DV{channel.removeprefix('SMU')}\0".encode(), b"\0", b"ACK"
    return f"{channel}.source.output = 0 print({channel}.source.output)\n".encode(), b"\n", b"0"


def switch_off(unit: str, resource: str, channel: str, patience: float = ANSWER) -> str:
    """Switch an output off, with as many tries as fit into a time.

    Parameters
    ----------
    unit, resource, channel : str
        See `nanogap.instruments.address.Address`.
    patience : float
        s. A unit may serve one client, whose connection takes a moment to be given up.

    Returns
    -------
    str
        Empty, or what the last try failed with.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fault = _try(unit, resource, channel)
        except OSError as error:
            fault = str(error)
        except Exception as error:  # of VISA, which is not known here
            fault = f"{type(error).__name__}: {error}"
        if not fault or time.monotonic() > end:
            return fault
        time.sleep(PAUSE)


def _try(unit: str, resource: str, channel: str) -> str:
    """Connect, switch off and read the state back; return why it failed."""
    message, end, expected = off_messages(unit, channel)
    place = _SOCKET.fullmatch(resource)
    if place:
        answer = _over_socket(place[1], int(place[2]), message, end)
    else:
        answer = _over_visa(resource, message)
    if answer.startswith(expected):
        return ""
    return f"the unit answers {answer[:80].decode('latin-1')!r}"


def _over_socket(host: str, port: int, message: bytes, end: bytes) -> bytes:
    with socket.create_connection((host, port), timeout=ANSWER) as client:
        client.settimeout(ANSWER)
        client.sendall(message)
        answer = b""
        while not answer.endswith(end):
            part = client.recv(4096)
            if not part:
                break
            answer += part
    return answer


def _over_visa(resource: str, message: bytes) -> bytes:
    import pyvisa  # noqa: PLC0415 only where it is needed

    library = os.environ.get("PYVISA_LIBRARY", "@py")
    with contextlib.closing(pyvisa.ResourceManager(library)) as manager:
        unit = manager.open_resource(resource)
        with contextlib.closing(unit):
            unit.timeout = 1000.0 * ANSWER
            unit.write_raw(message)
            return bytes(unit.read_raw())


def watch(unit: str, resource: str, channel: str, log: Path) -> None:
    """Wait for the end of the process that measures, and switch the output off unless it did."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if not _SOCKET.fullmatch(resource):
        import pyvisa  # noqa: F401, PLC0415 so that it cannot be missing later
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if sys.stdin.buffer.read().strip().endswith(b"done"):
        return
    begin = time.monotonic()
    fault = switch_off(unit, resource, channel, PATIENCE)
    said = {
        "time": datetime.now(UTC).isoformat(),
        "output": f"not switched off: {fault}" if fault else "off",
        "after": round(time.monotonic() - begin, 3),
    }
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
