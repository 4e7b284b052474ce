import numpy as np
import pytest

from nanogap.dynamics.start import build_tips, count_atoms
from nanogap.errors import SettingsError, StructureError
from nanogap.settings import load_settings
from nanogap.structure import build_pyramids


def test_tips_are_those_of_the_settings():
    settings = load_settings("quick", {"structure.lattice_constant": 4.2, "structure.gap": 7.0})
    tips = build_tips("quick", lattice_constant=4.2, gap=7.0)
    geometry = settings.structure.model_dump()
    np.testing.assert_array_equal(tips.positions, build_pyramids(**geometry).positions)
    np.testing.assert_array_equal(tips.positions, build_tips(settings).positions)
    assert len(tips) == count_atoms(settings)


@pytest.mark.engine
def test_the_lattice_constant_is_that_of_the_force_field_at_the_temperature():
    cold = build_tips("quick", gap=7.0)
    assert 4.2 < cold.info["lattice_constant"] < 4.35
    own = build_tips({"dynamics": {"engine": "eam", "temperature": 0.0}, "voltage": {"applied": 0}})
    assert own.info["lattice_constant"] == pytest.approx(4.09, abs=0.01)


def test_what_cannot_be_built_is_named():
    with pytest.raises(SettingsError, match=r"unknown key 'structure\.gaps'"):
        build_tips(gaps=7.0)
    with pytest.raises(StructureError, match=r"structure.gap = 1 Å is below one bond length"):
        build_tips(gap=1.0)
    with pytest.raises(SettingsError, match=r"structure\.element = 'Xx'"):
        build_tips(element="Xx")
