"""The cache of leads on disk: the same bits, whole files, a bounded size, no harm by damage."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.transport.junctions import disordered, slab_junction

import nanogap
from nanogap import digest
from nanogap.errors import SettingsError
from nanogap.transport.negf import lead_cache as cache_module
from nanogap.transport.negf import leads
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.lead_cache import LIMIT_VARIABLE, LeadCache, cache_key, lead_cache
from nanogap.transport.tight_binding.files import is_packaged, load_model
from nanogap.transport.tight_binding.model_file import model_from_table

MEGABYTE = 1e6
SOURCES = Path(nanogap.__file__).parent
#: The sub-packages whose code decides what is kept.
SUB_PACKAGES = [SOURCES / "transport" / name for name in ("tight_binding", "negf")]


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
    monkeypatch.setattr(leads, "fermi_energy", None)
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
    monkeypatch.setattr(leads, "fermi_energy", lambda atoms, **_: -0.02 * atoms.get_volume())

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
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[1], SOURCES.parent))),
        LIMIT_VARIABLE: "1", "OMP_NUM_THREADS": "1",
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


def equal_model():
    """Another object with the numbers of the packaged Hamiltonian."""
    text = (SOURCES / "transport" / "data" / "hamiltonian_ag.toml").read_text(encoding="utf-8")
    return model_from_table(tomllib.loads(text))


def test_the_default_model_is_one_object_however_it_is_asked_for():
    assert load_model() is load_model("Ag")
    assert load_model() is load_model(element="Ag")
    assert equal_model() is not load_model()
    assert equal_model() == load_model()
    assert is_packaged(equal_model())
    other = replace(load_model(), density_decay=1.0)
    assert other != load_model()
    assert not is_packaged(other)
    assert len({load_model(), equal_model(), other}) == 2


@pytest.mark.parametrize("given", [None, load_model(), load_model("Ag"), equal_model()])
def test_the_default_model_finds_what_is_kept_however_it_is_given(folder, monkeypatch, given):
    computed()
    files = set(folder.iterdir())
    monkeypatch.setattr(leads, "_decimate", None)  # whatever is asked for must be there
    monkeypatch.setattr(leads, "fermi_energy", None)
    computed(model=given)
    assert set(folder.iterdir()) == files


def test_equal_models_share_the_leads_in_memory(monkeypatch):
    junction = disordered(3)
    compute_transmission([junction], kpoints=(2, 2))
    monkeypatch.setattr(leads, "Lead", None)  # none is made anew
    compute_transmission([junction], kpoints=(2, 2), model=equal_model())


def test_models_met_after_each_other_are_not_mistaken_for_each_other():
    """A model that is gone leaves its address in memory to the next one."""
    junction, levels = disordered(3), set()
    for shift in np.arange(6) * 0.1:
        onsite = load_model().onsite + np.array([shift, 0.0, 0.0, 0.0])
        model = replace(load_model(), onsite=onsite)
        dataset = compute_transmission([junction], kpoints=(1, 1), model=model)
        levels.add(round(dataset["fermi_energy"].item(), 3))
    assert len(levels) == 6


@pytest.fixture
def changed_code(tmp_path, monkeypatch):
    """Copies of the sub-packages whose lines can be changed."""
    copies = {}
    for folder in SUB_PACKAGES:
        name = f"nanogap.transport.{folder.name}"
        copies[name] = shutil.copytree(folder, tmp_path / "code" / folder.name)
    assert set(cache_module.DECISIVE) == set(copies)
    monkeypatch.setattr(digest, "files", copies.__getitem__)
    yield tmp_path / "code"
    monkeypatch.undo()
    fresh_key()


def fresh_key():
    """A key as a new process makes it."""
    cache_module._machinery.cache_clear()  # noqa: SLF001
    return cache_key("surface")


def test_the_key_of_a_copy_is_that_of_the_code(changed_code, monkeypatch):
    copied = fresh_key()
    monkeypatch.undo()
    assert changed_code.is_dir()
    assert fresh_key() == copied


@pytest.mark.parametrize(
    "module",
    [
        path.relative_to(SOURCES / "transport")
        for root in SUB_PACKAGES
        for path in root.glob("*.py")
    ],
    ids=str,
)
def test_a_changed_line_of_any_module_changes_the_key(changed_code, module):
    before, path = fresh_key(), changed_code / module
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    lines[-1] = lines[-1].rstrip("\n") + "  # changed\n" if lines else "# changed\n"
    path.write_text("".join(lines), encoding="utf-8")
    assert fresh_key() != before
    path.write_text(text, encoding="utf-8")
    assert fresh_key() == before


def test_a_new_or_a_renamed_module_changes_the_key(changed_code):
    keys = [fresh_key()]
    new = changed_code / "negf" / "new.py"
    new.write_text("", encoding="utf-8")
    keys.append(fresh_key())
    new.rename(new.with_name("newer.py"))
    keys.append(fresh_key())
    assert len(set(keys)) == 3


def test_no_other_code_decides_what_a_lead_computes():
    """What `leads` imports, and so on, is in the key, or can change no number of a lead."""
    harmless = {"arguments", "digest", "errors", "printing", "typing", "io", "settings"}
    waiting, seen, others = [SOURCES / "transport" / "negf" / "leads.py"], set(), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("nanogap"):
                continue
            parts = node.module.split(".")[1:]
            if parts[:2] in (["transport", "tight_binding"], ["transport", "negf"]):
                found = SOURCES.joinpath(*parts).with_suffix(".py")
                waiting += [found] if found not in seen else []
            else:
                others.add(parts[0])
    assert len(seen) > 5
    assert others <= harmless


def slab_unit(lattice_constant):
    from nanogap.transport.negf.device import build_device

    junction = slab_junction(1, lattice_constant=lattice_constant)
    return build_device(junction, load_model()).leads[0].unit


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf"])
def test_a_wrong_size_is_one_sentence(monkeypatch, value):
    monkeypatch.setenv(LIMIT_VARIABLE, value)
    with pytest.raises(SettingsError, match=f"{LIMIT_VARIABLE}={value}: give the size"):
        lead_cache()
