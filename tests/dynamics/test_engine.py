import numpy as np
import pytest
from scipy import constants

from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engine import Engine
from nanogap.errors import EngineError
from nanogap.settings import DynamicsSettings

pytestmark = pytest.mark.engine

#: One u (angstrom/fs)^2 in eV.
AMU = constants.atomic_mass * 1e10 / constants.e

FROZEN = DynamicsSettings(temperature=0.0, charge_tolerance=1e-12)


@pytest.fixture
def frozen(small_tips, force_field, tmp_path):
    """Charges of each tip at a voltage, on one frozen geometry."""
    engine = Engine(small_tips, FROZEN, force_field, tmp_path, seed=1)
    network = MetalNetwork.from_positions(small_tips.positions, small_tips.arrays["electrode"], 4.0)
    upper = small_tips.positions[:, 2] > small_tips.cell[2, 2] / 2

    def charges(voltage):
        engine.set_potential(network.steady(np.zeros(len(small_tips)), voltage))
        engine._prepared = False  # noqa: SLF001 equilibrate the charges anew
        engine.advance(0)
        values = engine.charges
        return values[~upper].sum(), values[upper].sum()

    yield charges
    engine.close()


def test_the_positively_biased_tip_is_positively_charged(frozen):
    bottom, top = frozen(2.0)
    assert top > 0.1
    assert bottom < -0.1


def test_charge_changes_sign_with_the_voltage_and_is_linear_in_it(frozen):
    unit = frozen(1.0)[1]
    for voltage in (-8.0, -2.0, 0.5, 8.0):
        bottom, top = frozen(voltage)
        assert top == pytest.approx(unit * voltage, rel=1e-6)
        assert bottom + top == pytest.approx(0.0, abs=1e-6)


def test_no_voltage_no_charge(frozen):
    assert np.abs(frozen(0.0)).max() < 1e-6


def test_fixed_bases_stay_and_mobile_atoms_move(small_tips, force_field, tmp_path):
    settings = DynamicsSettings(temperature=500.0, time_step=2.0)
    engine = Engine(small_tips, settings, force_field, tmp_path, seed=1)
    engine.advance(50)
    moved = np.linalg.norm(engine.positions - small_tips.positions, axis=1)
    mobile = small_tips.arrays["electrode"] == "mobile"
    assert moved[~mobile].max() == 0.0
    assert moved[mobile].min() > 0.0
    assert 100 < engine.temperature < 1500
    engine.close()


@pytest.mark.validation
@pytest.mark.parametrize("voltage", [0.0, 4.0])
def test_energy_less_the_work_of_the_source_is_conserved(
    small_tips, force_field, tmp_path, voltage
):
    """Kinetic + potential - sum(phi q): forces, charges and the unit of the shift in one."""
    settings = DynamicsSettings(temperature=0.0, time_step=1.0, charge_tolerance=1e-8)
    mobile = small_tips.arrays["electrode"] == "mobile"
    small_tips.positions[mobile] += np.random.default_rng(2).normal(0, 0.15, (mobile.sum(), 3))
    engine = Engine(small_tips, settings, force_field, tmp_path, seed=1)
    network = MetalNetwork.from_positions(small_tips.positions, small_tips.arrays["electrode"], 4.0)
    potential = network.steady(np.zeros(len(small_tips)), voltage)
    engine.set_potential(potential)

    def energies():
        kinetic = 0.5 * force_field.mass * AMU * (engine.velocities**2).sum()
        return kinetic, kinetic + engine.potential_energy - potential @ engine.charges

    engine.advance(0)
    start_kinetic, start = energies()
    engine.advance(200)
    kinetic, total = energies()
    engine.close()
    exchanged = kinetic - start_kinetic
    assert exchanged > 1.0
    assert abs(total - start) < 2e-3 * exchanged


def test_atoms_that_leave_the_box_are_an_error_that_says_so(small_tips, force_field, tmp_path):
    settings = DynamicsSettings(temperature=300.0, time_step=1.0)
    small_tips.positions[-1] = small_tips.cell.lengths() / 2 + [0, 0, 20.0]
    small_tips.positions[-1, 0] = 0.3
    small_tips.arrays["electrode"][-1] = "mobile"
    engine = Engine(small_tips, settings, force_field, tmp_path, seed=1)
    engine._command("set atom %d vx -0.05" % len(small_tips))  # noqa: SLF001, UP031
    with pytest.raises(EngineError, match=r"1 of \d+ atoms left the box"):
        engine.advance(200)
    engine.close()
