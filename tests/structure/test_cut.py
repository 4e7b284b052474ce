import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from nanogap.errors import SettingsError, StructureError
from nanogap.settings import JunctionSettings, Settings, VoltageSettings
from nanogap.structure import build_pyramids
from nanogap.structure.cut import check_terraces, cut_junction
from nanogap.structure.tips import TOP, layer_spacing

A = 4.216
BOND = A / np.sqrt(2)
PAPER = JunctionSettings(cut="paper")
FULL = JunctionSettings(cut="full", max_repeats=10)
TERRACE = JunctionSettings(cut="terrace")


@pytest.fixture
def tips():
    return build_pyramids(
        lattice_constant=A,
        base_width=24.0,
        height=8.0,
        apex_width=10.0,
        gap=4 * layer_spacing(A),
        fixed_layers=2,
        vacuum=15.0,
    )


def with_bridge(tips):
    """A straight column of three atoms from terrace to terrace, on the axis."""
    bridged = tips.copy()
    centre = bridged.cell.lengths()[:2] / 2
    low, spacing = bridged.info["bottom_terrace"], layer_spacing(A)
    for i in range(3):
        bridged.append("Ag")
        bridged.positions[-1] = [*centre, low + (i + 1) * spacing]
        bridged.arrays["electrode"][-1] = "mobile"
    return bridged


def bulk_like(junction, region):
    """Neighbour count of the atoms of a region within the junction, periodic in the plane."""
    first = neighbor_list("i", junction, 1.1 * BOND)
    counts = np.bincount(first, minlength=len(junction))
    return counts[junction.arrays["region"] == region]


def test_terraces_smaller_than_the_planes_of_the_cut_are_refused(tips):
    """Planes of 3 x 3 before a terrace of fewer atoms would conduct what is not there."""
    check_terraces(tips, PAPER)
    blunt = tips.info["top_terrace"]
    terrace = np.flatnonzero(np.abs(tips.positions[:, 2] - blunt) < 0.1)
    sharp = tips[np.setdiff1d(np.arange(len(tips)), terrace[8:])]
    with pytest.raises(StructureError, match=r"planes of 9 atoms up to the terraces, which have 8"):
        check_terraces(sharp, PAPER)
    check_terraces(sharp, FULL)
    check_terraces(sharp, PAPER.model_copy(update={"lead_repeats": 2}))


@pytest.mark.parametrize("settings", [PAPER, FULL, TERRACE], ids=["paper", "full", "terrace"])
def test_leads_are_perfect_crystal(tips, settings):
    junction = cut_junction(with_bridge(tips), settings, 4.0)
    for region, sign in (("left", -1), ("right", 1)):
        period = junction.info[f"{region}_period"]
        assert period == pytest.approx(3 * layer_spacing(A))
        lead = junction[junction.arrays["region"] == region]
        repeat = lead.copy()
        repeat.positions[:, 2] += sign * period
        junction_and_more = repeat + junction
        junction_and_more.arrays["region"][: len(repeat)] = "more"
        assert set(bulk_like(junction_and_more, region).tolist()) == {12}


def test_paper_cut_is_three_by_three_with_the_gap_of_the_snapshot(tips):
    snapshot = with_bridge(tips)
    junction = cut_junction(snapshot, PAPER, 4.0)
    assert junction.cell.lengths()[:2] == pytest.approx([3 * BOND, 3 * BOND])
    # two times seven planes of nine atoms, and the bridge
    assert len(junction) == 2 * 7 * 9 + 3
    assert junction.info["atoms_cut_off"] == 0
    heights = np.unique(np.round(junction.positions[:, 2], 3))
    assert np.diff(heights) == pytest.approx(layer_spacing(A), abs=2e-3)


def test_full_cut_keeps_every_atom_of_the_tips_ends(tips):
    snapshot = with_bridge(tips)
    junction = cut_junction(snapshot, FULL, 4.0)
    assert junction.info["atoms_cut_off"] == 0
    terraces = np.abs(snapshot.positions[:, 2] - snapshot.info["bottom_terrace"]) < 0.1
    z = junction.positions[:, 2]
    counts = {round(h, 2): int((np.abs(z - h) < 0.1).sum()) for h in z}
    assert int(terraces.sum()) in counts.values()
    assert list(counts.values()).count(1) == 3


def test_the_cut_follows_the_filament(tips):
    moved = with_bridge(tips)
    moved.positions[-3:, 0] += 4.0
    junction = cut_junction(moved, PAPER, 4.0)
    assert junction.info["atoms_cut_off"] == 0
    assert len(junction) == 2 * 7 * 9 + 3


def test_the_last_plane_is_the_snapshots_own(tips):
    snapshot = with_bridge(tips)
    planar = cut_junction(snapshot, PAPER, 4.0)
    level = snapshot.info["bottom_terrace"]
    terrace = np.flatnonzero(np.abs(snapshot.positions[:, 2] - level) < 0.1)
    centre = snapshot.cell.lengths()[:2] / 2
    inner = terrace[np.argmin(np.linalg.norm(snapshot.positions[terrace, :2] - centre, axis=1))]
    snapshot.positions[inner, 2] -= 0.3
    lowered = cut_junction(snapshot, PAPER, 4.0)
    assert len(lowered) == len(planar)
    moved = np.sort(planar.positions[:, 2]) - np.sort(lowered.positions[:, 2])
    assert moved.sum() == pytest.approx(0.3)


