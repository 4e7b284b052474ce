import numpy as np
import pytest
from ase import Atoms
from tests.transport.junctions import chain, disordered, slab_junction

from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.local import compute_local
from nanogap.transport.tight_binding.bands import band_energies


def net_currents(junction, result):
    """What flows into every atom of the junction, less what flows out."""
    net = np.zeros(len(junction) + 1)  # the last place collects the further repeats of the leads
    np.add.at(net, result["bond_second"].to_numpy(), result["bond_current"].to_numpy())
    np.add.at(net, result["bond_first"].to_numpy(), -result["bond_current"].to_numpy())
    return net[:-1]


@pytest.mark.parametrize("seed", range(3))
def test_current_is_conserved_and_adds_up_to_the_transmission(seed):
    junction = disordered(seed)
    result = compute_local(junction, kpoints=(2, 1))
    expected = compute_transmission([junction], kpoints=(2, 1))["transmission_average"].item()
    assert result["transmission"].item() == pytest.approx(expected, abs=1e-9)
    channel = junction.arrays["region"] == "channel"
    assert np.abs(net_currents(junction, result)[channel]).max() < 1e-9
    heights = np.sort(junction.positions[channel, 2])
    start = result["bond_first"].to_numpy()
    known = start >= 0
    vector = result["bond_vector"].to_numpy()[:, 2]
    for cut in (heights[len(heights) // 3] + 0.011, heights[len(heights) // 2] + 0.013):
        below = np.where(known, junction.positions[start, 2], np.nan)
        end = result["bond_second"].to_numpy()
        below = np.where(known, below, junction.positions[end, 2] - vector)
        crossing = np.sign(below + vector - cut) - np.sign(below - cut)
        through = (result["bond_current"].to_numpy() * crossing / 2.0).sum()
        assert through == pytest.approx(expected, abs=1e-9)


@pytest.mark.validation
def test_the_density_of_states_of_a_chain_is_that_of_its_band():
    distance = 2.9
    result = compute_local(chain(distance, n_channel=8))
    level = compute_transmission([chain(distance)])["fermi_energy"].item()
    crystal = Atoms("Ag", cell=[20.0, 20.0, distance], pbc=(False, False, True))
    k = np.linspace(0.0, 0.5, 2001)
    found = 0.0
    for band in band_energies(crystal, np.column_stack([np.zeros((len(k), 2)), k])).T:
        # one state for each spin and 1/N of the zone; k and -k
        crosses = np.flatnonzero(np.diff(band > level))
        found += sum(2.0 * 2.0 / abs(np.gradient(band, k)[n]) for n in crosses)
    np.testing.assert_allclose(result["local_density"], found, rtol=2e-3)


def test_an_open_gap_carries_no_current_but_has_states():
    apart = slab_junction(1)
    upper = apart.positions[:, 2] > apart.positions[:, 2].mean()
    apart.positions[upper, 2] += 20.0
    result = compute_local(apart, kpoints=(2, 2))
    assert np.abs(result["bond_current"]).max() < 1e-9
    assert result["local_density"].min() > 0.01
    assert result.sizes["atom"] == 6


def test_equal_atoms_have_equal_densities():
    result = compute_local(slab_junction(2), kpoints=(2, 2))
    density = result["local_density"].to_numpy()
    np.testing.assert_allclose(density, density[0], rtol=1e-7)
