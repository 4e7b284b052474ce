"""Factors of the rates of redox and of ions that the potentials give.

Most sites of metal have the potential of the site before, so of the exponentials few are computed.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    EQUILIBRIUM,
    ION_FROM,
    ION_TO,
    MEDIUM_POTENTIAL,
    METAL_POTENTIAL,
    OXIDATION_MEDIUM,
    OXIDATION_METAL,
    OXIDATION_RATE,
    REDUCTION_MEDIUM,
    REDUCTION_METAL,
    REDUCTION_RATE,
    TRANSFER,
)
from nanogap.device.kernels.compiling import compiled
from nanogap.typing import FloatArray


@compiled
def fill_factors(fields: FloatArray, numbers: FloatArray, beta: float) -> None:
    """Make the factors of redox and ion rates from the potentials; ``beta`` is 1/kT, 1/eV."""
    forward, back = (1.0 - numbers[TRANSFER]) * beta, numbers[TRANSFER] * beta
    metal, medium, here, before = np.nan, np.nan, -1, -1
    for site in range(len(fields)):
        if fields[site, METAL_POTENTIAL] != metal:
            metal, here = fields[site, METAL_POTENTIAL], site
            fields[site, OXIDATION_METAL] = np.exp(forward * metal)
            fields[site, REDUCTION_METAL] = np.exp(-back * metal)
        else:
            fields[site, OXIDATION_METAL] = fields[here, OXIDATION_METAL]
            fields[site, REDUCTION_METAL] = fields[here, REDUCTION_METAL]
        if fields[site, MEDIUM_POTENTIAL] != medium:
            medium, before = fields[site, MEDIUM_POTENTIAL], site
            above = medium + numbers[EQUILIBRIUM]
            oxidation, reduction = np.exp(-forward * above), np.exp(back * above)
            fields[site, OXIDATION_MEDIUM] = numbers[OXIDATION_RATE] * oxidation
            fields[site, REDUCTION_MEDIUM] = numbers[REDUCTION_RATE] * reduction
            fields[site, ION_FROM] = np.exp(0.5 * beta * medium)
            fields[site, ION_TO] = np.exp(-0.5 * beta * medium)
        else:
            for column in (OXIDATION_MEDIUM, REDUCTION_MEDIUM, ION_FROM, ION_TO):
                fields[site, column] = fields[before, column]
