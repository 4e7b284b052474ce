r"""The outline of a wire: a surface of revolution, whole or parted.

The squares of the radii are linear between the given places, so that cells of constant R^2 and caps
of spheres (R^2 is a parabola) both are what they are.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.typing import FloatArray
from nanogap.wire.gap import cap_height
from nanogap.wire.measurement import Moment
from nanogap.wire.result import WireResult

_PER_METRE = 1e10
_PER_NANOMETRE = 10.0
#: Points that draw the cap of a sphere.
_CAP_POINTS = 101


@dataclass(frozen=True, eq=False)
class Outline:
    """A body of revolution about the x axis.

    Attributes
    ----------
    places : ndarray, shape (n,)
        Along the axis, in order, angstrom.
    squares : ndarray, shape (n,)
        Squares of the radii there, square angstrom; 0 where there is no metal.

    Examples
    --------
    >>> rod = Outline(np.array([0.0, 10.0]), np.array([4.0, 4.0]))
    >>> rod.radius(np.array([5.0, 11.0])).tolist()
    [2.0, 0.0]
    >>> round(rod.volume / (np.pi * 4.0 * 10.0), 9)
    1.0
    """

    places: FloatArray
    squares: FloatArray

    def square(self, x: FloatArray) -> FloatArray:
        """Return the square of the radius at places, square angstrom; 0 beyond the ends."""
        return np.interp(x, self.places, self.squares, left=0.0, right=0.0)

    def radius(self, x: FloatArray) -> FloatArray:
        """Return the radius at places, angstrom."""
        return np.sqrt(self.square(x))

    def slope(self, x: FloatArray) -> FloatArray:
        """Return the slope d(R^2)/dx at places, angstrom; between two given places it is linear.

        It is that of the middles of the parts between the places, so that it has no steps.
        """
        lengths = np.maximum(np.diff(self.places), 1e-9)
        middles = (self.places[1:] + self.places[:-1]) / 2.0
        return np.interp(x, middles, np.diff(self.squares) / lengths)

    @property
    def volume(self) -> float:
        """Cubic angstrom."""
        return float(np.pi * np.trapezoid(self.squares, self.places))

    @property
    def thickest(self) -> float:
        """Largest radius, angstrom."""
        return float(np.sqrt(self.squares.max()))

    @property
    def neck(self) -> float:
        """Place of the neck, or of the middle of the gap, angstrom."""
        least = np.flatnonzero(self.squares <= self.squares.min() * (1.0 + 1e-9))
        return float((self.places[least[0]] + self.places[least[-1]]) / 2.0)


def outline_of(moment: Moment) -> Outline:
    """Return the outline of a wire at a moment.

    Parameters
    ----------
    moment : Moment
        Its cells reach half a cell beyond the first and the last place.
    """
    x, edges = moment.positions * _PER_METRE, _edges(moment) * _PER_METRE
    squares = (moment.radii * _PER_METRE) ** 2
    ends = [squares[0]], [squares[-1]]
    places = np.concatenate([edges[:1], x, edges[-1:]])
    return Outline(places, np.concatenate([ends[0], squares, ends[1]]))


def parted_outline(moment: Moment, result: WireResult) -> Outline:
    """Return the outline of a wire after its breakdown: two needles with caps of spheres.

    Parameters
    ----------
    moment : Moment
        The last one before the neck parted.
    result : WireResult
        What became of the wire; it has parted.

    Returns
    -------
    Outline
        On each side of the neck what retracted is the cap of a sphere, of the same volume, on what
        stays: `nanogap.wire.gap`.
    """
    edges = _edges(moment) * _PER_METRE
    squares = (moment.radii * _PER_METRE) ** 2
    neck = int(np.argmin(squares))
    parts = []
    for side, base in zip(
        (slice(neck, None, -1), slice(neck, None)), result.tip_bases, strict=True
    ):
        own = np.diff(edges)[side].copy()
        own[0] /= 2.0
        parts.append(_needle(own, squares[side], base * _PER_NANOMETRE))
    middle = moment.positions[neck] * _PER_METRE
    (below, below_squares), (above, above_squares) = parts
    return Outline(
        np.concatenate([(middle - below)[::-1], middle + above]),
        np.concatenate([below_squares[::-1], above_squares]),
    )


def _edges(moment: Moment) -> FloatArray:
    """Return the borders of the cells, whose centres the places are, m."""
    edges = [0.0]
    for centre in moment.positions:
        edges.append(2.0 * centre - edges[-1])
    return np.array(edges)


def _needle(widths: FloatArray, squares: FloatArray, base: float) -> tuple[FloatArray, FloatArray]:
    """Return distances from the neck, from the tip on, and the squares of the radii there."""
    same = np.isclose(np.sqrt(squares), base, rtol=1e-9, atol=0.0)
    # where nothing stays, all up to the contact has become the cap
    count = int(np.argmax(same)) if same.any() else len(squares)
    length = float(widths[:count].sum())
    height = cap_height(float(np.pi * (squares * widths)[:count].sum()), base)
    sphere = (base**2 + height**2) / (2.0 * height)
    # dense towards the tip, where the radius grows fast
    depth = height * np.linspace(0.0, 1.0, _CAP_POINTS) ** 2
    tip = max(length - height, 0.0)
    cap = tip + depth, np.minimum(depth * (2.0 * sphere - depth), sphere**2)
    away = (np.cumsum(widths) - widths / 2.0)[count:]
    end = float(widths.sum())
    behind = away > cap[0][-1]
    places = np.concatenate([cap[0], away[behind], [max(end, cap[0][-1])]])
    last = squares[-1]
    return places, np.concatenate([cap[1], squares[count:][behind], [last]])
