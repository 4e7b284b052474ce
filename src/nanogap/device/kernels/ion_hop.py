"""Hops of ions to an empty nearest neighbour, with half the work of the field each way.

k = nu exp(-(E_m + e (V_end - V_start)/2)/kT). In a uniform field this is the law of Mott and
Gurney, sinh(e F d/2kT). Ions feel no other energy and block sites. A cap acts on the slower rate
of a pair and scales both.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    ION_BARRIER,
    ION_CAP,
    ION_FROM,
    ION_PREFACTOR,
    ION_RATE,
    ION_TO,
    MEDIUM_POTENTIAL,
    LinkArray,
)
from nanogap.device.kernels.compiling import compiled
from nanogap.device.kernels.masks import empty_around, first_direction
from nanogap.typing import FloatArray


@compiled
def fill_rates(
    around: LinkArray,
    masks: LinkArray,
    fields: FloatArray,
    inverse_temperature: FloatArray,
    numbers: FloatArray,
    site: int,
    rates: FloatArray,
) -> float:
    """Fill in the rates of an ion's hops in the twelve directions; return their sum, 1/s."""
    total = 0.0
    for direction in range(12):
        rates[direction] = 0.0
    bits = empty_around(masks, site)
    while bits != 0:
        direction = first_direction(bits)
        bits &= bits - 1
        end = around[site, direction]
        if len(inverse_temperature) > 1:
            beta = 0.5 * (inverse_temperature[site] + inverse_temperature[end])
            base = numbers[ION_PREFACTOR] * np.exp(-beta * numbers[ION_BARRIER])
            rise = fields[end, MEDIUM_POTENTIAL] - fields[site, MEDIUM_POTENTIAL]
            forward = base * np.exp(-0.5 * beta * rise)
            back = base * np.exp(0.5 * beta * rise)
        else:
            base = numbers[ION_RATE]
            forward = base * (fields[site, ION_FROM] * fields[end, ION_TO])
            back = base * (fields[end, ION_FROM] * fields[site, ION_TO])
        slower = min(forward, back)
        if slower > numbers[ION_CAP]:
            forward *= numbers[ION_CAP] / slower
        rates[direction] = forward
        total += forward
    return total
