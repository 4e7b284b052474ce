"""Size of a metal's atoms, by which lengths that were chosen for silver go.

Volumes of crystals are those of all-electron PBE, the WIEN2k column of Lejaeghere et al., Science
351, aad3000 (2016), doi:10.1126/science.aad3000, which ASE carries.
"""

import numpy as np
from ase.collections import dcdft
from ase.data import atomic_numbers, reference_states

from nanogap.errors import SettingsError


def relative_size(element: str) -> float:
    """Return the cube root of the volume per atom of a metal's crystal over that of silver's.

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    float
        To three digits.

    Raises
    ------
    SettingsError
        If there is no volume of the element.

    Examples
    --------
    >>> relative_size("Ag"), relative_size("Cu")
    (1.0, 0.875)
    """
    if element not in dcdft.names:
        raise SettingsError(
            f"no volume of crystalline {element!r} is known to scale lengths with: the elements "
            "that have one are "
            f"{', '.join(dcdft.names)}"
        )
    return round(float(np.cbrt(_volume(element) / _volume("Ag"))), 3)


def lattice_constant(element: str) -> float:
    """Return the lattice constant of an fcc metal by all-electron PBE, as the bands are PBE's.

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    float
        Angstrom.

    Raises
    ------
    SettingsError
        If the element is no fcc metal.
    """
    state = reference_states[atomic_numbers[element]] or {}
    if state.get("symmetry") != "fcc" or element not in dcdft.names:
        raise SettingsError(
            f"{element} is no fcc metal: the checks, as the junctions, are those of fcc metals"
        )
    return round(float(np.cbrt(4.0 * _volume(element))), 3)


def _volume(element: str) -> float:
    """Return the volume per atom of a crystal, cubic angstrom."""
    return float(dcdft.data[element]["wien2k_volume"])
