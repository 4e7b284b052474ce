"""Temperature and resistance of straight wires against closed forms; energy of any wire."""

import numpy as np
import pytest

from nanogap.errors import EngineError
from nanogap.wire.conduction import ROOM, Conduction
from nanogap.wire.heat import HeatBalance
from nanogap.wire.mesh import uniform_mesh
from tests.wire.wires import (
    AMBIENT,
    LENGTH,
    LORENZ,
    RADIUS,
    RHO,
    cold,
    conduction,
    surroundings,
    uniform,
)

AREA = np.pi * RADIUS**2


def held(current):
    """Circuit that sets the current."""
    return lambda _ohms: current


def close(found, exact):
    """A thousandth of the highest rise, ten times closer than is asked for."""
    rise = found.temperature - AMBIENT
    np.testing.assert_allclose(rise, exact, rtol=0.0, atol=1e-3 * exact.max())


def test_a_suspended_wire_of_constant_resistivity_is_a_parabola():
    heat, squares, start = uniform(conduction())
    current = 3.5e-3
    found = heat.solve(squares, held(current), start)
    x = heat.mesh.centres
    exact = RHO * (current / AREA) ** 2 / (2.0 * 200.0) * x * (LENGTH - x)
    assert exact.max() > 300.0
    np.testing.assert_allclose(
        found.temperature - AMBIENT, exact, rtol=0.0, atol=1e-4 * exact.max()
    )
    assert found.resistance == pytest.approx(RHO * LENGTH / AREA, rel=1e-12)


def test_a_suspended_wire_whose_resistivity_rises_is_a_cosine():
    alpha, current = 3.8e-3, 2.5e-3
    heat, squares, start = uniform(conduction(alpha))
    found = heat.solve(squares, held(current), start)
    base = RHO * (1.0 + alpha * (AMBIENT - ROOM))
    slope = RHO * alpha
    beta = np.sqrt(slope / 200.0) * current / AREA
    middle = heat.mesh.centres - LENGTH / 2.0
    exact = base / slope * (np.cos(beta * middle) / np.cos(beta * LENGTH / 2.0) - 1.0)
    assert exact.max() > 200.0
    np.testing.assert_allclose(
        found.temperature - AMBIENT, exact, rtol=0.0, atol=1e-3 * exact.max()
    )
    ohms = base * np.tan(beta * LENGTH / 2.0) / (beta * LENGTH / 2.0) * LENGTH / AREA
    assert found.resistance == pytest.approx(ohms, rel=1e-3)


@pytest.mark.parametrize("substrate", [0.1, 1.0, 10.0])
def test_a_wire_on_a_substrate_is_a_hyperbolic_cosine(substrate):
    heat, squares, start = uniform(conduction(), surroundings(substrate=substrate))
    current = 3e-3
    found = heat.solve(squares, held(current), start)
    decay = np.sqrt(200.0 * AREA / substrate)
    middle = heat.mesh.centres - LENGTH / 2.0
    full = RHO * current**2 / (AREA * substrate)
    exact = full * (1.0 - np.cosh(middle / decay) / np.cosh(LENGTH / 2.0 / decay))
    np.testing.assert_allclose(
        found.temperature - AMBIENT, exact, rtol=0.0, atol=1e-3 * exact.max()
    )


@pytest.mark.parametrize("voltage", [0.05, 0.2, 0.4])
def test_a_suspended_wire_of_wiedemann_and_franz_is_as_hot_as_its_voltage_says(voltage):
    """T_max^2 = T_0^2 + V^2/4L whatever shape and resistivity (Kohlrausch)."""
    mesh = uniform_mesh(LENGTH, LENGTH / 801)
    squares = (RADIUS * (1.0 + 0.5 * np.cos(6.0 * np.pi * mesh.centres / LENGTH))) ** 2
    heat = HeatBalance(mesh, conduction(3.8e-3, None), surroundings())
    found = heat.solve(squares, lambda ohms: voltage / ohms, cold(len(squares)))
    exact = np.sqrt(AMBIENT**2 + voltage**2 / (4.0 * LORENZ))
    assert found.temperature.max() == pytest.approx(exact, rel=1e-3)


def test_resistance_where_resistivity_is_in_proportion_to_the_temperature():
    """rho = c T with kappa = L T/rho: I = (A/cl) 2 sqrt(L) atan(V/(2 sqrt(L) T_0))."""
    heat, squares, start = uniform(Conduction(RHO, 1.0 / ROOM, 0.0, 1.0, np.inf, 0.0, LORENZ, None))
    voltage = 0.25
    found = heat.solve(squares, lambda ohms: voltage / ohms, start)
    root = np.sqrt(LORENZ)
    current = (
        AREA * ROOM / (RHO * LENGTH) * 2.0 * root * np.arctan(voltage / (2.0 * root * AMBIENT))
    )
    assert found.current == pytest.approx(current, rel=1e-3)
    assert found.resistance == pytest.approx(voltage / current, rel=1e-3)


