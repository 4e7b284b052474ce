import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import A, chain, slab_junction

from nanogap.errors import StructureError
from nanogap.settings import JunctionSettings
from nanogap.structure import build_pyramids
from nanogap.structure.cut import cut_junction
from nanogap.structure.tips import layer_spacing, stacking_shift
from nanogap.transport.espresso.pw import BOHR, PlaneWaveSettings
from nanogap.transport.espresso.pwcond_cells import scattering_cells
from nanogap.transport.mesh import plane_mesh, reduced_mesh

SPACING = layer_spacing(A)


def heights(atoms):
    return np.unique(atoms.positions[:, 2].round(4))


def coordination_at_the_end(cells):
    """Distances of the first plane's atoms to the repeated last plane, angstrom."""
    cell = cells.scattering
    z = cell.positions[:, 2]
    joint = cell[z < SPACING / 2]
    joint += cell[z > z.max() - SPACING / 2]
    joint.positions[joint.positions[:, 2] > SPACING, 2] -= cell.cell.array[2, 2]
    joint.pbc = (True, True, False)
    return joint.get_all_distances(mic=True)


def assert_perfect_across_the_boundary(cells):
    distances = coordination_at_the_end(cells)
    apart = distances[distances > 0.1]
    assert apart.min() == pytest.approx(A / np.sqrt(2.0), abs=1e-3)
    top = heights(cells.scattering)[-1]
    assert cells.scattering.cell.array[2, 2] - top == pytest.approx(SPACING, abs=1e-3)


@given(
    width=st.integers(1, 3),
    channel=st.integers(0, 7),
    missing=st.integers(1, 5),
    planes=st.integers(1, 5),
)
@settings(deadline=None, max_examples=40)
def test_the_crystal_is_perfect_across_the_boundary(width, channel, missing, planes):
    junction = slab_junction(width, gap_layers=missing, channel_layers=channel)
    cells = scattering_cells(junction, planes, 8.0)
    z = heights(cells.scattering)
    assert z[0] == 0.0
    assert heights(cells.lead)[0] == 0.0
    assert len(cells.lead) == 3 * width**2
    assert_perfect_across_the_boundary(cells)
    below = int(np.argmax(np.diff(z))) + 1
    assert below == min(planes, 3 + channel)
    above = len(z) - below
    # up to two planes more on the other side, so that the stacking goes on where the cell repeats
    assert min(planes, 3 + channel) <= above <= min(planes, 3 + channel) + 2
    assert np.diff(z).max() == pytest.approx((missing + 1) * SPACING, abs=1e-3)
    # the region begins with the planes of the lead
    first = cells.scattering[
        cells.scattering.positions[:, 2] < cells.lead.positions[:, 2].max() + 0.1
    ]
    if planes >= 3:
        for site in cells.lead.positions:
            assert np.linalg.norm(first.positions - site, axis=1).min() < 1e-3


def test_atoms_between_are_kept_where_they_are_and_extra_planes_dropped():
    junction = slab_junction(2, extra=[(0.3, 0.2, -0.1)], gap_layers=2, channel_layers=4)
    cells = scattering_cells(junction, 3, 8.0)
    assert len(cells.scattering) in (4 * n + 1 for n in (6, 7, 8))
    z = heights(cells.scattering)
    atom = np.flatnonzero(
        np.bincount(np.searchsorted(z, cells.scattering.positions[:, 2].round(4))) == 1
    )
    below, above = z[atom[0]] - z[atom[0] - 1], z[atom[0] + 1] - z[atom[0]]
    assert below + above == pytest.approx(3 * SPACING, abs=1e-3)


def test_a_wire_needs_one_atom_and_gets_empty_space_around_it():
    cells = scattering_cells(chain(2.65), 3, 8.0)
    assert len(cells.lead) == len(cells.scattering) == 1
    np.testing.assert_allclose(cells.scattering.cell.lengths(), [8.0, 8.0, 2.65])
    assert cells.periodic == (False, False)
    assert [mesh[:2] for mesh in cells.meshes(24.0)] == [(1, 1), (1, 1)]


def test_lead_and_region_are_sampled_alike():
    """Found with a wire of three atoms: 5 points of the lead, 2 of the region, T = 0.955 not 1."""
    lead, scattering = scattering_cells(chain(2.65, n_channel=1), 3, 8.0).meshes(12.0)
    assert lead == (1, 1, 3 * scattering[2])
    contact = scattering_cells(slab_junction(2, gap_layers=3, channel_layers=0), 3, 8.0)
    lead, scattering = contact.meshes(24.0)
    assert lead[:2] == scattering[:2] == (4, 4)


