"""A Keithley 4200-SCS under KXCI, real or virtual, by PyMeasure: user mode.

User mode has no command that waits, no clock, no output state that can be read, and one quantity a
reading. So this side keeps the time: by the clock of the wall for a real unit. A virtual one has
its own time, which passes while it integrates; waits are filled with readings there.
"""

import contextlib
import math
import time
from typing import Any

from nanogap.electrical.segments import Quantity
from nanogap.errors import InstrumentError
from nanogap.instruments.address import Address
from nanogap.instruments.source_meter import (
    GLANCE,
    Taken,
    connected,
    driver_versions,
    is_virtual,
    known,
    query,
    speaking,
    visa_library,
)

#: Integrations by the number that asks for them, periods of the mains.
INTEGRATIONS = {0.1: 1, 1.0: 2, 10.0: 3}
#: Longest sleep: an interruption must not be kept waiting, s.
_LONGEST_SLEEP = 0.5


class Meter4200:
    """A source-measure unit of a 4200.

    Parameters
    ----------
    address : Address
    line_frequency : float
        Hz; the unit does not say it.

    Raises
    ------
    InstrumentError
        If there is no connection, or another unit answers.
    """

    def __init__(self, address: Address, line_frequency: float) -> None:
        self._address, self._number = address, address.channel.removeprefix("SMU")
        self._line_frequency, self._aperture = line_frequency, 0.0
        self._driver = connected(self._open, address)
        self._handle: Any = self._driver.adapter.connection
        with speaking(address):
            self.identity = str(self._driver.id).strip()
            options = [str(one) for one in self._driver.options]
        if "4200" not in self.identity or address.channel not in options:
            self.close()
            raise InstrumentError(
                f"{address} has no {address.channel}: it says that it is {self.identity} with "
                f"{', '.join(options)}: give its own address, or another --channel"
            )
        self.drivers = driver_versions("pymeasure", "pyvisa", "pyvisa-py")
        self._virtual = is_virtual(self.identity)
        self._channel: Any = self._driver.smu[int(self._number)]
        self._set, self._counted, self._start = ("", math.nan, math.nan), 0.0, time.monotonic()

    def _open(self) -> Any:
        from pymeasure.instruments.keithley import Keithley4200  # noqa: PLC0415 an extra

        return Keithley4200(
            self._address.resource, visa_library=visa_library(), timeout=1000.0 * GLANCE
        )

    def begin(self) -> None:
        """Switch the output off, ask for all digits, and start the clock."""
        self.off()
        with speaking(self._address):
            self._acknowledged("RS 7")
        self._set, self._counted, self._start = ("", math.nan, math.nan), 0.0, time.monotonic()

    def line_frequency(self) -> float | None:
        """Return None: the unit does not say it."""
        return None

    def integrate(self, duration: float) -> None:
        """Set the integration of a reading, s."""
        if duration != self._aperture:
            with speaking(self._address):
                periods = round(duration * self._line_frequency, 6)
                self._acknowledged(f"IT{INTEGRATIONS[periods]}")
            self._aperture = duration

    def drive(self, quantity: Quantity, level: float, limit: float) -> None:
        """Set a level and the limit of the other quantity, and have the output on.

        Nothing of it can be read back: the unit acknowledges it, or complains.
        """
        if (quantity, level, limit) == self._set:
            return
        with speaking(self._address):
            setattr(self._channel, f"{quantity}_setpoint", (0, level, limit))
        self._set = (quantity, level, limit)

    def read(self, quantity: Quantity, until: float) -> Taken:
        """Return a reading whose integrations end at a time of the unit's clock, s.

        What is limited is read last.
        """
        self.wait(until - 2.0 * self._aperture)
        first, last = ("TV", "TI") if quantity == "voltage" else ("TI", "TV")
        values, limited = {}, False
        for word in (first, last):
            answer = self._ask(f"US;{word}{self._number}")
            with speaking(self._address):
                values[word] = float(answer[3:])
            limited = answer[:1] == "C"
        return Taken(self._clock, known(values["TV"]), known(values["TI"]), limited)

    def pulse(self, level: float, limit: float, until: float) -> Taken:
        """Return a reading at the end of a slow voltage pulse, after which the level is 0 V."""
        self.drive("voltage", level, limit)
        taken = self.read("voltage", until)
        self.drive("voltage", 0.0, limit)
        return taken

    def wait(self, until: float) -> None:
        """Wait until a time of the unit's clock, s."""
        if self._virtual:
            while self._clock + 0.5 * self._aperture < until:
                self._ask(f"US;TI{self._number}")
            return
        while (rest := until - self._clock) > 0.0:
            time.sleep(min(rest, _LONGEST_SLEEP))

    def off(self) -> None:
        """Switch the output off."""
        with speaking(self._address):
            self._channel.disable()

    def close(self) -> None:
        """Let go of the unit."""
        with contextlib.suppress(Exception):  # it may have gone
            self._driver.adapter.close()

    @property
    def _clock(self) -> float:
        """Time of the unit, s."""
        return self._counted if self._virtual else time.monotonic() - self._start

    def _ask(self, message: str) -> str:
        with speaking(self._address):
            answer = query(self._handle, message, self._address, virtual=self._virtual)
        self._counted += self._aperture
        if "ERROR" in answer:
            raise InstrumentError(f"{self._address} complains: {answer}")
        return answer

    def _acknowledged(self, message: str) -> None:
        """Send what is only acknowledged."""
        self._driver.write(message)
        self._driver.check_set_errors()
