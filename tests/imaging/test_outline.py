"""Outlines of wires: cells become a body of the same volume, the parted wire two needles."""

import numpy as np
import pytest

from nanogap.imaging import PixelGrid, outline_of, parted_outline, projected_thickness
from nanogap.wire.result import stored_moments, stored_result


@pytest.fixture(scope="module")
def broken(wires):
    part = wires.breakdowns()[0]
    return stored_moments(part), stored_result(part)


def cells_volume(moment):
    """Volume of the cells, whose borders follow from their centres, cubic angstrom."""
    edges = [0.0]
    for centre in moment.positions:
        edges.append(2.0 * centre - edges[-1])
    return 1e30 * np.pi * float((moment.radii**2 * np.diff(edges)).sum())


def test_the_outline_has_the_volume_of_the_cells(broken):
    for moment in broken[0]:
        assert outline_of(moment).volume == pytest.approx(cells_volume(moment), rel=1e-3)


def test_the_parted_wire_has_the_gap_that_is_told_and_the_same_volume(broken):
    moments, result = broken
    outline = parted_outline(moments[-1], result)
    assert (np.diff(outline.places) >= 0.0).all()
    empty = outline.places[outline.squares == 0.0]
    assert len(empty) == 2
    assert np.ptp(empty) == pytest.approx(10.0 * result.gap, rel=1e-6)
    assert empty[0] <= 10.0 * result.position <= empty[1]
    assert outline.volume == pytest.approx(cells_volume(moments[-1]), rel=1e-3)
    assert outline.neck == pytest.approx(empty.mean())


def test_the_gap_is_seen(broken):
    moments, result = broken
    outline = parted_outline(moments[-1], result)
    width = result.gap * 10.0
    grid = PixelGrid.around((outline.neck, 0.0), (6.0 * width, width / 5.0), width / 25.0)
    line = projected_thickness(outline, grid)[grid.rows // 2]
    assert (line == 0.0).sum() * grid.pixel == pytest.approx(width, abs=2.0 * grid.pixel)
    whole = projected_thickness(outline_of(moments[0]), grid)
    assert (whole > 0.0).all()


def test_the_tips_are_caps_of_the_spheres_that_are_told(broken):
    moments, result = broken
    outline = parted_outline(moments[-1], result)
    empty = outline.places[outline.squares == 0.0]
    for end, direction, radius, base in zip(
        empty, (-1.0, 1.0), result.tip_radii, result.tip_bases, strict=True
    ):
        sphere = 10.0 * radius
        height = sphere - np.sqrt(max(sphere**2 - (10.0 * base) ** 2, 0.0))
        depth = 0.5 * height
        found = outline.square(np.array([end + direction * depth]))[0]
        assert found == pytest.approx(depth * (2.0 * sphere - depth), rel=1e-2)
