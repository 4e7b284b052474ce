"""The native kernel against LAMMPS, and against its own energy."""

import itertools
from dataclasses import replace

import numba
import numpy as np
import pytest
from tests.dynamics.native.frames import every_kind, loose, potential_of, shaken, tips

from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.native.metal import Metal
from nanogap.dynamics.native.pairs import PairList
from nanogap.dynamics.native.parameters import MetalParameters
from nanogap.dynamics.native.shares import SHARES, numba_threads
from nanogap.dynamics.native.tables import ENERGY_PER_MATRIX, make_tables
from nanogap.dynamics.native.terms import (
    atom_coefficients,
    atom_energy,
    coulomb,
    longest_bond,
    van_der_waals,
)
from nanogap.errors import EngineError, SettingsError
from nanogap.settings import DynamicsSettings

METALS = ("Ag", "Cu", "Au")


def parameters_of(force_field):
    return MetalParameters.from_table(force_field.general, force_field.atom, force_field.bond)


def computed(force_field, atoms, potential, *, fixed=0, threads=1):
    metal = Metal(parameters_of(force_field), len(atoms), fixed, 1e-13, threads=threads)
    metal.potential = potential
    metal.compute(atoms.positions)
    return metal


@pytest.mark.engine
@pytest.mark.parametrize("element", METALS)
def test_every_kind_of_frame_is_as_lammps_has_it(element, tmp_path):
    """Energy, forces and charges: the oracle table."""
    force_field = load_force_field(element)
    settings = DynamicsSettings(temperature=0.0, charge_tolerance=1e-13, fast_control=False)
    for name, atoms in every_kind(force_field).items():
        potential = potential_of(atoms)
        engine = Engine(atoms, settings, force_field, tmp_path, seed=1)
        engine.set_potential(potential)
        engine.advance(0)
        energy, forces, charges = engine.potential_energy, engine.forces, engine.charges
        engine.close()
        metal = computed(force_field, atoms, potential)
        assert metal.energies(atoms.positions).total / len(atoms) == pytest.approx(
            energy / len(atoms), abs=1e-8
        ), name
        # the tables' own error is 6e-9 eV/angstrom, and 4e-7 where atoms come as close as 1.5
        np.testing.assert_allclose(metal.forces, forces, rtol=0.0, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(metal.charges, charges, rtol=0.0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("element", METALS)
def test_forces_are_derivatives_of_the_energy(element):
    force_field = load_force_field(element)
    atoms = shaken(tips(force_field, 3.1), 0.15)
    metal = computed(force_field, atoms, potential_of(atoms))
    step = 1e-4
    for atom in np.random.default_rng(3).integers(len(atoms), size=6):
        for axis in range(3):
            energies = []
            for shift in (-2, -1, 1, 2):
                moved = atoms.positions.copy()
                moved[atom, axis] += shift * step
                energies.append(metal.energies(moved).total)
            slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
            assert metal.forces[atom, axis] == pytest.approx(-slope, abs=1e-7)


def test_fixed_atoms_change_no_force_on_the_others(force_field):
    atoms = shaken(tips(force_field, 3.1), 0.1)
    potential = potential_of(atoms)
    whole = computed(force_field, atoms, potential)
    part = computed(force_field, atoms, potential, fixed=60)
    np.testing.assert_allclose(part.forces[60:], whole.forces[60:], atol=1e-11)
    np.testing.assert_allclose(part.all_forces(atoms.positions), whole.forces, atol=1e-11)
    np.testing.assert_allclose(part.charges, whole.charges, atol=1e-12)
    assert np.abs(whole.forces.sum(axis=0)).max() < 1e-10


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="numba has one thread only")
@pytest.mark.parametrize("fixed", [0, 61])
def test_threads_change_no_bit(force_field, fixed):
    atoms = shaken(tips(force_field, 3.1), 0.1)
    potential, metals = potential_of(atoms), []
    for threads in (1, 2):
        with numba_threads(threads):
            metals.append(computed(force_field, atoms, potential, fixed=fixed, threads=threads))
            metals[-1].compute(atoms.positions + 0.3)
    one, two = metals
    np.testing.assert_array_equal(one.forces, two.forces)
    np.testing.assert_array_equal(one.charges, two.charges)
    assert one.energies(atoms.positions) == two.energies(atoms.positions)


def test_charges_minimise_the_energy_and_sum_up_to_0(force_field):
    """At the minimum dE/dq is the same for all atoms; LAMMPS' two Coulomb constants differ."""
    atoms = shaken(tips(force_field, 3.1), 0.1)
    potential = potential_of(atoms)
    metal = computed(force_field, atoms, potential)
    parameters, charges = parameters_of(force_field), metal.charges
    distances = np.linalg.norm(atoms.positions[:, None] - atoms.positions, axis=2)
    matrix = coulomb(distances, parameters)
    np.fill_diagonal(matrix, parameters.eta)
    gradient = parameters.chi - potential + matrix @ charges
    assert np.ptp(gradient) < 1e-10
    assert charges.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("element", METALS)
def test_energy_of_an_atom_has_the_derivative_it_says(element):
    """Of the terms that no packaged metal has, too."""
    metal = replace(parameters_of(load_force_field(element)), p_ovun5=0.7, p_lp2=0.4)
    coefficients = atom_coefficients(metal)
    for total in (0.3, 0.9, 1.7, 2.6, 3.9):
        slope = (
            atom_energy(total + 1e-6, coefficients)[0] - atom_energy(total - 1e-6, coefficients)[0]
        ) / 2e-6
        assert atom_energy(total, coefficients)[1] == pytest.approx(slope, abs=1e-7)
    assert atom_energy(0.0, coefficients) == (0.0, 0.0)


@pytest.mark.parametrize("element", METALS)
def test_tables_are_the_functions(element):
    metal = parameters_of(load_force_field(element))
    tables = make_tables(metal)
    distances = np.random.default_rng(1).uniform(2.2, metal.cutoff, 10000)
    places = (distances**2 - tables.origin) * tables.scale
    pieces = places.astype(int)
    powers = (places - pieces)[:, None] ** np.arange(5)
    values = (tables.matrix[pieces] * powers[:, :4]).sum(axis=1)
    np.testing.assert_allclose(values, coulomb(distances, metal), rtol=0.0, atol=1e-10)
    for columns, function, factor in (
        (slice(5), coulomb, ENERGY_PER_MATRIX),
        (slice(5, 10), van_der_waals, 1.0),
    ):
        values = (tables.energies[pieces, columns] * powers).sum(axis=1)
        np.testing.assert_allclose(values, factor * function(distances, metal), rtol=0.0, atol=1e-9)
    assert 3.0 < longest_bond(metal) < 5.0


def test_a_list_has_every_pair_once(force_field):
    atoms = shaken(tips(force_field, 3.1), 0.2)
    pairs = PairList(4.0, skin=0.5)
    assert pairs.update(atoms.positions)
    found = []
    for share, (starts, others) in enumerate(zip(*pairs.candidates, strict=True)):
        for row, (begin, end) in enumerate(itertools.pairwise(starts)):
            found += [(int(other), share + SHARES * row) for other in others[begin:end]]
    distances = np.linalg.norm(atoms.positions[:, None] - atoms.positions, axis=2)
    wanted = np.argwhere(np.triu(distances <= 4.5, k=1))
    assert sorted(found) == [tuple(pair) for pair in wanted.tolist()]
    assert pairs.count == len(found)
    assert not pairs.update(atoms.positions + 0.1)
    assert pairs.update(atoms.positions + 0.2)


def test_atoms_on_top_of_each_other_are_an_error(force_field):
    atoms = loose(force_field, [[0, 0, 0], [0, 0, 0.4]])
    with pytest.raises(EngineError, match=r"two atoms are closer than 0.5 Å"):
        computed(force_field, atoms, np.zeros(2))


def test_positions_or_potentials_that_are_no_numbers_are_an_error(force_field):
    atoms = tips(force_field, 6.0)
    metal = computed(force_field, atoms, potential_of(atoms))
    metal.potential[3] = np.nan
    with pytest.raises(EngineError, match="charges do not converge"):
        metal.compute(atoms.positions)
    metal.potential[3] = 0.0
    with pytest.raises(EngineError, match="the atoms have flown apart"):
        metal.compute(np.where(np.arange(3) == 1, np.nan, atoms.positions))


@pytest.mark.parametrize(
    ("table", "name", "value", "term"),
    [
        ("bond", "ovc", 1.0, "corrections of the bond order"),
        ("bond", "v13cor", 1.0, "corrections of the bond order"),
        ("atom", "r_pi", 1.5, "pi bonds"),
        ("atom", "r_sigma", -1.0, "no sigma bond"),
        ("general", 12, 8.0, "a taper that does not end at 10 Å"),
    ],
)
def test_terms_that_are_not_computed_are_refused(force_field, table, name, value, term):
    tables = {
        "general": list(force_field.general),
        "atom": dict(force_field.atom),
        "bond": dict(force_field.bond),
    }
    tables[table][name] = value
    with pytest.raises(SettingsError, match=f"{term}.*set dynamics.engine = 'reaxff'"):
        MetalParameters.from_table(**tables)
