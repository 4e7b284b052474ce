"""The neck of a device: its cut, its canonical form, its transmission."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from nanogap.device import conductance as conductance_module
from nanogap.device.conductance import ENERGY_STEP, NeckConductance
from nanogap.device.lattice import LOWER, UPPER, build_lattice
from nanogap.device.neck import Neck, NeckCut, _facing_ends, cut_necks, neck_junction
from nanogap.device.neck_store import StoredTransmission
from nanogap.device.needles import build_needles
from nanogap.errors import SettingsError, StructureError
from nanogap.structure.junction import validate_junction
from nanogap.structure.tips import nearest_neighbour_distance
from nanogap.transport.current import CurrentVoltage
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.files import load_model
from nanogap.units import CONDUCTANCE_QUANTUM

CONSTANT = 4.09
NEEDLES = {
    "lattice_constant": CONSTANT,
    "base_width": 20.0,
    "height": 9.5,
    "apex_width": 6.0,
    "fixed_layers": 3,
    "margin": 6.0,
}


def needles(gap):
    return build_needles(gap=gap, **NEEDLES)


def labels_of(lattice, metal):
    """Labels by scipy's search: 1 lower, 2 upper, 3 both, 4 none."""
    start = np.repeat(np.arange(len(lattice)), 12)
    end = lattice.neighbours.ravel()
    bonded = (end >= 0) & metal[start] & metal[end]
    graph = coo_matrix((np.ones(bonded.sum()), (start[bonded], end[bonded])), [len(lattice)] * 2)
    cluster = connected_components(graph, directed=False)[1]
    low, high = cluster[0], cluster[-1]
    labels = np.where(cluster == low, 1, np.where(cluster == high, 2, 4)).astype(np.uint8)
    if low == high:
        labels[cluster == low] = 3
    return np.where(metal, labels, 0).astype(np.uint8)


def movable(lattice):
    return 3, lattice.shape[2] - 4


def aside(tips):
    """Distance of each site from the axis of the needles."""
    lattice = tips.lattice
    terrace = tips.metal & (lattice.layer == tips.bottom_terrace)
    apart = lattice.positions[:, :2] - lattice.positions[terrace, :2].mean(axis=0)
    apart -= lattice.cell[:2] * np.round(apart / lattice.cell[:2])
    return np.hypot(*apart.T)


def bridged(radius, gap=9.4):
    tips = needles(gap)
    layer = tips.lattice.layer
    between = (layer > tips.bottom_terrace) & (layer < tips.top_terrace)
    return tips, tips.metal | (between & (aside(tips) < radius))


@pytest.mark.parametrize("seed", range(40))
def test_the_facing_atoms_are_those_of_a_plain_search(seed):
    rng = np.random.default_rng(seed)
    lattice = build_lattice(CONSTANT, 16.0, 16.0, 14)
    labels = np.zeros(len(lattice), dtype=np.uint8)
    # apart, or grown into each other as filaments side by side are
    overlap = int(rng.integers(0, 5))
    low, high = lattice.layer < 5 + overlap, lattice.layer > 8 - overlap
    for label, region, share in ((LOWER, low, 0.3), (UPPER, high, 0.2)):
        sites = np.flatnonzero(region & (labels == 0))
        labels[rng.choice(sites, size=max(1, int(share * len(sites))), replace=False)] = label
    lower, upper = np.flatnonzero(labels == LOWER), np.flatnonzero(labels == UPPER)
    apart = lattice.positions[upper][:, None] - lattice.positions[lower]
    apart[..., :2] -= lattice.cell[:2] * np.round(apart[..., :2] / lattice.cell[:2])
    distances = np.linalg.norm(apart, axis=2)
    first = np.argwhere(distances < distances.min() + 1e-6)[0]
    atoms = [int(upper[first[0]]), int(lower[first[1]])]
    found = _facing_ends(lattice, labels)
    assert found[2].tolist() == atoms
    assert list(found[:2]) == sorted(lattice.layer[atoms].tolist())


