"""Error of the bands of one structure against those of first principles."""

from dataclasses import dataclass

import numpy as np

from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.typing import FloatArray

#: What is near the Fermi energy, eV.
NEAR = 1.5


@dataclass(frozen=True)
class BandErrors:
    """Errors of a model's bands of one structure, eV.

    Attributes
    ----------
    occupied, near_fermi_energy : float
        Root mean square over the bands below the Fermi energy, and over those within 1.5 eV of it,
        after the best rigid shift.
    shift : float
        That shift, model less reference: by which the model's Fermi energy is off.
    """

    occupied: float
    near_fermi_energy: float
    shift: float


def band_error(reference: ReferenceBands, energies: FloatArray) -> BandErrors:
    """Compare band energies with those of first principles, after the best rigid shift.

    Parameters
    ----------
    reference : ReferenceBands
    energies : ndarray, shape (n_k, n)
        Ascending at each wave vector, n at least the number of the reference's bands; eV.

    Returns
    -------
    BandErrors
    """
    error = energies[:, : reference.bands.shape[1]] - reference.bands
    weights = np.broadcast_to(reference.k_weights[:, None], error.shape)
    occupied, near = reference.bands < 0.0, np.abs(reference.bands) < NEAR
    either = occupied | near
    shift = np.average(error[either], weights=weights[either])
    squares = (error - shift) ** 2
    rms = [np.sqrt(np.average(squares[w], weights=weights[w])) for w in (occupied, near)]
    return BandErrors(float(rms[0]), float(rms[1]), float(shift))
