"""The cut ``terrace``: one cell for a whole run, and atoms that come and go without a jump."""

import numpy as np
import pytest

from nanogap.settings import JunctionSettings, load_settings
from nanogap.structure import build_pyramids
from nanogap.structure.cut import cut_junction
from nanogap.structure.junction import COUPLING
from nanogap.structure.tips import layer_spacing
from nanogap.transport.compute import DEFAULT_CUT, compute_transmission
from nanogap.transport.of_file import TransmissionRequest

A = 4.216
BOND, SPACING = A / np.sqrt(2), layer_spacing(A)
TERRACE = JunctionSettings(cut="terrace")


@pytest.fixture(scope="module")
def tips():
    """Terraces of seven atoms, and between them a column of two atoms on the axis."""
    atoms = build_pyramids(
        lattice_constant=A,
        base_width=14.0,
        height=5.0,
        apex_width=6.0,
        gap=3 * SPACING,
        fixed_layers=1,
        vacuum=10.0,
    )
    for number in (1, 2):
        atoms.append("Ag")
        atoms.positions[-1] = [*middle(atoms), atoms.info["bottom_terrace"] + number * SPACING]
        atoms.arrays["electrode"][-1] = "mobile"
    return atoms


def middle(tips):
    return tips.positions[tips.arrays["electrode"] != "mobile", :2].mean(axis=0)


def transmission(snapshot):
    junction = cut_junction(snapshot, TERRACE)
    result = compute_transmission(junction, kpoints=(2, 2))
    return result["transmission_average"].item()


def heated(tips, seed=3):
    mobile = tips.arrays["electrode"] == "mobile"
    hot = tips.copy()
    hot.positions[mobile] += np.random.default_rng(seed).normal(0.0, 0.1, (mobile.sum(), 3))
    return hot


def with_atom(tips, place):
    more = tips.copy()
    more.append("Ag")
    more.positions[-1] = place
    more.arrays["electrode"][-1] = "mobile"
    return more


def test_it_is_the_default_wherever_a_cut_is_chosen():
    """A run and a frame outside one gave 2.88 and 3.21 for the same atoms."""
    named = (JunctionSettings().cut, DEFAULT_CUT, TransmissionRequest().cut)
    assert {*named, load_settings("quick").junction.cut} == {"terrace"}


def test_the_cell_follows_from_the_tips_and_not_from_what_became_of_them(tips):
    cell = cut_junction(tips, TERRACE).cell.array[:2, :2]
    assert np.linalg.norm(cell[0]) == pytest.approx(4 * BOND)
    x, y = middle(tips)
    away = with_atom(tips, [x + 9.0, y + 4.0, tips.info["bottom_terrace"] + SPACING])
    np.testing.assert_array_equal(cut_junction(away, TERRACE).cell.array[:2, :2], cell)
    hot = cut_junction(heated(tips), TERRACE)
    np.testing.assert_array_equal(hot.cell.array[:2, :2], cell)


def test_tips_of_earlier_versions_get_a_cell_as_wide_as_their_bases(tips):
    earlier = tips.copy()
    del earlier.info["terrace_width"]
    cell = cut_junction(earlier, TERRACE).cell.lengths()
    assert cell[0] == pytest.approx(6 * BOND)


def test_all_atoms_are_the_snapshots_own_from_the_terraces_on(tips):
    junction = cut_junction(heated(tips), TERRACE)
    terraces = 2 * int((abs(tips.positions[:, 2] - tips.info["bottom_terrace"]) < 0.1).sum())
    assert len(junction) == 2 * 6 * 16 + terraces + 2
    assert (junction.arrays[COUPLING] == 1.0).all()
    assert junction.info["atoms_cut_off"] == 0


def test_moving_the_whole_snapshot_changes_nothing(tips):
    hot = heated(tips)
    moved = hot.copy()
    moved.positions[:, :2] += [1.7, -0.9]
    assert transmission(moved) == pytest.approx(transmission(hot), abs=1e-7)


def path_through(tips, start, end, steps):
    """T while one more atom goes along a line."""
    places = np.linspace(start, end, steps + 1)
    return np.array([transmission(with_atom(tips, place)) for place in places])


def test_an_atom_crosses_the_edge_of_the_cell_without_a_jump(tips):
    """The cut ``paper`` takes it away there, also from the filament that it belongs to."""
    x, y = middle(tips)
    height = tips.info["bottom_terrace"] + 1.5 * SPACING
    edge = np.array([x + 2 * BOND, y, height])
    step = np.array([0.02, 0.0, 0.0])
    found = path_through(tips, edge - step, edge + step, 2)
    assert np.abs(np.diff(found)).max() < 0.02
    assert np.ptp(np.diff(found)) < 0.005


def beside_the_terrace(tips):
    """The next site of the lower terrace's plane, where the cut puts no atom."""
    terrace = tips.positions[np.abs(tips.positions[:, 2] - tips.info["bottom_terrace"]) < 0.1]
    return terrace[np.argmax(terrace[:, 0]), :2] + [BOND, 0.0]


def test_an_atom_sinks_into_a_perfect_plane_without_a_jump(tips):
    """It is left out where it would overlap with a site, but fades before."""
    place = beside_the_terrace(tips)
    level = tips.info["bottom_terrace"] - SPACING
    heights = level + np.linspace(1.1, 2.6, 9)
    parts = []
    for height in heights:
        junction = cut_junction(with_atom(tips, [*place, height]), TERRACE)
        faded = junction.arrays[COUPLING]
        known = len(cut_junction(tips, TERRACE))
        parts.append(0.0 if len(junction) == known else faded.min())
    assert parts[0] == 0.0
    assert parts[-1] == 1.0
    assert any(0.0 < part < 1.0 for part in parts)
    assert parts == sorted(parts)
    begins = heights[np.flatnonzero(np.array(parts) > 0.0)[0] - 1]
    found = path_through(tips, [*place, begins], [*place, begins + 0.4], 8)
    found = np.append(transmission(tips), found)
    assert np.abs(np.diff(found)).max() < 0.02
