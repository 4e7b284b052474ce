"""Temperature of a current-carrying contact, and the force of the current on its atoms.

- Diffusive contact (wider than the mean free path): Kohlrausch's relation between potential and
  temperature, T^2 = T0^2 + V^2 u (1 - u) / L, from the Wiedemann-Franz law alone; in the middle
  T^2 = T0^2 + V^2 / 4L, an upper bound for any contact whose heat the electrons carry. Kohlrausch,
  Ann. Phys. 306, 132 (1900), doi:10.1002/andp.19003060107.
- Ballistic contact: T^4 = T0^4 + gamma^4 V^2. Todorov, Hoekstra & Sutton, Phys. Rev. Lett. 86, 3606
  (2001), doi:10.1103/PhysRevLett.86.3606; Smit, Untiedt & van Ruitenbeek, Nanotechnology 15, S472
  (2004), arXiv:cond-mat/0311439.
- Pumping of vibrations above a threshold voltage: the null model beside electrochemistry.
- Wind force F = Z* e rho j.

`docs/device-fields.md` says what is measured, derived and assumed.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from nanogap.device.lattice import BRIDGED, NEIGHBOUR_VECTORS, Lattice, SiteIndices, SiteStates
from nanogap.device.potential import PotentialField
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray, FloatArray
from nanogap.units import BOLTZMANN

HeatModel = Literal["off", "ballistic", "diffusive", "pumping"]

#: Lorenz number pi^2/3 (k/e)^2 of a degenerate electron gas, V^2/K^2.
LORENZ_NUMBER: float = math.pi**2 / 3.0 * BOLTZMANN**2

#: Electrical resistivity of bulk metals at 293 K, ohm metre: Matula, J. Phys. Chem. Ref. Data 8,
#: 1147 (1979), doi:10.1063/1.555614.
BULK_RESISTIVITY = {"Ag": 1.587e-8, "Cu": 1.678e-8, "Au": 2.214e-8}

_METRE = 1e10  # angstrom


@dataclass(frozen=True)
class Heating:
    """Parameters of the heat of a contact.

    Attributes
    ----------
    model : str
        ``off``; ``ballistic``; ``diffusive``; or ``pumping``, the null model.
    ballistic_coefficient : float
        gamma of the ballistic contact, K/V^(1/2). 60 is that of a gold contact, as remembered from
        the sources above; for silver nobody has published one that we know.
    lorenz_number : float
        V^2/K^2.
    threshold : float
        Voltage above which vibrations are pumped, V. 0.45: the fluctuations of silver contacts at
        77 K quicken steeply above it (Tsutsui et al., Appl. Surf. Sci. 252, 8677 (2006)).
    pumped_share : float
        k dT / (e dV) above the threshold. 1/4 is that of a mode damped by the electrons alone.
    """

    model: HeatModel = "off"
    ballistic_coefficient: float = 60.0
    lorenz_number: float = LORENZ_NUMBER
    threshold: float = 0.45
    pumped_share: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what no contact has.

        Raises
        ------
        SettingsError
            If a value is out of its range.
        """
        for name, value, least in (
            ("ballistic coefficient", self.ballistic_coefficient, 0.0),
            ("Lorenz number", self.lorenz_number, 1e-9),
            ("threshold voltage", self.threshold, 0.0),
            ("pumped share", self.pumped_share, 0.0),
        ):
            if not least <= value < math.inf:
                raise SettingsError(
                    f"a {name} of {value:g} is out of its range: choose {least:g} or more"
                )

    def contact_temperature(self, voltage: float, ambient: float) -> float:
        """Temperature of the constriction.

        Parameters
        ----------
        voltage : float
            Over the contact, V; the sign does not count.
        ambient : float
            T0, K.

        Returns
        -------
        float
            K.
        """
        if self.model == "ballistic":
            return float((ambient**4 + self.ballistic_coefficient**4 * voltage**2) ** 0.25)
        if self.model == "diffusive":
            return float(kohlrausch_temperature(0.5, voltage, ambient, self.lorenz_number))
        if self.model == "pumping":
            above = max(abs(voltage) - self.threshold, 0.0)
            return ambient + self.pumped_share * above / BOLTZMANN
        return ambient

    def temperatures(
        self, field: PotentialField, lattice: Lattice, voltage: float, ambient: float
    ) -> FloatArray | float:
        """Temperature of the sites, for the engine.

        A diffusive contact has that of Kohlrausch's relation on each atom. Of the others the metal
        of the constriction has the contact's: the atoms in the middle half of the drop, with u from
        1/4 to 3/4, and those at its ends, bonded to an atom on the other side of u = 1/2. Sites of
        the medium next to metal have the mean of their metal neighbours. All else is at T0.

        Parameters
        ----------
        field : PotentialField
            With the metal as it is now.
        lattice : Lattice
        voltage : float
            Over the contact, V.
        ambient : float
            T0, K.

        Returns
        -------
        ndarray, shape (n_sites,), or float
            K; one number where nothing is heated: `model` is ``off``, the gap is open, or the
            contact is at T0.
        """
        hottest = self.contact_temperature(voltage, ambient)
        bridge = field.clusters.labels == BRIDGED
        if hottest == ambient or not bridge.any():
            return ambient
        share = field.metal
        if self.model == "diffusive":
            hot = kohlrausch_temperature(share, voltage, ambient, self.lorenz_number)
        else:
            inside = constriction(lattice, bridge, share)
            hot = np.where(inside, hottest, ambient)
        result = np.where(bridge, hot, ambient)
        labels = field.clusters.labels
        return np.asarray(_next_to_metal(lattice.neighbours, labels, result))


