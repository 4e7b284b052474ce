"""The barriers of a device: the same force field as LAMMPS, the known barriers, the held-out error.

Barriers of named processes: climbing-image bands by ASE with LAMMPS, 430 atoms, the same functions.
"""

import importlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from parametrisation.barriers.bands import join, read_bands, stored_hop
from parametrisation.barriers.environments import Chooser, grid_sites
from parametrisation.barriers.named import named_processes
from parametrisation.barriers.processes import cut, exchange_barrier, hop_barrier
from parametrisation.barriers.results import FLOOR, evaluate_bands
from parametrisation.barriers.sites import HALF, Hop

from nanogap.device.energetics import load_energetics
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.embedded_functions import load_functions
from nanogap.dynamics.lammps import open_lammps, run_command
from nanogap.errors import NanogapError

DATA = Path(__file__).resolve().parents[1] / "parametrisation" / "data"
#: eV; the atoms of larger cells give way a little more.
BARRIERS = {
    "terrace (111), hop": 0.061,
    "terrace (100), hop": 0.478,
    "terrace (100), exchange": 0.841,
    "terrace (110), along the channel": 0.322,
    "terrace (110), exchange across": 0.423,
    "edge diffusion, A": 0.264,
    "edge diffusion, B": 0.342,
    "step to terrace, A": 0.531,
    "step to terrace, B": 0.552,
    "kink to edge, A": 0.473,
    "kink to edge, B": 0.541,
    "kink to one row out, A": 0.574,
    "step down, exchange, B": 0.209,
    "step down, exchange, A": 0.437,
    "step down, hop, A": 0.342,
}
FUNCTIONS = load_functions("Ag")
SILVER = load_energetics("Ag")


@pytest.fixture(scope="module")
def bands():
    return read_bands(DATA / "barriers_ag.npz")


@pytest.fixture(scope="module")
def results(bands):
    return evaluate_bands(bands, FUNCTIONS)


@pytest.mark.engine
def test_energies_and_forces_are_those_of_lammps():
    points, sites = grid_sites()
    small = sites & (np.linalg.norm(points, axis=-1) < 5)
    start = np.argwhere(small)[0] - HALF
    found = cut(small, start[None], start[None], FUNCTIONS, 100.0)
    rng = np.random.default_rng(1)
    positions = found.start + rng.normal(0, 0.15, found.start.shape)
    energy, forces = found.region.energy_and_forces(positions)
    interaction = load_embedded_atom("Ag")
    with tempfile.TemporaryDirectory() as name:
        lammps = open_lammps(None)
        lammps.commands_string(
            "units metal\natom_modify map array\nboundary f f f\n"
            "region box block -40 40 -40 40 -40 40 units box\ncreate_box 1 box\nmass 1 107.87"
        )
        numbers = list(range(1, len(positions) + 1))
        lammps.create_atoms(len(positions), numbers, [1] * len(numbers), positions.ravel().tolist())
        for command in interaction.pair_commands(Path(name), fast=True):
            run_command(lammps, command, Path(name))
        lammps.command("run 0 post no")
        assert energy == pytest.approx(lammps.get_thermo("pe"), abs=1e-8)
        theirs = np.array(lammps.gather_atoms("f", 1, 3)).reshape(-1, 3)
        lammps.close()
    assert np.abs(forces - theirs).max() < 1e-8


def test_an_atom_among_fixed_ones_feels_its_energy():
    """The forces are the slope of the energy, with the embedding of the fixed atoms."""
    hop = next(process for process in named_processes() if process.name == "kink to edge, A").hop
    found = cut(hop.grid, hop.start[None], hop.end[None], FUNCTIONS, 5.0)
    positions = found.start + 0.05 * np.random.default_rng(2).normal(size=found.start.shape)
    _, forces = found.region.energy_and_forces(positions)
    step = np.zeros_like(positions)
    step[0, 2] = 1e-4
    above, below = (found.region.energy_and_forces(positions + s)[0] for s in (step, -step))
    assert forces[0, 2] == pytest.approx(-(above - below) / 2e-4, abs=1e-5)


