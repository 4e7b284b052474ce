import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.errors import StructureError
from nanogap.settings import load_settings
from nanogap.structure import build_pyramids
from nanogap.structure.connectivity import neighbour_pairs
from nanogap.structure.tips import BOTTOM, MOBILE, TOP

GEOMETRY = {
    "lattice_constant": 4.216,
    "base_width": 20.0,
    "height": 8.0,
    "apex_width": 10.0,
    "gap": 6.5,
    "fixed_layers": 2,
    "vacuum": 15.0,
}


def terrace_distance(atoms):
    heights = atoms.positions[:, 2]
    middle = atoms.cell[2, 2] / 2
    return heights[heights > middle].min() - heights[heights < middle].max()


def test_paper_preset_has_the_papers_tips():
    structure = load_settings("paper-8v").structure
    keys = ("base_width", "height", "apex_width", "gap", "fixed_layers", "vacuum")
    atoms = build_pyramids(lattice_constant=4.268, **{key: getattr(structure, key) for key in keys})
    base = atoms.positions[atoms.arrays["electrode"] == BOTTOM]
    assert np.ptp(base[:, :2], axis=0) == pytest.approx([42.0, 42.0], abs=1.0)
    assert terrace_distance(atoms) == pytest.approx(8.3)
    assert neighbour_pairs(atoms.positions, 4.0)[1].min() > 2.6


@settings(max_examples=30)
@given(
    base_width=st.floats(12, 30),
    apex_fraction=st.floats(0.3, 1),
    height=st.floats(3, 20),
    gap=st.floats(3, 15),
    fixed_layers=st.integers(1, 4),
)
def test_any_tips_are_crystals_that_face_each_other(
    base_width, apex_fraction, height, gap, fixed_layers
):
    geometry = GEOMETRY | {
        "base_width": base_width,
        "apex_width": apex_fraction * base_width,
        "height": height,
        "gap": gap,
        "fixed_layers": fixed_layers,
    }
    atoms = build_pyramids(**geometry)
    electrode = atoms.arrays["electrode"]
    bond = 4.216 / np.sqrt(2)
    distances = neighbour_pairs(atoms.positions, 1.3 * bond)[1]
    assert distances.min() > min(bond, gap) - 1e-6
    assert terrace_distance(atoms) == pytest.approx(gap)
    # inversion through the centre turns one tip into the other
    centre = atoms.cell.lengths() / 2
    inverted = 2 * centre - atoms.positions
    n = len(atoms) // 2
    assert np.allclose(inverted[:n], atoms.positions[n:])
    assert (electrode == BOTTOM).sum() == (electrode == TOP).sum() > 0
    layers = np.unique(np.round(atoms.positions[electrode == BOTTOM, 2], 3))
    assert len(layers) == fixed_layers
    assert (electrode == MOBILE).any()
    margin = np.minimum(atoms.positions, atoms.cell.lengths() - atoms.positions).min()
    assert margin >= 15.0 - 1e-9


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"apex_width": 25.0}, "apex_width"),
        ({"apex_width": 1.0}, "apex_width"),
        ({"gap": 2.0}, "gap"),
        ({"height": 1.0}, "height"),
    ],
)
def test_geometries_that_cannot_be_are_refused(change, key):
    with pytest.raises(StructureError, match=f"structure.{key}"):
        build_pyramids(**(GEOMETRY | change))
