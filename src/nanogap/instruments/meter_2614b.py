"""A Keithley 2614B, real or virtual, by QCoDeS.

What is set goes through the parameters of the driver. A reading is one message, so that the unit
itself keeps the time of waits and pulses, integrates both quantities at once, and says of that
very reading whether the limit held, what its clock is, and whether there are errors.
"""

import contextlib
import io
import math
from itertools import count
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

#: Longest wait in one message: an interruption must not be kept waiting, s.
_LONGEST_WAIT = 0.5
#: Shorter waits are none, s.
_SHORTEST_WAIT = 1e-7
#: Relative difference of a limit that was set and one that is read back.
_SAME = 1e-3
_numbers = count()


class Meter2614B:
    """A channel of a 2614B.

    Parameters
    ----------
    address : Address

    Raises
    ------
    InstrumentError
        If there is no connection, or another unit answers.
    """

    def __init__(self, address: Address) -> None:
        self._address, self._name = address, address.channel
        self._driver = connected(self._open, address)
        with speaking(address):
            self._handle: Any = self._driver.visa_handle
            self.identity = str(self._driver.ask_raw("*IDN?")).strip()
        if "2614B" not in self.identity:
            self.close()
            raise InstrumentError(
                f"{address} is no 2614B: it says that it is {self.identity}: give its own address"
            )
        self.drivers = driver_versions("qcodes", "pyvisa", "pyvisa-py")
        self._virtual = is_virtual(self.identity)
        self._channel: Any = getattr(self._driver, self._name)
        self._clock, self._set = 0.0, ("", math.nan, math.nan)
        self._aperture = 0.0

    def _open(self) -> Any:
        from qcodes.instrument_drivers.Keithley import Keithley2614B  # noqa: PLC0415 an extra

        # the driver says on stdout what it is connected to
        with contextlib.redirect_stdout(io.StringIO()):
            name = f"nanogap_2614b_{next(_numbers)}"
            return Keithley2614B(
                name,
                self._address.resource,
                visalib=visa_library(),
                timeout=GLANCE,
                # PyVISA-py clears a socket that the unit has closed for ever
                device_clear=self._address.socket is None,
            )

    def begin(self) -> None:
        """Reset the channel, which switches its output off, and start the clock."""
        with speaking(self._address):
            self._channel.write(f"{self._name}.reset()")
            self._driver.write("errorqueue.clear() format.asciiprecision = 16 timer.reset()")
            self._checked_output(expected=False)
        self._clock, self._set = 0.0, ("", math.nan, math.nan)

    def line_frequency(self) -> float | None:
        """Return the mains that integrations count in, Hz."""
        with speaking(self._address):
            return float(self._channel.linefreq())

    def integrate(self, duration: float) -> None:
        """Set the integration of a reading, s."""
        if duration != self._aperture:
            with speaking(self._address):
                self._channel.nplc(round(duration * float(self._channel.linefreq()), 9))
            self._aperture = duration

    def drive(self, quantity: Quantity, level: float, limit: float) -> None:
        """Set a level and the limit of the other quantity, read back, and have the output on."""
        if (quantity, level, limit) == self._set:
            return
        channel, voltage = self._channel, quantity == "voltage"
        with speaking(self._address):
            if (quantity, limit) != (self._set[0], self._set[2]):
                held = channel.limiti if voltage else channel.limitv
                held(limit)
                if not math.isclose(found := float(held()), limit, rel_tol=_SAME):
                    raise InstrumentError(
                        f"{self._address}: the limit was set to {limit:g} and is read back as "
                        f"{found:g}: {self._error()}"
                    )
            (channel.volt if voltage else channel.curr)(level)
            if quantity != self._set[0]:  # level and limit are there before they are needed
                channel.mode(quantity)
                channel.output(True)
                self._checked_output(expected=True)
        self._set = (quantity, level, limit)

    def read(self, quantity: Quantity, until: float) -> Taken:
        """Return a reading that ends at a time of the unit's clock, s."""
        del quantity  # both are integrated at once
        self.wait(until - self._aperture)
        return self._taken("")

    def pulse(self, level: float, limit: float, until: float) -> Taken:
        """Return a reading at the end of a voltage pulse, after which the level is 0 V."""
        self.drive("voltage", 0.0, limit)
        rest = until - self._aperture - self._clock
        rise = f"{self._name}.source.levelv = {level:.9g}"
        wait = f" delay({rest:.12g})" if rest > _SHORTEST_WAIT else ""
        return self._taken(f"{rise}{wait}", f"{self._name}.source.levelv = 0")

    def wait(self, until: float) -> None:
        """Wait until a time of the unit's clock, s."""
        while (rest := until - self._clock) > _SHORTEST_WAIT:
            part = min(rest, _LONGEST_WAIT)
            with speaking(self._address):
                answer = self._ask(f"delay({part!r}) print(timer.measure.t())")
                self._clock = max(float(answer), self._clock + 0.5 * part)

    def off(self) -> None:
        """Switch the output off, and make sure of it."""
        with speaking(self._address):
            self._channel.output(False)
            self._checked_output(expected=False)

    def close(self) -> None:
        """Let go of the unit."""
        with contextlib.suppress(Exception):  # it may have gone
            self._driver.close()

    def _taken(self, before: str, after: str = "") -> Taken:
        name = self._name
        asked = (
            f"i, v = {name}.measure.iv() {after} print(i, v, "
            f"status.measurement.instrument.{name}.condition, timer.measure.t(), "
            f"errorqueue.count, {name}.source.output)"
        )
        with speaking(self._address):
            words = [float(word) for word in self._ask(f"{before} {asked}").split()]
            current, voltage, condition, now, errors, output = words
        if errors:
            raise InstrumentError(f"{self._address} complains: {self._error()}")
        if not output:
            raise InstrumentError(
                f"{self._address} has switched its output off by itself: look at the unit"
            )
        self._clock = now
        limited = bool(int(condition) & 3)
        return Taken(now, known(voltage), known(current), limited)

    def _ask(self, message: str) -> str:
        return query(self._handle, message.strip(), self._address, virtual=self._virtual)

    def _error(self) -> str:
        """Return the oldest error of the unit's queue."""
        words = self._ask("print(errorqueue.next())").split("\t")
        return f"{float(words[0]):.0f} {words[1]}" if len(words) > 1 else words[0]

    def _checked_output(self, *, expected: bool) -> None:
        if bool(self._channel.output()) is not expected:
            state = "on" if expected else "off"
            raise InstrumentError(
                f"{self._address}: the output cannot be switched {state}: {self._error()}"
            )
