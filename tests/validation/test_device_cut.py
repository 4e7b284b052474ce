"""How a one-atom contact depends on the cut: what is stored, and a part of it measured again."""

import json

import pytest

from validation import device_cut


@pytest.fixture(scope="module")
def rows():
    return json.loads(device_cut.DATA.read_text(encoding="utf-8"))["rows"]


def of(rows, family, width, kpoints):
    return {
        row["layers"]: row["transmission"]
        for row in rows
        if (row["family"], row["width"], row["kpoints"]) == (family, width, kpoints)
    }


def test_a_blunt_contact_converges_and_the_default_cut_is_near(rows):
    wide = [of(rows, "cone of 51 degrees", width, 2) for width in (8, 10)]
    limit = wide[1][5]
    for values in wide:
        for layers in (3, 4, 5):
            assert values[layers] == pytest.approx(limit, rel=0.03)
    assert of(rows, "cone of 51 degrees", 4, 3)[2] == pytest.approx(limit, rel=0.1)


def test_a_sharp_cone_scatters_in_wide_cells_alike(rows):
    first, second = (of(rows, "cone of 36 degrees", width, 2) for width in (8, 10))
    assert list(first.values())[1:] == sorted(list(first.values())[1:], reverse=True)
    for layers in (4, 5):
        assert first[layers] == pytest.approx(second[layers], rel=0.07)
        assert first[layers] < 0.6 * first[2]


def test_a_stored_transmission_is_found_again(rows):
    lattice, labels, movable = device_cut.bridged_needles()
    cut = device_cut.NeckCut(widths=(4,), depth=2, most_layers=20)
    (neck,) = device_cut.cut_necks(lattice, labels, movable, cut)
    found = device_cut.measured("needles", neck, 2, 3)
    assert found.transmission == pytest.approx(of(rows, "needles", 4, 3)[2], rel=1e-6)


def test_the_page_quotes_what_is_stored(rows):
    page = (device_cut.DOCS / "device-conductance.md").read_text(encoding="utf-8")
    for family, width, kpoints in dict.fromkeys(
        (row["family"], row["width"], row["kpoints"]) for row in rows
    ):
        values = of(rows, family, width, kpoints)
        cells = " | ".join(f"{values[n]:.2f}" if n in values else "" for n in device_cut.LAYERS)
        mesh = f"{kpoints} \N{MULTIPLICATION SIGN} {kpoints}"
        line = f"| {family} | {width} bonds, {mesh} | {cells} |"
        assert line in page
