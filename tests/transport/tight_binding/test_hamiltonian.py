import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh, eigvalsh
from scipy.spatial.transform import Rotation

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.tips import nearest_neighbour_distance
from nanogap.transport.fitting.bloch_sums import BlochSums
from nanogap.transport.fitting.metal_size import lattice_constant
from nanogap.transport.fitting.overlap_guards import crowded_clusters
from nanogap.transport.fitting.parameters import pack, unpack
from nanogap.transport.fitting.reference_bands import packaged_references
from nanogap.transport.fitting.residuals import residuals, solve_bands
from nanogap.transport.tight_binding import matrices as matrices_module
from nanogap.transport.tight_binding.bands import band_energies, bulk_fermi_energy, fermi_energy
from nanogap.transport.tight_binding.files import load_model, packaged_elements
from nanogap.transport.tight_binding.matrices import real_space_matrices
from nanogap.transport.tight_binding.neighbours import find_neighbours

SEEDS = st.integers(0, 2**32 - 1)


def cluster(seed, size=6, least=2.5):
    """A random cluster without bonds below ``least``."""
    rng = np.random.default_rng(seed)
    points = np.zeros((1, 3))
    while len(points) < size:
        new = points[rng.integers(len(points))] + rng.uniform(-4.0, 4.0, 3)
        if np.linalg.norm(points - new, axis=1).min() >= least:
            points = np.vstack([points, new])
    return Atoms(f"Ag{size}", positions=points)


def levels(atoms):
    return band_energies(atoms, [[0.0, 0.0, 0.0]])[0]


def references():
    """First-principles bands of two codes: GPAW, and Quantum ESPRESSO."""
    return {r.name: r for r in packaged_references("Ag")}


@given(SEEDS)
@settings(deadline=None, max_examples=25)
def test_levels_do_not_depend_on_place_direction_or_numbering(seed):
    rng = np.random.default_rng(seed)
    atoms = cluster(seed)
    moved = atoms.copy()
    turn = Rotation.random(random_state=seed).as_matrix()
    moved.positions = (atoms.positions @ turn.T + rng.uniform(-9, 9, 3))[rng.permutation(6)]
    np.testing.assert_allclose(levels(moved), levels(atoms), atol=1e-9)


@given(SEEDS)
@settings(deadline=None, max_examples=10)
def test_bands_do_not_depend_on_the_image_an_atom_is_given_in(seed):
    rng = np.random.default_rng(seed)
    atoms = bulk("Ag", a=4.1, cubic=True)
    atoms.rattle(0.1, seed=seed)
    k = rng.uniform(-0.5, 0.5, (2, 3))
    shifted = atoms.copy()
    shifted.positions += rng.integers(-2, 3, (4, 3)) @ atoms.cell[:]
    np.testing.assert_allclose(band_energies(shifted, k), band_energies(atoms, k), atol=1e-9)


def test_bloch_matrices_are_hermitian_and_real_space_ones_real():
    atoms = bulk("Ag", a=4.09, cubic=True)
    atoms.rattle(0.1, seed=3)
    matrices = real_space_matrices(atoms, load_model())
    assert all(np.isrealobj(m.toarray()) for m in matrices.hamiltonian + matrices.overlap)
    for matrix in matrices.at([0.13, -0.31, 0.4]):
        dense = matrix.toarray()
        assert dense.shape == (36, 36)
        np.testing.assert_allclose(dense, dense.conj().T, atol=1e-12)


def test_translations_are_zero_along_open_axes():
    slab = fcc111("Ag", (2, 2, 3), a=4.09, vacuum=8.0)
    slab.pbc = (True, True, False)
    translations = real_space_matrices(slab, load_model()).translations
    assert (translations[:, 2] == 0).all()
    assert {tuple(-t) for t in translations} == {tuple(t) for t in translations}


def test_neighbours_agree_with_a_count_over_images():
    atoms = Atoms("Ag2", positions=[(0.1, 0, 0), (9.0, 2.0, 14.0)], pbc=(True, False, True))
    atoms.cell = [(3.1, 0.2, 0.0), (0.0, 5.0, 0.0), (1.0, 0.0, 4.0)]
    pairs = find_neighbours(atoms, 6.5)
    expected = set()
    for i, j, a, c in itertools.product((0, 1), (0, 1), range(-12, 13), range(-12, 13)):
        shift = (a, 0, c)
        vector = atoms.positions[j] + np.array(shift) @ atoms.cell[:] - atoms.positions[i]
        if 0.0 < np.linalg.norm(vector) < 6.5:
            expected.add((i, j, *shift))
    found = np.column_stack([pairs.first, pairs.second, pairs.translations])
    assert {tuple(row) for row in found} == expected
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors, axis=1), pairs.distances)


