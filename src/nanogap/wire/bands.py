"""Derivatives of local functions by finite differences, and products with band matrices."""

from collections.abc import Callable

import numpy as np

from nanogap.typing import FloatArray

#: Relative step of a difference: the square root of the resolution of numbers.
_STEP = 1.5e-8


def band_derivative(
    function: Callable[[FloatArray], FloatArray], point: FloatArray, width: int
) -> FloatArray:
    """Differentiate a function whose every value depends on the nearest arguments only.

    Arguments that share no value are varied together, so 2 width + 1 calls are enough (A. R.
    Curtis, M. J. D. Powell and J. K. Reid, doi:10.1093/imamat/13.1.117).

    Parameters
    ----------
    function : callable
        From shape (n,) to shape (n,).
    point : ndarray, shape (n,)
        Above zero.
    width : int
        Farthest argument on either side that a value depends on.

    Returns
    -------
    ndarray, shape (2 width + 1, n)
        As `scipy.linalg.solve_banded` takes it: row ``width + i - j``, column j.

    Examples
    --------
    >>> import numpy as np
    >>> band_derivative(lambda x: x**2, np.array([1.0, 2.0]), 0).round(6).tolist()
    [[2.0, 4.0]]
    """
    size, span = len(point), 2 * width + 1
    band = np.zeros((span, size))
    base = function(point)
    for first in range(min(span, size)):
        varied = np.arange(first, size, span)
        moved = point.copy()
        moved[varied] *= 1.0 + _STEP
        change = function(moved) - base
        for row in range(span):
            value = varied + row - width
            inside = (value >= 0) & (value < size)
            step = moved[varied[inside]] - point[varied[inside]]
            band[row, varied[inside]] = change[value[inside]] / step
    return band


def dense(band: FloatArray) -> FloatArray:
    """Return a band matrix with all its elements, shape (n, n)."""
    width, size = band.shape[0] // 2, band.shape[1]
    full = np.zeros((size, size))
    for row in range(band.shape[0]):
        columns = np.arange(size)
        value = columns + row - width
        inside = (value >= 0) & (value < size)
        full[value[inside], columns[inside]] = band[row, inside]
    return full


def band_product(band: FloatArray, matrix: FloatArray) -> FloatArray:
    """Multiply a band matrix by a full one or by a vector of n rows."""
    width, size = band.shape[0] // 2, band.shape[1]
    result = np.zeros_like(matrix)
    for row in range(band.shape[0]):
        shift = row - width
        columns = np.arange(max(0, -shift), min(size, size - shift))
        weights = band[row, columns]
        part = weights[:, None] * matrix[columns] if matrix.ndim > 1 else weights * matrix[columns]
        result[columns + shift] += part
    return result
