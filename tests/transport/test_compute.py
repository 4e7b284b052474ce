"""The call that a notebook makes: one structure or many, junctions or snapshots; wrong ones too."""

import doctest

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from tests.transport.junctions import chain, disordered

import nanogap
from nanogap.errors import DataFormatError, NanogapError, SettingsError, StructureError
from nanogap.settings import JunctionSettings, VoltageSettings
from nanogap.structure.cut import cut_junction
from nanogap.structure.tips import build_pyramids
from nanogap.transport import compute
from nanogap.transport.compute import compute_transmission, junctions_of
from nanogap.transport.negf.compute import compute_transmission as engine
from nanogap.transport.negf.neutrality import neutral_junction
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model_file import model_to_toml


def same(found, expected):
    assert found["transmission"].dims == expected["transmission"].dims
    np.testing.assert_array_equal(found["transmission"], expected["transmission"])
    np.testing.assert_array_equal(found["energy"], expected["energy"])


@pytest.mark.parametrize(
    "wrapped", [lambda x: x, lambda x: [x], lambda x: (x,), lambda x: iter([x])]
)
def test_one_structure_or_many(wrapped):
    same(compute_transmission(wrapped(chain(2.7))), engine([chain(2.7)]))


def test_many_structures_are_snapshots_of_one_dataset():
    wires = [chain(2.7), chain(2.9)]
    same(compute_transmission(wires), engine(wires))


@pytest.mark.parametrize(
    "energies", [0.1, [0.1], (0.1,), np.array(0.1), np.array([0.1]), np.float32(0.1), 1, range(2)]
)
def test_energies_are_a_number_or_numbers(energies):
    values = [float(value) for value in np.atleast_1d(np.asarray(energies, dtype=float))]
    same(compute_transmission(chain(2.7), energies), engine([chain(2.7)], values))


@pytest.mark.parametrize("kpoints", [(2, 1), [2, 1], np.array([2, 1]), (np.int64(2), 1)])
def test_a_mesh_is_two_numbers(kpoints):
    junction = disordered(1, width=1, size=1, gap_layers=2)
    same(compute_transmission(junction, kpoints=kpoints), engine([junction], kpoints=(2, 1)))


@pytest.mark.parametrize("cut", ["full", "paper", "terrace"])
def test_a_snapshot_of_the_dynamics_is_cut_first(cut):
    snapshot = build_pyramids(
        lattice_constant=4.216, base_width=16.0, height=5.0, apex_width=9.0, gap=3.0,
        fixed_layers=4, vacuum=6.0,
    )  # fmt: skip
    assert "electrode" in snapshot.arrays
    settings = JunctionSettings.model_validate({"cut": cut})
    expected = cut_junction(snapshot, settings, VoltageSettings().cutoff)
    (found,) = junctions_of(snapshot, cut=cut)
    assert found == expected
    assert found.arrays["region"].tolist() == expected.arrays["region"].tolist()
    if cut != "full":
        options = {"kpoints": (1, 1)}
        same(compute_transmission(snapshot, cut=cut, **options), engine([expected], **options))


def test_a_model_is_an_object_or_a_file(tmp_path):
    path = tmp_path / "silver.toml"
    path.write_text(model_to_toml(load_model(), "a copy"), encoding="utf-8")
    expected = engine([chain(2.7)])
    for model in (load_model(), path, str(path)):
        found = compute_transmission(chain(2.7), model=model)
        np.testing.assert_allclose(found["transmission"], expected["transmission"], atol=1e-6)


@pytest.mark.parametrize("backend", ["tight-binding", "dense"])
def test_neutral_atoms_are_asked_for_by_name(backend):
    junction = chain(2.7, n_channel=3)
    neutral = neutral_junction(junction, "coordination")
    found = compute_transmission(junction, backend=backend, neutrality="coordination")
    expected = compute_transmission(neutral, backend=backend)
    same(found, expected)
    assert found.attrs["neutrality"] == "coordination"
    assert "neutrality" not in expected.attrs


def test_what_only_a_backend_takes_reaches_it():
    same(compute_transmission(chain(2.7), threads=1), engine([chain(2.7)], threads=1))
    with pytest.raises(SettingsError, match="threads: backend 'dense' has no such argument"):
        compute_transmission(chain(2.7), backend="dense", threads=1)


