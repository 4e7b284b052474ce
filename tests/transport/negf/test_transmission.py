import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import PERIOD, A, chain, disordered, plane, slab_junction

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.tips import surface_vectors
from nanogap.transport.dataset import transmission_summary
from nanogap.transport.mesh import common_mesh, plane_mesh
from nanogap.transport.negf.block_elimination import transmission_amplitudes
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.device import build_device
from nanogap.transport.negf.lead_unit import LeadUnit, lead_unit
from nanogap.transport.negf.leads import Lead
from nanogap.transport.tight_binding.bands import band_energies, bulk_fermi_energy
from nanogap.transport.tight_binding.files import load_model

SEEDS = st.integers(0, 2**32 - 1)
K = np.array([0.23, -0.11])


def transmission(device, k, energy):
    return transmission_amplitudes(device, k, energy).transmission


def at(junction, k=K, energy=0.01):
    return transmission(build_device(junction, load_model()), k, energy)


def test_a_supercell_conducts_as_its_primitive_cells_do():
    small, large = slab_junction(1, gap_layers=1), slab_junction(2, gap_layers=1)
    folded = [(K + np.array([i, j])) / 2.0 for i in (0, 1) for j in (0, 1)]
    assert at(large) == pytest.approx(sum(at(small, k) for k in folded), abs=1e-8)


@pytest.mark.validation
def test_a_perfect_lead_has_an_integer_transmission_at_every_k():
    dataset = compute_transmission([slab_junction(3)], kpoints=(4, 4))
    values = dataset["transmission"].to_numpy()
    np.testing.assert_allclose(values, np.rint(values), atol=1e-6)
    # counted on their own, from the Bloch factors of the leads
    assert dataset["open_channels"].to_numpy() == pytest.approx(values.mean(), abs=1e-9)


@pytest.mark.validation
def test_open_channels_are_the_bands_that_cross_the_fermi_energy():
    junction = slab_junction(1)
    device = build_device(junction, load_model())
    level = bulk_fermi_energy(A)
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2] = surface_vectors(A), (0.0, 0.0, PERIOD)
    crystal = Atoms("Ag3", np.concatenate([plane(1, n) for n in range(3)]), cell=cell, pbc=True)
    line = np.arange(600) / 600
    for k in ([0.1, 0.05], [0.31, -0.22], [0.5, 0.0], [0.0, 0.0]):
        points = np.column_stack([np.full(600, k[0]), np.full(600, k[1]), line])
        above = band_energies(crystal, points) > level
        crossings = np.count_nonzero(above != np.roll(above, 1, axis=0)) // 2
        assert device.leads[0].open_channels(np.array(k), level) == crossings
        assert transmission(device, np.array(k), level) == pytest.approx(crossings, abs=1e-6)


@pytest.mark.validation
def test_the_111_plane_has_its_sharvin_conductance():
    # the projected Fermi surface of silver: 7.3 per 3 x 3 cell. Open channels are whole numbers,
    # whose mean over so few points is good to some per cent
    dataset = compute_transmission([slab_junction(3)], kpoints=(8, 8))
    assert float(dataset["transmission_average"][0, 0]) == pytest.approx(7.3, rel=0.04)


@pytest.mark.validation
@pytest.mark.parametrize("distance", [2.65, 2.89, 2.9, 3.2])
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_monatomic_chain_has_one_channel(distance, repeats):
    dataset = compute_transmission([chain(distance, repeats=repeats)], [-0.3, 0.0, 0.3])
    assert dataset["transmission_average"].to_numpy() == pytest.approx(1.0, abs=1e-6)
    assert dataset["open_channels"].to_numpy() == pytest.approx(1.0)
    assert dataset.sizes["k"] == 1


@pytest.mark.validation
def test_an_open_gap_hardly_conducts():
    wide = slab_junction(3)
    upper = wide.positions[:, 2] > wide.positions[:, 2].mean()
    wide.positions[upper, 2] += 8.3 - (
        wide.positions[upper, 2].min() - wide.positions[~upper, 2].max()
    )
    assert float(compute_transmission([wide])["transmission_average"][0, 0]) < 0.01


