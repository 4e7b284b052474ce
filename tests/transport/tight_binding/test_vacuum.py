import dataclasses
import math

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import slab_junction

from nanogap.transport.fitting.reference_transmissions import packaged_reference_transmissions
from nanogap.transport.fitting.vacuum_tail import vacuum_decay
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.bands import band_energies
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.line_of_sight import openness
from nanogap.transport.tight_binding.matrices import real_space_matrices
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.transport.tight_binding.vacuum import VacuumTail, smooth_step

TAIL = VacuumTail(decay=1.08, s=0.3, p=0.2)
BETWEEN = (1.2, 2.4)


def opened(width, gap):
    junction = slab_junction(width)
    z = junction.positions[:, 2]
    upper = z > z.mean()
    junction.positions[upper, 2] += gap - (z[upper].min() - z[~upper].max())
    return junction


@pytest.mark.parametrize("distance", [5.0, 7.0, 11.0])
def test_p_orbitals_differentiate_the_tail(distance):
    # Chen's rule, by finite differences of the s tail without relief
    step = 1e-4
    near = TAIL.two_centre(np.array([distance - step, distance, distance + step]))
    ss = -near[:, 0] / TAIL.s**2
    slope = (ss[2] - ss[0]) / (2 * step) / TAIL.decay
    curvature = (ss[2] - 2 * ss[1] + ss[0]) / step**2 / TAIL.decay**2
    assert near[1, 1] == pytest.approx(-TAIL.s * TAIL.p * slope, rel=1e-6)
    assert near[1, 2] == pytest.approx(TAIL.p**2 * curvature, rel=1e-5)
    pi = TAIL.p**2 * slope / (TAIL.decay * distance)
    assert near[1, 3] == pytest.approx(pi, rel=1e-6)
    assert not near[:, 4:].any()


@pytest.mark.validation
def test_a_plane_of_tails_decays_as_a_barrier_does():
    # sum over a plane of exp(-kappa R)/R e^{ikr} is exp(-sqrt(kappa^2 + k^2) z), but for a factor
    points = 0.3 * np.stack(np.meshgrid(*[np.arange(-200, 201)] * 2), axis=-1).reshape(-1, 2)
    k = np.array([0.4, 0.2])
    sums = []
    for z in (6.5, 8.5):
        distances = np.hypot(np.linalg.norm(points, axis=1), z)
        sums.append((TAIL.two_centre(distances)[:, 0] * np.cos(points @ k)).sum())
    found = math.log(sums[0] / sums[1]) / 2.0
    assert found == pytest.approx(math.sqrt(TAIL.decay**2 + k @ k), rel=1e-3)


def test_relief_is_a_slower_decay_that_ends():
    relieved = dataclasses.replace(TAIL, relief=0.3, relief_range=2.0)
    far = np.array([6.0, 6.01, 30.0, 30.01])
    plain, lowered = (tail.two_centre(far)[:, 0] for tail in (TAIL, relieved))
    ratio = np.log(lowered / plain)
    assert ratio[0] == pytest.approx(0.0, abs=1e-12)
    assert (ratio[1] - ratio[0]) / 0.01 == pytest.approx(0.3, rel=0.01)
    assert ratio[3] - ratio[2] == pytest.approx(0.0, abs=1e-6)


def test_what_sticks_out_reaches_farther_and_a_plane_does_not():
    tail = dataclasses.replace(TAIL, protrusion=0.5)
    np.testing.assert_allclose(tail.amplitude(np.array([0.0, 4.5, 9.0, 12.0])), [1.5, 1.25, 1, 1])
    wire = Atoms("Ag2", [(0.0, 0.0, 0.0), (0.0, 0.0, 8.0)], cell=[30, 30, 30], pbc=False)
    couplings = [
        real_space_matrices(
            wire, dataclasses.replace(load_model(), vacuum=dataclasses.replace(TAIL, protrusion=b))
        ).hamiltonian[0][0, 9]
        for b in (0.0, 0.5)
    ]
    # both atoms are alone, so each has the whole protrusion
    assert couplings[1] == pytest.approx(1.5**2 * couplings[0], rel=1e-9)
    assert couplings[0] < 0.0


