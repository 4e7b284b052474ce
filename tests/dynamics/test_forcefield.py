import json

import numpy as np
import pytest

from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import available_elements, load_force_field
from nanogap.dynamics.lattice import equilibrium_lattice_constant
from nanogap.errors import SettingsError
from nanogap.settings import DynamicsSettings


def test_silver_is_available_with_its_true_mass(force_field):
    assert "Ag" in available_elements()
    assert force_field.mass == pytest.approx(107.8682)
    assert len(force_field.general) == 39


def test_unknown_element_names_the_known_ones():
    with pytest.raises(SettingsError, match=r"'Xx'.*Ag"):
        load_force_field("Xx")


@pytest.mark.engine
def test_fast_control_changes_neither_energy_nor_forces(small_tips, force_field, tmp_path):
    small_tips.positions += np.random.default_rng(3).normal(0, 0.1, small_tips.positions.shape)
    results = []
    for fast in (False, True):
        folder = tmp_path / str(fast)
        folder.mkdir()
        settings = DynamicsSettings(temperature=0.0, charge_tolerance=1e-10, fast_control=fast)
        engine = Engine(small_tips, settings, force_field, folder, seed=1)
        engine.advance(0)
        results.append((engine.potential_energy, engine.forces))
        engine.close()
    (plain_energy, plain_forces), (fast_energy, fast_forces) = results
    assert fast_energy == pytest.approx(plain_energy, abs=1e-6)
    assert np.abs(plain_forces).max() > 0.1  # the test would be empty at equilibrium
    np.testing.assert_allclose(fast_forces, plain_forces, atol=1e-6)


@pytest.mark.engine
@pytest.mark.validation
def test_static_lattice_constant_is_that_of_the_force_field(force_field, tmp_path):
    # 4.215 A: measured for this parameter set with LAMMPS (header of reaxff_ag.toml)
    assert equilibrium_lattice_constant(force_field, 0.0, cache=tmp_path) == pytest.approx(
        4.215, abs=0.002
    )


@pytest.mark.engine
def test_the_crystal_expands_and_the_result_is_kept(force_field, tmp_path):
    warm = equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path)
    # between no expansion and twice that of silver, 19e-6/K times 300 K
    assert 4.217 < warm < 4.215 * (1 + 2 * 19e-6 * 300)
    (stored,) = tmp_path.iterdir()
    content = json.loads(stored.read_text())
    stored.write_text(json.dumps(content | {"lattice_constant": 4.321}))
    assert equilibrium_lattice_constant(force_field, 300.0, cache=tmp_path) == 4.321