@pytest.mark.validation
def test_the_fermi_energy_is_that_of_the_filled_bulk():
    device = build_device(slab_junction(3), load_model())
    assert device.fermi_energy == pytest.approx(bulk_fermi_energy(A), abs=0.003)


def test_channels_that_do_not_reach_across_have_no_transmission():
    apart = slab_junction(2)
    upper = apart.positions[:, 2] > apart.positions[:, 2].mean()
    apart.positions[upper, 2] += 20.0
    dataset = compute_transmission([apart], [0.0, 0.2], kpoints=(2, 2))
    assert (dataset["transmission"] == 0.0).all()
    assert (dataset["eigenchannels"] == 0.0).all()


def test_a_channel_without_atoms_is_the_bare_contact_of_the_leads():
    junction = slab_junction(2, channel_layers=0)
    assert at(junction) == pytest.approx(at(slab_junction(2)), abs=1e-8)


def test_a_lead_that_is_no_supercell_is_taken_as_it_is():
    junction = slab_junction(2)
    shift = np.random.default_rng(2).normal(0.0, 0.05, (4 * 3, 3))
    for side in ("left", "right"):
        junction.positions[junction.arrays["region"] == side] += shift
    device = build_device(junction, load_model())
    assert len(device.leads[0].unit.translations) == 1
    perfect = junction[junction.arrays["region"] == "left"]
    chain_of_units = with_units(perfect, junction.cell, 3)
    device = build_device(chain_of_units, load_model())
    value = transmission(device, K, 0.01)
    assert value == pytest.approx(device.leads[0].open_channels(K, 0.01), abs=1e-6)
    assert value == pytest.approx(round(value), abs=1e-6)


def with_units(unit, cell, count):
    """A perfect wire of `count` units."""
    junction = None
    for number in range(count):
        more = unit.copy()
        more.positions[:, 2] += number * PERIOD
        name = "left" if number == 0 else "right" if number == count - 1 else "channel"
        more.arrays["region"] = np.full(len(more), name, dtype="<U7")
        junction = more if junction is None else junction + more
    junction.cell, junction.pbc = cell, (True, True, False)
    junction.info.update(left_period=PERIOD, right_period=PERIOD)
    return junction


def test_different_leads_meet():
    # a wire between a wire of wider and one of narrower units: same physics, other bookkeeping
    mixed = chain(2.9, repeats=1)
    more = chain(2.9, n_channel=3, repeats=3)
    mixed_regions = mixed[mixed.arrays["region"] != "right"]
    tail = more[more.arrays["region"] == "right"]
    tail.positions[:, 2] += mixed_regions.positions[:, 2].max() + 2.9 - tail.positions[0, 2]
    junction = mixed_regions + tail
    junction.info.update(left_period=2.9, right_period=3 * 2.9)
    assert compute_transmission([junction])["transmission_average"].item() == pytest.approx(1.0)


def test_unit_of_a_supercell_has_its_translations():
    unit, origin = lead_unit(
        np.concatenate([plane(3, n) for n in range(3)]),
        3 * surface_vectors(A),
        (True, True),
        PERIOD,
        -1,
    )
    assert len(unit.translations) == 9
    assert unit.motif_size == 3
    assert origin[2] == 0.0


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_equal_leads_share_a_key_wherever_they_stand(seed):
    rng = np.random.default_rng(seed)
    positions = np.concatenate([plane(3, n) for n in range(3)])
    cell = 3 * surface_vectors(A)
    moved = positions[rng.permutation(27)] + rng.uniform(-9, 9, 3)
    here, there = (lead_unit(p, cell, (True, True), PERIOD, 1)[0] for p in (positions, moved))
    assert here.key == there.key


def test_unfolding_is_exact():
    unit, _ = lead_unit(
        np.concatenate([plane(2, n) for n in range(3)]),
        2 * surface_vectors(A),
        (True, True),
        PERIOD,
        1,
    )
    plain = LeadUnit(unit.positions, np.zeros((1, 2)), unit.cell, unit.periodic, PERIOD, 1)
    unfolded, whole = Lead(unit, load_model()), Lead(plain, load_model())
    parts, expected = unfolded.surface(K, 0.01).green, whole.surface(K, 0.01).green[0]
    basis = unfolded.bloch_basis(K)
    found = np.einsum("iq,qab,jq->iajb", basis, parts, basis.conj())
    size = len(expected)
    np.testing.assert_allclose(found.reshape(size, size), expected, atol=1e-8)