@pytest.mark.parametrize("radius", [1.8, 2.4, 3.0])
def test_a_neck_between_crystals_is_a_junction_of_whole_bonds(radius):
    tips, metal = bridged(radius)
    (neck,) = cut_necks(tips.lattice, labels_of(tips.lattice, metal), movable(tips.lattice))
    assert neck.bridged
    assert neck.atoms_cut_off == neck.layers_left_out == 0
    junction = neck_junction(neck, CONSTANT, "Ag")
    validate_junction(junction)
    bond = nearest_neighbour_distance(CONSTANT)
    distances = junction.get_all_distances(mic=True)
    np.fill_diagonal(distances, 9.0)
    assert distances.min() == pytest.approx(bond)
    # the cell holds the very layers of the lattice: as many bonds within the constriction
    inner = neck.occupied.sum(axis=(1, 2))
    counts = np.bincount(tips.lattice.layer[metal])
    assert inner.min() == counts[4:-4].min()


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_necks_that_symmetry_maps_on_each_other_are_one(data):
    width, layers = 4, data.draw(st.integers(2, 5))
    bits = data.draw(
        st.lists(st.booleans(), min_size=layers * width**2, max_size=layers * width**2)
    )
    occupied = np.array(bits).reshape(layers, width, width)
    neck = Neck(occupied, True, 0, 0)
    along, across = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    moved = np.roll(occupied, (along, across), axis=(1, 2))
    assert Neck(moved, True, 0, 0).key == neck.key
    assert Neck(occupied.transpose(0, 2, 1), True, 0, 0).key == neck.key
    index = -np.arange(width)
    inverted = occupied[::-1][:, index][:, :, index]
    assert Neck(inverted, True, 0, 0).key == neck.key
    # positions, not only numbers: every distance between atoms is the same
    junctions = [neck_junction(Neck(one, True, 0, 0), CONSTANT, "Ag") for one in (occupied, moved)]
    first, second = (np.sort(one.get_all_distances(mic=True), axis=None) for one in junctions)
    np.testing.assert_allclose(first, second, atol=1e-9)
    canonical = np.unpackbits(np.frombuffer(neck.key[2:], np.uint8))[: occupied.size]
    turned = neck_junction(
        Neck(canonical.reshape(occupied.shape).astype(bool), True, 0, 0), CONSTANT, "Ag"
    )
    third = np.sort(turned.get_all_distances(mic=True), axis=None)
    np.testing.assert_allclose(first, third, atol=1e-9)


def test_equal_keys_have_equal_transmissions():
    rng = np.random.default_rng(3)
    occupied = rng.random((3, 4, 4)) < 0.4
    conductance = NeckConductance("Ag", CONSTANT, store=None)
    value = conductance.of_neck(Neck(occupied, True, 0, 0))
    plain = compute_transmission(
        [neck_junction(Neck(occupied, True, 0, 0), CONSTANT, "Ag")], kpoints=(3, 3)
    )
    # turns of the neck turn a shifted mesh, which then has other points: to the error of the mesh
    assert float(plain["transmission_average"].values[0, 0]) == pytest.approx(value, rel=5e-3)
    index = -np.arange(4)
    for same in (
        np.roll(occupied, (1, 2), axis=(1, 2)),
        occupied.transpose(0, 2, 1),
        occupied[::-1][:, index][:, :, index],
    ):
        fresh = NeckConductance("Ag", CONSTANT, store=None)
        assert fresh.of_neck(Neck(same, True, 0, 0)) == value
        assert conductance.of_neck(Neck(same, True, 0, 0)) == value
    assert conductance.count.computed == 1
    assert conductance.count.known == 3


def test_an_atom_wide_neck_conducts_about_one_quantum_and_a_crystal_its_channels():
    tips, metal = bridged(1.8)
    lattice = tips.lattice
    conductance = NeckConductance("Ag", CONSTANT, store=None)
    contact = conductance.of_lattice(lattice, labels_of(lattice, metal), movable(lattice))
    assert contact.bridged
    assert 0.6 < contact.value < 1.1
    whole = conductance.of_neck(Neck(np.ones((3, 4, 4), dtype=bool), True, 0, 0))
    # 16 atoms of (111) area: the Sharvin conductance of silver, 0.8 to 0.9 G0 an atom
    assert whole == pytest.approx(13.0, rel=0.1)