WIRE = chain(2.7)
WITHOUT_PERIOD = chain(2.7)
del WITHOUT_PERIOD.info["left_period"]
PERIODIC_WITHOUT_CELL = chain(2.7)
PERIODIC_WITHOUT_CELL.pbc = True


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((5,), StructureError, "5 is no structure: give an ase.Atoms, or a list"),
        ((None,), StructureError, "None is no structure"),
        (("wire.extxyz",), StructureError, r"'wire.extxyz' is no structure: read .* ase.io.read"),
        (([],), StructureError, "there is no structure"),
        (([WIRE, 5],), StructureError, "structure 1 is of type int"),
        ((WIRE[0],), StructureError, "is no structure|is of type"),
        ((molecule("H2O"),), StructureError, r"structure 0 is neither a junction nor .*'region'"),
        ((bulk("Ag"),), StructureError, "neither a junction nor a snapshot"),
        (([WIRE, bulk("Ag")],), StructureError, "structure 1 is neither"),
        ((Atoms("Ag3"),), StructureError, "neither a junction nor a snapshot"),
        ((Atoms(),), StructureError, "neither a junction nor a snapshot"),
        ((WITHOUT_PERIOD,), StructureError, "structure 0 has no number left_period="),
        ((PERIODIC_WITHOUT_CELL,), StructureError, "periodic in the plane, but the cell has no"),
        ((WIRE, "-1:1:0.1"), SettingsError, r"energies = '-1:1:0.1': give one finite number"),
        ((WIRE, []), SettingsError, r"energies = \[\]"),
        ((WIRE, np.nan), SettingsError, "energies = nan"),
        ((WIRE, [[0.0, 1.0]]), SettingsError, "energies = "),
        ((WIRE, None), SettingsError, "energies = None"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        compute_transmission(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kpoints": 4}, "kpoints = 4: give two whole numbers"),
        ({"kpoints": (4,)}, r"kpoints = \(4,\): give two whole numbers"),
        ({"kpoints": (4, 4, 1)}, "give two whole numbers"),
        ({"kpoints": (4.5, 4)}, "give two whole numbers"),
        ({"kpoints": (0, 4)}, "at least 1 x 1"),
        ({"kpoints": "dense"}, "'auto' or 'paper'"),
        ({"backend": "magic"}, "no backend 'magic': choose"),
        ({"cut": "diagonal"}, "cut = 'diagonal': choose terrace, paper, full"),
        ({"neutrality": "magic"}, "choose none, coordination, self-consistent"),
        ({"neutrality": "coordination", "backend": "pwcond"}, "pwcond is self-consistent already"),
        ({"model": load_model(), "backend": "pwcond"}, "takes no tight-binding Hamiltonian"),
        ({"model": 3}, "model = 3: give a TightBindingModel"),
        ({"names": ["a", "b"]}, "names: give one for each structure, 1, not 2"),
        ({"magic": 3}, "magic: backend 'tight-binding' has no such argument"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, message):
    with pytest.raises(SettingsError, match=message):
        compute_transmission(WIRE, **options)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path):
    with pytest.raises(DataFormatError, match=r"absent\.toml is no Hamiltonian"):
        compute_transmission(WIRE, model=tmp_path / "absent.toml")


def test_a_model_of_another_element_is_refused():
    wire = chain(2.7)
    wire.symbols[:] = "Au"
    with pytest.raises(NanogapError, match="Ag"):
        compute_transmission(wire, model=load_model())


def test_the_examples_run():
    assert doctest.testmod(compute).failed == 0


@pytest.mark.parametrize("lead", ["Pt", "Au"])
def test_a_tip_of_one_metal_on_a_lead_of_another_is_refused(lead, small_tips):
    """A snapshot of the dynamics as the devices are built: a silver tip before another metal."""
    small_tips.symbols[small_tips.arrays["electrode"] == "bottom"] = lead
    sentence = f"snapshot 4 has Ag and {lead} atoms: a junction is cut from tips of one element"
    with pytest.raises(StructureError, match=f"{sentence}, .* are not fitted; .* 'pwcond'"):
        compute_transmission(small_tips, cut="paper", names=["snapshot 4"])
    mixed = chain(2.7)
    mixed.symbols[:2] = lead
    sentence = f"frame 2: the junction has Ag and {lead} atoms, and tight binding takes one"
    with pytest.raises(StructureError, match=f"{sentence}.* are not fitted; the backend 'pwcond'"):
        compute_transmission(mixed, names=["frame 2"])
    for function in (nanogap.bands, nanogap.fermi_energy):
        with pytest.raises(StructureError, match=f"has Ag and {lead} atoms, and tight binding"):
            function(small_tips)
