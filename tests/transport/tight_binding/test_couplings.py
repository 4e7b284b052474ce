"""Atoms that have a part of their couplings only: with none they are not there."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from tests.transport.junctions import slab_junction

from nanogap.errors import StructureError
from nanogap.structure.junction import COUPLING, couplings, validate_junction, without_faded
from nanogap.transport.compute import compute_transmission
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.matrices import real_space_matrices


@pytest.fixture
def atoms():
    cluster = bulk("Ag", "fcc", a=4.2).repeat((2, 2, 2))
    cluster.pbc = False
    cluster.rattle(0.1, seed=1)
    cluster.append("Ag")
    cluster.positions[-1] = cluster.positions.max(axis=0) + 1.6
    return cluster


def matrices(atoms):
    found = real_space_matrices(atoms, load_model(), parts=couplings(atoms))
    return np.array([found.hamiltonian[0].toarray(), found.overlap[0].toarray()])


def test_an_atom_without_couplings_is_not_there(atoms):
    atoms.new_array(COUPLING, np.append(np.ones(8), 0.0))
    found, rest = matrices(atoms), matrices(atoms[:-1])
    np.testing.assert_allclose(found[:, :72, :72], rest, atol=1e-13)
    assert not found[:, :72, 72:].any()


def test_an_atom_with_all_of_them_is_as_any(atoms):
    plain = matrices(atoms)
    atoms.new_array(COUPLING, np.ones(9))
    np.testing.assert_array_equal(matrices(atoms), plain)


def test_the_matrices_are_continuous_in_the_part(atoms):
    found = []
    for part in (0.999999, 0.5, 0.500001, 1e-6):
        atoms.set_array(COUPLING, np.append(np.ones(8), part))
        found.append(matrices(atoms))
    plain = atoms.copy()
    del plain.arrays[COUPLING]
    assert np.abs(found[0] - matrices(plain)).max() < 1e-4
    assert np.abs(found[1] - found[2]).max() < 1e-4
    assert np.abs(found[3][:, :72, :72] - matrices(atoms[:-1])).max() < 1e-3


def wire(parts):
    junction = Atoms("Ag5", positions=[(0.0, 0.0, 2.9 * n) for n in range(5)])
    junction.new_array("region", np.array(["left", *3 * ["channel"], "right"]))
    junction.info.update(left_period=2.9, right_period=2.9)
    junction.new_array(COUPLING, np.array(parts))
    return junction


def test_parts_that_cannot_be_are_refused():
    validate_junction(wire([1.0, 1.0, 0.3, 1.0, 1.0]))
    for parts in ([1, 1, 1.2, 1, 1], [1, 1, np.nan, 1, 1], ["a"] * 5):
        with pytest.raises(StructureError, match="'coupling' must hold one number from 0 to 1"):
            validate_junction(wire(parts))
    with pytest.raises(StructureError, match="must be 1 for atoms of the leads"):
        validate_junction(wire([0.5, 1, 1, 1, 1]))


def test_programs_that_know_no_parts_get_the_atoms_that_are_mostly_there():
    assert len(without_faded(wire([1.0, 0.3, 0.6, 1.0, 1.0]))) == 4
    assert COUPLING not in without_faded(wire([1.0] * 5)).arrays


def half_there(part):
    junction = slab_junction(2, gap_layers=2, extra=[(0.1, 0.2, -0.3)])
    junction.new_array(COUPLING, np.append(np.ones(len(junction) - 1), part))
    return junction


def transmission(junction, backend="tight-binding"):
    found = compute_transmission(junction, kpoints=(1, 2), backend=backend)["transmission"]
    return found.to_numpy().ravel()


def test_transmission_goes_from_that_without_the_atom_to_that_with_it():
    without, whole = half_there(1.0)[:-1], half_there(1.0)
    assert transmission(half_there(1e-5)) == pytest.approx(transmission(without), abs=1e-6)
    assert transmission(half_there(1.0 - 1e-9)) == pytest.approx(transmission(whole), abs=1e-6)
    steps = np.array([transmission(half_there(part)) for part in np.linspace(0.1, 1.0, 10)])
    assert np.abs(np.diff(steps, axis=0)).max() < 0.3 * np.ptp(steps)


def test_a_plain_inversion_computes_a_part_of_an_atom_alike():
    junction = half_there(0.4)
    assert transmission(junction) == pytest.approx(transmission(junction, "dense"), abs=1e-9)
