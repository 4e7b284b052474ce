"""Fit the tight-binding model to first-principles bands.

Least squares over all bands and k-points of all structures with exact derivatives, by the
Hellmann-Feynman theorem for a non-orthogonal basis: dE = c^+ (dH - E dS) c.

First-principles energies of different periodic structures have no common zero. Every structure's
bands are taken from its own Fermi energy, which the model puts at zero: atoms are then neutral in
every environment at one common Fermi level, as they are in a metallic junction. The Fermi energy
that comes with the data is that of a coarse mesh, so a first fit has one free shift per structure,
and the Fermi energies are then found by filling the fitted bands on a fine mesh (`align`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nanogap.transport.fitting.reference_bands import BlochSums, Reference
from nanogap.transport.tight_binding.bands import fermi_energy
from nanogap.transport.tight_binding.model import REFERENCE, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS, N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray

_N_TWO_CENTRE = 4 * len(INTEGRALS)
N_PARAMETERS = 2 * _N_TWO_CENTRE + 1 + 12 + 3 + 1
#: Decays stay positive and finite, 1/angstrom; all other parameters are free.
_DECAYS = [*range(3, 2 * _N_TWO_CENTRE, 4), 2 * _N_TWO_CENTRE, N_PARAMETERS - 1]
_DECAY_BOUNDS = (0.3, 4.0)

#: The overlap stays positive definite: its eigenvalues are kept above this in the fit.
LEAST_OVERLAP = 0.06
#: Bands above this, eV from E_F, are not fitted; the model may only not put bands below.
HIGHEST_FITTED = 4.0


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
        ]
    )


def unpack(vector: FloatArray, model: TightBindingModel) -> TightBindingModel:
    """Make a model from a parameter vector and the fixed parts of another model."""
    n, shape = _N_TWO_CENTRE, model.hamiltonian.shape
    return replace(
        model,
        hamiltonian=vector[:n].reshape(shape),
        overlap=vector[n : 2 * n].reshape(shape),
        density_decay=float(vector[2 * n]),
        onsite=vector[2 * n + 1 : 2 * n + 13].reshape(3, 4),
        potential=vector[2 * n + 13 : 2 * n + 16],
        potential_decay=float(vector[2 * n + 16]),
    )


def _basis(
    parameters: FloatArray, distances: FloatArray, model: TightBindingModel
) -> tuple[FloatArray, FloatArray]:
    """Two-centre values (n, 10, 1) and their derivatives by a, b, c, decay (n, 10, 4)."""
    shifted = (distances - REFERENCE)[:, None]
    x = shifted / REFERENCE
    a, b, c, decay = parameters.T
    envelope = np.exp(-decay * shifted) * model.taper(distances)[:, None]
    value = (a + b * x + c * x**2) * envelope
    derivatives = np.stack([envelope, x * envelope, x**2 * envelope, -shifted * value], axis=2)
    return value[:, :, None], derivatives


@dataclass(frozen=True)
class _Solution:
    """Solution of H c = E S c at all k-points of a structure.

    Energies (n_k, n) and states (n_k, n_orb, n), Mulliken populations of the states by atom
    (n_k, n_atoms, n), least overlap eigenvalues (n_k,) and their states (n_k, n_orb).
    """

    energies: FloatArray
    states: ComplexArray
    populations: FloatArray
    least: FloatArray
    modes: ComplexArray


def solve_bands(structure: BlochSums, model: TightBindingModel) -> _Solution:
    """Solve H c = E S c at the k-points of a structure."""
    h, s = _bloch(structure, model)
    least, modes = np.linalg.eigh(s)
    if least.min() <= 1e-6:
        # keep the search alive: the penalty drives the overlap back to positive definite
        lifted = np.maximum(least, 1e-3)
        s = (modes * lifted[:, None, :]) @ modes.conj().swapaxes(1, 2)
    inverse = np.linalg.inv(np.linalg.cholesky(s))
    energies, vectors = np.linalg.eigh(inverse @ h @ inverse.conj().swapaxes(1, 2))
    states = inverse.conj().swapaxes(1, 2) @ vectors
    by_orbital = (states.conj() * (s @ states)).real
    shape = (len(energies), structure.n_atoms, N_ORBITALS, -1)
    populations = by_orbital.reshape(shape).sum(axis=2)
    return _Solution(energies, states, populations, least[:, 0], modes[:, :, 0])


def _bloch(structure: BlochSums, model: TightBindingModel) -> tuple[ComplexArray, ComplexArray]:
    density, potential_density = _densities(structure, model)
    potentials = model.potentials(potential_density)
    h_values, _ = _basis(model.hamiltonian, structure.distances, model)
    s_values, _ = _basis(model.overlap, structure.distances, model)
    h_values = h_values + structure.bond_means(potentials)[:, None, None] * s_values
    h = structure.matrices(h_values)[:, 0]
    s = structure.matrices(s_values)[:, 0]
    onsite = (model.onsite_energies(density) + potentials[:, None]).ravel()
    diagonal = np.arange(onsite.size)
    h[:, diagonal, diagonal] += onsite
    s[:, diagonal, diagonal] += 1.0
    return h, s


def _densities(structure: BlochSums, model: TightBindingModel) -> tuple[FloatArray, FloatArray]:
    return model.densities(structure.bond_centres, structure.bond_distances, structure.n_atoms)


def _t_by_decay(
    structure: BlochSums, model: TightBindingModel, density: FloatArray, decay: float
) -> FloatArray:
    """Differentiate t = density^(2/3) by the decay of the density, (n_atoms,)."""
    distances = structure.bond_distances
    contributions = -(distances - REFERENCE) * model.neighbour_density(distances, decay)
    by_decay = np.bincount(structure.bond_centres, contributions, structure.n_atoms)
    result: FloatArray = 2.0 / 3.0 * np.maximum(density, 1e-12) ** (-1.0 / 3.0) * by_decay
    return result


def energy_weights(energies: FloatArray) -> FloatArray:
    """Weight of a band energy: most near E_F, least high above it."""
    return np.select(
        [np.abs(energies) < 1.5, energies < 0.0, energies < HIGHEST_FITTED], [3.0, 1.0, 0.4], 0.0
    )


def residuals(
    structure: BlochSums,
    model: TightBindingModel,
    shift: float = 0.0,
    *,
    derivatives: bool = True,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted residuals of a structure and their Jacobian.

    Returns
    -------
    residuals : ndarray, shape (m,)
    slopes : ndarray, shape (m, N_PARAMETERS)
        By the parameters of the model.
    shift_slope : ndarray, shape (m,)
        By the shift that is subtracted from the bands of the reference.
    """
    reference = structure.reference
    n = reference.bands.shape[1]
    if n == 0:
        least = np.linalg.eigvalsh(_bloch(structure, model)[1])[:, 0]
        if least.min() >= LEAST_OVERLAP:
            nothing = np.zeros(len(least))
            return nothing, np.zeros((len(least), N_PARAMETERS)), nothing
    solution = solve_bands(structure, model)
    energies, least = solution.energies, solution.least
    n = min(n, energies.shape[1])
    target, found = reference.bands[:, :n] - shift, energies[:, :n]
    weights = energy_weights(target)
    # above the fitted window a model band may lie anywhere but in it
    ghost = (target >= HIGHEST_FITTED) & (found < HIGHEST_FITTED)
    difference = np.where(ghost, HIGHEST_FITTED - found, target - found)
    weights = np.where(ghost, 0.3, weights)
    weights *= reference.importance * np.sqrt(reference.k_weights / structure.n_atoms)[:, None]
    guard = np.maximum(LEAST_OVERLAP - least, 0.0) * 10.0
    shift_slope = np.concatenate([np.where(ghost, 0.0, -weights).ravel(), np.zeros(len(guard))])
    value = np.concatenate([(weights * difference).ravel(), guard])
    if not derivatives:
        return value, np.zeros((len(value), N_PARAMETERS)), shift_slope
    slope = _slopes(structure, model, solution, n)
    guard_slope = -10.0 * _overlap_slopes(structure, model, solution.modes) * (guard > 0.0)[:, None]
    slopes = [(-weights[:, :, None] * slope).reshape(-1, N_PARAMETERS), guard_slope]
    return value, np.concatenate(slopes), shift_slope