@given(SEEDS)
@settings(deadline=None, max_examples=10)
def test_surface_solves_its_own_equation(seed):
    rng = np.random.default_rng(seed)
    lead = build_device(slab_junction(1), load_model()).leads[0]
    k, energy = rng.uniform(-0.5, 0.5, 2), float(rng.uniform(-1.0, 1.0))
    g = lead.surface(k, energy).green
    own, inward, outward = lead._layer_matrices(k, energy)  # noqa: SLF001 the equation itself
    np.testing.assert_allclose(g @ (own - inward @ g @ outward), np.eye(27)[None], atol=1e-5)


def test_lead_without_coupling_is_refused():
    with pytest.raises(StructureError, match=r"junction 0: .* lead do not interact"):
        compute_transmission([chain(16.0)])


def test_the_self_energy_from_copies_is_the_direct_sum(monkeypatch):
    device = build_device(disordered(3), load_model())
    for contact in device.arrangement.contacts:
        assert contact.copies is not None
    monkeypatch.setattr("nanogap.transport.negf.block_arrangement.find_copies", lambda *_: None)
    other = build_device(disordered(3), load_model())
    assert all(contact.copies is None for contact in other.arrangement.contacts)
    for k in (K, np.array([0.5, 0.0])):
        found, expected = (transmission(each, k, 0.1) for each in (device, other))
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("decimals", [8, 6, 5, 4])
def test_leads_are_known_as_crystal_from_positions_that_a_file_rounded(decimals):
    """T is as far off as places are, times some G0 per angstrom: its slope near a band's edge."""
    junction = slab_junction(3, gap_layers=2, extra=[(0.1, 0.2, -0.3)])
    rounded = junction.copy()
    rounded.positions = np.round(rounded.positions, decimals)
    expected, found = (build_device(each, load_model()) for each in (junction, rounded))
    for contact, other in zip(
        expected.arrangement.contacts, found.arrangement.contacts, strict=True
    ):
        assert other.lead.unit.motif_size == contact.lead.unit.motif_size == 3
        assert other.copies is not None
    assert len(found.positions) == len(expected.positions)
    for k in (K, np.array([0.5, 0.0])):
        assert transmission(found, k, 0.0) == pytest.approx(
            transmission(expected, k, 0.0), abs=20.0 * 10.0**-decimals
        )


@pytest.mark.parametrize("shift", [2e-3, 0.05])
def test_a_lead_that_is_distorted_is_not_idealised(shift):
    junction = slab_junction(2)
    moved = np.flatnonzero(junction.arrays["region"] == "left")[0]
    junction.positions[moved, 0] += shift
    unit = build_device(junction, load_model()).leads[0].unit
    assert len(unit.translations) == 1
    np.testing.assert_allclose(
        np.sort(unit.positions[:, 2]),
        np.sort(junction.positions[junction.arrays["region"] == "left", 2]),
        atol=1e-9,
    )


def test_perfect_planes_become_part_of_the_leads():
    short, long = slab_junction(2, gap_layers=2), slab_junction(2, gap_layers=2, channel_layers=12)
    devices = [build_device(junction, load_model()) for junction in (short, long)]
    assert len(devices[0].positions) == len(devices[1].positions)
    values = [transmission(device, K, 0.01) for device in devices]
    assert values[0] == pytest.approx(values[1], abs=1e-9)


def test_mesh_is_symmetric_and_halved():
    mesh = plane_mesh((4, 3), periodic=(True, True))
    assert len(mesh.points) == 12
    assert len(mesh.computed) == 6
    assert mesh.points.min() > -0.5
    assert mesh.points.max() <= 0.5
    centred = plane_mesh((4, 4), gamma_centred=True, periodic=(True, True))
    assert [0.0, 0.0] in centred.points.tolist()
    assert len(centred.computed) == 10
    paired = np.abs(centred.points + centred.points[centred.computed[centred.source]])
    own = np.abs(centred.points - centred.points[centred.computed[centred.source]])
    assert np.all((np.minimum(paired, own) % 1.0) < 1e-9)
    assert len(plane_mesh((5, 7), periodic=(False, False)).points) == 1


