"""Line of sight between two atoms, free of other atoms or not."""

import numpy as np
from numba import njit

from nanogap.typing import FloatArray, IntArray

#: Atoms are looked up in cubes of this edge, angstrom.
_EDGE = 3.0
#: An obstacle nearer to an end of a line is that end, angstrom: no other atom is so near.
_SAME = 1e-6


def openness(
    starts: FloatArray,
    vectors: FloatArray,
    obstacles: FloatArray,
    between: tuple[float, float],
    parts: FloatArray | None = None,
) -> FloatArray:
    """Compute how far the lines between pairs of atoms are free of other atoms, 0 to 1.

    Parameters
    ----------
    starts, vectors : ndarray, shape (n_pairs, 3)
        Position of one atom of each pair, and from it to the other, angstrom.
    obstacles : ndarray, shape (n_obstacles, 3)
        All atoms that may stand between, the pairs' own included, angstrom.
    between : tuple of float
        See `nanogap.transport.tight_binding.vacuum.VacuumTail`.
    parts : ndarray, shape (n_obstacles,), optional
        How far each obstacle is there, 0 to 1; default: wholly.

    Returns
    -------
    ndarray, shape (n_pairs,)
        Product over all other atoms of a smooth step in their distance from the line.
    """
    if not len(starts) or not len(obstacles):
        return np.ones(len(starts))
    low = obstacles.min(axis=0)
    cubes = ((obstacles - low) / _EDGE).astype(np.intp)
    counts = cubes.max(axis=0) + 1
    number = np.ravel_multi_index(tuple(cubes.T), tuple(counts))
    order = np.argsort(number, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=int(counts.prod())))])
    there = np.ones(len(obstacles)) if parts is None else parts[order]
    result: FloatArray = _free(
        starts, vectors, obstacles[order], there, ends, low, counts, *between
    )
    return result


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _free(  # noqa: PLR0917 the arrays of one loop
    starts: FloatArray,
    vectors: FloatArray,
    obstacles: FloatArray,
    parts: FloatArray,
    ends: IntArray,
    low: FloatArray,
    counts: IntArray,
    near: float,
    far: float,
) -> FloatArray:
    result = np.ones(len(starts))
    first, last = np.empty(3, dtype=np.intp), np.empty(3, dtype=np.intp)
    for pair in range(len(starts)):
        start, line = starts[pair], vectors[pair]
        for axis in range(3):
            least = min(start[axis], start[axis] + line[axis]) - far - low[axis]
            most = max(start[axis], start[axis] + line[axis]) + far - low[axis]
            first[axis] = max(0, int(np.floor(least / _EDGE)))
            last[axis] = min(counts[axis] - 1, int(np.floor(most / _EDGE)))
        free = 1.0
        for i in range(first[0], last[0] + 1):
            for j in range(first[1], last[1] + 1):
                # the cubes of a column follow each other, and so do their atoms
                column = (i * counts[1] + j) * counts[2]
                for atom in range(ends[column + first[2]], ends[column + last[2] + 1]):
                    passed = _passed(obstacles[atom], start, line, near, far)
                    if parts[atom] < 1.0:
                        passed = 1.0 - parts[atom] * (1.0 - passed)
                    free *= passed
                if free == 0.0:
                    break
            if free == 0.0:
                break
        result[pair] = free
    return result


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _passed(
    place: FloatArray, start: FloatArray, line: FloatArray, near: float, far: float
) -> float:
    """Compute how far one atom leaves a line free; its ends are no obstacles."""
    along = length = from_start = from_end = 0.0
    for axis in range(3):
        offset = place[axis] - start[axis]
        along += offset * line[axis]
        length += line[axis] ** 2
        from_start += offset**2
        from_end += (offset - line[axis]) ** 2
    if min(from_start, from_end) < _SAME**2:
        return 1.0
    along = min(1.0, max(0.0, along / length))
    distance = 0.0
    for axis in range(3):
        distance += (place[axis] - start[axis] - along * line[axis]) ** 2
    x = min(1.0, max(0.0, (np.sqrt(distance) - near) / (far - near)))
    free: float = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    return free
