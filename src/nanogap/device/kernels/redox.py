"""Redox in place: a metal atom and an ion at the same site, Butler-Volmer with the kink as zero.

A metal neighbour j at potential V_j takes the electron. With U the energy of the site, phi(12) that
of a kink, D = U - phi(12), and eta_j = V_j - V(site) - E_eq,

    oxidation   k0/n sum_j exp(((1 - alpha) e eta_j + (1 - sigma) D)/kT)
    reduction   k0/(theta n) sum_j exp(-(alpha e eta_j + sigma D)/kT)    per ion,

alpha the transfer coefficient of the overpotential, sigma that of the site's energy; k0 follows
the temperature by an activation energy.

Each neighbour is a reservoir of its own with weight 1/n, so a site between two electrodes obeys
detailed balance with either. Sites whose neighbours are all metal take no part: an ion needs room.
No rate exceeds the prefactor of metal hops, and the slower rate of a pair not its cap; both scale
the pair alike. An atom without metal neighbours is oxidized at once; the reverse would be slower
than 1e-30 of any other rate, and is left out.
"""

import numpy as np

from nanogap.device.kernels.arrays import (
    BOUND_RANGE,
    ENERGY,
    EQUILIBRIUM,
    EXCHANGE_BARRIER,
    MEAN_BETA,
    MEDIUM_POTENTIAL,
    METAL_POTENTIAL,
    OUTSIDE,
    OXIDATION_MEDIUM,
    OXIDATION_METAL,
    OXIDATION_RATE,
    PHI,
    PREFACTOR,
    REDOX_CAP,
    REDUCTION_MEDIUM,
    REDUCTION_METAL,
    REDUCTION_RATE,
    SITE_TRANSFER,
    STATE,
    TRANSFER,
    Int32Array,
    LinkArray,
)
from nanogap.device.kernels.compiling import compiled, inlined
from nanogap.device.lattice import METAL
from nanogap.typing import FloatArray


@compiled
def channel(
    grid: Int32Array,
    fields: FloatArray,
    inverse_temperature: FloatArray,
    levels: Int32Array,
    bound: FloatArray,
    numbers: FloatArray,
    site: int,
    neighbour: int,
) -> tuple[float, float]:
    """Return oxidation and reduction rates by one metal neighbour, without throttling, 1/s."""
    gain = grid[site, ENERGY] - levels[PHI, 12]  # above a kink, meV
    if len(inverse_temperature) > 1:
        beta = inverse_temperature[site]
        eta = fields[neighbour, METAL_POTENTIAL] - fields[site, MEDIUM_POTENTIAL]
        eta -= numbers[EQUILIBRIUM]
        share = 1e-3 * numbers[SITE_TRANSFER] * gain
        oxidation = np.exp(beta * ((1.0 - numbers[TRANSFER]) * eta + 1e-3 * gain - share))
        reduction = np.exp(-beta * (numbers[TRANSFER] * eta + share))
        exchange = np.exp(-numbers[EXCHANGE_BARRIER] * (beta - numbers[MEAN_BETA]))
        oxidation *= exchange * numbers[OXIDATION_RATE]
        return oxidation, exchange * numbers[REDUCTION_RATE] * reduction
    place = min(max(gain + BOUND_RANGE, 0), 2 * BOUND_RANGE)
    oxidation = fields[neighbour, OXIDATION_METAL] * fields[site, OXIDATION_MEDIUM]
    reduction = fields[neighbour, REDUCTION_METAL] * fields[site, REDUCTION_MEDIUM]
    return oxidation * bound[0, place], reduction * bound[1, place]


@compiled
def rate(
    around: LinkArray,
    grid: Int32Array,
    fields: FloatArray,
    inverse_temperature: FloatArray,
    levels: Int32Array,
    bound: FloatArray,
    numbers: FloatArray,
    site: int,
) -> float:
    """Return the rate at which a metal atom is oxidized or an ion reduced, 1/s."""
    metal, others = 0, 0
    oxidation, reduction = 0.0, 0.0
    last_potential, last_oxidation, last_reduction = np.nan, 0.0, 0.0
    for direction in range(12):
        other = around[site, direction]
        if grid[other, STATE] == METAL:
            metal += 1
            if fields[other, METAL_POTENTIAL] != last_potential:
                last_potential = fields[other, METAL_POTENTIAL]
                last_oxidation, last_reduction = channel(
                    grid, fields, inverse_temperature, levels, bound, numbers, site, other
                )
            oxidation += last_oxidation
            reduction += last_reduction
        elif grid[other, STATE] != OUTSIDE:
            others += 1
    is_metal = grid[site, STATE] == METAL
    if metal == 0:
        return numbers[PREFACTOR] if is_metal else 0.0
    if others == 0:
        return 0.0
    oxidation, reduction = oxidation / metal, reduction / metal
    scale = 1.0
    if max(oxidation, reduction) > numbers[PREFACTOR]:
        scale = numbers[PREFACTOR] / max(oxidation, reduction)
    slower = scale * min(oxidation, reduction)
    if slower > numbers[REDOX_CAP]:
        scale *= numbers[REDOX_CAP] / slower
    return scale * (oxidation if is_metal else reduction)


@compiled
def choose_neighbour(
    around: LinkArray,
    grid: Int32Array,
    fields: FloatArray,
    inverse_temperature: FloatArray,
    levels: Int32Array,
    bound: FloatArray,
    numbers: FloatArray,
    site: int,
    share: float,
) -> int:
    """Return the metal neighbour that takes or gives the electron; ``share`` is from 0 to 1."""
    which = 0 if grid[site, STATE] == METAL else 1
    total = 0.0
    for direction in range(12):
        other = around[site, direction]
        if grid[other, STATE] == METAL:
            total += channel(
                grid, fields, inverse_temperature, levels, bound, numbers, site, other
            )[which]
    target = share * total
    chosen = -1
    for direction in range(12):
        other = around[site, direction]
        if grid[other, STATE] == METAL:
            chosen = other
            target -= channel(
                grid, fields, inverse_temperature, levels, bound, numbers, site, other
            )[which]
            if target < 0.0:
                break
    return chosen


@inlined
def take_potential(fields: FloatArray, site: int, donor: int) -> None:
    """Give new metal the potential of the metal it touches."""
    fields[site, METAL_POTENTIAL] = fields[donor, METAL_POTENTIAL]
    fields[site, OXIDATION_METAL] = fields[donor, OXIDATION_METAL]
    fields[site, REDUCTION_METAL] = fields[donor, REDUCTION_METAL]