def _slopes(
    structure: BlochSums, model: TightBindingModel, solution: _Solution, n: int
) -> FloatArray:
    """Differentiate the lowest n band energies by all parameters, (n_k, n, N_PARAMETERS)."""
    states, populations = solution.states[:, :, :n], solution.populations[:, :, :n]
    density, potential_density = _densities(structure, model)
    powers, potential_powers = (
        np.cbrt(d**2)[:, None] ** np.arange(4) for d in (density, potential_density)
    )
    by_h = _basis(model.hamiltonian, structure.distances, model)[1]
    by_s = _basis(model.overlap, structure.distances, model)[1]
    means = structure.bond_means(model.potentials(potential_density))[:, None, None]
    h_slopes, s_slopes, v_slopes = _expectations(structure, (by_h, by_s, means * by_s), states)
    s_slopes = v_slopes - solution.energies[:, :n, None] * s_slopes

    by_atom = (np.abs(states) ** 2).reshape(len(states), structure.n_atoms, N_ORBITALS, n)
    by_shell = np.add.reduceat(by_atom, [0, 1, 4], axis=2)
    onsite_slopes = np.einsum("kasn,aq->knsq", by_shell, powers).reshape(len(states), n, 12)
    potential_slopes = np.einsum("kan,aq->knq", populations, potential_powers[:, 1:])

    t_slopes = np.arange(1, 4) * powers[:, :3] @ model.onsite[:, 1:].T
    t_slopes *= _t_by_decay(structure, model, density, model.density_decay)[:, None]
    decay_slopes = np.einsum("kasn,as->kn", by_shell, t_slopes)
    v_by_decay = np.arange(1, 4) * potential_powers[:, :3] @ model.potential
    v_by_decay *= _t_by_decay(structure, model, potential_density, model.potential_decay)
    potential_decay_slopes = np.einsum("kan,a->kn", populations, v_by_decay)
    return np.concatenate(
        [
            h_slopes,
            s_slopes,
            decay_slopes[:, :, None],
            onsite_slopes,
            potential_slopes,
            potential_decay_slopes[:, :, None],
        ],
        axis=2,
    )


