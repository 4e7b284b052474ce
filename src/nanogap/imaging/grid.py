"""Pixels of an image: where they lie, and how many there may be."""

import math
from dataclasses import dataclass

import numpy as np

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray

#: Pixels of an image at most: some arrays of them have to fit into the memory.
MOST_PIXELS = 16_000_000


@dataclass(frozen=True)
class PixelGrid:
    """Square pixels of an image; x to the right, y upwards.

    Attributes
    ----------
    left, bottom : float
        Outer edges of the first pixel, angstrom.
    pixel : float
        Length of its side, angstrom.
    columns, rows : int
        Numbers of pixels along x and y.

    Raises
    ------
    SettingsError
        If the side is no positive number, or there are no pixels or too many.

    Examples
    --------
    >>> grid = PixelGrid.around((0.0, 0.0), (10.0, 6.0), 0.5)
    >>> grid.shape, grid.extent
    ((12, 20), (-5.0, 5.0, -3.0, 3.0))
    >>> PixelGrid.around((0.0, 0.0), (10.0, 6.0), 0.0)
    Traceback (most recent call last):
    nanogap.errors.SettingsError: pixel = 0: give a length in angstrom above 0
    """

    left: float
    bottom: float
    pixel: float
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if not 1 <= self.columns * self.rows <= MOST_PIXELS:
            raise SettingsError(
                f"an image of {self.columns} x {self.rows} pixels of {self.pixel:g} Å: there may "
                f"be 1 to {MOST_PIXELS}: choose larger pixels, or a smaller field of view"
            )

    @classmethod
    def around(
        cls, centre: tuple[float, float], size: tuple[float, float], pixel: float
    ) -> "PixelGrid":
        """Return the pixels around a point.

        Parameters
        ----------
        centre : tuple of float
            Of the image, x and y, angstrom.
        size : tuple of float
            Width and height, angstrom; rounded up to whole pixels.
        pixel : float
            angstrom.
        """
        if not (math.isfinite(pixel) and pixel > 0.0):
            raise SettingsError(f"pixel = {pixel:g}: give a length in angstrom above 0")
        if not all(math.isfinite(one) and one > 0.0 for one in size):
            raise SettingsError(
                f"field of view = {size[0]:g} x {size[1]:g}: give lengths in angstrom above 0"
            )
        # a whole number of pixels is not one more for a rounding error
        columns, rows = (math.ceil(one / pixel - 1e-9) for one in size)
        left, bottom = centre[0] - columns * pixel / 2.0, centre[1] - rows * pixel / 2.0
        return cls(left, bottom, pixel, columns, rows)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def x(self) -> FloatArray:
        """Centres of the columns, shape (columns,), angstrom."""
        return self.left + self.pixel * (np.arange(self.columns, dtype=np.float64) + 0.5)

    @property
    def y(self) -> FloatArray:
        """Centres of the rows, shape (rows,), angstrom."""
        return self.bottom + self.pixel * (np.arange(self.rows, dtype=np.float64) + 0.5)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Outer edges: left, right, bottom, top, angstrom."""
        right = self.left + self.columns * self.pixel
        return self.left, right, self.bottom, self.bottom + self.rows * self.pixel

    def padded(self, pixels: int) -> "PixelGrid":
        """Return the grid with so many pixels more on every side."""
        return PixelGrid(
            self.left - pixels * self.pixel,
            self.bottom - pixels * self.pixel,
            self.pixel,
            self.columns + 2 * pixels,
            self.rows + 2 * pixels,
        )


def cropped(values: FloatArray, pixels: int) -> FloatArray:
    """Return an image without so many pixels on every side."""
    return values[pixels:-pixels, pixels:-pixels] if pixels else values
