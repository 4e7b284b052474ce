"""The programs that made the packaged numbers: they start, and write what the package reads."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from nanogap.structure.junction import validate_junction
from nanogap.transport.fitting.reference_bands import read_band_file

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "parametrisation").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_program_says_what_it_makes_and_how_it_is_started(name, capsys, monkeypatch):
    module = importlib.import_module(f"parametrisation.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert f"python -m parametrisation.{name}" in capsys.readouterr().out
    assert f"python -m parametrisation.{name}" in module.__doc__


def test_junctions_are_valid_and_differ():
    module = importlib.import_module("parametrisation.compute_pwcond")
    names = []
    for _, name, atoms, energies, _ in module.junctions():
        validate_junction(atoms, name)
        assert energies[0] == 0.0
        names.append(name)
    assert len(names) == len(set(names))


def test_bands_are_written_as_the_fit_reads_them(tmp_path, monkeypatch):
    """With pw.x and pp.x replaced; what was added to the file by hand stays in it."""
    module = importlib.import_module("parametrisation.compute_bands")
    output = tmp_path / "bands.json"
    monkeypatch.setattr(module, "self_consistent", lambda *_: (FakeResult(), 1.0))
    monkeypatch.setattr(module, "vacuum_level", lambda *_: (None, None))
    arguments = ["compute_bands", str(output), "--work", str(tmp_path), "--pseudopotential", "A"]

    def run(only):
        monkeypatch.setattr(sys, "argv", [*arguments, "--only", only])
        module.main()

    run("fcc")
    content = json.loads(output.read_text())
    output.write_text(json.dumps(content | {"importance": {"fcc, a=4.09, ultrasoft": 3.0}}))
    run("d=3.6")
    found = read_band_file(output)
    assert (found.element, found.electrons_per_atom) == ("Ag", 11.0)
    names = [(reference.name, reference.importance) for reference in found.references]
    assert names == [("fcc, a=4.09, ultrasoft", 3.0), ("monatomic chain, d=3.6", 1.0)]


class FakeResult:
    """What `compute_bands` takes from a calculation of one atom: 14 bands."""

    fermi_energy = 1.0
    kpoints = np.zeros((2, 3))
    weights = np.full(2, 0.5)
    bands = np.tile(np.linspace(-8.0, 6.0, 14), (2, 1))
