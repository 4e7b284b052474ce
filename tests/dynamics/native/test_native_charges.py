"""Iterations of charge equilibration: its preconditioner, and the guess that it begins with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dynamics.native.frames import every_kind, loose, potential_of, shaken, tips

from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.native import metal as metal_module
from nanogap.dynamics.native.charges import extrapolated
from nanogap.dynamics.native.metal import Metal
from nanogap.dynamics.native.parameters import MetalParameters
from nanogap.dynamics.native.preconditioner import (
    Preconditioner,
    bond_preconditioner,
    multiply_bonds,
)
from nanogap.dynamics.native.shares import SHARES


def computed(force_field, atoms, fixed=0, tolerance=1e-10):
    parameters = MetalParameters.from_table(force_field.general, force_field.atom, force_field.bond)
    metal = Metal(parameters, len(atoms), fixed, tolerance)
    metal.potential = potential_of(atoms)
    metal.compute(atoms.positions)
    return metal


def matrix_of(found, n):
    """The preconditioner as a dense matrix."""
    products, columns = np.empty((SHARES, n)), []
    for unit in np.eye(n):
        multiply_bonds(0, SHARES, unit, found.fixed, found.moving, products)
        columns.append(unit - found.factor * products.sum(axis=0))
    return np.array(columns).T


@pytest.fixture
def preconditioners(monkeypatch):
    """Those that were made."""
    made = []

    def remember(*arguments):
        made.append(bond_preconditioner(*arguments))
        return made[-1]

    monkeypatch.setattr(metal_module, "bond_preconditioner", remember)
    return made


@pytest.mark.parametrize("element", ["Ag", "Cu", "Au"])
def test_the_preconditioner_is_symmetric_and_positive_definite(element, preconditioners):
    force_field = load_force_field(element)
    for name, atoms in every_kind(force_field).items():
        computed(force_field, atoms)
        matrix = matrix_of(preconditioners[-1], len(atoms))
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-14, err_msg=name)
        assert np.linalg.eigvalsh(matrix).min() > 0.04, name


def test_it_has_the_bonds_of_fixed_atoms_too(force_field, preconditioners):
    atoms = shaken(tips(force_field, 3.1), 0.1)
    for fixed in (0, 60):
        computed(force_field, atoms, fixed)
    one, other = (matrix_of(found, len(atoms)) for found in preconditioners)
    np.testing.assert_allclose(one, other, atol=1e-14)


def test_it_saves_a_third_of_the_iterations_and_changes_no_charge(force_field, monkeypatch):
    atoms = shaken(tips(force_field, 3.1), 0.1)
    smoothed = computed(force_field, atoms)

    def nothing(fixed, moving, _):
        return Preconditioner(fixed, moving, 0.0)

    monkeypatch.setattr(metal_module, "bond_preconditioner", nothing)
    plain = computed(force_field, atoms)
    np.testing.assert_allclose(smoothed.charges, plain.charges, rtol=0.0, atol=1e-9)
    assert 3 * smoothed.iterations < 2.2 * plain.iterations


def test_atoms_without_bonds_are_not_smoothed(force_field, preconditioners):
    atoms = loose(force_field, [[0, 0, 0], [20.0, 0, 0], [0, 9.5, 0]])
    computed(force_field, atoms)
    assert preconditioners[0].factor == 0.0


@given(
    degree=st.integers(0, 4),
    coefficients=st.lists(st.floats(-1.0, 1.0), min_size=10, max_size=10),
)
def test_a_polynomial_is_continued_exactly(degree, coefficients):
    table = np.reshape(coefficients, (5, 2))
    table[degree + 1 :] = 0.0
    times = -np.arange(6.0)[:, None, None]
    values = (table * times ** np.arange(5.0)[:, None]).sum(axis=1)
    np.testing.assert_allclose(extrapolated(values), table.sum(axis=0), atol=1e-9)


def test_noise_is_not_amplified():
    """The polynomial of fifth order would multiply it by 16."""
    rng = np.random.default_rng(4)
    drift = np.linspace(0.0, 1.0, 40)
    errors = []
    for _ in range(20):
        signal = drift + rng.normal(0.0, 1.0, (7, 40))
        errors.append(np.linalg.norm(extrapolated(signal[1:]) - signal[0]) / np.sqrt(40))
    assert np.mean(errors) < 2.0


def test_few_steps_are_enough_to_begin_with():
    one, two = np.array([[3.0, 1.0]]), np.array([[3.0, 1.0], [2.0, 1.0]])
    np.testing.assert_array_equal(extrapolated(one), one[0])
    np.testing.assert_array_equal(extrapolated(two), two[0])
