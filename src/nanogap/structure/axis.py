"""Axis of the cell of the ``paper`` cut, from snapshot to snapshot of one run.

A cell around each snapshot's own constriction moves with every vibration, and T jumps because
the cell does. So it is held once the tips have touched, until the filament has wandered off.
"""

import numpy as np
from numpy.typing import NDArray

from nanogap.structure.tips import nearest_neighbour_distance
from nanogap.typing import FloatArray


def reach(lattice_constant: float, lead_repeats: int) -> float:
    """Return how far the constriction may be from the axis of a cell that is held.

    Half the radius of the largest circle in the cell, so that the atoms around the constriction
    are well inside.

    Parameters
    ----------
    lattice_constant : float
        Angstrom.
    lead_repeats : int
        Width of the cell in bond lengths.

    Returns
    -------
    float
        Angstrom.
    """
    inscribed = lead_repeats * nearest_neighbour_distance(lattice_constant) * np.sqrt(3.0) / 4.0
    return float(inscribed / 2.0)


def held_axes(constriction: FloatArray, bonded: NDArray[np.bool_], farthest: float) -> FloatArray:
    """Choose the axis of the cell of every snapshot; each depends on earlier ones only.

    Before the first contact it is the constriction of the snapshot: an open gap has no
    filament to hold on to. From then on it stays until the constriction is farther from it
    than `farthest`, and then begins anew there.

    Parameters
    ----------
    constriction : ndarray, shape (n_snapshots, 2)
        In-plane position of the constriction, angstrom, in order of time.
    bonded : ndarray of bool, shape (n_snapshots,)
        Whether bonds lead from tip to tip.
    farthest : float
        Angstrom; see `reach`.

    Returns
    -------
    ndarray, shape (n_snapshots, 2)
        Angstrom.
    """
    axes = np.array(constriction, dtype=np.float64)
    touched = np.logical_or.accumulate(bonded) if len(bonded) else bonded
    for number in range(1, len(axes)):
        kept = axes[number - 1]
        near = np.linalg.norm(axes[number] - kept) <= farthest
        if touched[number - 1] and near:
            axes[number] = kept
    return axes
