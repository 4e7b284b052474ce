"""Bands of the crystal by pw.x against those of another program."""

import itertools
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from tests.transport.espresso_programs import need

from nanogap.settings import load_accuracy
from nanogap.transport.espresso.programs import Programs
from nanogap.transport.espresso.pseudopotential import Pseudopotential, make_pseudopotential
from nanogap.transport.espresso.pw import PlaneWaveSettings, pw_input, self_consistent

#: 4p bands per atom of the other program's data, which our pseudopotential does not have.
_SEMICORE = 3


def names_of(kpoints, cell):
    """What symmetry leaves alone: lengths of the four shortest equivalents, 1/angstrom."""
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    reciprocal = np.linalg.inv(cell).T
    lengths = np.linalg.norm((np.asarray(kpoints)[:, None] + shifts) @ reciprocal, axis=-1)
    return np.sort(lengths, axis=1)[:, :4]


@pytest.mark.engine
@pytest.mark.validation
def test_bands_of_the_crystal_are_those_of_another_program(tmp_path):
    """GPAW, PAW with 4p semicore, at 4.09 Å: two programs, two ways to treat the core.

    Aligned by the mean of the occupied bands: the Fermi energy of a 9 x 9 x 9 mesh is not good to
    less than 0.1 eV.
    """
    need("pw.x", "ld1.x")
    data = resources.files("nanogap.transport") / "data" / "dft_bands_ag.json"
    other = json.loads(data.read_text())["structures"]["fcc, a=4.09"]
    theirs = np.array(other["bands"])[:, _SEMICORE:] - other["fermi_energy"]
    silver = make_pseudopotential("Ag", Programs(), tmp_path / "Ag.UPF")
    crystal = Atoms("Ag", cell=other["cell"], pbc=True)
    text = pw_input(crystal, silver.path, PlaneWaveSettings(), (9, 9, 9), n_bands=12)
    result, _ = self_consistent(text, Programs(), tmp_path / "pw")
    ours = result.bands - result.fermi_energy
    apart = np.abs(
        names_of(other["kpoints"], other["cell"])[:, None]
        - names_of(result.kpoints, other["cell"])[None]
    ).max(axis=-1)
    assert apart.min(axis=1).max() < 1e-6
    ours = ours[apart.argmin(axis=1)]
    difference = ours[:, :8] - theirs[:, :8]
    occupied = theirs[:, :8] < 0.0
    difference -= difference[occupied].mean()
    assert np.abs(difference[occupied]).max() < 0.02
    above = (theirs[:, :8] > 0.0) & (theirs[:, :8] < 6.0)
    assert np.abs(difference[above]).max() < 0.08


def test_every_element_is_listed_with_its_pseudopotential():
    chain = Atoms("Ag2CuAg2", positions=[(0.0, 0.0, 2.7 * n) for n in range(5)], cell=(8, 8, 13.5))
    files = {"Ag": Path("Ag.UPF"), "Cu": Path("Cu.UPF")}
    text = pw_input(chain, files, PlaneWaveSettings(), (1, 1, 4))
    species = text.split("ATOMIC_SPECIES")[1].split("\n\n")[0].split()
    assert species[::3] == ["Ag", "Cu"]
    assert species[2::3] == ["Ag.UPF", "Cu.UPF"]
    assert re.search(r"ntyp\s*=\s*2", text)
    placed = text.split("ATOMIC_POSITIONS angstrom")[1].split()[::4]
    assert placed == ["Ag", "Ag", "Cu", "Ag", "Ag"]


def recommending(element, wave, density):
    return Pseudopotential(Path("x"), element, "ultrasoft", 11.0, "PBE", wave, density, "", 1.0)


SILVER, COPPER = recommending("Ag", 28.0, 280.0), recommending("Cu", 32.0, 256.0)
HARD = recommending("Ni", 40.0, 400.0)
FOREIGN = recommending("Ag", 50.0, 200.0)  # norm-conserving


@pytest.mark.parametrize(
    ("accuracy", "elements", "cutoffs"),
    [
        # silver's are in the names of stored results
        ("coarse", [SILVER], (20.0, 120.0)),
        ("validation", [SILVER], (20.0, 160.0)),
        ("paper", [SILVER], (28.0, 280.0)),
        ("coarse", [COPPER], (23.0, 110.0)),
        ("validation", [COPPER], (23.0, 146.0)),
        ("paper", [COPPER], (32.0, 256.0)),
        ("coarse", [HARD], (29.0, 172.0)),
        ("validation", [SILVER, HARD], (29.0, 228.0)),
        # each cut-off of the element that asks for more
        ("validation", [SILVER, COPPER], (23.0, 160.0)),
        # the density of waves has twice their wave vectors
        ("coarse", [FOREIGN], (36.0, 144.0)),
        ("validation", [recommending("Na", 10.0, 40.0)], (10.0, 40.0)),
    ],
)
def test_cut_offs_follow_the_pseudopotential(accuracy, elements, cutoffs):
    found = PlaneWaveSettings.chosen(load_accuracy(accuracy), elements)
    assert (found.wave_cutoff, found.density_cutoff) == cutoffs


def test_a_users_own_cut_offs_win():
    own = load_accuracy("coarse", {"wave_cutoff": 25.0, "density_cutoff": 99.0})
    found = PlaneWaveSettings.chosen(own, [COPPER])
    assert (found.wave_cutoff, found.density_cutoff) == (25.0, 99.0)
    found = PlaneWaveSettings.chosen(load_accuracy("coarse", {"wave_cutoff": 60.0}), [COPPER])
    assert (found.wave_cutoff, found.density_cutoff) == (60.0, 240.0)