def test_a_line_is_blocked_by_what_stands_between_only():
    ends = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 8.0]])
    line = (ends[:1], ends[1:] - ends[:1])
    assert openness(*line, ends, BETWEEN)[0] == 1.0
    for place, free in (([0.5, 0, 4], 0.0), ([2.5, 0, 4], 1.0), ([0, 0, -2.9], 1.0)):
        assert openness(*line, np.array([*ends, place]), BETWEEN)[0] == free
    half = openness(*line, np.array([*ends, [1.8, 0, 3]]), BETWEEN)[0]
    assert half == pytest.approx(0.5)
    twice = openness(*line, np.array([*ends, [1.8, 0, 3], [0, 1.8, 5]]), BETWEEN)[0]
    assert twice == pytest.approx(0.25)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_openness_is_the_product_over_all_atoms(seed):
    """Looking up near atoms only, and none after a blocking one, changes nothing."""
    random = np.random.default_rng(seed)
    atoms = random.uniform(-9.0, 9.0, (random.integers(2, 120), 3))
    pairs = random.integers(0, len(atoms), (40, 2))
    first, second = pairs[pairs[:, 0] != pairs[:, 1]].T
    expected = []
    for a, b in zip(atoms[first], atoms[second], strict=True):
        along = np.clip((atoms - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
        distance = np.linalg.norm(atoms - a - along[:, None] * (b - a), axis=1)
        others = (atoms != a).any(axis=1) & (atoms != b).any(axis=1)
        expected.append(smooth_step(distance[others], *BETWEEN).prod())
    found = openness(atoms[first], atoms[second] - atoms[first], atoms, BETWEEN)
    assert found == pytest.approx(np.array(expected), abs=1e-12)


@given(st.floats(-5, 5), st.floats(0.1, 3.0))
def test_smooth_step_rises_from_zero_to_one(start, width):
    x = np.linspace(start - 1.0, start + width + 1.0, 400)
    values = smooth_step(x, start, start + width)
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert np.diff(values).min() > -1e-12


def test_the_crystal_has_no_tail():
    model = load_model()
    assert model.vacuum is not None
    without = dataclasses.replace(model, vacuum=None)
    atoms = bulk("Ag", a=4.2, cubic=True) * (2, 2, 2)
    atoms.rattle(0.12, seed=4)
    k = [[0.1, 0.2, -0.3]]
    # what is left are atoms that heat has left with fewer than eleven neighbours
    np.testing.assert_allclose(
        band_energies(atoms, k, model), band_energies(atoms, k, without), atol=2e-3
    )
    perfect = bulk("Ag", a=4.2)
    np.testing.assert_array_equal(
        band_energies(perfect, k, model), band_energies(perfect, k, without)
    )


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31))
def test_matrices_with_a_tail_are_symmetric(seed):
    rng = np.random.default_rng(seed)
    atoms = Atoms("Ag6", rng.uniform(0, 1, (6, 3)) * [7, 7, 1])
    atoms.positions[:, 2] += np.repeat([0.0, 8.0], 3) + rng.uniform(0, 0.5, 6)
    atoms.cell, atoms.pbc = [9.0, 9.0, 40.0], (True, True, False)
    if find_neighbours(atoms, 2.4).distances.size:
        return
    matrices = real_space_matrices(atoms, load_model())
    for matrix in matrices.at([0.2, 0.3, 0.0]):
        dense = matrix.toarray()
        np.testing.assert_allclose(dense, dense.conj().T, atol=1e-12)


def test_transmission_is_continuous_where_the_tail_takes_over():
    gaps = np.arange(4.6, 7.4, 0.1)
    values = [
        float(compute_transmission([opened(1, gap)], kpoints=(4, 4))["transmission_average"].item())
        for gap in gaps
    ]
    steps = np.diff(np.log(values))
    assert (steps < 0.0).all()
    assert steps.min() > -0.5


@pytest.mark.validation
def test_a_wide_gap_decays_with_the_work_function():
    # at one k the decay is that of a barrier, sqrt(kappa^2 + k^2), twice for the square
    widths = np.array([9.0, 10.0, 11.0])
    datasets = [compute_transmission([opened(1, gap)], kpoints=(6, 6)) for gap in widths]
    values = np.array([dataset["transmission"].to_numpy()[0, :, 0] for dataset in datasets])
    k = np.column_stack([datasets[0]["k1"], datasets[0]["k2"]])
    reciprocal = 2.0 * np.pi * np.linalg.inv(slab_junction(1).cell.array[:2, :2]).T
    zone = [(k + np.array(shift) - 1.0) @ reciprocal for shift in np.ndindex(3, 3)]
    squares = (np.array(zone) ** 2).sum(axis=2).min(axis=0)
    small = (squares < 0.5) & (values[0] > 1e-9)
    assert small.any()
    found = np.log(values[0] / values[2])[small] / 2.0
    kappa = vacuum_decay(packaged_reference_transmissions().work_function)
    expected = 2.0 * np.sqrt(kappa**2 + squares[small])
    np.testing.assert_allclose(found, expected, rtol=0.08)


@pytest.mark.validation
def test_flat_planes_conduct_as_in_pwcond():
    for reference in packaged_reference_transmissions().junctions:
        if reference.kind != "gap":
            continue
        dataset = compute_transmission(
            [reference.atoms], kpoints=reference.kpoints, gamma_centred=reference.gamma_centred
        )
        found = float(dataset["transmission_average"].item())
        # over four decades of T
        assert found == pytest.approx(reference.transmission, rel=0.35), reference.name


@pytest.mark.validation
def test_the_decay_is_that_of_the_work_function():
    # 0.5123 sqrt(W/eV) per angstrom, from hbar^2/2m = 3.810 eV angstrom^2
    assert vacuum_decay(4.5) == pytest.approx(math.sqrt(4.5 / 3.80998), rel=1e-4)
    assert load_model().vacuum.decay == pytest.approx(1.0825, abs=0.002)
