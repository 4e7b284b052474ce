from itertools import pairwise

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.dynamics.electrochemistry import (
    MetalNetwork,
    bond_weight,
    lattice_normalisation,
    reference_bond,
)

A, CUTOFF = 4.216, 4.0


def wire(cells=(4, 4, 16)):
    """A silver wire along z whose first and last layers of atoms are the electrodes."""
    atoms = bulk("Ag", a=A, cubic=True) * cells
    z = atoms.positions[:, 2]
    labels = np.full(len(atoms), "mobile")
    labels[z < A / 4] = "bottom"
    labels[z > z.max() - A / 4] = "top"
    return atoms.positions, labels


def diffusion_constant(network, positions, mobility):
    """Of a wire whose potential depends on z alone: mobility times the mean of w z^2/r^2 / 2."""
    graph = -network.laplacian.tocoo()
    dz = positions[graph.coords[0], 2] - positions[graph.coords[1], 2]
    middle = np.abs(positions[graph.coords[0], 2] - positions[:, 2].mean()) < 2 * A
    layer_atoms = np.unique(graph.coords[0][middle]).size
    return mobility * (graph.data * dz**2)[middle].sum() / 2 / layer_atoms


def fourier(z, length, time, diffusion, voltage):
    """Diffusion from 0 with -V/2 and +V/2 held at the ends (Carslaw & Jaeger, 3.4)."""
    x = z / length
    result = voltage * (x - 0.5)
    for n in range(1, 200):
        amplitude = voltage * (1 + (-1) ** n) / (n * np.pi)
        decay = np.exp(-diffusion * (n * np.pi / length) ** 2 * time)
        result = result + amplitude * np.sin(n * np.pi * x) * decay
    return result


@pytest.mark.validation
@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.1, 0.2, 0.5])
def test_relaxation_along_a_wire_is_the_fourier_series(fraction):
    positions, labels = wire()
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    mobility = 6.0 / lattice_normalisation(A, CUTOFF)
    diffusion = diffusion_constant(network, positions, mobility)
    z = positions[:, 2]
    length = np.ptp(z)
    time = fraction * length**2 / diffusion
    potential = network.relax(
        np.zeros(len(z)), 8.0, time=time, steps=10 * int(time), mobility=mobility
    )
    expected = fourier(z, length, time, diffusion, 8.0)
    # the profile over z, as the surface atoms of a layer differ slightly from the inner ones
    layers = np.round(z / (A / 2)).astype(int)
    profile = np.bincount(layers, potential) / np.bincount(layers)
    reference = np.bincount(layers, expected) / np.bincount(layers)
    assert np.abs(profile - reference).max() < 0.05 * 4.0


@pytest.mark.validation
def test_bulk_normalisation_makes_k_the_diffusion_constant():
    positions, labels = wire((6, 6, 10))
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    inner = np.all(np.abs(positions - positions.mean(axis=0)) < 6.0, axis=1)
    curvature = network.laplacian @ (positions[:, 2] ** 2) / lattice_normalisation(A, CUTOFF)
    # the Laplacian of z^2 is 2; a graph Laplacian is its negative
    assert -curvature[inner] == pytest.approx(2.0)


@pytest.mark.validation
def test_steady_potential_along_a_wire_is_a_straight_line():
    positions, labels = wire()
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    potential = network.steady(np.zeros(len(positions)), 8.0)
    z = positions[:, 2]
    line = 8.0 * ((z - z.min()) / np.ptp(z) - 0.5)
    assert np.abs(potential - line).max() < 1e-3 * 8.0


def test_steady_is_the_limit_of_relaxation():
    rng = np.random.default_rng(5)
    positions, labels = wire((2, 2, 5))
    positions = positions + rng.normal(0, 0.1, positions.shape)
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    steady = network.steady(np.zeros(len(positions)), 2.0)
    relaxed = network.relax(np.zeros(len(positions)), 2.0, time=2000, steps=20000, mobility=9.5)
    assert relaxed == pytest.approx(steady, abs=1e-6)


def test_conductance_of_one_chain_is_bonds_in_series():
    bond = A / np.sqrt(2)
    n = 5
    positions = np.array([(0, 0, i * bond) for i in range(n)])
    labels = np.array(["bottom", *["mobile"] * (n - 2), "top"])
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    assert network.connected
    assert network.conductance() / reference_bond(A, CUTOFF) == pytest.approx(1 / (n - 1))


