"""The cache of leads on disk: the same bits, whole files, a bounded size, no harm by damage."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.transport.junctions import disordered, slab_junction

from nanogap.errors import SettingsError
from nanogap.transport import leads
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.lead_cache import LIMIT_VARIABLE, LeadCache, cache_key, lead_cache
from nanogap.transport.tight_binding.files import load_model

MEGABYTE = 1e6


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache, and no lead in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    forget()
    yield tmp_path / "nanogap" / "leads"
    forget()


def forget():
    leads._LEADS.clear()  # noqa: SLF001 what a new process begins with
    leads._FERMI_ENERGIES.clear()  # noqa: SLF001


def computed(junction=None, **options):
    forget()
    junction = disordered(3) if junction is None else junction
    return compute_transmission([junction], [0.0, 0.1], kpoints=(2, 2), **options)


def without_time(dataset):
    return dataset.assign_attrs(wall_time=0.0)


def test_the_result_is_the_same_to_the_last_bit(folder, monkeypatch):
    monkeypatch.setenv(LIMIT_VARIABLE, "0")
    expected = computed()
    assert not folder.exists()
    monkeypatch.delenv(LIMIT_VARIABLE)
    first = computed()
    files = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    # two leads, two energies, two points of the mesh after time reversal, and the Fermi energy
    assert len(files) == 9
    monkeypatch.setattr(leads, "_decimate", None)  # whatever is asked for must be there
    monkeypatch.setattr(leads, "fermi_energy_of", None)
    second = computed()
    for dataset in (first, second):
        assert without_time(dataset).identical(without_time(expected))
    assert set(folder.iterdir()) == set(files)


def test_snapshots_that_differ_in_rounding_share_their_leads(folder):
    computed()
    files = set(folder.iterdir())
    moved = disordered(3)
    moved.positions += (0.1234567, 7.654321, 1.0 / 3.0)
    computed(moved)
    assert set(folder.iterdir()) == files


def rough(seed):
    """Two junctions as files give them, with rounded positions; equal but for rounding errors."""
    junction = slab_junction(2, extra=[(0.0, 0.0, 0.0)], gap_layers=2)
    errors = np.random.default_rng(seed).uniform(-2e-5, 2e-5, junction.positions.shape)
    junction.positions += errors
    other = junction.copy()
    other.set_cell(other.cell * (1.0 + 1e-12), scale_atoms=True)
    return junction, other


@pytest.mark.parametrize("neutrality", ["none", "coordination"])
def test_what_a_process_met_before_changes_no_bit(monkeypatch, neutrality):
    """A run that goes on gets the transmissions of an undisturbed one without meeting all again."""
    # a level that tells crystals apart that are equal but for rounding
    monkeypatch.setattr(leads, "fermi_energy_of", lambda atoms, *_: -0.02 * atoms.get_volume())

    def levels(*junctions):
        forget()
        results = [
            compute_transmission([junction], kpoints=(1, 1), neutrality=neutrality)
            for junction in junctions
        ]
        return results[-1]["fermi_energy"].to_numpy().tobytes()

    for seed in range(5):
        first, second = rough(seed)
        assert levels(first, second) == levels(second)


def test_damaged_files_are_computed_again(folder):
    expected = computed()
    for number, path in enumerate(sorted(folder.iterdir())):
        content = bytearray(path.read_bytes())
        if number % 3 == 0:
            content = content[: len(content) // 2]
        elif number % 3 == 1:
            content[-1] ^= 1
        else:
            content = bytearray()
        path.write_bytes(content)
    damaged = {path: path.read_bytes() for path in folder.iterdir()}
    assert without_time(computed()).identical(without_time(expected))
    for path, content in damaged.items():
        assert path.read_bytes() != content


def test_a_folder_that_cannot_be_written_only_costs_time(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    assert computed()["transmission"].notnull().all()
    assert folder.read_text() == "no folder"


def test_models_that_are_tried_in_a_fit_are_not_kept(folder):
    computed(model=replace(load_model(), cutoff=load_model().cutoff - 0.01))
    assert not folder.exists()


def test_the_oldest_arrays_are_forgotten(tmp_path):
    cache, array = LeadCache(tmp_path / "some", MEGABYTE), np.zeros(5_000)
    for number in range(60):
        cache.write(f"{number:03d}", array + number)
        if number == 5:
            os.utime(tmp_path / "some" / "000", (1.0, 1.0))
    size = sum(path.stat().st_size for path in (tmp_path / "some").iterdir())
    assert 0.5 * MEGABYTE < size <= 1.05 * MEGABYTE
    assert cache.read("000") is None
    np.testing.assert_array_equal(cache.read("059"), array + 59)
    cache.write("large", np.zeros(50_000))
    assert cache.read("large") is None


def test_what_is_used_is_kept(tmp_path):
    cache, array = LeadCache(tmp_path, MEGABYTE), np.zeros(5_000)
    for number in range(60):
        cache.write(f"{number:03d}", array + number)
        for path in tmp_path.iterdir():
            os.utime(path, (float(path.name), float(path.name)))
        assert cache.read("000") is not None


def test_processes_share_a_folder(folder):
    """Two at the same time; a small limit makes each remove what the other has written."""
    script = (
        "import numpy as np; from junctions import disordered; "
        "from nanogap.transport.negf.compute import compute_transmission; "
        "d = compute_transmission([disordered(3)], np.linspace(0, 0.1, 12), kpoints=(2, 2)); "
        "print(d['transmission'].to_numpy().tobytes().hex())"
    )
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent), LIMIT_VARIABLE: "1", "OMP_NUM_THREADS": "1"
    }  # fmt: skip
    processes = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    found = {process.communicate()[0].strip().decode() for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert len(found) == 1
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert 0.5 * MEGABYTE < sum(sizes) < 1.2 * MEGABYTE
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_whatever_decides_a_result_is_in_its_name():
    lead = leads.get_lead(slab_unit(4.216), load_model())
    other = leads.get_lead(slab_unit(4.216 + 1e-9), load_model())
    names = {
        cache_key(lead.unit, load_model(), 0.1),
        cache_key(other.unit, load_model(), 0.1),
        cache_key(replace(lead.unit, direction=-lead.unit.direction), load_model(), 0.1),
        cache_key(lead.unit, replace(load_model(), density_decay=1.0), 0.1),
        cache_key(lead.unit, replace(load_model(), vacuum=None), 0.1),
        cache_key(lead.unit, load_model(), 0.1 + 1e-12),
    }
    assert len(names) == 6
    assert cache_key(lead.unit, load_model(), 0.1) in names


def slab_unit(lattice_constant):
    from nanogap.transport.negf.device import build_device

    junction = slab_junction(1, lattice_constant=lattice_constant)
    return build_device(junction, load_model()).leads[0].unit


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf"])
def test_a_wrong_size_is_one_sentence(monkeypatch, value):
    monkeypatch.setenv(LIMIT_VARIABLE, value)
    with pytest.raises(SettingsError, match=f"{LIMIT_VARIABLE}={value}: give the size"):
        lead_cache()
