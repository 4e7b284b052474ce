"""Charges of atoms, and the shifts of levels that make them neutral."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import chain, disordered, mirrored, slab_junction, tips

from nanogap.errors import SettingsError, StructureError
from nanogap.transport.backends import get_backend
from nanogap.transport.negf import neutrality
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.neutrality import neutral_junction
from nanogap.transport.tight_binding.bands import band_energies, bulk_fermi_energy, populations
from nanogap.transport.tight_binding.files import load_model

MODEL = load_model()
ONE = np.ones(1)
GAMMA = np.zeros((1, 3))


def cluster(seed, n=5):
    rng = np.random.default_rng(seed)
    return Atoms(
        f"Ag{n}",
        positions=2.9 * np.arange(n)[:, None] * [0.9, 0.4, 0.1] + rng.normal(0.0, 0.1, (n, 3)),
    )


def transmission(junction, **options):
    dataset = compute_transmission([junction], kpoints=(2, 2), **options)
    return dataset["transmission_average"].item()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_electrons_of_the_atoms_are_those_in_the_bands(seed):
    atoms, level = cluster(seed), -0.3
    energies = band_energies(atoms, GAMMA)[0]
    filled = 2.0 / (1.0 + np.exp((energies - level) / 0.1))
    found = populations(atoms, GAMMA, ONE, level, model=MODEL)
    assert found.sum() == pytest.approx(filled.sum(), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-2.0, 2.0))
def test_a_common_shift_moves_the_level_only(seed, shift):
    atoms = cluster(seed)
    expected = populations(atoms, GAMMA, ONE, 0.0, model=MODEL)
    found = populations(atoms, GAMMA, ONE, shift, model=MODEL, shifts=np.full(len(atoms), shift))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_an_atom_of_the_crystal_has_its_eleven_electrons():
    points = (np.indices((12, 12, 12)).reshape(3, -1).T + 0.5) / 12.0
    weights = np.full(len(points), 1.0 / len(points))
    level = bulk_fermi_energy(4.09)
    found = populations(bulk("Ag", "fcc", a=4.09), points, weights, level, model=MODEL)
    assert found == pytest.approx(11.0, abs=0.01)


def test_raised_levels_lose_electrons():
    atoms = cluster(1)
    shifts = np.array([0.0, 0.0, 0.5, 0.0, 0.0])
    raised = populations(atoms, GAMMA, ONE, 0.0, model=MODEL, shifts=shifts)
    change = raised - populations(atoms, GAMMA, ONE, 0.0, model=MODEL)
    assert change[2] < -0.02
    assert change[2] == change.min()


#: A plane alone between two surfaces.
LOOSE = slab_junction(1, extra=[(0.0, 0.0, 0.0)], channel_layers=0, gap_layers=2)


def test_self_consistent_shifts_leave_no_charge():
    junction = LOOSE
    neutral = neutral_junction(junction, tolerance=0.002)
    shifts = neutral.arrays["onsite_shift"]
    assert np.abs(shifts).max() > 0.02
    # the charges anew, with more of the leads and other wave vectors
    longer, unit = neutral.copy(), 0
    for side, sign in (("left", -1), ("right", 1)):
        for number in (1, 2):
            repeat = neutral[neutral.arrays["region"] == side]
            repeat.positions[:, 2] += sign * number * neutral.info[f"{side}_period"]
            longer += repeat
            unit += len(repeat)
    points = np.array([((i + 0.5) / 7, (j + 0.5) / 7, 0) for i in range(7) for j in range(7)])
    level = compute_transmission([junction], kpoints=(1, 1))["fermi_energy"].item()
    weights = np.full(49, 1 / 49)
    inside = np.flatnonzero(np.abs(shifts) > 0)
    charged = populations(longer, points, weights, level, model=MODEL)[inside] - 11.0
    left = (
        populations(
            longer, points, weights, level, model=MODEL, shifts=np.append(shifts, np.zeros(unit))
        )[inside]
        - 11.0
    )
    most = 0.012
    assert np.abs(left).max() < most
    assert np.abs(charged).max() > 2.0 * most


def test_a_mirrored_junction_has_mirrored_shifts():
    neutral, other = neutral_junction(LOOSE), neutral_junction(mirrored(LOOSE))
    shifts = [
        part.arrays["onsite_shift"][np.argsort(part.positions[:, 2])] for part in (neutral, other)
    ]
    np.testing.assert_allclose(shifts[0], shifts[1][::-1], atol=1e-6)
    assert np.abs(shifts[0]).max() > 0.02


@pytest.mark.parametrize("method", ["coordination", "self-consistent"])
def test_a_perfect_crystal_needs_no_shifts(method):
    junction = slab_junction(1)
    neutral = neutral_junction(junction, method)
    assert not neutral.arrays["onsite_shift"].any()
    assert transmission(neutral) == pytest.approx(transmission(junction), abs=1e-9)


def test_an_endless_wire_is_neutral_already():
    assert transmission(chain(2.9), neutrality="self-consistent") == pytest.approx(1.0, abs=1e-3)


def test_shifts_by_coordination_follow_the_table_and_the_exposure():
    neutral = neutral_junction(slab_junction(1, channel_layers=0, gap_layers=2), "coordination")
    order = np.argsort(neutral.positions[:, 2])
    # three planes of each lead, the last of which has nine neighbours, and the leads anew
    values = neutral.arrays["onsite_shift"][order]
    surface = values[np.abs(values) > 1e-12]
    np.testing.assert_allclose(surface, MODEL.neutral_shifts(np.full(2, 9.0)), atol=1e-3)


@pytest.mark.parametrize("model", [MODEL, replace(MODEL, vacuum=None)])
def test_all_tight_binding_backends_read_the_shifts(model):
    junction = disordered(5, width=1, size=2)
    rng = np.random.default_rng(2)
    channel = junction.arrays["region"] == "channel"
    junction.new_array("onsite_shift", np.where(channel, rng.normal(0.0, 0.3, len(channel)), 0.0))
    plain = junction.copy()
    plain.set_array("onsite_shift", None)
    results = [
        get_backend(name)
        .compute_transmission([part], kpoints=(2, 2), model=model)["transmission"]
        .to_numpy()
        for name, part in (("tight-binding", junction), ("dense", junction), ("dense", plain))
    ]
    np.testing.assert_allclose(results[0], results[1], atol=1e-9)
    assert np.abs(results[1] - results[2]).max() > 1e-3 * results[1].max()


def test_without_neutrality_the_junction_is_not_touched():
    junction = chain(2.9)
    assert neutral_junction(junction, "none") is junction


def test_what_cannot_be_made_neutral_is_refused(monkeypatch):
    junction = slab_junction(1, channel_layers=0, gap_layers=1)
    with pytest.raises(SettingsError, match="choose none, coordination, self-consistent"):
        neutral_junction(junction, "magic")
    with pytest.raises(SettingsError, match="which atoms face vacuum"):
        neutral_junction(junction, model=replace(MODEL, vacuum=None))
    with pytest.raises(SettingsError, match="no shifts by coordination"):
        neutral_junction(
            junction, "coordination", model=replace(MODEL, neutrality=np.zeros((2, 0)))
        )
    with pytest.raises(StructureError, match="snapshot 7: self-consistent neutrality of"):
        neutral_junction(slab_junction(7), name="snapshot 7")
    monkeypatch.setattr(neutrality, "_MOST_STEPS", 1)
    with pytest.raises(StructureError, match="the neutral state was not found"):
        neutral_junction(LOOSE, tolerance=1e-14)


@pytest.mark.parametrize(
    ("shifts", "fault"),
    [
        ([0.1, 0.0, 0.0, 0.0, 0.0], "must be 0 for atoms of the leads"),
        ([0.0, 0.0, np.nan, 0.0, 0.0], "one finite number"),
        ([[0.0, 0.0]] * 5, "one finite number"),
    ],
)
def test_malformed_shifts_are_refused(shifts, fault):
    junction = chain(2.9)
    junction.new_array("onsite_shift", np.array(shifts))
    with pytest.raises(StructureError, match=fault):
        transmission(junction)


# Trial values of another Hamiltonian and an unpublished geometry: two tips of 3-2-1 atoms a side
# on planes of 3 x 3; 1.01, 0.80, 2.50.
@pytest.mark.parametrize(
    ("shared", "inverted", "expected"),
    [("atom", True, 1.01), ("atom", False, 1.01), ("none", True, 0.80)],
)
def test_single_atom_contacts_of_sharp_tips_conduct_about_one_quantum(shared, inverted, expected):
    junction = tips((3, 2, 1), shared=shared == "atom", inverted=inverted)
    dataset = compute_transmission([junction], kpoints=(6, 6))
    assert dataset["transmission_average"].item() == pytest.approx(expected, abs=0.1)


def test_a_neck_of_three_atoms_conducts_by_its_stacking():
    found = [
        compute_transmission([tips((3, 2), shared=False, inverted=inverted)], kpoints=(4, 4))
        for inverted in (False, True)
    ]
    prism, octahedron = (dataset["transmission_average"].item() for dataset in found)
    assert 2.2 < prism < 2.5 < octahedron < 2.9