def test_supercell_has_the_folded_bands():
    primitive, double = bulk("Ag", a=4.09), bulk("Ag", a=4.09) * (2, 1, 1)
    k = np.array([[0.2, 0.1, -0.3]])
    halves = np.concatenate([k / [2, 1, 1], (k + np.array([1, 0, 0])) / [2, 1, 1]])
    folded = np.sort(band_energies(primitive, halves).ravel())
    np.testing.assert_allclose(band_energies(double, k)[0], folded, atol=1e-9)


@pytest.mark.parametrize("element", packaged_elements())
@pytest.mark.parametrize("share", [0.784, 0.852])
def test_overlap_is_positive_definite_for_short_bonds(element, share):
    """Bonds down to a share of the crystal's: 2.3 and 2.5 angstrom of silver."""
    model, bond = load_model(element), nearest_neighbour_distance(lattice_constant(element))
    for guard in crowded_clusters(share * bond, seed=77, count=30):
        atoms = Atoms(f"{element}{len(guard.atoms)}", guard.atoms.positions)
        assert eigvalsh(real_space_matrices(atoms, model).at([0, 0, 0])[1].toarray())[0] > 0.01


@pytest.mark.parametrize("element", packaged_elements())
@pytest.mark.parametrize("share", [0.868, 0.916, 0.964])
def test_overlap_is_positive_definite_in_compressed_metal(element, share):
    """Lattice constants of 3.6, 3.8 and 4.0 angstrom of silver."""
    # many short bonds at once; the zone centre and corners are the worst places
    crystal = bulk(element, "fcc", a=share * lattice_constant(element))
    matrices = real_space_matrices(crystal, load_model(element))
    rng = np.random.default_rng(0)
    for k in [*rng.uniform(-0.5, 0.5, (20, 3)), [0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.0]]:
        assert eigvalsh(matrices.at(k)[1].toarray())[0] > 0.01


@pytest.mark.parametrize("element", packaged_elements())
@pytest.mark.parametrize("seed", range(3))
def test_overlap_is_positive_definite_in_hot_metal(element, seed):
    """Atoms of silver displaced by 0.16 angstrom."""
    constant = lattice_constant(element)
    atoms = bulk(element, "fcc", a=constant, cubic=True) * (2, 2, 2)
    atoms.rattle(0.055 * nearest_neighbour_distance(constant), seed=seed)
    overlap = real_space_matrices(atoms, load_model(element)).at([0, 0, 0])[1].toarray()
    assert eigvalsh(overlap)[0] > 0.01


def test_atoms_too_close_are_named():
    atoms = cluster(3, size=8, least=2.7)
    atoms.positions[5] = atoms.positions[2] + (0.0, 0.0, 0.4)
    with pytest.raises(StructureError, match=r"atoms (2 and 5|5 and 2) \(0\.400 angstrom"):
        real_space_matrices(atoms, load_model())


@pytest.mark.parametrize("checked_whole", [320, 10])
def test_dependent_orbitals_are_refused(checked_whole, monkeypatch):
    monkeypatch.setattr(matrices_module, "_CHECK_WHOLE", checked_whole)
    model = load_model()
    loose = dataclasses.replace(model, overlap=4.0 * model.overlap)
    atoms = cluster(1, size=30, least=2.45)
    real_space_matrices(atoms, model)
    with pytest.raises(StructureError, match="closest pair"):
        real_space_matrices(atoms, loose)


def test_a_crystal_compressed_too_far_is_refused():
    with pytest.raises(StructureError, match="closest pair"):
        real_space_matrices(bulk("Ag", a=3.2, cubic=True) * (3, 3, 3), load_model())


def test_lone_atoms_have_atomic_levels():
    alone = levels(Atoms("Ag"))
    pair = levels(Atoms("Ag2", positions=[(0, 0, 0), (0, 0, 20)]))
    np.testing.assert_allclose(pair, np.repeat(alone, 2), atol=1e-12)
    assert len(set(np.round(alone, 9))) == 3