def kohlrausch_temperature(
    share: FloatArray | float,
    voltage: float,
    ambient: float,
    lorenz_number: float = LORENZ_NUMBER,
) -> FloatArray:
    """Compute the temperature at a potential between ends at T0, T^2 = T0^2 + V^2 u (1 - u) / L.

    Parameters
    ----------
    share : ndarray or float
        u, share of the voltage.
    voltage : float
        V.
    ambient : float
        T0, K.
    lorenz_number : float
        L, V^2/K^2.

    Returns
    -------
    ndarray
        K, shape of `share`.
    """
    u = np.clip(share, 0.0, 1.0)
    return np.asarray(np.sqrt(ambient**2 + voltage**2 * u * (1.0 - u) / lorenz_number))


def maxwell_resistance(resistivity: float, radius: float) -> float:
    """Compute the spreading resistance of a round constriction, rho / 2a.

    Maxwell, A Treatise on Electricity and Magnetism (1873).

    Parameters
    ----------
    resistivity : float
        Ohm metre.
    radius : float
        Angstrom.

    Returns
    -------
    float
        Ohm.
    """
    return resistivity / (2.0 * radius / _METRE)


def diffusive_share(radius: float, mean_free_path: float) -> float:
    """Compute the share of the voltage that a constriction drops by scattering within it.

    Maxwell's resistance rho / 2a against the sum with Sharvin's 4 rho l / (3 pi a^2), which is
    within 11 % of the exact resistance: Nikolic & Allen, Phys. Rev. B 60, 3963 (1999),
    doi:10.1103/PhysRevB.60.3963. A contact with a small share is ballistic.

    Parameters
    ----------
    radius, mean_free_path : float
        Angstrom.

    Returns
    -------
    float
        From 0 to 1.
    """
    return 1.0 / (1.0 + 8.0 * mean_free_path / (3.0 * math.pi * radius))


def constriction(lattice: Lattice, bridge: BoolArray, share: FloatArray) -> BoolArray:
    """Find the metal over which the middle of the voltage drops.

    Parameters
    ----------
    lattice : Lattice
    bridge : ndarray of bool, shape (n_sites,)
        Metal that joins the electrodes.
    share : ndarray, shape (n_sites,)
        u of the metal.

    Returns
    -------
    ndarray of bool, shape (n_sites,)
    """
    middle = bridge & (share > 0.25) & (share < 0.75)
    ends = lattice.neighbours
    other = (ends >= 0) & bridge[ends] & ((share[ends] > 0.5) != (share > 0.5)[:, None])
    return np.asarray(middle | (bridge & other.any(axis=1)), dtype=np.bool_)


