"""Metal and ions on the sites of a lattice when a simulation begins."""

import numpy as np

from nanogap.device.lattice import EMPTY, ION, Lattice, SiteStates
from nanogap.device.medium import Medium
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray


def check_occupation(lattice: Lattice, metal: BoolArray, fixed: BoolArray) -> None:
    """Refuse an occupation that cannot be."""
    for name, values in (("metal", metal), ("fixed", fixed)):
        if np.shape(values) != (len(lattice),):
            raise SettingsError(
                f"{name} has shape {np.shape(values)}: give one value of each of the "
                f"{len(lattice)} sites"
            )
    if not np.asarray(metal)[np.asarray(fixed)].all():
        raise SettingsError("a fixed site holds no atom: fix only sites with metal")


def put_ions(occupation: SiteStates, medium: Medium | None, ions: BoolArray) -> None:
    """Put ions on chosen sites."""
    chosen = np.asarray(ions, dtype=np.bool_)
    if chosen.shape != occupation.shape or (occupation[chosen] != EMPTY).any():
        raise SettingsError("ions need empty sites: give one value of each site, true only there")
    if medium is None and chosen.any():
        raise SettingsError(
            f"vacuum holds no ions, and {int(chosen.sum())} are given: choose a medium, or none"
        )
    occupation[chosen] = ION


def draw_ions(
    occupation: SiteStates, medium: Medium, site_volume: float, start: np.random.Generator
) -> None:
    """Put ions on empty sites drawn at random, as many as the concentration says on average."""
    empty = np.flatnonzero(occupation == EMPTY)
    wanted = medium.site_fraction(medium.concentration, site_volume) * len(empty)
    count = int(wanted + start.random())
    occupation[start.choice(empty, size=count, replace=False)] = ION
