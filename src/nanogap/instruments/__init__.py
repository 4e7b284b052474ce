"""Virtual source-measure units with a device behind them, and measurements with real ones.

Each name is loaded when it is first used: what drives a real unit need not wait for the device.
"""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.instruments.address import PORTS as PORTS
    from nanogap.instruments.address import Address as Address
    from nanogap.instruments.address import parse_address as parse_address
    from nanogap.instruments.channel import Bench as Bench
    from nanogap.instruments.datasheet import UNITS as UNITS
    from nanogap.instruments.datasheet import DataSheet as DataSheet
    from nanogap.instruments.datasheet import data_sheet as data_sheet
    from nanogap.instruments.kxci_unit import Keithley4200 as Keithley4200
    from nanogap.instruments.loads import LOADS as LOADS
    from nanogap.instruments.loads import load_named as load_named
    from nanogap.instruments.record import Record as Record
    from nanogap.instruments.record import Setting as Setting
    from nanogap.instruments.server import LOOPBACK as LOOPBACK
    from nanogap.instruments.server import NETWORK as NETWORK
    from nanogap.instruments.server import Server as Server
    from nanogap.instruments.tsp_unit import Keithley2614B as Keithley2614B
    from nanogap.instruments.unit import Unit as Unit
    from nanogap.instruments.virtual import make_unit as make_unit

__all__ = [
    "LOADS",
    "LOOPBACK",
    "NETWORK",
    "PORTS",
    "UNITS",
    "Address",
    "Bench",
    "DataSheet",
    "Keithley2614B",
    "Keithley4200",
    "Record",
    "Server",
    "Setting",
    "Unit",
    "data_sheet",
    "load_named",
    "make_unit",
    "parse_address",
]

__getattr__ = on_first_use(
    __name__,
    {
        "nanogap.instruments.address": ("PORTS", "Address", "parse_address"),
        "nanogap.instruments.channel": ("Bench",),
        "nanogap.instruments.datasheet": ("UNITS", "DataSheet", "data_sheet"),
        "nanogap.instruments.kxci_unit": ("Keithley4200",),
        "nanogap.instruments.loads": ("LOADS", "load_named"),
        "nanogap.instruments.record": ("Record", "Setting"),
        "nanogap.instruments.server": ("LOOPBACK", "NETWORK", "Server"),
        "nanogap.instruments.tsp_unit": ("Keithley2614B",),
        "nanogap.instruments.unit": ("Unit",),
        "nanogap.instruments.virtual": ("make_unit",),
    },
)