def _expectations(
    structure: BlochSums, derivatives: Sequence[FloatArray], states: ComplexArray
) -> list[FloatArray]:
    """Expect two-centre derivatives (each (n_shells, 10, 4)) in states, each (n_k, n, 40)."""
    stacked = np.concatenate(derivatives, axis=2)
    n_k, _, n = states.shape
    if n == 0:
        return [np.zeros((n_k, 0, _N_TWO_CENTRE)) for _ in derivatives]
    columns = []
    for number in range(len(INTEGRALS)):
        product = structure.matrices(stacked, number) @ states[:, None]
        columns.append(np.einsum("kan,kman->knm", states.conj(), product).real)
    table = np.stack(columns, axis=2).reshape(n_k, n, len(INTEGRALS), -1, 4)
    return [table[:, :, :, part].reshape(n_k, n, -1) for part in range(len(derivatives))]


def _overlap_slopes(
    structure: BlochSums, model: TightBindingModel, modes: ComplexArray
) -> FloatArray:
    derivatives = _basis(model.overlap, structure.distances, model)[1]
    result = np.zeros((len(modes), N_PARAMETERS))
    columns = slice(_N_TWO_CENTRE, 2 * _N_TWO_CENTRE)
    result[:, columns] = _expectations(structure, (derivatives,), modes[:, :, None])[0][:, 0]
    return result


