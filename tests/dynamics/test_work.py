import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.work import BiasWork
from nanogap.settings import DynamicsSettings, Settings, VoltageSettings


@given(seed=st.integers(0, 10_000), switches=st.integers(1, 6))
def test_the_work_is_the_rise_of_the_energy_of_frozen_charges(seed, switches):
    """Charges that minimize a quadratic E(q) - phi q at zero total charge, for any phi's."""
    random = np.random.default_rng(seed)
    n = 6
    root = random.normal(size=(n, n))
    hardness = root @ root.T + n * np.eye(n)
    electronegativity = random.normal(size=n)
    inverse = np.linalg.inv(hardness)
    ones = np.ones(n)

    def equilibrium(potential):
        free = inverse @ (potential - electronegativity)
        return free - inverse @ ones * (ones @ free) / (ones @ inverse @ ones)

    def energy(charges):
        return electronegativity @ charges + 0.5 * charges @ hardness @ charges

    potential = random.normal(size=n)
    start = equilibrium(potential)
    work = BiasWork(start, potential, potential, 0.0)
    for _ in range(switches):
        work.switch(random.normal(size=n))
        potential = random.normal(size=n)
        work.switch(potential)  # a potential that the charges never saw does not count
        assert work.switched
        work.follow(equilibrium(potential))
        assert not work.switched
    rise = energy(equilibrium(potential)) - energy(start)
    assert work.total == pytest.approx(rise, abs=1e-9)


def balances(tips, dynamics, folder, mode="steady", interval=10):
    """Kinetic energy, work, balance and thermostat energy of the snapshots of a bridged run."""
    voltage = VoltageSettings(applied=8.0, mode=mode, update_interval=interval)
    folder.mkdir()
    chosen = Settings(dynamics=dynamics, voltage=voltage)
    simulation = Simulation(tips, chosen, folder=folder, seed=3)
    frames = simulation.run(checkpoints=folder)
    simulation.close()
    names = ("kinetic_energy", "bias_work", "energy_balance", "thermostat_energy", "connected")
    return [np.array([frame.info[name] for frame in frames]) for name in names]


def settings(temperature):
    return DynamicsSettings(
        temperature=temperature,
        time_step=1.0,
        equilibration_time=50.0,
        production_time=800.0,
        sampling_interval=100.0,
    )


@pytest.mark.validation
@pytest.mark.engine
@pytest.mark.parametrize(("mode", "interval"), [("steady", 10), ("steady", 50), ("relaxation", 10)])
def test_energy_less_work_is_conserved_while_the_potential_follows_the_atoms(
    small_tips_of, tmp_path, mode, interval
):
    """No thermostat, a bridge that carries current: the potential of its atoms keeps changing."""
    tips = small_tips_of(gap=3.4)
    mobile = tips.arrays["electrode"] == "mobile"
    tips.positions[mobile] += np.random.default_rng(2).normal(0, 0.15, (mobile.sum(), 3))
    kinetic, work, balance, thermostat, connected = balances(
        tips, settings(0.0), tmp_path / "engine", mode, interval
    )
    assert connected.all()
    assert (thermostat == 0.0).all()
    # the source charges the tips and then exchanges tenths of eV, as motion does
    assert work[1] > 10.0
    assert np.ptp(work[1:]) > 0.2
    assert np.ptp(kinetic[1:]) > 0.5
    assert np.ptp(balance[1:]) < 5e-3
    # units of LAMMPS' charge equilibration and of its energies differ by 0.2 %
    assert abs(balance[1] - balance[0]) < 2e-3 * work[1]


@pytest.mark.validation
@pytest.mark.engine
def test_what_the_balance_gains_is_what_the_thermostat_gives(small_tips_of, tmp_path):
    kinetic, work, balance, thermostat, connected = balances(
        small_tips_of(gap=3.4), settings(600.0), tmp_path / "engine"
    )
    assert connected.all()
    assert np.ptp(balance[1:]) > 0.5
    assert np.ptp((balance + thermostat)[1:]) < 5e-3
    assert work[-1] > 10.0
    assert kinetic.min() > 1.0


@pytest.mark.engine
def test_a_resumed_run_has_the_work_of_an_uninterrupted_one(small_tips_of, tmp_path):
    tips, dynamics = small_tips_of(gap=3.4), settings(600.0)
    whole = balances(tips, dynamics, tmp_path / "whole")
    voltage = VoltageSettings(applied=8.0, update_interval=10)
    folder = tmp_path / "again"
    folder.mkdir()
    chosen = Settings(dynamics=dynamics, voltage=voltage)
    again = Simulation(tips, chosen, folder=folder, seed=3)
    again.load(tmp_path / "whole" / "step-450")
    (frame,) = again.advance()
    again.close()
    assert frame.info["step"] == 550
    found = [frame.info[name] for name in ("kinetic_energy", "bias_work", "energy_balance")]
    assert found == [values[5] for values in whole[:3]]
