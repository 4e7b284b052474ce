"""Fit the coupling through vacuum to first-principles transmissions of gaps and contacts.

The decay follows from the work function; the two amplitudes, the relief of the barrier in narrow
gaps, and where the tail takes over are fitted to logarithms of transmissions (PWCOND).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import constants
from scipy.optimize import least_squares

from nanogap.transport.fitting.metal_size import relative_size
from nanogap.transport.fitting.reference_transmissions import ReferenceJunction
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.vacuum import VacuumTail
from nanogap.typing import FloatArray

#: First guess and bounds of a_s, a_p (eV^(1/2)), delta (1/angstrom), beta, and of the distances
#: between which the tail takes over (angstrom; for other metals than silver times their size).
#: Larger a_p and beta draw empty bands of stretched wires down to 1 eV above the Fermi energy.
_GUESS = (0.39, 0.23, 0.42, 0.3, 3.6, 5.5)
_BOUNDS = ((0.0, 0.0, 0.0, 0.0, 3.0, 4.8), (1.0, 0.35, 1.0, 1.0, 4.6, 7.0))
#: Transmissions below this are none.
_NOTHING = 1e-30
#: Meshes wider than this add nothing to the fit but time.
_MESH = 12


def vacuum_decay(work_function: float) -> float:
    """Compute the decay of amplitudes in vacuum at the Fermi energy, sqrt(2 m W)/hbar.

    The decay in a barrier of that height: Simmons, J. Appl. Phys. 34, 1793 (1963),
    doi:10.1063/1.1702682.

    Parameters
    ----------
    work_function : float
        eV.

    Returns
    -------
    float
        kappa, 1/angstrom.
    """
    energy = 2.0 * constants.m_e * work_function * constants.e
    return float(math.sqrt(energy) / constants.hbar * constants.angstrom)


def fit_vacuum(
    model: TightBindingModel,
    work_function: float,
    junctions: Sequence[ReferenceJunction],
    report: Callable[[str], None],
) -> TightBindingModel:
    """Fit the vacuum tail: amplitudes, relief of its decay, onset.

    Parameters
    ----------
    model : TightBindingModel
        Its two-centre part is kept.
    work_function : float
        eV.
    junctions : sequence of ReferenceJunction
        To whose logarithms of transmissions it is fitted.
    report : callable
        Called with a line of text after every evaluation.

    Returns
    -------
    TightBindingModel
        The model with a `VacuumTail`.
    """
    decay, size = vacuum_decay(work_function), relative_size(model.element)
    wanted = np.array([junction.transmission for junction in junctions])

    def with_tail(values: FloatArray) -> TightBindingModel:
        s, p, relief, protrusion, start, end = (float(value) for value in values)
        tail = VacuumTail(
            decay,
            s,
            p,
            relief,
            protrusion=protrusion,
            onset=(start * size, end * size),
            bond=_scaled(VacuumTail.bond, size),
            between=_scaled(VacuumTail.between, size),
        )
        return replace(model, vacuum=tail)

    def residuals(values: FloatArray) -> FloatArray:
        tailed = with_tail(values)
        found = [
            float(
                compute_transmission(
                    [junction.atoms],
                    kpoints=(min(junction.kpoints[0], _MESH), min(junction.kpoints[1], _MESH)),
                    gamma_centred=junction.gamma_centred,
                    model=tailed,
                )["transmission_average"].item()
            )
            for junction in junctions
        ]
        result: FloatArray = np.log((np.array(found) + _NOTHING) / wanted)
        report(f"vacuum tail {np.round(values, 4)}: errors of ln T {np.round(result, 3)}")
        return result

    solution = least_squares(
        residuals, _GUESS, bounds=_BOUNDS, diff_step=0.02, max_nfev=20, xtol=1e-3, loss="soft_l1"
    )
    return with_tail(solution.x)


def _scaled(lengths: tuple[float, float], size: float) -> tuple[float, float]:
    return round(lengths[0] * size, 2), round(lengths[1] * size, 2)
