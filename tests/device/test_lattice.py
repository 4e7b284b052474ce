"""The lattice: distances, directions, periodicity, needles, and structures put on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.device.lattice import (
    FLANKS,
    METAL,
    NEIGHBOUR_VECTORS,
    OPPOSITE,
    SHARED,
    build_lattice,
    map_atoms,
    to_atoms,
)
from nanogap.device.needles import build_needles
from nanogap.errors import StructureError

NEEDLES = {
    "lattice_constant": 4.09,
    "base_width": 25.0,
    "height": 14.0,
    "apex_width": 6.0,
    "gap": 8.3,
    "fixed_layers": 3,
    "margin": 8.0,
}


@given(columns=st.integers(4, 9), rows=st.integers(2, 5), layers=st.integers(2, 9))
def test_each_neighbour_is_one_bond_away_in_its_direction(columns, rows, layers):
    lattice = build_lattice(4.09, columns * 2.892, 2 * rows * 2.5045, layers)
    assert lattice.shape == (columns, 2 * rows, layers)
    for direction, vector in enumerate(NEIGHBOUR_VECTORS):
        sites = np.flatnonzero(lattice.neighbours[:, direction] >= 0)
        ends = lattice.neighbours[sites, direction]
        apart = lattice.positions[ends] - lattice.positions[sites] - vector * lattice.bond
        apart[:, :2] -= lattice.cell[:2] * np.round(apart[:, :2] / lattice.cell[:2])
        np.testing.assert_allclose(apart, 0.0, atol=1e-9)
        assert (lattice.neighbours[ends, OPPOSITE[direction]] == sites).all()
    ends_along_z = (lattice.layer == 0) | (lattice.layer == layers - 1)
    missing = (lattice.neighbours < 0).sum(axis=1)
    assert (missing[~ends_along_z] == 0).all()
    assert (missing[ends_along_z] == 3).all()
    assert len(lattice) * lattice.site_volume == pytest.approx(np.prod(lattice.cell))


def test_directions_are_unit_vectors_of_fcc():
    np.testing.assert_allclose(np.linalg.norm(NEIGHBOUR_VECTORS, axis=1), 1.0)
    cosines = np.round(np.sort(NEIGHBOUR_VECTORS @ NEIGHBOUR_VECTORS.T, axis=1), 12)
    expected = [-1.0, *[-0.5] * 4, 0.0, 0.0, *[0.5] * 4, 1.0]
    np.testing.assert_allclose(cosines, np.tile(expected, (12, 1)))


def test_sites_shared_by_a_bond_go_round_it():
    for direction, ring in enumerate(SHARED):
        corners = NEIGHBOUR_VECTORS[ring]
        end = NEIGHBOUR_VECTORS[direction]
        np.testing.assert_allclose(np.linalg.norm(corners - end, axis=1), 1.0)
        sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
        np.testing.assert_allclose(sides, [1.0, np.sqrt(2.0), 1.0, np.sqrt(2.0)])


def test_flanks_neighbour_one_end_and_are_second_neighbours_of_the_other():
    for direction, sides in enumerate(FLANKS):
        end, ring = NEIGHBOUR_VECTORS[direction], SHARED[direction]
        for side, shared in zip(sides, (ring[[0, 3]], ring[[1, 2]]), strict=True):
            flanks = NEIGHBOUR_VECTORS[side], NEIGHBOUR_VECTORS[side] + end
            apart = np.linalg.norm([flanks[0] - end, flanks[1]], axis=1)
            np.testing.assert_allclose(apart, np.sqrt(2.0))
            # each touches both shared sites of its side
            corners = NEIGHBOUR_VECTORS[shared]
            for flank in flanks:
                np.testing.assert_allclose(np.linalg.norm(corners - flank, axis=1), 1.0)


def test_needles_face_each_other():
    tips = build_needles(**NEEDLES)
    lattice = tips.lattice
    assert abs(tips.gap - 8.3) <= lattice.spacing / 2.0
    heights = lattice.positions[:, 2]
    bottom, top = (
        heights[lattice.layer == tips.bottom_terrace],
        heights[lattice.layer == tips.top_terrace],
    )
    assert top[0] - bottom[0] == pytest.approx(tips.gap)
    between = (lattice.layer > tips.bottom_terrace) & (lattice.layer < tips.top_terrace)
    assert not tips.metal[between].any()
    counts = np.bincount(lattice.layer[tips.metal])
    per_layer = lattice.shape[0] * lattice.shape[1]
    assert (counts[:3] == per_layer).all()
    assert (counts[-3:] == per_layer).all()
    assert 3 <= counts[tips.bottom_terrace] <= 7
    assert (tips.fixed <= tips.metal).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gap": 2.0}, "closed at the start"),
        ({"apex_width": 1.0}, "below one bond"),
        ({"apex_width": 30.0}, "wider than its base"),
        ({"fixed_layers": 0}, "fixed layers"),
    ],
)
def test_impossible_needles_are_refused(change, message):
    with pytest.raises(StructureError, match=message):
        build_needles(**NEEDLES | change)


@pytest.mark.parametrize("upper", [3.0, 6.0, 20.0, 25.0])
def test_the_upper_needle_may_have_another_apex(upper):
    plain, other = build_needles(**NEEDLES), build_needles(**NEEDLES, upper_apex_width=upper)
    lower = other.lattice.layer <= other.bottom_terrace
    np.testing.assert_array_equal(other.metal[lower], plain.metal[lower])
    np.testing.assert_array_equal(other.fixed, plain.fixed)
    assert (other.gap, other.top_terrace) == (plain.gap, plain.top_terrace)
    # the facing layer is a disc of that diameter, the base is that of the lower needle
    area = np.sqrt(3.0) / 2.0 * other.lattice.bond**2
    apex = (other.metal & (other.lattice.layer == other.top_terrace)).sum()
    radius = upper / 2.0 + other.lattice.bond / 8.0
    assert apex == pytest.approx(np.pi * radius**2 / area, rel=0.25, abs=3)
    first = other.lattice.layer == other.lattice.shape[2] - 1 - NEEDLES["fixed_layers"]
    assert (other.metal & first).sum() == (plain.metal & first).sum()
    counts = np.bincount(other.lattice.layer[other.metal & ~lower])[other.top_terrace :]
    assert (np.diff(counts) >= -4).all()  # wider from layer to layer, or as wide
    if upper == NEEDLES["apex_width"]:
        np.testing.assert_array_equal(other.metal, plain.metal)


def test_an_upper_apex_that_cannot_be_is_refused():
    for wrong, words in ((26.0, "wider than its base"), (2.0, "below one bond")):
        with pytest.raises(StructureError, match=words):
            build_needles(**NEEDLES, upper_apex_width=wrong)


def test_a_box_whose_sites_neighbour_themselves_is_refused():
    with pytest.raises(StructureError, match="too small"):
        build_lattice(4.09, 8.0, 20.0, 5)


def test_a_shaken_structure_finds_its_sites():
    tips = build_needles(**NEEDLES)
    rng = np.random.default_rng(7)
    atoms = to_atoms(tips.lattice, tips.metal.astype(np.uint8) * METAL, "Ag")
    shaken = atoms.positions + rng.normal(scale=0.2, size=atoms.positions.shape)
    found = map_atoms(tips.lattice, shaken)
    np.testing.assert_array_equal(found.metal, tips.metal)
    assert found.residue == pytest.approx(0.2 * np.sqrt(3.0), rel=0.05)
    with pytest.raises(StructureError, match="nearest site"):
        map_atoms(tips.lattice, atoms.positions + np.array([0.0, 0.0, 30.0]))
    twice = np.concatenate([atoms.positions, atoms.positions[:1] + 0.1])
    with pytest.raises(StructureError, match="share one site"):
        map_atoms(tips.lattice, twice)
