import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hand_made_frames import DISTANCE, A, chain, contact, drift, frame, islands

from nanogap.structure import analyse_connection, analyse_gap
from nanogap.structure.tips import BOTTOM, TOP, layer_spacing

SPACING = layer_spacing(A)
#: Area of an atom in a (111) plane.
ATOM_AREA = np.sqrt(3) / 2 * DISTANCE**2


def gap_of(atoms):
    return analyse_gap(atoms, analyse_connection(atoms, 4.0))


def test_bare_terraces_have_nothing_between_them():
    gap = gap_of(frame(set()))
    assert (gap.bottom, gap.top, gap.loose) == ((), (), ())
    assert gap.largest_island == gap.bridge_atoms == 0
    assert gap.cross_section == gap.bottleneck_coordination == 0.0
    assert gap.tip_distance == pytest.approx(6 * SPACING)


def test_adatoms_and_islands_belong_to_their_terraces():
    trimer = {(1, 0, 0), (1, 1, 0), (1, 0, 1)}
    dimer = {(5, -2, -1), (5, -1, -1)}
    gap = gap_of(frame(trimer | {(1, -2, 1)} | dimer))
    assert gap.bottom == (3, 1)
    assert gap.top == (2,)
    assert gap.observables["adatoms_bottom"] == 4
    assert gap.observables["adatoms_top"] == 2
    assert gap.observables["islands_bottom"] == 1
    assert gap.observables["islands_top"] == 1
    assert gap.largest_island == 3


def test_an_atom_out_of_reach_is_loose():
    gap = gap_of(frame({(3, -1, -1)}))
    assert (gap.bottom, gap.top, gap.loose) == ((), (), (1,))
    # it is no part of a tip
    assert gap.tip_distance == pytest.approx(6 * SPACING)


def test_a_tall_island_belongs_to_the_tip_it_stands_on():
    """Its top is nearer to the other terrace, in angstrom, but not in bonds."""
    gap = gap_of(frame({(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, -1, 0)}))
    assert gap.bottom == (4,)
    assert gap.top == ()
    assert gap.tip_distance == pytest.approx(2 * SPACING, rel=0.3)


def test_tip_distance_is_from_the_highest_adatom_to_what_it_faces():
    # stacking repeats after three layers: (4, -1, -1) stands right above (1, 0, 0)
    gap = gap_of(frame({(1, 0, 0), (5, -2, -1), (4, -1, -1)}))
    assert gap.tip_distance == pytest.approx(3 * SPACING)


@pytest.mark.parametrize("layers", [3, 6])
def test_a_chain_is_one_atom_wide(layers):
    gap = gap_of(frame(chain(layers), layers))
    assert gap.bridge_atoms == layers - 1
    assert gap.cross_section == pytest.approx(ATOM_AREA, rel=0.02)
    assert gap.tip_distance == pytest.approx(DISTANCE)


def test_coordination_of_a_single_atom_between_a_terrace_and_an_atom():
    """Three bonds to the hollow below it and one to the atom above; so for its partner."""
    gap = gap_of(frame(chain(3), 3))
    assert gap.bottleneck_coordination == 4.0


def test_the_cross_section_of_a_flat_patch_is_that_of_its_atoms():
    """A hexagon of seven atoms in each of two layers: seven times the area of an atom."""
    hexagon = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)]
    gap = gap_of(frame({(layer, i, j) for layer in (1, 2) for i, j in hexagon}, 3))
    # the discs overlap a little and leave a little free, where hexagons would fill the plane
    assert gap.cross_section == pytest.approx(7 * ATOM_AREA, rel=0.07)
    assert gap.bridge_atoms == 14


def test_overlapping_atoms_count_once():
    """Two chains whose bottlenecks stand on each other along the axis cannot be told apart."""
    one = gap_of(frame(chain(6), 6)).cross_section
    far = gap_of(frame(chain(6) | chain(6, (0, 3)), 6)).cross_section
    assert far == pytest.approx(2 * one, rel=0.03)


def turned(atoms, angle):
    """Turn about the axis of the box."""
    result = atoms.copy()
    centre = atoms.cell.lengths() / 2.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    result.positions[:, :2] = (atoms.positions - centre)[:, :2] @ turn + centre[:2]
    return result


def inverted(atoms):
    """Swap the tips by inversion through the middle of the box."""
    result = atoms.copy()
    result.positions = atoms.cell.lengths() - atoms.positions
    labels = atoms.arrays["electrode"]
    result.arrays["electrode"] = np.where(
        labels == BOTTOM, TOP, np.where(labels == TOP, BOTTOM, labels)
    )
    return result


@settings(max_examples=10, deadline=None)
@given(
    maker=st.sampled_from([drift, islands, contact]),
    seed=st.integers(0, 10_000),
    angle=st.floats(0.0, 2.0 * np.pi),
)
def test_neither_turning_nor_the_order_of_atoms_changes_anything(maker, seed, angle):
    sites, layers = maker(seed)
    atoms = frame(sites, layers, jitter=0.05, seed=seed)
    expected = gap_of(atoms).observables
    shuffled = turned(atoms, angle)[np.random.default_rng(seed).permutation(len(atoms))]
    found = gap_of(shuffled).observables
    # the grid that counts the area turns not with the atoms
    assert found.pop("cross_section") == pytest.approx(expected.pop("cross_section"), rel=0.03)
    assert found == pytest.approx(expected)


@settings(max_examples=10, deadline=None)
@given(maker=st.sampled_from([drift, islands]), seed=st.integers(0, 10_000))
def test_swapping_the_tips_swaps_their_adatoms(maker, seed):
    sites, layers = maker(seed)
    atoms = frame(sites, layers)
    gap, other = gap_of(atoms), gap_of(inverted(atoms))
    assert (gap.bottom, gap.top, gap.loose) == (other.top, other.bottom, other.loose)
    assert gap.tip_distance == pytest.approx(other.tip_distance)


@settings(max_examples=25, deadline=None)
@given(maker=st.sampled_from([drift, islands]), seed=st.integers(0, 10_000))
def test_every_adatom_is_counted_once(maker, seed):
    sites, layers = maker(seed)
    observables = gap_of(frame(sites, layers, jitter=0.05, seed=seed)).observables
    assert observables["atoms_in_gap"] == len(sites)
    assert observables["adatoms_bottom"] == sum(site[0] <= 2 for site in sites)
    assert observables["adatoms_top"] == sum(site[0] >= 4 for site in sites)