def test_bloch_matrices_sum_the_translations():
    slab = fcc111("Ag", (1, 2, 2), a=4.09, vacuum=8.0)
    matrices = real_space_matrices(slab, load_model())
    k = np.array([0.2, -0.37, 0.0])
    phases = np.exp(2j * np.pi * matrices.translations @ k)
    for found, parts in zip(matrices.at(k), (matrices.hamiltonian, matrices.overlap), strict=True):
        expected = sum(p * m.toarray() for p, m in zip(phases, parts, strict=True))
        np.testing.assert_allclose(found.toarray(), expected, atol=1e-14)


def test_other_elements_are_refused():
    with pytest.raises(SettingsError, match="'Xx'"):
        load_model("Xx")
    with pytest.raises(StructureError, match="has Ag and Au atoms, and tight binding takes one"):
        real_space_matrices(Atoms("AgAu", positions=[(0, 0, 0), (0, 0, 3)]), load_model())
    with pytest.raises(StructureError, match="has Au atoms, but the Hamiltonian is one of Ag"):
        real_space_matrices(Atoms("Au2", positions=[(0, 0, 0), (0, 0, 3)]), load_model())
    with pytest.raises(StructureError, match="no atoms"):
        real_space_matrices(Atoms(), load_model())


def test_kpoints_of_another_shape_are_refused():
    with pytest.raises(SettingsError, match=r"\(3,\)"):
        band_energies(bulk("Ag", a=4.09), [0.0, 0.0, 0.0])


def test_model_is_immutable():
    with pytest.raises(ValueError, match="read-only"):
        load_model().hamiltonian[0, 0] = 0.0


def test_bands_solve_the_generalised_problem():
    atoms = bulk("Ag", a=4.09)
    k = [0.1, 0.25, -0.2]
    h, s = (m.toarray() for m in real_space_matrices(atoms, load_model()).at(k))
    np.testing.assert_allclose(
        band_energies(atoms, [k])[0], eigh(h, s, eigvals_only=True), atol=1e-10
    )


@pytest.mark.parametrize("element", packaged_elements())
def test_fermi_energy_of_any_structure_agrees_with_bulk(element):
    constant = lattice_constant(element)
    found = fermi_energy(bulk(element, "fcc", a=constant, cubic=True), kpoints_density=9.0)
    assert found == pytest.approx(bulk_fermi_energy(constant, load_model(element)), abs=0.02)


@pytest.mark.parametrize("name", ["fcc, a=4.09", "zigzag chain"])
def test_fit_has_exact_derivatives(name):
    rng = np.random.default_rng(0)
    vector = pack(load_model()) + rng.normal(0.0, 0.01, len(pack(load_model())))
    model = unpack(vector, load_model())
    sums = BlochSums(references()[name], model)
    slopes = residuals(sums, model)[1]
    direction, step = rng.normal(size=len(vector)), 1e-5
    ahead, behind = (
        residuals(sums, unpack(vector + sign * step * direction, model))[0] for sign in (1, -1)
    )
    numeric = (ahead - behind) / (2.0 * step)
    np.testing.assert_allclose(slopes @ direction, numeric, atol=1e-4 * np.abs(numeric).max())


@pytest.mark.parametrize("name", ["bcc, a=3.27", "disordered four-atom cell"])
@pytest.mark.parametrize("field", [0.0, 0.1])
def test_fit_and_assembly_give_the_same_bands(name, field):
    reference = references()[name]
    model = dataclasses.replace(
        load_model(),
        crystal_field=np.full((10, 4), field),
        neighbour_potential=np.full(4, field),
    )
    fitted = solve_bands(BlochSums(reference, model), model).energies
    found = band_energies(reference.atoms, reference.kpoints, model)
    np.testing.assert_allclose(fitted, found, atol=1e-5)


@pytest.mark.validation
@pytest.mark.parametrize(
    ("name", "occupied", "near"),
    [
        ("fcc, a=4.09", 0.030, 0.020),
        ("fcc, a=4.25", 0.030, 0.020),
        ("three-layer fcc film", 0.061, 0.093),
        # known: the vacuum tail couples it to its images 8 Å away, by some 50 meV too much
        ("monatomic chain, d=2.89", 0.080, 0.093),
        ("disordered four-atom cell", 0.061, 0.093),
    ],
)
def test_bands_agree_with_first_principles(name, occupied, near):
    reference = references()[name]
    found = band_energies(reference.atoms, reference.kpoints)[:, : reference.bands.shape[1]]
    fine = fermi_energy(reference.atoms, kpoints_density=8.0)
    error = found - fine - reference.bands
    # the reference's own Fermi energy is that of a coarse mesh: one constant is free
    error -= np.median(error[np.abs(reference.bands) < 1.5])
    for window, bound in ((reference.bands < 0.0, occupied), (np.abs(reference.bands) < 1.5, near)):
        assert np.sqrt(np.mean(error[window] ** 2)) < bound


