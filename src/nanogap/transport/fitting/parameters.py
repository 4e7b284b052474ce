"""Parameters of a tight-binding model as one vector, and the derivatives by them."""

from dataclasses import replace

import numpy as np

from nanogap.transport.tight_binding.model import REFERENCE, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS
from nanogap.typing import FloatArray

#: Parameters of all two-centre integrals of one matrix.
N_TWO_CENTRE = 4 * len(INTEGRALS)
#: Where the crystal field begins in the vector: after Hamiltonian, overlap, decay of the density,
#: onsite energies, potential and its decay.
FIELD = 2 * N_TWO_CENTRE + 1 + 12 + 3 + 1
#: Where what a neighbour adds to the potential begins; it ends the vector.
NEIGHBOUR = FIELD + N_TWO_CENTRE
#: Length of the vector.
N_PARAMETERS = NEIGHBOUR + 4
#: Places of the decays, which stay positive and finite, 1/angstrom; all other parameters are free.
DECAYS = [
    *range(3, 2 * N_TWO_CENTRE, 4),
    2 * N_TWO_CENTRE,
    FIELD - 1,
    *range(FIELD + 3, N_PARAMETERS, 4),
]
DECAY_BOUNDS = (0.3, 4.0)


def pack(model: TightBindingModel) -> FloatArray:
    """Put the parameters of a model into one vector, shape (N_PARAMETERS,)."""
    return np.concatenate(
        [
            model.hamiltonian.ravel(),
            model.overlap.ravel(),
            [model.density_decay],
            model.onsite.ravel(),
            model.potential,
            [model.potential_decay],
            model.crystal_field.ravel(),
            model.neighbour_potential,
        ]
    )


def unpack(vector: FloatArray, model: TightBindingModel) -> TightBindingModel:
    """Make a model from a parameter vector and the fixed parts of another model."""
    n, shape = N_TWO_CENTRE, model.hamiltonian.shape
    return replace(
        model,
        hamiltonian=vector[:n].reshape(shape),
        overlap=vector[n : 2 * n].reshape(shape),
        density_decay=float(vector[2 * n]),
        onsite=vector[2 * n + 1 : 2 * n + 13].reshape(3, 4),
        potential=vector[2 * n + 13 : 2 * n + 16],
        potential_decay=float(vector[2 * n + 16]),
        crystal_field=vector[FIELD:NEIGHBOUR].reshape(shape),
        neighbour_potential=vector[NEIGHBOUR:],
    )


def two_centre_derivatives(
    parameters: FloatArray, distances: FloatArray, model: TightBindingModel
) -> tuple[FloatArray, FloatArray]:
    """Evaluate two-centre integrals and differentiate them by their parameters.

    Parameters
    ----------
    parameters : ndarray, shape (n_integrals, 4)
        Those of the Hamiltonian, the overlap, the crystal field or what a neighbour adds to the
        potential, see `TightBindingModel`.
    distances : ndarray, shape (n,)
        Angstrom.
    model : TightBindingModel
        Its cut-off function is used.

    Returns
    -------
    values : ndarray, shape (n, n_integrals, 1)
    derivatives : ndarray, shape (n, n_integrals, 4)
        By a, b, c and the decay.
    """
    shifted = (distances - REFERENCE)[:, None]
    x = shifted / REFERENCE
    a, b, c, decay = parameters.T
    envelope = np.exp(-decay * shifted) * model.taper(distances)[:, None]
    value = (a + b * x + c * x**2) * envelope
    derivatives = np.stack([envelope, x * envelope, x**2 * envelope, -shifted * value], axis=2)
    return value[:, :, None], derivatives


def perturb(model: TightBindingModel, size: float, rng: np.random.Generator) -> TightBindingModel:
    """Change all parameters at random, to leave a local minimum.

    Parameters
    ----------
    model : TightBindingModel
    size : float
        By about which fraction they change.
    rng : numpy.random.Generator

    Returns
    -------
    TightBindingModel
        A new model; the cut-offs and the coupling through vacuum are those of the given one.
    """
    vector = pack(model)
    two_centre = vector[: 2 * N_TWO_CENTRE].reshape(-1, 4)
    n = len(two_centre)
    two_centre[:, 1:3] += 2.0 * size * rng.normal(size=(n, 2)) * np.abs(two_centre[:, :1])
    two_centre[:, 0] *= 1.0 + 0.5 * size * rng.normal(size=n)
    two_centre[:, 3] *= np.exp(size * rng.normal(size=n))
    onsite = slice(2 * N_TWO_CENTRE + 1, 2 * N_TWO_CENTRE + 13)
    vector[onsite] += 0.3 * size * rng.normal(size=12)
    vector[[2 * N_TWO_CENTRE, FIELD - 1]] *= np.exp(size * rng.normal(size=2))
    field = vector[FIELD:].reshape(-1, 4)
    field[:, :3] *= 1.0 + 2.0 * size * rng.normal(size=(len(field), 3))
    vector[DECAYS] = np.clip(vector[DECAYS], *DECAY_BOUNDS)
    return unpack(vector, model)
