"""Voltage and temperature that the rates of a device's atoms are made for."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nanogap.device.heat import current_density, wind_force
from nanogap.units import CONDUCTANCE_QUANTUM

if TYPE_CHECKING:
    from nanogap.device.device import Device

#: Change of the gap voltage that the rates are made anew for: this share, at least so many volts.
_VOLTAGE_SHARE, _VOLTAGE_STEP = 0.01, 1e-3
#: Change of the temperature of the contact that the rates are made anew for, K.
_TEMPERATURE_STEP = 1.0


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


def apply_voltage(device: "Device", voltage: float, *, anew: bool) -> AppliedFields:
    """Give the atoms the potential, and the heat, of a gap voltage.

    Parameters
    ----------
    device : Device
    voltage : float
        V.
    anew : bool
        Whether the rates are made anew even where the voltage hardly changed.

    Returns
    -------
    AppliedFields
        What the rates are of now.
    """
    applied = device.applied
    change = abs(voltage - applied.voltage)
    if not anew and change <= max(_VOLTAGE_SHARE * abs(voltage), _VOLTAGE_STEP):
        return applied
    device.engine.set_potential(*device.field.voltages(0.0, voltage))
    applied = replace(applied, voltage=voltage)
    ambient = device.temperature
    hottest = device.heating.contact_temperature(voltage, ambient)
    if not device.field.clusters.bridged:
        hottest = ambient
    heated = hottest != ambient
    if abs(hottest - applied.contact_temperature) > _TEMPERATURE_STEP or (anew and heated):
        device.engine.set_temperature(
            device.heating.temperatures(device.field, device.lattice, voltage, ambient)
        )
        applied = replace(applied, contact_temperature=hottest)
    valence = device.settings.heat.effective_valence
    if valence and (device.field.clusters.bridged or anew):
        current = voltage * device.conductance.value * CONDUCTANCE_QUANTUM
        density = current_density(device.lattice, device.field, current)
        device.engine.set_force(
            wind_force(device.lattice, density, valence, device.settings.heat.resistivity)
        )
    return applied
