"""The energy of the metal and its barriers: exact balance, known faces, sentences of errors."""

import json
from importlib.resources import files
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.device.bonds import KIND_OF, KINDS, bond_kind
from nanogap.device.energetics import (
    FLANKS,
    energy,
    hop_barrier,
    hop_energy_change,
    load_energetics,
)
from nanogap.device.lattice import NEIGHBOUR_VECTORS, OPPOSITE, SHARED, build_lattice
from nanogap.errors import NanogapError, SettingsError

SILVER = load_energetics("Ag")
OPTIONS = [
    SILVER,
    load_energetics("Ag", bond_scaling=1.9),
    load_energetics("Ag", surface_condition=0.2),
    load_energetics("Ag", bond_scaling=1.4, surface_condition=0.1),
]
LATTICE = build_lattice(SILVER.lattice_constant, 16.0, 16.0, 6)


def hops(occupied):
    """All hops to empty nearest neighbours, as start and direction."""
    for start, direction in product(np.flatnonzero(occupied), range(12)):
        end = LATTICE.neighbours[start, direction]
        if end >= 0 and not occupied[end]:
            yield int(start), direction, int(end)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.floats(0.05, 0.95), st.sampled_from(OPTIONS))
def test_barriers_there_and_back_differ_by_the_energy_change(seed, share, energetics):
    rng = np.random.default_rng(seed)
    occupied = rng.random(len(LATTICE)) < share
    found = list(hops(occupied))
    for index in rng.permutation(len(found))[:20]:
        start, direction, end = found[index]
        change = hop_energy_change(occupied, LATTICE.neighbours, start, direction, energetics)
        there = hop_barrier(occupied, LATTICE.neighbours, start, direction, energetics)
        after = occupied.copy()
        after[start], after[end] = False, True
        back = hop_barrier(after, LATTICE.neighbours, end, int(OPPOSITE[direction]), energetics)
        assert there - back == pytest.approx(change, abs=1e-10)
        assert min(there, back) >= energetics.floor - 1e-12


@pytest.mark.parametrize("energetics", OPTIONS)
def test_every_pair_of_the_table_is_symmetric(energetics):
    assert energetics.saddle.shape == (12, 12, KINDS)
    assert np.array_equal(energetics.saddle, energetics.saddle.swapaxes(0, 1))
    assert np.array_equal(energetics.seen, energetics.seen.swapaxes(0, 1))


def test_a_kind_is_the_same_for_mirror_images():
    assert KIND_OF.shape == (144,)
    assert KINDS == 51
    for bits in product((0, 1), repeat=4):
        a, b, c, d = bits
        for sides in product((0, 1, 2), repeat=2):
            kind = bond_kind(bits, sides)
            assert kind == bond_kind((d, c, b, a), sides)
            assert kind == bond_kind((b, a, d, c), sides[::-1])
            assert kind == bond_kind((c, d, a, b), sides[::-1])


def test_flanks_lie_across_the_bond_beside_their_shared_sites():
    for bond, ring, flank in zip(NEIGHBOUR_VECTORS, SHARED, FLANKS, strict=True):
        first, second = NEIGHBOUR_VECTORS[flank]
        assert np.allclose(first, -second)
        assert abs(first @ bond) < 1e-9
        assert first @ (NEIGHBOUR_VECTORS[ring[0]] + NEIGHBOUR_VECTORS[ring[3]]) > 0.9


def test_the_change_of_a_hop_is_that_of_the_counts():
    occupied = LATTICE.layer < 3
    top = np.flatnonzero(LATTICE.layer == 3)[0]
    occupied[top] = True
    before = energy(occupied, LATTICE.neighbours, SILVER)
    flat = occupied.copy()
    flat[top] = False
    # an adatom on (111): three neighbours, each of which has one more than nine
    gained = SILVER.phi[3] + 3 * (SILVER.phi[10] - SILVER.phi[9])
    assert before - energy(flat, LATTICE.neighbours, SILVER) == pytest.approx(gained)
    # it hops in its layer, by one shared site, over the measured 0.06 eV of the force field
    direction = next(
        d for start, d, end in hops(occupied) if start == top and LATTICE.layer[end] == 3
    )
    barrier = hop_barrier(occupied, LATTICE.neighbours, int(top), direction, SILVER)
    assert barrier == pytest.approx(0.061, abs=0.03)


