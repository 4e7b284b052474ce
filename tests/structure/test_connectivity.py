import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from nanogap.structure import analyse_connection
from nanogap.structure.connectivity import are_bonded, bottleneck_bonds

A = 4.2
BOND = A / np.sqrt(2)


def rows(*columns):
    """Two fixed plates of 3 x 3 atoms with given columns of atoms between them."""
    plate = BOND * np.array([(i, j, 0.0) for i in range(3) for j in range(3)])
    positions = [plate, plate + np.array([0, 0, 4 * BOND])]
    labels = ["bottom"] * 9 + ["top"] * 9
    for x, y, heights in columns:
        positions.append(np.array([(x * BOND, y * BOND, h * BOND) for h in heights]))
        labels += ["mobile"] * len(heights)
    atoms = Atoms(f"Ag{len(labels)}", positions=np.concatenate(positions), cell=[50, 50, 50])
    atoms.new_array("electrode", np.array(labels))
    atoms.info["lattice_constant"] = A
    return atoms


def test_one_column_is_a_one_atom_contact():
    connection = analyse_connection(rows((1, 1, [1, 2, 3])), 4.0)
    assert connection.connected
    assert len(connection.bottleneck) == 1
    assert connection.minimax_gap == pytest.approx(BOND)
    assert connection.axis == pytest.approx([BOND, BOND])


def test_two_columns_are_a_two_atom_contact():
    connection = analyse_connection(rows((0, 0, [1, 2, 3]), (2, 2, [1, 2, 3])), 4.0)
    assert len(connection.bottleneck) == 2


def test_the_waist_counts_not_the_width():
    wide = [(x, y, [1, 3]) for x in range(3) for y in range(3)]
    connection = analyse_connection(rows(*wide, (1, 1, [2])), 4.0)
    assert len(connection.bottleneck) == 1


def test_an_open_gap_has_a_width_and_no_bottleneck():
    connection = analyse_connection(rows((1, 1, [1])), 4.0)
    assert not connection.connected
    assert len(connection.bottleneck) == 0
    assert connection.minimax_gap == pytest.approx(3 * BOND)


def test_an_island_in_the_gap_is_a_stepping_stone():
    connection = analyse_connection(rows((1, 1, [2])), 4.0)
    assert not connection.connected
    assert connection.minimax_gap == pytest.approx(2 * BOND)


def test_cutoff_decides_what_is_connected():
    stretched = rows((1, 1, [1, 2.25, 3.25]))
    assert analyse_connection(stretched, 4.0).connected
    assert not analyse_connection(stretched, 3.5).connected


def test_bonds_of_a_one_atom_bottleneck_are_those_of_its_chain():
    """In a chain every atom has two neighbours, one spacing away."""
    chain = rows((1, 1, (1, 2, 3)))
    bottleneck = analyse_connection(chain, cutoff=4.0).bottleneck
    coordination, length = bottleneck_bonds(chain, np.array([len(chain) - 2]))
    assert (coordination, length) == (2.0, pytest.approx(BOND))
    assert len(bottleneck) == 1
    assert np.isnan(bottleneck_bonds(chain, np.array([], dtype=int))).all()


def test_a_bond_within_the_bottleneck_counts_for_both_its_atoms():
    dimer = rows((0, 0, (2,)), (1, 0, (2,)))
    pair = np.array([len(dimer) - 2, len(dimer) - 1])
    assert bottleneck_bonds(dimer, pair) == (1.0, pytest.approx(BOND))


def minimax_by_all_pairs(atoms):
    """Longest step of the best path between the bases, by trying all atoms as stepping stones."""
    steps = np.linalg.norm(atoms.positions[:, None] - atoms.positions, axis=-1)
    electrode = atoms.arrays["electrode"]
    for base in ("bottom", "top"):
        steps[np.ix_(electrode == base, electrode == base)] = 0.0
    for stone in range(len(atoms)):
        steps = np.minimum(steps, np.maximum(steps[:, stone, None], steps[None, stone]))
    return steps[np.ix_(electrode == "bottom", electrode == "top")].min()


@given(st.integers(0, 14), st.integers(0, 2**32 - 1), st.sampled_from([4.0, 6.0, 9.0]))
def test_the_minimax_gap_is_that_of_all_paths(count, seed, height):
    """Islands, loose atoms and bridges alike."""
    atoms = rows()
    atoms.positions[9:18, 2] += (height - 4.0) * BOND
    generator = np.random.default_rng(seed)
    loose = generator.uniform([-BOND, -BOND, 0.3], [3 * BOND, 3 * BOND, height * BOND], (count, 3))
    whole = Atoms(f"Ag{18 + count}", np.concatenate([atoms.positions, loose]), cell=[50, 50, 50])
    labels = [*atoms.arrays["electrode"], *["mobile"] * count]
    whole.new_array("electrode", np.array(labels))
    whole.info["lattice_constant"] = A
    found = analyse_connection(whole, 4.0)
    assert found.minimax_gap == pytest.approx(minimax_by_all_pairs(whole), abs=1e-12)
    assert found.connected == (found.minimax_gap <= 4.0)
    assert are_bonded(whole) == bool(len(found.bottleneck))