def test_a_cut_snapshot_becomes_cells():
    tips = build_pyramids(
        lattice_constant=A, base_width=16.0, height=6.0, apex_width=8.0, gap=6.0,
        fixed_layers=2, vacuum=8.0,
    )  # fmt: skip
    junction = cut_junction(tips, JunctionSettings(cut="paper", lead_repeats=2), 4.0)
    cells = scattering_cells(junction, 3, 8.0)
    assert len(cells.lead) == 12
    assert len(cells.scattering) < len(junction)
    assert_perfect_across_the_boundary(cells)


def test_leads_that_are_not_in_register_are_refused_with_the_remedy():
    junction = slab_junction(2, gap_layers=2)
    upper = junction.positions[:, 2] > junction.positions[:, 2].mean()
    junction.positions[upper, 0] += 0.7
    with pytest.raises(StructureError, match=r"not in register.*tight-binding"):
        scattering_cells(junction, 3, 8.0)


def test_a_mirrored_stacking_is_refused():
    junction = slab_junction(1, gap_layers=2, channel_layers=0)
    upper = np.flatnonzero(junction.positions[:, 2] > junction.positions[:, 2].mean())
    for number, atom in enumerate(upper):
        junction.positions[atom, :2] = -number * stacking_shift(A)
    with pytest.raises(StructureError, match="stacked the other way round"):
        scattering_cells(junction, 3, 8.0)


def test_different_leads_are_refused():
    junction = slab_junction(2, gap_layers=2)
    junction.info["right_period"] *= 1.01
    with pytest.raises(StructureError, match="the leads differ"):
        scattering_cells(junction, 3, 8.0)


@given(wave=st.floats(15.0, 60.0), width=st.integers(1, 3), missing=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_both_calculations_have_one_grid_in_the_plane(wave, width, missing):
    cells = scattering_cells(slab_junction(width, gap_layers=missing), 3, 8.0)
    lead, scattering = cells.grids(PlaneWaveSettings(wave, 10.0 * wave))
    for one, other in zip(lead, scattering, strict=True):
        assert one[:2] == other[:2]
        period, length = cells.lead.cell.array[2, 2], cells.scattering.cell.array[2, 2]
        spacing = (period / one[2], length / other[2])
        assert 0.85 < spacing[1] / spacing[0] <= 1.0001
    for cell, grids in ((cells.lead, lead), (cells.scattering, scattering)):
        for cutoff, grid in zip((10.0 * wave, 4.0 * wave), grids, strict=True):
            steps = 2.0 * np.pi / (cell.cell.lengths() / BOHR)  # reciprocal lengths, 1/bohr
            held = (np.array(grid) - 1) // 2 * steps
            assert np.all(held >= np.sqrt(cutoff) - steps)


@given(
    width=st.integers(2, 3),
    channel=st.integers(0, 5),
    planes=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40)
def test_the_boundaries_list_their_atoms_as_the_lead_does(width, channel, planes, seed):
    """PWCOND joins projectors by number: a snapshot with another order had T 1.08, not 1.58."""
    junction = slab_junction(width, gap_layers=2, channel_layers=channel)
    random = np.random.default_rng(seed)
    junction = junction[random.permutation(len(junction))]
    # images of atoms, and what a file of few decimals leaves
    moved = random.integers(-1, 2, (len(junction), 2)) @ junction.cell.array[:2]
    junction.positions += moved + random.uniform(-1e-4, 1e-4, (len(junction), 3)) * [1, 1, 0]
    cells = scattering_cells(junction, planes, 8.0)
    lead, region = cells.lead, cells.scattering
    first = lead.positions[:, 2] < SPACING / 2
    bottom = region.positions[:, 2] < SPACING / 2
    np.testing.assert_allclose(region.positions[bottom], lead.positions[first], atol=1e-9)
    last = lead.positions[:, 2] > lead.positions[:, 2].max() - SPACING / 2
    top = region.positions[:, 2] > region.positions[:, 2].max() - SPACING / 2
    rise = region.cell.array[2, 2] - lead.cell.array[2, 2]
    np.testing.assert_allclose(
        region.positions[top] - [0.0, 0.0, rise], lead.positions[last], atol=1e-9
    )


def test_symmetry_leaves_four_points_of_a_gamma_centred_mesh():
    cells = scattering_cells(slab_junction(2, gap_layers=2), 3, 8.0)
    mesh = plane_mesh((4, 4), gamma_centred=True, periodic=(True, True))
    reduced = reduced_mesh(mesh, cells.symmetries())
    assert len(reduced.computed) == 4
    assert np.bincount(reduced.source).tolist() == [1, 6, 3, 6]


def test_without_symmetry_only_time_reversal_is_left():
    junction = slab_junction(2, extra=[(0.3, 0.2, -0.1)], gap_layers=2)
    cells = scattering_cells(junction, 3, 8.0)
    mesh = plane_mesh((4, 4), gamma_centred=True, periodic=(True, True))
    reduced = reduced_mesh(mesh, cells.symmetries())
    assert len(reduced.computed) == len(mesh.computed) == 10