def test_the_automatic_mesh_goes_with_the_width_of_the_cell():
    counts = [common_mesh([slab_junction(width)], "auto").counts for width in (1, 3, 6)]
    assert counts == [(17, 17), (6, 6), (3, 3)]
    paper = common_mesh([slab_junction(3)], "paper")
    assert len(paper.computed) == 135
    assert common_mesh([chain(2.9)], "auto").counts == (1, 1)


def test_the_error_of_a_mesh_is_that_of_the_waves_it_does_not_resolve():
    mesh = plane_mesh((6, 6), periodic=(True, True))
    k1, k2 = mesh.points.T
    assert mesh.error(np.ones(36)) == pytest.approx(0.0, abs=1e-12)
    assert mesh.error(1.0 + np.cos(2 * np.pi * k1)) == pytest.approx(0.0, abs=1e-12)
    assert mesh.error(1.0 + np.cos(2 * np.pi * 3 * (k1 + k2))) > 0.3
    # one point says nothing about its neighbours: T may be all wrong
    assert plane_mesh((1, 4), periodic=(True, True)).error(np.ones(4)) == 1.0
    assert plane_mesh((1, 1), periodic=(False, False)).error(np.ones(1)) == 0.0


@pytest.mark.validation
@pytest.mark.parametrize("seed", [4, 7])
def test_the_automatic_mesh_is_as_good_as_promised(seed):
    junction = disordered(seed, width=3, size=9)
    automatic = compute_transmission([junction])
    dense = compute_transmission([junction], kpoints=(15, 15))
    error = abs(automatic["transmission_average"] - dense["transmission_average"]).item()
    assert error < 0.03
    assert error < automatic["kpoint_error"].item() < 0.2


def test_mesh_average_is_that_of_all_points():
    junction = disordered(11)
    dataset = compute_transmission([junction], kpoints=(3, 2))
    device = build_device(junction, load_model())
    level = device.fermi_energy
    values = [
        transmission(device, np.array([k1, k2]), level)
        for k1, k2 in zip(dataset["k1"].to_numpy(), dataset["k2"].to_numpy(), strict=True)
    ]
    np.testing.assert_allclose(dataset["transmission"][0, :, 0], values, atol=1e-9)
    assert dataset["transmission_average"].item() == pytest.approx(np.mean(values), abs=1e-9)
    assert dataset["eigenchannels"].sum().item() == pytest.approx(np.mean(values), abs=1e-6)


def test_summary_is_the_contract():
    dataset = compute_transmission([chain(2.9), chain(2.8)], [-0.1, 0.0])
    summary = transmission_summary(dataset, per_k=True)
    assert summary.backend == "tight-binding"
    assert summary.energies == [-0.1, 0.0]
    assert summary.n_kpoints == 1
    assert np.shape(summary.transmission) == (2, 2)
    assert np.shape(summary.transmission_k) == (2, 1, 2)
    assert summary.open_channels == [1.0, 1.0]
    assert len(summary.eigenchannels) == 2


def test_threads_do_not_change_the_result():
    junction = disordered(5)
    one, two = (compute_transmission([junction], threads=n)["transmission"] for n in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"junctions": []}, "needs a junction"),
        ({"energies": []}, "needs a junction"),
        ({"kpoints": (0, 4)}, "at least 1 x 1"),
        ({"kpoints": "dense"}, "'auto' or 'paper'"),
    ],
)
def test_empty_requests_are_refused(arguments, message):
    with pytest.raises(SettingsError, match=message):
        compute_transmission(**{"junctions": [chain(2.9)]} | arguments)


def test_junctions_of_mixed_periodicity_are_refused():
    with pytest.raises(StructureError, match="periodicity"):
        compute_transmission([chain(2.9), slab_junction(1)])


def test_a_bad_junction_is_named():
    with pytest.raises(StructureError, match="snapshot 7 has no per-atom array"):
        compute_transmission([bulk("Ag")], names=["snapshot 7"])


def test_atoms_of_another_element_are_refused():
    mixed = chain(2.9)
    mixed.symbols[2] = "Au"
    with pytest.raises(StructureError, match="has Ag and Au atoms, and tight binding takes one"):
        compute_transmission([mixed])
