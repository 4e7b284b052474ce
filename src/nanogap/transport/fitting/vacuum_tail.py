"""Fit the coupling through vacuum to first-principles transmissions of gaps and contacts.

The decay follows from the work function; the two amplitudes, the relief of the barrier in narrow
gaps, and where the tail takes over are fitted to logarithms of transmissions (PWCOND).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from scipy import constants
from scipy.optimize import least_squares

from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.vacuum import VacuumTail

#: First guess and bounds of a_s, a_p (eV^(1/2)), delta (1/angstrom), beta, and of the distances
#: between which the tail takes over (angstrom).
_GUESS = (0.39, 0.23, 0.42, 0.3, 3.6, 5.5)
_BOUNDS = ((0.0, 0.0, 0.0, 0.0, 3.0, 4.8), (1.0, 1.0, 1.0, 2.0, 4.6, 7.0))
#: Transmissions below this are none.
_NOTHING = 1e-30
#: Meshes wider than this add nothing to the fit but time.
_MESH = 12


def vacuum_decay(work_function: float) -> float:
    """Decay of amplitudes in vacuum at the Fermi energy, sqrt(2 m W)/hbar, 1/angstrom.

    Parameters
    ----------
    work_function : float
        eV.
    """
    energy = 2.0 * constants.m_e * work_function * constants.e
    return float(math.sqrt(energy) / constants.hbar * constants.angstrom)


def junction_of(entry: dict[str, Any], element: str) -> Atoms:
    """Make a junction of an entry of the reference data."""
    atoms = Atoms(
        f"{element}{len(entry['positions'])}",
        entry["positions"],
        cell=entry["cell"],
        pbc=entry["pbc"],
    )
    atoms.new_array("region", np.array(entry["region"]))
    atoms.info.update(left_period=entry["left_period"], right_period=entry["right_period"])
    return atoms


def fit_vacuum(
    model: TightBindingModel,
    work_function: float,
    entries: Sequence[dict[str, Any]],
    tell: Callable[[str], None],
) -> TightBindingModel:
    """Fit the tail: amplitudes, relief of its decay, onset.

    Parameters
    ----------
    model : TightBindingModel
        Its two-centre part is kept.
    work_function : float
        eV.
    entries : sequence of dict
        Reference junctions: ``positions``, ``cell``, ``pbc``, ``region``, periods, ``kpoints``,
        ``gamma_centred`` and ``transmission`` at the Fermi energy.
    tell : callable
        Called with a line of text after every evaluation.

    Returns
    -------
    TightBindingModel
        With a `VacuumTail`.
    """
    decay = vacuum_decay(work_function)
    junctions = [junction_of(entry, model.element) for entry in entries]
    wanted = np.array([entry["transmission"][0] for entry in entries])

    def with_tail(values: Any) -> TightBindingModel:
        s, p, relief, protrusion, start, end = (float(value) for value in values)
        tail = VacuumTail(decay, s, p, relief, protrusion=protrusion, onset=(start, end))
        return replace(model, vacuum=tail)

    def residuals(values: Any) -> Any:
        tailed = with_tail(values)
        found = [
            float(
                compute_transmission(
                    [junction],
                    kpoints=(min(entry["kpoints"][0], _MESH), min(entry["kpoints"][1], _MESH)),
                    gamma_centred=entry["gamma_centred"],
                    model=tailed,
                )["transmission_average"].item()
            )
            for junction, entry in zip(junctions, entries, strict=True)
        ]
        result = np.log((np.array(found) + _NOTHING) / wanted)
        tell(f"vacuum tail {np.round(values, 4)}: errors of ln T {np.round(result, 3)}")
        return result

    solution = least_squares(
        residuals, _GUESS, bounds=_BOUNDS, diff_step=0.02, max_nfev=20, xtol=1e-3, loss="soft_l1"
    )
    return with_tail(solution.x)
