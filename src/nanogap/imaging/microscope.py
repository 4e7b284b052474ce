r"""The beam and its annular detector, and the share of the electrons that reach it.

Elastic scattering by one atom of atomic number Z in the Wentzel model, a screened Coulomb field
(L. Reimer and H. Kohl, Transmission Electron Microscopy, 5th ed., Springer 2008, chapter 5,
doi:10.1007/978-0-387-40093-8):

    ds/dO = 4 Z^2 R^4 g^2 / a_H^2 / (1 + (t/t_0)^2)^2,   R = a_H Z^(-1/3),   t_0 = l / (2 pi R)

with the angle t, the wavelength l, the Bohr radius a_H and g = 1 + E/mc^2. Between the angles t_1
and t_2 of the detector that is

    s = Z^(4/3) l^2 g^2 / pi * [1/(1 + (t_1/t_0)^2) - 1/(1 + (t_2/t_0)^2)]

which at large angles grows as Z^2 (Rutherford). It is taken for silver alone; other elements follow
from it by s (Z/47)^n. The exponent n is 2 for Rutherford scattering (S. J. Pennycook and D. E.
Jesson, Ultramicroscopy 37, 14 (1991), doi:10.1016/0304-3991(91)90004-P) and was measured as 1.64 on
single atoms at 60 kV (O. L. Krivanek et al., Nature 464, 571 (2010), doi:10.1038/nature08879); the
default, 1.7, is between the two and is assumed.
"""

import math
from dataclasses import dataclass

from scipy import constants

from nanogap.errors import SettingsError

#: Atomic number whose cross-section is that of the Wentzel model.
SILVER = 47
_BOHR = constants.physical_constants["Bohr radius"][0] / constants.angstrom
_REST = constants.m_e * constants.c**2 / constants.e
_RANGES = {
    "energy": (1e4, 1e6, "eV"),
    "aperture": (0.5, 100.0, "mrad"),
    "inner": (0.0, 400.0, "mrad"),
    "outer": (1.0, 500.0, "mrad"),
    "exponent": (0.5, 3.0, ""),
}


@dataclass(frozen=True)
class Microscope:
    """A scanning transmission electron microscope with an annular dark-field detector.

    Attributes
    ----------
    energy : float
        Of the electrons, eV.
    aperture : float
        Semi-angle of the probe, mrad; only the multislice engine asks for it.
    inner, outer : float
        Angles between which the detector collects, mrad.
    exponent : float
        n of Z^n.

    Raises
    ------
    SettingsError
        If one is out of its range, or the detector has no width.

    Examples
    --------
    >>> scope = Microscope()
    >>> round(scope.wavelength, 5)  # angstrom
    0.02508
    >>> round(scope.cross_section(47), 4)  # square angstrom
    0.0091
    >>> round(scope.cross_section(79) / scope.cross_section(47), 3) == round((79 / 47) ** 1.7, 3)
    True
    """

    energy: float = 2e5
    aperture: float = 20.0
    inner: float = 60.0
    outer: float = 150.0
    exponent: float = 1.7

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(
                    f"{name} = {value:g}: give a number from {low:g} to {high:g} {unit}".rstrip()
                )
        if self.inner >= self.outer:
            raise SettingsError(
                f"inner = {self.inner:g}: give an angle below the outer one of the detector, "
                f"{self.outer:g} mrad"
            )

    @property
    def wavelength(self) -> float:
        """Wavelength of the electrons, angstrom: h / sqrt(2 m E (1 + E/2mc^2))."""
        momentum = math.sqrt(self.energy * (self.energy + 2.0 * _REST))
        return float(constants.h * constants.c / constants.e / momentum / constants.angstrom)

    def cross_section(self, atomic_number: int) -> float:
        """Return the cross-section of an atom for scattering into the detector.

        Parameters
        ----------
        atomic_number : int

        Returns
        -------
        float
            Square angstrom.
        """
        radius = _BOHR * SILVER ** (-1.0 / 3.0)
        angle = self.wavelength / (2.0 * math.pi * radius)
        inner, outer = (1.0 / (1.0 + (1e-3 * one / angle) ** 2) for one in (self.inner, self.outer))
        relativistic = 1.0 + self.energy / _REST
        whole = SILVER ** (4.0 / 3.0) * (self.wavelength * relativistic) ** 2 / math.pi
        return float(whole * (inner - outer) * (atomic_number / SILVER) ** self.exponent)

    def depth(self, atomic_number: int, density: float) -> float:
        """Return the thickness in which a share 1 - 1/e is scattered into the detector.

        Parameters
        ----------
        atomic_number : int
        density : float
            Atoms per cubic angstrom.

        Returns
        -------
        float
            Lambda = 1/(N s), angstrom.
        """
        return 1.0 / (density * self.cross_section(atomic_number))
