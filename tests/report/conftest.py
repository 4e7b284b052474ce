"""Everything that a report is made of, invented."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from tests.report.synthetic_run import TIME, T, observables, transmission

from nanogap.settings import load_settings


@pytest.fixture
def frames(small_tips):
    def frame(place):
        atoms = small_tips.copy()
        atoms.positions += 0.01 * place
        sign = np.sign(atoms.positions[:, 2] - atoms.positions[:, 2].mean())
        atoms.new_array("potential", 4.0 * sign * (place > 0))
        atoms.info.update(lattice_constant=4.216, time=TIME[place])
        atoms.calc = SinglePointCalculator(atoms, charges=0.1 * sign * (place > 0))
        return atoms

    return [(place, frame(place)) for place in (0, 3, 9)]


@pytest.fixture
def settings():
    quick = load_settings("quick")
    dynamics = quick.dynamics.model_copy(update={"production_time": 3000.0})
    return quick.model_copy(update={"dynamics": dynamics})


@pytest.fixture
def content(settings, frames):
    return {
        "settings": settings,
        "observables": observables(),
        "transmission": transmission(T),
        "spectra": transmission([0.003, 0.94, 4.2], np.linspace(-1, 1, 5), [0, 3, 9]),
        "frames": frames,
        "provenance": {"seed": 7, "versions": {"LAMMPS": "22 Jul 2025"}, "wall time (s)": 3.5},
        "failures": {},
        "planned_end": 3000.0,
    }
