"""Electrons that are counted: Poisson noise of a finite dose."""

import numpy as np

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray, Int64Array

#: Largest number of electrons expected in a pixel.
_MOST = 1e15


def counted_electrons(share: FloatArray, pixel: float, dose: float, seed: int) -> Int64Array:
    """Draw the electrons that are counted in each pixel.

    Parameters
    ----------
    share : ndarray
        Electrons that are detected for each one of the beam.
    pixel : float
        Side of a pixel, angstrom.
    dose : float
        Electrons of the beam per square angstrom.
    seed : int
        The same seed draws the same numbers.

    Returns
    -------
    ndarray of int64
        Of a Poisson distribution with the mean dose * pixel^2 * share.

    Raises
    ------
    SettingsError
        If the dose is no positive number, or so large that counts have no 64 bits; or the seed is
        negative.

    Examples
    --------
    >>> counted_electrons(np.full(3, 0.01), 0.5, 4e3, seed=1).tolist()
    [8, 13, 10]
    """
    largest = pixel**2 * float(np.max(share, initial=0.0))
    if not 0.0 < dose <= _MOST / max(largest, 1.0):
        raise SettingsError(
            f"dose = {dose:g}: give electrons per square angstrom, above 0 and up to "
            f"{_MOST / max(largest, 1.0):.3g}"
        )
    if seed < 0:
        raise SettingsError(f"seed = {seed}: give a whole number from 0 on")
    # a convolution can leave what rounds to less than nothing
    expected = np.maximum(share, 0.0) * (dose * pixel**2)
    return np.random.default_rng(seed).poisson(expected).astype(np.int64)