def test_an_open_gap_conducts_nothing_and_each_side_takes_its_base():
    positions, labels = wire((2, 2, 8))
    z = positions[:, 2]
    keep = np.abs(z - z.mean()) > 3.0
    positions, labels, z = positions[keep], labels[keep], z[keep]
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    potential = network.steady(np.zeros(len(z)), 3.0)
    assert not network.connected
    assert network.conductance() == 0.0
    assert potential[z < z.mean()] == pytest.approx(-1.5)
    assert potential[z > z.mean()] == pytest.approx(1.5)


def test_an_atom_in_no_cluster_keeps_its_potential():
    positions, labels = wire((2, 2, 4))
    positions = np.vstack([positions, [100.0, 100.0, 100.0]])
    labels = np.append(labels, "mobile")
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    start = np.zeros(len(positions))
    start[-1] = 0.7
    assert network.steady(start, 5.0)[-1] == 0.7
    assert network.relax(start, 5.0, time=10, steps=10, mobility=9.5)[-1] == 0.7


def shaken_wire(seed, cells=(2, 2, 4), size=0.3):
    positions, labels = wire(cells)
    return positions + np.random.default_rng(seed).normal(0, size, positions.shape), labels


def test_a_cluster_without_a_base_comes_to_its_mean():
    """Two atoms that broke off together share what they carried, as diffusion makes them."""
    positions, labels = wire((2, 2, 4))
    pair = [[100.0, 100.0, 100.0], [100.0, 100.0, 102.9]]
    positions, labels = np.vstack([positions, pair]), np.append(labels, ["mobile", "mobile"])
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    start = np.zeros(len(positions))
    start[-2:] = 0.2, 0.8
    steady = network.steady(start, 5.0)
    relaxed = network.relax(start, 5.0, time=500, steps=10, mobility=9.5)
    assert steady[-2:] == pytest.approx(0.5)
    assert relaxed == pytest.approx(steady, abs=1e-6)


def test_an_atom_that_comes_back_takes_the_potential_of_where_it_lands():
    """It leaves the positive tip, keeps its potential on the way, and lands on the other."""
    bond = A / np.sqrt(2)
    labels = np.array(["bottom", "mobile", "mobile", "mobile", "top"])
    chains = {
        "attached": [0.0, 1.0, 8.0, 9.0, 10.0],
        "away": [0.0, 1.0, 5.0, 9.0, 10.0],
        "landed": [0.0, 1.0, 2.0, 9.0, 10.0],
    }
    networks = {
        name: MetalNetwork.from_positions(
            np.array([(0.0, 0.0, z * bond) for z in heights]), labels, CUTOFF
        )
        for name, heights in chains.items()
    }
    attached = networks["attached"].steady(np.zeros(5), 8.0)
    assert attached[2] == pytest.approx(4.0)
    away = networks["away"].steady(attached, 8.0)
    assert away[2] == attached[2]
    assert networks["away"].relax(attached, 8.0, time=50, steps=1, mobility=9.5)[2] == attached[2]
    assert networks["landed"].steady(away, 8.0)[2] == pytest.approx(-4.0)
    # in time, it relaxes: from its old potential to the new one, never beyond either
    path = [away]
    for _ in range(120):
        path.append(networks["landed"].relax(path[-1], 8.0, time=1, steps=1, mobility=9.5))
    values = np.array(path)[:, 2]
    assert (np.diff(values) < 0.0).all()
    assert values[1] > 0.0
    assert values[-1] == pytest.approx(-4.0, abs=0.01)


def ring(upper, lower):
    """Two bases joined by two arcs of so many atoms: pairs, distances, labels."""
    top = upper + lower + 1
    arcs = [range(1, upper + 1), range(upper + 1, top)]
    pairs = [pair for arc in arcs for pair in pairwise([0, *arc, top])]
    labels = np.array(["bottom", *["mobile"] * (upper + lower), "top"])
    return np.array(pairs), np.full(len(pairs), A / np.sqrt(2)), labels


