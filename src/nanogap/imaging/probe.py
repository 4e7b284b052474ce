r"""The probe: a Gaussian of given width, and how it spreads points and images.

The current density of the probe, source size included, is

    p(r) = exp(-r^2 / 2 s^2) / (2 pi s^2),    FWHM = 2 sqrt(2 ln 2) s

A pixel shows the mean over its area, so that the integral of an image is that of what it shows,
whatever the size of the pixels and wherever in one of them an atom lies.
"""

import math

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from nanogap.errors import SettingsError
from nanogap.imaging.grid import PixelGrid, cropped
from nanogap.typing import FloatArray, Int64Array

#: Full width at half maximum of a Gaussian, in standard deviations.
FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
#: Standard deviations beyond which a Gaussian is left out: 4e-8 of it.
_REACH = 5.5
#: A wider Gaussian, in pixels, is spread in two steps: by a narrow one, exactly, and by a filter.
_WIDEST, _NARROW = 2.0, 1.5


def deviation_of(width: float) -> float:
    """Return the standard deviation of a probe by its full width at half maximum.

    Parameters
    ----------
    width : float
        angstrom.

    Raises
    ------
    SettingsError
        If it is no positive number.

    Examples
    --------
    >>> round(deviation_of(1.0), 4)
    0.4247
    """
    if not (math.isfinite(width) and width > 0.0):
        raise SettingsError(f"probe = {width:g}: give its width in angstrom, above 0")
    return width / FWHM


def spread(points: FloatArray, weights: FloatArray, grid: PixelGrid, width: float) -> FloatArray:
    """Return the sum of probes at points, as the mean over each pixel.

    Parameters
    ----------
    points : ndarray, shape (n_points, 2)
        x and y, angstrom.
    weights : ndarray, shape (n_points,)
        Integral of each.
    grid : PixelGrid
    width : float
        Full width at half maximum of the probe, angstrom.

    Returns
    -------
    ndarray, shape (rows, columns)
        In units of the weights per square angstrom.

    Raises
    ------
    SettingsError
        If the width is no positive number, or the image too large.

    Examples
    --------
    >>> grid = PixelGrid.around((0.0, 0.0), (16.0, 16.0), 0.25)
    >>> image = spread(np.array([[0.1, -0.3]]), np.array([7.0]), grid, 1.2)
    >>> round(float(image.sum()) * 0.25**2, 5)
    7.0
    """
    sigma = deviation_of(width) / grid.pixel
    narrow = sigma if sigma <= _WIDEST else _NARROW
    reach = math.ceil(_REACH * narrow) + 1
    margin = math.ceil(_REACH * sigma) + 2 * reach
    wide = grid.padded(margin)
    places = (np.asarray(points, dtype=np.float64) - (wide.left, wide.bottom)) / wide.pixel
    limits = np.array([wide.columns, wide.rows]) - reach - 1
    inside = ((places >= reach) & (places < limits)).all(axis=1)
    along, up = (_spread_line(places[inside, one], narrow, reach) for one in (0, 1))
    starts = np.floor(places[inside]).astype(np.int64) - reach
    columns = _matrix(along, starts[:, 0], wide.columns)
    rows = _matrix(up * np.asarray(weights)[inside, None], starts[:, 1], wide.rows)
    image = np.asarray((rows.T.tocsr() @ columns).toarray(), dtype=np.float64)
    if narrow < sigma:
        image = _filtered(image, math.sqrt(sigma**2 - narrow**2))
    return cropped(image, margin) / grid.pixel**2


def _spread_line(places: FloatArray, sigma: float, reach: int) -> FloatArray:
    """Integrate Gaussians over the pixels around their places, shape (n, 2 reach + 1)."""
    first = np.floor(places) - reach
    edges = first[:, None] + np.arange(2 * reach + 2) - places[:, None]
    return np.asarray(np.diff(erf(edges / (math.sqrt(2.0) * sigma)), axis=1) / 2.0)


def _matrix(values: FloatArray, starts: Int64Array, width: int) -> sparse.csr_matrix:
    """Put rows of values into a sparse matrix, each from a column on."""
    count, length = values.shape
    indices = (starts[:, None] + np.arange(length)).ravel()
    pointers = np.arange(count + 1) * length
    return sparse.csr_matrix((values.ravel(), indices, pointers), shape=(count, width))


def blurred(values: FloatArray, pixel: float, width: float) -> FloatArray:
    """Return an image convolved with the probe; beyond its edges it goes on as at them.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    pixel, width : float
        Side of a pixel, and full width at half maximum of the probe, angstrom.

    Raises
    ------
    SettingsError
        If the width is no positive number.

    Examples
    --------
    >>> image = np.zeros((41, 41))
    >>> image[20, 20] = 1.0
    >>> bool(np.isclose(blurred(image, 0.5, 3.0).sum(), 1.0))
    True
    """
    return _filtered(values, deviation_of(width) / pixel, mode="nearest")


def _filtered(values: FloatArray, sigma: float, mode: str = "constant") -> FloatArray:
    """Convolve with a Gaussian whose deviation is given in pixels."""
    found = gaussian_filter(values, sigma, mode=mode, truncate=_REACH)
    return np.asarray(found, dtype=np.float64)


def margin_of(pixel: float, width: float) -> int:
    """Return over how many pixels the probe reaches beyond a point."""
    return math.ceil(_REACH * deviation_of(width) / pixel)
