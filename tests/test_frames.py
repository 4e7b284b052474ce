"""A frame with results is freed with its last use, without the garbage collector."""

import gc
import weakref
from contextlib import contextmanager

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from nanogap.dynamics.simulation import Simulation
from nanogap.frames import freed_when_dropped
from nanogap.structure.junction import read_frames
from tests.runs.hand_made import whole_run

SETTINGS = {
    "dynamics": {
        "engine": "native",
        "equilibration_time": 0.0,
        "production_time": 1200.0,
        "time_step": 4.0,
        "sampling_interval": 400.0,
        "contact_sampling_interval": 8.0,
        "contact_history": 5,
    },
    "voltage": {"applied": 8.0},
    "transport": {"hamiltonian": "none"},
}


@contextmanager
def without_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def with_energy():
    atoms = Atoms("Ag")
    atoms.calc = SinglePointCalculator(atoms, energy=-2.0)
    return atoms


def test_the_ring_is_that_of_ase():
    """Once ASE has none, the function is not needed any more."""
    with without_collector():
        seen = weakref.ref(with_energy().calc)
        assert seen() is not None
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("source", ["run", "file", "copy"])
def test_a_frame_is_freed_when_it_is_dropped(source, tmp_path):
    if source == "run":
        frame = whole_run(tmp_path / "run").frame(2)
    elif source == "file":
        write(tmp_path / "frame.extxyz", with_energy(), format="extxyz")
        (frame,) = read_frames(tmp_path / "frame.extxyz")
        assert frame.get_potential_energy() == -2.0
    else:
        frame = freed_when_dropped(with_energy())
    with without_collector():
        calculator = frame.calc
        seen = [weakref.ref(one) for one in (frame, calculator) if one is not None]
        del frame, calculator
        assert [one() for one in seen] == [None] * len(seen)


def test_a_simulation_holds_no_frames_that_nothing_can_ask_for(small_tips):
    """Of 50 looks in a chunk the last five are written when a contact comes."""
    with Simulation(small_tips, SETTINGS) as simulation:
        simulation.advance()
        with without_collector():
            before = count_of_atoms()
            simulation.advance()
            assert count_of_atoms() <= before + 2 * 5


def count_of_atoms():
    # The type is asked for: isinstance follows weak proxies, and other tests leave dead ones.
    return sum(issubclass(type(one), Atoms) for one in gc.get_objects())
