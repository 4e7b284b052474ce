r"""Shading like that of a scanning electron microscope, from the tilt of the surface.

Secondary electrons leave a thin layer, of which the beam crosses the more the more the surface is
tilted (L. Reimer, Scanning Electron Microscopy, 2nd ed., Springer 1998, chapter 4,
doi:10.1007/978-3-540-38967-5):

    yield(t) = yield(0) / cos t

with the angle t between beam and normal. That brightens edges. It has no bound at 90 degrees, where
a real surface ends or is rough; here it is cut off at 80 degrees, which is assumed. Detectors,
shadows, charging and diffusion of electrons are left out: it is shading, and no simulation of a
microscope.
"""

import math

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numba import njit

from nanogap.errors import SettingsError
from nanogap.imaging.grid import PixelGrid, cropped
from nanogap.imaging.outline import Outline
from nanogap.imaging.probe import blurred, margin_of
from nanogap.typing import FloatArray, Int64Array

#: Tilt above which the yield grows no further, degrees; assumed.
STEEPEST = 80.0
#: Samples along each side of a pixel.
_SAMPLES = 3
#: Samples of an image of atoms at most: they are held at once.
_MOST_SAMPLES = 60_000_000


def yield_of_outline(outline: Outline, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the yield of a body of revolution at points, relative to a flat surface.

    Parameters
    ----------
    outline : Outline
    x : ndarray, shape (n_x,)
        Along its axis, angstrom.
    y : ndarray, shape (n_y,)
        Across, angstrom.

    Returns
    -------
    ndarray, shape (n_y, n_x)
        sqrt(1 + (dz/dx)^2 + (dz/dy)^2) of the height z = sqrt(R(x)^2 - y^2), cut off at 80 degrees;
        0 beside the body.

    Examples
    --------
    >>> rod = Outline(np.array([-9.0, 9.0]), np.array([25.0, 25.0]))
    >>> yield_of_outline(rod, np.zeros(1), np.array([0.0, 4.0, 6.0]))[:, 0].round(6).tolist()
    [1.0, 1.666667, 0.0]
    """
    square, slope = outline.square(x)[None, :], outline.slope(x)[None, :]
    height = np.sqrt(np.maximum(square - y[:, None] ** 2, 0.0))
    over = np.sqrt(square + (slope / 2.0) ** 2)
    found = np.divide(over, height, out=np.zeros(height.shape), where=height > 0.0)
    return np.minimum(found, _largest())


def _largest() -> float:
    return 1.0 / math.cos(math.radians(STEEPEST))


def sem_of_outline(
    outline: Outline, grid: PixelGrid, *, probe: float = 10.0, background: float = 0.3
) -> FloatArray:
    """Return the shading of a wire.

    Parameters
    ----------
    outline : Outline
    grid : PixelGrid
    probe : float
        Full width at half maximum, angstrom.
    background : float
        Yield beside the wire.

    Returns
    -------
    ndarray, shape (rows, columns)
        Yield relative to a flat surface of the metal.

    Raises
    ------
    SettingsError
        If the probe has no width, the background is negative, or the image is too large.

    Examples
    --------
    >>> rod = Outline(np.array([-900.0, 900.0]), np.array([90000.0, 90000.0]))
    >>> grid = PixelGrid.around((0.0, 0.0), (100.0, 1000.0), 10.0)
    >>> image = sem_of_outline(rod, grid)
    >>> bool(image[20:80, 5].argmax() in (0, 59)), round(float(image[50, 5]), 2)
    (True, 1.0)
    """
    need_background(background)
    margin = margin_of(grid.pixel, probe)
    wide = grid.padded(margin)
    total = np.zeros(wide.shape)
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5
    for across in steps:
        for along in steps:
            found = yield_of_outline(
                outline, wide.x + along * wide.pixel, wide.y + across * wide.pixel
            )
            total += np.where(found > 0.0, found, background)
    return cropped(blurred(total / _SAMPLES**2, grid.pixel, probe), margin)


def sem_of_atoms(
    atoms: Atoms,
    seen: FloatArray,
    grid: PixelGrid,
    *,
    probe: float = 1.0,
    background: float = 0.0,
) -> FloatArray:
    """Return the shading of atoms as spheres of their covalent radii.

    Parameters
    ----------
    atoms : ase.Atoms
        Radii by B. Cordero et al., Dalton Trans. 2832 (2008), doi:10.1039/b801115j: 1.45 angstrom
        of silver, half the distance of neighbours in the crystal.
    seen : ndarray, shape (n_atoms, 3)
        Their positions as `nanogap.imaging.view.seen_along` gives them, angstrom.
    grid : PixelGrid
    probe : float
        Full width at half maximum, angstrom.
    background : float
        Yield where there is no atom.

    Returns
    -------
    ndarray, shape (rows, columns)
        Yield relative to a flat surface: that of the uppermost sphere.

    Raises
    ------
    SettingsError
        If the probe has no width, the background is negative, or the image is too large.

    Examples
    --------
    >>> from nanogap.imaging.view import seen_along
    >>> atoms = Atoms("Ag", [[0.0, 0.0, 0.0]])
    >>> grid = PixelGrid.around((0.0, 0.0), (6.0, 6.0), 0.1)
    >>> image = sem_of_atoms(atoms, seen_along(atoms), grid, probe=0.2)
    >>> round(float(image[30, 30]), 1), float(image[0, 0])
    (1.0, 0.0)
    """
    need_background(background)
    margin = margin_of(grid.pixel, probe)
    wide = grid.padded(margin)
    rows, columns = (_SAMPLES * one for one in wide.shape)
    if rows * columns > _MOST_SAMPLES:
        raise SettingsError(
            f"an image of {grid.columns} x {grid.rows} pixels of {grid.pixel:g} Å: shading of "
            f"atoms takes {_MOST_SAMPLES // _SAMPLES**2} pixels at most, its margin included: "
            "choose larger pixels, or a smaller field of view"
        )
    places = (seen[:, :2] - (wide.left, wide.bottom)) / wide.pixel * _SAMPLES - 0.5
    radii = np.array(covalent_radii, dtype=np.float64)[atoms.numbers] / wide.pixel * _SAMPLES
    heights = seen[:, 2] / wide.pixel * _SAMPLES
    owner = uppermost(places, heights, radii, (rows, columns))
    there = owner >= 0
    row, column = np.nonzero(there)
    top = owner[there]
    away = (column - places[top, 0]) ** 2 + (row - places[top, 1]) ** 2
    cosine = np.sqrt(np.maximum(1.0 - away / radii[top] ** 2, 0.0))
    samples = np.full((rows, columns), background)
    samples[there] = 1.0 / np.maximum(cosine, 1.0 / _largest())
    shape = (wide.rows, _SAMPLES, wide.columns, _SAMPLES)
    return cropped(blurred(samples.reshape(shape).mean(axis=(1, 3)), grid.pixel, probe), margin)


def need_background(background: float) -> None:
    """Refuse a background that is no share or yield.

    Raises
    ------
    SettingsError
        If it is negative, or no number.
    """
    if not (math.isfinite(background) and background >= 0.0):
        raise SettingsError(f"background = {background:g}: give a number from 0 on")


@njit(cache=True)  # type: ignore[untyped-decorator]
def uppermost(
    places: FloatArray, heights: FloatArray, radii: FloatArray, shape: tuple[int, int]
) -> Int64Array:
    """Return which sphere is the uppermost at every sample; -1 where there is none.

    Parameters
    ----------
    places : ndarray, shape (n_spheres, 2)
        Column and row of their centres, in samples.
    heights, radii : ndarray, shape (n_spheres,)
        In samples.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    ndarray of int64, shape (rows, columns)
    """
    owner = np.full(shape, -1, dtype=np.int64)
    top = np.full(shape, -np.inf)
    for sphere in range(len(places)):
        x, y, radius = places[sphere, 0], places[sphere, 1], radii[sphere]
        first, last = max(0, math.ceil(y - radius)), min(shape[0] - 1, math.floor(y + radius))
        for row in range(first, last + 1):
            half = math.sqrt(max(radius**2 - (row - y) ** 2, 0.0))
            left, right = max(0, math.ceil(x - half)), min(shape[1] - 1, math.floor(x + half))
            for column in range(left, right + 1):
                away = radius**2 - (row - y) ** 2 - (column - x) ** 2
                height = heights[sphere] + math.sqrt(max(away, 0.0))
                if height > top[row, column]:
                    top[row, column] = height
                    owner[row, column] = sphere
    return owner