def fit(
    start: TightBindingModel,
    references: Sequence[Reference],
    *,
    iterations: int = 60,
    ridge: float = 1e-3,
    shift_penalty: float | None = None,
) -> tuple[TightBindingModel, FloatArray, float]:
    """Fit a model.

    Parameters
    ----------
    start : TightBindingModel
        First guess; its cut-offs are kept.
    references : sequence of Reference
    iterations : int
        Evaluations at the most.
    ridge : float
        Weight that keeps the parameters near the first guess where the data do not speak.
    shift_penalty : float, optional
        Weight, per eV, that keeps the free shift of every structure small; None: no shifts.

    Returns
    -------
    model : TightBindingModel
    shifts : ndarray, shape (n_references,)
        To be subtracted from the bands of each reference, eV.
    total : float
        Sum of squares.
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
    lower[_DECAYS], upper[_DECAYS] = _DECAY_BOUNDS
    vector, total = _minimise(values, evaluate, origin, (lower, upper), iterations)
    shifts = np.zeros(len(structures))
    shifts[:n_shifts] = vector[N_PARAMETERS:]
    return unpack(vector[:N_PARAMETERS], start), shifts, total


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


def align(
    references: Sequence[Reference], shifts: FloatArray, model: TightBindingModel
) -> list[Reference]:
    """Put the zero of every structure at the Fermi energy to which a fitted model fills it.

    Parameters
    ----------
    references : sequence of Reference
    shifts : ndarray, shape (n_references,)
        Shifts with which the model was fitted, eV.
    model : TightBindingModel

    Returns
    -------
    list of Reference
    """
    aligned = []
    for reference, shift in zip(references, shifts, strict=True):
        if reference.bands.shape[1]:
            level = fermi_energy(
                reference.atoms, kpoints_density=reference.mesh_density, model=model
            )
            aligned.append(replace(reference, bands=reference.bands - shift - level))
        else:
            aligned.append(reference)
    return aligned


def root_mean_squares(
    model: TightBindingModel, references: Iterable[Reference]
) -> dict[str, tuple[float, float, float]]:
    """Compare a model with references.

    Returns
    -------
    dict
        By structure: rms error of the occupied bands, and of those within 1.5 eV of E_F, after
        the best rigid shift of the structure, and that shift (model minus reference); eV.
    """
    table = {}
    for reference in references:
        n = reference.bands.shape[1]
        error = solve_bands(BlochSums(reference, model), model).energies[:, :n] - reference.bands
        weights = np.broadcast_to(reference.k_weights[:, None], error.shape)
        occupied, near = reference.bands < 0.0, np.abs(reference.bands) < 1.5
        either = occupied | near
        shift = np.average(error[either], weights=weights[either])
        squares = (error - shift) ** 2
        rms = [np.sqrt(np.average(squares[w], weights=weights[w])) for w in (occupied, near)]
        table[reference.name] = (float(rms[0]), float(rms[1]), float(shift))
    return table


def perturb(model: TightBindingModel, size: float, rng: np.random.Generator) -> TightBindingModel:
    """Change all parameters at random, by about a fraction ``size``, to leave a local minimum."""
    vector = pack(model)
    two_centre = vector[: 2 * _N_TWO_CENTRE].reshape(-1, 4)
    n = len(two_centre)
    two_centre[:, 1:3] += 2.0 * size * rng.normal(size=(n, 2)) * np.abs(two_centre[:, :1])
    two_centre[:, 0] *= 1.0 + 0.5 * size * rng.normal(size=n)
    two_centre[:, 3] *= np.exp(size * rng.normal(size=n))
    onsite = slice(2 * _N_TWO_CENTRE + 1, 2 * _N_TWO_CENTRE + 13)
    vector[onsite] += 0.3 * size * rng.normal(size=12)
    vector[_DECAYS[-2:]] *= np.exp(size * rng.normal(size=2))
    vector[_DECAYS] = np.clip(vector[_DECAYS], *_DECAY_BOUNDS)
    return unpack(vector, model)