def test_an_atom_pulled_out_of_the_terrace_leaves_no_copy_behind(tips):
    snapshot = with_bridge(tips)
    level = snapshot.info["bottom_terrace"]
    terrace = np.flatnonzero(np.abs(snapshot.positions[:, 2] - level) < 0.1)
    centre = snapshot.cell.lengths()[:2] / 2
    radius = np.linalg.norm(snapshot.positions[terrace, :2] - centre, axis=1)
    inner = terrace[np.argsort(radius)[1]]
    snapshot.positions[inner, 2] += 0.75 * layer_spacing(A)
    junction = cut_junction(snapshot, PAPER, 4.0)
    assert len(junction) == 2 * 7 * 9 + 3
    z = junction.positions[:, 2]
    bottom = np.sort(z)[: 7 * 9 - 1].max()
    assert (np.abs(z - bottom) < 0.1).sum() == 8


def test_a_plane_is_filled_where_the_terrace_ends(tips):
    moved = with_bridge(tips)
    moved.positions[-3:, 0] += 4.0
    junction = cut_junction(moved, PAPER, 4.0)
    first = neighbor_list("i", junction, 1.1 * BOND)
    inner = np.abs(junction.positions[:, 2] - junction.positions[:, 2].mean()) > 3 * BOND
    ends = junction.positions[:, 2]
    inner &= (ends > ends.min() + 0.1) & (ends < ends.max() - 0.1)
    assert set(np.bincount(first)[inner].tolist()) <= {12}


def test_overlapping_atoms_are_refused_with_the_snapshots_name(tips):
    snapshot = with_bridge(tips)
    snapshot.positions[-1] = snapshot.positions[-2] + [0.5, 0, 0]
    with pytest.raises(StructureError, match="snapshot 12: atoms"):
        cut_junction(snapshot, PAPER, 4.0, "snapshot 12")


def test_an_end_that_is_no_crystal_is_refused(tips):
    rng = np.random.default_rng(1)
    top = np.flatnonzero(tips.arrays["electrode"] == TOP)
    tips.positions[top] += rng.normal(0, 0.6, (len(top), 3))
    with pytest.raises(StructureError, match="snapshot 3: the 'top' end has no bulk-like"):
        cut_junction(tips, PAPER, 4.0, "snapshot 3")


def test_a_frame_without_labels_is_refused(tips):
    del tips.arrays["electrode"]
    with pytest.raises(
        StructureError, match="the snapshot has no per-atom array 'electrode': a junction is cut"
    ):
        cut_junction(tips)
    with pytest.raises(StructureError, match="the snapshot is of type list: a junction is cut"):
        cut_junction([tips])


def test_the_default_cut_is_that_of_the_settings(tips):
    snapshot = with_bridge(tips)
    ours = cut_junction(snapshot)
    theirs = cut_junction(snapshot, JunctionSettings(), VoltageSettings().cutoff)
    np.testing.assert_array_equal(ours.positions, theirs.positions)


@pytest.mark.parametrize("repeats", [3, 4, 5, 6, 7, 8, 10, 13])
def test_planes_of_wide_cells_have_every_site(tips, repeats):
    settings = JunctionSettings(cut="full", lead_repeats=repeats, max_repeats=repeats)
    junction = cut_junction(with_bridge(tips), settings, 4.0)
    area = np.prod(junction.cell.lengths()[:2])
    sites = round(area / (BOND**2 * np.sqrt(3.0) / 2.0))
    for region in ("left", "right"):
        assert (junction.arrays["region"] == region).sum() == 3 * sites


def test_a_given_axis_holds_the_cell_in_place(tips):
    """Two bridges at different places: without it each has a cell of its own."""
    first = with_bridge(tips)
    second = with_bridge(tips)
    second.positions[-3:, :2] += [1.2, 0.0]
    axis = first.positions[-1, :2]
    held = [cut_junction(snapshot, PAPER, 4.0, axis=axis) for snapshot in (first, second)]
    leads = [junction.positions[junction.arrays["region"] == "left"][:, :2] for junction in held]
    assert leads[0] == pytest.approx(leads[1])
    own = cut_junction(first, PAPER, 4.0)
    assert own.positions == pytest.approx(held[0].positions)
    # nothing but the three atoms of the bridge has moved
    moved = held[1].positions - held[0].positions
    assert sorted(np.linalg.norm(moved, axis=1).round(6))[-4:] == [0.0, 1.2, 1.2, 1.2]


def test_the_settings_of_a_run_and_a_word_in_their_place(small_tips):
    settings = Settings(junction=JunctionSettings(cut="full"))
    whole = cut_junction(small_tips, settings)
    section = cut_junction(small_tips, settings.junction, settings.voltage.cutoff)
    np.testing.assert_array_equal(whole.positions, section.positions)
    with pytest.raises(SettingsError, match="settings = 'paper': give those of a run"):
        cut_junction(small_tips, "paper")
