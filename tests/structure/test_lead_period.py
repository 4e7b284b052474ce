"""The first repeat of a lead stands where the channel goes on: right, wrong, or not known."""

import numpy as np
import pytest
from ase.build import fcc111
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import (
    PERIOD,
    chain,
    disordered,
    slab_junction,
    turned_and_moved,
    with_lead_layer,
)

from nanogap.errors import StructureError
from nanogap.structure.junction import junction_notes
from nanogap.structure.lead_period import TOLERANCE


def with_period(junction, value, side="left"):
    changed = junction.copy()
    changed.info[f"{side}_period"] = value
    return changed


def contact():
    """The example of docs/junction-format.md: one plane of the channel, then less than a plane."""
    atoms = fcc111("Ag", size=(3, 3, 11), a=4.16, vacuum=10.0)
    atoms.pbc = (True, True, False)
    layer = 11 - atoms.get_tags()
    axis = atoms.positions[np.flatnonzero(layer == 5)[4]]
    distance = np.linalg.norm(atoms.positions - axis, axis=1)
    near = distance < 1.1 * 4.16 / np.sqrt(2)
    keep = (layer <= 3) | (layer >= 7) | (near & ((layer != 5) | (distance < 0.1)))
    atoms, layer = atoms[keep], layer[keep]
    labels = np.where(layer < 3, "left", np.where(layer > 7, "right", "channel"))
    atoms.new_array("region", labels)
    atoms.info = {"left_period": np.sqrt(3) * 4.16, "right_period": np.sqrt(3) * 4.16}
    return atoms


def one_plane(period):
    """One plane of three labelled, with a period of three."""
    junction = slab_junction(3)
    lead = junction.arrays["region"] == "left"
    junction.arrays["region"][lead & (junction.positions[:, 2] > 1.0)] = "channel"
    return with_period(junction, period)


@pytest.mark.parametrize(
    "junction",
    [
        slab_junction(2),
        slab_junction(2, gap_layers=2, channel_layers=1),
        slab_junction(2, channel_layers=0),
        contact(),
        chain(2.7),
        chain(2.7, n_channel=4, repeats=2),
        with_period(slab_junction(2), round(PERIOD, 2)),
        with_period(contact(), 7.2),
    ],
)
def test_nothing_is_said_of_what_is_right(junction):
    assert junction_notes(junction) == ()


def test_two_periods_in_one_are_right():
    grown = with_lead_layer(slab_junction(2, gap_layers=2, channel_layers=3), "left")
    low = grown.positions[:, 2].min()
    grown.arrays["region"][grown.positions[:, 2] < low + 2 * PERIOD - 1.0] = "left"
    assert junction_notes(with_period(grown, 2 * PERIOD)) == ()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 3))
def test_heat_is_no_fault(seed, width):
    assert junction_notes(disordered(seed, width=width, size=2 * width)) == () or width == 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_relaxed_first_plane_is_no_fault(side):
    junction = slab_junction(2, gap_layers=3)
    heights = junction.positions[:, 2]
    end = (
        (heights[junction.arrays["region"] == side]).max()
        if side == "left"
        else (heights[junction.arrays["region"] == side]).min()
    )
    first = np.abs(heights - end - (1 if side == "left" else -1) * PERIOD / 3) < 0.1
    junction.positions[first, 2] += 0.1  # 4 % of the spacing
    notes = junction_notes(junction)
    assert all("strained" in note for note in notes)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("junction", "period", "words"),
    [
        (slab_junction(3), PERIOD * 4 / 3, r"period = 9\.7.* 7\.302. Å on: give"),
        (slab_junction(3), 12.0, r"period = 12 Å, .* 7\.302"),
        (slab_junction(3), PERIOD / 0.529177, "in Å, not in bohr"),
        (contact(), 8, r"period = 8 Å, .* 7\.2053"),
        (contact(), 7, r"period = 7 Å, .* 7\.2053"),
        (slab_junction(3), 2 * PERIOD, r"period = 14\.6047 Å, .* 7\.302"),
        (slab_junction(3), PERIOD / 10, "must exceed 1.90 Å"),  # nm
        (slab_junction(3), -PERIOD, "without a sign"),
        (slab_junction(3), 0, "must exceed"),
        (slab_junction(3), np.inf, "finite number"),
        (slab_junction(3), 10**40, "finite number"),
        (slab_junction(3), np.nan, "finite number"),
        (slab_junction(3), "7.2", "no number"),
        (chain(2.7, n_channel=5), 3.6, r"period = 3\.6 Å, .* 2\.7000"),
        (chain(2.7, n_channel=5), 5.4, r"period = 5\.4 Å, .* 2\.7000"),
    ],
)
def test_a_wrong_period_is_refused(junction, side, period, words):
    with pytest.raises(StructureError, match=words):
        junction_notes(with_period(junction, period, side))


def test_one_plane_of_three_is_refused():
    with pytest.raises(StructureError, match=r"18 more atoms .* label all atoms of one period"):
        junction_notes(one_plane(PERIOD))


def test_left_and_right_exchanged_are_refused():
    junction = slab_junction(2)
    names = {"left": "right", "right": "left", "channel": "channel"}
    junction.arrays["region"] = np.array([names[name] for name in junction.arrays["region"]])
    with pytest.raises(StructureError, match="follow each other along z as left, channel, right"):
        junction_notes(junction)


@pytest.mark.parametrize("off", [0.03, 0.05])
def test_a_small_difference_is_told(off):
    (note,) = junction_notes(with_period(contact(), np.sqrt(3) * 4.16 + off))
    assert "strained" in note
    assert off > TOLERANCE


def test_a_bare_surface_is_told():
    bare = slab_junction(2, gap_layers=3, channel_layers=0)
    notes = junction_notes(bare, "junction 3")
    assert len(notes) == 2
    assert all(note.startswith("junction 3: the channel does not begin") for note in notes)
    assert "as at a bare surface" in notes[0]


def test_surfaces_pulled_apart_are_no_fault():
    """Planes that face each other at 3.5 Å: the lead's own period is that of its crystal."""
    junction = slab_junction(2, channel_layers=0)
    upper = junction.arrays["region"] == "right"
    junction.positions[upper, 2] += 1.1
    assert len(junction_notes(junction)) == 2


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), turns=st.integers(-6, 6))
def test_place_turn_and_cell_vectors_do_not_matter(seed, turns):
    for junction, refused in ((contact(), False), (with_period(contact(), 8.0), True)):
        moved = turned_and_moved(junction, seed)
        moved.cell[1] += turns * moved.cell[0]
        if refused:
            with pytest.raises(StructureError, match=r"7\.2053"):
                junction_notes(moved)
        else:
            assert junction_notes(moved) == ()
