"""Checks of what an engine is given: temperature, potentials, force; of voltages beforehand."""

import math
import re
from collections.abc import Iterator

import numpy as np

from nanogap.device.medium import Medium
from nanogap.errors import SettingsError
from nanogap.settings.device import DeviceSettings
from nanogap.typing import FloatArray
from nanogap.units import BOLTZMANN

#: Largest potential, V, and largest energy in kT, shared as redox shares it, whose exponential and
#: its products with those of the sites' energies are finite.
_MOST_POTENTIAL, _LARGEST_EXPONENT = 20.0, 450.0
#: Part by which a solution of the potential may exceed the gap voltage that it is one of.
_SLACK = 0.02
#: Descriptions of settings that are voltages.
_VOLTAGE = re.compile(r"\bV\b(?!/)")


def checked_temperature(temperature: float | FloatArray, n_sites: int) -> FloatArray:
    """Return the temperature as an array, of shape () or (n_sites,), K.

    Raises
    ------
    SettingsError
        If it does not fit the sites, or a temperature is not above zero.
    """
    values = np.asarray(temperature, dtype=np.float64)
    if values.shape not in {(), (n_sites,)}:
        raise SettingsError(
            f"temperatures of shape {values.shape} do not fit {n_sites} sites: give "
            "one number, or one of each site"
        )
    if not (np.isfinite(values).all() and (values > 0.0).all()):
        worst = float(values.min())
        raise SettingsError(f"a temperature of {worst:g} K cannot be: choose above 0 K")
    return values


def largest_voltage(temperature: float, share: float) -> float:
    """Return the largest difference of potential that the rates hold, V.

    Parameters
    ----------
    temperature : float
        K.
    share : float
        Largest part of it that one of the rates of a pair takes.
    """
    return min(_MOST_POTENTIAL, _LARGEST_EXPONENT * BOLTZMANN * temperature / share)


def rate_share(medium: Medium | None) -> float:
    """Return the largest part of a difference of potential that one of the rates of a pair takes.

    Parameters
    ----------
    medium : Medium or None
        None for vacuum.
    """
    alpha = 0.5 if medium is None else medium.transfer_coefficient
    return max(alpha, 1.0 - alpha)


def check_voltages(settings: DeviceSettings, medium: Medium | None) -> None:
    """Refuse a protocol whose voltages are more than the rates hold at its temperature.

    Parameters
    ----------
    settings : DeviceSettings
    medium : Medium or None
        Of the settings.

    Raises
    ------
    SettingsError
        If so; the message names the key.
    """
    temperature = settings.atoms.temperature
    most = largest_voltage(temperature, rate_share(medium))
    key, level = max(_voltages(settings), key=lambda one: one[1], default=("protocol", 0.0))
    if level > most:
        allowed = math.floor(100.0 * most) / 100.0
        warmer = math.ceil(temperature * level / most)
        also = f", or atoms.temperature from {warmer} K on" if level <= _MOST_POTENTIAL else ""
        raise SettingsError(
            f"{key} reaches {level:g} V, and at atoms.temperature = {temperature:g} K the rates "
            f"hold from -{allowed:g} to {allowed:g} V: choose less{also}"
        )


def _voltages(settings: DeviceSettings) -> Iterator[tuple[str, float]]:
    """Yield the largest size of the voltage in every segment, V, and the key that decides it."""
    own = settings.source.voltage_limit
    for name, part in settings.parts().items():
        for segment in part.cycle_segments(0):
            if segment.quantity == "voltage":
                level = max(abs(segment.start), abs(segment.end))
            else:
                level = min(max(segment.compliance), own)
            keys = (
                key
                for key, field in type(part).model_fields.items()
                if _VOLTAGE.search(field.description or "") and _reaches(getattr(part, key), level)
            )
            key = next(keys, None)
            if key is None and level == own:
                yield "source.voltage_limit", level
            else:
                yield name if key is None else f"{name}.{key}", level


def _reaches(value: object, level: float) -> bool:
    """Whether a setting is a voltage of a size, or has one in it."""
    given = value if isinstance(value, tuple) else (value,)
    return any(isinstance(one, int | float) and math.isclose(abs(one), level) for one in given)


def check_potentials(
    metal: FloatArray, medium: FloatArray, n_sites: int, temperature: float, share: float
) -> None:
    """Refuse potentials, V, that are not finite, do not fit the sites or exceed what rates hold.

    Parameters
    ----------
    metal, medium : ndarray, shape (n_sites,)
        V.
    n_sites : int
    temperature : float
        K.
    share : float
        Largest part of a difference of potential that one of the rates of a pair takes.

    Raises
    ------
    SettingsError
        If so.
    """
    for name, values in (("metal", metal), ("medium", medium)):
        if np.shape(values) != (n_sites,) or not np.isfinite(values).all():
            raise SettingsError(
                f"the potential of the {name} needs {n_sites} finite numbers, one of each site"
            )
    both = np.concatenate([metal, medium, [0.0]])
    span = float(np.ptp(both))
    most = largest_voltage(temperature, share)
    if span > (1.0 + _SLACK) * most:
        raise SettingsError(
            f"potentials that span {span:g} V at {temperature:g} K are beyond what the rates can "
            f"hold: choose at most {most:.3g} V"
        )


def padded_force(force: FloatArray | None, n_sites: int) -> FloatArray:
    """Return the force with a row of zeros for the outside, eV/angstrom; no row without force.

    Raises
    ------
    SettingsError
        If it does not fit the sites.
    """
    if force is None:
        return np.zeros((0, 3))
    if np.shape(force) != (n_sites, 3) or not np.isfinite(force).all():
        raise SettingsError(
            f"the force on atoms needs {n_sites} x 3 finite numbers, one row of each site"
        )
    return np.ascontiguousarray(np.vstack([force, np.zeros((1, 3))]))