def test_surface_energies_are_those_of_the_force_field():
    # unrelaxed: 0.621, 0.707, 0.777 J/m^2; relaxed atoms and a smooth phi take off a tenth
    found = SILVER.surface_energies
    expected = {"111": 0.621, "100": 0.707, "110": 0.777}
    for face, value in expected.items():
        assert found[face] == pytest.approx(value, rel=0.12)


def test_scaling_reaches_a_surface_energy_and_leaves_the_bulk():
    scaled = load_energetics("Ag", bond_scaling=SILVER.scaling_to(1.25))
    found = scaled.surface_energies
    assert (found["111"] + found["100"]) / 2 == pytest.approx(1.25)
    assert scaled.kink_energy == SILVER.kink_energy
    assert scaled.scaling_to(1.25) == pytest.approx(scaled.bond_scaling)


def test_the_surface_condition_raises_every_saddle_and_no_energy():
    raised = load_energetics("Ag", surface_condition=0.2)
    np.testing.assert_allclose(raised.saddle - SILVER.saddle, 0.2, atol=1e-12)
    np.testing.assert_array_equal(raised.phi, SILVER.phi)


def test_the_line_tension_of_a_step():
    """Two steps, A and B, of a strip on (111): 0.187 eV per atom, 1.04e-10 J/m, by bond_scaling."""
    lattice = build_lattice(SILVER.lattice_constant, 8 * 2.892, 24 * 2.5045, 6)
    columns, rows, _ = lattice.shape
    base = lattice.layer < 3
    sites = np.flatnonzero(lattice.layer == 3)
    row = (sites // columns) % rows
    strip = base.copy()
    strip[sites[(row >= 4) & (row < 12)]] = True
    added = int((strip & ~base).sum())
    for scaling in (1.0, 0.4):
        metal = load_energetics("Ag", bond_scaling=scaling)
        cost = energy(strip, lattice.neighbours, metal) - energy(base, lattice.neighbours, metal)
        step = (cost + added * metal.kink_energy) / (2 * columns)
        assert step == pytest.approx(0.1874 * scaling, abs=1e-3)
        tension = step * 1.602176634e-19 / (lattice.bond * 1e-10)
        assert tension == pytest.approx(1.04e-10 * scaling, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"element": "Pt"}, "structure.element = 'Pt'"),
        ({"element": "Ag", "bond_scaling": 0.0}, "bond_scaling = 0.0"),
        ({"element": "Ag", "bond_scaling": float("nan")}, "bond_scaling = nan"),
        ({"element": "Ag", "surface_condition": -0.1}, "surface_condition = -0.1"),
    ],
)
def test_bad_options_get_one_sentence(arguments, sentence):
    with pytest.raises(SettingsError, match=sentence):
        load_energetics(**arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"phi": [0.0] * 12},
        {"phi": None},
        {"saddle": [[0.1]]},
        {"element": "Cu"},
        {"digest": "another"},
        {"exchanges": [{"name": "x"}]},
    ],
)
def test_a_damaged_file_is_named(tmp_path, change):
    packaged = files("nanogap.device") / "data" / "ag.json"
    content = json.loads(packaged.read_text(encoding="utf-8")) | change
    path = tmp_path / "ag.json"
    path.write_text(json.dumps(content))
    with pytest.raises(NanogapError, match=r"ag\.json.*parametrisation\.barriers fit"):
        load_energetics("Ag", path=path)


def test_a_cut_file_is_named(tmp_path):
    path = tmp_path / "ag.json"
    path.write_text('{"element": "Ag"')
    with pytest.raises(NanogapError, match=r"ag\.json"):
        load_energetics("Ag", path=path)
