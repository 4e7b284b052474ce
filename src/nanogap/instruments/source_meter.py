"""Demands of a measurement on a source-measure unit, real or virtual, whatever its driver.

QCoDeS drives the 2614B and PyMeasure the 4200: QCoDeS has no driver of the 4200, and PyMeasure's
2600 sends levels with six decimals, which makes steps of 1 uA where a nanogap is swept over 20.
"""

import contextlib
import gc
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

from nanogap.electrical.segments import Quantity
from nanogap.errors import InstrumentError
from nanogap.instruments.address import Address
from nanogap.instruments.datasheet import OVERFLOW

#: Serial number of the virtual units, as their identity says it.
VIRTUAL_SERIAL = "0000000"
#: Longest wait for an answer: of a real unit, and of a virtual one that computes atoms, s.
REAL_PATIENCE, VIRTUAL_PATIENCE = 15.0, 3600.0
#: Time after which a virtual unit that has not answered is looked at, s.
GLANCE = 2.0
#: How long a unit that serves somebody else is waited for, s.
_BUSY_PATIENCE = 5.0
#: Time in which a unit must have seen that a connection of ours has ended, s.
_LOOK_PATIENCE = 2.0
_PAUSE = 0.2


@dataclass(frozen=True)
class Taken:
    """A reading of both quantities.

    Attributes
    ----------
    time : float
        Of the unit, at the end of the integration, s.
    voltage, current : float
        V and A; NaN beyond a range.
    compliance : bool
        Whether the limit held.
    """

    time: float
    voltage: float
    current: float
    compliance: bool


class SourceMeter(Protocol):
    """A channel of a source-measure unit."""

    identity: str
    drivers: dict[str, str]

    def begin(self) -> None:
        """Reset the channel, which switches its output off, and start the clock."""

    def line_frequency(self) -> float | None:
        """Return the mains that integrations count in, Hz; None: the unit does not say."""

    def integrate(self, duration: float) -> None:
        """Set the integration of a reading, s."""

    def drive(self, quantity: Quantity, level: float, limit: float) -> None:
        """Set a level and the limit of the other quantity, read back, and have the output on."""

    def read(self, quantity: Quantity, until: float) -> Taken:
        """Return a reading that ends at a time of the unit's clock, s."""

    def pulse(self, level: float, limit: float, until: float) -> Taken:
        """Return a reading at the end of a voltage pulse, after which the level is 0 V."""

    def wait(self, until: float) -> None:
        """Wait until a time of the unit's clock, s."""

    def off(self) -> None:
        """Switch the output off, and make sure of it."""

    def close(self) -> None:
        """Let go of the unit."""


def is_virtual(identity: str) -> bool:
    """Whether an identity is that of a virtual unit."""
    return VIRTUAL_SERIAL in [word.strip() for word in identity.split(",")]


def visa_library() -> str:
    """Return the VISA library: pure Python, unless PYVISA_LIBRARY names another."""
    return os.environ.get("PYVISA_LIBRARY", "@py")


def driver_versions(*packages: str) -> dict[str, str]:
    """Return the versions of drivers."""
    return {name: version(name) for name in packages}


@contextlib.contextmanager
def speaking(address: Address) -> Iterator[None]:
    """Turn what drivers raise into one sentence.

    Raises
    ------
    InstrumentError
        If the unit has gone, or answers what it should not.
    """
    from pyvisa.errors import Error  # noqa: PLC0415 it belongs to an extra

    try:
        yield
    except (Error, OSError) as error:
        raise InstrumentError(f"the connection to {address} is lost: {one_line(error)}") from None
    except ValueError as error:
        raise InstrumentError(f"{address} answers what it should not: {one_line(error)}") from None


def query(handle: Any, message: str, address: Address, *, virtual: bool) -> str:
    """Ask a VISA resource, as long as the unit may take.

    A virtual unit computes atoms for its answer; whether it is still there is looked at meanwhile.

    Parameters
    ----------
    handle : pyvisa resource
    message : str
    address : Address
    virtual : bool
    """
    from pyvisa.errors import VisaIOError  # noqa: PLC0415 it belongs to an extra

    patience = VIRTUAL_PATIENCE if virtual else REAL_PATIENCE
    end = time.monotonic() + patience
    handle.write(message)
    while True:
        try:
            return str(handle.read())
        except VisaIOError:
            place = address.socket
            gone = virtual and place is not None and why_unreachable(*place)
            if gone or time.monotonic() > end:
                raise


def connected(make: Callable[[], Any], address: Address) -> Any:
    """Make a driver; while somebody else is served, as a client that has just died, wait.

    Raises
    ------
    InstrumentError
        If there is no connection.
    """
    end, place = time.monotonic() + _BUSY_PATIENCE, address.socket
    while True:
        try:
            return make()
        except ImportError as error:
            raise InstrumentError(
                f"the drivers of instruments cannot be loaded ({error}): install them with "
                "pip install 'nanogap[instruments]'"
            ) from None
        except Exception as error:  # each library has its own
            why = one_line(error).rstrip(".")
        gc.collect()  # a driver that was made by half holds its connection
        if place is not None and (refused := why_unreachable(*place)):
            raise InstrumentError(
                f"no connection to {address}: {refused}: is the unit on, is its port open, and is "
                "the address right?"
            )
        if time.monotonic() > end:
            if place is not None and (said := lasting_greeting(*place)):
                raise InstrumentError(f"no connection to {address}: it says {said!r}")
            raise InstrumentError(
                f"no connection to {address}: {why}; it may be another unit, or serve another "
                "client"
            )
        time.sleep(_PAUSE)


def why_unreachable(host: str, port: int) -> str:
    """Return why nothing listens at a place; empty if something does."""
    try:
        with socket.create_connection((host, port), timeout=5.0):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def greeting(host: str, port: int) -> str:
    """Return what a place says before it is asked, as a virtual unit does that is busy."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0) as unit:
        return unit.recv(200).decode("ascii", "replace").strip()
    return ""


def lasting_greeting(host: str, port: int) -> str:
    """Return what a place goes on saying; empty if it stops, as when our own look made it busy."""
    end = time.monotonic() + _LOOK_PATIENCE
    while (said := greeting(host, port)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return said


def one_line(error: Exception) -> str:
    """Return the words of an exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def known(value: float) -> float:
    """Return a reading, NaN where it is beyond its range."""
    return math.nan if abs(value) >= OVERFLOW else value
