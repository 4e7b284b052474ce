"""Band energies of a tight-binding model against reference bands, with exact derivatives.

The derivatives follow from the Hellmann-Feynman theorem for a non-orthogonal basis:
dE = c^+ (dH - E dS) c.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanogap.transport.fitting.bloch_sums import BlochSums, atom_slice
from nanogap.transport.fitting.parameters import N_PARAMETERS, N_TWO_CENTRE, two_centre_derivatives
from nanogap.transport.tight_binding.model import REFERENCE, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS, N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray

#: The overlap stays positive definite: its eigenvalues are kept above this in the fit.
LEAST_OVERLAP = 0.06
#: Bands above this, eV from E_F, are not fitted; the model may only not put bands below.
HIGHEST_FITTED = 4.0


@dataclass(frozen=True)
class BlochStates:
    """Solution of H c = E S c at all k-points of a structure.

    Attributes
    ----------
    energies : ndarray, shape (n_k, n)
        Ascending, eV.
    states : ndarray, shape (n_k, n_orbitals, n)
        Coefficients c.
    populations : ndarray, shape (n_k, n_atoms, n)
        Mulliken populations of the states by atom.
    least : ndarray, shape (n_k,)
        Least eigenvalue of the overlap S.
    modes : ndarray, shape (n_k, n_orbitals)
        Its eigenvector.
    """

    energies: FloatArray
    states: ComplexArray
    populations: FloatArray
    least: FloatArray
    modes: ComplexArray


def solve_bands(structure: BlochSums, model: TightBindingModel) -> BlochStates:
    """Solve H c = E S c at the k-points of a structure.

    An overlap that is not positive definite is lifted to one that is: a fit may pass through it.
    """
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
    return BlochStates(energies, states, populations, least[:, 0], modes[:, :, 0])


def _bloch(structure: BlochSums, model: TightBindingModel) -> tuple[ComplexArray, ComplexArray]:
    density = _density(structure, model, model.density_decay)
    potentials = _potentials(structure, model)
    h_values, _ = two_centre_derivatives(model.hamiltonian, structure.distances, model)
    s_values, _ = two_centre_derivatives(model.overlap, structure.distances, model)
    h_values = h_values + structure.bond_means(potentials)[:, None, None] * s_values
    h = structure.matrices(h_values)[:, 0]
    s = structure.matrices(s_values)[:, 0]
    onsite = (model.onsite_energies(density) + potentials[:, None]).ravel()
    diagonal = np.arange(onsite.size)
    h[:, diagonal, diagonal] += onsite
    field, _ = two_centre_derivatives(model.crystal_field, structure.distances, model)
    for atom, block in enumerate(structure.onsite_blocks(field)[:, :, 0].sum(axis=1)):
        h[:, atom_slice(atom), atom_slice(atom)] += block
    s[:, diagonal, diagonal] += 1.0
    return h, s


def _density(structure: BlochSums, model: TightBindingModel, decay: float) -> FloatArray:
    return model.density(structure.bond_centres, structure.bond_distances, structure.n_atoms, decay)


def _potentials(structure: BlochSums, model: TightBindingModel) -> FloatArray:
    return model.potentials(structure.bond_centres, structure.bond_distances, structure.n_atoms)


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
    """Weigh band energies: most near the Fermi energy, least high above it.

    Parameters
    ----------
    energies : ndarray
        From the Fermi energy, eV; any shape.

    Returns
    -------
    ndarray
        Of the same shape.
    """
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
    """Compute the weighted residuals of a structure and their Jacobian.

    Parameters
    ----------
    structure : BlochSums
    model : TightBindingModel
    shift : float
        Subtracted from the bands of the reference, eV.
    derivatives : bool
        Without them the slopes by the parameters are zeros.

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
    structure: BlochSums, model: TightBindingModel, solution: BlochStates, n: int
) -> FloatArray:
    """Differentiate the lowest n band energies by all parameters, (n_k, n, N_PARAMETERS)."""
    states, populations = solution.states[:, :, :n], solution.populations[:, :, :n]
    density, potential_density = (
        _density(structure, model, decay) for decay in (model.density_decay, model.potential_decay)
    )
    powers, potential_powers = (
        np.cbrt(d**2)[:, None] ** np.arange(4) for d in (density, potential_density)
    )
    by_h = two_centre_derivatives(model.hamiltonian, structure.distances, model)[1]
    by_s = two_centre_derivatives(model.overlap, structure.distances, model)[1]
    means = structure.bond_means(_potentials(structure, model))[:, None, None]
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
            _field_slopes(structure, model, states),
            _neighbour_slopes(structure, model, populations),
        ],
        axis=2,
    )


def _field_slopes(
    structure: BlochSums, model: TightBindingModel, states: ComplexArray
) -> FloatArray:
    """Differentiate band energies by the parameters of the crystal field, (n_k, n, 40)."""
    derivatives = two_centre_derivatives(model.crystal_field, structure.distances, model)[1]
    blocks = structure.onsite_blocks(derivatives).reshape(structure.n_atoms, N_TWO_CENTRE, -1)
    n_k, _, n = states.shape
    by_atom = states.reshape(n_k, structure.n_atoms, N_ORBITALS, n)
    result = np.zeros((n_k, n, N_TWO_CENTRE))
    for atom, of_parameters in enumerate(blocks):
        here = by_atom[:, atom].swapaxes(1, 2)
        products = (here.conj()[:, :, :, None] * here[:, :, None, :]).real
        result += products.reshape(n_k, n, N_ORBITALS**2) @ of_parameters.T
    return result


def _neighbour_slopes(
    structure: BlochSums, model: TightBindingModel, populations: FloatArray
) -> FloatArray:
    """Differentiate band energies by what a neighbour adds to the potential, (n_k, n, 4)."""
    parameters = model.neighbour_potential[None]
    derivatives = two_centre_derivatives(parameters, structure.bond_distances, model)[1][:, 0]
    by_atom = np.zeros((structure.n_atoms, 4))
    np.add.at(by_atom, structure.bond_centres, derivatives)
    result: FloatArray = np.einsum("kan,aq->knq", populations, by_atom)
    return result


def _expectations(
    structure: BlochSums, derivatives: Sequence[FloatArray], states: ComplexArray
) -> list[FloatArray]:
    """Expect two-centre derivatives (each (n_shells, 10, 4)) in states, each (n_k, n, 40)."""
    stacked = np.concatenate(derivatives, axis=2)
    n_k, _, n = states.shape
    if n == 0:
        return [np.zeros((n_k, 0, N_TWO_CENTRE)) for _ in derivatives]
    columns = []
    for number in range(len(INTEGRALS)):
        product = structure.matrices(stacked, number) @ states[:, None]
        columns.append(np.einsum("kan,kman->knm", states.conj(), product).real)
    table = np.stack(columns, axis=2).reshape(n_k, n, len(INTEGRALS), -1, 4)
    return [table[:, :, :, part].reshape(n_k, n, -1) for part in range(len(derivatives))]


def _overlap_slopes(
    structure: BlochSums, model: TightBindingModel, modes: ComplexArray
) -> FloatArray:
    derivatives = two_centre_derivatives(model.overlap, structure.distances, model)[1]
    result = np.zeros((len(modes), N_PARAMETERS))
    columns = slice(N_TWO_CENTRE, 2 * N_TWO_CENTRE)
    result[:, columns] = _expectations(structure, (derivatives,), modes[:, :, None])[0][:, 0]
    return result
