"""Addresses of real and virtual units: ``UNIT@HOST[:PORT]`` or ``UNIT@VISA-RESOURCE``."""

import re
from dataclasses import dataclass

from nanogap.arguments import shown
from nanogap.errors import SettingsError
from nanogap.instruments.datasheet import UNITS

#: Ports of the real units.
PORTS = {"keithley-2614b": 5025, "keithley-4200": 1225}
_HOST = re.compile(r"(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?", re.ASCII)
_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)
_EXAMPLES = "keithley-2614b@127.0.0.1:5025 or keithley-2614b@GPIB0::26::INSTR"
#: Names of the channels, by what the command line calls them.
CHANNELS = {
    "keithley-2614b": {"a": "smua", "b": "smub"},
    "keithley-4200": {str(number): f"SMU{number}" for number in range(1, 9)},
}


@dataclass(frozen=True)
class Address:
    """Place of a unit, and the channel of it that is used.

    Attributes
    ----------
    unit : str
        A key of `nanogap.instruments.UNITS`.
    resource : str
        As VISA names it.
    channel : str
        As the unit names it.
    """

    unit: str
    resource: str
    channel: str

    @property
    def socket(self) -> tuple[str, int] | None:
        """Host and port, if it is a plain socket."""
        found = _SOCKET.fullmatch(self.resource)
        return (found["host"], int(found["port"])) if found else None

    def __str__(self) -> str:
        """Return what the command line takes."""
        where = ":".join(map(str, self.socket)) if self.socket else self.resource
        return f"{self.unit}@{where}"


def parse_address(text: str, channel: str | None = None) -> Address:
    """Read an address of the command line.

    Parameters
    ----------
    text : str
        ``UNIT@HOST[:PORT]``, or ``UNIT@`` and a VISA resource, which has two colons in it.
    channel : str, optional
        ``a`` or ``b`` of a 2614B, 1 to 8 of a 4200. Default: the first.

    Returns
    -------
    Address

    Raises
    ------
    SettingsError
        If it is none.

    Examples
    --------
    >>> parse_address("keithley-2614b@192.168.1.5").resource
    'TCPIP::192.168.1.5::5025::SOCKET'
    >>> parse_address("keithley-4200@GPIB0::17::INSTR", "2").channel
    'SMU2'
    """
    unit, at, place = text.partition("@")
    if not at or unit not in UNITS:
        raise SettingsError(
            f"instrument = {shown(text)}: give UNIT@ADDRESS with the unit {' or '.join(UNITS)}, "
            f"such as {_EXAMPLES}"
        )
    names = CHANNELS[unit]
    chosen = next(iter(names)) if channel is None else channel.casefold().removeprefix("smu")
    if chosen not in names:
        raise SettingsError(
            f"channel = {shown(channel)}: a {unit} has the channels {', '.join(names)}"
        )
    if "::" in place:
        return Address(unit, place, names[chosen])
    found = _HOST.fullmatch(place)
    port = int(found["port"] or PORTS[unit]) if found else 0
    if found is None or not 0 < port < 65536:
        raise SettingsError(
            f"instrument = {shown(text)}: what follows the @ is no HOST:PORT and no VISA resource, "
            f"such as {_EXAMPLES}"
        )
    return Address(unit, f"TCPIP::{found['host']}::{port}::SOCKET", names[chosen])
