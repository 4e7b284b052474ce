"""Which structures figures number: a rewiring, its contacts, a fluctuation."""

import numpy as np
import xarray as xr

from nanogap.analysis.filament.structures import (
    fluctuation_points,
    growth_structures,
    single_atom_contacts,
)


def observed(bottleneck, distance=None):
    count = len(bottleneck)
    bottleneck = np.array(bottleneck)
    return xr.Dataset(
        {
            "time": ("snapshot", 100.0 * np.arange(count)),
            "connected": ("snapshot", bottleneck > 0),
            "bottleneck_atoms": ("snapshot", bottleneck),
            "tip_distance": ("snapshot", np.full(count, 6.0) if distance is None else distance),
        },
        coords={"snapshot": np.arange(count)},
    )


def all_of(values):
    return np.ones(len(values), dtype=bool)


def test_a_rewiring_has_two_open_structures_the_contact_and_three_of_growth():
    t = np.array([0.01, 0.02, 0.05, 0.3, 0.6, 0.9, 0.95, 1.5, 1.9, 2.95, 3.9, 3.0])
    atoms = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 3]
    # 3 is open, but T has begun to rise; 5 has the median T of the single atom
    assert growth_structures(observed(atoms), t, all_of(t)) == [0, 2, 5, 8, 9, 10]


def test_snapshots_without_atoms_or_transmission_are_not_chosen():
    t = np.array([np.nan, 0.02, 0.05, 0.9, 1.9, 3.0])
    usable = np.array([False, True, True, True, False, True])
    assert growth_structures(observed([0, 0, 0, 1, 2, 3]), t, usable) == [1, 2, 3, 5]


def test_a_filament_that_does_not_grow_ends_with_its_contact():
    t = np.array([0.01, 0.02, 0.9, 0.95, 0.85])
    assert growth_structures(observed([0, 0, 1, 1, 1]), t, all_of(t)) == [0, 1, 2]
    assert growth_structures(observed([0, 1]), t[[0, 2]], all_of(t[:2])) == [0, 1]


def test_an_open_gap_shows_its_start_and_where_it_is_narrowest():
    t = np.array([0.01, 0.01, 0.04, 0.01])
    open_gap = observed([0, 0, 0, 0], [7.0, 6.5, 5.0, 6.0])
    assert growth_structures(open_gap, t, all_of(t)) == [0, 2]
    assert growth_structures(open_gap, t, np.zeros(4, dtype=bool)) == []


def test_tips_that_touch_from_the_beginning_have_no_open_structure():
    t = np.array([0.9, 2.0, 3.0])
    assert growth_structures(observed([1, 2, 3]), t, all_of(t)) == [0, 1, 2]


def test_every_bridge_has_one_single_atom_contact():
    #        open    bridge 1    open  bridge 2, never one atom   open  bridge 3
    atoms = [0, 0, *(1, 1, 1, 2), 0, *(2, 3), 0, *(3, 1, 1)]
    t = np.array([0, 0, 0.7, 0.9, 1.0, 2, 0, 2, 3, 0, 3, 1.1, 0.8])
    assert single_atom_contacts(observed(atoms), t, all_of(t)) == [3, 12]
    assert single_atom_contacts(observed([0, 0, 2]), t[:3], all_of(t[:3])) == []


def test_points_of_a_fluctuation_are_the_farthest_from_the_mean_in_each_part():
    t = np.array([2.5, 2.6, 2.5, 2.1, 2.5, 2.9, np.nan, 2.5])
    assert fluctuation_points(t, all_of(t)) == [1, 3, 5, 7]
    assert fluctuation_points(t[:2], all_of(t[:2])) == [0, 1]
    assert fluctuation_points(np.array([np.nan]), np.ones(1, dtype=bool)) == []
