"""Relaxation of a neck by embedded atoms before its transmission."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanogap.device.conductance import NeckConductance
from nanogap.device.neck import CRYSTAL_LAYERS, Neck, NeckCut, neck_junction
from nanogap.device.relaxation import LARGEST_FORCE, EmbeddedAtomCalculator, relax_neck
from nanogap.dynamics.embedded_functions import load_functions
from nanogap.structure.tips import layer_spacing

CONSTANT = 4.09
SILVER = load_functions("Ag")


def one_atom_contact(width=4):
    """Three atoms, one, three: a bridge in a cell."""
    occupied = np.zeros((3, width, width), dtype=bool)
    # columns follow the stacking, by a third of both vectors in a layer
    occupied[1, 1, 1] = True
    occupied[0, [1, 2, 1], [1, 1, 2]] = True
    occupied[2, [1, 0, 1], [1, 1, 0]] = True
    return Neck(occupied, True, 0, 0)


def energy(atoms):
    atoms.calc = EmbeddedAtomCalculator(SILVER)
    return atoms.get_potential_energy()


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_crystal_has_one_energy_whatever_its_cell(size):
    # the smallest cells are below the cutoff: atoms meet several of their own images
    crystal = bulk("Ag", "fcc", a=CONSTANT) * (size, 1, 1)
    assert energy(crystal) / size == pytest.approx(-2.85, abs=0.01)
    assert energy(crystal) / size == pytest.approx(
        energy(bulk("Ag", "fcc", a=CONSTANT, cubic=True)) / 4
    )
    assert np.abs(crystal.get_forces()).max() < 1e-9


def test_forces_are_the_slope_of_the_energy():
    junction = neck_junction(one_atom_contact(), CONSTANT, "Ag")
    junction.positions += np.random.default_rng(2).normal(0.0, 0.1, junction.positions.shape)
    energy(junction)
    forces = junction.get_forces()
    for atom, axis in ((3, 0), (len(junction) // 2, 2), (len(junction) - 5, 1)):
        ends = []
        for step in (-1e-4, 1e-4):
            moved = Atoms(junction)
            moved.positions[atom, axis] += step
            ends.append(energy(moved))
        assert forces[atom, axis] == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=1e-6)


def test_only_atoms_between_the_crystals_move_and_they_come_to_rest():
    junction = neck_junction(one_atom_contact(), CONSTANT, "Ag")
    before = junction.positions.copy()
    relaxed = relax_neck(junction, CONSTANT, SILVER, 200)
    np.testing.assert_array_equal(junction.positions, before)
    assert relaxed.converged
    assert 0 < relaxed.steps < 200
    assert relaxed.force <= LARGEST_FORCE
    height, spacing = before[:, 2], layer_spacing(CONSTANT)
    inside = (height > (CRYSTAL_LAYERS - 0.5) * spacing) & (
        height < height.max() - (CRYSTAL_LAYERS - 0.5) * spacing
    )
    assert inside.sum() == 7
    moved = np.linalg.norm(relaxed.junction.positions - before, axis=1)
    assert not moved[~inside].any()
    # the bonds of the one atom shorten, and it stays where symmetry holds it
    assert 0.02 < moved[inside].max() < 0.4
    middle = np.argmin(np.abs(height - height.max() / 2.0))
    assert moved[middle] < 1e-6
    assert relax_neck(junction, CONSTANT, SILVER, 3).steps == 3
    assert not relax_neck(junction, CONSTANT, SILVER, 3).converged


def test_a_perfect_crystal_stays():
    junction = neck_junction(Neck(np.ones((3, 4, 4), dtype=bool), True, 0, 0), CONSTANT, "Ag")
    relaxed = relax_neck(junction, CONSTANT, SILVER, 50)
    assert relaxed.steps == 0
    np.testing.assert_allclose(relaxed.junction.positions, junction.positions, atol=1e-9)


def test_equal_necks_have_equal_transmissions_and_the_steps_are_part_of_the_key(tmp_path):
    path, neck = tmp_path / "necks.sqlite", one_atom_contact()
    mirrored = Neck(neck.occupied.transpose(0, 2, 1), True, 0, 0)
    index = -np.arange(4)
    inverted = Neck(neck.occupied[::-1][:, index][:, :, index], True, 0, 0)
    values = {}
    for steps in (0, 5, 100):
        made = NeckConductance("Ag", CONSTANT, relaxation_steps=steps, store=path)
        values[steps] = made.of_neck(neck)
        assert made.count.computed == 1
        assert made.of_neck(mirrored) == made.of_neck(inverted) == values[steps]
        assert made.count.computed == 1
        fresh = NeckConductance("Ag", CONSTANT, relaxation_steps=steps, store=None)
        assert fresh.of_neck(inverted) == values[steps]
    assert len(set(values.values())) == 3
    plain = NeckConductance("Ag", CONSTANT, relaxation_steps=0, store=path)
    assert plain.of_neck(neck) == values[0]
    assert plain.count.computed == 0


def test_a_file_of_conductances_serves_other_meshes_without_mixing_them_up(tmp_path):
    path, neck = tmp_path / "necks.sqlite", one_atom_contact()
    coarse, fine = (
        NeckConductance("Ag", CONSTANT, kpoints=mesh, store=path) for mesh in ((1, 1), (2, 2))
    )
    assert coarse.of_neck(neck) != fine.of_neck(neck)
    assert fine.count.computed == 1


def test_a_wide_cell_has_fewer_wave_vectors_and_the_file_tells_them_apart(tmp_path):
    made = NeckConductance("Ag", CONSTANT, kpoints=(3, 3), store=None)
    assert [made.mesh(width) for width in (4, 6, 8, 12)] == [(3, 3), (2, 2), (2, 2), (1, 1)]
    coarse = NeckConductance("Ag", CONSTANT, kpoints=(1, 1), store=None)
    assert {coarse.mesh(width) for width in (4, 6, 8, 12)} == {(1, 1)}
    # one neck, one mesh of the settings, and another narrowest cell
    path, neck = tmp_path / "necks.sqlite", one_atom_contact()
    narrow, wide = (
        NeckConductance("Ag", CONSTANT, NeckCut(widths=widths), kpoints=(2, 2), store=path)
        for widths in ((4, 8), (8,))
    )
    assert narrow.mesh(4) == (2, 2)
    assert wide.mesh(4) == (4, 4)
    assert narrow.of_neck(neck) != wide.of_neck(neck)
    assert wide.count.computed == 1