@given(upper=st.integers(1, 8), lower=st.integers(1, 8))
def test_metal_that_forms_a_loop_conducts_as_resistors_in_parallel(upper, lower):
    network = MetalNetwork.from_pairs(*ring(upper, lower), CUTOFF)
    bonds = network.conductance() / reference_bond(A, CUTOFF)
    assert bonds == pytest.approx(1 / (upper + 1) + 1 / (lower + 1))
    potential = network.steady(np.zeros(len(network.labels)), 2.0)
    # along either arc the potential falls evenly
    for arc in (np.arange(1, upper + 1), np.arange(upper + 1, upper + lower + 1)):
        expected = -1.0 + 2.0 * np.arange(1, len(arc) + 1) / (len(arc) + 1)
        # the solver promises 1e-10 of the fluxes; in the middle 0 V is expected
        assert potential[arc] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_loop_that_hangs_aside_carries_no_current():
    """A closed ring that touches the chain at one atom has that atom's potential throughout."""
    labels = np.array(["bottom", "mobile", "top", *["mobile"] * 5])
    pairs = np.array([(0, 1), (1, 2), *pairwise([1, 3, 4, 5, 6, 7, 1])])
    distances = np.full(len(pairs), A / np.sqrt(2))
    network = MetalNetwork.from_pairs(pairs, distances, labels, CUTOFF)
    potential = network.steady(np.zeros(8), 4.0)
    assert potential[[1, 3, 4, 5, 6, 7]] == pytest.approx(0.0, abs=1e-9)
    assert network.conductance() / reference_bond(A, CUTOFF) == pytest.approx(0.5)


@settings(max_examples=25, deadline=None)
@given(voltage=st.floats(-10, 10), seed=st.integers(0, 1000))
def test_what_flows_in_at_the_top_flows_out_at_the_bottom(voltage, seed):
    network = MetalNetwork.from_positions(*shaken_wire(seed), CUTOFF)
    potential = network.steady(np.zeros(len(network.labels)), voltage)
    top, bottom = network.base_fluxes(potential)
    assert top == pytest.approx(bottom, abs=1e-7, rel=1e-7)
    assert top == pytest.approx(voltage * network.conductance(), abs=1e-7, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    voltage=st.floats(-10, 10),
    seed=st.integers(0, 1000),
    before=st.floats(0, 100),
    mobility=st.floats(0.1, 20),
)
def test_the_sum_of_the_potential_grows_by_what_flows_in(voltage, seed, before, mobility):
    """Conservation: over a step too short to overshoot, sum(phi) grows by in less out."""
    network = MetalNetwork.from_positions(*shaken_wire(seed), CUTOFF)
    start = np.random.default_rng(seed).normal(0, 1, len(network.labels))
    start = network.relax(start, voltage, time=before, steps=1, mobility=mobility)
    fastest = mobility * network.laplacian.diagonal().max()
    time = 0.25 / fastest
    end = network.relax(start, voltage, time=time, steps=1, mobility=mobility)
    free = ~(network.bottom | network.top)
    top, bottom = network.base_fluxes(start)
    grown = (end - start)[free].sum()
    assert grown == pytest.approx(mobility * time * (top - bottom), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    voltage=st.floats(-10, 10),
    seed=st.integers(0, 1000),
    steps=st.integers(1, 50),
    time=st.floats(0, 100),
)
def test_potential_stays_between_the_bases(voltage, seed, steps, time):
    """The maximum principle, for both modes, whatever the sub-steps asked for."""
    rng = np.random.default_rng(seed)
    positions, labels = wire((2, 2, 4))
    positions = positions + rng.normal(0, 0.3, positions.shape)
    network = MetalNetwork.from_positions(positions, labels, CUTOFF)
    for potential in (
        network.steady(np.zeros(len(positions)), voltage),
        network.relax(np.zeros(len(positions)), voltage, time=time, steps=steps, mobility=9.5),
    ):
        assert np.abs(potential).max() <= abs(voltage) / 2 + 1e-6


def test_weight_is_the_published_one():
    assert bond_weight(0.0, 4.0) == 1.0
    assert bond_weight(2.0, 4.0) == pytest.approx((1 - 0.25) ** 2)
    assert bond_weight(4.0, 4.0) == 0.0
    assert bond_weight(5.0, 4.0) == 0.0


def test_pieces_without_a_base_have_numbers_of_their_own():
    positions = np.array([[0.0, 0, 0], [2.9, 0, 0], [20.0, 0, 0], [40.0, 0, 0], [42.9, 0, 0]])
    electrode = np.array(["bottom", "mobile", "mobile", "mobile", "mobile"])
    network = MetalNetwork.from_positions(positions, electrode, 4.0)
    np.testing.assert_array_equal(network.pieces, [0, 0, 1, 2, 2])
