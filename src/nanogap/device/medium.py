"""Media that fill the gap, and the parameters of redox and of ions in it.

Named media are data (`data/media.toml`), each number with its range and source; what is a fit is
marked as one.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from scipy import constants

from nanogap.errors import SettingsError

#: Temperature that exchange rates are given for, K.
ROOM_TEMPERATURE = 300.0
#: Ions per cubic angstrom in one mole per litre.
_PER_MOLAR: float = constants.N_A * 1e-27


@dataclass(frozen=True)
class Parameter:
    """Number of a medium, and where it is from.

    Attributes
    ----------
    name, unit : str
    value, least, most : float
        Value and the range in which it is allowed.
    source : str
    fit : bool
        Whether the value is fitted to what devices do, not measured by itself.
    """

    name: str
    unit: str
    value: float
    least: float
    most: float
    source: str
    fit: bool


@dataclass(frozen=True)
class Medium:
    """Medium in which ions of the metal can be.

    Attributes
    ----------
    name : str
    ion_barrier : float
        Barrier of an ion's hop, eV.
    ion_prefactor : float
        Attempt frequency of an ion's hop, 1/s.
    exchange_rate : float
        Rate at which a kink atom is oxidized at equilibrium, at 300 K, 1/s.
    transfer_coefficient : float
        Share alpha of the overpotential that speeds up the reduction.
    site_transfer_coefficient : float
        Share sigma of a site's energy above that of a kink that slows down the reduction there; the
        rest speeds up the oxidation. Equilibrium is the same for any. 0: the site's energy is
        that of the oxidation alone.
    reference_concentration : float
        Concentration with which a kink is in equilibrium at zero overpotential, mol/L.
    concentration : float
        Concentration at the start, and of the bath if there is one, mol/L.
    equilibrium_potential : float
        Zero of the overpotential, V.
    permittivity : float
        Relative permittivity.
    bath_rate : float
        Rate at which an ion leaves for the medium outside the box, 1/s; 0: a closed box.
    screening_length : float
        Length over which the potential of the metal dies away in the medium, angstrom; infinity: it
        does not screen.
    exchange_barrier : float
        Activation energy of the exchange rate, eV.
    bulk_level : float or None
        Level at which the bulk of a medium that screens is held, share of the gap voltage from the
        lower electrode to the upper one; None: the one with which the box is neutral.
    parameters : tuple of Parameter
        Values, ranges and sources of a named medium.

    Raises
    ------
    SettingsError
        If a number is outside what is possible.
    """

    name: str
    ion_barrier: float
    ion_prefactor: float
    exchange_rate: float
    transfer_coefficient: float
    reference_concentration: float
    concentration: float
    equilibrium_potential: float = 0.0
    permittivity: float = 1.0
    bath_rate: float = 0.0
    screening_length: float = math.inf
    site_transfer_coefficient: float = 0.0
    exchange_barrier: float = 0.0
    bulk_level: float | None = None
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        self._check("ion_barrier", 0.0, 5.0, "eV")
        self._check("ion_prefactor", 1e6, 1e16, "1/s")
        self._check("exchange_rate", 0.0, 1e13, "1/s")
        self._check("exchange_barrier", 0.0, 5.0, "eV")
        self._check("transfer_coefficient", 0.0, 1.0, "")
        self._check("site_transfer_coefficient", 0.0, 1.0, "")
        self._check("reference_concentration", 1e-12, 90.0, "mol/L")
        self._check("concentration", 0.0, 90.0, "mol/L")
        self._check("equilibrium_potential", -10.0, 10.0, "V")
        self._check("permittivity", 1.0, 1e4, "")
        self._check("bath_rate", 0.0, 1e15, "1/s")
        if self.bulk_level is not None:
            self._check("bulk_level", 0.0, 1.0, "")
        if not self.screening_length > 0.0:
            raise SettingsError(
                f"medium {self.name!r}: a screening length of {self.screening_length:g} Å is not "
                "possible: choose above 0, or infinity for a medium that does not screen"
            )

    def _check(self, key: str, least: float, most: float, unit: str) -> None:
        """Refuse a number outside its range."""
        value = getattr(self, key)
        if not (math.isfinite(value) and least <= value <= most):
            raise SettingsError(
                f"medium {self.name!r}: {key.replace('_', ' ')} {value:g} {unit}".rstrip()
                + f" is not possible: choose from {least:g} to {most:g}"
            )

    def site_fraction(self, concentration: float, site_volume: float) -> float:
        """Share of the sites that hold an ion at a concentration.

        Parameters
        ----------
        concentration : float
            mol/L.
        site_volume : float
            Cubic angstrom.

        Raises
        ------
        SettingsError
            If there would be more ions than sites.
        """
        fraction = concentration * _PER_MOLAR * site_volume
        if fraction >= 1.0:
            raise SettingsError(
                f"medium {self.name!r}: {concentration:g} mol/L are more ions than sites: choose "
                f"below {1.0 / (_PER_MOLAR * site_volume):.1f} mol/L"
            )
        return fraction


def debye_length(concentration: float, permittivity: float, temperature: float) -> float:
    """Compute the Debye length of a salt of ions of charge one.

    sqrt(eps_r eps_0 k T / (2 e^2 N_A c)): P. Debye & E. Hueckel, Phys. Z. 24, 185 (1923);
    J. N. Israelachvili, Intermolecular and Surface Forces, 3rd ed. (2011), chapter 14.
    It is the screening length where the potential is far below kT/e.

    Parameters
    ----------
    concentration : float
        mol/L, above 0.
    permittivity : float
        Relative permittivity.
    temperature : float
        K.

    Returns
    -------
    float
        Angstrom.

    Raises
    ------
    SettingsError
        If a number is not above 0.

    Examples
    --------
    >>> from nanogap.device.medium import debye_length
    >>> round(debye_length(0.1, 78.4, 298.15), 1)
    9.6
    """
    if not min(concentration, permittivity, temperature) > 0.0:
        raise SettingsError(
            "the Debye length wants a concentration, permittivity and temperature above 0, not "
            f"{concentration:g} mol/L, {permittivity:g} and {temperature:g} K"
        )
    energy = permittivity * constants.epsilon_0 * constants.k * temperature
    charges = 2.0 * constants.e**2 * constants.N_A * concentration * 1e3
    return 1e10 * math.sqrt(energy / charges)


def media() -> list[str]:
    """Return the names of the packaged media, "vacuum" among them."""
    return list(_table())


def load_medium(name: str) -> Medium | None:
    """Load a packaged medium.

    Parameters
    ----------
    name : str
        One of `media`.

    Returns
    -------
    Medium or None
        None for "vacuum", which holds no ions.

    Raises
    ------
    SettingsError
        If there is no such medium.

    Examples
    --------
    >>> from nanogap.device.medium import load_medium
    >>> load_medium("vacuum") is None, load_medium("water film").transfer_coefficient
    (True, 0.5)
    """
    table = _table()
    if name not in table:
        raise SettingsError(f"unknown medium {name!r}: choose one of {', '.join(table)}")
    if not table[name]:
        return None
    parameters = tuple(
        Parameter(
            name=key,
            unit=entry["unit"],
            value=float(entry["value"]),
            least=float(entry["range"][0]),
            most=float(entry["range"][1]),
            source=entry["source"],
            fit=entry.get("fit", False),
        )
        for key, entry in table[name].items()
    )
    values = {parameter.name: parameter.value for parameter in parameters}
    return Medium(name=name, parameters=parameters, **values)


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    """Read the packaged media."""
    resource = files("nanogap.device") / "data" / "media.toml"
    return tomllib.loads(resource.read_text(encoding="utf-8"))