def test_a_wide_gap_is_continued_from_a_narrow_one():
    conductance = NeckConductance("Ag", CONSTANT, store=None)
    values = {}
    for empty in (2, 3, 4, 5, 6, 9):
        tips = needles((empty + 1) * 4.09 / np.sqrt(3.0))
        lattice = tips.lattice
        found = conductance.of_lattice(lattice, labels_of(lattice, tips.metal), movable(lattice))
        assert not found.bridged
        assert found.continued == (empty > 4)
        values[empty] = found.value
    slope = -np.diff(np.log([values[n] for n in (2, 3, 4, 5, 6)]))
    expected = 2.0 * conductance.decay * 4.09 / np.sqrt(3.0)
    np.testing.assert_allclose(slope, expected, rtol=0.25)
    # the same stacking three layers farther, other apexes
    assert np.log(values[6] / values[9]) == pytest.approx(3.0 * expected, rel=0.05)


def test_a_neck_wider_than_the_cell_says_so():
    tips = needles(9.4)
    metal = tips.fixed | (aside(tips) < 9.0)
    cut = NeckCut(widths=(4,))
    (neck,) = cut_necks(tips.lattice, labels_of(tips.lattice, metal), movable(tips.lattice), cut)
    assert neck.atoms_cut_off > 0


def leads_through(neck):
    """Whether metal leads through the junction of a neck."""
    junction = neck_junction(neck, CONSTANT, "Ag")
    distances = junction.get_all_distances(mic=True)
    cluster = connected_components(distances < 3.0, directed=False)[1]
    return cluster[0] == cluster[-1]


def two_strands():
    """Two strands of three and four atoms a layer, too far apart for a cell of four bonds."""
    lattice = build_lattice(CONSTANT, 44.0, 44.0, 16)
    plates = (lattice.layer < 5) | (lattice.layer > 10)
    strands = [
        np.hypot(*(lattice.positions[:, :2] - place).T) < radius
        for place, radius in (([8.0, 8.0], 3.2), ([24.0, 24.0], 4.2))
    ]
    return lattice, plates, strands


@pytest.mark.parametrize("chosen", [[0], [1], [0, 1]])
def test_of_strands_that_no_cell_holds_each_is_a_neck_without_the_others(chosen):
    lattice, plates, strands = two_strands()
    metal = plates | np.any([strands[one] for one in chosen], axis=0)
    cut = NeckCut(widths=(4, 6))
    found = cut_necks(lattice, labels_of(lattice, metal), (3, 12), cut)
    assert len(found) == len(chosen)
    # the thicker comes first
    for neck, one in zip(found, reversed(chosen), strict=True):
        assert neck.bridged
        assert leads_through(neck)
        counts = [int((strands[one] & (lattice.layer == layer)).sum()) for layer in range(5, 11)]
        assert neck.occupied.sum(axis=(1, 2))[2:-2].tolist() == counts
        assert neck.atoms_cut_off == 0


def test_conductances_of_strands_add():
    lattice, plates, strands = two_strands()
    made = NeckConductance("Ag", CONSTANT, NeckCut(widths=(4, 6)), kpoints=(1, 1), store=None)
    alone, both = (
        [
            made.of_lattice(lattice, labels_of(lattice, plates | strand), (3, 12)).value
            for strand in group
        ]
        for group in (strands, [strands[0] | strands[1]])
    )
    assert both[0] == pytest.approx(sum(alone), rel=1e-12)
    assert made.count.computed == 2