def test_all_the_heat_of_wire_and_contacts_goes_somewhere():
    around = surroundings(
        substrate=0.5, contact_resistance=80.0, contact_thermal_resistance=3e4, contact_heat=0.5
    )
    mesh = uniform_mesh(LENGTH, LENGTH / 300)
    squares = (RADIUS * (1.0 + 0.2 * np.sin(31.0 * mesh.centres / LENGTH))) ** 2
    real = Conduction(1.59e-8, 3.8e-3, 8.46e-16, 0.5, 5e-7, 0.3, LORENZ, None)
    heat = HeatBalance(mesh, real, around)
    found = heat.solve(squares, lambda ohms: 1.0 / (ohms + 160.0), cold(len(squares)))
    current, temperature = found.current, found.temperature
    assert current == pytest.approx(1.0 / (found.resistance + 160.0), rel=1e-8)
    made = current**2 * found.resistance
    lost = (0.5 * mesh.widths * (temperature - AMBIENT)).sum()
    through = heat.flows(temperature, current, squares)
    assert lost + through[-1] - through[0] == pytest.approx(made, rel=1e-8)
    assert temperature.max() > 350.0
    # what a contact makes at the wire's end goes into the pad, with what the wire gives or takes
    pad = AMBIENT + 3e4 * (0.5 * current**2 * 80.0 + through[-1])
    flow = (temperature[-1] - pad) * 2.0 * np.pi * squares[-1] / mesh.widths[-1]
    kappa = real.kappa(temperature, 2.0 * np.sqrt(squares))[-1]
    assert kappa * flow == pytest.approx(through[-1], rel=1e-6)


def test_shape_sensitivity_is_that_of_the_solutions():
    around = surroundings(substrate=0.3, contact_thermal_resistance=2e4, contact_heat=0.5,
                          contact_resistance=50.0)  # fmt: skip
    heat, squares, start = uniform(conduction(3.8e-3, None), around, cells=40)
    squares = squares * (1.0 + 0.3 * np.sin(np.arange(40.0)))

    def circuit(ohms):
        return 0.6 / (ohms + 100.0)

    found = heat.solve(squares, circuit, start)
    told = heat.sensitivity(found, squares, circuit)
    for place in (0, 17, 39):
        moved = squares.copy()
        moved[place] *= 1.0 + 1e-5
        other = heat.solve(moved, circuit, found)
        step = moved[place] - squares[place]
        slope = (other.temperature - found.temperature) / step
        scale = np.abs(told.temperature[:, place]).max()
        np.testing.assert_allclose(told.temperature[:, place], slope, rtol=0.0, atol=1e-3 * scale)
        change = (other.current - found.current) / step
        assert told.current[place] == pytest.approx(change, rel=1e-3)


def test_size_and_grains_raise_the_resistivity_as_their_laws_say():
    warm = np.array([ROOM])
    thin = Conduction(1.59e-8, 3.8e-3, 8.46e-16, 0.0, np.inf, 0.0, LORENZ, None)
    # Dingle's limit of thick wires: 1 + (3/4)(1 - p) lambda/d
    free_path = 8.46e-16 / 1.59e-8
    ratio = thin.rho(warm, np.array([200e-9]))[0] / 1.59e-8
    assert ratio == pytest.approx(1.0 + 0.75 * free_path / 200e-9)
    # Mayadas and Shatzkes, table of their limit: 1 + (3/2) a for small a
    grains = Conduction(1.59e-8, 3.8e-3, 8.46e-16, 1.0, 1e-4, 0.3, LORENZ, None)
    small = free_path / 1e-4 * 0.3 / 0.7
    assert grains.rho(warm, np.array([1e-3]))[0] / 1.59e-8 == pytest.approx(
        1 + 1.5 * small, rel=1e-6
    )
    # and (4/3) a for large a
    large = Conduction(1.59e-8, 3.8e-3, 8.46e-16, 1.0, 1e-10, 0.5, LORENZ, None)
    assert large.rho(warm, np.array([1e-3]))[0] / 1.59e-8 == pytest.approx(
        4.0 / 3.0 * free_path / 1e-10, rel=0.01
    )


def test_a_current_that_heats_without_bound_is_refused():
    heat, squares, start = uniform(conduction(3.8e-3))
    with pytest.raises(EngineError, match="temperature of the wire does not converge"):
        heat.solve(squares, held(0.05), start)