#: Lowest energy at which a model may have a band that PBE has above 3.8 eV, and how far its lowest
#: band may lie below that of PBE, eV. Copper has two disordered cells and simple cubic metal with
#: bonds of 2.4 angstrom here (docs/hamiltonian.md).
GHOSTS = {"Cu": (2.5, 0.6)}


@pytest.mark.validation
@pytest.mark.parametrize("element", packaged_elements())
def test_no_ghost_bands_near_the_fermi_energy(element):
    lowest, below = GHOSTS.get(element, (2.8, 0.5))
    for reference in packaged_references(element):
        found = band_energies(reference.atoms, reference.kpoints)[:, : reference.bands.shape[1]]
        # margins: the listed Fermi energies are wrong by up to 0.2 eV, the shapes by up to 0.5 eV
        assert not np.any((reference.bands > 3.8) & (found < lowest)), reference.name
        assert found.min() > reference.bands.min() - below, reference.name


@pytest.mark.validation
def test_environments_share_one_fermi_energy():
    for reference in references().values():
        if reference.shift_importance < 1.0:
            continue  # the level lies anywhere in a gap
        density = 18.0 if len(reference.atoms) == 1 else 8.0
        # known: without self-consistency a bare four-atom neck in vacuum is off by 0.3 eV
        bound = 0.35 if reference.name == "random neck of four atoms" else 0.25
        assert abs(fermi_energy(reference.atoms, kpoints_density=density)) < bound, reference.name


@pytest.mark.validation
@pytest.mark.parametrize("distance", [2.65, 2.89, 3.1])
def test_chain_has_one_open_channel(distance):
    # one s band crosses E_F: the conductance quantum of a silver wire
    chain = Atoms("Ag", cell=[20.0, 20.0, distance], pbc=(False, False, True))
    level = fermi_energy(chain, kpoints_density=40.0)
    k = np.linspace(0.0, 0.5, 101)
    energies = band_energies(chain, np.column_stack([0 * k, 0 * k, k])) - level
    assert np.sum(energies[:-1] * energies[1:] < 0) == 1


#: Sixth band at L and at X, eV from E_F, as docs/hamiltonian.md has them.
NECKS = {("Ag", 4.09): (-0.43, 1.54), ("Ag", 4.215): (-0.21, 1.63)}


@pytest.mark.validation
@pytest.mark.parametrize(
    ("element", "constant"),
    [*NECKS, *((element, lattice_constant(element)) for element in packaged_elements())],
)
def test_fermi_surface_has_a_neck_only_along_111(element, constant):
    """Of all noble metals: open along [111], where the sixth band is filled, and nowhere else."""
    model = load_model(element)
    corners = [[0.5, 0.5, 0.5], [0.5, 0.5, 0.0]]
    energies = band_energies(bulk(element, "fcc", a=constant), corners, model)
    energies -= bulk_fermi_energy(constant, model)
    assert energies[0, 5] < 0.0 < energies[0, 6]
    assert energies[1, 4] < 0.0 < energies[1, 5]
    if (element, constant) in NECKS:
        assert energies[:, 5] == pytest.approx(NECKS[element, constant], abs=0.006)


@pytest.mark.validation
def test_the_bands_of_a_snapshot_of_the_dynamics_are_those_of_first_principles():
    """A contact of 42 atoms that no fit has seen, as a crystal of contacts; after one shift."""
    data = json.loads((Path(__file__).parent / "snapshot_bands.json").read_text())
    atoms = Atoms(f"Ag{len(data['positions'])}", data["positions"], cell=data["cell"], pbc=True)
    found = band_energies(atoms, [entry["k"] for entry in data["kpoints"]])
    errors = np.concatenate(
        [
            own[entry["first_band"] : entry["first_band"] + len(entry["energies"])]
            - entry["energies"]
            for own, entry in zip(found, data["kpoints"], strict=True)
        ]
    )
    assert len(errors) > 60
    assert errors.std() < 0.03
    # the Fermi energy of the coarse mesh of the reference, and that of the model
    assert abs(errors.mean()) < 0.12