def test_strands_side_by_side_in_one_cell_conduct_about_as_much_as_their_sum():
    """What a sum leaves out: 18 % for atoms four bonds apart, in a cell that repeats them."""
    made = NeckConductance("Ag", CONSTANT, store=None)
    places = [(0, 0), (4, 4)]
    values = []
    for chosen in (places[:1], places[1:], places):
        occupied = np.zeros((2, 8, 8), dtype=bool)
        for place in chosen:
            occupied[:, place[0], place[1]] = True
        values.append(made.of_neck(Neck(occupied, True, 0, 0)))
    assert values[0] == values[1]
    assert 0.8 < values[2] / (values[0] + values[1]) < 1.0


def test_an_oblique_chain_is_not_lost_at_the_side_of_a_narrow_cell():
    lattice = build_lattice(CONSTANT, 34.0, 34.0, 18)
    metal = (lattice.layer < 4) | (lattice.layer > 13)
    site = np.flatnonzero(lattice.layer == 3)[60]
    up = next(d for d, end in enumerate(lattice.neighbours[site]) if lattice.layer[end] == 4)
    while lattice.layer[site] < 14:
        metal[site] = True
        site = lattice.neighbours[site, up]
    (neck,) = cut_necks(lattice, labels_of(lattice, metal), (2, 15))
    assert neck.occupied.shape[1] > 4
    assert neck.atoms_cut_off == 0
    assert leads_through(neck)


def test_a_dissolved_electrode_is_told():
    tips = needles(9.4)
    labels = labels_of(tips.lattice, tips.metal)
    with pytest.raises(StructureError, match="dissolved"):
        cut_necks(tips.lattice, np.where(labels == 2, 0, labels), movable(tips.lattice))


def test_a_metal_without_a_hamiltonian_is_refused():
    with pytest.raises(SettingsError, match=r"geometry\.element = 'Pt': a device follows its"):
        NeckConductance("Pt", 3.92, store=None)


def test_a_metal_has_its_own_hamiltonian(monkeypatch):
    """Not silver's: a metal of ten electrons conducts through its d bands, too."""
    silver = load_model("Ag")
    other = replace(silver, element="Pt", electrons_per_atom=10.0)
    monkeypatch.setattr(conductance_module, "packaged_elements", lambda: ("Ag", "Pt"))
    monkeypatch.setattr(conductance_module, "load_model", {"Ag": silver, "Pt": other}.__getitem__)
    found = NeckConductance("Pt", CONSTANT, store=None)
    assert found.model is other
    whole = Neck(np.ones((3, 4, 4), dtype=bool), True, 0, 0)
    junction = neck_junction(whole, CONSTANT, "Pt")
    expected = compute_transmission([junction], kpoints=found.mesh(4), model=other)
    assert found.of_neck(whole) == pytest.approx(expected["transmission_average"].item())
    of_silver = NeckConductance("Ag", CONSTANT, store=None).of_neck(whole)
    assert abs(found.of_neck(whole) - of_silver) > 0.1
    bare = replace(other, vacuum=None)
    monkeypatch.setattr(conductance_module, "load_model", lambda _: bare)
    with pytest.raises(SettingsError, match=r"Hamiltonian of Pt has no vacuum tail.*of Ag, Pt"):
        NeckConductance("Pt", CONSTANT, store=None)


def test_the_store_is_shared_and_a_damaged_one_is_refused(tmp_path):
    neck = Neck(np.ones((2, 4, 4), dtype=bool), True, 0, 0)
    path = tmp_path / "necks.sqlite"
    first = NeckConductance("Ag", CONSTANT, store=path)
    value = first.of_neck(neck)
    second = NeckConductance("Ag", CONSTANT, store=path)
    assert second.of_neck(neck) == value
    assert second.count.computed == 0
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"no database at all" * 100)
    with pytest.raises(SettingsError, match=r"damaged.sqlite is no file of known conductances"):
        NeckConductance("Ag", CONSTANT, store=damaged).of_neck(neck)


