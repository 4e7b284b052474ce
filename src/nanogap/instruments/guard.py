"""The output is off on every exit: the side of the process that measures."""

import contextlib
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from nanogap.errors import NanogapError
from nanogap.instruments import output_off
from nanogap.instruments.address import Address
from nanogap.processes import child_environment


class Guard:
    """A process that switches the output off when this one is gone without having said so.

    Parameters
    ----------
    address : Address
    log : Path
        File for what it did.

    Raises
    ------
    NanogapError
        If it cannot be started: then nothing may be switched on.
    """

    def __init__(self, address: Address, log: Path) -> None:
        self._address = address
        command = [sys.executable, "-P", str(Path(output_off.__file__))]
        self._process = subprocess.Popen(
            [*command, address.unit, address.resource, address.channel, str(log.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=child_environment(),
        )
        if self._process.stdout is None or self._process.stdout.readline() != b"ready\n":
            self._process.kill()
            raise NanogapError(
                "the watchdog that switches the output off after a crash could not be started: "
                "nothing was switched on"
            )

    def done(self) -> None:
        """Say that the output is off, and let the watchdog end."""
        with contextlib.suppress(OSError):
            self._process.communicate(b"done", timeout=output_off.ANSWER)

    def off(self) -> str:
        """Switch the output off over a connection of its own; return why it failed, or nothing."""
        address = self._address
        return output_off.switch_off(
            address.unit, address.resource, address.channel, output_off.ANSWER
        )

    def __enter__(self) -> Self:
        """Return the guard."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the watchdog on duty unless `done` was called; only its pipe is closed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
