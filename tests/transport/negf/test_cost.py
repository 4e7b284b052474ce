"""Estimates of time and memory: against measured ones, and what follows from them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from tests.transport.junctions import chain, slab_junction

from nanogap.errors import EngineError, StructureError
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors
from nanogap.transport import of_file
from nanogap.transport.cost import TransmissionCost
from nanogap.transport.negf import cost
from nanogap.transport.of_file import TransmissionRequest, transmission_of_file

A = 4.09
MEASURED = json.loads((Path(__file__).parent / "cost.json").read_text(encoding="utf-8"))["rows"]


def wire(radius, layers):
    """A wire of (111) planes, 5 % of the atoms of its channel missing."""
    rng, positions, regions = np.random.default_rng(0), [], []
    for layer in range(layers):
        sites = (np.indices((41, 41)).reshape(2, -1).T - 20) @ surface_vectors(A)
        sites += (layer % 3) * stacking_shift(A)
        sites = sites[np.hypot(*sites.T) < radius]
        name = "left" if layer < 3 else "right" if layer >= layers - 3 else "channel"
        if name == "channel":
            sites = sites[rng.random(len(sites)) > 0.05]
        positions.append(np.column_stack([sites, np.full(len(sites), layer * layer_spacing(A))]))
        regions += [name] * len(sites)
    atoms = Atoms(f"Ag{len(regions)}", np.concatenate(positions))
    atoms.new_array("region", np.array(regions))
    period = 3 * layer_spacing(A)
    atoms.info.update(left_period=period, right_period=period)
    return atoms


def slab(width, layers):
    """A crystal, 5 % of the atoms of its channel missing."""
    atoms = slab_junction(width, channel_layers=layers // 2, lattice_constant=A)
    kept = np.random.default_rng(0).random(len(atoms)) > 0.05
    return atoms[kept | (atoms.arrays["region"] != "channel")]


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row['kind']}-{row['atoms']}")
def test_estimates_hold_to_a_factor_of_two(row, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(cost, "machine_speed", lambda: row["speed"])
    junction = {"wire": wire, "slab": slab}[row["kind"]](row["width"], row["layers"])
    assert len(junction) == row["atoms"]
    energies = [0.1 * number for number in range(row["energies"])]
    found = cost.transmission_cost([junction], energies, kpoints=(row["kpoints"],) * 2)
    assert (found.atoms, found.energies) == (row["atoms"], row["energies"])
    assert 0.5 < found.seconds / row["seconds"] < 2.0
    if row["memory"] > 1e8:  # less is of no interest
        assert 0.5 < found.memory / row["memory"] < 2.0


def test_leads_are_shared_by_snapshots_and_channels_are_not(monkeypatch):
    monkeypatch.setattr(cost, "machine_speed", lambda: 1e10)
    junction = slab(3, 4)
    one, four = (cost.transmission_cost([junction] * n, kpoints=(2, 2)).seconds for n in (1, 4))
    assert one < four < 4.0 * one


def test_more_threads_need_more_memory_and_less_time(monkeypatch):
    junction = slab(6, 4)
    found = []
    for threads in ("1", "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(cost.transmission_cost([junction], kpoints=(4, 4)))
    assert found[1].memory > found[0].memory
    assert found[1].seconds < found[0].seconds


def test_local_properties_cost_more():
    junction = slab(2, 4)
    plain, local = (cost.transmission_cost([junction], local=asked) for asked in (False, True))
    assert local.seconds > plain.seconds


def test_sizes_in_words():
    one = TransmissionCost(1, 2974, 1, 1, 60.0, 1e9)
    assert one.size == "2974 atoms, 1 k-point, 1 energy"
    many = replace(one, junctions=3, kpoints=2, energies=21)
    assert many.size == "3 junctions of up to 2974 atoms, 2 k-points, 21 energies"


def test_what_does_not_fit_into_the_memory_is_refused(tmp_path, monkeypatch):
    write(tmp_path / "wire.extxyz", chain(2.9))
    monkeypatch.setattr(of_file, "available_memory", lambda: 1e6)
    with pytest.raises(StructureError, match=r"GB of memory \(5 atoms, 1 k-point.*smaller cell"):
        transmission_of_file(tmp_path / "wire.extxyz", TransmissionRequest())


def test_work_that_is_not_wanted_is_not_begun(tmp_path):
    write(tmp_path / "wire.extxyz", chain(2.9))
    told = []
    request = TransmissionRequest(confirm=told.append)
    with pytest.raises(EngineError, match="not begun"):
        transmission_of_file(tmp_path / "wire.extxyz", request)
    assert [each.atoms for each in told] == [5]


def test_progress_counts_wave_vectors_and_energies_of_all_junctions(tmp_path):
    write(tmp_path / "wires.extxyz", [chain(2.9), chain(2.8)])
    told = []
    request = TransmissionRequest(
        index=":", energies="0.1,0.2", progress=lambda *count: told.append(count)
    )
    transmission_of_file(tmp_path / "wires.extxyz", request)
    # the Fermi energy is computed, too: that is where channels are counted
    assert told == [(n, 6) for n in (0, 1, 2, 3, 3, 4, 5, 6)]
