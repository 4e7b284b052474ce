"""Size of a metal's atoms beside silver's: lengths that were chosen for silver go with it."""

import numpy as np
from ase.collections import dcdft

from nanogap.errors import SettingsError


def relative_size(element: str) -> float:
    """Return the cube root of the volume per atom of a metal's crystal over that of silver's.

    Volumes of all-electron PBE, the WIEN2k column of Lejaeghere et al., Science 351, aad3000
    (2016), doi:10.1126/science.aad3000, which ASE carries.

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
    volumes: list[float] = [float(dcdft.data[name]["wien2k_volume"]) for name in (element, "Ag")]
    return round(float(np.cbrt(volumes[0] / volumes[1])), 3)