def current_density(lattice: Lattice, field: PotentialField, current: float) -> FloatArray:
    """Compute the current density of the metal from the currents of its bonds.

    j = (1 / 2 Omega) sum_k I_k d_k over the bonds d_k of a site of volume Omega, with the network's
    bond currents scaled to the current through the contact: exact in a uniform field.

    Parameters
    ----------
    lattice : Lattice
    field : PotentialField
    current : float
        From the upper to the lower electrode, A: positive at a positive voltage of the upper one.

    Returns
    -------
    ndarray, shape (n_sites, 3)
        A/m^2; 0 off the bridge, and while the gap is open.
    """
    if not field.clusters.bridged or field.conductance <= 0.0:
        return np.zeros((len(lattice), 3))
    bridge = field.clusters.labels == BRIDGED
    fluxes = _bond_fluxes(lattice.neighbours, bridge, field.metal, NEIGHBOUR_VECTORS)
    per_area = current / field.conductance * lattice.bond / (2.0 * lattice.site_volume)
    return np.asarray(fluxes * (per_area * _METRE**2))


def wind_force(
    lattice: Lattice, density: FloatArray, valence: float, resistivity: float
) -> FloatArray:
    """Compute the force of the current on the atoms, F = Z* e rho j.

    Huntington & Grone, J. Phys. Chem. Solids 20, 76 (1961), doi:10.1016/0022-3697(61)90138-X. With
    Z* < 0 it points along the flow of the electrons. A hop by d gains F d.

    Parameters
    ----------
    lattice : Lattice
    density : ndarray, shape (n_sites, 3)
        A/m^2 (`current_density`).
    valence : float
        Z*, of either sign.
    resistivity : float
        rho, ohm metre.

    Returns
    -------
    ndarray, shape (n_sites, 3)
        eV/angstrom; on empty sites the mean over the neighbours that carry current, so that the
        mean of the two ends of a hop serves there and back.

    Raises
    ------
    SettingsError
        If the resistivity is not positive.
    """
    if not 0.0 < resistivity < math.inf:
        raise SettingsError(f"a resistivity of {resistivity:g} ohm m must be above 0")
    force = density * (valence * resistivity / _METRE)
    return np.asarray(_next_to_current(lattice.neighbours, force))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bond_fluxes(
    neighbours: SiteIndices, bridge: BoolArray, share: FloatArray, vectors: FloatArray
) -> FloatArray:
    """Sum of the bond fluxes times the unit vectors of the bonds, shape (n_sites, 3)."""
    fluxes = np.zeros((len(share), 3))
    for site in range(len(share)):
        if not bridge[site]:
            continue
        for direction in range(12):
            end = neighbours[site, direction]
            if end < 0 or not bridge[end]:
                continue
            flux = share[site] - share[end]
            for axis in range(3):
                fluxes[site, axis] += flux * vectors[direction, axis]
    return fluxes


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _next_to_metal(neighbours: SiteIndices, labels: SiteStates, values: FloatArray) -> FloatArray:
    """Give sites next to metal the mean of their metal neighbours."""
    result = values.copy()
    for site in range(len(values)):
        if labels[site] != 0:
            continue
        count, total = 0, 0.0
        for direction in range(12):
            end = neighbours[site, direction]
            if end >= 0 and labels[end] != 0:
                count += 1
                total += values[end]
        if count:
            result[site] = total / count
    return result


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _next_to_current(neighbours: SiteIndices, vectors: FloatArray) -> FloatArray:
    """Give sites without a vector the mean of the neighbours that have one."""
    result = vectors.copy()
    for site in range(len(vectors)):
        if vectors[site].any():
            continue
        count = 0
        for direction in range(12):
            end = neighbours[site, direction]
            if end >= 0 and vectors[end].any():
                count += 1
                for axis in range(3):
                    result[site, axis] += vectors[end, axis]
        if count:
            for axis in range(3):
                result[site, axis] /= count
    return result
