"""Energy lists as people type them: ``-1:1:0.05`` or ``0,0.1,0.2``."""

import math

import numpy as np

from nanogap.errors import SettingsError

_MAXIMUM_POINTS = 10_000
_RANGE_PARTS = 3


def parse_energies(text: str) -> list[float]:
    """Parse energies relative to the Fermi energy.

    Parameters
    ----------
    text : str
        ``start:stop:step`` (both ends included) or a comma-separated list, eV.

    Returns
    -------
    list of float
        Ascending, without duplicates, eV.

    Raises
    ------
    SettingsError
        If the text is neither, or gives no point or more than 10 000 points.
    """
    remedy = "give 'start:stop:step' or a comma-separated list in eV, for example -1:1:0.05"
    try:
        if ":" in text:
            parts = [float(part) for part in text.split(":")]
        else:
            values = [float(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"energies {text!r} are not numbers: {remedy}") from None
    if ":" in text:
        if len(parts) != _RANGE_PARTS:
            raise SettingsError(f"energies {text!r} are not start:stop:step: {remedy}")
        start, stop, step = parts
        if not all(map(math.isfinite, parts)) or step <= 0.0 or stop < start:
            raise SettingsError(
                f"energies {text!r} need finite start <= stop and a step above 0: {remedy}"
            )
        if (stop - start) / step > _MAXIMUM_POINTS:
            raise SettingsError(f"energies {text!r} are over {_MAXIMUM_POINTS} points: {remedy}")
        values = [float(v) for v in np.arange(start, stop + 0.5 * step, step)]
    if not all(map(math.isfinite, values)):
        raise SettingsError(f"energies {text!r} are not all finite: {remedy}")
    # rounding keeps -1:1:0.05 free of 1e-17 where the Fermi energy is meant
    return sorted({round(value, 10) + 0.0 for value in values})
