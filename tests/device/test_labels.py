"""Clusters of metal: whose they are, how large, how strong a bridge is."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nanogap.device.labels import bottleneck, electrodes, label_metal
from nanogap.device.lattice import (
    BRIDGED,
    FLOATING,
    ION,
    LOWER,
    METAL,
    NO_METAL,
    UPPER,
    build_lattice,
)
from nanogap.errors import StructureError
from tests.device.crystals import LATTICE_CONSTANT, chain, plates


def of_scipy(lattice, states, lower, upper):
    """Labels by connected components of a matrix."""
    metal = states == METAL
    start, direction = np.nonzero(lattice.neighbours >= 0)
    end = lattice.neighbours[start, direction]
    linked = metal[start] & metal[end]
    graph = coo_array(
        (np.ones(linked.sum()), (start[linked], end[linked])), shape=(len(metal),) * 2
    )
    component = connected_components(graph, directed=False)[1]
    of_lower = np.isin(component, component[lower & metal])
    of_upper = np.isin(component, component[upper & metal])
    bridged = np.isin(component, np.intersect1d(component[of_lower], component[of_upper]))
    conditions = [~metal, of_lower & bridged, of_lower, of_upper & bridged, of_upper]
    labels = np.select(conditions, [NO_METAL, BRIDGED, LOWER, BRIDGED, UPPER], FLOATING)
    return labels, component


@pytest.mark.parametrize("share", [0.02, 0.08, 0.15, 0.3])
def test_labels_are_those_of_connected_components(share):
    lattice, fixed, states = plates(layers=9, width=20.0)
    rng = np.random.default_rng(int(100 * share))
    states[(rng.random(len(states)) < share) & ~fixed] = METAL
    lower, upper = electrodes(lattice, fixed)
    clusters = label_metal(lattice, states, lower, upper)
    labels, component = of_scipy(lattice, states, lower, upper)
    np.testing.assert_array_equal(clusters.labels, labels)
    assert clusters.bridged == (labels == BRIDGED).any()
    floats = labels == FLOATING
    assert (clusters.floating[~floats] == -1).all()
    assert clusters.sizes.sum() == floats.sum()
    for number, size in enumerate(clusters.sizes):
        members = clusters.floating == number
        assert members.sum() == size
        assert len(np.unique(component[members])) == 1
    assert len(np.unique(component[floats])) == len(clusters.sizes)


def test_ions_are_no_metal():
    lattice, fixed, states = plates()
    states[chain(lattice, states)] = ION
    assert not label_metal(lattice, states, *electrodes(lattice, fixed)).bridged


def test_a_cluster_holds_together_across_the_box():
    lattice, fixed, states = plates()
    row = lattice.layer == 5
    states[row & (lattice.positions[:, 0] < 1.0)] = METAL
    states[row & (lattice.positions[:, 0] > lattice.cell[0] - 4.0)] = METAL
    clusters = label_metal(lattice, states, *electrodes(lattice, fixed))
    assert len(clusters.sizes) == 1


def test_the_bottleneck_of_one_and_of_two_chains():
    lattice, fixed, states = plates(width=22.0)
    lower, upper = electrodes(lattice, fixed)
    assert len(bottleneck(lattice, label_metal(lattice, states, lower, upper), lower, upper)) == 0
    first = chain(lattice, states)
    states[first] = METAL
    cut = bottleneck(lattice, label_metal(lattice, states, lower, upper), lower, upper)
    assert len(cut) == 1
    assert cut[0] in first
    for _ in range(3):  # a second chain, three bonds aside
        first = lattice.neighbours[first, 0]
    states[first] = METAL
    clusters = label_metal(lattice, states, lower, upper)
    cut = bottleneck(lattice, clusters, lower, upper)
    assert len(cut) == 2
    states[cut] = 0
    assert not label_metal(lattice, states, lower, upper).bridged


def test_an_electrode_without_fixed_sites_is_refused():
    lattice = build_lattice(LATTICE_CONSTANT, 12.0, 12.0, 8)
    with pytest.raises(StructureError, match="at least one fixed layer"):
        electrodes(lattice, lattice.layer == 0)