def test_named_processes_have_the_barriers_of_large_cells():
    found: dict[str, float] = {}
    for process in named_processes():
        if process.target is None:
            barrier = hop_barrier(process.hop, FUNCTIONS)
        else:
            barrier = exchange_barrier(process.hop, process.target, FUNCTIONS)
        found[process.name] = min(barrier.forward, found.get(process.name, np.inf))
    for name, value in BARRIERS.items():
        # the exchange on (100) strains its surroundings far away
        tolerance = 0.025 if name == "terrace (100), exchange" else 0.006
        assert found[name] == pytest.approx(value, abs=tolerance), name


def test_the_table_gives_the_named_barriers(results):
    for band in results.named:
        if band.name in BARRIERS:
            predicted = results.table.named(band, FLOOR)
            assert predicted == pytest.approx(BARRIERS[band.name], abs=0.03), band.name


def test_what_is_packaged_is_what_the_stored_bands_give(results, bands):
    assert SILVER.phi == pytest.approx(results.table.phi, abs=2e-3)
    assert np.abs(SILVER.saddle - results.table.saddle).max() < 5e-3
    assert np.array_equal(SILVER.seen, results.table.seen)
    assert results.error(bands, results.held_out) == pytest.approx(SILVER.held_out_error, abs=1e-3)
    assert SILVER.held_out_error <= 0.05
    assert [event.name for event in SILVER.exchanges] == [e.name for e in results.exchanges]


def test_no_held_out_environment_was_fitted(results, bands):
    fitted, held_out = bands.pattern[results.fitted], bands.pattern[results.held_out]
    assert len(held_out) > len(fitted) / 8
    assert not set(fitted.tolist()) & set(held_out.tolist())


def test_stored_bands_are_computed_again(bands):
    assert len(bands.whole_index) >= 10
    for row, occupied in list(zip(bands.whole_index, bands.whole, strict=True))[:20]:
        hop = stored_hop(occupied)
        assert hop.ends == tuple(bands.ends[row])
        assert hop.kind == bands.kind[row]
        assert hop.pattern() == bands.pattern[row]
        found = hop_barrier(hop, FUNCTIONS)
        assert found.forward == pytest.approx(bands.forward[row], abs=0.005)
        assert found.change == pytest.approx(bands.change[row], abs=0.002)
        assert found.removal == pytest.approx(bands.removal[row], abs=0.005)


def test_counts_of_a_hop_are_those_of_all_atoms():
    for _, hop in zip(range(6), (hop for _, hop in Chooser(3).hops()), strict=False):
        after = hop.grid.copy()
        after[tuple(hop.start + HALF)], after[tuple(hop.end + HALF)] = False, True
        back = Hop(after, hop.end, hop.start)
        assert np.array_equal(back.change(), -hop.change())
        assert hop.change().sum() == 0
        assert hop.removal().sum() == 1
        assert back.pattern() == hop.pattern()
        assert back.kind == hop.kind
        assert back.ends == hop.ends[::-1]


def test_joined_bands_hold_every_environment_once(bands):
    joined = join([bands, bands])
    assert np.array_equal(np.sort(joined.pattern), np.unique(bands.pattern))
    assert len(joined.whole) == len(joined.whole_index)
    for row, occupied in zip(joined.whole_index, joined.whole, strict=True):
        assert stored_hop(occupied).pattern() == joined.pattern[row]


def test_a_file_that_holds_no_bands_is_named(tmp_path):
    path = tmp_path / "bands.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(NanogapError, match=r"bands\.npz: not a file of bands"):
        read_bands(path)


def test_the_commands_say_what_they_make(capsys, monkeypatch):
    module = importlib.import_module("parametrisation.barriers.__main__")
    monkeypatch.setattr(sys, "argv", ["barriers", "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert "python -m parametrisation.barriers" in capsys.readouterr().out
