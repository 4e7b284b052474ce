"""The linear model against multislice: a part of the stored table again, and what it says."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from nanogap.errors import NanogapError, SettingsError
from nanogap.imaging import Microscope, PixelGrid, seen_along
from nanogap.imaging.multislice import multislice_haadf

DATA = Path(__file__).resolve().parents[2] / "docs" / "data" / "haadf-abtem.json"
SPACING = 4.0862 / np.sqrt(2.0)


@pytest.fixture(scope="module")
def stored():
    return json.loads(DATA.read_text())


@pytest.mark.validation
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["Cu", "Ag", "Ag2"])
def test_multislice_gives_what_is_stored(stored, name):
    pytest.importorskip("abtem")
    count = 2 if name == "Ag2" else 1
    atoms = Atoms(name, [[0.0, 0.0, SPACING * place] for place in range(count)])
    grid = PixelGrid.around((0.0, 0.0), (2.4, 2.4), 0.6)
    image = multislice_haadf(
        atoms, seen_along(atoms, "z"), grid, Microscope(**stored["microscope"])
    )
    assert image.shape == (4, 4)
    assert image.sum() * 0.36 == pytest.approx(stored["small_field"][name], rel=1e-3)
    assert np.allclose(image, image[::-1, ::-1], rtol=1e-3)


def test_the_linear_model_is_as_far_off_as_the_page_says(stored):
    atoms, page = stored["atoms"], (DATA.parents[1] / "imaging.md").read_text()
    section = {name: one["cross_section"] for name, one in atoms.items()}
    model = {name: one["model"] for name, one in atoms.items()}
    for name in atoms:
        assert f"{100.0 * (model[name] / section[name] - 1.0):.0f} %" in page, name
    for pair in (("Ag", "Cu"), ("Au", "Ag")):
        ratio = model[pair[0]] / model[pair[1]] * section[pair[1]] / section[pair[0]] - 1.0
        assert f"{100.0 * ratio:+.0f} %" in page, pair
    assert f"{stored['exponent']:.2f}" in page
    for table in ("columns_at_rest", "columns_at_300_K"):
        one = stored[table]["1"][0]
        for count, (whole, _) in stored[table].items():
            assert f"{whole / (int(count) * one):.2f}" in page, (table, count)


def test_what_takes_too_long_is_refused_before_it_begins():
    atoms = Atoms("Ag2", [[0.0, 0.0, 0.0], [200.0, 200.0, 50.0]])
    grid = PixelGrid.around((100.0, 100.0), (200.0, 200.0), 0.5)
    pytest.importorskip("abtem")
    with pytest.raises(SettingsError, match="choose fewer atoms"):
        multislice_haadf(atoms, seen_along(atoms, "z"), grid, Microscope())


def test_without_abtem_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "abtem", None)
    grid = PixelGrid.around((0.0, 0.0), (2.0, 2.0), 1.0)
    with pytest.raises(NanogapError, match=r"nanogap\[tem\]"):
        multislice_haadf(Atoms("Ag"), seen_along(Atoms("Ag")), grid, Microscope())
