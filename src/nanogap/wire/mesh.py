r"""Round wires on finite volumes along their axis, and their mean curvature.

The variable is q = R^2 = A/pi, the square of the radius: its integral is the volume, and what is
needed of a surface of revolution stays finite where R becomes small:

    K = [q + q'^2/2 - q q''/2]/(q + q'^2/4)^(3/2)
    R/(1 + R'^2)^(1/2) = q/(q + q'^2/4)^(1/2)

K is the sum of both principal curvatures, 1/R of a cylinder and 2/R of a sphere.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Mesh:
    """Finite volumes along a wire.

    Attributes
    ----------
    faces : ndarray, shape (n_cells + 1,)
        m, from 0 to the length of the wire.
    """

    faces: FloatArray

    @property
    def widths(self) -> FloatArray:
        """Widths of the cells, shape (n_cells,), m."""
        return np.diff(self.faces)

    @property
    def centres(self) -> FloatArray:
        """Middles of the cells, shape (n_cells,), m."""
        return (self.faces[1:] + self.faces[:-1]) / 2.0

    @property
    def distances(self) -> FloatArray:
        """Distances of the middles of neighbours, shape (n_cells - 1,), m."""
        return np.diff(self.centres)

    def slopes(self, values: FloatArray) -> FloatArray:
        """Return the derivative of cell values at the inner faces, shape (n_cells - 1,)."""
        return np.diff(values) / self.distances

    def at_faces(self, values: FloatArray) -> FloatArray:
        """Return cell values at the inner faces, shape (n_cells - 1,), linear in between."""
        half = self.widths / 2.0
        return (values[:-1] * half[1:] + values[1:] * half[:-1]) / self.distances

    def curvature(self, squares: FloatArray) -> FloatArray:
        """Return the curvature K of the surface at the middles of the cells, 1/m.

        The wire goes on beyond its ends as its mirror image.

        Parameters
        ----------
        squares : ndarray, shape (n_cells,)
            q, m^2.
        """
        slopes = np.concatenate([[0.0], self.slopes(squares), [0.0]])
        # distances to the neighbours; a mirror image is one width away
        gaps = np.concatenate([self.widths[:1], self.distances, self.widths[-1:]])
        # the parabola through three middles, also where they are not equally far apart
        span = gaps[1:] + gaps[:-1]
        second = 2.0 * np.diff(slopes) / span
        first = (slopes[:-1] * gaps[1:] + slopes[1:] * gaps[:-1]) / span
        metric = squares + first**2 / 4.0
        return np.asarray((squares + first**2 / 2.0 - squares * second / 2.0) / metric**1.5)

    def perimeters(self, squares: FloatArray) -> FloatArray:
        """Return R/(1 + R'^2)^(1/2) at the inner faces, shape (n_cells - 1,), m."""
        middle, slope = self.at_faces(squares), self.slopes(squares)
        return np.asarray(middle / np.sqrt(middle + slope**2 / 4.0))

    def refined(
        self, squares: FloatArray, chosen: BoolArray
    ) -> tuple["Mesh", FloatArray, IntArray]:
        """Halve some cells, and give each half its volume by a slope that makes no new extremum.

        Parameters
        ----------
        squares : ndarray, shape (n_cells,)
            q, m^2.
        chosen : ndarray of bool, shape (n_cells,)

        Returns
        -------
        Mesh
        squares : ndarray
            Of the new cells; the volume is the same.
        origin : ndarray of int
            Cell of this mesh that each new cell was in.
        """
        at_faces = np.concatenate([[0.0], self.slopes(squares), [0.0]])
        left, right = at_faces[:-1], at_faces[1:]
        slope = np.where(left * right > 0.0, np.sign(left) * np.minimum(abs(left), abs(right)), 0.0)
        counts = 1 + chosen.astype(np.int64)
        origin = np.repeat(np.arange(len(squares)), counts)
        second = np.concatenate([[False], origin[1:] == origin[:-1]])
        sign = np.where(second, 1.0, -1.0) * chosen[origin]
        fresh = squares[origin] + sign * (slope * self.widths)[origin] / 4.0
        faces = np.sort(np.concatenate([self.faces, self.centres[chosen]]))
        return Mesh(faces), fresh, origin


def graded(widths: FloatArray, chosen: BoolArray, reach: int) -> BoolArray:
    """Add cells to those that are to be halved, so that the mesh gets finer by degrees.

    Parameters
    ----------
    widths : ndarray, shape (n_cells,)
        m.
    chosen : ndarray of bool, shape (n_cells,)
    reach : int
        So many neighbours on either side of a chosen cell are halved too, if they are as wide; and
        of two neighbours none stays more than twice as wide as the other.

    Returns
    -------
    ndarray of bool, shape (n_cells,)
    """
    narrow = np.where(chosen, widths, np.inf)
    near = np.pad(narrow, reach, constant_values=np.inf)
    least = np.lib.stride_tricks.sliding_window_view(near, 2 * reach + 1).min(axis=1)
    added = np.array(chosen | (widths >= 0.99 * least))
    while True:
        halved = np.where(added, widths / 2.0, widths)
        limit = np.full(len(widths), np.inf)
        limit[1:] = 2.1 * halved[:-1]
        limit[:-1] = np.minimum(limit[:-1], 2.1 * halved[1:])
        more = halved > limit
        if not (more & ~added).any():
            return added
        added |= more


def uniform_mesh(length: float, spacing: float) -> Mesh:
    """Return equal cells that are no wider than a spacing, m."""
    return Mesh(np.linspace(0.0, length, max(8, int(np.ceil(length / spacing))) + 1))
