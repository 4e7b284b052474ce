"""Fit the tight-binding model to first-principles bands.

Least squares over all bands and k-points of all structures with exact derivatives
(`nanogap.transport.fitting.residuals`).

First-principles energies of different periodic structures have no common zero. Every structure's
bands are taken from its own Fermi energy, which the model puts at zero: atoms are then neutral in
every environment at one common Fermi level, as they are in a metallic junction. The Fermi energy
that comes with the data is that of a coarse mesh, so a first fit has one free shift per structure,
and the Fermi energies are then found by filling the fitted bands on a fine mesh
(`fermi_levels`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nanogap.transport.fitting.band_error import BandErrors, band_error
from nanogap.transport.fitting.bloch_sums import BlochSums
from nanogap.transport.fitting.parameters import DECAY_BOUNDS, DECAYS, N_PARAMETERS, pack, unpack
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.fitting.residuals import residuals, solve_bands
from nanogap.transport.tight_binding.bands import fermi_energy
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray


@dataclass(frozen=True)
class Fit:
    """Result of a least-squares fit.

    Attributes
    ----------
    model : TightBindingModel
    shifts : ndarray, shape (n_references,)
        To be subtracted from the bands of each reference, eV.
    sum_of_squares : float
        Of the weighted residuals, with the penalties.
    """

    model: TightBindingModel
    shifts: FloatArray
    sum_of_squares: float


def fit(
    start: TightBindingModel,
    references: Sequence[ReferenceBands],
    *,
    iterations: int = 60,
    ridge: float = 1e-3,
    shift_penalty: float | None = None,
) -> Fit:
    """Fit a model to reference bands.

    Parameters
    ----------
    start : TightBindingModel
        First guess; its cut-offs are kept.
    references : sequence of ReferenceBands
    iterations : int
        Evaluations at the most.
    ridge : float
        Weight that keeps the parameters near the first guess where the data do not speak.
    shift_penalty : float, optional
        Weight, per eV, that keeps the free shift of every structure small; None: no shifts.

    Returns
    -------
    Fit
        The fitted model, the shifts of the references and the sum of squares.
    """
    structures = [BlochSums(reference, start) for reference in references]
    no_shifts = np.zeros(len(structures))
    n_shifts = 0 if shift_penalty is None else len(structures)
    origin = np.concatenate([pack(start), np.zeros(n_shifts)])
    by_structure = [(shift_penalty or 0.0) * r.shift_importance for r in references][:n_shifts]
    pull = np.concatenate([np.full(N_PARAMETERS, ridge), by_structure])

    def values(vector: FloatArray) -> FloatArray:
        return evaluate(vector, derivatives=False)[0]

    def evaluate(vector: FloatArray, *, derivatives: bool = True) -> tuple[FloatArray, FloatArray]:
        model = unpack(vector[:N_PARAMETERS], start)
        shifts = np.resize(vector[N_PARAMETERS:], len(structures)) if n_shifts else no_shifts
        parts, slopes = [], []
        for number, structure in enumerate(structures):
            value, slope, shift_slope = residuals(
                structure, model, shifts[number], derivatives=derivatives
            )
            columns = np.zeros((len(value), n_shifts))
            if n_shifts:
                columns[:, number] = shift_slope
            parts.append(value)
            slopes.append(np.concatenate([slope, columns], axis=1))
        parts.append(pull * (vector - origin))
        slopes.append(np.diag(pull))
        return np.concatenate(parts), np.concatenate(slopes)

    lower, upper = np.full(len(origin), -np.inf), np.full(len(origin), np.inf)
    lower[DECAYS], upper[DECAYS] = DECAY_BOUNDS
    vector, total = _minimise(values, evaluate, origin, (lower, upper), iterations)
    shifts = np.zeros(len(structures))
    shifts[:n_shifts] = vector[N_PARAMETERS:]
    return Fit(unpack(vector[:N_PARAMETERS], start), shifts, total)


def _minimise(
    values: Callable[[FloatArray], FloatArray],
    slopes: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    vector: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    iterations: int,
) -> tuple[FloatArray, float]:
    """Run Levenberg-Marquardt on the normal equations, with steps clipped to the bounds.

    Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963), doi:10.1137/0111030. Ten times faster here
    than `scipy.optimize.least_squares`, whose steps take a singular value decomposition.
    """
    damping, slow = 1e-2, 0
    residual, jacobian = slopes(vector)
    lowest = residual @ residual
    for _ in range(iterations):
        curvature, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        scale = np.diag(curvature) + 1e-12
        step = -np.linalg.solve(curvature + damping * np.diag(scale), gradient)
        tried = np.clip(vector + step, *bounds)
        found = values(tried)
        total = found @ found
        if not total < lowest:
            damping = min(damping * 4.0, 1e6)
            slow += damping > 1e3
        else:
            slow = slow + 1 if lowest - total < 3e-4 * lowest else 0
            vector, lowest, damping = tried, total, max(damping / 3.0, 1e-7)
            residual, jacobian = slopes(vector)
        if slow > 5:
            break
    return vector, float(lowest)


def fermi_levels(references: Sequence[ReferenceBands], model: TightBindingModel) -> FloatArray:
    """Find the Fermi energy to which a model fills the bands of every structure.

    Returns
    -------
    ndarray, shape (n_references,)
        On the scale of the model, eV; zero for those without bands.
    """
    return np.array(
        [
            fermi_energy(one.atoms, kpoints_density=one.mesh_density, model=model)
            if one.bands.shape[1]
            else 0.0
            for one in references
        ]
    )


def band_errors(
    model: TightBindingModel, references: Iterable[ReferenceBands]
) -> dict[str, BandErrors]:
    """Compare a model with reference bands.

    Returns
    -------
    dict of str to BandErrors
        By the name of the structure.
    """
    return {
        one.name: band_error(one, solve_bands(BlochSums(one, model), model).energies)
        for one in references
    }
