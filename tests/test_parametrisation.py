"""The programs that made the packaged numbers: they start, and write what the package reads."""

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from nanogap.cli.programs import run_main
from nanogap.structure.junction import validate_junction
from nanogap.transport.fitting.calibration import tunnelling_decays
from nanogap.transport.fitting.metal_size import lattice_constant
from nanogap.transport.fitting.reference_bands import packaged_band_files, read_band_file
from nanogap.transport.fitting.reference_transmissions import (
    packaged_reference_transmissions,
)
from nanogap.transport.fitting.vacuum_tail import vacuum_decay

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(
    path.stem
    for path in (ROOT / "parametrisation").glob("[a-z]*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_program_says_what_it_makes_and_how_it_is_started(name, capsys, monkeypatch):
    module = importlib.import_module(f"parametrisation.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert f"python -m parametrisation.{name}" in capsys.readouterr().out
    assert f"python -m parametrisation.{name}" in module.__doc__


@pytest.mark.parametrize("element", ["Ag", "Au", "Cu", "Pd"])
def test_junctions_are_valid_and_differ(element):
    module = importlib.import_module("parametrisation.compute_pwcond")
    names, size = [], module.relative_size(element)
    for _, name, atoms, energies, _ in module.junctions(element):
        validate_junction(atoms, name)
        assert set(atoms.symbols) == {element}
        assert energies[0] == 0.0
        names.append(name)
    assert len(names) == len(set(names))
    assert {module.scaled_name(name, size) for name in module.FITTED} <= set(names)


def test_junctions_of_silver_are_those_that_are_packaged():
    module = importlib.import_module("parametrisation.compute_pwcond")
    made = {name: atoms for _, name, atoms, _, _ in module.junctions("Ag")}
    known = {junction.name: junction for junction in packaged_reference_transmissions().junctions}
    both = made.keys() & known.keys()
    assert len(both) > 20
    for name in both:
        assert known[name].atoms.positions == pytest.approx(made[name].positions, abs=1e-6)


@pytest.mark.parametrize("element", ["Au", "Cu", "Pt"])
def test_structures_are_those_of_silver_scaled(element):
    module = importlib.import_module("parametrisation.structures")
    edge = 0.9 * module.SILVER
    silver = list(module.Builder("Ag", module.SILVER).structures())
    other = list(module.Builder(element, edge).structures())
    assert len({structure.name for structure in other}) == len(silver)
    for one, two in zip(silver, other, strict=True):
        shortest = [structure.atoms.repeat(3).get_all_distances() for structure in (one, two)]
        near = [np.min(d[d > 1e-6]) for d in shortest]
        assert near[1] / near[0] == pytest.approx(0.9, rel=1e-6)
        assert set(two.atoms.symbols) == {element}


def test_bands_are_written_as_the_fit_reads_them(tmp_path, monkeypatch):
    """With pw.x and pp.x replaced; what was added to the file by hand stays in it."""
    module = importlib.import_module("parametrisation.compute_bands")
    output, upf = tmp_path / "bands.json", tmp_path / "Au.UPF"
    upf.write_text(UPF)
    monkeypatch.setattr(module, "self_consistent", lambda *_: (FakeResult(), 1.0))
    monkeypatch.setattr(module, "vacuum_level", lambda *_: (None, None))
    arguments = ["compute_bands", "Au", str(output), "--work", str(tmp_path)]
    arguments += ["--pseudopotential", str(upf), "--lattice-constant", "4.16"]

    def run(only):
        monkeypatch.setattr(sys, "argv", [*arguments, "--only", only])
        module.main()

    run("a=4.09")
    content = json.loads(output.read_text())
    assert content["importance"] == {"fcc, a=4.09": 3.0}
    output.write_text(json.dumps(content | {"importance": {"fcc, a=4.09": 5.0}}))
    run("d=3.60")
    found = read_band_file(output)
    assert (found.element, found.electrons_per_atom) == ("Au", 11.0)
    names = [(reference.name, reference.importance) for reference in found.references]
    assert names == [("fcc, a=4.09", 5.0), ("monatomic chain, d=3.60", 1.0)]


#: As much of a UPF file as is read.
UPF = """<UPF version="2.0.1">
<PP_HEADER element="Au" pseudo_type="US" is_paw="F" has_so="F" z_valence="11.0" functional="PBE"/>
</UPF>
"""


class FakeResult:
    """What `compute_bands` takes from a calculation of one atom: 14 bands."""

    fermi_energy = 1.0
    kpoints = np.zeros((2, 3))
    weights = np.full(2, 0.5)
    bands = np.tile(np.linspace(-8.0, 6.0, 14), (2, 1))


@pytest.mark.parametrize("element", ["Au", "Cu"])
def test_what_judges_a_fit_is_held_out_in_the_packaged_bands(element):
    module = importlib.import_module("parametrisation.structures")
    built = module.Builder(element, lattice_constant(element)).structures()
    held_out = {structure.name for structure in built if structure.held_out}
    assert len(held_out) == 3
    (bands,) = packaged_band_files(element)
    assert set(bands.held_out) == held_out


OTHER = {
    '{"element": "Ag", "structures": {}}': "is of Ag: name another file for Au",
    "[1": "is no file of results to add to",
    "{}": "is no file of results to add to: KeyError: 'element'",
}


@pytest.mark.parametrize("name", ["compute_bands", "compute_pwcond"])
@pytest.mark.parametrize("content", OTHER)
def test_a_program_adds_nothing_to_another_file(name, content, tmp_path, capsys, monkeypatch):
    output = tmp_path / "earlier.json"
    output.write_text(content)
    monkeypatch.setattr(sys, "argv", [name, "Au", str(output), "--work", str(tmp_path / "work")])
    with pytest.raises(SystemExit) as stop:
        run_main(importlib.import_module(f"parametrisation.{name}").main)
    assert stop.value.code == 2
    assert OTHER[content] in " ".join(capsys.readouterr().err.split())
    assert output.read_text() == content


def test_transmissions_of_gold_are_those_of_a_metal_of_one_channel():
    data = packaged_reference_transmissions("Au")
    values = {junction.name: junction.transmission for junction in data.junctions}
    assert len(values) == 22
    wires = [value for name, value in values.items() if name.startswith("chain")]
    assert wires == pytest.approx([1.0] * 4, abs=1e-6)
    assert set(data.fitted) < values.keys()
    kinds = [junction.kind for junction in data.junctions if junction.name not in data.fitted]
    assert kinds.count("dynamics") == 4
    # gaps decay about as the barrier of the work function has it: of silver 14 % slower
    decay = tunnelling_decays(data.junctions, np.array(list(values.values())))["gap"]
    assert decay == pytest.approx(vacuum_decay(data.work_function), rel=0.15)


REFUSED = [
    ("compute_bands Fe b.json --work w", "Fe is no fcc metal"),
    ("compute_bands Al none/b.json --work w", "no such folder; make it first"),
    ("compute_pwcond Cu p.json --work w --bands no.json", "no work_function"),
    ("calibrate --element Fe", "no first-principles transmissions of Fe"),
    ("calibrate --element Cu --hamiltonian Ag", "Ag is of Ag.* are of Cu"),
    ("compute_bands Al b.json --work w --lattice-constant -4", "between 2 and 8 angstrom"),
    ("compute_bands Al b.json --work w --lattice-constant nan", "between 2 and 8 angstrom"),
]


@pytest.mark.parametrize(("command", "message"), REFUSED)
def test_what_cannot_be_done_is_told_in_a_sentence(tmp_path, monkeypatch, capsys, command, message):
    """Found by trying: a traceback, or bands of a crystal of -3.8 angstrom."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", command.split())
    module = importlib.import_module(f"parametrisation.{sys.argv[0]}")
    with pytest.raises(SystemExit) as stop:
        run_main(module.main)
    assert stop.value.code == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []
