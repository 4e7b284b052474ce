"""Virtual units, made with something connected to them."""

from pathlib import Path

from nanogap.instruments.channel import Bench
from nanogap.instruments.datasheet import data_sheet
from nanogap.instruments.kxci_unit import Keithley4200
from nanogap.instruments.loads import load_named
from nanogap.instruments.record import Record
from nanogap.instruments.tsp_unit import Keithley2614B
from nanogap.instruments.unit import Unit


def make_unit(
    unit: str,
    load: str,
    *,
    seed: int = 0,
    overrides: tuple[str, ...] = (),
    record: Path | None = None,
) -> Unit:
    r"""Make a virtual unit with something connected to its first channel, nothing to its second.

    Parameters
    ----------
    unit : str
        ``keithley-2614b`` or ``keithley-4200``.
    load : str
        A word of `LOADS`, a preset of devices, or a TOML file of one.
    seed : int
        Of the errors and the noise of the unit, and of a synthetic gap; a device has its own.
    overrides : tuple of str
        ``section.key=value`` of a device.
    record : Path, optional
        File for what is put out, a JSON object a line.

    Returns
    -------
    Unit

    Raises
    ------
    SettingsError
        If there is no such unit or load, or the device cannot be made.

    Examples
    --------
    >>> unit = make_unit("keithley-2614b", "resistor:1000")
    >>> unit.handle(b"print(errorqueue.count)")
    b'0.00000e+00\n'
    """
    sheet = data_sheet(unit)
    names = ("smua", "smub") if unit == "keithley-2614b" else ("SMU1", "SMU2")
    loads = {
        names[0]: load_named(load, sheet.bandwidth, seed, overrides),
        names[1]: load_named("open", sheet.bandwidth),
    }
    bench = Bench(sheet, loads, seed, Record(record))
    return Keithley2614B(bench) if unit == "keithley-2614b" else Keithley4200(bench)
