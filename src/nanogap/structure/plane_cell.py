"""Cells in the plane across the transport: the shortest vectors of one lattice."""

import numpy as np

from nanogap.typing import FloatArray, Int64Array

#: A cell counts as reduced although its vectors' projections exceed a half by this, so that
#: rounding decides nothing in hexagonal cells, where they are a half.
_ROUNDING = 1e-6


def reduced_plane(cell: FloatArray, periodic: tuple[bool, bool]) -> tuple[FloatArray, Int64Array]:
    """Reduce the in-plane cell of a junction to the shortest vectors of its lattice.

    By the algorithm of Lagrange and Gauss: the longer vector loses the shorter as often as makes it
    shorter (Nguyen & Stehlé, ACM Trans. Algorithms 5, 46 (2009), doi:10.1145/1597036.1597050).

    Parameters
    ----------
    cell : ndarray, shape (2, 2)
        Vectors as rows, angstrom.
    periodic : tuple of bool
        Along which of them the junction repeats; unless along both, the cell is reduced already.

    Returns
    -------
    reduced : ndarray, shape (2, 2)
        Angstrom; as given if it is reduced already.
    matrix : ndarray of int, shape (2, 2)
        Of determinant 1 or -1, with reduced = matrix @ cell.
    """
    matrix: Int64Array = np.eye(2, dtype=np.int64)
    vectors = np.array(cell, dtype=np.float64)
    if not all(periodic) or not np.isfinite(vectors).all():
        return vectors, matrix
    while True:
        lengths = (vectors**2).sum(axis=1)
        short = int(lengths.argmin())
        steps = float(vectors[0] @ vectors[1]) / max(float(lengths[short]), 1e-300)
        if abs(steps) <= 0.5 + _ROUNDING or not np.isfinite(steps) or abs(steps) > 2.0**31:
            return vectors, matrix
        matrix[1 - short] -= round(steps) * matrix[short]
        vectors = matrix.astype(np.float64) @ np.asarray(cell, dtype=np.float64)
