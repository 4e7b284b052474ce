"""Checks of the temperature, the potentials and the force that an engine is given."""

import numpy as np

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray
from nanogap.units import BOLTZMANN

#: Largest potential, V, and largest energy in kT, shared as redox shares it, whose exponential and
#: its products with those of the sites' energies are finite.
_MOST_POTENTIAL, _LARGEST_EXPONENT = 20.0, 450.0


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
    most = min(_MOST_POTENTIAL, _LARGEST_EXPONENT * BOLTZMANN * temperature / share)
    if span > most:
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
