"""Voltage and temperature that the rates of a device's atoms were made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AppliedFields:
    """Voltage and temperature that the rates of the atoms were made for.

    Attributes
    ----------
    voltage : float
        Gap voltage, V.
    contact_temperature : float
        K.
    """

    voltage: float = 0.0
    contact_temperature: float = 0.0
