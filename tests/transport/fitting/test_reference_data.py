"""Reference bands and transmissions: what comes with the package, and what is refused."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from scipy.constants import e, hbar, m_e
from scipy.special import erfc

from nanogap.errors import DataFormatError, SettingsError
from nanogap.structure.junction import validate_junction
from nanogap.transport.fitting.reference_bands import (
    need_band_files,
    packaged_band_files,
    packaged_references,
    read_band_file,
)
from nanogap.transport.fitting.reference_transmissions import (
    packaged_reference_transmissions,
    read_reference_transmissions,
)
from nanogap.transport.fitting.stages import first_guess, fit_in_stages

DATA = resources.files("nanogap.transport") / "data"
ALUMINIUM = Path(__file__).resolve().parents[3] / "parametrisation" / "data" / "dft_bands_al.json"

#: Gaussian smearing of the calculations, 0.01 Ry, eV.
SMEARING = 0.13606


def write(tmp_path, name, change):
    """Copy a packaged file after a change of its content."""
    content = json.loads((DATA / name).read_text("utf-8"))
    change(content)
    path = tmp_path / name
    path.write_text(json.dumps(content))
    return path


def test_silver_comes_with_two_files_of_bands():
    files = packaged_band_files("Ag")
    assert [len(file.references) for file in files] == [14, 13]
    assert {(file.element, file.electrons_per_atom) for file in files} == {("Ag", 11.0)}
    names = [reference.name for reference in packaged_references("Ag")]
    assert len(names) == len(set(names)) == 27
    assert packaged_band_files("W") == []


@pytest.mark.validation
@pytest.mark.parametrize(
    "path",
    [DATA / "dft_bands_au.json", DATA / "dft_bands_cu.json", ALUMINIUM],
    ids=["Au", "Cu", "Al"],
)
def test_bands_hold_the_electrons_of_every_atom(path):
    """Filled to the Fermi energy that comes with them, with the smearing of the calculation."""
    file = read_band_file(Path(str(path)))
    content = json.loads(path.read_text("utf-8"))
    assert len(file.references) == 31
    for reference in file.references:
        entry = content["structures"][reference.name]
        energies = np.array(entry["bands"]) - entry["fermi_energy"]
        filled = erfc(energies / SMEARING).sum(axis=1)  # two electrons a state
        electrons = filled @ np.array(entry["weights"]) / len(reference.atoms)
        assert electrons == pytest.approx(file.electrons_per_atom, abs=0.02), reference.name


@pytest.mark.validation
def test_bands_of_aluminium_are_nearly_those_of_free_electrons():
    """Its lowest band begins some per cent above where three free electrons an atom have it."""
    for reference in read_band_file(ALUMINIUM).references:
        if reference.name.startswith("fcc"):
            density = 3.0 * len(reference.atoms) / reference.atoms.get_volume()
            wave_number = (3.0 * np.pi**2 * density) ** (1.0 / 3.0)
            free = (wave_number * 1e10 * hbar) ** 2 / (2.0 * m_e) / e
            assert 0.93 < -reference.bands.min() / free < 0.98


def test_a_fit_of_a_metal_without_d_electrons_begins_with_empty_d_levels():
    """With them below the Fermi energy the fit of aluminium ended three times as far off."""
    s, p, d = first_guess("Al", 3.0).onsite[:, 0]
    assert s < 0.0 < p < d
    assert first_guess("Pd", 10.0).onsite[2, 0] < 0.0


def test_files_of_another_element_are_not_taken_for_those_of_a_shorter_symbol():
    """Found by reading: C had the bands of Cu."""
    assert packaged_band_files("A") == []
    with pytest.raises(SettingsError, match=r"no reference bands of A \(only of Ag\b"):
        need_band_files("A")
    with pytest.raises(SettingsError, match=r"no first-principles transm.* of W \(only of Ag\b"):
        packaged_reference_transmissions("W")


def test_semicore_bands_are_dropped_and_energies_are_from_the_fermi_energy():
    reference = next(r for r in packaged_references("Ag") if r.name == "fcc, a=4.09")
    entry = json.loads((DATA / "dft_bands_ag.json").read_text("utf-8"))["structures"]["fcc, a=4.09"]
    wanted = np.array(entry["bands"])[:, 3:12] - entry["fermi_energy"]
    np.testing.assert_array_equal(reference.bands, wanted)
    assert reference.k_weights.sum() == pytest.approx(1.0)
    assert reference.importance == 3.0


@pytest.mark.parametrize("key", ["element", "electrons_per_atom", "semicore", "structures"])
def test_a_file_of_bands_without_something_is_refused(tmp_path, key):
    path = write(tmp_path, "dft_bands_ag.json", lambda content: content.pop(key))
    with pytest.raises(DataFormatError, match=f"dft_bands_ag.json is not in the layout.*{key}"):
        read_band_file(path)


def first(content):
    """Return the first structure of a file of bands."""
    return next(iter(content["structures"].values()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: first(c).update(fermi_energy=np.nan), "structure 'fcc.*fermi_energy must be fi"),
        (lambda c: first(c)["bands"][0].__setitem__(1, np.nan), "bands must be finite"),
        (lambda c: first(c)["bands"][0].pop(), "inhomogeneous|a row for every k-point"),
        (lambda c: first(c).update(cell=np.zeros((3, 3)).tolist()), "cell has no volume"),
        (lambda c: first(c)["weights"].__setitem__(0, -1.0), "weights must not be negative"),
        (lambda c: first(c).update(positions="x"), "positions must be rows of three numbers"),
        (lambda c: first(c).pop("kpoints"), "'kpoints' is missing"),
        (lambda c: c.update(structures={}), "structures is empty"),
        (lambda c: c.update(semicore=-1), "semicore must not be negative"),
        (lambda c: c.update(semicore=50), "must leave bands"),
        (lambda c: c.update(electrons_per_atom=-1.0), "electrons_per_atom must be above 0"),
        (lambda c: c.update(importance={"fcc, a=4.09": -3.0}), "importance of 'fcc, a=4.09' must"),
        (lambda c: c.update(importance={"no": 1.0}), "names 'no', which is no structure"),
        (lambda c: c.update(gapped="x"), "gapped must be a list of names"),
        (lambda c: c.update(held_out=list(c["structures"])), "none is left to fit"),
    ],
)
def test_bands_without_meaning_are_refused(tmp_path, change, message):
    """Found by trying: all of these were read, and fitted or ended in an internal error."""
    path = write(tmp_path, "dft_bands_ag.json", change)
    with pytest.raises(DataFormatError, match=message):
        read_band_file(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(work_function=np.nan), "work_function must be above 0 eV, not nan"),
        (lambda c: c.update(junctions={}, fitted=[]), "junctions is empty"),
        (lambda c: c.update(fitted=["no"]), "fitted names 'no', which is no junction"),
        (lambda c: next(iter(c["junctions"].values())).update(transmission=[-1.0]), "be negative"),
    ],
)
def test_transmissions_without_meaning_are_refused(tmp_path, change, message):
    path = write(tmp_path, "pwcond_calibration_ag.json", change)
    with pytest.raises(DataFormatError, match=message):
        read_reference_transmissions(path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", "\x00"])
@pytest.mark.parametrize("read", [read_band_file, read_reference_transmissions])
def test_what_is_no_such_file_is_refused(tmp_path, read, text):
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(DataFormatError, match=r"wrong\.json"):
        read(path)


def test_two_structures_of_one_name_are_refused():
    references = packaged_references("Ag")[:2]
    with pytest.raises(SettingsError, match="2 structures are named 'fcc, a="):
        fit_in_stages(
            first_guess("Ag", 11.0), [references[0]] * 2, restarts=0, seed=0, report=print
        )
    with pytest.raises(SettingsError, match="no structure named 'none such'"):
        fit_in_stages(
            first_guess("Ag", 11.0), references, restarts=0, seed=0, held_out=["none such"],
            report=print,
        )  # fmt: skip


def test_the_packaged_transmissions_are_of_valid_junctions():
    data = packaged_reference_transmissions()
    assert data.element == "Ag"
    assert len(data.junctions) == 34
    assert [junction.name for junction in data.fitted_junctions] == list(data.fitted)
    for junction in data.junctions:
        validate_junction(junction.atoms, junction.name)
        assert 0.0 < junction.transmission < 4.0


def test_transmissions_are_taken_at_the_fermi_energy(tmp_path):
    """Wherever it stands among the energies; the first is not always it."""

    def reorder(content):
        entry = content["junctions"]["chain, 2.65 Å"]
        entry["energies"], entry["transmission"] = [-0.5, 0.0, 0.5], [0.3, 0.9, 0.4]

    path = write(tmp_path, "pwcond_calibration_ag.json", reorder)
    found = {j.name: j.transmission for j in read_reference_transmissions(path).junctions}
    assert found["chain, 2.65 Å"] == 0.9

    def remove(content):
        content["junctions"]["chain, 2.65 Å"]["energies"] = [-0.5, 0.1, 0.5]

    path = write(tmp_path, "pwcond_calibration_ag.json", remove)
    with pytest.raises(DataFormatError, match=r"chain, 2\.65 Å.*no transmission at the Fermi"):
        read_reference_transmissions(path)


def test_a_fitted_junction_that_is_not_there_is_refused(tmp_path):
    path = write(
        tmp_path, "pwcond_calibration_ag.json", lambda content: content["fitted"].append("absent")
    )
    with pytest.raises(DataFormatError, match="absent"):
        read_reference_transmissions(path)