def flat(monkeypatch, values):
    """A conductance whose T(E) is a function of the energy."""
    asked = []

    def compute(_self, _neck, steps):
        asked.append(list(steps))
        return [StoredTransmission(values(ENERGY_STEP * step)) for step in steps]

    monkeypatch.setattr(NeckConductance, "_compute", compute)
    return NeckConductance("Ag", CONSTANT, curve="transmission", store=None), asked


def some_neck(layers=3):
    return Neck(np.ones((layers, 4, 4), dtype=bool), True, 0, 0)


@pytest.mark.parametrize("voltage", [0.0, 1e-9, 1e-5, 0.1, -0.7, 2.9, 5.0])
def test_a_flat_transmission_conducts_alike_at_every_voltage(monkeypatch, voltage):
    made, _ = flat(monkeypatch, lambda _energy: 0.8)
    assert made.of_neck(some_neck(), voltage) == pytest.approx(0.8, rel=1e-12)


def test_the_curve_is_the_integral_of_the_transmission(monkeypatch):
    made, asked = flat(monkeypatch, lambda energy: 1.0 + 0.5 * energy + 0.4 * abs(energy))
    neck = some_neck()
    # the odd part cancels; of |E| the mean over the window is V/4
    for voltage in (0.05, 0.2, -0.2, 0.73, -1.6, 3.0):
        assert made.of_neck(neck, voltage) == pytest.approx(1.0 + 0.1 * abs(voltage), rel=1e-9)
    assert made.of_neck(neck, 0.0) == 1.0
    # each energy once, only as far as the window reaches
    assert sorted(step for steps in asked for step in steps) == list(range(-15, 16))
    assert asked[0] == [0, -1, 1]
    assert made.count.asked == 7
    # beyond the energies of the Hamiltonian T(E) is held: 1.0 + 0.4 * 1.5 from 1.5 eV on
    mean = (1.5 * (1.0 + 0.4 * 0.75) + 0.5 * (1.0 + 0.4 * 1.5)) / 2.0
    assert made.of_neck(neck, 4.0) == pytest.approx(mean)


def test_necks_of_other_shape_but_the_same_bits_are_not_one(monkeypatch):
    made, asked = flat(monkeypatch, lambda _energy: 1.0)
    made.of_neck(Neck(np.ones((9, 4, 4), dtype=bool), True, 0, 0))
    made.of_neck(Neck(np.ones((4, 6, 6), dtype=bool), True, 0, 0))
    assert len(asked) == 2


def test_the_curve_is_that_of_the_command_for_the_same_junction():
    occupied = np.zeros((2, 3, 3), dtype=bool)
    occupied[0, 1, 1] = occupied[1, 1, 1] = True
    neck = Neck(occupied, True, 0, 0)
    curve = NeckConductance("Ag", CONSTANT, kpoints=(1, 1), curve="transmission", store=None)
    linear = NeckConductance("Ag", CONSTANT, kpoints=(1, 1), store=None)
    assert curve.of_neck(neck, 0.0) == linear.of_neck(neck, 0.5) == linear.of_neck(neck)
    voltage = 0.5
    found = curve.of_neck(neck, voltage)
    assert found != pytest.approx(linear.of_neck(neck), rel=1e-4)
    whole = compute_transmission(
        [neck_junction(neck.canonical, CONSTANT, "Ag")],
        np.linspace(-0.3, 0.3, 7),
        kpoints=(1, 1),
    )
    current = CurrentVoltage([voltage], temperature=0.0).compute(whole).current[0, 0]
    assert found * voltage * CONDUCTANCE_QUANTUM == pytest.approx(current, rel=1e-9)


def test_a_voltage_beyond_the_hamiltonian_says_so(monkeypatch):
    made, _ = flat(monkeypatch, lambda _energy: 0.8)
    tips, metal = bridged(1.8)
    lattice = tips.lattice
    arguments = lattice, labels_of(lattice, metal), movable(lattice)
    assert not made.of_lattice(*arguments, 2.9).continued
    assert made.of_lattice(*arguments, 3.2).continued
    assert not NeckConductance("Ag", CONSTANT, store=None).of_lattice(*arguments, 3.2).continued
