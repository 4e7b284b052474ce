"""Barriers of the packaged force fields: the stored table is what the force fields give."""

import json

import numpy as np
import pytest
from parametrisation.barriers.band import Region
from parametrisation.barriers.named import named_processes
from validation.force_field_barriers import (
    ELEMENTS,
    RESULTS,
    compute,
    energy_per_atom,
    lattice_constant,
    reaxff_functions,
)

from nanogap.dynamics.embedded_functions import load_functions
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.interaction import metal_parameters
from nanogap.dynamics.native.metal import Metal

ROWS = json.loads(RESULTS.read_text())["rows"]
#: Lattice constant (angstrom) and cohesive energy (eV) by LAMMPS, at 0 K.
LAMMPS = {"Ag": (4.216, 3.042), "Cu": (3.722, 3.521), "Au": (4.165, 3.749)}


@pytest.mark.parametrize("element", ELEMENTS)
def test_reaxff_without_charges_is_an_embedded_atom_potential(element):
    functions = reaxff_functions(element)
    constant, energy = LAMMPS[element]
    assert functions.lattice_constant == pytest.approx(constant, abs=6e-4)
    assert -energy_per_atom(functions, functions.lattice_constant) == pytest.approx(
        energy, abs=6e-4
    )


@pytest.mark.parametrize("element", ELEMENTS)
def test_forces_are_those_of_the_native_kernel(element):
    functions = reaxff_functions(element)
    rng = np.random.default_rng(3)
    points = np.argwhere(np.ones((4, 4, 4), dtype=bool))
    points = points[points.sum(axis=1) % 2 == 0]
    positions = 0.5 * functions.lattice_constant * points + rng.normal(0.0, 0.1, points.shape)
    pairs = np.argwhere(np.triu(np.ones((len(points), len(points)), dtype=bool), 1))
    region = Region(functions, np.zeros((0, 3)), np.zeros(0), pairs.astype(np.int64))
    _, forces = region.energy_and_forces(positions)
    metal = Metal(metal_parameters(load_force_field(element)), len(points), 0, 1e-10)
    metal.compute(positions)
    assert np.abs(metal.charges).max() < 1e-9
    assert np.abs(forces - metal.forces).max() < 2e-4 * np.abs(forces).max()


def test_the_lattice_constant_of_embedded_atoms_is_that_of_their_files():
    functions = load_functions("Ag")
    assert lattice_constant(functions) == pytest.approx(functions.lattice_constant, abs=1e-4)


#: Of neutral ReaxFF silver, eV: climbing-image bands by ASE with LAMMPS, 430 atoms.
BY_LAMMPS = {
    "terrace (100), hop": 1.053,
    "terrace (100), exchange": 1.118,
    "terrace (110), along the channel": 0.435,
    "terrace (110), exchange across": 0.461,
    "edge diffusion, A": 0.286,
    "edge diffusion, B": 0.488,
    "step to terrace, A": 0.745,
    "step to terrace, B": 0.742,
    "kink to edge, A": 0.443,
    "kink to edge, B": 0.643,
    "kink to one row out, A": 0.707,
}


def test_barriers_of_reaxff_silver_are_those_of_another_program():
    found = {row["process"]: row["forward"] for row in ROWS if table(row) == ("Ag", "reaxff")}
    for name, value in BY_LAMMPS.items():
        assert found[name] == pytest.approx(value, abs=0.006), name
    assert found["terrace (111), hop"] < 0.005  # none: 0.001


@pytest.mark.parametrize("force_field", ["reaxff", "eam"])
@pytest.mark.parametrize("element", ELEMENTS)
def test_stored_barriers_are_what_the_force_field_gives(element, force_field):
    functions = load_functions(element) if force_field == "eam" else reaxff_functions(element)
    stored = {row["process"]: row for row in ROWS if table(row) == (element, force_field)}
    processes = named_processes()
    assert set(stored) == {process.name for process in processes}
    for process in processes[:4]:
        barrier = compute(process, functions)
        assert barrier.outcome == stored[process.name]["outcome"], process.name
        assert barrier.forward == pytest.approx(stored[process.name]["forward"], abs=2e-3)


def table(row):
    """Element and force field of a row."""
    return row["element"], row["force_field"]


def test_the_page_has_the_stored_numbers():
    page = (RESULTS.parent.parent / "force-fields.md").read_text()
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("|")}
    for row in ROWS:
        cells = [cell.strip(" *") for cell in lines[row["process"]].split("|")[2:8]]
        column = 2 * ELEMENTS.index(row["element"]) + (row["force_field"] == "eam")
        if row["outcome"] == "not converged":
            assert cells[column] == "?"
        else:
            assert float(cells[column]) == pytest.approx(row["forward"], abs=6e-4), row
